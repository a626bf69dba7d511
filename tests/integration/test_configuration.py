"""The command line and the configuration file as an operator meets them."""

import signal
import time

import pytest
from support import daemon, images, process, walk


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
    ("listen: \"nowhere\"\n", 1)])
def test_errors_have_file_and_line_and_exit_78(tmp_path, text, line):
    (status, said), path = check(tmp_path, text)
    assert status == 78, said
    assert f"{path}:{line}" in said


def test_a_good_file_is_good(tmp_path):
    (status, said), _ = check(tmp_path, daemon.yaml({
        "listen": ["127.0.0.1:0"], "data": str(tmp_path / "data"),
        "upstreams": [daemon.hub_of("http://127.0.0.1:1")]}))
    assert status == 0, said


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
    import json
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
