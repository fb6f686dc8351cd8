"""What becomes of an answer: retried, halved, put aside, or taken as delivered. Never lost, never silently."""

import re
import threading
import time

import grpc
import pytest

from support import otlp, senders
from support.backends import (
    GrpcBackend,
    HttpBackend,
    accept_but_hide,
    cut,
    hang,
    ok,
    otlp_json,
    partial,
    refuse,
    slow,
    status,
)
from support.holdfast import FAST_RETRY, config, otlp_exporter, otlphttp_exporter
from support.waiting import until

Code = grpc.StatusCode
RETRYABLE = [
    Code.CANCELLED,
    Code.DEADLINE_EXCEEDED,
    Code.ABORTED,
    Code.OUT_OF_RANGE,
    Code.UNAVAILABLE,
    Code.DATA_LOSS,
    Code.RESOURCE_EXHAUSTED,
    Code.UNAUTHENTICATED,
    Code.PERMISSION_DENIED,
    Code.UNIMPLEMENTED,
    Code.INTERNAL,
    Code.UNKNOWN,
]
PERMANENT = [
    Code.INVALID_ARGUMENT,
    Code.FAILED_PRECONDITION,
    Code.NOT_FOUND,
    Code.ALREADY_EXISTS,
]


PASSING_HTTP = (
    *(401, 402, 403, 404, 405, 407, 408, 410, 421, 425, 426, 429, 499),
    *(500, 501, 502, 503, 504, 505, 507, 511, 520, 524, 529, 530, 599),
)
ABOUT_THE_ENDPOINT = (401, 403, 404, 405, 501, 505)


class TestGrpcAnswers:
    @pytest.fixture
    def through(self, start, grpc_backend, grpc_sender):
        holdfast = start(config({"otlp": otlp_exporter(grpc_backend)}))
        return holdfast, grpc_backend, grpc_sender(holdfast)

    def test_every_passing_code_is_retried_until_it_passes(self, through):
        _, backend, sender = through
        for code in RETRYABLE:
            backend.next(refuse(code), refuse(code))
            ids = otlp.new_ids(2)
            sender.export(otlp.TRACES, otlp.request(otlp.TRACES, ids))
            backend.wait_for(ids)
            assert [one.accepted for one in backend.requests if one.ids == ids] == [False, False, True], code

    def test_a_permanent_code_puts_the_request_aside_with_the_backends_words(self, through):
        holdfast, backend, sender = through
        refused = 0
        for code in PERMANENT:
            backend.next(refuse(code, f"no, because of {code.name}"))
            ids = otlp.new_ids(2)
            sender.export(otlp.TRACES, otlp.request(otlp.TRACES, ids))
            refused += 2
            until(
                lambda: holdfast.books("traces", "otlp")["dead_lettered"]["items"] == refused,
                lambda: f"{code}: {holdfast.books('traces', 'otlp')}",
            )
        good = otlp.new_ids(1)
        sender.export(otlp.TRACES, otlp.request(otlp.TRACES, good))
        backend.wait_for(good)
        listed = holdfast.command(
            "queue", "ls", "deadletter:otlp", "--data-dir", holdfast.data_directory
        ).stdout
        assert [code.name for code in PERMANENT if f"no, because of {code.name}" not in listed] == []

    def test_retry_info_is_waited_for(self, through):
        _, backend, sender = through
        backend.next(refuse(Code.UNAVAILABLE, retry_delay=1.2))
        ids = otlp.new_ids(1)
        sender.export(otlp.TRACES, otlp.request(otlp.TRACES, ids))
        backend.wait_for(ids)
        first, second = [one.when for one in backend.requests]
        assert second - first >= 1.1

    def test_a_partial_success_is_delivered_and_what_was_rejected_is_counted(self, through):
        holdfast, backend, sender = through
        backend.next(partial(3, "three were too old"))
        ids = otlp.new_ids(10)
        sender.export(otlp.TRACES, otlp.request(otlp.TRACES, ids))
        backend.wait_for(ids)

        def books():
            return holdfast.books("traces", "otlp")

        until(lambda: books()["queued"]["items"] == 0, lambda: f"{books()}")
        assert books()["delivered"]["items"] == 7
        assert books()["dropped"]["rejected_by_backend"]["items"] == 3
        holdfast.wait_for_log("three were too old")
        assert len(backend.requests) == 1

    def test_a_message_that_is_too_large_is_halved_until_it_passes(self, start, ending, grpc_sender):
        backend = ending.enter_context(GrpcBackend(max_message_bytes=100_000))
        holdfast = start(config({"otlp": otlp_exporter(backend)}))
        ids = otlp.new_ids(40)
        grpc_sender(holdfast).export(otlp.LOGS, otlp.request(otlp.LOGS, ids, padding="x" * 10_000))
        backend.wait_for(ids)
        assert sorted(backend.ids()) == sorted(ids)
        assert len(backend.accepted()) >= 4

    def test_an_answer_that_does_not_come_is_a_timeout_and_retried(self, start, ending, grpc_sender):
        backend = ending.enter_context(GrpcBackend())
        holdfast = start(config({"otlp": otlp_exporter(backend, timeout="300ms")}))
        backend.next(hang())
        ids = otlp.new_ids(1)
        grpc_sender(holdfast).export(otlp.TRACES, otlp.request(otlp.TRACES, ids))
        backend.wait_for(ids)
        assert len(backend.requests) == 2

    def test_a_slow_backend_gets_num_consumers_requests_at_once(self, start, ending, grpc_sender):
        backend = ending.enter_context(GrpcBackend())
        backend.always = slow(0.2)
        holdfast = start(config({"otlp": otlp_exporter(backend, sending_queue={"num_consumers": 8})}))
        sender = grpc_sender(holdfast)
        ids = otlp.new_ids(32)
        begun = time.monotonic()
        for item in ids:
            sender.export(otlp.TRACES, otlp.request(otlp.TRACES, [item]))
        backend.wait_for(ids)
        assert time.monotonic() - begun < 32 * 0.2 / 2  # one after another would take all of it


