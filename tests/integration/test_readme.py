"""What README tells users to write works as it stands there: its blocks are read, not copied."""

import json
import re

import pytest
from support import clients, daemon, images, registry

README = images.ROOT / "README.md"


def block(language, having):
    """The README's code block in this language that contains `having`."""
    blocks = re.findall(rf"```{language}\n(.*?)```", README.read_text(), re.S)
    found = [text for text in blocks if having in text]
    assert len(found) == 1, f"{len(found)} {language} blocks of README have {having!r}"
    return found[0]


@pytest.fixture(scope="module")
def world():
    with registry.Registry() as upstream:
        upstream.push(images.multi_arch("docker"), "library/multi", "1")
        upstream.push(images.multi_arch("oci"), "team/multi", "1")
        config = {"upstreams": [daemon.hub_of(upstream.url),
                                daemon.upstream_at("ghcr", upstream.url, aliases=["ghcr.io"])]}
        with daemon.Daemon(config) as mirror:
            yield mirror


def at(world, text):
    return text.replace("mirror.lan:5000", world.address)


def test_containerd(world):
    with clients.Containerd() as containerd:
        containerd.write_hosts("_default", at(world, block("toml", "capabilities")))
        for reference in ("docker.io/library/multi:1", "ghcr.io/team/multi:1"):
            containerd.pull(reference)
    asked = {line["name"] for line in world.accesses() if "containerd" in line.get("agent", "")}
    assert asked == {"hub/library/multi", "ghcr/team/multi"}


def test_podman(world):
    with clients.Podman() as podman:
        (podman.path / "registries.conf").write_text(at(world, block("toml", "registry.mirror")))
        for reference in ("docker.io/library/multi:1", "ghcr.io/team/multi:1"):
            podman.pull(reference)


def test_docker(world):
    settings = json.loads(at(world, block("json", "registry-mirrors")))
    with clients.Docker(*settings.pop("registry-mirrors"), **settings) as docker:
        docker.pull("multi:1")
        docker.pull(f"{world.address}/ghcr.io/team/multi:1")
        assert docker.start("multi:1") == "amd64\n"


def test_the_rules_are_a_configuration(tmp_path):
    (tmp_path / "paris.password").write_text("secret")
    text = block("yaml", "replication:").replace("/etc/entrepot", str(tmp_path))
    (tmp_path / "config.yaml").write_text(text)
    status, said = daemon.run_once("check-config", tmp_path / "config.yaml")
    assert status == 0 and "correct" in said, said
