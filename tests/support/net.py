"""Networks of our own: namespaces with any addresses, links between them, shaping and loss.

A Namespace lives as long as its holder process, so nothing survives the tests. Servers started
inside call() listen in the namespace although their threads do not stay there; programs are put in
with nsenter (Daemon(prefix=namespace.prefix())).
"""

import atexit
import ctypes
import os
import shutil
import threading

from . import process

_CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)


class Namespace:
    def __init__(self, *addresses):
        """addresses: given to loopback (kernels may lack dummy), e.g. "10.1.2.3/32", "fd00::1/128"."""
        self.holder = process.start(["unshare", "--net", "sleep", "3600"])
        self.file = f"/proc/{self.holder.pid}/ns/net"
        mine = os.readlink("/proc/self/ns/net")
        process.wait_for(lambda: os.readlink(self.file) != mine, 5, "network namespace")
        self.run("ip", "link", "set", "lo", "up")
        for address in addresses:
            # nodad: usable at once, not after the duplicate check of IPv6
            extra = ["nodad"] if ":" in address else []
            self.run("ip", "address", "add", address, "dev", "lo", *extra)

    def prefix(self):
        return ["nsenter", f"--net={self.file}", "--"]

    def run(self, *command, timeout=20, check=True):
        return process.run([*self.prefix(), *command], timeout, check)

    def call(self, function, *arguments, **named):
        """function(...) on a thread inside the namespace; sockets it opens belong there for ever."""
        outcome = {}

        def inside():
            descriptor = os.open(self.file, os.O_RDONLY)
            try:
                if _libc.setns(descriptor, _CLONE_NEWNET) != 0:
                    raise OSError(ctypes.get_errno(), "setns")
                outcome["value"] = function(*arguments, **named)
            except BaseException as error:  # handed to the caller below
                outcome["error"] = error
            finally:
                os.close(descriptor)

        thread = threading.Thread(target=inside, daemon=True)
        thread.start()
        thread.join(120)
        if "error" in outcome:
            raise outcome["error"]
        assert not thread.is_alive(), "call in namespace took more than 120 s"
        return outcome["value"]

    def link(self, other, mine="10.77.0.1/24", theirs="10.77.0.2/24"):
        """A veth cable to another Namespace; the ends are both called veth0."""
        self.run("ip", "link", "add", "veth0", "type", "veth", "peer", "name", "veth0", "netns",
                 str(other.holder.pid))
        for namespace, address in ((self, mine), (other, theirs)):
            namespace.run("ip", "address", "add", address, "dev", "veth0")
            namespace.run("ip", "link", "set", "veth0", "up")

    def limit(self, rate="8mbit", device="veth0"):
        """What leaves through device is slowed to rate (netem does not exist on the machines)."""
        self.run("tc", "qdisc", "replace", "dev", device, "root", "tbf", "rate", rate, "burst",
                 "32kbit", "latency", "400ms")

    def drop(self, rule):
        """nft: drops what comes in and matches, e.g. drop("tcp dport 80")."""
        self.run("nft", "add table inet lab; add chain inet lab in "
                 "{ type filter hook input priority 0; }; "
                 f"add rule inet lab in {rule} drop")

    def heal(self):
        self.run("nft", "delete", "table", "inet", "lab", check=False)

    def close(self):
        process.stop(self.holder)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Resolver:
    """prefix() runs a program with nameservers of its own: resolv.conf and hosts are bind-mounted
    in a private mount namespace."""

    def __init__(self, *nameservers):
        self.place = process.directory("resolver")
        lines = [f"nameserver {address}" for address in nameservers]
        (self.place / "resolv.conf").write_text("\n".join([*lines, "options timeout:2", ""]))
        (self.place / "hosts").write_text("127.0.0.1 localhost\n")

    def prefix(self):
        script = "".join(f"mount --bind {self.place}/{name} $(realpath /etc/{name}) && "
                         for name in ("resolv.conf", "hosts")) + 'exec "$@"'
        return ["unshare", "-m", "--propagation", "private", "sh", "-c", script, "sh"]

    def close(self):
        shutil.rmtree(self.place, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class SmallDisk:
    """A tmpfs of so many bytes, mounted for the length of the block; use .path as data directory."""

    def __init__(self, size, inodes=None):
        self.path = process.directory("disk")
        options = f"size={size}" + (f",nr_inodes={inodes}" if inodes else "")
        process.run(["mount", "-t", "tmpfs", "-o", options, "lab", self.path])
        atexit.register(self.close)

    def free(self):
        found = os.statvfs(self.path)
        return found.f_bavail * found.f_frsize

    def close(self):
        atexit.unregister(self.close)
        process.run(["umount", "-l", self.path], check=False)
        self.path.rmdir()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
