"""Round trips of real clients, many at once, and a layer larger than memory (issue 2, line 3)."""

import concurrent.futures
import hashlib
import os
import subprocess
import time

import pytest
from support import clients, daemon, images, process

LONG = os.environ.get("ENTREPOT_LONG") == "1"
MB = 1_000_000


@pytest.fixture
def server(start):
    return start(daemon.hub_of("http://127.0.0.1:1"), flags=["--open"])


def layout_of(image, place, tag="v1"):
    images.write_layout(image, place, tag)
    return f"oci:{place}:{tag}"


@pytest.mark.limit(150)
def test_dockerd_podman_and_buildah_round_trip(server, tmp_path):
    """What one pushes the others pull, with the same digest."""
    source = layout_of(images.multi_layer("oci"), tmp_path / "layout")
    with clients.Skopeo(insecure=[server.address]) as skopeo, \
            clients.Podman(insecure=[server.address]) as podman, \
            clients.Buildah(insecure=[server.address]) as buildah, clients.Docker() as docker:
        first = f"{server.address}/round/skopeo:1"
        skopeo.run("copy", "--dest-tls-verify=false", "--preserve-digests", source,
                   f"docker://{first}")
        for client, name in ((podman, "podman"), (buildah, "buildah"), (docker, "docker")):
            client.pull(first)
            mine = f"{server.address}/round/{name}:1"
            client.run("tag", first, mine)
            options = [] if client is docker else ["--tls-verify=false"]
            client.run("push", *options, mine)
            skopeo.pull(mine)
        raw = skopeo.raw(first)
        assert raw == server.manifest("round/skopeo", "1").body
        for name in ("podman", "buildah", "docker"):
            pulled = server.manifest(f"round/{name}", "1")
            digest = "sha256:" + hashlib.sha256(pulled.body).hexdigest()
            assert pulled.header("Docker-Content-Digest") == digest
            assert skopeo.raw(f"{server.address}/round/{name}:1") == pulled.body
        docker.run("rmi", "-f", f"{server.address}/round/docker:1", first)
        docker.pull(f"{server.address}/round/podman:1")
        assert docker.start(f"{server.address}/round/podman:1") == "hello from entrepot\n"
    tags = server.get("/v2/round/docker/tags/list").json()
    assert tags == {"name": "round/docker", "tags": ["1"]}


@pytest.mark.limit(150)
def test_eight_push_while_eight_pull(server, tmp_path):
    shared = images.small(1, layers=3, size=400_000, kind="oci")
    with clients.Skopeo(insecure=[server.address]) as skopeo:
        source = layout_of(shared, tmp_path / "shared")
        target = f"{server.address}/many/shared"
        skopeo.run("copy", "--dest-tls-verify=false", source, f"docker://{target}:v1")

        def push(number):
            image = images.small(100 + number, layers=3, size=500_000, kind="oci")
            place = tmp_path / f"push-{number}"
            skopeo.run("copy", "--dest-tls-verify=false", "--preserve-digests",
                       layout_of(image, place), f"docker://{server.address}/many/own-{number}:v1")
            raw = skopeo.raw(f"{server.address}/many/own-{number}:v1")
            return raw == image.root.body

        def pull(_):
            place = skopeo.pull(f"{target}:v1")
            return (place / "manifest.json").read_bytes() == shared.root.body

        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            pushed = [pool.submit(push, number) for number in range(8)]
            pulled = [pool.submit(pull, number) for number in range(8)]
            assert all(one.result(120) for one in pushed + pulled)
    names = server.get("/v2/_catalog").json()["repositories"]
    assert names == [f"many/own-{number}" for number in range(8)] + ["many/shared"]


@pytest.mark.limit(400)
@pytest.mark.row("R-04")
def test_a_layer_larger_than_memory(server, tmp_path):
    """Streamed as docker does it (chunked PATCH), server memory watched meanwhile."""
    size = (5000 if LONG else 1000) * MB
    pattern = os.urandom(MB)
    whole = hashlib.sha256()
    for _ in range(size // MB):
        whole.update(pattern)
    digest = "sha256:" + whole.hexdigest()
    server.get("/v2/")
    before, most = server.rss(), 0
    target = server.request("POST", "/v2/big/layer/blobs/uploads/", body=b"").header("Location")
    curl = subprocess.Popen(
        ["curl", "-sS", "-f", "-T", "-", "-X", "PATCH", "-H", "Expect:", "-D", tmp_path / "head",
         "-H", "Content-Type: application/octet-stream", server.url + target],
        stdin=subprocess.PIPE)
    for _ in range(size // MB):
        curl.stdin.write(pattern)
        most = max(most, server.rss())
    curl.stdin.close()
    assert curl.wait(60) == 0
    assert f"range: 0-{size - 1}" in (tmp_path / "head").read_text().lower()
    began = time.monotonic()
    join = "&" if "?" in target else "?"
    done = server.request("PUT", f"{target}{join}digest={digest}", body=b"", timeout=120)
    assert done.status == 201, done
    assert time.monotonic() - began < 60
    growth = max(most, server.rss()) - before
    assert growth < 64 * MB, growth
    held = server.head(f"/v2/big/layer/blobs/{digest}")
    assert held.status == 200 and int(held.header("Content-Length")) == size
    last = server.blob("big/layer", digest, {"Range": f"bytes={size - 100}-"})
    assert last.status == 206 and last.body == pattern[-100:]
    process.wait_for(lambda: not list((server.data / "spool").glob("upload-*")), 10,
                     "the upload's files to go")
