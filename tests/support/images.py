"""Images to pull: real ones made from Debian packages, and synthetic ones for the odd corners.

An Image is a graph of manifests and blobs held in memory, with one root. It can be pushed to any
registry over plain HTTP (push), written as an OCI layout (write_layout, for skopeo), or served by
hostile.Upstream. Real images are built once and kept as OCI layouts under ENTREPOT_TEST_CACHE
(default build/test-images); all bytes are reproducible for a given set of packages.
"""

import functools
import gzip
import hashlib
import http.client
import io
import json
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tarfile
import urllib.parse
from dataclasses import dataclass, field

from . import process

ROOT = pathlib.Path(__file__).resolve().parents[2]
CACHE = pathlib.Path(os.environ.get("ENTREPOT_TEST_CACHE", ROOT / "build" / "test-images"))
RECIPE = "3"  # part of every cache key: raise it when the way images are built changes

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
OCI_EMPTY = "application/vnd.oci.empty.v1+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"
DOCKER_FOREIGN = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"
SCHEMA1 = "application/vnd.docker.distribution.manifest.v1+prettyjws"

ARCHITECTURES = {"amd64": {"architecture": "amd64", "os": "linux"},
                 "arm64": {"architecture": "arm64", "os": "linux"},
                 "armhf": {"architecture": "arm", "os": "linux", "variant": "v7"}}
APPLETS = "sh ls cat echo true false sleep env id uname wget md5sum sha256sum".split()


