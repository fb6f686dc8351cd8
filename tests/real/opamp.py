"""The extension opamp under the supervisor of the OpenTelemetry Collector, which a server of ours commands."""

import os
import subprocess
import sys

from .modules import built
from .tools import ROOT

MODULE, VERSION = "github.com/open-telemetry/opentelemetry-collector-contrib/cmd/opampsupervisor", "v0.158.0"
SECONDS = 600


def main(directory):
    supervisor = built("opampsupervisor", MODULE, VERSION, MODULE)
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-c", "tests/pytest.ini", "-q", "-p", "integration.conftest"),
            *("--basetemp", directory / "tests", "tests/real/test_opamp.py"),
        ],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(ROOT / "tests"), "OPAMP_SUPERVISOR": str(supervisor)},
        check=False,
        timeout=SECONDS,
    )
    return done.returncode == 0
