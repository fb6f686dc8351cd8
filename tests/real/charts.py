"""The Helm chart with a real helm, and its objects before a real kube-apiserver."""

import os
from pathlib import Path

from . import control_plane, published
from .pytest_files import passed

SECONDS = 3600  # on a busy machine


def main(directory):
    environment = {control_plane.VARIABLE: str(control_plane.programs(control_plane.ALL))}
    names = ["test_charts", "test_rights", "test_stack", "test_releases"]
    public = os.environ.get("HOLDFAST_PUBLIC_CHARTS")
    if public:
        names.append("test_public_charts")
    if public and Path(public, "opentelemetry-collector").exists():
        names.append("test_official_values")
    return passed(directory, *names, seconds=SECONDS, **environment, **published.environment("helm", "promtool"))
