"""Webhooks: every event reaches every receiver, in order, whatever happens to receivers and to us."""

import json
import time

import pytest
from support import certificates, daemon, hostile, images, process, push, webhook

NOWHERE = "http://127.0.0.1:1"
NAME = "team/app"


@pytest.fixture
def hook():
    with webhook.Receiver() as receiver:
        yield receiver


@pytest.fixture
def begin(start):
    def made(*entries, **config):
        server = start(daemon.hub_of(NOWHERE), flags=["--open"], notifications=list(entries),
                       **config)
        return server, push.Repository(server.address, NAME)
    return made


@pytest.fixture
def body(request):
    return images.dump({"schemaVersion": 2, "mediaType": images.OCI_INDEX, "manifests": [],
                        "annotations": {"test": request.node.name}})


def put(app, body, tag):
    answer = app.put_manifest(body, tag, images.OCI_INDEX)
    assert answer.status == 201, answer


def test_the_envelope_of_docker_registry(begin, hook, body):
    server, app = begin(hook.entry("ci"), external_url="http://registry.example.org:5000")
    image = images.small("envelope", layers=1, kind="oci")
    app.push_image(image, "v1")
    events = hook.wait_for(3)
    request = hook.seen("POST", "/hook")[0]
    assert request.header("Content-Type") == "application/vnd.docker.distribution.events.v2+json"
    assert request.header("X-Entrepot-Signature") is None
    assert [event["action"] for event in events[:3]] == ["push"] * 3
    assert {event["target"]["digest"] for event in events[:2]} == set(image.blobs)
    event = next(event for event in events if event["target"].get("tag") == "v1")
    target = event["target"]
    assert target["repository"] == NAME and target["digest"] == image.digest
    assert target["mediaType"] == images.OCI_MANIFEST
    assert target["size"] == target["length"] == len(image.root.body)
    assert target["url"].endswith(f"/v2/{NAME}/manifests/{image.digest}")
    assert target["url"].startswith("http://")
    asked = event["request"]
    assert asked["method"] == "PUT" and asked["host"] == server.address
    assert asked["addr"].startswith("127.0.0.1") and asked["id"]
    assert set(event) == {"id", "timestamp", "action", "target", "request", "actor", "source"}
    assert event["source"]["instanceID"]
    assert abs(time.time() - time.mktime(time.strptime(
        event["timestamp"].split(".")[0], "%Y-%m-%dT%H:%M:%S")) + time.timezone) < 60
    assert len({event["id"] for event in events}) == len(events)


def test_every_action(begin, hook, body):
    _, app = begin(hook.entry("ci", events=["push", "pull", "delete", "mount"]),
                   hook.entry("tags", "/tags", events=["tag"]))
    blob = app.push_blob(b"blob")
    other = push.Repository(app.address, "team/other")
    assert other.post(mount=blob, **{"from": NAME}).status == 201
    put(app, body, "v1")
    digest = push.digest_of(body)
    moved = body.replace(b"annotations", b"annotations ")
    put(app, moved, "v1")
    assert app.manifest("v1").status == 200
    hook.wait_for(5)  # the pull is written down behind the answer, the rest before it
    for path in ("manifests/v1", f"manifests/{digest}", f"blobs/{blob}"):
        assert app.request("DELETE", path).status == 202
    events = webhook.without_repetitions(hook.wait_for(8))
    assert webhook.told(events) == [
        ("push", NAME, blob), ("mount", "team/other", blob), ("push", NAME, "v1"),
        ("push", NAME, "v1"), ("pull", NAME, "v1"), ("delete", NAME, "v1"),
        ("delete", NAME, digest), ("delete", NAME, blob)]
    assert events[1]["target"]["fromRepository"] == NAME
    move = hook.wait_for(1, "/tags")[0]
    assert move["action"] == "tag" and move["target"]["tag"] == "v1"
    assert (move["target"]["from"], move["target"]["digest"]) == (digest, push.digest_of(moved))


