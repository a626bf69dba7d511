"""Requests framed to smuggle or to exhaust, over raw sockets to the running daemon (catalogue H, R).

Every refusal closes the connection, and what follows it is never taken for a request.
"""

import json
import random
import socket
import time

import pytest
from support import daemon, hostile, images, process, push

IMAGE = images.small("framing")
SMUGGLED = b"GET /v2/smuggled/tags/list HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.fixture(scope="module")
def world():
    with hostile.Upstream() as server:
        server.add(IMAGE, "org/app", "v1")
        with daemon.Daemon({"upstreams": [daemon.hub_of(server.url)]}) as running:
            running.link("org/app", "v1")
            yield running


def statuses(text):
    """Status codes of the answers in text; bodies are JSON and never contain the marker."""
    return [int(part.split(b" ", 1)[0]) for part in text.split(b"HTTP/1.1 ")[1:]]


def request(*lines, target=b"/v2/", method=b"GET", version=b"HTTP/1.1", host=True):
    head = [method + b" " + target + b" " + version] + ([b"Host: x"] if host else []) + list(lines)
    return b"\r\n".join(head) + b"\r\n\r\n"


CHUNKED = b"Transfer-Encoding: chunked"
REFUSED = {
    "H-01 coding then length": request(b"Transfer-Encoding: gzip", b"Content-Length: 5") + b"hello",
    "H-02 chunked, gzip": request(b"Transfer-Encoding: chunked, gzip") + b"0\r\n\r\n",
    "H-03 identity": request(b"Transfer-Encoding: identity"),
    "H-03 xchunked": request(b"Transfer-Encoding: xchunked"),
    "H-03 gzip": request(b"Transfer-Encoding: gzip"),
    "H-04 gzip, chunked": request(b"Transfer-Encoding: gzip, chunked") + b"0\r\n\r\n",
    "H-05 chunked in 1.0": request(CHUNKED, version=b"HTTP/1.0") + b"0\r\n\r\n",
    "H-06 length list": request(b"Content-Length: 5, 5") + b"hello",
    "H-06 equal lengths": request(b"Content-Length: 5", b"Content-Length: 5") + b"hello",
    "H-07 length and chunked": request(b"Content-Length: 5", CHUNKED) + b"0\r\n\r\n",
    "H-07 chunked twice": request(CHUNKED, CHUNKED) + b"0\r\n\r\n",
    "H-07 lengths differ": request(b"Content-Length: 5", b"Content-Length: 6") + b"hello",
    "H-07 +5": request(b"Content-Length: +5") + b"hello",
    "H-07 -1": request(b"Content-Length: -1"),
    "H-07 0x5": request(b"Content-Length: 0x5") + b"hello",
    "H-07 overflow": request(b"Content-Length: 99999999999999999999999"),
    "H-07 empty length": request(b"Content-Length:"),
    "H-07 space before colon": request(b"Content-Length : 5") + b"hello",
    "H-07 NUL": request(b"X-Odd: a\x00b"),
    "H-07 CR": request(b"X-Odd: a\rb"),
    "H-08 no host": request(host=False),
    "H-08 two hosts": request(b"Host: y"),
    "H-08 host with path": request(b"Host: x/y", host=False),
    "H-08 host with user": request(b"Host: u@x", host=False),
    "H-09 folded": request(b"X-Odd: a", b" b"),
    "H-09 long line": request(b"X-Odd: " + b"a" * 9000),
    "H-09 many lines": request(*[b"X-%d: y" % n for n in range(100)]),
    "H-09 much": request(*[b"X-%d: %s" % (n, b"a" * 4000) for n in range(12)]),
    "H-10 another host": request(target=b"http://evil.example/v2/"),
    "H-10 authority": request(method=b"CONNECT", target=b"x:80"),
    "H-10 trace": request(method=b"TRACE"),
    "H-10 high byte": request(target=b"/v2/\xff"),
    "H-11 long extension": request(CHUNKED) + b"5;" + b"x" * 300 + b"\r\nhello\r\n0\r\n\r\n",
    "H-12 big body": request(b"Content-Length: 10000000") + b"x" * 100_000}


