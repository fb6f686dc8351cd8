"""helm, and what it makes of the chart."""

import os
import subprocess

import yaml

from .tools import ROOT

CHART = ROOT / "charts" / "holdfast"
OLDEST, NEWEST = "1.23.0", "1.36.3"


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
            timeout=300,
            env={**os.environ, "HOME": str(self.home), "KUBECONFIG": "/dev/null"},
        )
        return done.returncode, done.stdout, done.stderr

    def manage(self, plane, *arguments):
        """Does something to a release in that cluster; returns what helm says."""
        code, out, error = self.run(*arguments, "--kubeconfig", plane.kubeconfig())
        if code != 0:
            raise Refused(error)
        return out

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
    """helm does not render the chart with these values, or the API server does not take what it makes."""


def files(values):
    return [part for path in values for part in ("--values", path)]


def of_kind(objects, kind):
    return [one for one in objects if one["kind"] == kind]


def workload(objects):
    return next(one for one in objects if one["kind"] in ("DaemonSet", "StatefulSet", "Deployment"))
