"""Whom the mirror tells its secrets, which tokens it asks for, and where it never writes them."""

import base64
import json
import os
import stat

import pytest
from support import daemon, hostile, images, process, registry, walk
from support.daemon import hub_of, upstream_at

NAME, IMAGE = "org/app", images.small("credentials")
SECRET = "canary-9f3c-password"


@pytest.fixture
def secret(tmp_path):
    path = tmp_path / "password"
    path.write_text(SECRET + "\n")
    return {"username": "bot", "password_file": str(path)}


@pytest.fixture
def tokens():
    with hostile.TokenServer(user="bot", password=SECRET) as server:
        yield server


@pytest.fixture
def guarded(tokens):
    """An upstream whose token server is another origin, as Docker Hub's is."""
    with hostile.Upstream(auth=hostile.TokenAuth(tokens)) as server:
        server.add(IMAGE, NAME, "v1")
        yield server


def trusting(guarded, tokens, secret, **more):
    return hub_of(guarded.url, private_network=True, trusted_realms=[tokens.url], **secret, **more)


def authorizations(server):
    return [r.header("Authorization") for r in server.seen() if r.header("Authorization")]


def test_anonymous_tokens(start):
    with hostile.TokenServer() as tokens, hostile.Upstream(auth=hostile.TokenAuth(tokens)) as server:
        server.add(IMAGE, NAME, "v1")
        mirror = start(hub_of(server.url, private_network=True))
        walk.pull(mirror.address, NAME, "v1", IMAGE)
        assert tokens.count() == 1, "the token is kept"
        asked = tokens.seen()[0]
        assert asked.method == "GET" and not asked.header("Authorization")
        assert asked.query["service"] == "lab"
        assert asked.query["scope"] == f"repository:{NAME}:pull"


def test_tokens_for_an_account(start, guarded, tokens, secret):
    mirror = start(trusting(guarded, tokens, secret))
    walk.pull(mirror.address, NAME, "v1", IMAGE)
    assert tokens.count() == 1
    assert set(authorizations(tokens)) == {hostile.basic("bot", SECRET)}
    assert not [a for a in authorizations(guarded) if a.startswith("Basic")]


def test_basic_challenge(start, secret):
    with hostile.Upstream(auth=hostile.BasicAuth("bot", SECRET)) as server:
        server.add(IMAGE, NAME, "v1")
        mirror = start(hub_of(server.url, **secret))
        walk.pull(mirror.address, NAME, "v1", IMAGE)


def same_origin_realm(server):
    """Makes the upstream give its own tokens under /token."""
    given = []

    def token(exchange):
        given.append(exchange.request)
        exchange.send(hostile.plain(200, json.dumps({"token": "mine", "expires_in": 60}).encode(),
                                    [("Content-Type", "application/json")]))

    class Auth:
        def check(self, request):
            if request.header("Authorization") == "Bearer mine" or request.path == "/token":
                return None
            return hostile.refusal(401, "UNAUTHORIZED", headers=[(
                "WWW-Authenticate", f'Bearer realm="{server.url}/token",service="own"')])

    server.auth = Auth()
    server.script("/token", token)
    return given


@pytest.mark.row("U-01")
def test_a_realm_of_the_same_origin_needs_no_permission(start, upstream, secret):
    upstream.add(IMAGE, NAME, "v1")
    given = same_origin_realm(upstream)
    mirror = start(hub_of(upstream.url, **secret))
    walk.pull(mirror.address, NAME, "v1", IMAGE)
    assert given[0].header("Authorization") == hostile.basic("bot", SECRET)


@pytest.mark.row("U-01")
@pytest.mark.parametrize("where", ["other port", "other host", "https claim"])
def test_a_realm_elsewhere_never_gets_the_secret(start, upstream, secret, where):
    host = "127.0.0.9" if where == "other host" else "127.0.0.1"
    with hostile.TokenServer(host, user="bot", password=SECRET) as evil:
        realm = evil.realm.replace("http:", "https:") if where == "https claim" else evil.realm
        upstream.auth = hostile.TokenAuth(evil, realm=realm)
        upstream.add(IMAGE, NAME, "v1")
        mirror = start(hub_of(upstream.url, private_network=True, **secret))
        answer = mirror.manifest(NAME, "v1")
        assert answer.status in (502, 403), answer
        assert not authorizations(evil)
        assert not [r for r in evil.seen() if SECRET.encode() in r.body or SECRET in r.target]
        assert evil.host in mirror.log(), "the log names the realm that was refused"


@pytest.mark.row("U-02")
@pytest.mark.parametrize("scope", [
    f"repository:{NAME}:pull,push", f"repository:{NAME}:*", "repository:other/app:pull",
    f"repository:{NAME}:pull repository:other/app:pull,push", "registry:catalog:*", "", "x" * 5000])
