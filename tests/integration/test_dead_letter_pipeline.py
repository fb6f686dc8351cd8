"""Dead letters through a pipeline: what a backend refused for good arrives at another one with the reason, and is lost
neither by a kill nor by an outage of that other one."""

import json

import grpc
import pytest
from google.protobuf import json_format

from support import otlp
from support.backends import GrpcBackend, otlp_json, refuse
from support.holdfast import FAST_RETRY, config, consumers_of, otlp_exporter, otlphttp_exporter
from support.waiting import until


@pytest.fixture
def picky(grpc_backend):
    """Refuses everything for good."""
    grpc_backend.always = refuse(grpc.StatusCode.INVALID_ARGUMENT, "never this")
    return grpc_backend


@pytest.fixture
def archive(http_backend):
    return http_backend


def configuration(picky, archive, pipeline="logs/dead", signals=("logs",), processors=()):
    queue = {"dead_letter": {"pipeline": pipeline}}
    pipelines = {name: {"receivers": ["otlp"], "exporters": ["otlp/picky"]} for name in signals}
    pipelines[pipeline] = {"processors": list(processors), "exporters": ["otlphttp/archive"]}
    return {
        "processors": {"attributes": {"actions": [{"key": "seen", "value": "yes", "action": "insert"}]}},
        "exporters": {
            "otlp/picky": otlp_exporter(picky, sending_queue=queue),
            "otlphttp/archive": otlphttp_exporter(archive),
        },
        "service": {"pipelines": pipelines},
    }


def test_what_was_refused_arrives_with_the_reason(start, picky, archive, grpc_sender):
    holdfast = start(configuration(picky, archive, processors=["attributes"]))
    sender = grpc_sender(holdfast)
    ids = otlp.new_ids(6)
    for item in ids:
        sender.export(otlp.LOGS, otlp.request(otlp.LOGS, [item]))
    archive.wait_for(ids)
    for one in archive.accepted():
        for resource in otlp.resources(otlp.LOGS, one.message):
            assert otlp.attributes(resource) == {
                "service.name": "test",
                "holdfast.dead_letter.reason": "never this",
                "holdfast.dead_letter.code": grpc.StatusCode.INVALID_ARGUMENT.value[0],
                "holdfast.dead_letter.exporter": "otlp/picky",
                "holdfast.dead_letter.pipeline": "logs",
            }
        for record in otlp.items(otlp.LOGS, one.message):
            assert otlp.attributes(record)["seen"] == "yes"
    until(
        lambda: holdfast.books("logs", "otlp/picky")["dead_lettered"]["items"] == 6,
        lambda: f"{holdfast.books('logs', 'otlp/picky')}",
    )
    until(
        lambda: holdfast.books("logs/dead", "otlphttp/archive")["delivered"]["items"] == 6,
        lambda: f"{holdfast.books('logs/dead', 'otlphttp/archive')}",
    )
    assert not consumers_of(holdfast.queue("stat"), "otlp/picky", "deadletter")


@pytest.mark.parametrize("signal", [otlp.TRACES, otlp.METRICS], ids=lambda one: one.name)
def test_another_signal_arrives_as_json_in_a_log_record(start, picky, archive, grpc_sender, signal):
    holdfast = start(configuration(picky, archive, signals=("traces", "metrics")))
    ids = otlp.new_ids(3)
    request = otlp.request(signal, ids)
    grpc_sender(holdfast).export(signal, request)
    until(lambda: archive.accepted(otlp.LOGS), "nothing arrives")
    (resource,) = otlp.resources(otlp.LOGS, archive.accepted()[0].message)
    assert otlp.attributes(resource)["holdfast.dead_letter.signal"] == signal.name
    assert otlp.attributes(resource)["holdfast.dead_letter.items"] == 3
    (record,) = otlp.items(otlp.LOGS, archive.accepted()[0].message)
    refused = otlp_json(signal, record.body.string_value)
    assert json_format.MessageToDict(refused) == json_format.MessageToDict(request)
    assert json.loads(record.body.string_value)


def test_a_kill_and_an_outage_of_the_other_backend_lose_nothing(start, picky, archive, grpc_sender):
    archive.stop()
    holdfast = start(configuration(picky, archive))
    sender = grpc_sender(holdfast)
    ids = otlp.new_ids(40)
    for item in ids[:20]:
        sender.export(otlp.LOGS, otlp.request(otlp.LOGS, [item]))
    picky.wait_for_requests(1)
    holdfast.kill9()
    holdfast.start()
    for item in ids[20:]:
        sender.export(otlp.LOGS, otlp.request(otlp.LOGS, [item]))
    holdfast.kill9()
    archive.start()
    holdfast.start()
    archive.wait_for(ids)
    holdfast.books("logs", "otlp/picky")
    holdfast.books("logs/dead", "otlphttp/archive")


