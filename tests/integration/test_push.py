"""Pushing: real clients get back what they sent, and no interruption or confusion of an upload
harms it (catalogue P, M)."""

import concurrent.futures
import filecmp
import os
import random
import shutil
import time

import pytest
from support import clients, daemon, images, process, push

LONG = os.environ.get("ENTREPOT_LONG") == "1"
NOWHERE = "http://127.0.0.1:1"
NAME = "team/app"


@pytest.fixture
def server(start):
    """Anybody may push; the upstream for other names is dead."""
    return start(daemon.hub_of(NOWHERE), flags=["--open"])


@pytest.fixture
def app(server):
    return push.Repository(server.address, NAME)


@pytest.fixture(scope="module")
def shared():
    with daemon.Daemon({"upstreams": [daemon.hub_of(NOWHERE)]}, ["--open"]) as running:
        yield running


# ---- real clients ------------------------------------------------------------------------------

IMAGES = {"layers-docker": lambda: images.multi_layer("docker"),
          "layers-oci": lambda: images.multi_layer("oci"),
          "multi-docker": lambda: images.multi_arch("docker"),
          "multi-oci": lambda: images.multi_arch("oci")}


def write_dir(image, place):
    """As skopeo's dir: transport keeps an image, whatever its types."""
    place.mkdir()
    (place / "version").write_text("Directory Transport Version: 1.1\n")
    (place / "manifest.json").write_bytes(image.root.body)
    for digest, manifest in image.manifests.items():
        if digest != image.digest:
            (place / f"{digest.split(':')[1]}.manifest.json").write_bytes(manifest.body)
    for digest, data in image.blobs.items():
        (place / digest.split(":")[1]).write_bytes(data)
    return place


def same_files(one, other):
    names = sorted(path.name for path in one.iterdir())
    assert names == sorted(path.name for path in other.iterdir())
    assert filecmp.cmpfiles(one, other, names, shallow=False)[1:] == ([], [])


@pytest.mark.row("M-15")
@pytest.mark.parametrize("name", IMAGES)
def test_skopeo_gets_back_what_it_sent(shared, name):
    image = IMAGES[name]()
    with clients.Skopeo() as skopeo:
        sent = write_dir(image, skopeo.path / "sent")
        target = f"docker://{shared.address}/skopeo/{name}:v1"
        skopeo.run("copy", "--dest-tls-verify=false", "--all", "--preserve-digests",
                   f"dir:{sent}", target)
        same_files(sent, skopeo.pull(f"{shared.address}/skopeo/{name}:v1", "--all"))
        # a second copy into another repository is mounted or found, and the same
        skopeo.run("copy", "--src-tls-verify=false", "--dest-tls-verify=false", "--all",
                   "--preserve-digests", target, f"docker://{shared.address}/copied/{name}:v2")
    push.Repository(shared.address, f"copied/{name}").holds(image, "v2")


def test_podman_pushes_and_pulls(shared, plain_registry):
    plain_registry.push(images.multi_layer("docker"), "library/layers", "1")
    reference = f"{shared.address}/podman/layers:1"
    with clients.Podman(insecure=[plain_registry.address, shared.address]) as podman:
        podman.pull(f"{plain_registry.address}/library/layers:1")
        podman.run("tag", f"{plain_registry.address}/library/layers:1", reference)
        for turn in range(2):
            podman.run("push", "-q", "--digestfile", podman.path / "digest", reference)
            pushed = (podman.path / "digest").read_text().strip()
            found = push.Repository(shared.address, "podman/layers").manifest("1")
            assert found.header("Docker-Content-Digest") == pushed == images.sha256(found.body), turn
        podman.remove_all()
        podman.pull(reference)
        assert podman.digest(reference) == pushed
        assert podman.start(reference) == "hello from entrepot\n"


def test_buildah_builds_and_pushes(shared):
    reference = f"{shared.address}/buildah/made:1"
    with clients.Buildah(insecure=[shared.address]) as buildah:
        (buildah.path / "file").write_bytes(images.blob(300_000, "buildah"))
        made = buildah.run("from", "scratch").stdout.strip()
        buildah.run("copy", made, buildah.path / "file", "/file")
        buildah.run("commit", "-q", made, reference)
        buildah.run("push", "-q", "--signature-policy", buildah.path / "policy.json", reference)
        buildah.run("rmi", "-a", "-f")
        buildah.pull(reference)
        back = buildah.run("from", "--pull-never", reference).stdout.strip()
        place = buildah.run("mount", back).stdout.strip()
        assert filecmp.cmp(buildah.path / "file", f"{place}/file", shallow=False)
        buildah.run("umount", back)


