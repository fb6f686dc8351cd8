"""The Go collector as a peer, as the one that sends and as the one that receives."""

import os

import pytest

from support import otelcol, otlp, senders
from support.backends import GrpcBackend
from support.holdfast import Holdfast, config, otlp_exporter, otlphttp_exporter
from support.ports import free_port
from support.waiting import until

# What the Go collector sends: exporter, coding, encoding.
SENT = [
    ("otlp", "none", "proto"),
    ("otlp", "gzip", "proto"),
    ("otlp", "zstd", "proto"),
    ("otlp", "snappy", "proto"),
    ("otlphttp", "none", "proto"),
    ("otlphttp", "gzip", "proto"),
    ("otlphttp", "zstd", "proto"),
    ("otlphttp", "snappy", "proto"),
    ("otlphttp", "x-snappy-framed", "proto"),
    ("otlphttp", "deflate", "proto"),
    ("otlphttp", "none", "json"),
    ("otlphttp", "gzip", "json"),
]
# What Holdfast sends, and the coding in which it was sent to Holdfast: where the two are the same, the requests are
# joined without being decoded, as several gzip members or zstd frames.
RECEIVED = [
    ("otlp", "none", "proto", "gzip"),
    ("otlp", "gzip", "proto", "gzip"),
    ("otlp", "zstd", "proto", "zstd"),
    ("otlp", "snappy", "proto", ""),
    ("otlphttp", "none", "proto", "zstd"),
    ("otlphttp", "gzip", "proto", "gzip"),
    ("otlphttp", "zstd", "proto", "zstd"),
    ("otlphttp", "snappy", "proto", "snappy"),
    ("otlphttp", "deflate", "proto", "deflate"),
    ("otlphttp", "none", "json", ""),
    ("otlphttp", "gzip", "json", "gzip"),
]
JOINED = 5


def name_of(case):
    return "-".join(part or "plain" for part in case)


def rich_spans(message, ids):
    """Every field of a span."""
    group = message.resource_spans.add(schema_url="https://example.com/resource")
    group.resource.attributes.append(otlp.attribute("service.name", "rich"))
    group.resource.dropped_attributes_count = 1
    scope = group.scope_spans.add(schema_url="https://example.com/scope")
    scope.scope.name, scope.scope.version, scope.scope.dropped_attributes_count = "lib", "1.2", 2
    scope.scope.attributes.append(otlp.attribute("bytes", b"\x00\xff"))
    for item in ids:
        span = scope.spans.add(
            trace_id=os.urandom(16),
            span_id=os.urandom(8),
            parent_span_id=os.urandom(8),
            trace_state="a=b",
            flags=0x101,
            name="späce \u2603",
            kind=3,
            start_time_unix_nano=2**63 + item,
            end_time_unix_nano=2**63 + item + 1,
            dropped_attributes_count=1,
            dropped_events_count=2,
            dropped_links_count=3,
        )
        span.attributes.append(otlp.attribute(otlp.ID_KEY, item))
        span.status.code, span.status.message = 2, "no"
        event = span.events.add(time_unix_nano=7, name="event", dropped_attributes_count=1)
        event.attributes.append(otlp.attribute("double", -0.1))
        link = span.links.add(trace_id=os.urandom(16), span_id=os.urandom(8), trace_state="c=d", flags=0x300)
        link.attributes.append(otlp.attribute("bool", True))


