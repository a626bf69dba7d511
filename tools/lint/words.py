#!/usr/bin/env python3
"""Words that do not belong into the source: empty names, forbidden calls, remains of work."""

import re

import tree

EMPTY = r"(?:Manager|Helper|Utils?|Common|Impl)"
# (where, what, why); each line of code is searched, includes are not. An example of use in a
# comment is set off by more blanks than a line of code that was commented out.
RULES = [
    ("src include tests", re.compile(rf"\b(?:[A-Z]\w*{EMPTY}|{EMPTY})\b"), "a name that says nothing"),
    ("src include", re.compile(r"\bclass I[A-Z][a-z]\w*"), "an I-prefix"),
    ("include", re.compile(r"\bget_\w+\([^)]*\) const"), "Get- on an accessor"),
    ("src include", re.compile(r"\bco_spawn\b"), "co_spawn outside async::spawn"),
    ("src include", re.compile(r"\bawaitable_operators\b"), "a race of awaitables; use async::Deadline"),
    ("src include", re.compile(r"\bfile_body\b"), "Beast's file_body reads 4 KiB at a time"),
    ("src include", re.compile(r"\bstd::(cout|cerr|printf|puts)\b"), "output past the log"),
    ("src include tests", re.compile(r"\b(TODO|FIXME|XXX)\b(?! #\d+)"), "a note without an issue"),
    ("src include tests", re.compile(r"^\s*// ?\S.*(\w\(.*\);|\s=\s.*;|[)\s]\{)\s*$"),
     "code in a comment"),
]
FILE = re.compile(r"(^|_)(manager|helpers?|utils?|common|impl|misc)(_|\.)")
# What may say so all the same, each with its reason.
EXCEPT = {
    ("src/async/task.cpp", "co_spawn outside async::spawn"),  # async::spawn itself
    ("src/app/run.cpp", "output past the log"),  # --version, check-config and what precedes a log
    # What Docker calls these programs.
    ("src/upstream/credential_helper.cpp", "a file name that says nothing"),
    ("src/upstream/credential_helper.hpp", "a file name that says nothing"),
    ("tests/unit/upstream/credential_helper_test.cpp", "a file name that says nothing"),
    ("tests/unit/upstream/credential_helper_test.cpp", "a name that says nothing"),
}


def problems():
    for path in tree.files("src/**/*.[ch]pp", "include/**/*.hpp", "tests/**/*.[ch]pp"):
        if FILE.search(path.name) and (str(path), "a file name that says nothing") not in EXCEPT:
            yield f"{path}: a file name that says nothing"
        for number, line in enumerate(tree.text(path).splitlines(), 1):
            if line.lstrip().startswith("#include"):
                continue
            for places, pattern, why in RULES:
                if path.parts[0] in places.split() and pattern.search(line):
                    if (str(path), why) not in EXCEPT:
                        yield f"{path}:{number}: {why}: {line.strip()}"


if __name__ == "__main__":
    tree.report(list(problems()))
