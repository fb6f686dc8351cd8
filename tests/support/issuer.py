"""A stand-in of an OpenID Connect issuer: its discovery document, its keys, and tokens that PyJWT signs."""

import http.server
import json
import time

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt import algorithms

from .local_server import LocalServer, Quiet
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


class Issuer(LocalServer):
    def __init__(self, algorithms_wanted=("RS256",)):
        self.port = free_port()
        self.private = {}
        self.asked = []  # paths
        for algorithm in algorithms_wanted:
            self.add_key(algorithm, f"key-{algorithm}")

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

    def _make_server(self):
        issuer = self

        class Handler(Quiet):
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

        return http.server.ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
