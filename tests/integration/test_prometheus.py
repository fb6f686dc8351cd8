"""The exporter prometheus: what a scrape shows, and that a kill takes nothing from it."""

import re
import urllib.error
import urllib.request
import zlib

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics_parser
from prometheus_client.parser import text_string_to_metric_families as text_parser
from support import otlp, senders
from support.holdfast import otlphttp_exporter
from support.ports import free_port
from support.scraped import rows
from support.waiting import until

SECOND = 10**9
CUMULATIVE, DELTA = 2, 1
LINE = re.compile(r'^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)(?: (\d+(?:\.\d+)?))?( # \{.*\} \S+(?: \S+)?)?$')
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)')
OPEN = "application/openmetrics-text; version=1.0.0"


def parse(text, open_metrics=False):
    """The samples by name and labels. Strict: each family once, TYPE before its samples, no series twice."""
    samples, types, family = {}, {}, None
    lines = text.split("\n")
    assert lines.pop() == ""
    if open_metrics:
        assert lines.pop() == "# EOF"
    for line in lines:
        if line.startswith("# "):
            word, name, rest = line[2:].split(" ", 2)
            assert word in ("HELP", "TYPE"), line
            if word == "TYPE":
                assert name not in types, line
                types[name] = rest
                family = name
            continue
        found = LINE.match(line)
        assert found, line
        assert found[1].startswith(family), line
        labels = LABEL.findall(found[2] or "")
        assert "".join(f'{name}="{value}",' for name, value in labels)[:-1] == (found[2] or ""), line
        assert len(dict(labels)) == len(labels), line
        key = (found[1], frozenset(labels))
        assert key not in samples, line
        samples[key] = float(found[3])
    return samples, types


class Page:
    def __init__(self, text, open_metrics=False):
        self.text = text
        self.samples, self.types = parse(text, open_metrics)

    def value(self, name, **labels):
        """The one sample of that name that has these labels, among others."""
        found = [v for (n, have), v in self.samples.items() if n == name and set(labels.items()) <= have]
        return found[0] if len(found) == 1 else None

    def names(self):
        return {name for name, _ in self.samples}


class Request:
    """An Export request of metrics that is put together piece by piece."""

    def __init__(self, **resource):
        self.message = ExportMetricsServiceRequest()
        group = self.message.resource_metrics.add()
        for key, value in resource.items():
            group.resource.attributes.append(otlp.attribute(key.replace("__", "."), value))
        self.scope = group.scope_metrics.add()

    def metric(self, name, unit="", description="text"):
        return self.scope.metrics.add(name=name, unit=unit, description=description)

    def number(self, points, value, start=0, time=1, **attributes):
        point = points.add(start_time_unix_nano=start * SECOND, time_unix_nano=time * SECOND, as_int=value)
        for key, text in attributes.items():
            point.attributes.append(otlp.attribute(key, text))
        return point

    def sum(self, name, value, start=0, time=1, temporality=CUMULATIVE, unit="", **attributes):
        metric = self.metric(name, unit)
        metric.sum.aggregation_temporality = temporality
        metric.sum.is_monotonic = True
        return self.number(metric.sum.data_points, value, start, time, **attributes)

    def gauge(self, name, value, time=1, unit="", **attributes):
        return self.number(self.metric(name, unit).gauge.data_points, value, 0, time, **attributes)

    def histogram(self, name, counts, bounds, start=0, time=1, temporality=CUMULATIVE):
        metric = self.metric(name, "s")
        metric.histogram.aggregation_temporality = temporality
        return metric.histogram.data_points.add(
            start_time_unix_nano=start * SECOND,
            time_unix_nano=time * SECOND,
            count=sum(counts),
            sum=2.5,
            bucket_counts=counts,
            explicit_bounds=bounds,
        )

    def bytes(self):
        return self.message.SerializeToString()


