"""What stands between two queues: nothing is lost whenever it is killed, and the books say what it dropped.

The stages are made up (tests/support/hold.c): `hold` keeps requests until a word tells it to pass them on or to drop
them; `pass` is a connector; so is `spread` (spread.c). `picky` (picky.c) is an exporter with an answer for each item.
"""

import struct

import pytest

from support import otlp, senders
from support.holdfast import HOLD_BINARY, config, consumers_of, otlp_exporter
from support.waiting import until


def word(what):
    """A request that tells `hold` what to do with what it has."""
    request = otlp.request(otlp.TRACES, otlp.new_ids(1))
    request.resource_spans[0].scope_spans[0].spans[0].name = f"hold:{what}"
    return request


@pytest.fixture
def holding(start, grpc_backend):
    """holding() -> a Holdfast whose traces pass `hold` and then `resource`."""
    assert HOLD_BINARY.exists(), "it is built with the unit tests: ./dev build debug"

    def make(**exporter):
        marked = {"attributes": [{"key": "behind", "value": "hold", "action": "insert"}]}
        configuration = config(
            {"otlp": otlp_exporter(grpc_backend, **exporter)},
            {"resource/before": {"attributes": [{"key": "before", "value": 1, "action": "insert"}]}},
        )
        configuration["processors"] |= {"hold": None, "resource": marked}
        configuration["service"]["pipelines"] = {
            "traces": {
                "receivers": ["otlp"],
                "processors": ["resource/before", "hold", "resource"],
                "exporters": ["otlp"],
            }
        }
        return start(configuration, binary=HOLD_BINARY)

    return make


def held(holdfast):
    """Items in the queue in front of the stage."""
    return holdfast.books("traces", "hold")["queued"]["items"]


