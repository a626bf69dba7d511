"""Certificates for TLS upstreams, good and bad, made with the openssl program.

    authority = Authority(directory)
    Upstream(tls=authority.issue())                      # good for 127.0.0.1 and localhost
    Upstream(tls=authority.issue(days=-1))               # expired
    Upstream(tls=authority.issue(names=["DNS:other"]))   # wrong name
    Upstream(tls=self_signed(directory))
    Upstream(tls=authority.issue().only(ssl.TLSVersion.TLSv1))
"""

import dataclasses
import pathlib
import ssl

from . import process


@dataclasses.dataclass
class Certificate:
    chain: pathlib.Path
    key: pathlib.Path
    version: ssl.TLSVersion | None = None   # the only version spoken
    client_ca: pathlib.Path | None = None   # clients must show a certificate of this authority

    def only(self, version):
        return dataclasses.replace(self, version=version)

    def demanding(self, authority):
        return dataclasses.replace(self, client_ca=authority.certificate)

    def server_context(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        if self.version:
            # Old versions are compiled in, only the security level forbids them.
            context.set_ciphers("ALL:@SECLEVEL=0")
            context.minimum_version = context.maximum_version = self.version
        context.load_cert_chain(self.chain, self.key)
        if self.client_ca:
            context.load_verify_locations(self.client_ca)
            context.verify_mode = ssl.CERT_REQUIRED
        return context


class Authority:
    def __init__(self, directory, name="lab"):
        self.directory = pathlib.Path(directory) / f"ca-{name}"
        self.directory.mkdir(parents=True)
        self.certificate = self.directory / "ca.pem"
        self.key = self.directory / "ca.key"
        self.issued = 0
        (self.directory / "index.txt").write_text("")
        process.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                     "ec_paramgen_curve:P-256", "-nodes", "-keyout", self.key, "-out",
                     self.certificate, "-days", "30", "-subj", f"/CN={name} authority"])

    def issue(self, names=("IP:127.0.0.1", "DNS:localhost"), days=30):
        """days < 0: ended so many days ago."""
        self.issued += 1
        stem = self.directory / f"leaf-{self.issued}"
        key, request, chain = (stem.with_suffix(s) for s in (".key", ".csr", ".pem"))
        process.run(["openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                     "-nodes", "-keyout", key, "-out", request, "-subj", "/CN=lab"])
        (self.directory / "ca.cnf").write_text(
            "[ca]\ndefault_ca=c\n[c]\ndatabase=%s/index.txt\nnew_certs_dir=%s\nrand_serial=yes\n"
            "default_md=sha256\npolicy=p\nunique_subject=no\nx509_extensions=e\n[p]\n"
            "commonName=supplied\n[e]\nsubjectAltName=%s\n"
            % (self.directory, self.directory, ",".join(names)))
        process.run(["openssl", "ca", "-batch", "-config", self.directory / "ca.cnf", "-cert",
                     self.certificate, "-keyfile", self.key, "-in", request, "-out", chain,
                     "-notext", "-startdate", _stamp(-40), "-enddate", _stamp(days)])
        return Certificate(chain, key)


def self_signed(directory):
    directory = pathlib.Path(directory)
    chain, key = directory / "self.pem", directory / "self.key"
    process.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                 "-nodes", "-keyout", key, "-out", chain, "-days", "30", "-subj", "/CN=127.0.0.1",
                 "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"])
    return Certificate(chain, key)


def _stamp(days):
    import datetime
    when = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=days)
    return when.strftime("%Y%m%d%H%M%SZ")
