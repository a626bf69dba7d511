#!/usr/bin/env python3
"""Compiles every header alone, without the precompiled one: each includes what it needs."""

import concurrent.futures
import os
import subprocess
import sys

import tree

COMMAND = ["clang++-19", *tree.FLAGS, "-fsyntax-only", "-x", "c++", "-Wall", "-Wextra", "-Werror",
           "-Wno-pragma-once-outside-header"]


def compile_alone(path):
    result = subprocess.run([*COMMAND, str(path)], cwd=tree.TOP, capture_output=True, text=True)
    return "" if result.returncode == 0 else f"{path} does not compile alone:\n{result.stderr}"


def main():
    patterns = sys.argv[1:] or ["include/**/*.hpp", "src/**/*.hpp"]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        found = list(pool.map(compile_alone, tree.files(*patterns)))
    tree.report([problem for problem in found if problem])


if __name__ == "__main__":
    main()
