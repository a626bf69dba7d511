"""Pushes, request by request, for tests that interrupt, reorder and repeat them.

    repository = Repository(server.address, "team/app")          # server: a Daemon
    session = repository.open()
    session.patch(data[:1000], at=0)
    session.cut(data[1000:], sent=10)          # the connection breaks after 10 bytes
    session.put(digest, data[session.offset():])
    repository.put_manifest(image.root, "v1")

What answers is returned, never judged, except by push_blob() and push_image().
"""

import base64
import contextlib
import hashlib
import json
import re
import socket
import urllib.parse

from . import images, process
from .daemon import fetch


def digest_of(data, algorithm="sha256"):
    return f"{algorithm}:{hashlib.new(algorithm, data).hexdigest()}"


def basic(user, password="secret"):
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def htpasswd(path, *users, password="secret"):
    """Writes a file with these users."""
    path.write_text("".join(process.run(["htpasswd", "-nbB", user, password]).stdout.strip() + "\n"
                            for user in users))
    return path


def with_query(location, **words):
    return location + ("&" if "?" in location else "?") + urllib.parse.urlencode(words)


def chunked(pieces):
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


class Session:
    """An upload that was begun; `location` follows what the answers say."""

    def __init__(self, repository, location):
        self.repository, self.location = repository, location
        self.headers = repository.headers

    @property
    def id(self):
        return self.location.split("?")[0].rsplit("/", 1)[1]

    def send(self, method, target, body=None, **headers):
        named = {name.replace("_", "-"): str(value) for name, value in headers.items()}
        answer = fetch(self.repository.address, target, method, {**self.headers, **named}, 60, body)
        if answer.status in (202, 204) and answer.header("Location"):
            self.location = answer.header("Location")
        return answer

    def patch(self, data, at=None, **headers):
        if at is not None:
            headers["Content_Range"] = f"{at}-{at + len(data) - 1}"
        return self.send("PATCH", self.location, data, **headers)

    def stream(self, pieces, method="PATCH", target=None):
        """In chunked coding."""
        return self.send_raw(method, target or self.location, "Transfer-Encoding: chunked",
                             chunked(pieces))

    def send_raw(self, method, target, field, body):
        lines = [f"{method} {target} HTTP/1.1", f"Host: {self.repository.address}", field,
                 "Connection: close", *(f"{k}: {v}" for k, v in self.headers.items()), "", ""]
        host, _, port = self.repository.address.rpartition(":")
        with socket.create_connection((host, int(port)), timeout=60) as connection:
            received = b""
            # As in fetch(): a refusal may come before all is sent.
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                connection.sendall("\r\n".join(lines).encode() + body)
            with contextlib.suppress(ConnectionResetError):
                while piece := connection.recv(65536):
                    received += piece
        if location := re.search(rb"(?im)^location: *(\S+)", received):
            self.location = location[1].decode()
        return int(received.split(b" ", 2)[1])

    def begin(self, data, sent, method="PATCH"):
        """The connection of a request that says it has all of data, but sent only the first bytes."""
        lines = [f"{method} {self.location} HTTP/1.1", f"Host: {self.repository.address}",
                 f"Content-Length: {len(data)}",
                 *(f"{k}: {v}" for k, v in self.headers.items()), "", ""]
        host, _, port = self.repository.address.rpartition(":")
        connection = socket.create_connection((host, int(port)), timeout=60)
        connection.sendall("\r\n".join(lines).encode() + data[:sent])
        return connection

    def cut(self, data, sent):
        self.begin(data, sent).close()

    def status(self):
        return self.send("GET", self.location)

    def offset(self):
        answer = self.status()
        assert answer.status == 204, answer
        return next_byte(answer)

    def put(self, digest, data=b"", at=None):
        headers = {"Content_Range": f"{at}-{at + len(data) - 1}"} if at is not None else {}
        return self.send("PUT", with_query(self.location, digest=digest), data, **headers)

    def cancel(self):
        return self.send("DELETE", self.location)


def next_byte(answer):
    """Where to go on by the Range of an answer. "0-0" is also what an empty session says, so one of
    a single byte cannot be told from it."""
    first, last = re.fullmatch(r"(?:bytes=)?(\d+)-(\d+)", answer.header("Range")).groups()
    assert first == "0"
    return int(last) + 1 if int(last) else 0


class Repository:
    """One repository at address, pushed to with these headers."""

    def __init__(self, address, name, headers=None):
        self.address, self.name, self.headers = address, name, dict(headers or {})

    def request(self, method, path, body=None, **headers):
        named = {name.replace("_", "-"): str(value) for name, value in headers.items()}
        return fetch(self.address, f"/v2/{self.name}/{path}", method, {**self.headers, **named}, 60,
                     body)

    def post(self, body=b"", **query):
        words = "?" + urllib.parse.urlencode(query) if query else ""
        return self.request("POST", f"blobs/uploads/{words}", body)

    def open(self, **query):
        answer = self.post(**query)
        assert answer.status == 202, answer
        return Session(self, answer.header("Location"))

    def push_blob(self, data, algorithm="sha256"):
        digest = digest_of(data, algorithm)
        answer = self.post(data, digest=digest)
        assert answer.status == 201, answer
        return digest

    def put_manifest(self, manifest, reference, media_type=None, tags=()):
        """manifest: an images.Manifest, or its bytes"""
        body = getattr(manifest, "body", manifest)
        kind = media_type or getattr(manifest, "media_type", images.OCI_MANIFEST)
        query = "?" + urllib.parse.urlencode([("tag", tag) for tag in tags]) if tags else ""
        return self.request("PUT", f"manifests/{reference}{query}", body, Content_Type=kind)

    def push_image(self, image, tag):
        images.push(image, self.address, self.name, tag, self.headers)
        return image.digest

    def manifest(self, reference, **headers):
        return self.request("GET", f"manifests/{reference}", **headers)

    def blob(self, digest, method="GET", **headers):
        return self.request(method, f"blobs/{digest}", **headers)

    def tags(self):
        answer = self.request("GET", "tags/list")
        return answer.json()["tags"] if answer.status == 200 else []

    def holds(self, image, tag):
        """Asserts that all of image can be pulled, byte for byte."""
        answer = self.manifest(tag)
        assert (answer.status, answer.body) == (200, image.root.body), answer
        assert answer.header("Docker-Content-Digest") == image.digest
        assert answer.header("Content-Type") == image.root.media_type
        for digest, manifest in image.manifests.items():
            assert self.manifest(digest).body == manifest.body
        for digest, data in image.blobs.items():
            assert self.blob(digest).body == data


def error_details(answer):
    return json.dumps(answer.json()["errors"])
