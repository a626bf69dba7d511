"""Image layouts we write, in the hands of skopeo and of ourselves."""

import json
import subprocess

import pytest
from support import daemon, images, process

NOTHING = "http://127.0.0.1:1"


@pytest.fixture
def ours(start):
    return start(daemon.hub_of(NOTHING), flags=["--open"])


def export(server, image, directory, status=0):
    words = [daemon.BINARY, "export", image, directory, "--config", server.place / "config.yaml"]
    done = subprocess.run([str(word) for word in words], env=server.env, capture_output=True,
                          text=True, timeout=60, check=False)
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout + done.stderr


def names_in(directory):
    """{tag or None: [digests]} of index.json."""
    found = {}
    for entry in json.loads((directory / "index.json").read_bytes())["manifests"]:
        name = entry.get("annotations", {}).get("org.opencontainers.image.ref.name")
        found.setdefault(name, []).append(entry["digest"])
    return found


def same_bytes(directory, image):
    for digest, data in [*image.blobs.items(),
                         *((d, m.body) for d, m in image.manifests.items())]:
        assert (directory / "blobs" / "sha256" / digest.partition(":")[2]).read_bytes() == data


@pytest.mark.limit(120)
@pytest.mark.row("R-11")
@pytest.mark.parametrize("make", [lambda: images.small("one", kind="oci"),
                                  lambda: images.multi_arch("oci"), images.nested_index])
def test_skopeo_reads_what_we_write(ours, tmp_path, make):
    image = make()
    images.push(image, ours.address, "team/app", "v1")
    layout = tmp_path / "layout"
    assert "exported" in export(ours, "team/app:v1", layout)
    same_bytes(layout, image)
    raw = process.run(["skopeo", "inspect", "--raw", f"oci:{layout}:v1"]).stdout
    assert images.sha256(raw.encode()) == image.digest
    nested = any("manifests" in json.loads(m.body) for m in image.manifests.values()
                 if m.digest != image.digest)
    if not nested:  # skopeo does not copy an index in an index
        process.run(["skopeo", "copy", "--all", f"oci:{layout}:v1", f"dir:{tmp_path}/copy"],
                    timeout=60)
        manifest = (tmp_path / "copy" / "manifest.json").read_bytes()
        assert images.sha256(manifest) == image.digest
    # Hexadecimal names only, and nothing half done.
    for file in (layout / "blobs" / "sha256").iterdir():
        assert len(file.name) == 64 and images.sha256(file.read_bytes()) == "sha256:" + file.name


@pytest.mark.limit(120)
def test_a_layout_is_added_to(ours, tmp_path):
    one, two, third = (images.small(n, kind="oci") for n in range(3))
    images.push(one, ours.address, "app", "v1")
    images.push(two, ours.address, "app", "v2")
    signed = images.artifact(one)
    images.push(signed, ours.address, "app", signed.digest)
    layout = tmp_path / "layout"
    export(ours, "app", layout)
    assert names_in(layout) == {"v1": [one.digest], "v2": [two.digest], None: [signed.digest]}
    same_bytes(layout, signed)
    images.push(third, ours.address, "app", "v1")
    said = export(ours, "app:v1", layout)
    assert "3 blobs" in said
    assert names_in(layout) == {"v1": [third.digest], "v2": [two.digest], None: [signed.digest]}
    export(ours, f"app@{two.digest}", layout)
    assert set(names_in(layout)[None]) == {signed.digest, two.digest}
    assert export(ours, "app:none", layout, status=1)
    assert names_in(layout)["v1"] == [third.digest]


@pytest.mark.limit(60)
def test_an_export_needs_all_of_an_image(ours, tmp_path):
    image = images.small("torn", kind="oci")
    images.push(image, ours.address, "app", "v1")
    ours.blob_path(image.layers()[0]).unlink()
    assert export(ours, "app:v1", tmp_path / "layout", status=1)
    assert not (tmp_path / "layout" / "index.json").exists()
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign" / "index.json").write_text("mine")
    assert "layout" in export(ours, "app:v1", tmp_path / "foreign", status=1)
    assert (tmp_path / "foreign" / "index.json").read_text() == "mine"
