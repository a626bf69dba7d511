#!/usr/bin/env python3
"""Compiles every header without the rooms' precompiled one: each includes what it needs.

Two things save most of the time, and neither gives a header anything that it would not have alone:
a header may follow another in a unit when it includes that other anyway, and a unit may begin with
a precompiled set of system headers when the first of its headers includes all of them anyway.
"""

import concurrent.futures
import os
import pathlib
import subprocess
import sys
import tempfile

import tree

COMMAND = ["clang++-19", *tree.FLAGS, "-Wall", "-Wextra", "-Werror"]
PRECOMPILED = 12  # sets; each takes the time of some headers


def chains(reach):
    """Lists of headers, each of which includes the one before it, by whatever way."""
    found = []
    for path in sorted(reach, key=lambda path: len(reach[path])):
        open_ends = [chain for chain in found if chain[-1] in reach[path]]
        if open_ends:
            max(open_ends, key=lambda chain: len(reach[chain[-1]])).append(path)
        else:
            found.append([path])
    return found


def system_headers(paths):
    return frozenset(name for path in paths for _, quoted, name in tree.includes(path)
                     if not quoted)


def weight(names):
    """About what it takes to read them: libraries are larger than the standard's headers."""
    return sum(10 if "/" in name else 1 for name in names)


def common_sets(wanted):
    """The sets that save most, of those some unit begins with."""
    chosen = [frozenset()]
    candidates = set(wanted)

    def saved(sets):
        return sum(weight(best(sets, names)) for names in wanted)

    while candidates and len(chosen) <= PRECOMPILED:
        chosen.append(max(candidates, key=lambda names: (saved([*chosen, names]), sorted(names))))
        candidates.discard(chosen[-1])
    return chosen


def best(sets, names):
    return max((each for each in sets if each <= names), key=weight)


class Checker:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.precompiled = {}

    def precompile(self, number, names):
        if not names:
            return
        header = self.folder / f"set{number}.hpp"
        header.write_text("".join(f"#include <{name}>\n" for name in sorted(names)))
        result = header.with_suffix(".pch")
        subprocess.run([*COMMAND, "-x", "c++-header", str(header), "-o", str(result)],
                       cwd=tree.TOP, check=True)
        self.precompiled[names] = ["-include-pch", str(result)]

    def check(self, chain, names):
        unit = "".join(f'#include "{tree.TOP / path}"\n' for path in chain)
        result = subprocess.run(
            [*COMMAND, *self.precompiled.get(names, []), "-fsyntax-only", "-x", "c++", "-"],
            input=unit, cwd=tree.TOP, capture_output=True, text=True)
        return "" if result.returncode == 0 else result.stderr


def main():
    paths = tree.files(*(sys.argv[1:] or ["include/**/*.hpp", "src/**/*.hpp"]))
    reach = {path: tree.closure([path]) for path in paths}
    units = chains(reach)
    wanted = [system_headers(reach[chain[0]]) for chain in units]
    sets = common_sets(wanted)
    with (tempfile.TemporaryDirectory() as folder,
          concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool):
        checker = Checker(folder)
        list(pool.map(checker.precompile, range(len(sets)), sets))
        found = list(pool.map(checker.check, units, [best(sets, names) for names in wanted]))
    tree.report([problem for problem in found if problem])


if __name__ == "__main__":
    main()
