"""The exporter awscloudwatchlogs: events as the Go collector writes them, groups and streams that are made, the limits of
PutLogEvents, and what an outage or a kill may cost: nothing."""

import json
import time

import pytest

from support import otlp
from support.cloudwatch import REGION, CloudWatch
from support.holdfast import FAST_RETRY, pipelines
from support.waiting import until

GROUP, STREAM = "/shop/logs", "till-1"


@pytest.fixture
def cloudwatch(ending):
    return ending.enter_context(CloudWatch())


def configuration(cloudwatch, **more):
    exporter = {
        "log_group_name": GROUP,
        "log_stream_name": STREAM,
        "endpoint": cloudwatch.url,
        "region": REGION,
        "retry_on_failure": dict(FAST_RETRY),
        **more,
    }
    return {"exporters": {"awscloudwatchlogs": exporter}, "service": {"pipelines": pipelines(["awscloudwatchlogs"], signals=["logs"])}}


@pytest.fixture
def begin(start, cloudwatch):
    """begin(exporter's keys...) -> a running Holdfast that writes to the stand-in."""
    return lambda **more: start(configuration(cloudwatch, **more), environment=cloudwatch.environment)


def records(count, time_ns=None, **more):
    request = otlp.request(otlp.LOGS, otlp.new_ids(count), **more)
    for record in otlp.items(otlp.LOGS, request):
        record.time_unix_nano = time.time_ns() if time_ns is None else time_ns
    return request


def books(holdfast):
    return holdfast.books("logs", "awscloudwatchlogs")


def wait_for_dead_letters(holdfast, count):
    until(lambda: books(holdfast)["dead_lettered"]["items"] == count, lambda: f"{books(holdfast)}")


def test_a_record_is_an_object(begin, cloudwatch, grpc_sender):
    holdfast = begin(log_retention=30, tags={"team": "till"})
    request = records(1, padding="hello \"you\"", resource={"service.name": "shop", "n": 7})
    record = otlp.items(otlp.LOGS, request)[0]
    record.severity_number, record.severity_text, record.flags = 9, "INFO", 1
    record.dropped_attributes_count = 2
    record.trace_id, record.span_id = bytes(range(16)), bytes(range(8))
    scope = request.resource_logs[0].scope_logs[0].scope
    scope.name, scope.version = "lib", "1.2"
    attributes = {pair.key: otlp.value(pair.value) for pair in record.attributes}
    grpc_sender(holdfast).export(otlp.LOGS, request)
    ((when, text),) = cloudwatch.wait_for_events(GROUP, 1, STREAM)
    assert when == record.time_unix_nano // 1_000_000
    assert json.loads(text) == {
        "body": "hello \"you\"",
        "severity_number": 9,
        "severity_text": "INFO",
        "dropped_attributes_count": 2,
        "flags": 1,
        "trace_id": bytes(range(16)).hex(),
        "span_id": bytes(range(8)).hex(),
        "attributes": attributes,
        "scope": {"name": "lib", "version": "1.2"},
        "resource": {"service.name": "shop", "n": 7},
    }
    assert cloudwatch.operations() == [
        "PutLogEvents", "CreateLogStream", "CreateLogGroup", "PutRetentionPolicy", "CreateLogStream", "PutLogEvents",
    ]
    (group,) = cloudwatch.client.describe_log_groups()["logGroups"]
    assert group["retentionInDays"] == 30
    assert cloudwatch.client.list_tags_log_group(logGroupName=GROUP)["tags"] == {"team": "till"}
    assert cloudwatch.seen[0][2]["authorization"].startswith(f"AWS4-HMAC-SHA256 Credential={cloudwatch.access}/")
    assert f"/{REGION}/logs/aws4_request" in cloudwatch.seen[0][2]["authorization"]


def test_raw_bodies(begin, cloudwatch, grpc_sender):
    holdfast = begin(raw_log=True)
    request = records(3)
    one, two, three = otlp.items(otlp.LOGS, request)
    one.body.string_value = "plain line"
    version1 = json.dumps({"_aws": {"logGroupName": "emf", "logStreamName": "s1"}, "x": 1})
    two.body.string_value = version1
    version0 = json.dumps({"log_group_name": "emf", "x": 2})
    three.body.string_value = version0
    grpc_sender(holdfast).export(otlp.LOGS, request)
    assert [text for _, text in cloudwatch.wait_for_events(GROUP, 1, STREAM)] == ["plain line"]
    assert [text for _, text in cloudwatch.wait_for_events("emf", 1, "s1")] == [version1]
    assert [text for _, text in cloudwatch.wait_for_events("emf", 1, STREAM)] == [version0]


def test_names_have_attributes_of_the_resource(begin, cloudwatch, grpc_sender):
    holdfast = begin(log_group_name="/{ServiceName}/logs", log_stream_name="{InstanceId}-{FaasName}")
    grpc_sender(holdfast).export(otlp.LOGS, records(1, resource={"service.name": "shop", "InstanceId": "i-7"}))
    assert len(cloudwatch.wait_for_events("/shop/logs", 1, "i-7-undefined")) == 1


