"""Quotas and a full disk: what does not fit is refused whole, and says so."""

import concurrent.futures

import pytest
from support import daemon, images, net, process, push

NOWHERE = "http://127.0.0.1:1"


@pytest.fixture
def limited(start):
    def begin(*quotas, **config):
        server = start(daemon.hub_of(NOWHERE), flags=["--open"],
                       registry={"quotas": list(quotas), **config})
        return lambda name: push.Repository(server.address, name), server
    return begin


def over_quota(answer):
    assert (answer.status, answer.code) == (403, "DENIED"), answer
    assert "quota exceeded" in push.error_details(answer), answer


def body(number):
    return images.dump({"schemaVersion": 2, "mediaType": images.OCI_INDEX, "manifests": [],
                        "annotations": {"number": str(number)}})


def put(repository, number, tag):
    return repository.put_manifest(body(number), tag, images.OCI_INDEX)


def test_bytes_over_all_matching_repositories(limited):
    at, _ = limited({"repositories": ["team/**"], "bytes": "100KiB"})
    one, two, free = at("team/one"), at("team/two"), at("free/app")
    first = images.blob(60_000, "first")
    digest = one.push_blob(first)
    second = images.blob(60_000, "second")
    over_quota(two.post(second, digest=push.digest_of(second)))
    session = two.open()
    answer = session.patch(second)
    if answer.status == 202:
        answer = session.put(push.digest_of(second))
    over_quota(answer)
    assert two.blob(push.digest_of(second), "HEAD").status == 404
    # what is shared counts in each
    mounted = two.post(mount=digest, **{"from": "team/one"})
    assert mounted.status in (202, 403), mounted
    assert free.post(second, digest=push.digest_of(second)).status == 201
    assert one.post(first, digest=digest).status == 201, "what is there already costs nothing"
    small = images.blob(10_000, "small")
    assert two.post(small, digest=push.digest_of(small)).status == 201
    assert one.request("DELETE", f"blobs/{digest}").status == 202
    assert two.post(second, digest=push.digest_of(second)).status == 201


@pytest.mark.row("P-12")
def test_bytes_of_open_uploads_count(limited):
    at, server = limited({"repositories": ["team/**"], "bytes": "1MiB"})
    pieces = [images.blob(100_000, f"piece-{number}") for number in range(10)]
    sessions = [at(f"team/r{number}").open() for number in range(4)]
    # nobody tells a length, and each of them alone would fit
    answers = [session.stream(pieces[:4]) for session in sessions]
    assert answers == [202, 202, 403, 403]
    assert sum(session.offset() for session in sessions) <= 2**20
    over_quota(sessions[3].patch(b"".join(pieces[:4])))
    assert at("free/app").open().stream(pieces) == 202
    # what was refused goes when its client says so, and comes again when there is room
    for session in sessions[1:]:
        assert session.cancel().status == 204
    again = at("team/r2").open()
    assert again.stream(pieces[:6]) == 202
    whole = b"".join(pieces[:6])
    assert again.put(push.digest_of(whole)).status == 201
    assert sessions[0].put(push.digest_of(b"".join(pieces[:4]))).status == 201
    assert at("team/r2").blob(push.digest_of(whole)).body == whole


def test_manifests_count_too(limited):
    at, _ = limited({"repositories": ["team/**"], "bytes": "4KiB"})
    app = at("team/app")
    answers = [put(app, number, f"v{number}") for number in range(60)]
    assert answers[0].status == 201
    over_quota(answers[-1])
    stored = sum(answer.status == 201 for answer in answers)
    assert sum(len(body(number)) for number in range(stored)) <= 4096
    assert len(app.tags()) == stored


def test_tags(limited):
    at, _ = limited({"repositories": ["team/**"], "tags": 3})
    one, two = at("team/one"), at("team/two")
    assert put(one, 1, "a").status == put(one, 1, "b").status == put(two, 1, "c").status == 201
    over_quota(put(two, 1, "d"))
    over_quota(one.put_manifest(body(2), push.digest_of(body(2)), images.OCI_INDEX, ["a", "e"]))
    assert one.manifest("a").header("Docker-Content-Digest") == push.digest_of(body(1))
    assert put(one, 2, "a").status == 201, "a tag that moves is no tag more"
    assert one.request("DELETE", "manifests/b").status == 202
    assert put(two, 1, "d").status == 201
    assert put(at("free/app"), 1, "x").status == 201


@pytest.mark.row("P-12")
def test_open_uploads(limited):
    at, _ = limited({"repositories": ["team/**"], "uploads": 2})
    one, two = at("team/one"), at("team/two")
    sessions = [one.open(), two.open()]
    answer = one.post()
    assert answer.status in (403, 429), answer
    assert at("free/app").post().status == 202
    assert sessions[0].cancel().status == 204
    assert one.post().status == 202


def test_many_at_once_never_pass_it(limited):
    at, server = limited({"repositories": ["team/**"], "bytes": "200KiB", "tags": 50})
    blobs = [images.blob(20_000, f"race-{number}") for number in range(40)]
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda item: at(f"team/r{item[0] % 4}").post(
            item[1], digest=push.digest_of(item[1])), enumerate(blobs)))
        stored = sum(answer.status == 201 for answer in answers)
        assert {answer.status for answer in answers} == {201, 403}
        assert stored == 10, stored
        tags = list(pool.map(lambda n: put(at("team/tags"), 0, f"t{n}"), range(80)))
    assert sum(answer.status == 201 for answer in tags) <= 50
    assert server.metric("entrepot_store_blobs") <= 12


def test_quotas_are_read_again(limited):
    at, server = limited({"repositories": ["team/**"], "tags": 1})
    app = at("team/app")
    assert put(app, 1, "a").status == 201
    over_quota(put(app, 1, "b"))
    server.config["registry"] = {"quotas": [{"repositories": ["team/**"], "tags": 2}]}
    server.command()  # writes the file
    status, output = daemon.run_once("reload", "--data", server.data)
    assert status == 0, output
    assert put(app, 1, "b").status == 201


@pytest.mark.row("D-07")
def test_a_full_disk_refuses_pushes_and_recovers(start):
    with net.SmallDisk("96m") as disk:
        server = start(daemon.hub_of(NOWHERE), flags=["--open"], data=disk.path / "data")
        app = push.Repository(server.address, "full/app")
        kept = images.blob(1_000_000, "kept")
        assert app.post(kept, digest=push.digest_of(kept)).status == 201
        filler = disk.path / "filler"
        filler.write_bytes(b"\0" * max(0, disk.free() - 4_000_000))
        large = images.blob(20_000_000, "large")
        answer = app.post(large, digest=push.digest_of(large))
        assert (answer.status, answer.code) == (507, "UNAVAILABLE"), answer
        assert app.blob(push.digest_of(large), "HEAD").status == 404
        assert app.blob(push.digest_of(kept)).body == kept
        process.wait_for(lambda: not list((server.data / "spool").glob("upload-*")), 60,
                         "the refused upload's bytes to go")
        filler.unlink()
        assert app.post(large, digest=push.digest_of(large)).status == 201
        assert app.blob(push.digest_of(large)).body == large
        assert app.request("DELETE", f"blobs/{push.digest_of(kept)}").status == 202
