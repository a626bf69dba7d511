"""Sites without a line between them: what one writes, another takes, however it was carried."""

import json
import os
import random
import tarfile
import time

import pytest
from support import bundles, daemon, images, process

NOTHING = "http://127.0.0.1:1"
LONG = os.environ.get("ENTREPOT_LONG") == "1"
IMAGES = 500 if LONG else 60
LAYER = 600_000  # small: what a volume adds is some 4 KiB an image, whatever its size
RULES = [{"name": "some", "from": "here", "to": "bundle", "repositories": ["team/*"],
          "tags": ["v1*"], "rename": "paris/{name}"},
         {"name": "narrow", "from": "here", "to": "bundle", "repositories": ["multi"],
          "platforms": ["linux/amd64"], "referrers": False},
         {"name": "in-step", "from": "here", "to": "bundle", "repositories": ["team/*"],
          "tags": ["v*"], "deletions": "follow"}]


class Sites:
    """Daemons that believe each other, each with its key made beforehand."""

    def __init__(self, start, tmp_path, *names):
        self.keys = {name: bundles.Key(tmp_path / name / "data" / "site.key") for name in names}
        for name, key in self.keys.items():
            trusted = [{"name": other, "key": self.keys[other].public}
                       for other in names if other != name]
            key.path.parent.chmod(0o700)
            setattr(self, name, start(daemon.hub_of(NOTHING), flags=["--open"],
                                      data=key.path.parent, local=["**"], replication=RULES,
                                      site={"name": name, "trusted_keys": trusted}))


@pytest.fixture
def sites(start, tmp_path):
    return Sites(start, tmp_path, "paris", "berlin")


def image_of(number, size=300_000):
    """An image of one layer nobody else has, and some larger than others."""
    return images.raw_layers([random.Random(number).randbytes(size + number * 1000)],
                             config=json.dumps({"number": number}).encode())


def fill(site, numbers, size=300_000):
    for number in numbers:
        images.push(image_of(number, size), site.address, f"team/app{number % 5}", f"v{number}")


def held(site):
    """{repository: {tag: digest}}"""
    found = {}
    for name in site.get("/v2/_catalog?n=1000").json()["repositories"]:
        tags = site.get(f"/v2/{name}/tags/list?n=10000").json()["tags"] or []
        found[name] = {tag: site.head(f"/v2/{name}/manifests/{tag}").header("Docker-Content-Digest")
                       for tag in tags}
    return found


def pulls_everything(site):
    for name, tags in held(site).items():
        for digest in tags.values():
            manifest = site.manifest(name, digest)
            assert images.sha256(manifest.body) == digest
            listed = manifest.json()
            for entry in [listed["config"], *listed["layers"]]:
                answer = site.blob(name, entry["digest"])
                assert answer.status == 200 and images.sha256(answer.body) == entry["digest"]


def everything(site):
    """Repositories, with all their tags."""
    return list(held(site))


def carry(sites, tmp_path, name="out", **query):
    query.setdefault("reference", everything(sites.paris))
    return bundles.create(sites.paris, tmp_path / name, **query)