def test_containerd_pushes(shared, plain_registry):
    image = images.multi_arch("oci")
    plain_registry.push(image, "library/multi", "1")
    here, there = f"{plain_registry.address}/library/multi:1", f"{shared.address}/ctr/multi:1"
    with clients.Containerd() as containerd:
        containerd.ctr("images", "pull", "--plain-http", "--all-platforms", "--snapshotter",
                       "native", here)
        containerd.ctr("images", "tag", here, there)
        containerd.ctr("images", "push", "--plain-http", there)
    push.Repository(shared.address, "ctr/multi").holds(image, "1")


@pytest.mark.limit(180)
def test_docker_pushes(shared, plain_registry):
    plain_registry.push(images.multi_layer("docker"), "library/layers", "1")
    here, there = f"{plain_registry.address}/library/layers:1", f"{shared.address}/docker/layers:1"
    with clients.Docker() as docker:
        docker.pull(here)
        docker.run("tag", here, there)
        docker.run("push", there)
        docker.remove(there)
        docker.remove(here)
        docker.pull(there)
        assert docker.start(there) == "hello from entrepot\n"


# ---- ways of an upload -------------------------------------------------------------------------

def at_once(repository, data, digest):
    return repository.post(data, digest=digest).status


def put(repository, data, digest):
    return repository.open().put(digest, data).status


def patch(repository, data, digest):
    session = repository.open()
    assert session.patch(data).status == 202
    return session.put(digest).status


