"""Connectors that pass data on between pipelines: nothing is lost whenever Holdfast is killed."""

import pytest
from google.protobuf import json_format

from support import otlp, senders
from support.backends import hang, ok
from support.holdfast import config, otlp_exporter, otlphttp_exporter
from support.waiting import until


def joined(backend, connectors, pipelines, processors=None, **exporter):
    """A configuration of `connectors` and `pipelines`, with the exporter `otlp` to the backend."""
    configuration = config({"otlp": otlp_exporter(backend, **exporter)}, processors)
    return configuration | {"connectors": connectors, "service": {"pipelines": pipelines}}


def mark(value):
    return {"attributes": [{"key": "way", "value": value, "action": "insert"}]}


def ways(backend):
    """{id: ["a", ...]}: what the processors of the ways have set on the resource of each item that arrived."""
    found = {}
    for request in list(backend.requests):
        for group in otlp.groups(request.signal, request.message):
            way = otlp.attributes(group.resource).get("way")
            whole = request.signal.request()
            otlp.groups(request.signal, whole).append(group)
            for item in otlp.ids(request.signal, whole):
                found.setdefault(item, []).append(way)
    return {item: sorted(way, key=str) for item, way in found.items()}


def drained(holdfast):
    def left():
        return [one for queue in holdfast.queue("stat")["queues"] for one in queue["exporters"] if one["queued"]["items"]]

    # Twice: what went on from one queue to the next while the first look was taken is seen by the second.
    until(lambda: left() == [] and left() == [], lambda: f"{left()} are still queued")


