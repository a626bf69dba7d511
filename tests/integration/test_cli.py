"""The operator's commands, on a running daemon and on a directory nobody holds."""

import json
import os
import pty
import subprocess
import time

import pytest
from support import daemon, images, process

OPEN = ["--open"]
NOTHING = "http://127.0.0.1:1"


@pytest.fixture
def registry(start):
    """A registry everybody may push to, which collects only when told and keeps no promises."""
    return start(daemon.hub_of(NOTHING), flags=OPEN, history={"keep": "0"},
                 collect={"every": "0", "grace": "0", "lease": "0", "trash": "0"})


def command(server, *words, stdin=""):
    """(status, stdout, stderr) of one command on this server's data."""
    where = ["--config", server.place / "config.yaml"]
    done = subprocess.run([str(word) for word in [daemon.BINARY, *words, *where]], input=stdin,
                          capture_output=True, text=True, timeout=60, check=False, env=server.env)
    return done.returncode, done.stdout, done.stderr


def push(server, name, tag, seed):
    """A small image, three blobs: its root digest."""
    return images.push(images.small(seed, kind="oci"), server.address, name, tag)


@pytest.mark.row("O-12", "G-14")
@pytest.mark.parametrize("running", [True, False])
def test_collection_says_what_goes_and_frees_it(registry, running):
    kept = push(registry, "team/app", "v1", 1)
    gone = push(registry, "team/app", "v2", 2)
    assert registry.request("DELETE", f"/v2/team/app/manifests/{gone}").status == 202
    before = registry.stored_blobs()
    if not running:
        registry.stop()
    status, planned, _ = command(registry, "gc", "--dry-run", "--json")
    assert status == 0
    planned = [json.loads(line) for line in planned.splitlines()]
    assert planned[-1]["dry_run"] and registry.stored_blobs() == before
    status, said, error = command(registry, "gc", "--json")
    assert status == 0, error
    done = [json.loads(line) for line in said.splitlines()]
    named = {(line["kind"], line["digest"]) for line in done[:-1]}
    assert named == {(line["kind"], line["digest"]) for line in planned[:-1]}
    assert all(line["reason"] for line in done[:-1])
    assert done[-1]["blobs"] == 3 and done[-1]["bytes"] > 4000
    assert len(before) - len(registry.stored_blobs()) == 3
    status, said, _ = command(registry, "gc")
    assert status == 0 and "removed 0 links" in said
    if not running:
        registry.start()
    assert registry.manifest("team/app", "v1").header("Docker-Content-Digest") == kept


def test_collection_as_registry_2_spells_it(registry):
    digest = push(registry, "app", "v1", 1)
    assert registry.request("DELETE", f"/v2/app/manifests/{digest}").status == 202
    for words in (["garbage-collect", "--dry-run"], ["garbage-collect", "--delete-untagged"]):
        done = process.run([daemon.BINARY, *words, registry.place / "config.yaml"],
                           env=registry.env)
        assert "3 blobs" in done.stdout
    assert not registry.stored_blobs()


@pytest.mark.row("G-03")
def test_collection_waits_after_a_crash_and_only_then(start):
    server = start(daemon.hub_of(NOTHING), flags=OPEN, collect={"every": "0", "grace": "0"},
                   history={"keep": "0"})
    digest = push(server, "team/app", "v1", 1)
    assert server.request("DELETE", f"/v2/team/app/manifests/{digest}").status == 202
    server.restart()
    assert command(server, "gc", "--dry-run")[0] == 0
    server.kill9()
    status, said, _ = command(server, "gc")
    assert status == 75 and "lease" in said
    server.start()
    assert command(server, "gc")[0] == 75
    assert len(server.stored_blobs()) == 3


@pytest.mark.parametrize("running", [True, False])
def test_history_and_rollback(registry, running):
    first = push(registry, "team/app", "v1", 1)
    second = push(registry, "team/app", "v1", 2)
    if not running:
        registry.stop()
    status, said, _ = command(registry, "tag", "history", "team/app:v1", "--json")
    assert status == 0
    changes = [json.loads(line) for line in said.splitlines()]
    assert [(change["from"], change["to"]) for change in changes] == [
        (first, second), (None, first)]
    status, said, error = command(registry, "tag", "rollback", "team/app:v1", first)
    assert status == 0 and first in said, error
    assert command(registry, "tag", "rollback", "team/app:v1", "sha256:" + "0" * 64)[0] == 1
    assert command(registry, "tag", "history", "team/app")[0] == 64
    status, said, _ = command(registry, "tag", "history", "team/app:v1")
    assert status == 0 and len(said.splitlines()) == 3
    if not running:
        registry.start()
    assert registry.manifest("team/app", "v1").header("Docker-Content-Digest") == first


def test_a_repository_goes_as_a_whole(registry):
    push(registry, "team/app", "v1", 1)
    push(registry, "team/other", "v1", 2)
    status, said, error = command(registry, "repository", "delete", "team/app")
    assert status == 0 and "team/app" in said, error
    assert registry.get("/v2/_catalog").json() == {"repositories": ["team/other"]}
    status, _, error = command(registry, "repository", "delete", "team/app")
    assert status == 1 and error.startswith("entrepot: ")


def test_read_only_mode_is_switched(registry):
    assert command(registry, "read-only", "show")[1] == "off\n"
    assert command(registry, "read-only", "on")[1] == "on\n"
    refused = registry.request("POST", "/v2/app/blobs/uploads/", body=b"")
    assert refused.status in (403, 405, 503), refused
    assert command(registry, "read-only", "off")[1] == "off\n"
    push(registry, "app", "v1", 1)