def test_what_was_not_asked_for_is_not_told(begin, hook, body):
    server, app = begin(hook.entry("ci", events=["push"], repositories=["team/*"]),
                        hook.entry("all", "/all", events=["push"]))
    put(push.Repository(app.address, "private/app"), body, "v1")
    assert app.push_blob(b"first")
    assert app.manifest("v1").status == 404
    put(app, body, "v2")
    hook.wait_for(2)
    assert [name for _, name, _ in webhook.told(hook.wait_for(3, "/all"))] == [
        "private/app", NAME, NAME]
    assert webhook.told(hook.events())[1] == ("push", NAME, "v2")
    process.wait_for(lambda: server.metric("entrepot_notifications_waiting") == 0, 10, "empty queues")


@pytest.mark.row("U-13")
def test_envelopes_are_signed_and_the_secret_stays(begin, hook, body, tmp_path):
    (tmp_path / "secret").write_text("canary-of-the-secret\n")
    hook.script("/hook", hostile.status(500), times=1)
    server, app = begin(hook.entry("ci", secret_file=str(tmp_path / "secret"),
                                   headers={"Authorization": "Bearer canary-of-the-header",
                                            "X-Site": "berlin"}))
    put(app, body, "v1")
    hook.wait_for(1)
    for request in hook.seen("POST", "/hook"):
        assert request.header("X-Entrepot-Signature") == webhook.signature(
            "canary-of-the-secret", request.body)
        assert request.header("Authorization") == "Bearer canary-of-the-header"
        assert request.header("X-Site") == "berlin"
        assert b"canary" not in request.body
    assert "canary" not in server.log()
    assert b"canary" not in server.get("/metrics").body


def test_a_receiver_that_is_down_gets_everything_later(begin, body):
    with webhook.Receiver() as hook:
        port, entry = hook.port, hook.entry("ci", events=["push"])
    server, app = begin(entry)
    for number in range(20):
        put(app, body, f"v{number}")
    process.wait_for(lambda: server.metric("entrepot_notifications_total", outcome="failed") > 0, 10,
                     "a failed delivery")
    process.wait_for(lambda: server.metric("entrepot_notifications_waiting", receiver="ci") >= 20,
                     10, "the queue to be shown")
    with webhook.Receiver(port=port) as hook:
        events = webhook.without_repetitions(hook.wait_for(20))
        assert [event["target"]["tag"] for event in events] == [f"v{n}" for n in range(20)]
        process.wait_for(lambda: server.metric("entrepot_notifications_waiting") == 0, 10,
                         "an empty queue")
    assert server.metric("entrepot_notifications_total", outcome="delivered") >= 20


def test_a_slow_receiver_delays_nobody(begin, hook, body):
    hook.script("/slow", hostile.hang(60))
    hook.script("/drip", lambda exchange: [exchange.write(b"H") or exchange.wait(0.5)
                                           for _ in range(100)])
    server, app = begin(hook.entry("slow", "/slow"), hook.entry("drip", "/drip"),
                        hook.entry("ci", events=["push"]))
    began = time.monotonic()
    for number in range(10):
        put(app, body, f"v{number}")
    assert time.monotonic() - began < 10
    hook.wait_for(10, seconds=5)
    assert [e["target"]["tag"] for e in hook.events()] == [f"v{n}" for n in range(10)]
    for name in ("slow", "drip"):  # both run into the timeout of 2 s
        process.wait_for(lambda: server.metric("entrepot_notifications_total", receiver=name,
                                               outcome="failed") > 0, 10, f"{name} given up")


