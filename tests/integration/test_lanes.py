"""Replication and people on one thin line: who goes first, and how much a limit lets by.

Two sites in their own network namespaces; what leaves the far one is slowed to 20 MB/s. Bytes are
measured at the near site's sockets.
"""

import concurrent.futures
import contextlib
import json
import os
import statistics
import time
import types

import pytest

from support import images, net, process
from support.bundles import control
from support.daemon import Daemon, fetch, hub_of

LONG = os.environ.get("ENTREPOT_LONG") == "1"
MB = 1_000_000
LINE = "160mbit"  # 20 MB/s
PULLS = 21 if LONG else 7
FAR, NEAR = "10.77.0.1", "10.77.0.2"
OPEN = {"rules": [{"who": "anonymous", "repositories": ["**"], "may": ["pull", "push"]}]}


def image(name, layers, size):
    """Layers that differ from all others without a random number for each byte."""
    piece = images.blob(MB, "lanes")
    return images.raw_layers([
        b"".join(f"{name} {layer} {part:9}".encode() + piece for part in range(size // MB))
        for layer in range(layers)])


@contextlib.contextmanager
def two_sites(bulk, rules, pulls=0):
    """A far site that holds `bulk` and images for people, and a near one that is configured to
    mirror and to replicate it, with a slow line between."""
    with net.Namespace() as far, net.Namespace() as near:
        far.link(near, f"{FAR}/24", f"{NEAR}/24")
        with Daemon({"listen": f"{FAR}:0", "access": OPEN}, prefix=far.prefix()) as source:
            for name, one in bulk.items():
                far.call(images.push, one, source.address, name, "v1")
            people = [image(f"pull {number}", 3, 5 * MB) for number in range(pulls)]
            for number, one in enumerate(people):
                far.call(images.push, one, source.address, f"people/app{number}", "v1")
            far.limit(LINE)
            config = {"listen": f"{NEAR}:0", "access": OPEN, "upstreams": [hub_of(source.url)],
                      "peers": [{"name": "far", "kind": "registry", "urls": [source.url]}],
                      "replication": rules}
            with Daemon(config, prefix=near.prefix()) as target:
                yield types.SimpleNamespace(near=near, source=source, target=target, people=people)


def rule(name, bulk, **more):
    return {"name": name, "repositories": [bulk], "when": "on-demand", **more}


class Job:
    """A run of a rule that is not waited for."""

    def __init__(self, site, name):
        status, said = control(site, "POST", "/api/v1/syncs", rule=name)
        assert status == 202, said
        self.site, self.id = site, said["job"]

    def state(self):
        status, job = control(self.site, "GET", f"/api/v1/jobs/{self.id}")
        assert status == 200, job
        return job

    def finish(self, seconds=40):
        process.wait_for(lambda: self.state()["state"] != "running", seconds, "the run", 0.1)
        job = self.state()
        assert job["state"] == "done" and job["summary"]["failed"] == 0, job


def pull(address, name, wanted):
    """As a node does: the manifest, then all blobs side by side. Seconds."""
    began = time.monotonic()
    answer = fetch(address, f"/v2/{name}/manifests/v1")
    assert answer.body == wanted.root.body, answer
    manifest = json.loads(answer.body)
    parts = [manifest["config"], *manifest["layers"]]
    with concurrent.futures.ThreadPoolExecutor(len(parts)) as side_by_side:
        got = list(side_by_side.map(
            lambda part: fetch(address, f"/v2/{name}/blobs/{part['digest']}"), parts))
    seconds = time.monotonic() - began
    for part, one in zip(parts, got, strict=True):
        assert one.body == wanted.blobs[part["digest"]]
    return seconds


class Sockets:
    """What the sockets of a namespace have exchanged with an address, closed ones included."""

    def __init__(self, namespace, peer):
        self.namespace, self.peer, self.seen = namespace, peer, {}

    def moved(self):
        """(bytes received, bytes sent and acknowledged)"""
        text = self.namespace.run("ss", "-tinHO", "dst", self.peer).stdout
        for line in text.splitlines():
            words = line.split()
            said = dict(word.split(":", 1) for word in words if word.startswith("bytes_"))
            self.seen[words[3]] = (int(said.get("bytes_received", 0)),
                                   int(said.get("bytes_acked", 0)))
        return [sum(column) for column in zip((0, 0), *self.seen.values())]

    def rates(self, seconds):
        """Bytes a second over so many seconds; looked at often, for sockets that go."""
        first, began = self.moved(), time.monotonic()
        while time.monotonic() < began + seconds:
            time.sleep(0.1)
            last, now = self.moved(), time.monotonic()
        return [(after - before) / (now - began)
                for before, after in zip(first, last, strict=True)]


# Acceptance 6 of issue 4.
@pytest.mark.limit(100)
def test_people_do_not_feel_replication_at_full_speed():
    bulk = {f"bulk/app{number}": image(f"bulk {number}", 3, 5 * MB)
            for number in range(16 if LONG else 8)}
    with two_sites(bulk, [rule("all", "bulk/**", **{"from": "far"})], 2 * PULLS + 1) as sites:
        address, left = sites.target.address, list(enumerate(sites.people))

        def some(count):
            times = []
            for _ in range(count):
                number, wanted = left.pop()
                times.append(sites.near.call(pull, address, f"people/app{number}", wanted))
                time.sleep(0.1)
            return times

        some(1)
        idle = statistics.median(some(PULLS))
        sockets = Sockets(sites.near, FAR)
        job = Job(sites.target, "all")
        alone, _ = sockets.rates(2)
        busy = statistics.median(some(PULLS))
        assert job.state()["state"] == "running", "replication was over before the pulls"
        job.finish()
        print(f"pulls p50: idle {idle:.3f} s, beside replication {busy:.3f} s "
              f"({busy / idle:.2f}); replication alone {alone / MB:.1f} MB/s")
        assert alone > 12 * MB, "replication did not use the line"
        assert busy < 1.15 * idle


# Acceptance 6 of issue 4.
@pytest.mark.limit(100)
def test_limits_hold_at_the_socket():
    """Both ways at once, each with a limit of its own."""
    limit = {"limits": {"bandwidth": "5MB/s"}}
    rules = [rule("in", "bulk/**", **{"from": "far"}, **limit),
             rule("out", "local/**", to="far", **limit)]
    bulk, local = ({f"{kind}/app{number}": image(f"{kind} {number}", 3, 7 * MB)
                    for number in range(3)} for kind in ("bulk", "local"))
    with two_sites(bulk, rules) as sites:
        for name, one in local.items():
            # A name that nobody has pushed to would be asked for at an upstream.
            sites.near.call(images.push, images.small(name), sites.source.address, name, "first")
            sites.near.call(images.push, one, sites.target.address, name, "v1")
        sockets = Sockets(sites.near, FAR)
        jobs = [Job(sites.target, name) for name in ("in", "out")]
        process.wait_for(lambda: min(sockets.moved()) > MB, 10, "replication to begin")
        rates = sockets.rates(10)
        print("limited to 5 MB/s, at the sockets: "
              + " in, ".join(f"{rate / MB:.3f} MB/s" for rate in rates) + " out")
        assert all(job.state()["state"] == "running" for job in jobs)
        assert all(abs(rate - 5 * MB) < 0.05 * 5 * MB for rate in rates), rates
        for job in jobs:
            job.finish()
