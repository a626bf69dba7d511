"""Manifests pushed: what they may be, what they may list, and tags under many hands (catalogue M)."""

import concurrent.futures
import json
import random
import threading
import time

import pytest
from support import daemon, images, push

NOWHERE = "http://127.0.0.1:1"
MOST = 4 * 1024 * 1024


@pytest.fixture(scope="module")
def server():
    with daemon.Daemon({"upstreams": [daemon.hub_of(NOWHERE)]}, ["--open"]) as running:
        yield running


@pytest.fixture
def app(server, request):
    name = "".join(c if c.isalnum() else "-" for c in request.node.name.lower()).strip("-")
    while "--" in name:
        name = name.replace("--", "-")
    return push.Repository(server.address, f"m/{name}")


def refused(answer, code="MANIFEST_INVALID", status=400):
    assert (answer.status, answer.code) == (status, code), answer


def parts(repository, seed="parts", **more):
    """A manifest as a dictionary whose config and one layer are there."""
    config, layer = b"{}", images.blob(1000, seed)
    repository.push_blob(config)
    repository.push_blob(layer)
    return {"schemaVersion": 2, "mediaType": images.OCI_MANIFEST,
            "config": {"mediaType": images.OCI_CONFIG, "digest": push.digest_of(config), "size": 2},
            "layers": [{"mediaType": images.OCI_LAYER, "digest": push.digest_of(layer),
                        "size": 1000}], **more}


# ---- what a manifest is ------------------------------------------------------------------------

@pytest.mark.row("M-01")
def test_manifests_of_two_kinds_are_none(app):
    good = parts(app)
    both = {**good, "manifests": [{"mediaType": images.OCI_MANIFEST, "digest": push.digest_of(b"x"),
                                   "size": 1}]}
    for kind in (images.OCI_MANIFEST, images.OCI_INDEX, images.DOCKER_MANIFEST, images.DOCKER_LIST):
        refused(app.put_manifest(images.dump({**both, "mediaType": kind}), "v1", kind))
    refused(app.put_manifest(images.dump(good), "v1", images.OCI_INDEX))
    refused(app.put_manifest(images.dump(good), "v1", images.DOCKER_MANIFEST))
    text = images.dump(good).decode()
    for name in ("mediaType", "layers", "config", "schemaVersion"):
        twice = text.replace(f'"{name}":', f'"{name}": 0, "{name}":', 1)
        refused(app.put_manifest(twice.encode(), "v1"))
    assert app.tags() == []


@pytest.mark.row("M-01", "M-15")
def test_the_type_pulled_is_the_type_pushed(app):
    for kind in ("oci", "docker"):
        image = images.small(kind, kind=kind)
        app.push_image(image, kind)
        for accept in (image.root.media_type, "*/*", images.OCI_INDEX, images.DOCKER_LIST,
                       images.SCHEMA1, "text/html"):
            answer = app.manifest(kind, Accept=accept)
            assert answer.status == 200 and answer.body == image.root.body, (accept, answer)
            assert answer.header("Content-Type") == image.root.media_type


@pytest.mark.row("M-03")
def test_a_manifest_under_another_digest_is_refused(server, app):
    body = images.dump(parts(app))
    before = server.stored_blobs()
    for other in (push.digest_of(body + b" "), push.digest_of(body + b" ", "sha512")):
        refused(app.put_manifest(body, other), "DIGEST_INVALID")
    assert server.stored_blobs() == before
    assert app.manifest(push.digest_of(body)).status == 404
    for algorithm in ("sha256", "sha512"):
        digest = push.digest_of(body, algorithm)
        answer = app.put_manifest(body, digest)
        assert answer.status == 201 and answer.header("Docker-Content-Digest") == digest, answer
        assert answer.header("Location").endswith(digest)
        assert app.manifest(digest).body == body


