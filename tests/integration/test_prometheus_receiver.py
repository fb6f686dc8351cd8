"""The receiver prometheus: targets of several kinds, what becomes of their answers, and that nothing read is lost."""

import json
import ssl
import subprocess
import sys
import time

import pytest
import yaml
from support import otlp
from support.certificates import Authority
from support.holdfast import otlphttp_exporter
from support.kubernetes import KubernetesApi, pod, service_account
from support.oauth import TokenServer
from support.ports import free_port
from support.scraped import OPEN, Target, basic, delimited, field, rows
from support.waiting import until

SCOPE = "github.com/open-telemetry/opentelemetry-collector-contrib/receiver/prometheusreceiver"
OWN = {
    "up",
    "scrape_duration_seconds",
    "scrape_samples_scraped",
    "scrape_samples_post_metric_relabeling",
    "scrape_series_added",
}

PAGE = """\
# HELP http_requests_total Requests that were \\\\served.
# TYPE http_requests_total counter
http_requests_total{code="200",path="/a\\"b"} 17
http_requests_total{code="500"} 3 1520879607789
# TYPE temperature_celsius gauge
temperature_celsius{job="mine",empty=""} 1.5
# TYPE latency_seconds histogram
latency_seconds_bucket{le="1"} 3
latency_seconds_bucket{le="0.1"} 1
latency_seconds_bucket{le="+Inf"} 4
latency_seconds_sum 5.5
latency_seconds_count 4
# TYPE rpc summary
rpc{quantile="0.99"} 9
rpc{quantile="0.5"} 4
rpc_sum 10
rpc_count 3
untyped_thing 1
target_info{service_version="1.2"} 1
"""


def job(name="test", targets=(), **keys):
    """A scrape may take no longer than the interval, so that on a busy machine one fails now and then: its target is
    down for once, and its series are marked."""
    keys.setdefault("scrape_interval", "200ms")
    keys.setdefault("scrape_timeout", keys["scrape_interval"])
    return {"job_name": name, **({"static_configs": [{"targets": list(targets)}]} if targets else {}), **keys}


def configuration(backend, *jobs, receiver=None, exporter=None, **config):
    return {
        "receivers": {"prometheus": {"config": {"scrape_configs": list(jobs), **config}, **(receiver or {})}},
        "exporters": {"otlphttp": otlphttp_exporter(backend, **(exporter or {}))},
        "service": {"pipelines": {"metrics": {"receivers": ["prometheus"], "exporters": ["otlphttp"]}}},
    }


@pytest.fixture
def target(ending):
    return lambda *arguments, **options: ending.enter_context(Target(*arguments, **options))


class Seen:
    """The points that have arrived at a backend."""

    def __init__(self, backend):
        self.backend = backend

    def rows(self, name=None, **attributes):
        every = [row for one in list(self.backend.requests) for row in rows(one.message)]
        return [
            row
            for row in every
            if name in (None, row["name"]) and set(attributes.items()) <= set(row["attributes"].items())
        ]

    def scrapes(self, job="test"):
        """The rows of each scrape, oldest first."""
        found = {}
        for row in self.rows():
            if row["resource"].get("service.name") == job and row["name"] in OWN:
                found.setdefault((row["resource"]["service.instance.id"], row["time"]), [])
        for row in self.rows():
            for (instance, when), list_of in found.items():
                if row["resource"].get("service.instance.id") == instance and row["time"] == when:
                    list_of.append(row)
        return [found[key] for key in sorted(found, key=lambda key: key[1])]

    def is_down_at(self, time):
        return any(row["time"] == time and row["value"] == 0 for row in self.rows("up"))

    def until(self, condition, what="the points"):
        return until(lambda: condition(self), lambda: f"{what}; last: {self.shown()}")

    def shown(self):
        return [(row["name"], row["attributes"], row["value"]) for row in self.rows()[-20:]]

    def until_row(self, name, condition=lambda row: True, **attributes):
        def found(seen):
            return next((row for row in seen.rows(name, **attributes) if condition(row)), None)

        return self.until(found, f"{name} {attributes}")


@pytest.fixture
def run(start, http_backend):
    """run(job, ...) -> what arrives of a Holdfast with these jobs."""

    def make(*jobs, environment=None, **options):
        seen = Seen(http_backend)
        seen.holdfast = start(configuration(http_backend, *jobs, **options), environment=environment)
        return seen

    return make


# ---- what becomes of samples ----


def test_each_type_becomes_what_the_go_collector_makes_of_it(run, target):
    one = target(PAGE)
    seen = run(job(targets=[one.address]))
    first = seen.until_row("scrape_series_added", lambda row: row["value"] == 14)["time"]
    theirs = 1520879607789 * 10**6
    found = {
        (row["name"], tuple(sorted(row["attributes"].items()))): row
        for row in seen.rows()
        if row["time"] in (first, theirs)
    }
    values = {key: (row["kind"], row["monotonic"], row["value"], row["type"]) for key, row in found.items()}
    expected = {
        ("http_requests_total", (("code", "200"), ("path", '/a"b'))): ("sum", True, 17, "counter"),
        ("http_requests_total", (("code", "500"),)): ("sum", True, 3, "counter"),
        ("temperature_celsius", (("exported_job", "mine"),)): ("gauge", False, 1.5, "gauge"),
        ("latency_seconds", ()): ("histogram", False, (4, 5.5, (0.1, 1.0), (1, 2, 1)), "histogram"),
        ("rpc", ()): ("summary", False, (3, 10, ((0.5, 4), (0.99, 9))), "summary"),
        ("untyped_thing", ()): ("gauge", False, 1, "unknown"),
        ("up", ()): ("gauge", False, 1, "gauge"),
        ("scrape_samples_scraped", ()): ("gauge", False, 14, "gauge"),
        ("scrape_samples_post_metric_relabeling", ()): ("gauge", False, 14, "gauge"),
        ("scrape_series_added", ()): ("gauge", False, 14, "gauge"),
    }
    assert {key: values[key] for key in expected} == expected
    assert set(values) - set(expected) == {("scrape_duration_seconds", ())}
    assert found["http_requests_total", (("code", "500"),)]["time"] == theirs
    assert found["up", ()]["description"] == "The scraping was successful"
    assert found["scrape_duration_seconds", ()]["unit"] == "s"
    for row in found.values():
        assert row["resource"] == {
            "service.name": "test",
            "service.instance.id": one.address,
            "server.port": str(one.port),
            "url.scheme": "http",
            "service_version": "1.2",
        }
        assert row["scope"][0] == SCOPE and row["start"] == 0
    assert found["http_requests_total", (("code", "500"),)]["description"] == "Requests that were \\served."


