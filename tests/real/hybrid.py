"""The experiment hybrid of chaos/ beside a real kube-apiserver: its agent watches pods and events there."""

import json
import os
import subprocess
import sys

from .control_plane import VARIABLE, programs
from .tools import ROOT

SECONDS = 1200


def main(directory):
    rows = directory / "rows.json"
    done = subprocess.run(
        [sys.executable, ROOT / "chaos" / "run.py", "hybrid", "--json", rows],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        env={**os.environ, VARIABLE: str(programs()), "TMPDIR": str(directory)},
        check=False,
        timeout=SECONDS,
    )
    return done.returncode == 0 and [row["result"] for row in json.loads(rows.read_text())] == ["held"]