class TestHttpAnswers:
    @pytest.fixture
    def through(self, start, http_backend, grpc_sender):
        holdfast = start(config({"otlphttp": otlphttp_exporter(http_backend)}))
        return holdfast, http_backend, grpc_sender(holdfast)

    def test_every_passing_answer_is_retried_until_it_passes(self, through):
        _, backend, sender = through
        for answer in [status(code) for code in PASSING_HTTP] + [cut()]:
            backend.next(answer, answer)
            ids = otlp.new_ids(2)
            sender.export(otlp.TRACES, otlp.request(otlp.TRACES, ids))
            backend.wait_for(ids)
            assert [one.accepted for one in backend.requests if one.ids == ids] == [False, False, True], (
                answer
            )

    def test_a_page_for_people_is_no_success(self, through):
        _, backend, sender = through
        backend.next(status(200, {"Content-Type": "text/html; charset=utf-8"}, b"<html>log in</html>"))
        ids = otlp.new_ids(2)
        sender.export(otlp.TRACES, otlp.request(otlp.TRACES, ids))
        backend.wait_for(ids)

    @pytest.mark.parametrize("code", ABOUT_THE_ENDPOINT)
    def test_what_is_about_the_endpoint_holds_the_queue_and_shows(self, start, ending, grpc_sender, code):
        backend = ending.enter_context(HttpBackend())
        retry = {**FAST_RETRY, "max_elapsed_time": "300ms"}
        holdfast = start(config({"otlphttp": otlphttp_exporter(backend, retry_on_failure=retry)}))
        backend.always = status(code, body=b"not here")
        ids = otlp.new_ids(6)
        for item in ids:
            grpc_sender(holdfast).export(otlp.TRACES, otlp.request(otlp.TRACES, [item]))
        holdfast.wait_for_log('unhealthy.*"error":"not here"')
        backend.wait_for_requests(6)
        books = holdfast.books("traces", "otlphttp")
        assert (books["queued"]["items"], books["dead_lettered"]["items"]) == (6, 0)
        backend.always = ok()
        backend.wait_for(ids)
        holdfast.wait_for_log("healthy again")

    @pytest.mark.parametrize("code", [400, 409, 415, 422])
    def test_a_permanent_answer_puts_the_request_aside(self, through, code):
        holdfast, backend, sender = through
        backend.always = status(code, body=b"no, never")
        ids = otlp.new_ids(2)
        sender.export(otlp.TRACES, otlp.request(otlp.TRACES, ids))
        until(
            lambda: holdfast.books("traces", "otlphttp")["dead_lettered"]["items"] == 2,
            lambda: f"{holdfast.books('traces', 'otlphttp')}",
        )

    @pytest.mark.parametrize("form", ["seconds", "date"])
    def test_retry_after_is_waited_for(self, through, form):
        _, backend, sender = through
        later = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + 3))
        backend.next(status(503, {"Retry-After": "2" if form == "seconds" else later}))
        ids = otlp.new_ids(1)
        sender.export(otlp.TRACES, otlp.request(otlp.TRACES, ids))
        backend.wait_for(ids)
        first, second = [one.when for one in backend.requests]
        assert second - first >= 1.5

    def test_413_is_halved(self, through):
        _, backend, sender = through
        backend.next(status(413), status(413))
        ids = otlp.new_ids(16)
        sender.export(otlp.LOGS, otlp.request(otlp.LOGS, ids))
        backend.wait_for(ids)
        assert sorted(backend.ids()) == sorted(ids)
        assert len(backend.accepted()) >= 2

    def test_an_answer_lost_on_the_way_costs_a_repeat_and_no_item(self, through):
        _, backend, sender = through
        backend.next(accept_but_hide())
        ids = otlp.new_ids(2)
        sender.export(otlp.TRACES, otlp.request(otlp.TRACES, ids))
        until(lambda: len(backend.accepted()) == 2, lambda: f"{len(backend.accepted())} requests")
        assert backend.ids() == ids + ids

    def test_a_partial_success_is_counted(self, through):
        holdfast, backend, sender = through
        backend.next(partial(1, "one was odd"))
        ids = otlp.new_ids(4)
        sender.export(otlp.LOGS, otlp.request(otlp.LOGS, ids))
        backend.wait_for(ids)
        until(
            lambda: holdfast.books("logs", "otlphttp")["dropped"]["rejected_by_backend"]["items"] == 1,
            "not counted",
        )
        holdfast.wait_for_log("one was odd")

    def test_an_answer_that_does_not_come_is_retried(self, start, ending, grpc_sender):
        backend = ending.enter_context(HttpBackend())
        holdfast = start(config({"otlphttp": otlphttp_exporter(backend, timeout="300ms")}))
        backend.next(hang())
        ids = otlp.new_ids(1)
        grpc_sender(holdfast).export(otlp.TRACES, otlp.request(otlp.TRACES, ids))
        backend.wait_for(ids)


