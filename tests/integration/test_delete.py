"""Deleting: gone is gone here and only here; what may not go stays; what was can come back
(catalogue A, G)."""

import json
import threading

import pytest
from support import daemon, images, process, push

NOWHERE = "http://127.0.0.1:1"
NAME = "team/app"


@pytest.fixture
def server(start):
    """No upstream is asked for the team's names, even when everything in them is deleted."""
    return start(daemon.hub_of(NOWHERE), flags=["--open"], local=["team/**"])


@pytest.fixture
def app(server):
    return push.Repository(server.address, NAME)


def index_of(number):
    """A manifest that needs no blobs."""
    return images.dump({"schemaVersion": 2, "mediaType": images.OCI_INDEX, "manifests": [],
                        "annotations": {"number": str(number)}})


def put(repository, number, *tags):
    body = index_of(number)
    for tag in tags:
        answer = repository.put_manifest(body, tag, images.OCI_INDEX)
        assert answer.status == 201, answer
    return push.digest_of(body)


def delete(repository, path):
    return repository.request("DELETE", path)


@pytest.mark.row("A-04")
@pytest.mark.parametrize("restart", [False, True], ids=["running", "restarted"])
def test_deleted_here_and_alive_there(server, app, restart):
    other = push.Repository(server.address, "team/other")
    image = images.small("both", kind="oci")
    for repository in (app, other):
        repository.push_image(image, "v1")
    layer = image.layers()[0]
    assert delete(app, "manifests/v1").status == 202
    assert delete(app, f"manifests/{image.digest}").status == 202
    assert delete(app, f"blobs/{layer}").status == 202
    if restart:
        server.restart(keep_address=True)
    for _ in range(2):
        other.holds(image, "v1")
        for path in (f"blobs/{layer}", f"manifests/{image.digest}", "manifests/v1"):
            for method in ("GET", "HEAD"):
                assert app.request(method, path).status == 404, path
    assert delete(app, f"blobs/{layer}").status == 404
    assert delete(app, "manifests/v1").status == 404
    app.push_image(image, "v2")
    app.holds(image, "v2")


@pytest.mark.row("A-06")
def test_where_deleting_is_switched_off_nothing_goes(start):
    server = start(daemon.hub_of(NOWHERE), flags=["--open"], registry={"delete": False})
    app = push.Repository(server.address, NAME)
    image = images.small("kept", kind="oci")
    app.push_image(image, "v1")
    session = app.open()
    for answer in (delete(app, "manifests/v1"), delete(app, f"manifests/{image.digest}"),
                   delete(app, f"blobs/{image.layers()[0]}"), session.cancel(),
                   server.request("DELETE", f"/api/v1/repositories?name={NAME}")):
        assert (answer.status, answer.code) == (405, "UNSUPPORTED"), answer
    app.holds(image, "v1")
    assert session.status().status == 204


@pytest.mark.row("A-07")
def test_immutable_tags_stay(start):
    server = start(daemon.hub_of(NOWHERE), flags=["--open"], registry={
        "immutable": [{"repositories": ["prod/**"], "tags": ["v*"]}]})
    app = push.Repository(server.address, "prod/app")
    digest = put(app, 1, "v1", "latest")
    for answer in (delete(app, "manifests/v1"), delete(app, f"manifests/{digest}"),
                   app.put_manifest(index_of(2), "v1", images.OCI_INDEX),
                   app.put_manifest(index_of(2), push.digest_of(index_of(2)), images.OCI_INDEX,
                                    tags=["free", "v1"]),
                   server.request("DELETE", "/api/v1/repositories?name=prod/app")):
        assert (answer.status, answer.code) == (403, "DENIED"), answer
    assert app.tags() == ["latest", "v1"]
    assert app.manifest("v1").header("Docker-Content-Digest") == digest
    assert put(app, 1, "v1") == digest, "the same again is no move"
    put(app, 2, "latest")
    assert delete(app, "manifests/latest").status == 202
    elsewhere = push.Repository(server.address, "dev/app")
    put(elsewhere, 1, "v1")
    put(elsewhere, 2, "v1")
    assert delete(elsewhere, "manifests/v1").status == 202


