"""Rules of replication by hand, by the clock and by following, and what the operator sees of them."""

import json
import subprocess

import pytest
from support import daemon, hostile, images, process, walk, webhook

OPEN = ["--open"]
NOTHING = "http://127.0.0.1:1"
QUICK = {"timeouts": {"connect": "2s", "first_byte": "5s", "idle": "3s"}, "retries": 1}


def peer(server, name="paris", kind="entrepot", **more):
    return {"name": name, "kind": kind, "urls": [server.url], **QUICK, **more}


def rule(name, **more):
    return {"name": name, **more}


@pytest.fixture
def site(start):
    """site(peers, rules, ...): an open registry that mirrors nothing it could reach."""
    def begin(peers=(), rules=(), **more):
        return start(daemon.hub_of(NOTHING), flags=OPEN,
                     **({"peers": list(peers)} if peers else {}),
                     **({"replication": list(rules)} if rules else {}), **more)
    return begin


def command(server, *words, stdin=""):
    """(status, stdout, stderr) of one command on this server's data."""
    where = ["--config", server.place / "config.yaml"]
    done = subprocess.run([str(word) for word in [daemon.BINARY, *words, *where]], input=stdin,
                          capture_output=True, text=True, timeout=60, check=False, env=server.env)
    return done.returncode, done.stdout, done.stderr


def said(server, *words, stdin=""):
    """The objects a command printed as JSON, a line each; it must have gone well."""
    status, text, error = command(server, *words, "--json", stdin=stdin)
    assert status == 0, (status, text, error)
    return [json.loads(line) for line in text.splitlines()]


def push(server, name, tag, seed):
    image = images.small(seed, kind="oci")
    images.push(image, server.address, name, tag)
    return image


def digest_of(server, name, tag):
    answer = server.head(f"/v2/{name}/manifests/{tag}")
    return answer.header("Docker-Content-Digest") if answer.status == 200 else None


def standing(server, name):
    return next(line for line in said(server, "replication") if line["rule"] == name)


@pytest.mark.row("N-10")
@pytest.mark.parametrize("running", [True, False])
def test_a_rule_is_planned_run_and_found_done(site, running):
    paris = site()
    app = push(paris, "web/app", "v1", 1)
    push(paris, "web/app", "v2", 2)
    push(paris, "private/app", "v1", 3)
    berlin = site([peer(paris)], [rule("from-paris", **{"from": "paris"}, repositories=["web/**"],
                                       rename="paris/{repository}")])
    if not running:
        berlin.stop()
    planned = said(berlin, "sync", "from-paris", "--dry-run")
    assert sorted((line["repository"], line["reference"], line["outcome"])
                  for line in planned[:-1]) == [("web/app", "v1", "copy"), ("web/app", "v2", "copy")]
    plan = planned[-1]
    assert plan["dry_run"] and plan["changed"] == 2 and plan["blobs_moved"] == 6, plan
    assert not berlin.stored_blobs()

    status, text, error = command(berlin, "sync", "from-paris")
    assert status == 0 and "2 tags in 1 repository: set 2, removed 0" in text, (text, error)
    again = said(berlin, "sync", "from-paris")[-1]
    assert again["changed"] == 0 and again["bytes"] == 0, again
    assert standing(berlin, "from-paris")["state"] in ("idle", "failed")
    if not running:
        berlin.start()
    assert digest_of(berlin, "paris/web/app", "v1") == app.digest
    walk.pull(berlin.address, "paris/web/app", "v1", app)
    assert berlin.get("/v2/_catalog").json() == {"repositories": ["paris/web/app"]}


