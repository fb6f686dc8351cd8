"""The webhook called by a real API server through a Service, by the document's own MutatingWebhookConfiguration. `./dev
test --real kubernetes` runs it in a network namespace of its own, which has an address that a Service may lead to."""

import os
import subprocess
from pathlib import Path

import pytest

from real.control_plane import VARIABLE, ControlPlane, Refused
from support.holdfast import BINARY
from support.ports import free_port
from support.waiting import until

ADDRESS = os.environ.get("HOLDFAST_WEBHOOK_ADDRESS")  # of the network namespace
OWN, SHOP = "observability", "shop"
SECONDS = 60
CONFIG = "receivers: {otlp: {protocols: {http: {endpoint: localhost:4318}}}}\n"
# As in the document, but for its comments.
CONFIGURATION = {
    "apiVersion": "admissionregistration.k8s.io/v1",
    "kind": "MutatingWebhookConfiguration",
    "metadata": {"name": "otel-collector-injector"},
    "webhooks": [
        {
            "name": "inject.otel.io",
            "clientConfig": {"service": {"name": "otel-inject-webhook", "namespace": OWN, "path": "/mutate"}},
            "rules": [{"operations": ["CREATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"]}],
            "admissionReviewVersions": ["v1"],
            "sideEffects": "None",
            "namespaceSelector": {"matchLabels": {"otel-injection": "enabled"}},
        }
    ],
}
# Those of the chart.
RIGHTS = [
    {"apiGroups": [""], "resources": ["namespaces", "configmaps"], "verbs": ["get"]},
    {"apiGroups": ["opentelemetry.io"], "resources": ["opentelemetrycollectors"], "verbs": ["get", "list"]},
    {
        "apiGroups": ["admissionregistration.k8s.io"],
        "resources": ["mutatingwebhookconfigurations"],
        "resourceNames": ["otel-collector-injector"],
        "verbs": ["get", "patch"],
    },
    {"apiGroups": [""], "resources": ["secrets"], "verbs": ["create"]},
    {"apiGroups": [""], "resources": ["secrets"], "resourceNames": ["otel-inject-webhook-tls"], "verbs": ["get", "update"]},
]

pytestmark = pytest.mark.skipif(not ADDRESS, reason="it needs a network namespace of its own: ./dev test --real kubernetes")


@pytest.fixture(scope="module")
def plane(tmp_path_factory):
    with ControlPlane(tmp_path_factory.mktemp("plane"), Path(os.environ[VARIABLE])) as plane:
        labels = {"labels": {"otel-injection": "enabled"}}
        plane.make("/api/v1/namespaces", OWN, "Namespace", metadata=labels)
        plane.make("/api/v1/namespaces", SHOP, "Namespace", metadata=labels)
        plane.make(f"/api/v1/namespaces/{SHOP}/configmaps", "holdfast-sidecar", "ConfigMap", data={"relay.yaml": CONFIG})
        plane.make_account("webhook", RIGHTS)
        plane.call("POST", "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations", CONFIGURATION)
        yield plane


@pytest.fixture
def webhooks(plane, tmp_path, ending):
    """Two replicas behind the Service that the configuration names."""
    environment = plane.mount(tmp_path / "account", plane.token_of("webhook"))
    ports, running = [free_port(), free_port()], []
    for port in ports:
        log = ending.enter_context(open(tmp_path / f"log-{port}", "ab"))
        words = ["webhook", f"--listen={ADDRESS}:{port}", f"--namespace={OWN}", "--configuration=otel-collector-injector"]
        process = subprocess.Popen(
            [BINARY, *words],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**os.environ, **environment, "TMPDIR": str(tmp_path)},
        )
        ending.callback(process.wait)
        ending.callback(process.kill)
        running.append(process)
    plane.make_again(
        f"/api/v1/namespaces/{OWN}/services",
        "otel-inject-webhook",
        "Service",
        spec={"ports": [{"name": "https", "port": 443, "targetPort": 9443}]},
    )
    for number, port in enumerate(ports):
        name = f"webhook-{number}-{port}"
        slices = f"/apis/discovery.k8s.io/v1/namespaces/{OWN}/endpointslices"
        plane.make(
            slices,
            name,
            "EndpointSlice",
            "discovery.k8s.io/v1",
            metadata={"labels": {"kubernetes.io/service-name": "otel-inject-webhook"}},
            addressType="IPv4",
            ports=[{"name": "https", "port": port, "protocol": "TCP"}],
            endpoints=[{"addresses": [ADDRESS], "conditions": {"ready": True}}],
        )
        ending.callback(plane.call, "DELETE", f"{slices}/{name}")
    hooks = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/otel-collector-injector"
    until(
        lambda: plane.call("GET", hooks)["webhooks"][0]["clientConfig"].get("caBundle"),
        lambda: "no caBundle: " + "".join(path.read_text() for path in tmp_path.glob("log-*")),
        SECONDS,
    )
    return running


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
    found = first_pod(plane, "my-app")
    (sidecar,) = found["spec"]["initContainers"]
    assert sidecar["name"] == "holdfast"
    assert sidecar["restartPolicy"] == "Always"
    assert found["metadata"]["annotations"]["sidecar.holdfast.dev/injected"] == "ConfigMap shop/holdfast-sidecar"
    assert {one["name"] for one in found["spec"]["volumes"]} >= {"holdfast-queue", "holdfast-config"}
    assert "OTEL_EXPORTER_OTLP_ENDPOINT" in {one["name"] for one in found["spec"]["containers"][0]["env"]}


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
    hooks = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/otel-collector-injector"
    patch = [{"op": "add", "path": "/webhooks/0/failurePolicy", "value": "Ignore"}]
    plane.call("PATCH", hooks, patch, patch="application/json-patch+json")
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
    plane.call("PATCH", hooks, patch, patch="application/json-patch+json")
