#!/usr/bin/env python3
"""Prints the lengths of files and functions and fails above the budget of CONTRIBUTING.md."""

import json
import statistics
import subprocess

import tree

# (what, median, ninth decile, longest)
SOURCES = ("sources", 140, 320, 500)
HEADERS = ("headers", 70, 150, 300)
FUNCTIONS = ("functions", 10, 30, 80)


def file_lengths(*patterns):
    return {str(path): len(tree.text(path).splitlines()) for path in tree.files(*patterns)}


def function_lengths():
    """Lines of each function's definition, as universal-ctags finds its ends."""
    paths = [str(path) for path in tree.files("src/**/*.[ch]pp", "include/**/*.hpp")]
    listing = subprocess.run(
        ["ctags", "--output-format=json", "--fields=+ne", "--kinds-C++=f", "--language-force=C++",
         "-o", "-", *paths],
        cwd=tree.TOP, check=True, capture_output=True, text=True).stdout
    lengths = {}
    for line in listing.splitlines():
        tag = json.loads(line)
        if tag.get("_type") == "tag" and "end" in tag:
            name = f"{tag['path']}:{tag['line']} {tag['name']}"
            lengths[name] = tag["end"] - tag["line"] + 1
    return lengths


def check(budget, lengths):
    what, median_budget, p90_budget, longest_budget = budget
    values = sorted(lengths.values())
    median = statistics.median(values)
    p90 = values[int(len(values) * 0.9)]
    print(f"{what}: {len(values)}, median {median:g} (at most {median_budget}), "
          f"p90 {p90} ({p90_budget}), longest {values[-1]} ({longest_budget})")
    if median > median_budget or p90 > p90_budget:
        yield f"{what} have grown above the budget; the longest:"
        for name in sorted(lengths, key=lengths.get)[-len(lengths) // 10:]:
            yield f"  {lengths[name]} {name}"
    for name, length in lengths.items():
        if length > longest_budget:
            yield f"{name}: {length} lines; at most {longest_budget}"


def main():
    problems = list(check(SOURCES, file_lengths("src/**/*.cpp")))
    problems += check(HEADERS, file_lengths("include/**/*.hpp", "src/**/*.hpp"))
    problems += check(FUNCTIONS, function_lengths())
    tree.report(problems)


if __name__ == "__main__":
    main()