def test_only_our_own_scope_is_asked(start, guarded, tokens, secret, scope):
    guarded.auth = hostile.TokenAuth(tokens, scope=scope)
    mirror = start(trusting(guarded, tokens, secret))
    walk.pull(mirror.address, NAME, "v1", IMAGE)
    assert {r.query["scope"] for r in tokens.seen()} == {f"repository:{NAME}:pull"}


@pytest.mark.row("U-02")
def test_a_second_challenge_cannot_widen_anything(start, guarded, tokens, secret):
    with hostile.TokenServer(user="bot", password=SECRET) as evil:
        mirror = start(trusting(guarded, tokens, secret, retries=0))
        mirror.link(NAME, "v1")
        guarded.auth = hostile.TokenAuth(evil, scope="repository:other/app:push", service="evil")
        answer = mirror.blob(NAME, IMAGE.layers()[0])
        assert answer.status in (502, 403), answer
        assert not authorizations(evil)
        assert {r.query["scope"] for r in tokens.seen()} == {f"repository:{NAME}:pull"}


@pytest.mark.row("U-11")
def test_the_clients_authorization_goes_nowhere(start, guarded, tokens, upstream, secret):
    upstream.add(IMAGE, NAME, "v1")
    mirror = start(trusting(guarded, tokens, secret), upstream_at("open", upstream.url))
    theirs = {"Authorization": hostile.basic("client", "client-secret"),
              "Cookie": "session=client", "Proxy-Authorization": "Basic Y2xpZW50"}
    for name in (NAME, f"open/{NAME}"):
        assert mirror.manifest(name, "v1", theirs).status == 200
        assert mirror.blob(name, IMAGE.layers()[0], theirs).status == 200
    for request in guarded.seen() + tokens.seen() + upstream.seen():
        assert request.header("Authorization") != theirs["Authorization"]
        assert not request.header("Cookie") and not request.header("Proxy-Authorization")
    assert not authorizations(upstream)


def everything_said(mirror):
    """All the daemon shows: log, metrics, its command line and environment."""
    said = mirror.log() + mirror.get("/metrics").body.decode()
    for name in ("cmdline", "environ"):
        said += mirror._proc(name).read_text()
    return said


def spelled(secret):
    """The ways a secret may show."""
    pair = base64.b64encode(f"bot:{secret}".encode()).decode()
    return {secret, pair, pair.rstrip("="), base64.b64encode(secret.encode()).decode().rstrip("=")}


@pytest.mark.row("U-13")
@pytest.mark.parametrize("fate", ["right", "wrong", "token server down", "upstream down", "echoed"])
def test_no_secret_is_ever_shown(start, guarded, tokens, secret, fate):
    mirror = start(trusting(guarded, tokens, secret), log={"level": "trace"})
    if fate == "wrong":
        tokens.password = "another"
    if fate == "token server down":
        tokens.close()
    if fate == "upstream down":
        guarded.close()
    if fate == "echoed":  # an upstream that repeats what it was told in its error
        tokens.script("/", lambda e: e.send(hostile.plain(
            400, (e.request.header("Authorization") or "none").encode())))
    answers = [mirror.manifest(NAME, "v1"), mirror.blob(NAME, IMAGE.layers()[0])]
    said = everything_said(mirror) + "".join(repr(a.headers) + a.body.decode("latin-1")
                                             for a in answers)
    for form in spelled(SECRET):
        assert form not in said
    for token in tokens.given:
        assert token not in said


@pytest.mark.row("U-13")
def test_presigned_queries_are_not_logged(start, upstream):
    with hostile.Upstream("127.0.0.2") as storage:
        layer = IMAGE.layers()[0]
        upstream.add(IMAGE, NAME, "v1")
        storage.script("/signed", lambda e: e.send(hostile.plain(200, IMAGE.blobs[layer])))
        upstream.script("/blobs/", hostile.redirect(
            f"{storage.url}/signed?X-Amz-Signature=canary-presigned"))
        mirror = start(hub_of(upstream.url, private_network=True), log={"level": "trace"})
        assert mirror.blob(NAME, layer).body == IMAGE.blobs[layer]
        storage.close()
        mirror.blob(NAME, IMAGE.layers()[1])
        assert "canary-presigned" not in everything_said(mirror)


@pytest.mark.row("U-14")
def test_a_token_is_only_used_for_its_repository_and_account(start, guarded, tokens, secret, tmp_path):
    guarded.add(IMAGE, "org/second", "v1")
    mirror = start(trusting(guarded, tokens, secret),
                   upstream_at("anon", guarded.url, private_network=True))
    walk.pull(mirror.address, NAME, "v1", IMAGE)
    walk.pull(mirror.address, "org/second", "v1", IMAGE)
    assert mirror.manifest(f"anon/{NAME}", "v1").status in (401, 403, 502)
    for request in guarded.seen():
        token = (request.header("Authorization") or "").removeprefix("Bearer ")
        if token:
            name = hostile.Upstream.ROUTE.match(request.path)["name"]
            assert tokens.given[token] == f"repository:{name}:pull"