@pytest.mark.row("N-10")
def test_a_rule_from_and_to_any_registry(site, plain_registry):
    plain = plain_registry
    for tag in ("v1.0.0", "v1.1.0", "v2.0.0", "v2.1.0-rc1", "latest"):
        plain.push(images.small(hash(tag) % 1000, kind="oci"), "product/server", tag)
    here = site([peer(plain, "vendor", "registry")], [
        rule("in", **{"from": "vendor"}, repositories=["product/server"],
             tags=[{"semver": ">=1.1"}], rename="vendor/{name}"),
        rule("out", to="vendor", repositories=["vendor/**"], rename="copies/{path}/{name}")])
    assert said(here, "sync", "in")[-1]["changed"] == 2
    tags = here.get("/v2/vendor/server/tags/list").json()["tags"]
    assert tags == ["v1.1.0", "v2.0.0"], "no prerelease, nothing older, no name that is no version"
    assert said(here, "sync", "out")[-1]["changed"] == 2
    there = daemon.fetch(plain.address, "/v2/copies/vendor/server/manifests/v2.0.0", "HEAD",
                         {"Accept": images.OCI_MANIFEST})
    assert there.header("Docker-Content-Digest") == digest_of(here, "vendor/server", "v2.0.0")
    assert said(here, "sync", "out")[-1]["changed"] == 0


@pytest.mark.row("N-10")
def test_what_fails_waits_alone_and_is_told(site):
    with hostile.Upstream() as there:
        good, bad = images.small(1, kind="oci"), images.small(2, kind="oci")
        there.add(good, "team/app", "good")
        there.add(bad, "team/app", "bad")
        lost = next(iter(bad.blobs))
        there.script(lost, lambda exchange: exchange.send(hostile.plain(500)))
        here = site([peer(there, "lab", "registry")],
                    [rule("lab", **{"from": "lab"}, repositories=["team/app"])])
        status, text, error = command(here, "sync", "lab")
        assert status == 1 and "1 failed" in text and "team/app:bad" in error, (text, error)
        assert digest_of(here, "team/app", "good") == good.digest
        waiting = said(here, "replication", "--waiting")
        assert [(each["repository"], each["reference"], each["tries"]) for each in waiting] == [
            ("team/app", "bad", 1)]
        assert waiting[0]["error"] and waiting[0]["next_try"]
        assert standing(here, "lab")["waiting"] == 1
        here.restart()
        assert standing(here, "lab")["waiting"] == 1, "the queue survives a restart"
        there.calm()
        assert said(here, "sync", "lab")[-1]["failed"] == 0
        assert digest_of(here, "team/app", "bad") == bad.digest
        assert standing(here, "lab")["waiting"] == 0


@pytest.mark.row("N-10")
def test_peers_that_are_away_are_told_and_harm_nobody(site, plain_registry):
    paris = site()
    gone = process.free_port()
    here = site([peer(paris), peer(plain_registry, "plain", "registry"),
                 {"name": "lyon", "urls": [f"http://127.0.0.1:{gone}"], **QUICK}],
                [rule("from-paris", **{"from": "paris"}, when="follow"),
                 rule("from-lyon", **{"from": "lyon"}, when="follow")])
    assert here.get("/readyz").status == 200
    peers = {each["name"]: each for each in said(here, "peers")}
    assert peers["paris"]["reachable"] and peers["paris"]["kind"] == "entrepot"
    assert len(peers["paris"]["site"]) >= 16 and "newest" in peers["paris"]
    assert peers["plain"]["reachable"] and peers["plain"]["kind"] == "registry"
    assert not peers["lyon"]["reachable"] and peers["lyon"]["error"]
    assert [line["rule"] for line in peers["lyon"]["rules"]] == ["from-lyon"]
    status, text, _ = command(here, "peers")
    assert status == 0 and "paris  entrepot  reachable" in text and "from-lyon" in text
    status, _, error = command(here, "sync", "from-lyon")
    assert status != 0 and error
    assert here.get("/readyz").status == 200


