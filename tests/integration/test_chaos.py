"""Everything at once for a while: lying upstreams, many clients, ranges, departures, kill -9.

Whatever happens, no client ever gets a complete wrong body, and at the end, with an honest upstream,
everything is right. The seed is printed; ENTREPOT_CHAOS_SEED repeats a run, ENTREPOT_CHAOS_SECONDS
lengthens it.
"""

import os
import random
import socket
import threading
import time

import pytest
from support import hostile, images, process, walk
from support.daemon import fetch, hub_of

SECONDS = float(os.environ.get("ENTREPOT_CHAOS_SECONDS", "12"))
# Of tags' answers, before what they say counts.
ENOUGH = 20
NAME = "org/app"


class Chaos:
    def __init__(self, mirror, upstream, seed):
        self.mirror, self.upstream, self.dice = mirror, upstream, random.Random(seed)
        self.blobs, self.images = {}, []
        self.failures, self.whole, self.asked = [], 0, 0
        self.ended = threading.Event()
        self.address = mirror.address

    def actions(self, size):
        dice = self.dice
        return dice.choice([
            hostile.cut(dice.randrange(size)), hostile.cut(-1), hostile.wrong_bytes,
            hostile.chunked(), hostile.chunked(final=False), hostile.no_length(),
            hostile.no_length(dice.randrange(size)), hostile.ignore_range,
            hostile.reset_after(dice.randrange(size)), hostile.hang(3, after=dice.randrange(size)),
            hostile.slowly(size * dice.uniform(0.5, 5)), hostile.status(503), hostile.status(404),
            hostile.gzipped, hostile.with_header("ETag", '"other"'),
            hostile.with_header("Content-Range", f"bytes 0-1/{size}"), hostile.raw(b"")])

    def new_blob(self):
        size = self.dice.choice([1, 100, 5000, 65_536, 300_000, 2_000_000])
        data = images.blob(size, self.dice.random())
        digest = self.upstream.add_blob(NAME, data)
        self.blobs[digest] = data
        for _ in range(self.dice.randrange(4)):
            self.upstream.script(digest, self.actions(size), times=1)
        return digest

    def client(self, seed):
        dice = random.Random(seed)
        while not self.ended.is_set():
            digest = dice.choice(list(self.blobs))
            data = self.blobs[digest]
            target = f"/v2/{NAME}/blobs/{digest}"
            try:
                if dice.random() < 0.2:
                    self.leave(target, dice.randrange(len(data) + 300))
                elif dice.random() < 0.4:
                    self.ranged(target, data, dice)
                else:
                    answer = fetch(self.address, target, timeout=60)
                    self.judge(answer.status == 200 and not answer.short, answer.body, data, digest)
            except OSError:  # the daemon was just killed: there was nobody to ask
                self.ended.wait(0.01)
                continue
            except Exception as error:  # a broken answer is a finding
                if "RemoteDisconnected" not in repr(error) and "BadStatusLine" not in repr(error):
                    self.failures.append(repr(error))
            self.asked += 1

    def judge(self, complete, body, wanted, what):
        if complete and body != wanted:
            self.failures.append(f"{what}: {len(body)} wrong bytes for {len(wanted)}")
        self.whole += complete

    def ranged(self, target, data, dice):
        start = dice.randrange(len(data))
        end = dice.randrange(start, len(data))
        answer = fetch(self.address, target, headers={"Range": f"bytes={start}-{end}"}, timeout=60)
        if answer.status == 206 and not answer.short:
            right = f"bytes {start}-{end}/{len(data)}"
            if answer.header("Content-Range") != right or len(answer.body) != end - start + 1:
                self.failures.append(f"{target}: range {right}: {answer!r}")
            # bytes of a range that ends before the last one may be unproven: see the design
            if end == len(data) - 1 and answer.body != data[start:]:
                self.failures.append(f"{target}: wrong bytes to the very end")

    def leave(self, target, count):
        host, _, port = self.address.rpartition(":")
        with socket.create_connection((host, int(port)), timeout=20) as connection:
            connection.sendall(f"GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
                               .encode())
            while count > 0 and (piece := connection.recv(min(count, 65536))):
                count -= len(piece)

    def run(self, seconds):
        for _ in range(10):
            self.new_blob()
        threads = [threading.Thread(target=self.client, args=(self.dice.random(),))
                   for _ in range(12)]
        for thread in threads:
            thread.start()
        ends = time.monotonic() + seconds
        try:
            while time.monotonic() < ends:
                time.sleep(0.05)
                self.new_blob()
                if self.dice.random() < 0.015:
                    self.mirror.kill9()
                    self.mirror.start()
                    self.address = self.mirror.address
        finally:
            self.ended.set()
            for thread in threads:
                thread.join(70)
        assert not any(thread.is_alive() for thread in threads), "a client hangs"