@pytest.mark.row("U-14")
@pytest.mark.parametrize("lifetime", [0, -1, 1, 10**18, "absent", "soon", None, 1.5])
def test_token_lifetimes(start, guarded, tokens, secret, lifetime):
    tokens.lifetime = lifetime
    mirror = start(trusting(guarded, tokens, secret))
    walk.pull(mirror.address, NAME, "v1", IMAGE)
    assert tokens.count() <= 4, "a strange lifetime means 60 s, not one token a request"


@pytest.mark.row("U-14")
def test_an_ended_token_is_replaced(start, guarded, tokens, secret):
    mirror = start(trusting(guarded, tokens, secret))
    mirror.link(NAME, "v1")
    tokens.given.clear()  # upstream no longer knows it
    assert mirror.blob(NAME, IMAGE.layers()[0]).body == IMAGE.blobs[IMAGE.layers()[0]]
    assert tokens.count() == 2


@pytest.mark.row("U-15")
def test_two_accounts_at_one_origin_do_not_mix(start, tmp_path):
    accounts = {"one": "first-secret", "two": "second-secret"}
    seen = []

    class Auth:
        def check(self, request):
            seen.append((request.path.split("/")[2], request.header("Authorization")))
            user = request.path.split("/")[2]
            if request.header("Authorization") == hostile.basic(user, accounts[user]):
                return None
            return hostile.refusal(401, "UNAUTHORIZED",
                                   headers=[("WWW-Authenticate", 'Basic realm="x"')])

    with hostile.Upstream(auth=Auth()) as server:
        entries = []
        for user, password in accounts.items():
            server.add(images.small(user), f"{user}/app", "v1")
            (tmp_path / user).write_text(password)
            entries.append(upstream_at(user, server.url, username=user,
                                       password_file=str(tmp_path / user)))
        entries.append(upstream_at("nobody", server.url))
        mirror = start(*entries, threads=1)
        for _ in range(3):
            for user in accounts:
                walk.pull(mirror.address, f"{user}/{user}/app", "v1", images.small(user))
                assert mirror.manifest(f"nobody/{user}/app", "v1").status in (401, 403)
        for user, sent in seen:
            assert sent in (None, hostile.basic(user, accounts[user]))


@pytest.mark.row("U-15")
def test_neither_netrc_nor_proxy_variables_are_used(start, upstream, tmp_path):
    upstream.add(IMAGE, NAME, "v1")
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login netrc password netrc-secret\n"
                                     "default login netrc password netrc-secret\n")
    (tmp_path / ".netrc").chmod(0o600)
    with hostile.Upstream() as proxy:
        names = {name: proxy.url for name in ("http_proxy", "HTTP_PROXY", "https_proxy",
                                              "HTTPS_PROXY", "all_proxy", "ALL_PROXY")}
        mirror = start(hub_of(upstream.url), env={"HOME": str(tmp_path), "no_proxy": "",
                                                  "NO_PROXY": "", **names})
        walk.pull(mirror.address, NAME, "v1", IMAGE)
        assert proxy.connections == 0
    assert not authorizations(upstream)


def test_a_proxy_from_the_configuration_is_used(start, upstream):
    upstream.add(IMAGE, NAME, "v1")
    with hostile.Upstream() as proxy:
        proxy.reply_to = lambda request: upstream.reply_to(hostile.Request(
            request.method, request.target.removeprefix(upstream.url), request.headers,
            request.peer, request.started))
        mirror = start(hub_of(upstream.url, proxy=proxy.url))
        walk.pull(mirror.address, NAME, "v1", IMAGE)
        assert proxy.count("GET", upstream.url) >= 1 and upstream.count() == 0
        mirror = start(hub_of(upstream.url, proxy=proxy.url, no_proxy="127.0.0.0/8"))
        walk.pull(mirror.address, NAME, "v1", IMAGE)
        assert upstream.count() >= 1


# ---- docker's config.json --------------------------------------------------------------------

def docker_config(tmp_path, content):
    path = tmp_path / "config.json"
    path.write_text(json.dumps(content))
    return {"docker_config": str(path)}


