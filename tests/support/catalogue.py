"""Writes tests/catalogue.md: every row of the fault catalogue and the test files that cover it.

    python3 tests/support/catalogue.py           writes
    python3 tests/support/catalogue.py --check   exits 1 when the page claims a test that is not
                                                 there, or a test names a row that does not exist;
                                                 a test not yet listed is only mentioned

Python tests name rows in `@pytest.mark.row("C-01", ...)`, C++ tests in a comment `// Rows: C-01`.
The rows and their short titles are in tests/catalogue_rows.txt.
"""

import collections
import pathlib
import re
import sys

TESTS = pathlib.Path(__file__).resolve().parents[1]
AREAS = {"H": "HTTP framing and parsing", "P": "Names, paths, uploads", "A": "Access",
         "U": "Upstream credentials, redirects, addresses", "M": "Manifests, digests, tags",
         "R": "Resources", "C": "Cache integrity", "D": "Crash, power, disk", "B": "LMDB",
         "G": "Collection and deletion", "N": "Network", "K": "Time", "O": "Operations"}


def known_rows():
    lines = (TESTS / "catalogue_rows.txt").read_text().splitlines()
    return dict(line.split(" ", 1) for line in lines)


def covered():
    """{row: files that name it}"""
    found = collections.defaultdict(set)
    for path in sorted(TESTS.rglob("*")):
        if path.suffix == ".py" and path.name.startswith("test_"):
            marks = re.findall(r"@pytest\.mark\.row\(([^)]*)\)", path.read_text())
        elif path.suffix in (".cpp", ".hpp"):
            marks = re.findall(r"// Rows?: ([^\n]*)", path.read_text())
        else:
            continue
        for row in re.findall(r"\b[A-Z]-\d\d\b", " ".join(marks)):
            found[row].add(path.relative_to(TESTS).as_posix())
    return found


def page(rows, found):
    done = [row for row in rows if found.get(row)]
    text = ("# The fault catalogue and its tests\n\n"
            "Written by `tests/support/catalogue.py`; do not edit. "
            f"{len(done)} of {len(rows)} rows have a test.\n")
    for letter, area in AREAS.items():
        mine = [row for row in rows if row.startswith(letter)]
        text += f"\n## {area} ({letter})\n\n| Row | Fault | Tests |\n|---|---|---|\n"
        for row in mine:
            files = "<br>".join(f"`{name}`" for name in sorted(found.get(row, []))) or "–"
            title = rows[row].replace("|", "\\|").replace("*", "\\*").replace("`", "")
            text += f"| {row} | {title} | {files} |\n"
    return text


def main():
    rows, found = known_rows(), covered()
    unknown = sorted(set(found) - set(rows))
    if unknown:
        print("tests name rows that do not exist:", *(f"{r} in {sorted(found[r])}" for r in unknown))
        return 1
    path, text = TESTS / "catalogue.md", page(rows, found)
    if "--check" not in sys.argv:
        path.write_text(text)
        return 0
    before, now = set(claims(path.read_text())), set(claims(text))
    for row, name in sorted(now - before):
        print(f"not listed yet: {row} in {name}; run python3 tests/support/catalogue.py")
    for row, name in sorted(before - now):
        print(f"listed without a test: {row} in {name}; run python3 tests/support/catalogue.py")
    return 1 if before - now else 0


def claims(text):
    """(row, file) pairs of a page."""
    for line in text.splitlines():
        if match := re.match(r"\| ([A-Z]-\d\d) \|", line):
            yield from ((match[1], name) for name in re.findall(r"`([^`]+)`", line))


if __name__ == "__main__":
    sys.exit(main())
