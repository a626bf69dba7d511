"""Token authentication, ours and that of issuers we trust: what is made, what is refused, and
whether real clients get along."""

import json
import time
import urllib.parse

import pytest
from support import clients, daemon, images, process, push, registry, tokens

NOWHERE = "http://127.0.0.1:1"
SERVICE = "127.0.0.1"
RULES = [{"who": "alice", "repositories": ["team/**"], "may": ["pull", "push", "delete"]},
         {"who": "bob", "repositories": ["team/**"], "may": ["pull"]},
         {"who": "anonymous", "repositories": ["hub/**", "public/**"], "may": ["pull"]}]


def token_server(start, tmp_path, *entries, **access):
    """A daemon that knows its own URL, as a token server must."""
    users = push.htpasswd(tmp_path / "htpasswd", "alice", "bob")
    port = process.free_port()
    return start(*(entries or [daemon.hub_of(NOWHERE)]), listen=f"127.0.0.1:{port}",
                 external_url=f"http://127.0.0.1:{port}",
                 access={"htpasswd": str(users), "rules": RULES, **access})


@pytest.fixture
def server(start, tmp_path):
    return token_server(start, tmp_path)


def bearer(token):
    return {"Authorization": "Bearer " + token}


def challenge(server, scope=None, error=None):
    text = f'Bearer realm="http://{server.address}/token",service="{SERVICE}"'
    return text + (f',scope="{scope}"' if scope else "") + (f',error="{error}"' if error else "")


def token_for(server, user, *scopes, **query):
    words = [("service", SERVICE), *(("scope", scope) for scope in scopes), *query.items()]
    answer = server.get("/token?" + urllib.parse.urlencode(words),
                        push.basic(user) if user else None)
    assert answer.status == 200, answer
    return answer.json()


def access(server, user, *scopes):
    return bearer(token_for(server, user, *scopes)["token"])


def own_key(server):
    return tokens.Key(file=server.data / "token.key")


def test_a_token_is_what_docker_wants(server):
    assert server.get("/v2/").header("WWW-Authenticate") == challenge(server)
    assert (server.data / "token.key").stat().st_mode & 0o777 == 0o600
    answer = token_for(server, "alice", "repository:team/app:pull,push", "repository:other:pull")
    assert answer["token"] == answer["access_token"] and answer["expires_in"] == 300
    assert own_key(server).signed(answer["token"])
    header, claims = tokens.parts(answer["token"])
    assert header["alg"] == "ES256" and header["kid"]
    assert (claims["iss"], claims["aud"], claims["sub"]) == ("entrepot", SERVICE, "alice")
    assert claims["exp"] == claims["iat"] + 300 == claims["nbf"] + 300
    given = {entry["name"]: entry["actions"] for entry in claims["access"]}
    # what the same name means at the default upstream, as long as nobody has pushed it here
    assert given == {"team/app": ["pull", "push"], "hub/team/app": ["pull"],
                     "hub/library/other": ["pull"]}
    repository = push.Repository(server.address, "team/app", bearer(answer["token"]))
    image = images.small(1)
    repository.push_image(image, "v1")
    push.Repository(server.address, "team/app", access(server, "bob", "repository:team/app:pull")
                    ).holds(image, "v1")
    assert server.get("/v2/", bearer(answer["token"])).status == 200


@pytest.mark.row("A-16")
def test_a_token_allows_nothing_beyond_its_scope(server):
    push.Repository(server.address, "team/app", push.basic("alice")).push_image(images.small(1),
                                                                               "v1")
    pull = access(server, "alice", "repository:team/app:pull")
    app = push.Repository(server.address, "team/app", pull)
    assert app.manifest("v1").status == 200
    cases = [("POST", "team/app/blobs/uploads/", "repository:team/app:pull,push"),
             ("DELETE", "team/app/manifests/v1", "repository:team/app:delete"),
             ("GET", "team/app/b/tags/list", "repository:team/app/b:pull"),
             ("GET", "team/apple/tags/list", "repository:team/apple:pull")]
    for method, path, scope in cases:
        answer = server.request(method, f"/v2/{path}", pull)
        assert answer.status == 401, (method, path, answer)
        assert answer.header("WWW-Authenticate") == challenge(server, scope, "insufficient_scope")
    reader = push.Repository(server.address, "team/app",
                             access(server, "bob", "repository:team/app:pull,push"))
    assert reader.post().status == 403, "bob may not push, with whatever token"
    assert server.get("/v2/_catalog", pull).status == 401
    lists = access(server, "bob", "registry:catalog:*")
    assert server.get("/v2/_catalog", lists).json() == {"repositories": ["team/app"]}
    assert server.get("/token?scope=repository:team/app:push", pull).status == 401


