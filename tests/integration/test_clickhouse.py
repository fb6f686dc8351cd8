"""Rows for ClickHouse: tables, columns, tokens that tell repeats, exceptions by their codes, and what a kill may cost: nothing."""

import pytest

from support import otlp
from support.backends import accept_but_hide, ok, status
from support.clickhouse import PASSWORD, USER, ClickHouse, Insert, exception
from support.holdfast import FAST_RETRY, pipelines
from support.waiting import until

TIME_NS = 1_700_000_000_123_456_789
TIME = "2023-11-14T22:13:20.123456789Z"
EPOCH = "1970-01-01T00:00:00.000000000Z"


@pytest.fixture
def clickhouse(ending):
    return ending.enter_context(ClickHouse())


def configuration(clickhouse, signals=("traces", "metrics", "logs"), **more):
    exporter = {
        "endpoint": clickhouse.url,
        "username": USER,
        "password": PASSWORD,
        "retry_on_failure": dict(FAST_RETRY),
        **more,
    }
    return {"exporters": {"clickhouse": exporter}, "service": {"pipelines": pipelines(["clickhouse"], signals=signals)}}


@pytest.fixture
def begin(start, clickhouse):
    return lambda **more: start(configuration(clickhouse, **more))


def arrived(clickhouse, table, count):
    until(lambda: len(clickhouse.rows(table)) >= count, lambda: f"{len(clickhouse.rows(table))} of {count} rows")
    return clickhouse.rows(table)


def ids(rows):
    return [int(one["LogAttributes"][otlp.ID_KEY]) for one in rows]


def wait_for_books(holdfast, signal, what, items):
    until(
        lambda: holdfast.books(signal, "clickhouse")[what]["items"] == items,
        lambda: f"{holdfast.books(signal, 'clickhouse')}",
    )


def a_record(item=7):
    request = otlp.request(otlp.LOGS, [item], padding='say "hello"', resource={"service.name": "shop", "host.name": "n1"})
    (record,) = otlp.items(otlp.LOGS, request)
    record.time_unix_nano, record.flags, record.event_name = TIME_NS, 257, "ev"
    record.trace_id, record.span_id = bytes(range(16)), bytes(8)
    more = {"m": {"a": 1, "b": {"c": [1, 2]}}, "f": 1.5, "bytes": b"xy", "none": None}
    record.attributes.extend(otlp.attribute(*pair) for pair in more.items())
    return request


def test_a_log_record_is_a_row(begin, clickhouse, grpc_sender):
    holdfast = begin()
    grpc_sender(holdfast).export(otlp.LOGS, a_record())
    (row,) = arrived(clickhouse, "otel_logs", 1)
    assert row == {
        "Timestamp": TIME,
        "TraceId": bytes(range(16)).hex(),
        "SpanId": "",
        "TraceFlags": 1,
        "SeverityText": "INFO",
        "SeverityNumber": 9,
        "ServiceName": "shop",
        "Body": 'say "hello"',
        "ResourceSchemaUrl": "",
        "ResourceAttributes": {"service.name": "shop", "host.name": "n1"},
        "ScopeSchemaUrl": "",
        "ScopeName": "",
        "ScopeVersion": "",
        "ScopeAttributes": {},
        "LogAttributes": {"test.id": "7", "m": '{"a":1,"b":{"c":[1,2]}}', "f": "1.5", "bytes": "eHk=", "none": ""},
        "EventName": "ev",
    }
    (insert,) = clickhouse.inserts
    assert list(row) == insert.columns and insert.database == "default"
    assert clickhouse.requests[0].metadata["content-encoding"] == "zstd"
    assert clickhouse.settings[-1] == {
        "date_time_input_format": "best_effort",
        "async_insert": "1",
        "wait_for_async_insert": "1",
        "async_insert_deduplicate": "1",
        "insert_deduplication_token": insert.token,
    }


