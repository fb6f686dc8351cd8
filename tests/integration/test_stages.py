"""What stands between two queues: nothing is lost whenever it is killed, and the books say what it dropped.

The stages are made up (tests/support/hold.c): `hold` keeps requests until a word tells it to pass them on or to drop
them; `pass` is a connector.
"""

import pytest

from support import otlp, senders
from support.holdfast import HOLD_BINARY, config, otlp_exporter
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
