"""The daemon under test: started on port 0, watched through its log, killed when its object closes.

    with Daemon({"upstreams": [upstream_at("hub", server.url, library=True)]}) as daemon:
        answer = daemon.get("/v2/library/app/manifests/v1")

The binary is ENTREPOT_BINARY. The data directory survives restart() and kill9(), close() removes it.
"""

import contextlib
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import time

from . import process

BINARY = os.environ.get("ENTREPOT_BINARY", "build/asan/entrepot")
# a small quarantine, so that resident memory means something under AddressSanitizer too
SANITIZER = "exitcode=99:abort_on_error=0:detect_leaks=1:quarantine_size_mb=8"


def upstream_at(name, *urls, **more):
    """An upstreams: entry for servers on loopback, with short limits so that tests are quick."""
    entry = {"name": name, "urls": list(urls), "retries": 2,
             "timeouts": {"connect": "2s", "first_byte": "5s", "idle": "3s"}}
    entry.update(more)
    return entry


def hub_of(*urls, **more):
    """What the tests use as default upstream: called hub, answering for docker.io, with library/."""
    return upstream_at("hub", *urls, aliases=["docker.io"], **more)


def yaml(value, indent=0):
    """Block YAML of dicts, lists and scalars; enough for a configuration file."""
    pad = "  " * indent
    if isinstance(value, dict):
        if not value:
            return " {}\n"
        text = "\n" if indent else ""
        for key, item in value.items():
            text += f"{pad}{key}:{yaml(item, indent + 1)}"
        return text
    if isinstance(value, list):
        if not value:
            return " []\n"
        text = "\n"
        for item in value:
            body = yaml(item, indent + 1)
            text += f"{pad}-{body}" if not isinstance(item, dict) else (
                f"{pad}- {body.lstrip(chr(10))[len(pad) + 2:]}")
        return text
    if isinstance(value, (bool, int, float)):
        return f" {json.dumps(value)}\n"
    return f" {json.dumps(str(value))}\n"


def memory():
    """A file system in memory when it is large enough: hundreds of daemons make their directories."""
    try:
        found = os.statvfs("/dev/shm")
        return "/dev/shm" if found.f_bavail * found.f_frsize > 2 << 30 else None
    except OSError:
        return None


class Answer:
    """A response with duplicate headers kept. short: the body ended before Content-Length."""

    def __init__(self, status, headers, body, short, seconds, first_byte):
        self.status, self.headers, self.body, self.short = status, headers, body, short
        self.seconds, self.first_byte = seconds, first_byte

    def header(self, name, default=None):
        values = self.all(name)
        return values[0] if values else default

    def all(self, name):
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def json(self):
        return json.loads(self.body)

    @property
    def code(self):
        """The OCI error code of an error answer."""
        return self.json()["errors"][0]["code"]

    def __repr__(self):
        return f"<{self.status} {self.headers} {self.body[:200]!r}{' short' if self.short else ''}>"


def fetch(address, target, method="GET", headers=None, timeout=30, body=None):
    """One request on a connection of its own. headers: dict or list of pairs."""
    host, _, port = address.rpartition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=timeout)
    began = time.monotonic()
    try:
        connection.connect()  # here, so that what breaks below is not this
        connection.putrequest(method, target, skip_accept_encoding=True)
        for name, value in (headers.items() if isinstance(headers, dict) else headers or []):
            connection.putheader(name, value)
        if body is not None:
            connection.putheader("Content-Length", str(len(body)))
        # Who refuses a body reads only so much of it for so long: on a slow machine sending breaks,
        # and the answer is there all the same.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            connection.endheaders(body)
        response = connection.getresponse()
        first_byte = time.monotonic() - began
        short = False
        try:
            content = response.read()
        except http.client.IncompleteRead as end:
            content, short = end.partial, True
        except (ConnectionError, TimeoutError):
            content, short = b"", True
        return Answer(response.status, response.getheaders(), content, short,
                      time.monotonic() - began, first_byte)
    finally:
        connection.close()


def talk(address, data, timeout=10):
    """Raw bytes out, everything that comes back until the peer closes (or timeout of silence)."""
    host, _, port = address.rpartition(":")
    with socket.create_connection((host, int(port)), timeout=timeout) as connection:
        connection.sendall(data)
        received = b""
        try:
            while piece := connection.recv(65536):
                received += piece
        except (TimeoutError, ConnectionError):
            pass
        return received


def _listening_at(listen, address):
    """The `listen` value with its first address replaced."""
    if isinstance(listen, str):
        return address
    first = {**listen[0], "address": address} if isinstance(listen[0], dict) else address
    return [first, *listen[1:]]