@pytest.mark.row("N-10")
def test_a_followed_site_is_heard_within_seconds_and_events_tell_of_it(site):
    with webhook.Receiver() as hook:
        paris = site()
        berlin = site([peer(paris)], [rule("from-paris", **{"from": "paris"}, when="follow",
                                           deletions="follow")],
                      notifications=[hook.entry("ci")])
        app = push(paris, "web/app", "v1", 1)
        process.wait_for(lambda: digest_of(berlin, "web/app", "v1") == app.digest, 20, "the push")
        walk.pull(berlin.address, "web/app", "v1", app)
        process.wait_for(lambda: ("push", "web/app") in {
            told[:2] for told in webhook.told(hook.events())}, 20, "the event of a push")
        moved = push(paris, "web/app", "v1", 2)
        process.wait_for(lambda: digest_of(berlin, "web/app", "v1") == moved.digest, 20, "the move")
        assert paris.request("DELETE", "/v2/web/app/manifests/v1").status == 202
        process.wait_for(lambda: digest_of(berlin, "web/app", "v1") is None, 20, "the deletion")
        process.wait_for(lambda: "delete" in {event["action"] for event in hook.events()}, 20,
                         "the event of a deletion")
        found = standing(berlin, "from-paris")
        assert found["state"] == "following" and found["position"] > 0
        history = said(berlin, "tag", "history", "web/app:v1")
        assert [change["cause"] for change in history] == ["deletion", "push", "push"], (
            "what was done there is told as it was")


@pytest.mark.row("N-10", "A-18")
def test_an_account_at_a_peer_brings_what_it_may_pull_and_hears_of_nothing_else(start, tmp_path):
    users = tmp_path / "htpasswd"
    users.write_text("".join(
        process.run(["htpasswd", "-Bbn", "-C", "4", name, f"{name} secret"]).stdout.strip() + "\n"
        for name in ("root", "berlin")))
    paris = start(daemon.hub_of(NOTHING), local=["**"], access={"htpasswd": str(users), "rules": [
        {"who": "root", "repositories": ["**"], "may": ["admin"]},
        {"who": "berlin", "repositories": ["web/**"], "may": ["pull"]}]})
    root = {"Authorization": hostile.basic("root", "root secret")}
    app, private = images.small(1, kind="oci"), images.small(2, kind="oci")
    images.push(app, paris.address, "web/app", "v1", root)
    images.push(private, paris.address, "private/app", "v1", root)
    (tmp_path / "right").write_text("berlin secret")
    (tmp_path / "wrong").write_text("a guess")
    account = {"username": "berlin", "password_file": str(tmp_path / "right")}
    berlin = start(daemon.hub_of(NOTHING), flags=OPEN, local=["**"], peers=[
        peer(paris, **account),
        peer(paris, "liar", **{**account, "password_file": str(tmp_path / "wrong")})],
        replication=[rule("all", **{"from": "paris"}, when="follow")])
    process.wait_for(lambda: digest_of(berlin, "web/app", "v1") == app.digest, 20, "what may be seen")
    walk.pull(berlin.address, "web/app", "v1", app)
    assert said(berlin, "sync", "all")[-1]["failed"] == 0
    assert berlin.get("/v2/_catalog").json() == {"repositories": ["web/app"]}
    peers = {each["name"]: each for each in said(berlin, "peers")}
    assert peers["paris"]["reachable"]
    assert not peers["liar"]["reachable"] and "denied" in peers["liar"]["error"], peers["liar"]


def test_rules_are_replaced_while_running_and_peers_are_not(site):
    paris = site()
    push(paris, "web/app", "v1", 1)
    push(paris, "data/app", "v1", 2)
    berlin = site([peer(paris)], [rule("web", **{"from": "paris"}, repositories=["web/**"])])
    assert said(berlin, "sync", "web")[-1]["changed"] == 1

    def reload(**changes):
        berlin.config.update(changes)
        berlin.command()
        return command(berlin, "reload")

    status, _, error = reload(replication=[rule("data", **{"from": "paris"},
                                                repositories=["data/**"])])
    assert status == 0, error
    assert [line["rule"] for line in said(berlin, "replication")] == ["data"]
    assert said(berlin, "sync", "data")[-1]["changed"] == 1
    assert command(berlin, "sync", "web")[0] == 1, "there is no such rule any more"

    status, _, error = reload(peers=[peer(paris), peer(paris, "lyon")],
                              replication=[rule("lyon", **{"from": "lyon"})])
    assert status == 78 and "restart" in error, (status, error)
    assert [line["rule"] for line in said(berlin, "replication")] == ["data"], "nothing changed"
    berlin.restart()
    assert [line["rule"] for line in said(berlin, "replication")] == ["lyon"]


