"""Main packages of Go modules that `go install` refuses, because their go.mod replaces other modules."""

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from .tools import FOLDER

BUILD_SECONDS = 7200  # on a busy machine; it takes some minutes otherwise


def _go(directory, *arguments):
    done = subprocess.run(
        ["go", *arguments],
        cwd=directory,
        env={**os.environ, "GOTOOLCHAIN": "local", "GOFLAGS": f"{os.environ.get('GOFLAGS', '')} -mod=mod"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        check=True,
        timeout=BUILD_SECONDS,
    )
    return done.stdout


def built(name, module, version, package):
    """The path of the program; HOLDFAST_REAL_BIN may name a folder that has it."""
    elsewhere = Path(os.environ.get("HOLDFAST_REAL_BIN", "/nonexistent")) / name
    return elsewhere if elsewhere.exists() else build(name, module, version, package)


def build(name, module, version, package):
    """The path of the program in build/tools, built when it is not there in that version."""
    program, stamp = FOLDER / name, FOLDER / f"{name}.module"
    if program.exists() and stamp.exists() and stamp.read_text() == version:
        return program
    if shutil.which("go") is None:
        raise SystemExit(f"{name} is built from a Go module, and Go is not installed (apt-get install golang-go)")
    print(f"building {package}@{version} (once; some minutes)", flush=True)
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as directory:
        known = json.loads(_go(directory, "mod", "download", "-json", f"{module}@{version}"))
        _write_module(Path(directory), known, module, version)
        _go(directory, "get", "-tool", f"{package}@{version}")
        _go(directory, "build", "-o", str(program), "-ldflags", "-s -w", package)
    stamp.write_text(version)
    return program


def _write_module(directory, known, module, version):
    """A module that takes that one, with its replacements, what it leaves out and its sums: these also know modules that no
    look-up knows any more."""
    parsed = json.loads(_go(directory, "mod", "edit", "-json", known["GoMod"]))
    lines = [f"module scratch\ngo {parsed.get('Go', '1.24')}\nrequire {module} {version}"]
    for one in parsed.get("Replace") or []:
        old, new = one["Old"], one["New"]
        if "Version" in new:
            lines.append(f"replace {old['Path']} {old.get('Version', '')} => {new['Path']} {new['Version']}")
    lines += [f"exclude {one['Path']} {one['Version']}" for one in parsed.get("Exclude") or []]
    (directory / "go.mod").write_text("\n".join(lines) + "\n")
    sums = Path(known["Dir"]) / "go.sum"
    if sums.exists():
        (directory / "go.sum").write_bytes(sums.read_bytes())
