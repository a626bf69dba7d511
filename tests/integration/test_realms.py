"""Row U-01 with names: which token servers may hear the secret of an https upstream.

Everything is on loopback: a nameserver of our own answers the names, the certificates carry them.
"""

import pytest
from support import dns, hostile, images, net, walk
from support.certificates import Authority
from support.daemon import hub_of

NAME, IMAGE = "org/app", images.small("realms")


@pytest.fixture(scope="module")
def names():
    with dns.NameServer() as server:
        yield server


@pytest.fixture(scope="module")
def resolver(names):
    with net.Resolver(names.address) as found:
        yield found


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.mark.row("U-01")
@pytest.mark.parametrize("registry, realm, secure, told", [
    ("registry.example.com", "auth.example.com", True, True),
    ("registry.example.com", "example.com", True, True),
    ("registry.example.com", "auth.example.com", False, False),
    ("registry.example.com", "auth.example.org", True, False),
    ("registry.example.com", "example.com.evil.net", True, False),
    ("registry.example.com", "notexample.com", True, False),
    ("registry.one.co.uk", "auth.two.co.uk", True, False),
    ("one.github.io", "two.github.io", True, False),
    ("registry.example.com", "com", True, False)])
def test_who_hears_the_secret(start, names, resolver, authority, tmp_path, registry, realm, secure,
                              told):
    (tmp_path / "password").write_text("s3cret")
    for name in (registry, realm):
        names.answers[name] = ["127.0.0.1"]
    certificate = authority.issue(names=[f"DNS:{registry}", f"DNS:{realm}"])
    with hostile.TokenServer(tls=certificate if secure else None, user="bot",
                             password="s3cret") as tokens:
        scheme = "https" if secure else "http"
        auth = hostile.TokenAuth(tokens, realm=f"{scheme}://{realm}:{tokens.port}/token")
        with hostile.Upstream(tls=certificate, auth=auth) as server:
            server.add(IMAGE, NAME, "v1")
            mirror = start(hub_of(f"https://{registry}:{server.port}", username="bot",
                                  password_file=str(tmp_path / "password"), private_network=True,
                                  ca=str(authority.certificate), retries=0),
                           prefix=resolver.prefix())
            if told:
                walk.pull(mirror.address, NAME, "v1", IMAGE)
                return
            assert mirror.manifest(NAME, "v1").status in (502, 403)
            assert not [r for r in tokens.seen() if r.header("Authorization") or r.body]
