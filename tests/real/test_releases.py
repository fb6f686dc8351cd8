"""Releases of the charts in a cluster with controllers: helm installs, upgrades, rolls back and uninstalls, and waits for the
pods, which kwok makes Running without a container. `./dev test --real charts` runs it."""

import os
from pathlib import Path

import pytest

from real import helm as real_helm
from real.control_plane import VARIABLE, ControlPlane
from real.helm import Refused
from real.stack import with_stubs
from support import chart
from support.waiting import until

SECONDS = 120
NODES = ("n1", "n2")
APPS = "/apis/apps/v1/namespaces"
KINDS = {"daemonset": "daemonsets", "statefulset": "statefulsets", "deployment": "deployments"}
REPLICAS = {"daemonset": len(NODES), "statefulset": 2, "deployment": 2}
DOCUMENT = chart.ROOT / "tests" / "support" / "document" / "values-complete-stack.yaml"
# Objects of every kind of the chart that a namespace holds, but claims.
HELD = (
    *(f"/api/v1/namespaces/{{}}/{kind}" for kind in ("configmaps", "services", "serviceaccounts", "secrets", "pods")),
    *(f"{APPS}/{{}}/{kind}" for kind in (*KINDS.values(), "replicasets")),
    *(f"/apis/rbac.authorization.k8s.io/v1/namespaces/{{}}/{kind}" for kind in ("roles", "rolebindings")),
    "/apis/policy/v1/namespaces/{}/poddisruptionbudgets",
)
CLUSTER = (
    *(f"/apis/rbac.authorization.k8s.io/v1/{kind}" for kind in ("clusterroles", "clusterrolebindings")),
    "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations",
)


@pytest.fixture(scope="module")
def helm(tmp_path_factory):
    return real_helm.Helm(Path(os.environ["HOLDFAST_HELM"]), tmp_path_factory.mktemp("helm"))


@pytest.fixture(scope="module")
def plane(tmp_path_factory):
    with ControlPlane(tmp_path_factory.mktemp("plane"), Path(os.environ[VARIABLE]), controllers=True) as plane:
        for node in NODES[1:]:
            plane.add_node(node)
        for number in range(3):  # the cluster has no provisioner
            spec = {"capacity": {"storage": "20Gi"}, "accessModes": ["ReadWriteOnce"], "hostPath": {"path": f"/v{number}"}}
            plane.make("/api/v1/persistentvolumes", f"v{number}", "PersistentVolume", spec=spec)
        yield plane


def manage(helm, plane, verb, namespace, *arguments):
    """Of a release `t` in that namespace."""
    waits = ("--wait", f"--timeout={SECONDS}s")
    makes = ("--create-namespace",) if verb == "install" else ()
    try:
        return helm.manage(plane, verb, "t", *arguments, "--namespace", namespace, *makes, *waits)
    except Refused as refused:
        raise Refused(f"{refused}\n{state(plane, namespace)}") from None


def state(plane, namespace):
    """For people: the pods and what happened to them."""
    found = plane.call("GET", f"/api/v1/namespaces/{namespace}/pods")["items"]
    lines = [f"{one['metadata']['name']} {one['metadata'].get('deletionTimestamp')} {one['status']}" for one in found]
    happened = plane.call("GET", f"/api/v1/namespaces/{namespace}/events")["items"]
    return "\n".join([*lines, *(f"{one['reason']} {one['message']}" for one in happened)])


def workload(plane, namespace, mode):
    return plane.call("GET", f"{APPS}/{namespace}/{KINDS[mode]}/t-holdfast")


def pods(plane, namespace):
    """{name: pod} of those that are not being deleted."""
    found = plane.call("GET", f"/api/v1/namespaces/{namespace}/pods")["items"]
    return {one["metadata"]["name"]: one for one in found if "deletionTimestamp" not in one["metadata"]}


def uids(plane, namespace):
    return {one["metadata"]["uid"] for one in pods(plane, namespace).values()}


def images(plane, namespace):
    return {one["spec"]["containers"][0]["image"] for one in pods(plane, namespace).values()}


def claims(plane, namespace):
    """{name: volume}"""
    found = plane.call("GET", f"/api/v1/namespaces/{namespace}/persistentvolumeclaims")["items"]
    return {one["metadata"]["name"]: one["spec"].get("volumeName") for one in found}


def left(plane, namespace):
    """What of that release is still there."""
    query = "?labelSelector=app.kubernetes.io/instance%3Dt"
    paths = [one.format(namespace) for one in HELD]
    found = [(path, one) for path in (*paths, *CLUSTER) for one in plane.call("GET", path + query)["items"]]
    return [
        (path, one["metadata"]["name"])
        for path, one in found
        if path not in CLUSTER or one["metadata"]["annotations"]["meta.helm.sh/release-namespace"] == namespace
    ]