def pieces(repository, data, digest):
    session, size = repository.open(), max(1, len(data) // 3)
    for start in range(0, len(data), size):
        answer = session.patch(data[start:start + size], at=start)
        assert answer.status == 202, answer
        assert answer.header("Range") == f"0-{min(len(data), start + size) - 1}"
    return session.put(digest).status


def last_piece_in_put(repository, data, digest):
    session, half = repository.open(), len(data) // 2
    if half:
        assert session.patch(data[:half], at=0).status == 202
    return session.put(digest, data[half:], at=half).status


def streamed(repository, data, digest):
    session = repository.open()
    assert session.stream([data[i:i + 32768] for i in range(0, len(data), 32768)]) == 202
    return session.put(digest).status


def streamed_put(repository, data, digest):
    session = repository.open()
    return session.stream([data[i:i + 7000] for i in range(0, len(data), 7000)], "PUT",
                          push.with_query(session.location, digest=digest))


WAYS = [at_once, put, patch, pieces, last_piece_in_put, streamed, streamed_put]


@pytest.mark.row("M-04")
@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
@pytest.mark.parametrize("way", WAYS)
def test_every_way_of_an_upload(shared, way, algorithm):
    repository = push.Repository(shared.address, f"ways/{way.__name__.replace('_', '-')}")
    for size in (1, 2, 65_536, 1_000_003):
        data = images.blob(size, f"{way.__name__}/{algorithm}")
        digest = push.digest_of(data, algorithm)
        assert repository.blob(digest, "HEAD").status == 404
        assert way(repository, data, digest) == 201
        head, got = repository.blob(digest, "HEAD"), repository.blob(digest)
        assert head.status == got.status == 200 and got.body == data
        assert head.header("Content-Length") == str(size)
        assert repository.blob(digest, Range="bytes=1-").status == (206 if size > 1 else 416)


def test_an_empty_blob(shared):
    repository = push.Repository(shared.address, "ways/empty")
    digest = push.digest_of(b"")
    assert repository.open().put(digest).status == 201
    assert repository.blob(digest).body == b""


@pytest.mark.row("M-04")
def test_a_session_for_another_algorithm(shared):
    repository = push.Repository(shared.address, "ways/announced")
    data = images.blob(70_000, "announced")
    session = repository.open(**{"digest-algorithm": "sha512"})
    assert session.patch(data).status == 202
    assert session.put(push.digest_of(data, "sha512")).status == 201
    session = repository.open(**{"digest-algorithm": "sha512"})
    assert session.patch(data).status == 202
    assert session.put(push.digest_of(data, "sha256")).status in (201, 400)
    for odd in ("md5", "sha1", "sha384", "../x"):
        assert repository.post(**{"digest-algorithm": odd}).status == 400


def test_a_cancelled_upload_is_gone(server, app):
    session = app.open()
    assert session.patch(b"bytes").status == 202
    assert session.cancel().status == 204
    assert session.status().status == 404
    assert session.patch(b"more").code == "BLOB_UPLOAD_UNKNOWN"
    assert session.cancel().status == 404
    assert not list((server.data / "spool").glob("upload-*"))


# ---- broken connections and restarts -----------------------------------------------------------

def resume(session, data, digest):
    """What a client does after a break: asks where it was and sends the rest."""
    def finished():
        offset = session.offset()
        answer = session.put(digest, data[offset:], at=offset if offset < len(data) else None)
        return answer.status == 201 or answer.status not in (416,) and pytest.fail(str(answer))
    process.wait_for(finished, 20, "the upload to be finished")


@pytest.mark.limit(400 if LONG else 120)
@pytest.mark.row("P-07", "D-01")
def test_uploads_cut_at_any_byte_go_on(server, app):
    choose = random.Random(3)
    cuts, size = (200 if LONG else 40), 400_000
    blobs = max(4, cuts // 10)
    for number in range(blobs):
        data = images.blob(size, f"cut-{number}")
        digest = push.digest_of(data)
        session = app.open()
        for _ in range(cuts // blobs):
            offset = session.offset()
            rest = data[offset:]
            session.cut(rest, choose.randrange(0, max(1, len(rest) // 2)))
            process.wait_for(lambda: settled(session), 10, "the broken request to be over")
            now = session.offset()
            assert offset <= now < size
        resume(session, data, digest)
        assert app.blob(digest).body == data
    assert not list((server.data / "spool").glob("upload-*"))


def settled(session):
    """Nobody writes any more: a writer of nothing is let in."""
    return session.patch(b"").status != 416


@pytest.mark.row("P-11", "D-01")
@pytest.mark.parametrize("how", ["stop", "kill9"])
def test_an_upload_survives_a_restart(server, app, how):
    data = images.blob(3_000_000, how)
    digest = push.digest_of(data)
    untouched, session = app.open(), app.open()
    assert session.patch(data[:1_000_000]).status == 202
    connection = session.begin(data[1_000_000:], sent=500_000)
    process.wait_for(lambda: server.data.joinpath("spool").exists() and any(
        path.stat().st_size > 1_000_000 for path in (server.data / "spool").glob("upload-*")),
        10, "bytes of the broken request")
    if how == "kill9":
        server.kill9()
    server.restart(keep_address=True)
    connection.close()
    assert session.offset() >= 1_000_000
    assert untouched.offset() == 0
    resume(session, data, digest)
    assert app.blob(digest).body == data
    assert untouched.cancel().status == 204


@pytest.mark.row("P-09")
def test_a_repeated_last_request_is_answered_again(app):
    data = images.blob(100_000, "again")
    session = app.open()
    location = session.location
    assert session.put(push.digest_of(data), data).status == 201
    session.location = location
    assert session.put(push.digest_of(data), data).status in (201, 404)
    assert app.blob(push.digest_of(data)).body == data


# ---- sessions of others, odd ids, several writers ----------------------------------------------

@pytest.mark.row("P-05")
def test_an_upload_belongs_to_one_user_and_one_repository(start, tmp_path):
    users = push.htpasswd(tmp_path / "htpasswd", "alice", "bob")
    server = start(daemon.hub_of(NOWHERE), access={"htpasswd": str(users)})
    alice = push.Repository(server.address, NAME, push.basic("alice"))
    data = images.blob(100_000, "alice")
    session = alice.open()
    assert session.patch(data[:50_000]).status == 202
    strangers = [push.Session(push.Repository(server.address, name, push.basic(user)),
                              session.location.replace(NAME, name))
                 for name, user in ((NAME, "bob"), ("team/other", "alice"), ("team/other", "bob"))]
    for stranger in strangers:
        answers = [stranger.status(), stranger.patch(b"x"), stranger.put(push.digest_of(b"x"), b"x"),
                   stranger.cancel()]
        for answer in answers:
            assert (answer.status, answer.code) == (404, "BLOB_UPLOAD_UNKNOWN"), answer
    nobody = push.Session(push.Repository(server.address, NAME), session.location)
    assert nobody.status().status == 401
    assert session.offset() == 50_000
    assert session.put(push.digest_of(data), data[50_000:]).status == 201


@pytest.mark.row("P-06")
@pytest.mark.parametrize("odd", ["..%2fx", "../x", "x" * 8000, "g" * 32, "A" * 32, "0" * 31,
                                 "0" * 33, "0" * 32, "%00" * 32, "0" * 30 + "%2f" + "0", "-" * 36])
def test_odd_ids_are_unknown(shared, odd):
    repository = push.Repository(shared.address, NAME)
    for method in ("GET", "PATCH", "DELETE", "PUT"):
        path = f"blobs/uploads/{odd}" + (f"?digest={push.digest_of(b'')}" if method == "PUT" else "")
        answer = repository.request(method, path, None if method == "GET" else b"")
        assert answer.status in (400, 404, 414, 405), (method, answer)


def test_ids_are_random(shared):
    repository = push.Repository(shared.address, "ids/app")
    found = {repository.open().id for _ in range(50)}
    assert len(found) == 50 and all(len(each) == 32 for each in found)


@pytest.mark.row("P-07")
def test_one_writer_at_a_time(server, app):
    data = images.blob(600_000, "two writers")
    session = app.open()
    connection = session.begin(data, sent=300_000)
    # Its notes (upload-*.session) are there from the beginning and tell nothing of a writer.
    spool = server.data / "spool" / f"upload-{session.id}"
    process.wait_for(lambda: spool.stat().st_size, 10, "the first bytes")
    rival = push.Session(app, session.location)
    answer = rival.patch(b"z" * 1000)
    assert (answer.status, answer.code) in ((416, "RANGE_INVALID"), (409, "RANGE_INVALID")), answer
    connection.sendall(data[300_000:])
    assert b" 202 " in connection.recv(4096)
    connection.close()
    assert session.put(push.digest_of(data)).status == 201
    assert app.blob(push.digest_of(data)).body == data


@pytest.mark.row("P-07")
def test_many_writers_of_one_session(app):
    """Whichever wins each turn, bytes never mix."""
    piece, rounds, writers = images.blob(20_000, "piece"), 10, 8
    session = app.open()
    with concurrent.futures.ThreadPoolExecutor(writers) as pool:
        for turn in range(rounds):
            at = turn * len(piece)
            answers = list(pool.map(lambda _: push.Session(app, session.location).patch(piece, at=at),
                                    range(writers)))
            statuses = sorted(answer.status for answer in answers)
            assert statuses == [202] + [416] * (writers - 1), statuses
            process.wait_for(lambda: settled(session), 10, "the losers to be over")
    data = piece * rounds
    assert session.put(push.digest_of(data)).status == 201


@pytest.mark.row("P-08")
def test_pieces_out_of_order(shared):
    repository = push.Repository(shared.address, "pieces/order")
    data = images.blob(30_000, "order")
    session = repository.open()
    assert session.status().header("Range") == "0-0"
    assert session.patch(data[:10_000], at=0).status == 202
    for start in (0, 5_000, 9_999, 10_001, 20_000):
        answer = session.patch(data[start:start + 10_000], at=start)
        assert (answer.status, answer.code) == (416, "RANGE_INVALID"), answer
        assert answer.header("Range") == "0-9999" and answer.header("Location")
    for odd in ("-", "5-", "-5", "a-b", "9-3", "10000-", "bytes 10000-19999x", "10000-99999999999999999999",
                "18446744073709551615-18446744073709551615", "10000-10000", "+10000-19999", "1e4-19999"):
        answer = session.patch(data[10_000:20_000], Content_Range=odd)
        assert answer.status in (400, 416), (odd, answer)
        assert session.offset() == 10_000, odd
    assert session.put(push.digest_of(data), data[20_000:], at=20_000).status == 416
    assert session.patch(data[10_000:20_000], at=10_000).status == 202
    assert session.put(push.digest_of(data), data[20_000:], at=20_000).status == 201
    assert repository.blob(push.digest_of(data)).body == data


@pytest.mark.row("P-09", "M-02")
def test_a_wrong_digest_stores_nothing(server, app):
    data = images.blob(10_000, "right")
    other = push.digest_of(b"other")
    for answer in (app.open().put(other, data), app.post(data, digest=other),
                   app.open().put(push.digest_of(data, "sha512")[:-1] + "g", data)):
        assert (answer.status, answer.code) == (400, "DIGEST_INVALID"), answer
    for odd in ("sha256:" + "0" * 63, "sha256:" + "0" * 65, "sha256:" + "A" * 64, "md5:" + "0" * 32,
                "sha256:../../x", "sha256:", "", "sha256", push.digest_of(data).replace(":", "%3A%3A")):
        session = app.open()
        answer = session.put(odd, data)
        assert (answer.status, answer.code) == (400, "DIGEST_INVALID"), (odd, answer)
        assert app.put_manifest(b"{}", odd or "sha256:").status in (400, 404), odd
    assert app.blob(push.digest_of(data), "HEAD").status == 404
    assert app.blob(other, "HEAD").status == 404
    assert server.stored_blobs() == set()


@pytest.mark.row("P-10")
def test_a_planted_symlink_leads_nowhere(server, app, tmp_path):
    data = images.blob(5_000, "planted")
    digest = push.digest_of(data)
    shard = server.blob_path(digest).parent
    shutil.rmtree(shard, ignore_errors=True)
    shard.parent.mkdir(parents=True, exist_ok=True)
    shard.symlink_to(tmp_path)
    answer = app.post(data, digest=digest)
    assert answer.status == 500, answer
    assert not list(tmp_path.iterdir())
    shard.unlink()
    shard.mkdir()
    assert push.Repository(server.address, "team/after").post(b"after", digest=push.digest_of(
        b"after")).status == 201


# ---- abandoned uploads and limits --------------------------------------------------------------

@pytest.mark.limit(400 if LONG else 120)
@pytest.mark.row("P-11")
def test_abandoned_uploads_go(start):
    server = start(daemon.hub_of(NOWHERE), flags=["--open"],
                   registry={"uploads": {"expire": "2s", "total": 20_000, "per_user": 20_000}})
    app = push.Repository(server.address, NAME)
    spool = server.data / "spool"
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: app.open().patch(b"x" * n), range(1, 10_000 if LONG else 200)))
    assert list(spool.glob("upload-*"))
    server.stop()
    time.sleep(2.5)  # longer than they live
    server.restart(keep_address=True)
    process.wait_for(lambda: not list(spool.glob("upload-*")), 10, "the sweep at start")
    session = app.open()
    for _ in range(8):
        time.sleep(0.5)
        assert session.patch(b"alive").status == 202, "an active upload was reaped"
    process.wait_for(lambda: not list(spool.glob("upload-*")), 60, "the sweep by the timer")


@pytest.mark.row("P-12")
def test_open_uploads_are_limited(start, tmp_path):
    users = push.htpasswd(tmp_path / "htpasswd", "alice", "bob", "carol")
    server = start(daemon.hub_of(NOWHERE), access={"htpasswd": str(users)},
                   registry={"uploads": {"per_user": 3, "total": 5}})
    alice, bob, carol = (push.Repository(server.address, NAME, push.basic(user))
                         for user in ("alice", "bob", "carol"))
    sessions = [alice.open() for _ in range(3)]
    answer = alice.post()
    assert (answer.status, answer.code) == (429, "TOOMANYREQUESTS"), answer
    assert int(answer.header("Retry-After")) > 0
    assert bob.post().status == bob.post().status == 202
    assert carol.post().status == 429
    assert sessions[0].put(push.digest_of(b"done"), b"done").status == 201
    assert sessions[1].cancel().status == 204
    assert alice.post().status == carol.post().status == 202
    assert bob.post().status == 429


# ---- mounts ------------------------------------------------------------------------------------

def test_blobs_are_mounted(shared):
    data = images.blob(50_000, "mounted")
    digest = push.Repository(shared.address, "mount/source").push_blob(data)
    target = push.Repository(shared.address, "mount/target")
    assert target.blob(digest, "HEAD").status == 404
    answer = target.post(mount=digest, **{"from": "mount/source"})
    assert answer.status == 201 and answer.header("Docker-Content-Digest") == digest
    assert target.blob(digest).body == data
    assert push.Repository(shared.address, "mount/anywhere").post(mount=digest).status == 201
    for query in ({"mount": push.digest_of(b"unknown"), "from": "mount/source"},
                  {"mount": digest, "from": "mount/nowhere"}, {"mount": digest, "from": "..%2fx"}):
        other = push.Repository(shared.address, "mount/other")
        answer = other.post(**query)
        assert answer.status == 202 and answer.header("Location"), (query, answer)
        assert other.blob(digest, "HEAD").status == 404


@pytest.mark.row("A-03")
def test_nothing_is_mounted_that_may_not_be_read(start, tmp_path):
    users = push.htpasswd(tmp_path / "htpasswd", "alice", "bob")
    server = start(daemon.hub_of(NOWHERE), access={"htpasswd": str(users), "rules": [
        {"who": "alice", "repositories": ["alice/**"], "may": ["pull", "push"]},
        {"who": "bob", "repositories": ["bob/**"], "may": ["pull", "push"]}]})
    secret = push.Repository(server.address, "alice/app", push.basic("alice")).push_blob(b"secret")
    bob = push.Repository(server.address, "bob/app", push.basic("bob"))
    unknown = push.digest_of(b"nobody has this")
    for query in ({}, {"from": "alice/app"}, {"from": "bob/app"}):
        answers = [bob.post(mount=digest, **query) for digest in (secret, unknown)]
        assert [answer.status for answer in answers] == [202, 202], answers
        assert {name for name, _ in answers[0].headers} == {name for name, _ in answers[1].headers}
    assert bob.blob(secret, "HEAD").status == 404
