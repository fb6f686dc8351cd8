"""The exporter loki in each of its formats, and otlphttp to the OTLP endpoint, against a real Loki that tells tenants apart.

Each exporter writes as a tenant of its own while Holdfast is killed and Loki is killed; then Loki's own parsers find every
record in its line, once, at its time. A record that is too old is refused with Loki's words, and its neighbour is stored.
"""

import json
import os
import time
import urllib.parse
import urllib.request

from support import otlp
from support.holdfast import FAST_RETRY, Holdfast
from support.ports import free_port
from support.senders import GrpcSender
from support.waiting import until

from .modules import built
from .service import Service

MODULE, VERSION = "github.com/grafana/loki/v3", "v3.7.8"
LINES_MAX = 5000  # of an answer, Loki's own limit
DAY_NS = 86_400 * 10**9
# It says that it is ready 15 s after it is, and leaves its ring slowly, unless told otherwise.
CONFIGURATION = """
auth_enabled: {tenants}
server:
  {{http_listen_address: {host}, http_listen_port: {port}, grpc_listen_address: 127.0.0.1, grpc_listen_port: {grpc}, log_level: warn}}
common:
  instance_addr: 127.0.0.1
  path_prefix: {home}/data
  storage: {{filesystem: {{chunks_directory: {home}/data/chunks, rules_directory: {home}/data/rules}}}}
  replication_factor: 1
  ring: {{kvstore: {{store: inmemory}}}}
ingester: {{lifecycler: {{min_ready_duration: 0s, final_sleep: 0s}}}}
schema_config:
  configs: [{{from: 2020-10-24, store: tsdb, object_store: filesystem, schema: v13, index: {{prefix: index_, period: 24h}}}}]
analytics: {{reporting_enabled: false}}
"""
RESOURCE = {"service.name": "shop", "service.namespace": "eu", "service.instance.id": "i-1", "k8s.namespace.name": "far", "zone": "b"}
# By exporter: what selects its lines and reads them, and the names by which that calls what was sent.
OF_PUSHES, OF_OTLP = '{exporter="OTLP", job="eu/shop", instance="i-1", level="INFO", zone="b"}', '{service_name="shop"}'
WRITTEN = {
    "loki/json": (f"{OF_PUSHES} | json", {"text": "body", "id": "attributes_test_id", "trace": "traceid"}),
    "loki/logfmt": (f"{OF_PUSHES} | logfmt", {"text": "msg", "id": "attribute_test_id", "trace": "traceID"}),
    "loki/raw": (OF_PUSHES, {"id": "test_id"}),
    "otlphttp": (OF_OTLP, {"id": "test_id", "trace": "trace_id"}),
}


class Loki(Service):
    name = "loki"

    def __init__(self, directory, tenants=True, **address):
        super().__init__(directory, **address)
        settings = {"host": self.host, "port": self.port, "grpc": free_port(), "home": self.home}
        (self.home / "loki.yaml").write_text(CONFIGURATION.format(tenants=str(tenants).lower(), **settings))

    @staticmethod
    def program():
        return built("loki", MODULE, VERSION, f"{MODULE}/cmd/loki")

    def command(self):
        return [self.program(), "-config.file=loki.yaml"]

    def entries(self, query, begun_ns, tenant=None):
        """[(time, line, labels)] of what the query finds from then on; labels are also what its parsers found."""
        span = {"start": begun_ns, "end": time.time_ns() + 10**9, "limit": LINES_MAX, "direction": "forward"}
        request = urllib.request.Request(f"{self.url}/loki/api/v1/query_range?{urllib.parse.urlencode({'query': query, **span})}")
        if tenant:
            request.add_header("X-Scope-OrgID", tenant)
        with urllib.request.urlopen(request, timeout=30) as answer:
            streams = json.loads(answer.read())["data"]["result"]
        return sorted((int(at), line, one["stream"]) for one in streams for at, line, *_ in one["values"])


def tenant(exporter):
    return exporter.replace("/", "-")


