"""Bundles as their senders and receivers see them: keys, orders to a site, and volumes made by hand.

A site is a daemon with a key of its own; `order` asks it through its control socket and waits for the
job. `forge` writes a volume as src/transfer/bundle/volume_head.hpp draws it, right in everything but
what a test changes.
"""

import base64
import hashlib
import http.client
import io
import json
import pathlib
import socket
import subprocess
import tarfile
import urllib.parse

KEY_TITLE = b"entrepot volume 1\n"
SITE = "5" * 32


class Key:
    """An Ed25519 key: the PEM file of a site, and its public half as configurations have it."""

    def __init__(self, path):
        self.path = pathlib.Path(path)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", self.path],
                       check=True, capture_output=True)
        self.path.chmod(0o600)
        der = subprocess.run(["openssl", "pkey", "-in", self.path, "-pubout", "-outform", "DER"],
                             check=True, capture_output=True).stdout
        self.public = base64.b64encode(der[-32:]).decode()

    def sign(self, data):
        text = self.path.with_suffix(".signed")
        text.write_bytes(data)
        try:
            return subprocess.run(["openssl", "pkeyutl", "-sign", "-inkey", self.path, "-rawin", "-in",
                                   text], check=True, capture_output=True).stdout
        finally:
            text.unlink()


class _Control(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=120)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(120)
        self.sock.connect(self.path)


def control(site, method, target, /, body=None, **query):
    """(status, JSON) of one request on the control socket; lists become repeated keys, or stand in
    the body, which is JSON."""
    words = [(key, str(one)) for key, value in query.items()
             for one in (value if isinstance(value, list) else [value])]
    connection = _Control(site.data / "control.sock")
    try:
        connection.request(method, f"{target}?{urllib.parse.urlencode(words)}",
                           body=None if body is None else json.dumps(body))
        answer = connection.getresponse()
        said = answer.read()
        return answer.status, json.loads(said) if said else None
    finally:
        connection.close()


def order(site, target, /, body=None, **query):
    """The job's end: its description with all lines."""
    status, said = control(site, "POST", target, body, **query)
    assert status == 202, (status, said)
    lines, line = [], 0
    for _ in range(120):
        status, job = control(site, "GET", f"/api/v1/jobs/{said['job']}", wait=1, line=line)
        assert status == 200, job
        lines += job["lines"]
        line = job["next_line"]
        if job["state"] != "running" and not job["lines"]:
            return {**job, "lines": lines}
    raise AssertionError(f"the job does not end: {job}")


def want(site, file):
    job = order(site, "/api/v1/wants", file=file)
    assert job["state"] == "done", job
    return job["summary"]


def create(site, directory, **query):
    """(summary, paths of the volumes)"""
    job = order(site, "/api/v1/bundles", directory=directory, **query)
    assert job["state"] == "done", job
    return job["summary"], [pathlib.Path(directory) / name for name in job["summary"]["volumes"]]


def apply(site, *paths, **query):
    """(one report for each bundle, {volume: trouble})"""
    job = order(site, "/api/v1/bundle-applications", path=list(paths), **query)
    assert job["state"] == "done", job
    return (job["summary"]["bundles"],
            {line["volume"]: line["trouble"] for line in job["lines"]})


def flip(path, bit):
    data = bytearray(path.read_bytes())
    data[bit // 8] ^= 1 << bit % 8
    path.write_bytes(data)


# ---- volumes made by hand -----------------------------------------------------------------------

def header(name, size, kind=tarfile.REGTYPE, target=""):
    info = tarfile.TarInfo(name)
    info.size, info.type, info.linkname, info.mode = size, kind, target, 0o644
    block = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    return bytes(block)


def padded(data):
    return data + bytes(-len(data) % 512)


def member(name, data, **more):
    return header(name, len(data), **more) + padded(data)


def head_of(image, repository="app", tag="v1", **more):
    """The head of a volume that holds all of an image (of support.images)."""
    blobs = {**image.blobs, **{digest: m.body for digest, m in image.manifests.items()}}
    head = {"format": "entrepot bundle volume 1", "series": "b" * 32, "number": 1, "volumes": 1,
            "parities": 0, "bundle": "b" * 32, "made": 1_700_000_000_000,
            "sender": {"id": SITE, "name": "paris"}, "receiver": {"id": "", "name": ""},
            "sites": [SITE],
            "images": [[repository, tag, image.digest, 1_700_000_000_000, 0, 0, ""]],
            "members": [[digest, len(data)] for digest, data in blobs.items()]}
    return {**head, **more}, blobs


def name_of(digest):
    algorithm, _, text = digest.partition(":")
    return f"blobs/{algorithm}/{text}"


def seal(key, head):
    signature = key.sign(KEY_TITLE + head)
    return f"{key.public}\n{base64.b64encode(signature).decode()}\n".encode()


def forge(path, key, head, body):
    """A volume of this head (a dict, or bytes) and these bytes behind head and signature."""
    text = head if isinstance(head, bytes) else json.dumps(head, separators=(",", ":")).encode()
    out = io.BytesIO()
    out.write(member("entrepot/volume.json", text))
    out.write(member("entrepot/volume.sig", seal(key, text)))
    out.write(body)
    out.write(bytes(1024))
    path.write_bytes(out.getvalue())
    return path


def body_of(blobs):
    return b"".join(member(name_of(digest), data) for digest, data in blobs.items())


def sum_of(data):
    return hashlib.sha256(data).hexdigest()
