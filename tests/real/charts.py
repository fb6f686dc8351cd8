"""The Helm chart with a real helm, and its objects before a real kube-apiserver."""

import os
import subprocess
import sys

from . import control_plane, published
from .tools import ROOT

SECONDS = 1200


def main(directory):
    folder = control_plane.programs()
    names = ["charts", "rights", "stack"]
    if os.environ.get("HOLDFAST_PUBLIC_CHARTS"):
        names.append("public_charts")
    programs = published.environment()
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-c", "tests/pytest.ini", "-q", "-p", "integration.conftest"),
            *("--basetemp", directory / "tests"),
            *(f"tests/real/test_{name}.py" for name in names),
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