def test_open_metrics_brings_units_starts_and_exemplars(run, target):
    page = """\
# TYPE foo_seconds counter
# UNIT foo_seconds seconds
foo_seconds_total{a="b"} 17.5 # {trace_id="0102030405060708090a0b0c0d0e0f10",span_id="0102030405060708",x="y"} 5 1.5
foo_seconds_created{a="b"} 1520872607.25
# TYPE build info
build_info{version="1"} 1
# TYPE h histogram
h_bucket{le="1.0"} 2 # {trace_id="short"} 0.5
h_bucket{le="+Inf"} 2
h_sum 3.0
h_count 2
h_created 1520872608.5
# EOF
"""
    seen = run(job(targets=[target(page, OPEN).address]))
    counter = seen.until_row("foo_seconds_total")
    assert (counter["unit"], counter["value"], counter["start"]) == ("s", 17.5, 1520872607250000000)
    assert counter["exemplars"] == [
        {
            "value": 5,
            "trace_id": "0102030405060708090a0b0c0d0e0f10",
            "span_id": "0102030405060708",
            "attributes": {"x": "y"},
        }
    ]
    info = seen.until_row("build")
    assert (info["kind"], info["monotonic"], info["attributes"]) == ("sum", False, {"version": "1"})
    histogram = seen.until_row("h")
    assert histogram["start"] == 1520872608500000000
    assert histogram["exemplars"][0]["attributes"] == {"trace_id": "short"}
    assert not seen.rows("h_created") and not seen.rows("foo_seconds_created")


OF_SOME = {"target_label": "__scrape_native_histograms__", "replacement": "true"}


@pytest.mark.parametrize(
    "keys",
    [
        {"scrape_native_histograms": True},
        {"scrape_protocols": ["PrometheusProto"], "relabel_configs": [OF_SOME]},
    ],
)
def test_native_histograms_come_by_protobuf(run, target, keys):
    pair = field(1, "a") + field(2, "b")
    spans = field(12, field(1, 4) + field(2, 2)) + field(12, field(1, 2) + field(2, 1))
    histogram = field(1, 5) + field(2, 9.5) + field(5, 6) + field(6, 0.25) + field(7, 2) + spans
    metric = field(1, pair) + field(7, histogram + field(13, b"\x02\x02\x03"))
    family = delimited(field(1, "lat") + field(3, 4) + field(4, metric))
    one = target(family, "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited")
    seen = run(job(targets=[one.address], **keys))
    row = seen.until_row("lat")
    assert row["kind"] == "exponential_histogram" and row["attributes"] == {"a": "b"}
    assert row["value"] == (5, 9.5, 3, 2, (1, (1, 2)), (0, ()))
    assert one.requests[0][1]["Accept"].startswith("application/vnd.google.protobuf;proto=io.prometheus.client")


@pytest.mark.parametrize("honor", [False, True])
def test_labels_that_series_bring(run, target, honor):
    one = target('a{job="mine",instance="there:1",zone="z"} 1\n')
    keys = {"static_configs": [{"targets": [one.address], "labels": {"zone": "here", "more": "x"}}]}
    row = run(job(honor_labels=honor, **keys)).until_row("a")
    if honor:
        assert row["resource"]["service.name"] == "mine"
        assert row["resource"]["service.instance.id"] == "there:1" and row["resource"]["server.address"] == "there"
        assert row["attributes"] == {"zone": "z", "more": "x"}
    else:
        assert row["resource"]["service.name"] == "test"
        assert row["attributes"] == {
            "zone": "here",
            "more": "x",
            "exported_job": "mine",
            "exported_instance": "there:1",
            "exported_zone": "z",
        }


def test_the_environments_proxy_is_used_when_it_is_asked_for(run, target):
    proxy = target("a 1\n")
    jobs = [job(name, ["nowhere.invalid:80"], proxy_from_environment=name == "led") for name in ("led", "straight")]
    seen = run(*jobs, environment={"HTTP_PROXY": proxy.url, "http_proxy": proxy.url})
    for name, value in {"led": 1, "straight": 0}.items():
        seen.until_row("up", lambda row, name=name: row["resource"]["service.name"] == name and row["value"] == value)
    assert not [row for row in seen.rows("up") if row["resource"]["service.name"] == "straight" and row["value"] == 1]


def test_times_of_series_may_be_ignored(run, target):
    seen = run(job(targets=[target("a 1 1000\n").address], honor_timestamps=False))
    assert seen.until_row("a")["time"] > 10**18


