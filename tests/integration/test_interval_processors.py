"""Processors that gather for an interval: one output per interval, and a kill in the middle repeats it, no more."""

import pytest

from support import otlp
from support.holdfast import config, otlp_exporter
from support.waiting import until

S = 1_000_000_000
T0 = 1_700_000_000 * S


@pytest.fixture
def gathering(start, grpc_backend):
    """gathering(signal, type, keys) -> a Holdfast whose data of that signal passes the processor."""

    def make(signal, kind, keys):
        configuration = config({"otlp": otlp_exporter(grpc_backend)})
        configuration["processors"] = {kind: keys}
        configuration["service"]["pipelines"] = {
            signal.name: {"receivers": ["otlp"], "processors": [kind], "exporters": ["otlp"]}
        }
        return start(configuration)

    return make


def logs(records, service="a"):
    """Of (body, attributes)."""
    message = otlp.LOGS.request()
    resource = message.resource_logs.add()
    resource.resource.attributes.add(key="service.name").value.string_value = service
    scope = resource.scope_logs.add()
    for body, attributes in records:
        record = scope.log_records.add(severity_number=9, severity_text="INFO", time_unix_nano=T0)
        record.body.string_value = body
        for key, value in attributes.items():
            record.attributes.add(key=key).value.string_value = value
    return message


def found_logs(backend):
    """[(service, body, attributes)] of what has arrived."""
    found = []
    for received in list(backend.requests):
        for resource in received.message.resource_logs:
            service = resource.resource.attributes[0].value.string_value
            for scope in resource.scope_logs:
                for record in scope.log_records:
                    attributes = {
                        one.key: one.value.int_value or one.value.string_value for one in record.attributes
                    }
                    found.append((service, record.body.string_value, attributes))
    return found


def counts(backend, name="log_count"):
    """How many of each body are said to have been."""
    found = {}
    for service, body, attributes in found_logs(backend):
        found[service, body] = found.get((service, body), 0) + attributes[name]
    return found


class TestLogdedup:
    def test_equal_records_become_one_with_their_count(self, gathering, grpc_backend, grpc_sender):
        keys = {"interval": "1s", "exclude_fields": ["attributes.noise"], "timezone": "Europe/Berlin"}
        holdfast = gathering(otlp.LOGS, "logdedup", keys)
        sender = grpc_sender(holdfast)
        for number in range(5):
            sender.export(otlp.LOGS, logs([("same", {"noise": str(number)}), ("same", {"kept": "x"})]))
        sender.export(otlp.LOGS, logs([("same", {})], service="b"))
        until(lambda: sum(counts(grpc_backend).values()) == 11, lambda: counts(grpc_backend))
        assert counts(grpc_backend) == {("a", "same"): 10, ("b", "same"): 1}
        for _, _, attributes in found_logs(grpc_backend):
            assert "noise" not in attributes
            assert attributes["first_observed_timestamp"][-6:] in ("+01:00", "+02:00")
        books = holdfast.books("logs", "logdedup")
        assert books["accepted"]["items"] == 11
        until(lambda: holdfast.books("logs", "logdedup")["queued"]["items"] == 0, "some records wait")
        books = holdfast.books("logs", "logdedup")
        assert books["delivered"]["items"] + books["dropped"]["processor"]["items"] == 11
        assert books["delivered"]["items"] == len(found_logs(grpc_backend))

    def test_records_that_no_condition_means_pass_at_once(self, gathering, grpc_backend, grpc_sender):
        keys = {"interval": "600s", "conditions": ['attributes["dedup"] == "yes"']}
        holdfast = gathering(otlp.LOGS, "log_dedup", keys)
        grpc_sender(holdfast).export(otlp.LOGS, logs([("a", {"dedup": "yes"}), ("b", {"dedup": "no"})]))
        until(lambda: len(found_logs(grpc_backend)) == 1, "nothing has arrived")
        assert found_logs(grpc_backend)[0][1] == "b"
        assert holdfast.books("logs", "log_dedup")["queued"]["items"] > 0

    def test_only_included_fields_are_compared(self, gathering, grpc_backend, grpc_sender):
        holdfast = gathering(otlp.LOGS, "logdedup", {"interval": "1s", "include_fields": ["attributes.id"]})
        records = [("one", {"id": "1"}), ("two", {"id": "1"}), ("three", {"id": "2"})]
        grpc_sender(holdfast).export(otlp.LOGS, logs(records))
        until(lambda: sum(counts(grpc_backend).values()) == 3, lambda: counts(grpc_backend))
        assert counts(grpc_backend) == {("a", "one"): 2, ("a", "three"): 1}

    def test_a_kill_loses_no_record(self, gathering, grpc_backend, grpc_sender):
        holdfast = gathering(otlp.LOGS, "logdedup", {"interval": "2s", "log_count_attribute": "n"})
        for _ in range(3):
            sender = grpc_sender(holdfast)
            sender.export(otlp.LOGS, logs([("same", {}), ("same", {}), ("other", {})]))
            holdfast.kill9()
            holdfast.start()
        until(lambda: holdfast.books("logs", "logdedup")["queued"]["items"] == 0, "some records wait", seconds=60)
        wanted = {("a", "same"): 6, ("a", "other"): 3}
        until(lambda: counts(grpc_backend, "n") == wanted, lambda: counts(grpc_backend, "n"))

    @pytest.mark.parametrize(
        "keys, says",
        [
            ({"exclude_fields": ["body"]}, "the entire body cannot be excluded"),
            ({"include_fields": ["resource.a"]}, "must start with body or attributes"),
            ({"timezone": "Nowhere/Land"}, "timezone must be the name"),
            ({"conditions": ["nam == 1"]}, "conditions"),
        ],
    )
    def test_bad_keys_are_refused(self, start, grpc_backend, keys, says):
        configuration = config({"otlp": otlp_exporter(grpc_backend)})
        configuration["processors"] = {"logdedup": keys}
        configuration["service"]["pipelines"] = {
            "logs": {"receivers": ["otlp"], "processors": ["logdedup"], "exporters": ["otlp"]}
        }
        holdfast = start(configuration, ready=False)
        holdfast.spawn()
        assert holdfast.process.wait(60) != 0
        assert says in holdfast.log()


