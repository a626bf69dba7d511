#!/usr/bin/env python3
"""Runs clang-tidy over src. tidy.py CACHE-DIRECTORY [file...]

Many files are looked at together (tools/cmake/units.py): most of clang-tidy's time goes into what they
have in common. Units that passed are remembered by the hash of everything of ours they include.
"""

import concurrent.futures
import hashlib
import os
import pathlib
import subprocess
import sys

import tree

sys.path.append(str(tree.TOP / "tools/cmake"))
import units  # noqa: E402

TIDY = "clang-tidy-19"
# Its only content is the compiled part of Boost.
SKIPPED = {"src/async/boost_sources.cpp", "src/async/pch.cpp"}


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
        return result.stdout


def main():
    cache = pathlib.Path(sys.argv[1])
    cache.mkdir(parents=True, exist_ok=True)
    checker = Checker(cache)
    wanted = sys.argv[2:]
    paths = [path for path in tree.files("src/**/*.cpp") if str(path) not in SKIPPED]
    if wanted:
        paths = [path for path in paths if str(path) in wanted]
    together = units.units(units.read(tree.TOP, paths))
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        tree.report([said for said in pool.map(checker.check, together) if said])


if __name__ == "__main__":
    main()
