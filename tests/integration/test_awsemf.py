"""The exporter awsemf: events in the embedded metric format as the Go collector makes them, deltas of cumulative values
over restarts and kills, placeholders, and what an outage may cost: nothing."""

import json
import time

import pytest

from support import otlp
from support.cloudwatch import REGION, CloudWatch
from support.holdfast import FAST_RETRY, pipelines
from support.waiting import until

CUMULATIVE, DELTA = 2, 1


@pytest.fixture
def cloudwatch(ending):
    return ending.enter_context(CloudWatch())


def configuration(cloudwatch, **more):
    exporter = {
        "log_group_name": "g",
        "log_stream_name": "s",
        "namespace": "shop",
        "endpoint": cloudwatch.url,
        "region": REGION,
        "retry_on_failure": dict(FAST_RETRY),
        "dimension_rollup_option": "NoDimensionRollup",
        **{key: value for key, value in more.items() if value is not None},
    }
    exporter = {key: value for key, value in exporter.items() if more.get(key, "") is not None}
    return {"exporters": {"awsemf": exporter}, "service": {"pipelines": pipelines(["awsemf"], signals=["metrics"])}}


@pytest.fixture
def begin(start, cloudwatch):
    """begin(exporter's keys; None takes a default away) -> a running Holdfast that writes to the stand-in."""
    return lambda **more: start(configuration(cloudwatch, **more), environment=cloudwatch.environment)


NOW = time.time_ns() // 1_000_000 * 1_000_000


def metrics(*made, resource=None, scope=""):
    """made: functions that fill a Metric."""
    message = otlp.METRICS.request()
    group = message.resource_metrics.add()
    group.resource.attributes.extend(otlp.attribute(*pair) for pair in (resource or {}).items())
    scoped = group.scope_metrics.add()
    scoped.scope.name = scope
    for make in made:
        make(scoped.metrics.add())
    return message


def gauge(name, value, unit="", when=NOW, **labels):
    def fill(metric):
        metric.name, metric.unit = name, unit
        point = metric.gauge.data_points.add(time_unix_nano=when, as_double=value)
        point.attributes.extend(otlp.attribute(*pair) for pair in labels.items())

    return fill


def counter(name, value, when=NOW, temporality=CUMULATIVE, **labels):
    def fill(metric):
        metric.name, metric.sum.is_monotonic, metric.sum.aggregation_temporality = name, True, temporality
        point = metric.sum.data_points.add(time_unix_nano=when, as_int=value)
        point.attributes.extend(otlp.attribute(*pair) for pair in labels.items())

    return fill


def found(cloudwatch, count, group="g", stream=None):
    return [json.loads(text) for _, text in cloudwatch.wait_for_events(group, count, stream)]


def directive(event):
    """(namespace, sets of dimensions, {metric: unit}) of an event of one measurement."""
    (measurement,) = event["_aws"]["CloudWatchMetrics"]
    sets = sorted(sorted(one) for one in measurement["Dimensions"])
    return measurement["Namespace"], sets, {one["Name"]: one["Unit"] for one in measurement["Metrics"]}


def books(holdfast):
    return holdfast.books("metrics", "awsemf")


def test_points_with_the_same_labels_are_one_event(begin, cloudwatch, grpc_sender):
    holdfast = begin()
    made = metrics(
        gauge("load", 0.5, "1", zone="a"), gauge("heap", 7, "By", zone="a"), gauge("load", 2, "1", zone="b"),
        gauge("wait", 3, "ms", zone="a"), scope="lib",
    )
    grpc_sender(holdfast).export(otlp.METRICS, made)
    events = sorted(found(cloudwatch, 2), key=lambda event: event["zone"])
    assert events[0].pop("_aws") == {
        "Timestamp": NOW // 1_000_000,
        "CloudWatchMetrics": [{
            "Namespace": "shop",
            "Dimensions": [["OTelLib", "zone"]],
            "Metrics": [
                {"Name": "load", "Unit": "", "StorageResolution": 60},
                {"Name": "heap", "Unit": "Bytes", "StorageResolution": 60},
                {"Name": "wait", "Unit": "Milliseconds", "StorageResolution": 60},
            ],
        }],
    }
    assert events[0] == {"OTelLib": "lib", "zone": "a", "load": 0.5, "heap": 7, "wait": 3, "Version": "1"}
    assert directive(events[1])[2] == {"load": ""}
    assert cloudwatch.puts()[-1]["logEvents"][0]["timestamp"] == NOW // 1_000_000
    assert next(one[2] for one in cloudwatch.seen)["x-amzn-logs-format"] == "json/emf"


