"""TLS towards upstreams: verified always, per-upstream authorities, client certificates (U-04, U-12)."""

import ssl

import pytest
from support import hostile, images, walk
from support.certificates import Authority, self_signed
from support.daemon import hub_of

NAME, IMAGE = "org/app", images.small("tls")
LAYER = IMAGE.layers()[0]


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def stranger(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("other-ca"), "stranger")


@pytest.fixture(scope="module")
def good(authority):
    return authority.issue()


def serve(certificate, host="127.0.0.1"):
    server = hostile.Upstream(host, tls=certificate)
    server.add(IMAGE, NAME, "v1")
    return server


def test_a_private_authority_is_trusted_when_configured(start, authority, good):
    with serve(good) as server:
        mirror = start(hub_of(server.url, ca=str(authority.certificate)))
        walk.pull(mirror.address, NAME, "v1", IMAGE)


@pytest.mark.row("U-12")
@pytest.mark.filterwarnings("ignore:.*TLSv1")
@pytest.mark.parametrize("fault", ["unknown authority", "expired", "wrong name", "self-signed",
                                   "TLS 1.0", "TLS 1.1", "plain HTTP"])
def test_bad_tls_is_502_and_nothing_is_asked(start, authority, stranger, tmp_path, fault):
    make = {"unknown authority": stranger.issue,
            "expired": lambda: authority.issue(days=-1),
            "wrong name": lambda: authority.issue(names=["DNS:other.example"]),
            "self-signed": lambda: self_signed(tmp_path),
            "TLS 1.0": lambda: authority.issue().only(ssl.TLSVersion.TLSv1),
            "TLS 1.1": lambda: authority.issue().only(ssl.TLSVersion.TLSv1_1),
            "plain HTTP": lambda: None}[fault]
    with serve(make()) as server:
        url = f"https://{server.address}"
        mirror = start(hub_of(url, ca=str(authority.certificate), retries=0))
        for reference in ("manifests/v1", f"blobs/{LAYER}"):
            answer = mirror.get(f"/v2/{NAME}/{reference}")
            # a plain server waits for the end of what it takes for a request line
            assert answer.status == 502 or (fault == "plain HTTP" and answer.status == 504), answer
        assert not [r for r in server.seen() if "/v2/" in r.target]
        assert "hub" in mirror.log()


@pytest.mark.row("U-12")
def test_without_ca_only_the_systems_authorities_count(start, good):
    with serve(good) as server:
        mirror = start(hub_of(server.url, retries=0))
        assert mirror.manifest(NAME, "v1").status == 502


@pytest.mark.row("U-12")
def test_verification_holds_for_redirect_and_token_hosts(start, authority, stranger, good):
    with serve(good) as server, serve(stranger.issue(names=["IP:127.0.0.2"]), "127.0.0.2") as evil:
        mirror = start(hub_of(server.url, ca=str(authority.certificate), private_network=True,
                              retries=0))
        server.script("/blobs/", hostile.redirect(f"{evil.url}/x"))
        assert mirror.blob(NAME, LAYER).status == 502
        server.calm()
        server.script("/manifests/", hostile.status(401, b"", (
            "WWW-Authenticate", f'Bearer realm="{evil.url}/token",service="x"')))
        assert mirror.manifest(NAME, "v1").status in (502, 403)
        assert evil.count() == 0


@pytest.mark.row("U-12")
def test_redirects_between_verified_hosts_work(start, authority, good):
    with serve(good) as server, serve(authority.issue(["IP:127.0.0.2"]), "127.0.0.2") as storage:
        storage.script("/x", lambda e: e.send(hostile.plain(200, IMAGE.blobs[LAYER])))
        server.script("/blobs/", hostile.redirect(f"{storage.url}/x"))
        mirror = start(hub_of(server.url, ca=str(authority.certificate), private_network=True))
        assert mirror.blob(NAME, LAYER).body == IMAGE.blobs[LAYER]


@pytest.mark.row("U-04")
def test_https_never_becomes_http(start, authority, good):
    with serve(good) as server, hostile.Upstream("127.0.0.2") as plain:
        plain.script("/", lambda e: e.send(hostile.plain(200, IMAGE.blobs[LAYER])))
        server.script("/blobs/", hostile.redirect(f"{plain.url}/x"))
        mirror = start(hub_of(server.url, ca=str(authority.certificate), private_network=True,
                              retries=0))
        assert mirror.blob(NAME, LAYER).status == 502
        assert plain.connections == 0


@pytest.mark.row("U-04")
def test_an_http_upstream_may_redirect_to_http(start, upstream):
    upstream.add(IMAGE, NAME, "v1")
    with hostile.Upstream("127.0.0.2") as plain:
        plain.script("/", lambda e: e.send(hostile.plain(200, IMAGE.blobs[LAYER])))
        upstream.script("/blobs/", hostile.redirect(f"{plain.url}/x"))
        mirror = start(hub_of(upstream.url, private_network=True))
        assert mirror.blob(NAME, LAYER).body == IMAGE.blobs[LAYER]


def test_client_certificates(start, authority, stranger, good):
    client = stranger.issue(names=["DNS:client"])
    with serve(good.demanding(stranger)) as server:
        shown = {"client_certificate": str(client.chain), "client_key": str(client.key)}
        mirror = start(hub_of(server.url, ca=str(authority.certificate), **shown))
        walk.pull(mirror.address, NAME, "v1", IMAGE)
        mirror = start(hub_of(server.url, ca=str(authority.certificate), retries=0))
        assert mirror.manifest(NAME, "v1").status == 502


@pytest.mark.row("U-03")
def test_client_certificates_are_not_shown_to_redirect_targets(start, authority, stranger, good):
    client = stranger.issue(names=["DNS:client"])
    seen = []
    with serve(good.demanding(stranger)) as server, \
            serve(authority.issue(["IP:127.0.0.2"]).demanding(stranger), "127.0.0.2") as storage:
        storage.context.verify_mode = ssl.CERT_OPTIONAL
        storage.script("/x", lambda e: (seen.append(e.connection.getpeercert()),
                                        e.send(hostile.plain(200, IMAGE.blobs[LAYER]))))
        server.script("/blobs/", hostile.redirect(f"{storage.url}/x"))
        mirror = start(hub_of(server.url, ca=str(authority.certificate), private_network=True,
                              client_certificate=str(client.chain), client_key=str(client.key)))
        assert mirror.blob(NAME, LAYER).body == IMAGE.blobs[LAYER]
        assert seen and not any(seen), "no certificate of ours"
