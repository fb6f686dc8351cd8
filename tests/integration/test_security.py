"""TLS and credentials, on both sides. The peers are grpcio, requests and Python's ssl."""

import base64
import copy
import hashlib
import re
import socket
import ssl
import subprocess
import threading
import warnings

import grpc
import pytest
import requests

from support import otlp, senders
from support.backends import GrpcBackend, HttpBackend, ok, status
from support.certificates import Authority
from support.holdfast import BASE, FAST_RETRY, config, otlp_exporter, otlphttp_exporter
from support.ports import free_port
from support.proxy import Proxy
from support.waiting import until


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    made = Authority(tmp_path_factory.mktemp("tls"))
    made.issue("server")
    made.issue("client")
    return made


def receiving(grpc_more=None, http_more=None, extensions=None):
    """The base configuration with more keys for the receiver, and extensions in service.extensions."""
    base = copy.deepcopy(BASE)
    protocols = base["receivers"]["otlp"]["protocols"]
    protocols["grpc"].update(grpc_more or {})
    protocols["http"].update(http_more or {})
    for name, body in (extensions or {}).items():
        base["extensions"][name] = body
        base["service"]["extensions"].append(name)
    return base


def server_tls(authority, name="server", **more):
    return {
        "cert_file": str(authority.directory / f"{name}.crt"),
        "key_file": str(authority.directory / f"{name}.key"),
        **more,
    }


def client_credentials(authority, name=None):
    root = authority.certificate.read_bytes()
    if name is None:
        return grpc.ssl_channel_credentials(root)
    key, chain = (authority.directory / f"{name}{ending}" for ending in (".key", ".crt"))
    return grpc.ssl_channel_credentials(root, key.read_bytes(), chain.read_bytes())


class TestTlsReceiver:
    def test_both_transports_serve_tls(self, start, grpc_backend, grpc_sender, authority):
        tls = {"tls": server_tls(authority)}
        holdfast = start(config({"otlp": otlp_exporter(grpc_backend)}), base=receiving(tls, tls))
        ids = otlp.new_ids(4)
        sender = grpc_sender(holdfast, credentials=client_credentials(authority))
        sender.export(otlp.TRACES, otlp.request(otlp.TRACES, ids[:2]))
        base = holdfast.http_base.replace("http:", "https:")
        answer = senders.post(
            base, otlp.LOGS, otlp.request(otlp.LOGS, ids[2:]), verify=str(authority.certificate)
        )
        assert answer.status_code == 200
        grpc_backend.wait_for(ids)

    def test_plain_text_is_not_served_on_a_tls_port(self, start, grpc_backend, grpc_sender, authority):
        tls = {"tls": server_tls(authority)}
        holdfast = start(config({"otlp": otlp_exporter(grpc_backend)}), base=receiving(tls, tls))
        code = grpc_sender(holdfast).code(otlp.TRACES, otlp.request(otlp.TRACES, [1]), timeout=2)
        assert code in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)
        with pytest.raises(requests.RequestException):
            senders.post(
                holdfast.http_base, otlp.TRACES, otlp.request(otlp.TRACES, [1]), timeout=2
            ).raise_for_status()

    def test_client_certificates_are_demanded(self, start, grpc_backend, grpc_sender, authority):
        tls = {"tls": server_tls(authority, client_ca_file=str(authority.certificate))}
        holdfast = start(config({"otlp": otlp_exporter(grpc_backend)}), base=receiving(tls, tls))
        ids = otlp.new_ids(4)
        request = otlp.request(otlp.TRACES, ids[:2])
        without = grpc_sender(holdfast, credentials=client_credentials(authority))
        assert without.code(otlp.TRACES, request, timeout=2) is grpc.StatusCode.UNAVAILABLE
        grpc_sender(holdfast, credentials=client_credentials(authority, "client")).export(
            otlp.TRACES, request
        )
        base = holdfast.http_base.replace("http:", "https:")
        options = {"verify": str(authority.certificate)}
        with pytest.raises(requests.RequestException):
            senders.post(base, otlp.LOGS, otlp.request(otlp.LOGS, ids[2:]), **options)
        pair = (str(authority.directory / "client.crt"), str(authority.directory / "client.key"))
        assert (
            senders.post(base, otlp.LOGS, otlp.request(otlp.LOGS, ids[2:]), cert=pair, **options).status_code
            == 200
        )
        grpc_backend.wait_for(ids)

    def test_a_new_certificate_is_taken_without_a_restart(self, start, grpc_backend, tmp_path):
        own = Authority(tmp_path / "tls")
        own.issue("server", "first")
        tls = {"tls": server_tls(own, reload_interval="1s")}
        holdfast = start(config({"otlp": otlp_exporter(grpc_backend)}), base=receiving(tls))

        def serial():
            context = ssl.create_default_context(cafile=own.certificate)
            context.set_alpn_protocols(["h2"])
            with socket.create_connection(("127.0.0.1", holdfast.ports["GRPC_PORT"]), 5) as plain:
                with context.wrap_socket(plain, server_hostname="localhost") as secured:
                    return dict(part[0] for part in secured.getpeercert()["subject"])["commonName"]

        assert serial() == "first"
        own.issue("server", "second")
        until(lambda: serial() == "second", "the new certificate is not served")


def connect(port):
    return socket.create_connection(("127.0.0.1", port), 5)


def shake(port, context, alpn="h2"):
    """A TLS handshake and one byte of an answer, which a refused client does not get."""
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols([alpn])
    with connect(port) as plain, context.wrap_socket(plain) as secured:
        secured.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert secured.recv(1), "no answer"


REFUSED = (OSError, AssertionError)


