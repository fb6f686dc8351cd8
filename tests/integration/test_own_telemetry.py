"""Own telemetry that is sent: metrics, log lines and spans of the process, to a real OTLP backend."""

import grpc
import pytest
from grpc import StatusCode

from support import backends, otlp, senders
from support.certificates import Authority
from support.holdfast import BASE, config, otlp_exporter
from support.waiting import until


def exporter(backend, protocol, **more):
    """The `otlp` exporter of own telemetry to a backend of tests."""
    http = protocol == "http/protobuf"
    endpoint = backend.endpoint if http else f"http://{backend.endpoint}"
    return {"otlp": {"protocol": protocol, "endpoint": endpoint, **more}}


def telemetry(exporters, interval=100):
    """service::telemetry with that exporter for all three signals."""
    return {
        **BASE["service"]["telemetry"],
        "metrics": {
            "readers": [
                {"pull": {"exporter": {"prometheus": {"host": "127.0.0.1", "port": "${env:METRICS_PORT}"}}}},
                {"periodic": {"interval": interval, "exporter": exporters}},
            ],
        },
        "logs": {"encoding": "json", "level": "debug", "processors": [{"batch": {"schedule_delay": 50, "exporter": exporters}}]},
        "traces": {"processors": [{"batch": {"schedule_delay": 50, "exporter": exporters}}]},
        "resource": {"service.name": "edge", "team": "a", "service.version": None},
    }


BASE_WITHOUT_ADDRESS = {
    **BASE,
    "service": {**BASE["service"], "telemetry": {"logs": {"encoding": "json"}}},
}


@pytest.fixture(params=["grpc", "http/protobuf"])
def protocol(request):
    return request.param


@pytest.fixture
def place(protocol, grpc_backend, http_backend):
    return http_backend if protocol == "http/protobuf" else grpc_backend


def configuration(exporters, section):
    made = config(exporters)
    made["service"]["telemetry"] = section
    return made


def send(holdfast, count=3):
    body = otlp.request(otlp.TRACES, otlp.new_ids(count))
    assert senders.post(holdfast.http_base, otlp.TRACES, body).status_code == 200


def items(backend, signal):
    return [item for one in backend.accepted(signal) for item in otlp.items(signal, one.message)]


def metric(backend, name, **attributes):
    """The latest value of that own metric; None when it was not sent."""
    for one in reversed(backend.accepted(otlp.METRICS)):
        for group in one.message.resource_metrics:
            for scope in group.scope_metrics:
                for found in scope.metrics:
                    if found.name != name:
                        continue
                    for point in getattr(found, found.WhichOneof("data")).data_points:
                        have = otlp.attributes(point)
                        if all(have.get(key) == value for key, value in attributes.items()):
                            return found, point
    return None


class TestSending:
    def test_sends_all_signals(self, start, place, protocol):
        section = telemetry(exporter(place, protocol, headers=[{"name": "X-Key", "value": "k1"}]))
        holdfast = start(configuration({"nop": None}, section), base=BASE_WITHOUT_ADDRESS)
        send(holdfast)
        spans = until(lambda: items(place, otlp.TRACES), "no span comes")
        names = {span.name: span for span in spans}
        until(lambda: "exporter/nop/traces" in {span.name for span in items(place, otlp.TRACES)}, "no export is traced")
        received = names["receiver/otlp/TraceDataReceived"]
        assert otlp.attributes(received) == {"accepted_spans": 3, "refused_spans": 0, "transport": "http"}
        assert received.kind == 2 and len(received.trace_id) == 16 and received.end_time_unix_nano > received.start_time_unix_nano
        until(
            lambda: (metric(place, "otelcol_receiver_accepted_spans", transport="http") or [0, None])[1] is not None
            and metric(place, "otelcol_receiver_accepted_spans", transport="http")[1].as_int == 3,
            "the metric does not come",
        )
        family, point = metric(place, "otelcol_receiver_accepted_spans", transport="http")
        assert family.sum.is_monotonic and family.sum.aggregation_temporality == 2
        assert point.start_time_unix_nano and otlp.attributes(point)["receiver"] == "otlp"
        family, _ = metric(place, "otelcol_process_memory_rss")
        assert family.unit == "By" and family.WhichOneof("data") == "gauge"
        family, point = metric(place, "holdfast_queue_commit_duration_seconds", queue="traces")
        assert sum(point.bucket_counts) == point.count and len(point.bucket_counts) == len(point.explicit_bounds) + 1
        lines = until(
            lambda: [one for one in items(place, otlp.LOGS) if one.body.string_value.startswith("Everything is ready")],
            "the log line does not come",
        )
        assert lines[0].severity_text == "info"
        assert otlp.attributes(lines[0])["data_directory"] == str(holdfast.data_directory)
        for signal in otlp.SIGNALS:
            one = place.accepted(signal)[0]
            assert dict(one.metadata).get("x-key") == "k1"
            resource = otlp.attributes(otlp.resources(signal, one.message)[0])
            assert resource.pop("service.instance.id") and resource == {"service.name": "edge", "team": "a"}

    def test_sends_the_rest_at_the_end(self, start, place, protocol):
        section = telemetry(exporter(place, protocol), interval=3_600_000)
        section["logs"]["processors"][0]["batch"]["schedule_delay"] = 3_600_000
        section["traces"]["processors"][0]["batch"]["schedule_delay"] = 3_600_000
        holdfast = start(configuration({"nop": None}, section), base=BASE_WITHOUT_ADDRESS)
        send(holdfast)
        assert not place.requests
        holdfast.terminate()
        assert "receiver/otlp/TraceDataReceived" in {span.name for span in items(place, otlp.TRACES)}
        assert metric(place, "otelcol_receiver_accepted_spans", transport="http")[1].as_int == 3
        assert any("Received signal" in one.body.string_value for one in items(place, otlp.LOGS))

    def test_follows_a_reload(self, start, place, protocol):
        holdfast = start(configuration({"nop": None}, telemetry(exporter(place, protocol))), base=BASE_WITHOUT_ADDRESS)
        until(lambda: place.accepted(otlp.METRICS), "no metric comes")
        section = telemetry(exporter(place, protocol))
        section["resource"]["team"] = "b"
        holdfast.write_config(configuration({"nop": None}, section))
        holdfast.reload()
        until(
            lambda: otlp.attributes(otlp.resources(otlp.METRICS, place.accepted(otlp.METRICS)[-1].message)[0])["team"] == "b",
            "the new resource does not come",
        )


