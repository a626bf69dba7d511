"""Acceptance line 2: podman, skopeo, buildah and containerd, through each way of naming an upstream."""

import json

import pytest
from support import clients, daemon, images, process, registry


@pytest.fixture(scope="module")
def world():
    with registry.Registry() as upstream:
        for kind in ("docker", "oci"):
            upstream.push(images.multi_layer(kind), f"library/layers-{kind}", "1")
            upstream.push(images.multi_arch(kind), f"library/multi-{kind}", "1")
            upstream.push(images.multi_arch(kind), f"team/multi-{kind}", "1")
        upstream.push(images.nested_index(), "team/nested", "1")
        config = {"upstreams": [daemon.hub_of(upstream.url),
                                daemon.upstream_at("quay", upstream.url, aliases=["quay.example"])]}
        with daemon.Daemon(config) as mirror:
            mirror.upstream = upstream
            yield mirror


def one_get_per_blob(registry_):
    """No blob was ever fetched twice from upstream."""
    paths = [a.path for a in registry_.accesses()
             if a.method == "GET" and "/blobs/" in a.path and a.status < 300]
    assert len(paths) == len({path.split("?")[0].rsplit("/", 1)[1] for path in paths}), paths


WAYS = [("docker.io", "{at}", "docker.io/library/multi-docker:1"),
        ("docker.io", "{at}", "docker.io/library/layers-oci:1"),
        ("docker.io", "{at}/hub", "docker.io/library/multi-oci:1"),
        ("docker.io", "{at}/docker.io", "docker.io/library/multi-docker:1"),
        ("quay.example", "{at}/quay.example", "quay.example/team/multi-oci:1"),
        ("quay.example", "{at}/quay", "quay.example/team/multi-docker:1")]


@pytest.mark.parametrize("prefix, location, reference", WAYS)
def test_podman_by_mirror(world, prefix, location, reference):
    with clients.Podman({prefix: location.format(at=world.address)}) as podman:
        podman.pull(reference)
    one_get_per_blob(world.upstream)


def test_podman_runs_what_it_pulled(world):
    with clients.Podman({"docker.io": world.address}) as podman:
        podman.pull("docker.io/library/multi-docker:1")
        assert podman.start("docker.io/library/multi-docker:1") == "amd64\n"
        assert podman.digest("docker.io/library/multi-docker:1") == \
            images.multi_arch("docker").digest
        podman.remove_all()
        podman.pull("docker.io/library/multi-docker:1")
    one_get_per_blob(world.upstream)


def test_podman_pulls_directly_by_path(world):
    with clients.Podman(insecure=[world.address]) as podman:
        for name in ("layers-docker", "hub/library/layers-docker", "quay.example/team/multi-oci"):
            podman.pull(f"{world.address}/{name}:1")


@pytest.mark.parametrize("prefix, location, reference", WAYS[1:4])
def test_buildah_by_mirror(world, prefix, location, reference):
    with clients.Buildah({prefix: location.format(at=world.address)}) as buildah:
        buildah.pull(reference)


@pytest.mark.parametrize("name, image", [
    ("library/multi-docker", lambda: images.multi_arch("docker")),
    ("multi-oci", lambda: images.multi_arch("oci")),
    ("quay.example/team/multi-docker", lambda: images.multi_arch("docker")),
    ("team/nested", images.nested_index)])
def test_skopeo_copies_everything_byte_for_byte(world, name, image):
    image = image()
    with clients.Skopeo() as skopeo:
        here = skopeo.raw(f"{world.address}/{name}:1")
        assert images.sha256(here) == image.digest
        canonical = name.removeprefix("quay.example/")
        canonical = canonical if "/" in canonical else f"library/{canonical}"
        assert skopeo.raw(f"{world.upstream.address}/{canonical}:1") == here
        if name == "team/nested":  # skopeo 1.9 cannot copy an index in an index
            return
        place = skopeo.pull(f"{world.address}/{name}:1", "--all")
        kept = {path.name for path in place.iterdir()}
        for digest in image.blobs:
            assert digest.split(":")[1] in kept
        for digest in image.manifests:
            if digest != image.digest:
                assert f"{digest.split(':')[1]}.manifest.json" in kept
        assert images.sha256((place / "manifest.json").read_bytes()) == image.digest


def test_skopeo_inspects_tags_and_configuration(world):
    with clients.Skopeo() as skopeo:
        listed = json.loads(skopeo.run("list-tags", "--tls-verify=false",
                                       f"docker://{world.address}/library/layers-oci").stdout)
        assert listed["Tags"] == ["1"]
        shown = json.loads(skopeo.run("inspect", "--tls-verify=false",
                                      f"docker://{world.address}/layers-oci:1").stdout)
        assert shown["Digest"] == images.multi_layer("oci").digest
        assert len(shown["Layers"]) == 5


@pytest.fixture(scope="module")
def containerd():
    with clients.Containerd() as running:
        yield running


@pytest.mark.parametrize("host, path, override, reference", [
    ("docker.io", "", False, "docker.io/library/multi-docker:1"),
    ("docker.io", "", False, "docker.io/library/layers-oci:1"),
    ("quay.example", "", False, "quay.example/team/multi-oci:1"),
    ("quay.example", "/quay/v2", True, "quay.example/team/multi-docker:1"),
    ("docker.io", "/v2/docker.io", True, "docker.io/library/multi-oci:1")])
def test_ctr_by_hosts_toml(world, containerd, host, path, override, reference):
    containerd.mirror(host, world.url + path, override_path=override)
    containerd.pull(reference)
    name = reference.rsplit("/", 1)[1].split(":")[0].split("-")
    image = {"multi": images.multi_arch, "layers": images.multi_layer}[name[0]](name[1])
    assert containerd.digest(reference) == image.digest
    containerd.remove(reference)
    if not override:
        asked = [line for line in world.accesses() if "containerd" in line.get("agent", "")]
        assert asked, "the access log names the client"


def test_ctr_pulls_all_platforms(world, containerd):
    containerd.mirror("docker.io", world.url)
    containerd.pull("docker.io/library/multi-docker:1", "--all-platforms")


def test_a_cri_config_path_is_understood_by_containerd(world, containerd, tmp_path):
    """The snippet README shows for Kubernetes: containerd's own parser reads it back."""
    config = tmp_path / "config.toml"
    config.write_text('version = 2\n[plugins."io.containerd.grpc.v1.cri".registry]\n'
                      f'  config_path = "{containerd.path}/hosts"\n')
    shown = process.run(["containerd", "--config", config, "config", "dump"]).stdout
    assert f'config_path = "{containerd.path}/hosts"' in shown


def test_everything_again_without_upstream(world, containerd):
    """Comes last: the upstream is stopped."""
    with clients.Skopeo() as skopeo:
        skopeo.pull(f"{world.address}/library/multi-docker:1", "--all")
        world.upstream.stop()
        skopeo.pull(f"{world.address}/library/multi-docker:1", "--all")
    containerd.mirror("docker.io", world.url)
    containerd.pull("docker.io/library/multi-docker:1")
    one_get_per_blob(world.upstream)
