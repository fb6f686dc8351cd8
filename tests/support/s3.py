"""A store that speaks S3's protocol, by moto: it checks signatures, keeps its objects across stop() and start(), and fails
on request. Objects are read with botocore."""

import json
import threading

import botocore.session
import moto.server
import requests
from botocore.config import Config
from moto.s3.models import s3_backends
from werkzeug.serving import WSGIRequestHandler, make_server

from .local_server import LocalServer
from .ports import free_port
from .waiting import until

BUCKET = "archive"
POLICY = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["s3:*", "sqs:*"], "Resource": "*"}]}


class _Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_request(self, *_):
        pass


class Store(LocalServer):
    """`fails`: [(method, part of path and query, code, word)] are answered so, one by one; `seen`: requests of Holdfast as
    (method, path, query, headers)."""

    def __init__(self, buckets=(BUCKET,)):
        self.port = free_port()
        self.fails = []
        self.hides = []  # a method and a part of the query: done, but the answer is lost
        self.seen = []
        self._app = moto.server.DomainDispatcherApplication(moto.server.create_backend_app)
        self._lock = threading.Lock()
        self.start()
        requests.post(f"{self.url}/moto-api/reset", timeout=10)
        requests.post(f"{self.url}/moto-api/reset-auth", data=b"1000000", timeout=10)
        iam = self._client("iam", "none", "none")
        iam.create_user(UserName="writer")
        iam.put_user_policy(UserName="writer", PolicyName="s3", PolicyDocument=json.dumps(POLICY))
        key = iam.create_access_key(UserName="writer")["AccessKey"]
        self.access, self.secret = key["AccessKeyId"], key["SecretAccessKey"]
        requests.post(f"{self.url}/moto-api/reset-auth", data=b"0", timeout=10)
        self.client = self._client("s3", self.access, self.secret)
        for bucket in buckets:
            self.client.create_bucket(Bucket=bucket)

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
            region_name="us-east-1",
            endpoint_url=self.url,
            aws_access_key_id=access,
            aws_secret_access_key=secret,
            config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 10}),
        )

    def _make_server(self):
        return make_server(
            "127.0.0.1", self.port, self._serve, threaded=True, request_handler=_Quiet
        )

    def _serve(self, environment, start_response):
        if not environment.get("HTTP_USER_AGENT", "").startswith("Holdfast"):
            return self._app(environment, start_response)
        method, query = environment["REQUEST_METHOD"], environment["QUERY_STRING"]
        path = f"{environment['PATH_INFO']}?{query}"
        headers = {key[5:].lower().replace("_", "-"): value for key, value in environment.items() if key[:5] == "HTTP_"}
        with self._lock:
            self.seen.append((method, environment["PATH_INFO"], query, headers))
            fail = next((one for one in self.fails if one[0] == method and one[1] in path), None)
            if fail:
                self.fails.remove(fail)
            hide = next((one for one in self.hides if one[0] == method and one[1] in query), None)
            if hide:
                self.hides.remove(hide)
        if fail:
            # The connection is closed: the body was not read.
            start_response(f"{fail[2]} Failed", [("Content-Type", "application/xml"), ("Connection", "close")])
            return [f"<Error><Code>{fail[3]}</Code><Message>as the test wants &amp; says</Message></Error>".encode()]
        answer = self._app(environment, start_response)
        if hide:
            environment["werkzeug.socket"].shutdown(2)
        return answer

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def keys(self, bucket=BUCKET):
        found = []
        for page in self.client.get_paginator("list_objects_v2").paginate(Bucket=bucket):
            found += [one["Key"] for one in page.get("Contents", [])]
        return found

    def notify(self, bucket=BUCKET):
        """A queue with a message for every new object of the bucket; its URL. What is not deleted is there again at once."""
        self.queue = self._client("sqs", self.access, self.secret)
        url = self.queue.create_queue(QueueName="new-objects", Attributes={"VisibilityTimeout": "0"})["QueueUrl"]
        arn = self.queue.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        self.client.put_bucket_notification_configuration(
            Bucket=bucket,
            NotificationConfiguration={"QueueConfigurations": [{"QueueArn": arn, "Events": ["s3:ObjectCreated:*"]}]},
        )
        return url

    def messages(self, url):
        """How many are in the queue."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = self.queue.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        return sum(int(number) for number in found.values())

    def object(self, key, bucket=BUCKET):
        """(content as stored, what is known of it)"""
        got = self.client.get_object(Bucket=bucket, Key=key)
        return got["Body"].read(), got

    def put_quickly(self, key, body, bucket=BUCKET):
        """Without a request, for very many."""
        s3_backends["123456789012"]["aws"].put_object(bucket, key, body)

    def wait_for_keys(self, count, bucket=BUCKET):
        until(lambda: len(self.keys(bucket)) >= count, lambda: f"{self.keys(bucket)}, not {count} objects")
        return self.keys(bucket)