def test_rules_change_targets_and_series(run, target):
    one = target('a_x{k="v"} 1\nb{k="v"} 2\nc 3\n')
    seen = run(
        job(
            static_configs=[{"targets": ["nowhere:1", "other:1"], "labels": {"__meta_port": str(one.port)}}],
            params={"module": ["m n"], "more": ["1", "2"]},
            metrics_path="/wrong",
            relabel_configs=[
                {"source_labels": ["__address__"], "regex": "other.*", "action": "drop"},
                {"source_labels": ["__address__", "__meta_port"], "regex": "(.*):1;(.*)", "target_label": "__address__",
                 "replacement": "127.0.0.1:$$2"},
                {"target_label": "__metrics_path__", "replacement": "/probe"},
                {"target_label": "__param_target", "replacement": "a/b"},
                {"target_label": "instance", "replacement": "renamed:9"},
            ],
            metric_relabel_configs=[
                {"source_labels": ["__name__"], "regex": "c", "action": "drop"},
                {"source_labels": ["__name__"], "regex": "(.*)_x", "target_label": "__name__", "replacement": "$${1}_y"},
                {"regex": "k", "action": "labeldrop"},
            ],
        )
    )  # fmt: skip
    assert seen.until_row("a_y")["attributes"] == {}
    assert seen.until_row("up")["resource"]["service.instance.id"] == "renamed:9"
    scraped = seen.until_row("scrape_samples_scraped", lambda row: not seen.is_down_at(row["time"]))
    assert scraped["value"] == 3
    (left,) = [row for row in seen.rows("scrape_samples_post_metric_relabeling") if row["time"] == scraped["time"]]
    assert left["value"] == 2
    assert not seen.rows("c")
    path, headers = one.requests[0]
    assert path.startswith("/probe?module=m%20n&more=1&more=2&") and path.endswith("target=a%2Fb")
    assert headers["X-Prometheus-Scrape-Timeout-Seconds"] == "0.2"
    assert len({row["resource"]["service.instance.id"] for row in seen.rows("up")}) == 1


def test_external_labels_suffixes_and_the_process_start(run, target):
    page = "# TYPE x_seconds_total counter\nx_seconds_total 1\nprocess_start_time_seconds 1500000000.5\n"
    receiver = {"trim_metric_suffixes": True, "use_start_time_metric": True, "report_extra_scrape_metrics": True}
    seen = run(
        job(targets=[target(page).address], sample_limit=50), receiver=receiver,
        **{"global": {"external_labels": {"cluster": "c1"}}},
    )  # fmt: skip
    row = seen.until_row("x_seconds")
    assert (row["start"], row["attributes"]) == (1500000000500000000, {"cluster": "c1"})
    assert seen.until_row("scrape_sample_limit")["value"] == 50
    size = seen.until_row("scrape_body_size_bytes", lambda row: not seen.is_down_at(row["time"]))
    assert size["value"] == len(page)


def test_scope_labels_become_the_scope(run, target):
    page = 'otel_scope_info{otel_scope_name="lib",otel_scope_version="2",k="v"} 1\n'
    page += 'a{otel_scope_name="lib",otel_scope_version="2"} 1\n'
    assert run(job(targets=[target(page).address])).until_row("a")["scope"] == ("lib", "2", {"k": "v"})


# ---- series and targets that end ----


def test_a_series_that_vanishes_is_marked_once(run, target):
    one = target('# HELP a Words.\n# TYPE a gauge\na{k="1"} 1\na{k="2"} 2\n')
    seen = run(job(targets=[one.address]))
    seen.until_row("a", k="2")
    one.page = '# TYPE a gauge\na{k="1"} 5\n'

    def marks(k):
        """Those of scrapes that did not fail."""
        return [row for row in seen.rows("a", k=k) if row["value"] == "stale" and not seen.is_down_at(row["time"])]

    marked = seen.until(lambda seen: marks("2"))[0]
    assert marked["kind"] == "gauge"
    count = len(seen.rows("a", k="1"))
    seen.until(lambda seen: len(seen.rows("a", k="1")) > count + 3)
    assert len(marks("2")) == 1
    assert not marks("1")
    seen.until_row("scrape_series_added", lambda row: row["value"] == 0 and row["time"] > marked["time"])


def test_scrapes_of_the_same_series_have_the_values_of_each(run, target):
    """They are made of the requests of the scrape before, which others, with one series more, end."""

    def page(number):
        lines = f"# TYPE h histogram\nh_bucket{{le=\"1\"}} {number}\nh_sum {2 * number}\nh_count {3 * number}\n"
        lines += f"# TYPE a counter\na {number}\ndropped {number}\n"
        return lines + (f"late {number}\n" if number > 4 else "")

    rules = [{"source_labels": ["__name__"], "regex": "dropped", "action": "drop"}]
    one = target(page)
    seen = run(job(targets=[one.address], metric_relabel_configs=rules))
    seen.until(lambda seen: len(seen.rows("late")) > 2)
    told = 0
    for rows_of in seen.scrapes():
        values = {row["name"]: row for row in rows_of}
        if "a" not in values or values["a"]["value"] == "stale":  # it was down: too slow
            continue
        number, is_late = values["a"]["value"], "late" in values
        assert values["h"]["value"] == (3 * number, 2 * number, (1,), (number, 2 * number))
        assert is_late == (number > 4) and values.get("late", values["a"])["value"] == number
        assert values["scrape_samples_scraped"]["value"] == 5 + is_late
        assert values["scrape_samples_post_metric_relabeling"]["value"] == 4 + is_late
        assert "dropped" not in values
        told += 1
    assert told > 4


def test_a_target_that_goes_down_has_all_its_series_marked(run, target):
    one = target(PAGE)
    seen = run(job(targets=[one.address]))
    up = seen.until_row("up", lambda row: row["value"] == 1)
    one.stop()
    down = seen.until_row("up", lambda row: row["value"] == 0 and row["time"] > up["time"])
    stale = {row["name"] for row in seen.rows() if row["value"] == "stale" and row["time"] <= down["time"]}
    assert stale == {"http_requests_total", "temperature_celsius", "latency_seconds", "rpc", "untyped_thing"}
    # A series that brings its times is not marked.
    assert not [row for row in seen.rows("http_requests_total", code="500") if row["value"] == "stale"]
    seen.holdfast.wait_for_log("scraping .* failed")
    one.__enter__()
    seen.until(lambda seen: seen.rows("up")[-1]["value"] == 1)
    assert seen.until(lambda seen: seen.rows("scrape_series_added")[-1]["value"] in (0, 14)) is not None