class TestHold:
    def test_what_is_released_goes_on_and_the_books_are_exact(self, holding, grpc_backend, grpc_sender):
        holdfast = holding()
        sender = grpc_sender(holdfast)
        ids = otlp.new_ids(6)
        for first in (0, 2, 4):
            sender.export(otlp.TRACES, otlp.request(otlp.TRACES, ids[first : first + 2]))
        assert held(holdfast) == 6
        assert grpc_backend.ids() == []
        sender.export(otlp.TRACES, word("release"))
        grpc_backend.wait_for(ids)
        assert sorted(grpc_backend.ids()) == ids
        resource = otlp.attributes(otlp.resources(otlp.TRACES, grpc_backend.requests[0].message)[0])
        assert (resource["before"], resource["behind"]) == (1, "hold")
        until(lambda: held(holdfast) == 0, lambda: f"{held(holdfast)} are still queued")
        books = holdfast.books("traces", "hold")
        assert (books["accepted"]["items"], books["delivered"]["items"]) == (7, 6)
        assert books["dropped"]["processor"]["items"] == 1  # the word itself
        until(lambda: holdfast.books("traces>hold", "otlp")["delivered"]["items"] == 6, "the second books differ")
        assert holdfast.books("traces>hold", "otlp")["accepted"]["items"] == 6

    def test_what_it_drops_is_counted(self, holding, grpc_backend, grpc_sender):
        holdfast = holding()
        sender = grpc_sender(holdfast)
        sender.export(otlp.TRACES, otlp.request(otlp.TRACES, otlp.new_ids(5)))
        sender.export(otlp.TRACES, word("drop"))
        kept = otlp.new_ids(3)
        sender.export(otlp.TRACES, otlp.request(otlp.TRACES, kept))
        sender.export(otlp.TRACES, word("release"))
        grpc_backend.wait_for(kept)
        assert sorted(grpc_backend.ids()) == kept
        until(lambda: held(holdfast) == 0, lambda: f"{held(holdfast)} are still queued")
        books = holdfast.books("traces", "hold")
        assert books["dropped"]["processor"]["items"] == 5 + 1 + 1
        assert books["delivered"]["items"] == 3

    @pytest.mark.parametrize("how", ["kill9", "terminate"])
    def test_what_it_holds_is_given_to_it_again_after_a_start(self, holding, grpc_backend, grpc_sender, how):
        holdfast = holding()
        ids = otlp.new_ids(10)
        sender = grpc_sender(holdfast)
        for item in ids:
            sender.export(otlp.TRACES, otlp.request(otlp.TRACES, [item]))
        getattr(holdfast, how)()
        holdfast.start()
        assert held(holdfast) == 10
        assert grpc_backend.ids() == []
        grpc_sender(holdfast).export(otlp.TRACES, word("release"))
        grpc_backend.wait_for(ids)
        assert sorted(grpc_backend.ids()) == ids

    def test_what_it_has_passed_on_is_durable(self, holding, grpc_backend, grpc_sender):
        grpc_backend.stop()
        holdfast = holding()
        ids = otlp.new_ids(10)
        sender = grpc_sender(holdfast)
        for item in ids:
            sender.export(otlp.TRACES, otlp.request(otlp.TRACES, [item]))
        sender.export(otlp.TRACES, word("release"))
        until(lambda: held(holdfast) == 0, lambda: f"{held(holdfast)} are still queued")
        holdfast.kill9()
        grpc_backend.start()
        holdfast.start()
        grpc_backend.wait_for(ids)

    def test_a_reload_hands_over_what_is_held(self, holding, grpc_backend, grpc_sender):
        holdfast = holding()
        ids = otlp.new_ids(4)
        sender = grpc_sender(holdfast)
        sender.export(otlp.TRACES, otlp.request(otlp.TRACES, ids))
        holdfast.reload()
        sender.export(otlp.TRACES, word("release"))
        grpc_backend.wait_for(ids)
        assert sorted(grpc_backend.ids()) == ids

    @pytest.mark.parametrize("how", ["restart", "reload"])
    def test_a_stage_that_is_put_in_takes_the_backlog_over(self, holding, grpc_backend, grpc_sender, how):
        grpc_backend.stop()
        holdfast = holding()
        with_stage = holdfast.config_path.read_text()
        before = {"otlp": otlp_exporter(grpc_backend), "otlp/more": otlp_exporter(grpc_backend)}
        holdfast.write_config(config(before))
        holdfast.restart()
        ids = otlp.new_ids(6)
        for item in ids[:3]:
            grpc_sender(holdfast).export(otlp.TRACES, otlp.request(otlp.TRACES, [item]))
        holdfast.write_config(with_stage)
        getattr(holdfast, how)()
        sender = grpc_sender(holdfast)
        for item in ids[3:]:
            sender.export(otlp.TRACES, otlp.request(otlp.TRACES, [item]))
        assert held(holdfast) == 6
        grpc_backend.start()
        sender.export(otlp.TRACES, word("release"))
        grpc_backend.wait_for(ids)
        holdfast.books("traces", "hold")

    def test_a_stage_that_is_taken_away_leaves_a_word_about_its_queue(self, holding, grpc_backend, grpc_sender):
        grpc_backend.stop()
        holdfast = holding()
        sender = grpc_sender(holdfast)
        ids = otlp.new_ids(3)
        sender.export(otlp.TRACES, otlp.request(otlp.TRACES, ids))
        sender.export(otlp.TRACES, word("release"))
        until(lambda: held(holdfast) == 0, lambda: f"{held(holdfast)} are still queued")
        holdfast.terminate()
        before = holdfast.config_path.read_text()
        holdfast.write_config(config({"otlp": otlp_exporter(grpc_backend)}))
        holdfast.start()
        holdfast.wait_for_log("the queue traces>hold holds 3 items")
        holdfast.write_config(before)
        holdfast.restart()
        grpc_backend.start()
        grpc_backend.wait_for(ids)

    def test_kills_at_any_moment_lose_nothing(self, holding, grpc_backend, grpc_sender):
        """Words come in between, so that some kills fall into the passing on."""
        holdfast = holding()
        acknowledged = []
        for kill in range(6):
            with senders.Load(holdfast, [(otlp.TRACES, "grpc"), (otlp.TRACES, "http")]) as load:
                sender = grpc_sender(holdfast)
                for more in range(1, 4):
                    senders.wait_for_acknowledged(load, more * (40 + 23 * kill))
                    sender.export(otlp.TRACES, word("release"))
                holdfast.kill9()
            acknowledged += load.acknowledged
            holdfast.start()
        grpc_sender(holdfast).export(otlp.TRACES, word("release"))
        grpc_backend.wait_for(acknowledged)
        until(lambda: held(holdfast) == 0, lambda: f"{held(holdfast)} are still queued")
        holdfast.books("traces>hold", "otlp")


