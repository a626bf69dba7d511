"""Where the daemon listens: Unix sockets, several addresses at once, and proxies in front of it."""

import http.client
import os
import re
import signal
import socket
import stat

import pytest
from support import clients, daemon, hostile, images, process, walk

APP = images.small("listeners")


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=20)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self.path))


def ask(path, target, headers=None):
    """(status, body) of a GET by a Unix socket."""
    connection = UnixConnection(path)
    try:
        connection.request("GET", target, headers=headers or {})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def mode(path):
    return stat.S_IMODE(os.stat(path).st_mode)


@pytest.fixture
def sockets():
    """A directory with a short name: names of sockets are at most 107 bytes long."""
    place = process.directory("sockets")
    yield place
    for each in place.iterdir():
        each.unlink()
    place.rmdir()


@pytest.fixture
def upstream_with_app(upstream):
    upstream.add(APP, "org/app", "v1")
    return upstream


def test_unix_and_tcp_side_by_side(start, upstream_with_app, sockets):
    path = sockets / "entrepot.sock"
    running = start(daemon.hub_of(upstream_with_app.url),
                    listen=["127.0.0.1:0", f"unix:{path}", "[::1]:0"])
    assert mode(path) == 0o660
    assert mode(running.data / "control.sock") == 0o600
    running.link("org/app", "v1")
    layer = APP.layers()[0]
    assert ask(path, f"/v2/org/app/blobs/{layer}") == (200, APP.blobs[layer])
    port = re.findall(r"address=\"?\[::1\]:(\d+)", running.log())[0]
    assert daemon.fetch(f"::1:{port}", f"/v2/org/app/blobs/{layer}").body == APP.blobs[layer]
    done = process.run(["curl", "-sS", "--unix-socket", path, "http://localhost/v2/",
                        "-w", "%{http_code}"])
    assert done.stdout.endswith("200")
    # a reverse proxy's clients are not this machine's
    assert ask(path, "/metrics")[0] != 200
    assert running.stop() == 0
    assert not path.exists() and not (running.data / "control.sock").exists()


@pytest.mark.row("O-01")
def test_a_stale_socket_is_replaced_and_one_in_use_is_not(start, sockets):
    path = sockets / "entrepot.sock"
    entry = daemon.hub_of("http://127.0.0.1:1")
    running = start(entry, listen=["127.0.0.1:0", f"unix:{path}"])
    other = daemon.Daemon({"listen": [f"unix:{path}"], "upstreams": [entry]}, start=False)
    status, output = daemon.run_once(*other.command()[1:])
    other.close()
    assert status != 0 and "in use" in output
    assert ask(path, "/v2/")[0] == 200
    running.kill9()
    assert path.exists()
    running.start()
    assert ask(path, "/v2/")[0] == 200


def told(running, headers):
    """Whose request it was, by the access log."""
    before = len(running.accesses(route="ping"))
    assert running.get("/v2/", headers).status == 200
    lines = process.wait_for(lambda: running.accesses(route="ping")[before:], 5, "its access line")
    return lines[-1]["remote"]


def test_forwarded_addresses_are_believed_from_trusted_proxies_only(start):
    entry = daemon.hub_of("http://127.0.0.1:1")
    forwarded = {"X-Forwarded-For": "127.0.0.1, 192.0.2.9", "X-Forwarded-Proto": "https"}
    trusting = start(entry, trusted_proxies=["127.0.0.0/8"])
    assert told(trusting, {}) == "127.0.0.1"
    assert told(trusting, forwarded) == "192.0.2.9"
    assert trusting.get("/metrics").status == 200
    assert trusting.get("/metrics", forwarded).status != 200
    wary = start(entry, trusted_proxies=["10.0.0.0/8", "unix"])
    assert told(wary, forwarded) == "127.0.0.1"
    assert wary.get("/metrics", forwarded).status != 200, "an unknown proxy makes nobody local"


NGINX = """daemon off; user root; error_log %(place)s/error.log; pid %(place)s/pid; worker_processes 1;
events {}
http {
  access_log off;
  client_body_temp_path %(place)s/body; proxy_temp_path %(place)s/proxy;
  fastcgi_temp_path %(place)s/f; uwsgi_temp_path %(place)s/u; scgi_temp_path %(place)s/s;
  server {
    listen 127.0.0.1:%(port)d;
    client_max_body_size 0; proxy_request_buffering off; proxy_buffering off;
    location / {
      proxy_pass http://unix:%(socket)s:;
      proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto $scheme;
    }
  }
}
"""


@pytest.fixture
def behind_nginx(start, upstream_with_app, sockets, tmp_path):
    path = sockets / "entrepot.sock"
    running = start(daemon.hub_of(upstream_with_app.url), flags=["--open"],
                    listen=["127.0.0.1:0", f"unix:{path}"], trusted_proxies=["unix"])
    running.front = process.free_port()
    (tmp_path / "nginx.conf").write_text(
        NGINX % {"place": tmp_path, "port": running.front, "socket": path})
    child = process.start(["nginx", "-c", tmp_path / "nginx.conf", "-p", tmp_path])

    def answers():
        try:
            return daemon.fetch(f"127.0.0.1:{running.front}", "/v2/").status == 200
        except OSError:
            return False

    process.wait_for(answers, 10, "nginx")
    yield running
    process.stop(child, signal.SIGTERM)


def test_behind_a_reverse_proxy_images_go_in_and_out(behind_nginx):
    front = f"127.0.0.1:{behind_nginx.front}"
    walk.pull(front, "org/app", "v1", APP)
    with clients.Skopeo() as skopeo:
        skopeo.run("copy", "--src-tls-verify=false", "--dest-tls-verify=false",
                   f"docker://{front}/org/app:v1", f"docker://{front}/team/app:v2")
        skopeo.pull(f"{front}/team/app:v2")
    assert behind_nginx.manifest("team/app", "v2").body == APP.root.body
    assert {line["remote"] for line in behind_nginx.accesses(route="manifest")} == {"127.0.0.1"}