@pytest.mark.parametrize(
    "page, keys, words",
    [
        ("a 1\nb{ 2\n", {}, "label"),
        ("a 1\n" * 3 + "x", {}, "value"),
        ("a 1\nb 2\nc 3\n", {"sample_limit": 2}, "sample_limit"),
        ('a{b="1",c="2"} 1\n', {"label_limit": 3}, "label_limit"),
        ('a{long_name="1"} 1\n', {"label_name_length_limit": 8}, "label_name_length_limit"),
        ('a{b="too long a text"} 1\n', {"label_value_length_limit": 14}, "label_value_length_limit"),
        ("a 1\n" + "#" * 5000, {"body_size_limit": "1KB"}, "body_size_limit"),
        ('a{b="1",b="2"} 1\n', {}, "twice"),
        ("a 1\n", {"metric_relabel_configs": [{"regex": "__name__", "action": "labeldrop"}]}, "name"),
    ],
)
def test_a_bad_answer_counts_as_down_and_gives_nothing(run, target, page, keys, words):
    good = target("fine 1\n")
    seen = run(job(targets=[target(page).address], **keys), job("good", [good.address]))
    seen.until(lambda seen: [row for row in seen.rows("up") if row["resource"]["service.name"] == "test"])
    assert {row["value"] for row in seen.rows("up") if row["resource"]["service.name"] == "test"} == {0}
    assert not seen.rows("a")
    seen.until_row("fine")
    seen.holdfast.wait_for_log(f'scraping .* failed: [^"]*{words}')


@pytest.mark.parametrize("status", [404, 500, 204])
def test_an_answer_that_is_no_200_is_a_failure(run, target, status):
    one = target("a 1\n" if status != 204 else "")
    one.status = status
    seen = run(job(targets=[one.address]))
    assert seen.until_row("up")["value"] == 0
    seen.holdfast.wait_for_log(f"HTTP status {status}")


def test_redirects_and_compressed_answers(run, target):
    good = target("a 1\n", None)
    good.uses_gzip = True
    moved = target("")
    moved.status, moved.headers = 302, {"Location": good.url + "/there"}
    seen = run(job(targets=[moved.address]), job("strict", [moved.address], follow_redirects=False))
    assert seen.until_row("a")["resource"]["service.instance.id"] == moved.address
    seen.until(lambda seen: [row for row in seen.rows("up") if row["resource"]["service.name"] == "strict"])
    assert {row["value"] for row in seen.rows("up") if row["resource"]["service.name"] == "strict"} == {0}


# ---- credentials ----


def test_credentials_of_each_kind_are_sent(run, target, tmp_path):
    (tmp_path / "token").write_text("from-file\n")
    (tmp_path / "password").write_text("pass:word\n")
    one = target("a 1\n")
    seen = run(
        job("basic", [one.address], basic_auth={"username": "user", "password_file": str(tmp_path / "password")}),
        job("token", [one.address], bearer_token="secret-token"),
        job("file", [one.address], authorization={"type": "Token", "credentials_file": str(tmp_path / "token")}),
        job("plain", [one.address], http_headers={"X-More": {"values": ["yes"]}}),
    )
    wanted = {basic("user", "pass:word"), "Bearer secret-token", "Token from-file", None}
    until(lambda: {headers.get("Authorization") for _, headers in one.requests} == wanted, lambda: one.requests[-5:])
    assert [headers for _, headers in one.requests if headers.get("X-More") == "yes"]
    assert "secret-token" not in subprocess.run(
        [seen.holdfast.binary, "print-config", "--config", seen.holdfast.config_path], capture_output=True, text=True
    ).stdout
    (tmp_path / "token").write_text("renewed")
    until(lambda: one.requests[-1] and "Token renewed" in str(one.requests[-8:]), "the renewed token", 30)


def test_a_token_of_an_oauth2_server_is_sent_and_renewed(run, target, tmp_path, ending):
    server = ending.enter_context(TokenServer(life=2))
    (tmp_path / "secret").write_text(server.secret + "\n")
    one = target("a 1\n")
    oauth2 = {
        "client_id": "me",
        "client_secret_file": str(tmp_path / "secret"),
        "token_url": server.url,
        "scopes": ["read", "metrics"],
        "endpoint_params": {"audience": "targets"},
    }
    seen = run(job("oauth2", [one.address], oauth2=oauth2))
    assert seen.until_row("up")["value"] == 1
    until(lambda: len({headers.get("Authorization") for _, headers in one.requests}) >= 3, lambda: one.requests[-5:])
    used = [headers.get("Authorization") for _, headers in one.requests]
    assert used[0] == "Bearer token-1" and None not in used, "the first scrape has a token too"
    form, _, _ = server.requests[0]
    assert form["scope"] == ["read metrics"] and form["audience"] == ["targets"]


def test_a_token_that_a_target_refuses_is_renewed(run, target, ending):
    server = ending.enter_context(TokenServer())
    one = target("a 1\n")
    one.status = 401
    oauth2 = {"client_id": "me", "client_secret": server.secret, "token_url": server.url}
    seen = run(job("oauth2", [one.address], oauth2=oauth2))
    assert seen.until_row("up")["value"] == 0
    until(lambda: "Bearer token-2" in str(one.requests[-8:]), lambda: one.requests[-5:])
    one.status = 200
    seen.until(lambda seen: [row for row in seen.rows("up") if row["value"] == 1])
    assert server.secret not in subprocess.run(
        [seen.holdfast.binary, "print-config", "--config", seen.holdfast.config_path], capture_output=True, text=True
    ).stdout


def test_without_a_token_a_target_is_down_and_it_is_said_why(run, target, ending):
    server = ending.enter_context(TokenServer())
    server.refuse = (400, {"error": "invalid_scope"})
    one = target("a 1\n")
    one.status = 401
    oauth2 = {"client_id": "me", "client_secret": server.secret, "token_url": server.url}
    seen = run(job("oauth2", [one.address], oauth2=oauth2))
    assert seen.until_row("up")["value"] == 0
    seen.holdfast.wait_for_log('job .*oauth2.*no token: the token endpoint .* answered 400: invalid_scope')


