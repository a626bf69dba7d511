"""Row P-01 seen from the kernel: whatever is asked, no file outside the data directory is opened."""

import re

import pytest
from support import daemon, hostile, images, walk
from test_serving import BAD_NAMES

HARMLESS = ("/proc/", "/sys/", "/dev/", "/lib", "/usr/lib", "/usr/share/zoneinfo", "/etc/ld.so",
            "/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf", "/etc/host.conf", "/etc/gai.conf",
            "/etc/localtime", "/etc/ssl/")


@pytest.mark.row("P-01")
def test_nothing_outside_the_data_directory_is_opened(tmp_path):
    trace = tmp_path / "trace"
    image = images.small("traced")
    with hostile.Upstream() as server:
        server.add(image, "org/app", "v1")
        # the leak checker cannot run under a tracer; -D: the daemon is our child, the tracer is not
        with daemon.Daemon({"upstreams": [daemon.hub_of(server.url)]},
                           env={"ASAN_OPTIONS": daemon.SANITIZER + ":detect_leaks=0"},
                           prefix=["strace", "-D", "-f", "-qq", "-e", "trace=open,openat,openat2",
                                   "-o", trace]) as mirror:
            ready = len(trace.read_text().splitlines())
            walk.pull(mirror.address, "org/app", "v1", image)
            for name in BAD_NAMES:
                for rest in ("manifests/v1", "manifests/..%2f..%2fetc%2fpasswd", "tags/list"):
                    mirror.talk(f"GET /v2/{name}/{rest} HTTP/1.1\r\nHost: x\r\n"
                                "Connection: close\r\n\r\n".encode())
            opened = re.findall(r'open(?:at2?)?\([^"]*"([^"]*)"',
                                "\n".join(trace.read_text().splitlines()[ready:]))
            outside = [path for path in opened if path.startswith("/")
                       and not path.startswith((str(mirror.data), *HARMLESS))]
            assert not outside
            assert not [path for path in opened if ".." in path.split("/")]
