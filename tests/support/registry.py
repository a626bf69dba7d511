"""Debian's docker-registry (distribution 2.8) as an upstream, or as a proxy chained behind us.

Its access log is kept, so that a test can say "one GET per blob ever".
"""

import base64
import collections
import re
import shutil
import subprocess

from . import images, process

_LINE = re.compile(r'"([A-Z]+) (\S+) HTTP/[\d.]+" (\d+) (\d+) "([^"]*)" "([^"]*)"')
Access = collections.namedtuple("Access", "method path status size agent")


class Registry:
    """user/password: htpasswd protection. proxy: URL of the registry this one mirrors."""

    def __init__(self, user=None, password=None, proxy=None):
        self.place = process.directory("registry")
        self.port = process.free_port()
        self.address = f"127.0.0.1:{self.port}"
        self.url = f"http://{self.address}"
        self.user, self.password, self.proxy = user, password, proxy
        self.child = None
        self.start()

    def start(self):
        (self.place / "config.yml").write_text(self._config())
        self.log = open(self.place / "log", "ab")
        self.child = process.start(["docker-registry", "serve", self.place / "config.yml"],
                                   stdout=self.log, stderr=subprocess.STDOUT)
        process.wait_for(lambda: process.connectable(self.port), 20, "docker-registry listening")

    def _config(self):
        text = (f"version: 0.1\nlog: {{level: error}}\n"
                f"storage:\n  filesystem: {{rootdirectory: {self.place}/data}}\n"
                f"  delete: {{enabled: true}}\n"
                f"http: {{addr: '{self.address}'}}\n")
        if self.user:
            # bcrypt is the only form distribution accepts.
            line = process.run(["htpasswd", "-nbB", self.user, self.password]).stdout
            (self.place / "htpasswd").write_text(line)
            text += f"auth:\n  htpasswd: {{realm: lab, path: {self.place}/htpasswd}}\n"
        if self.proxy:
            text += f"proxy: {{remoteurl: '{self.proxy}'}}\n"
        return text

    def headers(self):
        if not self.user:
            return {}
        pair = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        return {"Authorization": f"Basic {pair}"}

    def push(self, image, repository, tag="latest"):
        return images.push(image, self.address, repository, tag, self.headers())

    def accesses(self):
        text = (self.place / "log").read_text(errors="replace")
        return [Access(m[1], m[2], int(m[3]), int(m[4]), m[6]) for m in _LINE.finditer(text)]

    def forget(self):
        """Starts the counting anew."""
        (self.place / "log").write_bytes(b"")

    def gets(self, what):
        """How many GETs whose path ends in `what` (a digest or tag) were answered with 2xx."""
        return sum(1 for a in self.accesses()
                   if a.method == "GET" and a.path.split("?")[0].endswith(what) and a.status < 300)

    def stop(self):
        if self.child:
            process.stop(self.child)
            self.log.close()
            self.child = None

    def close(self):
        self.stop()
        shutil.rmtree(self.place, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
