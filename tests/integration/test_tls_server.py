"""TLS by the daemon itself: real clients, new certificates while it runs, certificates of clients."""

import hashlib
import http.client
import re
import shutil
import signal
import socket
import ssl

import pytest
from support import clients, daemon, hostile, images, process
from support.certificates import Authority

APP = images.small("tls-server")
BIG = images.blob(3_000_000, "tls-server")


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("ca"))


def port_of(running, which):
    """The port of the listener at that place in `listen`."""
    def ports():
        return re.findall(r'msg=listening address=[\d.]+:(\d+)', running.log()[running.log_start:])

    return int(process.wait_for(lambda: ports()[which:], 10, "its listening line")[0])


class Place:
    """Where the daemon reads its certificate from; put() replaces what lies there."""

    def __init__(self, directory):
        self.certificate, self.key = directory / "server.pem", directory / "server.key"

    def put(self, certificate):
        shutil.copy(certificate.chain, self.certificate)
        shutil.copy(certificate.key, self.key)
        return self

    def listener(self, **more):
        return {"address": "127.0.0.1:0",
                "tls": {"certificate": str(self.certificate), "key": str(self.key), **more}}


@pytest.fixture(scope="module")
def world(authority, tmp_path_factory):
    place = Place(tmp_path_factory.mktemp("keys")).put(authority.issue())
    with hostile.Upstream() as server:
        server.add(APP, "org/app", "v1")
        server.big = server.add_blob("org/app", BIG)
        config = {"upstreams": [daemon.hub_of(server.url)],
                  "listen": ["127.0.0.1:0", place.listener()]}
        with daemon.Daemon(config, ["--open"]) as running:
            running.place_of_keys, running.big = place, server.big
            running.secure = port_of(running, 1)
            running.link("org/app", "v1")
            yield running


def context_of(authority, **more):
    context = ssl.create_default_context(cafile=str(authority.certificate))
    for name, value in more.items():
        setattr(context, name, value)
    return context


def connect(world, context):
    return http.client.HTTPSConnection("127.0.0.1", world.secure, context=context, timeout=20)


def serial_of(world, authority):
    with socket.create_connection(("127.0.0.1", world.secure), timeout=10) as plain:
        with context_of(authority).wrap_socket(plain, server_hostname="localhost") as secure:
            return secure.getpeercert()["serialNumber"]


def test_clients_pull_by_tls_and_plain_side_by_side(world, authority, tmp_path):
    done = process.run(["curl", "-sS", "--cacert", authority.certificate, "-o", tmp_path / "blob",
                        f"https://127.0.0.1:{world.secure}/v2/org/app/blobs/{world.big}"])
    assert done.returncode == 0
    assert hashlib.sha256((tmp_path / "blob").read_bytes()).hexdigest() == world.big.split(":")[1]
    assert world.blob("org/app", world.big).body == BIG
    trusted = tmp_path / "trusted"
    trusted.mkdir()
    shutil.copy(authority.certificate, trusted / "ca.crt")
    with clients.Skopeo() as skopeo:
        for turn in range(2):
            skopeo.run("copy", "--src-cert-dir", trusted,
                       f"docker://127.0.0.1:{world.secure}/org/app:v1",
                       f"dir:{tmp_path / str(turn)}")
        skopeo.run("copy", "--dest-cert-dir", trusted, f"dir:{tmp_path / '0'}",
                   f"docker://127.0.0.1:{world.secure}/team/pushed:v1")
    assert world.manifest("team/pushed", "v1").body == APP.root.body


@pytest.mark.filterwarnings("ignore:.*TLSv1")
def test_only_new_versions_are_spoken_and_plain_requests_hear_why(world, authority):
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        context = context_of(authority, minimum_version=version, maximum_version=version)
        connection = connect(world, context)
        connection.request("GET", "/v2/")
        assert connection.getresponse().status == 200
        connection.close()
    old = context_of(authority)
    old.set_ciphers("ALL:@SECLEVEL=0")
    old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises(ssl.SSLError):
        connect(world, old).request("GET", "/v2/")
    text = daemon.talk(f"127.0.0.1:{world.secure}", b"GET /v2/ HTTP/1.1\r\nHost: x\r\n\r\n")
    assert b"this port speaks HTTPS" in text


def test_new_keys_are_used_without_a_restart_and_bad_ones_are_not(world, authority):
    before = serial_of(world, authority)
    going_on = connect(world, context_of(authority))
    going_on.request("GET", "/v2/")
    assert going_on.getresponse().read() is not None
    world.place_of_keys.put(authority.issue())
    world.child.send_signal(signal.SIGHUP)
    process.wait_for(lambda: serial_of(world, authority) != before, 10, "the new certificate")
    after = serial_of(world, authority)
    going_on.request("GET", "/v2/")
    assert going_on.getresponse().status == 200
    going_on.close()
    shutil.copy(authority.issue().key, world.place_of_keys.key)
    world.child.send_signal(signal.SIGHUP)
    process.wait_for(lambda: "does not belong to the certificate" in world.log(), 10, "a complaint")
    assert serial_of(world, authority) == after
    world.place_of_keys.put(authority.issue())


def test_a_pair_that_does_not_fit_is_refused_at_the_start(authority, tmp_path):
    place = Place(tmp_path).put(authority.issue())
    shutil.copy(authority.issue().key, place.key)
    refused = daemon.Daemon({"listen": [place.listener()],
                             "upstreams": [daemon.hub_of("http://127.0.0.1:1")]}, start=False)
    status, output = daemon.run_once(*refused.command()[1:])
    refused.close()
    assert status != 0 and "does not belong to the certificate" in output


def test_clients_must_show_the_certificate_that_is_asked_for(start, authority, tmp_path):
    place = Place(tmp_path).put(authority.issue())
    strict = place.listener(client_ca=str(authority.certificate), clients="must_present")
    running = start(daemon.hub_of("http://127.0.0.1:1"), listen=["127.0.0.1:0", strict])
    running.secure = port_of(running, 1)
    with pytest.raises((ssl.SSLError, ConnectionError)):
        connection = connect(running, context_of(authority))
        connection.request("GET", "/healthz")
        connection.getresponse()
    context = context_of(authority)
    mine = authority.issue()
    context.load_cert_chain(mine.chain, mine.key)
    connection = connect(running, context)
    connection.request("GET", "/healthz")
    assert connection.getresponse().status == 200
    connection.close()


@pytest.mark.row("R-01")
def test_those_who_never_finish_their_handshake_keep_nobody_waiting(world, authority):
    silent = [socket.create_connection(("127.0.0.1", world.secure)) for _ in range(300)]
    for each in silent[::2]:
        each.sendall(b"\x16\x03\x01\x02\x00\x01\x00")
    for _ in range(20):
        connection = connect(world, context_of(authority))
        connection.request("GET", "/v2/")
        assert connection.getresponse().status == 200
        connection.close()
    process.wait_for(lambda: world.metric("entrepot_connections") <= 2, 20, "them to be closed")
    for each in silent:
        each.close()
