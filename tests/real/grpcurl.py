"""grpcurl and grpc-health-probe against the OTLP/gRPC receiver: without a file, by server reflection."""

import json
import subprocess

from support import otlp
from support.backends import GrpcBackend
from support.holdfast import Holdfast, config, otlp_exporter

from .tools import tool

SECONDS = 30
HEALTH = "grpc.health.v1.Health"
# Exit codes of grpc-health-probe.
PROBE_SERVING, PROBE_RPC_FAILED = 0, 3
REQUESTS = {
    otlp.TRACES: {"resourceSpans": [{"scopeSpans": [{"spans": [{"name": "by grpcurl"}]}]}]},
    otlp.METRICS: {"resourceMetrics": [{"scopeMetrics": [{"metrics": [{"name": "by grpcurl"}]}]}]},
    otlp.LOGS: {"resourceLogs": [{"scopeLogs": [{"logRecords": [{"severityText": "by grpcurl"}]}]}]},
}


def say(*command):
    done = subprocess.run(
        [str(word) for word in command],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


class Checks:
    def __init__(self):
        self.passed = self.failed = 0

    def expect(self, what, ok, said):
        self.passed += ok
        self.failed += not ok
        if not ok:
            print(f"FAILED: {what}\n{said}")


def check_grpcurl(checks, program, target):
    call = (program, "-plaintext", "-max-time", SECONDS)
    status, said = say(*call, target, "list")
    services = [*(signal.service for signal in REQUESTS), HEALTH]
    checks.expect("list names the services", status == 0 and set(services) <= set(said.split()), said)
    checks.expect("nothing goes wrong meanwhile", "ERROR" not in said and "GoAway" not in said, said)
    for service in said.split():
        status, said = say(*call, target, "describe", service)
        checks.expect(f"describe {service}", status == 0 and "is a service" in said, said)
    for name in ("opentelemetry.proto.metrics.v1.Metric", "opentelemetry.proto.trace.v1.Span.SpanKind"):
        status, said = say(*call, target, "describe", name)
        checks.expect(f"describe {name}", status == 0 and name in said, said)
    status, said = say(*call, target, "describe", "some.Body")
    checks.expect("describe an unknown name", status != 0 and "not found" in said, said)
    for signal, request in REQUESTS.items():
        status, said = say(*call, "-d", json.dumps(request), target, f"{signal.service}/Export")
        checks.expect(f"{signal.service}/Export", status == 0 and said.strip() == "{}", said)
    status, said = say(*call, target, f"{HEALTH}/Check")
    checks.expect(f"{HEALTH}/Check", status == 0 and "SERVING" in said, said)


def check_health_probe(checks, program, target):
    for service, expected in (("", PROBE_SERVING), (otlp.LOGS.service, PROBE_SERVING), ("some.Body", PROBE_RPC_FAILED)):
        status, said = say(program, f"-addr={target}", f"-service={service}")
        checks.expect(f"grpc-health-probe -service={service}", status == expected, f"{status}: {said}")


def main(directory):
    grpcurl, probe = tool("grpcurl"), tool("grpc-health-probe")
    checks = Checks()
    with GrpcBackend() as backend:
        holdfast = Holdfast(directory, config({"otlp": otlp_exporter(backend)})).start()
        try:
            check_grpcurl(checks, grpcurl, holdfast.grpc_target)
            check_health_probe(checks, probe, holdfast.grpc_target)
        finally:
            holdfast.close()
    print(f"grpcurl: {checks.passed} passed, {checks.failed} failed")
    return checks.failed == 0
