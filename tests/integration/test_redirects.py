"""Redirects, realms and urls: they carry no secret away and lead to no address of ours (U-03..U-10)."""

import pytest
from support import daemon, hostile, images, net, walk
from support.daemon import hub_of

NAME, IMAGE = "org/app", images.small("redirected")
LAYER = IMAGE.layers()[0]
DATA = IMAGE.blobs[LAYER]


@pytest.fixture
def storage():
    """Where redirects lead: gives the layer at any path."""
    with hostile.Upstream("127.0.0.2") as server:
        server.reply_to = lambda request: hostile.ranged(request, hostile.plain(200, DATA))
        yield server


@pytest.fixture
def app(upstream):
    upstream.add(IMAGE, NAME, "v1")
    return upstream


FORBIDDEN = {"authorization", "proxy-authorization", "cookie"}


@pytest.mark.row("U-03", "U-11")
@pytest.mark.parametrize("scheme, where, code", [
    ("basic", "other host", 307), ("bearer", "other host", 307), ("basic", "other port", 307),
    ("bearer", "other port", 307), ("basic", "other host", 301), ("basic", "other host", 302),
    ("bearer", "other host", 303), ("bearer", "other host", 308)])
def test_redirects_carry_no_secret(start, tmp_path, scheme, where, code):
    (tmp_path / "password").write_text("s3cret")
    with hostile.TokenServer(user="bot", password="s3cret") as tokens:
        auth = hostile.BasicAuth("bot", "s3cret") if scheme == "basic" else \
            hostile.TokenAuth(tokens)
        host = "127.0.0.2" if where == "other host" else "127.0.0.1"
        with hostile.Upstream(auth=auth) as server, hostile.Upstream(host) as target:
            server.add(IMAGE, NAME, "v1")
            target.reply_to = lambda request: hostile.plain(200, DATA)
            mirror = start(hub_of(server.url, username="bot", private_network=True,
                                  password_file=str(tmp_path / "password"),
                                  trusted_realms=[tokens.url]))
            mirror.link(NAME, "v1")
            server.script("/blobs/", lambda e: hostile.redirect(
                f"{target.url}/data?x=1", code)(e) if e.request.header("Authorization")
                else e.send(e.default()))
            theirs = {"Authorization": "Basic Y2xpZW50", "Cookie": "a=b"}
            assert mirror.blob(NAME, LAYER, theirs).body == DATA
            assert target.count("GET", "/data?x=1") == 1
            for request in target.seen():
                assert not FORBIDDEN & {name.lower() for name, _ in request.headers}


@pytest.mark.row("U-03")
def test_a_redirected_transfer_resumes(start, app, storage):
    mirror = start(hub_of(app.url, private_network=True))
    app.script("/blobs/", hostile.redirect(f"{storage.url}/data"))
    storage.script("/data", hostile.cut(0.5), times=1)
    assert mirror.blob(NAME, LAYER).body == DATA


@pytest.mark.row("U-05")
@pytest.mark.parametrize("location", [
    "file:///etc/passwd", "ftp://127.0.0.2/x", "gopher://127.0.0.2:{port}/x",
    "dict://127.0.0.2:{port}/x", "ldap://127.0.0.2:{port}/", "telnet://127.0.0.2:{port}/",
    "data:,x", "//", "http://", "http:///x", "javascript:1", "HTTP:/\\x", "http://[::1", "\x7f"])
def test_redirects_to_other_protocols_are_502(start, app, storage, location):
    mirror = start(hub_of(app.url, private_network=True, retries=0))
    app.script("/blobs/", hostile.redirect(location.format(port=storage.port)))
    answer = mirror.blob(NAME, LAYER)
    assert answer.status == 502, answer
    assert b"root:" not in answer.body
    assert storage.connections == 0
    app.script("/manifests/", hostile.redirect(location.format(port=storage.port)))
    assert mirror.manifest(NAME, "v1").status == 502


@pytest.mark.row("U-06")
def test_a_loop_of_redirects_is_502(start, app):
    mirror = start(hub_of(app.url, private_network=True, retries=0))
    app.script("/blobs/", hostile.redirect(lambda request: request.target))
    assert mirror.blob(NAME, LAYER).status == 502
    assert app.count("GET", "/blobs/") <= 7


@pytest.mark.row("U-06")
@pytest.mark.parametrize("hops, status", [(1, 200), (4, 200), (50, 502)])
def test_hops_are_counted(start, app, storage, hops, status):
    mirror = start(hub_of(app.url, private_network=True, retries=0))

    def on(request):
        left = int(request.query.get("left", hops)) - 1
        return f"{storage.url}/hop?left={left}"

    def hop(exchange):
        if exchange.request.query["left"] == "0":
            exchange.send(exchange.default())
        else:
            hostile.redirect(on)(exchange)

    app.script("/blobs/", hostile.redirect(on))
    storage.script("/hop", hop)
    assert mirror.blob(NAME, LAYER).status == status
    assert storage.count() <= 6


@pytest.mark.row("U-06")
def test_a_location_of_a_megabyte_is_502(start, app, storage):
    mirror = start(hub_of(app.url, private_network=True, retries=0))
    app.script("/blobs/", hostile.redirect(f"{storage.url}/{'a' * 1_000_000}"))
    before = mirror.rss()
    assert mirror.blob(NAME, LAYER).status == 502
    assert storage.count() == 0
    assert mirror.rss() - before < 32 << 20


