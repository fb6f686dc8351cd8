"""The Helm chart with a real helm, and its objects before a real kube-apiserver."""

import os

from . import control_plane, published
from .pytest_files import passed

SECONDS = 1200


def main(directory):
    environment = {control_plane.VARIABLE: str(control_plane.programs())}
    names = ["test_charts", "test_rights", "test_stack"]
    if os.environ.get("HOLDFAST_PUBLIC_CHARTS"):
        names.append("test_public_charts")
    return passed(directory, *names, seconds=SECONDS, **environment, **published.environment())