@pytest.mark.row("A-15", "K-03", "A-19")
def test_forged_tokens_are_refused_alike(server):
    good = token_for(server, "alice", "repository:team/app:pull")["token"]
    key, stranger, now = own_key(server), tokens.Key(), int(time.time())
    kid = tokens.parts(good)[0]["kid"]
    claims = {"iss": "entrepot", "aud": SERVICE, "sub": "alice", "proof": "password", "nbf": now,
              "exp": now + 300, "access": tokens.parts(good)[1]["access"]}

    def signed(by=key, headers=None, **changes):
        wanted = {name: value for name, value in {**claims, **changes}.items() if value is not None}
        return by.sign({"kid": kid, **(headers or {})}, wanted)

    assert server.get("/v2/", bearer(signed())).status == 200, "the forge works"
    assert server.get("/v2/", bearer(signed(exp=now - 30))).status == 200, "leeway of a minute"
    forged = {
        "none": tokens.unsigned({"alg": "none", "kid": kid}, claims) + ".",
        "HS256 with the public key": tokens.hmac_signed({"kid": kid}, claims, key.public()),
        "HS256": tokens.hmac_signed({"kid": kid}, claims, b"secret"),
        "RS256": signed(tokens.Key("RS256")),
        "a stranger's key": signed(stranger),
        "jwk": signed(stranger, headers={"jwk": stranger.jwk(kid)}),
        "jku": signed(stranger, headers={"jku": f"http://{server.address}/jwks"}),
        "x5c": signed(stranger, headers={"x5c": ["MIIB"]}),
        "another kid": signed(headers={"kid": "other"}),
        "expired": signed(exp=now - 90),
        "without end": signed(exp=None),
        "not yet": signed(nbf=now + 90),
        "wrong audience": signed(aud="other"),
        "wrong issuer": signed(iss="other"),
        "unknown user": signed(sub="mallory"),
        "no user at all": signed(proof=None),
        "cut": good[:-2],
        "nonsense": "abc",
    }
    for what, token in forged.items():
        answer = server.get("/v2/", bearer(token))
        assert answer.status == 401, (what, answer)
        assert answer.header("WWW-Authenticate") == challenge(server, None, "invalid_token"), what
        assert server.get("/v2/team/app/tags/list", bearer(token)).status == 401, what
    assert server.get("/v2/", bearer("a" * (1 << 20))).status in (400, 401, 431)
    assert server.get("/v2/", bearer(good)).status == 200


@pytest.mark.row("A-19")
def test_the_realm_is_the_configured_one(server):
    for name in ("X-Forwarded-Host", "X-Forwarded-Proto", "Forwarded", "X-Original-Host"):
        answer = server.get("/v2/", {name: "evil.example"})
        assert answer.header("WWW-Authenticate") == challenge(server), name
    answer = server.talk(b"GET /v2/ HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n")
    assert b"evil.example" not in answer and challenge(server).encode() in answer


@pytest.mark.row("A-09")
def test_tokens_end_with_their_user(server, tmp_path):
    token = token_for(server, "alice", "repository:team/app:pull", offline_token="true")
    form = urllib.parse.urlencode({
        "grant_type": "refresh_token", "refresh_token": token["refresh_token"],
        "service": SERVICE, "client_id": "test", "scope": "repository:team/app:pull,push"})

    def refresh():
        return server.request("POST", "/token", {
            "Content-Type": "application/x-www-form-urlencoded"}, body=form.encode())

    fresh = refresh()
    assert fresh.status == 200
    repository = push.Repository(server.address, "team/app", bearer(fresh.json()["access_token"]))
    assert repository.post().status == 202
    push.htpasswd(tmp_path / "htpasswd", "alice", "bob", password="another")
    process.wait_for(lambda: refresh().status == 401, 5, "the refresh token to end")
    assert repository.post().status == 202, "minutes are left to it, and alice is still there"
    push.htpasswd(tmp_path / "htpasswd", "bob")
    process.wait_for(lambda: repository.post().status == 401, 5, "the token to end")