class TestOneBadRequestAmongGood:
    def test_only_the_culprit_is_put_aside(self, start, ending, grpc_sender):
        """A coalesced request that is refused for good is taken apart until the bad one stands alone."""
        backend = ending.enter_context(HttpBackend())
        ids = otlp.new_ids(9)
        bad = ids[4]
        backend.stop()
        batch = {"batch": {"timeout": "1s", "send_batch_size": 1000}}
        holdfast = start(config({"otlphttp": otlphttp_exporter(backend)}, batch))
        sender = grpc_sender(holdfast)
        for item in ids:
            sender.export(otlp.LOGS, otlp.request(otlp.LOGS, [item]))
        backend.judge = lambda message: status(400) if bad in otlp.ids(otlp.LOGS, message) else ok()
        backend.start()
        backend.wait_for([item for item in ids if item != bad])
        until(
            lambda: holdfast.books("logs", "otlphttp")["dead_lettered"]["items"] == 1,
            lambda: f"{holdfast.books('logs', 'otlphttp')}",
        )
        assert bad not in backend.ids()
        assert holdfast.books("logs", "otlphttp")["delivered"]["items"] == 8


def full_books(books):
    """What left the queue, what is in it, and whether that is all that came."""
    left = books["delivered"]["items"] + books["queued"]["items"] + books["dead_lettered"]["items"]
    dropped = sum(amount["items"] for amount in books["dropped"].values())
    assert books["accepted"]["items"] == left + dropped
    return {name: books[name]["items"] for name in ("delivered", "queued", "dead_lettered")} | {
        "dropped": dropped
    }


class TestServerErrors:
    """500 and INTERNAL: an outage of the backend, or one request that it cannot digest."""

    RETRY = {**FAST_RETRY, "max_elapsed_time": "2s"}

    def test_a_poison_request_is_overtaken_and_put_aside_in_time(self, start, ending, grpc_sender):
        backend = ending.enter_context(HttpBackend())
        exporter = otlphttp_exporter(backend, retry_on_failure=self.RETRY, sending_queue={"num_consumers": 1})
        holdfast = start(config({"otlphttp": exporter}))
        bad, *good = otlp.new_ids(9)
        backend.judge = lambda message: (
            status(500, body=b"null pointer") if bad in otlp.ids(otlp.LOGS, message) else ok()
        )
        sender = grpc_sender(holdfast)
        for item in [bad, *good]:
            sender.export(otlp.LOGS, otlp.request(otlp.LOGS, [item]))
        backend.wait_for(good)
        holdfast.wait_for_log("while others are delivered")
        until(lambda: send_one(backend, sender) and dead(holdfast) == 1, lambda: f"{dead(holdfast)} put aside")
        assert bad not in backend.ids()
        assert full_books(holdfast.books("logs", "otlphttp"))["queued"] == 0
        listed = holdfast.command("queue", "ls", "deadletter:otlphttp", "--data-dir", holdfast.data_directory)
        assert "null pointer" in listed.stdout

    def test_of_a_coalesced_request_only_the_poison_is_put_aside(self, start, ending, grpc_sender):
        backend = ending.enter_context(GrpcBackend())
        backend.stop()
        batch = {"batch": {"timeout": "1s", "send_batch_size": 1000}}
        exporter = otlp_exporter(backend, retry_on_failure=self.RETRY)
        holdfast = start(config({"otlp": exporter}, batch))
        sender = grpc_sender(holdfast)
        ids = otlp.new_ids(16)
        bad = ids[6]
        for item in ids:
            sender.export(otlp.LOGS, otlp.request(otlp.LOGS, [item]))
        backend.judge = lambda message: (
            refuse(Code.INTERNAL, "it broke") if bad in otlp.ids(otlp.LOGS, message) else ok()
        )
        backend.start()
        backend.wait_for([item for item in ids if item != bad])
        until(
            lambda: send_one(backend, sender) and dead(holdfast, "otlp") == 1,
            lambda: f"{dead(holdfast, 'otlp')} put aside",
            60,
        )
        assert set(ids) - set(backend.ids()) == {bad}
        until(
            lambda: full_books(holdfast.books("logs", "otlp"))["queued"] == 0,
            lambda: f"{holdfast.books('logs', 'otlp')}",
        )

    def test_an_outage_that_answers_500_empties_no_queue(self, start, ending, grpc_sender):
        backend = ending.enter_context(HttpBackend())
        retry = {**FAST_RETRY, "max_elapsed_time": "300ms"}
        holdfast = start(config({"otlphttp": otlphttp_exporter(backend, retry_on_failure=retry)}))
        backend.always = status(500)
        ids = otlp.new_ids(30)
        sender = grpc_sender(holdfast)
        for item in ids:
            sender.export(otlp.LOGS, otlp.request(otlp.LOGS, [item]))
        holdfast.wait_for_log('unhealthy.*"error":"HTTP status 500')
        backend.wait_for_requests(20)
        assert dead(holdfast) == 0
        backend.always = ok()
        backend.wait_for(ids)
        until(
            lambda: full_books(holdfast.books("logs", "otlphttp"))["delivered"] == 30,
            lambda: f"{holdfast.books('logs', 'otlphttp')}",
        )
        assert sorted(backend.ids()) == sorted(ids)


