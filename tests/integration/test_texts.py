"""What strangers write and Holdfast shows: no text of theirs steers a terminal, forges a line or breaks a parser; and
every refusal says what is wrong, once, within a ceiling."""

import json
import re
import socket

import grpc
import pytest
import requests
from google.protobuf import json_format
from google.rpc import status_pb2

from support import otlp, senders
from support.backends import refuse, status
from support.h2grpc import RawGrpc
from support.holdfast import config, otlp_exporter, otlphttp_exporter
from support.waiting import until

C0 = [chr(code) for code in range(1, 0x20)]
C1 = [chr(code) for code in range(0x7F, 0xA0)]
BIDI = [
    chr(code) for code in (0x61C, 0x200E, 0x200F, 0x2028, 0x2029, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
]
# Everything at once, with a line that looks like one of the log's own.
EVIL = "".join([*C0, *C1, *BIDI]) + "\n2026-01-01T00:00:00.000+0000\terror\tforged\tby a stranger é€😀"
EVIL_BYTES = b"".join(bytes([code]) for code in range(0x80, 0x100)) + b"\xed\xa0\x80\xc0\x9b\xf4\x90\x80\x80"

ENCODINGS = ["console", "json"]


def assert_fit(raw, kept="\n\t"):
    """UTF-8, and none of the characters that a terminal obeys, but for those in `kept`."""
    text = raw.decode()
    found = {char for char in text if char in {*C0, *C1, *BIDI} and char not in kept}
    assert not found, f"{sorted(map(hex, map(ord, found)))} in {raw[:400]!r}"
    return text


def assert_log_fit(holdfast, encoding):
    """Every line of the log is one of Holdfast's own."""
    text = assert_fit(holdfast.log_path.read_bytes())
    for line in text.splitlines():
        if encoding == "json":
            assert set(json.loads(line)) >= {"level", "ts", "msg"}, line
        else:
            assert re.match(r"\d{4}-\d\d-\d\dT\S+\t(debug|info|warn|error)\t", line), line
            assert "\terror\tforged" not in line
    return text


def with_log(encoding, exporters, **more):
    wanted = config(exporters, **more)
    wanted["service"]["telemetry"] = {"logs": {"encoding": encoding}}
    return wanted


class TestBackendsWords:
    @pytest.mark.parametrize("encoding", ENCODINGS)
    def test_a_grpc_message_reaches_log_and_listings_escaped(self, start, grpc_backend, grpc_sender, encoding):
        grpc_backend.always = refuse(grpc.StatusCode.INVALID_ARGUMENT, EVIL)
        holdfast = start(with_log(encoding, {"otlp": otlp_exporter(grpc_backend)}))
        grpc_sender(holdfast).export(otlp.LOGS, otlp.request(otlp.LOGS, otlp.new_ids(1)))
        until(lambda: holdfast.books("logs", "otlp")["dead_lettered"]["items"] == 1, lambda: holdfast.log())
        holdfast.wait_for_log("by a stranger")
        assert_log_fit(holdfast, encoding)
        for arguments in ("stat",), ("ls", "deadletter:otlp"), ("ls", "deadletter:otlp", "--json"), ("cat", "deadletter:otlp"):
            done = holdfast.command("queue", *arguments, "--data-dir", holdfast.data_directory, text=False)
            assert done.returncode == 0, done.stdout
            text = assert_fit(done.stdout, "\n")
            assert len(text.splitlines()) == len(done.stdout.split(b"\n")) - 1
        assert "by a stranger é€😀" in holdfast.command("queue", "ls", "deadletter:otlp", "--data-dir", holdfast.data_directory).stdout
        assert_fit(holdfast.metrics_text().encode(), "\n")

    @pytest.mark.parametrize("encoding", ENCODINGS)
    def test_an_http_body_that_is_no_text_reaches_log_and_listings_escaped(self, start, http_backend, encoding):
        http_backend.always = status(400, {"Content-Type": "text/plain"}, b"no " + EVIL_BYTES + EVIL.encode())
        holdfast = start(with_log(encoding, {"otlphttp": otlphttp_exporter(http_backend)}))
        assert senders.post(holdfast.http_base, otlp.LOGS, otlp.request(otlp.LOGS, otlp.new_ids(1))).ok
        until(lambda: holdfast.books("logs", "otlphttp")["dead_lettered"]["items"] == 1, lambda: holdfast.log())
        assert_log_fit(holdfast, encoding)
        for more in ([], ["--json"]):
            done = holdfast.command("queue", "ls", "deadletter:otlphttp", "--data-dir", holdfast.data_directory, *more, text=False)
            assert done.returncode == 0, done.stdout
            assert "no " in assert_fit(done.stdout, "\n")


class TestSendersWords:
    @pytest.mark.parametrize("encoding", ENCODINGS)
    def test_what_a_grpc_client_writes_is_escaped_in_log_and_answer(self, start, grpc_backend, encoding):
        holdfast = start(with_log(encoding, {"otlp": otlp_exporter(grpc_backend)}))
        words = [bytes([code]) for code in range(0x80, 0x100)]
        words = [b"".join(words[:64]), b"".join(words[64:]), "\u009b2J\u202e".encode(), b"\t\xff"]
        said = []
        with RawGrpc(holdfast.ports["GRPC_PORT"]) as raw:
            raw.h2.config.validate_outbound_headers = False
            for word in words:
                for headers in (
                    raw.headers(b"/" + word + b"/Export"),
                    raw.headers(otlp.LOGS.method_path.rsplit("/", 1)[0].encode() + b"/" + word),
                    raw.headers(word),
                    raw.headers(otlp.LOGS.method_path, word),
                ):
                    try:
                        reply = raw.wait(raw.open([*headers, ("user-agent", word)], end=True))
                        said.append(reply.text)
                    except Exception as error:  # the library under both refuses some of these by itself
                        pytest.fail(f"{headers}: {error}")
        assert any(said)
        for text in filter(None, said):
            assert_fit(text.encode(), "")
        assert holdfast.health() == 200
        assert_log_fit(holdfast, encoding)

    @pytest.mark.parametrize("encoding", ENCODINGS)
    def test_what_an_http_client_writes_is_escaped_in_log_and_answer(self, start, grpc_backend, encoding):
        holdfast = start(with_log(encoding, {"otlp": otlp_exporter(grpc_backend)}))
        head = b"Host: x\r\nConnection: close\r\nContent-Length: 0\r\n"
        # The library under the server unescapes the path.
        paths = ["".join(f"%{byte:02x}" for byte in raw) for raw in (EVIL_BYTES, EVIL.encode())]
        asked = [
            *(b"POST /v1/" + path.encode() + b" HTTP/1.1\r\n" + head + b"\r\n" for path in paths),
            b"POST /v1/logs HTTP/1.1\r\n" + head + b"Content-Type: text/\x9b\xc2\x9b\r\n\r\n",
            *(
                b"POST /v1/logs HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 2\r\nContent-Type: "
                + kind + b"\r\nContent-Encoding: \x9b2J\xe2\x80\xae\r\nUser-Agent: \xff\r\n\r\n{}"
                for kind in (b"application/json", b"application/x-protobuf")
            ),
        ]
        for request in asked:
            with socket.create_connection(("127.0.0.1", holdfast.ports["HTTP_PORT"]), 10) as connection:
                connection.sendall(request)
                answer = b"".join(iter(lambda c=connection: c.recv(65536), b""))
            headers, _, body = answer.partition(b"\r\n\r\n")
            if b"application/json" in headers:
                assert "unsupported Content-Encoding" in json.loads(assert_fit(body, ""))["message"]
            elif b"application/x-protobuf" in headers:
                assert_fit(status_pb2.Status.FromString(body).message.encode(), "")
            else:
                assert_fit(body)
        assert_log_fit(holdfast, encoding)

    def test_json_errors_that_quote_the_sender_are_json(self, start, grpc_backend):
        holdfast = start(config({"otlp": otlp_exporter(grpc_backend)}))
        for body in (b'{"resourceLogs":\x9b}', b'{"resourceLogs":"' + EVIL_BYTES + b'"}', json.dumps({"resourceLogs": EVIL}).encode(),
                     b'{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"severityNumber":"' + "\u009b\u202e".encode() + b'"}]}]}]}'):
            response = senders.post(holdfast.http_base, otlp.LOGS, body, content_type="application/json")
            assert response.status_code == 400
            assert_fit(json.loads(assert_fit(response.content, ""))["message"].encode(), "")
        assert_log_fit(holdfast, "json")


class TestRecords:
    def request(self):
        message = otlp.request(otlp.LOGS, otlp.new_ids(1), resource={"service.name": EVIL})
        record = message.resource_logs[0].scope_logs[0].log_records[0]
        record.body.string_value = EVIL
        record.attributes.append(otlp.attribute(EVIL, [EVIL, {EVIL: EVIL}]))
        record.severity_text = EVIL
        message.resource_logs[0].scope_logs[0].scope.name = EVIL
        return message

    @pytest.mark.parametrize("verbosity", ["normal", "detailed"])
    def test_the_debug_exporter_shows_them_escaped(self, start, verbosity):
        holdfast = start(with_log("console", {"debug": {"verbosity": verbosity}}))
        assert senders.post(holdfast.http_base, otlp.LOGS, self.request()).ok
        until(lambda: "by a stranger" in holdfast.log(), lambda: holdfast.log())
        text = assert_fit(holdfast.log_path.read_bytes())
        assert "é€😀" in text
        assert not [line for line in text.splitlines() if "\terror\tforged" in line]

    def test_queue_cat_shows_them_escaped_and_whole(self, start, grpc_backend):
        grpc_backend.always = refuse(grpc.StatusCode.UNAVAILABLE)
        holdfast = start(config({"otlp": otlp_exporter(grpc_backend)}))
        message = self.request()
        assert senders.post(holdfast.http_base, otlp.LOGS, message).ok
        done = holdfast.command("queue", "cat", "logs", "--data-dir", holdfast.data_directory, text=False)
        shown = json.loads(assert_fit(done.stdout, "\n"))
        assert shown["resourceLogs"][0]["scopeLogs"][0]["logRecords"][0]["body"]["stringValue"] == EVIL


class TestRefusals:
    """A refused request leaves a line with the reason; many leave few."""

    def test_malformed_protobuf_is_located_in_answer_and_log(self, start, grpc_backend, ending):
        holdfast = start(config({"otlp": otlp_exporter(grpc_backend)}, receivers=STRICT))
        message = otlp.request(otlp.TRACES, otlp.new_ids(3))
        spans = message.resource_spans[0].scope_spans[0].spans
        spans[2].name = "MARKED"
        path = r"resourceSpans\[0\]\.scopeSpans\[0\]\.spans\[2\]\.name"
        body = message.SerializeToString()
        bad = body.replace(b"MARKED", b"MARK\xff\xfe")
        wanted = rf"text that is not UTF-8 at byte {bad.index(bytes([0x4D, 0x41, 0x52, 0x4B, 0xFF]))}, in {path}"
        response = senders.post(holdfast.http_base, otlp.TRACES, bad)
        assert response.status_code == 400
        assert re.search(wanted, status_pb2.Status.FromString(response.content).message)
        holdfast.wait_for_log("127.0.0.1:.*" + wanted)
        raw = ending.enter_context(RawGrpc(holdfast.ports["GRPC_PORT"]))
        reply = raw.call(otlp.TRACES.method_path, bad)
        assert reply.code == grpc.StatusCode.INVALID_ARGUMENT.value[0]
        assert re.search(wanted, reply.text)
        reply = raw.call(otlp.TRACES.method_path, body[:-1], "gzip")
        assert re.search(r"at byte \d+, in resourceSpans\[0\]", reply.text)

    def test_every_kind_of_refusal_is_logged_once(self, start, grpc_backend):
        holdfast = start(config({"otlp": otlp_exporter(grpc_backend)}))
        kinds = {
            r"POST /nowhere is no path of this receiver": ("/nowhere", {}, b""),
            r"has neither JSON nor protobuf as content type": ("/v1/logs", {"Content-Type": "text/plain"}, b"x"),
            r"unsupported Content-Encoding: rot13": ("/v1/logs", {"Content-Encoding": "rot13"}, b"x"),
            r"does not decode as its Content-Encoding says": ("/v1/logs", {"Content-Encoding": "gzip"}, b"x"),
            r"expected a list": ("/v1/logs", {"Content-Type": "application/json"}, b'{"resourceLogs":1}'),
        }
        for _ in range(3):
            for path, headers, body in kinds.values():
                headers = {"Content-Type": "application/x-protobuf", **headers}
                assert requests.post(holdfast.http_base + path, data=body, headers=headers, timeout=10).status_code >= 400
        for said in kinds:
            holdfast.wait_for_log(said)
            assert len(re.findall(said, holdfast.log())) == 1, said

    def test_varied_texts_have_a_ceiling(self, start, grpc_backend, ending):
        holdfast = start(config({"otlp": otlp_exporter(grpc_backend)}))
        raw = ending.enter_context(RawGrpc(holdfast.ports["GRPC_PORT"]))
        for number in range(500):
            assert raw.wait(raw.open(raw.headers(f"/made.up.Service{number}/Export"), end=True)).code == 12
            requests.post(f"{holdfast.http_base}/made/up/{number}", timeout=10)
        lines = [line for line in holdfast.log().splitlines() if "made" in line]
        assert 2 <= len(lines) <= 10


# What two texts of an item become: a sequence that is cut short is one U+FFFD, a stray byte is one each.
BROKEN = b"caf\xe9 \xf0\x9f\x98|\xff\xfe"
MARK = "m" * len(BROKEN)
REPAIRED = "caf\ufffd \ufffd|\ufffd\ufffd"
STRICT = {"otlp": {"strict_utf8": True}}


def broken_request(signal, ids):
    """A request as bytes, protobuf and JSON, with a text of each item and of the resource broken."""
    message = otlp.request(signal, ids, resource={"service.name": MARK})
    for item in otlp.items(signal, message):
        item.attributes.append(otlp.attribute(MARK, [{"inner": MARK}]))
    if signal is otlp.TRACES:
        otlp.items(signal, message)[0].name = MARK
    as_json = json_format.MessageToDict(message)
    for group in as_json.get("resourceSpans", []):
        for span in group["scopeSpans"][0]["spans"]:
            span["traceId"], span["spanId"] = "5b8efff798038103d269b633813fc60c", "eee19b7ec3c1b174"
    marked = message.SerializeToString(), json.dumps(as_json).encode()
    return [one.replace(MARK.encode(), BROKEN) for one in marked], marked[0].count(MARK.encode())


class TestTextsThatAreNotUtf8:
    """One bad string does not cost a request: it is repaired, counted and logged; strict_utf8 refuses."""

    @pytest.mark.parametrize("coding", ["", "gzip"], ids=["identity", "gzip"])
    @pytest.mark.parametrize("way", ["grpc", "http", "json"])
    @pytest.mark.parametrize("signal", otlp.SIGNALS, ids=lambda one: one.name)
    def test_they_arrive_repaired(self, start, grpc_backend, ending, signal, way, coding):
        holdfast = start(config({"otlp": otlp_exporter(grpc_backend)}))
        ids = otlp.new_ids(3)
        (body, as_json), count = broken_request(signal, ids)
        for _ in range(2):
            if way == "grpc":
                raw = ending.enter_context(RawGrpc(holdfast.ports["GRPC_PORT"]))
                assert raw.call(signal.method_path, body, coding or None).code == 0
            elif way == "http":
                assert senders.post(holdfast.http_base, signal, body, coding).ok
            else:
                assert senders.post(holdfast.http_base, signal, as_json, coding, "application/json").ok
        grpc_backend.wait_for(ids)
        message = grpc_backend.accepted(signal)[0].message
        assert otlp.resources(signal, message)[0].attributes[0].value.string_value == REPAIRED
        for item in otlp.items(signal, message):
            pair = item.attributes[1]
            assert pair.key == REPAIRED
            assert pair.value.array_value.values[0].kvlist_value.values[0].value.string_value == REPAIRED
        if signal is otlp.TRACES:
            assert otlp.items(signal, message)[0].name == REPAIRED
        assert holdfast.metric(
            "holdfast_receiver_repaired_strings", transport="grpc" if way == "grpc" else "http"
        ) == 2 * count
        said = rf"{count} strings that are not UTF-8 in a request, repaired with U\+FFFD; the first: text that is not UTF-8, in resource"
        holdfast.wait_for_log(said)
        assert holdfast.log().count("repaired with U+FFFD") == 1

    def test_strict_utf8_refuses_with_the_fields_path(self, start, grpc_backend, ending):
        holdfast = start(config({"otlp": otlp_exporter(grpc_backend)}, receivers=STRICT))
        raw = ending.enter_context(RawGrpc(holdfast.ports["GRPC_PORT"]))
        path = r", in resourceLogs\[0\]\.resource\.attributes\[0\]\.value\.stringValue"
        (body, as_json), _ = broken_request(otlp.LOGS, otlp.new_ids(1))
        reply = raw.call(otlp.LOGS.method_path, body)
        assert reply.code == grpc.StatusCode.INVALID_ARGUMENT.value[0]
        assert re.search("text that is not UTF-8 at byte [0-9]+" + path, reply.text)
        response = senders.post(holdfast.http_base, otlp.LOGS, body)
        assert response.status_code == 400
        assert re.search("text that is not UTF-8 at byte [0-9]+" + path, status_pb2.Status.FromString(response.content).message)
        response = senders.post(holdfast.http_base, otlp.LOGS, as_json, content_type="application/json")
        assert response.status_code == 400
        assert re.search(path[5:] + ": .*UTF8", response.json()["message"])
        assert holdfast.metric("holdfast_receiver_repaired_strings", transport="http") == 0

    def test_what_is_broken_beside_its_texts_is_refused(self, start, grpc_backend):
        holdfast = start(config({"otlp": otlp_exporter(grpc_backend)}))
        (body, _), _ = broken_request(otlp.TRACES, otlp.new_ids(1))
        response = senders.post(holdfast.http_base, otlp.TRACES, body + b"\x0a\x05abc")
        assert response.status_code == 400
        assert holdfast.metric("holdfast_receiver_repaired_strings", transport="http") == 0


class TestUnknownRequests:
    """Where nothing is known in a request, its sender is told: otherwise the data vanish without a word."""

    SAYS = "no known field was found in the request: expected resourceLogs"

    @pytest.mark.parametrize("body", [{"records": [1]}, {"resourceSpans": [{"scopeSpans": []}]}, {"logs": {"resourceLogs": []}}])
    def test_json_is_answered_with_a_warning(self, start, grpc_backend, body):
        holdfast = start(config({"otlp": otlp_exporter(grpc_backend)}))
        response = senders.post(holdfast.http_base, otlp.LOGS, json.dumps(body), content_type="application/json")
        assert response.status_code == 200
        assert response.json() == {"partialSuccess": {"errorMessage": self.SAYS}}
        json_format.Parse(response.text, otlp.LOGS.response())
        holdfast.wait_for_log(self.SAYS)

    @pytest.mark.parametrize("body", [{}, {"resourceLogs": []}, {"resource_logs": []}, {"resourceLogs": None}])
    def test_empty_json_is_answered_without_one(self, start, grpc_backend, body):
        holdfast = start(config({"otlp": otlp_exporter(grpc_backend)}))
        response = senders.post(holdfast.http_base, otlp.LOGS, json.dumps(body), content_type="application/json")
        assert (response.status_code, response.json()) == (200, {"partialSuccess": {}})

    def test_protobuf_is_answered_with_a_warning(self, start, grpc_backend, ending):
        holdfast = start(config({"otlp": otlp_exporter(grpc_backend)}))
        raw = ending.enter_context(RawGrpc(holdfast.ports["GRPC_PORT"]))
        for body, says in (b"\x12\x03abc\x98\x06\x01", self.SAYS), (b"", ""):
            response = senders.post(holdfast.http_base, otlp.LOGS, body)
            assert response.status_code == 200
            assert otlp.LOGS.response.FromString(response.content).partial_success.error_message == says
            reply = raw.call(otlp.LOGS.method_path, body)
            assert reply.code == 0
            assert otlp.LOGS.response.FromString(reply.message).partial_success.error_message == says


class TestMessages:
    def test_a_file_at_the_control_socket_s_path_is_named(self, start, grpc_backend):
        holdfast = start(config({"otlp": otlp_exporter(grpc_backend)}), ready=False)
        holdfast.data_directory.mkdir()
        (holdfast.data_directory / "control").write_text("mine")
        holdfast.spawn()
        assert holdfast.process.wait(60) != 0
        assert "a file that is no socket stands there; remove it" in holdfast.log()
        assert "another process" not in holdfast.log()
        assert (holdfast.data_directory / "control").read_text() == "mine"

    @pytest.mark.parametrize(
        "section, named, meant",
        [
            ("receivers", "otpl", "otlp"),
            ("receivers", "otlp/elsewhere", "otlp"),
            ("processors", "batch/small", "batch/large"),
            ("exporters", "otlp", "otlp/gateway"),
            ("exporters", "debgu", "debug"),
        ],
    )
    def test_a_reference_to_nothing_is_answered_with_the_likely_one(self, start, section, named, meant):
        wanted = {
            "processors": {"batch/large": {}},
            "exporters": {"debug": {}, "otlp/gateway": {"endpoint": "127.0.0.1:1"}},
            "service": {"pipelines": {"traces": {"receivers": ["otlp"], "exporters": ["debug"], section: [named]}}},
        }
        holdfast = start(wanted, ready=False)
        done = holdfast.command("validate", "--config", holdfast.base_path, "--config", holdfast.config_path)
        assert f'"{named}" which is not configured; did you mean "{meant}"?' in done.stdout + done.stderr
