"""The exporter and the receiver awss3 against a real MinIO, which checks signatures and the hashes of contents.

Requests are written while Holdfast is killed and MinIO is killed, one of them in parts; then all of it is fed back.
"""

import os
import time

import botocore.session

from support import otlp, senders
from support.backends import GrpcBackend
from support.holdfast import FAST_RETRY, Holdfast, otlp_exporter, pipelines
from support.senders import GrpcSender
from support.waiting import until

from .modules import built
from .service import Service

MODULE, VERSION = "github.com/minio/minio", "v0.0.0-20260212201848-7aac2a2c5b7c"


class S3(Service):
    """A server that speaks S3."""

    access, secret = "test", "testtest"
    keeps_parts = True  # objects that were uploaded in parts outlive a kill

    def client(self):
        return botocore.session.get_session().create_client(
            "s3",
            region_name="us-east-1",
            endpoint_url=self.url,
            aws_access_key_id=self.access,
            aws_secret_access_key=self.secret,
        )


class Minio(S3):
    name, ready = "minio", "/minio/health/live"

    def command(self):
        program = built("minio", MODULE, VERSION, MODULE)
        return [program, "server", "--address", f"{self.host}:{self.port}", "--quiet", "data"]

    def environment(self):
        settings = {"MINIO_ROOT_USER": self.access, "MINIO_ROOT_PASSWORD": self.secret}
        return {**os.environ, **settings, "MINIO_UPDATE": "off", "MINIO_BROWSER": "off"}


def keys(server):
    """Its keys, as a program finds them."""
    return {
        "AWS_ACCESS_KEY_ID": server.access,
        "AWS_SECRET_ACCESS_KEY": server.secret,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def writing(server):
    uploader = {"s3_bucket": "archive", "s3_prefix": "pre", "endpoint": server.url, "compression": "zstd"}
    exporter = {"s3uploader": uploader, "marshaler": "otlp_proto", "retry_on_failure": dict(FAST_RETRY)}
    return {"exporters": {"awss3": exporter}, "service": {"pipelines": pipelines(["awss3"])}}


def reading(server, backend, begun):
    downloader = {"s3_bucket": "archive", "s3_prefix": "pre", "endpoint": server.url}
    times = [time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at)) for at in (begun - 60, time.time() + 60)]
    receiver = {"starttime": times[0], "endtime": times[1], "s3downloader": downloader}
    made = pipelines(["otlp"])
    for one in made.values():
        one["receivers"] = ["awss3"]
    return {
        "receivers": {"awss3": receiver},
        "exporters": {"otlp": otlp_exporter(backend)},
        "service": {"pipelines": made},
    }


def write_all(server, holdfast):
    sent = {signal: [] for signal in otlp.SIGNALS}
    with GrpcSender(holdfast.grpc_target) as sender:
        for number in range(40):
            for signal in otlp.SIGNALS:
                some = otlp.new_ids(5)
                sender.export(signal, otlp.request(signal, some))
                sent[signal] += some
            if number in (10, 30):
                holdfast.kill9()
                holdfast.start()
            if number == 20:
                server.kill()
            if number == 35:
                server.start()
    if server.keeps_parts:
        sent[otlp.LOGS] += send_large(holdfast)
    return sent


def send_large(holdfast):
    """Sends what takes several parts."""
    large = otlp.new_ids(3)
    body = otlp.request(otlp.LOGS, large, padding=os.urandom(4_500_000).hex())
    assert senders.post(holdfast.http_base, otlp.LOGS, body).status_code == 200
    return large


def main(directory, release=Minio):
    server = release(directory)
    holdfast = reader = None
    begun = time.time()
    try:
        server.start()
        server.client().create_bucket(Bucket="archive")
        holdfast = Holdfast(directory / "writer", writing(server), environment=keys(server)).start()
        sent = write_all(server, holdfast)
        for signal in otlp.SIGNALS:
            until(
                lambda signal=signal: holdfast.books(signal.name, "awss3")["queued"]["items"] == 0,
                lambda signal=signal: (holdfast.books(signal.name, "awss3"), holdfast.log()[-2000:], server.said()),
                60,
            )
        server.kill()
        server.start()
        with GrpcBackend() as backend:
            reader = Holdfast(directory / "reader", reading(server, backend, begun), environment=keys(server))
            reader.start()
            for signal in otlp.SIGNALS:
                backend.wait_for(sent[signal], 60)
                print(f"{signal.name}: {len(sent[signal])} items written and read back", flush=True)
            reader.close()
        holdfast.close()
        return True
    finally:
        for one in (holdfast, reader):
            if one and one.process and one.process.poll() is None:
                one.kill9()
        server.close()
