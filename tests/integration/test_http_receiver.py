"""OTLP/HTTP in: protobuf and JSON, codings, and every way to be wrong. The peers are requests and curl."""

import gzip
import http.client
import json
import socket
import subprocess

import pytest
import requests
from google.protobuf import json_format
from google.rpc import status_pb2

from support import otlp, senders
from support.backends import GrpcBackend
from support.holdfast import BASE, Holdfast, config, otlp_exporter
from support.waiting import until

JSON = "application/json"


@pytest.fixture(scope="module")
def through(tmp_path_factory):
    with GrpcBackend() as backend:
        holdfast = Holdfast(tmp_path_factory.mktemp("http"), config({"otlp": otlp_exporter(backend)})).start()
        yield holdfast, backend
        holdfast.close()


def status_of(response):
    """The google.rpc.Status of an error's body, in whichever encoding the request had."""
    if response.headers["Content-Type"].startswith(JSON):
        return json_format.Parse(response.text, status_pb2.Status())
    assert response.headers["Content-Type"].startswith("application/x-protobuf")
    return status_pb2.Status.FromString(response.content)


def json_body(ids, **span):
    """A traces request in OTLP/JSON, made by hand."""
    spans = [
        {
            "traceId": "5b8efff798038103d269b633813fc60c",
            "spanId": "eee19b7ec3c1b174",
            "name": "by hand",
            "kind": 2,
            "startTimeUnixNano": "1544712660000000000",
            "endTimeUnixNano": 1544712661000000000,
            "attributes": [{"key": otlp.ID_KEY, "value": {"intValue": str(item)}}],
            **span,
        }
        for item in ids
    ]
    return {
        "resourceSpans": [{"resource": {"attributes": []}, "scopeSpans": [{"scope": {}, "spans": spans}]}]
    }


class TestProtobuf:
    @pytest.mark.parametrize("coding", sorted(senders.ENCODE), ids=lambda one: one or "identity")
    @pytest.mark.parametrize("signal", otlp.SIGNALS, ids=lambda one: one.name)
    def test_a_coded_request_arrives(self, through, signal, coding):
        holdfast, backend = through
        ids = otlp.new_ids(4)
        response = senders.post(holdfast.http_base, signal, otlp.request(signal, ids), coding)
        assert response.status_code == 200, response.content
        assert response.headers["Content-Type"] == "application/x-protobuf"
        signal.response.FromString(response.content)
        backend.wait_for(ids)

    def test_what_comes_in_goes_out_byte_for_byte(self, through):
        ids = otlp.new_ids(9)
        body = otlp.request(otlp.METRICS, ids).SerializeToString() + b"\xc2\x3e\x05hello"
        assert senders.post(through[0].http_base, otlp.METRICS, body).status_code == 200
        through[1].wait_for(ids)
        assert next(one for one in through[1].requests if ids[0] in one.ids).body == body

    def test_chunked_bodies_are_taken(self, through):
        ids = otlp.new_ids(2)
        body = otlp.request(otlp.LOGS, ids).SerializeToString()
        response = requests.post(
            through[0].http_base + "/v1/logs",
            data=iter([body[:5], body[5:]]),
            headers={"Content-Type": "application/x-protobuf"},
            timeout=10,
        )
        assert response.status_code == 200
        through[1].wait_for(ids)

    @pytest.mark.parametrize("path", ["//v1/traces", "http://collector:4318/v1/traces", "/v1/traces?tenant=a"])
    def test_other_ways_to_write_the_path_are_understood(self, through, path):
        """A base URL that ends with a slash, and what is asked of a proxy."""
        ids = otlp.new_ids(1)
        connection = http.client.HTTPConnection("127.0.0.1", through[0].ports["HTTP_PORT"], timeout=10)
        connection.request(
            "POST",
            path,
            otlp.request(otlp.TRACES, ids).SerializeToString(),
            {"Content-Type": "application/x-protobuf"},
        )
        assert connection.getresponse().status == 200
        connection.close()
        through[1].wait_for(ids)

    def test_one_connection_serves_many_requests(self, through):
        connection = http.client.HTTPConnection("127.0.0.1", through[0].ports["HTTP_PORT"], timeout=10)
        ids = otlp.new_ids(5)
        for item in ids:
            connection.request(
                "POST",
                "/v1/traces",
                otlp.request(otlp.TRACES, [item]).SerializeToString(),
                {"Content-Type": "application/x-protobuf"},
            )
            port = connection.sock.getsockname()[1]
            answer = connection.getresponse()
            assert answer.status == 200
            answer.read()
            assert connection.sock is not None and connection.sock.getsockname()[1] == port
        connection.close()
        through[1].wait_for(ids)


