"""What people do today with registry:2 behind nginx, command by command, against entrepot.

Each test follows one guide; GUIDES.md maps every step of it. Commands are those of the guide, run
by a shell; only names of places (address, container, configuration file) are ours.
"""

import base64
import hashlib
import json
import subprocess

import pytest
from support import certificates, clients, daemon, images, process

V2 = "application/vnd.docker.distribution.manifest.v2+json"


def shell(command, check=True, **options):
    return process.run(["sh", "-c", command], check=check, **options).stdout.strip()


def entrepot(server, *words, check=True):
    return process.run([daemon.BINARY, *words, "--data", server.data], check=check,
                       env={**server.env})


@pytest.fixture(scope="module")
def docker():
    """A dockerd with two images of its own, as if pulled before: ubuntu:18.04 and hello-world."""
    with clients.Docker() as running:
        for name, seed in (("ubuntu:18.04", 1), ("ubuntu:19.10", 2), ("nginx:latest", 3),
                           ("hello-world:latest", 4)):
            archive = running.path / "rootfs.tar"
            archive.write_bytes(images.layer_of({"bin/marker": images.blob(200_000, seed)}))
            running.run("import", "--change", 'CMD ["/bin/marker"]', archive, name)
        yield running


@pytest.fixture
def server(start):
    """As `docker run -d -p 5000:5000 registry`: open to all, default configuration."""
    return start(daemon.hub_of("http://127.0.0.1:1"), flags=["--open"])


def store_bytes(server):
    return sum(path.stat().st_size for path in (server.data / "blobs").rglob("*")
               if path.is_file())


def digest_of_tag(url, name, tag):
    return shell(f'curl -v --silent -H "Accept: {V2}" -X GET {url}/v2/{name}/manifests/{tag} 2>&1 '
                 "| grep Docker-Content-Digest | awk '{print ($3)}' | tr -d '\\r'")


@pytest.mark.limit(180)
@pytest.mark.row("G-14", "M-16")
def test_push_list_delete_collect_and_push_again(docker, server):
    """Guide 002: a private registry whose images are deleted for good."""
    registry, url = server.address, server.url
    assert shell(f"curl -s {url}/v2/_catalog") == '{"repositories":[]}'
    for image in ("ubuntu:18.04", "ubuntu:19.10", "nginx:latest"):
        docker.run("tag", image, f"{registry}/{image}")
        assert "digest: sha256:" in docker.run("push", f"{registry}/{image}").stdout
    assert json.loads(shell(f"curl -s {url}/v2/_catalog")) == {"repositories": ["nginx", "ubuntu"]}
    assert json.loads(shell(f"curl -s {url}/v2/ubuntu/tags/list")) == {
        "name": "ubuntu", "tags": ["18.04", "19.10"]}
    digest = digest_of_tag(url, "ubuntu", "18.04")
    assert digest.startswith("sha256:")
    assert "HTTP/1.1 202 Accepted" in shell(
        f"curl -v -s -X DELETE {url}/v2/ubuntu/manifests/{digest} 2>&1")
    assert json.loads(shell(f"curl -s {url}/v2/ubuntu/tags/list"))["tags"] == ["19.10"]
    before = store_bytes(server)
    said = entrepot(server, "garbage-collect", "--delete-untagged").stdout
    freed = before - store_bytes(server)
    assert freed > 100_000, said
    # without any restart
    docker.run("rmi", f"{registry}/ubuntu:18.04")
    docker.run("tag", "ubuntu:18.04", f"{registry}/ubuntu:18.04")
    assert digest in docker.run("push", f"{registry}/ubuntu:18.04").stdout
    docker.run("rmi", f"{registry}/ubuntu:18.04")
    assert digest in docker.run("pull", f"{registry}/ubuntu:18.04").stdout
    server.restart()
    assert json.loads(shell(f"curl -s {server.url}/v2/ubuntu/tags/list"))["tags"] == [
        "18.04", "19.10"]


