"""Senders that take all the memory for themselves: slow, stalled, with large metadata, deaf to answers."""

import http.client
import select
import socket
import struct

import h2.settings
import psutil
import pytest

from support import h2grpc, otlp
from support.h2grpc import RawGrpc
from support.holdfast import BINARY, config
from support.waiting import until

MIB = 1 << 20
# Their allocators keep what is freed.
SANITIZED = any(name in BINARY.read_bytes() for name in (b"__asan_init", b"__tsan_init"))
EXHAUSTED, UNAVAILABLE = 8, 14
# The limiter leaves each transport 8 MiB for what is unfinished: the tests need no more than that. It
# measures at the start only, so that it is not what refuses.
LIMITER = {"memory_limiter": {"check_interval": "1h", "limit_mib": 64, "spike_limit_mib": 1}}


@pytest.fixture
def begin(start):
    """begin(grpc, http, processors) -> a running Holdfast with these settings of its receiver."""

    def begin(grpc=None, http=None, processors=LIMITER):
        protocols = {"grpc": grpc or {}, "http": http or {}}
        return start(config({"nop": {}}, processors, receivers={"otlp": {"protocols": protocols}}))

    return begin


@pytest.fixture
def raw(ending):
    return lambda holdfast, kind=RawGrpc: ending.enter_context(kind(holdfast.ports["GRPC_PORT"]))


def request(size=0):
    """A logs request of about that size."""
    return otlp.request(otlp.LOGS, otlp.new_ids(1), padding="p" * size).SerializeToString()


def open_message(connection, size, sent):
    """A message of `size` bytes of which `sent` come."""
    stream = connection.open(connection.headers(otlp.LOGS.method_path))
    connection.send(stream, struct.pack(">BI", 0, size) + bytes(sent), end=False)
    return stream


def post(holdfast, body, timeout=10):
    connection = http.client.HTTPConnection("127.0.0.1", holdfast.ports["HTTP_PORT"], timeout=timeout)
    connection.request("POST", "/v1/logs", body, {"Content-Type": "application/x-protobuf"})
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status


def begin_post(holdfast, ending, length, sent):
    one = ending.enter_context(socket.create_connection(("127.0.0.1", holdfast.ports["HTTP_PORT"]), timeout=20))
    one.sendall(
        b"POST /v1/logs HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-protobuf\r\n"
        b"Content-Length: %d\r\n\r\n" % length + bytes(sent)
    )
    return one


class TestMemoryOfMessages:
    def test_the_stalled_grpc_message_goes_first_with_a_retryable_refusal(self, begin, raw):
        holdfast = begin()
        hog = raw(holdfast)
        streams = [open_message(hog, 3 * MIB, 2 * MIB + 300_000) for _ in range(2)]
        # Nobody else is needed for that: room is made before somebody asks for it.
        until(lambda: hog.pump() and any(hog.replies[one].ended for one in streams), "one is ended")
        ended = next(hog.replies[one] for one in streams if hog.replies[one].ended)
        assert (ended.code, ended.retry_delay) == (UNAVAILABLE, 1), ended.text
        assert raw(holdfast).call(otlp.LOGS.method_path, request()).code == 0
        assert raw(holdfast).call(otlp.LOGS.method_path, request(2 * MIB)).code == 0

    def test_small_grpc_messages_pass_while_large_ones_fill_the_memory(self, begin, raw):
        holdfast = begin()
        hog, other = raw(holdfast), raw(holdfast)
        for _ in range(4):
            open_message(hog, 3 * MIB, 2 * MIB)
            assert other.call(otlp.LOGS.method_path, request()).code == 0

    def test_promised_bytes_of_http_bodies_take_nothing(self, begin, ending):
        holdfast = begin()
        for _ in range(8):
            begin_post(holdfast, ending, 6_000_000, 1000)
        assert post(holdfast, request(3 * MIB)) == 200
        assert post(holdfast, request()) == 200

    def test_the_stalled_http_body_goes_first_with_a_retryable_answer(self, begin, ending):
        holdfast = begin()
        hogs = [begin_post(holdfast, ending, 4 * MIB, 2 * MIB + 200_000) for _ in range(2)]
        assert post(holdfast, request()) == 200
        assert post(holdfast, request(2 * MIB)) == 200  # it may have waited
        answered, _, _ = select.select(hogs, [], [], 10)
        answer = answered[0].recv(4096)
        assert answer.startswith(b"HTTP/1.1 503 ") and b"Retry-After: 1\r\n" in answer

    def test_messages_larger_than_the_memory_allows_are_refused(self, begin, raw):
        holdfast = begin({"max_recv_msg_size_mib": 64})
        assert raw(holdfast).call(otlp.LOGS.method_path, request(7 * MIB)).code == EXHAUSTED
        assert post(holdfast, request(7 * MIB)) == 413
        assert "max_recv_msg_size_mib: 64 MiB are more than the memory allows" in holdfast.log()

    def test_a_message_has_its_time_and_its_rate(self, begin, raw, ending):
        holdfast = begin({"read_timeout": "1s"}, {"read_timeout": "1s"})
        slow = raw(holdfast)
        stream = open_message(slow, 1000, 10)
        one = begin_post(holdfast, ending, 1000, 10)
        reply = slow.wait(stream)
        assert (reply.code, reply.text) == (4, "the message came too slowly")
        assert one.recv(4096).startswith(b"HTTP/1.1 503 ")


