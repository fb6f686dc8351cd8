"""OTLP/gRPC in: codings, bytes that pass through, and every way to be wrong. The peers are grpcio and h2."""

import queue
import re
import socket
import struct
import subprocess

import grpc
import psutil
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool

from support import h2grpc, otlp
from support.backends import GrpcBackend
from support.h2grpc import RawGrpc
from support.holdfast import BASE, Holdfast, config, otlp_exporter
from support.waiting import until


@pytest.fixture(scope="module")
def through(tmp_path_factory):
    with GrpcBackend() as backend:
        holdfast = Holdfast(tmp_path_factory.mktemp("grpc"), config({"otlp": otlp_exporter(backend)})).start()
        yield holdfast, backend
        holdfast.close()


@pytest.fixture
def raw(through, ending):
    return ending.enter_context(RawGrpc(through[0].ports["GRPC_PORT"]))


def body_of(signal, count=3, **options):
    ids = otlp.new_ids(count)
    return ids, otlp.request(signal, ids, **options).SerializeToString()


SOCKET_MODES = [
    ("022", {}, 0o755),
    ("077", {}, 0o700),
    ("022", {"mode": "0660"}, 0o660),
    ("077", {"mode": "666"}, 0o666),
]

def fields_of(message):
    """(number, value) of a protobuf message: integers and bytes."""
    at = 0

    def varint():
        nonlocal at
        value, shift = 0, 0
        while True:
            byte = message[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while at < len(message):
        tag = varint()
        value = varint()
        if tag & 7 == 2:
            at += value
            value = message[at - value : at]
        yield tag >> 3, value


def descriptor_in(answer):
    """The one file of a ServerReflectionResponse."""
    return dict(fields_of(dict(fields_of(answer))[4]))[1]


class TestCodings:
    @pytest.mark.parametrize("coding", sorted(h2grpc.ENCODE))
    @pytest.mark.parametrize("signal", otlp.SIGNALS, ids=lambda one: one.name)
    def test_a_coded_request_arrives(self, through, raw, signal, coding):
        ids, body = body_of(signal)
        reply = raw.call(signal.method_path, body, coding)
        assert (reply.http_status, reply.code) == (200, 0), reply.text
        through[1].wait_for(ids)

    def test_the_success_message_parses(self, raw):
        _, body = body_of(otlp.TRACES)
        reply = raw.call(otlp.TRACES.method_path, body)
        answer = otlp.TRACES.response.FromString(reply.message)
        assert answer.partial_success.rejected_spans == 0

    def test_an_unknown_coding_is_unimplemented(self, through, raw):
        _, body = body_of(otlp.TRACES)
        stream = raw.open(raw.headers(otlp.TRACES.method_path, "br"))
        raw.send(stream, h2grpc.frame(body, True))
        reply = raw.wait(stream)
        assert reply.code == grpc.StatusCode.UNIMPLEMENTED.value[0]
        assert "br" in reply.text
        assert "gzip" in reply.headers.get("grpc-accept-encoding", "")

    def test_a_compressed_flag_without_a_coding_is_an_error(self, raw):
        _, body = body_of(otlp.TRACES)
        reply = raw.call(otlp.TRACES.method_path, body, compressed=True)
        assert reply.code in (grpc.StatusCode.INTERNAL.value[0], grpc.StatusCode.INVALID_ARGUMENT.value[0])

    @pytest.mark.parametrize("coding", ["gzip", "zstd", "snappy", "deflate"])
    def test_damaged_coding_is_refused(self, raw, coding):
        stream = raw.open(raw.headers(otlp.TRACES.method_path, coding))
        raw.send(stream, h2grpc.frame(b"\x00\x01 this is not compressed at all", True))
        assert raw.wait(stream).code in (3, 13)

    @pytest.mark.parametrize("coding", ["gzip", "zstd", "deflate"])
    def test_a_decompression_bomb_is_refused(self, through, raw, coding):
        bomb = h2grpc.ENCODE[coding](b"\x0a\x00" * (64 << 20))
        stream = raw.open(raw.headers(otlp.TRACES.method_path, coding))
        raw.send(stream, h2grpc.frame(bomb, True))
        assert raw.wait(stream).code == grpc.StatusCode.RESOURCE_EXHAUSTED.value[0]


class TestBytesInBytesOut:
    def test_unknown_fields_pass_at_every_depth(self, through, raw):
        """Fields of a later OTLP version are kept, in place, byte for byte."""
        unknown = b"\xc2\x3e\x05hello" + b"\xc8\x3e\x2a"  # field 1000: bytes; field 1001: varint
        ids = otlp.new_ids(1)
        message = otlp.request(otlp.TRACES, ids)
        span = message.resource_spans[0].scope_spans[0].spans[0].SerializeToString() + unknown
        scope = b"\x12" + otlp.varint(len(span)) + span + unknown
        resource = b"\x12" + otlp.varint(len(scope)) + scope + unknown
        body = b"\x0a" + otlp.varint(len(resource)) + resource + unknown
        assert raw.call(otlp.TRACES.method_path, body).code == 0
        through[1].wait_for(ids)
        received = next(one for one in through[1].requests if ids[0] in one.ids)
        assert received.body == body

    @pytest.mark.parametrize("signal", otlp.SIGNALS, ids=lambda one: one.name)
    def test_a_request_comes_out_as_it_went_in(self, through, raw, signal):
        ids, body = body_of(signal, count=20, padding="ä" * 100)
        assert raw.call(signal.method_path, body).code == 0
        through[1].wait_for(ids)
        received = next(one for one in through[1].requests if ids[0] in one.ids)
        assert received.body == body

    def test_an_empty_request_is_a_success_and_goes_nowhere(self, through, raw):
        before = len(through[1].requests)
        assert raw.call(otlp.TRACES.method_path, b"").code == 0
        ids, body = body_of(otlp.TRACES)
        assert raw.call(otlp.TRACES.method_path, body).code == 0
        through[1].wait_for(ids)
        assert len(through[1].requests) == before + 1


class TestBadRequests:
    @pytest.mark.parametrize(
        "body",
        [
            b"\x0a\x05abc",  # a length beyond the end
            b"\x0a",  # a tag alone
            b"\x08\x01",  # field 1 as a number
            b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",  # a length of eleven bytes
            b"\x0a\x04\x12\x02\x12\x05",  # truncated three levels down
            b"\x07" * 8,  # field 0, wire type 7
        ],
        ids=["length", "tag", "wire-type", "varint", "nested", "reserved"],
    )
    def test_malformed_protobuf_is_an_invalid_argument(self, through, raw, body):
        before = through[0].metric("otelcol_receiver_accepted_spans") or 0
        reply = raw.call(otlp.TRACES.method_path, body)
        assert reply.code == grpc.StatusCode.INVALID_ARGUMENT.value[0], reply.text
        assert (through[0].metric("otelcol_receiver_accepted_spans") or 0) == before

    def test_a_nesting_bomb_is_an_invalid_argument(self, raw):
        value = b""
        for _ in range(5000):  # AnyValue.array_value.values[0]..., each within the other
            inner = b"\x0a" + otlp.varint(len(value)) + value
            value = b"\x2a" + otlp.varint(len(inner)) + inner
        entry = b"\x0a\x01k\x12" + otlp.varint(len(value)) + value
        resource = b"\x0a" + otlp.varint(len(entry)) + entry
        group = b"\x0a" + otlp.varint(len(resource)) + resource
        reply = raw.call(otlp.TRACES.method_path, b"\x0a" + otlp.varint(len(group)) + group)
        assert reply.code == grpc.StatusCode.INVALID_ARGUMENT.value[0]

    def test_over_the_size_limit_is_resource_exhausted_without_retry_info(self, through, raw):
        reply = raw.call(otlp.TRACES.method_path, b"\x0a" * (5 << 20))
        assert reply.code == grpc.StatusCode.RESOURCE_EXHAUSTED.value[0]
        assert reply.retry_delay is None

    def test_a_prefix_that_promises_too_much_is_refused_before_the_body(self, raw):
        stream = raw.open(raw.headers(otlp.TRACES.method_path))
        raw.send(stream, struct.pack(">BI", 0, 0xFFFFFFFF) + b"x" * 100, end=False)
        assert raw.wait(stream).code == grpc.StatusCode.RESOURCE_EXHAUSTED.value[0]

    def test_a_prefix_that_promises_more_than_comes_is_refused(self, raw):
        stream = raw.open(raw.headers(otlp.TRACES.method_path))
        raw.send(stream, struct.pack(">BI", 0, 100) + b"x" * 10)
        assert raw.wait(stream).code in (3, 13)

    def test_no_message_at_all_is_refused(self, raw):
        stream = raw.open(raw.headers(otlp.TRACES.method_path), end=True)
        assert raw.wait(stream).code in (3, 12, 13)

    def test_two_messages_are_refused(self, raw):
        _, body = body_of(otlp.TRACES)
        stream = raw.open(raw.headers(otlp.TRACES.method_path))
        raw.send(stream, h2grpc.frame(body) * 2)
        assert raw.wait(stream).code in (3, 12, 13)

    @pytest.mark.parametrize(
        "path, words",
        [
            ("/no.such.Service/Export", "unknown service no.such.Service"),
            ("/" + otlp.TRACES.service + "/Import", "unknown method Import"),
            ("/", ""),
            ("/nothing", ""),
        ],
    )
    def test_unknown_services_and_methods_are_unimplemented(self, raw, path, words):
        reply = raw.call(path, b"")
        assert reply.code == grpc.StatusCode.UNIMPLEMENTED.value[0]
        assert words in reply.text

    def test_another_content_type_is_415(self, raw):
        stream = raw.open(raw.headers(otlp.TRACES.method_path, content_type="text/plain"))
        raw.send(stream, b"hello")
        assert raw.wait(stream).http_status == 415

    def test_another_method_is_405(self, raw):
        stream = raw.open(raw.headers(otlp.TRACES.method_path, method="GET"), end=True)
        assert raw.wait(stream).http_status == 405

    def test_an_expired_deadline_is_deadline_exceeded(self, raw):
        _, body = body_of(otlp.TRACES)
        reply = raw.call(otlp.TRACES.method_path, body, extra=[("grpc-timeout", "0n")])
        assert reply.code == grpc.StatusCode.DEADLINE_EXCEEDED.value[0]

    def test_a_bad_deadline_is_400(self, raw):
        _, body = body_of(otlp.TRACES)
        reply = raw.call(otlp.TRACES.method_path, body, extra=[("grpc-timeout", "soon")])
        assert reply.http_status == 400 or reply.code in (3, 13)


class TestNeighbours:
    """Who misbehaves harms only itself."""

    @pytest.fixture
    def neighbour(self, through, ending):
        """A good connection that must go on working; checked at the end."""
        raw = ending.enter_context(RawGrpc(through[0].ports["GRPC_PORT"]))

        def check():
            ids, body = body_of(otlp.LOGS)
            assert raw.call(otlp.LOGS.method_path, body).code == 0
            through[1].wait_for(ids)

        check()
        return check

    @pytest.mark.parametrize(
        "bytes_",
        [
            b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\xff" * 100,
            b"\x00" * 100,
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
            + b"\x00\x00\x00\x04\x00\x00\x00\x00\x00"
            + b"\x00\x00\x05\x00\x00\x00\x00\x00\x01hello",
        ],
        ids=["http1", "frames", "zeros", "data-on-idle-stream"],
    )
    def test_garbage_ends_its_own_connection(self, through, neighbour, bytes_):
        with socket.create_connection(("127.0.0.1", through[0].ports["GRPC_PORT"]), 10) as peer:
            peer.sendall(bytes_)
            while peer.recv(4096):
                pass
        neighbour()

    def test_a_header_bomb_is_refused(self, through, neighbour):
        """One field of 3,900 bytes, put in the table once and referred to 20,000 times: 78 MB out of 24 KB."""
        memory = psutil.Process(through[0].process.pid).memory_info().rss
        with RawGrpc(through[0].ports["GRPC_PORT"]) as raw:
            bomb = [("x-bomb", "v" * 3900)] * 20_000
            try:
                reply = raw.wait(raw.open(raw.headers(otlp.TRACES.method_path, extra=bomb), end=True))
                assert reply.code != 0
            except OSError:
                pass  # the server has closed: its right
        assert psutil.Process(through[0].process.pid).memory_info().rss < memory + (20 << 20)
        neighbour()

    def test_rapid_resets_do_no_harm(self, through, neighbour):
        with RawGrpc(through[0].ports["GRPC_PORT"]) as raw:
            try:
                for _ in range(2000):
                    stream = raw.open(raw.headers(otlp.TRACES.method_path))
                    raw.h2.reset_stream(stream)
                    raw.flush()
            except OSError:
                pass  # the server has closed: its right
        neighbour()

    def test_half_a_request_and_goodbye(self, through, neighbour):
        for _ in range(20):
            with RawGrpc(through[0].ports["GRPC_PORT"]) as raw:
                stream = raw.open(raw.headers(otlp.TRACES.method_path))
                raw.send(stream, struct.pack(">BI", 0, 1000) + b"x" * 10, end=False)
        neighbour()

    def test_the_goodbye_of_grpc_go_is_no_error(self, through, neighbour):
        """Its GOAWAY names the highest stream id there is; every Go program that ends sends one."""
        with RawGrpc(through[0].ports["GRPC_PORT"]) as raw:
            own = "{}:{}".format(*raw.socket.getsockname())
            _, body = body_of(otlp.TRACES)
            assert raw.call(otlp.TRACES.method_path, body).code == 0
            raw.h2.close_connection(last_stream_id=2**31 - 1)
            raw.flush()
            while raw.socket.recv(4096):
                pass
        neighbour()
        assert own not in through[0].log()

    def test_many_streams_at_once_are_all_answered(self, through, neighbour):
        with RawGrpc(through[0].ports["GRPC_PORT"]) as raw:
            streams, ids = [], []
            for _ in range(100):
                more, body = body_of(otlp.TRACES, 1)
                stream = raw.open(raw.headers(otlp.TRACES.method_path))
                raw.send(stream, h2grpc.frame(body))
                streams.append(stream)
                ids += more
            assert [raw.wait(stream).code for stream in streams] == [0] * len(streams)
            through[1].wait_for(ids)
        neighbour()


class TestManyConnections:
    def test_h2load_on_a_thousand_connections_is_answered(self, start, grpc_backend, tmp_path):
        """h2load, another peer of its own, with every connection open at once."""
        holdfast = start(config({"otlp": otlp_exporter(grpc_backend)}))
        ids, body = body_of(otlp.LOGS, 1)
        (tmp_path / "body").write_bytes(h2grpc.frame(body))
        done = subprocess.run(
            [
                "h2load",
                "-n",
                "3000",
                "-c",
                "1000",
                "-m",
                "3",
                "-d",
                tmp_path / "body",
                "-H",
                "content-type: application/grpc",
                "-H",
                "te: trailers",
                f"http://127.0.0.1:{holdfast.ports['GRPC_PORT']}{otlp.LOGS.method_path}",
            ],
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        assert "3000 succeeded, 0 failed, 0 errored, 0 timeout" in done.stdout, done.stdout
        assert holdfast.metric("otelcol_receiver_accepted_log_records", transport="grpc") == 3000
        until(lambda: len(grpc_backend.ids()) == 3000, lambda: f"{len(grpc_backend.ids())} of 3000", 30)
        assert set(grpc_backend.ids()) == set(ids)


class TestHealthService:
    def test_grpc_health_says_serving(self, through, raw):
        reply = raw.call("/grpc.health.v1.Health/Check", b"")
        assert reply.code == 0
        assert reply.message == b"\x08\x01"  # SERVING

    def test_grpc_health_knows_its_services(self, through, raw):
        """As the health protocol has it: the server as a whole has no name; others are not found."""
        for name, code in ((otlp.LOGS.service, 0), ("grpc.health.v1.Health", 0), ("somebody.Else", 5)):
            request = bytes([0x0A, len(name)]) + name.encode()
            assert raw.call("/grpc.health.v1.Health/Check", request).code == code, name
        assert raw.call("/grpc.health.v1.Health/Watch", b"").code == 12
        assert raw.call("/grpc.health.v1.Health/Check", b"\xff").code == 3


@pytest.mark.parametrize("version", ["v1", "v1alpha"])
class TestReflection:
    """Server reflection, as grpcurl uses it: questions and answers by turns in one call."""

    @pytest.fixture
    def ask(self, through, version):
        path = f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo"
        with grpc.insecure_channel(f"127.0.0.1:{through[0].ports['GRPC_PORT']}") as channel:
            questions = queue.SimpleQueue()
            answers = channel.stream_stream(path)(iter(questions.get, None), timeout=30)

            def one(number, text):
                questions.put(bytes([number << 3 | 2, len(text)]) + text.encode())
                return next(answers)

            yield one
            questions.put(None)
            assert list(answers) == []
            assert answers.code() == grpc.StatusCode.OK

    def test_services_are_listed(self, ask):
        answer = ask(7, "")
        for name in (*(signal.service for signal in otlp.SIGNALS), "grpc.health.v1.Health"):
            assert name.encode() in answer

    def test_the_files_of_a_service_define_its_messages(self, ask):
        """From the name of a service to all that its messages need, by questions alone."""
        pool = descriptor_pool.DescriptorPool()
        added = set()

        def add(*question):
            file = descriptor_pb2.FileDescriptorProto.FromString(descriptor_in(ask(*question)))
            for name in file.dependency:
                if name not in added:
                    add(3, name)
            added.add(file.name)
            pool.Add(file)

        add(4, otlp.METRICS.service)
        request = pool.FindServiceByName(otlp.METRICS.service).FindMethodByName("Export").input_type
        assert request.full_name == otlp.METRICS.request.DESCRIPTOR.full_name

    def test_what_is_not_there_is_an_answer_too(self, ask):
        assert b"unknown symbol" in ask(4, "some.Body")
        assert b"unknown file" in ask(3, "some/body.proto")


class TestConfigured:
    def test_max_recv_msg_size_mib_is_kept(self, start, grpc_backend):
        base = {
            **BASE,
            "receivers": {
                "otlp": {
                    "protocols": {
                        "grpc": {"endpoint": "127.0.0.1:${env:GRPC_PORT}", "max_recv_msg_size_mib": 16}
                    }
                }
            },
        }
        backend = GrpcBackend()
        with backend:
            holdfast = start(config({"otlp": otlp_exporter(backend)}), base=base)
            with RawGrpc(holdfast.ports["GRPC_PORT"]) as raw:
                ids, body = body_of(otlp.LOGS, 10, padding="x" * 1_000_000)
                assert raw.call(otlp.LOGS.method_path, body, "gzip").code == 0
                backend.wait_for(ids)
                reply = raw.call(otlp.LOGS.method_path, b"\x0a" * (17 << 20))
                assert reply.code == grpc.StatusCode.RESOURCE_EXHAUSTED.value[0]

    def test_a_limit_above_what_the_queue_holds_is_taken_and_lowered(self, start, grpc_backend):
        base = {**BASE, "receivers": {"otlp": {"protocols": {"grpc": {"endpoint": "127.0.0.1:${env:GRPC_PORT}"}}}}}
        base["receivers"]["otlp"]["protocols"]["grpc"]["max_recv_msg_size_mib"] = 2_000_000
        base["receivers"]["otlp"]["protocols"]["http"] = {
            "endpoint": "127.0.0.1:${env:HTTP_PORT}",
            "max_request_body_size": "1TiB",
        }
        holdfast = start(config({"otlp": otlp_exporter(grpc_backend)}), base=base)
        lowered = re.findall(r"::(\w+) allows (\d+) MiB, of which (\d+) MiB are used", holdfast.log())
        assert [(key, wanted) for key, wanted, _ in lowered] == [
            ("max_recv_msg_size_mib", "2000000"),
            ("max_request_body_size", "1048576"),
        ]
        assert all(4 <= int(used) <= 256 for _, _, used in lowered)
        with RawGrpc(holdfast.ports["GRPC_PORT"]) as raw:
            ids, body = body_of(otlp.LOGS, 10)
            assert raw.call(otlp.LOGS.method_path, body).code == 0
            grpc_backend.wait_for(ids)

    def test_a_signal_without_a_pipeline_is_unimplemented(self, start, grpc_backend):
        configuration = config({"otlp": otlp_exporter(grpc_backend)})
        for name in ("metrics", "logs"):
            del configuration["service"]["pipelines"][name]
        holdfast = start(configuration)
        with RawGrpc(holdfast.ports["GRPC_PORT"]) as raw:
            assert raw.call(otlp.TRACES.method_path, body_of(otlp.TRACES)[1]).code == 0
            reply = raw.call(otlp.LOGS.method_path, body_of(otlp.LOGS)[1])
            assert reply.code == grpc.StatusCode.UNIMPLEMENTED.value[0]

    def test_a_unix_socket_serves_grpc(self, start, grpc_backend, tmp_path):
        path = tmp_path / "otel.sock"
        base = {**BASE, "receivers": {"otlp": {"protocols": {"grpc": {"endpoint": f"unix://{path}"}}}}}
        holdfast = start(config({"otlp": otlp_exporter(grpc_backend)}), base=base)
        until(path.exists, "the socket does not appear")
        with grpc.insecure_channel(f"unix://{path}") as channel:
            ids, body = body_of(otlp.TRACES)
            channel.unary_unary(otlp.TRACES.method_path)(body, timeout=10)
        grpc_backend.wait_for(ids)
        holdfast.kill9()  # leaves the socket's file behind, which must not stand in the way
        holdfast.start()
        with grpc.insecure_channel(f"unix://{path}") as channel:
            ids, body = body_of(otlp.TRACES)
            channel.unary_unary(otlp.TRACES.method_path)(body, timeout=10)
        grpc_backend.wait_for(ids)

    @pytest.mark.parametrize(("umask", "keys", "mode"), SOCKET_MODES)
    def test_a_unix_socket_has_the_mode_that_is_written_or_the_umasks(
        self, start, grpc_backend, tmp_path, umask, keys, mode
    ):
        paths = [tmp_path / "grpc.sock", tmp_path / "http.sock"]
        protocols = {
            name: {"endpoint": f"unix://{path}", **keys}
            for name, path in zip(("grpc", "http"), paths, strict=True)
        }
        base = {**BASE, "receivers": {"otlp": {"protocols": protocols}}}
        holdfast = start(config({"otlp": otlp_exporter(grpc_backend)}), base=base, ready=False)
        holdfast.prefix = ["sh", "-c", f'umask {umask} && exec "$@"', "sh"]
        holdfast.start()
        assert [oct(path.stat().st_mode & 0o777) for path in paths] == [oct(mode)] * 2

    def test_a_reload_gives_the_socket_its_new_mode(self, start, grpc_backend, tmp_path):
        path = tmp_path / "otel.sock"

        def written(mode):
            return {"receivers": {"otlp": {"protocols": {"grpc": {"mode": mode}}}}}

        base = {**BASE, "receivers": {"otlp": {"protocols": {"grpc": {"endpoint": f"unix://{path}"}}}}}
        plain = config({"otlp": otlp_exporter(grpc_backend)})
        holdfast = start({**plain, **written("0600")}, base=base)
        assert path.stat().st_mode & 0o777 == 0o600
        holdfast.write_config({**plain, **written("0660")})
        holdfast.reload()
        until(lambda: path.stat().st_mode & 0o777 == 0o660, lambda: oct(path.stat().st_mode))
