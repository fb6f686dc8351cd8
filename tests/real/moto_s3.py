"""The exporter and the receiver awss3 against moto, as `minio`. It checks signatures; what it has is in its memory, so it begins
again with the record of all requests that it had."""

import json
import os
import sys
from pathlib import Path

import botocore.session
import requests

from support.s3 import POLICY

from . import minio

SERVER = Path(__file__).with_name("moto_server.py")


class Moto(minio.S3):
    name, ready = "moto", "/moto-api/data.json"
    keeps_parts = False  # the name of an upload is another one when it is made again

    @property
    def record(self):
        return self.home / "record"

    def command(self):
        return [sys.executable, SERVER, self.port, self.record]

    def environment(self):
        return {**os.environ, "MOTO_ENABLE_RECORDING": "1", "MOTO_RECORDER_FILEPATH": str(self.record)}

    def start(self):
        is_first = not self.record.exists()
        super().start()
        if is_first:
            self._make_user()
        return self

    def _make_user(self):
        """From here on signatures must be right. What is chosen at random is the same when it is made again."""
        self._say("seed?a=1")
        self._say("reset-auth", b"1000000")
        iam = botocore.session.get_session().create_client(
            "iam", "us-east-1", endpoint_url=self.url, aws_access_key_id="none", aws_secret_access_key="none"
        )
        iam.create_user(UserName="writer")
        iam.put_user_policy(UserName="writer", PolicyName="s3", PolicyDocument=json.dumps(POLICY))
        key = iam.create_access_key(UserName="writer")["AccessKey"]
        self.access, self.secret = key["AccessKeyId"], key["SecretAccessKey"]
        self._say("reset-auth", b"0")

    def _say(self, path, data=b""):
        answer = requests.post(f"{self.url}/moto-api/{path}", data=data, timeout=30)
        assert answer.ok, answer.text


def main(directory):
    return minio.main(directory, Moto)
