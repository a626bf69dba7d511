"""How old a tag may be: fresh, revalidated, stale, offline, pinned, rolled back, throttled."""

import time

import pytest
from support import hostile, images, process, walk
from support.daemon import hub_of

NAME = "org/app"
FIRST, SECOND = images.small("first"), images.small("second")


def status_of(answer):
    return answer.header("Cache-Status", "")


def mirror_with(start, upstream, **freshness):
    upstream.add(FIRST, NAME, "v1")
    mirror = start(hub_of(upstream.url, retries=0, freshness={"negative": "1s", **freshness}))
    walk.hold(mirror, NAME, "v1", FIRST)
    upstream.calm()
    return mirror


def test_a_fresh_tag_is_not_asked_again(start, upstream):
    mirror = mirror_with(start, upstream, fresh="60s")
    answer = mirror.manifest(NAME, "v1")
    assert status_of(answer) == "entrepot; hit"
    assert int(answer.header("Age")) <= 2
    assert upstream.count() == 0


@pytest.mark.row("C-18")
def test_an_old_tag_is_revalidated_by_head_never_by_get(start, upstream):
    mirror = mirror_with(start, upstream, fresh="0s")
    answer = mirror.manifest(NAME, "v1")
    assert answer.body == FIRST.root.body
    assert status_of(answer) == "entrepot; hit; detail=revalidated"
    assert upstream.count("HEAD", "/manifests/v1") == 1
    assert upstream.count("GET", "/manifests/") == 0


@pytest.mark.row("C-18")
def test_a_moved_tag_is_followed_after_its_time(start, upstream):
    mirror = mirror_with(start, upstream, fresh="1s")
    upstream.add(SECOND, NAME, "v1")
    assert mirror.manifest(NAME, "v1").body == FIRST.root.body
    process.wait_for(lambda: mirror.manifest(NAME, "v1").body == SECOND.root.body, 5, "the new tag")
    walk.hold(mirror, NAME, "v1", SECOND)
    assert mirror.manifest(NAME, FIRST.digest).body == FIRST.root.body


@pytest.mark.row("C-18")
@pytest.mark.parametrize("fault", ["closed", "500", "503", "hang", "403", "401", "429"])
def test_stale_is_served_while_upstream_fails(start, upstream, fault):
    upstream.add(FIRST, NAME, "v1")
    mirror = start(hub_of(upstream.url, retries=0, freshness={"fresh": "0s", "stale_if_error": "1h"},
                          timeouts={"connect": "1s", "first_byte": "1s", "idle": "1s"}))
    walk.hold(mirror, NAME, "v1", FIRST)
    if fault == "closed":
        upstream.close()
    else:
        upstream.script("/v2/", hostile.hang(30) if fault == "hang" else hostile.status(int(fault)))
    answer = mirror.manifest(NAME, "v1")
    assert answer.status == 200 and answer.body == FIRST.root.body, answer
    assert status_of(answer) == "entrepot; hit; detail=stale"
    assert answer.header("Age") is not None
    assert any(w.startswith("110 ") for w in answer.all("Warning"))
    assert any(w.startswith("111 ") for w in answer.all("Warning"))
    assert mirror.metric("entrepot_stale_served_total", upstream="hub") >= 1
    for digest, data in FIRST.blobs.items():
        assert mirror.blob(NAME, digest).body == data


@pytest.mark.row("C-18")
def test_stale_ends_at_its_limit(start, upstream):
    mirror = mirror_with(start, upstream, fresh="1s", stale_if_error="2s")
    upstream.close()
    assert mirror.manifest(NAME, "v1").status == 200
    answer = process.wait_for(lambda: (a := mirror.manifest(NAME, "v1")).status != 200 and a, 8,
                              "the end of stale answers")
    assert answer.status in (502, 504)
    assert mirror.manifest(NAME, FIRST.digest).status == 200, "a digest has no age"


def test_stale_while_revalidate_answers_at_once(start, upstream):
    mirror = mirror_with(start, upstream, fresh="0s", stale_while_revalidate="1h")
    upstream.add(SECOND, NAME, "v1")
    upstream.script("/manifests/v1", hostile.after(1, None))
    answer = mirror.manifest(NAME, "v1")
    assert answer.body == FIRST.root.body and answer.seconds < 0.5
    assert status_of(answer) == "entrepot; hit; detail=stale"
    process.wait_for(lambda: mirror.manifest(NAME, "v1").body == SECOND.root.body, 8, "the new tag")


def test_digests_never_ask_upstream_once_held(start, upstream):
    mirror = mirror_with(start, upstream, fresh="0s")
    for _ in range(3):
        assert mirror.manifest(NAME, FIRST.digest).status == 200
        assert mirror.blob(NAME, FIRST.layers()[0]).status == 200
    assert upstream.count() == 0


def test_a_deleted_tag_is_gone_but_its_digest_stays(start, upstream):
    mirror = mirror_with(start, upstream, fresh="0s")
    del upstream.repository(NAME)["tags"]["v1"]
    answer = mirror.manifest(NAME, "v1")
    assert answer.status == 404, answer
    assert mirror.manifest(NAME, FIRST.digest).status == 200


