"""Row C-11: the data directory's disk is full, at the start of a miss or in the middle of one."""

import pytest
from support import hostile, herd, images, net, process, walk
from support.daemon import hub_of

NAME = "org/app"


@pytest.fixture
def disk():
    with net.SmallDisk("24m") as found:
        yield found


def no_partial_left(mirror):
    process.wait_for(lambda: not mirror.partials(), 5, "the partial file to go")
    assert mirror.metric("entrepot_fills_running") == 0


@pytest.mark.row("C-11")
@pytest.mark.limit(90)
def test_a_blob_bigger_than_the_disk_still_reaches_its_clients(disk, upstream, start):
    image = images.small("beside")
    upstream.add(image, NAME, "v1")
    data = images.blob(40_000_000, "too big")
    digest = upstream.add_blob(NAME, data)
    mirror = start(hub_of(upstream.url), data=disk.path / "data")
    walk.hold(mirror, NAME, "v1", image)
    answer = mirror.blob(NAME, digest, timeout=60)
    assert answer.status == 200 and answer.body == data, (answer.status, len(answer.body))
    assert not mirror.blob_path(digest).exists()
    no_partial_left(mirror)
    for result in herd.run(mirror.address, f"/v2/{NAME}/blobs/{digest}", clients=4, hashed=4):
        assert result["sha256"] == digest, result
    assert upstream.count("GET", digest) <= 10
    no_partial_left(mirror)
    walk.hold(mirror, NAME, "v1", image)  # and what is held is still served


@pytest.mark.row("C-11")
@pytest.mark.limit(90)
def test_the_disk_fills_up_in_the_middle_of_a_miss(disk, upstream, start):
    data = images.blob(10_000_000, "overtaken")
    digest = upstream.add_blob(NAME, data)
    mirror = start(hub_of(upstream.url), data=disk.path / "data")
    hog = disk.path / "hog"

    def others_write(exchange):
        reply = exchange.default()
        exchange.head(reply)
        exchange.write(reply.body[:4_000_000])
        with open(hog, "wb", buffering=0) as file:
            try:
                while file.write(b"x" * 100_000):
                    pass
            except OSError:
                pass
        exchange.write(reply.body[4_000_000:])

    upstream.script(digest, others_write, times=1, method="GET")
    answer = mirror.blob(NAME, digest, timeout=60)
    assert walk.not_whole(answer, data)
    assert answer.body == data, f"{len(answer.body)} bytes: the leader gets them all the same"
    no_partial_left(mirror)
    hog.unlink()
    assert mirror.blob(NAME, digest).body == data
    # Who asks before the disk has it all shares the fill.
    process.wait_for(
        lambda: mirror.blob(NAME, digest).header("Cache-Status") == "entrepot; hit", 10, "a hit")


@pytest.mark.row("C-11")
def test_manifests_are_served_with_a_full_disk(disk, upstream, start):
    image, other = images.small("held"), images.small("new")
    upstream.add(image, NAME, "v1")
    upstream.add(other, NAME, "v2")
    mirror = start(hub_of(upstream.url), data=disk.path / "data")
    walk.hold(mirror, NAME, "v1", image)
    with open(disk.path / "hog", "wb", buffering=0) as file:
        try:
            while file.write(b"x" * 4096):
                pass
        except OSError:
            pass
    walk.hold(mirror, NAME, "v1", image)
    answer = mirror.manifest(NAME, "v2")
    assert answer.body == other.root.body or answer.status in (502, 503, 507), answer
    assert mirror.get("/healthz").status == 200
    (disk.path / "hog").unlink()
    walk.hold(mirror, NAME, "v2", other)