def dead(holdfast, exporter="otlphttp"):
    return holdfast.books("logs", exporter)["dead_lettered"]["items"]


def send_one(backend, sender):
    """Something that passes, so that it shows that the others are the fault."""
    item = otlp.new_ids(1)
    sender.export(otlp.LOGS, otlp.request(otlp.LOGS, item))
    backend.wait_for(item)
    return True


class TestFullDeadLetters:
    COUNT = 20

    def begin(self, start, backend, **dead_letter):
        queue = {"dead_letter": {"max_bytes": "1MiB", **dead_letter}}
        return start(config({"otlphttp": otlphttp_exporter(backend, sending_queue=queue)}))

    def refuse_all(self, holdfast, backend, sender):
        """20 items of 100 kB for dead letters of 1 MiB."""
        ids = otlp.new_ids(self.COUNT)
        backend.judge = lambda message: (
            status(400, body=b"never") if set(ids) & set(otlp.ids(otlp.LOGS, message)) else ok()
        )
        for item in ids:
            sender.export(otlp.LOGS, otlp.request(otlp.LOGS, [item], padding="x" * 100_000))
        return ids

    def test_what_finds_them_full_stays_in_the_queue_and_blocks_nobody(self, start, ending, grpc_sender):
        backend = ending.enter_context(HttpBackend())
        holdfast = self.begin(start, backend)
        sender = grpc_sender(holdfast)
        ids = self.refuse_all(holdfast, backend, sender)
        holdfast.wait_for_log("the dead letters are full")
        good = otlp.new_ids(5)
        sender.export(otlp.LOGS, otlp.request(otlp.LOGS, good))
        backend.wait_for(good)
        books = full_books(holdfast.books("logs", "otlphttp"))
        assert books["dropped"] == 0
        assert 0 < books["dead_lettered"] < self.COUNT
        kept = holdfast.books("otlphttp", "operator", "deadletter")["queued"]["items"]
        assert kept == books["dead_lettered"]
        backend.judge = lambda _message: ok()
        until(
            lambda: full_books(holdfast.books("logs", "otlphttp"))["queued"] == 0,
            lambda: f"{holdfast.books('logs', 'otlphttp')}",
            seconds=30,
        )
        # Which of them became dead letters is a matter of their order at the backend.
        arrived = set(ids) & set(backend.ids())
        assert len(arrived) == self.COUNT - full_books(holdfast.books("logs", "otlphttp"))["dead_lettered"]

    def test_room_for_them_is_used_by_itself(self, start, ending, grpc_sender):
        backend = ending.enter_context(HttpBackend())
        holdfast = self.begin(start, backend)
        self.refuse_all(holdfast, backend, grpc_sender(holdfast))
        holdfast.wait_for_log("the dead letters are full")

        def drop_until_all_are_dead():
            holdfast.command(
                "queue", "drop", "deadletter:otlphttp", "--data-dir", holdfast.data_directory
            )
            return dead(holdfast) == self.COUNT

        until(drop_until_all_are_dead, lambda: f"{holdfast.books('logs', 'otlphttp')}")
        assert full_books(holdfast.books("logs", "otlphttp"))["dropped"] == 0

    def test_the_oldest_go_only_when_that_is_written(self, start, ending, grpc_sender):
        backend = ending.enter_context(HttpBackend())
        holdfast = self.begin(start, backend, on_full="drop_oldest")
        self.refuse_all(holdfast, backend, grpc_sender(holdfast))
        until(lambda: dead(holdfast) == self.COUNT, lambda: f"{holdfast.books('logs', 'otlphttp')}")
        assert full_books(holdfast.books("logs", "otlphttp"))["queued"] == 0
        kept = holdfast.books("otlphttp", "operator", "deadletter")["queued"]["items"]
        assert 0 < kept < self.COUNT