@pytest.mark.limit(600 if LONG else 120)
def test_only_the_missing_tenth_is_carried(sites, tmp_path):
    old, new = range(IMAGES * 9 // 10), range(IMAGES * 9 // 10, IMAGES)
    fill(sites.paris, old, LAYER)
    carry(sites, tmp_path)
    (report,), trouble = bundles.apply(sites.berlin, tmp_path / "out")
    assert report["state"] == "done" and not trouble
    fill(sites.paris, new, LAYER)
    said = bundles.want(sites.berlin, tmp_path / "want")
    # A digest takes six bytes or seven; manifests and tags in their repositories as many again.
    assert said["bytes"] <= 400 + 2 * 7 * said["digests"]
    summary, volumes = carry(sites, tmp_path, "delta", want=tmp_path / "want")
    due = sum(len(data) for number in new for image in [image_of(number, LAYER)]
              for data in [*image.blobs.values(), *(m.body for m in image.manifests.values())])
    carried = sum(path.stat().st_size for path in volumes)
    assert summary["volume_bytes"] == carried and summary["bytes"] == due
    assert carried <= due * 1.01, (carried, due)
    (report,), trouble = bundles.apply(sites.berlin, *volumes)
    assert report["state"] == "done" and not trouble
    assert report["tags"] == len(new) and report["blobs"] == 2 * len(new)
    assert held(sites.berlin) == held(sites.paris)
    pulls_everything(sites.berlin)
    # Once again is no change.
    (report,), trouble = bundles.apply(sites.berlin, *volumes)
    assert report["state"] == "held" and not trouble and report["tags"] == 0


@pytest.mark.limit(120)
@pytest.mark.parametrize("parity", [2, 0])
def test_shuffled_damaged_and_lost(sites, tmp_path, parity):
    fill(sites.paris, range(30))
    _, volumes = carry(sites, tmp_path, volume_size="1MiB", parity=parity)
    data = [path for path in volumes if "-parity-" not in path.name]
    assert len(data) >= 8 and len(volumes) == len(data) + parity
    assert all(path.stat().st_size <= 1 << 20 for path in volumes)
    lost, damaged = data[2], data[5]
    lost.unlink()
    bundles.flip(damaged, 8 * 400_000)
    rest = [path for path in volumes if path != lost]
    random.Random(1).shuffle(rest)
    ask = tmp_path / "ask"
    (report,), trouble = bundles.apply(sites.berlin, *rest, ask=ask)
    assert list(trouble) == report["damaged"] == [damaged.name]
    if parity:
        assert report["state"] == "done" and report["rebuilt"] == [3, 6]
    else:
        assert report["state"] == "incomplete" and report["lost"] == [3, 6]
        assert held(sites.berlin) == {}
        assert report["ask"] == str(ask) and report["missing_bytes"] < 1.5 * (1 << 20)
        _, again = bundles.create(sites.paris, tmp_path / "again", again=ask)
        (report,), trouble = bundles.apply(sites.berlin, *again)
        assert report["state"] == "done" and not trouble
    assert held(sites.berlin) == held(sites.paris)
    pulls_everything(sites.berlin)
    assert list((sites.berlin.data / "bundles").iterdir()) == []


@pytest.mark.limit(120)
@pytest.mark.row("R-10")
def test_a_flipped_bit_or_a_foreign_hand_is_refused_by_name(sites, start, tmp_path):
    fill(sites.paris, range(2), size=20_000)
    _, (volume,) = carry(sites, tmp_path)
    whole, bits = volume.read_bytes(), random.Random(3)
    places = [8 * 100, 8 * 600, *(bits.randrange(8 * len(whole)) for _ in range(40))]
    for bit in places:
        bundles.flip(volume, bit)
        reports, trouble = bundles.apply(sites.berlin, volume)
        assert volume.name in trouble, bit
        assert all(report["damaged"] == [volume.name] for report in reports), bit
        # Between members there is nothing to lose: then what was whole is used.
        if "in its member blobs" in trouble[volume.name]:
            assert all(report["state"] != "done" for report in reports), bit
        volume.write_bytes(whole)
        for report in reports:
            bundles.order(sites.berlin, "/api/v1/bundle-applications", abandon=report["bundle"])
    strangers = Sites(start, tmp_path / "far", "rome")
    fill(strangers.rome, range(3, 4), size=20_000)
    _, (foreign,) = bundles.create(strangers.rome, tmp_path / "theirs",
                                   reference=everything(strangers.rome))
    reports, trouble = bundles.apply(sites.berlin, foreign)
    assert reports == [] and "none of a trusted site" in trouble[foreign.name]
    assert "v3" not in held(sites.berlin).get("team/app3", {})


@pytest.mark.limit(120)
@pytest.mark.row("R-11")
def test_skopeo_copies_straight_out_of_a_volume(sites, tmp_path):
    image = images.small("skopeo", kind="oci")
    images.push(image, sites.paris.address, "team/app", "v1.0")
    images.push(images.small("other", kind="oci"), sites.paris.address, "deep/er/name", "latest")
    signed = images.artifact(image)
    images.push(signed, sites.paris.address, "team/app", signed.digest)
    _, (volume,) = carry(sites, tmp_path)
    process.run(["skopeo", "copy", f"oci-archive:{volume}:team/app:v1.0", f"dir:{tmp_path}/copy"],
                timeout=60)
    manifest = (tmp_path / "copy" / "manifest.json").read_bytes()
    assert images.sha256(manifest) == image.digest
    process.run(["skopeo", "inspect", f"oci-archive:{volume}:deep/er/name:latest"], timeout=60)
    # Any tar reads it; nothing in it has another name than a digest's.
    with tarfile.open(volume) as tar:
        names = tar.getnames()
        assert names[:4] == ["entrepot/volume.json", "entrepot/volume.sig", "oci-layout",
                             "index.json"]
        for entry in tar.getmembers()[4:]:
            assert entry.isreg() and entry.name.startswith("blobs/sha256/")
            data = tar.extractfile(entry).read()
            assert images.sha256(data) == "sha256:" + entry.name.rpartition("/")[2]
    (report,), trouble = bundles.apply(sites.berlin, volume)
    assert report["state"] == "done" and not trouble
    found = sites.berlin.get(f"/v2/team/app/referrers/{image.digest}").json()["manifests"]
    assert [entry["digest"] for entry in found] == [signed.digest]


def regions(path):
    """A byte at the beginning and the end of everything a tar file consists of."""
    with tarfile.open(path) as tar:
        for entry in tar.getmembers():
            # A name too long for a header stands in two blocks of its own before it.
            yield from range(entry.offset, entry.offset_data, 256)
            end = entry.offset_data + entry.size
            yield from {entry.offset_data, end - 1}
            if end % 512:
                yield from {end, end + 511 - end % 512}
    yield from {path.stat().st_size - 1024, path.stat().st_size - 1}


@pytest.mark.limit(120)
@pytest.mark.row("R-10")
def test_a_flipped_bit_in_any_region_is_told(sites, tmp_path):
    fill(sites.paris, range(1), size=400_000)  # cut into parts
    _, volumes = carry(sites, tmp_path, volume_size="256KiB")
    assert len(volumes) > 1
    for volume in volumes[:2]:
        whole = volume.read_bytes()
        for place in regions(volume):
            bundles.flip(volume, 8 * place + place % 8)
            reports, trouble = bundles.apply(sites.berlin, volume)
            assert volume.name in trouble, place
            assert all(report["damaged"] == [volume.name] for report in reports), place
            volume.write_bytes(whole)
            for report in reports:
                bundles.order(sites.berlin, "/api/v1/bundle-applications",
                              abandon=report["bundle"])
    (report,), trouble = bundles.apply(sites.berlin, *volumes)
    assert report["state"] == "done" and not trouble
    pulls_everything(sites.berlin)


def tricks(image):
    """(what, head, bytes behind it) of volumes a trusted hand signed and a hostile one thought of."""
    head, blobs = bundles.head_of(image)
    good = bundles.body_of(blobs)
    first = next(iter(blobs))
    for name in ("../../evil", "/tmp/evil", "blobs/sha256/../../../evil", "evil"):
        yield f"member {name}", head, bundles.member(name, b"evil") + good
    for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE):
        link = bundles.header(bundles.name_of(first), 0, kind=kind, target="/etc/passwd")
        yield f"link {kind}", head, link + good
    # What other readers of tar take for a word about the next member, or for holes in this one.
    for kind in (tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME,
                 tarfile.GNUTYPE_LONGLINK):
        yield f"word {kind}", head, bundles.member("x", b"9 path=../../evil\n", kind=kind) + good
    for kind in (tarfile.GNUTYPE_SPARSE, tarfile.CONTTYPE, tarfile.DIRTYPE):
        yield f"kind {kind}", head, bundles.header(bundles.name_of(first), 0, kind=kind) + good
    for size in (1 << 33, 1 << 62, 1 << 63):
        yield f"header of {size}", head, bundles.header(bundles.name_of(first), size) + good
    for kind in (tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE):
        yield f"device {kind}", head, bundles.header("blobs/x", 0, kind=kind) + good
    yield "duplicate", {**head, "members": head["members"] + head["members"][:1]}, good
    yield "duplicate behind", head, good + good
    yield "named in head", {**head, "members": [["../../evil", 4, "0" * 64]]}, good
    for size in (1 << 42, 1 << 62, 1 << 63, -1):
        absurd = [[first, size], *head["members"][1:]]
        yield f"size {size}", {**head, "members": absurd}, good
        part = [[first, 4, bundles.sum_of(b"evil"), size, size + 4]]
        yield f"part at {size}", {**head, "members": part}, bundles.member("x", b"evil")
    yield "truncated", head, good[:-700]
    yield "repository", {**head, "images": [["../app", "v1", image.digest, 1, 0, 0, ""]]}, good
    yield "tag", {**head, "images": [["app", "../v1", image.digest, 1, 0, 0, ""]]}, good
    for removal in (["../app", "v1", "", 1, 0], ["app", "../v1", "", 1, 0], ["app", "", "", 1, 0],
                    ["app", "", "sha256:../../evil", 1, 0], ["app", "v1", "", -1, 0],
                    ["app", "v1", "", 1, 7], ["app"], "app"):
        yield f"removal {removal}", {**head, "removals": [removal]}, good
    yield "bundle", {**head, "bundle": "../" + "b" * 29}, good
    yield "no JSON", b"{" * 100_000, good


