"""The contestants, and what the kernel says they cost: caching mirrors of the same origin, and
registries of their own.

Every server logs each request to a file, runs on the same cores, and keeps on the same disk.
"""

import os
import pathlib
import shutil
import subprocess
import tempfile

import listing
from tests.support import process

TICK = os.sysconf("SC_CLK_TCK")
REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
BINARY = os.environ.get("ENTREPOT_BINARY", REPOSITORY / "build/release/entrepot")


def descendants(pid):
    """pid and all processes below it."""
    found = [pid]
    for place in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = place.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) in found and int(place.parent.name) not in found:
            found.append(int(place.parent.name))
    return found


class Server:
    """A started server; `cores` is what it may run on."""

    name = "server"

    def __init__(self, origin, cores):
        self.origin, self.cores = origin, cores
        self.place = pathlib.Path(tempfile.mkdtemp(prefix=f"entrepot-bench-{self.name}-"))
        self.port = process.free_port()
        self.address = f"127.0.0.1:{self.port}"
        self.url = f"http://{self.address}"
        self.log = open(self.place / "log", "ab")
        command = ["taskset", "-c", ",".join(map(str, cores)), *self.command()]
        self.child = process.start(command, stdout=self.log, stderr=subprocess.STDOUT)
        process.wait_for(lambda: process.connectable(self.port), 20, f"{self.name} listening")

    def command(self):
        raise NotImplementedError

    def cpu(self):
        """User and system seconds so far, over all its processes."""
        total = 0
        for pid in descendants(self.child.pid):
            fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            total += int(fields[11]) + int(fields[12])
        return total / TICK

    def _status(self, key):
        total = 0
        for pid in descendants(self.child.pid):
            for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
                if line.startswith(key + ":"):
                    total += int(line.split()[1]) * 1024
        return total

    def rss(self):
        return self._status("VmRSS")

    def peak(self):
        return self._status("VmHWM")

    def close(self):
        process.stop(self.child, patience=20)
        self.log.close()
        shutil.rmtree(self.place, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Entrepot(Server):
    name = "entrepot"

    def command(self):
        return [BINARY, "serve", "--listen", self.address, "--data", self.place / "data",
                "--upstream", f"origin={self.origin}"]


class Nginx(Server):
    """proxy_cache as people set it up in front of a registry, tuned: keep-alive to the origin,
    cache lock, sendfile, access log buffered."""

    name = "nginx"

    def command(self):
        (self.place / "nginx.conf").write_text(f"""
daemon off;
user root;
worker_processes {len(self.cores)};
pid {self.place}/pid;
error_log {self.place}/error.log;
events {{ worker_connections 8192; }}
http {{
  access_log {self.place}/access.log combined buffer=64k flush=1s;
  sendfile on; tcp_nopush on; tcp_nodelay on;
  keepalive_requests 10000000;
  client_body_temp_path {self.place}/body; proxy_temp_path {self.place}/proxy;
  fastcgi_temp_path {self.place}/f; uwsgi_temp_path {self.place}/u; scgi_temp_path {self.place}/s;
  proxy_cache_path {self.place}/cache levels=1:2 keys_zone=c:32m max_size=20g use_temp_path=off;
  upstream origin {{ server {self.origin.removeprefix("http://")}; keepalive 16; }}
  server {{
    listen {self.address} backlog=4096;
    location /v2/ {{
      proxy_pass http://origin; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_cache c; proxy_cache_valid 200 1h; proxy_cache_lock on; proxy_cache_lock_timeout 880s;
      proxy_max_temp_file_size 0; proxy_buffers 16 64k; proxy_busy_buffers_size 128k;
    }}
  }}
}}
""")
        return ["nginx", "-p", self.place, "-e", self.place / "error.log", "-c",
                self.place / "nginx.conf"]


class DockerRegistry(Server):
    name = "docker-registry"

    def command(self):
        (self.place / "config.yml").write_text(f"""
version: 0.1
log: {{level: error}}
storage:
  filesystem: {{rootdirectory: {self.place}/data}}
  cache: {{blobdescriptor: inmemory}}
http: {{addr: '{self.address}'}}
proxy: {{remoteurl: '{self.origin}'}}
""")
        return ["docker-registry", "serve", self.place / "config.yml"]


class OwnEntrepot(Entrepot):
    """A registry that anybody may push to; the origin is none."""

    def command(self):
        return [BINARY, "serve", "--open", "--listen", self.address, "--data", self.place / "data"]

    def fill(self, pairs):
        listing.fill_by_api(self, pairs)


class OwnDockerRegistry(DockerRegistry):
    def command(self):
        (self.place / "config.yml").write_text(f"""
version: 0.1
log: {{level: error}}
storage:
  filesystem: {{rootdirectory: {self.place}/data}}
  cache: {{blobdescriptor: inmemory}}
http: {{addr: '{self.address}'}}
""")
        return ["docker-registry", "serve", self.place / "config.yml"]

    def fill(self, pairs):
        listing.fill_directory(self.place / "data", pairs)


ALL = [Entrepot, Nginx, DockerRegistry]
OWN = [OwnEntrepot, OwnDockerRegistry]
