"""Drivers for the real clients: skopeo, podman, buildah, containerd's ctr and dockerd.

Each keeps everything it writes in a temporary directory of its own (storage, sockets, state) and
uses its own registries configuration, so the machine's own set-up neither helps nor suffers. All
are root and loopback only. `mirrors` is {prefix: location}, for example
{"docker.io": "127.0.0.1:5000"} or {"docker.io": "127.0.0.1:5000/hub"}.
"""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile

from . import process

# Whatever a client asks outside loopback must fail at once and the same everywhere: Go programs
# honour the proxy variables and never use them for 127.0.0.0/8.
NOWHERE = {"HTTP_PROXY": "http://127.0.0.1:1", "HTTPS_PROXY": "http://127.0.0.1:1",
           "NO_PROXY": "127.0.0.0/8,localhost"}


class Place:
    """A temporary directory; closing it ends every process that names it, and its mounts."""

    def __init__(self, name):
        self.path = process.directory(name)
        self.env = {**os.environ, **NOWHERE, "HOME": str(self.path), "TMPDIR": str(self.path),
                    "XDG_RUNTIME_DIR": str(self.path), "REGISTRY_AUTH_FILE":
                    str(self.path / "auth.json")}
        (self.path / "auth.json").write_text("{}")

    def close(self):
        for pid in filter(str.isdigit, os.listdir("/proc")):
            # shims leave the process group of their parent; the directory's name is unique
            try:
                if str(self.path) in pathlib.Path(f"/proc/{pid}/cmdline").read_text():
                    os.kill(int(pid), signal.SIGKILL)
            except (OSError, UnicodeDecodeError):
                pass
        for line in reversed(pathlib.Path("/proc/mounts").read_text().splitlines()):
            if line.split()[1].startswith(str(self.path)):
                subprocess.run(["umount", "-l", line.split()[1]], check=False, timeout=10)
        shutil.rmtree(self.path, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def _registries(mirrors, insecure):
    text = 'unqualified-search-registries = ["docker.io"]\nshort-name-mode = "disabled"\n'
    for prefix, location in (mirrors or {}).items():
        text += (f'[[registry]]\nprefix = "{prefix}"\nlocation = "{prefix}"\n'
                 f'[[registry.mirror]]\nlocation = "{location}"\ninsecure = true\n')
    for address in insecure:
        text += f'[[registry]]\nlocation = "{address}"\ninsecure = true\n'
    return text


class _ContainersImage(Place):
    """What skopeo, podman and buildah share: containers/image and its configuration files."""

    def __init__(self, mirrors=None, insecure=()):
        super().__init__(type(self).__name__.lower())
        self.env["CONTAINERS_REGISTRIES_CONF"] = str(self.path / "registries.conf")
        self.configure(mirrors, insecure)
        (self.path / "policy.json").write_text('{"default": [{"type": "insecureAcceptAnything"}]}')
        # vfs needs neither overlay nor fuse; file events and cgroupfs need no systemd
        (self.path / "storage.conf").write_text(
            f'[storage]\ndriver = "vfs"\ngraphroot = "{self.path}/root"\n'
            f'runroot = "{self.path}/run"\n')
        (self.path / "containers.conf").write_text(
            '[engine]\ncgroup_manager = "cgroupfs"\nevents_logger = "none"\n'
            'lock_type = "file"\n'  # not a shared memory segment that outlives us
            # raising limits needs CAP_SYS_RESOURCE, which test machines may lack
            '[containers]\ndefault_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]\n')
        self.env["CONTAINERS_STORAGE_CONF"] = str(self.path / "storage.conf")
        self.env["CONTAINERS_CONF"] = str(self.path / "containers.conf")

    def configure(self, mirrors=None, insecure=()):
        (self.path / "registries.conf").write_text(_registries(mirrors, insecure))


class Skopeo(_ContainersImage):
    def run(self, *arguments, timeout=90, check=True):
        # skopeo 1.9 knows the configuration by this flag only, not by the environment
        return process.run(["skopeo", "--policy", self.path / "policy.json", "--tmpdir", self.path,
                            "--registries-conf", self.path / "registries.conf", *arguments],
                           timeout, check, env=self.env)

    def raw(self, reference):
        """The bytes of a manifest as skopeo saw them."""
        return self.run("inspect", "--raw", "--tls-verify=false",
                        f"docker://{reference}").stdout.encode()

    def pull(self, reference, *options, check=True):
        """Copies into a new OCI-neutral directory; returns its path."""
        place = tempfile.mkdtemp(dir=self.path)
        done = self.run("copy", "--src-tls-verify=false", "--preserve-digests", *options,
                        f"docker://{reference}", f"dir:{place}", check=check)
        return pathlib.Path(place) if check else done


class Podman(_ContainersImage):
    def run(self, *arguments, timeout=120, check=True):
        # runc: crun refuses the hybrid cgroup hierarchy of the test machines
        base = ["podman", "--root", self.path / "root", "--runroot", self.path / "run",
                "--storage-driver", "vfs", "--tmpdir", self.path / "tmp", "--runtime", "runc"]
        return process.run([*base, *arguments], timeout, check, env=self.env)

    def pull(self, reference, check=True):
        return self.run("pull", "-q", "--signature-policy", self.path / "policy.json", reference,
                        check=check)

    def start(self, reference, *command):
        """Runs a container to its end, returns its output."""
        return self.run("run", "--rm", "--network=none", "--pull=never",
                        reference, *command).stdout

    def digest(self, reference):
        return json.loads(self.run("image", "inspect", reference).stdout)[0]["Digest"]

    def remove_all(self):
        self.run("rmi", "-a", "-f")


class Buildah(_ContainersImage):
    def run(self, *arguments, timeout=120, check=True):
        return process.run(["buildah", "--root", self.path / "root", "--runroot",
                            self.path / "run", "--storage-driver", "vfs", *arguments],
                           timeout, check, env=self.env)

    def pull(self, reference, check=True):
        return self.run("pull", "-q", "--signature-policy", self.path / "policy.json", reference,
                        check=check)


class Containerd(Place):
    """A containerd of our own, asked through ctr with a hosts.toml per upstream name."""

    def __init__(self):
        super().__init__("containerd")
        self.socket = self.path / "c.sock"
        config = self.path / "config.toml"
        # CRI wants CNI and a sandbox image, the others devices or file systems: all needless here.
        # The native snapshotter copies, it needs no overlay in overlay.
        config.write_text(
            f'version = 2\nroot = "{self.path}/root"\nstate = "{self.path}/state"\n'
            'disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.internal.v1.opt", '
            '"io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.btrfs", '
            '"io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.aufs"]\n'
            f'[grpc]\naddress = "{self.socket}"\n[ttrpc]\naddress = "{self.socket}.ttrpc"\n')
        self.log = open(self.path / "log", "wb")
        self.child = process.start(["containerd", "--config", config], env=self.env,
                                   stdout=self.log, stderr=self.log)
        process.wait_for(lambda: self.ctr("version", check=False).returncode == 0, 20,
                         "containerd answering")

    def ctr(self, *arguments, timeout=90, check=True):
        return process.run(["ctr", "--address", self.socket, *arguments], timeout, check,
                           env=self.env)

    def mirror(self, host, *endpoints, capabilities=("pull", "resolve"), override_path=False):
        """hosts.toml: pulls for `host` go to endpoints (URLs) first."""
        # `server` names a dead end, so that a pull that succeeds was served by the endpoints
        text = 'server = "http://127.0.0.1:1"\n'
        for endpoint in endpoints:
            text += f'[host."{endpoint}"]\ncapabilities = {json.dumps(list(capabilities))}\n'
            text += "override_path = true\n" if override_path else ""
        self.write_hosts(host, text)

    def write_hosts(self, host, text):
        directory = self.path / "hosts" / host
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "hosts.toml").write_text(text)

    def pull(self, reference, *options, check=True):
        return self.ctr("images", "pull", "--snapshotter", "native", "--hosts-dir",
                        self.path / "hosts", *options, reference, check=check)

    def digest(self, reference):
        line = self.ctr("images", "ls", f"name=={reference}").stdout.splitlines()[1]
        return line.split()[2]

    def remove(self, reference):
        self.ctr("images", "rm", "--sync", reference)

    def close(self):
        process.stop(self.child)
        self.log.close()
        super().close()


