"""Shared bytes, separate rights: what one repository or account earned gives another nothing."""

import time

import pytest
from support import hostile, images, process, push, walk
from support.daemon import hub_of, upstream_at

IMAGE = images.small("private")
NAME = "team/app"


@pytest.fixture
def guarded():
    with hostile.Upstream(auth=hostile.BasicAuth("bot", "s3cret")) as server:
        server.add(IMAGE, NAME, "v1")
        yield server


@pytest.fixture
def both(start, guarded, tmp_path):
    """One daemon that knows the same registry with and without the account."""
    (tmp_path / "password").write_text("s3cret\n")
    quick = {"freshness": {"fresh": "60s", "negative": "1s"}}
    return start(upstream_at("priv", guarded.url, username="bot",
                             password_file=str(tmp_path / "password"), **quick),
                 upstream_at("anon", guarded.url, **quick))


def targets():
    yield "manifests/v1"
    yield f"manifests/{IMAGE.digest}"
    yield from (f"blobs/{digest}" for digest in IMAGE.blobs)


@pytest.mark.row("C-20")
def test_an_account_without_right_gets_the_same_before_and_after_caching(both):
    before = [both.get(f"/v2/anon/{NAME}/{t}") for t in targets()]
    walk.hold(both, f"priv/{NAME}", "v1", IMAGE)
    time.sleep(1.1)  # past the time to live of negative answers
    after = [both.get(f"/v2/anon/{NAME}/{t}") for t in targets()]
    for first, second in zip(before, after):
        assert first.status in (401, 403, 404), first
        assert (second.status, second.body) == (first.status, first.body)
        assert not {"ETag", "Docker-Content-Digest", "Age"} & {name for name, _ in second.headers}


@pytest.mark.row("C-20", "C-22")
def test_a_digest_is_unknown_in_every_other_repository(both, guarded):
    guarded.add(images.small("other"), "team/other", "v1")
    walk.hold(both, f"priv/{NAME}", "v1", IMAGE)
    for name in ("priv/team/other", "priv/none/such", "team/other"):
        for digest in IMAGE.blobs:
            assert both.blob(name, digest).status == 404
            assert both.head(f"/v2/{name}/blobs/{digest}").status == 404
            assert both.blob(name, digest, {"Range": "bytes=0-1"}).status == 404
        assert both.manifest(name, IMAGE.digest).status == 404


@pytest.mark.row("A-17")
def test_a_user_without_right_is_answered_the_same_before_and_after_caching(start, upstream,
                                                                            tmp_path):
    upstream.add(IMAGE, NAME, "v1")
    users = push.htpasswd(tmp_path / "htpasswd", "alice", "bob")
    mirror = start(upstream_at("priv", upstream.url),
                   access={"htpasswd": str(users),
                           "rules": [{"who": "alice", "repositories": ["priv/**"], "may": ["pull"]}]})
    paths = [f"/v2/priv/{NAME}/{target}" for target in targets()]
    before = [mirror.get(path, push.basic("bob")) for path in paths]
    for path in paths:
        assert mirror.get(path, push.basic("alice")).status == 200
    after = [mirror.get(path, push.basic("bob")) for path in paths]
    assert [each.status for each in before] == [403] * len(paths)
    assert [(each.status, each.body) for each in after] == [(403, each.body) for each in before]
    assert all(mirror.get(path).status == 401 for path in paths)


@pytest.mark.row("C-20", "C-22")
def test_another_upstream_earns_its_own_right(start, upstream, guarded, tmp_path):
    (tmp_path / "password").write_text("s3cret\n")
    mirror = start(upstream_at("priv", guarded.url, username="bot",
                               password_file=str(tmp_path / "password")),
                   upstream_at("open", upstream.url, freshness={"negative": "1s"}))
    walk.hold(mirror, f"priv/{NAME}", "v1", IMAGE)
    layer = IMAGE.layers()[0]
    assert mirror.blob(f"open/{NAME}", layer).status == 404
    upstream.add(IMAGE, NAME, "v1")
    process.wait_for(lambda: mirror.blob(f"open/{NAME}", layer).status == 200, 12, "the right earned")
    asked = upstream.seen(text=layer)
    assert asked, "it was asked there"
    assert not [r for r in asked if r.header("Authorization")]


@pytest.mark.row("C-22")
def test_a_listed_digest_is_served_after_the_manifest_was_seen(upstream, mirror):
    upstream.add(IMAGE, NAME, "v1")
    walk.hold(mirror, NAME, "v1", IMAGE)
    upstream.add(IMAGE, "team/copy", "v1")
    mirror.link("team/copy", "v1")
    gets = upstream.count("GET", "/blobs/")
    for digest, data in IMAGE.blobs.items():
        assert mirror.blob("team/copy", digest).body == data
    assert upstream.count("GET", "/blobs/") == gets, "the bytes are shared"


@pytest.mark.row("C-21")
def test_a_revoked_account_keeps_what_is_held_and_says_it_is_stale(both, guarded):
    both.config["upstreams"][0]["freshness"] = {"fresh": "0s", "negative": "1s"}
    both.restart()
    walk.hold(both, f"priv/{NAME}", "v1", IMAGE)
    guarded.auth = hostile.BasicAuth("bot", "changed")
    answer = both.manifest(f"priv/{NAME}", "v1")
    assert answer.status == 200 and "stale" in answer.header("Cache-Status")
    assert both.blob(f"priv/{NAME}", IMAGE.layers()[0]).status == 200
    fresh = images.small("new and private")
    guarded.add(fresh, NAME, "v2")
    assert both.manifest(f"priv/{NAME}", "v2").status == 403