@pytest.mark.parametrize(
    ("rollup", "scope", "labels", "sets"),
    [
        ("ZeroAndSingleDimensionRollup", "lib", {"a": "1", "b": "2"}, [["OTelLib"], ["OTelLib", "a"], ["OTelLib", "a", "b"], ["OTelLib", "b"]]),
        ("ZeroAndSingleDimensionRollup", "lib", {"a": "1"}, [["OTelLib"], ["OTelLib", "a"]]),
        ("ZeroAndSingleDimensionRollup", "", {"a": "1", "b": "2"}, [[], ["a"], ["a", "b"], ["b"]]),
        ("ZeroAndSingleDimensionRollup", "lib", {}, [["OTelLib"]]),
        ("SingleDimensionRollupOnly", "", {"a": "1", "b": "2"}, [["a"], ["a", "b"], ["b"]]),
        ("SingleDimensionRollupOnly", "", {"a": "1"}, [["a"]]),
        ("NoDimensionRollup", "", {"a": "1", "b": "2"}, [["a", "b"]]),
        ("NoDimensionRollup", "", {}, [[]]),
    ],
)
def test_rollups(begin, cloudwatch, grpc_sender, rollup, scope, labels, sets):
    holdfast = begin(dimension_rollup_option=rollup)
    grpc_sender(holdfast).export(otlp.METRICS, metrics(gauge("m", 1, **labels), scope=scope))
    (event,) = found(cloudwatch, 1)
    assert directive(event)[1] == sets


def test_declarations_choose_metrics_and_dimensions(begin, cloudwatch, grpc_sender):
    holdfast = begin(
        metric_declarations=[
            {"dimensions": [["zone", "app"], ["zone"], ["absent"]], "metric_name_selectors": ["^load$", "^heap$"]},
            {
                "dimensions": [["app"]],
                "metric_name_selectors": ["^load"],
                "label_matchers": [{"label_names": ["app", "zone"], "regex": "^till;a$"}, {"label_names": ["x"], "regex": "y"}],
            },
            {"dimensions": [["zone"]], "metric_name_selectors": []},
        ]
    )
    labels = {"zone": "a", "app": "till"}
    made = metrics(gauge("load", 1, **labels), gauge("heap", 2, **labels), gauge("rest", 3, **labels), gauge("lone", 4, zone="c"))
    grpc_sender(holdfast).export(otlp.METRICS, made)
    events = {event["zone"]: event for event in found(cloudwatch, 2)}
    assert events["c"] == {"zone": "c", "lone": 4}
    measured = {
        one["Metrics"][0]["Name"]: sorted(sorted(names) for names in one["Dimensions"])
        for one in events["a"]["_aws"]["CloudWatchMetrics"]
    }
    assert measured == {"load": [["app"], ["app", "zone"], ["zone"]], "heap": [["app", "zone"], ["zone"]]}
    assert events["a"]["rest"] == 3
    assert "entry 3 is left out: it has no metric_name_selectors" in holdfast.log()


def test_other_kinds_of_metrics(begin, cloudwatch, grpc_sender):
    holdfast = begin(detailed_metrics=True, metric_descriptors=[{"metric_name": "h", "unit": "Seconds", "overwrite": True}])

    def histogram(metric):
        metric.name, metric.unit = "h", "ms"
        metric.histogram.data_points.add(time_unix_nano=NOW, count=3, sum=6, min=1, max=3, bucket_counts=[3])

    def exponential(metric):
        metric.name = "e"
        point = metric.exponential_histogram.data_points.add(time_unix_nano=NOW, count=7, sum=10, min=-2, max=4, zero_count=1)
        point.positive.offset = 0
        point.positive.bucket_counts.extend([1, 2])
        point.negative.bucket_counts.extend([3])

    def summary(metric):
        metric.name = "q"
        point = metric.summary.data_points.add(time_unix_nano=NOW, count=4, sum=9)
        point.quantile_values.add(quantile=0.5, value=2)
        point.quantile_values.add(quantile=1, value=5)

    grpc_sender(holdfast).export(otlp.METRICS, metrics(histogram, exponential, summary))
    events = found(cloudwatch, 5)
    by_name = {key: event for event in events for key in event if key in ("h", "e", "q_sum")}
    assert by_name["h"]["h"] == {"Max": 3, "Min": 1, "Count": 3, "Sum": 6}
    assert directive(by_name["h"])[2] == {"h": "Seconds"}
    assert by_name["e"]["e"] == {
        "Values": [3, 1.5, 0, -1.5], "Counts": [2, 1, 1, 3], "Max": 4, "Min": -2, "Count": 7, "Sum": 10,
    }
    assert (by_name["q_sum"]["q_sum"], by_name["q_sum"]["q_count"]) == (9, 4)
    assert sorted((event["quantile"], event["q"]) for event in events if "quantile" in event) == [("0.5", 2), ("1", 5)]


