"""Receivers of the Go collector in programs of their own, beside Holdfast's: what was recorded of them is what they do."""

import os
import shutil
import subprocess
import sys

from .tools import FOLDER, ROOT

BUILD_SECONDS = 3600  # on a busy machine; it takes some minutes otherwise
SECONDS = 600
# The folder of the program below tests/differential and how it is built, the variable that names it, and which tests use it.
OLDER = ["-tags=older", "-modfile=older.mod"]
PROGRAMS = {
    "opencensus": ("opencensus", [], "HOLDFAST_PEER_OPENCENSUS", ["test_receivers.py", "-k", "opencensus"]),
    "pushed": ("pushed", [], "HOLDFAST_PEER_PUSHED", ["test_receivers.py", "-k", "not opencensus"]),
    "pushed_older": ("pushed", OLDER, "HOLDFAST_PEER_PUSHED_OLDER", ["test_receivers.py", "-k", "not opencensus"]),
    "scrapers": ("scrapers", [], "HOLDFAST_PEER_SCRAPERS", ["test_scrapers.py"]),
}


def built(name):
    """The path of the program; what was compiled before is in Go's own cache."""
    folder, options, _, _ = PROGRAMS[name]
    if shutil.which("go") is None:
        raise SystemExit(f"{name} is built from Go modules, and Go is not installed (apt-get install golang-go)")
    print(f"building the Go collector's receivers: {name} (some minutes the first time)", flush=True)
    FOLDER.mkdir(parents=True, exist_ok=True)
    subprocess.run(
        ["go", "build", "-trimpath", "-ldflags=-s -w", *options, "-o", str(FOLDER / name), "."],
        cwd=ROOT / "tests" / "differential" / folder,
        env={**os.environ, "GOTOOLCHAIN": "local"},
        stdin=subprocess.DEVNULL,
        check=True,
        timeout=BUILD_SECONDS,
    )
    return FOLDER / name


def passed(directory, name):
    _, _, variable, (file, *options) = PROGRAMS[name]
    command = [sys.executable, "-m", "pytest", "-c", "tests/pytest.ini", "-q", "--basetemp", directory / name]
    done = subprocess.run(
        [*command, f"tests/differential/{file}", *options],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        env={**os.environ, variable: str(built(name))},
        check=False,
        timeout=SECONDS,
    )
    return done.returncode == 0


def main(directory):
    return all([passed(directory, name) for name in PROGRAMS])