NGINX = """
daemon off; pid {place}/nginx.pid; error_log {place}/error.log; worker_processes 1;
events {{ worker_connections 1024; use epoll; multi_accept on; }}
http {{
  tcp_nodelay on; access_log off;
  client_body_temp_path {place}/body; proxy_temp_path {place}/proxy; fastcgi_temp_path {place}/f;
  uwsgi_temp_path {place}/u; scgi_temp_path {place}/s;
  proxy_http_version 1.1;
  upstream registry {{ server {registry}; }}
  server {{
    listen 127.0.0.1:{port};
    client_max_body_size 0;
    location /v1/ {{ return 404; }}
    location /v2/ {{
      proxy_pass http://registry/v2/;
      proxy_set_header Host $http_host;
      proxy_set_header X-Real-IP $remote_addr;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_buffering off;
      proxy_request_buffering off;
    }}
  }}
}}
"""


@pytest.fixture
def nginx(server, tmp_path):
    """The nginx of the guides in front; its address."""
    port = process.free_port()
    conf = tmp_path / "nginx.conf"
    conf.write_text(NGINX.format(place=tmp_path, registry=server.address, port=port))
    child = process.start(["nginx", "-p", tmp_path, "-c", conf], stderr=subprocess.DEVNULL)
    process.wait_for(lambda: process.connectable(port), 10, "nginx listening")
    yield f"127.0.0.1:{port}"
    process.stop(child)


@pytest.mark.limit(180)
def test_behind_nginx(docker, server, nginx, tmp_path):
    """Guides 000, 001 and 004: compose file, nginx in front, soft and hard delete."""
    url, name = f"http://{nginx}", "library/hello-world"
    assert shell(f"curl -s {url}/v2/_catalog") == '{"repositories":[]}'
    docker.run("tag", "hello-world", f"{nginx}/{name}")
    docker.run("push", f"{nginx}/{name}")
    docker.run("rmi", f"{nginx}/{name}")
    docker.run("pull", f"{nginx}/{name}")
    assert json.loads(shell(f"curl -s {url}/v2/_catalog")) == {"repositories": [name]}
    assert json.loads(shell(f"curl -s -X GET {url}/v2/{name}/tags/list")) == {
        "name": name, "tags": ["latest"]}
    manifest = json.loads(shell(
        f'curl -s -H "Accept: {V2}" -X GET {url}/v2/{name}/manifests/latest'))
    assert manifest["mediaType"] == V2
    layer = manifest["layers"][0]
    blob = tmp_path / "hello-world.blob"
    shell(f"curl -s -X GET {url}/v2/{name}/blobs/{layer['digest']} -o {blob}")
    assert blob.stat().st_size == layer["size"]
    assert "sha256:" + shell(f"sha256sum {blob}").split()[0] == layer["digest"]
    head = shell(f'curl -i -s -H "Accept: {V2}" -X GET {url}/v2/{name}/manifests/latest')
    fields = {line.split(":", 1)[0].lower(): line.split(":", 1)[1].strip()
              for line in head.split("\n\n")[0].splitlines()[1:] if ":" in line}
    digest = fields["docker-content-digest"]
    assert fields["docker-distribution-api-version"] == "registry/2.0"
    assert fields["etag"].strip('"') == digest
    assert digest == digest_of_tag(url, name, "latest")
    answer = shell(f"curl -k -v -s -X DELETE {url}/v2/{name}/manifests/{digest} 2>&1")
    assert "202 Accepted" in answer and "Content-Length: 0" in answer
    assert json.loads(shell(f"curl -s -X GET {url}/v2/{name}/tags/list"))["tags"] in (None, [])
    before = store_bytes(server)
    planned = entrepot(server, "garbage-collect", "--dry-run").stdout
    assert layer["digest"] in planned and store_bytes(server) == before
    entrepot(server, "garbage-collect")
    assert before - store_bytes(server) >= layer["size"]
    docker.run("tag", "hello-world", f"{nginx}/{name}")
    docker.run("push", f"{nginx}/{name}")
    server.restart(keep_address=True)
    docker.run("rmi", f"{nginx}/{name}")
    docker.run("pull", f"{nginx}/{name}")