class TestCompression:
    @pytest.mark.parametrize("coding", ["none", "gzip", "zstd", "snappy", "deflate"])
    def test_otlphttp_codes_as_configured(self, start, ending, grpc_sender, coding):
        backend = ending.enter_context(HttpBackend())
        holdfast = start(config({"otlphttp": otlphttp_exporter(backend, compression=coding)}))
        ids = otlp.new_ids(100)
        grpc_sender(holdfast).export(otlp.TRACES, otlp.request(otlp.TRACES, ids))
        backend.wait_for(ids)
        assert backend.requests[0].metadata.get("content-encoding", "none") == coding

    def test_gzip_is_the_default(self, start, ending, grpc_sender):
        backend = ending.enter_context(HttpBackend())
        holdfast = start(config({"otlphttp": {"endpoint": backend.endpoint}}))
        ids = otlp.new_ids(10)
        grpc_sender(holdfast).export(otlp.TRACES, otlp.request(otlp.TRACES, ids))
        backend.wait_for(ids)
        assert backend.requests[0].metadata["content-encoding"] == "gzip"

    def test_otlp_gzip_is_read_by_grpcio(self, start, grpc_backend, grpc_sender):
        holdfast = start(config({"otlp": otlp_exporter(grpc_backend, compression="gzip")}))
        ids = otlp.new_ids(100)
        grpc_sender(holdfast).export(otlp.TRACES, otlp.request(otlp.TRACES, ids))
        grpc_backend.wait_for(ids)

    @pytest.mark.parametrize("coding", ["gzip", "zstd", "snappy", "none"])
    def test_two_in_a_chain_understand_each_other(self, start, ending, grpc_sender, coding):
        """Codings that grpcio does not speak are proved from one Holdfast to the next."""
        backend = ending.enter_context(GrpcBackend())
        last = start(config({"otlp": otlp_exporter(backend)}))
        first = start(
            config({"otlp": {"endpoint": last.grpc_target, "tls": {"insecure": True}, "compression": coding}})
        )
        ids = otlp.new_ids(300)
        sender = grpc_sender(first)
        for signal in otlp.SIGNALS:
            sender.export(signal, otlp.request(signal, ids))
        until(lambda: len(backend.ids()) == 900, lambda: f"{len(backend.ids())} of 900")

    @pytest.mark.parametrize("coding", ["gzip", "zstd"])
    def test_a_body_that_came_compressed_is_kept_and_sent_compressed(self, start, ending, coding):
        backend = ending.enter_context(HttpBackend())
        holdfast = start(config({"otlphttp": otlphttp_exporter(backend, compression=coding)}))
        ids = otlp.new_ids(50)
        answer = senders.post(holdfast.http_base, otlp.TRACES, otlp.request(otlp.TRACES, ids), coding)
        assert answer.status_code == 200
        backend.wait_for(ids)
        assert backend.requests[0].metadata["content-encoding"] == coding

    def test_compression_at_rest_changes_nothing_for_the_backend(self, start, ending, grpc_sender):
        backend = ending.enter_context(HttpBackend())
        backend.stop()
        holdfast = start(
            config({"otlphttp": otlphttp_exporter(backend, sending_queue={"compression": "zstd"})})
        )
        sender = grpc_sender(holdfast)
        ids = otlp.new_ids(200)
        body = otlp.request(otlp.LOGS, ids, padding="y" * 5000).SerializeToString()
        sender.export(otlp.LOGS, body)
        used = sum(
            path.stat().st_blocks * 512 for path in (holdfast.data_directory / "queue" / "logs").glob("*.seg")
        )
        assert used < len(body) // 2
        backend.start()
        backend.wait_for(ids)
        assert backend.requests[-1].body == body