def test_targets_with_certificates(run, target, tmp_path):
    authority = Authority(tmp_path / "ca")
    certificate, key = authority.issue("localhost")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    one = target("a 1\n", tls=context)
    named = {"ca_file": str(authority.certificate), "server_name": "localhost"}
    seen = run(
        job("good", [f"localhost:{one.port}"], scheme="https", tls_config=named),
        job("blind", [f"localhost:{one.port}"], scheme="https", tls_config={"insecure_skip_verify": True}),
        job("bad", [f"localhost:{one.port}"], scheme="https"),
    )

    def ups():
        return {row["resource"]["service.name"]: row["value"] for row in seen.rows("up")}

    until(lambda: ups() == {"good": 1, "blind": 1, "bad": 0}, ups)
    assert not [row for row in seen.rows("up") if row["resource"]["service.name"] == "bad" and row["value"] == 1]


# ---- real targets ----


@pytest.mark.parametrize("host", ["0.0.0.0", "localhost"])
def test_it_scrapes_itself(start, http_backend, host):
    config = configuration(http_backend, job("otel-collector", [host + ":${env:METRICS_PORT}"]))
    seen = Seen(http_backend)
    instance = start(config)
    row = seen.until_row("otelcol_process_uptime")
    assert row["resource"]["service.name"] == "otel-collector" and row["kind"] == "sum"
    seen.until_row("otelcol_receiver_accepted_metric_points", lambda row: row["value"] > 0, receiver="prometheus")
    seen.until_row("up", lambda row: row["value"] == 1)
    exposed = {name for name, _, _ in instance.metrics()}
    assert {row["name"] for row in seen.rows() if row["name"].startswith("otelcol_")} <= exposed | {
        name.rsplit("_", 1)[0] for name in exposed
    }


def test_a_program_with_the_official_client_library(run, ending, tmp_path):
    port = free_port()
    program = tmp_path / "program.py"
    program.write_text(
        "import sys, time\n"
        "from prometheus_client import Counter, Enum, Gauge, Histogram, Info, Summary, start_http_server\n"
        "c = Counter('jobs', 'Jobs.', ['kind']); c.labels('a').inc(3, exemplar={'trace_id': '0af7651916cd43dd8448eb211c80319c'})\n"
        "Gauge('level', 'Level.').set(-2.5)\n"
        "h = Histogram('size', 'Size.', buckets=(1, 2)); [h.observe(v) for v in (0.5, 1.5, 9)]\n"
        "s = Summary('wait', 'Wait.'); s.observe(4)\n"
        "Info('build', 'Build.').info({'version': '1'})\n"
        "Enum('state', 'State.', states=['on', 'off']).state('off')\n"
        "start_http_server(int(sys.argv[1]), '127.0.0.1')\n"
        "time.sleep(600)\n"
    )
    process = subprocess.Popen([sys.executable, program, str(port)])
    ending.callback(process.wait)
    ending.callback(process.kill)
    seen = run(job(targets=[f"127.0.0.1:{port}"]))
    counter = seen.until_row("jobs_total", kind="a")
    assert (counter["value"], counter["kind"]) == (3, "sum") and counter["start"] > 10**18
    assert counter["exemplars"][0]["trace_id"] == "0af7651916cd43dd8448eb211c80319c"
    assert seen.rows("level")[0]["value"] == -2.5
    assert seen.rows("size")[0]["value"] == (3, 11, (1.0, 2.0), (1, 1, 1))
    assert seen.rows("wait")[0]["value"] == (1, 4, ())
    assert seen.rows("build")[0]["attributes"] == {"version": "1"}
    states = {row["attributes"]["state"]: row["value"] for row in seen.rows("state") if row["value"] != "stale"}
    assert states == {"on": 0, "off": 1}
    assert not [row for row in seen.rows() if row["name"].endswith("_created")]


def test_the_node_exporter(run, ending, tmp_path):
    port = free_port()
    process = subprocess.Popen(
        ["prometheus-node-exporter", f"--web.listen-address=127.0.0.1:{port}"], stderr=subprocess.DEVNULL
    )
    ending.callback(process.wait)
    ending.callback(process.kill)
    seen = run(job("node", [f"127.0.0.1:{port}"], scrape_interval="3s"))
    up = seen.until_row("up", lambda row: row["value"] == 1)
    assert seen.until_row("node_cpu_seconds_total", cpu="0", mode="idle")["kind"] == "sum"
    assert seen.until_row("node_memory_MemTotal_bytes")["value"] > 10**6
    (scraped,) = [row for row in seen.rows("scrape_samples_scraped") if row["time"] == up["time"]]
    assert scraped["value"] > 300


# ---- discovery ----


def instances(seen, job="test"):
    return {
        row["resource"]["service.instance.id"]
        for row in seen.rows("up")
        if row["resource"]["service.name"] == job
    }


def test_targets_from_files_come_and_go(run, target, tmp_path):
    one, two = target("a 1\n"), target("a 2\n")
    (tmp_path / "x.json").write_text(json.dumps([{"targets": [one.address], "labels": {"from": "json"}}]))
    seen = run(job(file_sd_configs=[{"files": [str(tmp_path / "*.json"), str(tmp_path / "*.yml")],
                                     "refresh_interval": "200ms"}],
                   relabel_configs=[{"source_labels": ["__meta_filepath"], "target_label": "file"}]))  # fmt: skip
    row = seen.until_row("a")
    assert row["attributes"] == {"from": "json", "file": str(tmp_path / "x.json")}
    (tmp_path / "y.yml").write_text(yaml.safe_dump([{"targets": [two.address], "labels": {"from": "yaml"}}]))
    seen.until_row("a", **{"from": "yaml"})
    (tmp_path / "x.json").write_text("[{")  # a bad file keeps its targets
    seen.holdfast.wait_for_log("reading .*x.json failed")
    count = len(one.requests)
    until(lambda: len(one.requests) > count + 2, "scrapes go on")
    (tmp_path / "x.json").unlink()
    seen.until_row("a", lambda row: row["value"] == "stale", **{"from": "json"})
    seen.until_row("up", lambda row: row["value"] == "stale", **{"from": "json"})
    count = len(one.requests)
    until(lambda: len(two.requests) > len(one.requests) + 5, "the other goes on")
    assert len(one.requests) <= count + 1


