"""Taking over the data directory of a real docker-registry, and directories made to harm."""

import json
import os
import pathlib
import shutil
import subprocess

import pytest
from support import daemon, images
from support.registry import Registry

NOTHING = "http://127.0.0.1:1"


@pytest.fixture
def theirs():
    with Registry() as registry:
        yield registry


@pytest.fixture
def ours(start):
    return start(daemon.hub_of(NOTHING), flags=["--open"], history={"keep": "0"},
                 collect={"every": "0", "grace": "0", "lease": "0", "trash": "0"})


def command(server, *words):
    where = ["--config", server.place / "config.yaml"]
    return subprocess.run([str(word) for word in [daemon.BINARY, *words, *where]], env=server.env,
                          capture_output=True, text=True, timeout=100, check=False)


def adopt(server, directory, *more, status=0):
    done = command(server, "adopt", directory, *more)
    assert done.returncode == status, done.stdout + done.stderr
    return done


def pulls(server, repository, reference, image):
    """The whole image comes back byte by byte."""
    answer = server.manifest(repository, reference)
    assert answer.status == 200 and answer.body == image.root.body, answer
    assert answer.header("Content-Type") == image.root.media_type
    for digest, manifest in image.manifests.items():
        assert server.manifest(repository, digest).body == manifest.body
    for digest, data in image.blobs.items():
        assert server.blob(repository, digest).body == data


def furnish(registry):
    """What stands in it: {(repository, tag): image}."""
    kinds = {
        ("alpine", "latest"): images.small("a", kind="docker"),
        ("alpine", "old"): images.small("b", kind="oci"),
        ("team/blobs/tags/list", "v1"): images.small("c", kind="oci"),
        ("team/app", "multi"): images.multi_arch("oci"),
        ("team/app", "list"): images.multi_arch("docker"),
        ("team/app", "nested"): images.nested_index(),
        ("other/app", "same"): images.small("a", kind="docker"),
    }
    for (repository, tag), image in kinds.items():
        registry.push(image, repository, tag)
    return kinds


@pytest.mark.limit(180)
@pytest.mark.parametrize("running", [True, False])
@pytest.mark.parametrize("files", [(), ("--copy",)])
def test_a_registry_2_directory_becomes_ours(theirs, ours, running, files):
    kept = furnish(theirs)
    signed = images.artifact(kept["alpine", "old"])
    theirs.push(signed, "alpine", signed.digest)
    if not running:
        ours.stop()
    done = adopt(ours, theirs.place / "data", *files)
    assert "adopted 4 repositories" in done.stdout and "7 tags" in done.stdout, done.stdout
    assert "entrepot:" not in done.stderr, done.stderr
    again = adopt(ours, theirs.place / "data", *files)
    assert "0 blobs" in again.stdout, again.stdout
    if not running:
        ours.start()
    for (repository, tag), image in kept.items():
        pulls(ours, repository, tag, image)
    found = ours.get(f"/v2/alpine/referrers/{kept['alpine', 'old'].digest}").json()
    assert [row["digest"] for row in found["manifests"]] == [signed.digest]
    assert ours.get("/v2/_catalog").json()["repositories"] == [
        "alpine", "other/app", "team/app", "team/blobs/tags/list"]
    history = ours.get("/api/v1/history?repository=alpine&tag=old").json()
    assert "adoption" in json.dumps(history), history
    # Theirs goes on; ours is no part of it any more.
    shutil.rmtree(theirs.place / "data" / "docker")
    for (repository, tag), image in kept.items():
        pulls(ours, repository, tag, image)


@pytest.mark.limit(120)
def test_what_was_deleted_there_stays_deleted_and_what_comes_later_follows(theirs, ours):
    first, second = images.small("first"), images.small("second")
    theirs.push(first, "app", "v1")
    theirs.push(second, "app", "v2")
    url = f"/v2/app/manifests/{first.digest}"
    assert daemon.fetch(theirs.address, url, "DELETE").status == 202
    adopt(ours, theirs.place / "data")
    assert ours.manifest("app", first.digest).status == 404
    pulls(ours, "app", "v2", second)
    third = images.small("third")
    theirs.push(third, "app", "v2")
    done = adopt(ours, theirs.place / "data")
    assert "1 tag," in done.stdout and "1 manifest," in done.stdout, done.stdout
    pulls(ours, "app", "v2", third)
    # From here on the tag is ours.
    images.push(first, ours.address, "app", "v2")
    done = adopt(ours, theirs.place / "data", status=1)
    assert "moved here" in done.stderr
    pulls(ours, "app", "v2", first)


