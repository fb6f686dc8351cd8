"""Connectors that pass data on between pipelines: nothing is lost whenever Holdfast is killed."""

import pytest

from support import otlp, senders
from support.holdfast import config, otlp_exporter
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

    until(lambda: left() == [], lambda: f"{left()} are still queued")


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
            lambda: sender.export(otlp.TRACES, otlp.request(otlp.TRACES, otlp.new_ids(1)))
            or any("c" in way for way in ways(grpc_backend).values()),
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
        assert [found[item] for item in ids] == [["b"], ["c"], ["a"]] * 2