def test_attributes_as_json_keep_their_types(begin, clickhouse, grpc_sender):
    holdfast = begin(json=True)
    grpc_sender(holdfast).export(otlp.LOGS, a_record())
    (row,) = arrived(clickhouse, "otel_logs", 1)
    assert row["LogAttributes"] == {
        "test.id": 7,
        "m": {"a": 1, "b": {"c": [1, 2]}},
        "f": 1.5,
        "bytes": "eHk=",
        "none": None,
    }
    assert row["LogAttributesKeys"] == ["bytes", "f", "m.a", "m.b.c", "none", "test.id"]
    assert row["ResourceAttributesKeys"] == ["host.name", "service.name"]
    assert "ResourceAttributes JSON" in clickhouse.statements[0]


def test_a_span_is_a_row(begin, clickhouse, grpc_sender):
    holdfast = begin()
    request = otlp.request(otlp.TRACES, [3])
    (span,) = otlp.items(otlp.TRACES, request)
    span.start_time_unix_nano, span.end_time_unix_nano = TIME_NS, TIME_NS + 5
    span.status.code, span.status.message = 2, "bad"
    span.events.add(name="e", time_unix_nano=TIME_NS, attributes=[otlp.attribute("a", True)])
    span.links.add(trace_id=b"\x01" * 16, span_id=b"\x02" * 8, trace_state="k=v")
    grpc_sender(holdfast).export(otlp.TRACES, request)
    (row,) = arrived(clickhouse, "otel_traces", 1)
    assert row == {
        "Timestamp": TIME,
        "TraceId": span.trace_id.hex(),
        "SpanId": span.span_id.hex(),
        "ParentSpanId": "",
        "TraceState": "",
        "SpanName": "test span",
        "SpanKind": "Server",
        "ServiceName": "test",
        "ResourceAttributes": {"service.name": "test"},
        "ScopeName": "",
        "ScopeVersion": "",
        "SpanAttributes": {"test.id": "3"},
        "Duration": 5,
        "StatusCode": "Error",
        "StatusMessage": "bad",
        "Events.Timestamp": [TIME],
        "Events.Name": ["e"],
        "Events.Attributes": [{"a": "true"}],
        "Links.TraceId": ["01" * 16],
        "Links.SpanId": ["02" * 8],
        "Links.TraceState": ["k=v"],
        "Links.Attributes": [{}],
    }


def all_kinds():
    request = otlp.METRICS.request()
    scope = request.resource_metrics.add(schema_url="r").scope_metrics.add(schema_url="s")
    scope.scope.name, scope.scope.dropped_attributes_count = "sc", 2
    point = scope.metrics.add(name="g", unit="1", description="d").gauge.data_points.add(as_double=float("nan"))
    point.exemplars.add(time_unix_nano=TIME_NS, as_int=3, trace_id=b"\x01" * 16)
    total = scope.metrics.add(name="s").sum
    total.is_monotonic, total.aggregation_temporality = True, 2
    total.data_points.add(time_unix_nano=TIME_NS, as_int=4, flags=1)
    scope.metrics.add(name="h").histogram.data_points.add(
        count=3, sum=4.5, bucket_counts=[1, 2], explicit_bounds=[0.5], min=1, max=2
    )
    point = scope.metrics.add(name="e").exponential_histogram.data_points.add(count=3, scale=-1, zero_count=1)
    point.positive.offset, point.negative.offset = -2, 3
    point.positive.bucket_counts.extend([1, 2])
    point = scope.metrics.add(name="q").summary.data_points.add(count=3, sum=float("-inf"))
    point.quantile_values.add(quantile=0.5, value=float("inf"))
    return request


