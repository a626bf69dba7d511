"""Unreachable, black-holed, flapping and refusing upstreams; DNS faults; clients that leave."""

import random
import socket
import struct
import time

import pytest
from support import daemon, dns, hostile, images, net, process, walk
from support.daemon import hub_of, upstream_at

NAME, IMAGE = "org/app", images.small("network")
QUICK = {"timeouts": {"connect": "2s", "first_byte": "2s", "idle": "2s"}, "retries": 1}


def cached_then(start, upstream, url, **more):
    """A daemon that holds IMAGE and whose upstream is now at url."""
    upstream.add(IMAGE, NAME, "v1")
    mirror = start(hub_of(upstream.url), **more)
    walk.hold(mirror, NAME, "v1", IMAGE)
    mirror.stop()
    mirror.config["upstreams"] = [hub_of(url, **QUICK)]
    mirror.start()
    return mirror


def held_is_served_and_misses_fail(mirror, seconds=8):
    walk.hold(mirror, NAME, "v1", IMAGE)
    for reference in ("manifests/other", f"blobs/sha256:{'5' * 64}"):
        answer = mirror.get(f"/v2/{NAME}/{reference}")
        assert answer.status in (502, 504), answer
        assert answer.seconds < seconds, answer.seconds
        assert "hub" in answer.body.decode(), "the answer says which upstream"
    quick = mirror.get("/healthz")
    assert quick.status == 200 and quick.seconds < 0.5


@pytest.mark.row("N-01")
def test_upstream_refuses(start, upstream):
    held_is_served_and_misses_fail(cached_then(
        start, upstream, f"http://127.0.0.1:{process.free_port()}"))


@pytest.mark.row("N-01")
def test_upstream_is_a_black_hole(start, upstream):
    with hostile.BlackHole() as hole:
        held_is_served_and_misses_fail(cached_then(start, upstream, hole.url))


@pytest.fixture(scope="module")
def names():
    with dns.NameServer() as server:
        yield server


@pytest.fixture(scope="module")
def resolver(names):
    with net.Resolver(names.address) as found:
        yield found


@pytest.mark.row("N-01")
@pytest.mark.parametrize("fault", [dns.SERVFAIL, dns.NXDOMAIN, dns.HANG])
def test_dns_faults(start, upstream, names, resolver, fault):
    names.answers["hub.test"] = fault
    mirror = cached_then(start, upstream, f"http://hub.test:{upstream.port}",
                         prefix=resolver.prefix())
    held_is_served_and_misses_fail(mirror, 12)
    # a name that hangs must not keep the daemon from anything else meanwhile
    began = time.monotonic()
    walk.hold(mirror, NAME, "v1", IMAGE)
    assert time.monotonic() - began < 2


@pytest.mark.row("N-01")
@pytest.mark.parametrize("answer", [
    [f"127.9.9.{n}" for n in range(1, 100)] + ["127.0.0.1"],
    ["127.9.9.9", "127.0.0.1"], ["::1", "127.0.0.1"], ["fd00::9", "127.0.0.1"]],
    ids=["100 records", "two records", "refusing v6", "unreachable v6"])
def test_one_good_address_among_bad_ones_is_found(start, upstream, names, resolver, answer):
    names.answers["many.test"] = answer
    upstream.add(IMAGE, NAME, "v1")
    mirror = start(hub_of(f"http://many.test:{upstream.port}"), prefix=resolver.prefix())
    began = time.monotonic()
    walk.hold(mirror, NAME, "v1", IMAGE)
    assert time.monotonic() - began < 10


