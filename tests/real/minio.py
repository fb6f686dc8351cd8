"""The exporter and the receiver awss3 against a real MinIO, which checks signatures and the hashes of contents.

Requests are written while Holdfast is killed and MinIO is killed, one of them in parts; then all of it is fed back.
"""

import os
import subprocess
import time
import urllib.request

import botocore.session

from support import otlp, senders
from support.backends import GrpcBackend
from support.holdfast import FAST_RETRY, Holdfast, otlp_exporter, pipelines
from support.ports import free_port
from support.senders import GrpcSender
from support.waiting import until

from .modules import built

MODULE, VERSION = "github.com/minio/minio", "v0.0.0-20260212201848-7aac2a2c5b7c"
START_SECONDS = 60
KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "testtest", "AWS_EC2_METADATA_DISABLED": "true"}


class Minio:
    def __init__(self, directory):
        self.home = directory / "minio"
        self.home.mkdir(parents=True)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process = None

    def start(self):
        program = built("minio", MODULE, VERSION, MODULE)
        settings = {"MINIO_ROOT_USER": "test", "MINIO_ROOT_PASSWORD": "testtest", "MINIO_UPDATE": "off"}
        with open(self.home / "log", "ab") as log:
            self.process = subprocess.Popen(
                [program, "server", "--address", f"127.0.0.1:{self.port}", "--quiet", "data"],
                cwd=self.home,
                env={**os.environ, **settings, "MINIO_BROWSER": "off"},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        until(self.is_ready, lambda: (self.home / "log").read_text()[-3000:], START_SECONDS)
        return self

    def is_ready(self):
        try:
            with urllib.request.urlopen(f"{self.url}/minio/health/live", timeout=5) as answer:
                return answer.status == 200
        except OSError:
            return False

    def kill(self):
        self.process.kill()
        self.process.wait(20)

    def client(self):
        return botocore.session.get_session().create_client(
            "s3",
            region_name="us-east-1",
            endpoint_url=self.url,
            aws_access_key_id="test",
            aws_secret_access_key="testtest",
        )


def writing(minio):
    uploader = {"s3_bucket": "archive", "s3_prefix": "pre", "endpoint": minio.url, "compression": "zstd"}
    exporter = {"s3uploader": uploader, "marshaler": "otlp_proto", "retry_on_failure": dict(FAST_RETRY)}
    return {"exporters": {"awss3": exporter}, "service": {"pipelines": pipelines(["awss3"])}}


def reading(minio, backend, begun):
    downloader = {"s3_bucket": "archive", "s3_prefix": "pre", "endpoint": minio.url}
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


def write_all(minio, holdfast):
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
                minio.kill()
            if number == 35:
                minio.start()
    large = otlp.new_ids(3)
    body = otlp.request(otlp.LOGS, large, padding=os.urandom(4_500_000).hex())
    assert senders.post(holdfast.http_base, otlp.LOGS, body).status_code == 200
    sent[otlp.LOGS] += large
    return sent


def main(directory):
    minio = Minio(directory)
    holdfast = Holdfast(directory / "writer", writing(minio), environment=KEYS)
    reader = None
    begun = time.time()
    try:
        minio.start()
        minio.client().create_bucket(Bucket="archive")
        holdfast.start()
        sent = write_all(minio, holdfast)
        for signal in otlp.SIGNALS:
            until(
                lambda signal=signal: holdfast.books(signal.name, "awss3")["queued"]["items"] == 0,
                lambda signal=signal: holdfast.books(signal.name, "awss3"),
                60,
            )
        with GrpcBackend() as backend:
            reader = Holdfast(directory / "reader", reading(minio, backend, begun), environment=KEYS)
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
        if minio.process:
            minio.kill()