def test_large_exponential_histograms_are_several_events(begin, cloudwatch, grpc_sender):
    holdfast = begin()

    def exponential(metric):
        metric.name = "e"
        point = metric.exponential_histogram.data_points.add(time_unix_nano=NOW, count=150, sum=10, min=1, max=99, scale=3)
        point.positive.bucket_counts.extend([1] * 150)

    grpc_sender(holdfast).export(otlp.METRICS, metrics(exponential))
    first, second = sorted((event["e"] for event in found(cloudwatch, 2)), key=lambda one: -one["Count"])
    assert (first["Count"], first["Sum"], first["Max"]) == (100, 10, 99)
    assert (second["Count"], second["Sum"], second["Min"]) == (50, 0, 1)
    assert first["Min"] == pytest.approx(second["Max"])
    until(lambda: books(holdfast)["delivered"]["items"] == 1, lambda: f"{books(holdfast)}")


def test_cumulative_values_become_deltas_over_a_kill(begin, cloudwatch, grpc_sender):
    holdfast = begin()
    sender = grpc_sender(holdfast)
    second = 1_000_000_000

    def send(value, at, **labels):
        sender.export(otlp.METRICS, metrics(counter("c", value, NOW + at * second, **labels), gauge("g", at, when=NOW + at * second)))

    def seen(count):
        return [event["c"] for event in found(cloudwatch, count) if "c" in event]

    send(10, 0)  # only remembered
    send(15, 1)
    assert seen(3) == [5]
    holdfast.kill9()
    holdfast.restart()
    sender = grpc_sender(holdfast)
    send(22, 2)
    assert seen(5) == [5, 7]
    send(22, 2)  # comes again: nothing new
    send(4, 3)  # a reset
    assert seen(8) == [5, 7, 4]
    until(lambda: books(holdfast)["queued"]["items"] == 0, lambda: f"{books(holdfast)}")


def test_the_first_value_can_be_kept_and_deltas_are_as_they_are(begin, cloudwatch, grpc_sender):
    holdfast = begin(retain_initial_value_of_delta_metric=True)
    grpc_sender(holdfast).export(otlp.METRICS, metrics(counter("c", 10), counter("d", 3, temporality=DELTA), counter("d", 4, NOW + 10**9, DELTA)))
    events = found(cloudwatch, 2)
    assert [event["c"] for event in events if "c" in event] == [10]
    assert sorted(event["d"] for event in events if "d" in event) == [3, 4]


def test_a_failed_request_does_not_move_what_is_remembered(begin, cloudwatch, grpc_sender):
    holdfast = begin()
    sender = grpc_sender(holdfast)
    sender.export(otlp.METRICS, metrics(counter("c", 1), gauge("g", 1)))
    found(cloudwatch, 1)
    cloudwatch.fails += [("PutLogEvents", 503, "ServiceUnavailableException", "later")] * 3
    sender.export(otlp.METRICS, metrics(counter("c", 5, NOW + 10**9)))
    assert [event["c"] for event in found(cloudwatch, 2) if "c" in event] == [4]


def test_summaries_of_prometheus_are_cumulative(begin, cloudwatch, grpc_sender):
    holdfast = begin()

    def summary(count, total, when):
        def fill(metric):
            metric.name = "q"
            point = metric.summary.data_points.add(time_unix_nano=when, count=count, sum=total)
            point.quantile_values.add(quantile=0, value=1)
            point.quantile_values.add(quantile=1, value=8)

        return fill

    sender = grpc_sender(holdfast)
    sender.export(otlp.METRICS, metrics(summary(4, 10, NOW), resource={"receiver": "prometheus"}))
    sender.export(otlp.METRICS, metrics(summary(6, 15.5, NOW + 10**9), resource={"receiver": "prometheus"}))
    (event,) = found(cloudwatch, 1)
    assert event["q"] == {"Max": 8, "Min": 1, "Count": 2, "Sum": 5.5}
    assert event["prom_metric_type"] == "summary"