class TestForward:
    @pytest.fixture
    def forwarding(self, start, grpc_backend):
        """traces/in and traces/kept -> forward -> two ways; traces/kept has an exporter of its own, too."""

        def make(signal="traces", **options):
            return start(
                joined(
                    grpc_backend,
                    {"forward": None},
                    {
                        f"{signal}/in": {"receivers": ["otlp"], "exporters": ["forward"]},
                        f"{signal}/a": {"receivers": ["forward"], "processors": ["resource/a"], "exporters": ["otlp"]},
                        f"{signal}/b": {"receivers": ["forward"], "processors": ["resource/b"], "exporters": ["otlp"]},
                    },
                    {"resource/a": mark("a"), "resource/b": mark("b")},
                ),
                **options,
            )

        return make

    @pytest.mark.parametrize("signal", otlp.SIGNALS, ids=lambda signal: signal.name)
    def test_everything_goes_to_all_pipelines_behind(self, forwarding, grpc_backend, grpc_sender, signal):
        holdfast = forwarding(signal.name)
        ids = otlp.new_ids(12)
        sender = grpc_sender(holdfast)
        for first in range(0, 12, 3):
            sender.export(signal, otlp.request(signal, ids[first : first + 3]))
        until(lambda: sorted(grpc_backend.ids()) == sorted(ids + ids), lambda: f"{ways(grpc_backend)}")
        assert ways(grpc_backend) == {item: ["a", "b"] for item in ids}
        drained(holdfast)
        assert holdfast.books(f"{signal.name}/a", "otlp")["delivered"]["items"] == 12
        assert holdfast.metric(f"otelcol_receiver_accepted_{signal.items}", transport="grpc") == 12

    def test_a_pipeline_in_front_keeps_its_own_exporters(self, start, grpc_backend, http_backend, grpc_sender):
        configuration = joined(
            grpc_backend,
            {"forward": None},
            {
                "logs/in": {"receivers": ["otlp"], "exporters": ["forward", "otlphttp"]},
                "logs/out": {"receivers": ["forward"], "exporters": ["otlp"]},
            },
        )
        configuration["exporters"]["otlphttp"] = {"endpoint": http_backend.endpoint, "compression": "none"}
        holdfast = start(configuration)
        ids = otlp.new_ids(5)
        grpc_sender(holdfast).export(otlp.LOGS, otlp.request(otlp.LOGS, ids))
        grpc_backend.wait_for(ids)
        http_backend.wait_for(ids)

    def test_ok_means_that_the_queues_behind_have_it(self, forwarding, grpc_backend, grpc_sender):
        grpc_backend.stop()
        holdfast = forwarding()
        ids = otlp.new_ids(10)
        sender = grpc_sender(holdfast)
        for item in ids:
            sender.export(otlp.TRACES, otlp.request(otlp.TRACES, [item]))
        holdfast.kill9()
        grpc_backend.start()
        holdfast.start()
        grpc_backend.wait_for(ids)
        until(lambda: len(grpc_backend.ids()) >= 20, lambda: f"{ways(grpc_backend)}")
        assert ways(grpc_backend) == {item: ["a", "b"] for item in ids}

    def test_a_queue_behind_that_is_full_is_told_to_the_sender(self, start, grpc_backend, grpc_sender):
        grpc_backend.stop()
        holdfast = start(
            joined(
                grpc_backend,
                {"forward": None},
                {
                    "traces/in": {"receivers": ["otlp"], "exporters": ["forward"]},
                    "traces/out": {"receivers": ["forward"], "exporters": ["otlp"]},
                },
                sending_queue={"queue_size": 3},
            )
        )
        sender = grpc_sender(holdfast)
        ids = otlp.new_ids(4)
        for item in ids[:3]:
            sender.export(otlp.TRACES, otlp.request(otlp.TRACES, [item]))
        assert sender.code(otlp.TRACES, otlp.request(otlp.TRACES, ids[3:])).name == "UNAVAILABLE"
        grpc_backend.start()
        grpc_backend.wait_for(ids[:3])
        assert sorted(grpc_backend.ids()) == ids[:3]

    def test_kills_at_any_moment_lose_nothing(self, forwarding, grpc_backend):
        holdfast = forwarding()
        acknowledged = []
        for kill in range(4):
            with senders.Load(holdfast, [(otlp.TRACES, "grpc"), (otlp.TRACES, "http")]) as load:
                senders.wait_for_acknowledged(load, 60 + 37 * kill)
                holdfast.kill9()
            acknowledged += load.acknowledged
            holdfast.start()
        drained(holdfast)
        found = ways(grpc_backend)
        assert [item for item in acknowledged if not {"a", "b"} <= set(found.get(item, []))] == []

    def test_a_reload_takes_another_way(self, forwarding, grpc_backend, grpc_sender):
        holdfast = forwarding()
        sender = grpc_sender(holdfast)
        ids = otlp.new_ids(4)
        sender.export(otlp.TRACES, otlp.request(otlp.TRACES, ids[:2]))
        text = holdfast.config_path.read_text().replace("value: b", "value: c")
        holdfast.write_config(text)
        holdfast.reload()
        holdfast.wait_for_log("reloaded|took over|configuration")
        until(
            lambda: not sender.export(otlp.TRACES, otlp.request(otlp.TRACES, otlp.new_ids(1))).partial_success.rejected_spans
            and any("c" in way for way in ways(grpc_backend).values()),
            "the new configuration does not work",
        )
        grpc_backend.wait_for(ids[:2])

    def test_a_log_file_is_read_on_where_it_was(self, start, grpc_backend, tmp_path):
        """The place in the file is kept by the queues behind the connector."""
        path = tmp_path / "lines.log"
        path.write_text("".join(f"line {i}\n" for i in range(20)))
        configuration = joined(
            grpc_backend,
            {"forward": None},
            {
                "logs/in": {"receivers": ["filelog"], "exporters": ["forward"]},
                "logs/out": {"receivers": ["forward"], "exporters": ["otlp"]},
            },
        )
        configuration["receivers"] = {"filelog": {"include": [str(path)], "start_at": "beginning"}}
        holdfast = start(configuration)

        def lines():
            return [
                record.body.string_value
                for request in grpc_backend.requests
                for record in otlp.items(otlp.LOGS, request.message)
            ]

        until(lambda: len(lines()) >= 20, lambda: f"{lines()}")
        drained(holdfast)
        holdfast.terminate()
        with path.open("a") as file:
            file.write("the last\n")
        holdfast.start()
        until(lambda: "the last" in lines(), lambda: f"{lines()}")
        assert sorted(lines()) == sorted([f"line {i}" for i in range(20)] + ["the last"])


class TestRoundrobin:
    def test_requests_go_round(self, start, grpc_backend, grpc_sender):
        names = "abc"
        holdfast = start(
            joined(
                grpc_backend,
                {"roundrobin": None},
                {"metrics/in": {"receivers": ["otlp"], "exporters": ["roundrobin"]}}
                | {
                    f"metrics/{name}": {
                        "receivers": ["roundrobin"],
                        "processors": [f"resource/{name}"],
                        "exporters": ["otlp"],
                    }
                    for name in names
                },
                {f"resource/{name}": mark(name) for name in names},
            )
        )
        ids = otlp.new_ids(6)
        sender = grpc_sender(holdfast)
        for item in ids:
            sender.export(otlp.METRICS, otlp.request(otlp.METRICS, [item]))
        grpc_backend.wait_for(ids)
        found = ways(grpc_backend)
        assert [found[item] for item in ids] == [["a"], ["b"], ["c"]] * 2


