"""The telemetry that every statement of the corpus is run over: always the same, of all signals and kinds."""

from support import otlp
from support.otlp import LOGS, METRICS, TRACES, attribute

START = 1_700_000_000_000_000_000
SECOND = 1_000_000_000

COMMON = {
    "http.method": "GET",
    "http.route": "/api/v1/users/{id}",
    "http.status_code": 200,
    "ratio": 0.25,
    "big": 9007199254740993,
    "negative": -7,
    "flag": True,
    "off": False,
    "bytes": b"\x00\xfe\x41",
    "empty": "",
    "nothing": None,
    "text": "Hello, World 42",
    "unicode": "h\u00e9llo w\u00f6rld \u4e16\u754c",
    "number": "42",
    "decimal": "3.5",
    "json": '{"a": {"b": [1, 2.5, "x", null, true]}, "name": "j", "n": 7}',
    "json.list": '[1, "two", {"three": 3}]',
    "json.bad": '{"a": ',
    "kv": "k1=v1 k2=v2 k3='v 3'",
    "csv": "one,two,three",
    "url": "https://user:pw@example.com:8080/path/file.tar.gz?q=1&r=2#frag",
    "agent": "curl/7.81.0",
    "ip": "10.1.2.3",
    "time": "2024-03-05T06:07:08",
    "duration": "1h15m30.5s",
    "snake": "some_snake_case",
    "camel": "someCamelCase",
    "spaced": "  padded  ",
    "email": "ann@example.com, bob@example.org",
    "list": ["b", "a", "c"],
    "numbers": [3, 1, 2],
    "mixed": [1, "one", 1.5, True, {"k": "v"}],
    "map": {"inner": {"deep": "value", "n": 1}, "x": "y", "list": [1, {"z": 2}]},
    "xml": '<log level="warn"><user id="1">ann</user><user id="2">bob</user></log>',
}

ITEMS = [
    {},
    {"http.method": "POST", "http.status_code": 500, "text": "error: timeout after 30s", "number": "x1"},
    {"http.method": "DELETE", "http.status_code": "404", "flag": False, "ratio": -1.5, "text": "", "list": []},
]


def _attributes(more, into):
    into.extend(attribute(key, value) for key, value in {**COMMON, **more}.items())


def _resource(group, index):
    resource = {
        "service.name": f"service-{index}",
        "host.name": f"host{index}.example.com",
        "k8s.pod.name": f"web-{index}-abc12",
        "tags": ["x", f"t{index}"],
        "labels": {"app": "web", "index": index},
    }
    group.resource.attributes.extend(attribute(*pair) for pair in resource.items())
    group.resource.dropped_attributes_count = index


def _scope(scope):
    scope.name = "my.library"
    scope.version = "1.2.3"
    scope.attributes.extend([attribute("scope.key", "scope value"), attribute("scope.n", 5)])


def traces():
    message = TRACES.request()
    for index in range(2):
        group = message.resource_spans.add(schema_url="https://example.com/schema")
        _resource(group, index)
        scope_spans = group.scope_spans.add()
        _scope(scope_spans.scope)
        for number, more in enumerate(ITEMS):
            span = scope_spans.spans.add(
                trace_id=bytes(range(1, 17)) if number != 2 else bytes(range(16, 0, -1)),
                span_id=bytes([number + 1] * 8),
                parent_span_id=b"" if number == 0 else bytes([number] * 8),
                trace_state="a=1,b=2" if number == 0 else "",
                name=f"GET /users/{number}" if number != 1 else "POST /orders",
                kind=number + 1,
                start_time_unix_nano=START + number * SECOND,
                end_time_unix_nano=START + number * SECOND + 1_500_000,
                dropped_attributes_count=number,
                flags=257,
            )
            span.status.code = number
            span.status.message = "failed" if number == 2 else ""
            _attributes(more, span.attributes)
            for event in range(2):
                made = span.events.add(time_unix_nano=START + event, name=["exception", "log"][event])
                made.attributes.extend([attribute("exception.type", "IOError"), attribute("n", event)])
            link = span.links.add(trace_id=bytes([9] * 16), span_id=bytes([8] * 8))
            link.attributes.append(attribute("linked", True))
    return message