@pytest.mark.row("U-08")
@pytest.mark.parametrize("first", [True, False], ids=["public first", "loopback first"])
def test_dns_rebinding(first):
    """A redirect's name that is public on one look-up and loopback on the next."""
    with net.Namespace("93.184.215.7/32") as namespace:
        server, trap = (namespace.call(hostile.Upstream, host) for host in ("127.0.0.1", "127.0.0.3"))
        names = namespace.call(dns.NameServer)
        server.add(IMAGE, NAME, "v1")
        pair = [["93.184.215.7"], ["127.0.0.3"]]  # nothing listens at the public one
        names.answers["rebind.test"] = lambda n: pair[n % 2 if first else (n + 1) % 2]
        server.script("/blobs/", hostile.redirect(f"http://rebind.test:{trap.port}/x"))
        with net.Resolver(names.address) as resolver, daemon.Daemon(
                {"upstreams": [hub_of(server.url, **QUICK)]},
                prefix=[*namespace.prefix(), *resolver.prefix()]) as mirror:
            for layer in IMAGE.blobs:
                answer = namespace.call(daemon.fetch, mirror.address, f"/v2/{NAME}/blobs/{layer}")
                assert answer.status in (502, 504), answer
        assert trap.connections == 0
        assert names.asked[("rebind.test", "A")] > 0
        for each in (server, trap, names):
            each.close()


@pytest.mark.row("N-02")
@pytest.mark.limit(60)
def test_a_flapping_upstream_causes_no_storm(start, upstream):
    mirror = start(hub_of(upstream.url, freshness={"negative": "0s"}))
    misses = got = 0
    ends = time.monotonic() + 6
    with hostile.Flap(upstream):
        while time.monotonic() < ends:
            image = images.small(f"flap-{misses}", layers=1, size=100)
            upstream.add(image, NAME, f"v{misses}")
            got += mirror.manifest(NAME, f"v{misses}").status == 200
            misses += 1
    print(f"{misses} misses, {got} answered, {upstream.count()} requests, "
          f"{upstream.connections} connections")
    assert got > 0
    assert upstream.count() <= 2 * misses + 10
    assert upstream.connections <= 2 * misses + 10
    process.wait_for(lambda: mirror.manifest(NAME, "v0").status == 200, 15, "recovery")


@pytest.mark.row("N-02")
def test_a_dead_upstream_is_not_hammered(start):
    with hostile.Upstream() as dead:
        dead.refusing = True
        mirror = start(hub_of(dead.url, freshness={"negative": "0s"}))
        for n in range(30):
            assert mirror.manifest(NAME, f"v{n}").status in (502, 503, 504)
        assert dead.connections <= 60


@pytest.mark.row("N-04")
@pytest.mark.parametrize("code, expected", [(404, 404), (500, 502), (502, 502), (503, 502),
                                            (504, 502)])
def test_error_statuses(start, upstream, code, expected):
    mirror = start(hub_of(upstream.url, **QUICK))
    upstream.script("/v2/", hostile.status(code))
    for reference in ("manifests/v1", f"blobs/sha256:{'6' * 64}", "tags/list"):
        answer = mirror.get(f"/v2/{NAME}/{reference}")
        assert answer.status == expected or (code >= 500 and answer.status == 504), answer


@pytest.mark.row("N-04")
def test_the_next_url_answers_for_a_broken_one(start, upstream):
    upstream.add(IMAGE, NAME, "v1")
    with hostile.Upstream() as broken:
        broken.script("/v2/", hostile.status(500))
        mirror = start(hub_of(broken.url, upstream.url))
        walk.hold(mirror, NAME, "v1", IMAGE)