def by_tenant(backend, connectors, more=None, **exporter):
    """traces/in -> routing -> traces/red, traces/blue, traces/rest, each with its mark."""
    names = ("red", "blue", "rest")
    pipelines = {"traces/in": {"receivers": ["otlp"], "exporters": ["routing"]}}
    pipelines |= {
        f"traces/{name}": {"receivers": ["routing"], "processors": [f"resource/{name}"], "exporters": ["otlp"]}
        for name in names
    }
    processors = {f"resource/{name}": mark(name) for name in names}
    return joined(backend, connectors, pipelines | (more or {}), processors, **exporter)


COLOURS = {
    "routing": {
        "default_pipelines": ["traces/rest"],
        "table": [
            {"condition": 'attributes["colour"] == "red"', "pipelines": ["traces/red"]},
            {"condition": 'attributes["colour"] == "blue"', "pipelines": ["traces/blue"]},
        ],
    }
}


def coloured(ids):
    """One request with a resource for each of three colours, in turn."""
    whole = otlp.TRACES.request()
    for i, item in enumerate(ids):
        colour = ("red", "blue", "green")[i % 3]
        whole.MergeFrom(otlp.request(otlp.TRACES, [item], resource={"service.name": "t", "colour": colour}))
    return whole


def expected_ways(ids):
    return {item: [("red", "blue", "rest")[i % 3]] for i, item in enumerate(ids)}