@pytest.mark.limit(120)
@pytest.mark.row("R-10")
def test_tricks_write_nothing(sites, tmp_path):
    image = images.small("trick", kind="oci", layers=1)
    key = sites.keys["paris"]
    (tmp_path / "bag").mkdir()
    volume = tmp_path / "bag" / "volume.tar"
    before = sites.berlin.stored_blobs()
    for what, head, body in tricks(image):
        bundles.forge(volume, key, head, body)
        reports, trouble = bundles.apply(sites.berlin, tmp_path / "bag")
        assert volume.name in trouble, (what, reports)
        assert not reports or reports[0]["damaged"] == [volume.name], what
        for report in reports:
            bundles.order(sites.berlin, "/api/v1/bundle-applications", abandon=report["bundle"])
        # Whatever was whole in it may have come in by its digest; nothing else.
        assert sites.berlin.stored_blobs() - before <= {
            digest.partition(":")[2] for digest in image.blobs}, what
        assert not list(tmp_path.rglob("*evil*"))
    head, blobs = bundles.head_of(image, tag="good")
    bundles.forge(volume, key, head, bundles.body_of(blobs))
    (report,), trouble = bundles.apply(sites.berlin, volume)
    assert not trouble and report["state"] == "done"
    assert sites.berlin.manifest("app", "good").status == 200
    # Who is believed may delete what it once brought, by its own tags; the signature covers that.
    bundles.forge(volume, key, {**head, "bundle": "c" * 32, "series": "c" * 32, "images": [],
                                "members": [], "removals": [["app", "good", "", round(time.time() * 1000), 0]]},
                  b"")
    signed = volume.read_bytes()
    volume.write_bytes(signed.replace(b'"good",""', b'"best",""'))
    reports, trouble = bundles.apply(sites.berlin, volume)
    assert reports == [] and volume.name in trouble
    assert sites.berlin.manifest("app", "good").status == 200
    volume.write_bytes(signed)
    (report,), trouble = bundles.apply(sites.berlin, volume)
    assert not trouble and report["removed"] == ["app:good"]
    # A head larger than any: refused by its size alone.
    with open(volume, "wb") as out:
        out.write(bundles.header("entrepot/volume.json", 7 << 30))
        out.truncate(8 << 30)
    _, trouble = bundles.apply(sites.berlin, volume)
    assert "absurd" in trouble[volume.name]
    # What lies in a directory and is no regular file is not opened.
    volume.unlink()
    os.mkfifo(tmp_path / "bag" / "pipe.tar")
    os.symlink("/etc/passwd", tmp_path / "bag" / "link.tar")
    (tmp_path / "bag" / "evil\x1b[2J.tar").write_bytes(b"evil")
    reports, trouble = bundles.apply(sites.berlin, tmp_path / "bag")
    assert reports == [] and list(trouble) == ["evil?[2J.tar"]


