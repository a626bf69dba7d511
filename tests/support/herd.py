"""Many clients at once on one blob, cheap enough that they do not disturb what they measure.

    results = herd.run(address, target, clients=64, hashed=8)
    herd.run(..., kill_first_after=1.0)

One process, one selector. Only `hashed` clients look at their bytes; the others let the kernel
discard them (MSG_TRUNC), so that 64 clients at 20 MB/s cost little of two cores. Each result is a
dict: status, length (Content-Length), received, first_byte and total (seconds), sha256, killed.
"""

import hashlib
import json
import re
import selectors
import socket
import sys
import time

from . import process


def run(address, target, clients=64, hashed=8, kill_first_after=None, timeout=120, stagger=0.0):
    done = process.run([sys.executable, "-c", "from support import herd; herd.main()", address,
                        target, str(clients), str(hashed), str(kill_first_after or 0),
                        str(timeout), str(stagger)], timeout + 20,
                       env={"PYTHONPATH": str(__file__).rsplit("/", 2)[0], "PATH": "/usr/bin:/bin"})
    return json.loads(done.stdout)


class _Client:
    def __init__(self, address, target, hashed):
        host, _, port = address.rpartition(":")
        self.began = time.monotonic()
        self.socket = socket.create_connection((host, int(port)), timeout=10)
        self.socket.sendall(f"GET {target} HTTP/1.1\r\nHost: {address}\r\n"
                            "Connection: close\r\n\r\n".encode())
        self.socket.setblocking(False)
        self.head, self.digest = b"", hashlib.sha256() if hashed else None
        self.result = {"status": 0, "length": None, "received": 0, "first_byte": None,
                       "total": None, "killed": False}

    def readable(self, buffer):
        """False when this client is finished."""
        try:
            if self.result["status"] == 0:
                return self._read_head()
            flags = 0 if self.digest else socket.MSG_TRUNC
            count = self.socket.recv_into(buffer, len(buffer), flags)
            if count and self.digest:
                self.digest.update(memoryview(buffer)[:count])
        except BlockingIOError:
            return True
        except OSError:
            return False
        self._count(count)
        return count > 0 and self.result["received"] != self.result["length"]

    def _count(self, count):
        if count and self.result["first_byte"] is None:
            self.result["first_byte"] = time.monotonic() - self.began
        self.result["received"] += count

    def _read_head(self):
        piece = self.socket.recv(4096)
        self.head += piece
        head, found, body = self.head.partition(b"\r\n\r\n")
        if found:
            self.result["status"] = int(head.split()[1])
            length = re.search(rb"(?i)content-length: (\d+)", head)
            self.result["length"] = int(length[1]) if length else None
            if self.digest:
                self.digest.update(body)
            self._count(len(body))
        return bool(piece) and self.result["received"] != self.result["length"]

    def finish(self):
        self.result["total"] = time.monotonic() - self.began
        self.result["sha256"] = "sha256:" + self.digest.hexdigest() if self.digest else None
        self.socket.close()


def main():
    address, target = sys.argv[1:3]
    count, hashed = int(sys.argv[3]), int(sys.argv[4])
    kill_after, timeout, stagger = map(float, sys.argv[5:8])
    selector, buffer, clients = selectors.DefaultSelector(), bytearray(1 << 20), []
    began = time.monotonic()
    waiting, open_ones = count, 0
    while (waiting or open_ones) and time.monotonic() - began < timeout:
        if waiting and time.monotonic() - began >= stagger * len(clients):
            # the last ones hash, so that the first, which may be killed, is not among them
            client = _Client(address, target, waiting <= hashed)
            clients.append(client)
            selector.register(client.socket, selectors.EVENT_READ, client)
            waiting, open_ones = waiting - 1, open_ones + 1
        if kill_after and time.monotonic() - began > kill_after:
            kill_after = 0
            clients[0].result["killed"] = True
            selector.unregister(clients[0].socket)
            clients[0].finish()
            open_ones -= 1
        for key, _ in selector.select(0 if waiting else 0.05):
            if not key.data.readable(buffer):
                selector.unregister(key.fileobj)
                key.data.finish()
                open_ones -= 1
    print(json.dumps([client.result for client in clients]))