class Daemon:
    def __init__(self, config=None, flags=(), data=None, env=None, prefix=(), start=True):
        self.place = process.directory("daemon", memory())
        self.data = pathlib.Path(data) if data else self.place / "data"
        self.config = {"listen": "127.0.0.1:0", "data": str(self.data), "threads": 2,
                       "log": {"level": "debug"}, **(config or {})}
        self.flags, self.prefix = list(flags), list(prefix)
        self.env = {**os.environ, "ASAN_OPTIONS": SANITIZER, "UBSAN_OPTIONS": "print_stacktrace=1",
                    **(env or {})}
        self.child, self.log_file, self.address = None, self.place / "log", None
        if start:
            self.start()

    # -- life ---------------------------------------------------------------------------------

    def command(self):
        path = self.place / "config.yaml"
        path.write_text(yaml(self.config))
        return [*self.prefix, BINARY, "serve", "--config", path, *self.flags]

    def start(self, seconds=20):
        self.log_start = self.log_file.stat().st_size if self.log_file.exists() else 0
        with open(self.log_file, "ab") as log:
            self.child = process.start(self.command(), stdout=log, stderr=log, env=self.env)
        found = process.wait_for(self._listening, seconds, "listening line of the daemon")
        if not isinstance(found, str):
            raise AssertionError(f"daemon exited with {self.child.returncode}\n{self.log()}")
        self.address = found
        return self

    def _listening(self):
        if self.child.poll() is not None:
            return True
        log = self.log()[self.log_start:]
        match = re.search(r'listening"?,? ?"?address"?[=:]"?([\d.\[\]:a-f]+:\d+)', log)
        # The first address is announced before the others listen; this line comes after them all.
        return re.search(r'msg"?[=:]"?serving[" ]*[,d]', log) and match and match[1]

    def cpu_nanoseconds(self):
        """What all its threads have used so far."""
        tasks = pathlib.Path(f"/proc/{self.child.pid}/task").iterdir()
        return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks)

    def stop(self, patience=40):
        """SIGTERM; returns the exit status."""
        child, self.child = self.child, None
        return process.stop(child, signal.SIGTERM, patience) if child else None

    def kill9(self):
        child, self.child = self.child, None
        child.kill()
        child.wait(10)
        process.stop(child)

    def restart(self, keep_address=False):
        """Stops if running, starts on the same data; the port changes unless it is to be kept."""
        if keep_address:
            self.config["listen"] = _listening_at(self.config["listen"], self.address)
        if self.child:
            self.stop()
        return self.start()

    def close(self):
        """Stops, removes everything, and fails on a crash or sanitizer report."""
        running = self.child is not None
        status = self.stop()
        text = self.log()
        shutil.rmtree(self.place, ignore_errors=True)
        for sign in ("ERROR: AddressSanitizer", "ERROR: LeakSanitizer", "runtime error:",
                     "ThreadSanitizer"):
            assert sign not in text, text[text.index(sign) - 200:][:6000]
        assert not running or status == 0, f"exit status {status}\n{text[-3000:]}"

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        try:
            self.close()
        except AssertionError:
            if kind is None:
                raise

    # -- looking ------------------------------------------------------------------------------

    @property
    def url(self):
        return f"http://{self.address}"

    @property
    def port(self):
        return int(self.address.rpartition(":")[2])

    def log(self):
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    def accesses(self, **fields):
        """Access lines (msg=request) as dicts, those with the given fields."""
        lines = [parse_line(line) for line in self.log().splitlines() if "msg=request" in line]
        return [line for line in lines
                if all(line.get(key) == str(value) for key, value in fields.items())]

    def _proc(self, name):
        return pathlib.Path(f"/proc/{self.child.pid}/{name}")

    def rss(self):
        """Resident bytes."""
        return int(self._proc("statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def fds(self):
        return len(list(self._proc("fd").iterdir()))

    def metrics(self):
        """{(name, frozenset of (label, value)): number}"""
        return parse_metrics(fetch(self.address, "/metrics").body.decode())

    def metric(self, name, **labels):
        """Sum of the samples of name having these labels; 0.0 when there is none."""
        wanted = {(key, str(value)) for key, value in labels.items()}
        return sum(value for (found, has), value in self.metrics().items()
                   if found == name and wanted <= has)

    def stored_blobs(self):
        place = self.data / "blobs"
        return {path.name for path in place.rglob("*") if path.is_file()} if place.exists() else set()

    def blob_path(self, digest):
        algorithm, _, hexes = digest.partition(":")
        return self.data / "blobs" / algorithm / hexes[:2] / hexes

    def partials(self):
        """Files of fills not finished."""
        return list((self.data / "spool").glob("fill-*"))

    def settle(self, seconds=10):
        """Waits until no fill runs: a client may have its last byte before the commit is done."""
        process.wait_for(lambda: self.metric("entrepot_fills_running") == 0
                         and not self.partials(), seconds, "the fills to end")

    # -- asking -------------------------------------------------------------------------------

    def request(self, method, target, headers=None, timeout=30, body=None):
        return fetch(self.address, target, method, headers, timeout, body)

    def get(self, target, headers=None, timeout=30):
        return fetch(self.address, target, "GET", headers, timeout)

    def head(self, target, headers=None, timeout=30):
        return fetch(self.address, target, "HEAD", headers, timeout)

    def blob(self, name, digest, headers=None, timeout=30):
        return self.get(f"/v2/{name}/blobs/{digest}", headers, timeout)

    def manifest(self, name, reference, headers=None, timeout=30):
        return self.get(f"/v2/{name}/manifests/{reference}", headers, timeout)

    def link(self, name, tag):
        """Pulls the manifest so that this repository may serve its blobs (row C-22)."""
        answer = self.manifest(name, tag)
        assert answer.status == 200, answer
        return answer

    def talk(self, data, timeout=10):
        return talk(self.address, data, timeout)


def run_once(*arguments, timeout=20, env=None):
    """Runs the binary with arguments to its end: (status, output of both streams)."""
    done = process.run([BINARY, *arguments], timeout, check=False,
                       env={**os.environ, "ASAN_OPTIONS": SANITIZER, **(env or {})})
    return done.returncode, done.stdout + done.stderr


def parse_line(line):
    """A text log line: key=value with "quoted values"; its first word is the time."""
    return {"time": line.partition(" ")[0],
            **{m[1]: json.loads(m[2]) if m[2].startswith('"') else m[2]
               for m in re.finditer(r'([\w.]+)=("(?:[^"\\]|\\.)*"|\S*)', line)}}


def parse_metrics(text):
    samples = {}
    for line in text.splitlines():
        match = re.fullmatch(r'(\w+)(?:\{(.*)\})? ([^ ]+)', line)
        if not line.startswith("#") and match:
            labels = frozenset(re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', match[2] or ""))
            samples[(match[1], labels)] = float(match[3])
    return samples