def sha256(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


@dataclass
class Manifest:
    media_type: str
    body: bytes

    @property
    def digest(self):
        return sha256(self.body)

    def descriptor(self, **more):
        return {"mediaType": self.media_type, "digest": self.digest, "size": len(self.body), **more}


@dataclass
class Image:
    """root: the manifest a tag points to. manifests and blobs: everything reachable, by digest."""
    root: Manifest
    manifests: dict = field(default_factory=dict)
    blobs: dict = field(default_factory=dict)

    def __post_init__(self):
        self.manifests.setdefault(self.root.digest, self.root)

    @property
    def digest(self):
        return self.root.digest

    def json(self):
        return json.loads(self.root.body)

    def layers(self):
        """Digests of the layers of the root, of an index its first child's."""
        manifest = self.json()
        if "manifests" in manifest:
            manifest = json.loads(self.manifests[manifest["manifests"][0]["digest"]].body)
        return [layer["digest"] for layer in manifest.get("layers", [])]


def dump(value):
    return json.dumps(value, indent=2).encode()


def blob(size, seed=0):
    """Incompressible bytes, the same for the same size and seed."""
    return random.Random(f"{size}/{seed}").randbytes(size)


def layer_of(files):
    """An uncompressed layer from {path: bytes | str symlink target | None directory}."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for path, content in files.items():
            entry = tarfile.TarInfo(path)
            entry.mode = 0o755
            if content is None:
                entry.type = tarfile.DIRTYPE
                tar.addfile(entry)
            elif isinstance(content, str):
                entry.type, entry.linkname = tarfile.SYMTYPE, content
                tar.addfile(entry)
            else:
                entry.size = len(content)
                tar.addfile(entry, io.BytesIO(content))
    return out.getvalue()


def assemble(layers, kind="oci", architecture="amd64", cmd=("/bin/sh",), **config):
    """A one-platform image of uncompressed layer tars. kind: oci or docker."""
    oci = kind == "oci"
    platform = ARCHITECTURES[architecture]
    blobs, descriptors = {}, []
    for layer in layers:
        packed = gzip.compress(layer, 6, mtime=0)
        blobs[sha256(packed)] = packed
        descriptors.append({"mediaType": OCI_LAYER if oci else DOCKER_LAYER,
                            "size": len(packed), "digest": sha256(packed)})
    body = dump({**platform, "created": "2023-06-10T00:00:00Z",
                 "config": {"Cmd": list(cmd), "Env": ["PATH=/bin:/usr/bin"], **config},
                 "rootfs": {"type": "layers", "diff_ids": [sha256(layer) for layer in layers]},
                 "history": [{"created": "2023-06-10T00:00:00Z", "created_by": "test lab"}
                             for _ in layers]})
    blobs[sha256(body)] = body
    manifest = Manifest(OCI_MANIFEST if oci else DOCKER_MANIFEST, dump({
        "schemaVersion": 2, "mediaType": OCI_MANIFEST if oci else DOCKER_MANIFEST,
        "config": {"mediaType": OCI_CONFIG if oci else DOCKER_CONFIG,
                   "size": len(body), "digest": sha256(body)},
        "layers": descriptors}))
    return Image(manifest, blobs=blobs)


def index_of(images, kind="oci", platforms=None, **more):
    """An index (or Docker list) over images, in order."""
    media_type = OCI_INDEX if kind == "oci" else DOCKER_LIST
    children = []
    for position, image in enumerate(images):
        extra = {"platform": platforms[position]} if platforms else {}
        children.append(image.root.descriptor(**extra))
    root = Manifest(media_type, dump({"schemaVersion": 2, "mediaType": media_type,
                                      "manifests": children, **more}))
    whole = Image(root)
    for image in images:
        whole.manifests.update(image.manifests)
        whole.blobs.update(image.blobs)
    return whole


# ---- Debian packages -------------------------------------------------------------------------

def _apt(*arguments, lists):
    """apt-get with lists and cache of its own: the machine's dpkg architectures stay untouched."""
    options = [f"Dir::State::lists={lists}/lists", f"Dir::Cache={lists}/cache",
               "Acquire::Retries=0", "Acquire::http::Timeout=10",
               "APT::Sandbox::User=root", "Acquire::Languages=none", "Debug::NoLocking=1"]
    options += [f"APT::Architectures::={name}" for name in ARCHITECTURES]
    command = ["apt-get", "-q"] + [word for option in options for word in ("-o", option)]
    # A mirror in the middle of a sync fails one list of many: what was fetched is enough for us.
    return subprocess.run(command + list(arguments), cwd=lists, timeout=300, capture_output=True,
                          check=False)


@functools.cache
def _apt_lists():
    place = process.directory("apt")
    os.makedirs(f"{place}/lists/partial")
    os.makedirs(f"{place}/cache/archives/partial")
    _apt("update", lists=place)
    return place


def package(name, architecture="amd64"):
    """The path of the .deb, downloaded once."""
    kept = CACHE / "debs" / f"{name}_{architecture}.deb"
    if not kept.exists():
        place = _apt_lists()
        got = _apt("download", f"{name}:{architecture}", lists=place)
        found = sorted(place.glob(f"{name}_*.deb"))
        if not found:
            raise LookupError(f"cannot download {name}:{architecture}: {got.stderr.decode()}")
        kept.parent.mkdir(parents=True, exist_ok=True)
        partial = kept.with_suffix(f".{os.getpid()}")
        shutil.move(found[0], partial)
        partial.rename(kept)
    return kept


def package_files(name, architecture="amd64"):
    """The content of a package as a tar; of what is installed here when no mirror can be reached."""
    try:
        deb = package(name, architecture)
    except LookupError as missing:
        print(f"{missing}; using installed files", file=sys.stderr)
        return _installed_files(name)
    return subprocess.run(["dpkg-deb", "--fsys-tarfile", deb],
                          check=True, capture_output=True, timeout=60).stdout


def _installed_files(name):
    """Good enough offline: foreign architectures then carry this machine's programs."""
    listed = subprocess.run(["dpkg", "-L", name], capture_output=True, text=True, timeout=60)
    if listed.returncode != 0:
        listed = subprocess.run(["dpkg", "-L", "base-files"], capture_output=True, text=True,
                                check=True, timeout=60)
    files = {"installed-for": name.encode()}
    for path in map(pathlib.Path, listed.stdout.splitlines()):
        if path.is_file() and not path.is_symlink():
            files[f".{path}"] = path.read_bytes()
    return layer_of(files)


def busybox_layer(architecture="amd64"):
    with tarfile.open(fileobj=io.BytesIO(package_files("busybox-static", architecture))) as tar:
        program = tar.extractfile("./bin/busybox").read()
    files = {"bin": None, "tmp": None, "etc": None, "root": None, "bin/busybox": program,
             "etc/passwd": b"root:x:0:0:root:/root:/bin/sh\n"}
    return layer_of({**files, **{f"bin/{applet}": "busybox" for applet in APPLETS}})


def _kept(build):
    """Builds once, keeps the result as an OCI layout, loads it from there ever after."""
    @functools.cache
    def load(*arguments):
        name = "-".join((build.__name__, *arguments, RECIPE))
        place = CACHE / name
        if not (place / "index.json").exists():
            partial = CACHE / f"{name}.{os.getpid()}"
            write_layout(build(*arguments), partial)
            try:
                partial.rename(place)
            except OSError:  # another test process built the same meanwhile
                shutil.rmtree(partial)
        return read_layout(place)
    return load


@_kept
def multi_layer(kind="docker"):
    """Five layers: busybox, three Debian packages, one greeting. Runs on amd64."""
    layers = [busybox_layer()]
    layers += [package_files(name) for name in ("netbase", "tzdata", "media-types")]
    layers.append(layer_of({"hello": b"hello from entrepot\n"}))
    return assemble(layers, kind, cmd=("/bin/cat", "/hello"))


@_kept
def multi_arch(kind="docker"):
    """busybox for amd64, arm64 and arm/v7 under one index (kind oci) or list (kind docker)."""
    images = [assemble([busybox_layer(name), layer_of({"arch": name.encode() + b"\n"})], kind,
                       name, cmd=("/bin/cat", "/arch")) for name in ARCHITECTURES]
    return index_of(images, kind, list(ARCHITECTURES.values()))


# ---- synthetic images ------------------------------------------------------------------------

def small(seed=0, layers=2, size=2000, kind="docker"):
    """A legal image of a few kilobytes; different seeds share nothing."""
    tars = [layer_of({f"file-{n}": blob(size, f"{seed}/{n}")}) for n in range(layers)]
    return assemble(tars, kind, Labels={"seed": str(seed)})


def raw_layers(layers, kind="oci", config=b"{}"):
    """An image whose layers are exactly these bytes (no tar, no gzip): for big or odd blobs."""
    oci = kind == "oci"
    root = Manifest(OCI_MANIFEST if oci else DOCKER_MANIFEST, dump({
        "schemaVersion": 2, "mediaType": OCI_MANIFEST if oci else DOCKER_MANIFEST,
        "config": {"mediaType": OCI_CONFIG if oci else DOCKER_CONFIG,
                   "digest": sha256(config), "size": len(config)},
        "layers": [{"mediaType": OCI_LAYER if oci else DOCKER_LAYER,
                    "digest": sha256(data), "size": len(data)} for data in layers]}))
    return Image(root, blobs={sha256(config): config, **{sha256(d): d for d in layers}})


def nested_index(seed=0):
    """index -> two indexes -> two images each."""
    images = [small(f"nested-{seed}-{n}", kind="oci") for n in range(4)]
    return index_of([index_of(images[:2]), index_of(images[2:])])


def artifact(subject, artifact_type="application/vnd.example.sbom", payload=b"an sbom"):
    """A referrer: an OCI artifact manifest with `subject` (an Image)."""
    empty = b"{}"
    root = Manifest(OCI_MANIFEST, dump({
        "schemaVersion": 2, "mediaType": OCI_MANIFEST, "artifactType": artifact_type,
        "config": {"mediaType": OCI_EMPTY, "digest": sha256(empty), "size": len(empty)},
        "layers": [{"mediaType": "text/plain", "digest": sha256(payload), "size": len(payload)}],
        "subject": subject.root.descriptor(), "annotations": {"org.example.note": "signed"}}))
    return Image(root, blobs={sha256(empty): empty, sha256(payload): payload})


def zero_layer():
    return raw_layers([], config=b'{"architecture":"amd64","os":"linux","rootfs":'
                                 b'{"type":"layers","diff_ids":[]}}')


def foreign_layer(url):
    """An image with one usual layer and one that says it lives at `url`."""
    image = small("foreign", layers=1)
    manifest = image.json()
    elsewhere = blob(3000, "elsewhere")
    manifest["layers"].append({"mediaType": DOCKER_FOREIGN, "digest": sha256(elsewhere),
                               "size": len(elsewhere), "urls": [url]})
    return Image(Manifest(DOCKER_MANIFEST, dump(manifest)), blobs=dict(image.blobs))


def schema1(name="old/app", tag="v1"):
    """A signed schema 1 manifest; its signature is not a real one, mirrors pass it through."""
    layer = gzip.compress(layer_of({"old": b"old"}), mtime=0)
    body = dump({"schemaVersion": 1, "name": name, "tag": tag, "architecture": "amd64",
                 "fsLayers": [{"blobSum": sha256(layer)}],
                 "history": [{"v1Compatibility": json.dumps({"id": "a" * 64})}],
                 "signatures": [{"header": {"alg": "ES256"}, "signature": "c2ln",
                                 "protected": "e30"}]})
    return Image(Manifest(SCHEMA1, body), blobs={sha256(layer): layer})


# ---- OCI layouts -----------------------------------------------------------------------------

def write_layout(image, place, name="latest"):
    place = pathlib.Path(place)
    (place / "blobs" / "sha256").mkdir(parents=True)
    everything = {**image.blobs, **{d: m.body for d, m in image.manifests.items()}}
    for digest, data in everything.items():
        (place / "blobs" / "sha256" / digest.split(":")[1]).write_bytes(data)
    root = image.root.descriptor(annotations={"org.opencontainers.image.ref.name": name})
    (place / "oci-layout").write_bytes(dump({"imageLayoutVersion": "1.0.0"}))
    (place / "index.json").write_bytes(dump({"schemaVersion": 2, "manifests": [root]}))
    return place


def read_layout(place):
    place = pathlib.Path(place)
    root = json.loads((place / "index.json").read_bytes())["manifests"][0]
    read = lambda digest: (place / "blobs" / "sha256" / digest.split(":")[1]).read_bytes()
    image = Image(Manifest(root["mediaType"], read(root["digest"])))
    waiting = [image.root]
    while waiting:
        body = json.loads(waiting.pop().body)
        for child in body.get("manifests", []):
            manifest = Manifest(child["mediaType"], read(child["digest"]))
            image.manifests[manifest.digest] = manifest
            waiting.append(manifest)
        for child in body.get("layers", []) + ([body["config"]] if "config" in body else []):
            image.blobs[child["digest"]] = read(child["digest"])
    return image


# ---- pushing over the HTTP API ---------------------------------------------------------------

def _put_blob(connection, repository, digest, data, headers):
    connection.request("POST", f"/v2/{repository}/blobs/uploads/", headers=headers)
    answer = connection.getresponse()
    answer.read()
    if answer.status != 202:
        raise RuntimeError(f"upload of {digest} refused: {answer.status}")
    location = urllib.parse.urlsplit(answer.headers["Location"])
    query = (location.query + "&" if location.query else "") + "digest=" + digest
    connection.request("PUT", f"{location.path}?{query}", body=data, headers={
        "Content-Type": "application/octet-stream", **headers})
    answer = connection.getresponse()
    answer.read()
    if answer.status != 201:
        raise RuntimeError(f"blob {digest} refused: {answer.status}")


def push(image, address, repository, tag, headers=None):
    """Pushes all of image to http://address/ (HOST:PORT): blobs, children, then the root as tag."""
    headers = headers or {}
    connection = http.client.HTTPConnection(address, timeout=60)
    try:
        for digest, data in image.blobs.items():
            _put_blob(connection, repository, digest, data, headers)
        order = [m for m in image.manifests.values() if m.digest != image.digest]
        order.sort(key=lambda m: "index" in m.media_type or "list" in m.media_type)
        for manifest, reference in [(m, m.digest) for m in order] + [(image.root, tag)]:
            connection.request("PUT", f"/v2/{repository}/manifests/{reference}", manifest.body,
                               {"Content-Type": manifest.media_type, **headers})
            answer = connection.getresponse()
            text = answer.read()
            if answer.status != 201:
                raise RuntimeError(f"manifest {reference} refused: {answer.status} {text!r}")
    finally:
        connection.close()
    return image.digest


if __name__ == "__main__":  # makes every kept image, so that tests running at once find them ready
    for each_kind in ("docker", "oci"):
        multi_layer(each_kind)
        multi_arch(each_kind)