class TestJson:
    def test_curl_gets_the_empty_partial_success(self, through):
        """The check that the collector's documentation teaches."""
        done = subprocess.run(
            [
                "curl",
                "-sS",
                "-i",
                "-X",
                "POST",
                "-H",
                "Content-Type: application/json",
                "-d",
                '{"resourceSpans":[]}',
                through[0].http_base + "/v1/traces",
            ],
            capture_output=True,
            text=True,
            check=True,
            timeout=10,
        )
        head, body = done.stdout.split("\n\n", 1)
        assert head.startswith("HTTP/1.1 200")
        assert "content-type: application/json" in head.lower()
        assert body.strip() == '{"partialSuccess":{}}'

    def test_json_by_hand_arrives_as_protobuf(self, through):
        ids = otlp.new_ids(3)
        response = senders.post(
            through[0].http_base, otlp.TRACES, json.dumps(json_body(ids)).encode(), "gzip", JSON
        )
        assert response.status_code == 200, response.text
        assert response.json() == {"partialSuccess": {}}
        through[1].wait_for(ids)
        request = next(one for one in through[1].requests if ids[0] in one.ids)
        span = request.message.resource_spans[0].scope_spans[0].spans[0]
        assert span.trace_id.hex() == "5b8efff798038103d269b633813fc60c"
        assert span.span_id.hex() == "eee19b7ec3c1b174"
        assert (span.start_time_unix_nano, span.end_time_unix_nano) == (
            1544712660000000000,
            1544712661000000000,
        )
        assert span.name == "by hand"

    def test_numbers_that_grow_in_protobuf_are_taken(self, through):
        """A bucket of a histogram is two bytes here and eight there."""
        (item,) = otlp.new_ids(1)
        point = {
            "attributes": [{"key": otlp.ID_KEY, "value": {"intValue": str(item)}}],
            "bucketCounts": [0] * 5001,
            "explicitBounds": [0] * 5000,
        }
        metric = {"name": "by hand", "histogram": {"dataPoints": [point]}}
        body = {"resourceMetrics": [{"scopeMetrics": [{"metrics": [metric]}]}]}
        response = senders.post(
            through[0].http_base,
            otlp.METRICS,
            json.dumps(body, separators=(",", ":")).encode(),
            content_type=JSON,
        )
        assert response.status_code == 200, response.text
        through[1].wait_for([item])

    def test_parameters_of_the_content_type_are_ignored(self, through):
        ids = otlp.new_ids(1)
        body = json.dumps(json_body(ids)).encode()
        response = senders.post(
            through[0].http_base, otlp.TRACES, body, "", "application/json; charset=utf-8"
        )
        assert response.status_code == 200
        through[1].wait_for(ids)

    def test_unknown_keys_are_skipped(self, through):
        ids = otlp.new_ids(1)
        body = json.dumps({**json_body(ids, later={"a": [1, {"b": None}]}), "alsoLater": [[]]}).encode()
        assert senders.post(through[0].http_base, otlp.TRACES, body, "", JSON).status_code == 200
        through[1].wait_for(ids)

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "[]",
            "null",
            "{",
            '{"resourceSpans":',
            '{"resourceSpans":{}}',
            '{"resourceSpans":[1]}',
            '"text"',
            json.dumps(json_body([1], traceId="xyz")),
            json.dumps(json_body([1], traceId="5b8e")),
            json.dumps(json_body([1], startTimeUnixNano="soon")),
            json.dumps(json_body([1], name=5)),
            "[" * 20_000,
            '{"a":' * 20_000,
        ],
        ids=[
            "empty",
            "list",
            "null",
            "open",
            "cut",
            "object-for-list",
            "number-for-object",
            "string",
            "not-hex",
            "short-id",
            "bad-time",
            "bad-name",
            "deep-lists",
            "deep-objects",
        ],
    )
    def test_bad_json_is_400_with_a_json_status(self, through, text):
        before = len(through[1].requests)
        response = senders.post(through[0].http_base, otlp.TRACES, text.encode(), "", JSON)
        assert response.status_code == 400
        assert response.headers["Content-Type"].startswith(JSON)
        assert status_of(response).code == 3
        assert status_of(response).message
        assert len(through[1].requests) == before


def nested(kind, levels):
    """A log record in JSON, with an attribute of that many lists or maps, one in the other."""
    before = '{"arrayValue":{"values":[' if kind == "lists" else '{"kvlistValue":{"values":[{"key":"k","value":'
    after = "]}}" if kind == "lists" else "}]}}"
    value = before * levels + '{"stringValue":"innermost"}' + after * levels
    record = '{"body":{"stringValue":"x"},"attributes":[{"key":"a","value":' + value + "}]}"
    return '{"resourceLogs":[{"scopeLogs":[{"logRecords":[' + record + "]}]}]}"