class TestOtlpHttpForms:
    def test_json_can_be_sent(self, start, ending, grpc_sender):
        backend = ending.enter_context(HttpBackend())
        holdfast = start(config({"otlphttp": otlphttp_exporter(backend, encoding="json")}))
        for signal in otlp.SIGNALS:
            ids = otlp.new_ids(3)
            grpc_sender(holdfast).export(signal, otlp.request(signal, ids))
            backend.wait_for(ids)
        assert all(one.metadata["content-type"].startswith("application/json") for one in backend.requests)

    def test_headers_and_own_endpoints_are_used(self, start, ending, grpc_sender):
        one, other = ending.enter_context(HttpBackend()), ending.enter_context(HttpBackend())
        holdfast = start(
            config(
                {
                    "otlphttp": otlphttp_exporter(
                        one, headers={"X-Tenant": "blue"}, logs_endpoint=other.endpoint + "/v1/logs"
                    )
                }
            )
        )
        sender = grpc_sender(holdfast)
        spans, records = otlp.new_ids(2), otlp.new_ids(2)
        sender.export(otlp.TRACES, otlp.request(otlp.TRACES, spans))
        sender.export(otlp.LOGS, otlp.request(otlp.LOGS, records))
        one.wait_for(spans)
        other.wait_for(records)
        assert one.requests[0].metadata["x-tenant"] == "blue"
        assert one.requests[0].metadata["user-agent"].lower().startswith("holdfast")

    def test_otlp_headers_are_sent_as_metadata(self, start, grpc_backend, grpc_sender):
        holdfast = start(config({"otlp": otlp_exporter(grpc_backend, headers={"X-Tenant": "blue"})}))
        ids = otlp.new_ids(1)
        grpc_sender(holdfast).export(otlp.LOGS, otlp.request(otlp.LOGS, ids))
        grpc_backend.wait_for(ids)
        assert grpc_backend.requests[0].metadata["x-tenant"] == "blue"

    def test_the_user_agent_can_be_set(self, start, grpc_backend, grpc_sender):
        holdfast = start(config({"otlp": otlp_exporter(grpc_backend, user_agent="fleet/7")}))
        ids = otlp.new_ids(1)
        grpc_sender(holdfast).export(otlp.LOGS, otlp.request(otlp.LOGS, ids))
        grpc_backend.wait_for(ids)
        assert grpc_backend.requests[0].metadata["user-agent"] == "fleet/7"


class TestFile:
    @staticmethod
    def lines(path):
        """The lines that are complete; the last may be on its way."""
        return path.read_text().split("\n")[:-1] if path.exists() else []

    def test_otlp_json_lines_are_written(self, start, grpc_sender, tmp_path):
        path = tmp_path / "out.json"
        holdfast = start(config({"file": {"path": str(path)}}))
        sender = grpc_sender(holdfast)
        for signal in otlp.SIGNALS:
            ids = otlp.new_ids(5)
            sender.export(signal, otlp.request(signal, ids))

            def found():
                key = {"traces": "resourceSpans", "metrics": "resourceMetrics", "logs": "resourceLogs"}[
                    signal.name
                ]
                return [
                    item
                    for line in self.lines(path)
                    if key in line
                    for item in otlp.ids(signal, otlp_json(signal, line))
                ]

            until(lambda: found() == ids, lambda: f"{found()} is not {ids}")

    def test_proto_is_written_with_length_prefixes(self, start, grpc_sender, tmp_path):
        path = tmp_path / "out.pb"
        holdfast = start(config({"file": {"path": str(path), "format": "proto"}}))
        ids = otlp.new_ids(5)
        body = otlp.request(otlp.LOGS, ids).SerializeToString()
        grpc_sender(holdfast).export(otlp.LOGS, body)
        expected = len(body).to_bytes(4, "big") + body
        until(
            lambda: path.exists() and path.read_bytes() == expected,
            lambda: f"{path.exists() and path.read_bytes()[:80]}",
        )

    def test_what_was_acknowledged_is_in_the_file_after_a_kill(self, start, grpc_sender, tmp_path):
        path = tmp_path / "out.json"
        holdfast = start(config({"file": {"path": str(path), "append": True}}))
        ids = otlp.new_ids(40)
        sender = grpc_sender(holdfast)
        for item in ids:
            sender.export(otlp.LOGS, otlp.request(otlp.LOGS, [item]))
        holdfast.kill9()
        holdfast.start()

        def found():
            return {
                item for line in self.lines(path) for item in otlp.ids(otlp.LOGS, otlp_json(otlp.LOGS, line))
            }

        until(lambda: found() == set(ids), lambda: f"{len(found())} of {len(ids)}")

    def test_rotation_keeps_every_line(self, start, grpc_sender, tmp_path):
        path = tmp_path / "out.json"
        holdfast = start(
            config({"file": {"path": str(path), "rotation": {"max_megabytes": 1, "max_backups": 10}}})
        )
        ids = otlp.new_ids(30)
        sender = grpc_sender(holdfast)
        for item in ids:
            sender.export(otlp.LOGS, otlp.request(otlp.LOGS, [item], padding="z" * 100_000))

        def found():
            return sorted(
                item
                for one in tmp_path.glob("out*")
                for line in self.lines(one)
                for item in otlp.ids(otlp.LOGS, otlp_json(otlp.LOGS, line))
            )

        until(lambda: found() == sorted(ids), lambda: f"{len(found())} of {len(ids)}")
        assert len(list(tmp_path.glob("out*"))) >= 3


    @staticmethod
    def by_service(services):
        """One request with a resource for each service; {service: ids}."""
        ids = {service: otlp.new_ids(2) for service in services}
        request = otlp.LOGS.request()
        for service in services:
            request.MergeFrom(otlp.request(otlp.LOGS, ids[service], resource={"service.name": service}))
        return ids, request

    def grouped(self, path, open_max=100, **more):
        group_by = {"enabled": True, "resource_attribute": "service.name", "max_open_files": open_max}
        return config({"file": {"path": str(path), "group_by": group_by, **more}})

    def ids_in(self, path):
        return [item for line in self.lines(path) for item in otlp.ids(otlp.LOGS, otlp_json(otlp.LOGS, line))]

    def test_group_by_writes_a_file_for_each_service(self, start, grpc_sender, tmp_path):
        directory = tmp_path / "made" / "here"
        holdfast = start(self.grouped(directory / "*.json", open_max=2))
        ids, request = self.by_service(["a", "b", "team/c", "d"])
        sender = grpc_sender(holdfast)
        sender.export(otlp.LOGS, request)
        for service in ids:
            until(lambda: self.ids_in(directory / f"{service}.json") == ids[service], f"{service} is not there")
        holdfast.kill9()
        holdfast.start()
        again, request = self.by_service(["a", "team/c"])
        grpc_sender(holdfast).export(otlp.LOGS, request)
        for service in again:
            # What was not yet acknowledged when it was killed may be there twice.
            until(
                lambda: set(self.ids_in(directory / f"{service}.json")) == {*ids[service], *again[service]},
                f"{service} is not appended to",
            )

    def test_group_by_rotates_each_file(self, start, grpc_sender, tmp_path):
        rotation = {"max_megabytes": 1, "max_backups": 10}
        holdfast = start(self.grouped(tmp_path / "*.json", rotation=rotation))
        sender, sent = grpc_sender(holdfast), []
        for _ in range(5):
            ids = otlp.new_ids(2)
            resource = {"service.name": "full"}
            sender.export(otlp.LOGS, otlp.request(otlp.LOGS, ids, padding="x" * 300_000, resource=resource))
            sent += ids
            # One by one: what waits together is written together, to one file.
            until(lambda: set(ids) <= set(self.ids_in(tmp_path / "full.json")), "the last request is not there")
        ids, request = self.by_service(["small"])
        sender.export(otlp.LOGS, request)
        until(lambda: holdfast.books("logs", "file")["delivered"]["items"] == 12, "not all is delivered")
        aside = [one for one in tmp_path.glob("full-*.json") if re.fullmatch(r"full-[-0-9T]{19}\.\d{3}-size\.json", one.name)]
        assert len(aside) == 4
        assert sorted(item for one in (*aside, tmp_path / "full.json") for item in self.ids_in(one)) == sorted(sent)
        assert self.ids_in(tmp_path / "small.json") == ids["small"]
        assert not list(tmp_path.glob("small-*"))

    def test_group_by_never_leaves_its_directory(self, start, grpc_sender, tmp_path):
        directory = tmp_path / "in"
        holdfast = start(self.grouped(directory / "*", format="proto"))
        names = {"../../out": "out", "/etc/x": "etc/x", "a/../../b": "b", "c\nd": "c_d"}
        ids, request = self.by_service([*names, "..", "x" * 300])
        grpc_sender(holdfast).export(otlp.LOGS, request)
        for service, name in names.items():
            path = directory / name
            until(lambda: path.exists() and path.stat().st_size > 4, f"{service} is not in {path}")
            message = otlp.LOGS.request.FromString(path.read_bytes()[4:])
            assert otlp.ids(otlp.LOGS, message) == ids[service]
        until(lambda: holdfast.books("logs", "file")["delivered"]["items"] == 8, "not all is delivered")
        # ".." and a name of 300 letters: no file can be called so.
        assert holdfast.books("logs", "file")["dropped"]["rejected_by_backend"]["items"] == 4
        assert sorted(str(one.relative_to(directory)) for one in directory.rglob("*") if one.is_file()) == sorted(
            names.values()
        )


