"""httpcheck against nginx and a small web server: what it measures, what it sends, and what it says of a server that is
not there."""

import http.server
import re
import socket
import ssl
import threading
import time

import pytest

from support.certificates import Authority
from support.holdfast import otlphttp_exporter
from support.ports import free_port
from support.servers import Nginx
from support.waiting import until

CLASSES = ("1xx", "2xx", "3xx", "4xx", "5xx")
OPTIONAL = (
    "httpcheck.client.connection.duration",
    "httpcheck.client.request.duration",
    "httpcheck.dns.lookup.duration",
    "httpcheck.response.duration",
    "httpcheck.response.size",
    "httpcheck.tls.cert_remaining",
    "httpcheck.tls.handshake.duration",
    "httpcheck.validation.failed",
    "httpcheck.validation.passed",
)


def tls_of(authority, name):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.issue(name))
    return context


class Site:
    """Answers /STATUS with that status; /led leads to /200, /json and /hang are what they are called. Remembers what it was asked."""

    def __init__(self, tls=None, port=None):
        self.port, self.tls = port or free_port(), tls
        self.requests = []
        self.stopping = threading.Event()
        site = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def serve(self):
                size = int(self.headers.get("Content-Length", 0))
                headers = {key.lower(): value for key, value in self.headers.items()}
                site.requests.append((self.command, self.path, headers, self.rfile.read(size)))
                body = b"hello"
                status = int(self.path[1:]) if self.path[1:].isdigit() else 200
                if self.path == "/hang":
                    site.stopping.wait(60)
                if self.path == "/led":
                    status = 302
                if self.path == "/json":
                    body = b'{"status": "up", "parts": [{"n": 5}]}'
                self.send_response(status)
                if self.path == "/led":
                    self.send_header("Location", "/200")
                if status == 204:
                    body = b""
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)

            do_GET = do_POST = do_HEAD = do_PUT = serve

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                pass

        self.server = Server(("127.0.0.1", self.port), Handler)
        if tls:
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def url(self, path):
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}{path}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stopping.set()
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def site(ending):
    return ending.enter_context(Site())


def on(*names):
    return {name: {"enabled": True} for name in names}


def configuration(backend, *targets, exporter=None, **keys):
    receiver = {"collection_interval": "200ms", "initial_delay": "10ms", "targets": list(targets), **keys}
    return {
        "receivers": {"httpcheck": receiver},
        # One consumer: the measurements arrive in their order.
        "exporters": {"otlphttp": otlphttp_exporter(backend, **(exporter or {"sending_queue": {"num_consumers": 1}}))},
        "service": {"pipelines": {"metrics": {"receivers": ["httpcheck"], "exporters": ["otlphttp"]}}},
    }


def plain(value):
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return tuple(plain(one) for one in value.array_value.values)
    return getattr(value, kind)


def points(message):
    """[(metric, {attribute: value}, number)] of one request."""
    return [
        (metric, {pair.key: plain(pair.value) for pair in point.attributes}, point.as_int)
        for resource in message.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
        for point in getattr(metric, metric.WhichOneof("data")).data_points
    ]


def last(backend, name, url):
    """[(attributes without the URL, number)] of the last request that has the metric."""
    for request in reversed(backend.accepted()):
        found = [
            ({key: value for key, value in attributes.items() if key != "http.url"}, number)
            for metric, attributes, number in points(request.message)
            if metric.name == name and attributes["http.url"] == url
        ]
        if found:
            return found
    return []


def classes(backend, url):
    """{class: (status code or None, value)}"""
    return {
        attributes["http.status_class"]: (attributes.get("http.status_code"), value)
        for attributes, value in last(backend, "httpcheck.status", url)
    }


