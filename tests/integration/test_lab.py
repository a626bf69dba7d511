"""The lab itself: clients, liars and networks do what the other tests take for granted."""

import pytest
from support import daemon, dns, herd, hostile, images, net, process, registry, walk
from support import clients


@pytest.fixture
def app(upstream):
    image = images.small("lab")
    upstream.add(image, "org/app", "v1")
    return image


def test_the_hostile_upstream_is_a_registry(upstream, app):
    walk.pull(upstream.address, "org/app", "v1", app)
    with clients.Skopeo() as skopeo:
        assert skopeo.raw(f"{upstream.address}/org/app:v1") == app.root.body
        skopeo.pull(f"{upstream.address}/org/app:v1")


@pytest.mark.parametrize("action, exit_status", [
    (hostile.cut(0.5), 18), (hostile.chunked(final=False), 18), (hostile.reset_after(100), 56),
    (hostile.raw(b""), 52), (hostile.wrong_bytes, 0), (hostile.chunked(), 0),
    (hostile.no_length(), 0), (hostile.ignore_range, 0)])
def test_lies_look_to_curl_as_they_should(upstream, action, exit_status):
    digest = upstream.add_blob("org/app", images.blob(100_000))
    upstream.script(digest, action)
    url = f"{upstream.url}/v2/org/app/blobs/{digest}"
    done = process.run(["curl", "-sS", "-o", "/dev/null", url], check=False)
    assert done.returncode == exit_status, done.stderr
    assert upstream.count("GET", digest) == 1


def test_the_rate_holds(upstream):
    digest = upstream.add_blob("org/app", images.blob(4_000_000))
    upstream.rate = 4_000_000
    results = herd.run(upstream.address, f"/v2/org/app/blobs/{digest}", clients=2, hashed=2)
    assert {r["sha256"] for r in results} == {digest}
    assert 1.7 < max(r["total"] for r in results) < 2.6


def test_the_black_hole_is_silent():
    with hostile.BlackHole() as hole:
        done = process.run(["curl", "-sS", "-m", "1", hole.url], check=False)
        assert done.returncode == 28


def test_the_nameserver_says_what_it_is_told(upstream):
    with dns.NameServer() as server, net.Resolver(server.address) as resolver:
        server.answers.update({"ok.test": ["127.0.0.1"], "fail.test": dns.SERVFAIL, "many.test":
                               [f"127.9.9.{n}" for n in range(1, 100)] + ["127.0.0.1"]})
        for name, status in (("ok", 0), ("fail", 6), ("none", 6), ("many", 0)):
            url = f"http://{name}.test:{upstream.port}/v2/"
            done = process.run([*resolver.prefix(), "curl", "-sS", "-o", "/dev/null", url], check=False)
            assert done.returncode == status, (name, done.stderr)
        assert server.asked[("ok.test", "A")] == 1


def test_a_namespace_is_another_network():
    with net.Namespace("203.0.113.7/32") as namespace:
        server = namespace.call(hostile.Upstream, "203.0.113.7")
        assert namespace.call(daemon.fetch, server.address, "/v2/").status == 200
        assert process.run(["curl", "-sS", "-m", "1", server.url], check=False).returncode in (7, 28)
        server.close()


def test_docker_registry_counts_its_requests():
    image = images.small("counted")
    with registry.Registry(user="bot", password="s3cret") as running:
        running.push(image, "org/app", "v1")
        url = f"{running.url}/v2/org/app/blobs/{image.layers()[0]}"
        assert daemon.fetch(running.address, "/v2/").status == 401
        process.run(["curl", "-sSf", "-o", "/dev/null", "-u", "bot:s3cret", url])
        assert running.gets(image.layers()[0]) == 1


def test_configuration_is_written_as_yaml():
    text = daemon.yaml({"a": 1, "b": [], "c": [{"d": ["x"], "e": True}], "f": {"g": "h"}})
    assert text == 'a: 1\nb: []\nc:\n  - d:\n      - "x"\n    e: true\nf:\n  g: "h"\n'


def test_log_lines_and_metrics_are_parsed():
    assert daemon.parse_line('T info msg=request agent="a \\"b\\"" status=200') == {
        "time": "T", "msg": "request", "agent": 'a "b"', "status": "200"}
    assert daemon.parse_metrics('# X\nm{a="b"} 2\n') == {("m", frozenset({("a", "b")})): 2.0}
