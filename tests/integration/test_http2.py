"""The http2 switch of an upstream, against nginx (terminating TLS before the hostile upstream)."""

import pytest
from support import images, process, walk
from support.certificates import Authority
from support.daemon import hub_of

NAME = "org/app"


@pytest.fixture
def front(upstream, tmp_path):
    """An nginx speaking HTTP/1.1 and HTTP/2 over TLS, its access log naming the protocol."""
    authority = Authority(tmp_path)
    certificate = authority.issue()
    port = process.free_port()
    (tmp_path / "nginx.conf").write_text(f"""
daemon off; pid {tmp_path}/pid; error_log {tmp_path}/error; worker_processes 1; user root;
events {{ }}
http {{
  log_format protocol '$server_protocol $request_uri'; access_log {tmp_path}/access protocol;
  client_body_temp_path {tmp_path}/t1; proxy_temp_path {tmp_path}/t2; fastcgi_temp_path {tmp_path}/t3;
  uwsgi_temp_path {tmp_path}/t4; scgi_temp_path {tmp_path}/t5;
  server {{
    listen 127.0.0.1:{port} ssl http2;
    ssl_certificate {certificate.chain}; ssl_certificate_key {certificate.key};
    location / {{ proxy_pass {upstream.url}; proxy_http_version 1.1; }}
  }}
}}""")
    nginx = process.start(["nginx", "-c", tmp_path / "nginx.conf", "-e", tmp_path / "error"])
    try:
        process.wait_for(lambda: process.connectable(port), 10, "nginx listening")
        yield f"https://127.0.0.1:{port}", authority, tmp_path / "access"
    finally:
        process.stop(nginx)


@pytest.mark.parametrize("http2, spoken", [(True, "HTTP/2.0"), (False, "HTTP/1.1")])
def test_the_protocol_follows_the_switch(start, upstream, front, http2, spoken):
    url, authority, log = front
    image = images.raw_layers([images.blob(3_000_000, n) for n in range(3)])
    upstream.add(image, NAME, "v1")
    mirror = start(hub_of(url, ca=str(authority.certificate), http2=http2))
    walk.pull(mirror.address, NAME, "v1", image)
    lines = process.wait_for(lambda: log.read_text().splitlines(), 5, "nginx's log")
    assert {line.split()[0] for line in lines} == {spoken}