@pytest.mark.row("U-06")
def test_userinfo_in_a_location_is_dropped(start, app, storage):
    mirror = start(hub_of(app.url, private_network=True, retries=0))
    app.script("/blobs/", hostile.redirect(f"http://user:pw@{storage.address}/data"))
    answer = mirror.blob(NAME, LAYER)
    assert answer.status in (200, 502)
    assert not [r for r in storage.seen() if r.header("Authorization")]


@pytest.mark.row("U-10")
def test_foreign_layer_urls_are_never_fetched(start, app, storage):
    image = images.foreign_layer(f"{storage.url}/foreign")
    app.add(image, NAME, "foreign")
    mirror = start(hub_of(app.url, private_network=True))
    answer = mirror.manifest(NAME, "foreign")
    assert answer.body == image.root.body
    foreign = image.layers()[-1]
    assert mirror.blob(NAME, foreign).status == 404
    assert mirror.head(f"/v2/{NAME}/blobs/{foreign}").status == 404
    assert storage.connections == 0


# ---- addresses (row U-07), in a network namespace where every address is ours ----------------

# Truly public ones: the ranges reserved for documentation are rightly refused.
PUBLIC, ELSEWHERE = "93.184.215.7", "8.9.10.11"
INSIDE = ["10.1.2.3", "172.16.9.9", "172.31.0.1", "192.168.7.7", "169.254.169.254", "100.64.0.9"]
SPELLINGS = ["127.0.0.1", "127.9.9.9", "localhost", "0.0.0.0", "0", "2130706433", "0x7f000001",
             "0177.0.0.1", "127.1", "0x7f.1", "[::1]", "[::]", "[::ffff:127.0.0.1]",
             "[::ffff:10.1.2.3]", "[::ffff:a01:203]", "[fd00::9]", "[fe80::9]", "[64:ff9b::7f00:1]",
             *INSIDE]


@pytest.fixture(scope="module")
def inside():
    """An upstream on a public address; a catch-all server on every other address of the namespace."""
    addresses = [f"{a}/32" for a in (PUBLIC, ELSEWHERE, *INSIDE)] + [
        "fd00::9/128", "fe80::9/64", "64:ff9b::7f00:1/128"]
    with net.Namespace(*addresses) as namespace:
        server = namespace.call(hostile.Upstream, PUBLIC)
        server.add(IMAGE, NAME, "v1")
        trap = namespace.call(hostile.Upstream, "0.0.0.0")
        trap6 = namespace.call(hostile.Upstream, "::", port=trap.port)
        for each in (trap, trap6):
            each.reply_to = lambda request: hostile.plain(200, DATA)
        running = daemon.Daemon({"upstreams": [hub_of(server.url, retries=0)]},
                                prefix=namespace.prefix())
        try:
            yield namespace, server, trap, trap6, running
        finally:
            running.close()
            for each in (server, trap, trap6):
                each.close()


def ask(inside, reference="blobs/" + LAYER):
    namespace, _, _, _, running = inside
    return namespace.call(daemon.fetch, running.address, f"/v2/{NAME}/{reference}")


@pytest.mark.row("U-07")
def test_a_redirect_to_a_public_address_is_followed(inside):
    _, server, trap, _, _ = inside
    server.calm()
    image = images.small("public redirect")
    server.add(image, NAME, "public")
    digest = image.layers()[0]
    trap.reply_to = lambda request: hostile.plain(200, image.blobs[digest])
    server.script("/blobs/", hostile.redirect(f"http://{ELSEWHERE}:{trap.port}/data"))
    assert ask(inside, "blobs/" + digest).body == image.blobs[digest]
    trap.reply_to = lambda request: hostile.plain(200, DATA)


@pytest.mark.row("U-07")
@pytest.mark.parametrize("host", SPELLINGS)
def test_redirects_to_inner_addresses_are_502(inside, host):
    _, server, trap, trap6, _ = inside
    server.calm()
    server.script("/blobs/", hostile.redirect(f"http://{host}:{trap.port}/data"))
    before = trap.connections + trap6.connections
    answer = ask(inside)
    assert answer.status == 502, answer
    assert trap.connections + trap6.connections == before, "not even a SYN"


@pytest.mark.row("U-07")
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "[::ffff:10.1.2.3]",
                                  "169.254.169.254", "10.1.2.3", "2130706433"])
def test_realms_at_inner_addresses_are_502(inside, host):
    _, server, trap, trap6, _ = inside
    server.calm()
    server.script("/manifests/", hostile.status(401, b"", (
        "WWW-Authenticate", f'Bearer realm="http://{host}:{trap.port}/token",service="x"')))
    before = trap.connections + trap6.connections
    answer = ask(inside, "manifests/v1")
    server.calm()
    assert answer.status in (502, 403), answer
    assert trap.connections + trap6.connections == before


def test_the_daemon_of_the_namespace_does_pull(inside):
    _, server, _, _, running = inside
    server.calm()
    inside[0].call(walk.pull, running.address, NAME, "v1", IMAGE)
