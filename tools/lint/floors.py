#!/usr/bin/env python3
"""Compares every include with the rooms and floors that CMakeLists.txt states.

- A room's files include public headers of itself and of the rooms it NEEDS, no others.
- A room needs only rooms of lower floors, or of its own floor further up in the list.
- Private headers (src/<room>) are for their own room and its own tests.
- Public headers (include/entrepot/<room>) see no library that belongs to one room, and each of them
  is included by another room.
"""

import re

import tree

ROOM = re.compile(r"entrepot_room\(\s*(\w+)\s+FLOOR\s+(\d+)((?:\s+[^)]*)?)\)")
# Libraries behind a header of ours; includes of them spread compile time and their vocabulary.
LIBRARIES = re.compile(
    r"^(boost/(beast|json|asio/ssl)|curl/|lmdb|yaml-cpp/|CLI/|spdlog/|prometheus/|re2/|openssl/|libpsl)")
# Whatever NEEDS says: the app plugs the one into the other.
NEVER = {("mirror", "upstream")}


def rooms():
    """name -> (floor, names it needs), in order."""
    found = {}
    for name, floor, rest in ROOM.findall(tree.text("CMakeLists.txt")):
        needs = re.search(r"\bNEEDS\b([\w\s]*)", rest)
        words = needs.group(1).split() if needs else []
        found[name] = (int(floor), words[:words.index("LINKS")] if "LINKS" in words else words)
    return found


def check_declarations(found):
    seen = {}
    for name, (floor, needs) in found.items():
        for other in needs:
            if other not in seen or seen[other] > floor:
                yield f"CMakeLists.txt: room {name} needs {other}, which is not below it"
            if (name, other) in NEVER:
                yield f"CMakeLists.txt: room {name} must never need {other}"
        seen[name] = floor


def room_of(path):
    """The room a file belongs to; None for main.cpp, shared test support and the like."""
    parts = path.parts
    if parts[0] == "include":
        return parts[2]
    if parts[0] == "src" and len(parts) > 2:
        return parts[1]
    if parts[:2] == ("tests", "unit"):
        return parts[2]
    return None


def check_include(path, line, name, found):
    room = room_of(path)
    public = re.match(r"entrepot/(\w+)/", name)
    private = re.match(r"(\w+)/", name)
    is_test = path.parts[0] == "tests"
    if public:
        other = public.group(1)
        if not (tree.TOP / "include" / name).exists():
            yield f"{path}:{line}: there is no {name}"
        elif not is_test and room and other != room and other not in found[room][1]:
            yield f"{path}:{line}: room {room} may not include room {other}"
    elif private and private.group(1) in found:
        if private.group(1) != room and path.parts[:2] != ("tests", "fuzz"):
            yield f"{path}:{line}: {name} is private to room {private.group(1)}"
    elif not is_test and not (tree.TOP / name).exists():
        yield f"{path}:{line}: write the path of {name} from src or include on"


def check_headers(headers, found):
    for path in headers:
        content = tree.text(path)
        if "#pragma once" not in content:
            yield f"{path}: no #pragma once"
        if path.parts[0] == "tests":
            continue
        if re.search(r"^\s*using namespace", content, re.MULTILINE):
            yield f"{path}: using namespace in a header"
        if path.parts[0] == "src":
            continue
        for line, _, name in tree.includes(path):
            if LIBRARIES.match(name):
                yield f"{path}:{line}: a public header may not include {name}"
        if path.parts[2] not in found:
            yield f"{path}: there is no room {path.parts[2]}"


def check_needed(sources):
    """Public headers no other room can see."""
    wanted = set()
    for path in sources:
        for _, _, name in tree.includes(path):
            if name.startswith("entrepot/") and name.split("/")[1] != room_of(path):
                wanted.add(name)
    reached = set()
    while wanted:
        name = wanted.pop()
        reached.add(name)
        path = tree.TOP / "include" / name
        if path.exists():
            wanted |= {other for _, _, other in tree.includes(path)
                       if other.startswith("entrepot/") and other not in reached}
    for path in tree.files("include/entrepot/*/*.hpp"):
        if str(path.relative_to("include")) not in reached:
            yield f"{path}: no other room includes it; its place is src/{path.parts[2]}"


def main():
    found = rooms()
    sources = tree.files("include/**/*.hpp", "src/**/*.[ch]pp")
    tests = tree.files("tests/**/*.[ch]pp")
    problems = list(check_declarations(found))
    for path in sources + tests:
        for line, quoted, name in tree.includes(path):
            if quoted:
                problems += check_include(path, line, name, found)
    problems += check_headers([p for p in sources + tests if p.suffix == ".hpp"], found)
    problems += check_needed(sources)
    tree.report(problems)


if __name__ == "__main__":
    main()