class TestRefusedPeers:
    """Whoever is turned away is logged with its address and the reason, once a minute."""

    @pytest.fixture(params=["grpc", "http"])
    def served(self, request, start, grpc_backend, authority):
        """A receiver that demands certificates, the port of one transport, and its name."""
        tls = {"tls": server_tls(authority, client_ca_file=str(authority.certificate), min_version="1.2")}
        holdfast = start(config({"otlp": otlp_exporter(grpc_backend)}), base=receiving(tls, tls))
        return holdfast, holdfast.ports[f"{request.param.upper()}_PORT"], request.param

    def lines(self, holdfast, pattern):
        return re.findall(rf'"peer":"127\.0\.0\.1:\d+","error":"[^"]*(?:{pattern})', holdfast.log())

    def assert_refused(self, served, attempt, pattern):
        """Tries thrice; one line comes of it, and each try is counted."""
        holdfast, port, transport = served
        for _ in range(3):
            attempt(port)
        holdfast.wait_metric(
            "holdfast_receiver_errors", 3, transport=transport, reason="protocol", receiver="otlp"
        )
        assert len(self.lines(holdfast, pattern)) == 1, holdfast.log()

    def test_plain_text(self, served):
        def attempt(port):
            with connect(port) as plain:
                plain.sendall(b"POST /v1/logs HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n")
                while plain.recv(1000):
                    pass

        self.assert_refused(served, attempt, "in clear, not TLS")

    def test_no_certificate(self, served):
        def attempt(port):
            with pytest.raises(REFUSED):
                shake(port, ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))

        self.assert_refused(served, attempt, "did not return a certificate|no client certificate")

    def test_a_certificate_of_a_strange_authority(self, served, tmp_path):
        stranger = Authority(tmp_path / "stranger")
        pair = stranger.issue("client")

        def attempt(port):
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.load_cert_chain(*pair)
            with pytest.raises(REFUSED):
                shake(port, context)

        self.assert_refused(served, attempt, "issuer")

    def test_an_old_version(self, served):
        def attempt(port):
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.set_ciphers("DEFAULT:@SECLEVEL=0")
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)
                context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
            with pytest.raises(REFUSED):
                shake(port, context)

        self.assert_refused(served, attempt, "unsupported protocol|offers at most version 1.1")

    def test_a_client_that_does_not_trust_the_server(self, served, tmp_path):
        stranger = Authority(tmp_path / "stranger")

        def attempt(port):
            context = ssl.create_default_context(cafile=stranger.certificate)
            with pytest.raises(REFUSED), connect(port) as plain:
                context.wrap_socket(plain, server_hostname="localhost")

        self.assert_refused(served, attempt, "unknown ca|may not trust")

    def test_who_only_looks_or_is_welcome_is_not_complained_of(self, served, grpc_sender, authority):
        holdfast, port, transport = served
        connect(port).close()
        request = otlp.request(otlp.LOGS, [1])
        if transport == "grpc":
            grpc_sender(holdfast, credentials=client_credentials(authority, "client")).export(
                otlp.LOGS, request
            )
        else:
            base = holdfast.http_base.replace("http:", "https:")
            pair = (str(authority.directory / "client.crt"), str(authority.directory / "client.key"))
            answer = senders.post(base, otlp.LOGS, request, cert=pair, verify=str(authority.certificate))
            assert answer.status_code == 200
        assert not self.lines(holdfast, "")
        assert holdfast.metric("holdfast_receiver_errors", transport=transport, reason="protocol") == 0

    def test_wrong_credentials(self, start, grpc_backend, grpc_sender):
        auth = {"auth": {"authenticator": "bearertokenauth"}}
        base = receiving(auth, auth, {"bearertokenauth": {"token": "open-sesame"}})
        holdfast = start(config({"otlp": otlp_exporter(grpc_backend)}), base=base)
        request = otlp.request(otlp.LOGS, [1])
        for _ in range(3):
            assert grpc_sender(holdfast).code(otlp.LOGS, request) is grpc.StatusCode.UNAUTHENTICATED
            assert senders.post(holdfast.http_base, otlp.LOGS, request).status_code == 401
        assert len(self.lines(holdfast, "wrong credentials")) == 1