def test_a_rule_by_the_clock_runs_by_itself(site):
    paris = site()
    app = push(paris, "web/app", "v1", 1)
    berlin = site([peer(paris)], [rule("often", **{"from": "paris"}, when={"every": "1s"})])
    process.wait_for(lambda: digest_of(berlin, "web/app", "v1") == app.digest, 20, "the first run")
    moved = push(paris, "web/app", "v1", 2)
    process.wait_for(lambda: digest_of(berlin, "web/app", "v1") == moved.digest, 20, "the next run")


def test_mistakes_are_sentences(site):
    here = site()
    status, _, error = command(here, "sync", "nothing")
    assert status == 1 and "there is no rule called nothing" in error
    here.stop()
    here.config["replication"] = [rule("r", **{"from": "lyon"})]
    here.command()
    status, _, error = command(here, "replication")
    assert status == 78 and "'lyon' is neither" in error
    del here.config["replication"]
    here.start()


# ---- warming --------------------------------------------------------------------------------


@pytest.fixture
def mirror_of_hub(upstream, start):
    return start(daemon.hub_of(upstream.url))


def test_warmed_images_are_there_when_the_upstream_is_not(upstream, mirror_of_hub):
    wanted = [images.small(seed) for seed in range(4)]
    for number, image in enumerate(wanted):
        upstream.add(image, f"library/app{number}", "v1")
    cluster = {"kind": "List", "items": [
        {"kind": "Pod", "spec": {"containers": [{"image": "docker.io/library/app2:v1"}],
                                 "initContainers": [{"image": "app3:v1"}]}}]}
    status, text, error = command(mirror_of_hub, "warm", "app0:v1")
    assert status == 0 and "warmed 1 image" in text, (text, error)
    lines = said(mirror_of_hub, "warm", "--file", "-", stdin="# ours\napp0:v1\napp1:v1\n")
    assert lines[-1]["images"] == 2 and lines[-1]["failed"] == 0
    assert said(mirror_of_hub, "warm", "--from-kubernetes-list", "-",
                stdin=json.dumps(cluster))[-1]["images"] == 2
    mirror_of_hub.settle()
    upstream.close()
    for number, image in enumerate(wanted):
        walk.pull(mirror_of_hub.address, f"library/app{number}", "v1", image)


def test_an_image_that_cannot_be_warmed_is_named_and_the_others_are(upstream, mirror_of_hub):
    upstream.add(images.small(1), "library/app", "v1")
    status, text, error = command(mirror_of_hub, "warm", "none:v1", "app:v1")
    assert status == 1 and "none:v1" in error and "warmed 1 image" in text, (text, error)
    status, _, error = command(mirror_of_hub, "warm")
    assert status == 64 and "no image" in error
    status, _, error = command(mirror_of_hub, "warm", "--from-kubernetes-list", "-", stdin="{")
    assert status == 64 and "kubectl" in error


def test_what_was_pulled_lately_is_fetched_again(upstream, start):
    old, new = images.small(1), images.small(2)
    upstream.add(old, "library/app", "v1")
    upstream.add(images.small(3), "library/other", "v1")
    here = start(daemon.hub_of(upstream.url, freshness={"fresh": "0s"}),
                 replication=[rule("warm-hub", **{"from": "hub"}, pulled_within="7d")])
    walk.pull(here.address, "library/app", "v1", old)
    upstream.add(new, "library/app", "v1")
    assert said(here, "sync", "warm-hub")[-1]["changed"] >= 1
    here.settle()
    for layer in new.blobs:
        assert layer.partition(":")[2] in here.stored_blobs()
    assert upstream.count("GET", "library/other") == 0


