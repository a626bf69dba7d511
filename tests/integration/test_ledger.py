"""Every 201 survives kill -9: a ledger outside of the daemon says what it had promised (row D-01)."""

import os
import random
import time

import pytest
from support import daemon, traffic

ROUNDS = 200 if os.environ.get("ENTREPOT_LONG") == "1" else 20


@pytest.mark.limit(ROUNDS * 10 + 60)
@pytest.mark.row("D-01", "P-11")
def test_every_201_survives_kill_9(start):
    server = start(daemon.hub_of("http://127.0.0.1:1"), flags=["--open"], log={"level": "info"},
                   collect={"every": "0", "grace": "0", "lease": "0", "trash": "0"})
    choose, checked, slowest = random.Random(7), 0, 0.0
    with traffic.Crowd(server.address, pushers=8, pullers=4, lag=0.02) as crowd:
        for _ in range(ROUNDS):
            time.sleep(0.2 + choose.random() * 0.4)
            server.kill9()
            began = time.monotonic()
            server.restart(keep_address=True)
            slowest = max(slowest, time.monotonic() - began)
            crowd.collect_reports()
            verify(server, crowd.ledger[checked:])
            checked = len(crowd.ledger)
    assert crowd.pushed > ROUNDS, crowd.pushed
    assert not [text for text in crowd.broken if "404" in text], crowd.broken[:5]
    assert slowest < (10 if "asan" in daemon.BINARY or "tsan" in daemon.BINARY else 2), slowest
    verify(server, crowd.ledger)
    wire = traffic.Wire(server.address)
    traffic.reachable(wire, {repository for repository, *_ in crowd.ledger})
    wire.close()


def verify(server, ledger):
    """Each promised manifest is there; its tag may have moved on by a push nobody heard the end of."""
    wire = traffic.Wire(server.address)
    for repository, _, digest in ledger:
        status, _, body = wire.ask("GET", f"/v2/{repository}/manifests/{digest}",
                                   headers={"Accept": traffic.MANIFEST})
        assert status == 200 and traffic.digest_of(body) == digest, (repository, digest, status)
    wire.close()