@pytest.mark.limit(120)
@pytest.mark.row("G-08", "R-10")
def test_damage_there_is_told_and_the_rest_comes(theirs, ours, tmp_path):
    well, cut, gone, linked = (images.small(word) for word in ("well", "cut", "gone", "linked"))
    for name, image in (("well", well), ("cut", cut), ("gone", gone), ("linked", linked)):
        theirs.push(image, f"team/{name}", "v1")
    top = theirs.place / "data" / "docker" / "registry" / "v2"

    def file_of(digest):
        hexes = digest.partition(":")[2]
        return top / "blobs" / "sha256" / hexes[:2] / hexes / "data"

    os.truncate(file_of(cut.layers()[0]), 100)
    file_of(gone.layers()[0]).unlink()
    stolen = file_of(linked.layers()[0])
    (tmp_path / "outside").write_bytes(stolen.read_bytes())
    stolen.unlink()
    stolen.symlink_to(tmp_path / "outside")
    os.mkfifo(top / "repositories" / "team" / "well" / "_manifests" / "tags" / "fifo")
    (top / "repositories" / "stray").symlink_to("/etc")
    done = adopt(ours, theirs.place / "data", status=1)
    for image, word in ((cut, "100 bytes"), (gone, "not there"), (linked, "not there")):
        assert any(image.layers()[0] in line and word in line
                   for line in done.stderr.splitlines()), done.stderr
    pulls(ours, "team/well", "v1", well)
    for name in ("cut", "gone", "linked"):
        assert ours.manifest(f"team/{name}", "v1").status == 404
    # What was brought of them in vain is collected.
    collected = command(ours, "gc", "--json")
    assert json.loads(collected.stdout.splitlines()[-1])["blobs"] > 0, collected.stdout
    pulls(ours, "team/well", "v1", well)


@pytest.mark.limit(120)
def test_names_that_are_an_upstreams_are_not_taken(theirs, ours):
    image = images.small("x")
    theirs.push(image, "hub/library/debian", "v1")
    theirs.push(image, "docker.io/library/debian", "v1")
    theirs.push(image, "mine", "v1")
    done = adopt(ours, theirs.place / "data", status=1)
    assert "adopted 1 repository" in done.stdout, done.stdout
    assert done.stderr.count("mirrored") == 2, done.stderr
    pulls(ours, "mine", "v1", image)
    assert ours.get("/v2/_catalog").json()["repositories"] == ["mine"]


@pytest.mark.limit(120)
@pytest.mark.row("G-01", "G-16")
def test_collection_meanwhile_takes_nothing(theirs, ours):
    kept = {f"v{n}": images.small(f"busy-{n}", layers=3) for n in range(30)}
    for tag, image in kept.items():
        theirs.push(image, "busy", tag)
    words = [str(word) for word in [daemon.BINARY, "adopt", theirs.place / "data", "--config",
                                    ours.place / "config.yaml"]]
    with subprocess.Popen(words, env=ours.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True) as adoption:
        while adoption.poll() is None:
            assert command(ours, "gc", "--delete-untagged").returncode == 0
        said, error = adoption.communicate(timeout=60)
    assert adoption.returncode == 0 and "30 tags" in said, said + error
    assert command(ours, "gc", "--delete-untagged").returncode == 0
    for tag, image in kept.items():
        pulls(ours, "busy", tag, image)


@pytest.mark.limit(60)
def test_a_tree_of_layouts_is_adopted_under_its_folders(ours, tmp_path):
    one, two = images.small("one", kind="oci"), images.nested_index("layouts")
    images.write_layout(one, tmp_path / "team" / "app", "v1")
    images.write_layout(two, tmp_path / "team" / "nested", "v2")
    adopt(ours, tmp_path)
    pulls(ours, "team/app", "v1", one)
    pulls(ours, "team/nested", "v2", two)
    assert not list(pathlib.Path(tmp_path).rglob("*.part"))