def expect_status(backend, url, code):
    wanted = {one: (code, 1) if code // 100 == int(one[0]) else (None, 0) for one in CLASSES}
    until(lambda: classes(backend, url) == wanted, lambda: f"{classes(backend, url)}, not {wanted}")


def test_statuses(site, start, http_backend):
    paths = ("/200", "/204", "/301", "/404", "/503")
    start(configuration(http_backend, {"endpoint": site.url("/led"), "endpoints": [site.url(path) for path in paths]}))
    for path in paths:
        expect_status(http_backend, site.url(path), int(path[1:]))
    expect_status(http_backend, site.url("/led"), 200)
    found = {metric.name: metric for metric, *_ in points(http_backend.accepted()[-1].message)}
    assert set(found) == {"httpcheck.duration", "httpcheck.status"}
    assert (found["httpcheck.duration"].unit, found["httpcheck.duration"].WhichOneof("data")) == ("ms", "gauge")
    status = found["httpcheck.status"]
    assert (status.unit, status.sum.aggregation_temporality, status.sum.is_monotonic) == ("1", 2, False)
    (attributes, _), *_ = last(http_backend, "httpcheck.status", site.url("/200"))
    assert attributes["http.method"] == "GET"


def test_a_server_that_is_not_there_and_comes(start, http_backend, ending):
    port = free_port()
    url = f"http://127.0.0.1:{port}/200"
    start(configuration(http_backend, {"endpoint": url}))
    until(lambda: last(http_backend, "httpcheck.error", url), "no error was measured")
    ((attributes, value),) = last(http_backend, "httpcheck.error", url)
    assert value == 1 and "connect" in attributes["error.message"].lower()
    assert classes(http_backend, url) == {one: (None, 0) for one in CLASSES}
    ending.enter_context(Site(port=port))
    expect_status(http_backend, url, 200)


def test_a_timeout_is_an_error(site, start, http_backend):
    start(configuration(http_backend, {"endpoint": site.url("/hang"), "timeout": "100ms"}, {"endpoint": site.url("/200")}))
    until(lambda: last(http_backend, "httpcheck.error", site.url("/hang")), "no error was measured")
    ((_, duration),) = last(http_backend, "httpcheck.duration", site.url("/hang"))
    assert duration >= 90
    expect_status(http_backend, site.url("/200"), 200)


def test_what_it_sends(site, start, http_backend):
    targets = (
        {"endpoint": site.url("/a"), "method": "POST", "body": '{"a": 1}', "auto_content_type": True},
        {"endpoint": site.url("/b"), "method": "PUT", "body": "a=1", "auto_content_type": True, "headers": {"X-Own": "yes"}},
        {"endpoint": site.url("/c"), "method": "POST", "body": "text"},
        {"endpoint": site.url("/d"), "method": "HEAD", "auth": {"authenticator": "basicauth"}},
    )
    config = configuration(http_backend, *targets)
    config["extensions"] = {"basicauth": {"client_auth": {"username": "u", "password": "p"}}}
    config["service"]["extensions"] = ["health_check", "basicauth"]
    start(config)
    until(lambda: len({path for _, path, *_ in site.requests}) == 4, lambda: f"{site.requests}")
    asked = {path: (method, headers, body) for method, path, headers, body in site.requests}
    assert (asked["/a"][0], asked["/a"][1]["content-type"], asked["/a"][2]) == ("POST", "application/json", b'{"a": 1}')
    assert (asked["/b"][0], asked["/b"][1]["content-type"]) == ("PUT", "application/x-www-form-urlencoded")
    assert asked["/b"][1]["x-own"] == "yes"
    assert "content-type" not in asked["/c"][1] and asked["/c"][2] == b"text"
    assert asked["/d"][0] == "HEAD" and asked["/d"][1]["authorization"] == "Basic dTpw"
    assert asked["/a"][1]["user-agent"].startswith("Holdfast/")
    until(lambda: last(http_backend, "httpcheck.status", site.url("/d")), "no answer to HEAD")


def test_bodies_are_validated(site, start, http_backend):
    validations = [
        {"contains": "up"},
        {"contains": "down"},
        {"not_contains": "error"},
        {"json_path": "status", "equals": "up"},
        {"json_path": "parts.0.n", "equals": "6"},
        {"regex": "^\\{.*\\}$"},
        {"max_size": 1000},
        {"min_size": 1000},
    ]
    metrics = on("httpcheck.validation.passed", "httpcheck.validation.failed", "httpcheck.response.size")
    start(
        configuration(
            http_backend,
            {"endpoint": site.url("/json"), "validations": validations},
            {"endpoint": site.url("/503"), "validations": [{"contains": "hello"}]},
            metrics=metrics,
        )
    )
    url = site.url("/json")
    until(lambda: last(http_backend, "httpcheck.validation.failed", url), "nothing was validated")

    def of(name, where):
        return {attributes["validation.type"]: value for attributes, value in last(http_backend, name, where)}

    assert of("httpcheck.validation.passed", url) == {"contains": 1, "not_contains": 1, "json_path": 1, "regex": 1, "size": 1}
    assert of("httpcheck.validation.failed", url) == {"contains": 1, "json_path": 1, "size": 1}
    assert last(http_backend, "httpcheck.response.size", url) == [({}, 37)]
    assert of("httpcheck.validation.passed", site.url("/503")) == {"contains": 1}
    assert last(http_backend, "httpcheck.response.size", site.url("/503")) == [({}, 5)]


def test_certificates_and_times(start, http_backend, ending, tmp_path):
    authority = Authority(tmp_path / "tls")
    site = ending.enter_context(Site(tls=tls_of(authority, "web")))
    start(
        configuration(
            http_backend,
            {"endpoint": site.url("/200"), "tls": {"ca_file": str(authority.certificate)}},
            metrics=on(*OPTIONAL),
        )
    )
    url = site.url("/200")
    # More than once: each check makes a connection of its own.
    until(lambda: len(site.requests) >= 3, lambda: f"{len(site.requests)} requests")
    count = len(http_backend.accepted())
    until(lambda: len(http_backend.accepted()) >= count + 2, "no more requests")
    ((attributes, left),) = last(http_backend, "httpcheck.tls.cert_remaining", url)
    assert attributes == {
        "http.tls.issuer": "CN=test authority",
        "http.tls.cn": "web",
        "http.tls.san": ("127.0.0.1", "localhost", "web"),
    }
    assert 47 * 3600 < left <= 48 * 3600 + 60
    for name in ("httpcheck.tls.handshake.duration", "httpcheck.client.request.duration"):
        ((_, value),) = last(http_backend, name, url)
        assert 0 < value < 60_000_000_000, name
    assert last(http_backend, "httpcheck.client.connection.duration", url)[0][0] == {"network.transport": "tcp"}


def test_a_certificate_that_is_not_trusted_is_an_error(start, http_backend, ending, tmp_path):
    site = ending.enter_context(Site(tls=tls_of(Authority(tmp_path / "tls"), "web")))
    start(configuration(http_backend, {"endpoint": site.url("/200")}))
    until(lambda: last(http_backend, "httpcheck.error", site.url("/200")), "no error was measured")
    assert "certificate" in last(http_backend, "httpcheck.error", site.url("/200"))[0][0]["error.message"]


def test_what_is_measured_while_the_backend_is_down_outlives_a_kill(site, start, http_backend):
    http_backend.stop()
    holdfast = start(configuration(http_backend, {"endpoint": site.url("/200")}))
    holdfast.wait_metric("otelcol_receiver_accepted_metric_points", 1, receiver="httpcheck")
    before = time.time_ns()
    holdfast.kill9()
    http_backend.start()
    holdfast.start()
    until(
        lambda: any(
            point.time_unix_nano < before
            for request in http_backend.accepted()
            for metric, *_ in points(request.message)
            if metric.name == "httpcheck.duration"
            for point in metric.gauge.data_points
        ),
        "what was accepted before the kill has not arrived",
    )


def test_a_full_queue_holds_the_checks_up(site, start, http_backend):
    http_backend.stop()
    exporter = {"sending_queue": {"queue_size": 1, "num_consumers": 1}}
    # Ready is what has room; this one is full soon.
    holdfast = start(configuration(http_backend, {"endpoint": site.url("/200")}, exporter=exporter), ready=False)
    holdfast.spawn()
    holdfast.wait_for_log("the queue is full")
    holdfast.wait_metric("otelcol_receiver_refused_metric_points", 1, receiver="httpcheck")
    http_backend.start()
    expect_status(http_backend, site.url("/200"), 200)


def test_a_check_that_hangs_does_not_hold_up_the_stop(site, start, http_backend):
    holdfast = start(configuration(http_backend, {"endpoint": site.url("/hang")}))
    until(lambda: site.requests, "nothing was asked")
    holdfast.terminate(seconds=10)


@pytest.mark.parametrize(
    "keys, words",
    [
        ({"targets": []}, "no targets configured"),
        ({"targets": [{"method": "GET"}]}, "must be specified"),
        ({"targets": [{"endpoint": "localhost"}]}, "endpoint"),
        ({"targets": [{"endpoints": ["localhost"]}]}, "endpoints"),
        ({"targets": [{"endpoint": "http://a", "method": "get it"}]}, "method"),
        ({"targets": [{"endpoint": "http://a", "validations": [{"regex": "("}]}]}, "regex"),
    ],
)
def test_bad_configurations(start, http_backend, keys, words):
    config = configuration(http_backend)
    config["receivers"]["httpcheck"].update(keys)
    holdfast = start(config, ready=False)
    done = holdfast.command("validate", "--config", holdfast.base_path, "--config", holdfast.config_path)
    assert done.returncode != 0 and words in done.stderr


def test_its_other_name(site, start, http_backend):
    config = configuration(http_backend, {"endpoint": site.url("/200")})
    config["receivers"] = {"http_check": config["receivers"]["httpcheck"]}
    config["service"]["pipelines"]["metrics"]["receivers"] = ["http_check"]
    start(config)
    expect_status(http_backend, site.url("/200"), 200)


# ---- nginx as it is installed ----


def error(backend, url):
    found = last(backend, "httpcheck.error", url)
    return found[0][0]["error.message"] if found else ""


def expect_error(backend, url, pattern):
    until(lambda: re.search(pattern, error(backend, url)), lambda: f"{error(backend, url)}, not {pattern}")
    assert classes(backend, url) == {one: (None, 0) for one in CLASSES}


def test_what_nginx_answers(start, http_backend, ending):
    silent = ending.enter_context(socket.create_server(("127.0.0.1", 0)))  # takes connections, and says nothing
    wanted = {
        "/other": 200,
        "/empty": 204,
        "/moved": 200,
        "/stays": 304,
        "/missing": 404,
        "/forbidden": 403,
        "/limited": 429,
        "/no-upstream": 502,
        "/slow-upstream": 504,
    }
    more = f"""location = /empty {{ return 204; }} location = /moved {{ return 301 /other; }} location = /stays {{ return 304; }}
        location = /forbidden {{ deny all; }} location = /limited {{ return 429; }} location = /closed {{ return 444; }}
        location = /missing {{ return 404; }}
        location = /no-upstream {{ proxy_pass http://127.0.0.1:{free_port()}; }}
        location = /slow-upstream {{ proxy_pass http://127.0.0.1:{silent.getsockname()[1]}; proxy_read_timeout 50ms; }}"""
    nginx = ending.enter_context(Nginx(more=more))
    base = f"http://{nginx.address}"
    posted = {"endpoint": f"{base}/status", "method": "POST", "body": "x" * 1000, "validations": [{"contains": "405"}]}
    optional = on("httpcheck.response.size", "httpcheck.validation.passed")
    start(configuration(http_backend, {"endpoints": [base + path for path in (*wanted, "/closed")]}, posted, metrics=optional))
    for path, code in wanted.items():
        expect_status(http_backend, base + path, code)
    expect_error(http_backend, f"{base}/closed", "hung up without an answer|Connection died")  # a new one, or one that was kept
    expect_status(http_backend, f"{base}/status", 405)
    assert last(http_backend, "httpcheck.response.size", f"{base}/other") == [({}, len("hello"))]
    assert last(http_backend, "httpcheck.validation.passed", f"{base}/status") == [({"validation.type": "contains"}, 1)]


def test_certificates_of_nginx(start, http_backend, ending, tmp_path):
    authority = Authority(tmp_path / "tls")
    ca = {"ca_file": str(authority.certificate)}
    certificate, key = map(str, authority.issue("client"))
    servers = {
        "good": Nginx(tls=authority.issue("good", days=10)),
        "expired": Nginx(tls=authority.issue_expired("expired")),
        "elsewhere": Nginx(tls=authority.issue("elsewhere", names="DNS:elsewhere.test")),
        "clients": Nginx(tls=authority.issue("clients"), clients=authority.certificate),
        "plain": Nginx(),
    }
    urls = {name: f"https://{ending.enter_context(server).address}/other" for name, server in servers.items()}
    targets = [
        *({"endpoint": url, "tls": ca} for url in urls.values()),
        {"endpoint": urls["good"].replace("https", "http")},
        {"endpoint": urls["expired"] + "?", "tls": {"insecure_skip_verify": True}},
        {"endpoint": urls["clients"] + "?", "tls": {**ca, "cert_file": certificate, "key_file": key}},
        {"endpoint": urls["good"] + "?"},  # the authorities of the system do not have ours
    ]
    start(configuration(http_backend, *targets, metrics=on("httpcheck.tls.cert_remaining")))
    day = 24 * 3600

    def remaining(url):
        found = until(lambda: last(http_backend, "httpcheck.tls.cert_remaining", url), f"no certificate of {url}")
        return found[0]

    expect_status(http_backend, urls["good"], 200)
    attributes, seconds = remaining(urls["good"])
    assert attributes["http.tls.cn"] == "good" and attributes["http.tls.issuer"] == "CN=test authority"
    assert 9 * day < seconds <= 10 * day
    expect_error(http_backend, urls["expired"], "expired")
    expect_status(http_backend, urls["expired"] + "?", 200)
    attributes, seconds = remaining(urls["expired"] + "?")
    assert attributes["http.tls.cn"] == "expired" and -day < seconds <= 0
    expect_error(http_backend, urls["elsewhere"], "127.0.0.1")
    expect_error(http_backend, urls["good"] + "?", "certificate")
    expect_status(http_backend, urls["clients"], 400)  # nginx answers so when no certificate came
    expect_status(http_backend, urls["clients"] + "?", 200)
    expect_error(http_backend, urls["plain"], "does not speak TLS")
    expect_status(http_backend, urls["good"].replace("https", "http"), 400)  # clear text to a port of TLS