@pytest.fixture
def scraped(start, grpc_sender):
    class Scraped:
        def __init__(self):
            self.holdfast = None

        def configuration(self, extensions=None, **keys):
            return {
                "exporters": {"prometheus": {"endpoint": f"127.0.0.1:{self.port}", **keys}},
                "extensions": extensions or {},
                "service": {
                    "extensions": ["health_check", *(extensions or {})],
                    "pipelines": {"metrics": {"receivers": ["otlp"], "exporters": ["prometheus"]}},
                },
            }

        def start(self, **keys):
            self.port = free_port()
            self.holdfast = start(self.configuration(**keys))
            self.sender = grpc_sender(self.holdfast)

        def send(self, request):
            self.sender.export(otlp.METRICS, request.bytes())

        def page(self, path="/metrics", **headers):
            asked = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", headers=headers)
            with urllib.request.urlopen(asked, timeout=10) as answer:
                self.content_type = answer.headers["Content-Type"]
                return Page(answer.read().decode(), "openmetrics" in self.content_type)

        def wait_value(self, expected, name, **labels):
            until(
                lambda: self.page().value(name, **labels) == expected,
                lambda: f"{name} {labels} is not {expected}:\n{self.page().text}",
            )

    return Scraped()


def test_every_kind_is_shown_with_its_translated_name(scraped):
    scraped.start(namespace="otel_daemonset", const_labels={"collector": "daemonset", "node": "n1"})
    request = Request(service__name="shop", service__namespace="eu", service__instance__id="i1", host__name="h")
    request.sum("system.cpu.time", 12, unit="s", state="user")
    request.gauge("system.memory.usage", 7, unit="By", text='a"b\\c\nd')
    request.histogram("http.duration", [1, 2, 3], [0.1, 5])
    summary = request.metric("latency").summary.data_points.add(count=2, sum=3.5, time_unix_nano=SECOND)
    summary.quantile_values.add(quantile=0.5, value=1.5)
    scraped.send(request)
    scraped.wait_value(12, "otel_daemonset_system_cpu_time_seconds_total", state="user", collector="daemonset", node="n1")
    page = scraped.page()
    who = {"job": "eu/shop", "instance": "i1"}
    assert scraped.content_type == "text/plain; version=0.0.4; charset=utf-8"
    assert page.value("otel_daemonset_system_memory_usage_bytes", text='a\\"b\\\\c\\nd', **who) == 7
    name = "otel_daemonset_http_duration_seconds"
    assert [page.value(f"{name}_bucket", le=le) for le in ("0.1", "5", "+Inf")] == [1, 3, 6]
    assert (page.value(f"{name}_sum"), page.value(f"{name}_count")) == (2.5, 6)
    assert page.value("otel_daemonset_latency", quantile="0.5", **who) == 1.5
    assert page.value("otel_daemonset_target_info", host_name="h", **who) == 1
    assert not any("collector" in dict(labels) for n, labels in page.samples if n.endswith("target_info"))
    assert page.types[name] == "histogram"
    assert page.types["otel_daemonset_system_cpu_time_seconds_total"] == "counter"


def test_a_sum_that_may_fall_is_no_ratio(scraped):
    """As in the Go collector: of the unit 1, gauges alone are ratios."""
    scraped.start()
    request = Request()
    request.sum("queue.size", 3, unit="1")
    request.scope.metrics[0].sum.is_monotonic = False
    request.gauge("queue.use", 1, unit="1")
    scraped.send(request)
    scraped.wait_value(1, "queue_use_ratio")
    page = scraped.page()
    assert page.value("queue_size") == 3 and page.types["queue_size"] == "gauge"


def test_deltas_are_added_and_what_is_old_is_ignored(scraped):
    scraped.start()
    for start, time, value in ((0, 1, 5), (1, 2, 6), (1, 2, 6), (2, 3, 1)):
        request = Request()
        request.sum("hits", value, start, time, DELTA)
        request.histogram("d", [value, 0], [1], start, time, DELTA)
        scraped.send(request)
    scraped.wait_value(12, "hits_total")
    scraped.wait_value(12, "d_seconds_bucket", le="1")
    request = Request()
    request.gauge("level", 3, time=9)
    request.gauge("level", 4, time=8)
    scraped.send(request)
    scraped.wait_value(3, "level")


def test_a_kill_takes_nothing_from_the_counters(scraped):
    scraped.start()
    total = 0
    for round_number in range(4):
        for i in range(25):
            step = round_number * 25 + i
            request = Request()
            request.sum("hits", 3, step, step + 1, DELTA)
            request.sum("seen", step, 0, step + 1)
            scraped.send(request)
            total += 3
        scraped.holdfast.kill9()
        scraped.holdfast.restart()
        scraped.sender.close()
        scraped.sender = senders.GrpcSender(scraped.holdfast.grpc_target)
        scraped.wait_value(total, "hits_total")
        assert scraped.page().value("seen_total") == round_number * 25 + 24
    scraped.sender.close()


