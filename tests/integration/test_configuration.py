"""The command line and the configuration file as an operator meets them."""

import json
import signal
import threading
import time

import pytest
from support import certificates, daemon, images, process, walk


def check(tmp_path, text):
    path = tmp_path / "config.yaml"
    path.write_text(text)
    return daemon.run_once("check-config", "--config", str(path)), path


@pytest.mark.parametrize("text, line", [
    ("listen: \"127.0.0.1:0\"\nbanana: 1\n", 2),
    ("upstreams:\n  - name: a\n    urls: [\"http://x\"]\n    colour: red\n", 4),
    ("drain: 10s\ndrain: 20s\n", 2),
    ("drain: 10 parsecs\n", 1),
    ("upstreams:\n  - name: UPPER\n    urls: [\"http://x\"]\n", 2),
    ("upstreams:\n  - name: a\n    urls: [\"ftp://x\"]\n", 3),
    ("threads: [1]\n", 1),
    ("listen: \"nowhere\"\n", 1),
    ("data: /d\naccess:\n  htpasswd: /none\n", 3),
    ("access:\n  rules:\n    - {who: anonymous, repositories: [\"**\"], may: [fly]}\n", 3),
    ("registry:\n  quotas:\n    - {repositories: [\"**\"], bytes: much}\n", 3),
    ("collect:\n  every: daily\n", 2),
    ("notifications:\n  - {name: ci, url: \"ftp://x\"}\n", 2)])
def test_errors_have_file_and_line_and_exit_78(tmp_path, text, line):
    (status, said), path = check(tmp_path, text)
    assert status == 78, said
    assert f"{path}:{line}" in said


def test_a_good_file_is_good(tmp_path):
    (status, said), _ = check(tmp_path, daemon.yaml({
        "listen": ["127.0.0.1:0"], "data": str(tmp_path / "data"),
        "upstreams": [daemon.hub_of("http://127.0.0.1:1")]}))
    assert status == 0, said


@pytest.mark.row("O-13", "A-14")
def test_files_that_are_named_are_opened_too(tmp_path):
    """check-config finds what a start would stumble over, and makes nothing."""
    pair = certificates.Authority(tmp_path).issue()
    other = certificates.Authority(tmp_path, "other").issue()
    for name, text in (("plain", "alice:secret\n"), ("good", ""), ("jwks.json", "no json")):
        (tmp_path / name).write_text(text)
    tls = {"certificate": str(pair.chain), "key": str(pair.key)}
    issuer = {"issuer": "i", "audience": "a", "keys": str(tmp_path / "jwks.json")}
    cases = [({"access": {"htpasswd": str(tmp_path / "plain")}}, "plain"),
             ({"access": {"issuers": [issuer]}}, "jwks.json"),
             ({"listen": [{"address": "127.0.0.1:0", "tls": {**tls, "key": str(other.key)}}]},
              "key")]
    for config, named in cases:
        (status, said), _ = check(tmp_path, daemon.yaml(config))
        assert status == 78 and named in said, said
    good = {"data": str(tmp_path / "data"), "external_url": "https://registry.example",
            "access": {"htpasswd": str(tmp_path / "good")},
            "listen": [{"address": "127.0.0.1:0", "tls": tls}]}
    (status, said), _ = check(tmp_path, daemon.yaml(good))
    assert status == 0, said
    assert not (tmp_path / "data").exists()


def test_version_and_usage():
    status, said = daemon.run_once("--version")
    assert status == 0 and "entrepot" in said
    assert daemon.run_once("serve", "--banana")[0] == 64
    assert daemon.run_once("banana")[0] == 64


def test_flags_alone_make_a_mirror(upstream, tmp_path):
    image = images.small("flags")
    upstream.add(image, "org/app", "v1")
    mirror = daemon.Daemon(start=False)
    mirror.command = lambda: [daemon.BINARY, "serve", "--listen", "127.0.0.1:0", "--data",
                              str(mirror.data), "--upstream", f"lab={upstream.url}",
                              "--log-level", "debug"]
    with mirror.start():
        walk.pull(mirror.address, "org/app", "v1", image)
        walk.pull(mirror.address, f"{upstream.address}/org/app", "v1", image)
        assert oct(mirror.data.stat().st_mode & 0o777) == "0o700"


def test_a_taken_port_is_exit_69(mirror, tmp_path):
    status, said = daemon.run_once("serve", "--listen", mirror.address, "--data",
                                   str(tmp_path / "data"))
    assert status == 69, said
    assert mirror.address in said


def test_json_logs(start, upstream):
    mirror = start(daemon.hub_of(upstream.url), log={"level": "info", "format": "json"})
    mirror.manifest("org/app", "none")
    # a line is written when its answer is through
    process.wait_for(lambda: '"request"' in mirror.log(), 5, "the access line")
    lines = [json.loads(line) for line in mirror.log().splitlines()]
    request = [line for line in lines if line.get("msg") == "request"][0]
    assert request["status"] in (404, "404") and request["method"] == "GET"


def test_admin_listener_takes_the_metrics_away(start, upstream):
    port = process.free_port()
    mirror = start(daemon.hub_of(upstream.url), admin_listen=f"127.0.0.1:{port}")
    assert daemon.fetch(f"127.0.0.1:{port}", "/metrics").status == 200
    assert mirror.get("/metrics").status == 404


