"""A scripted upstream registry that may lie in any way, byte by byte.

Upstream serves the distribution pull API out of Images held in memory, keeps every request it saw,
and lets a test script the answers:

    upstream.add(image, "library/app", "v1")
    upstream.script(digest, cut(at=1000), times=1)      # first matching request only
    upstream.script("/manifests/", status(503))         # every matching request
    assert upstream.count("GET", digest) == 2

A script matches when its text is in the request's target (or when its function says so); the first
one in order wins, the exhausted fall away. Its action gets the Exchange and writes what it likes:
the helpers at the end of this file make the usual lies. One thread per connection, raw sockets.
"""

import datetime
import email.utils
import gzip
import json
import re
import socket
import ssl
import struct
import threading
import time
import urllib.parse
from dataclasses import dataclass, field

from . import images

CHUNK = 128 * 1024


@dataclass
class Request:
    method: str
    target: str
    headers: list  # (name, value) as sent, duplicates kept
    peer: tuple
    started: float
    body: bytes = b""
    status: int = 0
    sent: int = 0       # body bytes written
    finished: float = 0.0

    def header(self, name):
        for key, value in self.headers:
            if key.lower() == name.lower():
                return value
        return None

    @property
    def path(self):
        return self.target.split("?")[0]

    @property
    def query(self):
        return dict(urllib.parse.parse_qsl(self.target.partition("?")[2], keep_blank_values=True))

    def form(self):
        return dict(urllib.parse.parse_qsl(self.body.decode()))


@dataclass
class Reply:
    status: int
    headers: list
    body: bytes = b""

    def without(self, name):
        return Reply(self.status, [h for h in self.headers if h[0].lower() != name.lower()],
                     self.body)

    def having(self, name, value):
        return Reply(self.status, self.without(name).headers + [(name, value)], self.body)

    def head(self):
        lines = [f"HTTP/1.1 {self.status} Scripted"] + [f"{k}: {v}" for k, v in self.headers]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


class Closed(Exception):
    """This connection ends here."""