class TestDebug:
    def test_detailed_prints_every_part(self, start, grpc_sender):
        holdfast = start(config({"debug": {"verbosity": "detailed", "sampling_initial": 100}}))
        sender = grpc_sender(holdfast)
        for signal in otlp.SIGNALS:
            sender.export(signal, otlp.request(signal, [4711]))
        for words in (
            r"Traces \W.*\Wspans\W+1\b",
            "ResourceSpans #0",
            "Span #0",
            "Name *: test span",
            "test.id: Int\\(4711\\)",
            "ResourceMetrics #0",
            "NumberDataPoints #0",
            "ResourceLog #0",
            "LogRecord #0",
            "Body: Str\\(test record\\)",
        ):
            holdfast.wait_for_log(words)

    def test_logging_is_the_same_under_its_old_name(self, start, grpc_sender):
        holdfast = start(config({"logging": {"loglevel": "info"}}))
        grpc_sender(holdfast).export(otlp.TRACES, otlp.request(otlp.TRACES, otlp.new_ids(3)))
        holdfast.wait_for_log(r"TracesExporter\b.*\Wspans\W+3\b")


class TestGiveUp:
    """A limit that the user wrote, and what it means."""

    @pytest.mark.parametrize("choice", ["keep", "dead_letter", "drop"])
    def test_after_max_elapsed_time(self, start, ending, grpc_sender, choice):
        backend = ending.enter_context(GrpcBackend())
        backend.always = refuse(Code.UNAVAILABLE)
        retry = {**FAST_RETRY, "max_elapsed_time": "300ms", "on_give_up": choice}
        holdfast = start(config({"otlp": otlp_exporter(backend, retry_on_failure=retry)}))
        ids = otlp.new_ids(2)
        grpc_sender(holdfast).export(otlp.LOGS, otlp.request(otlp.LOGS, ids))

        def books():
            return holdfast.books("logs", "otlp")

        if choice == "dead_letter":
            until(lambda: books()["dead_lettered"]["items"] == 2, lambda: f"{books()}")
        elif choice == "drop":
            until(lambda: books()["dropped"]["gave_up"]["items"] == 2, lambda: f"{books()}")
        else:
            first = until(lambda: backend.requests and backend.requests[0].when, "no attempt")
            until(lambda: backend.requests[-1].when - first > 1, "no more attempts after max_elapsed_time")
            assert books()["queued"]["items"] == 2
            backend.always = ok()
            backend.wait_for(ids)

    def test_what_is_older_than_max_age_is_dropped_and_counted(self, start, ending, grpc_sender):
        backend = ending.enter_context(GrpcBackend())
        backend.always = refuse(Code.UNAVAILABLE)
        holdfast = start(config({"otlp": otlp_exporter(backend)}))
        grpc_sender(holdfast).export(otlp.LOGS, otlp.request(otlp.LOGS, otlp.new_ids(4)))
        holdfast.write_config(config({"otlp": otlp_exporter(backend, sending_queue={"max_age": "1ms"})}))
        holdfast.restart()
        until(
            lambda: holdfast.books("logs", "otlp")["dropped"]["gave_up"]["items"] == 4,
            lambda: holdfast.books("logs", "otlp"),
        )
        holdfast.wait_for_log('older than max_age.*"dropped_items":4')
        holdfast.write_config(config({"otlp": otlp_exporter(backend, sending_queue={"max_age": "1h"})}))
        holdfast.restart()
        backend.always = ok()
        ids = otlp.new_ids(3)
        grpc_sender(holdfast).export(otlp.LOGS, otlp.request(otlp.LOGS, ids))
        backend.wait_for(ids)