@pytest.mark.row("C-01", "C-02", "C-03", "C-08", "C-10")
@pytest.mark.limit(int(SECONDS) + 120)
def test_no_client_ever_completes_a_wrong_body(start, upstream):
    seed = int(os.environ.get("ENTREPOT_CHAOS_SEED", random.randrange(1 << 30)))
    mirror = start(hub_of(upstream.url, freshness={"negative": "1s"}, timeouts={
        "connect": "1s", "first_byte": "2s", "idle": "1s"}))
    chaos = Chaos(mirror, upstream, seed)
    chaos.run(SECONDS)
    print(f"seed {seed}: {chaos.asked} asked, {chaos.whole} whole, {len(chaos.blobs)} blobs")
    assert not chaos.failures, f"seed {seed}: {chaos.failures[:10]}"
    assert chaos.whole > chaos.asked / 20, f"seed {seed}: hardly anything was served"
    upstream.calm()
    process.wait_for(lambda: mirror.metric("entrepot_fills_running") == 0, 30, "quiet")
    time.sleep(1.1)  # past negative answers
    for digest, data in chaos.blobs.items():
        answer = process.wait_for(lambda: (a := mirror.blob(NAME, digest)).status == 200 and a, 20,
                                  f"seed {seed}: {digest} from an honest upstream")
        assert walk.not_whole(answer, data)
        assert answer.body == data or mirror.blob(NAME, digest).body == data, f"seed {seed}"
    for digest in chaos.blobs:
        path = mirror.blob_path(digest)
        assert not path.exists() or images.sha256(path.read_bytes()) == digest, f"seed {seed}"


class TagChaos:
    """Tags that move between images while manifests are asked through every kind of lie."""

    LIES = [hostile.wrong_bytes, hostile.gzipped, hostile.status(404), hostile.status(500),
            hostile.status(429, b"", ("Retry-After", "0")), hostile.cut(0.5), hostile.raw(b""),
            hostile.chunked(), hostile.no_length(), hostile.hang(2), hostile.redirect("/elsewhere"),
            hostile.with_header("Docker-Content-Digest", "sha256:" + "0" * 64),
            hostile.with_header("Docker-Content-Digest", None),
            hostile.with_header("Content-Type", "text/html"),
            hostile.with_header("Content-Type", images.OCI_INDEX),
            hostile.status(200, b"<html>", ("Content-Type", "text/html"))]

    def __init__(self, mirror, upstream, seed):
        self.mirror, self.upstream, self.dice = mirror, upstream, random.Random(seed)
        kinds = [images.small(n, kind=kind) for n in range(3) for kind in ("docker", "oci")]
        kinds.append(images.index_of(kinds[:2], "docker"))
        kinds.append(images.nested_index("chaos"))
        self.known = {image.digest: image for image in kinds}
        self.tags = [f"v{n}" for n in range(4)]
        self.failures, self.served = [], 0
        self.ended = threading.Event()
        self.move_all()

    def move_all(self):
        for tag in self.tags:
            self.upstream.add(self.dice.choice(list(self.known.values())), NAME, tag)

    def client(self, seed):
        dice = random.Random(seed)
        while not self.ended.is_set():
            tag = dice.choice(self.tags)
            method = dice.choice(["GET", "HEAD"])
            try:
                answer = fetch(self.mirror.address, f"/v2/{NAME}/manifests/{tag}", method, timeout=30)
                if answer.status == 200:
                    self.judge(method, answer)
            except OSError:
                continue

    def judge(self, method, answer):
        digest = answer.header("Docker-Content-Digest")
        image = self.known.get(digest)
        right = image and answer.header("Content-Type") == image.root.media_type and int(
            answer.header("Content-Length")) == len(image.root.body)
        if method == "GET" and right:
            right = answer.body == image.root.body
        if not right:
            self.failures.append((method, answer))
        self.served += 1

    def run(self, seconds):
        threads = [threading.Thread(target=self.client, args=(self.dice.random(),))
                   for _ in range(8)]
        for thread in threads:
            thread.start()
        ends = time.monotonic() + seconds
        latest = ends + 20  # on a slow machine, or with dice that lie much
        try:
            while time.monotonic() < (ends if self.served > ENOUGH else latest):
                time.sleep(0.02)
                if self.dice.random() < 0.2:
                    self.move_all()
                self.upstream.script("/manifests/", self.dice.choice(self.LIES), times=1)
                if self.dice.random() < 0.3:
                    time.sleep(0.2)
        finally:
            self.ended.set()
            for thread in threads:
                thread.join(40)
        assert not any(thread.is_alive() for thread in threads), "a client hangs"


@pytest.mark.row("C-12", "C-13", "M-13", "M-15")
@pytest.mark.limit(int(SECONDS) + 60)
def test_no_tag_ever_has_wrong_content(start, upstream):
    seed = int(os.environ.get("ENTREPOT_CHAOS_SEED", random.randrange(1 << 30)))
    mirror = start(hub_of(upstream.url, freshness={"fresh": "0s", "negative": "0s"}, timeouts={
        "connect": "1s", "first_byte": "1s", "idle": "1s"}), log={"level": "info"})
    chaos = TagChaos(mirror, upstream, seed)
    chaos.run(SECONDS / 2)
    print(f"seed {seed}: {chaos.served} served")
    assert not chaos.failures, f"seed {seed}: {chaos.failures[:5]}"
    assert chaos.served > ENOUGH, f"seed {seed}: hardly anything was served"
    upstream.calm()
    chaos.move_all()
    for tag in chaos.tags:
        wanted = upstream.repository(NAME)["tags"][tag]
        process.wait_for(lambda: mirror.manifest(NAME, tag).header("Docker-Content-Digest") == wanted,
                         20, f"seed {seed}: {tag} to be what upstream says")
        walk.pull(mirror.address, NAME, tag, chaos.known[wanted])
