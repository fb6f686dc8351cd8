"""The Helm chart with a real helm, and its objects before a real kube-apiserver."""

import os
import subprocess
import sys

from . import control_plane, published
from .tools import ROOT

SECONDS = 1200


def main(directory):
    folder = control_plane.programs()
    programs = published.environment(directory / "build")
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-c", "tests/pytest.ini", "-q", "-p", "integration.conftest"),
            *("--basetemp", directory / "tests", "tests/real/test_charts.py", "tests/real/test_stack.py"),
        ],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        env={
            **os.environ,
            control_plane.VARIABLE: str(folder),
            **programs,
            "PYTHONPATH": str(ROOT / "tests"),
        },
        check=False,
        timeout=SECONDS,
    )
    return done.returncode == 0
