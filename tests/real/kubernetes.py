"""The components that read from Kubernetes against a real kube-apiserver with its etcd."""

import os
import subprocess
import sys

from .control_plane import ALL, VARIABLE, programs
from .tools import ROOT

SECONDS = 1200


# A network namespace of its own: a Service may not lead to a loopback address.
ADDRESS = "10.77.0.1"
APART = f"ip link set lo up && ip address add {ADDRESS}/32 dev lo && exec \"$@\""


def run(directory, folder, test, prefix=(), **environment):
    done = subprocess.run(
        [
            *prefix,
            *(sys.executable, "-m", "pytest", "-c", "tests/pytest.ini", "-q", "-p", "integration.conftest"),
            *("--basetemp", directory / test, f"tests/real/{test}.py"),
        ],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        env={**os.environ, VARIABLE: str(folder), "PYTHONPATH": str(ROOT / "tests"), **environment},
        check=False,
        timeout=SECONDS,
    )
    return done.returncode == 0


def main(directory):
    folder = programs(ALL)
    apart = ("unshare", "--net", "sh", "-c", APART, "sh")
    results = [run(directory, folder, "test_kubernetes")]
    results += [run(directory, folder, name, apart, HOLDFAST_WEBHOOK_ADDRESS=ADDRESS) for name in ("test_webhook", "test_workloads")]
    return all(results)
