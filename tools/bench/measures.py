"""What is measured, each on one running server: figures as plain dictionaries."""

import re
import socket
import statistics
import time

from tests.support import process

CLIENT_CORE = "1"
# docker-registry answers an OCI manifest only to those who name its type.
ACCEPT = "Accept: application/vnd.oci.image.manifest.v1+json, */*"


def requests(server, path, seconds=3, connections=32):
    """wrk on a core of its own: requests a second, and the server's CPU microseconds for each."""
    before = server.cpu()
    out = process.run(["taskset", "-c", CLIENT_CORE, "wrk", "-t1", f"-c{connections}",
                       f"-d{seconds}s", "-H", ACCEPT, server.url + path],
                      timeout=seconds + 30).stdout
    used = server.cpu() - before
    count = int(re.search(r"(\d+) requests in", out)[1])
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", out)
    if bad or count == 0:
        raise RuntimeError(f"{server.name} {path}: {out}")
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", out)[1])
    return {"per_second": rate, "cpu_us": used / count * 1e6}


def blob(server, path, size, times):
    """The blob `times` times over one connection: CPU seconds a GB, GB a second."""
    before, began = server.cpu(), time.monotonic()
    process.run(["taskset", "-c", CLIENT_CORE, "curl", "-sSf",
                 *(word for _ in range(times) for word in ("-o", "/dev/null", server.url + path))],
                timeout=120)
    gigabytes = size * times / 1e9
    return {"cpu_s_per_gb": (server.cpu() - before) / gigabytes,
            "gb_per_second": gigabytes / (time.monotonic() - began)}


def manifest(url, path):
    process.run(["curl", "-sSf", "-o", "/dev/null", "-H", ACCEPT, url + path])


def pull(url, path, blobs):
    """Seconds for a manifest and then its blobs, three at a time as docker does."""
    began = time.monotonic()
    manifest(url, path)
    process.run(["curl", "-sSf", "-Z", "--parallel-max", "3",
                 *(word for blob_path in blobs for word in ("-o", "/dev/null", url + blob_path))],
                timeout=300)
    return time.monotonic() - began


def herd(server, path, size, clients, patience=60):
    """`clients` at once on one cold blob: slowest first byte, slowest end, memory growth, CPU.
    Nobody waits longer than `patience` seconds; who gave up is not counted as whole."""
    process.run(["curl", "-sSf", "-o", "/dev/null", server.url + "/v2/"])
    rss, cpu, began = server.rss(), server.cpu(), time.monotonic()
    out = process.run(
        ["curl", "-sS", "-Z", "--parallel-immediate", "--parallel-max", str(clients),
         "--max-time", str(patience), "-w", "%{http_code} %{time_starttransfer} %{time_total} %{size_download}\\n",
         *(word for _ in range(clients) for word in ("-o", "/dev/null", server.url + path))],
        timeout=600, check=False).stdout
    ended = time.monotonic() - began
    lines = [line.split() for line in out.splitlines()]
    whole = sum(1 for code, _, _, got in lines if code == "200" and int(got) == size)
    return {"whole": whole, "first_byte": max(float(line[1]) for line in lines), "end": ended,
            "rss_growth": server.peak() - rss, "cpu": server.cpu() - cpu}


def idle_connections(server, count=2000):
    """Resident bytes a connection that has asked once and stays open."""
    request = f"GET /v2/ HTTP/1.1\r\nHost: {server.address}\r\n\r\n".encode()
    before, held = server.rss(), []
    try:
        for _ in range(count):
            connection = socket.create_connection(("127.0.0.1", server.port), timeout=10)
            connection.sendall(request)
            connection.recv(4096)
            held.append(connection)
        return (server.rss() - before) / count
    finally:
        for connection in held:
            connection.close()


def median(rounds, key):
    return statistics.median(one[key] for one in rounds)
