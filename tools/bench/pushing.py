"""What a pushed gigabyte costs: the client is this process, on a core of its own, and sends from
memory with few system calls, so that the server is what is measured."""

import contextlib
import hashlib
import os
import socket
import time
import urllib.parse

MB = 1_000_000
SIZES = {"100 MB": (100 * MB, 5), "1 GB": (1000 * MB, 1)}  # size, times in a round
PIECE = 32 * 1024  # docker's and podman's chunks are as large as Go's copy buffer
PIECES_AT_ONCE = 32
REPOSITORY = "bench/pushed"


@contextlib.contextmanager
def on_core(core):
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


class Contents:
    """Random bytes of one size; each use has bytes of its own, so that nothing is stored twice."""

    def __init__(self, size):
        self.bytes = bytearray(os.urandom(size))
        self.used = 0

    def next(self):
        self.used += 1
        self.bytes[:8] = self.used.to_bytes(8, "big")
        return memoryview(self.bytes), "sha256:" + hashlib.sha256(self.bytes).hexdigest()


class Connection:
    """Keep-alive HTTP/1.1, as much of it as a push needs."""

    def __init__(self, server):
        self.host = server.address
        self.socket = socket.create_connection(("127.0.0.1", server.port), timeout=120)
        self.answer = self.socket.makefile("rb")

    def head(self, method, target, *fields):
        lines = [f"{method} {target} HTTP/1.1", f"Host: {self.host}", *fields, "", ""]
        self.socket.sendall("\r\n".join(lines).encode())

    def finish(self, expected):
        """The Location of the answer."""
        status = int(self.answer.readline().split()[1])
        fields = {}
        while line := self.answer.readline().strip():
            name, _, value = line.decode().partition(":")
            fields[name.lower()] = value.strip()
        body = self.answer.read(int(fields.get("content-length", 0)))
        if status != expected:
            raise RuntimeError(f"{self.host}: {status} instead of {expected}: {body[:300]}")
        return fields.get("location", "")

    def target(self, location, **query):
        found = urllib.parse.urlsplit(location)
        words = urllib.parse.parse_qsl(found.query) + list(query.items())
        return found.path + ("?" + urllib.parse.urlencode(words) if words else "")

    def start(self):
        self.head("POST", f"/v2/{REPOSITORY}/blobs/uploads/", "Content-Length: 0")
        return self.finish(202)

    def close(self):
        self.answer.close()
        self.socket.close()


def monolithic(connection, content, digest):
    target = connection.target(connection.start(), digest=digest)
    connection.head("PUT", target, "Content-Type: application/octet-stream",
                    f"Content-Length: {len(content)}")
    connection.socket.sendall(content)
    connection.finish(201)


def streamed(connection, content, digest):
    """PATCH in chunked coding, as docker sends what it compresses on the way; then PUT."""
    connection.head("PATCH", connection.target(connection.start()),
                    "Content-Type: application/octet-stream", "Transfer-Encoding: chunked")
    frames = []
    for start in range(0, len(content), PIECE):
        piece = content[start:start + PIECE]
        frames += [b"%x\r\n" % len(piece), piece, b"\r\n"]
        if len(frames) >= 3 * PIECES_AT_ONCE:
            send_all(connection.socket, frames)
            frames = []
    send_all(connection.socket, [*frames, b"0\r\n\r\n"])
    location = connection.finish(202)
    connection.head("PUT", connection.target(location, digest=digest), "Content-Length: 0")
    connection.finish(201)


def send_all(to, frames):
    sent = to.sendmsg(frames)
    whole = sum(map(len, frames))
    if sent < whole:
        to.sendall(b"".join(frames)[sent:])


WAYS = {"monolithic PUT": monolithic, "streamed PATCH": streamed}


def measure(server, way, contents, times, core):
    """CPU seconds a GB and GB a second, over `times` blobs on one connection."""
    cpu = seconds = 0
    connection = Connection(server)
    try:
        for _ in range(times):
            content, digest = contents.next()
            with on_core(core):
                before, began = server.cpu(), time.monotonic()
                way(connection, content, digest)
                seconds += time.monotonic() - began
                cpu += server.cpu() - before
    finally:
        connection.close()
    gigabytes = times * len(contents.bytes) / 1e9
    return {"cpu_s_per_gb": cpu / gigabytes, "gb_per_second": gigabytes / seconds}


def table(kinds, rounds, core=1):
    """{title: {server's name: [figure of each round]}}; servers are new in every round, for the
    disk's sake. The first round of the smaller size warms up."""
    rows = {}
    for size, (count, times) in SIZES.items():
        contents = Contents(count)
        for turn in range(rounds + 1):
            for kind in kinds:
                with kind(None, [0]) as server:
                    for title, way in WAYS.items():
                        figures = measure(server, way, contents, times, core)
                        if turn == 0:
                            continue
                        for key, label in (("cpu_s_per_gb", "CPU s per GB"),
                                           ("gb_per_second", "GB/s")):
                            row = rows.setdefault(f"push {size}, {title}: {label}", {})
                            row.setdefault(kind.name, []).append(figures[key])
    return rows