def test_the_file_alone_as_registry_2_takes_it(start):
    server = start(daemon.hub_of("http://127.0.0.1:1"))
    server.stop()
    server.command = lambda: [daemon.BINARY, "serve", str(server.place / "config.yaml")]
    server.start()
    assert server.get("/v2/").status == 200


def test_open_is_for_those_without_users_and_rules(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text("access: {rules: []}\n")
    status, said = daemon.run_once("serve", "--open", "--config", str(path), "--data",
                                   str(tmp_path / "data"))
    assert status == 64 and "--open" in said


def write(server, **changes):
    """The server's configuration file with these sections; its upstreams and data stay."""
    server.config.update(changes)
    (server.place / "config.yaml").write_text(daemon.yaml(server.config))


def reload(server):
    return daemon.run_once("reload", "--data", str(server.data))


PUSH = {"access": {"rules": [{"who": "anonymous", "repositories": ["**"], "may": ["pull", "push"]}]}}
PULL = {"access": {"rules": [{"who": "anonymous", "repositories": ["**"], "may": ["pull"]}]}}


def may_push(server):
    return server.request("POST", "/v2/app/blobs/uploads/", body=b"").status == 202


@pytest.mark.row("O-02", "A-09")
@pytest.mark.parametrize("how", ["command", "signal"])
def test_a_reload_replaces_all_or_nothing(start, how):
    server = start(daemon.hub_of("http://127.0.0.1:1"), **PUSH)
    assert may_push(server)

    def again(sign):
        seen = server.log().count(sign)
        if how == "command":
            return reload(server)
        server.child.send_signal(signal.SIGHUP)
        process.wait_for(lambda: server.log().count(sign) > seen, 10, "the reload")
        return None

    write(server, **PULL)
    said = again("configuration read again")
    assert said in (None, (0, "")), said
    assert not may_push(server)
    write(server, **PUSH, registry={"quotas": [{"repositories": ["**"]}]})
    said = again("the old one stays")
    assert said is None or said[0] == 78 and "config.yaml:" in said[1], said
    assert not may_push(server)
    write(server, registry={"read_only": True}, listen=["127.0.0.1:0", "127.0.0.1:0"])
    again("configuration read again")
    assert not may_push(server)
    assert "a change waits for a restart" in server.log() and "key=listen" in server.log()
    write(server, registry={"read_only": False})
    again("configuration read again")
    assert may_push(server)


@pytest.mark.limit(180)
@pytest.mark.row("O-02")
def test_reloads_cost_no_request(start):
    server = start(daemon.hub_of("http://127.0.0.1:1"), log={"level": "info"}, **PUSH)
    image = images.small("reloads")
    images.push(image, server.address, "app", "v1")
    failed, stop = [], threading.Event()

    def ask():
        while not stop.is_set():
            answer = server.manifest("app", "v1")
            if answer.status != 200:
                failed.append(answer)

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        for turn in range(1000):
            server.child.send_signal(signal.SIGHUP)
            if turn % 100 == 99:
                assert reload(server) == (0, "")
    finally:
        stop.set()
        asking.join()
    assert not failed, failed[:3]


@pytest.mark.row("O-02")
def test_users_and_keys_are_read_again_without_being_asked(start, tmp_path):
    users = tmp_path / "htpasswd"
    process.run(["htpasswd", "-Bbc", users, "alice", "s3cret"])
    server = start(daemon.hub_of("http://127.0.0.1:1"), access={"htpasswd": str(users)})
    assert server.get("/v2/", {"Authorization": "Basic Ym9iOm90aGVy"}).status == 401
    process.run(["htpasswd", "-Bb", users, "bob", "other"])
    process.wait_for(
        lambda: server.get("/v2/", {"Authorization": "Basic Ym9iOm90aGVy"}).status == 200, 30,
        "bob to be known", step=1)


def test_log_lines_tell_where_and_how(start, tmp_path):
    pair = certificates.Authority(tmp_path).issue()
    place = process.directory("socket")
    server = start(daemon.hub_of("http://127.0.0.1:1"), listen=[
        "127.0.0.1:0", f"unix:{place}/s",
        {"address": "127.0.0.1:0", "tls": {"certificate": str(pair.chain), "key": str(pair.key)}}])
    lines = [daemon.parse_line(line) for line in server.log().splitlines()]
    found = [(line["address"].split(":")[0], line["tls"]) for line in lines
             if line.get("msg") == "listening"]
    assert found == [("127.0.0.1", "no"), ("unix", "no"), ("127.0.0.1", "yes")]


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_stops_cleanly(mirror, how):
    began = time.monotonic()
    mirror.child.send_signal(how)
    assert mirror.child.wait(10) == 0
    assert time.monotonic() - began < 5


def test_systemd_is_told(upstream, tmp_path):
    """Type=notify: READY=1 once serving, STOPPING=1 at the end."""
    import socket
    path = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sink:
        sink.bind(str(path))
        sink.settimeout(5)
        with daemon.Daemon({"upstreams": [daemon.hub_of(upstream.url)]},
                           env={"NOTIFY_SOCKET": str(path)}) as mirror:
            said = sink.recv(4096)
            while b"READY=1" not in said:
                said = sink.recv(4096)
            assert mirror.get("/readyz").status == 200
            mirror.stop()
            while b"STOPPING=1" not in said:
                said = sink.recv(4096)
