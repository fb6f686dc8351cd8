"""Google Cloud in one server: a token endpoint that checks signatures with PyJWT, a metadata server, and Cloud Storage's JSON
interface, which takes only tokens that were given out."""

import gzip
import http.server
import itertools
import json
import threading
import time
import urllib.parse

import jwt
import zstandard
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from .local_server import LocalServer, Quiet
from .ports import free_port
from .waiting import until

BUCKET = "archive-of-logs"
EMAIL = "writer@project-1.iam.gserviceaccount.com"
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
DECODE = {
    ".gz": gzip.decompress,
    ".zst": lambda body: zstandard.ZstdDecompressor().stream_reader(body, read_across_frames=True).read(),
}


class Google(LocalServer):
    """`fails`: [(path part, code, reason)] are answered so, one by one. `hides`: path parts whose answers are lost."""

    def __init__(self, directory, buckets=()):
        self.port = free_port()
        self.directory = directory
        self.life = 3600
        self.fails, self.hides = [], []
        self.buckets = {name: {"name": name} for name in buckets}
        self.objects = {}  # (bucket, name): (bytes, content type, content encoding)
        self.asked = []  # (what, claims or parameters)
        self.seen = []  # (method, path, query, headers) of storage and of what else wants a token
        self.tokens = set()
        self.key = rsa.generate_private_key(65537, 2048)
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()

    # ---- credentials, as a program finds them

    def _environment(self, **more):
        home = self.directory / "no-home"
        home.mkdir(exist_ok=True)
        nothing = {"HOME": str(home), "GCE_METADATA_HOST": f"127.0.0.1:{self.port}"}
        return {**nothing, **more}

    def key_file(self, **changes):
        pem = self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        text = {
            "type": "service_account",
            "project_id": "project-1",
            "private_key_id": "key-1",
            "private_key": pem.decode(),
            "client_email": EMAIL,
            "token_uri": f"{self.url}/token",
            **changes,
        }
        path = self.directory / "key.json"
        path.write_text(json.dumps({key: value for key, value in text.items() if value is not None}))
        return path

    def as_service(self, **changes):
        return self._environment(GOOGLE_APPLICATION_CREDENTIALS=str(self.key_file(**changes)))

    def as_user(self):
        folder = self.directory / "gcloud"
        folder.mkdir(exist_ok=True)
        text = {
            "type": "authorized_user",
            "client_id": "id",
            "client_secret": "s&cret",
            "refresh_token": "refresh",
            "quota_project_id": "pays",
            "token_uri": f"{self.url}/token",
        }
        (folder / "application_default_credentials.json").write_text(json.dumps(text))
        return self._environment(CLOUDSDK_CONFIG=str(folder))

    def as_machine(self):
        return self._environment()

    # ---- what a test looks at

    def names(self, bucket=BUCKET):
        with self._lock:
            return sorted(name for place, name in self.objects if place == bucket)

    def wait_for_names(self, count, bucket=BUCKET):
        until(lambda: len(self.names(bucket)) >= count, lambda: f"{self.names(bucket)}")
        return self.names(bucket)

    def content(self, name, bucket=BUCKET):
        body, _, _ = self.objects[bucket, name]
        ending = next((one for one in DECODE if name.endswith(one)), None)
        return DECODE[ending](body) if ending else body

    # ---- the server

    def _make_server(self):
        google = self

        class Handler(Quiet):
            disable_nagle_algorithm = True
            wbufsize = -1

            def serve(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                url = urllib.parse.urlsplit(self.path)
                query = dict(urllib.parse.parse_qsl(url.query))
                with google._lock:
                    code, answer = google._serve(self, url.path, query, body)
                if any(part in self.path for part in google.hides):
                    google.hides.clear()
                    self.close_connection = True
                    return
                text = answer.encode() if isinstance(answer, str) else json.dumps(answer).encode()
                self.send_response(code)
                self.send_header("Content-Length", str(len(text)))
                self.send_header("Content-Type", "application/json")
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_POST = do_PUT = serve

        return http.server.ThreadingHTTPServer(("127.0.0.1", self.port), Handler)

    def _serve(self, handler, path, query, body):
        if path == "/token":
            return self._serve_token(dict(urllib.parse.parse_qsl(body.decode())))
        if path.startswith("/computeMetadata/v1/"):
            return self._serve_metadata(handler, path.removeprefix("/computeMetadata/v1/"), query)
        self.seen.append((handler.command, path, query, dict(handler.headers)))
        token = handler.headers.get("Authorization", "").removeprefix("Bearer ")
        if token not in self.tokens:
            return 401, {"error": {"code": 401, "message": "Invalid Credentials"}}
        for one in self.fails:
            if one[0] in handler.path:
                self.fails.remove(one)
                return one[1], {"error": {"code": one[1], "message": one[2]}}
        return self._serve_storage(handler, path, query, body)

    def _give(self, **more):
        token = f"token-{next(self._numbers)}"
        self.tokens.add(token)
        return {"token_type": "Bearer", "expires_in": self.life, **{key: token for key in more}}

    def _serve_token(self, form):
        if form.get("grant_type") == "refresh_token":
            self.asked.append(("user", form))
            good = (form["client_id"], form["client_secret"], form["refresh_token"]) == ("id", "s&cret", "refresh")
            return (200, self._give(access_token=1)) if good else (400, {"error": "invalid_grant"})
        try:
            assert form.get("grant_type") == GRANT
            claims = jwt.decode(
                form["assertion"], self.key.public_key(), ["RS256"], audience=f"{self.url}/token", issuer=EMAIL
            )
            assert claims["exp"] - claims["iat"] <= 3600 and abs(claims["iat"] - time.time()) < 60
            assert jwt.get_unverified_header(form["assertion"]) == {"alg": "RS256", "typ": "JWT", "kid": "key-1"}
        except (AssertionError, jwt.PyJWTError) as error:
            self.asked.append(("refused", repr(error)))
            return 400, {"error": "invalid_grant", "error_description": f"Invalid JWT Signature. {error}"}
        self.asked.append(("service", claims))
        return 200, self._give(**({"id_token": 1} if "target_audience" in claims else {"access_token": 1}))

    def _serve_metadata(self, handler, path, query):
        if handler.headers.get("Metadata-Flavor") != "Google":
            return 403, {"error": "Missing Metadata-Flavor:Google header"}
        self.asked.append((path, query))
        if path == "instance/service-accounts/default/token":
            return 200, self._give(access_token=1)
        if path == "instance/service-accounts/default/identity":
            return 200, self._give(id_token=1)["id_token"] + "\n"
        texts = {"project/project-id": "project-m", "instance/zone": "projects/123/zones/europe-west1-b"}
        return (200, texts[path]) if path in texts else (404, {"error": "not found"})

    def _serve_storage(self, handler, path, query, body):
        if (handler.command, path) == ("POST", "/storage/v1/b"):
            wanted = json.loads(body)
            if wanted["name"] in self.buckets:
                return 409, {"error": {"code": 409, "message": "You already own this bucket."}}
            self.buckets[wanted["name"]] = {**wanted, "project": query["project"]}
            return 200, self.buckets[wanted["name"]]
        parts = path.split("/")
        bucket = parts[parts.index("b") + 1] if "b" in parts else None
        if bucket not in self.buckets:
            return 404, {"error": {"code": 404, "message": "The specified bucket does not exist."}}
        if handler.command == "POST" and path == f"/upload/storage/v1/b/{bucket}/o":
            assert query["uploadType"] == "media" and "Content-Encoding" not in handler.headers
            kept = (body, handler.headers["Content-Type"], query.get("contentEncoding"))
            self.objects[bucket, query["name"]] = kept
            return 200, {"kind": "storage#object", "name": query["name"], "bucket": bucket, "size": str(len(body))}
        return 200, {"kind": "storage#objects", "items": []}