# ---- bundles --------------------------------------------------------------------------------


def key_of(server):
    status, text, error = command(server, "bundle", "key")
    assert status == 0, error
    return text.strip()


@pytest.mark.row("R-11")
@pytest.mark.parametrize("running", [True, False])
def test_a_bundle_is_wanted_made_by_a_rule_and_applied(site, tmp_path, running):
    paris = site(site={"name": "paris"}, rules=[
        rule("to-island", to="bundle", repositories=["web/**"], rename="paris/{repository}")])
    island = site(site={"name": "island"})
    for server, other, name in ((paris, island, "island"), (island, paris, "paris")):
        server.config["site"]["trusted_keys"] = [{"name": name, "key": key_of(other)}]
    for server in (paris, island):
        server.restart()
    app = push(paris, "web/app", "v1", 1)
    push(paris, "private/app", "v1", 2)
    if not running:
        paris.stop()
        island.stop()
    status, text, error = command(island, "bundle", "want", tmp_path / "want")
    assert status == 0 and "signed with" in text, error
    made = said(paris, "bundle", "create", tmp_path / "volumes", "--rule", "to-island",
                "--for", tmp_path / "want", "--volume-size", "1MiB", "--parity", "1")[-1]
    assert made["images"] == 1 and sorted(made["volumes"]) == sorted(
        path.name for path in (tmp_path / "volumes").iterdir())
    status, text, error = command(island, "bundle", "apply", tmp_path / "volumes")
    assert status == 0 and "from paris: done" in text and "1 tag set" in text, (text, error)
    status, text, _ = command(island, "bundle", "apply", tmp_path / "volumes")
    assert status == 0 and ": held" in text, text
    if not running:
        paris.start()
        island.start()
    walk.pull(island.address, "paris/web/app", "v1", app)
    assert island.get("/v2/_catalog").json() == {"repositories": ["paris/web/app"]}
    status, _, error = command(paris, "sync", "to-island")
    assert status == 64 and "for bundles" in error


def test_what_a_bundle_lacks_is_asked_for(site, tmp_path):
    paris, island = site(site={"name": "paris"}), site(site={"name": "island"})
    for server, other, name in ((paris, island, "island"), (island, paris, "paris")):
        server.config["site"]["trusted_keys"] = [{"name": name, "key": key_of(other)}]
    for server in (paris, island):
        server.restart()
    wanted = [images.raw_layers([images.blob(900_000, seed)], config=b'{"n":%d}' % seed)
              for seed in range(3)]
    for number, image in enumerate(wanted):
        images.push(image, paris.address, f"web/app{number}", "v1")
    made = said(paris, "bundle", "create", tmp_path / "volumes", "web/app0", "web/app1:v1",
                "web/app2", "--volume-size", "1MiB")[-1]
    (tmp_path / "volumes" / made["volumes"][-1]).unlink()
    status, text, _ = command(island, "bundle", "apply", tmp_path / "volumes",
                              "--ask", tmp_path / "ask")
    assert status == 1 and "incomplete" in text and f"to ask for: {tmp_path}/ask" in text, text
    said(paris, "bundle", "create", tmp_path / "more", "--again", tmp_path / "ask")
    status, text, error = command(island, "bundle", "apply", tmp_path / "more")
    assert status == 0, (text, error)
    for number, image in enumerate(wanted):
        walk.pull(island.address, f"web/app{number}", "v1", image)


def test_a_bundle_of_somebody_unknown_is_refused_with_its_name(site, tmp_path):
    paris, island = site(), site()
    push(paris, "web/app", "v1", 1)
    made = said(paris, "bundle", "create", tmp_path / "volumes", "web/app")[-1]
    status, text, error = command(island, "bundle", "apply", tmp_path / "volumes")
    assert status == 1 and made["volumes"][0] in error, (text, error)
    assert not island.stored_blobs()
