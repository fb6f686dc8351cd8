"""The exporter zipkin in both of its formats against a real Zipkin, from Maven Central.

Spans are written while Zipkin is away and Holdfast is killed, and again after Zipkin was killed; then every trace is there
with the values of its spans, and no span twice. Zipkin has what it acknowledged in its memory: a kill of it costs that.
"""

import os
import shutil
import subprocess
import time
import urllib.error
from pathlib import Path

from opentelemetry.proto.trace.v1 import trace_pb2 as t

from support import otlp
from support.holdfast import FAST_RETRY, Holdfast
from support.senders import GrpcSender
from support.waiting import until

from .service import Service
from .tools import FOLDER

POM = Path(__file__).with_name("zipkin-pom.xml")
JARS = FOLDER / "zipkin"
FETCH_SECONDS = 600
FORMATS = ("json", "proto")
KINDS = {t.Span.SPAN_KIND_SERVER: "SERVER", t.Span.SPAN_KIND_CLIENT: "CLIENT", t.Span.SPAN_KIND_PRODUCER: "PRODUCER"}


def fetch():
    stamp = JARS / "pom.xml"
    if stamp.exists() and stamp.read_text() == POM.read_text():
        return
    for program in ("java", "mvn"):
        if shutil.which(program) is None:
            raise SystemExit(f"{program} is not installed (apt-get install openjdk-17-jre-headless maven)")
    print("fetching Zipkin from Maven Central", flush=True)
    JARS.mkdir(parents=True, exist_ok=True)
    command = ["mvn", "-q", "-B", "-f", POM, "dependency:copy", f"-DoutputDirectory={JARS}"]
    subprocess.run(command, stdin=subprocess.DEVNULL, check=True, timeout=FETCH_SECONDS)
    stamp.write_text(POM.read_text())


class Zipkin(Service):
    name, ready = "zipkin", "/health"

    def command(self):
        address = {"ip": self.host, "port": self.port, "protocols[0]": "http"}
        settings = (f"--armeria.ports[0].{key}={value}" for key, value in address.items())
        return ["java", "-Xmx384m", "-jar", JARS / "zipkin.jar", *settings]

    def spans(self, trace_id):
        """The spans of a trace; none when it is not there."""
        try:
            return self.ask(f"/api/v2/trace/{trace_id}")
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return []
            raise


def configuration(zipkin, form):
    exporter = {"endpoint": f"{zipkin.url}/api/v2/spans", "format": form, "retry_on_failure": dict(FAST_RETRY)}
    pipeline = {"receivers": ["otlp"], "exporters": ["zipkin"]}
    return {"exporters": {"zipkin": exporter}, "service": {"pipelines": {"traces": pipeline}}}


def send(sender):
    """Sends a trace of three spans; returns {trace id: {span id: what Zipkin has to say of it}}."""
    trace_id, ids = os.urandom(16), [os.urandom(8) for _ in KINDS]
    now_us = time.time_ns() // 1000
    spans, wanted = [], {}
    for number, (span_id, kind) in enumerate(zip(ids, KINDS, strict=True)):
        begun_us = now_us + number
        span = t.Span(trace_id=trace_id, span_id=span_id, name=f"step-{number}", kind=kind)
        span.start_time_unix_nano, span.end_time_unix_nano = begun_us * 1000, (begun_us + 1500) * 1000
        pairs = {"text": 'caf\u00e9 "a" \\ <b>', "whole": number - 1, "flag": True, otlp.ID_KEY: otlp.new_ids(1)[0]}
        span.attributes.extend(otlp.attribute(*pair) for pair in pairs.items())
        span.events.add(time_unix_nano=(begun_us + 7) * 1000, name="tried")
        wanted[span_id.hex()] = {
            "name": span.name,
            "kind": KINDS[kind],
            "timestamp": begun_us,
            "duration": 1500,
            "parentId": span.parent_span_id.hex() or None,
            "localEndpoint": {"serviceName": "shop"},
            "annotations": [{"timestamp": begun_us + 7, "value": "tried"}],
            "tags": {**{key: str(value).lower() if value is True else str(value) for key, value in pairs.items()}, "host": "h-1"},
        }
        spans.append(span)
    for span in spans[1:]:
        span.parent_span_id = ids[0]
        wanted[span.span_id.hex()]["parentId"] = ids[0].hex()
    spans[2].status.code, spans[2].status.message = t.Status.STATUS_CODE_ERROR, "no stock"
    status = {"error": "true", "otel.status_code": "STATUS_CODE_ERROR", "otel.status_description": "no stock"}
    wanted[ids[2].hex()]["tags"] |= status
    group = t.ResourceSpans(scope_spans=[t.ScopeSpans(spans=spans)])
    group.resource.attributes.extend(otlp.attribute(*pair) for pair in {"service.name": "shop", "host": "h-1"}.items())
    sender.export(otlp.TRACES, otlp.TRACES.request(resource_spans=[group]))
    return {trace_id.hex(): wanted}


def send_many(holdfast, sender, count=30):
    """So many traces, with a kill of Holdfast among them."""
    sent = {}
    for number in range(count):
        sent |= send(sender)
        if number == count // 2:
            holdfast.kill9()
            holdfast.start()
    return sent


def check(zipkin, holdfast, form, sent):
    until(
        lambda: holdfast.books("traces", "zipkin")["queued"]["items"] == 0,
        lambda: (holdfast.books("traces", "zipkin"), holdfast.log()[-2000:]),
        60,
    )
    for trace_id, wanted in sent.items():
        until(lambda trace_id=trace_id, count=len(wanted): len(zipkin.spans(trace_id)) >= count, f"the spans of {trace_id}")
        found = zipkin.spans(trace_id)
        assert len(found) == len(wanted), f"{form}: {len(found)} spans for {len(wanted)}"
        for one in found:
            got = {key: one.get(key) for key in wanted[one["id"]]}
            assert got == wanted[one["id"]], f"{form}: {one} for {wanted[one['id']]}"
    print(f"{form}: {len(sent)} traces, each span once with its values", flush=True)


def check_format(directory, form):
    zipkin = Zipkin(directory, f"zipkin-{form}")
    holdfast = Holdfast(directory / form, configuration(zipkin, form))
    try:
        holdfast.start()
        with GrpcSender(holdfast.grpc_target) as sender:
            sent = send_many(holdfast, sender)
            zipkin.start()
            check(zipkin, holdfast, form, sent | send_many(holdfast, sender))
            zipkin.kill()
            sent = send_many(holdfast, sender)
            zipkin.start()
            check(zipkin, holdfast, form, sent)
        books = holdfast.books("traces", "zipkin")
        assert books["dead_lettered"]["items"] == 0, books
        holdfast.close()
    finally:
        if holdfast.process and holdfast.process.poll() is None:
            holdfast.kill9()
        zipkin.close()


def main(directory):
    fetch()
    for form in FORMATS:
        check_format(directory, form)
    return True