@pytest.mark.row("M-04")
def test_sha512_everywhere(app):
    layer = images.blob(5000, "512")
    image = parts(app)
    image["layers"] = [{"mediaType": images.OCI_LAYER, "size": 5000,
                        "digest": app.push_blob(layer, "sha512")}]
    body = images.dump(image)
    digest = push.digest_of(body, "sha512")
    assert app.put_manifest(body, digest, tags=["long"]).status == 201
    assert app.manifest("long").header("Docker-Content-Digest") == digest
    assert app.blob(push.digest_of(layer, "sha512")).body == layer
    # the same bytes by their other name were never pushed
    assert app.blob(push.digest_of(layer), "HEAD").status == 404
    assert app.manifest(push.digest_of(body)).status == 404
    referrer = images.dump({**parts(app, "referrer"), "artifactType": "text/x",
                            "subject": {"mediaType": images.OCI_MANIFEST, "digest": digest,
                                        "size": len(body)}})
    answer = app.put_manifest(referrer, push.digest_of(referrer, "sha512"))
    assert answer.status == 201 and answer.header("OCI-Subject") == digest
    listed = app.request("GET", f"referrers/{digest}").json()["manifests"]
    assert [each["digest"] for each in listed] == [push.digest_of(referrer, "sha512")]
    mounted = push.Repository(app.address, app.name + "/mounted")
    assert mounted.post(mount=push.digest_of(layer, "sha512"), **{"from": app.name}).status == 201


@pytest.mark.row("M-05")
def test_manifests_are_of_limited_size(server, app):
    image = parts(app)
    room = MOST - len(images.dump({**image, "annotations": {"pad": ""}}))
    fits = images.dump({**image, "annotations": {"pad": "x" * room}})
    assert len(fits) == MOST
    before = server.rss()
    answer = app.put_manifest(fits, "large")
    assert answer.status == 201, answer
    assert app.manifest("large").body == fits
    for size in (MOST + 1, MOST + 1_000_000):
        refused(app.put_manifest(fits + b" " * (size - MOST), "v1"), status=413)
    session = push.Session(app, f"/v2/{app.name}/manifests/v1")
    body = push.chunked([b" " * 65536] * 100)
    lines = f"Content-Type: {images.OCI_MANIFEST}\r\nTransfer-Encoding: chunked"
    assert session.send_raw("PUT", session.location, lines, body) == 413
    assert server.rss() - before < 64 << 20
    layer = image["layers"][0]["digest"]
    assert app.manifest(layer).status == 404


HOSTILE = {
    "10 000 deep": b'{"schemaVersion":2,"x":' + b"[" * 10_000 + b"]" * 10_000 + b"}",
    "10 000 objects deep": b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    "not closed": b"[" * 1_000_000,
    "a huge number": b'{"schemaVersion":2' + b"0" * 1_000_000 + b"}",
    "an exponent": b'{"schemaVersion":2e99999999}',
    "invalid UTF-8": b'{"schemaVersion":2,"x":"\xff\xfe"}',
    "a lone surrogate": b'{"schemaVersion":2,"x":"\\ud800"}',
    "a NUL": b'{"schemaVersion":2,"x":"\x00"}',
    "not an object": b"[]", "nothing": b"", "a text": b'"x"', "null": b"null",
    "two documents": b'{"schemaVersion":2}{"schemaVersion":2}',
    "many keys": b'{"schemaVersion":2,' + b",".join(b'"%d":0' % n for n in range(200_000)) + b"}"}


@pytest.mark.row("M-06")
@pytest.mark.parametrize("how", HOSTILE)
def test_hostile_json_is_refused_quickly(server, app, how):
    before = server.rss()
    for kind in (images.OCI_MANIFEST, images.OCI_INDEX):
        answer = app.put_manifest(HOSTILE[how], "v1", kind)
        refused(answer)
        assert answer.seconds < (3 if "asan" in daemon.BINARY else 0.5), answer.seconds
    assert server.rss() - before < 128 << 20
    assert app.tags() == []


@pytest.mark.row("M-07")
def test_sizes_must_be_true(app):
    image = parts(app)
    for size in (-1, -(2**63), 2**63, 2**64, 2**64 + 1000, 1e3, 1000.5, "1000", None, True, 999, 1001,
                 0):
        layer = {**image["layers"][0], "size": size}
        refused(app.put_manifest(images.dump({**image, "layers": [layer]}), "v1"))
    without = {key: value for key, value in image["layers"][0].items() if key != "size"}
    refused(app.put_manifest(images.dump({**image, "layers": [without]}), "v1"))
    assert app.put_manifest(images.dump(image), "v1").status == 201


# ---- what a manifest lists ---------------------------------------------------------------------

def listing_of(absent):
    return [{"mediaType": images.OCI_LAYER, "digest": digest, "size": 5} for digest in absent]


