"""A stand-in of an OpenID Connect issuer: its discovery document, its keys, and tokens that PyJWT signs."""

import http.server
import json
import threading
import time

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt import algorithms

from .ports import free_port

# A key for each kind of algorithm.
MAKERS = {
    "RS256": lambda: rsa.generate_private_key(65537, 2048),
    "PS256": lambda: rsa.generate_private_key(65537, 2048),
    "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "ES384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "ES512": lambda: ec.generate_private_key(ec.SECP521R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate,
}


def public_jwk(algorithm, key, kid):
    """The public key as the set has it."""
    made = algorithms.get_default_algorithms()[algorithm].to_jwk(key.public_key(), as_dict=True)
    return {**made, "kid": kid, "use": "sig"}


class Issuer:
    def __init__(self, algorithms_wanted=("RS256",)):
        self.port = free_port()
        self.private = {}
        self.asked = []  # paths
        self._server = None
        for algorithm in algorithms_wanted:
            self.add_key(algorithm, f"key-{algorithm}")

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def add_key(self, algorithm, kid):
        self.private[kid] = (algorithm, MAKERS[algorithm]())

    def keys(self):
        return {"keys": [public_jwk(algorithm, key, kid) for kid, (algorithm, key) in self.private.items()]}

    def token(self, kid=None, headers=None, **claims):
        """Signed by that key, the first otherwise. A claim that is None is left out."""
        kid = kid or next(iter(self.private))
        algorithm, key = self.private[kid]
        now = int(time.time())
        made = {"iss": self.url, "aud": "holdfast", "sub": "me", "exp": now + 3600, **claims}
        made = {name: value for name, value in made.items() if value is not None}
        return jwt.encode(made, key, algorithm, {"kid": kid, **(headers or {})})

    def start(self):
        issuer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                issuer.asked.append(self.path)
                documents = {
                    "/.well-known/openid-configuration": lambda: {
                        "issuer": issuer.url,
                        "jwks_uri": f"{issuer.url}/keys",
                    },
                    "/keys": issuer.keys,
                }
                made = documents.get(self.path)
                text = json.dumps(made() if made else {}).encode()
                self.send_response(200 if made else 404)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def stop(self):
        if self._server:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    __enter__ = start

    def __exit__(self, *_):
        self.stop()
