#!/usr/bin/env python3
"""Which source files can be compiled as one. units.py TOP OUTPUT-DIRECTORY FILE...

Most of a compiler's time (and of clang-tidy's) goes into what files have in common: headers, and
the templates that each file instantiates anew. This puts files together into a few units: writes
unit_<n>.cpp that include them, and prints the units' paths. Called when CMake configures the
sanitizer trees, and by tools/lint/tidy.py.

Rooms are namespaces, so what is private to files of different rooms does not meet. Two files of one
room share a unit only if no private name of either (of an unnamed namespace, a macro) occurs in the
other as a word at all: nothing can mean something else there. A file's place depends on its name, so
that a new file moves few others.
"""

import hashlib
import pathlib
import re
import sys

UNITS = 16
WORD = re.compile(r"[A-Za-z_]\w*")
COMMENT = re.compile(r"//.*")
MACRO = re.compile(r"#\s*define\s+(\w+)")
TYPE = re.compile(r"(?:template ?<.*> ?)?(?:struct|class|enum class|enum|using|union) (\w+)")
# A function or a variable: the last word before its parameters or its value.
OTHER = re.compile(r"[^(={;]*?(\w+)\s*[(={;\[]")


def private_names(text):
    """Of the declarations that begin a line, as clang-format leaves them."""
    names, private = set(), False
    for line in text.splitlines():
        if line == "namespace {":
            private = True
        elif line == "}  // namespace":
            private = False
        elif macro := MACRO.match(line):
            names.add(macro.group(1))
        elif line and line[0] not in " }#/" and (private or line.startswith("static ")):
            found = TYPE.match(line) or OTHER.match(line)
            if found:
                names.add(found.group(1))
    return names


class Source:
    def __init__(self, path, text):
        self.path = path  # src/<room>/…
        self.room = path.parts[1] if len(path.parts) > 2 else ""
        self.private = private_names(text)
        self.words = set(WORD.findall(COMMENT.sub("", text)))

    def goes_with(self, other):
        return self.private.isdisjoint(other.words) and other.private.isdisjoint(self.words)


def units(sources):
    """Lists of paths. A file goes to its own unit or the next one it gets along with."""
    found = []
    for source in sorted(sources, key=lambda source: source.path):
        own = int(hashlib.sha256(source.path.name.encode()).hexdigest(), 16) % UNITS
        for turn in range(len(found) + UNITS):
            number = (own + turn) % UNITS if turn < UNITS else turn
            while len(found) <= number:
                found.append([])
            if all(source.goes_with(other) for other in found[number]
                   if other.room == source.room):
                found[number].append(source)
                break
    return [[source.path for source in unit] for unit in found if unit]


def read(top, paths):
    return [Source(path, (top / path).read_text(encoding="utf-8")) for path in paths]


def main():
    top, output = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    output.mkdir(parents=True, exist_ok=True)
    sources = read(top, [pathlib.Path(path).relative_to(top) for path in sys.argv[3:]])
    written = []
    for number, paths in enumerate(units(sources)):
        unit = output / f"unit_{number}.cpp"
        text = "".join(f'#include "{top / path}"\n' for path in paths)
        if not unit.exists() or unit.read_text(encoding="utf-8") != text:  # else it is compiled anew
            unit.write_text(text, encoding="utf-8")
        written.append(str(unit))
    print(";".join(written), end="")


if __name__ == "__main__":
    main()
