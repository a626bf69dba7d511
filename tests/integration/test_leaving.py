"""Clients that leave before they are answered: what they asked for is done, and told (row N-08)."""

import hashlib
import socket
import time

import pytest
from support import daemon, images, process, push

SLOW = ["strace", "-D", "-f", "-qq", "-o", "/dev/null", "-e", "trace=fdatasync", "-e",
        "inject=fdatasync:delay_enter=700000"]


@pytest.fixture
def slow(start):
    """On a disk that takes its time for every flush."""
    return start(daemon.hub_of("http://127.0.0.1:1"), flags=["--open"], prefix=SLOW,
                 env={"ASAN_OPTIONS": "exitcode=99:detect_leaks=0"})  # not under ptrace


def say_and_leave(server, request, after):
    host, _, port = server.address.rpartition(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(request)
        time.sleep(after)  # how long this client has patience: shorter than the flush


@pytest.mark.limit(90)
@pytest.mark.row("N-08", "O-12")
def test_a_deletion_is_audited_though_nobody_waits(slow):
    image = images.small(5, kind="oci")
    images.push(image, slow.address, "team/app", "v1")
    say_and_leave(slow, b"DELETE /v2/team/app/manifests/v1 HTTP/1.1\r\nHost: x\r\n\r\n", 0.4)
    process.wait_for(lambda: "msg=audit" in slow.log(), 10, "the audit line")
    process.wait_for(lambda: slow.accesses(method="DELETE", status=499, route="manifest"), 10, "the access line")
    assert slow.manifest("team/app", "v1").status == 404


@pytest.mark.row("N-08")
def test_a_body_cut_short_is_told_with_its_route(start):
    server = start(daemon.hub_of("http://127.0.0.1:1"), flags=["--open"])
    session = push.Repository(server.address, "team/app").open()
    session.cut(images.blob(5000, "cut"), sent=1000)
    process.wait_for(lambda: server.accesses(method="PATCH", status=499, route="upload",
                                             name="team/app", reference=session.id),
                     10, "the access line")


@pytest.mark.limit(90)
@pytest.mark.row("N-08")
def test_an_upload_is_finished_though_nobody_waits(slow):
    data = images.blob(5000, "left")
    digest = "sha256:" + hashlib.sha256(data).hexdigest()
    target = slow.request("POST", "/v2/team/app/blobs/uploads/", body=b"").header("Location")
    join = "&" if "?" in target else "?"
    put = f"PUT {target}{join}digest={digest} HTTP/1.1\r\nHost: x\r\n".encode()
    say_and_leave(slow, put + b"Content-Length: 5000\r\n\r\n" + data, 0.3)
    process.wait_for(lambda: slow.accesses(method="PUT", status=499, route="upload"), 10, "the access line")
    assert slow.head(f"/v2/team/app/blobs/{digest}").status == 200
    again = slow.request("PUT", f"{target}{join}digest={digest}", body=b"")
    assert again.status == 201, "who lost the answer may ask again"