def test_the_first_type_of_a_name_wins_and_the_rest_is_counted(scraped):
    scraped.start(max_series=2)
    request = Request()
    request.gauge("x", 1)
    request.histogram("x", [1], [])
    request.metric("x_seconds", "").gauge.data_points.add(as_int=2)
    request.metric("e").exponential_histogram.data_points.add(count=1)
    request.gauge("y", 1, a="1")
    request.gauge("y", 1, a="2")
    scraped.send(request)
    scraped.wait_value(1, "x")
    until(lambda: scraped.holdfast.books("metrics", "prometheus")["queued"]["items"] == 0, "the batch is delivered")
    books = scraped.holdfast.books("metrics", "prometheus")
    assert (books["delivered"]["items"], books["dropped"]["rejected_by_backend"]["items"]) == (2, 4)
    scraped.holdfast.wait_for_log('"rejected_items":4,"items":6,"signal":"metrics","error":"more metrics than max_series"')


def test_open_metrics_has_exemplars_and_times(scraped):
    scraped.start(enable_open_metrics=True, send_timestamps=True)
    request = Request()
    point = request.sum("hits", 5, time=1700000000)
    point.exemplars.add(trace_id=b"\x01" * 16, span_id=b"\x02" * 8, as_int=4, time_unix_nano=1700000000 * SECOND)
    request.histogram("d", [1, 2], [1], time=1700000000)
    scraped.send(request)
    scraped.wait_value(5, "hits_total")
    text = scraped.page().text
    assert "hits_total 5 1700000000000\n" in text
    page = scraped.page(Accept=OPEN)
    assert scraped.content_type == "application/openmetrics-text; version=1.0.0; charset=utf-8"
    assert page.types["hits"] == "counter"
    exemplar = f'# {{trace_id="{"01" * 16}",span_id="{"02" * 8}"}} 4.0 1700000000.000'
    assert f"hits_total 5 1700000000.000 {exemplar}\n" in page.text
    assert page.value("d_seconds_bucket", le="1.0") == 1


UTF8 = "text/plain;version=1.0.0;escaping=allow-utf-8"


def official(scraped, accept, open_metrics=False):
    """The families by name, as the official client library reads the page; a family's samples by name."""
    asked = urllib.request.Request(f"http://127.0.0.1:{scraped.port}/metrics", headers={"Accept": accept})
    with urllib.request.urlopen(asked, timeout=10) as answer:
        scraped.content_type = answer.headers["Content-Type"]
        read = openmetrics_parser if open_metrics else text_parser
        families = list(read(answer.read().decode()))
    assert len({family.name for family in families}) == len(families)
    return {family.name: family for family in families}


def dotted_request():
    request = Request(service__name="shop", service__instance__id="i1", host__name="h")
    request.sum("http.server.requests", 12, unit="{request}").attributes.append(otlp.attribute("http.method", 'G"E\\T'))
    request.gauge("disk.used", 7, unit="By", plain="p")
    request.histogram("größe", [1, 2], [5])
    return request


