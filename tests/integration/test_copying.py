"""Copies by rules between a foreign registry, this one, and another foreign one."""

import json
import os
import types

import pytest

from support import hostile, images, process, walk
from support.bundles import order
from support.daemon import Daemon, fetch, hub_of
from support.registry import Registry
from support.relay import Relay

LONG = os.environ.get("ENTREPOT_LONG") == "1"
MIB = 1 << 20
BIG = (2048 if LONG else 64) * MIB
INTERRUPTIONS = 20
TIMEOUTS = {"connect": "2s", "first_byte": "20s", "idle": "10s"}


def peer(name, url, **more):
    return {"name": name, "kind": "registry", "urls": [url], "timeouts": TIMEOUTS, **more}


def rule(name, **more):
    return {"name": name, "when": "on-demand", **more}


def sync(daemon, name, **query):
    """The summary of a run, which failed nowhere."""
    job = order(daemon, "/api/v1/syncs", rule=name, **query)
    assert job["state"] == "done", job
    return types.SimpleNamespace(lines=job["lines"], **job["summary"])


def image(seed, size=20_000, **config):
    return images.assemble([images.layer_of({f"file{seed}": images.blob(size, seed)})], **config)


def big_image():
    return images.Image(*_big())


def _big():
    piece = images.blob(MIB, "big")
    # Every MiB is another one, without a random number for each byte of gigabytes.
    layer = b"".join(number.to_bytes(8, "big") + piece[8:] for number in range(BIG // MIB))
    config = b'{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}'
    manifest = images.Manifest(images.OCI_MANIFEST, images.dump({
        "schemaVersion": 2, "mediaType": images.OCI_MANIFEST,
        "config": {"mediaType": images.OCI_CONFIG, "size": len(config),
                   "digest": images.sha256(config)},
        "layers": [{"mediaType": images.OCI_LAYER, "size": len(layer),
                    "digest": images.sha256(layer)}]}))
    return manifest, {}, {images.sha256(config): config, images.sha256(layer): layer}


def digest_at(address, name, reference):
    answer = fetch(address, f"/v2/{name}/manifests/{reference}", headers=walk.ACCEPT)
    if answer.status == 404:
        return None
    assert answer.status == 200, answer
    return images.sha256(answer.body)


@pytest.fixture
def hub():
    """Answers for names nobody has pushed to: there is nothing."""
    with hostile.Upstream() as server:
        yield hub_of(server.url)


def site(hub, peers, rules):
    return Daemon({"upstreams": [hub], "peers": peers, "replication": rules}, ["--open"])


# Acceptance 4 of issue 4.
def test_rules_with_filters_carry_images_over_unchanged(hub):
    rules = [
        rule("in", **{"from": "source", "repositories": ["team/app", "lib/base"],
                      "tags": [{"semver": ">=1.0"}, "edge"], "without": {"tags": ["*-rc*"]},
                      "rename": "mirror/{repository}"}),
        rule("out", **{"to": "target", "repositories": ["mirror/**"],
                       "without": {"repositories": ["mirror/lib/*"]}, "rename": "{name}"}),
    ]
    with Registry() as source, Registry() as target, site(
            hub, [peer("source", source.url), peer("target", target.url)], rules) as daemon:
        wanted = {tag: image(tag) for tag in ("1.0.0", "1.2.0", "2.0.0", "edge")}
        wanted["edge"] = images.index_of([image("a"), image("b", architecture="arm64")],
                                         platforms=[images.ARCHITECTURES["amd64"],
                                                    images.ARCHITECTURES["arm64"]])
        wanted["1.2.0"] = image("docker", kind="docker")
        for tag, one in wanted.items():
            source.push(one, "team/app", tag)
        for tag in ("0.9.0", "2.1.0-rc1", "nightly"):
            source.push(image(tag), "team/app", tag)
        base = image("base")
        source.push(base, "lib/base", "1.0.0")
        source.push(image("other"), "team/other", "1.0.0")

        planned = sync(daemon, "in", dry_run="true")
        assert planned.changed == len(wanted) + 1
        assert digest_at(daemon.address, "mirror/team/app", "1.0.0") is None
        done = sync(daemon, "in")
        assert (done.changed, done.failed) == (len(wanted) + 1, 0), done
        assert done.bytes == planned.bytes
        assert sync(daemon, "out").failed == 0

        for tag, one in wanted.items():
            walk.pull(daemon.address, "mirror/team/app", tag, one)
            walk.pull(target.address, "app", tag, one)
        walk.pull(daemon.address, "mirror/lib/base", "1.0.0", base)
        assert fetch(target.address, "/v2/_catalog").json()["repositories"] == ["app"]
        tags = fetch(target.address, "/v2/app/tags/list").json()["tags"]
        assert sorted(tags) == sorted(wanted)

        # And again: nothing moves.
        source.forget()
        target.forget()
        again = sync(daemon, "in")
        assert (again.changed, again.bytes, again.blobs_moved) == (0, 0, 0)
        assert sync(daemon, "out").bytes == 0
        assert source.gets("blobs/") == 0
        assert not [a for a in target.accesses() if a.method in ("POST", "PUT", "PATCH")]


def test_platforms_and_signatures_come_as_the_rule_says(hub):
    rules = [rule("in", **{"from": "source", "repositories": ["team/app"],
                           "platforms": ["linux/arm64"]})]
    with hostile.Upstream() as upstream:
        amd, arm = image("amd"), image("arm", architecture="arm64")
        whole = images.index_of([amd, arm], platforms=[images.ARCHITECTURES["amd64"],
                                                       images.ARCHITECTURES["arm64"]])
        upstream.add(whole, "team/app", "v1")
        signature = sign(arm)
        upstream.add(signature, "team/app", None)
        with site(hub, [peer("source", upstream.url)], rules) as daemon:
            assert sync(daemon, "in").failed == 0
            assert digest_at(daemon.address, "team/app", "v1") == whole.digest
            walk.pull(daemon.address, "team/app", arm.digest, arm)
            walk.pull(daemon.address, "team/app", signature.digest, signature)
            assert digest_at(daemon.address, "team/app", amd.digest) is None
            found = daemon.get(f"/v2/team/app/referrers/{arm.digest}").json()
            assert [one["digest"] for one in found["manifests"]] == [signature.digest]


def sign(subject):
    """Something that refers to an image."""
    signed = image("signature")
    body = signed.json()
    body.update(artifactType="application/x-signature",
                subject={"mediaType": subject.root.media_type, "digest": subject.digest,
                         "size": len(subject.root.body)})
    root = images.Manifest(images.OCI_MANIFEST, images.dump(body))
    return images.Image(root, blobs=signed.blobs)


@pytest.mark.row("N-06", "N-10", "C-02")
@pytest.mark.limit(900 if LONG else 60)
def test_a_big_blob_that_breaks_off_comes_by_range(hub):
    whole = big_image()
    layer = whole.layers()[0]
    with hostile.Upstream() as upstream, site(
            hub, [peer("source", upstream.url)],
            [rule("in", **{"from": "source", "repositories": ["big/app"]})]) as daemon:
        upstream.add(whole, "big/app", "v1")
        upstream.script(layer, hostile.cut(BIG // (INTERRUPTIONS + 2)), times=INTERRUPTIONS,
                        method="GET")
        for _ in range(INTERRUPTIONS):  # a run that gave up goes on where it was
            if sync(daemon, "in").failed == 0:
                break
        assert digest_at(daemon.address, "big/app", "v1") == whole.digest
        assert daemon.blob("big/app", layer).body == whole.blobs[layer]
        asked = upstream.seen("GET", layer)
        assert len(asked) == INTERRUPTIONS + 1
        starts = [hostile.range_of(request, BIG) or (0, BIG) for request in asked]
        assert starts == sorted(starts) and len(set(starts)) == len(starts)
        assert sum(request.sent for request in asked) <= 1.02 * BIG
        assert not daemon.partials()


@pytest.mark.row("N-10", "D-01")
@pytest.mark.limit(900 if LONG else 60)
def test_a_big_blob_goes_on_after_kill_9(hub):
    whole = big_image()
    layer = whole.layers()[0]
    with hostile.Upstream() as upstream, site(
            hub, [peer("source", upstream.url)],
            [rule("in", **{"from": "source", "repositories": ["big/app"],
                           "when": {"every": "1s"}})]) as daemon:
        upstream.add(whole, "big/app", "v1")
        upstream.rate = BIG // 6
        for part in (1, 2, 3):
            process.wait_for(lambda: upstream_sent(upstream, layer) > part * BIG // 5, 300,
                             "a part of the blob")
            daemon.kill9()
            daemon.start()
        process.wait_for(lambda: digest_at(daemon.address, "big/app", "v1") == whole.digest, 300,
                         "the image", step=0.2)
        assert daemon.blob("big/app", layer).body == whole.blobs[layer]
        # What was on the line when it died came twice, not more.
        assert upstream_sent(upstream, layer) <= BIG + 3 * 8 * MIB


def upstream_sent(upstream, digest):
    return sum(request.sent for request in upstream.seen("GET", digest))


# docker-registry throws an upload away whose PATCH broke off, so what resumes there are only whole
# pieces; by offset it goes on elsewhere (test_pushing.py).
@pytest.mark.row("N-06", "N-10")
@pytest.mark.limit(900 if LONG else 60)
def test_a_big_blob_reaches_a_registry_that_cannot_resume(hub):
    whole = big_image()
    with Registry() as target, Relay(target.port) as line, site(
            hub, [peer("target", line.url)],
            [rule("out", to="target", repositories=["big/**"])]) as daemon:
        images.push(whole, daemon.address, "big/app", "v1")
        line.cuts, line.cut_after = INTERRUPTIONS, BIG // (INTERRUPTIONS + 2)
        for _ in range(INTERRUPTIONS + 1):
            if sync(daemon, "out").failed == 0:
                break
        assert line.cut_so_far == INTERRUPTIONS
        walk.pull(target.address, "big/app", "v1", whole)


def test_what_fails_stops_nothing_else(hub):
    with hostile.Upstream() as upstream, site(
            hub, [peer("source", upstream.url)],
            [rule("in", **{"from": "source", "repositories": ["team/*"]})]) as daemon:
        good, bad = image("good"), image("bad")
        upstream.add(good, "team/good", "v1")
        upstream.add(bad, "team/bad", "v1")
        upstream.script("/v2/_catalog", hostile.status(
            200, json.dumps({"repositories": ["team/bad", "team/good"]}).encode()))
        upstream.script(bad.layers()[0], hostile.wrong_bytes, method="GET")
        done = sync(daemon, "in")
        assert (done.changed, done.failed) == (1, 1), done
        walk.pull(daemon.address, "team/good", "v1", good)
        assert digest_at(daemon.address, "team/bad", "v1") is None
        assert bad.layers()[0].partition(":")[2] not in daemon.stored_blobs()
