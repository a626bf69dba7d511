#!/usr/bin/env python3
"""clang-format agrees with every file. To mend: clang-format-19 -i FILE"""

import subprocess

import tree


def main():
    paths = tree.files("include/**/*.hpp", "src/**/*.[ch]pp", "tests/**/*.[ch]pp")
    result = subprocess.run(["clang-format-19", "--dry-run", "-Werror", *map(str, paths)],
                            cwd=tree.TOP, capture_output=True, text=True)
    tree.report([result.stderr] if result.returncode else [])


if __name__ == "__main__":
    main()
