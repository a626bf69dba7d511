#!/usr/bin/env python3
"""Compiles every header without the precompiled one: each includes what it needs.

A header may follow another in a unit when it includes that other anyway: nothing it gets that way
would be missing if it stood alone. Half the units, half the time.
"""

import concurrent.futures
import os
import subprocess
import sys

import tree

COMMAND = ["clang++-19", *tree.FLAGS, "-fsyntax-only", "-x", "c++", "-Wall", "-Wextra", "-Werror",
           "-"]


def chains(paths):
    """Lists of headers, each of which includes the one before it, by whatever way."""
    reach = {path: tree.closure([path]) for path in paths}
    found = []
    for path in sorted(paths, key=lambda path: len(reach[path])):
        open_ends = [chain for chain in found if chain[-1] in reach[path]]
        if open_ends:
            max(open_ends, key=lambda chain: len(reach[chain[-1]])).append(path)
        else:
            found.append([path])
    return found


def compile_chain(paths):
    unit = "".join(f'#include "{tree.TOP / path}"\n' for path in paths)
    result = subprocess.run(COMMAND, input=unit, cwd=tree.TOP, capture_output=True, text=True)
    return "" if result.returncode == 0 else result.stderr


def main():
    patterns = sys.argv[1:] or ["include/**/*.hpp", "src/**/*.hpp"]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        found = list(pool.map(compile_chain, chains(tree.files(*patterns))))
    tree.report([problem for problem in found if problem])


if __name__ == "__main__":
    main()
