"""A release of the chart with webhook.enabled, called by a real API server: its arguments, settings, access rights and
MutatingWebhookConfiguration. `./dev test --real kubernetes` runs it as test_webhook.py."""

import json
import os
from pathlib import Path

import pytest
import yaml

from real import helm as real_helm
from real.control_plane import VARIABLE, ControlPlane, Refused
from real.dry_run import define, validate
from real.webhook_service import ADDRESS, HOOKS, OWN, SECONDS, SHOP, serve
from support import chart
from support.waiting import until

pytestmark = pytest.mark.skipif(not ADDRESS, reason="it needs a network namespace of its own: ./dev test --real kubernetes")

NAME = "t-holdfast-webhook"
HOOK = f"{HOOKS}/{OWN}-{NAME}"
VALUES = ("--namespace", OWN, "--values", chart.CHART / "ci" / "webhook-values.yaml")
ASKS = {"sidecar.holdfast.dev/inject": "true"}


@pytest.fixture(scope="module")
def helm(tmp_path_factory):
    return real_helm.Helm(Path(os.environ["HOLDFAST_HELM"]), tmp_path_factory.mktemp("helm"))


@pytest.fixture(scope="module")
def plane(tmp_path_factory):
    with ControlPlane(tmp_path_factory.mktemp("plane"), Path(os.environ[VARIABLE])) as plane:
        labels = {"labels": {"otel-injection": "enabled"}}
        for namespace, metadata in ((OWN, labels), (SHOP, labels), ("bank", {})):
            plane.make("/api/v1/namespaces", namespace, "Namespace", metadata=metadata)
        define(plane, ["OpenTelemetryCollector"])
        yield plane


@pytest.fixture(scope="module")
def release(helm, plane):
    helm.manage(plane, "install", "t", chart.CHART, *VALUES)


@pytest.fixture
def webhooks(release, plane, tmp_path, ending):
    """What the pods of its Deployment would run."""
    (container,) = deployment(plane)["spec"]["template"]["spec"]["containers"]
    (tmp_path / "settings.json").write_text(settings(plane))
    words = [one.replace("/etc/holdfast", str(tmp_path)) for one in container["args"]]
    (tmp_path / "account").mkdir()
    (tmp_path / "account" / "namespace").write_text(OWN)
    running = serve(plane, tmp_path, ending, words, plane.token_of(NAME, namespace=OWN), HOOK)
    until(lambda: is_called(plane), "the webhook is called", SECONDS)
    return running


def deployment(plane):
    return plane.call("GET", f"/apis/apps/v1/namespaces/{OWN}/deployments/{NAME}")


def settings(plane):
    return plane.call("GET", f"/api/v1/namespaces/{OWN}/configmaps/{NAME}")["data"]["settings.json"]


def make_pod(plane, name, namespace=SHOP, annotations=None):
    metadata = {"name": name, "annotations": annotations or ASKS}
    spec = {"containers": [{"name": "app", "image": "myapp:latest"}]}
    body = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}
    return plane.call("POST", f"/api/v1/namespaces/{namespace}/pods?dryRun=All", body)


def is_called(plane):
    """The server reads the configuration from a cache, and the webhook fails open: pods pass without it at first."""
    return "initContainers" in make_pod(plane, "first")["spec"]


def test_a_pod_gets_the_sidecar_of_the_values(plane, webhooks, tmp_path):
    (sidecar,) = make_pod(plane, "app")["spec"]["initContainers"]
    assert (sidecar["image"], sidecar["restartPolicy"]) == ("holdfast/holdfast:0.1.0", "Always")
    assert sidecar["resources"]["limits"] == {"memory": "128Mi"}
    environment = {one["name"]: one.get("value") for one in sidecar["env"]}
    (text,) = [value for value in environment.values() if value and "exporters:" in value]
    assert yaml.safe_load(text)["exporters"]["otlp"]["endpoint"] == f"t-holdfast.{OWN}.svc:4317"
    path = tmp_path / "sidecar.yaml"
    path.write_text(text)
    assert validate(path) == (0, "")


