"""Two sites, each a daemon in a network namespace of its own, and the cable between them: slowed,
cut, made lossy and measured. Tests speak to each over a second cable that is not counted.

    with Sites(to_b=[rule("a")]) as (a, b, line):
        images.push(image, a.address, "app", "v1")
        line.cut(); ...; line.heal()
        line.in_step(30)

Everything lives in the namespaces, which end with their holder processes, also on failure.
"""

import itertools
import json
import os
import time

from . import daemon, process
from .net import Namespace

PORT = 5000
ADDRESSES = ("10.77.0.1", "10.77.0.2")
# So that a cut of a second is noticed, and a test does not wait for what is lost.
QUICK = {"connect": "2s", "first_byte": "4s", "idle": "3s"}
_cables = itertools.count()


def rule(source, **more):
    """A rule that follows a peer in everything."""
    return {"name": f"from-{source}", "from": source, "to": "here", "when": "follow",
            "deletions": "follow", **more}


class Site(daemon.Daemon):
    """Its first address is that of the tests' own cable, the second that of the line."""

    def __init__(self, name, space, address, **config):
        self.space = space
        number = next(_cables)
        near, far = (f"10.{200 + os.getpid() % 50}.{os.getpid() // 50 % 250}.{4 * number + n}"
                     for n in (1, 2))
        self.cable = cable = f"ent{os.getpid()}n{number}"[-15:]
        process.run(["ip", "link", "add", cable, "type", "veth", "peer", "name", "tests", "netns",
                     str(space.holder.pid)])
        process.run(["ip", "address", "add", f"{near}/30", "dev", cable])
        process.run(["ip", "link", "set", cable, "up"])
        space.run("ip", "address", "add", f"{far}/30", "dev", "tests")
        space.run("ip", "link", "set", "tests", "up")
        super().__init__({"listen": [f"{far}:{PORT}", f"{address}:{PORT}"], "local": ["**"],
                          "upstreams": [daemon.hub_of("http://127.0.0.1:1")],
                          "site": {"name": name}, "log": {"level": "info"}, **config},
                         flags=["--open"], prefix=space.prefix())

    def close(self):
        """A socket that still waits for its peer keeps the namespace for a while, but not this."""
        try:
            super().close()
        finally:
            process.run(["ip", "link", "delete", self.cable], check=False)

    def api(self, path):
        answer = self.get(f"/api/v1/{path}")
        assert answer.status == 200, answer
        return answer.json()

    def tags(self):
        """{(repository, tag): digest}"""
        names = self.get("/v2/_catalog?n=10000").json()["repositories"]
        found = {}
        for name in names:
            answer = self.get(f"/v2/{name}/tags/list?n=100000")
            for tag in (answer.json()["tags"] or []) if answer.status == 200 else []:
                head = self.head(f"/v2/{name}/manifests/{tag}")
                found[name, tag] = head.header("Docker-Content-Digest")
        return found

    def root(self):
        """The summary of everything: equal sites have equal ones."""
        return self.api("summaries?prefix=")

    def history(self, repository, tag):
        return self.api(f"history?repository={repository}&tag={tag}&n=1000")["changes"]


class Line:
    """Between two sites."""

    def __init__(self, a, b):
        self.a, self.b = a, b

    def limit(self, rate):
        # A burst of more than a segmented packet: what is counted are payloads and few headers.
        for site in (self.a, self.b):
            site.space.run("tc", "qdisc", "replace", "dev", "veth0", "root", "tbf", "rate", rate,
                           "burst", "256kb", "latency", "30ms")

    def narrow(self, size):
        """What a connection has under way is at most about `size` at each end, however fast it is."""
        for site in (self.a, self.b):
            for name in ("tcp_wmem", "tcp_rmem"):
                site.space.run("sh", "-c", f"echo 4096 16384 {size} > /proc/sys/net/ipv4/{name}")

    def cut(self):
        """Packets vanish both ways; nobody is told."""
        for site in (self.a, self.b):
            site.space.drop('iifname "veth0"')

    def lose(self, percent):
        for site in (self.a, self.b):
            site.space.drop(f'iifname "veth0" numgen random mod 100 < {percent}')

    def heal(self):
        for site in (self.a, self.b):
            site.space.heal()

    def crossed(self):
        """Bytes that have come to b."""
        found = self.b.space.run("ip", "-j", "-s", "link", "show", "veth0").stdout
        return json.loads(found)[0]["stats64"]["rx"]["bytes"]

    def sent(self):
        """Bytes that have left b: its questions."""
        found = self.b.space.run("ip", "-j", "-s", "link", "show", "veth0").stdout
        return json.loads(found)[0]["stats64"]["tx"]["bytes"]

    def connections(self, site):
        """Established ones between the sites, as `site` knows them."""
        found = site.space.run("ss", "-Htn", "state", "established", "src", "10.77.0.0/24").stdout
        return found.splitlines()

    def in_step(self, seconds):
        """Waits until both hold the same; how long it took."""
        began = time.monotonic()
        try:
            process.wait_for(lambda: self.a.root() == self.b.root(), seconds, "equal sites", 0.3)
        except AssertionError:
            told = [line for line in self.b.log().splitlines() if "msg=request" not in line]
            print("b says", *told[-40:], self.b.get("/metrics").body.decode(), sep="\n")
            raise
        return time.monotonic() - began


class Sites:
    """to_a, to_b: the rules of each; the peers are called a and b."""

    def __init__(self, to_a=(), to_b=(), **config):
        self.rules, self.config = (list(to_a), list(to_b)), config
        self.made = []

    def __enter__(self):
        try:
            spaces = [self._keep(Namespace()) for _ in "ab"]
            spaces[0].link(spaces[1], *(f"{address}/24" for address in ADDRESSES))
            for number, name in enumerate("ab"):
                peer = {"name": "ba"[number], "urls": f"http://{ADDRESSES[1 - number]}:{PORT}",
                        "timeouts": QUICK, "retries": 1}
                self._keep(Site(name, spaces[number], ADDRESSES[number], peers=[peer],
                                replication=self.rules[number], **self.config))
        except BaseException:
            self.__exit__(RuntimeError)
            raise
        a, b = self.made[2:]
        return a, b, Line(a, b)

    def _keep(self, made):
        self.made.append(made)
        return made

    def __exit__(self, kind, *_):
        failures = []
        for each in reversed(self.made):
            try:
                each.close()
            except AssertionError as error:
                failures.append(error)
        if failures and kind is None:
            raise failures[0]
