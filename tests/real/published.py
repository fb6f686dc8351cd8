"""Programs whose Go modules replace modules that they require, which `go install` refuses: built within a module that
repeats those replacements."""

import os
import shutil
from pathlib import Path

from .control_plane import build_module
from .tools import FOLDER

# name: (module, version, package, a variable that may name the program when it is there already)
PROGRAMS = {
    "helm": ("helm.sh/helm/v3", "v3.21.4", "helm.sh/helm/v3/cmd/helm", "HOLDFAST_HELM"),
    "promtool": (
        *("github.com/prometheus/prometheus", "v0.314.0", "github.com/prometheus/prometheus/cmd/promtool"),
        "HOLDFAST_PROMTOOL",
    ),
}


def environment(scratch):
    """{variable: path} of all of them; built in the folder `scratch` when they are not there in these versions."""
    return {row[-1]: str(program(name, scratch / name)) for name, row in PROGRAMS.items()}


def program(name, scratch):
    module, version, package, variable = PROGRAMS[name]
    if os.environ.get(variable):
        return Path(os.environ[variable])
    made, stamp = FOLDER / name, FOLDER / f"{name}.module"
    if not (made.exists() and stamp.exists() and stamp.read_text() == version):
        if shutil.which("go") is None:
            raise SystemExit(f"{name} is built from a Go module, and Go is not installed (apt-get install golang-go)")
        print(f"building {name} {version} (once; some minutes)", flush=True)
        FOLDER.mkdir(parents=True, exist_ok=True)
        scratch.mkdir(parents=True)
        build_module(module, version, package, scratch, made)
        stamp.write_text(version)
    return made