def test_offline_never_asks(start, upstream):
    mirror = mirror_with(start, upstream, fresh="0s")
    mirror.config["upstreams"][0]["offline"] = True
    mirror.restart()
    connections = upstream.connections
    answer = mirror.manifest(NAME, "v1")
    assert answer.status == 200
    assert status_of(answer) == "entrepot; hit; detail=offline"
    walk.hold(mirror, NAME, "v1", FIRST)
    assert mirror.manifest(NAME, "other").status in (404, 502, 504)
    assert upstream.connections == connections


@pytest.mark.row("M-14")
def test_pinned_tags_are_never_asked_again(start, upstream):
    upstream.add(FIRST, NAME, "v1")
    mirror = start(hub_of(upstream.url, pinned=["org/*:v1"], freshness={"fresh": "0s"}))
    assert mirror.manifest(NAME, "v1").body == FIRST.root.body
    asked = upstream.count()
    upstream.add(SECOND, NAME, "v1")
    for _ in range(3):
        assert mirror.manifest(NAME, "v1").body == FIRST.root.body
    assert upstream.count() == asked


@pytest.mark.row("M-14")
@pytest.mark.parametrize("refuse", [False, True])
def test_rollback_is_noticed(start, upstream, refuse):
    upstream.add(FIRST, NAME, "v1")
    mirror = start(hub_of(upstream.url, refuse_rollback=refuse, freshness={"fresh": "0s"}))
    for image in (FIRST, SECOND):
        upstream.add(image, NAME, "v1")
        walk.hold(mirror, NAME, "v1", image)
    upstream.add(FIRST, NAME, "v1")
    answer = mirror.manifest(NAME, "v1")
    assert answer.body == (SECOND if refuse else FIRST).root.body
    assert mirror.metric("entrepot_tag_rollbacks_total", upstream="hub") >= 1
    assert "tag_rollback" in mirror.log()


def test_the_whole_graph_is_known_so_a_tag_never_promises_too_much(start, upstream):
    image = images.nested_index("graph")
    upstream.add(image, NAME, "v1")
    mirror = start(hub_of(upstream.url, freshness={"fresh": "0s"}))
    mirror.link(NAME, "v1")  # only the root was pulled
    upstream.close()
    tag = mirror.manifest(NAME, "v1")
    child = image.json()["manifests"][0]["digest"]
    held = mirror.manifest(NAME, child)
    assert tag.status != 200 or held.status == 200, (tag, held)


# ---- throttling (row N-03) -------------------------------------------------------------------

def throttled(seconds):
    headers = [] if seconds is None else [("Retry-After", str(seconds))]
    return hostile.status(429, b'{"errors":[{"code":"TOOMANYREQUESTS","message":"slow down"}]}',
                          ("Content-Type", "application/json"), *headers)


@pytest.mark.row("N-03")
@pytest.mark.parametrize("value, least, most", [
    ("30", 20, 30), ("date", 20, 31), (None, 1, 600), ("1000000000", 500, 600),
    ("banana", 1, 600), ("-5", 0, 600)])
def test_throttling_is_respected_and_passed_on(start, upstream, value, least, most):
    upstream.add(FIRST, NAME, "v1")
    upstream.add(SECOND, NAME, "v2")
    mirror = start(hub_of(upstream.url, retries=0))
    upstream.script("/v2/", throttled(hostile.http_date(30) if value == "date" else value))
    answer = mirror.manifest(NAME, "v1")
    assert answer.status == 429 and answer.code == "TOOMANYREQUESTS", answer
    assert least <= int(answer.header("Retry-After")) <= most
    asked = upstream.count()
    if value in ("30", "date", "1000000000"):
        for _ in range(5):
            assert mirror.manifest(NAME, "v2").status == 429
        assert upstream.count() == asked, "nothing is asked before the time has passed"


@pytest.mark.row("N-03")
def test_throttling_ends(start, upstream):
    upstream.add(FIRST, NAME, "v1")
    mirror = start(hub_of(upstream.url, retries=0))
    upstream.script("/v2/", throttled(1), times=1)
    began = time.monotonic()
    assert mirror.manifest(NAME, "v1").status in (200, 429)
    process.wait_for(lambda: mirror.manifest(NAME, "v1").status == 200, 8, "the end of throttling")
    assert time.monotonic() - began >= 0.9


@pytest.mark.row("N-03")
def test_throttling_serves_stale_and_spares_other_upstreams(start, upstream):
    with hostile.Upstream() as other:
        other.add(SECOND, NAME, "v1")
        upstream.add(FIRST, NAME, "v1")
        mirror = start(hub_of(upstream.url, retries=0, freshness={"fresh": "0s"}),
                       {"name": "other", "urls": [other.url]})
        walk.hold(mirror, NAME, "v1", FIRST)
        upstream.script("/v2/", throttled(60))
        answer = mirror.manifest(NAME, "v1")
        assert answer.status == 200 and "stale" in status_of(answer)
        assert mirror.manifest(f"other/{NAME}", "v1").body == SECOND.root.body
