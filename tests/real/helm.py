"""helm, built from its published Go module, and what it makes of the chart."""

import os
import shutil
import subprocess
from pathlib import Path

import yaml

from .control_plane import go, module_of
from .tools import FOLDER, ROOT

VERSION = "v3.21.4"
VARIABLE = "HOLDFAST_HELM"  # the program, when it is there already
MODULE = "helm.sh/helm/v3"
CHART = ROOT / "charts" / "holdfast"
OLDEST, NEWEST = "1.23.0", "1.36.3"


def build(folder, program):
    """Within a module that requires it, so that its own replacements count."""
    module = module_of(folder, MODULE, VERSION)
    lines = [f"module peer\n\ngo {module['Go']}\n", f"require {MODULE} {VERSION}"]
    for one in module["Replace"] or []:
        old, new = one["Old"], one["New"]
        if "Version" in new:
            lines.append(f"replace {old['Path']} {old.get('Version', '')} => {new['Path']} {new['Version']}")
    (folder / "go.mod").write_text("\n".join(lines) + "\n")
    go(folder, "get", "-tool", f"{MODULE}/cmd/helm@{VERSION}")
    go(folder, "build", "-o", program, "-ldflags", "-s -w", f"{MODULE}/cmd/helm")


def program(scratch):
    """The path of helm; built in the folder `scratch` when it is not there in this version."""
    if os.environ.get(VARIABLE):
        return Path(os.environ[VARIABLE])
    made, stamp = FOLDER / "helm", FOLDER / "helm.module"
    if not (made.exists() and stamp.exists() and stamp.read_text() == VERSION):
        if shutil.which("go") is None:
            raise SystemExit("helm is built from a Go module, and Go is not installed (apt-get install golang-go)")
        print(f"building helm {VERSION} (once; some minutes)", flush=True)
        FOLDER.mkdir(parents=True, exist_ok=True)
        scratch.mkdir(parents=True)
        build(scratch, made)
        stamp.write_text(VERSION)
    return made


class Helm:
    """Runs helm with a home of its own."""

    def __init__(self, program, home):
        self.program, self.home = program, home

    def run(self, *arguments):
        done = subprocess.run(
            [self.program, *map(str, arguments)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
            env={**os.environ, "HOME": str(self.home), "KUBECONFIG": "/dev/null"},
        )
        return done.returncode, done.stdout, done.stderr

    def lint(self, *values):
        return self.run("lint", "--strict", CHART, *files(values))

    def render(self, values=(), sets=(), version=NEWEST, chart=CHART):
        """The objects of the chart with these files of values and settings, in their order."""
        settings = [part for one in sets for part in ("--set", one)]
        code, out, error = self.run("template", "t", chart, "--kube-version", version, *files(values), *settings)
        if code != 0:
            raise Refused(error)
        return [one for one in yaml.safe_load_all(out) if one]


class Refused(Exception):
    """helm does not render the chart with these values."""


def files(values):
    return [part for path in values for part in ("--values", path)]


def of_kind(objects, kind):
    return [one for one in objects if one["kind"] == kind]


def workload(objects):
    return next(one for one in objects if one["kind"] in ("DaemonSet", "StatefulSet", "Deployment"))
