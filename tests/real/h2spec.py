"""h2spec against the OTLP/gRPC receiver."""

import subprocess
import xml.etree.ElementTree as ElementTree

from support import otlp
from support.holdfast import Holdfast, config

from .tools import accepted, judge, tool

SECONDS = 120
RUNS_MAX = 4


def run(program, holdfast, directory):
    """{name of a test: whether it passed}, without those that were skipped."""
    report = directory / "report.xml"
    with open(directory / "h2spec.log", "wb") as log:
        subprocess.run(
            [
                program,
                *("--port", str(holdfast.ports["GRPC_PORT"]), "--path", otlp.LOGS.method_path),
                *("--junit-report", str(report)),
            ],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            timeout=SECONDS,
            check=False,  # it fails for what is accepted, too
        )
    return {
        f"{case.get('package')}: {case.get('classname')}": case.find("error") is None and case.find("failure") is None
        for case in ElementTree.parse(report).iter("testcase")
        if case.find("skipped") is None
    }


def main(directory):
    """Its requests are no gRPC calls and refused at once; where it goes on with such a stream, the two race. What
    passes in one of several runs has passed."""
    program, results = tool("h2spec"), {}
    holdfast = Holdfast(directory, config({"nop": {}})).start()
    try:
        for _ in range(RUNS_MAX):
            for name, ok in run(program, holdfast, directory).items():
                results[name] = results.get(name, False) or ok
            if {name for name, ok in results.items() if not ok} <= accepted("h2spec"):
                break
    finally:
        holdfast.close()
    failed = {name for name, ok in results.items() if not ok}
    return judge("h2spec", failed, set(results) - failed)
