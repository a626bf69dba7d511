"""JSON Web Tokens as others would make them, with the openssl program: right ones and forged ones.

    key = Key("ES256")                        # or RS256, ES384, EdDSA; Key.of(file) for one there is
    text = key.sign({"kid": "a"}, {"iss": "https://ci.example", ...})
    keys.write_text(json.dumps({"keys": [key.jwk("a")]}))
"""

import base64
import hashlib
import hmac
import json
import pathlib
import tempfile

from . import process

_GENPKEY = {"RS256": ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
            "ES256": ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
            "ES384": ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"],
            "EdDSA": ["-algorithm", "ED25519"]}
_COORDINATE = {"ES256": 32, "ES384": 48}


def encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def parts(token):
    """(header, claims), unverified."""
    header, claims, _ = token.split(".")
    return json.loads(decode(header)), json.loads(decode(claims))


def unsigned(header, claims):
    return ".".join(encode(json.dumps(part).encode()) for part in (header, claims))


def hmac_signed(header, claims, secret):
    """HS256, which nobody should accept."""
    text = unsigned({"alg": "HS256", "typ": "JWT", **header}, claims)
    return f"{text}.{encode(hmac.new(secret, text.encode(), hashlib.sha256).digest())}"


def _integers(der):
    """Of a SEQUENCE of two INTEGERs shorter than 128 bytes."""
    assert der[0] == 0x30 and der[1] < 0x80
    first = 4 + der[3]
    return [int.from_bytes(piece, "big") for piece in (der[4:first], der[first + 2:])]


class Key:
    def __init__(self, algorithm="ES256", file=None):
        self.algorithm = algorithm
        self.place = tempfile.TemporaryDirectory(prefix="entrepot-key-")
        self.file = pathlib.Path(file or f"{self.place.name}/key.pem")
        if file is None:
            process.run(["openssl", "genpkey", *_GENPKEY[algorithm], "-out", self.file])

    def public(self, form="PEM"):
        out = f"{self.place.name}/public"
        process.run(["openssl", "pkey", "-in", self.file, "-pubout", "-outform", form, "-out", out])
        return pathlib.Path(out).read_bytes()

    def jwk(self, kid):
        """The public half."""
        if self.algorithm == "RS256":
            line = process.run(["openssl", "rsa", "-in", self.file, "-noout", "-modulus"]).stdout
            modulus = bytes.fromhex(line.strip().removeprefix("Modulus="))
            return {"kty": "RSA", "kid": kid, "n": encode(modulus), "e": "AQAB"}
        der = self.public("DER")  # ends with the point or the key itself
        if self.algorithm == "EdDSA":
            return {"kty": "OKP", "crv": "Ed25519", "kid": kid, "x": encode(der[-32:])}
        size = _COORDINATE[self.algorithm]
        return {"kty": "EC", "crv": "P-256" if size == 32 else "P-384", "kid": kid,
                "x": encode(der[-2 * size:-size]), "y": encode(der[-size:])}

    def sign(self, header, claims):
        text = unsigned({"alg": self.algorithm, "typ": "JWT", **header}, claims)
        return f"{text}.{encode(self._signature(text.encode()))}"

    def _signature(self, data):
        text, out = (pathlib.Path(self.place.name) / name for name in ("text", "signature"))
        text.write_bytes(data)
        if self.algorithm == "EdDSA":
            process.run(["openssl", "pkeyutl", "-sign", "-rawin", "-inkey", self.file, "-in", text,
                         "-out", out])
        else:
            process.run(["openssl", "dgst", "-sha384" if self.algorithm == "ES384" else "-sha256",
                         "-sign", self.file, "-out", out, text])
        size = _COORDINATE.get(self.algorithm)
        if size is None:
            return out.read_bytes()
        return b"".join(number.to_bytes(size, "big") for number in _integers(out.read_bytes()))

    def signed(self, token):
        """Whether an ES256 token is of this key."""
        text, _, signature = token.rpartition(".")
        raw = decode(signature)
        der = b"".join(_der_integer(raw[at:at + 32]) for at in (0, 32))
        files = [pathlib.Path(self.place.name) / name for name in ("public", "signature", "text")]
        for file, data in zip(files, (self.public(), bytes([0x30, len(der)]) + der, text.encode())):
            file.write_bytes(data)
        done = process.run(["openssl", "dgst", "-sha256", "-verify", files[0], "-signature",
                            files[1], files[2]], check=False)
        return len(raw) == 64 and done.returncode == 0


def _der_integer(data):
    data = data.lstrip(b"\0")
    if not data or data[0] >= 0x80:
        data = b"\0" + data
    return bytes([2, len(data)]) + data
