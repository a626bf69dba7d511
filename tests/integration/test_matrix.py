"""Who may do what: every route of the table × method × principal (rows A-01, A-02, A-10, A-16).

The table comes from the program itself (`entrepot routes --json`); what each line must need stands
here, so that a new route or a changed need fails until somebody has thought about it.
"""

import base64
import json
import re

import pytest
from support import daemon, images, process

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
GOLDEN = {
    ("/v2/", "GET"): "ping",
    ("/v2/<name>/manifests/<reference>", "GET"): "pull",
    ("/v2/<name>/manifests/<reference>", "PUT"): "push",
    ("/v2/<name>/manifests/<reference>", "DELETE"): "delete",
    ("/v2/<name>/blobs/<digest>", "GET"): "pull",
    ("/v2/<name>/blobs/<digest>", "DELETE"): "delete",
    ("/v2/<name>/blobs/uploads/", "POST"): "push",
    ("/v2/<name>/blobs/uploads/<id>", "GET"): "push",
    ("/v2/<name>/blobs/uploads/<id>", "PATCH"): "push",
    ("/v2/<name>/blobs/uploads/<id>", "PUT"): "push",
    ("/v2/<name>/blobs/uploads/<id>", "DELETE"): "push",
    ("/v2/<name>/tags/list", "GET"): "pull",
    ("/v2/<name>/referrers/<digest>", "GET"): "pull",
    ("/v2/_catalog", "GET"): "any",
    ("/token", "GET"): "open",
    ("/token", "POST"): "open",
    ("/api/v1/feed", "GET"): "any",
    ("/api/v1/summaries", "GET"): "any",
    ("/api/v1/items", "GET"): "any",
    ("/api/v1/latest", "POST"): "any",
    ("/api/v1/history?repository=<name>", "GET"): "pull",
    ("/api/v1/rollback?repository=<name>", "POST"): "push",
    ("/api/v1/repositories?name=<name>", "DELETE"): "delete",
    ("/api/v1/read-only", "GET"): "admin",
    ("/api/v1/read-only", "PUT"): "admin",
    ("/api/v1/usage", "GET"): "admin",
    ("/api/v1/collections", "POST"): "admin",
    ("/api/v1/adoptions", "POST"): "control",
    ("/api/v1/exports", "POST"): "control",
    ("/api/v1/wants", "POST"): "control",
    ("/api/v1/bundles", "POST"): "control",
    ("/api/v1/bundle-applications", "POST"): "control",
    ("/api/v1/warmings", "POST"): "admin",
    ("/api/v1/site", "GET"): "admin",
    ("/api/v1/replication", "GET"): "admin",
    ("/api/v1/replication/waiting", "GET"): "admin",
    ("/api/v1/peers", "GET"): "admin",
    ("/api/v1/syncs", "POST"): "admin",
    ("/api/v1/jobs", "GET"): "admin",
    ("/api/v1/jobs/<id>", "GET"): "admin",
    ("/api/v1/jobs/<id>", "DELETE"): "admin",
    ("/api/v1/reload", "POST"): "control",
    ("/healthz", "GET"): "open",
    ("/readyz", "GET"): "open",
    ("/metrics", "GET"): "open",
}
# principal: what it has for "tenant/**"; "nobody" and "liar" (wrong password) have no name
RIGHTS = {"nobody": set(), "liar": set(), "stranger": {"any"}, "reader": {"pull", "any"},
          "creator": {"pull", "push", "any"}, "writer": {"pull", "push", "any"},
          "cleaner": {"delete", "any"},
          "root": {"pull", "push", "delete", "admin", "any"}}
NAME = "tenant/app"


def table():
    status, text = daemon.run_once("routes", "--json")
    assert status == 0, text
    return json.loads(text)["routes"]


def needs():
    found = {}
    for line in table():
        for method in line["methods"]:
            found[line["pattern"], method] = line["need"]
    return found


def test_every_route_stands_in_the_golden_table():
    found = needs()
    assert {cell for cell, need in found.items() if cell[1] == "HEAD"} == {
        (pattern, "HEAD") for pattern, method in GOLDEN if method == "GET"}, "HEAD goes with GET"
    assert {cell: need for cell, need in found.items() if cell[1] != "HEAD"} == GOLDEN
    for (pattern, method), need in found.items():
        if method == "HEAD":
            assert need == found[pattern, "GET"], (pattern, "a HEAD needs what its GET needs")


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    place = tmp_path_factory.mktemp("matrix")
    users = place / "htpasswd"
    lines = [process.run(["htpasswd", "-Bbn", "-C", "4", name, f"{name} secret"]).stdout.strip()
             for name in RIGHTS if name not in ("nobody", "liar")]
    users.write_text("\n".join(lines) + "\n")
    rules = [{"who": "reader", "repositories": ["tenant/**"], "may": ["pull"]},
             {"who": "creator", "repositories": ["tenant/**"], "may": ["pull", "create"]},
             {"who": "writer", "repositories": ["tenant/**"], "may": ["pull", "push"]},
             {"who": "cleaner", "repositories": ["tenant/**"], "may": ["delete"]},
             {"who": "stranger", "repositories": ["elsewhere/**"], "may": ["pull", "push"]},
             {"who": "root", "repositories": ["**"], "may": ["admin"]}]
    with daemon.Daemon({"upstreams": [daemon.hub_of("http://127.0.0.1:1")],
                        "access": {"htpasswd": str(users), "rules": rules}}) as server:
        image = images.small(3, kind="oci")
        images.push(image, server.address, NAME, "v1", headers_of("writer"))
        yield server, image