class TestRouting:
    def test_each_resource_goes_its_way(self, start, grpc_backend, grpc_sender):
        holdfast = start(by_tenant(grpc_backend, COLOURS))
        ids = otlp.new_ids(9)
        grpc_sender(holdfast).export(otlp.TRACES, coloured(ids))
        grpc_backend.wait_for(ids)
        assert ways(grpc_backend) == expected_ways(ids)
        drained(holdfast)
        assert holdfast.books("traces/red", "otlp")["delivered"]["items"] == 3

    def test_the_metadata_of_the_sender_decides(self, start, grpc_backend, http_backend, grpc_sender):
        configuration = by_tenant(
            grpc_backend,
            {
                "routing": {
                    "default_pipelines": ["traces/rest"],
                    "table": [
                        {
                            "context": "request",
                            "condition": f'request["X-Tenant"] == "{name}"',
                            "pipelines": [f"traces/{name}"],
                        }
                        for name in ("red", "blue")
                    ],
                }
            },
        )
        configuration["receivers"] = {"otlp": {"protocols": {"grpc": {"include_metadata": True}}}}
        holdfast = start(configuration)
        sender = grpc_sender(holdfast)
        ids = otlp.new_ids(3)
        for item, tenant in zip(ids, ("red", "blue", "green")):
            sender.export(otlp.TRACES, otlp.request(otlp.TRACES, [item]), metadata=[("x-tenant", tenant)])
        grpc_backend.wait_for(ids)
        assert ways(grpc_backend) == expected_ways(ids)

    def test_what_goes_nowhere_is_counted(self, start, grpc_backend, grpc_sender):
        connectors = {"routing": {"table": COLOURS["routing"]["table"]}}
        configuration = by_tenant(grpc_backend, connectors)
        del configuration["service"]["pipelines"]["traces/rest"]
        holdfast = start(configuration)
        ids = otlp.new_ids(3)
        grpc_sender(holdfast).export(otlp.TRACES, coloured(ids))
        grpc_backend.wait_for(ids[:2])
        holdfast.wait_metric("holdfast_connector_routing_unmatched", 1, connector="routing", signal="traces")
        assert sorted(grpc_backend.ids()) == ids[:2]

    def test_an_error_refuses_the_request_if_that_is_asked_for(self, start, grpc_backend, grpc_sender):
        broken = {
            "condition": 'Int(attributes["colour"]["x"]) == 1',
            "pipelines": ["traces/red", "traces/blue"],
        }
        table = {"routing": {"default_pipelines": ["traces/rest"], "table": [broken]}}
        holdfast = start(by_tenant(grpc_backend, table))
        ids = otlp.new_ids(2)
        sender = grpc_sender(holdfast)
        sender.export(otlp.TRACES, coloured(ids[:1]))
        grpc_backend.wait_for(ids[:1])
        assert ways(grpc_backend) == {ids[0]: ["rest"]}
        holdfast.wait_metric("holdfast_processor_statement_errors", 1, processor="routing")
        table["routing"]["error_mode"] = "propagate"
        holdfast.write_config(by_tenant(grpc_backend, table))
        holdfast.restart()
        assert grpc_sender(holdfast).code(otlp.TRACES, coloured(ids[1:])).name == "INVALID_ARGUMENT"

    def test_kills_at_any_moment_lose_nothing(self, start, grpc_backend, grpc_sender):
        holdfast = start(by_tenant(grpc_backend, COLOURS))
        acknowledged = []
        for _ in range(4):
            sender = grpc_sender(holdfast)
            for _ in range(25):
                ids = otlp.new_ids(6)
                sender.export(otlp.TRACES, coloured(ids))
                acknowledged.append(ids)
            holdfast.kill9()
            holdfast.start()
        drained(holdfast)
        found = ways(grpc_backend)
        for ids in acknowledged:
            for item, way in expected_ways(ids).items():
                assert set(found.get(item, [])) == set(way)

    def test_a_reload_takes_the_new_table(self, start, grpc_backend, grpc_sender):
        holdfast = start(by_tenant(grpc_backend, COLOURS))
        sender = grpc_sender(holdfast)
        text = holdfast.config_path.read_text().replace('"blue"', '"green"')
        holdfast.write_config(text)
        holdfast.reload()

        def goes_blue():
            item = otlp.new_ids(1)
            sender.export(
                otlp.TRACES, otlp.request(otlp.TRACES, item, resource={"service.name": "t", "colour": "green"})
            )
            grpc_backend.wait_for(item)
            return ways(grpc_backend)[item[0]] == ["blue"]

        until(goes_blue, "green still goes to the rest")

    def test_a_wrong_table_is_said_before_the_start(self, start, grpc_backend, tmp_path):
        for change, says in (
            (("traces/red", "traces/rde"), 'names the pipeline "traces/rde", which is not in service::pipelines'),
            (('attributes["colour"] == "red"', 'attribute["colour"] == "red"'), "table[0]::condition"),
        ):
            configuration = by_tenant(grpc_backend, {"routing": dict(COLOURS["routing"])})
            table = [dict(one) for one in COLOURS["routing"]["table"]]
            table[0] = {
                key: [name.replace(*change) for name in value] if isinstance(value, list) else value.replace(*change)
                for key, value in table[0].items()
            }
            configuration["connectors"]["routing"]["table"] = table
            holdfast = start(configuration, ready=False)
            done = holdfast.command("validate", "--config", holdfast.base_path, "--config", holdfast.config_path)
            assert done.returncode != 0
            assert says in done.stderr + done.stdout


def points(backend):
    """[(metric name, {attribute: value}, number)] of all data points that arrived."""
    return [
        (metric.name, otlp.attributes(point), point.as_int or point.as_double)
        for request in list(backend.requests)
        if request.signal == otlp.METRICS
        for group in request.message.resource_metrics
        for scope in group.scope_metrics
        for metric in scope.metrics
        for point in metric.sum.data_points
    ]


def counting(backend, connector, exporters=("otlp",)):
    """traces -> their own exporter and the connector -> metrics, to one backend."""
    (name,) = connector
    return joined(
        backend,
        connector,
        {
            "traces": {"receivers": ["otlp"], "exporters": [*exporters, name]},
            "metrics": {"receivers": [name], "exporters": ["otlp"]},
        },
    )