class Deaf(RawGrpc):
    """Its stream windows are closed: no answer's message can be sent to it."""

    def __init__(self, port):
        super().__init__(port)
        self.h2.update_settings({h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: 0})
        self.flush()


def keeping(begin):
    """One that keeps the client's header x-tenant, for a processor that reads it."""
    action = {"key": "tenant", "from_context": "x-tenant", "action": "insert"}
    return begin({"include_metadata": True}, processors={**LIMITER, "attributes": {"actions": [action]}})


class TestMemoryOfMetadata:
    LARGE = [("x-tenant", "t" * 3500)] * 4

    def open_many(self, connection, count, headers):
        opened = []
        for _ in range(count):
            opened.append(connection.open(connection.headers(otlp.LOGS.method_path, extra=headers)))
        return opened

    def test_the_default_number_of_streams_is_between_100_and_1000(self, begin, raw):
        connection = raw(begin())
        until(lambda: connection.pump() and connection.h2.remote_settings.max_concurrent_streams < 2**31, "settings")
        assert 100 <= connection.h2.remote_settings.max_concurrent_streams <= 1000

    def test_headers_that_nobody_reads_are_not_kept(self, begin, raw):
        holdfast = begin()
        process = psutil.Process(holdfast.process.pid)
        before = process.memory_info().rss
        for _ in range(3):
            connection = raw(holdfast)
            self.open_many(connection, 900, self.LARGE)
            assert connection.call(otlp.LOGS.method_path, request()).code == 0
        assert process.memory_info().rss - before < 16 * MIB or SANITIZED

    def test_what_a_connection_keeps_is_bounded_and_the_refusal_retryable(self, begin, raw):
        holdfast = keeping(begin)
        process = psutil.Process(holdfast.process.pid)
        before = process.memory_info().rss
        hog = raw(holdfast)
        opened = self.open_many(hog, 500, self.LARGE)
        last = hog.wait(opened[-1])
        assert (last.code, last.retry_delay) == (UNAVAILABLE, 1), last.text
        assert process.memory_info().rss - before < 16 * MIB or SANITIZED
        assert raw(holdfast).call(otlp.LOGS.method_path, request()).code == 0
        # With the connection goes what it held.
        hog.close()
        assert raw(holdfast).call(otlp.LOGS.method_path, request(), extra=self.LARGE).code == 0

    def test_an_answered_call_keeps_no_metadata(self, begin, raw):
        holdfast = keeping(begin)
        process = psutil.Process(holdfast.process.pid)
        deaf = raw(holdfast, Deaf)
        before = 0
        for i in range(400):
            stream = deaf.open(deaf.headers(otlp.LOGS.method_path, extra=self.LARGE))
            deaf.send(stream, h2grpc.frame(request()))
            # The headers of the answer come, its message cannot.
            while not deaf.replies[stream].headers:
                assert deaf.pump()
            assert deaf.replies[stream].headers.get("grpc-status") is None
            if i == 20:
                before = process.memory_info().rss
        assert process.memory_info().rss - before < 4 * MIB or SANITIZED

    def test_answers_that_are_not_taken_are_given_up(self, begin, raw):
        holdfast = begin()
        deaf = raw(holdfast, Deaf)
        deaf.socket.settimeout(60)
        stream = deaf.open(deaf.headers(otlp.LOGS.method_path))
        deaf.send(stream, h2grpc.frame(request()))
        assert deaf.wait(stream).reset == 8  # CANCEL
        assert deaf.call(otlp.LOGS.method_path, b"no request").code == 3

    def test_resident_memory_comes_back_after_close(self, begin, raw, ending):
        holdfast = begin(processors={})
        process = psutil.Process(holdfast.process.pid)
        before = process.memory_info().rss
        hogs = [raw(holdfast) for _ in range(2)]
        for hog in hogs:
            for _ in range(16):
                open_message(hog, 3 * MIB, 3 * MIB - 10)
        until(lambda: process.memory_info().rss - before > 64 * MIB, "the memory is held")
        for hog in hogs:
            hog.close()
        until(lambda: SANITIZED or process.memory_info().rss - before < 24 * MIB, "the memory comes back")