def test_each_kind_of_metric_has_its_table(begin, clickhouse, grpc_sender):
    holdfast = begin(metrics_tables={"sum": {"name": "sums"}}, metrics_table_name="own")
    grpc_sender(holdfast).export(otlp.METRICS, all_kinds())
    wait_for_books(holdfast, "metrics", "delivered", 5)
    assert [one.table for one in clickhouse.inserts] == [
        "own_gauge", "sums", "own_histogram", "own_exponential_histogram", "own_summary",
    ]
    assert len({one.token for one in clickhouse.inserts}) == 5
    for one in clickhouse.inserts:
        assert set(one.rows[0]) == set(one.columns)
    (gauge,), (total,), (histogram,), (exponential,), (summary,) = (one.rows for one in clickhouse.inserts)
    common = {
        "ResourceAttributes": {},
        "ResourceSchemaUrl": "r",
        "ScopeName": "sc",
        "ScopeVersion": "",
        "ScopeAttributes": {},
        "ScopeDroppedAttrCount": 2,
        "ScopeSchemaUrl": "s",
        "ServiceName": "",
        "MetricName": "g",
        "MetricDescription": "d",
        "MetricUnit": "1",
        "Attributes": {},
        "StartTimeUnix": EPOCH,
        "TimeUnix": EPOCH,
        "Flags": 0,
    }
    assert gauge == {
        **common,
        "Value": "nan",
        "Exemplars.FilteredAttributes": [{}],
        "Exemplars.TimeUnix": [TIME],
        "Exemplars.Value": [3.0],
        "Exemplars.SpanId": ["0" * 16],
        "Exemplars.TraceId": ["01" * 16],
    }
    assert (total["Value"], total["IsMonotonic"], total["AggregationTemporality"], total["Flags"]) == (4.0, True, 2, 1)
    assert histogram["BucketCounts"] == [1, 2] and histogram["ExplicitBounds"] == [0.5] and histogram["Max"] == 2.0
    assert exponential["PositiveOffset"] == -2 and exponential["PositiveBucketCounts"] == [1, 2]
    assert exponential["NegativeOffset"] == 3 and exponential["Scale"] == -1 and exponential["ZeroCount"] == 1
    assert summary["ValueAtQuantiles.Value"] == ["inf"] and summary["Sum"] == "-inf"


def test_database_and_tables_are_created_once_before_the_first_rows(begin, clickhouse, grpc_sender):
    holdfast = begin(
        database="otel", ttl="72h", cluster_name="c1", table_engine={"name": "ReplicatedMergeTree", "params": "'/a', 'b'"},
        traces_table_name="tr`aces",
    )
    sender = grpc_sender(holdfast)
    for count in (1, 2, 3):
        sender.export(otlp.TRACES, otlp.request(otlp.TRACES, otlp.new_ids(1)))
        wait_for_books(holdfast, "traces", "delivered", count)
    database, traces, times, view = clickhouse.statements
    assert database == "CREATE DATABASE IF NOT EXISTS `otel` ON CLUSTER `c1`"
    assert traces.startswith("CREATE TABLE IF NOT EXISTS `otel`.`tr\\`aces` ON CLUSTER `c1` (")
    assert "ENGINE = ReplicatedMergeTree('/a', 'b')" in traces
    assert "TTL toDateTime(Timestamp) + toIntervalDay(3)" in traces
    assert "`tr\\`aces_trace_id_ts`" in times and "TTL toDateTime(Start)" in times
    assert view.startswith("CREATE MATERIALIZED VIEW IF NOT EXISTS `otel`.`tr\\`aces_trace_id_ts_mv`")
    assert [isinstance(one.message, Insert) for one in clickhouse.requests] == [False] * 4 + [True] * 3


def test_without_create_schema_only_rows_are_sent(begin, clickhouse, grpc_sender):
    holdfast = begin(create_schema=False, compress="none", async_insert=False)
    grpc_sender(holdfast).export(otlp.LOGS, otlp.request(otlp.LOGS, otlp.new_ids(2)))
    arrived(clickhouse, "otel_logs", 2)
    assert clickhouse.statements == []
    assert clickhouse.settings[0]["async_insert"] == "0" and "wait_for_async_insert" not in clickhouse.settings[0]
    assert "content-encoding" not in clickhouse.requests[0].metadata


def test_tables_of_older_releases_get_the_columns_they_have(begin, clickhouse, grpc_sender):
    missing = exception(16, "No such column EventName in table default.otel_logs. (NO_SUCH_COLUMN_IN_TABLE)")
    clickhouse.judge = lambda one: missing if isinstance(one, Insert) and "EventName" in one.columns else ok()
    holdfast = begin()
    grpc_sender(holdfast).export(otlp.LOGS, otlp.request(otlp.LOGS, otlp.new_ids(2)))
    rows = arrived(clickhouse, "otel_logs", 2)
    assert "EventName" not in rows[0]
    wait_for_books(holdfast, "logs", "delivered", 2)
    assert "lacks a column" in holdfast.log()
    assert "Exporting failed" not in holdfast.log()


