"""The webhook called by a real API server through a Service, by the document's own MutatingWebhookConfiguration. `./dev
test --real kubernetes` runs it in a network namespace of its own, which has an address that a Service may lead to."""

import os
from pathlib import Path

import pytest
import yaml

from real.control_plane import VARIABLE, ControlPlane, Refused
from real.webhook_service import ADDRESS, HOOK, OWN, SECONDS, SHOP, prepare, serve
from support.holdfast import ROOT
from support.waiting import until

pytestmark = pytest.mark.skipif(not ADDRESS, reason="it needs a network namespace of its own: ./dev test --real kubernetes")


@pytest.fixture(scope="module")
def plane(tmp_path_factory):
    with ControlPlane(tmp_path_factory.mktemp("plane"), Path(os.environ[VARIABLE])) as plane:
        prepare(plane)
        yield plane


@pytest.fixture
def webhooks(plane, tmp_path, ending):
    """Two replicas behind the Service that the configuration names."""
    return serve(plane, tmp_path, ending)


def make_pod(plane, name, namespace=SHOP, query="", annotations=None, **spec):
    body = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "annotations": annotations or {"sidecar.otel.io/inject": "true"}},
        "spec": {"containers": [{"name": "app", "image": "myapp:latest"}], **spec},
    }
    return plane.call("POST", f"/api/v1/namespaces/{namespace}/pods{query}", body)


def first_pod(plane, name):
    """The server reads the Service and the configuration from caches: it refuses until they are there."""

    def made():
        try:
            return make_pod(plane, name)
        except Refused as refused:
            assert "failed calling webhook" in str(refused), refused
            return None

    return until(made, "the webhook is called", SECONDS)


def test_the_documents_configuration_reaches_it(plane, webhooks):
    found = first_pod(plane, "called")
    (sidecar,) = found["spec"]["initContainers"]
    assert sidecar["name"] == "holdfast"
    assert sidecar["restartPolicy"] == "Always"
    assert found["metadata"]["annotations"]["sidecar.holdfast.dev/injected"] == "ConfigMap shop/holdfast-sidecar"
    assert {one["name"] for one in found["spec"]["volumes"]} >= {"holdfast-queue", "holdfast-config"}
    assert "OTEL_EXPORTER_OTLP_ENDPOINT" in {one["name"] for one in found["spec"]["containers"][0]["env"]}


@pytest.mark.parametrize("name", ["inject-pod", "istio-pod"])
def test_the_documents_pods_get_their_sidecar(plane, webhooks, name):
    first_pod(plane, f"before-{name}")
    body = yaml.safe_load((ROOT / "tests/support/document" / f"{name}.yaml").read_text())
    found = plane.call("POST", f"/api/v1/namespaces/{SHOP}/pods?fieldValidation=Strict", body)
    path = f"/api/v1/namespaces/{SHOP}/pods/{found['metadata']['name']}"  # the same in both
    plane.call("DELETE", f"{path}?gracePeriodSeconds=0")
    assert [one["name"] for one in found["spec"]["initContainers"]] == ["holdfast"]
    assert [one["name"] for one in found["spec"]["containers"]] == ["app"]


def test_pods_that_do_not_ask_stay_as_they_are(plane, webhooks):
    first_pod(plane, "asks")
    plain = make_pod(plane, "plain", annotations={"sidecar.otel.io/inject": "false"})
    assert "initContainers" not in plain["spec"]
    own = make_pod(plane, "own", OWN)
    assert "initContainers" not in own["spec"], "its own namespace is left alone"


def test_the_server_takes_the_shape_beside_istio(plane, webhooks):
    first_pod(plane, "before-istio")
    proxy = {"name": "istio-proxy", "image": "istio/proxyv2", "restartPolicy": "Always"}
    found = make_pod(plane, "istio", initContainers=[{"name": "istio-init", "image": "istio/proxyv2"}, proxy])
    assert [one["name"] for one in found["spec"]["initContainers"]] == ["istio-init", "istio-proxy", "holdfast"]


def test_a_dry_run_and_one_replica_less(plane, webhooks):
    first_pod(plane, "before-dry")
    assert make_pod(plane, "dry", query="?dryRun=All")["spec"]["initContainers"]
    webhooks[0].kill()
    webhooks[0].wait()

    def all_made():
        made = 0
        for number in range(4):
            try:
                made += len(make_pod(plane, f"one-{number}", query="?dryRun=All")["spec"]["initContainers"])
            except Refused:
                pass
        return made >= 1

    until(all_made, "the other replica serves", SECONDS)


def test_failure_policy_ignore_lets_pods_start(plane, webhooks):
    first_pod(plane, "before-ignore")
    patch = [{"op": "add", "path": "/webhooks/0/failurePolicy", "value": "Ignore"}]
    plane.call("PATCH", HOOK, patch, patch="application/json-patch+json")
    for process in webhooks:
        process.kill()
        process.wait()

    def without():
        try:
            return "initContainers" not in make_pod(plane, "alone", query="?dryRun=All")["spec"]
        except Refused:
            return False

    until(without, "a pod without a sidecar", SECONDS)
    patch = [{"op": "add", "path": "/webhooks/0/failurePolicy", "value": "Fail"}]
    plane.call("PATCH", HOOK, patch, patch="application/json-patch+json")
