"""The components that read from Kubernetes against a real kube-apiserver with its etcd."""

from . import published
from .control_plane import ALL, VARIABLE, programs
from .pytest_files import passed

SECONDS = 3600  # on a busy machine

# A network namespace of its own: a Service may not lead to a loopback address.
ADDRESS = "10.77.0.1"
APART = f"ip link set lo up && ip address add {ADDRESS}/32 dev lo && exec \"$@\""


def main(directory):
    environment = {VARIABLE: str(programs(ALL)), **published.environment("helm")}
    apart = {**environment, "prefix": ("unshare", "--net", "sh", "-c", APART, "sh"), "HOLDFAST_WEBHOOK_ADDRESS": ADDRESS}
    results = [passed(directory, name, seconds=SECONDS, **environment) for name in ("test_kubernetes", "test_document")]
    results += [passed(directory, name, seconds=SECONDS, **apart) for name in ("test_webhook", "test_workloads", "test_webhook_release")]
    return all(results)
