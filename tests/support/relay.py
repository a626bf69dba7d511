"""A line between two programs on this machine that breaks when told to.

    with Relay(registry.port) as line:
        line.cuts = 20                    # the next 20 connections that carry so much upwards
        line.cut_after = 3_000_000        # bytes end there, both sides at once

        line.hold_after = 3_000_000       # nothing passes a connection any more after so many
        line.held.wait(10)                # until one has come so far
        line.let_go()                     # such connections end, others are not held any more

What passed is counted: `up` are bytes to the server, `down` those from it.
"""

import contextlib
import selectors
import socket
import struct
import threading

PIECE = 64 * 1024


class Relay:
    def __init__(self, port, host="127.0.0.1"):
        self.target = (host, port)
        self.cuts, self.cut_after = 0, None
        self.hold_after, self.held, self.freed = None, threading.Event(), threading.Event()
        self.cut_so_far, self.up, self.down = 0, 0, 0
        self.lock = threading.Lock()
        self.closing = False
        self._open = set()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self.listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.thread = threading.Thread(target=self._accept, daemon=True)
        self.thread.start()

    def let_go(self):
        self.hold_after = None
        self.freed.set()

    def close(self):
        self.closing = True
        self.let_go()
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        with self.lock:
            open_ones = list(self._open)
        for connection in open_ones:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self.thread.join(5)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _accept(self):
        while not self.closing:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._carry, args=(client,), daemon=True).start()

    def _carry(self, client):
        try:
            server = socket.create_connection(self.target, timeout=10)
        except OSError:
            client.close()
            return
        with self.lock:
            self._open |= {client, server}
        try:
            with contextlib.suppress(OSError):
                self._pump(client, server)
        finally:
            with self.lock:
                self._open -= {client, server}
            client.close()
            server.close()

    def _pump(self, client, server):
        sent = 0
        with selectors.DefaultSelector() as selector:
            selector.register(client, selectors.EVENT_READ, server)
            selector.register(server, selectors.EVENT_READ, client)
            while not self.closing:
                for key, _ in selector.select(timeout=1):
                    piece = key.fileobj.recv(PIECE)
                    if not piece:
                        return
                    key.data.sendall(piece)
                    self._count(len(piece), key.fileobj is client)
                    sent += len(piece) if key.fileobj is client else 0
                    if self.hold_after is not None and sent >= self.hold_after:
                        self.held.set()
                        self.freed.wait()
                        return
                    if self._breaks_at(sent):
                        reset(client)
                        return

    def _count(self, size, upwards):
        with self.lock:
            if upwards:
                self.up += size
            else:
                self.down += size

    def _breaks_at(self, sent):
        with self.lock:
            if self.cut_after is None or sent < self.cut_after or self.cut_so_far >= self.cuts:
                return False
            self.cut_so_far += 1
            return True


def reset(connection):
    """RST instead of FIN."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