@pytest.mark.limit(120)
def test_a_crash_costs_no_more_than_time(sites, tmp_path):
    fill(sites.paris, range(20))
    _, volumes = carry(sites, tmp_path, volume_size="1MiB")
    (report,), _ = bundles.apply(sites.berlin, *volumes[:-1])
    assert report["state"] == "incomplete" and report["lost"] == [len(volumes)]
    status, said = bundles.control(sites.berlin, "POST", "/api/v1/bundle-applications",
                                   path=[str(path) for path in volumes])
    assert status == 202, said
    sites.berlin.kill9()
    sites.berlin.restart()
    (report,), trouble = bundles.apply(sites.berlin, *volumes)
    assert report["state"] in ("done", "held") and not trouble
    assert held(sites.berlin) == held(sites.paris)
    pulls_everything(sites.berlin)


@pytest.mark.limit(60)
def test_what_a_rule_covers(sites, tmp_path):
    fill(sites.paris, range(12), size=20_000)
    images.push(image_of(1), sites.paris.address, "other", "v1")
    _, (volume,) = carry(sites, tmp_path, reference=[], rule="some")
    (report,), trouble = bundles.apply(sites.berlin, volume)
    assert report["state"] == "done" and not trouble
    assert {(name, tag) for name, tags in held(sites.berlin).items() for tag in tags} == {
        ("paris/app1", "v1"), ("paris/app0", "v10"), ("paris/app1", "v11")}
    pulls_everything(sites.berlin)