def headers_of(principal):
    if principal == "nobody":
        return {}
    user, password = ("reader", "a guess") if principal == "liar" else (
        principal, f"{principal} secret")
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def targets(pattern, image, exists):
    """The pattern filled with something that is there, or with something that is not."""
    digest = image.root.digest if exists else "sha256:" + "0" * 64
    filled = pattern.replace("<name>", NAME if exists else "tenant/nothing")
    filled = filled.replace("<reference>", digest).replace("<digest>", digest)
    filled = filled.replace("<id>", "1" if "/jobs/" in pattern else "0" * 32)
    if "history" in pattern or "rollback" in pattern:
        filled += f"&tag=v1&digest={digest}"
    assert not re.search("[<>]", filled), filled
    return filled


def allowed(principal, need):
    if need == "open":
        return True
    if need == "control":
        return False
    if need == "ping":
        return principal not in ("nobody", "liar")
    return need in RIGHTS[principal]


@pytest.mark.limit(240)
@pytest.mark.row("A-01", "A-02", "A-10")
def test_only_the_golden_cells_are_open(house):
    server, image = house
    found, cells, wrong = needs(), 0, []
    # what would end the test's own content or mode is done last, by root alone
    for pattern in sorted({pattern for pattern, _ in found}):
        for method in METHODS:
            need = found.get((pattern, method))
            for principal in RIGHTS:
                for exists in (True, False):
                    may = need is not None and allowed(principal, need)
                    if principal == "creator" and "rollback" in pattern:
                        may = False  # it moves a tag, which is more than creating one
                    if may and exists and method not in ("GET", "HEAD"):
                        continue  # changes are tried on what is not there
                    if may and pattern in ("/api/v1/read-only", "/api/v1/collections") and (
                            method not in ("GET", "HEAD")):
                        continue
                    target = targets(pattern, image, exists)
                    status = server.request(method, target, headers_of(principal),
                                            body=b"" if method in ("POST", "PUT", "PATCH")
                                            else None).status
                    cells += 1
                    if judge(status, principal, need, may) is not None:
                        wrong.append((principal, method, target, status,
                                      judge(status, principal, need, may)))
    assert not wrong, wrong[:10]
    assert cells > 3000 // 2, cells
    # nothing of it changed what is held
    held = server.request("GET", f"/v2/{NAME}/manifests/v1", headers_of("reader"))
    assert held.status == 200 and held.body == image.root.body


def judge(status, principal, need, may):
    """What is wrong with this answer; None when nothing is."""
    if need is None:
        return None if status == 204 or status >= 400 else "a method nobody serves"
    if need == "open" and principal == "liar":
        return None  # /token looks at the password, health does not
    if may:
        return "was refused" if status in (401, 403) else None
    if principal in ("nobody", "liar"):
        return None if status in (401, 404) else "expected 401"
    return None if status in (403, 404, 405) else "expected 403"


@pytest.mark.row("A-02", "A-18")
def test_what_may_not_be_seen_looks_like_what_is_not_there(house):
    server, image = house
    for principal in ("nobody", "stranger"):
        for path in ("manifests/v1", f"manifests/{image.root.digest}", "tags/list",
                     f"referrers/{image.root.digest}"):
            seen = [server.request(method, f"/v2/{name}/{path}", headers_of(principal))
                    for name in (NAME, "tenant/nothing") for method in ("GET", "HEAD")]
            assert len({answer.status for answer in seen}) == 1, (principal, path, seen)
    names = server.request("GET", "/v2/_catalog", headers_of("stranger")).json()
    assert names == {"repositories": []}
    assert server.request("GET", "/v2/_catalog", headers_of("reader")).json() == {
        "repositories": [NAME]}


@pytest.mark.row("A-05")
def test_a_creator_moves_no_tag(house):
    server, image = house
    other = images.small(4, kind="oci")
    for digest, data in other.blobs.items():
        server_put_blob(server, digest, data, headers_of("creator"))

    def put(reference, query=""):
        return server.request(
            "PUT", f"/v2/{NAME}/manifests/{reference}{query}",
            {**headers_of("creator"), "Content-Type": other.root.media_type},
            body=other.root.body)

    assert put("v1").status == 403
    assert put(other.root.digest, "?tag=fresh&tag=v1").status == 403
    assert put("fresh").status == 201
    assert put("fresh").status == 201, "the same digest moves nothing"
    kept = server.request("GET", f"/v2/{NAME}/manifests/v1", headers_of("reader"))
    assert kept.body == image.root.body


def server_put_blob(server, digest, data, headers):
    place = server.request("POST", f"/v2/{NAME}/blobs/uploads/", headers, body=b"")
    assert place.status == 202, place
    target = place.header("Location")
    join = "&" if "?" in target else "?"
    done = server.request("PUT", f"{target}{join}digest={digest}", headers, body=data)
    assert done.status == 201, done