class TestCount:
    def test_what_arrives_is_counted_beside_it(self, start, grpc_backend, grpc_sender):
        holdfast = start(counting(grpc_backend, {"count": None}))
        ids = otlp.new_ids(6)
        sender = grpc_sender(holdfast)
        for first in (0, 2, 4):
            sender.export(otlp.TRACES, otlp.request(otlp.TRACES, ids[first : first + 2]))
        grpc_backend.wait_for(ids)
        until(lambda: len(points(grpc_backend)) == 3, lambda: f"{points(grpc_backend)}")
        assert points(grpc_backend) == [("trace.span.count", {}, 2)] * 3
        drained(holdfast)
        assert holdfast.books("metrics", "otlp")["accepted"]["items"] == 3
        assert holdfast.books("traces", "otlp")["accepted"]["items"] == 6

    def test_kills_at_any_moment_count_all_that_was_acknowledged(self, start, grpc_backend):
        holdfast = start(counting(grpc_backend, {"count": None}, exporters=()))
        acknowledged = 0
        for kill in range(4):
            with senders.Load(holdfast, [(otlp.TRACES, "grpc"), (otlp.TRACES, "http")]) as load:
                senders.wait_for_acknowledged(load, 60 + 37 * kill)
                holdfast.kill9()
            acknowledged += len(load.acknowledged)
            holdfast.start()
        drained(holdfast)
        assert sum(number for _, _, number in points(grpc_backend)) >= acknowledged

    def test_a_full_queue_of_metrics_refuses_the_traces_too(self, start, grpc_backend, http_backend, grpc_sender):
        """What is counted and its count are stored together, or neither is."""
        grpc_backend.stop()
        configuration = counting(grpc_backend, {"count": None}, exporters=("otlphttp",))
        configuration["exporters"]["otlphttp"] = {"endpoint": http_backend.endpoint, "compression": "none"}
        configuration["exporters"]["otlp"]["sending_queue"] = {"queue_size": 2}
        holdfast = start(configuration)
        sender = grpc_sender(holdfast)
        ids = otlp.new_ids(3)
        for item in ids[:2]:
            sender.export(otlp.TRACES, otlp.request(otlp.TRACES, [item]))
        assert sender.code(otlp.TRACES, otlp.request(otlp.TRACES, ids[2:])).name == "UNAVAILABLE"
        http_backend.wait_for(ids[:2])
        assert sorted(http_backend.ids()) == ids[:2]
        grpc_backend.start()
        until(lambda: len(points(grpc_backend)) == 2, lambda: f"{points(grpc_backend)}")

    def test_a_condition_that_fails_is_counted_and_the_data_goes_on(self, start, grpc_backend, grpc_sender):
        metrics = {"all": None, "broken": {"conditions": ['Int(attributes["test.id"]["x"]) == 1']}}
        holdfast = start(counting(grpc_backend, {"count": {"spans": metrics}}))
        ids = otlp.new_ids(2)
        grpc_sender(holdfast).export(otlp.TRACES, otlp.request(otlp.TRACES, ids))
        grpc_backend.wait_for(ids)
        until(lambda: points(grpc_backend) == [("all", {}, 2)], lambda: f"{points(grpc_backend)}")
        holdfast.wait_metric("holdfast_processor_statement_errors", 2, processor="count")
        holdfast.wait_for_log("failed to execute statement")

    def test_a_reload_counts_other_things(self, start, grpc_backend, grpc_sender):
        holdfast = start(counting(grpc_backend, {"count": {"spans": {"before": None}}}))
        sender = grpc_sender(holdfast)
        sender.export(otlp.TRACES, otlp.request(otlp.TRACES, otlp.new_ids(1)))
        holdfast.write_config(holdfast.config_path.read_text().replace("before", "after"))
        holdfast.reload()

        def counts_anew():
            sender.export(otlp.TRACES, otlp.request(otlp.TRACES, otlp.new_ids(1)))
            return "after" in [name for name, _, _ in points(grpc_backend)]

        until(counts_anew, lambda: f"{points(grpc_backend)}")
        until(lambda: "before" in [name for name, _, _ in points(grpc_backend)], lambda: f"{points(grpc_backend)}")

    @pytest.mark.parametrize(
        ("connector", "says"),
        [
            ({"count": {"metrics": {"m": {"attributes": [{"key": "a"}]}}}}, "metrics attributes not supported"),
            ({"count": {"spans": {"m": {"conditions": ["nme == 1"]}}}}, "spans::m::conditions"),
            ({"sum": {"spans": {"m": None}}}, "source_attribute"),
        ],
    )
    def test_what_cannot_be_counted_is_said_before_the_start(self, start, grpc_backend, connector, says):
        holdfast = start(counting(grpc_backend, connector), ready=False)
        done = holdfast.command("validate", "--config", holdfast.base_path, "--config", holdfast.config_path)
        assert done.returncode != 0
        assert says in done.stderr + done.stdout


class TestSum:
    def test_an_attribute_is_added_up(self, start, grpc_backend, grpc_sender):
        metrics = {"ids": {"source_attribute": "test.id"}}
        holdfast = start(counting(grpc_backend, {"sum": {"spans": metrics}}))
        ids = otlp.new_ids(4)
        grpc_sender(holdfast).export(otlp.TRACES, otlp.request(otlp.TRACES, ids))
        until(lambda: points(grpc_backend) == [("ids", {}, sum(map(float, ids)))], lambda: f"{points(grpc_backend)}")