@pytest.mark.limit(60)
def test_only_the_platforms_of_a_rule(sites, tmp_path):
    children = [images.small(f"narrow-{name}", kind="oci") for name in ("amd64", "arm64")]
    platforms = [{"os": "linux", "architecture": name} for name in ("amd64", "arm64")]
    index = images.index_of(children, platforms=platforms)
    signature = images.artifact(index)
    images.push(index, sites.paris.address, "multi", "v1")
    images.push(signature, sites.paris.address, "multi", signature.digest)
    summary, volumes = carry(sites, tmp_path, reference=[], rule="narrow")
    assert summary["manifests"] == 2 and summary["blobs"] == len(children[0].blobs)
    for state in ("done", "held"):
        (report,), trouble = bundles.apply(sites.berlin, *volumes)
        assert report["state"] == state and not trouble
    assert sites.berlin.manifest("multi", "v1").body == index.root.body
    status = {image.digest: sites.berlin.manifest("multi", image.digest).status
              for image in (*children, signature)}
    assert status == dict(zip(status, (200, 404, 404)))


def delete(site, name, reference):
    assert site.request("DELETE", f"/v2/{name}/manifests/{reference}").status == 202


@pytest.mark.limit(120)
@pytest.mark.row("N-11")
def test_deletions_are_carried_by_a_rule_that_follows_them(sites, tmp_path):
    fill(sites.paris, range(12), size=20_000)
    images.push(image_of(1), sites.paris.address, "team/app1", "edge")
    images.push(image_of(1), sites.paris.address, "other", "v1")
    bundles.apply(sites.berlin, *carry(sites, tmp_path)[1])
    images.push(image_of(90, 20_000), sites.berlin.address, "team/app1", "v90")
    late = carry(sites, tmp_path, "late", reference=[], rule="in-step")[1]
    for name, tag in (("team/app1", "v1"), ("team/app2", "v7"), ("team/app1", "edge"),
                      ("other", "v1")):
        delete(sites.paris, name, tag)
    images.push(image_of(91, 20_000), sites.paris.address, "team/app3", "v3")
    bundles.want(sites.berlin, tmp_path / "want")
    images.push(image_of(92, 20_000), sites.berlin.address, "team/app2", "v7")
    summary, volumes = carry(sites, tmp_path, "delta", reference=[], rule="in-step",
                             want=tmp_path / "want")
    assert (summary["removals"], summary["images"]) == (2, 1), summary
    (report,), trouble = bundles.apply(sites.berlin, *volumes)
    # Berlin's own v7 is newer than its deletion; edge and other are no business of the rule.
    assert report["removed"] == ["team/app1:v1"] and report["kept"] == 1, report
    assert list(trouble) == ["team/app2:v7"]
    theirs, ours = held(sites.berlin), held(sites.paris)
    assert "v1" not in theirs["team/app1"] and "v1" in theirs["other"]
    assert {"edge", "v90"} <= set(theirs["team/app1"])
    assert theirs["team/app2"]["v7"] == image_of(92, 20_000).digest
    assert theirs["team/app3"]["v3"] == ours["team/app3"]["v3"] == image_of(91, 20_000).digest
    # What was made before comes after: nothing moves back, nothing comes back.
    (report,), trouble = bundles.apply(sites.berlin, *late)
    assert report["tags"] == 0 and not trouble
    assert held(sites.berlin) == theirs
    pulls_everything(sites.berlin)
    status, said, error = command(sites.berlin, "bundle", "apply", *volumes)
    assert status == 0 and "held" in said, said + error