@pytest.mark.row("A-07")
def test_what_an_immutable_tag_leads_to_stays(start):
    server = start(daemon.hub_of(NOWHERE), flags=["--open"], registry={
        "immutable": [{"repositories": ["prod/**"], "tags": ["v*"]}]})
    nested = images.nested_index("kept")
    images.push(nested, server.address, "prod/app", "v1")
    images.push(nested, server.address, "dev/app", "v1")
    kept = push.Repository(server.address, "prod/app")
    for digest in nested.blobs:
        answer = delete(kept, f"blobs/{digest}")
        assert (answer.status, answer.code) == (403, "DENIED"), answer
    for digest in nested.manifests:
        assert delete(kept, f"manifests/{digest}").status == 403
        assert kept.manifest(digest).status == 200
    loose = push.Repository(server.address, "dev/app")
    for digest in nested.blobs:
        assert delete(loose, f"blobs/{digest}").status == 202
        assert kept.blob(digest).status == 200


def test_tags_go_with_their_manifest(app):
    digest = put(app, 1, "a", "b")
    other = put(app, 2, "c")
    assert delete(app, f"manifests/{digest}").status == 202
    assert app.tags() == ["c"]
    assert app.manifest("a").status == app.manifest("b").status == 404
    assert app.manifest("c").header("Docker-Content-Digest") == other
    assert delete(app, f"manifests/{digest}").status == 404


def test_a_deleted_referrer_is_listed_no_more(app):
    image = images.small("subject", kind="oci")
    app.push_image(image, "v1")
    signature = images.artifact(image)
    app.push_image(signature, "sbom")
    found = app.request("GET", f"referrers/{image.digest}").json()["manifests"]
    assert [each["digest"] for each in found] == [signature.digest]
    assert delete(app, f"manifests/{signature.digest}").status == 202
    assert app.request("GET", f"referrers/{image.digest}").json()["manifests"] == []


@pytest.mark.row("G-14", "G-03")
@pytest.mark.limit(120)
def test_deleted_and_pushed_again(server, app):
    image = images.small("again", kind="oci")
    for turn in range(10):
        app.push_image(image, "v1")
        app.holds(image, "v1")
        assert delete(app, f"manifests/{image.digest}").status == 202
        for digest in image.blobs:
            assert delete(app, f"blobs/{digest}").status in (202, 404)
        assert app.manifest("v1").status == 404
        if turn == 5:
            server.restart(keep_address=True)
    app.push_image(image, "v1")
    server.restart(keep_address=True)
    app.holds(image, "v1")


def test_reads_of_what_is_not_there(app):
    put(app, 1, "v1")
    unknown = push.digest_of(b"unknown")
    for path in ("manifests/none", f"manifests/{unknown}"):
        answer = delete(app, path)
        assert (answer.status, answer.code) == (404, "MANIFEST_UNKNOWN"), answer
    answer = delete(app, f"blobs/{unknown}")
    assert (answer.status, answer.code) == (404, "BLOB_UNKNOWN"), answer
    for path in ("manifests/.bad", "blobs/sha256:short", f"blobs/uploads/{unknown}"):
        assert delete(app, path).status in (400, 404), path


# ---- history and rollback ----------------------------------------------------------------------

def history(server, tag):
    answer = server.get(f"/api/v1/history?repository={NAME}&tag={tag}")
    assert answer.status == 200, answer
    return answer.json()["changes"]


def command(server, *words, check=True):
    status, output = daemon.run_once(*words, "--data", server.data)
    assert not check or status == 0, output
    return output