class TestDepth:
    """Values may be nested as deep as 1,000 messages: five around the value, two a list, three a map."""

    @pytest.mark.parametrize(("kind", "most"), [("lists", 497), ("maps", 331)])
    def test_values_pass_through_every_exporter_up_to_the_limit(self, start, tmp_path, kind, most):
        path = tmp_path / "out.json"
        exporters = {
            "file": {"path": str(path)},
            "debug": {"verbosity": "detailed", "use_internal_logger": False},
        }
        processors = {"attributes": {"actions": [{"key": "new", "value": 1, "action": "insert"}]}}
        holdfast = start(config(exporters, processors))
        for levels in (60, most):
            answer = senders.post(holdfast.http_base, otlp.LOGS, nested(kind, levels).encode(), "", JSON)
            assert answer.status_code == 200, answer.text
            shown = "arrayValue" if kind == "lists" else "kvlistValue"
            until(
                lambda count=levels, word=shown: any(
                    line.count(word) == count for line in path.read_text().splitlines()
                ),
                lambda: path.read_text()[:1000],
            )
        until(lambda: holdfast.log().count("innermost") == 2, lambda: holdfast.log()[-3000:])
        answer = senders.post(holdfast.http_base, otlp.LOGS, nested(kind, most + 1).encode(), "", JSON)
        assert answer.status_code == 400
        assert "nested too deep" in answer.text
        answer = senders.post(holdfast.http_base, otlp.LOGS, nested(kind, 200_000).encode(), "", JSON)
        assert answer.status_code == 400


class TestErrors:
    @pytest.mark.parametrize(
        "body", [b"\x0a\x05abc", b"\x08\x01", b"\xff" * 20], ids=["length", "wire-type", "noise"]
    )
    @pytest.mark.parametrize("signal", otlp.SIGNALS, ids=lambda one: one.name)
    def test_malformed_protobuf_is_400_with_a_protobuf_status(self, through, signal, body):
        response = senders.post(through[0].http_base, signal, body)
        assert response.status_code == 400
        assert status_of(response).code == 3

    @pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "HEAD", "PATCH"])
    def test_other_methods_are_405(self, through, method):
        response = requests.request(method, through[0].http_base + "/v1/traces", timeout=10)
        assert response.status_code == 405
        if method != "HEAD":
            assert response.text == "405 method not allowed, supported: [POST]"

    @pytest.mark.parametrize(
        "content_type", ["text/plain", "application/x-www-form-urlencoded", "application/grpc", ""]
    )
    def test_other_content_types_are_415(self, through, content_type):
        response = senders.post(through[0].http_base, otlp.TRACES, b"", "", content_type)
        assert response.status_code == 415
        assert (
            response.text
            == "415 unsupported media type, supported: [application/json, application/x-protobuf]"
        )

    @pytest.mark.parametrize("path", ["/", "/v1", "/v1/trace", "/v1/traces/", "/v2/traces", "/metrics"])
    def test_unknown_paths_are_404(self, through, path):
        response = requests.post(
            through[0].http_base + path,
            data=b"",
            timeout=10,
            headers={"Content-Type": "application/x-protobuf"},
        )
        assert response.status_code == 404

    def test_an_unknown_coding_is_refused_with_a_status(self, through):
        response = requests.post(
            through[0].http_base + "/v1/traces",
            data=b"x",
            timeout=10,
            headers={"Content-Type": "application/x-protobuf", "Content-Encoding": "br"},
        )
        assert response.status_code in (400, 415)
        assert "br" in status_of(response).message

    @pytest.mark.parametrize("coding", ["gzip", "zstd", "deflate", "snappy"])
    def test_damaged_coding_is_400(self, through, coding):
        response = requests.post(
            through[0].http_base + "/v1/traces",
            data=b"\x00\x01 not compressed",
            timeout=10,
            headers={"Content-Type": "application/x-protobuf", "Content-Encoding": coding},
        )
        assert response.status_code == 400
        assert status_of(response).code == 3

    @pytest.mark.parametrize("coding", ["gzip", "zstd", "deflate"])
    def test_a_decompression_bomb_is_refused(self, through, coding):
        bomb = senders.ENCODE[coding](b"\x0a\x00" * (100 << 20))
        response = requests.post(
            through[0].http_base + "/v1/traces",
            data=bomb,
            timeout=20,
            headers={"Content-Type": "application/x-protobuf", "Content-Encoding": coding},
        )
        assert response.status_code in (400, 413)

    def test_a_body_over_the_limit_is_refused_while_it_is_read(self, through):
        """400 (as the Go collector) or 413 (as the specification); either is final for a client."""
        with socket.create_connection(("127.0.0.1", through[0].ports["HTTP_PORT"]), 10) as peer:
            peer.sendall(
                b"POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-protobuf\r\n"
                b"Content-Length: 3000000000\r\n\r\n"
            )
            assert peer.recv(100).split(b" ")[1] in (b"400", b"413")

    def test_errors_do_not_close_the_neighbours_connection(self, through):
        with requests.Session() as session:
            ids = otlp.new_ids(2)
            assert senders.post(
                through[0].http_base, otlp.LOGS, otlp.request(otlp.LOGS, ids[:1]), session=session
            ).ok
            with socket.create_connection(("127.0.0.1", through[0].ports["HTTP_PORT"]), 10) as peer:
                peer.sendall(b"\x16\x03\x01\x02\x00\x01 not http\r\n\r\n")
                peer.recv(1000)
            assert senders.post(
                through[0].http_base, otlp.LOGS, otlp.request(otlp.LOGS, ids[1:]), session=session
            ).ok
            through[1].wait_for(ids)

    def test_nothing_that_was_refused_is_counted_as_accepted(self, through):
        before = through[0].metric("otelcol_receiver_accepted_spans")
        senders.post(through[0].http_base, otlp.TRACES, b"\x0a\x05abc")
        assert through[0].metric("otelcol_receiver_accepted_spans") == before


