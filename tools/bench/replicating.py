"""A registry copied to an empty one, and once more when nothing has changed: `entrepot sync` beside
`skopeo sync`, from the same source, first over loopback, then over one long line.

200 images, 2 GB: four bases below 20 applications of ten releases; a release adds one layer of
8 MB and two small ones. Every target is an entrepot, new in each round, on the same disk."""

import contextlib
import gzip
import hashlib
import http.client
import json
import resource
import socket
import subprocess
import time

import servers
from tests.support import daemon, images, long_line

MB = 1_000_000
BASES, APPLICATIONS, RELEASES = 4, 20, 10
BASE = [30 * MB, 5 * MB, 2_000]
APPLICATION = 10 * MB
RELEASE = [8 * MB, 300_000, 500]
RULE = "all"


# ---- what is copied --------------------------------------------------------------------------

def layer(size, seed):
    """What skopeo takes for compressed; as fast as it can be made."""
    return gzip.compress(images.blob(size, seed), 0, mtime=0)


def image(below, application, release):
    own = [layer(size, f"{application}/{release}") for size in RELEASE]
    packed = [*below, *own]
    config = images.dump({"architecture": "amd64", "os": "linux", "config": {
        "Labels": {"release": f"{application}/{release}"}}, "rootfs": {
            "type": "layers", "diff_ids": [images.sha256(each) for each in packed]}})
    return images.raw_layers(packed, config=config)


def fill(site):
    """{repository: {tag: digest}}; a repository gets each layer once."""
    bases = [[layer(size, f"base {number}") for size in BASE] for number in range(BASES)]
    contents = {}
    for number in range(APPLICATIONS):
        below = [*bases[number % BASES], layer(APPLICATION, f"application {number}")]
        name, tags, held = f"bench/app{number:02}", {}, set()
        for release in range(RELEASES):
            made = image(below, number, release)
            made.blobs = {digest: data for digest, data in made.blobs.items() if digest not in held}
            held.update(made.blobs)
            tags[f"v{release}"] = images.push(made, site.address, name, f"v{release}")
        contents[name] = tags
    return contents


# ---- the sites -------------------------------------------------------------------------------

class Site(servers.Entrepot):
    """A registry that mirrors nothing, so that it asks nobody about new names; with an origin also
    a rule that brings everything from there. The origin has a URL and an address."""

    name = "site"

    def command(self):
        config = {"listen": self.address, "data": str(self.place / "data"), "local": ["**"],
                  "upstreams": [{"name": "none", "urls": ["http://127.0.0.1:1"]}]}
        if self.origin:
            config["peers"] = [{"name": "origin", "urls": [self.origin.url]}]
            config["replication"] = [{"name": RULE, "from": "origin", "when": "on-demand"}]
        self.config = self.place / "config.yaml"
        self.config.write_text(json.dumps(config))
        return [servers.BINARY, "serve", "--open", "--config", self.config]

    def served(self):
        """Bytes of manifests and blobs that were sent."""
        samples = daemon.parse_metrics(self.get("/metrics").decode())
        return sum(v for (name, _), v in samples.items() if name == "entrepot_served_bytes_total")

    def get(self, path, accept="*/*"):
        connection = http.client.HTTPConnection(self.address, timeout=60)
        connection.request("GET", path, headers={"Accept": accept})
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        if answer.status != 200:
            raise RuntimeError(f"{self.address}{path}: {answer.status} {body[:300]}")
        return body


def run(*command):
    """Not by process.run(), which forks this process with all its memory: that takes as long as
    some of these commands."""
    done = subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=600, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{command}: {done.stdout[-1000:]}{done.stderr[-2000:]}")
    return done.stdout


def sync_by_rule(target):
    told = run(servers.BINARY, "sync", RULE, "--json", "--config", target.config)
    if json.loads(told.splitlines()[-1])["failed"]:
        raise RuntimeError(told[-3000:])


class Control(http.client.HTTPConnection):
    """To the control socket of a site."""

    def __init__(self, site):
        super().__init__("localhost")
        self.path = str(site.place / "data/control.sock")

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)

    def ask(self, method, target):
        self.request(method, target, headers={"Content-Length": "0"})
        return json.loads(self.getresponse().read())