def rich_points(message, ids):
    """Every kind of a metric, one point each, the ids in turn."""
    group = message.resource_metrics.add()
    group.resource.attributes.append(otlp.attribute("service.name", "rich"))
    scope = group.scope_metrics.add()
    scope.scope.name = "lib"  # Go puts an empty scope where there is none
    for at, item in enumerate(ids):
        metric = scope.metrics.add(name=f"metric.{at}", unit="By", description="what it is")
        common = {"start_time_unix_nano": 1, "time_unix_nano": item, "flags": 0}
        kind = at % 5
        if kind == 0:
            point = metric.gauge.data_points.add(as_double=1e300, **common)
        elif kind == 1:
            point = metric.sum.data_points.add(as_int=-(2**63), **common)
            metric.sum.aggregation_temporality, metric.sum.is_monotonic = 2, True
            exemplar = point.exemplars.add(time_unix_nano=5, as_int=3, span_id=os.urandom(8), trace_id=os.urandom(16))
            exemplar.filtered_attributes.append(otlp.attribute("kept", "not"))
        elif kind == 2:
            point = metric.histogram.data_points.add(
                count=6, sum=1.5, min=0.0, max=1.0, bucket_counts=[1, 2, 3], explicit_bounds=[0.5, 1.0], **common
            )
            metric.histogram.aggregation_temporality = 1
        elif kind == 3:
            point = metric.exponential_histogram.data_points.add(
                count=9, sum=2.5, scale=-3, zero_count=1, zero_threshold=1e-9, min=-1.0, max=2.0, **common
            )
            point.positive.offset = -2
            point.positive.bucket_counts.extend([1, 0, 3])
            point.negative.offset = 4
            point.negative.bucket_counts.extend([4])
            metric.exponential_histogram.aggregation_temporality = 2
        else:
            point = metric.summary.data_points.add(count=2, sum=3.0, **common)
            point.quantile_values.add(quantile=0.99, value=7.0)
        point.attributes.append(otlp.attribute(otlp.ID_KEY, item))


def rich_records(message, ids):
    """Every field of a log record, and bodies of every type."""
    group = message.resource_logs.add()
    group.resource.attributes.append(otlp.attribute("service.name", "rich"))
    scope = group.scope_logs.add()
    scope.scope.name = "lib"
    for at, item in enumerate(ids):
        record = scope.log_records.add(
            time_unix_nano=item,
            observed_time_unix_nano=item + 1,
            severity_number=17,
            severity_text="ERROR",
            trace_id=os.urandom(16),
            span_id=os.urandom(8),
            flags=1,
            dropped_attributes_count=4,
            event_name="event",
        )
        record.attributes.append(otlp.attribute(otlp.ID_KEY, item))
        if at % 3 == 0:
            record.body.string_value = "plain \u2603"
        elif at % 3 == 1:
            record.body.bytes_value = b"\xfe\x00"
        else:
            record.body.kvlist_value.values.append(otlp.attribute("inner", 2.5))
            record.body.kvlist_value.values.add(key="list").value.array_value.values.add(bool_value=False)


RICH = {"traces": rich_spans, "metrics": rich_points, "logs": rich_records}


def rich_request(signal, ids):
    message = signal.request()
    RICH[signal.name](message, ids)
    return message


def whole(signal, messages):
    """The content of several requests, in order, field by field: as lines, so that a difference can be read."""
    merged = signal.request()
    for message in messages:
        merged.MergeFrom(message)
    return str(merged).splitlines()


def arrived_with(backend, signal, ids):
    """The requests that brought any of the ids."""
    wanted = set(ids)
    return [one for one in backend.accepted(signal) if wanted & set(one.ids)]


def endpoint(port):
    return f"127.0.0.1:{port}"


def protocols(grpc_port, http_port=None):
    listed = {"grpc": {"endpoint": endpoint(grpc_port)}}
    if http_port:
        listed["http"] = {"endpoint": endpoint(http_port)}
    return {"protocols": listed}


def lines(receiver, exporter, name):
    """A pipeline for each signal."""
    return {
        f"{signal.name}/{name}": {"receivers": [receiver], "exporters": [exporter]} for signal in otlp.SIGNALS
    }


