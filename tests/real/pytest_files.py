"""Files of tests/real that pytest runs, with the fixtures of the end-to-end tests."""

import os
import subprocess
import sys

from .tools import ROOT


def passed(directory, *names, seconds=600, prefix=(), **environment):
    """Do all tests of tests/real/NAME.py pass? `prefix`: the beginning of the command; it ends after `seconds`."""
    done = subprocess.run(
        [
            *prefix,
            *(sys.executable, "-m", "pytest", "-c", "tests/pytest.ini", "-q", "-p", "integration.conftest"),
            *("--basetemp", directory / names[0], *(f"tests/real/{name}.py" for name in names)),
        ],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(ROOT / "tests"), **environment},
        check=False,
        timeout=seconds,
    )
    return done.returncode == 0
