"""Pulling without a client program: every manifest and blob of an image, every byte compared."""

from .daemon import fetch

ACCEPT = [("Accept", kind) for kind in (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.distribution.manifest.v1+prettyjws", "*/*")]


def pull(address, name, tag, image, query=""):
    """Pulls all of image as name:tag and asserts that each byte is the right one."""
    def manifest(reference, wanted):
        answer = fetch(address, f"/v2/{name}/manifests/{reference}{query}", headers=ACCEPT)
        assert answer.status == 200, (reference, answer)
        assert answer.body == wanted.body, reference
        assert answer.header("Content-Type") == wanted.media_type
        assert answer.header("Docker-Content-Digest") == wanted.digest

    manifest(tag, image.root)
    for digest, wanted in image.manifests.items():
        manifest(digest, wanted)
    for digest, wanted in image.blobs.items():
        answer = fetch(address, f"/v2/{name}/blobs/{digest}{query}")
        assert answer.status == 200, (digest, answer)
        assert answer.body == wanted, f"{digest}: {len(answer.body)} bytes of {len(wanted)}"


def hold(daemon, name, tag, image):
    """pull(), then waits until all of it is stored: what comes next may be an outage."""
    pull(daemon.address, name, tag, image)
    daemon.settle()


def not_whole(answer, wanted):
    """True unless the client could take the answer for a complete right or wrong body."""
    return answer.status >= 400 or answer.short or (
        answer.header("Content-Length") is not None
        and len(answer.body) < int(answer.header("Content-Length"))) or answer.body == wanted