def logs():
    message = LOGS.request()
    bodies = [
        "plain text body 17",
        {"message": "structured", "user": {"id": 5, "names": ["a", "b"]}, "level": "info"},
        ["first", 2, {"third": 3}],
        12,
        3.75,
        True,
        b"\x01\x02",
        None,
        '{"level": "error", "msg": "from json", "n": 1}',
    ]
    for index in range(2):
        group = message.resource_logs.add()
        _resource(group, index)
        scope_logs = group.scope_logs.add()
        _scope(scope_logs.scope)
        for number, body in enumerate(bodies if index == 0 else bodies[:2]):
            record = scope_logs.log_records.add(
                time_unix_nano=START + number,
                observed_time_unix_nano=START + SECOND,
                severity_number=[0, 1, 5, 9, 13, 17, 21, 24, 10][number],
                severity_text=["", "TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL", "fatal4", "Info"][number],
                trace_id=bytes(range(1, 17)) if number % 2 else b"",
                span_id=bytes([number + 1] * 8) if number % 2 else b"",
                flags=number % 2,
                dropped_attributes_count=number,
            )
            if body is not None:
                record.body.CopyFrom(otlp.any_value(body))
            _attributes(ITEMS[number % len(ITEMS)], record.attributes)
    return message


def _number_points(points, integers):
    for number, more in enumerate(ITEMS[:2]):
        point = points.add(
            start_time_unix_nano=START, time_unix_nano=START + number * SECOND, flags=number
        )
        if integers:
            point.as_int = 7 + number
        else:
            point.as_double = 2.5 * (number + 1)
        point.attributes.extend(
            [attribute("method", ["GET", "POST"][number]), attribute("host", "h"), attribute("n", number)]
        )
        exemplar = point.exemplars.add(time_unix_nano=START, as_double=1.5, trace_id=bytes([1] * 16), span_id=bytes([2] * 8))
        exemplar.filtered_attributes.append(attribute("exemplar.key", "e"))


def _histogram_points(points):
    for number in range(2):
        point = points.add(
            start_time_unix_nano=START,
            time_unix_nano=START + SECOND,
            count=10,
            sum=55.5,
            bucket_counts=[1, 2, 3, 4],
            explicit_bounds=[1.0, 5.0, 10.0],
            min=0.5,
            max=20.0,
        )
        point.attributes.extend([attribute("method", ["GET", "POST"][number]), attribute("n", number)])


def _exponential_points(points):
    point = points.add(
        start_time_unix_nano=START, time_unix_nano=START + SECOND, count=11, sum=100.0, scale=1, zero_count=2, min=0.1, max=30.0
    )
    point.positive.offset = 1
    point.positive.bucket_counts.extend([1, 2, 3])
    point.negative.offset = 0
    point.negative.bucket_counts.extend([3])
    point.attributes.append(attribute("method", "GET"))


def _summary_points(points):
    point = points.add(start_time_unix_nano=START, time_unix_nano=START + SECOND, count=6, sum=12.5)
    for quantile, value in ((0.5, 1.0), (0.99, 4.5)):
        point.quantile_values.add(quantile=quantile, value=value)
    point.attributes.append(attribute("method", "GET"))


def metrics():
    message = METRICS.request()
    for index in range(2):
        group = message.resource_metrics.add()
        _resource(group, index)
        scope_metrics = group.scope_metrics.add()
        _scope(scope_metrics.scope)
        add = scope_metrics.metrics.add
        _number_points(add(name="cpu.usage", description="CPU", unit="1").gauge.data_points, False)
        total = add(name="requests_total", description="Requests", unit="{request}")
        total.sum.aggregation_temporality = 2
        total.sum.is_monotonic = True
        _number_points(total.sum.data_points, True)
        if index == 1:
            continue
        delta = add(name="bytes", unit="By")
        delta.sum.aggregation_temporality = 1
        _number_points(delta.sum.data_points, False)
        histogram = add(name="latency", unit="ms")
        histogram.histogram.aggregation_temporality = 2
        _histogram_points(histogram.histogram.data_points)
        exponential = add(name="size", unit="By")
        exponential.exponential_histogram.aggregation_temporality = 1
        _exponential_points(exponential.exponential_histogram.data_points)
        _summary_points(add(name="quantiles", unit="s").summary.data_points)
    return message


ALL = {TRACES: traces, METRICS: metrics, LOGS: logs}