@pytest.mark.row("M-08")
def test_what_is_missing_is_named(app):
    image = parts(app)
    absent = [push.digest_of(bytes([n])) for n in range(3)]
    answer = app.put_manifest(images.dump({**image, "layers": image["layers"] + listing_of(absent)}),
                              "v1")
    refused(answer, "MANIFEST_BLOB_UNKNOWN", 404)
    assert all(digest in push.error_details(answer) for digest in absent)
    answer = app.put_manifest(images.dump({**image, "config": listing_of(absent)[0]}), "v1")
    refused(answer, "MANIFEST_BLOB_UNKNOWN", 404)
    index = {"schemaVersion": 2, "mediaType": images.OCI_INDEX, "manifests": [
        {"mediaType": images.OCI_MANIFEST, "digest": absent[0], "size": 7}]}
    refused(app.put_manifest(images.dump(index), "v1", images.OCI_INDEX), "MANIFEST_BLOB_UNKNOWN", 404)
    assert app.tags() == []
    subject = {"mediaType": images.OCI_MANIFEST, "digest": absent[1], "size": 9}
    answer = app.put_manifest(images.dump({**image, "subject": subject}), "signed")
    assert answer.status == 201 and answer.header("OCI-Subject") == absent[1]
    listed = app.request("GET", f"referrers/{absent[1]}").json()["manifests"]
    assert len(listed) == 1


@pytest.mark.row("M-08", "A-03")
def test_what_another_repository_has_is_missing_here(server, app):
    image = parts(push.Repository(server.address, app.name + "/elsewhere"), "elsewhere")
    refused(app.put_manifest(images.dump(image), "v1"), "MANIFEST_BLOB_UNKNOWN", 404)


@pytest.mark.row("M-08")
@pytest.mark.parametrize("missing, layers, children", [("refuse", 404, 404),
                                                       ("allow_children", 404, 201),
                                                       ("allow", 201, 201)])
def test_sparse_content_by_policy(start, missing, layers, children):
    server = start(daemon.hub_of(NOWHERE), flags=["--open"], registry={"missing": missing})
    app = push.Repository(server.address, "sparse/app")
    image = parts(app)
    digest = push.digest_of(b"away")
    index = {"schemaVersion": 2, "mediaType": images.OCI_INDEX, "manifests": [
        {"mediaType": images.OCI_MANIFEST, "digest": digest, "size": 7}]}
    sparse = {**image, "layers": listing_of([digest])}
    assert app.put_manifest(images.dump(sparse), "image").status == layers
    assert app.put_manifest(images.dump(index), "index", images.OCI_INDEX).status == children
    assert app.put_manifest(images.dump(image), "whole").status == 201


@pytest.mark.row("M-10")
def test_a_doubling_graph_costs_nothing(app):
    image = images.small("doubling", kind="oci")
    app.push_image(image, "level-0")
    child = image.root
    for level in range(40):
        body = images.dump({"schemaVersion": 2, "mediaType": images.OCI_INDEX, "manifests": [
            {**child.descriptor(), "platform": {"os": "linux", "architecture": name}}
            for name in ("amd64", "arm64")]})
        child = images.Manifest(images.OCI_INDEX, body)
        answer = app.put_manifest(child, f"level-{level + 1}")
        # nesting deeper than anybody needs may be refused, at once
        assert answer.status == 201 or level >= 8 and answer.status == 400, (level, answer)
        assert answer.seconds < 2, (level, answer.seconds)
        if answer.status != 201:
            break
    assert app.manifest("level-8").status == 200


# ---- tags --------------------------------------------------------------------------------------

def test_several_tags_at_once(app):
    body = images.dump(parts(app))
    answer = app.put_manifest(body, push.digest_of(body), tags=["a", "b", "c"])
    assert answer.status == 201, answer
    named = {tag.strip() for value in answer.all("OCI-Tag") for tag in value.split(",")}
    assert named == {"a", "b", "c"}
    assert app.tags() == ["a", "b", "c"]
    assert app.put_manifest(body, push.digest_of(body), tags=["good", ".bad"]).status == 400
    assert app.tags() == ["a", "b", "c"]