def sync_by_daemon(target):
    """As a rule runs by the clock: no process is started for it."""
    control = Control(target)
    job = control.ask("POST", f"/api/v1/syncs?rule={RULE}")["job"]
    while (told := control.ask("GET", f"/api/v1/jobs/{job}?wait=5"))["state"] == "running":
        pass
    control.close()
    if told["state"] != "done" or told["summary"]["failed"]:
        raise RuntimeError(str(told)[:3000])


def sync_by_skopeo(target):
    listing = target.place / "sync.yaml"
    names = {f"bench/app{number:02}": [] for number in range(APPLICATIONS)}  # [] is every tag
    listing.write_text(json.dumps({target.origin.address: {"tls-verify": False, "images": names}}))
    run("skopeo", "--insecure-policy", "sync", "--all", "--src", "yaml", "--dest", "docker",
        "--dest-tls-verify=false", listing, f"{target.address}/bench")


# (title, way, times) of each; a run that only one of them has is compared with the other's AGAIN.
FIRST, AGAIN = "first run", "again, nothing new"
RUNS = {"entrepot": [(FIRST, sync_by_rule, 1),
                     (AGAIN, sync_by_rule, 10),
                     ("again, without the command's start", sync_by_daemon, 10)],
        "skopeo sync": [(FIRST, sync_by_skopeo, 1),
                        (AGAIN, sync_by_skopeo, 3)]}

# What the origin is seen through: has a URL and an address.
LINES = {"loopback": contextlib.nullcontext,
         "10 ms, 100 MB/s": lambda source: long_line.LongLine(source.port, 0.010, 100 * MB)}


# ---- measuring -------------------------------------------------------------------------------

def children_cpu():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def moved(source, origin):
    """MB so far, by where they are counted."""
    counted = {"MB of content from the source": source.served() / MB}
    if origin is not source:
        counted["MB on the line"] = (origin.up + origin.down) / MB
    return counted


def measure(way, times, source, target):
    """Of one of `times` runs; CPU is that of both servers and of the client."""
    before = moved(source, target.origin)
    cpu, began = source.cpu() + target.cpu() + children_cpu(), time.monotonic()
    for _ in range(times):
        way(target)
    used = {"s": time.monotonic() - began,
            "CPU s": source.cpu() + target.cpu() + children_cpu() - cpu}
    used |= {label: now - before[label] for label, now in moved(source, target.origin).items()}
    return {label: figure / times for label, figure in used.items()}


def check_equal(contents, source, target):
    """The same tags, the same manifests, and one image by its digest, whole."""
    for name, tags in contents.items():
        found = json.loads(target.get(f"/v2/{name}/tags/list"))["tags"]
        if sorted(found) != sorted(tags):
            raise RuntimeError(f"{name}: {found}")
        for tag, digest in tags.items():
            body = target.get(f"/v2/{name}/manifests/{tag}", images.OCI_MANIFEST)
            if images.sha256(body) != digest:
                raise RuntimeError(f"{name}:{tag} is not that of {source.address}")
    for part in json.loads(target.get(f"/v2/{name}/manifests/{digest}"))["layers"]:
        blob = target.get(f"/v2/{name}/blobs/{part['digest']}")
        if "sha256:" + hashlib.sha256(blob).hexdigest() != part["digest"]:
            raise RuntimeError(f"{name}: {part['digest']} is something else")


def rounds_over(line, rounds, source, contents):
    """{run: {label: {contestant: [figure of each round]}}}; they begin in turn."""
    runs, names = {}, list(RUNS)
    for turn in range(rounds):
        for name in names[::-1 if turn % 2 else 1]:
            with line(source) as origin, Site(origin, [0, 1]) as target:
                for title, way, times in RUNS[name]:
                    for label, figure in measure(way, times, source, target).items():
                        row = runs.setdefault(title, {}).setdefault(label, {})
                        row.setdefault(name, []).append(figure)
                check_equal(contents, source, target)
    for labels in runs.values():
        for label, row in labels.items():
            for name in names:
                row.setdefault(name, runs[AGAIN][label].get(name))
    return runs


def table(rounds):
    """{title: {contestant: [figure of each round]}}"""
    rows = {}
    with Site(None, [0, 1]) as source:
        contents = fill(source)
        for line_title, line in LINES.items():
            for title, labels in rounds_over(line, rounds, source, contents).items():
                for label, row in labels.items():
                    rows[f"2 GB in 200 images, {line_title}, {title}: {label}"] = row
    return rows