@pytest.mark.row("D-01")
@pytest.mark.parametrize("how", ["stop", "kill9"])
def test_a_restart_of_ours_loses_nothing(begin, hook, body, how):
    hook.script("/hook", hostile.status(503))
    server, app = begin(hook.entry("ci", events=["push"]))
    for number in range(5):
        put(app, body, f"v{number}")
    if how == "kill9":
        server.kill9()
    server.restart(keep_address=True)
    put(app, body, "v5")
    with hook.lock:
        hook.scripts.clear()
    events = webhook.without_repetitions(hook.wait_for(6))
    assert [event["target"]["tag"] for event in events] == [f"v{n}" for n in range(6)]
    server.restart(keep_address=True)
    put(app, body, "v6")
    process.wait_for(lambda: len(webhook.without_repetitions(hook.events())) == 7, 20, "the last one")
    after = webhook.without_repetitions(hook.events())
    assert [event["target"]["tag"] for event in after] == [f"v{n}" for n in range(7)]


def test_redirects_are_not_followed(begin, hook, body):
    hook.script("/hook", hostile.redirect("/elsewhere", 307), times=2)
    _, app = begin(hook.entry("ci", events=["push"]))
    put(app, body, "v1")
    hook.wait_for(1)
    assert hook.count(text="/elsewhere") == 0


def test_old_events_are_dropped(begin, hook, body):
    hook.script("/hook", hostile.status(500))
    server, app = begin(hook.entry("ci", events=["push"], keep="1s"))
    put(app, body, "v1")
    process.wait_for(lambda: server.metric("entrepot_notifications_total", outcome="expired") == 1, 20,
                     "the event to be dropped")
    process.wait_for(lambda: server.metric("entrepot_notifications_waiting") == 0, 10, "empty queues")
    with hook.lock:
        hook.scripts.clear()
    put(app, body, "v2")
    assert [event["target"]["tag"] for event in hook.wait_for(1)] == ["v2"]


def test_receivers_change_while_running(begin, hook, body):
    hook.script("/old", hostile.status(500))
    server, app = begin(hook.entry("ci", "/old", events=["push"]))
    put(app, body, "v1")
    process.wait_for(lambda: hook.count(text="/old"), 10, "the old address to be asked")
    server.config["notifications"] = [hook.entry("ci", "/new", events=["push"]),
                                      hook.entry("more", "/more", events=["push"])]
    server.command()  # writes the file
    status, output = daemon.run_once("reload", "--data", server.data)
    assert status == 0, output
    put(app, body, "v2")
    # A delivery may come again when its answer came too late.
    process.wait_for(lambda: len(webhook.without_repetitions(hook.events("/new"))) == 2, 20, "both events")
    assert webhook.told(webhook.without_repetitions(hook.events("/new"))) == [
        ("push", NAME, "v1"), ("push", NAME, "v2")]
    assert webhook.told(webhook.without_repetitions(hook.wait_for(1, "/more"))) == [("push", NAME, "v2")]


def test_receivers_by_https(begin, body, tmp_path):
    authority = certificates.Authority(tmp_path)
    with webhook.Receiver(tls=authority.issue()) as hook:
        server, app = begin(hook.entry("trusted", ca=str(authority.certificate)),
                            hook.entry("stranger", "/stranger"))
        put(app, body, "v1")
        hook.wait_for(1)
        process.wait_for(lambda: server.metric("entrepot_notifications_total", receiver="stranger",
                                               outcome="failed") > 0, 10, "the stranger refused")
        assert hook.count(text="/stranger") == 0


def test_pulls_are_told_by_the_pulled_tag_and_user(start, hook, body, tmp_path):
    users = push.htpasswd(tmp_path / "htpasswd", "alice")
    server = start(daemon.hub_of(NOWHERE), access={"htpasswd": str(users)},
                   notifications=[hook.entry("ci", events=["pull"])])
    app = push.Repository(server.address, NAME, push.basic("alice"))
    put(app, body, "v1")
    for reference in ("v1", push.digest_of(body)):
        assert app.manifest(reference).status == 200
    events = hook.wait_for(2)
    assert [event["action"] for event in events] == ["pull", "pull"]
    assert events[0]["target"].get("tag") == "v1" and "tag" not in events[1]["target"]
    assert events[0]["actor"] == {"name": "alice"}
    assert json.dumps(events).count("secret") == 0
