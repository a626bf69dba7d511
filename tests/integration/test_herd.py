"""Acceptance line 3: 64 clients on one cold 100 MB blob behind an upstream of 20 MB/s."""

import random
import time

import pytest
from support import daemon, herd, hostile, images

SIZE, RATE, CLIENTS = 100_000_000, 20_000_000, 64
NAME = "org/app"


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    data = tmp_path_factory.mktemp("herd") / "data"  # on a real disk, as an operator's
    with hostile.Upstream() as server:
        with daemon.Daemon({"upstreams": [daemon.hub_of(server.url)], "log": {"level": "info"}},
                           data=data) as running:
            running.server = server
            yield running


def cold_blob(world, seed):
    digest = world.server.add_blob(NAME, images.blob(SIZE, seed))
    world.server.calm()
    world.server.rate = RATE
    return digest, f"/v2/{NAME}/blobs/{digest}"


@pytest.mark.row("C-07")
@pytest.mark.limit(120)
def test_64_clients_share_one_download(world):
    digest, target = cold_blob(world, "herd")
    alone = herd.run(world.server.address, target, clients=1, hashed=0)[0]["total"]
    world.server.calm()
    world.server.rate = RATE
    before, peak = world.rss(), [0]
    began = time.monotonic()
    results = watched(world, peak, lambda: herd.run(world.address, target, clients=CLIENTS, hashed=4))
    print(f"alone {alone:.2f} s, herd {time.monotonic() - began:.2f} s, "
          f"slowest {max(r['total'] for r in results):.2f} s, "
          f"first byte {max(r['first_byte'] for r in results):.3f} s, "
          f"memory +{(peak[0] - before) >> 20} MiB")
    assert world.server.count("GET", digest) == 1
    assert all(r["received"] == SIZE for r in results)
    assert {r["sha256"] for r in results} == {digest, None}
    assert max(r["first_byte"] for r in results) < 0.25
    assert max(r["total"] for r in results) < 1.1 * alone
    assert peak[0] - before < 64 << 20


def watched(world, peak, work):
    """Runs work() while a thread notes the daemon's peak resident memory."""
    import threading
    ended = threading.Event()

    def look():
        while not ended.wait(0.1):
            peak[0] = max(peak[0], world.rss())

    thread = threading.Thread(target=look)
    thread.start()
    try:
        return work()
    finally:
        ended.set()
        thread.join(5)


@pytest.mark.row("C-07", "C-08")
@pytest.mark.limit(120)
def test_killing_the_first_client_changes_nothing(world):
    digest, target = cold_blob(world, "killed")
    results = herd.run(world.address, target, clients=CLIENTS, hashed=4,
                       kill_first_after=0.2 + random.random() * 4)
    assert results[0]["killed"] and results[0]["received"] < SIZE
    assert all(r["received"] == SIZE for r in results[1:])
    assert {r["sha256"] for r in results[1:]} == {digest, None}
    assert max(r["total"] for r in results[1:]) < 1.1 * SIZE / RATE + 0.3
    assert world.server.count("GET", digest) == 1
