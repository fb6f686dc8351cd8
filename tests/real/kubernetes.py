"""The components that read from Kubernetes against a real kube-apiserver with its etcd."""

import os
from pathlib import Path

from support import otelcol

from . import published
from .control_plane import ALL, VARIABLE, programs
from .pytest_files import passed

SECONDS = BUILD_SECONDS = 3600  # on a busy machine
# A network namespace of its own: a Service may not lead to a loopback address.
ADDRESS = "10.77.0.1"
APART = f"ip link set lo up && ip address add {ADDRESS}/32 dev lo && exec \"$@\""
MANIFEST = Path(__file__).with_name("otelcol-kubernetes.yaml")


def main(directory):
    peer = os.environ.get("HOLDFAST_PEER") or str(otelcol.build(BUILD_SECONDS, MANIFEST))
    environment = {VARIABLE: str(programs(ALL)), **published.environment("helm"), "HOLDFAST_PEER": peer}
    apart = {**environment, "prefix": ("unshare", "--net", "sh", "-c", APART, "sh"), "HOLDFAST_WEBHOOK_ADDRESS": ADDRESS}
    results = [passed(directory, name, seconds=SECONDS, **environment) for name in ("test_kubernetes", "test_document")]
    results += [passed(directory, name, seconds=SECONDS, **apart) for name in ("test_webhook", "test_workloads", "test_webhook_release")]
    return all(results)
