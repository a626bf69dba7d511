"""Collection while pushes and pulls go on: no promise is taken back, nothing is left behind."""

import json
import os
import time

import pytest
from support import daemon, process, traffic

LONG = os.environ.get("ENTREPOT_LONG") == "1"
SECONDS = 300 if LONG else 30
LEASE = 4


def collector(server):
    """One round by the command an operator types: its summary."""
    done = process.run([daemon.BINARY, "gc", "--delete-untagged", "--json", "--data", server.data],
                       timeout=60, check=False, env=server.env)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.limit(SECONDS + 120)
@pytest.mark.row("G-01", "G-02", "G-03", "G-12", "C-19")
def test_no_promise_is_broken_and_nothing_stays(start):
    server = start(daemon.hub_of("http://127.0.0.1:1"), flags=["--open"], log={"level": "info"},
                   history={"keep": "0"},
                   collect={"every": "0", "grace": "2s", "lease": f"{LEASE}s", "trash": "0"})
    rounds, removed = 0, 0
    with traffic.Crowd(server.address, lag=0.5) as crowd:
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            removed += collector(server).get("blobs", 0)
            rounds += 1
            crowd.collect_reports()
            assert not crowd.broken, crowd.broken[:5]
    assert not crowd.broken, crowd.broken[:5]
    assert crowd.gone == 0
    assert crowd.pushed > 100 and crowd.pulled > 100 and rounds >= 5 and removed > 50, (
        crowd.pushed, crowd.pulled, rounds, removed)
    time.sleep(LEASE + 1)  # leases of the last answers run out
    collector(server)
    collector(server)
    wire = traffic.Wire(server.address)
    names = {repository for repository, *_ in crowd.ledger}
    needed = traffic.reachable(wire, names)
    wire.close()
    left = server.stored_blobs()
    assert left <= {digest.partition(":")[2] for digest in needed}, "orphans"
    print(f"{rounds} rounds, {crowd.pushed} pushes, {crowd.pulled} pulls, {removed} blobs removed")
