"""Acceptance line 1: dockerd with nothing but registry-mirrors set.

Debian 12's dockerd refuses a path in a mirror URL; that way of naming is covered by test_routing and,
with a real client, by containerd's override_path in test_clients.
"""

import pytest
from support import clients, daemon, images, process, registry


@pytest.mark.limit(150)
def test_docker_pulls_runs_and_pulls_again_without_upstream(tmp_path):
    with registry.Registry() as upstream:
        upstream.push(images.multi_layer("docker"), "library/layers", "1")
        upstream.push(images.multi_arch("docker"), "library/multi", "1")
        upstream.push(images.multi_arch("oci"), "team/multi", "1")
        wanted = {"layers:1": "hello from entrepot\n", "multi:1": "amd64\n", "team/multi:1": "amd64\n"}
        with daemon.Daemon({"upstreams": [daemon.hub_of(upstream.url)]}, data=tmp_path / "data") as \
                mirror, clients.Docker(mirror.url) as docker:
            for name, says in wanted.items():
                docker.pull(name)
                assert docker.start(name) == says
                docker.remove(name)
            for name in wanted:
                docker.pull(name)
                docker.remove(name)
            upstream.stop()
            for name, says in wanted.items():
                docker.pull(name)
                assert docker.start(name) == says
                docker.remove(name)
        blobs = [a.path.rsplit("/", 1)[1] for a in upstream.accesses()
                 if a.method == "GET" and "/blobs/" in a.path]
        assert len(blobs) == len(set(blobs)), "one GET per blob ever"
        # the platforms nobody asked for were not fetched
        other = set(images.multi_arch("docker").blobs) - set(blobs)
        assert other, "only what was pulled is fetched"
        assert "moby" not in mirror.log() or "docker" in mirror.log()


@pytest.mark.limit(90)
def test_docker_hears_of_a_missing_image():
    with registry.Registry() as upstream, \
            daemon.Daemon({"upstreams": [daemon.hub_of(upstream.url)]}) as mirror, \
            clients.Docker(mirror.url) as docker:
        done = docker.pull("nothing/here:1", check=False)
        assert done.returncode != 0
        process.wait_for(lambda: mirror.accesses(status=404), 5, "the access line")