def test_a_table_that_was_dropped_is_created_again(begin, clickhouse, grpc_sender):
    holdfast = begin()
    sender = grpc_sender(holdfast)
    sender.export(otlp.LOGS, otlp.request(otlp.LOGS, otlp.new_ids(1)))
    arrived(clickhouse, "otel_logs", 1)
    before = len(clickhouse.statements)
    clickhouse.next(exception(60, "Table default.otel_logs does not exist. (UNKNOWN_TABLE)", 404))
    sender.export(otlp.LOGS, otlp.request(otlp.LOGS, otlp.new_ids(1)))
    arrived(clickhouse, "otel_logs", 2)
    assert len(clickhouse.statements) > before


@pytest.mark.parametrize(
    "answer",
    [
        exception(252, "Too many parts (300). Merges are processing significantly slower than inserts"),
        exception(241, "Memory limit (total) exceeded"),
        exception(202, "Too many simultaneous queries"),
        exception(516, "Authentication failed", 403),
        exception(497, "Not enough privileges", 403),
        exception(115, "Unknown setting", 404),
        exception(16, "No such column Body", 404),
        exception(319, "Unknown status of insert"),
        exception(1001, "std::exception"),
        exception(999, "Session expired", 200),
        status(200, {}, b"hello, this is not ClickHouse"),
        exception(168, "Unexpected AST structure", 400),
        status(400, {}, b"Bad Request"),
        status(503),
    ],
    ids=lambda one: f"{one.code} {one.body.decode()[:30]}",
)
def test_what_is_not_about_the_rows_costs_no_data(begin, clickhouse, grpc_sender, answer):
    sent = otlp.new_ids(3)
    failing = True
    clickhouse.judge = lambda one: answer if failing and isinstance(one, Insert) else ok()
    holdfast = begin(signals=["logs"])
    grpc_sender(holdfast).export(otlp.LOGS, otlp.request(otlp.LOGS, sent))
    holdfast.wait_for_log("Exporting failed")
    failing = False
    assert ids(arrived(clickhouse, "otel_logs", 3)) == sent
    wait_for_books(holdfast, "logs", "dead_lettered", 0)


@pytest.mark.parametrize("number", [27, 117, 252, 407])
def test_one_bad_row_costs_itself_alone(begin, clickhouse, grpc_sender, number):
    sent = otlp.new_ids(8)
    words = "Too many partitions for single INSERT block" if number == 252 else "Cannot parse"
    clickhouse.judge = lambda one: (
        exception(number, words, 400)
        if isinstance(one, Insert) and any(row["LogAttributes"][otlp.ID_KEY] == str(sent[5]) for row in one.rows)
        else ok()
    )
    holdfast = begin(signals=["logs"])
    grpc_sender(holdfast).export(otlp.LOGS, otlp.request(otlp.LOGS, sent))
    wait_for_books(holdfast, "logs", "dead_lettered", 1)
    wait_for_books(holdfast, "logs", "delivered", 7)
    assert set(ids(clickhouse.rows("otel_logs"))) == {*sent} - {sent[5]}


def test_a_statement_that_fails_costs_no_data(begin, clickhouse, grpc_sender):
    failing = True
    clickhouse.judge = lambda one: (
        exception(62, "Syntax error", 400) if failing and not isinstance(one, Insert) else ok()
    )
    holdfast = begin(signals=["logs"])
    sent = otlp.new_ids(3)
    grpc_sender(holdfast).export(otlp.LOGS, otlp.request(otlp.LOGS, sent))
    holdfast.wait_for_log("Syntax error")
    failing = False
    assert ids(arrived(clickhouse, "otel_logs", 3)) == sent


def test_a_repeat_has_the_same_token(begin, clickhouse, grpc_sender):
    once = [accept_but_hide()]
    clickhouse.judge = lambda one: once.pop() if isinstance(one, Insert) and once else ok()
    holdfast = begin()
    sent = otlp.new_ids(3)
    grpc_sender(holdfast).export(otlp.LOGS, otlp.request(otlp.LOGS, sent))
    wait_for_books(holdfast, "logs", "delivered", 3)
    assert ids(clickhouse.rows("otel_logs")) == sent
    assert len(clickhouse.repeats) == 1


