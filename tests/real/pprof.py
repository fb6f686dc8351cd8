"""Profiles of the process, read by `go tool pprof`."""

import os
import shutil
import subprocess
import sys

from .tools import ROOT

SECONDS = 600


def main(directory):
    if shutil.which("go") is None:
        raise SystemExit("pprof is a tool of Go, which is not installed (apt-get install golang-go)")
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-c", "tests/pytest.ini", "-q", "-p", "integration.conftest"),
            *("--basetemp", directory / "tests", "tests/real/test_pprof.py"),
        ],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(ROOT / "tests")},
        check=False,
        timeout=SECONDS,
    )
    return done.returncode == 0