def test_targets_from_a_server(run, target):
    one = target("a 1\n")
    server = target(json.dumps([{"targets": [one.address], "labels": {"__meta_zone": "z"}}]), "application/json")
    seen = run(job(http_sd_configs=[{"url": server.url + "/list", "refresh_interval": "300ms",
                                     "authorization": {"credentials": "for-the-list"}}],
                   relabel_configs=[{"regex": "__meta_(zone|url)", "action": "labelmap"}]))  # fmt: skip
    assert seen.until_row("a")["attributes"] == {"zone": "z", "url": server.url + "/list"}
    assert server.requests[0][1]["Authorization"] == "Bearer for-the-list"
    assert "Authorization" not in one.requests[0][1]
    server.status = 500
    count = len(one.requests)
    until(lambda: len(one.requests) > count + 3, "the last list stays")
    server.status, server.page = 200, "[]"
    seen.until_row("a", lambda row: row["value"] == "stale")


@pytest.fixture
def cluster(ending, tmp_path):
    authority = Authority(tmp_path / "kube-ca")
    api = ending.enter_context(KubernetesApi(authority.issue("kubernetes"), {"first-token"}))
    api.environment = service_account(tmp_path / "account", api, authority)
    return api


def put_pod(api, name, one, scrape="true", **more):
    parts = pod(name, "127.0.0.1", f"uid-{name}", ("ReplicaSet", "shop", "rs-1"), **more)
    parts["metadata"].update(
        labels={"app.kubernetes.io/name": "shop"},
        annotations={"prometheus.io/scrape": scrape, "prometheus.io/port": str(one.port)},
    )
    parts["spec"]["containers"] = [
        {"name": "app", "image": "shop:1", "ports": [{"name": "web", "containerPort": one.port, "protocol": "TCP"}]}
    ]
    parts["status"].update(phase="Running", hostIP="10.0.0.9", conditions=[{"type": "Ready", "status": "True"}])
    api.put("pods", name, **parts)


def test_pods_of_a_cluster_by_their_annotations(run, target, cluster):
    one, two = target("a 1\n"), target("a 2\n")
    put_pod(cluster, "shop-1", one)
    put_pod(cluster, "quiet", two, scrape="false")
    rules = [
        {"source_labels": ["__meta_kubernetes_pod_annotation_prometheus_io_scrape"], "regex": "true", "action": "keep"},
        {"source_labels": ["__address__", "__meta_kubernetes_pod_annotation_prometheus_io_port"],
         "regex": r"([^:]+)(?::\d+)?;(\d+)", "replacement": "$$1:$$2", "target_label": "__address__"},
        {"regex": "__meta_kubernetes_pod_label_(.+)", "action": "labelmap"},
        {"regex": "__meta_kubernetes_(pod_ready|pod_phase|pod_container_port_name|pod_controller_kind)",
         "action": "labelmap"},
    ]  # fmt: skip
    seen = run(
        job("kubernetes-pods", kubernetes_sd_configs=[{"role": "pod"}], relabel_configs=rules),
        environment=cluster.environment,
    )
    row = seen.until_row("a")
    assert row["attributes"] == {
        "app_kubernetes_io_name": "shop",
        "pod_ready": "true",
        "pod_phase": "Running",
        "pod_container_port_name": "web",
        "pod_controller_kind": "ReplicaSet",
    }
    assert row["resource"]["k8s.pod.name"] == "shop-1" and row["resource"]["k8s.namespace.name"] == "default"
    assert row["resource"]["k8s.pod.uid"] == "uid-shop-1" and row["resource"]["k8s.node.name"] == "node-1"
    assert row["resource"]["k8s.replicaset.name"] == "shop" and row["resource"]["k8s.container.name"] == "app"
    put_pod(cluster, "shop-2", two)
    seen.until_row("a", lambda row: row["resource"]["k8s.pod.name"] == "shop-2")
    cluster.delete("pods", "shop-1")
    seen.until_row("a", lambda row: (row["value"], row["resource"]["k8s.pod.name"]) == ("stale", "shop-1"))
    assert not two.requests or "quiet" not in {row["resource"]["k8s.pod.name"] for row in seen.rows("a")}


def test_a_cluster_by_its_url(run, target, cluster, tmp_path):
    put_pod(cluster, "shop-1", target("a 1\n"))
    account = cluster.environment["HOLDFAST_SERVICE_ACCOUNT_DIR"]
    discovery = {
        "role": "pod",
        "api_server": f"https://127.0.0.1:{cluster.port}/",
        "tls_config": {"ca_file": f"{account}/ca.crt"},
        "authorization": {"credentials_file": f"{account}/token"},
    }
    assert run(job(kubernetes_sd_configs=[discovery])).until_row("a")["resource"]["k8s.pod.name"] == "shop-1"


def test_endpoints_are_joined_with_pods_and_services(run, target, cluster):
    one = target("a 1\n")
    put_pod(cluster, "shop-1", one)
    cluster.put("services", "shop", metadata={"annotations": {"prometheus.io/scrape": "true"}, "labels": {"tier": "web"}})
    cluster.put("nodes", "node-1", namespace=None, metadata={"labels": {"zone": "z1"}})
    cluster.put(
        "endpoints",
        "shop",
        subsets=[
            {
                "addresses": [
                    {"ip": "127.0.0.1", "nodeName": "node-1", "targetRef": {"kind": "Pod", "name": "shop-1"}}
                ],
                "ports": [{"name": "metrics", "port": one.port, "protocol": "TCP"}],
            }
        ],
    )
    wanted = "service_label_tier|pod_name|pod_container_name|endpoint_port_name|endpoint_ready|node_label_zone|endpoints_name"
    sd = {"role": "endpoints", "namespaces": {"names": ["default"]}, "attach_metadata": {"node": True}}
    rules = [
        {"source_labels": ["__meta_kubernetes_service_annotation_prometheus_io_scrape"], "regex": "true", "action": "keep"},
        {"regex": f"__meta_kubernetes_({wanted})", "action": "labelmap"},
    ]
    seen = run(job(kubernetes_sd_configs=[sd], relabel_configs=rules), environment=cluster.environment)
    assert seen.until_row("a")["attributes"] == {
        "service_label_tier": "web",
        "pod_name": "shop-1",
        "pod_container_name": "app",
        "endpoint_port_name": "metrics",
        "endpoint_ready": "true",
        "node_label_zone": "z1",
        "endpoints_name": "shop",
    }
    assert cluster.asked("endpoints") and all("/namespaces/default/" in path for path, *_ in cluster.asked("endpoints"))