@pytest.mark.limit(180)
def test_users_log_in(docker, start, tmp_path):
    """Guide 003: an image made from a container, and a registry that asks for a password."""
    users = tmp_path / "htpasswd"
    users.write_text(shell("htpasswd -Bbn ljkj ljkj2016") + "\n")
    server = start(daemon.hub_of("http://127.0.0.1:1"), access={"htpasswd": str(users)})
    registry, url = server.address, server.url
    assert shell(f"curl -s -o /dev/null -w '%{{http_code}}' {url}/v2/_catalog") == "401"
    refused = docker.run("push", f"{registry}/nothing", check=False)
    assert refused.returncode != 0
    name = f"{registry}/ljdemo/centos:latest"
    docker.run("rm", "-f", "source", check=False)
    docker.run("create", "--name", "source", "hello-world")
    docker.run("commit", "source", name)
    docker.run("rm", "source")
    assert docker.run("push", name, check=False).returncode != 0
    wrong = docker.run("login", "-u", "ljkj", "-p", "wrong", registry, check=False)
    assert wrong.returncode != 0
    assert "Login Succeeded" in docker.run("login", "-u", "ljkj", "-p", "ljkj2016",
                                           registry).stdout
    saved = json.loads((docker.path / "client" / "config.json").read_text())
    assert base64.b64decode(saved["auths"][registry]["auth"]) == b"ljkj:ljkj2016"
    pushed = docker.run("push", name).stdout
    digest = shell(f"echo '{pushed}' | grep digest | awk '{{print $3}}'")
    assert digest.startswith("sha256:")
    assert json.loads(shell(f"curl -s -u ljkj:ljkj2016 {url}/v2/_catalog")) == {
        "repositories": ["ljdemo/centos"]}
    docker.run("rmi", name)
    docker.run("pull", name)
    official = shell(f'curl -s -u ljkj:ljkj2016 --header "Accept: {V2}" -I -X HEAD '
                     f"{url}/v2/ljdemo/centos/manifests/latest | grep Docker-Content-Digest "
                     "| awk '{print $2}' | tr -d '\\r'")
    assert official == digest
    answer = shell(f"curl -s -u ljkj:ljkj2016 -I -X DELETE "
                   f"{url}/v2/ljdemo/centos/manifests/{official}")
    assert answer.splitlines()[0].startswith("HTTP/1.1 202")
    docker.run("rmi", name)
    gone = docker.run("pull", name, check=False)
    assert gone.returncode != 0 and "not found" in gone.stderr + gone.stdout
    docker.run("logout", registry)
    assert docker.run("push", f"{registry}/hello-world", check=False).returncode != 0


@pytest.mark.limit(120)
def test_a_certificate_of_ones_own(docker, start, tmp_path):
    """A CA in certs.d instead of insecure-registries; restart keeps everything."""
    authority = certificates.Authority(tmp_path)
    pair = authority.issue()
    server = start(daemon.hub_of("http://127.0.0.1:1"), flags=["--open"],
                   listen=[{"address": "127.0.0.1:0", "tls": {
                       "certificate": str(pair.chain), "key": str(pair.key)}}])
    url = f"https://{server.address}"
    assert shell(f"curl -s --cacert {authority.certificate} {url}/v2/_catalog") == (
        '{"repositories":[]}')
    assert process.run(["curl", "-s", f"{url}/v2/"], check=False).returncode == 60
    with clients.Skopeo() as skopeo:
        layout = tmp_path / "layout"
        image = images.small(7, kind="oci")
        images.write_layout(image, layout, "v1")
        place = tmp_path / "certs.d" / server.address
        place.mkdir(parents=True)
        (place / "ca.crt").write_bytes(authority.certificate.read_bytes())
        skopeo.run("copy", "--dest-cert-dir", place, f"oci:{layout}:v1",
                   f"docker://{server.address}/team/app:v1")
        server.restart(keep_address=True)
        raw = skopeo.run("inspect", "--raw", "--cert-dir", place,
                         f"docker://{server.address}/team/app:v1").stdout.encode()
        assert hashlib.sha256(raw).hexdigest() == image.root.digest.split(":")[1]
