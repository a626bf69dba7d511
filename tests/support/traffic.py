"""Pushers and pullers that remember what they were told, to be run beside collection and kills.

    with Crowd(server.address, repositories=4, pushers=16, pullers=16, lag=0.3) as crowd:
        ...                      # collect, kill, restart
    crowd.broken                 # answers that took a promise back
    crowd.ledger                 # (repository, tag, digest) of every 201 for a manifest, in order

Content comes from a small pool of blobs, so that pushes share layers, and tags move all the time,
so that there is always something to collect. Every process of the crowd is ours and ends with it.
"""

import hashlib
import http.client
import json
import multiprocessing
import queue
import random
import signal
import time

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
POOL = 60


def blob(number):
    return random.Random(number).randbytes(200 + number * 37)


def digest_of(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def manifest_of(config, layers):
    def descriptor(data, kind):
        return {"mediaType": kind, "digest": digest_of(data), "size": len(data)}

    return json.dumps({
        "schemaVersion": 2, "mediaType": MANIFEST,
        "config": descriptor(config, "application/vnd.oci.image.config.v1+json"),
        "layers": [descriptor(data, "application/vnd.oci.image.layer.v1.tar+gzip")
                   for data in layers]}).encode()


class Gone(Exception):
    """The server went away in the middle of a conversation."""


class Wire:
    """One keep-alive connection."""

    def __init__(self, address, timeout=20):
        host, _, port = address.rpartition(":")
        self.where = (host, int(port), timeout)
        self.connection = None

    def ask(self, method, target, body=None, headers=()):
        try:
            if self.connection is None:
                self.connection = http.client.HTTPConnection(*self.where[:2], timeout=self.where[2])
            self.connection.request(method, target, body, dict(headers))
            answer = self.connection.getresponse()
            return answer.status, answer.headers, answer.read()
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise Gone(str(error)) from error

    def close(self):
        if self.connection is not None:
            self.connection.close()
        self.connection = None


class Pusher:
    def __init__(self, address, repositories, seed, report, lag):
        self.wire, self.random = Wire(address), random.Random(seed)
        self.repositories, self.report, self.lag, self.seed = repositories, report, lag, seed
        self.turn = 0

    def put_blob(self, repository, data):
        digest = digest_of(data)
        status, *_ = self.wire.ask("HEAD", f"/v2/{repository}/blobs/{digest}")
        if status == 200:
            return
        _, headers, _ = self.wire.ask("POST", f"/v2/{repository}/blobs/uploads/", b"")
        target = headers["Location"]
        join = "&" if "?" in target else "?"
        status, _, text = self.wire.ask("PUT", f"{target}{join}digest={digest}", data)
        if status != 201:
            self.report("broken", f"blob refused: {status} {text!r}")

    def step(self):
        self.turn += 1
        repository = f"crowd/{self.random.randrange(self.repositories)}"
        config = json.dumps({"pusher": self.seed, "turn": self.turn}).encode()
        layers = [blob(number) for number in self.random.sample(range(POOL), 3)]
        for data in (config, *layers):
            self.put_blob(repository, data)
        time.sleep(self.random.random() * self.lag)
        body, tag = manifest_of(config, layers), f"p{self.seed}-{self.turn % 3}"
        status, _, text = self.wire.ask("PUT", f"/v2/{repository}/manifests/{tag}", body,
                                        {"Content-Type": MANIFEST})
        if status == 201:
            self.report("stored", (repository, tag, digest_of(body)))
        else:
            self.report("broken", f"manifest refused: {status} {text!r}")


class Puller:
    def __init__(self, address, repositories, seed, report, lag):
        self.wire, self.random = Wire(address), random.Random(seed)
        self.repositories, self.report, self.lag = repositories, report, lag

    def step(self):
        repository = f"crowd/{self.random.randrange(self.repositories)}"
        status, _, text = self.wire.ask("GET", f"/v2/{repository}/tags/list")
        tags = json.loads(text)["tags"] if status == 200 else []
        if not tags:
            time.sleep(0.02)
            return
        status, headers, body = self.wire.ask(
            "GET", f"/v2/{repository}/manifests/{self.random.choice(tags)}",
            headers={"Accept": MANIFEST})
        if status != 200:
            self.report("broken", f"a listed tag: {status} {body!r}")
            return
        time.sleep(self.random.random() * self.lag)
        manifest = json.loads(body)
        for item in (manifest["config"], *manifest["layers"]):
            status, _, data = self.wire.ask("GET", f"/v2/{repository}/blobs/{item['digest']}")
            if status != 200 or digest_of(data) != item["digest"]:
                self.report("broken", f"{repository}@{headers['Docker-Content-Digest']} lists "
                                      f"{item['digest']}: {status} {data[:200]!r}")
        self.report("pulled", 1)


def _work(kind, address, repositories, seed, lag, reports, stop):
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    worker = kind(address, repositories, seed, lambda what, value: reports.put((what, value)), lag)
    while not stop.is_set():
        try:
            worker.step()
        except Gone as error:
            reports.put(("gone", str(error)))
            time.sleep(0.05)
    worker.wire.close()


class Crowd:
    def __init__(self, address, repositories=4, pushers=16, pullers=16, lag=0.3, seed=1):
        self.context = multiprocessing.get_context("spawn")
        self.reports, self.stop = self.context.Queue(), self.context.Event()
        self.broken, self.ledger, self.pulled, self.gone = [], [], 0, 0
        kinds = [Pusher] * pushers + [Puller] * pullers
        self.workers = [self.context.Process(
            target=_work, daemon=True,
            args=(kind, address, repositories, seed * 1000 + number, lag, self.reports, self.stop))
            for number, kind in enumerate(kinds)]

    def start(self):
        for worker in self.workers:
            worker.start()
        return self

    def collect_reports(self, seconds=1):
        """Takes in what the workers have said so far; they never fall silent, so not for ever."""
        deadline = time.monotonic() + seconds
        try:
            while time.monotonic() < deadline:
                what, value = self.reports.get(timeout=0.05)
                if what == "broken":
                    self.broken.append(value)
                elif what == "stored":
                    self.ledger.append(value)
                elif what == "pulled":
                    self.pulled += 1
                else:
                    self.gone += 1
        except queue.Empty:
            pass

    @property
    def pushed(self):
        return len(self.ledger)

    def end(self):
        self.stop.set()
        deadline = time.monotonic() + 30
        while any(worker.is_alive() for worker in self.workers) and time.monotonic() < deadline:
            self.collect_reports()
        for worker in self.workers:
            worker.kill()
            worker.join()
        self.collect_reports(30)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.end()


def reachable(wire, repositories):
    """Every digest that tags of these repositories lead to; AssertionError for one that is not there."""
    found = set()
    for repository in repositories:
        _, _, text = wire.ask("GET", f"/v2/{repository}/tags/list?n=10000")
        for tag in json.loads(text).get("tags") or []:
            status, headers, body = wire.ask("GET", f"/v2/{repository}/manifests/{tag}",
                                             headers={"Accept": MANIFEST})
            assert status == 200, (repository, tag, body)
            found.add(headers["Docker-Content-Digest"])
            manifest = json.loads(body)
            for item in (manifest["config"], *manifest["layers"]):
                status, _, data = wire.ask("GET", f"/v2/{repository}/blobs/{item['digest']}")
                assert status == 200 and digest_of(data) == item["digest"], (repository, tag, item)
                found.add(item["digest"])
    return found
