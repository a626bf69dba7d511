"""Long lists: 100 000 tags in one repository, 100 000 repositories; the first page and a walk.

docker-registry gets them as files in its directory, no more of them than its lists look at; entrepot
through its API: every tag points to the same empty index, which needs no blobs."""

import hashlib
import http.client
import json
import os
import re
import selectors
import socket
import statistics
import time

COUNT = 100_000
TAGGED = "bench/tagged"
PATIENCE = 30  # seconds for a walk; what was seen until then counts
INDEX = b'{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}'
INDEX_TYPE = "application/vnd.oci.image.index.v1+json"
DIGEST = "sha256:" + hashlib.sha256(INDEX).hexdigest()


def tags():
    """(repository, tag) of each manifest to be."""
    return [(TAGGED, f"v{number:06}") for number in range(COUNT)]


def repositories():
    return [(f"bench/group{number // 1000:03}/app{number % 1000:03}", "latest")
            for number in range(COUNT)]


# ---- filling ---------------------------------------------------------------------------------

def fill_directory(root, pairs):
    """As docker-registry keeps them below `rootdirectory`."""
    top, seen = root / "docker/registry/v2/repositories", set()
    for repository, tag in pairs:
        if repository not in seen:
            seen.add(repository)
            os.makedirs(f"{top}/{repository}/_layers")
        if repository == TAGGED:
            place = f"{top}/{repository}/_manifests/tags/{tag}/current"
            os.makedirs(place)
            with open(f"{place}/link", "w", encoding="ascii") as link:
                link.write(DIGEST)


class Feeder:
    """One keep-alive connection with some requests on their way."""

    AHEAD = 64

    def __init__(self, server):
        self.host = server.address
        self.socket = socket.create_connection(("127.0.0.1", server.port), timeout=60)
        self.open, self.text = 0, b""

    def send(self, pairs):
        self.open += len(pairs)
        self.socket.sendall(b"".join(
            f"PUT /v2/{repository}/manifests/{tag} HTTP/1.1\r\nHost: {self.host}\r\n"
            f"Content-Type: {INDEX_TYPE}\r\nContent-Length: {len(INDEX)}\r\n\r\n".encode() + INDEX
            for repository, tag in pairs))

    def receive(self):
        piece = self.socket.recv(1 << 16)
        self.text += piece
        answers = re.findall(rb"HTTP/1\.1 (\d+)", self.text)
        if not piece or any(status != b"201" for status in answers):
            raise RuntimeError(f"{self.host} refused a manifest: {self.text[-1000:]}")
        self.open -= len(answers)
        # a status line may be cut in two: what follows the last whole one is looked at again
        self.text = self.text[self.text.rfind(b"\n") + 1:]


def fill_by_api(server, pairs, connections=32):
    feeders = [Feeder(server) for _ in range(connections)]
    left, selector = list(reversed(pairs)), selectors.DefaultSelector()
    for feeder in feeders:
        selector.register(feeder.socket, selectors.EVENT_READ, feeder)
    while left or any(feeder.open for feeder in feeders):
        for feeder in feeders:
            if left and feeder.open == 0:
                feeder.send([left.pop() for _ in range(min(Feeder.AHEAD, len(left)))])
        for key, _ in selector.select(timeout=60):
            key.data.receive()
    for feeder in feeders:
        feeder.socket.close()


# ---- measuring -------------------------------------------------------------------------------

def get(connection, path):
    """(body, the path of the next page or None)"""
    connection.request("GET", path)
    answer = connection.getresponse()
    body = answer.read()
    if answer.status != 200:
        raise RuntimeError(f"{path}: {answer.status} {body[:300]}")
    link = re.match(r"<([^>]*)>", answer.headers.get("Link", ""))
    return body, link and re.sub(r"^https?://[^/]*", "", link[1])


def first_page(server, path, seconds=2, most=500):
    """Milliseconds to the whole of the first page, and CPU milliseconds for it; the first one asked
    is apart, nobody's cache knows it."""
    connection = http.client.HTTPConnection(server.address, timeout=120)
    began = time.monotonic()
    get(connection, path)
    cold = time.monotonic() - began
    took, before = [], server.cpu()
    while len(took) < most and (not took or sum(took) < seconds):
        began = time.monotonic()
        get(connection, path)
        took.append(time.monotonic() - began)
    used = server.cpu() - before
    connection.close()
    return {"first page, first time: ms": cold * 1e3,
            "first page: ms": statistics.median(took) * 1e3,
            "first page: CPU ms": used / len(took) * 1e3}


def walk(server, path, key):
    """Names a second while following the links to the end, or for as long as PATIENCE lasts."""
    connection = http.client.HTTPConnection(server.address, timeout=120)
    began, before, names = time.monotonic(), server.cpu(), set()
    while path and time.monotonic() - began < PATIENCE:
        body, path = get(connection, path)
        names.update(json.loads(body)[key])
    seconds, used = time.monotonic() - began, server.cpu() - before
    connection.close()
    if not path and len(names) != COUNT:
        raise RuntimeError(f"{server.name}: {len(names)} names instead of {COUNT}")
    return {"walk: names/s": len(names) / seconds, "walk: CPU µs per name": used / len(names) * 1e6}


LISTS = {"100 000 tags": (tags, f"/v2/{TAGGED}/tags/list", "tags"),
         "100 000 repositories": (repositories, "/v2/_catalog", "repositories")}


def table(kinds):
    """{title: {server's name: [figure]}}"""
    rows = {}
    for title, (pairs, path, key) in LISTS.items():
        for kind in kinds:
            with kind(None, [0]) as server:
                server.fill(pairs())
                figures = first_page(server, path + "?n=100") | walk(server, path + "?n=1000", key)
            for label, figure in figures.items():
                rows.setdefault(f"{title}, {label}", {})[kind.name] = [figure]
    return rows
