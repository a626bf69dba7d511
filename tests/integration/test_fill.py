"""One download per digest against an upstream that lies, breaks and hangs (catalogue C)."""

import random
import socket
import threading
import time

import pytest
from support import herd, hostile, images, process, walk
from support.daemon import hub_of

SIZE = 1_000_000
NAME = "org/app"


def target(digest):
    return f"/v2/{NAME}/blobs/{digest}"


@pytest.fixture
def blob(upstream, request):
    data = images.blob(SIZE, request.node.name)
    digest = upstream.add_blob(NAME, data)
    return digest, data


def pulls_right(mirror, digest, data):
    answer = mirror.blob(NAME, digest)
    assert answer.status == 200, answer
    assert not answer.short and answer.body == data
    mirror.settle()


def not_admitted(mirror, digest):
    assert not mirror.blob_path(digest).exists()
    assert mirror.head(target(digest)).header("Cache-Status") != "entrepot; hit"


@pytest.mark.row("C-01")
@pytest.mark.parametrize("size", [1, 100, 65_536, 65_537, SIZE])
def test_wrong_bytes_never_complete_and_never_stay(upstream, mirror, size):
    data = images.blob(size, "wrong")
    digest = upstream.add_blob(NAME, data)
    upstream.script(digest, hostile.wrong_bytes, method="GET")
    answer = mirror.blob(NAME, digest)
    assert walk.not_whole(answer, data) and answer.body != data, answer
    assert answer.status >= 500 or len(answer.body) < size
    not_admitted(mirror, digest)
    assert mirror.metric("entrepot_upstream_digest_mismatch_total", upstream="hub") >= 1
    upstream.calm()
    pulls_right(mirror, digest, data)
    assert upstream.count("GET", digest) == 1


@pytest.mark.row("C-01")
def test_wrong_bytes_reach_no_follower_either(upstream, mirror, blob):
    digest, data = blob

    def slowly_wrong(exchange):
        reply = exchange.default()
        body = bytearray(reply.body)
        body[-1] ^= 1
        exchange.head(reply)
        for start in range(0, len(body), 100_000):
            exchange.write(bytes(body[start:start + 100_000]))
            exchange.wait(0.05)

    upstream.script(digest, slowly_wrong, method="GET")
    for result in herd.run(mirror.address, target(digest), clients=20, hashed=20):
        assert result["received"] < SIZE, result
    not_admitted(mirror, digest)