@pytest.mark.row("N-08")
@pytest.mark.limit(90)
def test_clients_that_leave_at_every_byte_leave_nothing_behind(start, upstream):
    upstream.add(IMAGE, NAME, "v1")
    data = images.blob(400_000, "leaving")
    digest = upstream.add_blob(NAME, data)
    mirror = start(hub_of(upstream.url), log={"level": "info"})
    walk.hold(mirror, NAME, "v1", IMAGE)
    assert mirror.blob(NAME, digest).body == data
    mirror.get("/healthz")
    process.wait_for(lambda: mirror.metric("entrepot_connections") <= 1, 5, "quiet")
    fds, memory = mirror.fds(), mirror.rss()
    dice = random.Random(8)
    targets = ["manifests/v1", f"manifests/{IMAGE.digest}", f"blobs/{digest}", "tags/list"]
    for round_ in range(1500):
        request = (f"GET /v2/{NAME}/{targets[round_ % 4]} HTTP/1.1\r\nHost: x\r\n"
                   "Connection: close\r\n\r\n").encode()
        connection = socket.create_connection(("127.0.0.1", mirror.port), timeout=10)
        if round_ % 3 == 0:  # leaves within its own request
            connection.sendall(request[:dice.randrange(len(request))])
        else:
            connection.sendall(request)
            left = dice.randrange(1500) if round_ % 3 == 1 else dice.randrange(400_000)
            while left > 0 and (piece := connection.recv(min(left, 65536))):
                left -= len(piece)
        if round_ % 2:  # RST
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()
    process.wait_for(lambda: mirror.metric("entrepot_connections") <= 1, 10, "connections back to 0")
    process.wait_for(lambda: mirror.fds() <= fds + 2, 10, "descriptors back to where they were")
    assert mirror.rss() - memory < 40 << 20
    walk.hold(mirror, NAME, "v1", IMAGE)


@pytest.mark.row("N-08")
def test_clients_that_leave_mid_fill_leave_nothing_behind(upstream, mirror):
    upstream.add(IMAGE, NAME, "v1")
    walk.hold(mirror, NAME, "v1", IMAGE)
    fds = mirror.fds()
    for n in range(30):
        digest = upstream.add_blob(NAME, images.blob(200_000, f"leaving-{n}"))
        upstream.script(digest, hostile.slowly(2_000_000), method="GET")
        with socket.create_connection(("127.0.0.1", mirror.port), timeout=10) as connection:
            connection.sendall(f"GET /v2/{NAME}/blobs/{digest} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            connection.recv(1 + n * 100)
    process.wait_for(lambda: mirror.metric("entrepot_fills_running") == 0, 15, "fills to end")
    # connections to upstream are kept for reuse: at most as many as may run at once
    process.wait_for(lambda: mirror.fds() <= fds + 16, 10, "descriptors back")
    assert mirror.partials() == []


@pytest.mark.row("N-04")
def test_upstreams_do_not_harm_each_other(start, upstream):
    upstream.add(IMAGE, NAME, "v1")
    with hostile.BlackHole() as hole:
        mirror = start(hub_of(upstream.url), upstream_at("hole", hole.url, **QUICK))
        import threading
        stuck = [threading.Thread(target=mirror.manifest, args=(f"hole/{NAME}", f"v{n}"))
                 for n in range(20)]
        for thread in stuck:
            thread.start()
        began = time.monotonic()
        walk.hold(mirror, NAME, "v1", IMAGE)
        assert time.monotonic() - began < 2
        for thread in stuck:
            thread.join(40)


@pytest.mark.limit(90)
def test_the_link_goes_down_mid_body_and_the_fill_resumes(tmp_path):
    """Half-open: the peer vanishes without FIN or RST; afterwards it is back (row N-05's begin)."""
    data = images.blob(3_000_000, "link down")
    with net.Namespace() as near, net.Namespace() as far:
        near.link(far)
        server = far.call(hostile.Upstream, "10.77.0.2")
        digest = server.add_blob(NAME, data)
        server.script(digest, hostile.slowly(2_000_000), times=1, method="GET")
        with daemon.Daemon({"upstreams": [hub_of(server.url)]}, prefix=near.prefix()) as mirror:
            import threading
            answers = []
            reader = threading.Thread(target=lambda: answers.append(near.call(
                daemon.fetch, mirror.address, f"/v2/{NAME}/blobs/{digest}", timeout=60)))
            reader.start()
            process.wait_for(lambda: server.seen("GET", digest)
                             and server.seen("GET", digest)[0].sent > 500_000, 10, "progress")
            far.drop(f"tcp dport {server.port}")
            far.run("ip", "link", "set", "veth0", "down")
            time.sleep(1)
            far.run("ip", "link", "set", "veth0", "up")
            far.heal()
            reader.join(60)
            assert answers and answers[0].body == data
        server.close()
