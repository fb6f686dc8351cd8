"""Headers that cannot be, redirects, and peers that speak another protocol than the port is for."""

import copy
import http.client
import re
import socket
import ssl

import grpc
import pytest
import yaml

from support import otlp, senders
from support.backends import HttpBackend, ok, status
from support.certificates import Authority
from support.h2grpc import RawGrpc
from support.holdfast import BASE, config, otlp_exporter, otlphttp_exporter, run
from support.waiting import until

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])
SETTER = {"headers": [{"key": "X-Scope-OrgID", "from_context": "x-tenant-bin"}]}


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    made = Authority(tmp_path_factory.mktemp("tls"))
    made.issue("server")
    return made


def receiving(more=None, extensions=None):
    base = copy.deepcopy(BASE)
    for protocol in base["receivers"]["otlp"]["protocols"].values():
        protocol.update(more or {})
    for name, body in (extensions or {}).items():
        base["extensions"][name] = body
        base["service"]["extensions"].append(name)
    return base


def server_tls(authority):
    return {
        "tls": {
            "cert_file": str(authority.directory / "server.crt"),
            "key_file": str(authority.directory / "server.key"),
        }
    }


def say(port, data):
    """What comes back for it until the server is done."""
    with socket.create_connection(("127.0.0.1", port), 10) as peer:
        peer.sendall(data)
        heard = b""
        while more := peer.recv(4096):
            heard += more
        return heard


class TestUnsendableHeaders:
    @pytest.fixture
    def through(self, start, http_backend):
        keys = [SETTER["headers"][0], {"key": "X-Tenant", "from_context": "x-tenant"}]
        holdfast = start(
            config({"otlphttp": otlphttp_exporter(http_backend, auth={"authenticator": "headers_setter"})}),
            base=receiving({"include_metadata": True}, {"headers_setter": {"headers": keys}}),
        )
        return holdfast, http_backend

    def test_binary_metadata_with_a_line_end_is_refused_at_intake(self, through, grpc_sender):
        holdfast, backend = through
        sender = grpc_sender(holdfast)
        for bad in (b"a\r\nEvil: 1", b"\x00", b"a\x7f"):
            with pytest.raises(grpc.RpcError) as refused:
                sender.export(
                    otlp.LOGS, otlp.request(otlp.LOGS, [1]), metadata=[("x-tenant-bin", bad)]
                )
            assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
            assert "x-tenant-bin" in refused.value.details() and "header" in refused.value.details()
        ids = otlp.new_ids(1)
        sender.export(otlp.LOGS, otlp.request(otlp.LOGS, ids), metadata=[("x-tenant-bin", b"blue")])
        backend.wait_for(ids)
        assert backend.requests[0].metadata["x-scope-orgid"] == "blue"
        assert len(re.findall("is to be sent on as a header", holdfast.log())) == 1

    def test_a_control_character_in_an_http_header_is_refused_at_intake(self, through):
        holdfast, backend = through
        body = otlp.request(otlp.LOGS, [1]).SerializeToString()
        head = (
            b"POST /v1/logs HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-protobuf\r\n"
            b"X-Tenant: a\x01b\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body)
        )
        assert b" 400 " in say(holdfast.ports["HTTP_PORT"], head + body).split(b"\r\n")[0]
        ids = otlp.new_ids(1)
        senders.post(
            holdfast.http_base, otlp.LOGS, otlp.request(otlp.LOGS, ids), headers={"X-Tenant": "red"}
        ).raise_for_status()
        backend.wait_for(ids)
        assert backend.ids() == ids

    def test_what_nobody_sends_on_may_be_anything(self, start, grpc_backend, grpc_sender):
        holdfast = start(
            config({"otlp": otlp_exporter(grpc_backend)}), base=receiving({"include_metadata": True})
        )
        ids = otlp.new_ids(1)
        grpc_sender(holdfast).export(
            otlp.LOGS, otlp.request(otlp.LOGS, ids), metadata=[("x-tenant-bin", b"a\r\nb")]
        )
        grpc_backend.wait_for(ids)

    def test_any_bytes_go_on_under_a_binary_name(self, start, grpc_backend, grpc_sender):
        setter = {"headers": [{"key": "x-id-bin", "from_context": "x-tenant-bin"}]}
        holdfast = start(
            config({"otlp": otlp_exporter(grpc_backend, auth={"authenticator": "headers_setter"})}),
            base=receiving({"include_metadata": True}, {"headers_setter": setter}),
        )
        ids = otlp.new_ids(1)
        grpc_sender(holdfast).export(
            otlp.LOGS, otlp.request(otlp.LOGS, ids), metadata=[("x-tenant-bin", b"a\r\n\x00b")]
        )
        grpc_backend.wait_for(ids)
        assert grpc_backend.requests[0].metadata["x-id-bin"] == b"a\r\n\x00b"

    def test_what_is_queued_already_and_cannot_be_formed_goes_to_the_dead_letters(
        self, start, http_backend, grpc_sender
    ):
        """As with a header in -bin, which HTTP cannot send: the others are not held up."""
        setter = {"headers": [{"key": "x-id-bin", "from_context": "x-tenant-bin"}]}
        holdfast = start(
            config({"otlphttp": otlphttp_exporter(http_backend, auth={"authenticator": "headers_setter"})}),
            base=receiving({"include_metadata": True}, {"headers_setter": setter}),
        )
        sender = grpc_sender(holdfast)
        sender.export(otlp.LOGS, otlp.request(otlp.LOGS, [1]), metadata=[("x-tenant-bin", b"a\nb")])
        ids = otlp.new_ids(4)
        for one in ids:
            sender.export(otlp.LOGS, otlp.request(otlp.LOGS, [one]), metadata=[("x-tenant-bin", b"ab")])
        http_backend.wait_for(ids)
        until(
            lambda: holdfast.books("logs", "otlphttp")["dead_lettered"]["items"] == 1,
            lambda: f"{holdfast.books('logs', 'otlphttp')}",
        )
        assert sorted(http_backend.ids()) == sorted(ids)
        holdfast.wait_for_log("cannot be formed: the value of the header x-id-bin")