BREAKS = {
    "cut at 0": hostile.cut(0), "cut at 1": hostile.cut(1), "cut at half": hostile.cut(0.5),
    "cut before the last": hostile.cut(-1), "reset at half": hostile.reset_after(SIZE // 2),
    "no length, cut at half": hostile.no_length(SIZE // 2), "no length, empty": hostile.no_length(0),
    "chunked without end": hostile.chunked(final=False),
    "chunked, cut at half": hostile.chunked(final=False, at=SIZE // 2),
    "chunked, ended too early": hostile.chunked(final=True, at=SIZE // 2)}


@pytest.mark.row("C-02")
@pytest.mark.parametrize("how", BREAKS)
def test_a_transfer_broken_once(upstream, mirror, blob, how):
    digest, data = blob
    upstream.script(digest, BREAKS[how], times=1, method="GET")
    answer = mirror.blob(NAME, digest)
    assert walk.not_whole(answer, data)
    if how in ("cut at half", "reset at half", "cut before the last"):
        assert answer.status == 200 and answer.body == data, "a known length is resumed by Range"
        second = upstream.seen("GET", digest)[1]
        assert second.header("Range").startswith("bytes=")
        assert second.sent < SIZE
    pulls_right(mirror, digest, data)


@pytest.mark.row("C-02")
@pytest.mark.parametrize("how", BREAKS)
def test_a_transfer_broken_every_time(upstream, mirror, blob, how):
    digest, data = blob
    upstream.script(digest, BREAKS[how], method="GET")
    answer = mirror.blob(NAME, digest)
    assert walk.not_whole(answer, data), answer
    if answer.body != data:  # resuming half by half may have brought all of it
        not_admitted(mirror, digest)
    upstream.calm()
    pulls_right(mirror, digest, data)


@pytest.mark.row("C-02")
@pytest.mark.parametrize("how", ["no length", "chunked"])
def test_whole_bodies_without_a_length_are_fine(upstream, mirror, blob, how):
    digest, data = blob
    upstream.script(digest, hostile.no_length() if how == "no length" else hostile.chunked(),
                    method="GET")
    pulls_right(mirror, digest, data)
    assert mirror.blob_path(digest).exists()


def shorter(exchange):
    reply = exchange.default()
    reply.body = reply.body[:1000]
    exchange.send(reply.having("Content-Length", str(len(reply.body)))
                  .having("Content-Range", f"bytes {SIZE // 2}-{SIZE // 2 + 999}/{SIZE // 2 + 1000}"))


RESUMES = {
    "Range ignored": hostile.ignore_range,
    "wrong start": hostile.with_header("Content-Range", f"bytes 0-{SIZE // 2 - 1}/{SIZE}"),
    "unknown total": hostile.with_header("Content-Range", f"bytes {SIZE // 2}-{SIZE - 1}/*"),
    "nonsense": hostile.with_header("Content-Range", "bytes banana"),
    "none": hostile.with_header("Content-Range", None),
    "other ETag": hostile.with_header("ETag", '"other"'),
    "other bytes": hostile.wrong_bytes,
    "shorter total": shorter,
    "416": hostile.status(416),
    "404": hostile.status(404),
    "HTML": hostile.status(200, b"<html>login</html>", ("Content-Type", "text/html"))}


@pytest.mark.row("C-03")
@pytest.mark.parametrize("how", RESUMES)
def test_resume_answered_strangely(upstream, mirror, blob, how):
    digest, data = blob
    upstream.script(digest, hostile.cut(0.5), times=1, method="GET")
    upstream.script(lambda r: digest in r.target and r.header("Range"), RESUMES[how], times=1)
    answer = mirror.blob(NAME, digest)
    assert walk.not_whole(answer, data), answer
    if how == "Range ignored":
        assert answer.body == data
    pulls_right(mirror, digest, data)
    assert images.sha256(mirror.blob_path(digest).read_bytes()) == digest


@pytest.mark.row("C-03")
def test_resume_goes_to_the_next_url(start, upstream, blob):
    digest, data = blob
    with hostile.Upstream() as second:
        second.add_blob(NAME, data)
        mirror = start(hub_of(upstream.url, second.url))
        upstream.script(digest, hostile.cut(0.5), times=1, method="GET")
        upstream.script(digest, hostile.status(503), method="GET")
        pulls_right(mirror, digest, data)
        assert second.seen("GET", digest)[0].header("Range") == f"bytes={SIZE // 2}-"


@pytest.mark.row("C-04", "C-06")
@pytest.mark.parametrize("harm", ["empty", "one byte short", "half", "gone"])
@pytest.mark.parametrize("alive", ["upstream up", "upstream down"])
def test_stored_file_harmed_behind_our_back(upstream, mirror, blob, harm, alive):
    digest, data = blob
    pulls_right(mirror, digest, data)
    path = mirror.blob_path(digest)
    if harm == "gone":
        path.unlink()
    else:
        path.chmod(0o600)
        with open(path, "r+b") as file:
            file.truncate({"empty": 0, "one byte short": SIZE - 1, "half": SIZE // 2}[harm])
    if alive == "upstream up":
        pulls_right(mirror, digest, data)
        assert upstream.count("GET", digest) == 2
        return
    upstream.close()
    answer = mirror.blob(NAME, digest)
    assert answer.status in (404, 502, 504), answer
    head = mirror.head(target(digest))
    assert head.status in (404, 502, 504), head


@pytest.mark.row("C-05")
def test_a_shared_layer_outlives_the_other_image(start, upstream):
    shared, own = images.layer_of({"shared": b"s" * 9000}), images.layer_of({"own": b"o" * 900})
    first, second = images.assemble([shared, own]), images.assemble([shared])
    upstream.add(first, "org/first", "v1")
    upstream.add(second, "org/second", "v1")
    mirror = start(hub_of(upstream.url, freshness={"fresh": "0s", "negative": "1s"}))
    walk.hold(mirror, "org/first", "v1", first)
    walk.hold(mirror, "org/second", "v1", second)
    upstream.remove("org/first")
    assert mirror.manifest("org/first", "v1").status == 404
    upstream.close()
    walk.hold(mirror, "org/second", "v1", second)


@pytest.mark.row("C-07")
@pytest.mark.limit(90)
def test_500_clients_one_upstream_get(upstream, mirror):
    data = images.blob(2_000_000, "crowd")
    digest = upstream.add_blob(NAME, data)
    upstream.script(digest, hostile.slowly(1_000_000), method="GET")
    results = herd.run(mirror.address, target(digest), clients=500, hashed=500)
    assert len(results) == 500
    assert {r["sha256"] for r in results} == {digest}
    assert upstream.count("GET", digest) == 1


@pytest.mark.row("C-07")
def test_concurrent_misses_of_one_tag_ask_once(upstream, mirror):
    image = images.small("tag-herd")
    upstream.add(image, NAME, "v1")
    upstream.script("/manifests/", hostile.after(0.5, None))
    results = herd.run(mirror.address, f"/v2/{NAME}/manifests/v1", clients=50, hashed=50)
    assert {r["sha256"] for r in results} == {image.digest}
    assert upstream.count("GET", "/manifests/") <= 2


@pytest.mark.row("C-08")
@pytest.mark.parametrize("moment", [0.05, 0.3, 0.8])
def test_the_first_client_leaves_at_a_random_moment(upstream, mirror, blob, moment):
    digest, _ = blob
    upstream.script(digest, hostile.slowly(SIZE), method="GET")
    results = herd.run(mirror.address, target(digest), clients=10, hashed=9,
                       kill_first_after=moment + random.random() / 10)
    assert results[0]["killed"]
    assert {r["sha256"] for r in results[1:]} == {digest}
    assert upstream.count("GET", digest) == 1


def leave_after(mirror, digest, count):
    """A client that reads `count` bytes and goes."""
    host, _, port = mirror.address.rpartition(":")
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        connection.sendall(f"GET {target(digest)} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        got = 0
        while got < count and (piece := connection.recv(65536)):
            got += len(piece)


@pytest.mark.row("C-08")
def test_the_fill_finishes_when_everyone_left(upstream, mirror, blob):
    digest, data = blob
    upstream.script(digest, hostile.slowly(SIZE), method="GET")
    leave_after(mirror, digest, 10_000)
    process.wait_for(lambda: mirror.blob_path(digest).exists(), 10, "the fill to finish alone")
    pulls_right(mirror, digest, data)
    assert upstream.count("GET", digest) == 1


@pytest.mark.row("C-08")
@pytest.mark.limit(90)
def test_economical_fills_stop_early_and_resume_later(start, upstream):
    mirror = start(hub_of(upstream.url), abandoned_fills="economical")
    data = images.blob(160 << 20, "economical")
    digest = upstream.add_blob(NAME, data)
    upstream.script(digest, hostile.slowly(20_000_000), times=1, method="GET")
    leave_after(mirror, digest, 1_000_000)
    process.wait_for(lambda: mirror.metric("entrepot_fills_running") == 0, 10, "the fill to stop")
    first = upstream.seen("GET", digest)[0].sent
    assert first < len(data) / 2
    assert mirror.partials(), "what came is kept"
    pulls_right(mirror, digest, data)
    second = upstream.seen("GET", digest)[1]
    assert second.header("Range") and second.sent < len(data)


@pytest.mark.row("C-08")
def test_economical_fills_near_their_end_finish(start, upstream, blob):
    digest, _ = blob
    mirror = start(hub_of(upstream.url), abandoned_fills="economical")
    upstream.script(digest, hostile.slowly(SIZE), method="GET")
    leave_after(mirror, digest, 1000)
    process.wait_for(lambda: mirror.blob_path(digest).exists(), 10, "the small fill to finish")


@pytest.mark.row("C-09")
@pytest.mark.parametrize("after", [0, SIZE // 2, SIZE - 1])
def test_upstream_hangs_once_and_the_fill_resumes(upstream, mirror, blob, after):
    digest, _ = blob
    upstream.script(digest, hostile.hang(40, after=after), times=1, method="GET")
    results = herd.run(mirror.address, target(digest), clients=10, hashed=10, timeout=30)
    assert {r["sha256"] for r in results} == {digest}
    assert max(r["total"] for r in results) < 10


@pytest.mark.row("C-09")
def test_upstream_hangs_for_ever_and_all_followers_err_together(start, upstream, blob):
    digest, _ = blob
    mirror = start(hub_of(upstream.url, timeouts={"connect": "1s", "first_byte": "1s", "idle": "1s"}))
    upstream.script(digest, hostile.hang(60, after=SIZE // 2), times=1, method="GET")
    upstream.script(digest, hostile.hang(60), method="GET")
    results = herd.run(mirror.address, target(digest), clients=10, hashed=10, timeout=40)
    ends = [r["total"] for r in results]
    assert all(r["received"] < SIZE for r in results)
    assert None not in ends and max(ends) < 20, ends
    assert max(ends) - min(ends) < 1, ends
    assert mirror.metric("entrepot_fills_running") == 0


def test_ranges_are_served_while_filling(upstream, mirror, blob):
    digest, data = blob
    upstream.script(digest, hostile.slowly(SIZE / 2), method="GET")
    first = threading.Thread(target=mirror.blob, args=(NAME, digest))
    first.start()
    process.wait_for(lambda: mirror.metric("entrepot_fills_running") == 1, 5, "the fill to run")
    began = time.monotonic()
    answer = mirror.blob(NAME, digest, {"Range": "bytes=100-199"})
    assert answer.status == 206 and answer.body == data[100:200]
    assert time.monotonic() - began < 1
    late = mirror.blob(NAME, digest, {"Range": f"bytes={SIZE - 100}-"})
    assert late.status == 206 and late.body == data[-100:]
    first.join(20)
    assert upstream.count("GET", digest) <= 2


def test_a_range_of_a_cold_blob(upstream, mirror, blob):
    digest, data = blob
    answer = mirror.blob(NAME, digest, {"Range": "bytes=1000-1999"})
    assert answer.status == 206 and answer.body == data[1000:2000]
    assert answer.header("Content-Range") == f"bytes 1000-1999/{SIZE}"
    pulls_right(mirror, digest, data)


@pytest.mark.row("N-09")
def test_a_slow_client_slows_nobody(upstream, mirror):
    data = images.blob(30_000_000, "slow client")
    digest = upstream.add_blob(NAME, data)
    before = mirror.rss()
    with socket.create_connection(("127.0.0.1", mirror.port), timeout=20) as slow:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        slow.sendall(f"GET {target(digest)} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        assert slow.recv(1000)
        process.wait_for(lambda: mirror.blob_path(digest).exists(), 15,
                         "the fill, which must not wait for the slow client")
        pulls_right(mirror, digest, data)
        assert mirror.rss() - before < 48 << 20
    assert upstream.count("GET", digest) == 1


@pytest.mark.row("N-09")
def test_a_slow_upstream_streams_to_a_fast_client(upstream, mirror, blob):
    digest, data = blob
    upstream.script(digest, hostile.slowly(SIZE / 2), method="GET")
    answer = mirror.blob(NAME, digest)
    assert answer.body == data
    assert answer.first_byte < 0.5
    assert 1.5 < answer.seconds < 4


def test_cache_status_tells_hit_miss_and_collapsed(upstream, mirror, blob):
    digest, _ = blob
    upstream.script(digest, hostile.slowly(SIZE * 2), method="GET")
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(mirror.blob(NAME, digest)))
               for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    said = sorted(a.header("Cache-Status") for a in answers)
    assert said == ["entrepot; fwd=miss; collapsed"] * 2 + ["entrepot; fwd=miss; stored"]
    mirror.settle()
    assert mirror.blob(NAME, digest).header("Cache-Status") == "entrepot; hit"