class Exchange:
    """One request being answered. send() is the polite way; write() and close() are the others."""

    def __init__(self, server, connection, request):
        self.server, self.connection, self.request = server, connection, request

    def default(self):
        return self.server.reply_to(self.request)

    def write(self, data):
        """Raw bytes, paced when the server has a rate."""
        for start in range(0, len(data), CHUNK):
            piece = data[start:start + CHUNK]
            self.server.pace(len(piece))
            try:
                self.connection.sendall(piece)
            except OSError:
                raise Closed() from None
            self.request.sent += len(piece)

    def head(self, reply):
        self.request.status = reply.status
        try:
            self.connection.sendall(reply.head())
        except OSError:
            raise Closed() from None

    def send(self, reply):
        self.head(reply)
        if self.request.method != "HEAD":
            self.write(reply.body)

    def close(self):
        raise Closed()

    def reset(self):
        """RST instead of FIN."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raise Closed()

    def wait(self, seconds):
        """Sleeps, but ends early when the server is closed."""
        if self.server.closing.wait(seconds):
            raise Closed()


@dataclass
class Script:
    match: object
    action: object
    left: float
    method: str | None = None

    def fits(self, request):
        if self.left < 1 or (self.method and request.method != self.method):
            return False
        return self.match(request) if callable(self.match) else self.match in request.target


class Server:
    """Accepts, parses, records; subclasses say reply_to(request). host may be any 127.0.0.0/8."""

    def __init__(self, host="127.0.0.1", tls=None, port=0):
        self.host, self.tls = host, tls
        self.requests, self.scripts = [], []
        self.lock = threading.Lock()
        self.closing = threading.Event()
        self.rate = None            # bytes a second, over all connections together
        self._paced_until = 0.0
        self.refusing = False       # accept and reset at once
        self.connections = 0        # TCP connections ever accepted
        self._open = set()
        self.listener = self.listen(host, port)
        self.port = self.listener.getsockname()[1]
        self.address = f"{host}:{self.port}"
        self.url = f"{'https' if tls else 'http'}://{self.address}"
        self.context = tls.server_context() if tls else None
        threading.Thread(target=self._accept, daemon=True).start()

    # -- what tests ask -----------------------------------------------------------------------

    def script(self, match, action, times=float("inf"), method=None):
        with self.lock:
            self.scripts.append(Script(match, action, times, method))
        return self

    def calm(self):
        """Forgets scripts and what was seen."""
        with self.lock:
            self.scripts.clear()
            self.requests.clear()
        self.rate, self.refusing = None, False

    def seen(self, method=None, text=""):
        with self.lock:
            return [r for r in self.requests
                    if (method is None or r.method == method) and text in r.target]

    def count(self, method=None, text=""):
        return len(self.seen(method, text))

    def close(self):
        """Stops listening and cuts every connection: from now on connecting is refused."""
        self.closing.set()
        try:
            self.listener.shutdown(socket.SHUT_RDWR)  # wakes accept(), which close() would not
        except OSError:
            pass
        self.listener.close()
        self.disconnect()

    def disconnect(self):
        with self.lock:
            connections = list(self._open)
        for connection in connections:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # -- inside -------------------------------------------------------------------------------

    def listen(self, host, port):
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family, backlog=512)

    def reply_to(self, request):
        return plain(404, b"nothing here\n")

    def pace(self, size):
        if not self.rate:
            return
        with self.lock:
            now = time.monotonic()
            self._paced_until = max(self._paced_until, now - 0.02) + size / self.rate
            delay = self._paced_until - now
        if delay > 0:
            time.sleep(delay)

    def _accept(self):
        while not self.closing.is_set():
            try:
                connection, peer = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            if self.refusing:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                connection.close()
                continue
            threading.Thread(target=self._serve, args=(connection, peer), daemon=True).start()

    def _serve(self, connection, peer):
        connection.settimeout(120)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        raw = connection
        try:
            if self.context:
                connection = self.context.wrap_socket(connection, server_side=True)
            with self.lock:
                self._open.add(connection)
            stream = connection.makefile("rb")
            while not self.closing.is_set():
                request = read_request(stream, peer)
                if request is None:
                    break
                self._answer(connection, request)
        except (Closed, OSError, ValueError):
            pass
        finally:
            with self.lock:
                self._open.discard(connection)
            connection.close()
            raw.close()

    def _answer(self, connection, request):
        with self.lock:
            self.requests.append(request)
            script = next((s for s in self.scripts if s.fits(request)), None)
            if script:
                script.left -= 1
        exchange = Exchange(self, connection, request)
        try:
            if script:
                script.action(exchange)
            else:
                exchange.send(exchange.default())
        finally:
            request.finished = time.monotonic()


def read_request(stream, peer):
    line = stream.readline(65537)
    if not line.strip():
        return None
    method, target, _ = line.decode("latin-1").split(" ", 2)
    request = Request(method, target, [], peer, time.monotonic())
    while (line := stream.readline(65537)) not in (b"\r\n", b"\n", b""):
        name, _, value = line.decode("latin-1").partition(":")
        request.headers.append((name.strip(), value.strip()))
    length = int(request.header("Content-Length") or 0)
    request.body = stream.read(length) if length else b""
    return request


def plain(status, body=b"", headers=()):
    return Reply(status, [("Content-Length", str(len(body))), *headers], body)


def refusal(status, code, message="scripted", headers=()):
    body = json.dumps({"errors": [{"code": code, "message": message}]}).encode()
    return plain(status, body, [("Content-Type", "application/json"), *headers])


class Upstream(Server):
    """The pull API over added images. auth: an object whose check(request) returns None or Reply."""

    ROUTE = re.compile(r"^/v2/(?P<name>.+)/(?P<kind>manifests|blobs|tags|referrers)/(?P<ref>[^/]+)$")

    def __init__(self, host="127.0.0.1", tls=None, auth=None, port=0):
        self.repositories = {}  # name -> {"tags": {tag: digest}, "manifests": {}, "blobs": {}}
        self.auth = auth
        super().__init__(host, tls, port)

    def repository(self, name):
        return self.repositories.setdefault(name, {"tags": {}, "manifests": {}, "blobs": {}})

    def add(self, image, name, tag="latest"):
        repository = self.repository(name)
        repository["manifests"].update(image.manifests)
        repository["blobs"].update(image.blobs)
        if tag:
            repository["tags"][tag] = image.digest
        return image.digest

    def add_blob(self, name, data):
        digest = images.sha256(data)
        self.repository(name)["blobs"][digest] = data
        return digest

    def remove(self, name):
        self.repositories.pop(name, None)

    def reply_to(self, request):
        if self.auth and (refused := self.auth.check(request)):
            return refused
        if request.path in ("/v2/", "/v2"):
            return plain(200, b"{}", [("Content-Type", "application/json")])
        route = self.ROUTE.match(request.path)
        repository = route and self.repositories.get(route["name"])
        if not repository:
            return refusal(404, "NAME_UNKNOWN")
        return getattr(self, "_" + route["kind"])(request, repository, route)

    def _manifests(self, request, repository, route):
        digest = repository["tags"].get(route["ref"], route["ref"])
        manifest = repository["manifests"].get(digest)
        if not manifest:
            return refusal(404, "MANIFEST_UNKNOWN")
        return plain(200, manifest.body, [("Content-Type", manifest.media_type),
                                          ("Docker-Content-Digest", digest),
                                          ("ETag", f'"{digest}"')])

    def _blobs(self, request, repository, route):
        data = repository["blobs"].get(route["ref"])
        if data is None:
            return refusal(404, "BLOB_UNKNOWN")
        return ranged(request, plain(200, data, [("Content-Type", "application/octet-stream"),
                                                 ("Docker-Content-Digest", route["ref"]),
                                                 ("ETag", f'"{route["ref"]}"'),
                                                 ("Accept-Ranges", "bytes")]))

    def _tags(self, request, repository, route):
        tags = sorted(repository["tags"])
        last, count = request.query.get("last"), request.query.get("n")
        tags = [t for t in tags if last is None or t > last]
        more = []
        if count is not None and len(tags) > int(count):
            tags = tags[:int(count)]
            more = [("Link", f'<{request.path}?n={count}&last={tags[-1]}>; rel="next"')]
        body = json.dumps({"name": route["name"], "tags": tags}).encode()
        return plain(200, body, [("Content-Type", "application/json"), *more])

    def _referrers(self, request, repository, route):
        wanted = request.query.get("artifactType")
        found = []
        for manifest in repository["manifests"].values():
            body = json.loads(manifest.body)
            if body.get("subject", {}).get("digest") != route["ref"]:
                continue
            if wanted in (None, body.get("artifactType")):
                found.append(manifest.descriptor(artifactType=body.get("artifactType"),
                                                 annotations=body.get("annotations", {})))
        body = images.dump({"schemaVersion": 2, "mediaType": images.OCI_INDEX, "manifests": found})
        filters = [("OCI-Filters-Applied", "artifactType")] if wanted else []
        return plain(200, body, [("Content-Type", images.OCI_INDEX), *filters])


def range_of(request, size):
    """(start, end) of a single bytes range, or None."""
    match = re.fullmatch(r"bytes=(\d+)-(\d*)", request.header("Range") or "")
    if not match or int(match[1]) >= size:
        return None
    return int(match[1]), min(int(match[2] or size - 1), size - 1)


def ranged(request, reply):
    found = range_of(request, len(reply.body))
    validator = request.header("If-Range")
    tags = [value for name, value in reply.headers if name == "ETag"]
    if not found or (validator and validator not in tags):
        return reply
    start, end = found
    size = len(reply.body)
    part = Reply(206, reply.headers, reply.body[start:end + 1])
    return (part.having("Content-Length", str(end - start + 1))
            .having("Content-Range", f"bytes {start}-{end}/{size}"))


# ---- tokens ----------------------------------------------------------------------------------

class TokenServer(Server):
    """Gives tokens at any path, to GET and to OAuth2 POST; remembers what it was asked.

    lifetime: seconds in expires_in; "absent" leaves it out; anything else is sent as it is.
    user/password: when set, other credentials (and none) get 401.
    """

    def __init__(self, host="127.0.0.1", tls=None, user=None, password=None, lifetime=300):
        self.user, self.password, self.lifetime = user, password, lifetime
        self.refresh_token = None
        self.given = {}  # token -> scope text
        super().__init__(host, tls)
        self.realm = f"{self.url}/token"

    def reply_to(self, request):
        asked = request.form() if request.method == "POST" else request.query
        if not self._allowed(request, asked):
            return refusal(401, "UNAUTHORIZED")
        with self.lock:
            token = f"token-{len(self.given) + 1}-{self.port}"
            self.given[token] = asked.get("scope", "")
        body = {"token": token, "access_token": token, "scope": asked.get("scope", "")}
        if self.lifetime != "absent":
            body["expires_in"] = self.lifetime
        return plain(200, json.dumps(body).encode(), [("Content-Type", "application/json")])

    def _allowed(self, request, asked):
        if self.refresh_token and asked.get("refresh_token") == self.refresh_token:
            return True
        if request.method == "POST":
            return self.user and (asked.get("username"), asked.get("password")) == (
                self.user, self.password)
        return not self.user or request.header("Authorization") == basic(self.user, self.password)


def basic(user, password):
    import base64
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


class TokenAuth:
    """Upstream(auth=TokenAuth(tokens)): Bearer challenge naming `tokens` (a TokenServer).

    realm, service and scope override what the challenge says; a token counts when that server gave
    it for this repository.
    """

    def __init__(self, tokens, realm=None, service="lab", scope=None):
        self.tokens, self.service, self.scope = tokens, service, scope
        self.realm = realm or tokens.realm

    def accepts(self, token, route):
        scope = self.tokens.given.get(token)
        return scope is not None and (not route or f"repository:{route['name']}:pull" in scope)

    def check(self, request):
        scheme, _, token = (request.header("Authorization") or "").partition(" ")
        route = Upstream.ROUTE.match(request.path)
        if scheme.lower() == "bearer" and self.accepts(token, route):
            return None
        scope = self.scope or (f"repository:{route['name']}:pull" if route else None)
        text = f'Bearer realm="{self.realm}",service="{self.service}"'
        text += f',scope="{scope}"' if scope else ""
        return refusal(401, "UNAUTHORIZED", headers=[("WWW-Authenticate", text)])


class BasicAuth:
    def __init__(self, user, password):
        self.expected = basic(user, password)

    def check(self, request):
        if request.header("Authorization") == self.expected:
            return None
        return refusal(401, "UNAUTHORIZED", headers=[("WWW-Authenticate", 'Basic realm="lab"')])


# ---- lies (actions for script) ---------------------------------------------------------------

def wrong_bytes(exchange):
    """Right length, one byte flipped in the middle."""
    reply = exchange.default()
    body = bytearray(reply.body)
    body[len(body) // 2] ^= 1
    exchange.send(Reply(reply.status, reply.headers, bytes(body)))


def cut(at):
    """The right head, then `at` bytes of the body (a float is a fraction, -1 all but one), FIN."""
    def action(exchange):
        reply = exchange.default()
        size = len(reply.body)
        count = int(at * size) if isinstance(at, float) else at if at >= 0 else size + at
        exchange.head(reply)
        exchange.write(reply.body[:count])
        exchange.close()
    return action


def no_length(at=None):
    """No Content-Length, ended by FIN; with `at` too early."""
    def action(exchange):
        reply = exchange.default().without("Content-Length").having("Connection", "close")
        exchange.head(reply)
        exchange.write(reply.body[:at])
        exchange.close()
    return action


def chunked(final=True, at=None):
    """Transfer-Encoding: chunked; final=False leaves the last chunk out."""
    def action(exchange):
        reply = exchange.default().without("Content-Length").having("Transfer-Encoding", "chunked")
        exchange.head(reply)
        body = reply.body[:at]
        for start in range(0, len(body), 50_000):
            piece = body[start:start + 50_000]
            exchange.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        if not final:
            exchange.close()
        exchange.write(b"0\r\n\r\n")
    return action


def ignore_range(exchange):
    """Answers a ranged request with 200 and everything."""
    request = exchange.request
    kept, request.headers = request.headers, [h for h in request.headers if h[0] != "Range"]
    reply = exchange.default()
    request.headers = kept
    exchange.send(reply)


def with_header(name, value):
    """The right answer with one header replaced (value None: left out)."""
    def action(exchange):
        reply = exchange.default()
        exchange.send(reply.without(name) if value is None else reply.having(name, value))
    return action


def status(code, body=b"", *headers):
    def action(exchange):
        exchange.send(plain(code, body, headers))
    return action


def hang(seconds=60, after=None):
    """Says nothing for so long; with `after`, first the head and so many bytes."""
    def action(exchange):
        if after is not None:
            reply = exchange.default()
            exchange.head(reply)
            exchange.write(reply.body[:after])
        exchange.wait(seconds)
        exchange.close()
    return action


def slowly(rate, first=0.0):
    """The right answer at `rate` bytes a second on this connection, the head after `first` s."""
    def action(exchange):
        reply = exchange.default()
        exchange.wait(first)
        exchange.head(reply)
        step = max(1, int(rate / 50))
        began = time.monotonic()
        for start in range(0, len(reply.body), step):
            exchange.write(reply.body[start:start + step])
            ahead = (start + step) / rate - (time.monotonic() - began)
            if ahead > 0:
                exchange.wait(ahead)
    return action


def redirect(location, code=307):
    """location: a URL, or a function of the request giving one."""
    def action(exchange):
        where = location(exchange.request) if callable(location) else location
        exchange.send(plain(code, b"", [("Location", where)]))
    return action


def raw(data, then_close=True):
    """Exactly these bytes."""
    def action(exchange):
        exchange.write(data)
        if then_close:
            exchange.close()
    return action


def after(seconds, action):
    def delayed(exchange):
        exchange.wait(seconds)
        action(exchange) if action else exchange.send(exchange.default())
    return delayed


def gzipped(exchange):
    """Content-Encoding: gzip nobody asked for."""
    reply = exchange.default()
    body = gzip.compress(reply.body, 1)
    exchange.send(Reply(reply.status, reply.headers, body)
                  .having("Content-Encoding", "gzip").having("Content-Length", str(len(body))))


def reset_after(count):
    """`count` bytes of the body, then RST."""
    def action(exchange):
        reply = exchange.default()
        exchange.head(reply)
        exchange.write(reply.body[:count])
        exchange.reset()
    return action


def http_date(seconds_from_now):
    when = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(
        seconds=seconds_from_now)
    return email.utils.format_datetime(when, usegmt=True)


# ---- whole-server faults ---------------------------------------------------------------------

class Flap:
    """200 ms up, 200 ms down, as long as the block runs (row N-02)."""

    def __init__(self, server, up=0.2, down=0.2):
        self.server, self.up, self.down = server, up, down
        self.ended = threading.Event()

    def __enter__(self):
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()
        return self

    def _run(self):
        while not self.ended.wait(self.up):
            self.server.refusing = True
            self.server.disconnect()
            self.ended.wait(self.down)
            self.server.refusing = False

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join(5)
        self.server.refusing = False


class BlackHole:
    """An address whose SYNs are dropped: a listening socket whose backlog is full."""

    def __init__(self, host="127.0.0.1"):
        self.listener = socket.socket()
        self.listener.bind((host, 0))
        self.listener.listen(0)
        self.port = self.listener.getsockname()[1]
        self.address = f"{host}:{self.port}"
        self.url = f"http://{self.address}"
        self.fillers = []
        for _ in range(3):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex((host, self.port))
            self.fillers.append(filler)

    def close(self):
        for each in [self.listener, *self.fillers]:
            each.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