class Docker(Place):
    """dockerd (Debian's docker.io) with nothing set but registry-mirrors."""

    def __init__(self, *mirrors, **daemon_json):
        super().__init__("docker")
        self.host = f"unix://{self.path}/d.sock"
        (self.path / "daemon.json").write_text(json.dumps({
            "registry-mirrors": list(mirrors), **daemon_json}))
        self.log = open(self.path / "log", "wb")
        # vfs: overlay on overlay is refused in places; no iptables and no bridge: nothing outside
        # this process may change. A private mount namespace takes the mounts with it.
        self.child = process.start(
            ["unshare", "-m", "--propagation", "private", "dockerd", "--config-file",
             self.path / "daemon.json", "--iptables=false", "--ip6tables=false", "--bridge=none",
             "--storage-driver=vfs", "--data-root", self.path / "data", "--exec-root",
             self.path / "exec", "--pidfile", self.path / "pid", "--host", self.host,
             # cgroup v2 is mounted without controllers: let runc use the v1 hierarchy's own way
             "--exec-opt", "native.cgroupdriver=cgroupfs"],
            env=self.env, stdout=self.log, stderr=self.log)
        process.wait_for(lambda: self.child.poll() is not None
                         or self.run("version", check=False).returncode == 0, 30,
                         "dockerd answering")
        if self.child.poll() is not None:
            text = self.output()
            self.close()
            raise AssertionError(f"dockerd did not start:\n{text[-2000:]}")

    def run(self, *arguments, timeout=180, check=True):
        # Debian's client by its path: another docker may come first in PATH
        return process.run(["/usr/bin/docker", "--host", self.host, "--config",
                            self.path / "client", *arguments], timeout, check, env=self.env)

    def pull(self, reference, check=True):
        return self.run("pull", reference, check=check)

    def start(self, reference, *command):
        return self.run("run", "--rm", "--network=none", reference, *command).stdout

    def remove(self, reference):
        self.run("rmi", "-f", reference)

    def output(self):
        return (self.path / "log").read_text(errors="replace")

    def close(self):
        process.stop(self.child, patience=20)
        self.log.close()
        super().close()
