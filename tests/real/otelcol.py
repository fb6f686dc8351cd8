"""The Go collector sends to Holdfast and receives from it: every coding, each signal."""

import os
import subprocess
import sys

from support import otelcol

from .tools import ROOT

BUILD_SECONDS = 1800
SECONDS = 600


def main(directory):
    otelcol.build(BUILD_SECONDS)
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-c", "tests/pytest.ini", "-q", "-p", "integration.conftest"),
            *("--basetemp", directory / "tests", "tests/real/test_otelcol.py"),
        ],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(ROOT / "tests")},
        check=False,
        timeout=SECONDS,
    )
    return done.returncode == 0
