"""The source files of the project and what they include; shared by the checks beside this file."""

import pathlib
import re
import sys

TOP = pathlib.Path(__file__).resolve().parents[2]
# As tools/cmake gives them to the compiler, without the precompiled header.
FLAGS = ["-std=c++23", "-Iinclude", "-Isrc", "-pthread", "-DBOOST_ASIO_SEPARATE_COMPILATION",
         "-DBOOST_BEAST_SEPARATE_COMPILATION", "-DBOOST_ASIO_NO_DEPRECATED", "-DSPDLOG_COMPILED_LIB",
         "-DSPDLOG_FMT_EXTERNAL", '-DENTREPOT_VERSION="0"']
INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]', re.MULTILINE)


def files(*patterns):
    """Paths relative to the top, sorted."""
    found = {path.relative_to(TOP) for pattern in patterns for path in TOP.glob(pattern)}
    return sorted(found)


def text(path):
    return (TOP / path).read_text(encoding="utf-8")


def includes(path):
    """(line, quoted, name) of each include."""
    content = text(path)
    for match in INCLUDE.finditer(content):
        line = content.count("\n", 0, match.start(2)) + 1
        yield line, match.group(1) == '"', match.group(2)


def closure(paths):
    """The files and every header of ours they include, by whatever way."""
    seen, todo = set(), list(paths)
    while todo:
        path = todo.pop()
        if path in seen:
            continue
        seen.add(path)
        for _, quoted, name in includes(path):
            todo += [pathlib.Path(root, name) for root in ("include", "src")
                     if quoted and (TOP / root / name).exists()]
    return seen


def report(problems):
    """Prints the problems and ends the program."""
    for problem in problems:
        print(problem)
    sys.exit(1 if problems else 0)