STRATEGIES = {
    "UnderscoreEscapingWithSuffixes": ("http_server_requests_total", "disk_used_bytes", "gr_e_seconds", "http_method"),
    "UnderscoreEscapingWithoutSuffixes": ("http_server_requests", "disk_used", "gr_e", "http_method"),
    "NoUTF8EscapingWithSuffixes": ("http.server.requests_total", "disk.used_bytes", "größe_seconds", "http.method"),
    "NoTranslation": ("http.server.requests", "disk.used", "größe", "http.method"),
}


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_names_of_each_strategy_are_those_that_the_official_library_reads(scraped, strategy):
    scraped.start(translation_strategy=strategy, const_labels={"const.label": "c"}, enable_open_metrics=True)
    counter, gauge, histogram, label = STRATEGIES[strategy]
    is_utf8 = "." in label
    const, host = ("const.label", "host.name") if is_utf8 else ("const_label", "host_name")
    identity = {"job": "shop", "instance": "i1"}
    scraped.send(dotted_request())
    base = counter.removesuffix("_total")
    until(lambda: base in official(scraped, UTF8), lambda: scraped.page().text)
    for accept, open_metrics, content_type in (
        (UTF8, False, "text/plain; version=1.0.0; charset=utf-8; escaping=allow-utf-8"),
        (
            f"{OPEN};escaping=allow-utf-8",
            True,
            "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=allow-utf-8",
        ),
    ):
        families = official(scraped, accept, open_metrics)
        assert scraped.content_type == content_type
        assert {name: family.type for name, family in families.items()} == {
            base: "counter",
            gauge: "gauge",
            histogram: "histogram",
            "target_info": "gauge",
        }
        if not open_metrics:
            assert (f'{{"{counter}",' if is_utf8 else f"{counter}{{") in raw_page(scraped, Accept=accept)
        (one,) = families[base].samples
        assert (one.name, one.value) == (f"{base}_total", 12)  # the library's name of every counter
        assert one.labels == {label: 'G"E\\T', const: "c", **identity}
        (one,) = families[gauge].samples
        assert (one.name, one.value, one.labels) == (gauge, 7, {"plain": "p", const: "c", **identity})
        buckets = [s for s in families[histogram].samples if s.name == f"{histogram}_bucket"]
        assert [(float(s.labels["le"]), s.value) for s in buckets] == [(5, 1), (float("inf"), 3)]
        assert {s.name for s in families[histogram].samples} == {f"{histogram}_{end}" for end in ("bucket", "sum", "count")}
        assert families["target_info"].samples[0].labels == {host: "h", **identity}


@pytest.mark.parametrize(
    "accept, name, label, const",
    [
        (None, "http_server_requests", "http_method", "const_label"),
        ("text/plain;version=0.0.4", "http_server_requests", "http_method", "const_label"),
        ("text/plain;version=1.0.0;escaping=underscores", "http_server_requests", "http_method", "const_label"),
        (
            "text/plain;version=1.0.0;escaping=dots",
            "http_dot_server_dot_requests",
            "http_dot_method",
            "const_dot_label",
        ),
        (
            "text/plain;version=1.0.0;escaping=values",
            "U__http_2e_server_2e_requests",
            "U__http_2e_method",
            "U__const_2e_label",
        ),
        (UTF8, None, None, None),
    ],
)
def test_a_scraper_that_takes_no_utf8_gets_escaped_names(scraped, accept, name, label, const):
    scraped.start(translation_strategy="NoTranslation", const_labels={"const.label": "c"})
    scraped.send(dotted_request())
    headers = {"Accept": accept} if accept else {}
    until(lambda: "requests" in raw_page(scraped, **headers), "the page")
    if name is None:
        text = raw_page(scraped, **headers)
        assert '# TYPE "http.server.requests" counter\n' in text
        assert (
            '{"http.server.requests","http.method"="G\\"E\\\\T",instance="i1",job="shop","const.label"="c"} 12\n' in text
        )
        assert '{"größe_bucket",instance="i1",job="shop","const.label"="c",le="5"} 1\n' in text
        return
    page = scraped.page(**headers)
    assert page.types[name] == "counter"
    assert page.value(name, **{label: 'G\\"E\\\\T', const: "c", "job": "shop"}) == 12


def raw_page(scraped, **headers):
    asked = urllib.request.Request(f"http://127.0.0.1:{scraped.port}/metrics", headers=headers)
    with urllib.request.urlopen(asked, timeout=10) as answer:
        return answer.read().decode()


def test_a_page_of_several_parts_is_compressed_as_a_whole(scraped):
    scraped.start()
    request = Request()
    for number in range(6_000):
        request.gauge(f"level_of_a_long_name_{number:06}", number)
    scraped.send(request)
    scraped.wait_value(5_999, "level_of_a_long_name_005999")
    plain = raw_page(scraped, **{"Accept-Encoding": "gzip;q=0, br"})
    assert len(plain) > 600_000
    asked = urllib.request.Request(f"http://127.0.0.1:{scraped.port}/metrics", headers={"Accept-Encoding": "br, GZIP;q=0.5"})
    with urllib.request.urlopen(asked, timeout=10) as answer:
        packed = answer.read()
        assert (answer.headers["Content-Encoding"], answer.headers["Vary"]) == ("gzip", "Accept-Encoding")
    one = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
    assert one.decompress(packed).decode() == plain
    assert one.eof and not one.unused_data  # of several members some clients read the first
    assert len(packed) * 5 < len(plain)