@pytest.mark.row("M-09")
def test_one_of_a_thousand_tags_is_deleted(app):
    body = images.dump(parts(app))
    names = [f"v{number:04}" for number in range(1000)]
    for start in range(0, 1000, 100):
        assert app.put_manifest(body, push.digest_of(body), tags=names[start:start + 100]).status == 201
    assert app.tags() == names
    assert app.request("DELETE", f"manifests/{names[500]}").status == 202
    assert app.manifest(names[500]).status == 404
    assert app.tags() == names[:500] + names[501:]
    for name in (names[0], names[499], names[501], names[999]):
        assert app.manifest(name).body == body
    assert app.manifest(push.digest_of(body)).body == body


@pytest.mark.row("M-11")
def test_tags_that_look_like_signatures(app):
    body = images.dump(parts(app))
    hexes = push.digest_of(body).split(":")[1]
    plain = [f"sha256-{hexes}.sig", f"sha256-{hexes}", "sha256-", "sha256-x.sig", f"sha256-{hexes[:10]}",
             "sha512-" + "0" * 100, "_", "A", "0" * 128]
    for tag in plain:
        assert app.put_manifest(body, tag).status == 201, tag
        assert app.manifest(tag).body == body
    for tag in ("0" * 129, ".x", "-x", "x%2fy", "x+y", "sha256:", "x%0ay", "%20"):
        assert app.put_manifest(body, tag).status in (400, 404), tag
    assert app.tags() == sorted(plain)
    assert app.request("GET", f"referrers/{push.digest_of(body)}").json()["manifests"] == []


@pytest.mark.row("M-12")
def test_a_hundred_clients_put_one_tag(server, app):
    base = parts(app)
    bodies = [images.dump({**base, "annotations": {"number": str(n)}}) for n in range(100)]
    digests = {push.digest_of(body) for body in bodies}
    stop, wrong = threading.Event(), []

    def watch():
        while not stop.is_set():
            answer = app.manifest("race")
            if seen and (answer.status != 200 or push.digest_of(answer.body) not in digests):
                wrong.append(answer)

    seen = [app.put_manifest(bodies[0], "race").status]
    watcher = threading.Thread(target=watch)
    watcher.start()
    with concurrent.futures.ThreadPoolExecutor(100) as pool:
        answers = list(pool.map(lambda body: app.put_manifest(body, "race"), bodies))
    stop.set()
    watcher.join(20)
    assert [answer.status for answer in answers] == [201] * 100
    assert not wrong, wrong[0]
    final = app.manifest("race").header("Docker-Content-Digest")
    server.kill9()
    server.restart(keep_address=True)
    assert app.manifest("race").header("Docker-Content-Digest") == final
    assert all(app.manifest(digest).status == 200 for digest in digests)


@pytest.mark.row("M-17")
def test_a_list_while_tags_come_and_go(app):
    body = images.dump(parts(app))
    digest = push.digest_of(body)
    staying = [f"stay-{number:03}" for number in range(200)]
    for start in range(0, 200, 100):
        assert app.put_manifest(body, digest, tags=staying[start:start + 100]).status == 201
    stop = threading.Event()

    def churn(seed):
        choose = random.Random(seed)
        while not stop.is_set():
            tag = f"{choose.choice(['a', 'stay-050', 'z'])}-{choose.randrange(50)}"
            app.put_manifest(body, tag)
            app.request("DELETE", f"manifests/{tag}")

    workers = [threading.Thread(target=churn, args=(seed,)) for seed in range(3)]
    for worker in workers:
        worker.start()
    try:
        end = time.monotonic() + 5
        walks = 0
        while time.monotonic() < end:
            found, path = [], "tags/list?n=7"
            while path:
                answer = app.request("GET", path)
                found += answer.json()["tags"]
                link = answer.header("Link", "")
                path = link[link.index("tags/list"):link.index(">")] if link else None
            assert len(found) == len(set(found)) and found == sorted(found)
            assert [tag for tag in found if tag in set(staying)] == staying
            walks += 1
        assert walks > 3
    finally:
        stop.set()
        for worker in workers:
            worker.join(20)


def test_names_and_tags_that_are_none(server):
    body = b"{}"
    for name in ("Upper", "a//b", "-a", "a-", "a..b", "a/" + "b" * 255):
        answer = push.Repository(server.address, name).put_manifest(body, "v1")
        assert answer.status in (400, 404), (name, answer)
        assert push.Repository(server.address, name).post().status in (400, 404), name


def test_a_manifest_needs_its_type(app):
    body = images.dump(parts(app))
    answer = app.request("PUT", "manifests/v1", body)
    refused(answer)
    assert json.loads(answer.body)["errors"]
