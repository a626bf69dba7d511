"""What /v2 answers to plain requests: headers, methods, ranges, lists, names. One shared mirror."""

import json
import re
import urllib.parse

import pytest
from support import daemon, hostile, images, process, walk

APP = images.small("app")
SBOM = images.artifact(APP)
NOTE = images.artifact(APP, "application/vnd.example.note", b"a note")
BIG = images.blob(300_000, "ranges")
SIBLINGS = ["math", "math-voila", "math.x", "math_x", "math/z", "math0"]
TAGS = ["0.1.2", "0.1.20", "0.1.2-rc", "0.1.2.1", "0.1.2_x", "v1"]


@pytest.fixture(scope="module")
def world():
    with hostile.Upstream() as server:
        server.add(APP, "org/app", "v1")
        server.add(SBOM, "org/app", None)
        server.add(NOTE, "org/app", None)
        server.big = server.add_blob("org/app", BIG)
        for name in SIBLINGS:
            server.add(images.small(name), f"org/{name}", "v1")
        for tag in TAGS:
            server.add(APP, "org/tagged", tag)
        with daemon.Daemon({"upstreams": [daemon.hub_of(server.url)]}) as running:
            running.server = server
            yield running


def test_base_says_registry_two(world):
    for method in ("GET", "HEAD"):
        answer = world.request(method, "/v2/")
        assert answer.status == 200
        assert answer.header("Docker-Distribution-Api-Version") == "registry/2.0"
    assert world.get("/v2/", {"Authorization": "Bearer junk"}).status == 200


def test_manifest_headers_are_complete_and_equal_for_head_and_get(world):
    got = world.manifest("org/app", "v1", walk.ACCEPT)
    head = world.head("/v2/org/app/manifests/v1", walk.ACCEPT)
    for name, value in (("Docker-Content-Digest", APP.digest), ("ETag", f'"{APP.digest}"'),
                        ("Content-Type", APP.root.media_type),
                        ("Content-Length", str(len(APP.root.body))),
                        ("Docker-Distribution-Api-Version", "registry/2.0")):
        assert got.header(name) == value
        assert head.header(name) == value
    assert got.body == APP.root.body
    assert head.body == b""
    assert got.header("X-Request-Id")


def test_head_has_no_body_on_the_wire(world):
    world.link("org/app", "v1")
    layer = APP.layers()[0]
    for target in ("manifests/v1", f"blobs/{layer}", "manifests/none", f"manifests/{APP.digest}"):
        text = world.talk(f"HEAD /v2/org/app/{target} HTTP/1.1\r\nHost: x\r\n"
                          "Connection: close\r\n\r\n".encode())
        assert text.endswith(b"\r\n\r\n") and text.count(b"\r\n\r\n") == 1, text


def test_if_none_match_gives_304(world):
    for target in (f"manifests/{APP.digest}", "manifests/v1", f"blobs/{APP.layers()[0]}"):
        etag = world.get(f"/v2/org/app/{target}").header("ETag")
        answer = world.get(f"/v2/org/app/{target}", {"If-None-Match": etag})
        assert answer.status == 304 and answer.body == b""
        assert world.get(f"/v2/org/app/{target}", {"If-None-Match": '"other"'}).status == 200


def test_head_of_an_uncached_blob_has_its_length_and_fetches_nothing(world):
    data = images.blob(5000, "uncached")
    digest = world.server.add_blob("org/app", data)
    answer = world.head(f"/v2/org/app/blobs/{digest}")
    assert answer.status == 200
    assert answer.header("Content-Length") == "5000"
    assert answer.header("Docker-Content-Digest") == digest
    assert world.server.count("GET", digest) == 0


def test_other_methods_are_405_with_allow(world):
    for target in ("/v2/", "/v2/hub/org/app/manifests/v1",
                   f"/v2/hub/org/app/blobs/{APP.layers()[0]}", "/v2/hub/org/app/tags/list"):
        for method in ("PUT", "DELETE", "PATCH", "POST"):
            answer = world.request(method, target)
            assert answer.status == 405, (method, target)
            assert {"GET", "HEAD"} <= set(re.split(r",\s*", answer.header("Allow")))
            assert answer.code == "UNSUPPORTED"


def test_errors_are_oci_json(world):
    for target, code in (("/v2/org/none/manifests/v1", {"NAME_UNKNOWN", "MANIFEST_UNKNOWN"}),
                         ("/v2/org/app/manifests/none", {"MANIFEST_UNKNOWN"}),
                         (f"/v2/org/app/blobs/sha256:{'0' * 64}", {"BLOB_UNKNOWN"})):
        answer = world.get(target)
        assert answer.status == 404
        assert answer.code in code
        assert answer.header("Content-Type").startswith("application/json")
        assert answer.header("X-Content-Type-Options") == "nosniff"
        assert "message" in answer.json()["errors"][0]