class TestFailover:
    @pytest.fixture
    def failing_over(self, start, grpc_backend, http_backend):
        """traces/in -> failover -> traces/first to the gRPC backend, else traces/second to the HTTP backend."""

        def make(interval="50ms"):
            configuration = joined(
                grpc_backend,
                {"failover": {"priority_levels": [["traces/first"], ["traces/second"]], "retry_interval": interval}},
                {
                    "traces/in": {"receivers": ["otlp"], "exporters": ["failover"]},
                    "traces/first": {"receivers": ["failover"], "exporters": ["otlp"]},
                    "traces/second": {"receivers": ["failover"], "exporters": ["otlphttp"]},
                },
            )
            configuration["exporters"]["otlphttp"] = otlphttp_exporter(http_backend)
            return start(configuration)

        return make

    @staticmethod
    def send(holdfast, grpc_sender, count=1):
        sender = grpc_sender(holdfast)
        ids = otlp.new_ids(count)
        for item in ids:
            sender.export(otlp.TRACES, otlp.request(otlp.TRACES, [item]))
        return ids

    def send_until(self, holdfast, grpc_sender, backend):
        """Sends until an item has come to that backend; returns all that was sent."""
        sent = []

        def has_come():
            sent.extend(self.send(holdfast, grpc_sender))
            return set(sent) & set(backend.ids())

        until(has_come, lambda: f"{len(sent)} were sent and none came")
        return sent

    def test_the_second_level_takes_over_and_gives_back(self, failing_over, grpc_backend, http_backend, grpc_sender):
        holdfast = failing_over()
        sent = self.send(holdfast, grpc_sender, 5)
        grpc_backend.wait_for(sent)
        assert http_backend.ids() == []
        grpc_backend.stop()
        sent += self.send_until(holdfast, grpc_sender, http_backend)
        holdfast.wait_for_log("level 2 .*traces/second.* takes the data")
        grpc_backend.start()
        sent += self.send_until(holdfast, grpc_sender, grpc_backend)
        holdfast.wait_for_log("the first level .*traces/first.* takes the data again")
        drained(holdfast)
        assert sorted(set(grpc_backend.ids()) | set(http_backend.ids())) == sorted(sent)

    def test_data_stays_queued_while_all_levels_fail(self, failing_over, grpc_backend, http_backend, grpc_sender):
        holdfast = failing_over(interval="10m")
        grpc_backend.stop()
        http_backend.stop()
        sent = self.send(holdfast, grpc_sender, 2)

        def waits():
            sent.extend(self.send(holdfast, grpc_sender))
            return holdfast.books("traces/in", "failover")["queued"]["items"] >= 5

        until(waits, lambda: f"{holdfast.queue('stat')}")
        holdfast.wait_for_log("all levels fail")
        holdfast.kill9()
        holdfast.start()
        sent += self.send(holdfast, grpc_sender)
        http_backend.start()
        until(lambda: set(http_backend.ids()) & set(sent), "the second level got nothing")
        grpc_backend.start()
        drained(holdfast)
        assert sorted(set(grpc_backend.ids()) | set(http_backend.ids())) == sorted(sent)

    def test_kills_at_any_moment_lose_nothing(self, failing_over, grpc_backend, http_backend):
        holdfast = failing_over()
        acknowledged = []
        for kill in range(4):
            (grpc_backend.stop, grpc_backend.start)[kill % 2]()
            with senders.Load(holdfast, [(otlp.TRACES, "grpc"), (otlp.TRACES, "http")]) as load:
                senders.wait_for_acknowledged(load, 60 + 37 * kill)
                holdfast.kill9()
            acknowledged += load.acknowledged
            holdfast.start()
        drained(holdfast)
        assert set(acknowledged) <= set(grpc_backend.ids()) | set(http_backend.ids())

    def test_little_waits_in_a_level_that_has_stopped(self, failing_over, grpc_backend, http_backend, grpc_sender):
        """The first backend neither takes nor refuses: its level gets no more than it may have ahead."""
        grpc_backend.always = hang()
        holdfast = failing_over()
        sender = grpc_sender(holdfast)
        ids = otlp.new_ids(14)
        for item in ids:
            sender.export(otlp.TRACES, otlp.request(otlp.TRACES, [item], padding="x" * (1 << 20)))

        def ahead():
            return holdfast.books("traces/first", "otlp")["queued"]["items"]

        until(lambda: ahead() >= 8, lambda: f"only {ahead()} were given to the level")
        assert holdfast.books("traces/in", "failover")["queued"]["items"] >= 14 - 9
        grpc_backend.stop()
        http_backend.wait_for(ids[9:])
        assert holdfast.books("traces/first", "otlp")["accepted"]["items"] <= 9
        grpc_backend.always = ok()
        grpc_backend.start()
        drained(holdfast)
        assert set(grpc_backend.ids()) | set(http_backend.ids()) == set(ids)

    def test_a_reload_keeps_what_waits(self, failing_over, grpc_backend, http_backend, grpc_sender):
        holdfast = failing_over()
        grpc_backend.stop()
        http_backend.stop()
        sent = self.send(holdfast, grpc_sender, 20)
        holdfast.write_config(holdfast.config_path.read_text().replace("50ms", "60ms"))
        holdfast.reload()
        sent += self.send(holdfast, grpc_sender, 5)
        grpc_backend.start()
        http_backend.start()
        drained(holdfast)
        assert sorted(set(grpc_backend.ids()) | set(http_backend.ids())) == sorted(sent)

    @pytest.mark.parametrize(
        ("levels", "says"),
        [
            ([], "No pipelines are defined in the priority list"),
            ([["traces/first"], [5]], "each level is a list of pipelines"),
            ([["traces/first"], ["traces/third"]], 'names the pipeline \\"traces/third\\"'),
        ],
    )
    def test_wrong_levels_are_said_before_the_start(self, failing_over, levels, says, start, grpc_backend):
        configuration = joined(
            grpc_backend,
            {"failover": {"priority_levels": levels}},
            {
                "traces/in": {"receivers": ["otlp"], "exporters": ["failover"]},
                "traces/first": {"receivers": ["failover"], "exporters": ["otlp"]},
            },
        )
        holdfast = start(configuration, ready=False)
        done = holdfast.command("validate", "--config", holdfast.base_path, "--config", holdfast.config_path)
        assert done.returncode != 0
        assert says.replace("\\", "") in done.stderr + done.stdout