class TestConnector:
    def test_it_joins_two_pipelines(self, start, grpc_backend, grpc_sender):
        exporters = {"otlp": otlp_exporter(grpc_backend)}
        configuration = config(exporters, {"resource": {"attributes": [{"key": "k", "value": 1, "action": "insert"}]}})
        configuration["connectors"] = {"pass": None}
        configuration["service"]["pipelines"] = {
            "traces/in": {"receivers": ["otlp"], "exporters": ["pass"]},
            "traces/out": {"receivers": ["pass"], "processors": ["resource"], "exporters": ["otlp"]},
        }
        holdfast = start(configuration, binary=HOLD_BINARY)
        ids = otlp.new_ids(20)
        sender = grpc_sender(holdfast)
        for item in ids[:10]:
            sender.export(otlp.TRACES, otlp.request(otlp.TRACES, [item]))
        grpc_backend.wait_for(ids[:10])
        grpc_backend.stop()
        for item in ids[10:]:
            sender.export(otlp.TRACES, otlp.request(otlp.TRACES, [item]))
        holdfast.kill9()
        grpc_backend.start()
        holdfast.start()
        grpc_backend.wait_for(ids)
        assert otlp.attributes(otlp.resources(otlp.TRACES, grpc_backend.requests[-1].message)[0])["k"] == 1
        until(
            lambda: holdfast.books("traces/in", "pass")["delivered"]["items"] == 20,
            lambda: f"{holdfast.books('traces/in', 'pass')}",
        )

    def test_it_makes_another_signal_of_what_it_reads(self, start, grpc_backend, grpc_sender):
        """All of docs/examples in one program."""
        configuration = config({"otlp": otlp_exporter(grpc_backend)})
        configuration["receivers"] = {"beat": {"interval": "10ms"}}
        configuration["processors"] = {"drop_spans": {"name": "test span"}}
        configuration["connectors"] = {"tally": None}
        configuration["exporters"]["count"] = None
        configuration["service"]["pipelines"] = {
            "traces": {"receivers": ["otlp"], "processors": ["drop_spans"], "exporters": ["count"]},
            "traces/counted": {"receivers": ["otlp"], "exporters": ["tally"]},
            "logs": {"receivers": ["beat"], "exporters": ["otlp"]},
            "metrics": {"receivers": ["tally"], "exporters": ["otlp"]},
        }
        holdfast = start(configuration, binary=HOLD_BINARY)
        grpc_sender(holdfast).export(otlp.TRACES, otlp.request(otlp.TRACES, otlp.new_ids(3)))

        def tallies():
            metrics = [one.message for one in grpc_backend.requests if one.signal == otlp.METRICS]
            scopes = [resource.scope_metrics[0] for one in metrics for resource in one.resource_metrics]
            return [metric.sum.data_points[0].as_int for scope in scopes for metric in scope.metrics]

        until(lambda: tallies() == [3], lambda: f"{tallies()}")
        until(
            lambda: any(one.signal == otlp.LOGS for one in grpc_backend.requests),
            lambda: "no beat has come",
        )
        assert holdfast.books("traces", "count")["accepted"]["items"] == 0  # all were of that name


@pytest.fixture
def spreading(start, grpc_backend):
    """spreading() -> a Holdfast whose traces `spread` sends to two pipelines, half and half."""

    def make():
        configuration = config({"otlp": otlp_exporter(grpc_backend)})
        configuration["connectors"] = {"spread": None}
        configuration["service"]["pipelines"] = {
            "traces/in": {"receivers": ["otlp"], "exporters": ["spread"]},
            "traces/first": {"receivers": ["spread"], "exporters": ["otlp"]},
            "traces/last": {"receivers": ["spread"], "exporters": ["otlp"]},
        }
        return start(configuration, binary=HOLD_BINARY)

    return make