def test_attributes_that_become_one_label_are_joined_for_each_scraper(scraped):
    scraped.start(translation_strategy="NoTranslation")
    request = Request()
    point = request.gauge("level", 1, a_b="2")
    point.attributes.append(otlp.attribute("a.b", "1"))
    scraped.send(request)
    scraped.wait_value(1, "level", a_b="1;2")
    assert 'level{"a.b"="1",a_b="2"} 1\n' in raw_page(scraped, Accept=UTF8)


def test_a_label_named_like_a_constant_one_in_utf8_is_rejected(scraped):
    scraped.start(translation_strategy="NoTranslation", const_labels={"zone.a": "c", "x": "1"})
    request = Request()
    for key in ("zone.a", "zone_a", "a"):
        request.gauge("level", 1).attributes.append(otlp.attribute(key, "p"))
    scraped.send(request)
    until(lambda: scraped.holdfast.books("metrics", "prometheus")["queued"]["items"] == 0, "the batch is delivered")
    assert scraped.holdfast.books("metrics", "prometheus")["dropped"]["rejected_by_backend"]["items"] == 1
    text = raw_page(scraped, Accept=UTF8)
    assert 'level{zone_a="p",x="1","zone.a"="c"} 1\n' in text and 'level{a="p",x="1","zone.a"="c"} 1\n' in text


def test_names_in_utf8_survive_a_kill(scraped):
    scraped.start(translation_strategy="NoTranslation")
    scraped.send(dotted_request())
    until(lambda: scraped.holdfast.books("metrics", "prometheus")["queued"]["items"] == 0, "the batch is delivered")
    before = raw_page(scraped, Accept=UTF8)
    scraped.holdfast.kill9()
    scraped.holdfast.restart()
    until(lambda: raw_page(scraped, Accept=UTF8) == before, lambda: raw_page(scraped, Accept=UTF8))
    assert '{"http.server.requests"' in before


@pytest.mark.parametrize("open_metrics", [False, True])
def test_our_own_receiver_reads_names_in_utf8(scraped, http_backend, start, grpc_sender, open_metrics):
    scraped.port = free_port()
    config = scraped.configuration(translation_strategy="NoTranslation", enable_open_metrics=open_metrics)
    job = {
        "job_name": "self",
        "scrape_interval": "200ms",
        "scrape_timeout": "200ms",
        "honor_labels": True,
        "static_configs": [{"targets": [f"127.0.0.1:{scraped.port}"]}],
    }
    config["receivers"] = {"prometheus": {"config": {"scrape_configs": [job]}}}
    config["exporters"]["otlphttp"] = otlphttp_exporter(http_backend)
    config["service"]["pipelines"]["metrics/scraped"] = {"receivers": ["prometheus"], "exporters": ["otlphttp"]}
    scraped.holdfast = start(config)
    scraped.sender = grpc_sender(scraped.holdfast)
    scraped.send(dotted_request())

    def found(name):
        every = [row for one in list(http_backend.requests) for row in rows(one.message)]
        return next((row for row in every if row["name"] == name and row["value"] != "stale"), None)

    name = "http.server.requests_total" if open_metrics else "http.server.requests"
    until(lambda: found(name), lambda: {row["name"] for one in http_backend.requests for row in rows(one.message)})
    row = found(name)
    assert (row["value"], row["kind"]) == (12, "sum")
    assert row["attributes"]["http.method"] == 'G"E\\T'
    assert found("größe")["value"] == (3, 2.5, (5.0,), (1, 2))
    assert found("disk.used")["value"] == 7


def test_resource_attributes_become_labels_when_asked_for(scraped):
    scraped.start(resource_to_telemetry_conversion={"enabled": True}, add_metric_suffixes=False)
    request = Request(service__name="shop", zone="eu")
    request.sum("hits.count", 1, unit="By", zone="of the point")
    scraped.send(request)
    scraped.wait_value(1, "hits_count", zone="eu", service_name="shop", job="shop")