def configuration(loki):
    exporters = {
        name: {
            "endpoint": f"{loki.url}/loki/api/v1/push",
            "format": name.split("/")[1],
            "labels": {"resource": {"zone": ""}},
            "tenant": {"source": "static", "value": tenant(name)},
        }
        for name in WRITTEN
        if name.startswith("loki/")
    }
    exporters["loki/raw"]["labels"]["attributes"] = {otlp.ID_KEY: "test_id"}
    exporters["otlphttp"] = {"endpoint": f"{loki.url}/otlp", "headers": {"X-Scope-OrgID": tenant("otlphttp")}}
    for one in exporters.values():
        one["retry_on_failure"] = dict(FAST_RETRY)
    pipeline = {"receivers": ["otlp"], "exporters": list(exporters)}
    return {"exporters": exporters, "service": {"pipelines": {"logs": pipeline}}}


def send(sender, times_ns):
    """Sends a record of each time; returns {time: what it is}."""
    message = otlp.request(otlp.LOGS, otlp.new_ids(len(times_ns)), resource=RESOURCE)
    sent = {}
    for record, time_ns in zip(message.resource_logs[0].scope_logs[0].log_records, times_ns, strict=True):
        number = record.attributes[0].value.int_value
        record.time_unix_nano, record.trace_id, record.span_id = time_ns, os.urandom(16), os.urandom(8)
        record.body.string_value = f'line {number}: "quoted"\t<\u00e9> \\ and more'
        sent[time_ns] = {"text": record.body.string_value, "id": str(number), "trace": record.trace_id.hex()}
    sender.export(otlp.LOGS, message)
    return sent


def wait_settled(holdfast):
    for exporter in WRITTEN:
        until(
            lambda name=exporter: holdfast.books("logs", name)["queued"]["items"] == 0,
            lambda name=exporter: (holdfast.books("logs", name), holdfast.log()[-2000:]),
        )


def write_all(loki, holdfast, sender, begun_ns):
    """Sends with kills of both sides; Loki is killed once more when it has all of it. Returns {time: what was sent}."""
    sent = {}
    for number in range(100):
        first = begun_ns + number * 10**9
        sent |= send(sender, [first + at for at in (3, 1, 4, 2, 5)])
        if number in (25, 75):
            holdfast.kill9()
            holdfast.start()
        if number == 40:
            loki.kill()
        if number == 85:
            loki.start()
    wait_settled(holdfast)
    loki.kill()
    loki.start()
    return sent


def check(exporter, found, names, sent):
    """These are the entries of what was sent, each once; `names`: what they call it."""
    values = {}
    for time_ns, line, labels in found:
        values[time_ns] = {"text": line} | {what: labels.get(name) for what, name in names.items()}
    missing = set(sent) - set(values)
    assert not missing, f"{exporter}: {len(missing)} of {len(sent)} records are missing"
    for time_ns, one in sent.items():
        wanted = {what: one[what] for what in values[time_ns]}
        assert values[time_ns] == wanted, f"{exporter}: {values[time_ns]} for {wanted}"
    assert len(found) == len(sent), f"{exporter}: {len(found)} lines for {len(sent)} records"
    print(f"{exporter}: {len(sent)} records, each once in its line, with its labels and time", flush=True)


def check_late(loki, holdfast, sender, begun_ns):
    """Of a request with one that is too old, Loki stores the other one; the dead letter has its words."""
    now = time.time_ns()
    (_, good) = send(sender, [now - 8 * DAY_NS, now]).items()
    wait_settled(holdfast)
    for exporter, (query, _) in WRITTEN.items():
        assert holdfast.books("logs", exporter)["dead_lettered"]["items"] >= 1, exporter
        assert "timestamp too old" in str(holdfast.queue("ls", f"deadletter:{exporter}")), exporter
        assert good[0] in [at for at, *_ in loki.entries(query, begun_ns, tenant(exporter))], exporter
    print("a record that is too old is a dead letter with Loki's words, the one beside it is stored", flush=True)


def main(directory):
    loki = Loki(directory)
    holdfast = Holdfast(directory / "holdfast", configuration(loki))
    begun_ns = time.time_ns() - 600 * 10**9
    try:
        loki.start()
        holdfast.start()
        with GrpcSender(holdfast.grpc_target) as sender:
            sent = write_all(loki, holdfast, sender, begun_ns)
            for exporter in WRITTEN:
                query, names = WRITTEN[exporter]
                check(exporter, loki.entries(query, begun_ns, tenant(exporter)), names, sent)
            check_late(loki, holdfast, sender, begun_ns)
        holdfast.close()
        return True
    finally:
        if holdfast.process and holdfast.process.poll() is None:
            holdfast.kill9()
        loki.close()