def test_history_says_who_moved_a_tag(start, tmp_path):
    users = push.htpasswd(tmp_path / "htpasswd", "alice", "bob")
    server = start(daemon.hub_of(NOWHERE), access={"htpasswd": str(users)})
    alice, bob = (push.Repository(server.address, NAME, push.basic(user)) for user in ("alice", "bob"))
    first, second = put(alice, 1, "v1"), put(bob, 2, "v1")
    assert delete(alice, "manifests/v1").status == 202
    third = put(bob, 3, "v1")
    answer = server.get(f"/api/v1/history?repository={NAME}&tag=v1", push.basic("bob"))
    assert answer.status == 200, answer
    found = [(each["who"], each["cause"], each["from"], each["to"])
             for each in answer.json()["changes"]]
    assert found == [("bob", "push", None, third), ("alice", "deletion", second, None),
                     ("bob", "push", first, second), ("alice", "push", None, first)]
    assert server.get(f"/api/v1/history?repository={NAME}&tag=v1").status == 401


def test_rollback_by_the_api(server, app):
    digests = [put(app, number, "v1") for number in range(3)]
    answer = server.request("POST", f"/api/v1/rollback?repository={NAME}&tag=v1&digest={digests[0]}",
                            body=b"")
    assert answer.status == 200, answer
    assert app.manifest("v1").header("Docker-Content-Digest") == digests[0]
    assert history(server, "v1")[0]["cause"] == "rollback"
    for digest in (push.digest_of(b"never"), push.digest_of(index_of(99))):
        answer = server.request(
            "POST", f"/api/v1/rollback?repository={NAME}&tag=v1&digest={digest}", body=b"")
        assert answer.status == 404, answer
    # a digest that another tag had is none of this tag's history
    stranger = put(app, 50, "other")
    answer = server.request(
        "POST", f"/api/v1/rollback?repository={NAME}&tag=v1&digest={stranger}", body=b"")
    assert answer.status == 404, answer
    server.restart(keep_address=True)
    assert app.manifest("v1").header("Docker-Content-Digest") == digests[0]


def test_rollback_by_the_command_line(server, app):
    digests = [put(app, number, "v1") for number in range(3)]
    image = f"{NAME}:v1"
    lines = [json.loads(line) for line in
             command(server, "tag", "history", image, "--json").splitlines() if line.startswith("{")]
    assert digests[0] in json.dumps(lines) and digests[2] in json.dumps(lines)
    text = command(server, "tag", "history", image)
    assert all(digest[:19] in text for digest in digests)
    command(server, "tag", "rollback", image)
    assert app.manifest("v1").header("Docker-Content-Digest") == digests[1]
    command(server, "tag", "rollback", image, digests[0])
    assert app.manifest("v1").header("Docker-Content-Digest") == digests[0]
    command(server, "tag", "rollback", image, push.digest_of(b"never"), check=False)
    assert app.manifest("v1").header("Docker-Content-Digest") == digests[0]


def test_a_deleted_tag_comes_back(server, app):
    digest = put(app, 1, "v1")
    assert delete(app, "manifests/v1").status == 202
    assert app.manifest("v1").status == 404
    command(server, "tag", "rollback", f"{NAME}:v1", digest)
    assert app.manifest("v1").header("Docker-Content-Digest") == digest


# ---- repositories ------------------------------------------------------------------------------