def test_some_resource_attributes_become_labels_when_they_are_named(scraped):
    scraped.start(resource_constant_labels={"included": ["zo*"], "excluded": ["zone.secret"]}, add_metric_suffixes=False)
    request = Request(service__name="shop", zone="eu", zone__secret="hidden", rack="7")
    request.sum("hits.count", 1, unit="By", zone="of the point")
    scraped.send(request)
    scraped.wait_value(1, "hits_count", zone="eu", job="shop")
    (line,) = [line for line in scraped.page().text.splitlines() if line.startswith("hits_count{")]
    assert "hidden" not in line and "rack" not in line


def test_a_series_without_a_recorded_value_is_gone(scraped):
    scraped.start()
    request = Request()
    request.gauge("level", 1, a="1")
    request.gauge("level", 2, a="2")
    scraped.send(request)
    scraped.wait_value(2, "level", a="2")
    request = Request()
    request.gauge("level", 0, time=2, a="1").flags = 1
    scraped.send(request)
    scraped.wait_value(2, "level")


def test_a_series_that_is_not_updated_expires(scraped):
    scraped.start(metric_expiration="500ms")
    request = Request()
    request.gauge("level", 1)
    scraped.send(request)
    until(lambda: scraped.holdfast.books("metrics", "prometheus")["queued"]["items"] == 0, "delivered")
    until(lambda: scraped.page().samples == {}, "nothing is shown any more")


def test_other_paths_and_methods_are_refused(scraped):
    scraped.start()
    with pytest.raises(urllib.error.HTTPError, match="404"):
        scraped.page("/other")
    asked = urllib.request.Request(f"http://127.0.0.1:{scraped.port}/metrics", method="POST", data=b"x")
    with pytest.raises(urllib.error.HTTPError, match="405"):
        urllib.request.urlopen(asked, timeout=10)


def test_a_reload_keeps_the_values(scraped):
    scraped.start()
    for step in range(20):
        request = Request()
        request.sum("hits", 3 * (step + 1), 0, step + 1)
        scraped.send(request)
        if step == 10:
            scraped.holdfast.write_config(scraped.configuration(const_labels={"after": "reload"}))
            scraped.holdfast.reload()
    scraped.wait_value(60, "hits_total", after="reload")


def test_a_snapshot_that_the_exporter_before_a_reload_writes_late_is_shown(scraped):
    """The old exporter may save once more after the new one was started, and nothing more may come from the queue."""
    scraped.start()
    state = scraped.holdfast.data_directory / "prometheus.state"
    snapshots = []
    for step in (1, 2):
        request = Request()
        request.sum("hits", 3 * step, 0, step)
        scraped.send(request)
        scraped.wait_value(3 * step, "hits_total")
        until(lambda: scraped.holdfast.books("metrics", "prometheus")["queued"]["items"] == 0, "delivered")
        snapshots.append(state.read_bytes())
    scraped.holdfast.terminate()
    state.write_bytes(snapshots[0])
    scraped.holdfast.start()
    assert scraped.page().value("hits_total") == 3
    late = state.with_suffix(".late")
    late.write_bytes(snapshots[1])
    late.rename(state)
    assert scraped.page().value("hits_total") == 6


def test_a_scraper_must_show_its_token_when_there_is_an_authenticator(scraped):
    scraped.start(extensions={"bearertokenauth": {"token": "secret"}}, auth={"authenticator": "bearertokenauth"})
    with pytest.raises(urllib.error.HTTPError, match="401"):
        scraped.page()
    assert scraped.page(Authorization="Bearer secret").samples == {}


def test_a_damaged_snapshot_is_said_and_left_out(scraped):
    scraped.start()
    request = Request()
    request.gauge("level", 1)
    scraped.send(request)
    scraped.wait_value(1, "level")
    until(lambda: scraped.holdfast.books("metrics", "prometheus")["queued"]["items"] == 0, "delivered")
    scraped.holdfast.terminate()
    state = scraped.holdfast.data_directory / "prometheus.state"
    state.write_bytes(state.read_bytes()[:-5] + b"xxxxx")
    scraped.holdfast.start()
    assert scraped.page().samples == {}
    scraped.holdfast.wait_for_log("is damaged")
