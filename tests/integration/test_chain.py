"""Chains: a second entrepot, and docker-registry as proxy, behind the first (acceptance line 2)."""

import pytest
from support import clients, daemon, hostile, images, registry, walk

NAME = "team/app"


@pytest.fixture
def first(upstream):
    with daemon.Daemon({"upstreams": [daemon.hub_of(upstream.url)]}) as running:
        yield running


def test_a_second_entrepot(upstream, first, start):
    image = images.nested_index("chain")
    upstream.add(image, NAME, "v1")
    upstream.add(images.small("lib"), "library/lib", "v1")
    second = start(daemon.hub_of(first.url))
    walk.hold(second, NAME, "v1", image)
    walk.hold(second, "lib", "v1", images.small("lib"))
    assert upstream.count("GET", "/blobs/") == len(image.blobs) + len(images.small("lib").blobs)
    upstream.close()
    first.stop()
    walk.hold(second, NAME, "v1", image)


def test_a_big_blob_streams_through_both(upstream, first, start):
    data = images.blob(4_000_000, "chain")
    digest = upstream.add_blob(NAME, data)
    upstream.script(digest, hostile.slowly(2_000_000), method="GET")
    second = start(daemon.hub_of(first.url))
    answer = second.blob(NAME, digest)
    assert answer.body == data
    assert answer.first_byte < 1 < answer.seconds < 4


def test_a_docker_registry_as_proxy_behind_us(upstream, first):
    image = images.multi_arch("docker")
    upstream.add(image, NAME, "v1")
    with registry.Registry(proxy=first.url) as proxy, clients.Skopeo() as skopeo:
        assert skopeo.raw(f"{proxy.address}/{NAME}:v1") == image.root.body
        place = skopeo.pull(f"{proxy.address}/{NAME}:v1", "--all")
        assert images.sha256((place / "manifest.json").read_bytes()) == image.digest
    gets = [r.path for r in upstream.seen("GET", "/blobs/")]
    assert len(gets) == len(set(gets)) == len(image.blobs)


def test_a_docker_registry_as_proxy_before_us(upstream, start):
    image = images.small("before")
    upstream.add(image, NAME, "v1")
    with registry.Registry(proxy=upstream.url) as proxy:
        mirror = start(daemon.hub_of(proxy.url))
        walk.hold(mirror, NAME, "v1", image)
