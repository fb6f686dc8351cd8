"""The deployment document's gateway before a real Jaeger, Prometheus and Loki; see test_gateway.py."""

from support.mounts import own_mounts

from . import jaeger, loki, prometheus
from .pytest_files import passed

SECONDS = 1200


def main(directory):
    for server in (jaeger.Jaeger, prometheus.Prometheus, loki.Loki):
        server.program()  # now: in a network of its own none can be built
    apart = (*own_mounts(), "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh")
    return passed(directory, "test_gateway", prefix=apart, seconds=SECONDS, HOLDFAST_APART="1")
