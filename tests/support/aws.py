"""Stand-ins of what hands out AWS credentials: the Security Token Service, the container's agent, the instance (IMDSv2).

Signatures are compared with botocore's.
"""

import http.server
import json
import time
import urllib.parse

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from .local_server import LocalServer, Quiet
from .ports import free_port


def signature_of(authorization):
    """(access key, region, service, signed headers, signature)"""
    kind, _, rest = authorization.partition(" ")
    assert kind == "AWS4-HMAC-SHA256"
    parts = dict(one.strip().split("=", 1) for one in rest.split(","))
    access, _, region, service, end = parts["Credential"].split("/")
    assert end == "aws4_request"
    return access, region, service, parts["SignedHeaders"].split(";"), parts["Signature"]


def is_signed(method, url, headers, body, secret, token=None):
    """Does botocore make the same signature of that request?"""
    access, region, service, names, signature = signature_of(headers["authorization"])
    assert {"host", "x-amz-date"} <= set(names)
    assert headers.get("x-amz-security-token") == token
    assert token is None or "x-amz-security-token" in names
    request = AWSRequest(method, url, {name: headers[name] for name in names}, body)
    request.context["timestamp"] = headers["x-amz-date"]
    signer = SigV4Auth(Credentials(access, secret, token), service, region)
    text = signer.string_to_sign(request, signer.canonical_request(request))
    return signer.signature(text, request) == signature


class CredentialServer(LocalServer):
    """`given`: what was handed out: (access key, secret, token), a new one each time. `life` in seconds."""

    def __init__(self, life=3600):
        self.port = free_port()
        self.life = life
        self.given = []
        self.asked = []  # (method, path, headers, body)
        self.refuse = None  # (code, body)

    def _make(self):
        number = len(self.given) + 1
        self.given.append((f"ASIA{number}", f"secret/{number}+", f"token/{number}=="))
        return self.given[-1]

    def _end(self):
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + self.life))

    def _json(self):
        access, secret, token = self._make()
        made = {"AccessKeyId": access, "SecretAccessKey": secret, "Token": token, "Expiration": self._end()}
        return json.dumps(made)

    def _xml(self, action):
        access, secret, token = self._make()
        return (
            f"<{action}Response><{action}Result><Credentials><AccessKeyId>{access}</AccessKeyId>"
            f"<SecretAccessKey>{secret}</SecretAccessKey><SessionToken>{token}</SessionToken>"
            f"<Expiration>{self._end()}</Expiration></Credentials></{action}Result></{action}Response>"
        )

    def _answer(self, method, path, headers, body):
        roles = "/latest/meta-data/iam/security-credentials/"
        if self.refuse:
            return self.refuse
        if (method, path) == ("PUT", "/latest/api/token"):
            return (200, "imds-token") if "x-aws-ec2-metadata-token-ttl-seconds" in headers else (400, "")
        if path.startswith(roles):
            if headers.get("x-aws-ec2-metadata-token") != "imds-token":
                return 401, ""
            return 200, "my-role" if path == roles else self._json()
        if (method, path) == ("GET", "/agent"):
            return 200, self._json()
        if method == "POST":
            action = urllib.parse.parse_qs(body.decode())["Action"][0]
            return 200, self._xml(action)
        return 404, ""

    def _make_server(self):
        server = self

        class Handler(Quiet):
            def _serve(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                headers = {key.lower(): value for key, value in self.headers.items()}
                code, text = server._answer(self.command, self.path, headers, body)
                server.asked.append((self.command, self.path, headers, body))
                self.send_response(code)
                self.send_header("Content-Length", str(len(text.encode())))
                self.end_headers()
                self.wfile.write(text.encode())

            do_GET = do_POST = do_PUT = _serve

        return http.server.ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
