"""The Journal as a feed over HTTP: what a peer hears, when, and after what crashes."""

import shutil
import threading
import time

import pytest
from support import daemon, images, process, push

NAME = "team/app"


@pytest.fixture
def server(start):
    return start(daemon.hub_of("http://127.0.0.1:1"), flags=["--open"], local=["team/**"])


def index_of(number):
    """A manifest that needs no blobs."""
    return images.dump({"schemaVersion": 2, "mediaType": images.OCI_INDEX, "manifests": [],
                        "annotations": {"number": str(number)}})


def put(server, number, reference, name=NAME):
    body = index_of(number)
    digest = push.digest_of(body)
    answer = push.Repository(server.address, name).put_manifest(
        body, reference or digest, images.OCI_INDEX)
    assert answer.status == 201, answer
    return digest


def feed(server, since=0, **more):
    query = "".join(f"&{key}={value}" for key, value in more.items())
    answer = server.get(f"/api/v1/feed?since={since}{query}", timeout=70)
    assert answer.status == 200, answer
    return answer.json()


def moves(page):
    return [(row["r"], row.get("t"), row.get("f"), row.get("d")) for row in page["changes"]]


def wait_in_background(server, seconds):
    """A poll that is under way; what it hears comes into the list."""
    heard = []
    waiting = threading.Thread(target=lambda: heard.append(feed(server, wait=seconds)))
    waiting.start()
    # One is that of the question itself.
    process.wait_for(lambda: server.metric("entrepot_connections") >= 2, 10, "the poll")
    return waiting, heard


def test_every_change_is_a_row(server):
    app = push.Repository(server.address, NAME)
    one, two = put(server, 1, "v1"), put(server, 2, "v1")
    loose = put(server, 3, None)
    assert app.request("DELETE", "manifests/v1").status == 202
    assert app.request("DELETE", f"manifests/{loose}").status == 202
    page = feed(server)
    assert moves(page) == [(NAME, "v1", None, one), (NAME, "v1", one, two), (NAME, None, None, loose),
                           (NAME, "v1", two, None), (NAME, None, loose, None)]
    times = [row["v"] for row in page["changes"]]
    assert times == sorted(times) and abs(page["now"] / 1000 - time.time()) < 60
    assert page["next"] == page["newest"] == 5 and "gap" not in page
    assert feed(server, 9)["gap"], "there never were so many rows"


def test_who_waits_hears_at_once(server):
    waiting, heard = wait_in_background(server, 30)
    assert not heard
    began = time.monotonic()
    digest = put(server, 1, "v1")
    waiting.join(20)
    assert moves(heard[0]) == [(NAME, "v1", None, digest)]
    assert time.monotonic() - began < 10


def test_who_waits_does_not_keep_the_daemon_from_ending(server):
    waiting, heard = wait_in_background(server, 60)
    began = time.monotonic()
    assert server.stop() == 0
    assert time.monotonic() - began < 15
    waiting.join(20)
    assert heard and heard[0]["changes"] == []


@pytest.mark.row("N-10")
def test_a_position_outlives_kill_9(server):
    put(server, 1, "v1")
    before = feed(server)
    server.kill9()
    server.start()
    put(server, 2, "v1")
    after = feed(server, before["next"])
    assert (after["site"], after["journal"]) == (before["site"], before["journal"])
    assert [row["n"] for row in after["changes"]] == [before["next"] + 1]


@pytest.mark.row("N-10")
@pytest.mark.parametrize("how", [shutil.copyfile, shutil.move], ids=["overwritten", "replaced"])
def test_an_older_index_put_back_is_another_journal(server, how):
    put(server, 1, "v1")
    before = feed(server)
    server.stop()
    data = server.data / "index" / "data.mdb"
    backup = server.place / "backup"
    shutil.copyfile(data, backup)
    server.start()
    for number in range(2, 6):
        put(server, number, "v1")
    assert feed(server)["journal"] == before["journal"]
    server.kill9()
    how(backup, data)
    server.start()
    for number in range(12, 18):
        put(server, number, "v1")
    after = feed(server)
    assert after["site"] == before["site"]
    assert after["journal"] != before["journal"]


def test_summaries_lead_to_the_difference(server):
    for number in range(40):
        put(server, number % 3, f"v{number}", name=f"team/app{number % 4}")
    root = server.get("/api/v1/summaries?prefix=").json()["summaries"][0]
    put(server, 7, "v5", name="team/app1")
    after = server.get("/api/v1/summaries?prefix=").json()["summaries"][0]
    changed = [f"{i:x}" for i in range(16) if root["c"][i] != after["c"][i]]
    assert 1 <= len(changed) <= 2, "the tag and the new manifest"
    answer = server.get(f"/api/v1/items?prefix={','.join(changed)}&repository=team/app1").json()
    assert ("v5", push.digest_of(index_of(7))) in [
        (item.get("t"), item["d"]) for item in answer["items"]]
    latest = server.request("POST", "/api/v1/latest", body=images.dump(
        {"tags": [["team/app1", "v5"], ["team/app1", "never"]]})).json()
    assert moves(latest) == [("team/app1", "v5", push.digest_of(index_of(5 % 3)),
                              push.digest_of(index_of(7)))]