@pytest.mark.limit(120)
def test_two_thousand_references_and_files(sites, tmp_path):
    image = image_of(1, size=20_000)
    images.push(image, sites.paris.address, "team/app", "v0")
    names = [f"a-tag-of-a-usual-length-{number}" for number in range(2000)]
    for at in range(0, len(names), 10):
        tags = "&".join(f"tag={name}" for name in names[at:at + 10])
        answer = sites.paris.request("PUT", f"/v2/team/app/manifests/{image.digest}?{tags}",
                                     {"Content-Type": images.OCI_MANIFEST}, body=image.root.body)
        assert answer.status == 201, answer
    references = [f"team/app:{name}" for name in names]
    status, said, error = command(sites.paris, "bundle", "create", tmp_path / "out", *references)
    assert status == 0 and "2000 images" in said, said + error
    (volume,) = (tmp_path / "out").iterdir()
    others = [tmp_path / f"a file with a name of some length that is no volume {number}"
              for number in range(300)]
    for other in others:
        other.write_bytes(b"nothing")
    status, said, error = command(sites.berlin, "bundle", "apply", *others, volume)
    assert status == 0 and "2000 tags set" in said, said + error
    for body, expected in ((["team/app"], 400), ({"references": "team/app"}, 400),
                           ({"references": ["team/app"] * 20_001}, 413),
                           ({"references": ["x" * 1000] * 5000}, 413)):
        status, said = bundles.control(sites.paris, "POST", "/api/v1/bundles", body,
                                       directory=tmp_path / "no")
        assert status == expected and said["errors"], (status, said)


def command(site, *words):
    """(status, stdout, stderr) of one command on this site's data."""
    done = process.run([daemon.BINARY, *words, "--config", site.place / "config.yaml"], check=False,
                       env=site.env, timeout=60)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.limit(120)
@pytest.mark.parametrize("running", [True, False])
def test_the_operators_words(sites, tmp_path, running):
    fill(sites.paris, range(4))
    if not running:
        sites.paris.stop()
        sites.berlin.stop()
    status, key, _ = command(sites.paris, "bundle", "key")
    assert status == 0 and key.strip() == sites.keys["paris"].public
    assert command(sites.berlin, "bundle", "want", tmp_path / "want")[0] == 0
    names = [f"team/app{number}" for number in range(4)]
    status, said, error = command(sites.paris, "bundle", "create", tmp_path / "out", *names, "--for",
                                  tmp_path / "want", "--volume-size", "1MiB")
    assert status == 0, error
    volumes = sorted((tmp_path / "out").iterdir())
    assert len(volumes) == 2 and all(path.name in said for path in volumes)
    bundles.flip(volumes[0], 8 * 300_000)
    status, said, error = command(sites.berlin, "bundle", "apply", tmp_path / "out", "--ask",
                                  tmp_path / "ask")
    assert status == 1 and volumes[0].name in error and "incomplete" in said
    assert command(sites.paris, "bundle", "create", tmp_path / "again", "--again",
                   tmp_path / "ask")[0] == 0
    status, said, error = command(sites.berlin, "bundle", "apply", tmp_path / "again")
    assert status == 0 and "done" in said, said + error
