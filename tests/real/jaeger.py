"""The exporters otlp and otlphttp against a real Jaeger that keeps spans on disk.

Spans are written while Holdfast is killed and Jaeger is killed; then every trace is there with the values of its span. A span
with an event, a link and a status has them there.
"""

import os
import time
import urllib.error

from opentelemetry.proto.trace.v1 import trace_pb2 as t

from support import otlp
from support.holdfast import FAST_RETRY, Holdfast
from support.ports import free_port
from support.senders import GrpcSender
from support.waiting import until

from .modules import built
from .service import Service

MODULE, VERSION = "github.com/jaegertracing/jaeger", "v1.76.0"
# Neither a batch nor a queue: an answer says that the spans are stored.
CONFIGURATION = """
service:
  extensions: [jaeger_storage, jaeger_query]
  pipelines: {{traces: {{receivers: [otlp], exporters: [jaeger_storage_exporter]}}}}
  telemetry: {{metrics: {{level: none}}, traces: {{level: none}}}}
extensions:
  jaeger_query:
    storage: {{traces: kept}}
    http: {{endpoint: "127.0.0.1:{port}"}}
    grpc: {{endpoint: "127.0.0.1:{query}"}}
  jaeger_storage:
    backends:
      kept: {{badger: {{ephemeral: false, directories: {{keys: "{home}/keys", values: "{home}/values"}}}}}}
receivers:
  otlp:
    protocols: {{grpc: {{endpoint: "{grpc}"{tls}}}, http: {{endpoint: "127.0.0.1:{http}"}}}}
exporters: {{jaeger_storage_exporter: {{trace_storage: kept}}}}
"""


class Jaeger(Service):
    name, ready = "jaeger", "/api/services"

    def __init__(self, directory, grpc=None, certificate=None):
        """`grpc`: the address of the receiver; `certificate`: its files, (certificate, key); none: without TLS."""
        super().__init__(directory)
        self.grpc, self.http = grpc or f"127.0.0.1:{free_port()}", free_port()
        tls = ', tls: {{cert_file: "{}", key_file: "{}"}}'.format(*certificate) if certificate else ""
        text = CONFIGURATION.format(
            home=self.home, port=self.port, query=free_port(), grpc=self.grpc, tls=tls, http=self.http
        )
        (self.home / "jaeger.yaml").write_text(text)

    @staticmethod
    def program():
        return built("jaeger", MODULE, VERSION, f"{MODULE}/cmd/jaeger")

    def command(self):
        return [self.program(), "--config", "jaeger.yaml"]

    def environment(self):
        return {**os.environ, "OTEL_TRACES_SAMPLER": "always_off"}  # it would send its own spans to a collector

    def spans(self, trace_id):
        """The spans of a trace; none when it is not there."""
        try:
            (trace,) = self.ask(f"/api/traces/{trace_id}")["data"]
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return []
            raise
        return trace["spans"]

    def values(self, trace_id):
        """(id, name, start in us, duration in us, test.id) of the one span of a trace."""
        return [
            (one["spanID"], one["operationName"], one["startTime"], one["duration"], int(tags(one)[otlp.ID_KEY]))
            for one in self.spans(trace_id)
        ]


def tags(span):
    return {one["key"]: one["value"] for one in span["tags"]}


def configuration(exporter, endpoint):
    settings = {"endpoint": endpoint, "tls": {"insecure": True}, "retry_on_failure": dict(FAST_RETRY)}
    pipeline = {"receivers": ["otlp"], "exporters": [exporter]}
    return {"exporters": {exporter: settings}, "service": {"pipelines": {"traces": pipeline}}}


def send(sender, status=t.Status.STATUS_CODE_UNSET):
    """Sends five traces of a span each; returns {trace id: the values of its span}."""
    message = otlp.request(otlp.TRACES, otlp.new_ids(5))
    spans = message.resource_spans[0].scope_spans[0].spans
    for one in spans:
        one.status.code = status
    sender.export(otlp.TRACES, message)
    return {
        one.trace_id.hex(): (
            *(one.span_id.hex(), one.name, one.start_time_unix_nano // 1000, 1),
            one.attributes[0].value.int_value,
        )
        for one in spans
    }


def write_all(jaeger, holdfast, sender):
    """Sends with kills of both sides; returns what every trace is."""
    sent = {}
    for number in range(60):
        sent |= send(sender)
        if number in (15, 45):
            holdfast.kill9()
            holdfast.start()
        if number == 25:
            jaeger.kill()
        if number == 50:
            jaeger.start()
    return sent


def check_parts(jaeger, sender):
    """Events, links and the status of a span."""
    now, ids = time.time_ns(), [os.urandom(size) for size in (16, 8, 16, 8)]
    span = t.Span(trace_id=ids[0], span_id=ids[1], name="whole", start_time_unix_nano=now, end_time_unix_nano=now + 10**9)
    span.status.code, span.status.message = t.Status.STATUS_CODE_ERROR, "out of \u00e9lan"
    span.events.add(time_unix_nano=now + 5000, name="retried").attributes.append(otlp.attribute("attempt", 2))
    span.links.add(trace_id=ids[2], span_id=ids[3])
    span.attributes.extend(otlp.attribute(*pair) for pair in {"b": True, "d": 1.5, "i": -7, "s": "x"}.items())
    group = t.ResourceSpans(scope_spans=[t.ScopeSpans(spans=[span])])
    group.resource.attributes.append(otlp.attribute("service.name", "whole"))
    sender.export(otlp.TRACES, otlp.TRACES.request(resource_spans=[group]))
    (found,) = until(lambda: jaeger.spans(ids[0].hex()), "the span with all parts")
    wanted = {"b": True, "d": 1.5, "i": -7, "s": "x", "error": True, "otel.status_description": "out of \u00e9lan"}
    assert wanted.items() <= tags(found).items(), found["tags"]
    (event,) = found["logs"]
    fields = {one["key"]: one["value"] for one in event["fields"]}
    assert (event["timestamp"], fields) == ((now + 5000) // 1000, {"event": "retried", "attempt": 2}), event
    assert [(one["traceID"], one["spanID"]) for one in found["references"]] == [(ids[2].hex(), ids[3].hex())]


def check_values(jaeger, exporter, sent):
    """Every trace has one span, with the values that were sent."""
    found = {key: jaeger.values(key) for key in sent}
    wrong = {key: (found[key], one) for key, one in sent.items() if found[key] != [one]}
    assert not wrong, f"{exporter}: {len(wrong)} of {len(sent)} traces, such as {next(iter(wrong.items()))}"
    print(f"{exporter}: {len(sent)} traces, each with the values of its span", flush=True)


def check(directory, jaeger, exporter, endpoint):
    holdfast = Holdfast(directory / exporter, configuration(exporter, endpoint))
    try:
        holdfast.start()
        with GrpcSender(holdfast.grpc_target) as sender:
            sent = write_all(jaeger, holdfast, sender)
            until(
                lambda: holdfast.books("traces", exporter)["queued"]["items"] == 0,
                lambda: (holdfast.books("traces", exporter), holdfast.log()[-2000:]),
            )
            check_values(jaeger, exporter, sent)
            check_parts(jaeger, sender)
        holdfast.close()
    finally:
        if holdfast.process and holdfast.process.poll() is None:
            holdfast.kill9()


def main(directory):
    jaeger = Jaeger(directory)
    try:
        jaeger.start()
        check(directory, jaeger, "otlp", jaeger.grpc)
        check(directory, jaeger, "otlphttp", f"http://127.0.0.1:{jaeger.http}")
        return True
    finally:
        jaeger.close()
