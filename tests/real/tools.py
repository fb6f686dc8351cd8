"""Programs of others, built from published Go modules into build/tools."""

import os
import shutil
import subprocess
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "build" / "tools"
BUILD_SECONDS = 600

MODULES = {
    "h2spec": "github.com/summerwind/h2spec/cmd/h2spec@v2.2.1+incompatible",
    "grpcurl": "github.com/fullstorydev/grpcurl/cmd/grpcurl@v1.9.3",
    "grpc-health-probe": "github.com/grpc-ecosystem/grpc-health-probe@v0.4.57",
}


def tool(name):
    """The path of the program, built when it is not there in this version."""
    program, stamp = FOLDER / name, FOLDER / f"{name}.module"
    if program.exists() and stamp.exists() and stamp.read_text() == MODULES[name]:
        return program
    if shutil.which("go") is None:
        raise SystemExit(f"{name} is built from a Go module, and Go is not installed (apt-get install golang-go)")
    print(f"building {MODULES[name]}", flush=True)
    FOLDER.mkdir(parents=True, exist_ok=True)
    subprocess.run(
        ["go", "install", MODULES[name]],
        stdin=subprocess.DEVNULL,
        env={**os.environ, "GOBIN": str(FOLDER), "GOFLAGS": ""},
        check=True,
        timeout=BUILD_SECONDS,
    )
    stamp.write_text(MODULES[name])
    return program


def accepted(part, always=False):
    """The names of the tests whose failure is accepted; `always`: of those that never pass."""
    rows = yaml.safe_load((ROOT / "tests" / "real" / "accepted.yaml").read_text())[part]
    assert all(row["why"] for row in rows)
    return {row["test"] for row in rows if not (always and row.get("sometimes"))}


def judge(part, failed, passed):
    """Compares with what is accepted; returns whether all is well, and says what is not."""
    known = accepted(part)
    for name in sorted(failed):
        print(f"{'accepted' if name in known else 'FAILED'}: {name}")
    surprises = sorted(accepted(part, always=True) & passed)
    for name in surprises:
        print(f"FAILED: it passes, so its line in accepted.yaml must go: {name}")
    unknown = sorted(known - failed - passed)
    for name in unknown:
        print(f"FAILED: no test of this name was run: {name}")
    new = failed - known
    print(f"{part}: {len(passed)} passed, {len(failed)} failed, {len(failed & known)} of them accepted")
    return not (new or surprises or unknown)
