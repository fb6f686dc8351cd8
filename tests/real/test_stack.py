"""charts/holdfast-stack rendered by helm, with stubs in the places of the public charts: the parts find each other, the
document's values install as they are, the hybrid's layers lead to each other. `./dev test --real charts` runs it."""

import json
import os
import subprocess
from pathlib import Path

import pytest
import yaml

from real import helm as real_helm
from real.helm import NEWEST, OLDEST, of_kind
from real.stack import STACK, with_stubs
from support import chart
from support.holdfast import BINARY

# Of the deployment document, but for its comments.
DOCUMENT = chart.ROOT / "tests" / "support" / "document" / "values-complete-stack.yaml"


@pytest.fixture(scope="module")
def helm(tmp_path_factory):
    return real_helm.Helm(Path(os.environ["HOLDFAST_HELM"]), tmp_path_factory.mktemp("helm"))


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    return with_stubs(tmp_path_factory.mktemp("stack"))


def given(objects, name):
    """The values that a stub was given."""
    (one,) = [one for one in of_kind(objects, "ConfigMap") if one["metadata"]["name"] == f"stub-{name}"]
    return json.loads(one["data"]["values"])


def relay(objects, name):
    (one,) = [one for one in of_kind(objects, "ConfigMap") if one["metadata"]["name"] == name]
    return yaml.safe_load(one["data"]["relay.yaml"])


def assert_valid(configuration, directory):
    path = directory / "relay.yaml"
    path.write_text(yaml.safe_dump(configuration))
    environment = {**os.environ, **chart.ENVIRONMENT}
    done = subprocess.run(
        [BINARY, "validate", "--config", path], capture_output=True, text=True, check=False, env=environment, timeout=60
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_the_documents_values_install_as_they_are(helm, stack, tmp_path, version):
    objects = helm.render([DOCUMENT], version=version, chart=stack)
    (gateway,) = of_kind(objects, "Deployment")
    assert gateway["spec"]["replicas"] == 3
    assert gateway["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"] == {"cpu": "2000m", "memory": "4Gi"}
    configuration = relay(objects, "t-otel-collector")
    assert_valid(configuration, tmp_path)
    pipelines = configuration["service"]["pipelines"]
    assert {name: one["exporters"] for name, one in pipelines.items()} == {
        "traces": ["otlp/jaeger"],
        "metrics": ["prometheusremotewrite"],
        "logs": ["loki"],
    }
    assert given(objects, "jaeger")["query"]["replicaCount"] == 2
    assert given(objects, "elasticsearch")["minimumMasterNodes"] == 2


def test_the_parts_find_each_other(helm, stack):
    objects = helm.render(chart=stack)
    exporters = relay(objects, "t-otel-collector")["exporters"]
    jaeger, prometheus = given(objects, "jaeger"), given(objects, "prometheus")
    assert exporters["otlp/jaeger"]["endpoint"] == f"{jaeger['fullnameOverride']}-collector:4317"
    assert jaeger["collector"]["service"]["otlp"]["grpc"]["port"] == 4317
    assert jaeger["storage"]["elasticsearch"]["host"] == given(objects, "elasticsearch")["fullnameOverride"]
    assert prometheus["server"]["fullnameOverride"] in exporters["prometheusremotewrite"]["endpoint"]
    assert "web.enable-remote-write-receiver" in prometheus["server"]["extraFlags"]
    assert given(objects, "loki")["fullnameOverride"] in exporters["loki"]["endpoint"]
    sources = given(objects, "grafana")["datasources"]["datasources.yaml"]["datasources"]
    assert {one["url"] for one in sources} == {"http://prometheus-server", "http://jaeger-query:16686", "http://loki:3100"}


def test_alerts_and_dashboards_are_there(helm, stack):
    objects = helm.render(chart=stack)
    maps = {one["metadata"]["name"]: one for one in of_kind(objects, "ConfigMap")}
    rules = yaml.safe_load(maps["holdfast-alerts"]["data"]["alerts.yaml"])
    assert {rule["alert"] for group in rules["groups"] for rule in group["rules"]} == set(chart.alerts())
    mount = given(objects, "prometheus")["server"]["extraConfigmapMounts"][0]
    assert mount["configMap"] == "holdfast-alerts"
    assert f"{mount['mountPath']}/alerts.yaml" in given(objects, "prometheus")["serverFiles"]["prometheus.yml"]["rule_files"]
    label = given(objects, "grafana")["sidecar"]["dashboards"]["label"]
    assert [name for name, one in maps.items() if label in (one["metadata"].get("labels") or {})]


def test_a_part_can_be_left_out(helm, stack):
    objects = helm.render(sets=["jaeger.enabled=false", "prometheus.enabled=false"], chart=stack)
    names = {one["metadata"]["name"] for one in of_kind(objects, "ConfigMap")}
    assert not names & {"stub-jaeger", "stub-prometheus", "holdfast-alerts"}


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_the_three_layers_lead_to_each_other(helm, stack, tmp_path, version):
    objects = helm.render([STACK / "values-hybrid.yaml"], version=version, chart=stack)
    agent, gateway = relay(objects, "t-otel-agent"), relay(objects, "t-otel-collector")
    assert_valid(agent, tmp_path)
    assert_valid(gateway, tmp_path)
    services = {one["metadata"]["name"]: one for one in of_kind(objects, "Service")}
    host, port = agent["exporters"]["otlp/gateway"]["endpoint"].split(":")
    assert int(port) in [one["port"] for one in services[host]["spec"]["ports"]]
    assert "tail_sampling" in gateway["service"]["pipelines"]["traces"]["processors"]
    assert "otel-inject-webhook" in services
    settings = next(
        json.loads(one["data"]["settings.json"]) for one in of_kind(objects, "ConfigMap") if "settings.json" in one["data"]
    )
    sidecar = yaml.safe_load(settings["config"])
    assert_valid(sidecar, tmp_path)
    assert sidecar["exporters"]["otlp"]["endpoint"].split(".")[0] == host
    (agents,) = of_kind(objects, "DaemonSet")
    volumes = agents["spec"]["template"]["spec"]["volumes"]
    assert any(one["name"] == "queue" and "hostPath" in one for one in volumes), "a queue of its own"