@pytest.mark.row("A-15", "A-16")
def test_issuers_we_trust(start, tmp_path):
    keys = {name: tokens.Key(name) for name in ("RS256", "ES256", "ES384", "EdDSA")}
    jwks = tmp_path / "jwks.json"
    jwks.write_text(json.dumps({"keys": [key.jwk(name) for name, key in keys.items()]}))
    server = start(daemon.hub_of(NOWHERE), access={"issuers": [
        {"issuer": "https://ci.example", "audience": "registry", "keys": str(jwks),
         "realm": "https://ci.example/auth"}]})
    first = server.get("/v2/").header("WWW-Authenticate")
    assert first == 'Bearer realm="https://ci.example/auth",service="registry"'

    def token(algorithm, kid=None, **changes):
        claims = {"iss": "https://ci.example", "aud": "registry", "sub": "job",
                  "exp": int(time.time()) + 300, **changes}
        return bearer(keys[algorithm].sign({"kid": kid or algorithm}, claims))

    both = [{"type": "repository", "name": "team/app", "actions": ["pull", "push"]}]
    for number, algorithm in enumerate(keys):
        repository = push.Repository(server.address, "team/app", token(algorithm, access=both))
        image = images.small(number)
        repository.push_image(image, f"v{number}")
        repository.holds(image, f"v{number}")
        assert repository.request("DELETE", f"manifests/v{number}").status == 401
        elsewhere = push.Repository(server.address, "team/other", token(algorithm, access=both))
        assert elsewhere.post().status == 401
    assert server.get("/v2/", token("ES256", kid="RS256")).status == 401
    assert server.get("/v2/", token("ES256", aud="other")).status == 401
    assert server.get("/v2/", token("ES256", iss="https://other.example")).status == 401


@pytest.mark.limit(120)
def test_skopeo_and_podman_log_in_push_and_pull(server, tmp_path):
    images.write_layout(images.multi_layer("oci"), tmp_path / "layout", "v1")
    app = f"{server.address}/team/app:v1"
    for client, flag in ((clients.Skopeo, "--dest-tls-verify=false"), (clients.Podman, None)):
        with client(insecure=[server.address]) as tool:
            wrong = tool.run("login", "--tls-verify=false", "-u", "alice", "-p", "wrong",
                             server.address, check=False)
            assert wrong.returncode != 0
            tool.run("login", "--tls-verify=false", "-u", "alice", "-p", "secret", server.address)
            if flag:
                tool.run("copy", flag, "--preserve-digests", f"oci:{tmp_path}/layout:v1",
                         f"docker://{app}")
            tool.pull(app)


@pytest.mark.limit(150)
def test_docker_logs_in_pushes_and_mirrors_without_a_name(start, tmp_path):
    """registry-mirrors send no name: they get on by an anonymous token (rules give hub/** away)."""
    with registry.Registry() as upstream:
        upstream.push(images.multi_layer("docker"), "library/app", "v1")
        server = token_server(start, tmp_path, daemon.hub_of(upstream.url))
        with clients.Docker(server.url) as docker:
            docker.pull("app:v1")
            assert server.accesses(route="manifest", status=200)
            assert docker.run("login", "-u", "alice", "-p", "wrong", server.address,
                              check=False).returncode != 0
            docker.run("login", "-u", "alice", "-p", "secret", server.address)
            mine = f"{server.address}/team/docker:v1"
            docker.run("tag", "app:v1", mine)
            docker.run("push", mine)
            docker.run("rmi", "-f", mine)
            docker.pull(mine)
            docker.run("logout", server.address)
            assert docker.run("pull", mine, check=False).returncode != 0