class TestRenewal:
    @pytest.mark.parametrize("transport", ["grpc", "http"])
    def test_files_that_do_not_fit_are_told_once_and_the_old_ones_serve(
        self, start, grpc_backend, tmp_path, transport
    ):
        own = Authority(tmp_path / "tls")
        own.issue("server", "first")
        tls = {"tls": server_tls(own, reload_interval="1ms")}
        holdfast = start(config({"otlp": otlp_exporter(grpc_backend)}), base=receiving(tls, tls))
        own.issue("other", "second")
        (own.directory / "other.crt").replace(own.directory / "server.crt")
        port = holdfast.ports[f"{transport.upper()}_PORT"]
        alpn = "h2" if transport == "grpc" else "http/1.1"

        def told():
            shake(port, ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), alpn)
            return [
                line
                for line in holdfast.log().splitlines()
                if f"protocols::{transport}: reloading TLS files failed" in line
            ]

        until(told, "nothing is said of the new files")
        for _ in range(3):
            assert len(told()) == 1
        assert str(own.directory / "server.key") in told()[0]


    @pytest.mark.parametrize("part", ["ca_file", "cert_file", "key_file"])
    @pytest.mark.parametrize("kind", ["otlp", "otlphttp"])
    def test_exporters_go_on_with_the_old_files(self, start, ending, grpc_sender, tmp_path, kind, part):
        own = Authority(tmp_path / "tls")
        files = {"ca_file": own.certificate}
        files["cert_file"], files["key_file"] = own.issue("client")
        own.issue("server")
        read = {name: path.read_bytes() for name, path in files.items()}
        chain, key = (own.directory / f"server.{ending}" for ending in ("crt", "key"))
        if kind == "otlp":
            pair = [(key.read_bytes(), chain.read_bytes())]
            credentials = grpc.ssl_server_credentials(pair, read["ca_file"], True)
            backend = ending.enter_context(GrpcBackend(credentials=credentials))
            exporter = otlp_exporter(backend)
        else:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(chain, key)
            context.load_verify_locations(own.certificate)
            context.verify_mode = ssl.CERT_REQUIRED
            backend = ending.enter_context(HttpBackend(tls=context))
            exporter = otlphttp_exporter(backend, disable_keep_alives=True)
        exporter["tls"] = {name: str(path) for name, path in files.items()} | {"reload_interval": "1ms"}
        holdfast = start(config({kind: exporter}))
        sender = grpc_sender(holdfast)

        def deliver():
            """Over a new connection."""
            if kind == "otlp":
                backend.stop()
                backend.start()
            ids = otlp.new_ids(1)
            sender.export(otlp.TRACES, otlp.request(otlp.TRACES, ids))
            backend.wait_for(ids)
            return [line for line in holdfast.log().splitlines() if "reloading TLS files failed" in line]

        assert not deliver()
        files[part].write_text("garbage\n")
        lines = until(deliver, "nothing is said of the new files")
        assert deliver() == lines and len(lines) == 1 and str(files[part]) in lines[0]
        files[part].write_bytes(read[part])
        assert deliver() == lines

    @pytest.mark.parametrize("kind", ["otlp", "otlphttp"])
    def test_a_new_authority_is_trusted_without_a_restart(self, start, ending, grpc_sender, tmp_path, kind):
        own, other = Authority(tmp_path / "tls"), Authority(tmp_path / "other")
        chain, key = own.issue("server")
        if kind == "otlp":
            credentials = grpc.ssl_server_credentials([(key.read_bytes(), chain.read_bytes())])
            backend = ending.enter_context(GrpcBackend(credentials=credentials))
            exporter = otlp_exporter(backend)
        else:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(chain, key)
            backend = ending.enter_context(HttpBackend(tls=context))
            exporter = otlphttp_exporter(backend)
        exporter["tls"] = {"ca_file": str(other.certificate), "reload_interval": "1ms"}
        holdfast = start(config({kind: exporter}))
        ids = otlp.new_ids(1)
        grpc_sender(holdfast).export(otlp.TRACES, otlp.request(otlp.TRACES, ids))
        holdfast.wait_for_log("(?i)certificate")
        other.certificate.write_bytes(own.certificate.read_bytes())
        backend.wait_for(ids)

    @pytest.mark.parametrize("kind", ["otlp", "otlphttp"])
    def test_an_authority_that_is_not_there_yet_holds_up_only_its_exporter(
        self, start, ending, grpc_backend, grpc_sender, tmp_path, kind
    ):
        own = Authority(tmp_path / "tls")
        chain, key = own.issue("server")
        late = tmp_path / "late.crt"
        if kind == "otlp":
            credentials = grpc.ssl_server_credentials([(key.read_bytes(), chain.read_bytes())])
            backend = ending.enter_context(GrpcBackend(credentials=credentials))
            exporter = otlp_exporter(backend)
        else:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(chain, key)
            backend = ending.enter_context(HttpBackend(tls=context))
            exporter = otlphttp_exporter(backend)
        exporter["tls"] = {"ca_file": str(late), "reload_interval": "1ms"}
        holdfast = start(config({kind: exporter, "otlp/other": otlp_exporter(grpc_backend)}))
        holdfast.wait_for_log(f'"name":"{kind}".*ca_file does not exist.*"ca_file":"{late}"')
        ids = otlp.new_ids(3)
        grpc_sender(holdfast).export(otlp.TRACES, otlp.request(otlp.TRACES, ids))
        grpc_backend.wait_for(ids)
        holdfast.wait_for_log(f'"name":"{kind}","msg":"Exporting failed. Will retry')
        assert not backend.requests
        late.write_bytes(own.certificate.read_bytes())
        backend.wait_for(ids)


def s_client(holdfast, transport, *arguments):
    """What `openssl s_client` says of a handshake: (cipher suite or None, key exchange)."""
    port = holdfast.ports[f"{transport.upper()}_PORT"]
    alpn = "h2" if transport == "grpc" else "http/1.1"
    done = subprocess.run(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-alpn", alpn, *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=30,
    )
    cipher = re.search(r"Cipher is (\S+)", done.stdout)
    key = re.search(
        r"(?:(?:Server|Peer) Temp Key: (?:ECDH, )?|Negotiated TLS1.3 group: )([^,\n]+)", done.stdout
    )
    named = cipher and cipher[1] != "(NONE)" and key
    return (cipher[1], key[1]) if named else (None, None)