def wait_until_spread(holdfast):
    def left():
        return holdfast.books("traces/in", "spread")["queued"]["items"]

    until(lambda: left() == 0, lambda: f"{left()} are still queued")


class TestSpread:
    """Partly done inputs, inputs that are read again from the queue, and outputs to some of the pipelines."""

    def test_each_half_goes_to_its_pipeline(self, spreading, grpc_backend, grpc_sender):
        holdfast = spreading()
        ids = otlp.new_ids(35)
        sender = grpc_sender(holdfast)
        for first in range(0, 35, 7):
            sender.export(otlp.TRACES, otlp.request(otlp.TRACES, ids[first : first + 7]))
        grpc_backend.wait_for(ids)
        wait_until_spread(holdfast)
        assert sorted(grpc_backend.ids()) == ids
        assert holdfast.books("traces/in", "spread")["delivered"]["items"] == 35
        assert holdfast.books("traces/first", "otlp")["accepted"]["items"] == 15
        assert holdfast.books("traces/last", "otlp")["accepted"]["items"] == 20

    def test_kills_between_the_halves_lose_nothing(self, spreading, grpc_backend):
        holdfast = spreading()
        acknowledged = []
        for kill in range(5):
            with senders.Load(holdfast, [(otlp.TRACES, "grpc"), (otlp.TRACES, "http")]) as load:
                senders.wait_for_acknowledged(load, 60 + 37 * kill)
                holdfast.kill9()
            acknowledged += load.acknowledged
            holdfast.start()
        grpc_backend.wait_for(acknowledged)
        wait_until_spread(holdfast)
        for pipeline in ("traces/first", "traces/last"):
            holdfast.books(pipeline, "otlp")


class TestPicky:
    """An exporter whose backend answers for each item: tests/support/picky.c says which it takes."""

    @pytest.fixture
    def picky(self, start, tmp_path):
        exporter = {"path": str(tmp_path / "taken"), "retry_on_failure": {"initial_interval": "20ms"}}
        return start(config({"picky": exporter}), binary=HOLD_BINARY)

    @staticmethod
    def taken(tmp_path):
        content = (tmp_path / "taken").read_bytes()
        return list(struct.unpack(f"={len(content) // 8}q", content))

    @staticmethod
    def wait_until_sent(holdfast, signals=("traces", "metrics", "logs")):
        def left():
            return sum(holdfast.books(signal, "picky")["queued"]["items"] for signal in signals)

        until(lambda: left() == 0, lambda: f"{left()} are still queued")

    def test_every_item_has_its_own_end(self, picky, tmp_path, grpc_sender):
        sender = grpc_sender(picky)
        ids = {signal: otlp.new_ids(200) for signal in otlp.SIGNALS}
        for signal in otlp.SIGNALS:
            for first in range(0, 200, 20):
                sender.export(signal, otlp.request(signal, ids[signal][first : first + 20]))
        self.wait_until_sent(picky)
        everything = sorted(item for some in ids.values() for item in some)
        assert sorted(self.taken(tmp_path)) == [item for item in everything if item % 7 != 0]
        for signal in otlp.SIGNALS:
            books = picky.books(signal.name, "picky")
            never = sum(1 for item in ids[signal] if item % 7 == 0)
            assert books["dead_lettered"]["items"] == never
            assert books["delivered"]["items"] == 200 - never

    def test_kills_lose_nothing(self, picky, tmp_path):
        acknowledged = []
        paths = [(otlp.TRACES, "grpc"), (otlp.METRICS, "http"), (otlp.LOGS, "grpc")]
        for kill in range(5):
            with senders.Load(picky, paths) as load:
                senders.wait_for_acknowledged(load, 80 + 41 * kill)
                picky.kill9()
            acknowledged += load.acknowledged
            picky.start()
        self.wait_until_sent(picky)
        taken = set(self.taken(tmp_path))
        assert [item for item in acknowledged if item % 7 != 0 and item not in taken] == []
        assert [item for item in taken if item % 7 == 0] == []
        letters = sum(
            one["accepted"]["items"] for one in consumers_of(picky.queue("stat"), "picky", "deadletter")
        )
        assert letters >= sum(1 for item in acknowledged if item % 7 == 0)