def test_a_request_has_what_the_service_takes(begin, cloudwatch, grpc_sender):
    """Sorted by time, at most a day between the first and the last, 1 MiB."""
    holdfast = begin()
    now = time.time_ns()
    request = records(4, now)
    for record, hours in zip(otlp.items(otlp.LOGS, request), (0, -2, -30, -1)):
        record.time_unix_nano = now + hours * 3_600_000_000_000
    grpc_sender(holdfast).export(otlp.LOGS, request)
    cloudwatch.wait_for_events(GROUP, 4, STREAM)
    done = [put for put in cloudwatch.puts()[1:]]  # the first found no stream
    for put in done:
        times = [event["timestamp"] for event in put["logEvents"]]
        assert times == sorted(times)
        assert times[-1] - times[0] <= 86_400_000
    assert len(done) >= 2
    before = len(cloudwatch.puts())
    grpc_sender(holdfast).export(otlp.LOGS, records(3, padding="x" * 600_000))
    cloudwatch.wait_for_events(GROUP, 7, STREAM)
    for put in cloudwatch.puts()[before:]:
        assert sum(len(event["message"]) + 26 for event in put["logEvents"]) <= 1 << 20


def test_what_the_service_never_takes_becomes_dead_letters(begin, cloudwatch, grpc_sender):
    holdfast = begin()
    now = time.time_ns()
    request = records(4, now)
    large, old, late, _ = otlp.items(otlp.LOGS, request)
    large.body.string_value = "x" * (1 << 20)
    old.time_unix_nano = now - 15 * 86_400_000_000_000
    late.time_unix_nano = now + 3 * 3_600_000_000_000
    grpc_sender(holdfast).export(otlp.LOGS, request)
    ((_, text),) = cloudwatch.wait_for_events(GROUP, 1, STREAM)
    assert f'"{otlp.ID_KEY}":{otlp.ids(otlp.LOGS, request)[3]}' in text.replace(" ", "")
    wait_for_dead_letters(holdfast, 3)
    for words in ("more than 1048550 bytes", "more than 14 days old", "more than 2 hours in the future"):
        assert words in holdfast.log()
    assert books(holdfast)["delivered"]["items"] == 1


def test_events_that_the_service_left_out_become_dead_letters(begin, cloudwatch, grpc_sender):
    holdfast = begin()
    cloudwatch.answers["PutLogEvents"] = {
        "nextSequenceToken": "1",
        "rejectedLogEventsInfo": {"tooOldLogEventEndIndex": 1, "expiredLogEventEndIndex": 2, "tooNewLogEventStartIndex": 4},
    }
    request = records(5)
    for index, record in enumerate(otlp.items(otlp.LOGS, request)):
        record.time_unix_nano += index * 1_000_000
    grpc_sender(holdfast).export(otlp.LOGS, request)
    wait_for_dead_letters(holdfast, 3)
    assert books(holdfast)["delivered"]["items"] == 2
    assert "older than its log group keeps events" in holdfast.log()


@pytest.mark.parametrize(
    ("code", "error"),
    [(400, "ThrottlingException"), (503, "ServiceUnavailableException"), (400, "OperationAbortedException"), (500, "InternalFailure")],
)
def test_failures_are_tried_again(begin, cloudwatch, grpc_sender, code, error):
    holdfast = begin()
    cloudwatch.fails += [("PutLogEvents", code, error, "as the test wants")] * 3
    grpc_sender(holdfast).export(otlp.LOGS, records(5))
    assert len(cloudwatch.wait_for_events(GROUP, 5, STREAM)) == 5
    until(lambda: books(holdfast)["delivered"]["items"] == 5, lambda: f"{books(holdfast)}")
    assert books(holdfast)["dead_lettered"]["items"] == 0


def test_a_refused_request_becomes_dead_letters_and_others_go_on(begin, cloudwatch, grpc_sender):
    holdfast = begin()
    cloudwatch.poison = "poison"
    sender = grpc_sender(holdfast)
    sender.export(otlp.LOGS, records(3, padding="poison"))
    sender.export(otlp.LOGS, records(4))
    assert len(cloudwatch.wait_for_events(GROUP, 4, STREAM)) == 4
    wait_for_dead_letters(holdfast, 3)
    assert "InvalidParameterException: no poison" in holdfast.log()


def test_a_refused_key_costs_nothing(begin, cloudwatch, grpc_sender):
    holdfast = begin()
    cloudwatch.fails += [("PutLogEvents", 400, "UnrecognizedClientException", "the token is invalid")] * 3
    grpc_sender(holdfast).export(otlp.LOGS, records(2))
    cloudwatch.wait_for_events(GROUP, 2, STREAM)
    assert "the token is invalid" in holdfast.log()


def test_an_outage_and_a_kill_cost_nothing(begin, cloudwatch, grpc_sender):
    holdfast = begin()
    sender = grpc_sender(holdfast)
    cloudwatch.stop()
    request = records(50)
    ids = otlp.ids(otlp.LOGS, request)
    sender.export(otlp.LOGS, request)
    holdfast.kill9()
    cloudwatch.start()
    holdfast.restart()
    found = cloudwatch.wait_for_events(GROUP, 50, STREAM)
    assert {json.loads(text)["attributes"][otlp.ID_KEY] for _, text in found} == set(ids)


def test_what_is_refused_at_the_start(start, cloudwatch):
    for keys, words in (
        ({"log_group_name": ""}, "log_group_name"),
        ({"log_stream_name": "{Nobody}"}, "unknown placeholder"),
        ({"log_retention": 2}, "log_retention must be"),
        ({"endpoint": "http://"}, "endpoint"),
    ):
        holdfast = start(configuration(cloudwatch, **keys), ready=False)
        done = holdfast.command("validate", "--config", holdfast.base_path, "--config", holdfast.config_path)
        assert done.returncode != 0
        assert words in done.stderr + done.stdout