class TestTrouble:
    def test_is_tried_again_and_causes_none_of_itself(self, start, grpc_backend):
        grpc_backend.always = backends.refuse(StatusCode.UNAVAILABLE, "not now")
        holdfast = start(
            configuration({"nop": None}, telemetry(exporter(grpc_backend, "grpc"))), base=BASE_WITHOUT_ADDRESS
        )
        send(holdfast)
        holdfast.wait_for_log('own telemetry was not taken.*"signal":"traces"')
        grpc_backend.always = backends.ok()
        spans = until(lambda: items(grpc_backend, otlp.TRACES), "the spans do not come again")
        assert "receiver/otlp/TraceDataReceived" in {span.name for span in spans}
        until(lambda: items(grpc_backend, otlp.LOGS), "the lines do not come again")
        assert not any("not taken" in one.body.string_value for one in items(grpc_backend, otlp.LOGS))

    def test_is_bounded_and_what_is_dropped_is_counted(self, start, grpc_backend):
        grpc_backend.always = backends.refuse(StatusCode.UNAVAILABLE, "not now")
        section = telemetry(exporter(grpc_backend, "grpc"))
        section["traces"]["processors"][0]["batch"] |= {"max_queue_size": 5, "max_export_batch_size": 2}
        holdfast = start(configuration({"nop": None}, section), base=BASE_WITHOUT_ADDRESS)
        for _ in range(10):
            send(holdfast)
        holdfast.wait_metric("holdfast_own_telemetry_dropped_total", 1, signal="traces")

    def test_does_not_hold_up_data_or_the_end(self, start, grpc_backend):
        grpc_backend.always = backends.hang()
        holdfast = start(
            configuration({"otlp": otlp_exporter(grpc_backend)}, telemetry(exporter(grpc_backend, "grpc"))),
            base=BASE_WITHOUT_ADDRESS,
        )
        send(holdfast)
        status, _ = holdfast.terminate()
        assert status == 0

    def test_says_what_cannot_be_used(self, start, tmp_path, grpc_backend):
        section = telemetry({"otlp_grpc": {"endpoint": "https://127.0.0.1:1", "tls": {"cert_file": str(tmp_path / "no"), "key_file": str(tmp_path / "no")}}})
        holdfast = start(configuration({"nop": None}, section), base=BASE_WITHOUT_ADDRESS)
        holdfast.wait_for_log("service::telemetry: .*; own telemetry is not sent")


def test_is_encrypted(start, tmp_path, ending):
    authority = Authority(tmp_path / "certificates")
    certificate, key = authority.issue("backend")
    credentials = grpc.ssl_server_credentials([(key.read_bytes(), certificate.read_bytes())])
    backend = ending.enter_context(backends.GrpcBackend(credentials=credentials))
    exporters = {
        "otlp_grpc": {"endpoint": f"https://localhost:{backend.port}", "tls": {"ca_file": str(authority.certificate)}}
    }
    holdfast = start(configuration({"nop": None}, telemetry(exporters)), base=BASE_WITHOUT_ADDRESS)
    send(holdfast)
    until(lambda: items(backend, otlp.TRACES) and items(backend, otlp.LOGS), "nothing comes")