@pytest.mark.parametrize("running", [True, False])
def test_export_writes_what_skopeo_reads(registry, tmp_path, running):
    digest = push(registry, "team/app", "v1", 1)
    if not running:
        registry.stop()
    layout = tmp_path / "layout"
    status, said, error = command(registry, "export", "team/app:v1", layout)
    assert status == 0 and "3 blobs" in said, error
    raw = process.run(["skopeo", "inspect", "--raw", f"oci:{layout}:v1"]).stdout.encode()
    assert images.sha256(raw) == digest
    status, _, error = command(registry, "export", "team/app:none", tmp_path / "none")
    assert status == 1 and "entrepot: " in error, error


@pytest.mark.parametrize("running", [True, False])
def test_adoption_of_a_layout(registry, tmp_path, running):
    image = images.small("adopted", kind="oci")
    layout = tmp_path / "layout"
    images.write_layout(image, layout, "v1")
    if not running:
        registry.stop()
    status, said, error = command(registry, "adopt", layout, "--repository", "old/app")
    assert status == 0 and "adopted 1 repository" in said, error
    assert "100%" in error
    status, said, _ = command(registry, "adopt", layout, "--repository", "old/app", "--copy")
    assert status == 0 and "0 blobs" in said
    assert command(registry, "adopt", tmp_path / "none")[0] == 1
    if not running:
        registry.start()
    answer = registry.manifest("old/app", "v1")
    assert answer.header("Docker-Content-Digest") == image.root.digest


def test_jobs_are_remembered(registry):
    command(registry, "gc")
    status, said, _ = command(registry, "jobs", "--json")
    jobs = [json.loads(line) for line in said.splitlines()]
    assert status == 0 and [job["kind"] for job in jobs] == ["collection"]
    assert jobs[0]["state"] == "done"
    assert "collection  done" in command(registry, "jobs")[1]


def test_routes_need_no_registry():
    done = process.run([daemon.BINARY, "routes", "--json"])
    routes = json.loads(done.stdout)["routes"]
    assert {"/v2/", "/token"} <= {route["pattern"] for route in routes}
    assert "/v2/<name>/manifests/" in process.run([daemon.BINARY, "routes"]).stdout


def test_users_are_added_changed_and_removed(tmp_path):
    users = tmp_path / "htpasswd"

    def user(*words, stdin=""):
        done = subprocess.run([daemon.BINARY, "user", *words, "--file", str(users)], text=True,
                              input=stdin, capture_output=True, timeout=60, check=False,
                              env={**os.environ, "ASAN_OPTIONS": daemon.SANITIZER})
        return done.returncode, done.stdout, done.stderr

    assert user("add", "alice", stdin="s3cret\n") == (0, "", "")
    assert user("add", "bob", stdin="other\n")[0] == 0
    assert user("list")[1].split() == ["alice", "bob"]
    assert users.stat().st_mode & 0o777 == 0o600
    assert user("add", "alice", stdin="changed\n")[0] == 0
    assert process.run(["htpasswd", "-vb", users, "alice", "changed"]).returncode == 0
    assert user("remove", "bob")[0] == 0
    assert user("remove", "bob")[0] == 1
    assert user("list")[1].split() == ["alice"]
    assert user("add", "carol", stdin="")[0] == 64
    assert user("add", "a:b", stdin="x\n")[0] == 64
    users.write_text("alice:plain\n")
    status, _, said = user("list")
    assert status == 78 and "1" in said


def test_password_is_asked_for_without_echo(tmp_path):
    users = tmp_path / "htpasswd"
    master, slave = pty.openpty()
    child = process.start([daemon.BINARY, "user", "add", "alice", "--file", users],
                          stdin=slave, stdout=slave, stderr=slave)
    os.close(slave)
    seen = b""
    for prompt in (b"Password: ", b"Again: "):
        end = time.monotonic() + 20
        while prompt not in seen and time.monotonic() < end:
            seen += os.read(master, 1024)
        process.wait_for(lambda: no_echo(master), 20, "the echo to go")
        os.write(master, b"s3cret\n")
    assert child.wait(20) == 0
    process.stop(child)
    while True:
        try:
            seen += os.read(master, 1024)
        except OSError:
            break
    os.close(master)
    assert b"s3cret" not in seen
    process.run(["htpasswd", "-vb", users, "alice", "s3cret"])


def no_echo(terminal):
    import termios
    return not termios.tcgetattr(terminal)[3] & termios.ECHO


def test_who_is_not_there_is_said_by_the_status(registry, tmp_path):
    registry.stop()
    status, _, said = command(registry, "reload")
    assert status == 69 and "no daemon" in said
    assert command(registry, "jobs")[0] == 69
    nowhere = [daemon.BINARY, "gc", "--data", tmp_path / "nowhere"]
    assert process.run(nowhere, check=False).returncode == 73
    assert daemon.run_once("gc", "--config", str(tmp_path / "none.yaml"))[0] == 78
    assert daemon.run_once("banana")[0] == 64


def test_control_socket_is_for_the_operator_alone(registry):
    socket = registry.data / "control.sock"
    assert socket.stat().st_mode & 0o777 == 0o600
    # the same question over the network is nobody's
    assert registry.request("POST", "/api/v1/reload", body=b"").status in (401, 403)
    assert registry.request("POST", "/api/v1/adoptions?directory=/etc", body=b"").status in (
        401, 403)
    assert registry.stop() == 0
    assert command(registry, "reload")[0] == 69