def points(values, name="c"):
    """A cumulative sum of (series, seconds, value)."""
    message = otlp.METRICS.request()
    metric = message.resource_metrics.add().scope_metrics.add().metrics.add(name=name)
    metric.sum.aggregation_temporality = 2
    metric.sum.is_monotonic = True
    for series, time, value in values:
        point = metric.sum.data_points.add(time_unix_nano=T0 + time * S, as_int=value)
        point.attributes.add(key="series").value.string_value = series
    return message


def found_points(backend):
    found = []
    for received in list(backend.requests):
        for resource in received.message.resource_metrics:
            for metric in resource.scope_metrics[0].metrics:
                for point in metric.sum.data_points:
                    found.append((point.attributes[0].value.string_value, point.as_int))
    return sorted(found)


class TestInterval:
    def test_the_latest_point_passes_once(self, gathering, grpc_backend, grpc_sender):
        holdfast = gathering(otlp.METRICS, "interval", {"interval": "1h"})
        sender = grpc_sender(holdfast)
        for number in range(1, 6):
            sender.export(otlp.METRICS, points([("a", number, 10 * number), ("b", 9 - number, number)]))
        # All of them wait in the queue and are of the first interval after the start, however long the sending took.
        holdfast.write_config(holdfast.config_path.read_text().replace("interval: 1h", "interval: 2s"))
        holdfast.restart()
        until(lambda: len(found_points(grpc_backend)) >= 2, "nothing has arrived")
        assert found_points(grpc_backend) == [("a", 50), ("b", 1)]
        until(lambda: holdfast.books("metrics", "interval")["queued"]["items"] == 0, "some points wait")
        books = holdfast.books("metrics", "interval")
        assert books["dropped"]["processor"]["items"] == 8
        assert books["delivered"]["items"] == 2

    def test_a_kill_gives_the_interval_again(self, gathering, grpc_backend, grpc_sender):
        holdfast = gathering(otlp.METRICS, "interval", {"interval": "2s"})
        for number in range(1, 4):
            grpc_sender(holdfast).export(otlp.METRICS, points([("a", number, 10 * number)]))
            holdfast.kill9()
            holdfast.start()
        until(lambda: ("a", 30) in found_points(grpc_backend), lambda: found_points(grpc_backend), seconds=60)
