"""The exporter coralogix: whose names and keys requests carry, where each signal goes, and what an outage may cost."""

import grpc
import pytest

from support import otlp
from support.backends import GrpcBackend, HttpBackend, partial, refuse, status
from support.certificates import Authority
from support.holdfast import FAST_RETRY, pipelines
from support.waiting import until

KEY = "cx-key-1"


def exporter(backend, **more):
    place = {"endpoint": backend.endpoint, "tls": {"insecure": True}, "compression": "none"}
    return {
        "private_key": KEY,
        "application_name": "shop",
        "subsystem_name": "till",
        "retry_on_failure": dict(FAST_RETRY),
        **{signal.name: place for signal in otlp.ALL_SIGNALS if signal.name not in more},
        **more,
    }


def configuration(settings, signals=("traces", "metrics", "logs")):
    return {"exporters": {"coralogix": settings}, "service": {"pipelines": pipelines(["coralogix"], signals=signals)}}


def names(request):
    """(application, subsystem) of each resource."""
    found = []
    for resource in otlp.resources(request.signal, request.message):
        pairs = {pair.key: otlp.value(pair.value) for pair in resource.attributes}
        found.append((pairs.get("cx.application.name"), pairs.get("cx.subsystem.name")))
    return found


def profiles_request(item):
    message = otlp.PROFILES.request()
    profile = message.resource_profiles.add().scope_profiles.add().profiles.add(profile_id=bytes(range(16)), time_unix_nano=5)
    profile.samples.add(values=[item])
    return message


def refused(start, settings):
    holdfast = start(configuration(settings), ready=False)
    done = holdfast.command("validate", "--config", holdfast.base_path, "--config", holdfast.config_path)
    assert done.returncode != 0
    return done.stderr + done.stdout


def test_every_signal_carries_the_key_and_the_names(start, grpc_backend, grpc_sender):
    signals = [signal.name for signal in otlp.ALL_SIGNALS]
    holdfast = start(configuration(exporter(grpc_backend), signals))
    sender = grpc_sender(holdfast)
    ids = otlp.new_ids(3)
    for signal, item in zip((otlp.TRACES, otlp.METRICS, otlp.LOGS), ids):
        sender.export(signal, otlp.request(signal, [item]))
    sender.export(otlp.PROFILES, profiles_request(1))
    grpc_backend.wait_for(ids)
    grpc_backend.wait_for_requests(4)
    assert {request.signal.name for request in grpc_backend.requests} == set(signals)
    for request in grpc_backend.requests:
        assert request.metadata["authorization"] == f"Bearer {KEY}"
        assert names(request) == [("shop", "till")]


def test_names_come_from_the_first_attribute_that_is_not_empty(start, grpc_backend, grpc_sender):
    holdfast = start(
        configuration(
            exporter(
                grpc_backend,
                application_name_attributes=["absent", "empty", "n", "late"],
                subsystem_name_attributes=["service.name"],
            )
        )
    )
    sender = grpc_sender(holdfast)
    resource = {"empty": "", "n": 7, "late": "no", "service.name": "cart", "cx.subsystem.name": "old"}
    first, second = otlp.new_ids(2)
    sender.export(otlp.LOGS, otlp.request(otlp.LOGS, [first], resource=resource))
    grpc_backend.wait_for([first])
    sender.export(otlp.LOGS, otlp.request(otlp.LOGS, [second], resource={"service.name": ""}))
    grpc_backend.wait_for([second])
    assert [names(request) for request in grpc_backend.requests] == [[("7", "cart")], [("shop", "till")]]


def test_a_resource_keeps_its_own_subsystem_when_none_is_configured(start, grpc_backend, grpc_sender):
    settings = exporter(grpc_backend)
    del settings["subsystem_name"]
    holdfast = start(configuration(settings))
    (item,) = otlp.new_ids(1)
    resource = {"cx.subsystem.name": "own", "cx.application.name": "replaced"}
    grpc_sender(holdfast).export(otlp.TRACES, otlp.request(otlp.TRACES, [item], resource=resource))
    grpc_backend.wait_for([item])
    assert names(grpc_backend.requests[0]) == [("shop", "own")]


def test_an_outage_and_a_kill_lose_nothing(start, grpc_backend, grpc_sender):
    grpc_backend.stop()
    holdfast = start(configuration(exporter(grpc_backend)))
    sender = grpc_sender(holdfast)
    ids = otlp.new_ids(30)
    for signal, part in zip((otlp.TRACES, otlp.METRICS, otlp.LOGS), (ids[:10], ids[10:20], ids[20:])):
        for item in part:
            sender.export(signal, otlp.request(signal, [item]))
    holdfast.kill9()
    holdfast.start()
    grpc_backend.start()
    grpc_backend.wait_for(ids)
    until(
        lambda: holdfast.books("logs", "coralogix")["delivered"]["items"] == 10,
        lambda: f"{holdfast.books('logs', 'coralogix')}",
    )
    assert holdfast.books("logs", "coralogix")["queued"]["items"] == 0