@pytest.mark.row("G-15", "O-12")
def test_a_repository_is_deleted_while_pushes_go_on(server, app):
    image = images.small("whole", kind="oci")
    app.push_image(image, "v0")
    body = index_of("many")
    digest = push.digest_of(body)
    for start in range(0, 2000, 100):
        tags = [f"t{number}" for number in range(start, start + 100)]
        assert app.put_manifest(body, digest, images.OCI_INDEX, tags).status == 201
    neighbour = push.Repository(server.address, NAME + "-too")
    neighbour.push_image(image, "v1")
    stop, wrong = threading.Event(), []

    def pusher():
        number = 0
        while not stop.is_set():
            number += 1
            answer = app.put_manifest(index_of(number), f"new{number}", images.OCI_INDEX)
            if answer.status == 201:
                kept[f"new{number}"] = push.digest_of(index_of(number))
            elif answer.status not in (404, 409):
                wrong.append(answer)

    kept = {}
    worker = threading.Thread(target=pusher)
    worker.start()
    process.wait_for(lambda: len(kept) > 3, 20, "some pushes")
    output = command(server, "repository", "delete", NAME)
    before = len(kept)
    process.wait_for(lambda: len(kept) > before + 3, 20, "pushes after the deletion")
    stop.set()
    worker.join(20)
    assert not wrong, (wrong[0], output)
    tags = set(app.tags())
    assert not {tag for tag in tags if tag.startswith("t") or tag == "v0"}
    for tag in tags:  # whole, or not at all
        assert app.manifest(tag).header("Docker-Content-Digest") == kept[tag]
    assert f"new{len(kept)}" in tags or list(kept)[-1] in tags, "a 201 after the deletion was lost"
    neighbour.holds(image, "v1")
    assert app.blob(image.layers()[0]).status == 404


def test_an_unknown_repository_is_not_deleted(server):
    answer = server.request("DELETE", "/api/v1/repositories?name=no/such")
    assert (answer.status, answer.code) == (404, "NAME_UNKNOWN"), answer
    assert daemon.run_once("repository", "delete", "no/such", "--data", server.data)[0] != 0


# ---- read-only ---------------------------------------------------------------------------------

def test_read_only_mode(server, app):
    image = images.small("frozen", kind="oci")
    app.push_image(image, "v1")
    session = app.open()
    command(server, "read-only", "on")
    for answer in (app.put_manifest(index_of(1), "v2", images.OCI_INDEX), app.post(),
                   delete(app, "manifests/v1"), delete(app, f"blobs/{image.layers()[0]}"),
                   app.post(mount=image.layers()[0], **{"from": NAME})):
        assert answer.status in (403, 405, 503), answer
    assert session.patch(b"x").status in (202, 403, 405, 503)
    app.holds(image, "v1")
    assert "on" in command(server, "read-only", "show")
    command(server, "read-only", "off")
    put(app, 1, "v2")


@pytest.mark.row("C-16")
def test_mirrored_repositories_are_read_only(start, upstream):
    upstream.add(images.small("mirrored"), "library/app", "v1")
    server = start(daemon.hub_of(upstream.url), flags=["--open"])
    assert server.manifest("app", "v1").status == 200
    for name in ("hub/library/app", "docker.io/library/app", "hub/new"):
        repository = push.Repository(server.address, name)
        digest = images.small("mirrored").digest
        for answer in (repository.post(), repository.put_manifest(index_of(1), "v2", images.OCI_INDEX),
                       delete(repository, "manifests/v1"), delete(repository, f"manifests/{digest}")):
            assert (answer.status, answer.code) == (405, "UNSUPPORTED"), (name, answer)
    assert server.manifest("app", "v1").status == 200


@pytest.mark.row("C-17")
def test_the_first_push_makes_a_name_ours(start, upstream):
    mirrored, ours = images.small("theirs"), images.small("ours")
    upstream.add(mirrored, "library/app", "v1")
    server = start(daemon.hub_of(upstream.url), flags=["--open"])
    assert server.manifest("library/app", "v1").body == mirrored.root.body
    app = push.Repository(server.address, "library/app")
    layer = mirrored.layers()[0]
    assert app.blob(layer, "HEAD").status == 404, "not held here yet: the client must push it"
    app.push_image(ours, "v1")
    app.holds(ours, "v1")
    assert app.blob(layer, "HEAD").status == 404
    assert server.manifest("hub/library/app", "v1").body == mirrored.root.body