class TestConfiguredHeaders:
    def test_http_sends_each_once(self, start, http_backend, grpc_sender):
        headers = {"Content-Type": "application/x-protobuf", "User-Agent": "mine/1", "host": "own.example"}
        holdfast = start(config({"otlphttp": otlphttp_exporter(http_backend, headers=headers)}))
        ids = otlp.new_ids(1)
        grpc_sender(holdfast).export(otlp.LOGS, otlp.request(otlp.LOGS, ids))
        http_backend.wait_for(ids)
        seen = http_backend.requests[0].metadata
        assert seen["content-type"] == "application/x-protobuf"
        assert seen["user-agent"] == "mine/1" and seen["host"] == "own.example"

    def test_grpc_lets_the_user_agent_be_set(self, start, grpc_backend, grpc_sender):
        holdfast = start(config({"otlp": otlp_exporter(grpc_backend, headers={"User-Agent": "mine/1"})}))
        ids = otlp.new_ids(1)
        grpc_sender(holdfast).export(otlp.LOGS, otlp.request(otlp.LOGS, ids))
        grpc_backend.wait_for(ids)
        assert grpc_backend.requests[0].metadata["user-agent"] == "mine/1"

    @pytest.mark.parametrize(
        "exporter, name",
        [
            ("otlphttp", "Connection"),
            ("otlphttp", "Transfer-Encoding"),
            ("otlphttp", "content-length"),
            ("otlphttp", "TE"),
            ("otlphttp", "Upgrade"),
            ("otlp", "content-type"),
            ("otlp", "te"),
            ("otlp", "grpc-timeout"),
            ("otlp", ":authority"),
            ("otlp", "Connection"),
        ],
    )
    def test_those_of_the_transport_are_refused(self, tmp_path, exporter, name):
        path = tmp_path / "config.yaml"
        path.write_text(
            yaml.safe_dump(
                {
                    "receivers": {"otlp": {"protocols": {"grpc": {}}}},
                    "exporters": {exporter: {"endpoint": "http://localhost:1", "headers": {name: "x"}}},
                    "service": {"pipelines": {"logs": {"receivers": ["otlp"], "exporters": [exporter]}}},
                }
            )
        )
        refused = run("validate", "--config", path)
        assert refused.returncode != 0
        assert "a header of your own" in refused.stderr + refused.stdout


