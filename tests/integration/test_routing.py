"""The four ways of naming an upstream, library/ names, and names that never leave this machine."""

import pytest
from support import daemon, hostile, images

HUB, QUAY, BOX = images.small("hub"), images.small("quay"), images.small("box")


@pytest.fixture(scope="module")
def world():
    with hostile.Upstream() as hub, hostile.Upstream() as quay:
        hub.add(HUB, "org/app", "v1")
        hub.add(BOX, "library/box", "v1")
        hub.add(BOX, "acme/app", "v1")
        quay.add(QUAY, "org/app", "v1")
        quay.add(QUAY, "single", "v1")
        config = {"upstreams": [daemon.upstream_at("hub", hub.url, aliases=["docker.io",
                                                                           "registry-1.docker.io"]),
                                daemon.upstream_at("quay", quay.url,
                                                   aliases=["quay.example", "quay.local:5000"])],
                  "local": ["acme/*"]}
        with daemon.Daemon(config) as running:
            running.hub, running.quay = hub, quay
            yield running


@pytest.mark.parametrize("target, image", [
    ("/v2/org/app/manifests/v1", HUB),
    ("/v2/org/app/manifests/v1?ns=docker.io", HUB),
    ("/v2/org/app/manifests/v1?ns=registry-1.docker.io", HUB),
    ("/v2/org/app/manifests/v1?ns=quay.example", QUAY),
    ("/v2/org/app/manifests/v1?ns=quay.local:5000", QUAY),
    ("/v2/org/app/manifests/v1?x=1&ns=quay.local%3A5000", QUAY),
    ("/v2/docker.io/org/app/manifests/v1", HUB),
    ("/v2/hub/org/app/manifests/v1", HUB),
    ("/v2/quay.example/org/app/manifests/v1", QUAY),
    ("/v2/quay/org/app/manifests/v1", QUAY),
    ("/hub/v2/org/app/manifests/v1", HUB),
    ("/docker.io/v2/org/app/manifests/v1", HUB),
    ("/quay/v2/org/app/manifests/v1", QUAY),
    ("/quay.example/v2/org/app/manifests/v1", QUAY),
    ("/v2/box/manifests/v1", BOX),
    ("/v2/library/box/manifests/v1", BOX),
    ("/v2/box/manifests/v1?ns=docker.io", BOX),
    ("/v2/library/box/manifests/v1?ns=docker.io", BOX),
    ("/v2/docker.io/box/manifests/v1", BOX),
    ("/v2/hub/library/box/manifests/v1", BOX),
    ("/hub/v2/box/manifests/v1", BOX),
    ("/v2/single/manifests/v1?ns=quay.example", QUAY),
    ("/v2/quay/single/manifests/v1", QUAY),
    ("/quay/v2/single/manifests/v1", QUAY)])
def test_every_way_of_naming(world, target, image):
    answer = world.get(target)
    assert answer.status == 200, answer
    assert answer.body == image.root.body
    blob = target.replace("manifests/v1", f"blobs/{image.layers()[0]}")
    assert world.get(blob).body == image.blobs[image.layers()[0]]
    assert world.head(target.replace("/v1", f"/{image.digest}")).status == 200


def test_prefix_before_v2_also_for_the_ping(world):
    for target in ("/quay/v2/", "/docker.io/v2/"):
        assert world.get(target).status == 200


def test_namespace_is_echoed_only_when_asked_by_ns(world):
    answer = world.get("/v2/org/app/manifests/v1?ns=quay.example")
    assert answer.header("OCI-Namespace") == "quay.example"
    assert world.get("/v2/org/app/manifests/v1").header("OCI-Namespace") is None


def test_catalog_uses_canonical_names(world):
    for target in ("/v2/box/manifests/v1", "/v2/org/app/manifests/v1?ns=quay.example"):
        assert world.get(target).status == 200
    assert {"hub/library/box", "quay/org/app"} <= set(
        world.get("/v2/_catalog").json()["repositories"])


def test_names_reserved_as_local_never_go_upstream(world):
    before = world.hub.count()
    for kind in ("manifests/v1", f"blobs/{BOX.layers()[0]}", "tags/list"):
        assert world.get(f"/v2/acme/app/{kind}").status == 404
    assert world.hub.count() == before


@pytest.mark.row("U-09")
@pytest.mark.parametrize("host", [
    "evil.example", "127.0.0.1", "{hub}", "http://{hub}", "http://docker.io", "docker.io:443",
    "user@docker.io", "user:pw@docker.io", "docker.io/x", "../docker.io", "docker.io%00", "",
    "quay.example.evil", "[::1]:80", "localhost"])
def test_unknown_ns_is_no_dial_target(world, host):
    host = host.format(hub=world.hub.address)
    before = world.hub.count() + world.quay.count(), world.hub.connections
    for kind in ("manifests/v9", f"blobs/sha256:{'1' * 64}", "tags/list"):
        answer = world.get(f"/v2/org/app/{kind}?ns={host}")
        if host == "":  # an empty ns says nothing: as if it was not there, or unknown
            assert answer.status in (200, 404)
            continue
        if "%00" in host:  # refused before anybody looks at the query
            assert answer.status == 400
            continue
        assert answer.status == 404, answer
        assert answer.code == "NAME_UNKNOWN"
    if host:
        assert (world.hub.count() + world.quay.count(), world.hub.connections) == before


def test_urls_are_tried_in_order_and_the_dead_one_is_remembered(start, upstream):
    upstream.add(images.small("urls", layers=4), "org/app", "v1")
    dead = hostile.Upstream()
    dead.script("/v2/", hostile.status(503))
    mirror = start(daemon.hub_of(dead.url, upstream.url))
    image = images.small("urls", layers=4)
    mirror.link("org/app", "v1")
    for digest, data in image.blobs.items():
        assert mirror.blob("org/app", digest).body == data
    assert dead.count() <= 6, [r.target for r in dead.seen()]
    dead.close()
