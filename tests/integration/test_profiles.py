"""Profiles: stored and forwarded as bytes, never joined, since each request has tables of its own."""

import json

import grpc
import pytest

from support import otlp, senders
from support.holdfast import config, otlp_exporter, otlphttp_exporter, run
from support.waiting import until

PROFILES = otlp.PROFILES


def request(name="shop", samples=3):
    """A request of one profile; its string table tells it from others."""
    message = PROFILES.request()
    group = message.resource_profiles.add()
    group.resource.attributes.append(otlp.attribute("service.name", name))
    profile = group.scope_profiles.add().profiles.add(profile_id=bytes(range(16)), time_unix_nano=5)
    profile.sample_type.type_strindex = 1
    for i in range(samples):
        profile.samples.add(stack_index=i, values=[i, 300])
    message.dictionary.string_table.extend(["", "cpu", name])
    message.dictionary.location_table.add(address=0x4000)
    return message


def configuration(exporter, processors=None):
    return config(
        exporter,
        processors,
        service={
            "pipelines": {"profiles": {"receivers": ["otlp"], "processors": list(processors or {}), "exporters": list(exporter)}}
        },
    )


def names(backend):
    """The name in the tables of each request that was taken."""
    return [one.message.dictionary.string_table[2] for one in backend.accepted(PROFILES)]


def test_both_transports_carry_the_same_bytes(start, grpc_backend):
    instance = start(configuration({"otlp": otlp_exporter(grpc_backend)}))
    sent = [request(f"shop-{i}") for i in range(3)]
    with senders.GrpcSender(instance.grpc_target) as sender:
        assert not sender.export(PROFILES, sent[0]).HasField("partial_success")
    assert senders.post(instance.http_base, PROFILES, sent[1], coding="gzip").status_code == 200
    as_json = json.dumps(
        {
            "resourceProfiles": [
                {
                    "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "shop-2"}}]},
                    "scopeProfiles": [
                        {
                            "profiles": [
                                {
                                    "profileId": bytes(range(16)).hex(),
                                    "timeUnixNano": "5",
                                    "sampleType": {"typeStrindex": 1},
                                    "samples": [{"stackIndex": i, "values": [i, "300"]} for i in range(3)],
                                }
                            ]
                        }
                    ],
                }
            ],
            "dictionary": {"stringTable": ["", "cpu", "shop-2"], "locationTable": [{"address": 0x4000}]},
        }
    ).encode()
    answer = senders.post(instance.http_base, PROFILES, as_json, content_type="application/json")
    assert (answer.status_code, answer.json()) == (200, {"partialSuccess": {}})
    until(lambda: len(names(grpc_backend)) == 3, "the requests")
    arrived = sorted((one.message for one in grpc_backend.accepted(PROFILES)), key=lambda m: m.dictionary.string_table[2])
    assert arrived == sent
    instance.wait_metric("otelcol_receiver_accepted_profile_samples", 6, receiver="otlp", transport="http")
    instance.wait_metric("otelcol_exporter_sent_profile_samples", 9, exporter="otlp")


def test_requests_wait_out_an_outage_and_a_kill_and_are_never_joined(start, http_backend):
    http_backend.stop()
    exporter = {**otlphttp_exporter(http_backend), "sending_queue": {"batch": {"min_size": 1000, "flush_timeout": "1s"}}}
    instance = start(configuration({"otlphttp": exporter}))
    with senders.GrpcSender(instance.grpc_target) as sender:
        for i in range(5):
            sender.export(PROFILES, request(f"shop-{i}"))
        instance.kill9()
    http_backend.start()
    instance.start()
    wanted = {f"shop-{i}" for i in range(5)}
    until(lambda: set(names(http_backend)) == wanted, "the requests")
    for one in http_backend.accepted(PROFILES):
        assert one.message == request(one.message.dictionary.string_table[2])


def test_a_request_over_the_limit_is_cut_with_its_tables(start, grpc_backend):
    exporter = {**otlp_exporter(grpc_backend), "sending_queue": {"batch": {"min_size": 1, "max_size": 4}}}
    instance = start(configuration({"otlp": exporter}))
    with senders.GrpcSender(instance.grpc_target) as sender:
        sender.export(PROFILES, request("large", samples=10))

    def samples():
        return [
            sample
            for one in grpc_backend.accepted(PROFILES)
            for group in one.message.resource_profiles
            for scope in group.scope_profiles
            for profile in scope.profiles
            for sample in profile.samples
        ]

    until(lambda: len(samples()) == 10, "the samples")
    assert sorted(one.stack_index for one in samples()) == list(range(10))
    assert set(names(grpc_backend)) == {"large"}
    assert len(names(grpc_backend)) == 3


@pytest.mark.parametrize(
    ("processor", "wanted"),
    [
        ({"resource": {"attributes": [{"key": "zone", "value": "a", "action": "insert"}]}}, {"zone": "a"}),
        ({"resourcedetection": {"detectors": ["env"]}}, {"of": "env"}),
        (
            {"transform": {"profile_statements": ['set(resource.attributes["zone"], "b")']}},
            {"zone": "b"},
        ),
        ({"memory_limiter": {"check_interval": "1s", "limit_mib": 4000}}, {}),
    ],
    ids=lambda one: next(iter(one), None),
)
def test_processors_change_the_resource_and_leave_the_rest(start, grpc_backend, processor, wanted):
    environment = {"OTEL_RESOURCE_ATTRIBUTES": "of=env"}
    instance = start(configuration({"otlp": otlp_exporter(grpc_backend)}, processor), environment=environment)
    sent = request()
    with senders.GrpcSender(instance.grpc_target) as sender:
        sender.export(PROFILES, sent)
    until(lambda: names(grpc_backend), "the request")
    arrived = grpc_backend.accepted(PROFILES)[0].message
    assert otlp.attributes(arrived.resource_profiles[0].resource) == {"service.name": "shop", **wanted}
    del arrived.resource_profiles[0].resource.attributes[1:]
    assert arrived == sent


