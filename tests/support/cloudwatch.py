"""CloudWatch Logs, by moto: it checks signatures, keeps its log groups across stop() and start(), and fails on request.
Events are read with botocore."""

import json
import threading

import botocore.session
import moto.server
import requests
from botocore.config import Config
from werkzeug.serving import WSGIRequestHandler, make_server

from .local_server import LocalServer
from .ports import free_port
from .waiting import until

REGION = "eu-west-1"
POLICY = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["logs:*", "xray:*"], "Resource": "*"}]}


class _Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_request(self, *_):
        pass


class CloudWatch(LocalServer):
    """`fails`: [(operation, code, error, message)] are answered so, one by one; `answers`: {operation: JSON} instead of
    moto's; `poison`: a text that no body may have; `seen`: requests of Holdfast as (operation, JSON, headers)."""

    def __init__(self):
        self.port = free_port()
        self.fails = []
        self.answers = {}
        self.poison = None
        self.seen = []
        self._app = moto.server.DomainDispatcherApplication(moto.server.create_backend_app)
        self._lock = threading.Lock()
        self.start()
        requests.post(f"{self.url}/moto-api/reset", timeout=10)
        requests.post(f"{self.url}/moto-api/reset-auth", data=b"1000000", timeout=10)
        iam = self._client("iam", "none", "none")
        iam.create_user(UserName="writer")
        iam.put_user_policy(UserName="writer", PolicyName="logs", PolicyDocument=json.dumps(POLICY))
        key = iam.create_access_key(UserName="writer")["AccessKey"]
        self.access, self.secret = key["AccessKeyId"], key["SecretAccessKey"]
        requests.post(f"{self.url}/moto-api/reset-auth", data=b"0", timeout=10)
        self.client = self._client("logs", self.access, self.secret)

    @property
    def environment(self):
        """The credentials, as a program finds them."""
        return {
            "AWS_ACCESS_KEY_ID": self.access,
            "AWS_SECRET_ACCESS_KEY": self.secret,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def _client(self, service, access, secret):
        return botocore.session.get_session().create_client(
            service,
            region_name=REGION,
            endpoint_url=self.url,
            aws_access_key_id=access,
            aws_secret_access_key=secret,
            config=Config(retries={"max_attempts": 10}),
        )

    def _make_server(self):
        return make_server("127.0.0.1", self.port, self._serve, threaded=True, request_handler=_Quiet)

    def _serve(self, environment, start_response):
        if not environment.get("HTTP_USER_AGENT", "").startswith("Holdfast"):
            return self._app(environment, start_response)
        body = environment["wsgi.input"].read(int(environment.get("CONTENT_LENGTH") or 0))
        headers = {key[5:].lower().replace("_", "-"): value for key, value in environment.items() if key[:5] == "HTTP_"}
        operation = headers.get("x-amz-target", environment["PATH_INFO"]).rpartition(".")[2]
        with self._lock:
            self.seen.append((operation, json.loads(body), headers))
            fail = next((one for one in self.fails if one[0] == operation), None)
            if fail:
                self.fails.remove(fail)
        if self.poison and self.poison in body.decode():
            fail = (operation, 400, "InvalidParameterException", f"no {self.poison}")
        if fail:
            start_response(f"{fail[1]} Failed", [("Content-Type", "application/x-amz-json-1.1")])
            return [json.dumps({"__type": f"com.amazonaws.logs#{fail[2]}", "message": fail[3]}).encode()]
        environment["wsgi.input"] = _Again(body)
        answer = b"".join(self._app(environment, start_response)) if operation not in self.answers else None
        if answer is None:
            start_response("200 OK", [("Content-Type", "application/x-amz-json-1.1")])
            answer = json.dumps(self.answers[operation]).encode()
        return [answer]

    def operations(self):
        return [one[0] for one in self.seen]

    def puts(self):
        return [one[1] for one in self.seen if one[0] == "PutLogEvents"]

    def streams(self, group):
        try:
            return [one["logStreamName"] for one in self.client.describe_log_streams(logGroupName=group)["logStreams"]]
        except self.client.exceptions.ResourceNotFoundException:
            return []

    def events(self, group, stream=None):
        """(time in ms, text) of each event of the group, or of one stream of it."""
        found = []
        for name in [stream] if stream else self.streams(group):
            if name not in self.streams(group):
                continue
            answer = self.client.get_log_events(logGroupName=group, logStreamName=name, startFromHead=True, limit=10000)
            found += [(one["timestamp"], one["message"]) for one in answer["events"]]
        return found

    def wait_for_events(self, group, count, stream=None):
        until(lambda: len(self.events(group, stream)) >= count, lambda: f"{len(self.events(group, stream))} of {count} events")
        return self.events(group, stream)


class _Again:
    """A body that was read once already."""

    def __init__(self, body):
        self._body = body

    def read(self, size=-1):
        size = len(self._body) if size is None or size < 0 else size
        part, self._body = self._body[:size], self._body[size:]
        return part