@pytest.mark.row("H-01", "H-02", "H-03", "H-04", "H-05", "H-06", "H-07", "H-08", "H-09", "H-10",
                 "H-11", "H-12")
@pytest.mark.parametrize("what", REFUSED)
def test_refused_once_and_nothing_after_it_is_heard(world, what):
    text = world.talk(REFUSED[what] + SMUGGLED, timeout=5)
    found = statuses(text)
    assert len(found) == 1 and 400 <= found[0] < 600, (what, text[:500])
    assert not [line for line in world.accesses() if "smuggled" in line.get("name", "")]
    assert world.get("/v2/").status == 200


@pytest.mark.row("H-12")
def test_a_small_body_of_a_get_is_drained(world):
    text = world.talk(request(b"Content-Length: 5") + b"hello" + request(b"Connection: close"))
    assert statuses(text) == [200, 200]
    text = world.talk(request(CHUNKED) + b"5\r\nhello\r\n0\r\n\r\n" + request(b"Connection: close"))
    assert statuses(text) == [200, 200]


@pytest.mark.row("H-13")
def test_pipelined_requests_are_answered_in_order_up_to_the_bad_one(world):
    good = [request(target=b"/v2/org/app/manifests/v%d" % (1 + n % 2)) for n in range(499)]
    text = world.talk(b"".join(good) + request(b"Content-Length: x") + SMUGGLED * 500, timeout=10)
    assert statuses(text) == [200 if n % 2 == 0 else 404 for n in range(499)] + [400]


@pytest.mark.row("H-15")
def test_split_anywhere_it_is_the_same_request(world):
    whole = request(b"Range: bytes=0-3", b"Connection: close",
                    target=b"/v2/org/app/manifests/" + IMAGE.digest.encode())
    expected = statuses(world.talk(whole))
    for offset in range(1, len(whole), 7):
        with socket.create_connection(("127.0.0.1", world.port), timeout=10) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.sendall(whole[:offset])
            time.sleep(0.001)  # lets the first part travel alone
            connection.sendall(whole[offset:])
            text = b""
            while piece := connection.recv(65536):
                text += piece
        assert statuses(text) == expected, offset


@pytest.mark.row("H-15")
def test_garbage_never_breaks_it(world):
    dice = random.Random(15)
    good = request(b"Range: bytes=0-3", target=b"/v2/org/app/manifests/v1")
    for _ in range(300):
        bad = bytearray(good)
        for _ in range(dice.randrange(1, 6)):
            bad[dice.randrange(len(bad))] = dice.randrange(256)
        with socket.create_connection(("127.0.0.1", world.port), timeout=10) as connection:
            connection.sendall(bytes(bad))
    process.wait_for(lambda: world.metric("entrepot_connections") <= 1, 5, "quiet")
    assert world.manifest("org/app", "v1").body == IMAGE.root.body


@pytest.fixture(scope="module")
def open_to_all():
    with daemon.Daemon({"upstreams": [daemon.hub_of("http://127.0.0.1:1")]}, ["--open"]) as running:
        yield running


def upload(running, *lines, method=b"PATCH", location=None):
    """The head of a request that sends content to an upload of its own."""
    if location is None:
        location = push.Repository(running.address, "team/framing").open().location
    return request(*lines, target=location.encode(), method=method)


CHUNKS = b"3;x=y\r\nabc\r\n4\r\ndefg\r\n0\r\nX-Trailer: y\r\n\r\n"