def test_places(begin, cloudwatch, grpc_sender):
    holdfast = begin(log_group_name="/aws/{PodName}", log_stream_name="{TaskId}-{ClusterName}", namespace=None)
    resource = {"aws.ecs.cluster.name": "c1", "TaskId": "t1", "service.name": "till", "service.namespace": "shop"}
    grpc_sender(holdfast).export(otlp.METRICS, metrics(gauge("m", 1, pod="p1"), gauge("n", 1), resource=resource))
    (event,) = found(cloudwatch, 1, "/aws/p1", "t1-c1")
    assert directive(event)[0] == "shop/till"
    assert len(found(cloudwatch, 1, "/aws/undefined", "t1-c1")) == 1


def test_defaults_of_group_and_stream(begin, cloudwatch, grpc_sender):
    holdfast = begin(log_group_name=None, log_stream_name=None, namespace=None)
    grpc_sender(holdfast).export(otlp.METRICS, metrics(gauge("m", 1)))
    found(cloudwatch, 1, "/metrics/default")
    (stream,) = cloudwatch.streams("/metrics/default")
    assert stream.startswith("otel-stream-")
    assert len(stream) == len("otel-stream-") + 36


def test_labels_of_the_resource_and_json_in_labels(begin, cloudwatch, grpc_sender):
    holdfast = begin(
        resource_to_telemetry_conversion={"enabled": True},
        parse_json_encoded_attr_values=["kubernetes", "Sources", "broken"],
        eks_fargate_container_insights_enabled=True,
        version="0",
    )
    labels = {"Type": "Pod", "PodName": "p", "Namespace": "n", "app": "a", "Sources": '["x"]', "broken": "{", "zone": "point"}
    made = metrics(gauge("m", 1, **labels, **{"aws.emf.storage_resolution": "1"}), resource={"zone": "resource", "n": 4})
    grpc_sender(holdfast).export(otlp.METRICS, made)
    (event,) = found(cloudwatch, 1)
    assert event["zone"] == "resource"
    assert event["n"] == "4"
    assert event["Sources"] == ["x"]
    assert event["broken"] == "{"
    assert event["kubernetes"] == {"labels": {"app": "a"}, "namespace_name": "n", "pod_name": "p"}
    assert (event["Version"], event["Timestamp"]) == ("0", str(NOW // 1_000_000))
    assert "_aws" not in event and "aws.emf.storage_resolution" not in event
    (measurement,) = event["CloudWatchMetrics"]
    assert measurement["Metrics"] == [{"Name": "m", "Unit": "", "StorageResolution": 1}]


def test_standard_output(start, cloudwatch, grpc_sender):
    holdfast = start(configuration(cloudwatch, output_destination="stdout", region=None))
    grpc_sender(holdfast).export(otlp.METRICS, metrics(gauge("m", 1.5, zone="a")))
    until(lambda: '"m":1.5' in holdfast.log(), lambda: holdfast.log()[-2000:])
    line = next(line for line in holdfast.log().splitlines() if line.startswith('{"Version"'))
    assert json.loads(line)["zone"] == "a"
    assert not cloudwatch.seen


def test_values_that_are_not_finite_are_left_out(begin, cloudwatch, grpc_sender):
    holdfast = begin()
    grpc_sender(holdfast).export(otlp.METRICS, metrics(gauge("m", float("nan")), gauge("n", 1)))
    (event,) = found(cloudwatch, 1)
    assert "m" not in event
    until(lambda: books(holdfast)["queued"]["items"] == 0, lambda: f"{books(holdfast)}")


def test_an_outage_costs_nothing(begin, cloudwatch, grpc_sender):
    holdfast = begin()
    cloudwatch.stop()
    sender = grpc_sender(holdfast)
    for index in range(20):
        sender.export(otlp.METRICS, metrics(gauge("m", index, id=str(index))))
    holdfast.kill9()
    cloudwatch.start()
    holdfast.restart()
    assert {event["id"] for event in found(cloudwatch, 20)} == {str(index) for index in range(20)}


def test_what_is_refused_at_the_start(start, cloudwatch):
    for keys, words in (
        ({"log_retention": 2}, "log_retention must be"),
        ({"metric_declarations": [{"dimensions": ["a"], "metric_name_selectors": ["x"]}]}, "list of lists"),
        ({"metric_declarations": [{"dimensions": [["a"]], "metric_name_selectors": ["("]}]}, "metric_name_selectors"),
        ({"dimension_rollup_option": "Some"}, "dimension_rollup_option"),
        ({"resource_to_telemetry_conversion": {"enabled": True, "included": ["a"]}}, "exclude"),
    ):
        holdfast = start(configuration(cloudwatch, **keys), ready=False)
        done = holdfast.command("validate", "--config", holdfast.base_path, "--config", holdfast.config_path)
        assert done.returncode != 0
        assert words in done.stderr + done.stdout
