"""Sidecars in pods that controllers make, before a real control plane: Deployments and Jobs whose template asks, also beside
Istio, by the document's own MutatingWebhookConfiguration. `./dev test --real kubernetes` runs it as test_webhook.py."""

import os
from pathlib import Path

import pytest

from real.control_plane import VARIABLE, ControlPlane, Refused
from real.webhook_service import ADDRESS, SECONDS, SHOP, prepare, serve
from support.waiting import until

pytestmark = pytest.mark.skipif(not ADDRESS, reason="it needs a network namespace of its own: ./dev test --real kubernetes")

ASKS = {"sidecar.otel.io/inject": "true"}
# As the document's pod beside Istio.
BESIDE_ISTIO = {"sidecar.istio.io/inject": "true", "sidecar.opentelemetry.io/inject": "true"}


@pytest.fixture(scope="module")
def plane(tmp_path_factory):
    with ControlPlane(tmp_path_factory.mktemp("plane"), Path(os.environ[VARIABLE]), controllers=True) as plane:
        prepare(plane)
        until(lambda: plane.has_account(SHOP), lambda: plane.said("kube-controller-manager"), SECONDS)
        yield plane


@pytest.fixture
def webhooks(plane, tmp_path, ending):
    running = serve(plane, tmp_path, ending)
    until(lambda: is_called(plane), "the webhook is called", SECONDS)
    return running


def is_called(plane):
    """The server reads the Service and the configuration from caches: it refuses until they are there."""
    body = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "first", "annotations": ASKS},
        "spec": {"containers": [{"name": "app", "image": "myapp:latest"}]},
    }
    try:
        made = plane.call("POST", f"/api/v1/namespaces/{SHOP}/pods?dryRun=All", body)
    except Refused as refused:
        assert "failed calling webhook" in str(refused), refused
        return False
    return "initContainers" in made["spec"]


def template(name, annotations, **spec):
    app = {"name": "app", "image": "myapp:latest"}
    return {"metadata": {"labels": {"app": name}, "annotations": annotations}, "spec": {"containers": [app], **spec}}


def make_deployment(plane, name, annotations, replicas=2, **spec):
    plane.make(
        f"/apis/apps/v1/namespaces/{SHOP}/deployments",
        name,
        "Deployment",
        "apps/v1",
        spec={
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": template(name, annotations, **spec),
        },
    )
    path = f"/apis/apps/v1/namespaces/{SHOP}/deployments/{name}"
    until(
        lambda: plane.call("GET", path)["status"].get("availableReplicas") == replicas,
        lambda: str(plane.call("GET", path)["status"]),
        SECONDS,
    )


def pods(plane, name):
    return plane.call("GET", f"/api/v1/namespaces/{SHOP}/pods?labelSelector=app%3D{name}")["items"]


def init_names(one):
    return [container["name"] for container in one["spec"].get("initContainers", [])]


def test_pods_of_a_deployment_run_with_their_sidecars(plane, webhooks):
    make_deployment(plane, "web-app", ASKS)
    found = pods(plane, "web-app")
    assert len(found) == 2
    for one in found:
        assert one["metadata"]["ownerReferences"][0]["kind"] == "ReplicaSet"
        assert one["status"]["phase"] == "Running"
        assert init_names(one) == ["holdfast"]
        assert one["spec"]["initContainers"][0]["restartPolicy"] == "Always"
        assert one["metadata"]["annotations"]["sidecar.holdfast.dev/injected"] == f"ConfigMap {SHOP}/holdfast-sidecar"


def test_a_new_template_rolls_out(plane, webhooks):
    make_deployment(plane, "changed", {})
    assert [init_names(one) for one in pods(plane, "changed")] == [[], []]
    path = f"/apis/apps/v1/namespaces/{SHOP}/deployments/changed"
    plane.call("PATCH", path, {"spec": {"template": {"metadata": {"annotations": ASKS}}}})

    def rolled_out():
        living = [one for one in pods(plane, "changed") if "deletionTimestamp" not in one["metadata"]]
        return len(living) == 2 and all(init_names(one) == ["holdfast"] and one["status"]["phase"] == "Running" for one in living)

    until(rolled_out, lambda: str([init_names(one) for one in pods(plane, "changed")]), SECONDS)


def test_a_job_completes_with_its_sidecar(plane, webhooks):
    path = f"/apis/batch/v1/namespaces/{SHOP}/jobs"
    job = template("report", ASKS, restartPolicy="Never")
    plane.make(path, "report", "Job", "batch/v1", spec={"template": job, "completions": 1})
    until(
        lambda: plane.call("GET", f"{path}/report")["status"].get("succeeded") == 1,
        lambda: str(plane.call("GET", f"{path}/report")["status"]),
        SECONDS,
    )
    (one,) = pods(plane, "report")
    # An init container that restarts always does not keep a Job from its end; an ordinary one would.
    assert init_names(one) == ["holdfast"]
    assert [container["name"] for container in one["spec"]["containers"]] == ["app"]
    assert one["spec"]["initContainers"][0]["restartPolicy"] == "Always"


@pytest.mark.parametrize("native", [False, True], ids=["istio-proxy beside it", "istio-proxy as a native sidecar"])
def test_a_deployment_beside_istio(plane, webhooks, native):
    name = f"istio-{str(native).lower()}"
    init = [{"name": "istio-init", "image": "istio/proxyv2"}]
    proxy = {"name": "istio-proxy", "image": "istio/proxyv2", "ports": [{"containerPort": 15090}]}
    app = {"name": "app", "image": "myapp:latest"}
    if native:
        spec = {"initContainers": [*init, {**proxy, "restartPolicy": "Always"}], "containers": [app]}
    else:
        spec = {"initContainers": init, "containers": [app, proxy]}
    make_deployment(plane, name, BESIDE_ISTIO, **spec)
    for one in pods(plane, name):
        before = ["istio-init", "istio-proxy"] if native else ["istio-init"]
        assert init_names(one) == [*before, "holdfast"]
        assert {container["name"] for container in one["spec"]["containers"]} == {"app"} | (set() if native else {"istio-proxy"})
        excluded = one["metadata"]["annotations"]["traffic.sidecar.istio.io/excludeInboundPorts"].split(",")
        assert "13133" in excluded


def test_a_deployment_in_a_namespace_without_the_label_stays_as_it_is(plane, webhooks):
    """`default` has no label otel-injection: the server does not ask the webhook."""
    path = "/apis/apps/v1/namespaces/default/deployments"
    spec = {"replicas": 1, "selector": {"matchLabels": {"app": "plain"}}, "template": template("plain", ASKS)}
    plane.make(path, "plain", "Deployment", "apps/v1", spec=spec)
    until(lambda: plane.call("GET", f"{path}/plain")["status"].get("availableReplicas") == 1, "it is available", SECONDS)
    (one,) = plane.call("GET", "/api/v1/namespaces/default/pods?labelSelector=app%3Dplain")["items"]
    assert init_names(one) == []