class TestConfigured:
    def test_paths_and_body_size_can_be_set(self, start, grpc_backend):
        base = {
            **BASE,
            "receivers": {
                "otlp": {
                    "protocols": {
                        "http": {
                            "endpoint": "127.0.0.1:${env:HTTP_PORT}",
                            "traces_url_path": "/spans",
                            "logs_url_path": "no/slash",
                            "max_request_body_size": 10_000,
                        }
                    }
                }
            },
        }
        holdfast = start(config({"otlp": otlp_exporter(grpc_backend)}), base=base)
        ids = otlp.new_ids(1)
        body = otlp.request(otlp.TRACES, ids).SerializeToString()
        headers = {"Content-Type": "application/x-protobuf"}
        assert (
            requests.post(holdfast.http_base + "/spans", data=body, headers=headers, timeout=10).status_code
            == 200
        )
        assert (
            requests.post(
                holdfast.http_base + "/v1/traces", data=body, headers=headers, timeout=10
            ).status_code
            == 404
        )
        grpc_backend.wait_for(ids)
        empty = requests.post(holdfast.http_base + "/no/slash", headers=headers, timeout=10)
        assert empty.status_code == 200
        big = requests.post(
            holdfast.http_base + "/spans", data=b"\x0a\x00" * 10_000, headers=headers, timeout=10
        )
        assert big.status_code in (400, 413)
        swollen = gzip.compress(b"\x0a\x00" * 10_000)
        answer = requests.post(
            holdfast.http_base + "/spans",
            data=swollen,
            timeout=10,
            headers={**headers, "Content-Encoding": "gzip"},
        )
        assert answer.status_code in (400, 413)

    def test_cors_lets_the_named_origins_in(self, start, grpc_backend):
        base = {
            **BASE,
            "receivers": {
                "otlp": {
                    "protocols": {
                        "http": {
                            "endpoint": "127.0.0.1:${env:HTTP_PORT}",
                            "cors": {
                                "allowed_origins": ["https://*.example.com"],
                                "allowed_headers": ["X-Team"],
                                "max_age": 60,
                            },
                        }
                    }
                }
            },
        }
        holdfast = start(config({"otlp": otlp_exporter(grpc_backend)}), base=base)

        def preflight(origin):
            return requests.options(
                holdfast.http_base + "/v1/traces",
                timeout=10,
                headers={
                    "Origin": origin,
                    "Access-Control-Request-Method": "POST",
                    "Access-Control-Request-Headers": "x-team",
                },
            )

        good = preflight("https://shop.example.com")
        assert good.status_code == 204
        assert good.headers["Access-Control-Allow-Origin"] == "https://shop.example.com"
        assert good.headers["Access-Control-Max-Age"] == "60"
        assert "Access-Control-Allow-Origin" not in preflight("https://evil.test").headers
        ids = otlp.new_ids(1)
        answer = senders.post(
            holdfast.http_base,
            otlp.TRACES,
            otlp.request(otlp.TRACES, ids),
            headers={"Origin": "https://shop.example.com"},
        )
        assert answer.headers["Access-Control-Allow-Origin"] == "https://shop.example.com"
        grpc_backend.wait_for(ids)
