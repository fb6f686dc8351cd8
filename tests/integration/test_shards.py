"""Several queues for one pipeline: kills, reloads and other numbers of them lose nothing, and the books of each
balance (docs/decisions/shards.md)."""

import collections
import os

from support import otlp
from support.backends import HttpBackend
from support.holdfast import FAST_RETRY, config, otlphttp_exporter
from support.senders import Load, wait_for_acknowledged
from support.waiting import until

PATHS = [(otlp.TRACES, "http"), (otlp.LOGS, "grpc")]


def sharded(backend, shards):
    """Traces and logs, each with that many queues; traces by their ids."""
    configuration = config({"otlphttp": otlphttp_exporter(backend)})
    pipelines = configuration["service"]["pipelines"]
    pipelines["traces"]["shards"] = {"count": shards, "by": "trace_id"}
    pipelines["logs"]["shards"] = shards
    return configuration


def queues(holdfast):
    return {one["id"]: one for one in holdfast.queue("stat")["queues"] if one["kind"] == "queue"}


def queued(queue):
    return sum(one["queued"]["items"] for one in queue["exporters"])


def is_empty(holdfast):
    return all(queued(queue) == 0 for queue in queues(holdfast).values())


def all_wait(holdfast):
    found = queues(holdfast)
    return all(queued(found[name]) > 0 for name in ("traces", "traces~1", "traces~2"))


def folders(holdfast):
    return sorted(name for name in os.listdir(holdfast.data_directory / "queue") if "%7E" in name)


def assert_all_arrive(holdfast, backend, load):
    backend.wait_for(load.acknowledged)
    assert set(backend.ids()) <= set(load.offered)
    until(lambda: is_empty(holdfast), "the queues get empty")
    assert holdfast.queue("stat")["balanced"] is True


def test_kills_and_an_outage_lose_nothing(start, ending):
    backend = ending.enter_context(HttpBackend())
    holdfast = start(sharded(backend, 3))
    with Load(holdfast, PATHS) as load:
        for _ in range(3):
            wait_for_acknowledged(load, len(load.acknowledged) + 500)
            holdfast.kill9()
            holdfast.start()
        backend.stop()
        wait_for_acknowledged(load, len(load.acknowledged) + 500)
        holdfast.kill9()
        holdfast.start()
        wait_for_acknowledged(load, len(load.acknowledged) + 100)
        backend.start()
    assert_all_arrive(holdfast, backend, load)
    found = queues(holdfast)
    for name in (f"{signal}{shard}" for signal in ("traces", "logs") for shard in ("", "~1", "~2")):
        assert found[name]["appended"]["items"] > 0
        assert holdfast.metric("holdfast_queue_appended_items", queue=name, kind="queue") > 0


def test_named_records_are_stored_once_whatever_their_number(start, ending):
    """The window of a sender is in the first queue, which is always there."""
    backend = ending.enter_context(HttpBackend())
    backend.stop()
    last = start(sharded(backend, 3))
    sending = {"endpoint": last.http_base, "retry_on_failure": dict(FAST_RETRY), "timeout": "5s", "once": True}
    first = start(config({"otlphttp": sending}))
    with Load(first, PATHS, items=20) as load:
        for shards in (3, 1, 3):
            wait_for_acknowledged(load, len(load.acknowledged) + 400)
            last.write_config(sharded(backend, shards))
            for one in (last, first):
                one.kill9()
                one.start()
        wait_for_acknowledged(load, len(load.acknowledged) + 100)
    until(lambda: is_empty(first), "the sender has sent all")
    backend.start()
    backend.wait_for(load.acknowledged)
    assert [one for one, count in collections.Counter(backend.ids()).items() if count > 1] == []


def test_fewer_and_more_of_them_lose_nothing(start, ending):
    """From one to three over a restart, and from three to one by a reload; each time things are queued."""
    backend = ending.enter_context(HttpBackend())
    backend.stop()
    holdfast = start(sharded(backend, 1))
    with Load(holdfast, PATHS) as load:
        wait_for_acknowledged(load, 500)
        assert folders(holdfast) == []
        holdfast.write_config(sharded(backend, 3))
        holdfast.kill9()
        holdfast.start()
        wait_for_acknowledged(load, len(load.acknowledged) + 500)
        until(lambda: all_wait(holdfast), "all have something")
        holdfast.write_config(sharded(backend, 1))
        holdfast.reload()
        holdfast.wait_for_log("the new configuration runs")
        before = queues(holdfast)["traces"]["appended"]["items"]
        until(lambda: queues(holdfast)["traces"]["appended"]["items"] > before, "the first takes all")
        holdfast.kill9()
        holdfast.start()
        assert folders(holdfast) != []
        backend.start()
    assert_all_arrive(holdfast, backend, load)
    until(lambda: folders(holdfast) == [], lambda: f"{folders(holdfast)} are removed")
    assert set(queues(holdfast)) == {"traces", "logs", "metrics"}


def test_the_metrics_of_one_that_is_removed_end(start, http_backend):
    holdfast = start(sharded(http_backend, 2))
    assert 'queue="traces~1"' in holdfast.metrics_text()
    holdfast.write_config(sharded(http_backend, 1))
    holdfast.reload()
    holdfast.wait_for_log("the new configuration runs")
    until(lambda: folders(holdfast) == [], lambda: f"{folders(holdfast)} are removed")
    assert "~1" not in holdfast.metrics_text() and 'queue="traces"' in holdfast.metrics_text()