@pytest.mark.row("H-07", "H-11")
@pytest.mark.parametrize("body", [b"5x\r\nhello\r\n0\r\n\r\n", b"+5\r\nhello\r\n0\r\n\r\n",
                                  b"5\r\nhelloX0\r\n\r\n", b"5\nhello\r\n0\r\n\r\n",
                                  b"5;" + b"x" * 300 + b"\r\nhello\r\n0\r\n\r\n"])
def test_malformed_content_ends_the_connection(open_to_all, body):
    text = open_to_all.talk(upload(open_to_all, CHUNKED) + body + SMUGGLED, timeout=5)
    assert statuses(text) == [400], text
    assert not [line for line in open_to_all.accesses() if "smuggled" in line.get("name", "")]


@pytest.mark.row("H-12")
def test_content_for_a_mirrored_repository_is_refused_unread(world):
    head = request(b"Content-Length: 10000000", target=b"/v2/org/app/manifests/v1", method=b"PUT")
    text = world.talk(head + b"x" * 100_000 + SMUGGLED, timeout=5)
    assert len(statuses(text)) == 1 and 400 <= statuses(text)[0] < 500
    assert b"Connection: close" in text


@pytest.mark.row("H-14")
def test_permission_to_send_is_given_only_to_who_may(open_to_all, world):
    expecting = (b"Expect: 100-continue", b"Content-Length: 5", b"Connection: close")
    host, _, port = open_to_all.address.rpartition(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(upload(open_to_all, *expecting))
        assert connection.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"hello")
        assert connection.recv(65536).startswith(b"HTTP/1.1 202 ")
    refused = world.talk(request(*expecting, target=b"/v2/org/app/blobs/uploads/", method=b"POST"))
    assert len(statuses(refused)) == 1 and 400 <= statuses(refused)[0] < 500
    assert b"100 Continue" not in refused


@pytest.mark.row("H-15")
def test_split_anywhere_it_is_the_same_content(open_to_all):
    session = push.Repository(open_to_all.address, "team/framing").open()
    host, _, port = open_to_all.address.rpartition(":")
    sent = 0
    whole = upload(open_to_all, CHUNKED, b"Connection: close", location=session.location) + CHUNKS
    for offset in range(1, len(whole), 11):
        with socket.create_connection((host, int(port)), timeout=10) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.sendall(whole[:offset])
            time.sleep(0.001)  # lets the first part travel alone
            connection.sendall(whole[offset:])
            text = b""
            while piece := connection.recv(65536):
                text += piece
        assert statuses(text) == [202], (offset, text)
        sent += 1
    digest = push.digest_of(b"abcdefg" * sent)
    assert session.put(digest).status == 201


@pytest.mark.row("R-12", "R-15")
@pytest.mark.parametrize("odd", [b"\x1b[31mred", b"a\x7fb", "\u202eevil".encode(), b"<script>", b'"; x="y',
                                 b"\\n fake=1", b"x" * 5000])
def test_one_event_is_one_line_whatever_the_client_sends(world, odd):
    def others():  # a line is written when its answer is through: one of the test before may be late
        return [line for line in world.accesses() if line.get("name") != "hub/org/app"]

    before = len(others())
    text = world.talk(request(b"User-Agent: " + odd, b"Connection: close",
                              target=b"/v2/org/none/manifests/v1"))
    assert statuses(text)[0] in (400, 404)
    assert b"<script>" not in text or b"application/json" in text
    lines = process.wait_for(lambda: others()[before:], 5, "the access line")
    assert len(lines) == 1
    shown = [line for line in world.log().splitlines() if lines[0]["id"] in line][-1]
    assert "\x1b" not in shown and "\u202e" not in shown and len(shown) < 4000
    assert lines[0].get("fake") is None and lines[0].get("x") is None


@pytest.mark.row("R-15")
def test_errors_do_not_reflect_html(world):
    answer = world.get("/v2/org/app/manifests/v1%3Cscript%3E")
    assert answer.header("Content-Type") == "application/json"
    assert answer.header("X-Content-Type-Options") == "nosniff"
    json.loads(answer.body)