@pytest.mark.parametrize("asked, status, start, end", [
    ("bytes=0-", 206, 0, 299_999), ("bytes=10-19", 206, 10, 19), ("bytes=-10", 206, 299_990, 299_999),
    ("bytes=299999-", 206, 299_999, 299_999), ("bytes=100-9999999", 206, 100, 299_999),
    ("bytes=-9999999", 206, 0, 299_999), ("bytes=300000-", 416, 0, 0), ("bytes=-0", 416, 0, 0),
    ("bytes=9-3", 416, 0, 0), ("lines=1-2", 200, 0, 299_999), ("bytes=x-", 200, 0, 299_999)])
@pytest.mark.row("R-09")
def test_single_ranges(world, asked, status, start, end):
    assert world.blob("org/app", world.server.big).body == BIG
    answer = world.blob("org/app", world.server.big, {"Range": asked})
    assert answer.status == status
    if status == 416:
        assert answer.header("Content-Range") == "bytes */300000"
        return
    assert answer.header("Accept-Ranges") == "bytes"
    assert answer.body == BIG[start:end + 1]
    if status == 206:
        assert answer.header("Content-Range") == f"bytes {start}-{end}/300000"


def parts_of(answer):
    """[(content-range, body)] of a multipart/byteranges answer."""
    boundary = re.search(r'boundary="?([^";]+)', answer.header("Content-Type"))[1]
    pieces = answer.body.split(b"--" + boundary.encode())
    found = []
    for piece in pieces[1:-1]:
        head, _, body = piece.partition(b"\r\n\r\n")
        found.append((re.search(rb"(?i)content-range: ([^\r]+)", head)[1].decode(), body[:-2]))
    return found


@pytest.mark.row("R-09")
def test_several_ranges_come_as_multipart(world):
    world.blob("org/app", world.server.big)
    answer = world.blob("org/app", world.server.big, {"Range": "bytes=0-9,1000-1999,-5"})
    assert answer.status == 206
    assert parts_of(answer) == [("bytes 0-9/300000", BIG[:10]),
                                ("bytes 1000-1999/300000", BIG[1000:2000]),
                                ("bytes 299995-299999/300000", BIG[-5:])]


@pytest.mark.parametrize("asked", [
    "bytes=" + ",".join(f"{n}-{n}" for n in range(1000)),
    "bytes=" + ",".join("0-" for _ in range(50)),
    "bytes=" + ",".join(f"{n}-299999" for n in range(200)),
    "bytes=" + ",".join("-299999" for _ in range(20))])
@pytest.mark.row("R-09")
def test_many_or_overlapping_ranges_do_not_amplify(world, asked):
    world.blob("org/app", world.server.big)
    answer = world.blob("org/app", world.server.big, {"Range": asked})
    assert answer.status in (200, 206, 416, 431, 400)
    assert len(answer.body) <= 2 * len(BIG)


@pytest.mark.row("M-16")
@pytest.mark.parametrize("query, status", [("n=-1", 400), ("n=abc", 400), ("n=1.5", 400),
                                           ("n=0", 200), ("n=1000000000", 200),
                                           ("n=99999999999999999999999", 200)])
def test_odd_page_sizes(world, query, status):
    world.link("org/tagged", "v1")
    for target, key in (("/v2/org/tagged/tags/list", "tags"), ("/v2/_catalog", "repositories")):
        answer = world.get(f"{target}?{query}")
        if "9999999999999999" in query:  # a number all the same: clamped, or refused as no number
            assert answer.status in (200, 400)
            continue
        assert answer.status == status, (target, answer)
        if query == "n=0":
            assert answer.json()[key] == []


@pytest.mark.row("M-16")
def test_pages_after_the_end_are_empty_lists(world):
    assert world.get("/v2/org/tagged/tags/list?last=zzzz").json()["tags"] == []
    assert world.get("/v2/_catalog?last=zzzz").json()["repositories"] == []
    assert "v1" in world.get("/v2/org/tagged/tags/list?last=unknown").json()["tags"]


def all_pages(world, target, key, count):
    """Follows Link: rel=next to the end."""
    found, pages = [], 0
    target = f"{target}?n={count}"
    while target and pages < 100:
        answer = world.get(target)
        assert answer.status == 200
        assert len(answer.json()[key]) <= count
        found += answer.json()[key]
        link = re.fullmatch(r'<([^>]+)>; *rel="?next"?', answer.header("Link", ""))
        target = urllib.parse.urljoin("/v2/", link[1]) if link else None
        target = re.sub(r"^https?://[^/]+", "", target) if target else None
        pages += 1
    return found


@pytest.mark.row("P-04")
@pytest.mark.parametrize("count", [1, 2, 100])
def test_tags_with_common_prefixes_are_listed_once(world, count):
    assert sorted(all_pages(world, "/v2/org/tagged/tags/list", "tags", count)) == sorted(TAGS)


@pytest.mark.row("P-04")
@pytest.mark.parametrize("count", [1, 2, 100])
def test_repositories_with_common_prefixes_are_listed_once(world, count):
    for name in SIBLINGS:
        world.link(f"org/{name}", "v1")
    found = all_pages(world, "/v2/_catalog", "repositories", count)
    assert len(found) == len(set(found))
    assert {f"hub/org/{name}" for name in SIBLINGS} <= set(found)