@pytest.fixture(scope="module")
def sending(tmp_path_factory):
    """A Go collector with a receiver and an exporter for each case, and the Holdfast that they all lead to."""
    folder = tmp_path_factory.mktemp("sending")
    with GrpcBackend() as backend:
        holdfast = Holdfast(folder, config({"otlp": otlp_exporter(backend)})).start()
        ports = {case: free_port() for case in SENT}
        setup = {"receivers": {}, "exporters": {}, "service": {"pipelines": {}}}
        for case, port in ports.items():
            kind, coding, encoding = case
            exporter = {
                "endpoint": holdfast.grpc_target if kind == "otlp" else holdfast.http_base,
                "compression": coding,
                "tls": {"insecure": True},
                **({"encoding": encoding} if kind == "otlphttp" else {}),
            }
            setup["receivers"][f"otlp/{name_of(case)}"] = protocols(port)
            setup["exporters"][f"{kind}/{name_of(case)}"] = exporter
            setup["service"]["pipelines"].update(
                lines(f"otlp/{name_of(case)}", f"{kind}/{name_of(case)}", name_of(case))
            )
        with otelcol.Otelcol(folder, setup):
            yield ports, backend
        holdfast.close()


@pytest.fixture(scope="module")
def receiving(tmp_path_factory):
    """A Go collector that hands on what it gets to a backend."""
    with GrpcBackend() as backend:
        ports = {"otlp": free_port(), "otlphttp": free_port()}
        setup = {
            "receivers": {"otlp": protocols(ports["otlp"], ports["otlphttp"])},
            "exporters": {
                "otlp": {"endpoint": backend.endpoint, "compression": "none", "tls": {"insecure": True}}
            },
            "service": {"pipelines": lines("otlp", "otlp", "out")},
        }
        with otelcol.Otelcol(tmp_path_factory.mktemp("receiving"), setup):
            yield ports, backend


@pytest.mark.parametrize("case", SENT, ids=name_of)
class TestGoSends:
    def test_everything_arrives_once_and_as_it_was(self, sending, case):
        ports, backend = sending
        with senders.GrpcSender(endpoint(ports[case])) as sender:
            for signal in otlp.SIGNALS:
                ids = otlp.new_ids(10)
                message = rich_request(signal, ids)
                sender.export(signal, message, timeout=30)
                backend.wait_for(ids)
                arrived = arrived_with(backend, signal, ids)
                assert [one.ids for one in arrived] == [ids]
                assert whole(signal, [arrived[0].message]) == whole(signal, [message])


@pytest.mark.parametrize("case", RECEIVED, ids=name_of)
class TestGoReceives:
    def test_several_requests_in_one_arrive_once_and_as_they_were(self, receiving, start, case):
        ports, backend = receiving
        kind, coding, encoding, sent_as = case
        target = type("Target", (), {"endpoint": endpoint(ports[kind])})
        if kind == "otlp":
            exporter = otlp_exporter(target, compression=coding)
        else:
            target.endpoint = f"http://{target.endpoint}"
            exporter = otlphttp_exporter(target, compression=coding, encoding=encoding)
        # All of a signal's requests leave together, as soon as the last one is there.
        processors = {"batch": {"timeout": "1h", "send_batch_size": JOINED * 10}}
        holdfast = start(config({kind: exporter}, processors))
        for signal in otlp.SIGNALS:
            ids, messages = [], []
            for _ in range(JOINED):
                ids.append(otlp.new_ids(10))
                messages.append(rich_request(signal, ids[-1]))
                assert senders.post(holdfast.http_base, signal, messages[-1], coding=sent_as).status_code == 200
            everything = [item for some in ids for item in some]
            backend.wait_for(everything)
            arrived = arrived_with(backend, signal, everything)
            assert [one.ids for one in arrived] == [everything]
            assert whole(signal, [arrived[0].message]) == whole(signal, messages)
            until(
                lambda signal=signal: holdfast.books(signal.name, kind)["queued"]["items"] == 0,
                "the answer did not come to an acknowledgement",
            )
            assert holdfast.books(signal.name, kind)["delivered"]["items"] == JOINED * 10
