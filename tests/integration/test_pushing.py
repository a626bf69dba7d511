"""Blobs pushed to another registry by a rule, over lines that break."""

import pytest
from test_copying import BIG, INTERRUPTIONS, LONG, big_image, digest_at, peer, rule, sync

from support import bundles, images
from support.daemon import Daemon
from support.registry import Registry
from support.relay import Relay

OPEN = ["--open"]


def only(upstream):
    return [{"name": "elsewhere", "urls": [upstream.url]}]


@pytest.mark.row("N-06", "N-10")
@pytest.mark.limit(900 if LONG else 60)
def test_a_big_blob_that_breaks_off_goes_on_where_the_registry_says():
    whole = big_image()
    with Registry() as empty, Daemon({"upstreams": only(empty)}, OPEN) as target, \
            Relay(int(target.address.rpartition(":")[2])) as line, \
            Daemon({"upstreams": only(empty), "peers": [peer("target", line.url)],
                    "replication": [rule("out", to="target", repositories=["big/**"])]},
                   OPEN) as daemon:
        images.push(whole, daemon.address, "big/app", "v1")
        line.cuts, line.cut_after = INTERRUPTIONS, BIG // (INTERRUPTIONS + 2)
        for _ in range(INTERRUPTIONS):
            if sync(daemon, "out").failed == 0:
                break
        assert line.cut_so_far == INTERRUPTIONS
        assert digest_at(target.address, "big/app", "v1") == whole.digest
        assert target.blob("big/app", whole.layers()[0]).body == whole.blobs[whole.layers()[0]]
        # Heads of requests, and what was on its way when the line broke.
        assert line.up <= BIG + INTERRUPTIONS * 128 * 1024


@pytest.mark.row("N-06", "N-10")
@pytest.mark.limit(900 if LONG else 60)
def test_a_push_goes_on_where_it_was_after_we_were_killed():
    whole = big_image()
    with Registry() as empty, Daemon({"upstreams": only(empty)}, OPEN) as target, \
            Relay(int(target.address.rpartition(":")[2])) as line, \
            Daemon({"upstreams": only(empty), "peers": [peer("target", line.url)],
                    "replication": [rule("out", to="target", repositories=["big/**"])]},
                   OPEN) as daemon:
        images.push(whole, daemon.address, "big/app", "v1")
        line.hold_after = BIG * 3 // 4
        status, said = bundles.control(daemon, "POST", "/api/v1/syncs", rule="out")
        assert status == 202, said
        assert line.held.wait(120), line.up
        daemon.kill9()
        line.let_go()
        arrived = line.up
        assert arrived >= BIG * 3 // 4
        daemon.restart()
        assert sync(daemon, "out").failed == 0
        assert digest_at(target.address, "big/app", "v1") == whole.digest
        assert target.blob("big/app", whole.layers()[0]).body == whole.blobs[whole.layers()[0]]
        # Heads of requests, and what was on its way when we died.
        assert line.up <= BIG + 512 * 1024, (line.up, arrived)
