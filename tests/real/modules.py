"""Main packages of Go modules that `go install` refuses, because their go.mod replaces other modules."""

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from .tools import FOLDER

BUILD_SECONDS = 1800


def _go(directory, *arguments):
    done = subprocess.run(
        ["go", *arguments],
        cwd=directory,
        env={**os.environ, "GOTOOLCHAIN": "local", "GOFLAGS": "-mod=mod"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        check=True,
        timeout=BUILD_SECONDS,
    )
    return done.stdout


def built(name, module, version, package):
    """The path of the program; HOLDFAST_REAL_BIN may name a folder that has it."""
    for program in (FOLDER / name, *_elsewhere(name)):
        if program.exists():
            return program
    if shutil.which("go") is None:
        raise SystemExit(f"{name} is built from a Go module, and Go is not installed (apt-get install golang-go)")
    print(f"building {package}@{version}", flush=True)
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as directory:
        known = json.loads(_go(directory, "mod", "download", "-json", f"{module}@{version}"))
        parsed = json.loads(_go(directory, "mod", "edit", "-json", known["GoMod"]))
        replaced = [
            f"replace {one['Old']['Path']} => {one['New']['Path']} {one['New']['Version']}"
            for one in parsed.get("Replace") or []
            if "Version" in one["New"]
        ]
        lines = [f"module scratch\ngo {parsed.get('Go', '1.24')}\nrequire {module} {version}", *replaced]
        with open(f"{directory}/go.mod", "w") as file:
            file.write("\n".join(lines) + "\n")
        _go(directory, "get", "-tool", f"{package}@{version}")
        _go(directory, "build", "-o", str(FOLDER / name), "-ldflags", "-s -w", package)
    return FOLDER / name


def _elsewhere(name):
    folder = os.environ.get("HOLDFAST_REAL_BIN")
    return [Path(folder) / name] if folder else []