class Crowded(GrpcBackend):
    """Keeps each request that it takes for a while, and remembers how many it then had at once."""

    def __init__(self):
        super().__init__()
        self._count = threading.Lock()
        self._present = 0
        self.crowds = []

    def judge(self, message):
        answer = super().judge(message)
        if answer.kind == "ok":
            with self._count:
                self._present += 1
                self.crowds.append(self._present)
            time.sleep(0.05)
            with self._count:
                self._present -= 1
        return answer


class TestPace:
    """A backend that comes back is not flooded."""

    def test_the_rate_limit_holds_the_backlog_back(self, start, ending, grpc_sender):
        backend = ending.enter_context(GrpcBackend())
        one_by_one = {"batch": {"flush_timeout": "1ms", "min_size": 1, "max_size": 1}}
        limited = {"otlp": otlp_exporter(backend, sending_queue={**one_by_one, "rate_limit": 1})}
        holdfast = start(config(limited))
        sender = grpc_sender(holdfast)
        ids = otlp.new_ids(10)
        for item in ids:
            sender.export(otlp.LOGS, otlp.request(otlp.LOGS, [item]))
        until(backend.ids, "nothing came")
        # Each has more bytes than any wait of this test has seconds.
        until(lambda: holdfast.books("logs", "otlp")["queued"]["items"] == 9, "the first is not delivered")
        assert len(backend.ids()) == 1
        holdfast.write_config(config({"otlp": otlp_exporter(backend, sending_queue=one_by_one)}))
        holdfast.reload()
        backend.wait_for(ids)

    @pytest.mark.parametrize(
        "word",
        [refuse(Code.RESOURCE_EXHAUSTED), refuse(Code.UNAVAILABLE, retry_delay=0.01)],
        ids=["resource_exhausted", "retry_info"],
    )
    def test_a_backend_that_asks_for_less_is_sent_fewer_at_once(self, start, ending, grpc_sender, word):
        backend = ending.enter_context(Crowded())
        backend.next(*[word] * 20)
        queue = {"num_consumers": 8, "batch": {"flush_timeout": "1ms", "min_size": 1, "max_size": 1}}
        holdfast = start(config({"otlp": otlp_exporter(backend, sending_queue=queue)}))
        ids = otlp.new_ids(30)
        sender = grpc_sender(holdfast)
        for item in ids:
            sender.export(otlp.LOGS, otlp.request(otlp.LOGS, [item]))
        backend.wait_for(ids)
        # One at first, then one more for each windowful: 1, 2 2, 3 3 3, 4 4 4 4.
        allowed = [size for size in range(1, 9) for _ in range(size)]
        assert all(crowd <= most for crowd, most in zip(backend.crowds, allowed)), backend.crowds