def test_docker_config_auths(start, tmp_path):
    pair = base64.b64encode(f"bot:{SECRET}".encode()).decode()
    with hostile.Upstream(auth=hostile.BasicAuth("bot", SECRET)) as server:
        server.add(IMAGE, NAME, "v1")
        config = docker_config(tmp_path, {"auths": {server.address: {"auth": pair}}})
        mirror = start(hub_of(server.url, **config))
        walk.pull(mirror.address, NAME, "v1", IMAGE)
        assert SECRET not in mirror.log()


def test_docker_config_identity_token_is_exchanged_by_post(start, guarded, tokens, tmp_path):
    tokens.refresh_token = "canary-refresh"
    config = docker_config(tmp_path, {"auths": {guarded.address: {
        "auth": base64.b64encode(b"00000000-0000-0000-0000-000000000000:").decode(),
        "identitytoken": "canary-refresh"}}})
    mirror = start(hub_of(guarded.url, private_network=True, trusted_realms=[tokens.url], **config))
    walk.pull(mirror.address, NAME, "v1", IMAGE)
    asked = tokens.seen("POST")[0]
    form = asked.form()
    assert form["grant_type"] == "refresh_token" and form["refresh_token"] == "canary-refresh"
    assert form["service"] == "lab" and form["scope"] == f"repository:{NAME}:pull"
    assert form["client_id"]
    assert "canary-refresh" not in everything_said(mirror)


@pytest.mark.parametrize("how", ["credHelpers", "credsStore"])
def test_docker_credential_helpers(start, tmp_path, how):
    with hostile.Upstream(auth=hostile.BasicAuth("bot", SECRET)) as server:
        server.add(IMAGE, NAME, "v1")
        helper = tmp_path / "docker-credential-lab"
        helper.write_text("#!/bin/sh\n[ \"$1\" = get ] || exit 1\nread asked\n"
                          f"echo \"$asked\" >> {tmp_path}/asked\n"
                          f'echo \'{{"ServerURL":"x","Username":"bot","Secret":"{SECRET}"}}\'\n')
        helper.chmod(helper.stat().st_mode | stat.S_IXUSR)
        content = {"credHelpers": {server.address: "lab"}} if how == "credHelpers" else {
            "credsStore": "lab"}
        mirror = start(hub_of(server.url, **docker_config(tmp_path, content)),
                       env={"PATH": f"{tmp_path}:{os.environ['PATH']}"})
        walk.pull(mirror.address, NAME, "v1", IMAGE)
        assert server.address in (tmp_path / "asked").read_text()
        assert SECRET not in mirror.log()


def test_a_failing_credential_helper_is_a_clear_error(start, tmp_path):
    with hostile.Upstream(auth=hostile.BasicAuth("bot", SECRET)) as server:
        server.add(IMAGE, NAME, "v1")
        mirror = start(hub_of(server.url, **docker_config(tmp_path, {
            "credHelpers": {server.address: "does-not-exist"}})))
        answer = mirror.manifest(NAME, "v1")
        assert answer.status in (403, 502), answer
        assert "docker-credential-does-not-exist" in mirror.log()


# ---- acceptance line 6: a real registry with htpasswd ----------------------------------------

@pytest.fixture(scope="module")
def private_registry():
    with registry.Registry(user="bot", password=SECRET) as running:
        running.push(IMAGE, NAME, "v1")
        yield running


def test_a_private_image_is_pulled_with_the_mirrors_credentials(start, private_registry, secret):
    mirror = start(hub_of(private_registry.url, **secret))
    walk.pull(mirror.address, NAME, "v1", IMAGE)
    assert not [form for form in spelled(SECRET) if form in everything_said(mirror)]


@pytest.mark.row("U-13")
def test_a_wrong_password_is_a_clear_error(start, private_registry, tmp_path):
    wrong = "canary-wrong-password"
    (tmp_path / "wrong").write_text(wrong)
    mirror = start(hub_of(private_registry.url, username="bot",
                          password_file=str(tmp_path / "wrong")))
    answer = mirror.manifest(NAME, "v1")
    assert answer.status == 403 and answer.code == "DENIED", answer
    assert "hub" in answer.body.decode()
    line = process.wait_for(lambda: [text for text in mirror.log().splitlines()
                                     if "hub" in text and ("WARN" in text.upper()
                                                           or "ERROR" in text.upper())], 3, "a log line")
    assert line
    said = everything_said(mirror) + answer.body.decode()
    assert not [form for form in spelled(wrong) if form in said]


def test_a_missing_password_file_is_a_configuration_error(tmp_path):
    path = tmp_path / "c.yaml"
    path.write_text(daemon.yaml({"data": str(tmp_path / "data"), "upstreams": [
        {"name": "hub", "urls": ["http://127.0.0.1:1"], "username": "bot",
         "password_file": str(tmp_path / "none")}]}))
    status, text = daemon.run_once("check-config", "--config", str(path))
    assert status == 78, text
    assert str(tmp_path / "none") in text
