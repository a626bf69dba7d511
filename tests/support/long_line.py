"""A long line between two programs on this machine: bytes are on their way for a while, and all
connections share its rate. (The kernels of the machines have no netem.)

    with LongLine(registry.port, round_trip=0.010, rate=100_000_000) as line:
        line.url                          # the registry, far away

Opening a connection costs a round trip as well. What passed is counted: `up` are bytes to the
server, `down` those from it.
"""

import asyncio
import contextlib
import socket
import threading

PIECE = 64 * 1024
UNDER_WAY = 64  # pieces of a connection; then its sender waits
AHEAD = 0.005   # seconds that may wait to leave, so that the line is never idle for want of a wake-up


class Way:
    """One direction: a byte leaves after all that came before it, and arrives `delay` later."""

    def __init__(self, rate, delay):
        self.rate, self.delay = rate, delay
        self.free, self.moved = 0.0, 0

    def leave(self, size, now):
        """When the last of so many bytes has left."""
        self.free = max(self.free, now) + size / self.rate
        self.moved += size
        return self.free


class LongLine:
    def __init__(self, port, round_trip, rate, host="127.0.0.1"):
        self.target, self.round_trip = (host, port), round_trip
        self._up, self._down = Way(rate, round_trip / 2), Way(rate, round_trip / 2)
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.listener.setblocking(False)
        self.address = f"127.0.0.1:{self.listener.getsockname()[1]}"
        self.url = f"http://{self.address}"
        self.loop = asyncio.new_event_loop()
        self.accepting = self.loop.create_task(self._accept())
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    @property
    def up(self):
        return self._up.moved

    @property
    def down(self):
        return self._down.moved

    def close(self):
        self.loop.call_soon_threadsafe(self.accepting.cancel)
        self.thread.join(5)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _run(self):
        with contextlib.suppress(asyncio.CancelledError):
            self.loop.run_until_complete(self.accepting)
        for task in asyncio.all_tasks(self.loop):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                self.loop.run_until_complete(task)
        self.loop.close()
        self.listener.close()

    async def _accept(self):
        connections = set()  # the loop itself keeps no task alive
        while True:
            client, _ = await self.loop.sock_accept(self.listener)
            task = self.loop.create_task(self._connect(client))
            connections.add(task)
            task.add_done_callback(connections.discard)

    async def _connect(self, client):
        server = socket.socket()
        with client, server, contextlib.suppress(OSError):
            for end in (client, server):
                end.setblocking(False)
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await asyncio.sleep(self.round_trip)  # the client's kernel believed it at once
            await self.loop.sock_connect(server, self.target)
            tasks = [self.loop.create_task(one) for one in (
                *self._carry(client, server, self._up), *self._carry(server, client, self._down))]
            try:
                await asyncio.gather(*tasks)
            finally:
                for task in tasks:
                    task.cancel()

    def _carry(self, source, target, way):
        arriving = asyncio.Queue(UNDER_WAY)
        return self._take(source, way, arriving), self._deliver(arriving, target, way.delay)

    async def _take(self, source, way, arriving):
        piece = b"more"
        while piece:
            piece = await self.loop.sock_recv(source, PIECE)
            left = way.leave(len(piece), self.loop.time())
            await arriving.put((left, piece))
            await asyncio.sleep(left - AHEAD - self.loop.time())

    async def _deliver(self, arriving, target, delay):
        piece = b"more"
        while piece:
            left, piece = await arriving.get()
            await asyncio.sleep(left + delay - self.loop.time())
            await self.loop.sock_sendall(target, piece)
        target.shutdown(socket.SHUT_WR)