def test_nodes_of_a_cluster(run, target, cluster):
    one = target("a 1\n")
    cluster.put(
        "nodes",
        "node-1",
        namespace=None,
        metadata={"labels": {"kubernetes.io/os": "linux"}},
        status={
            "addresses": [{"type": "Hostname", "address": "n1"}, {"type": "InternalIP", "address": "127.0.0.1"}],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": one.port}},
        },
    )
    rules = [{"regex": "__meta_kubernetes_node_(label_.+|address_.+)", "action": "labelmap"}]
    seen = run(job(kubernetes_sd_configs=[{"role": "node"}], relabel_configs=rules), environment=cluster.environment)
    row = seen.until_row("a")
    assert row["resource"]["service.instance.id"] == "node-1"
    assert row["attributes"] == {
        "label_kubernetes_io_os": "linux",
        "address_Hostname": "n1",
        "address_InternalIP": "127.0.0.1",
    }


class Allocator:
    """The operator's target allocator, as far as collectors see it."""

    def __init__(self, target):
        self.jobs, self.targets, self.asked = {}, {}, []
        self.server = target("")
        self.server.page, self.server.content_type = self.answer, "application/json"

    def answer(self, _):
        path = self.server.requests[-1][0]
        self.asked.append(path)
        if path == "/scrape_configs":
            return json.dumps(self.jobs)
        name = path.removeprefix("/jobs/").partition("/")[0]
        return json.dumps([{"targets": self.targets.get(name, []), "labels": {"from": "allocator"}}])

    def put(self, name, target, **keys):
        own = {"honor_timestamps": True, "enable_http2": True, "follow_redirects": True, "not_known": 1}
        self.jobs[name] = {**job(name), **own, "kubernetes_sd_configs": [{"role": "pod"}], **keys}
        self.targets[name.replace("/", "%2F")] = [target.address]


def test_jobs_and_targets_of_an_allocator(start, http_backend, target):
    one, two = target("a 1\n"), target("b 1\n")
    allocator = Allocator(target)
    allocator.put("podMonitor/x/0", one)
    settings = {
        "endpoint": allocator.server.url,
        "interval": "200ms",
        "collector_id": "collector-0",
        "http_sd_config": {"refresh_interval": "200ms"},
    }
    config = configuration(http_backend)
    config["receivers"]["prometheus"] = {"config": {}, "target_allocator": settings}
    seen = Seen(http_backend)
    instance = start(config)
    row = seen.until_row("a")
    assert row["resource"]["service.name"] == "podMonitor/x/0" and row["attributes"] == {"from": "allocator"}
    assert "/jobs/podMonitor%2Fx%2F0/targets?collector_id=collector-0" in allocator.asked
    allocator.put("second", two, metric_relabel_configs=[{"target_label": "new", "replacement": "${1}x"}])
    assert seen.until_row("b")["attributes"] == {"from": "allocator", "new": "x"}
    stale = [row for row in seen.rows("a") if row["value"] == "stale" and not seen.is_down_at(row["time"])]
    assert not stale, "a job that has not changed goes on"
    allocator.server.status = 503
    instance.wait_for_log("reading .*/scrape_configs failed")
    count = len(one.requests)
    until(lambda: len(one.requests) > count + 3, "an allocator that is down changes nothing")
    allocator.server.status = 200
    del allocator.jobs["podMonitor/x/0"]
    seen.until_row("a", lambda row: row["value"] == "stale")
    count = len(two.requests)
    until(lambda: len(two.requests) > count + 3, "the other goes on")


# ---- nothing that was read is lost ----


def serials(seen):
    return {int(row["value"]) for row in seen.rows("serial") if row["value"] != "stale"}


POINTS = 6  # of a scrape of a page with one series


def test_what_was_accepted_survives_a_kill(start, http_backend, target):
    one = target(lambda number: f"serial {number}\n")
    seen = Seen(http_backend)
    http_backend.always = http_backend.always.__class__("status", code=503, headers={}, body=b"")
    instance = start(configuration(http_backend, job(targets=[one.address], scrape_interval="100ms")))
    instance.wait_metric("otelcol_receiver_accepted_metric_points", 5 * POINTS, receiver="prometheus")
    accepted = int(instance.metric("otelcol_receiver_accepted_metric_points", receiver="prometheus"))
    instance.kill9()
    killed_at = time.time_ns()
    http_backend.requests.clear()
    http_backend.always = http_backend.always.__class__("ok")
    instance.start()

    def arrived():
        return {(row["name"], row["time"]) for row in seen.rows() if row["time"] < killed_at}

    until(lambda: len(arrived()) >= accepted, lambda: f"{len(arrived())} of {accepted}")