@pytest.mark.row("C-21")
def test_a_deleted_repository_is_gone_by_tag(both, guarded):
    both.config["upstreams"][0]["freshness"] = {"fresh": "0s", "negative": "1s"}
    both.restart()
    walk.hold(both, f"priv/{NAME}", "v1", IMAGE)
    guarded.remove(NAME)
    assert both.manifest(f"priv/{NAME}", "v1").status == 404


QUICK = {"freshness": {"fresh": "0s", "negative": "1s"}, "retries": 0}


@pytest.mark.row("C-18", "C-22")
@pytest.mark.parametrize("offline", [False, True])
def test_a_tag_answered_without_upstream_has_all_its_content(start, upstream, offline):
    image = images.index_of([images.small(n, kind="oci") for n in "ab"])
    for name in ("t/staging", "t/prod"):
        upstream.add(image, name, "v1")
    mirror = start(upstream_at("aa", upstream.url, **QUICK))
    walk.hold(mirror, "aa/t/staging", "v1", image)
    assert mirror.manifest("aa/t/prod", "v1").status == 200
    upstream.close()
    if offline:
        mirror.config["upstreams"][0]["offline"] = True
        mirror.restart()
    walk.pull(mirror.address, "aa/t/prod", "v1", image)
    for digest in image.blobs:
        assert mirror.head(f"/v2/aa/t/prod/blobs/{digest}").status == 200


@pytest.mark.row("C-18", "C-20", "C-22")
def test_a_tag_whose_content_only_another_upstream_gave_is_not_answered(start, upstream):
    with hostile.Upstream() as other:
        for server in (upstream, other):
            server.add(IMAGE, NAME, "v1")
        mirror = start(upstream_at("aa", upstream.url), upstream_at("bb", other.url, **QUICK))
        walk.hold(mirror, f"aa/{NAME}", "v1", IMAGE)
        assert mirror.manifest(f"bb/{NAME}", "v1").status == 200
    assert mirror.manifest(f"bb/{NAME}", "v1").status in (502, 504)
    assert mirror.blob(f"bb/{NAME}", IMAGE.layers()[0]).status in (502, 504)
    assert mirror.manifest(f"aa/{NAME}", "v1").status == 200


@pytest.mark.row("M-01", "C-13")
def test_an_upstream_cannot_give_anothers_manifest_its_type(start, upstream):
    manifest = images.small("untyped", kind="oci").json()
    del manifest["mediaType"]
    body = images.dump(manifest)
    digest = images.sha256(body)

    def claim(kind):
        return lambda exchange: exchange.send(hostile.plain(
            200, body, [("Content-Type", kind), ("Docker-Content-Digest", digest)]))

    with hostile.Upstream() as liar:
        liar.script("/manifests/", claim(images.DOCKER_MANIFEST))
        upstream.script("/manifests/", claim(images.OCI_MANIFEST))
        mirror = start(upstream_at("liar", liar.url), upstream_at("true", upstream.url))
        assert mirror.manifest("liar/t/app", digest).status == 502
        for _ in range(2):
            answer = mirror.manifest("true/t/app", digest)
            assert answer.status == 200 and answer.body == body
            assert answer.header("Content-Type") == images.OCI_MANIFEST


@pytest.mark.row("C-20")
def test_what_a_removed_upstream_left_is_nobodys(both):
    walk.hold(both, f"priv/{NAME}", "v1", IMAGE)
    assert f"priv/{NAME}" in both.get("/v2/_catalog").json()["repositories"]
    removed = both.config["upstreams"].pop(0)
    for reserved in ([], ["**"]):
        both.config["local"] = reserved
        both.restart()
        for target in targets():
            assert both.get(f"/v2/priv/{NAME}/{target}").status in (401, 403, 404), target
        assert both.get(f"/v2/priv/{NAME}/tags/list").status in (401, 403, 404)
        assert both.get("/v2/_catalog").json()["repositories"] == []
    both.config["local"] = []
    both.config["upstreams"].insert(0, removed)
    both.restart()
    assert both.manifest(f"priv/{NAME}", "v1").status == 200


@pytest.mark.row("C-23")
def test_the_refusal_of_one_account_is_not_the_refusal_of_another(both):
    for target in targets():
        assert both.get(f"/v2/anon/{NAME}/{target}").status in (401, 403, 404)
        assert both.get(f"/v2/priv/{NAME}/{target}").status == 200
        assert both.get(f"/v2/anon/{NAME}/{target}").status in (401, 403, 404)


@pytest.mark.row("C-23")
def test_a_missing_tag_at_one_upstream_is_not_missing_at_another(start, upstream):
    with hostile.Upstream() as other:
        other.add(IMAGE, NAME, "v1")
        mirror = start(hub_of(upstream.url), upstream_at("other", other.url))
        assert mirror.manifest(NAME, "v1").status == 404
        assert mirror.manifest(f"other/{NAME}", "v1").status == 200