@pytest.mark.parametrize("transport", ["grpc", "http"])
class TestAlgorithmsOfReceivers:
    @pytest.fixture
    def serving(self, start, grpc_backend, authority, transport):
        def serve(**more):
            tls = {"tls": server_tls(authority, **more)}
            return start(config({"otlp": otlp_exporter(grpc_backend)}), base=receiving(tls, tls))

        return serve

    def test_only_the_suites_that_are_named_are_used(self, serving, transport):
        holdfast = serving(
            cipher_suites=["TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "TLS_AES_256_GCM_SHA384"]
        )
        assert s_client(holdfast, transport)[0] == "TLS_AES_256_GCM_SHA384"
        assert s_client(holdfast, transport, "-ciphersuites", "TLS_AES_128_GCM_SHA256")[0] is None
        assert s_client(holdfast, transport, "-tls1_2")[0] == "ECDHE-ECDSA-AES256-GCM-SHA384"
        small = ["-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256"]
        assert s_client(holdfast, transport, *small)[0] is None
        holdfast.wait_for_log("no shared cipher|no version, cipher suite and curve")

    def test_what_no_name_says_stays_out_though_its_parts_are_named(self, serving, transport):
        holdfast = serving(
            cipher_suites=[
                "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
                "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
            ]
        )
        for name, served in (("AES128-GCM-SHA256", True), ("AES256-GCM-SHA384", False)):
            suite = f"ECDHE-ECDSA-{name}"
            chosen = s_client(holdfast, transport, "-tls1_2", "-cipher", suite)[0]
            assert chosen == (suite if served else None)
        assert s_client(holdfast, transport, "-tls1_3")[0]

    @pytest.mark.parametrize(
        "suite", ["ECDHE-ECDSA-AES128-SHA", "ECDHE-ECDSA-AES256-SHA384", "ECDHE-ECDSA-AES128-SHA256"]
    )
    def test_what_http2_forbids_is_only_served_over_http1(self, serving, transport, suite):
        holdfast = serving()
        chosen = s_client(holdfast, transport, "-tls1_2", "-cipher", suite)[0]
        assert transport == "http" or chosen is None
        assert s_client(holdfast, transport, "-tls1_2")[0]

    def test_curves_are_those_that_are_named(self, serving, transport):
        holdfast = serving(curve_preferences=["P384", "CurveP521", "X25519MLKEM768"])
        assert s_client(holdfast, transport)[1] == "secp384r1"
        assert s_client(holdfast, transport, "-groups", "P-521:X25519")[1] == "secp521r1"
        assert s_client(holdfast, transport, "-groups", "X25519")[1] is None

    @pytest.mark.parametrize("version", ["1.1", "1.2", "1.3"])
    def test_versions_are_bounded_from_both_sides(self, serving, transport, version):
        holdfast = serving(min_version=version, max_version=version)
        for number in ("1.1", "1.2", "1.3"):
            flags = [f"-tls{number.replace('.', '_')}", "-cipher", "DEFAULT:@SECLEVEL=0"]
            assert (s_client(holdfast, transport, *flags)[0] is not None) == (number == version)


class Listener:
    """Takes TLS connections and remembers the cipher suite of each, or the reason why there is none."""

    def __init__(self, authority):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(authority.directory / "server.crt", authority.directory / "server.key")
        self.context.set_alpn_protocols(["h2", "http/1.1"])
        self.seen = []
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]

    def __enter__(self):
        threading.Thread(target=self.serve, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()

    def serve(self):
        while True:
            try:
                plain, _ = self.socket.accept()
            except OSError:
                return
            try:
                plain.settimeout(10)
                with self.context.wrap_socket(plain, server_side=True) as secured:
                    self.seen.append((secured.cipher()[0], secured.version()))
            except OSError as error:
                self.seen.append((None, str(error)))


@pytest.mark.parametrize("kind", ["otlp", "otlphttp"])
class TestAlgorithmsOfExporters:
    @pytest.fixture
    def sending(self, start, grpc_sender, authority, kind):
        def send(listener, **more):
            scheme = "https://" if kind == "otlphttp" else ""
            tls = {"ca_file": str(authority.certificate), **more}
            exporter = {"endpoint": f"{scheme}localhost:{listener.port}", "tls": tls}
            holdfast = start(config({kind: {**exporter, "retry_on_failure": dict(FAST_RETRY)}}))
            grpc_sender(holdfast).export(otlp.TRACES, otlp.request(otlp.TRACES, [1]))
            return until(lambda: listener.seen, "no connection came")[0]

        return send

    def test_only_the_suites_that_are_named_are_offered(self, ending, sending, authority, kind):
        old = ending.enter_context(Listener(authority))
        old.context.maximum_version = ssl.TLSVersion.TLSv1_2
        suites = ["TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", "TLS_CHACHA20_POLY1305_SHA256"]
        old.context.set_ciphers("ALL")
        assert sending(old, cipher_suites=suites)[0] == "ECDHE-ECDSA-AES128-SHA"
        new = ending.enter_context(Listener(authority))
        assert sending(new, cipher_suites=suites)[0] == "TLS_CHACHA20_POLY1305_SHA256"

    @pytest.mark.parametrize("curve, shared", [("P521", True), ("P384", False)])
    def test_only_the_curves_that_are_named_are_offered(self, ending, sending, authority, kind, curve, shared):
        listener = ending.enter_context(Listener(authority))
        listener.context.set_ecdh_curve("secp521r1")
        assert (sending(listener, curve_preferences=[curve])[0] is not None) == shared

    @pytest.mark.parametrize("version", ["1.1", "1.2", "1.3"])
    def test_versions_are_bounded_from_both_sides(self, ending, sending, authority, kind, version):
        listener = ending.enter_context(Listener(authority))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            listener.context.minimum_version = ssl.TLSVersion.TLSv1_1
        listener.context.set_ciphers("DEFAULT:@SECLEVEL=0")
        assert sending(listener, min_version=version, max_version=version)[1] == f"TLSv{version}"

    def test_an_unknown_name_is_a_mistake_with_its_place(self, start, kind):
        tls = {"cipher_suites": ["TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA265"], "curve_preferences": ["P255"]}
        endpoint = "https://localhost:1" if kind == "otlphttp" else "localhost:1"
        holdfast = start(config({kind: {"endpoint": endpoint, "tls": tls}}), ready=False).spawn()
        assert holdfast.process.wait(60) != 0
        assert "tls::cipher_suites[0]" in holdfast.log()
        assert 'did you mean "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"?' in holdfast.log().replace("\\", "")
        assert 'did you mean "P256"?' in holdfast.log().replace("\\", "")


class TestTlsExporter:
    @pytest.mark.parametrize("mutual", [False, True], ids=["server", "mutual"])
    def test_otlp_speaks_tls_to_grpcio(self, start, ending, grpc_sender, authority, mutual):
        key, chain, root = (
            (authority.directory / name).read_bytes() for name in ("server.key", "server.crt", "ca.crt")
        )
        credentials = grpc.ssl_server_credentials([(key, chain)], root if mutual else None, mutual)
        backend = ending.enter_context(GrpcBackend(credentials=credentials))
        tls = {"ca_file": str(authority.certificate)}
        if mutual:
            tls |= {
                "cert_file": str(authority.directory / "client.crt"),
                "key_file": str(authority.directory / "client.key"),
            }
        holdfast = start(config({"otlp": otlp_exporter(backend, tls=tls)}))
        ids = otlp.new_ids(3)
        grpc_sender(holdfast).export(otlp.TRACES, otlp.request(otlp.TRACES, ids))
        backend.wait_for(ids)

    def test_an_untrusted_backend_gets_nothing_and_nothing_is_lost(
        self, start, ending, grpc_sender, authority, tmp_path
    ):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(authority.directory / "server.crt", authority.directory / "server.key")
        backend = ending.enter_context(HttpBackend(tls=context))
        stranger = Authority(tmp_path / "stranger")
        exporter = otlphttp_exporter(backend, tls={"ca_file": str(stranger.certificate)})
        holdfast = start(config({"otlphttp": exporter}))
        ids = otlp.new_ids(3)
        grpc_sender(holdfast).export(otlp.TRACES, otlp.request(otlp.TRACES, ids))
        holdfast.wait_for_log("(?i)certificate")
        assert not backend.requests
        exporter["tls"]["ca_file"] = str(authority.certificate)
        holdfast.write_config(config({"otlphttp": exporter}))
        holdfast.restart()
        backend.wait_for(ids)

    @pytest.mark.parametrize("kind", ["otlp", "otlphttp"])
    @pytest.mark.parametrize("tls, trusted", [("none", True), ("own", False), ("both", True)])
    def test_the_systems_authorities_are_trusted_when_told(
        self, start, ending, grpc_sender, authority, tmp_path, kind, tls, trusted
    ):
        """The backend's authority is the system's; the configuration names another one, or none."""
        listener = ending.enter_context(Listener(authority))
        stranger = Authority(tmp_path / "stranger")
        keys = {
            "none": {},
            "own": {"ca_file": str(stranger.certificate)},
            "both": {"ca_file": str(stranger.certificate), "include_system_ca_certs_pool": True},
        }
        scheme = "https://" if kind == "otlphttp" else ""
        exporter = {"endpoint": f"{scheme}localhost:{listener.port}", "tls": keys[tls]}
        holdfast = start(
            config({kind: {**exporter, "retry_on_failure": dict(FAST_RETRY)}}),
            environment={"SSL_CERT_FILE": str(authority.certificate), "SSL_CERT_DIR": str(tmp_path)},
        )
        grpc_sender(holdfast).export(otlp.TRACES, otlp.request(otlp.TRACES, [1]))
        until(lambda: listener.seen, "no connection came")
        assert (listener.seen[0][0] is not None) == trusted

    @pytest.mark.parametrize("transport", ["grpc", "http"])
    def test_everything_may_be_given_as_text(self, start, ending, grpc_sender, authority, transport):
        """Both sides; the client is asked for a certificate, and the server's name is not its endpoint's."""

        def texts(name):
            return {
                f"{part}_pem": (authority.directory / f"{name}.{end}").read_text()
                for part, end in (("cert", "crt"), ("key", "key"))
            }

        backend = ending.enter_context(GrpcBackend())
        server = {**texts("server"), "client_ca_file": str(authority.certificate)}
        taking = start(
            config({"otlp": otlp_exporter(backend)}), base=receiving({"tls": server}, {"tls": server})
        )
        client = {**texts("client"), "ca_pem": authority.certificate.read_text()}
        client["server_name_override"] = "server"
        kind, endpoint = "otlp", taking.grpc_target
        if transport == "http":
            kind, endpoint = "otlphttp", taking.http_base.replace("http:", "https:")
        sending = start(
            config(
                {kind: {"endpoint": endpoint, "tls": client, "retry_on_failure": dict(FAST_RETRY)}}
            )
        )
        ids = otlp.new_ids(1)
        grpc_sender(sending).export(otlp.TRACES, otlp.request(otlp.TRACES, ids))
        backend.wait_for(ids)

    @pytest.mark.parametrize("kind", ["otlp", "otlphttp"])
    def test_a_certificate_that_is_not_there_is_told_at_the_start(self, start, kind):
        endpoint = "https://localhost:1" if kind == "otlphttp" else "localhost:1"
        tls = {"cert_file": "/nonexistent/client.crt", "key_file": "/nonexistent/client.key"}
        holdfast = start(config({kind: {"endpoint": endpoint, "tls": tls}}), ready=False).spawn()
        assert holdfast.process.wait(60) != 0
        assert "/nonexistent/client.crt" in holdfast.log()

    def test_insecure_skip_verify_is_obeyed(self, start, ending, grpc_sender, authority):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(authority.directory / "server.crt", authority.directory / "server.key")
        backend = ending.enter_context(HttpBackend(tls=context))
        holdfast = start(config({"otlphttp": otlphttp_exporter(backend, tls={"insecure_skip_verify": True})}))
        ids = otlp.new_ids(1)
        grpc_sender(holdfast).export(otlp.TRACES, otlp.request(otlp.TRACES, ids))
        backend.wait_for(ids)


class TestCredentials:
    def test_a_bearer_token_is_demanded_on_both_transports(self, start, grpc_backend, grpc_sender):
        auth = {"auth": {"authenticator": "bearertokenauth"}}
        base = receiving(auth, auth, {"bearertokenauth": {"token": "open-sesame"}})
        holdfast = start(config({"otlp": otlp_exporter(grpc_backend)}), base=base)
        sender = grpc_sender(holdfast)
        ids = otlp.new_ids(2)
        request = otlp.request(otlp.TRACES, ids[:1])
        assert sender.code(otlp.TRACES, request) is grpc.StatusCode.UNAUTHENTICATED
        assert (
            sender.code(otlp.TRACES, request, metadata=[("authorization", "Bearer wrong")])
            is grpc.StatusCode.UNAUTHENTICATED
        )
        assert (
            sender.code(otlp.TRACES, request, metadata=[("authorization", "Bearer open-sesame")])
            is grpc.StatusCode.OK
        )
        request = otlp.request(otlp.LOGS, ids[1:])
        assert senders.post(holdfast.http_base, otlp.LOGS, request).status_code == 401
        good = {"Authorization": "Bearer open-sesame"}
        assert senders.post(holdfast.http_base, otlp.LOGS, request, headers=good).status_code == 200
        grpc_backend.wait_for(ids)
        assert "open-sesame" not in holdfast.log()

    def test_a_basic_password_is_demanded(self, start, grpc_backend):
        auth = {"auth": {"authenticator": "basicauth"}}
        base = receiving(None, auth, {"basicauth": {"htpasswd": {"inline": "ann:pa$$word\n"}}})
        holdfast = start(config({"otlp": otlp_exporter(grpc_backend)}), base=base)
        ids = otlp.new_ids(1)
        request = otlp.request(otlp.LOGS, ids)
        assert senders.post(holdfast.http_base, otlp.LOGS, request, auth=("ann", "wrong")).status_code == 401
        assert (
            senders.post(holdfast.http_base, otlp.LOGS, request, auth=("ann", "pa$word")).status_code == 200
        )
        grpc_backend.wait_for(ids)

    def test_every_kind_of_htpasswd_line_is_known(self, start, grpc_backend, tmp_path):
        def hashed(kind):
            return subprocess.run(
                ["openssl", "passwd", kind, "secret"], check=True, capture_output=True, text=True, timeout=30
            ).stdout.strip()

        lines = {kind: hashed(kind) for kind in ("-apr1", "-1", "-5", "-6")}
        lines["sha"] = "{SHA}" + base64.b64encode(hashlib.sha1(b"secret").digest()).decode()
        lines["ssha"] = "{SSHA}" + base64.b64encode(hashlib.sha1(b"secretsalt").digest() + b"salt").decode()
        lines["bcrypt"] = "$2y$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW"
        lines["plain"] = "secret"
        file = tmp_path / "htpasswd"
        file.write_text("".join(f"{user}:{line}\n" for user, line in lines.items()))
        auth = {"auth": {"authenticator": "basicauth"}}
        base = receiving(None, auth, {"basicauth": {"htpasswd": {"file": str(file)}}})
        holdfast = start(config({"otlp": otlp_exporter(grpc_backend)}), base=base)
        request = otlp.request(otlp.LOGS, [1])
        for user in lines:
            for password, code in (("wrong", 401), ("secret", 200)):
                answer = senders.post(holdfast.http_base, otlp.LOGS, request, auth=(user, password))
                assert answer.status_code == code, (user, password)

    @pytest.mark.parametrize("transport", ["grpc", "http"])
    def test_who_was_let_in_is_told_to_processors(self, start, grpc_backend, grpc_sender, transport):
        auth = {transport: {"auth": {"authenticator": "basicauth"}}}
        base = receiving(
            auth.get("grpc"), auth.get("http"), {"basicauth": {"htpasswd": {"inline": "ann:secret\n"}}}
        )
        actions = [
            {"key": "user", "from_context": "auth.username", "action": "insert"},
            {"key": "nobody", "from_context": "auth.nothing", "action": "insert"},
        ]
        raw = [{"key": "raw", "from_context": "auth.raw", "action": "upsert"}]
        processors = {"attributes": {"actions": actions}, "resource": {"attributes": raw}}
        holdfast = start(config({"otlp": otlp_exporter(grpc_backend)}, processors), base=base)
        ids = otlp.new_ids(1)
        request = otlp.request(otlp.LOGS, ids)
        shown = base64.b64encode(b"ann:secret").decode()
        if transport == "grpc":
            grpc_sender(holdfast).export(otlp.LOGS, request, metadata=[("authorization", f"Basic {shown}")])
        else:
            answer = senders.post(holdfast.http_base, otlp.LOGS, request, auth=("ann", "secret"))
            assert answer.status_code == 200
        grpc_backend.wait_for(ids)
        message = grpc_backend.requests[0].message
        attributes = otlp.attributes(otlp.items(otlp.LOGS, message)[0])
        assert attributes["user"] == "ann" and "nobody" not in attributes
        assert otlp.attributes(message.resource_logs[0].resource)["raw"] == shown

    def test_server_reflection_asks_for_them_too(self, start, grpc_backend):
        auth = {"auth": {"authenticator": "bearertokenauth"}}
        base = receiving(auth, None, {"bearertokenauth": {"token": "open-sesame"}})
        holdfast = start(config({"otlp": otlp_exporter(grpc_backend)}), base=base)
        path = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"
        with grpc.insecure_channel(f"127.0.0.1:{holdfast.ports['GRPC_PORT']}") as channel:
            reflect = channel.stream_stream(path)
            with pytest.raises(grpc.RpcError) as refusal:
                list(reflect(iter([b"\x3a\0"]), timeout=30))
            assert refusal.value.code() is grpc.StatusCode.UNAUTHENTICATED
            bearer = [("authorization", "Bearer open-sesame")]
            assert len(list(reflect(iter([b"\x3a\0"]), timeout=30, metadata=bearer))) == 1

    def test_what_nobody_asks_for_is_not_kept(self, start, http_backend, grpc_sender):
        """The secret itself least of all: neither with the data nor in the queue's files."""
        auth = {"auth": {"authenticator": "bearertokenauth"}}
        actions = [{"key": "user", "from_context": "auth.username", "action": "insert"}]
        holdfast = start(
            config({"otlphttp": otlphttp_exporter(http_backend)}, {"attributes": {"actions": actions}}),
            base=receiving(auth, None, {"bearertokenauth": {"token": "open-sesame"}}),
        )
        ids = otlp.new_ids(1)
        sender = grpc_sender(holdfast)
        bearer = [("authorization", "Bearer open-sesame")]
        sender.export(otlp.LOGS, otlp.request(otlp.LOGS, ids), metadata=bearer)
        http_backend.wait_for(ids)
        files = [path for path in holdfast.data_directory.rglob("*") if path.is_file()]
        assert files and not any(b"open-sesame" in path.read_bytes() for path in files)

    @pytest.mark.parametrize("kept", [True, False])
    def test_clients_headers_are_kept_only_when_told_to(self, start, http_backend, grpc_sender, kept):
        setter = {"headers": [{"key": "x-out", "from_context": "x-tenant", "default_value": "none"}]}
        holdfast = start(
            config({"otlphttp": otlphttp_exporter(http_backend, auth={"authenticator": "headers_setter"})}),
            base=receiving({"include_metadata": kept}, None, {"headers_setter": setter}),
        )
        ids = otlp.new_ids(1)
        grpc_sender(holdfast).export(
            otlp.LOGS, otlp.request(otlp.LOGS, ids), metadata=[("x-tenant", "blue")]
        )
        http_backend.wait_for(ids)
        assert http_backend.requests[0].metadata["x-out"] == ("blue" if kept else "none")
        assert ("protocols::grpc: the header x-tenant is asked for" in holdfast.log()) is not kept

    def test_exporters_show_their_credentials(self, start, ending, grpc_sender):
        grpc_backend, http_backend = ending.enter_context(GrpcBackend()), ending.enter_context(HttpBackend())
        base = receiving(
            extensions={
                "bearertokenauth": {"token": "out-token"},
                "basicauth/out": {"client_auth": {"username": "bob", "password": "hunter2"}},
            }
        )
        holdfast = start(
            config(
                {
                    "otlp": otlp_exporter(grpc_backend, auth={"authenticator": "bearertokenauth"}),
                    "otlphttp": otlphttp_exporter(http_backend, auth={"authenticator": "basicauth/out"}),
                }
            ),
            base=base,
        )
        ids = otlp.new_ids(1)
        grpc_sender(holdfast).export(otlp.TRACES, otlp.request(otlp.TRACES, ids))
        grpc_backend.wait_for(ids)
        http_backend.wait_for(ids)
        assert grpc_backend.requests[0].metadata["authorization"] == "Bearer out-token"
        expected = "Basic " + base64.b64encode(b"bob:hunter2").decode()
        assert http_backend.requests[0].metadata["authorization"] == expected

    def test_a_tenants_header_travels_through_queue_and_restart(self, start, ending, grpc_sender):
        backend = ending.enter_context(HttpBackend())
        backend.stop()
        base = receiving(
            {"include_metadata": True},
            None,
            {
                "headers_setter": {
                    "headers": [{"action": "upsert", "key": "X-Scope-OrgID", "from_context": "x-tenant"}]
                }
            },
        )
        holdfast = start(
            config({"otlphttp": otlphttp_exporter(backend, auth={"authenticator": "headers_setter"})}),
            base=base,
        )
        tenants = {"red": otlp.new_ids(3), "blue": otlp.new_ids(3)}
        sender = grpc_sender(holdfast)
        for tenant, ids in tenants.items():
            for item in ids:
                sender.export(otlp.LOGS, otlp.request(otlp.LOGS, [item]), metadata=[("x-tenant", tenant)])
        holdfast.kill9()
        backend.start()
        holdfast.start()
        backend.wait_for(tenants["red"] + tenants["blue"])
        for one in backend.accepted():
            assert set(one.ids) <= set(tenants[one.metadata["x-scope-orgid"]])

    @pytest.mark.parametrize("code", [401, 403])
    def test_an_expired_credential_holds_the_queue_and_costs_nothing(self, start, ending, grpc_sender, code):
        backend = ending.enter_context(HttpBackend())
        backend.always = status(code)
        holdfast = start(config({"otlphttp": otlphttp_exporter(backend)}))
        ids = otlp.new_ids(3)
        grpc_sender(holdfast).export(otlp.LOGS, otlp.request(otlp.LOGS, ids))
        backend.wait_for_requests(3)
        assert holdfast.books("logs", "otlphttp")["queued"]["items"] == 3
        backend.always = ok()
        backend.wait_for(ids)


class TestProxies:
    """Through an HTTP proxy, by the key and by the environment; backend.test exists nowhere but there."""

    USER = {"user": "me", "password": "p@ss"}
    SHOWN = "me:p%40ss@"

    def sent(self, holdfast, backend, grpc_sender):
        ids = otlp.new_ids(2)
        grpc_sender(holdfast).export(otlp.TRACES, otlp.request(otlp.TRACES, ids))
        backend.wait_for(ids)

    def test_otlp_by_its_key(self, start, ending, grpc_backend, grpc_sender):
        proxy = ending.enter_context(Proxy(**self.USER))
        exporter = otlp_exporter(grpc_backend, proxy_url=proxy.url(self.SHOWN))
        exporter["endpoint"] = f"backend.test:{grpc_backend.port}"
        holdfast = start(config({"otlp": exporter}))
        self.sent(holdfast, grpc_backend, grpc_sender)
        assert proxy.asked[0] == ("CONNECT", exporter["endpoint"], proxy.authorization)

    def test_otlp_by_the_environment(self, start, ending, grpc_backend, grpc_sender):
        proxy = ending.enter_context(Proxy(**self.USER))
        exporter = otlp_exporter(grpc_backend, endpoint=f"backend.test:{grpc_backend.port}")
        holdfast = start(
            config({"otlp": exporter}), environment={"HTTPS_PROXY": proxy.url(self.SHOWN), "NO_PROXY": "else"}
        )
        self.sent(holdfast, grpc_backend, grpc_sender)
        assert proxy.asked[0] == ("CONNECT", exporter["endpoint"], proxy.authorization)

    @pytest.mark.parametrize("by", ["key", "environment"])
    def test_otlphttp_in_clear(self, start, ending, http_backend, grpc_sender, by):
        proxy = ending.enter_context(Proxy(**self.USER))
        url = proxy.url(self.SHOWN)
        exporter = otlphttp_exporter(http_backend, endpoint=f"http://backend.test:{http_backend.port}")
        if by == "key":
            exporter["proxy_url"] = url
        holdfast = start(
            config({"otlphttp": exporter}), environment={"HTTP_PROXY": url} if by == "environment" else {}
        )
        self.sent(holdfast, http_backend, grpc_sender)
        method, target, shown = next(one for one in proxy.asked if one[2])
        assert method == "POST" and target.startswith(exporter["endpoint"]) and shown == proxy.authorization

    @pytest.mark.parametrize("by", ["key", "environment"])
    def test_otlphttp_encrypted(self, start, ending, grpc_sender, authority, by):
        proxy = ending.enter_context(Proxy(**self.USER))
        url = proxy.url(self.SHOWN)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(authority.directory / "server.crt", authority.directory / "server.key")
        backend = ending.enter_context(HttpBackend(tls=context))
        exporter = otlphttp_exporter(
            backend,
            endpoint=f"https://backend.test:{backend.port}",
            tls={"ca_file": str(authority.certificate), "server_name_override": "localhost"},
        )
        if by == "key":
            exporter["proxy_url"] = url
        holdfast = start(
            config({"otlphttp": exporter}), environment={"HTTPS_PROXY": url} if by == "environment" else {}
        )
        self.sent(holdfast, backend, grpc_sender)
        assert ("CONNECT", f"backend.test:{backend.port}", proxy.authorization) in proxy.asked

    @pytest.mark.parametrize("transport", ["otlp", "otlphttp"])
    @pytest.mark.parametrize("exception", ["127.0.0.0/8", "localhost", "none at all"])
    def test_this_machine_is_reached_directly(self, start, ending, grpc_sender, transport, exception):
        proxy = ending.enter_context(Proxy())
        backend = ending.enter_context(GrpcBackend() if transport == "otlp" else HttpBackend())
        exporter = (otlp_exporter if transport == "otlp" else otlphttp_exporter)(backend)
        url = proxy.url()
        holdfast = start(
            config({transport: exporter}),
            environment={"HTTPS_PROXY": url, "HTTP_PROXY": url, "NO_PROXY": exception},
        )
        self.sent(holdfast, backend, grpc_sender)
        assert not proxy.asked

    @pytest.mark.parametrize("transport", ["otlp", "otlphttp"])
    @pytest.mark.parametrize("exception", ["192.0.2.0/24", "192.0.2.7", "192.0.2.7:{port}", "*"])
    def test_excepted_destinations_are_not_proxied(self, start, ending, grpc_sender, transport, exception):
        """The address leads nowhere: the point is that the proxy is not asked for it."""
        proxy = ending.enter_context(Proxy())
        url, port = proxy.url(), free_port()
        scheme = "http://" if transport == "otlphttp" else ""
        exporter = {"endpoint": f"{scheme}192.0.2.7:{port}", "retry_on_failure": dict(FAST_RETRY)}
        exporter |= {"timeout": "300ms"} | ({"tls": {"insecure": True}} if transport == "otlp" else {})
        holdfast = start(
            config({transport: exporter}),
            environment={"HTTPS_PROXY": url, "HTTP_PROXY": url, "NO_PROXY": exception.format(port=port)},
        )
        grpc_sender(holdfast).export(otlp.TRACES, otlp.request(otlp.TRACES, [1]))
        holdfast.wait_for_log(f'"name":"{transport}","msg":"[^"]*')
        assert not proxy.asked

    @pytest.mark.parametrize("scheme", ["", "http://", "https://"], ids=["otlp", "http", "https"])
    def test_a_refusal_is_told_and_costs_nothing(self, start, ending, authority, grpc_sender, scheme):
        proxy = ending.enter_context(Proxy(**self.USER))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(authority.directory / "server.crt", authority.directory / "server.key")
        backend = HttpBackend(tls=context if scheme == "https://" else None) if scheme else GrpcBackend()
        ending.enter_context(backend)
        exporter = (otlphttp_exporter if scheme else otlp_exporter)(backend, proxy_url=proxy.url("me:wrong@"))
        if scheme == "https://":
            exporter["tls"] = {"ca_file": str(authority.certificate)}
        name = "otlphttp" if scheme else "otlp"
        holdfast = start(config({name: exporter}))
        ids = otlp.new_ids(1)
        grpc_sender(holdfast).export(otlp.TRACES, otlp.request(otlp.TRACES, ids))
        holdfast.wait_for_log("407")
        assert holdfast.books("traces", name)["queued"]["items"] == 1
        proxy.authorization = None
        backend.wait_for(ids)
        assert "wrong" not in holdfast.log()

    @pytest.mark.parametrize("url", ["https://me:hidden@proxy.test:1", "socks5://me:hidden@proxy.test:1"])
    def test_grpc_says_at_the_start_which_proxies_it_does_not_speak_to(self, start, grpc_backend, url):
        exporter = otlp_exporter(grpc_backend, endpoint="backend.test:1")
        by_environment = {"ready": False, "environment": {"HTTPS_PROXY": url}}
        holdfast = start(config({"otlp": exporter}), **by_environment).spawn()
        assert holdfast.process.wait(60) != 0
        assert "the proxy of HTTPS_PROXY is not of the form http://" in holdfast.log()
        assert "hidden" not in holdfast.log()
        holdfast = start(config({"otlp": {**exporter, "proxy_url": url}}), ready=False).spawn()
        assert holdfast.process.wait(60) != 0
        assert "proxy_url: expected http://" in holdfast.log() and "hidden" not in holdfast.log()