def failing_spans(count, kinds=("E",)):
    """A request of spans that tell of exceptions, with the ids of the spans."""
    ids = otlp.new_ids(count)
    request = otlp.request(otlp.TRACES, ids)
    for i, span in enumerate(request.resource_spans[0].scope_spans[0].spans):
        event = span.events.add(name="exception", time_unix_nano=7)
        event.attributes.append(otlp.attribute("exception.type", kinds[i % len(kinds)]))
        event.attributes.append(otlp.attribute("exception.message", "bad"))
    return request, ids


class TestExceptions:
    @pytest.fixture
    def excepting(self, start, grpc_backend):
        return lambda signal, more=None: start(
            joined(
                grpc_backend,
                {"exceptions": more},
                {
                    "traces": {"receivers": ["otlp"], "exporters": ["exceptions"]},
                    signal: {"receivers": ["exceptions"], "exporters": ["otlp"]},
                },
            )
        )

    @staticmethod
    def counts(backend):
        """{start time: {exception type: the highest count}}"""
        found = {}
        for request in list(backend.requests):
            for point in otlp.items(otlp.METRICS, request.message):
                of_start = found.setdefault(point.start_time_unix_nano, {})
                kind = otlp.attributes(point)["exception.type"]
                of_start[kind] = max(of_start.get(kind, 0), point.as_int)
        return found

    def test_they_are_counted_from_the_start_on(self, excepting, grpc_backend, grpc_sender):
        holdfast = excepting("metrics")
        sender = grpc_sender(holdfast)
        for _ in range(3):
            sender.export(otlp.TRACES, failing_spans(4, kinds=("E", "E", "F"))[0])
        drained(holdfast)
        assert list(self.counts(grpc_backend).values()) == [{"E": 9, "F": 3}]

    def test_kills_at_any_moment_miss_none(self, excepting, grpc_backend, grpc_sender):
        """Each start counts anew; together they have all that was acknowledged."""
        holdfast = excepting("metrics")
        sent = 0
        for _ in range(4):
            sender = grpc_sender(holdfast)
            for _ in range(30):
                sender.export(otlp.TRACES, failing_spans(5)[0])
                sent += 5
            holdfast.kill9()
            holdfast.start()
        drained(holdfast)
        assert sum(one["E"] for one in self.counts(grpc_backend).values()) >= sent

    def test_a_record_is_made_of_each(self, excepting, grpc_backend, grpc_sender):
        holdfast = excepting("logs")
        request, ids = failing_spans(5)
        grpc_sender(holdfast).export(otlp.TRACES, request)
        holdfast.kill9()
        holdfast.start()
        drained(holdfast)
        grpc_backend.wait_for(ids)
        record = next(iter(otlp.items(otlp.LOGS, grpc_backend.requests[0].message)))
        assert otlp.attributes(record)["exception.message"] == "bad"
        assert (record.severity_text, record.time_unix_nano) == ("ERROR", 7)

    def test_a_full_queue_behind_keeps_the_requests(self, start, grpc_backend, grpc_sender):
        grpc_backend.stop()
        holdfast = start(
            joined(
                grpc_backend,
                {"exceptions": None},
                {
                    "traces": {"receivers": ["otlp"], "exporters": ["exceptions"]},
                    "logs": {"receivers": ["exceptions"], "exporters": ["otlp"]},
                },
                sending_queue={"queue_size": 2},
            )
        )
        sender = grpc_sender(holdfast)
        sent = []
        for _ in range(6):
            request, ids = failing_spans(2)
            sender.export(otlp.TRACES, request)
            sent += ids
        until(lambda: holdfast.books("logs", "otlp")["queued"]["items"] == 4, lambda: f"{holdfast.queue('stat')}")
        assert holdfast.books("traces", "exceptions")["queued"]["items"] == 8
        grpc_backend.start()
        drained(holdfast)
        assert sorted(grpc_backend.ids()) == sent

    def test_a_reload_goes_on(self, excepting, grpc_backend, grpc_sender):
        holdfast = excepting("metrics")
        sender = grpc_sender(holdfast)
        sender.export(otlp.TRACES, failing_spans(2)[0])
        until(lambda: self.counts(grpc_backend), "nothing was counted")
        holdfast.write_config(
            holdfast.config_path.read_text().replace("exceptions: null", "exceptions: {exemplars: {enabled: true}}")
        )
        holdfast.reload()

        def names_traces():
            sender.export(otlp.TRACES, failing_spans(1)[0])
            return any(
                point.exemplars
                for one in list(grpc_backend.requests)
                for point in otlp.items(otlp.METRICS, one.message)
            )

        until(names_traces, "no exemplar came")


