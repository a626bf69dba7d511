#!/usr/bin/env python3
"""Runs clang-tidy over src. tidy.py CACHE-DIRECTORY [file...]

Most of clang-tidy's time goes into the system headers of each translation unit. Files of different
rooms live in different namespaces, so one file of each room can share a unit: a fifth of the units,
a fifth of the time. A unit that does not compile is taken apart again. Units that passed are
remembered by the hash of everything of ours they include.
"""

import concurrent.futures
import hashlib
import itertools
import os
import pathlib
import subprocess
import sys

import tree

TIDY = "clang-tidy-19"
# Its only content is the compiled part of Boost.
SKIPPED = {"src/async/boost_sources.cpp", "src/async/pch.cpp"}


def units(paths):
    """Each with at most one file of a room, so that private names do not meet."""
    rooms = {}
    for path in paths:
        rooms.setdefault(path.parts[1] if len(path.parts) > 2 else "", []).append(path)
    for row in itertools.zip_longest(*rooms.values()):
        yield [path for path in row if path]


class Checker:
    def __init__(self, cache):
        self.cache = cache
        version = subprocess.run([TIDY, "--version"], capture_output=True, text=True).stdout
        self.salt = (version + tree.text(".clang-tidy") + " ".join(tree.FLAGS)).encode()

    def stamp(self, paths):
        digest = hashlib.sha256(self.salt)
        for path in sorted(tree.closure(paths)):
            digest.update(str(path).encode() + b"\0" + tree.text(path).encode())
        return self.cache / digest.hexdigest()

    def check(self, paths):
        """What clang-tidy says of these files as one unit; empty when nothing."""
        stamp = self.stamp(paths)
        if stamp.exists():
            return ""
        unit = self.cache / f"{stamp.name[:16]}.cpp"
        unit.write_text("".join(f'#include "{tree.TOP / path}"\n' for path in paths))
        result = subprocess.run(
            [TIDY, "--quiet", f"--config-file={tree.TOP / '.clang-tidy'}", str(unit), "--",
             *tree.FLAGS], cwd=tree.TOP, capture_output=True, text=True)
        unit.unlink()
        if result.returncode == 0:
            stamp.touch()
            return ""
        if "clang-diagnostic-error" in result.stdout and len(paths) > 1:
            return "".join(self.check([path]) for path in paths)
        return result.stdout


def main():
    cache = pathlib.Path(sys.argv[1])
    cache.mkdir(parents=True, exist_ok=True)
    checker = Checker(cache)
    wanted = sys.argv[2:]
    paths = [path for path in tree.files("src/**/*.cpp") if str(path) not in SKIPPED]
    if wanted:
        paths = [path for path in paths if str(path) in wanted]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        tree.report([said for said in pool.map(checker.check, units(paths)) if said])


if __name__ == "__main__":
    main()