def test_while_its_queue_is_full_they_stay_where_they_are(start, picky, archive, grpc_sender):
    archive.stop()
    settings = configuration(picky, archive)
    settings["exporters"]["otlphttp/archive"]["sending_queue"] = {"queue_size": 1, "sizer": "requests"}
    holdfast = start(settings)
    sender = grpc_sender(holdfast)
    ids = otlp.new_ids(5)
    for item in ids:
        sender.export(otlp.LOGS, otlp.request(otlp.LOGS, [item]))
    holdfast.wait_for_log("the pipeline for dead letters takes nothing for now")
    assert holdfast.books("logs", "otlp/picky")["queued"]["items"] >= 1
    archive.start()
    archive.wait_for(ids)
    until(
        lambda: holdfast.books("logs", "otlp/picky")["dead_lettered"]["items"] == 5,
        lambda: f"{holdfast.books('logs', 'otlp/picky')}",
    )


def test_a_drain_waits_for_both_queues(start, picky, archive, grpc_sender):
    holdfast = start(configuration(picky, archive))
    ids = otlp.new_ids(10)
    for item in ids:
        grpc_sender(holdfast).export(otlp.LOGS, otlp.request(otlp.LOGS, [item]))
    done = holdfast.command("drain", "--data-dir", holdfast.data_directory)
    assert done.returncode == 0, done.stdout + done.stderr
    assert set(archive.ids()) == set(ids)


def test_a_reload_may_lead_them_elsewhere(start, picky, archive, grpc_sender, ending):
    holdfast = start(config({"otlp/picky": otlp_exporter(picky)}))
    sender = grpc_sender(holdfast)
    before, after = otlp.new_ids(2), otlp.new_ids(2)
    sender.export(otlp.LOGS, otlp.request(otlp.LOGS, before))
    until(
        lambda: holdfast.books("logs", "otlp/picky")["dead_lettered"]["items"] == 2,
        lambda: f"{holdfast.books('logs', 'otlp/picky')}",
    )
    other = ending.enter_context(GrpcBackend())
    settings = configuration(picky, archive)
    settings["exporters"]["otlphttp/archive"] = otlp_exporter(other)
    settings["exporters"]["otlp/archive"] = settings["exporters"].pop("otlphttp/archive")
    settings["service"]["pipelines"]["logs/dead"]["exporters"] = ["otlp/archive"]
    holdfast.write_config(settings)
    holdfast.reload()
    holdfast.wait_for_log("the new configuration runs")
    sender.export(otlp.LOGS, otlp.request(otlp.LOGS, after))
    other.wait_for(after)
    done = holdfast.command("queue", "requeue", "otlp/picky", "--data-dir", holdfast.data_directory)
    assert done.returncode == 0, done.stdout + done.stderr
    other.wait_for(before)  # refused again, they go where dead letters go now


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"pipeline": "logs/dad"}, 'names the pipeline "logs/dad", which is not in service::pipelines; did you mean'),
        ({"pipeline": "logs"}, 'cycle detected: pipeline "logs" -> exporter "otlp/picky" -> pipeline "logs"'),
        ({"pipeline": "traces/dead"}, 'the exporter carries logs, which the pipeline "traces/dead" does not'),
        ({"pipeline": "logs/dead", "enabled": False}, "has no effect with enabled: false"),
    ],
)
def test_what_cannot_be_is_refused_at_load(start, change, sentence):
    settings = {
        "exporters": {
            "otlp/picky": {
                "endpoint": "127.0.0.1:1",
                "sending_queue": {"dead_letter": change},
                "retry_on_failure": FAST_RETRY,
            },
            "debug": {},
        },
        "service": {
            "pipelines": {
                "logs": {"receivers": ["otlp"], "exporters": ["otlp/picky"]},
                "logs/dead": {"receivers": ["otlp"], "exporters": ["debug"]},
                "traces/dead": {"receivers": ["otlp"], "exporters": ["debug"]},
            }
        },
    }
    holdfast = start(settings, ready=False)
    done = holdfast.command("validate", "--config", holdfast.base_path, "--config", holdfast.config_path)
    assert done.returncode != 0
    assert sentence in done.stderr + done.stdout


def test_a_ring_of_two_exporters_is_refused(start):
    exporter = {"endpoint": "127.0.0.1:1"}
    settings = {
        "exporters": {
            "otlp/a": {**exporter, "sending_queue": {"dead_letter": {"pipeline": "logs/b"}}},
            "otlp/b": {**exporter, "sending_queue": {"dead_letter": {"pipeline": "logs"}}},
        },
        "service": {
            "pipelines": {
                "logs": {"receivers": ["otlp"], "exporters": ["otlp/a"]},
                "logs/b": {"exporters": ["otlp/b"]},
            }
        },
    }
    holdfast = start(settings, ready=False)
    done = holdfast.command("validate", "--config", holdfast.base_path, "--config", holdfast.config_path)
    assert done.returncode != 0
    assert 'pipeline "logs" -> exporter "otlp/a" -> pipeline "logs/b" -> exporter "otlp/b"' in (
        done.stderr + done.stdout
    )