class TestBlanksAroundValues:
    def test_http(self, start, grpc_backend):
        auth = {"auth": {"authenticator": "bearertokenauth"}}
        holdfast = start(
            config({"otlp": otlp_exporter(grpc_backend)}),
            base=receiving(auth, {"bearertokenauth": {"token": "tok"}}),
        )
        ids = otlp.new_ids(1)
        body = senders.ENCODE["gzip"](otlp.request(otlp.LOGS, ids).SerializeToString())
        head = (
            b"POST /v1/logs HTTP/1.1\r\nHost: x\r\nContent-Type: \tapplication/x-protobuf \r\n"
            b"Content-Encoding: gzip \t\r\nAuthorization:  Bearer tok \r\nConnection: close\r\n"
            b"Content-Length: %d\r\n\r\n" % len(body)
        )
        assert b" 200 " in say(holdfast.ports["HTTP_PORT"], head + body).split(b"\r\n")[0]
        grpc_backend.wait_for(ids)

    def test_grpc(self, start, grpc_backend):
        auth = {"auth": {"authenticator": "bearertokenauth"}}
        holdfast = start(
            config({"otlp": otlp_exporter(grpc_backend)}),
            base=receiving(auth, {"bearertokenauth": {"token": "tok"}}),
        )
        ids = otlp.new_ids(1)
        with RawGrpc(holdfast.ports["GRPC_PORT"]) as raw:
            reply = raw.call(
                "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
                senders.ENCODE["gzip"](otlp.request(otlp.LOGS, ids).SerializeToString()),
                compressed=True,
                extra=[("authorization", " Bearer tok\t "), ("grpc-encoding", "gzip ")],
            )
            assert reply.code == 0, reply.text
        grpc_backend.wait_for(ids)


class TestRedirects:
    SECRETS = {"Authorization": "Bearer x", "x-api-key": "secret", "Cookie": "a=b"}

    @pytest.mark.parametrize("code", [307, 308])
    def test_one_on_the_same_host_is_followed_with_all(self, start, http_backend, grpc_sender, code):
        http_backend.next(status(code, {"Location": "/v1/logs"}))
        holdfast = start(config({"otlphttp": otlphttp_exporter(http_backend, headers=self.SECRETS)}))
        ids = otlp.new_ids(2)
        grpc_sender(holdfast).export(otlp.LOGS, otlp.request(otlp.LOGS, ids))
        http_backend.wait_for(ids)
        assert len(http_backend.requests) == 2
        seen = http_backend.requests[1].metadata
        assert [seen[name.lower()] for name in self.SECRETS] == list(self.SECRETS.values())

    def test_https_of_the_same_host_gets_them_too(self, start, ending, grpc_sender, authority):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(authority.directory / "server.crt", authority.directory / "server.key")
        secure = ending.enter_context(HttpBackend(tls=context))
        plain = ending.enter_context(HttpBackend())
        plain.always = status(308, {"Location": f"{secure.endpoint}/v1/logs"})
        holdfast = start(
            config(
                {
                    "otlphttp": otlphttp_exporter(
                        plain, headers=self.SECRETS, tls={"ca_file": str(authority.certificate)}
                    )
                }
            )
        )
        ids = otlp.new_ids(1)
        grpc_sender(holdfast).export(otlp.LOGS, otlp.request(otlp.LOGS, ids))
        secure.wait_for(ids)
        assert secure.requests[0].metadata["x-api-key"] == "secret"
        holdfast.wait_for_log("requests are redirected to https://")

    def test_another_host_gets_the_data_without_credentials(self, start, ending, grpc_sender):
        first, other = ending.enter_context(HttpBackend()), ending.enter_context(HttpBackend())
        first.always = status(307, {"Location": f"{other.endpoint}/v1/logs"})
        holdfast = start(config({"otlphttp": otlphttp_exporter(first, headers=self.SECRETS)}))
        ids = otlp.new_ids(1)
        grpc_sender(holdfast).export(otlp.LOGS, otlp.request(otlp.LOGS, ids))
        other.wait_for(ids)
        assert not set(other.requests[0].metadata) & {name.lower() for name in self.SECRETS}
        assert other.requests[0].metadata["content-type"] == "application/x-protobuf"
        holdfast.wait_for_log("another host, and go there without the configured headers")

    @pytest.mark.parametrize("code", [301, 302, 303])
    def test_others_are_not_followed_and_the_log_says_so(self, start, http_backend, grpc_sender, code):
        http_backend.next(status(code, {"Location": f"{http_backend.endpoint}/elsewhere"}))
        holdfast = start(config({"otlphttp": otlphttp_exporter(http_backend)}))
        ids = otlp.new_ids(1)
        grpc_sender(holdfast).export(otlp.LOGS, otlp.request(otlp.LOGS, ids))
        http_backend.wait_for(ids)
        holdfast.wait_for_log(
            rf"the redirect to {re.escape(http_backend.endpoint)}/elsewhere is not followed: only 307 and 308"
        )

    def test_a_circle_holds_the_data(self, start, http_backend, grpc_sender):
        http_backend.always = status(308, {"Location": "/v1/logs"})
        holdfast = start(config({"otlphttp": otlphttp_exporter(http_backend)}))
        ids = otlp.new_ids(1)
        grpc_sender(holdfast).export(otlp.LOGS, otlp.request(otlp.LOGS, ids))
        holdfast.wait_for_log("five redirects in a row")
        assert holdfast.books("logs", "otlphttp")["queued"]["items"] == 1
        http_backend.always = ok()
        http_backend.wait_for(ids)