def test_referrers_with_and_without_filter(world):
    answer = world.get(f"/v2/org/app/referrers/{APP.digest}")
    assert answer.status == 200
    assert answer.header("Content-Type") == images.OCI_INDEX
    found = answer.json()
    assert {m["digest"] for m in found["manifests"]} == {SBOM.digest, NOTE.digest}
    kind = urllib.parse.quote("application/vnd.example.note", safe="")
    answer = world.get(f"/v2/org/app/referrers/{APP.digest}?artifactType={kind}")
    assert [m["digest"] for m in answer.json()["manifests"]] == [NOTE.digest]
    assert answer.header("OCI-Filters-Applied") == "artifactType"
    none = world.get(f"/v2/org/app/referrers/sha256:{'0' * 64}")
    assert none.status == 200 and none.json()["manifests"] == []


def test_referrer_itself_pulls(world):
    assert world.manifest("org/app", SBOM.digest).body == SBOM.root.body


def test_health_and_metrics(world):
    world.link("org/app", "v1")
    assert world.get("/healthz").status == 200
    assert world.get("/readyz").status == 200
    text = world.get("/metrics").body.decode()
    for name in ("entrepot_requests_total", "entrepot_request_seconds_bucket",
                 "entrepot_served_bytes_total", "entrepot_upstream_bytes_total",
                 "entrepot_store_bytes", "entrepot_store_blobs", "entrepot_fills_running",
                 "entrepot_connections"):
        assert name in text, name


def test_access_lines_tell_hit_from_miss(world):
    data = images.blob(4000, "logged")
    digest = world.server.add_blob("org/app", data)
    assert world.blob("org/app", digest).body == data
    # the last byte may come before the fill has ended: who asks in between joins it
    process.wait_for(lambda: world.blob("org/app", digest).header("Cache-Status")
                     == "entrepot; hit", 5, "a hit")
    # a line is written when its answer is through
    process.wait_for(lambda: world.accesses(reference=digest, cache="hit"), 5, "the line of the hit")
    lines = world.accesses(reference=digest)
    assert lines[0]["cache"] in ("miss", "fill"), lines
    assert all(line["status"] == "200" and line["bytes"] == "4000" for line in lines)


BAD_NAMES = ["..", "%2e%2e", "a/../b", "a/%2e%2e/b", "a%2fb", "a%2Fb", "a%5cb", "a%00b", "a//b",
             "/a", ".", "a/./b", "%c0%ae%c0%ae", "Upper/case", "a" * 257, "a/" * 140 + "a",
             "..%2f..%2f..%2f..%2fetc%2fpasswd", "%2F%2F..%2F..%2Fetc", "%252e%252e",
             "a/%252e%252e/b", "a%252fb", "-a", "a-", "a..b", "a b".replace(" ", "%20")]


@pytest.mark.row("P-01", "P-02")
@pytest.mark.parametrize("name", BAD_NAMES)
def test_bad_names_are_refused(world, name):
    before = world.server.count()
    for rest in ("manifests/v1", f"blobs/sha256:{'0' * 64}", "tags/list"):
        text = world.talk(f"GET /v2/{name}/{rest} HTTP/1.1\r\nHost: x\r\n"
                          "Connection: close\r\n\r\n".encode())
        assert int(text.split()[1]) in (400, 404, 414), text
    asked = [r.target for r in world.server.seen()[before:]]
    assert not [t for t in asked if ".." in t or "%" in t or "etc/passwd" in t], asked


@pytest.mark.row("P-01")
@pytest.mark.parametrize("reference", ["a" * 129, ".tag", "-tag", "a%2fb", "..%2f..%2fetc%2fpasswd",
                                       "sha256:../../x", "sha256:" + "A" * 64, "sha256:abc",
                                       "sha999:" + "0" * 64, "%252e%252e"])
def test_bad_references_are_refused(world, reference):
    before = world.server.count()
    for kind in ("manifests", "blobs"):
        answer = world.get(f"/v2/org/app/{kind}/{reference}")
        assert answer.status in (400, 404), answer
    assert world.server.count() == before


@pytest.mark.row("P-01")
@pytest.mark.parametrize("target", [b"/v2/org/app/manifests/\xff\xfe", b"/v2/caf\xc3\xa9/tags/list"])
def test_raw_bytes_in_the_target_are_refused(world, target):
    text = world.talk(b"GET " + target + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert text.split()[1] in (b"400", b"404"), text


@pytest.mark.row("P-03")
@pytest.mark.parametrize("name", ["a/blobs/uploads", "x/manifests", "tags/list", "x/tags/list",
                                  "blobs/manifests", "v2/v2", "x/referrers", "healthz/a"])
def test_names_that_look_like_routes_never_give_foreign_data(world, name):
    image = images.small(f"route-{name}")
    world.server.add(image, name, "v1")
    answer = world.manifest(name, "v1")
    assert answer.status == 400 or answer.body == image.root.body, answer
    for digest, wanted in image.blobs.items():
        answer = world.blob(name, digest)
        assert answer.status in (400, 404) or answer.body == wanted
    listed = world.get(f"/v2/{name}/tags/list")
    assert listed.status in (400, 404) or json.loads(listed.body)["tags"] == ["v1"]