def test_a_full_queue_holds_the_scrapes_back_and_loses_none(start, http_backend, target):
    one = target(lambda number: f"serial {number}\n")
    seen = Seen(http_backend)
    http_backend.always = http_backend.always.__class__("status", code=503, headers={}, body=b"")
    queue = {"sending_queue": {"queue_size": 4, "sizer": "requests"}}
    instance = start(configuration(http_backend, job(targets=[one.address], scrape_interval="50ms"), exporter=queue))
    until(lambda: instance.metric("otelcol_receiver_refused_metric_points", receiver="prometheus"), "a refusal")
    asked = len(one.requests)
    time_of_last = until(lambda: one.requests and time.monotonic(), "a request")
    until(lambda: time.monotonic() > time_of_last + 0.5, "ten intervals have passed")
    assert len(one.requests) <= asked + 1, "a target whose answer waits is not asked"
    http_backend.always = http_backend.always.__class__("ok")
    until(lambda: len(one.requests) > asked + 5, "scrapes go on")
    last = len(one.requests) - 1

    def known():
        """The answers that came, and the scrapes that failed."""
        failed = {row["time"] for row in seen.rows("up") if row["value"] == 0}
        return len(failed) + len([serial for serial in serials(seen) if serial <= last])

    until(lambda: known() >= last, lambda: f"{last}: {sorted(serials(seen))}")


def test_a_reload_changes_the_jobs(start, http_backend, target):
    one, two = target("a 1\n"), target("b 1\n")
    seen = Seen(http_backend)
    instance = start(configuration(http_backend, job(targets=[one.address])))
    seen.until_row("a")
    instance.write_config(configuration(http_backend, job("second", [two.address])))
    instance.reload()
    assert seen.until_row("b")["resource"]["service.name"] == "second"
    count = len(one.requests)
    until(lambda: len(two.requests) > 10, "scrapes of the new job")
    assert len(one.requests) <= count + 1


def test_many_targets_are_spread_over_the_interval(run, target):
    one = target("a 1\n")
    labels = [{"targets": [one.address], "labels": {"number": str(i)}} for i in range(60)]
    seen = run(job(static_configs=labels, scrape_interval="2s"))
    wanted = {str(i) for i in range(60)}
    until(lambda: {row["attributes"]["number"] for row in seen.rows("a")} == wanted, "all targets")
    times = {row["time"] // 200_000_000 % 10 for row in seen.rows("a")}
    assert len(times) >= 8, "most tenths of the interval have their share"


# ---- configurations ----


@pytest.mark.parametrize(
    "keys, words",
    [
        ({"scrape_intervall": "1s"}, "scrape_interval"),
        ({"scrape_interval": "soon"}, "15s, 1m or 1h30m"),
        ({"scrape_timeout": "2s", "scrape_interval": "1s"}, "scrape_timeout is longer"),
        ({"relabel_configs": [{"action": "keeep"}]}, "keep"),
        ({"relabel_configs": [{"source_labels": ["a"]}]}, "rule 1 of relabel_configs: target_label"),
        ({"metric_relabel_configs": [{"regex": "(", "target_label": "x"}]}, "rule 1 of metric_relabel_configs: regex"),
        ({"static_configs": [{"targets": ["http://x:1/metrics"]}]}, "host:port"),
        ({"basic_auth": {"username": "u"}, "bearer_token": "t"}, "only one of"),
        ({"oauth2": {"client_id": "a"}, "bearer_token": "t"}, "only one of"),
        ({"oauth2": {"client_id": "a", "token_url": "http://x/token"}}, "no client_secret"),
        ({"oauth2": {"client_id": "a", "client_secret": "b", "token_url": "x"}}, "token_url"),
        (
            {"oauth2": {"client_id": "a", "client_secret": "b", "client_secret_file": "c", "token_url": "http://x"}},
            "remove one",
        ),
        ({"params": {"a": "b"}}, "params"),
        ({"kubernetes_sd_configs": [{"role": "pods"}]}, "pod"),
        ({"file_sd_configs": [{"files": ["x.txt"]}]}, ".json, .yml or .yaml"),
        ({"job_name": ""}, "job_name is empty"),
        ({"ec2_sd_configs": [{"region": "eu-west-1"}]}, "ec2_sd_configs: this discovery is not built"),
        ({"consul_sd_configs": [{"server": "x:8500"}]}, "a file that file_sd_configs names, or serve them for http_sd"),
    ],
)
def test_mistakes_are_explained(start, http_backend, keys, words):
    instance = start(configuration(http_backend, {**job(targets=["x:1"]), **keys}), ready=False)
    instance.spawn()
    assert instance.process.wait(60) != 0
    assert words in instance.log(), instance.log()


def test_configurations_that_people_publish_load(start, http_backend):
    """What the most common public configurations have, all at once."""
    text = """
receivers:
  prometheus:
    config:
      global: {scrape_interval: 1m, scrape_timeout: 10s, evaluation_interval: 15s}
      scrape_configs:
        - job_name: otel-collector
          scrape_interval: 10s
          static_configs:
            - targets: ['0.0.0.0:8888']
        - job_name: k8s
          kubernetes_sd_configs:
            - role: pod
              namespaces: {names: [a, b]}
              selectors: [{role: pod, field: "spec.nodeName=${env:NODE_NAME}"}]
          relabel_configs:
            - source_labels: [__meta_kubernetes_pod_annotation_prometheus_io_scrape]
              regex: true
              action: keep
            - source_labels: [__address__, __meta_kubernetes_pod_annotation_prometheus_io_port]
              action: replace
              regex: (.+)(?::\\d+);(\\d+)
              replacement: $$1:$$2
              target_label: __address__
        - job_name: kubernetes-nodes-cadvisor
          scheme: https
          tls_config: {ca_file: /var/run/secrets/ca.crt, insecure_skip_verify: true}
          bearer_token_file: /var/run/secrets/token
          honor_timestamps: true
          kubernetes_sd_configs: [{role: node}]
          relabel_configs:
            - {action: labelmap, regex: __meta_kubernetes_node_label_(.+)}
          metric_relabel_configs:
            - {action: keep, source_labels: [__name__], regex: 'container_(cpu|memory)_.*'}
exporters:
  debug: {}
service:
  pipelines:
    metrics: {receivers: [prometheus], exporters: [debug]}
"""
    instance = start(text, ready=False, environment={"NODE_NAME": "n1"})
    done = subprocess.run(
        [instance.binary, "validate", "--config", instance.config_path],
        capture_output=True, text=True, env=instance.environment,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