class TestPages:
    def test_a_page_with_200_delivers_nothing(self, start, http_backend, grpc_sender):
        http_backend.always = status(200, {"Content-Type": "text/html; charset=utf-8"}, b"<html>log in</html>")
        holdfast = start(config({"otlphttp": otlphttp_exporter(http_backend)}))
        ids = otlp.new_ids(2)
        grpc_sender(holdfast).export(otlp.LOGS, otlp.request(otlp.LOGS, ids))
        holdfast.wait_for_log("the answer is an HTML page")
        books = holdfast.books("logs", "otlphttp")
        assert books["queued"]["items"] == 2
        http_backend.always = ok()
        http_backend.wait_for(ids)


class TestClientsOnTheWrongPort:
    """Each gets an answer that it understands, and one line in the log for each peer and minute."""

    @pytest.fixture
    def served(self, start, grpc_backend):
        return start(config({"otlp": otlp_exporter(grpc_backend)}))

    @pytest.fixture
    def served_tls(self, start, grpc_backend, authority):
        return start(config({"otlp": otlp_exporter(grpc_backend)}), base=receiving(server_tls(authority)))

    @staticmethod
    def lines(holdfast, pattern):
        return re.findall(rf'"peer":"127\.0\.0\.1:\d+","error":"[^"]*{pattern}', holdfast.log())

    @pytest.mark.parametrize("transport", ["GRPC", "HTTP"])
    def test_tls_to_a_port_in_clear(self, served, transport):
        for _ in range(2):
            with socket.create_connection(("127.0.0.1", served.ports[f"{transport}_PORT"]), 10) as plain:
                with pytest.raises(ssl.SSLError):
                    ssl._create_unverified_context().wrap_socket(plain, server_hostname="localhost")
        served.wait_for_log("speaks TLS to a port in clear: set [^ ]*.*tls")
        assert len(self.lines(served, "speaks TLS")) == 1

    def test_http_to_the_port_of_grpc(self, served):
        connection = http.client.HTTPConnection("127.0.0.1", served.ports["GRPC_PORT"], timeout=10)
        connection.request("POST", "/v1/logs", b"x" * 100_000)
        answer = connection.getresponse()
        assert answer.status == 505 and b"OTLP/HTTP" in answer.read()
        served.wait_for_log("speaks HTTP/1.1 to a port of gRPC: set .*protocols::http, usually port 4318")

    def test_grpc_to_the_port_of_http(self, served):
        for _ in range(2):
            assert b"This port is for HTTP/1.1" in say(served.ports["HTTP_PORT"], PREFACE)
        served.wait_for_log(r"speaks HTTP/2 \(gRPC\) to a port of HTTP/1.1: set .*port 4317")
        assert len(self.lines(served, "speaks HTTP/2")) == 1

    def test_http_in_clear_to_the_port_of_https(self, served_tls):
        answer = senders.post(served_tls.http_base, otlp.LOGS, otlp.request(otlp.LOGS, [1]))
        assert answer.status_code == 400 and "TLS" in answer.text
        served_tls.wait_for_log("speaks HTTP in clear, not TLS, to a port with TLS: set https://")

    @pytest.mark.parametrize("transport", ["GRPC", "HTTP"])
    def test_grpc_in_clear_to_a_port_with_tls(self, served_tls, transport):
        assert b"TLS" in say(served_tls.ports[f"{transport}_PORT"], PREFACE)
        served_tls.wait_for_log("in clear, not TLS, to a port .*TLS: set")

    def test_http_in_clear_to_the_port_of_grpc_with_tls(self, served_tls):
        heard = say(served_tls.ports["GRPC_PORT"], b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert heard.startswith(b"HTTP/1.1 400 ")
        served_tls.wait_for_log("speaks HTTP/1.1 in clear, not TLS, to a port of gRPC with TLS")

    def test_the_right_ones_are_still_served(self, served_tls, grpc_backend, authority):
        base = served_tls.http_base.replace("http:", "https:")
        ids = otlp.new_ids(1)
        senders.post(
            base, otlp.LOGS, otlp.request(otlp.LOGS, ids), verify=str(authority.certificate)
        ).raise_for_status()
        grpc_backend.wait_for(ids)


class TestExportersToTheWrongPort:
    """One Holdfast sends to the wrong port of another; nothing is lost, and the log says what to change."""

    @pytest.mark.parametrize(
        "kind, endpoint, tls, expected",
        [
            ("otlp", "http://127.0.0.1:{HTTP_PORT}", False, "This port is for HTTP/1.1"),
            ("otlp", "http://127.0.0.1:{HTTP_PORT}", True, "This port wants TLS"),
            ("otlp", "http://127.0.0.1:{GRPC_PORT}", True, "This port wants TLS"),
            ("otlp", "https://127.0.0.1:{GRPC_PORT}", False, "speaks HTTP in clear on this port, not TLS"),
            ("otlp", "https://127.0.0.1:{HTTP_PORT}", False, "speaks HTTP in clear on this port, not TLS"),
            ("otlp", "https://127.0.0.1:{HTTP_PORT}", True, "ALPN"),
            ("otlphttp", "http://127.0.0.1:{GRPC_PORT}", False, "speaks gRPC on this port, not HTTP/1.1"),
            ("otlphttp", "http://127.0.0.1:{GRPC_PORT}", True, "the server wants TLS on this port"),
            ("otlphttp", "http://127.0.0.1:{HTTP_PORT}", True, "the server wants TLS on this port"),
            ("otlphttp", "https://127.0.0.1:{GRPC_PORT}", False, "does not speak TLS on this port"),
            ("otlphttp", "https://127.0.0.1:{HTTP_PORT}", False, "does not speak TLS on this port"),
        ],
    )
    def test_the_log_names_the_key(
        self, start, grpc_backend, grpc_sender, authority, kind, endpoint, tls, expected
    ):
        gateway = start(
            config({"otlp": otlp_exporter(grpc_backend)}),
            base=receiving(server_tls(authority) if tls else None),
        )
        more = {"endpoint": endpoint.format(**gateway.ports), "tls": {"insecure_skip_verify": True}}
        edge = start(config({kind: {**otlphttp_exporter(grpc_backend), **more}}))
        ids = otlp.new_ids(1)
        grpc_sender(edge).export(otlp.LOGS, otlp.request(otlp.LOGS, ids))
        edge.wait_for_log(expected)
        books = edge.books("logs", kind)
        assert books["queued"]["items"] == 1 and books["dead_lettered"]["items"] == 0
