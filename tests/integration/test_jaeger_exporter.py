"""The exporter jaeger of older configurations: its keys, OTLP on the wire, and a warning."""

from support import otlp
from support.holdfast import otlp_exporter


def configuration(exporter):
    return {
        "exporters": {"jaeger": exporter},
        "service": {"pipelines": {"traces": {"receivers": ["otlp"], "exporters": ["jaeger"]}}},
    }


def test_spans_arrive_as_otlp_through_an_outage_and_a_kill(start, grpc_backend, grpc_sender):
    grpc_backend.stop()
    holdfast = start(configuration(otlp_exporter(grpc_backend)))
    sender = grpc_sender(holdfast)
    ids = otlp.new_ids(10)
    for item in ids:
        sender.export(otlp.TRACES, otlp.request(otlp.TRACES, [item]))
    holdfast.kill9()
    grpc_backend.start()
    holdfast.start()
    grpc_backend.wait_for(ids)
    assert f"the exporter jaeger sends OTLP to {grpc_backend.endpoint}" in holdfast.log()


def test_the_port_of_jaegers_own_protocol_becomes_that_of_otlp(start):
    holdfast = start(configuration({"endpoint": "127.0.0.1:14250", "tls": {"insecure": True}}))
    holdfast.wait_for_log("the exporter jaeger sends OTLP to 127.0.0.1:4317, which Jaeger takes")


def test_it_carries_traces_alone(start):
    settings = configuration({"endpoint": "127.0.0.1:14250"})
    settings["service"]["pipelines"]["logs"] = settings["service"]["pipelines"].pop("traces")
    holdfast = start(settings, ready=False)
    done = holdfast.command("validate", "--config", holdfast.base_path, "--config", holdfast.config_path)
    assert done.returncode != 0
    assert 'exporter "jaeger" does not support logs' in done.stderr + done.stdout
