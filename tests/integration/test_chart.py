"""The Helm chart as far as it can be told without helm: the schema, the configurations, the names of metrics. With helm
and a real API server: `./dev test --real charts`."""

import os
import subprocess

import jsonschema
import pytest
import yaml

from support import chart
from support.certificates import Authority
from support.holdfast import BINARY, config, otlp_exporter

# ---- the schema ----


def refusals(given):
    """Where the schema refuses these values, merged over those of the chart."""
    merged = merge(chart.values(), given)
    return {"/".join(map(str, error.path)) for error in jsonschema.Draft7Validator(chart.schema()).iter_errors(merged)}


def merge(below, above):
    if not (isinstance(below, dict) and isinstance(above, dict)):
        return above
    return {**below, **{key: merge(below.get(key), value) for key, value in above.items()}}


def test_the_schema_is_one_and_takes_the_chart_s_values():
    jsonschema.Draft7Validator.check_schema(chart.schema())
    assert refusals({}) == set()


def test_the_schema_names_every_value():
    # Of the other chart, taken when it is switched off; and the condition of a chart above.
    others = {"targetAllocator", "enabled"}
    assert set(chart.schema()["properties"]) == set(chart.values()) | others


@pytest.mark.parametrize(
    "given, where",
    [
        ({"mode": "gateway"}, "mode"),
        ({"replicas": 2}, ""),
        ({"replicaCount": "two"}, "replicaCount"),
        ({"presets": {"hostMetric": {"enabled": True}}}, "presets"),
        ({"config": {"recievers": {}}}, "config"),
        ({"config": {"receivers": {"oltp": {}}}}, "config/receivers"),
        ({"config": {"exporters": {"otlp/mine": {"endpoit": "a:4317"}}}}, "config/exporters/otlp/mine"),
        ({"alternateConfig": {"exporters": {"otpl": {}}}}, "alternateConfig/exporters"),
        ({"tls": {"secret": "a"}}, "tls"),
        ({"ports": {"own": {"enabled": True}}}, "ports/own"),
        ({"ports": {"otlp": {"containerPort": 70000}}}, "ports/otlp/containerPort"),
        ({"ports": {"a-name-that-is-too-long": {"enabled": False}}}, "ports"),
        ({"queue": {"type": "tape"}}, "queue/type"),
        ({"queue": {"mountPath": "queue"}}, "queue/mountPath"),
        ({"drain": {"enabled": "sometimes"}}, "drain/enabled"),
        ({"drain": {"timeoutSeconds": 0}}, "drain/timeoutSeconds"),
        ({"image": {"digest": "latest"}}, "image/digest"),
        ({"ingress": {"hosts": [{"host": "a"}]}}, "ingress/hosts/0"),
        ({"service": {"type": "External"}}, "service/type"),
        ({"webhook": {"failurePolicy": "Sometimes"}}, "webhook/failurePolicy"),
        ({"webhook": {"replicas": 2}}, "webhook"),
        ({"webhook": {"native": True}}, "webhook/native"),
        ({"webhook": {"timeoutSeconds": 60}}, "webhook/timeoutSeconds"),
        ({"enabled": False}, "enabled"),
        ({"targetAllocator": {"enabled": True}}, "targetAllocator/enabled"),
        ({"presets": {"profiling": {"enabled": True}}}, "presets/profiling/enabled"),
        ({"presets": {"kubernetesObjects": {"core": True}}}, "presets/kubernetesObjects/core"),
        ({"presets": {"resourceDetection": {"ec2": {"enabled": True}}}}, "presets/resourceDetection"),
        ({"internalTelemetryViaOTLP": {"traces": {"url": "http://a"}}}, "internalTelemetryViaOTLP/traces"),
        ({"resizePolicy": [{"resourceName": "disk", "restartPolicy": "NotRequired"}]}, "resizePolicy/0/resourceName"),
        ({"httproute": {"route": []}}, "httproute"),
        ({"presets": {"annotationDiscovery": {"traces": {"enabled": True}}}}, "presets/annotationDiscovery"),
    ],
)
def test_the_schema_refuses(given, where):
    assert refusals(given) == {where}


