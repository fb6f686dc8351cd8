"""A container of a pod that runs the image of `./dev image`, or of this build in the same layout."""

import json
import os
import subprocess
import sys

import yaml

from .holdfast import BINARY, ROOT
from .pod import IMAGE_ENVIRONMENT, USER, Box
from .pod_shapes import GRACE_SECONDS, POD_IP
from .waiting import until

ENTRYPOINT = "/otelcol-contrib"


def image_root(folder):
    """The root of the image with the binary that is tested, in the folder."""
    subprocess.run(
        [sys.executable, ROOT / "conf/image/image.py", "--root", BINARY, folder],
        env=os.environ | {"SOURCE_DATE_EPOCH": "0"},
        check=True,
    )
    let_pass(folder)
    return folder


def let_pass(folder):
    """Everyone may enter it: the image's user is not the test's."""
    for parent in (folder, *folder.parents[:3]):
        if parent.stat().st_uid == os.geteuid():
            parent.chmod(parent.stat().st_mode | 0o011)


class Container:
    """One container of such a pod, at one of the network's addresses. It may be started again, as a kubelet does it; the
    volumes stay. `files`: {path in it: file outside} that the runtime puts there."""

    def __init__(self, shape, root, folder, network, user=None, address=POD_IP, files=()):
        self.shape, self.folder, self.network, self.address = shape, folder, network, address
        self.log_path = folder / "log"
        let_pass(folder)
        volume = self.volume("image-volume")
        mounts = {path: (self.volume(name), writable) for path, (name, writable) in shape.mounts.items()}
        mounts.setdefault("/var/lib/holdfast", (volume, True))
        mounts.update({path: (file, False) for path, file in dict(files).items()})
        user = user or shape.user or (USER, USER)
        self.box = Box(root, mounts, *user, network.namespace)
        if shape.configuration is not None:
            # A ConfigMap: links that are exchanged together.
            files = self.volume("configuration")
            (files / "..data").mkdir(exist_ok=True)
            name = shape.arguments[0].rpartition("/")[2]
            text = shape.configuration if isinstance(shape.configuration, str) else yaml.safe_dump(shape.configuration)
            (files / "..data" / name).write_text(text)
            (files / name).symlink_to(f"..data/{name}")
        self.process = None

    def volume(self, name):
        folder = self.folder / name
        if not folder.exists():
            folder.mkdir()
            folder.chmod(0o777)
        return folder

    def start(self):
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [self.shape.command or ENTRYPOINT, *self.shape.arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**IMAGE_ENVIRONMENT, **self.shape.environment},
                preexec_fn=self.box.enter,
            )
        return self

    def log(self):
        return self.log_path.read_text(errors="replace")

    def curl(self, url, *options):
        done = subprocess.run(
            [*self.network.inside, "curl", "-sS", "-m", "5", "-w", "\n%{http_code}", *options, url],
            capture_output=True,
            text=True,
            check=False,
        )
        body, _, status = done.stdout.rpartition("\n")
        return status, body

    def wait_ready(self):
        """As the probes ask: GET / of port 13133 at the pod's address, unless its environment names another."""
        port = self.shape.environment.get("HOLDFAST_HEALTH", ":13133").rpartition(":")[2]
        until(
            lambda: self.process.poll() is not None or self.curl(f"http://{self.address}:{port}/")[0] == "200",
            lambda: f"not ready:\n{self.log()[-3000:]}",
        )
        assert self.process.poll() is None, self.log()[-3000:]
        return self

    def send(self, text):
        record = {"timeUnixNano": "1700000000000000000", "body": {"stringValue": text}}
        resource = {"attributes": [{"key": "k8s.pod.ip", "value": {"stringValue": self.address}}]}
        body = {"resourceLogs": [{"resource": resource, "scopeLogs": [{"logRecords": [record]}]}]}
        url = f"http://{self.address}:4318/v1/logs"
        status, answer = self.curl(url, "-H", "Content-Type: application/json", "-d", json.dumps(body))
        assert status == "200", answer

    def wait_said(self, *texts):
        for text in texts:
            until(lambda text=text: text in self.log(), lambda text=text: f"{text} is not in:\n{self.log()[-3000:]}")

    def kill9(self):
        self.process.kill()
        self.process.wait()

    def end(self):
        """SIGTERM: status 0 within the grace period of the pod."""
        self.process.terminate()
        assert self.process.wait(GRACE_SECONDS) == 0, self.log()[-3000:]

    def close(self):
        if self.process and self.process.poll() is None:
            self.kill9()