def test_signals_with_their_own_endpoint_go_there(start, grpc_backend, grpc_sender):
    with GrpcBackend() as other:
        own = {"endpoint": f"http://{other.endpoint}", "headers": {"x-team": "b", "Authorization": "not this"}}
        holdfast = start(configuration(exporter(grpc_backend, metrics=own)))
        sender = grpc_sender(holdfast)
        log, point = otlp.new_ids(2)
        sender.export(otlp.LOGS, otlp.request(otlp.LOGS, [log]))
        sender.export(otlp.METRICS, otlp.request(otlp.METRICS, [point]))
        grpc_backend.wait_for([log])
        other.wait_for([point])
        metadata = other.requests[0].metadata
        assert metadata["x-team"] == "b"
        assert metadata["authorization"] == f"Bearer {KEY}"


def test_over_tls(start, ending, tmp_path, grpc_sender):
    authority = Authority(tmp_path / "ca")
    certificate, key = authority.issue("ingress")
    credentials = grpc.ssl_server_credentials([(key.read_bytes(), certificate.read_bytes())])
    backend = ending.enter_context(GrpcBackend(credentials=credentials))
    tls = {"endpoint": backend.endpoint, "tls": {"ca_file": str(authority.certificate)}}
    holdfast = start(configuration(exporter(backend, logs=tls)))
    ids = otlp.new_ids(3)
    grpc_sender(holdfast).export(otlp.LOGS, otlp.request(otlp.LOGS, ids))
    backend.wait_for(ids)


def test_over_http(start, http_backend, grpc_sender):
    holdfast = start(configuration(exporter(http_backend, protocol="http", profiles={})))
    sender = grpc_sender(holdfast)
    ids = otlp.new_ids(3)
    http_backend.next(status(503), status(401), status(429))
    for signal, item in zip((otlp.TRACES, otlp.METRICS, otlp.LOGS), ids):
        sender.export(signal, otlp.request(signal, [item]))
    http_backend.wait_for(ids)
    for request in http_backend.requests:
        assert request.metadata["authorization"] == f"Bearer {KEY}"
        assert names(request) == [("shop", "till")]


def test_what_the_backend_refuses_is_kept_and_what_it_rejects_is_counted(start, grpc_backend, grpc_sender):
    holdfast = start(configuration(exporter(grpc_backend)))
    sender = grpc_sender(holdfast)
    grpc_backend.next(refuse(grpc.StatusCode.UNAUTHENTICATED), refuse(grpc.StatusCode.RESOURCE_EXHAUSTED))
    first, second, third = otlp.new_ids(3)
    sender.export(otlp.LOGS, otlp.request(otlp.LOGS, [first]))
    grpc_backend.wait_for([first])
    grpc_backend.next(refuse(grpc.StatusCode.INVALID_ARGUMENT, "no such field"))
    sender.export(otlp.LOGS, otlp.request(otlp.LOGS, [second]))
    until(lambda: holdfast.books("logs", "coralogix")["dead_lettered"]["items"] == 1, lambda: holdfast.log())
    grpc_backend.next(partial(1, "one is too old"))
    sender.export(otlp.LOGS, otlp.request(otlp.LOGS, [third]))
    until(
        lambda: holdfast.books("logs", "coralogix")["dropped"]["rejected_by_backend"]["items"] == 1,
        lambda: f"{holdfast.books('logs', 'coralogix')}",
    )


def test_the_rate_limiter_pauses_and_keeps_the_records(start, grpc_backend, grpc_sender):
    limiter = {"enabled": True, "threshold": 2, "duration": "1h"}
    holdfast = start(configuration(exporter(grpc_backend, rate_limiter=limiter)))
    grpc_backend.next(*[refuse(grpc.StatusCode.RESOURCE_EXHAUSTED)] * 2)
    (item,) = otlp.new_ids(1)
    grpc_sender(holdfast).export(otlp.LOGS, otlp.request(otlp.LOGS, [item]))
    grpc_backend.wait_for_requests(2)
    holdfast.wait_for_log('"interval":"1h0m0s"')
    assert holdfast.books("logs", "coralogix")["queued"]["items"] == 1


@pytest.mark.parametrize(
    "change, sentence",
    [
        ({"private_key": ""}, "private_key must be specified"),
        ({"private_key": "a\nb"}, "private_key: it cannot be sent in a header"),
        ({"application_name": ""}, "application_name must be specified"),
        ({"domain": "https://coralogix.com/"}, "a domain such as eu2.coralogix.com"),
        ({"protocol": "http"}, "profiles are not sent over HTTP"),
        ({"rate_limiter": {"enabled": True, "threshold": 0}}, "rate_limiter::threshold must be greater than 0"),
        ({"traces": {"endpoint": "a:b:c"}}, "host:port"),
    ],
)
def test_a_wrong_configuration_is_refused(start, grpc_backend, change, sentence):
    assert sentence in refused(start, exporter(grpc_backend, **change))


def test_a_configuration_without_a_place_is_refused(start):
    settings = {"private_key": KEY, "application_name": "a", "traces": {"endpoint": "https://"}}
    assert "one of domain, traces::endpoint" in refused(start, settings)


def test_the_key_is_not_printed(start, grpc_backend):
    holdfast = start(configuration(exporter(grpc_backend)))
    done = holdfast.command("print-config", "--config", holdfast.base_path, "--config", holdfast.config_path)
    assert "coralogix" in done.stdout
    assert KEY not in done.stdout + done.stderr + holdfast.log()
