"""kill -9, restart, two daemons on one directory (acceptance line 4, rows C-10 and D-14)."""

import random
import socket
import time

import pytest
from support import daemon, hostile, images, process, walk
from support.daemon import hub_of

NAME, SIZE = "org/app", 8_000_000


def start_reading(mirror, digest):
    connection = socket.create_connection(("127.0.0.1", mirror.port), timeout=20)
    connection.sendall(f"GET /v2/{NAME}/blobs/{digest} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    return connection


@pytest.mark.row("C-10")
@pytest.mark.parametrize("moment", [0.1, 0.5, 0.9])
def test_killed_mid_fill_then_only_the_rest_is_asked(upstream, mirror, moment):
    data = images.blob(SIZE, f"killed at {moment}")
    digest = upstream.add_blob(NAME, data)
    upstream.script(digest, hostile.slowly(SIZE / 2), times=1, method="GET")
    with start_reading(mirror, digest):
        process.wait_for(lambda: upstream.seen("GET", digest)
                         and upstream.seen("GET", digest)[0].sent > moment * SIZE, 20, "progress")
        mirror.kill9()
    first = upstream.seen("GET", digest)[0]
    mirror.start()
    assert mirror.head(f"/v2/{NAME}/blobs/{digest}").header("Cache-Status") != "entrepot; hit"
    answer = mirror.blob(NAME, digest)
    assert answer.status == 200 and answer.body == data
    second = upstream.seen("GET", digest)[1]
    asked = second.header("Range")
    assert asked and asked.startswith("bytes=") and int(asked[6:].split("-")[0]) > 0, asked
    # what was in flight or not yet written when the kill came is asked again, nothing else
    assert first.sent + second.sent < SIZE + 2_000_000, (first.sent, second.sent)
    assert upstream.count("GET", digest) == 2
    mirror.settle()


@pytest.mark.row("C-10")
def test_a_partial_file_harmed_before_the_restart_never_becomes_a_blob(upstream, mirror):
    data = images.blob(SIZE, "harmed partial")
    digest = upstream.add_blob(NAME, data)
    upstream.script(digest, hostile.slowly(SIZE / 2), times=1, method="GET")
    with start_reading(mirror, digest):
        process.wait_for(lambda: upstream.seen("GET", digest)
                         and upstream.seen("GET", digest)[0].sent > SIZE / 2, 20, "progress")
        mirror.kill9()
    for partial in mirror.partials():
        with open(partial, "r+b") as file:
            file.write(b"not what was here")
    mirror.start()
    answer = mirror.blob(NAME, digest)
    assert walk.not_whole(answer, data), answer
    answer = mirror.blob(NAME, digest)
    assert answer.status == 200 and answer.body == data
    mirror.settle()
    assert images.sha256(mirror.blob_path(digest).read_bytes()) == digest


@pytest.mark.row("C-10")
@pytest.mark.limit(120)
def test_killed_at_random_moments_of_a_pull_it_always_comes_back(upstream, mirror):
    image = images.raw_layers([images.blob(700_000, f"crash-{n}") for n in range(4)])
    upstream.add(image, NAME, "v1")
    for digest in image.blobs:
        upstream.script(digest, hostile.slowly(1_000_000), method="GET")
    seed = random.randrange(1 << 30)
    print("seed", seed)
    dice = random.Random(seed)
    for _ in range(6):
        mirror.link(NAME, "v1")
        connections = [start_reading(mirror, digest) for digest in image.blobs]
        time.sleep(dice.random() * 0.9)  # the moment is the point
        mirror.kill9()
        for connection in connections:
            connection.close()
        began = time.monotonic()
        mirror.start()
        assert time.monotonic() - began < 5
    walk.hold(mirror, NAME, "v1", image)
    mirror.settle()
    upstream.close()
    walk.hold(mirror, NAME, "v1", image)


def test_what_was_pulled_survives_kill_and_restart_without_upstream(upstream, mirror):
    image = images.nested_index("crash")
    upstream.add(image, NAME, "v1")
    walk.hold(mirror, NAME, "v1", image)
    mirror.settle()
    upstream.close()
    mirror.kill9()
    mirror.start()
    walk.hold(mirror, NAME, "v1", image)
    mirror.restart()
    walk.hold(mirror, NAME, "v1", image)


@pytest.mark.row("D-14")
def test_a_second_daemon_on_the_same_directory_refuses(upstream, mirror):
    image = images.small("locked")
    upstream.add(image, NAME, "v1")
    began = time.monotonic()
    status, text = daemon.run_once("serve", "--listen", "127.0.0.1:0", "--data", str(mirror.data),
                                   "--upstream", f"hub={upstream.url}")
    assert status == 73, text
    assert time.monotonic() - began < 3
    assert str(mirror.data) in text
    walk.hold(mirror, NAME, "v1", image)
    mirror.kill9()
    mirror.start()  # no stale lock
    walk.hold(mirror, NAME, "v1", image)


def test_stop_is_clean_and_drains(upstream, mirror):
    data = images.blob(2_000_000, "drain")
    digest = upstream.add_blob(NAME, data)
    upstream.script(digest, hostile.slowly(1_000_000), method="GET")
    with start_reading(mirror, digest) as reader:
        got = reader.recv(65536)
        mirror.child.terminate()
        process.wait_for(lambda: not process.connectable(mirror.port), 5, "listener closed")
        while piece := reader.recv(65536):
            got += piece
    assert got.endswith(data), "the running answer was finished"
    assert mirror.child.wait(10) == 0


def test_stop_keeps_the_partial_fill(start, upstream):
    mirror = start(hub_of(upstream.url), drain="1s")
    data = images.blob(SIZE, "stopped")
    digest = upstream.add_blob(NAME, data)
    upstream.script(digest, hostile.slowly(1_000_000), times=1, method="GET")
    with start_reading(mirror, digest):
        process.wait_for(lambda: upstream.seen("GET", digest)
                         and upstream.seen("GET", digest)[0].sent > 1_000_000, 20, "progress")
        began = time.monotonic()
        assert mirror.stop() == 0
        assert time.monotonic() - began < 6
    mirror.start()
    assert mirror.blob(NAME, digest).body == data
    assert int(upstream.seen("GET", digest)[1].header("Range")[6:].split("-")[0]) >= 900_000