@pytest.mark.parametrize(
    ("keys", "kept"),
    [
        ({"profiles": {"profile": ['IsMatch(resource.attributes["service.name"], "^sh.*")']}}, ["b"]),
        ({"profiles": {"resource": ['attributes["service.name"] == "shop"']}}, ["b"]),
        ({"profiles": {"profile": ['sample_type.type == "cpu" and attributes["host"] == "n2"']}}, ["a"]),
        ({"profile_conditions": ['profile.attributes["host"] == "n1"']}, ["b"]),
        ({"profile_conditions": ["profile.period > 1", "profile.time_unix_nano == 4"]}, ["a", "b"]),
    ],
)
def test_a_filter_drops_profiles_by_conditions(start, grpc_backend, keys, kept):
    instance = start(configuration({"otlp": otlp_exporter(grpc_backend)}, {"filter": keys}))
    with senders.GrpcSender(instance.grpc_target) as sender:
        for name, service, host in (("a", "shop", "n1"), ("b", "cart", "n2")):
            sent = request(name)
            sent.resource_profiles[0].resource.attributes[0].value.string_value = service
            dictionary = sent.dictionary
            dictionary.attribute_table.add()
            dictionary.attribute_table.add(key_strindex=len(dictionary.string_table)).value.string_value = host
            dictionary.string_table.append("host")
            sent.resource_profiles[0].scope_profiles[0].profiles[0].attribute_indices.append(1)
            sender.export(PROFILES, sent)
    until(lambda: sorted(names(grpc_backend)) == kept, lambda: names(grpc_backend))
    instance.wait_metric("otelcol_processor_filter_profiles_filtered", 3 * (2 - len(kept)), filter="filter")


def test_count_counts_profiles(start, grpc_backend):
    instance = start(
        {
            "connectors": {"count": {"profiles": {"cpu.profiles": {"conditions": ['sample_type.type == "cpu"']}}}},
            "exporters": {"otlp": otlp_exporter(grpc_backend)},
            "service": {
                "pipelines": {
                    "profiles": {"receivers": ["otlp"], "exporters": ["count"]},
                    "metrics": {"receivers": ["count"], "exporters": ["otlp"]},
                }
            },
        }
    )
    with senders.GrpcSender(instance.grpc_target) as sender:
        sender.export(PROFILES, request())
    until(lambda: grpc_backend.accepted(otlp.METRICS), "the count")
    (group,) = grpc_backend.accepted(otlp.METRICS)[0].message.resource_metrics
    assert otlp.attributes(group.resource) == {"service.name": "shop"}
    (metric,) = group.scope_metrics[0].metrics
    assert (metric.name, metric.sum.data_points[0].as_int) == ("cpu.profiles", 1)
    assert metric.sum.data_points[0].time_unix_nano == 5


def test_forward_joins_pipelines_and_files_hold_profiles(start, tmp_path):
    path = tmp_path / "out.json"
    instance = start(
        {
            "connectors": {"forward": None},
            "exporters": {"file": {"path": str(path)}, "debug": {"verbosity": "detailed"}, "nop": None},
            "service": {
                "pipelines": {
                    "profiles": {"receivers": ["otlp"], "exporters": ["forward"]},
                    "profiles/out": {"receivers": ["forward"], "exporters": ["file", "debug", "nop"]},
                }
            },
        }
    )
    with senders.GrpcSender(instance.grpc_target) as sender:
        sender.export(PROFILES, request())
    until(lambda: path.exists() and path.read_text().endswith("\n"), "the line")
    (line,) = path.read_text().splitlines()
    found = json.loads(line)
    assert found["dictionary"]["stringTable"] == ["", "cpu", "shop"]
    (profile,) = found["resourceProfiles"][0]["scopeProfiles"][0]["profiles"]
    assert profile["profileId"] == bytes(range(16)).hex()
    assert len(profile["samples"]) == 3
    until(lambda: "Samples        : 3" in instance.log(), "the debug output")


def test_what_cannot_carry_profiles_says_so(start, grpc_backend):
    instance = start(configuration({"otlp": otlp_exporter(grpc_backend)}, {"batch": None}), ready=False)
    found = run("validate", "--config", instance.base_path, "--config", instance.config_path, env=instance.environment)
    assert found.returncode != 0
    assert 'processor "batch" does not support profiles' in found.stderr


def test_broken_requests_are_refused(start, grpc_backend):
    instance = start(configuration({"otlp": otlp_exporter(grpc_backend)}))
    whole = request().SerializeToString()
    with senders.GrpcSender(instance.grpc_target) as sender:
        assert sender.code(PROFILES, whole[:-1]) == grpc.StatusCode.INVALID_ARGUMENT
        assert sender.code(otlp.TRACES, otlp.request(otlp.TRACES, otlp.new_ids(1))) == grpc.StatusCode.UNIMPLEMENTED
    assert senders.post(instance.http_base, PROFILES, whole[:-1]).status_code == 400
    assert senders.post(instance.http_base, PROFILES, b'{"resourceProfiles": 1}', content_type="application/json").status_code == 400