@pytest.mark.parametrize("mode", KINDS)
def test_install_upgrade_rollback_uninstall(helm, plane, mode):
    space = f"life-{mode}"
    sets = ["--set", f"mode={mode},replicaCount=2,presets.kubernetesAttributes.enabled=true"]
    notes = manage(helm, plane, "install", space, chart.CHART, *sets)
    assert f"as {mode}" in notes
    made = pods(plane, space)
    assert len(made) == REPLICAS[mode]
    assert {one["status"]["phase"] for one in made.values()} == {"Running"}
    held = claims(plane, space)
    assert len(held) == (2 if mode == "statefulset" else 0) and all(held.values())

    # A configuration that the running pods load: no pod is replaced.
    before = uids(plane, space)
    manage(helm, plane, "upgrade", space, chart.CHART, *sets, "--set", "config.processors.batch.timeout=3s")
    assert "timeout: 3s" in plane.call("GET", f"/api/v1/namespaces/{space}/configmaps/t-holdfast")["data"]["relay.yaml"]
    assert uids(plane, space) == before

    # A new image: every pod is replaced, and each goes on with the volume it had.
    manage(helm, plane, "upgrade", space, chart.CHART, *sets, "--set", "image.tag=0.2.0")
    until(lambda: images(plane, space) == {"holdfast/holdfast:0.2.0"}, lambda: str(images(plane, space)), SECONDS)
    assert uids(plane, space).isdisjoint(before)
    manage(helm, plane, "rollback", space, "1")
    until(lambda: images(plane, space) == {"holdfast/holdfast:0.1.0"}, lambda: str(images(plane, space)), SECONDS)
    assert claims(plane, space) == held

    manage(helm, plane, "uninstall", space)
    until(lambda: left(plane, space) == [], lambda: str(left(plane, space)), SECONDS)
    assert claims(plane, space) == held, "a queue outlives its release"


def test_the_next_release_of_the_name_finds_the_queues(helm, plane):
    space = "life-statefulset"
    held = claims(plane, space)
    assert len(held) == 2, "left by the test before"
    manage(helm, plane, "install", space, chart.CHART, "--set", "replicaCount=2")
    assert claims(plane, space) == held
    mounted = {
        volume["persistentVolumeClaim"]["claimName"]
        for one in pods(plane, space).values()
        for volume in one["spec"]["volumes"]
        if "persistentVolumeClaim" in volume
    }
    assert mounted == set(held)
    with pytest.raises(Refused, match="updates to statefulset spec"):
        manage(helm, plane, "upgrade", space, chart.CHART, "--set", "replicaCount=2,queue.volumeClaim.size=30Gi")
    assert len(pods(plane, space)) == 2, "a refused upgrade leaves the pods alone"
    manage(helm, plane, "uninstall", space)


def test_a_release_with_the_webhook(helm, plane):
    """Called for no namespace: where nothing serves, the server would wait for it."""
    space, sets = "hooked", ["--values", chart.CHART / "ci" / "webhook-values.yaml", "--set", "mode=deployment"]
    manage(helm, plane, "install", space, chart.CHART, *sets)
    path = f"{APPS}/{space}/deployments/t-holdfast-webhook"
    assert plane.call("GET", path)["status"]["readyReplicas"] == 2
    slices = plane.call("GET", f"/apis/discovery.k8s.io/v1/namespaces/{space}/endpointslices")["items"]
    (mine,) = [one for one in slices if one["metadata"]["labels"]["kubernetes.io/service-name"] == "otel-inject-webhook"]
    assert [one["port"] for one in mine["ports"]] == [9443] and len(mine["endpoints"]) == 2

    def hooks():
        return {one["metadata"]["uid"] for name, one in pods(plane, space).items() if "webhook" in name}

    before = hooks()
    manage(helm, plane, "upgrade", space, chart.CHART, *sets, "--set", "webhook.queueSize=1Gi")
    until(lambda: len(hooks()) == 2 and hooks().isdisjoint(before), "webhooks with the new settings", SECONDS)
    manage(helm, plane, "uninstall", space)
    until(lambda: left(plane, space) == [], lambda: str(left(plane, space)), SECONDS)


def test_the_documents_stack(helm, plane, tmp_path):
    """values-complete-stack.yaml as it is, with stubs in the places of the backends' charts."""
    space, place = "complete", with_stubs(tmp_path)
    manage(helm, plane, "install", space, place, "--values", DOCUMENT)
    gateway = plane.call("GET", f"{APPS}/{space}/deployments/t-otel-collector")
    assert gateway["status"]["readyReplicas"] == 3
    assert {one["status"]["phase"] for one in pods(plane, space).values()} == {"Running"}
    hybrid = ["--values", place / "values-hybrid.yaml", "--set", "otel-collector.queue.type=emptyDir"]
    manage(helm, plane, "upgrade", space, place, *hybrid)
    assert plane.call("GET", f"{APPS}/{space}/daemonsets/t-otel-agent")["status"]["numberReady"] == len(NODES)
    assert plane.call("GET", f"{APPS}/{space}/statefulsets/t-otel-collector")["status"]["readyReplicas"] == 1
    manage(helm, plane, "rollback", space, "1")
    until(lambda: len(pods(plane, space)) == 3, lambda: str(list(pods(plane, space))), SECONDS)
    manage(helm, plane, "uninstall", space)
    until(lambda: left(plane, space) == [], lambda: str(left(plane, space)), SECONDS)
