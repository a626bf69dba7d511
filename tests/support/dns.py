"""A nameserver on a loopback address of its own, port 53, UDP and TCP, with programmable answers.

    dns = NameServer()
    dns.answers["hub.test"] = ["127.0.0.1"]            # A (and AAAA for addresses with colons)
    dns.answers["down.test"] = SERVFAIL | NXDOMAIN | HANG
    dns.answers["rebind.test"] = lambda n: ["203.0.113.1"] if n == 0 else ["127.0.0.1"]  # n-th time
"""

import collections
import ipaddress
import random
import socket
import struct
import threading

SERVFAIL, NXDOMAIN, HANG = "SERVFAIL", "NXDOMAIN", "HANG"
_RCODE = {SERVFAIL: 2, NXDOMAIN: 3}
_A, _AAAA = 1, 28


class NameServer:
    def __init__(self):
        self.answers = {}
        self.asked = collections.Counter()  # (name, "A" | "AAAA") -> times
        self._rounds = collections.Counter()
        self._bind()
        for target in (self._serve_udp, self._serve_tcp):
            threading.Thread(target=target, daemon=True).start()

    def _bind(self):
        # Programs ask port 53 only; the whole of 127/8 is ours, so an address is picked instead.
        for _ in range(50):
            self.address = "127." + ".".join(str(random.randint(2, 250)) for _ in range(3))
            try:
                self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                self.udp.bind((self.address, 53))
                self.tcp = socket.create_server((self.address, 53))
                return
            except OSError:
                self.udp.close()
        raise RuntimeError("no free loopback address for a nameserver")

    def _serve_udp(self):
        while True:
            try:
                query, peer = self.udp.recvfrom(4096)
            except OSError:
                return
            if len(query) < 17:  # shutdown() of close() wakes us with nothing
                return
            reply = self._reply(query)
            if reply is None:
                continue
            if len(reply) > 512:  # truncated: the asker comes again by TCP
                reply = self._reply(query, truncated=True)
            self.udp.sendto(reply, peer)

    def _serve_tcp(self):
        while True:
            try:
                connection, _ = self.tcp.accept()
            except OSError:
                return
            threading.Thread(target=self._talk_tcp, args=(connection,), daemon=True).start()

    def _talk_tcp(self, connection):
        with connection:
            connection.settimeout(10)
            try:
                while head := connection.recv(2):
                    reply = self._reply(connection.recv(struct.unpack(">H", head)[0]))
                    if reply is None:
                        return
                    connection.sendall(struct.pack(">H", len(reply)) + reply)
            except OSError:
                return

    def _reply(self, query, truncated=False):
        name, end = _name(query, 12)
        kind = struct.unpack(">H", query[end:end + 2])[0]
        question = query[12:end + 4]
        found = self.answers.get(name, NXDOMAIN)
        if not truncated:
            self.asked[(name, {_A: "A", _AAAA: "AAAA"}.get(kind, str(kind)))] += 1
        if callable(found):
            found = found(self._rounds[name])
            self._rounds[name] += kind == _A and not truncated
        if found == HANG:
            return None
        rcode, records = _RCODE.get(found, 0) if isinstance(found, str) else 0, []
        if not isinstance(found, str) and not truncated:
            addresses = map(ipaddress.ip_address, found)
            records = [a.packed for a in addresses if (a.version == 6) == (kind == _AAAA)
                       and kind in (_A, _AAAA)]
        flags = 0x8180 | rcode | (0x0200 if truncated else 0)
        reply = query[:2] + struct.pack(">HHHHH", flags, 1, len(records), 0, 0) + question
        for packed in records:
            reply += struct.pack(">HHHIH", 0xC00C, kind, 1, 0, len(packed)) + packed
        return reply

    def close(self):
        for each in (self.udp, self.tcp):
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            each.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def _name(message, at):
    labels = []
    while length := message[at]:
        labels.append(message[at + 1:at + 1 + length].decode())
        at += 1 + length
    return ".".join(labels).lower(), at + 1