class TestOtlpjson:
    @pytest.fixture
    def reading(self, start, grpc_backend):
        """logs/in -> otlpjson -> traces and logs/read."""

        def make(**options):
            return start(
                joined(
                    grpc_backend,
                    {"otlpjson": None},
                    {
                        "logs/in": {"receivers": ["otlp"], "exporters": ["otlpjson"]},
                        "traces": {"receivers": ["otlpjson"], "exporters": ["otlp"]},
                        "logs/read": {"receivers": ["otlpjson"], "exporters": ["otlp"]},
                    },
                ),
                **options,
            )

        return make

    @staticmethod
    def written(signal, ids):
        """The request as OTLP/JSON; ids of traces and spans, which protobuf's JSON writes otherwise, are left out."""
        request = otlp.request(signal, ids)
        for item in otlp.items(signal, request):
            for field in ("trace_id", "span_id", "parent_span_id"):
                if field in item.DESCRIPTOR.fields_by_name:
                    item.ClearField(field)
        return json_format.MessageToJson(request, indent=None)

    @staticmethod
    def request(*bodies):
        request = otlp.LOGS.request()
        records = request.resource_logs.add().scope_logs.add().log_records
        for body in bodies:
            records.add().body.string_value = body
        return request

    def test_requests_in_bodies_go_on_and_survive_a_kill(self, reading, grpc_backend, grpc_sender):
        grpc_backend.always = hang()
        holdfast = reading()
        spans, logs = otlp.new_ids(3), otlp.new_ids(2)
        bodies = [self.written(otlp.TRACES, spans), self.written(otlp.LOGS, logs), "none"]
        grpc_sender(holdfast).export(otlp.LOGS, self.request(*bodies))
        assert holdfast.metric("holdfast_connector_otlpjson_dropped", reason="invalid") == 1
        holdfast.kill9()
        grpc_backend.always = ok()
        holdfast.start()
        until(lambda: set(grpc_backend.ids()) >= {*spans, *logs}, lambda: f"{grpc_backend.ids()}")
        assert set(grpc_backend.ids()) == {*spans, *logs}