def test_a_failure_at_the_second_table_repeats_the_first_with_its_token(begin, clickhouse, grpc_sender):
    once = [exception(252, "Too many parts")]
    clickhouse.judge = lambda one: (
        once.pop() if isinstance(one, Insert) and one.table == "otel_metrics_sum" and once else ok()
    )
    holdfast = begin()
    grpc_sender(holdfast).export(otlp.METRICS, all_kinds())
    wait_for_books(holdfast, "metrics", "delivered", 5)
    assert len(clickhouse.inserts) == 5
    assert [one.table for one in clickhouse.repeats] == ["otel_metrics_gauge"]


def test_a_kill_loses_nothing(begin, clickhouse, grpc_sender):
    clickhouse.always = status(503)
    holdfast = begin(signals=["logs"])
    sent = otlp.new_ids(20)
    sender = grpc_sender(holdfast)
    for item in sent:
        sender.export(otlp.LOGS, otlp.request(otlp.LOGS, [item]))
    clickhouse.wait_for_requests(1)
    holdfast.kill9()
    clickhouse.always = ok()
    holdfast.start()
    assert set(ids(arrived(clickhouse, "otel_logs", 20))) == set(sent)
    wait_for_books(holdfast, "logs", "queued", 0)


def test_the_next_host_takes_over(start, clickhouse, grpc_sender, ending):
    other = ending.enter_context(ClickHouse())
    holdfast = start(configuration(clickhouse, endpoint=f"{clickhouse.url},127.0.0.1:{other.port}", signals=["logs"]))
    sender = grpc_sender(holdfast)
    sender.export(otlp.LOGS, otlp.request(otlp.LOGS, otlp.new_ids(1)))
    arrived(clickhouse, "otel_logs", 1)
    clickhouse.stop()
    sent = otlp.new_ids(3)
    sender.export(otlp.LOGS, otlp.request(otlp.LOGS, sent))
    assert ids(arrived(other, "otel_logs", 3)) == sent


def test_a_native_endpoint_is_mapped_with_a_warning(start, clickhouse, grpc_sender):
    holdfast = start(configuration(clickhouse, endpoint="tcp://127.0.0.1:9000?dial_timeout=10s&max_execution_time=60"))
    holdfast.wait_for_log("http://127.0.0.1:8123/ stands for the endpoint")
    assert "dial_timeout" in holdfast.log()


def test_parameters_are_settings(begin, clickhouse, grpc_sender):
    holdfast = begin(
        connection_params={"max_execution_time": "60", "async_insert": "false", "wait_for_async_insert": "0", "q": "a&b=ä"}
    )
    grpc_sender(holdfast).export(otlp.LOGS, otlp.request(otlp.LOGS, otlp.new_ids(1)))
    arrived(clickhouse, "otel_logs", 1)
    settings = clickhouse.settings[-1]
    assert (settings["max_execution_time"], settings["async_insert"], settings["q"]) == ("60", "0", "a&b=ä")
    assert "wait_for_async_insert is off" not in holdfast.log()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"endpoint": ""}, "endpoint must be specified"),
        ({"endpoint": "localhost:9000"}, "endpoint has to be a URL"),
        ({"endpoint": "ftp://localhost"}, "the scheme has to be"),
        ({"endpoint": "tcp://localhost:19000"}, "write that, as http://host:8123"),
        ({"compress": "br"}, "br is not built in"),
        ({"compress": "rar"}, "compress has to be"),
        ({"ttl": "1h", "ttl_days": 3}, "exclude each other"),
        ({"ttl": "1500ms"}, "whole seconds"),
        ({"connection_params": {"connection_open_strategy": "last"}}, "connection_open_strategy"),
    ],
)
def test_bad_values(start, clickhouse, change, sentence):
    holdfast = start(configuration(clickhouse, **change), ready=False)
    done = holdfast.command("validate", "--config", holdfast.base_path, "--config", holdfast.config_path)
    assert done.returncode != 0
    assert sentence in done.stderr + done.stdout


def test_check_asks_the_server(start, clickhouse):
    holdfast = start(configuration(clickhouse), ready=False)
    done = holdfast.command("check", "--config", holdfast.base_path, "--config", holdfast.config_path)
    assert "clickhouse" in done.stdout
    assert "SELECT 1" in clickhouse.statements
