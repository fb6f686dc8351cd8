"""The components that read from Kubernetes against a real kube-apiserver with its etcd."""

import os
import subprocess
import sys

from .control_plane import VARIABLE, programs
from .tools import ROOT

SECONDS = 1200


def main(directory):
    folder = programs()
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-c", "tests/pytest.ini", "-q", "-p", "integration.conftest"),
            *("--basetemp", directory / "tests", "tests/real/test_kubernetes.py"),
        ],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        env={**os.environ, VARIABLE: str(folder), "PYTHONPATH": str(ROOT / "tests")},
        check=False,
        timeout=SECONDS,
    )
    return done.returncode == 0