def test_the_schema_has_the_components_and_their_keys():
    program = chart.ROOT / "conf" / "chart" / "schema.py"
    done = subprocess.run([program, "--print", BINARY], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == (chart.CHART / "values.schema.json").read_text(), "run conf/chart/schema.py build/debug/holdfast"


@pytest.mark.parametrize("path", sorted((chart.CHART / "ci").glob("*-values.yaml")), ids=lambda path: path.stem)
def test_the_schema_takes_values_files(path):
    assert refusals(yaml.safe_load(path.read_text())) == set()


# ---- the configurations ----


def validate(configuration, directory):
    path = directory / "relay.yaml"
    path.write_text(yaml.safe_dump(configuration))
    done = subprocess.run(
        [BINARY, "validate", "--config", path],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **chart.ENVIRONMENT},
    )
    return done.returncode, done.stderr


@pytest.mark.parametrize("listen", [None, "localhost"])
def test_the_default_configuration_is_valid(tmp_path, monkeypatch, listen):
    if listen:
        monkeypatch.setenv("HOLDFAST_LISTEN", listen)
    assert validate(chart.configuration(), tmp_path) == (0, "")


@pytest.mark.parametrize("name", chart.PRESETS)
def test_a_preset_makes_a_valid_configuration(tmp_path, name):
    assert validate(chart.with_preset(chart.configuration(), name), tmp_path) == (0, "")


def test_all_presets_together_make_a_valid_configuration(tmp_path):
    configuration = chart.configuration()
    for name in chart.PRESETS:
        configuration = chart.with_preset(configuration, name)
    assert validate(configuration, tmp_path) == (0, "")


def test_every_preset_has_a_switch():
    switches = chart.values()["presets"]
    switches |= {f"annotationDiscovery.{name}": one for name, one in switches.pop("annotationDiscovery").items()}
    assert set(map(chart.switch, chart.PRESETS)) == set(switches)
    assert all(one["enabled"] is False for one in switches.values())


def test_a_broken_preset_would_be_seen(tmp_path):
    configuration = chart.with_preset(chart.configuration(), "hostMetrics")
    configuration["receivers"]["hostmetrics"]["root_pat"] = "/"
    assert validate(configuration, tmp_path)[0] == 1


# ---- alerts and dashboards ----

EVERYTHING = {
    "memory_limiter": {"check_interval": "1s", "limit_percentage": 80},
    "filter": {"error_mode": "ignore", "traces": {"span": ['name == "none"']}},
    "batch": {},
}


@pytest.fixture
def names(start, grpc_backend, tmp_path):
    """The names of the series of a running Holdfast with those processors and a certificate, as soon as it is ready."""
    authority = str(Authority(tmp_path / "authority").certificate)
    secure = {"endpoint": "https://127.0.0.1:9", "tls": {"ca_file": authority}}
    instance = start(config({"otlp": otlp_exporter(grpc_backend), "otlphttp": secure}, EVERYTHING))
    return {name for name, _, _ in instance.metrics()}


def test_alerts_name_only_what_is_exported(names):
    named = set().union(*(chart.metrics_in(rule["expr"]) for rule in chart.alerts().values()))
    assert named and named - names == set()


def test_dashboards_name_only_what_is_exported(names):
    queries = [query for one in chart.dashboards().values() for query in chart.queries(one)]
    named = set().union(*map(chart.metrics_in, queries))
    assert named and named - names == set()


def test_alerts_say_what_to_do():
    for name, rule in chart.alerts().items():
        assert rule["labels"]["severity"] in ("info", "warning", "critical"), name
        assert rule["annotations"]["summary"] and rule["annotations"]["description"], name


def test_each_alert_has_its_page():
    folder = chart.ROOT / "docs" / "operations" / "runbooks"
    for name, rule in chart.alerts().items():
        assert rule["annotations"]["runbook"] == f"docs/operations/runbooks/{name}.md"
        assert (folder / f"{name}.md").read_text().startswith(f"# {name}\n")
    assert {path.stem for path in folder.glob("*.md")} == set(chart.alerts()), "no page without an alert"


def test_dashboards_fit_any_grafana():
    for name, one in chart.dashboards().items():
        assert one["uid"] and one["schemaVersion"] >= 36, name
        ids = [panel["id"] for panel in one["panels"]]
        assert len(ids) == len(set(ids)), name
        sources = {panel["datasource"]["uid"] for panel in one["panels"] if "datasource" in panel}
        assert sources == {"${datasource}"}, name