def test_a_configuration_of_the_namespace_comes_first(plane, webhooks):
    made = f"/api/v1/namespaces/{SHOP}/configmaps"
    text = "receivers: {otlp: {protocols: {http: {endpoint: localhost:4318}}}}\n"
    plane.make(made, "holdfast-sidecar", "ConfigMap", data={"relay.yaml": text})
    try:
        found = make_pod(plane, "mine")
        assert found["metadata"]["annotations"]["sidecar.holdfast.dev/injected"] == f"ConfigMap {SHOP}/holdfast-sidecar"
    finally:
        plane.call("DELETE", f"{made}/holdfast-sidecar")


def test_a_collector_of_the_operator_s_kind_comes_first(plane, webhooks):
    """Its kind is the operator's own; the operator does not run."""
    path = f"/apis/opentelemetry.io/v1beta1/namespaces/{SHOP}/opentelemetrycollectors"
    parts = {
        "receivers": {"otlp": {"protocols": {"grpc": {"endpoint": "localhost:4317"}}}},
        "exporters": {"otlp": {"endpoint": "theirs:4317"}},
        "service": {"pipelines": {"traces": {"receivers": ["otlp"], "exporters": ["otlp"]}}},
    }
    resources = {"limits": {"memory": "96Mi"}}
    spec = {"mode": "sidecar", "config": parts, "resources": resources}
    plane.make(path, "theirs", "OpenTelemetryCollector", "opentelemetry.io/v1beta1", spec=spec)
    try:
        found = make_pod(plane, "theirs")
        (sidecar,) = found["spec"]["initContainers"]
        assert found["metadata"]["annotations"]["sidecar.holdfast.dev/injected"] == f"OpenTelemetryCollector {SHOP}/theirs"
        (text,) = [one["value"] for one in sidecar["env"] if "exporters" in one.get("value", "")]
        assert yaml.safe_load(text)["exporters"] == parts["exporters"]
        assert sidecar["resources"]["limits"] == resources["limits"]
    finally:
        plane.call("DELETE", f"{path}/theirs")


@pytest.mark.parametrize("namespace", [OWN, "kube-system", "bank"])
def test_other_namespaces_are_left_alone(plane, webhooks, namespace):
    assert "initContainers" not in make_pod(plane, "other", namespace)["spec"]


def test_its_rights_suffice(plane, webhooks):
    make_pod(plane, "asked")
    user = f"system:serviceaccount:{OWN}:{NAME}"
    lines = [json.loads(line) for line in plane.audit.read_text().splitlines() if line.endswith("}")]
    own = [one for one in lines if one["user"]["username"] == user and "responseStatus" in one]
    used = {(one["objectRef"]["resource"], one["verb"]) for one in own if "resource" in one.get("objectRef", {})}
    assert {("namespaces", "get"), ("configmaps", "get"), ("secrets", "create"), ("opentelemetrycollectors", "list")} <= used
    assert ("mutatingwebhookconfigurations", "patch") in used
    assert [one for one in own if one["responseStatus"]["code"] == 403] == []


def test_pods_start_while_it_is_down(plane, webhooks):
    for process in webhooks:
        process.kill()
        process.wait()
    assert "initContainers" not in make_pod(plane, "alone")["spec"]


def test_its_authority_survives_an_upgrade(helm, plane, webhooks):
    before = plane.call("GET", HOOK)["webhooks"][0]["clientConfig"]["caBundle"]
    was = deployment(plane)["spec"]["template"]["metadata"]["annotations"]
    helm.manage(plane, "upgrade", "t", chart.CHART, *VALUES, "--set", "webhook.queueSize=1Gi")
    assert plane.call("GET", HOOK)["webhooks"][0]["clientConfig"].get("caBundle") == before, "pods would get no sidecar meanwhile"
    assert deployment(plane)["spec"]["template"]["metadata"]["annotations"] != was, "new pods read the new settings"
    assert json.loads(settings(plane))["queueSize"] == "1Gi"


def test_nothing_calls_it_after_uninstalling(helm, plane, webhooks):
    helm.manage(plane, "uninstall", "t", "--namespace", OWN)
    with pytest.raises(Refused, match="404"):
        plane.call("GET", HOOK)
    until(lambda: not is_called(plane), "pods are made without it", SECONDS)
