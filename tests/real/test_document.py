"""The deployment document's manifests before a real control plane: applied as they are, then with the image changed and
nothing else. `./dev test --real kubernetes` runs it; what the containers then do, chaos.hybrid shows."""

import copy
import os
from pathlib import Path

import pytest
import yaml

from real.control_plane import VARIABLE, ControlPlane
from support.holdfast import ROOT
from support.waiting import until

DOCUMENT = ROOT / "tests/support/document"
MANIFESTS = ("daemonset", "gateway", "sidecar", "sidecar-optimized")
NODES = ("n1", "n2", "n3", "n4")  # one more than the gateway has pods: they avoid each other's nodes, and one comes first
SECONDS = 120
IMAGE = "registry.example.com/holdfast:0.1.0"
CONTAINER = "otel-collector"
PATHS = {
    "DaemonSet": ("/apis/apps/v1", "daemonsets"),
    "Deployment": ("/apis/apps/v1", "deployments"),
    "HorizontalPodAutoscaler": ("/apis/autoscaling/v2", "horizontalpodautoscalers"),
    "Service": ("/api/v1", "services"),
    "ConfigMap": ("/api/v1", "configmaps"),
}


@pytest.fixture(scope="module")
def plane(tmp_path_factory):
    with ControlPlane(tmp_path_factory.mktemp("plane"), Path(os.environ[VARIABLE]), controllers=True) as plane:
        for node in NODES[1:]:
            plane.add_node(node)
        for namespace, accounts in (("observability", ("otel-collector", "otel-gateway")), ("production", ())):
            plane.make("/api/v1/namespaces", namespace, "Namespace")
            for account in accounts:
                plane.make(f"/api/v1/namespaces/{namespace}/serviceaccounts", account, "ServiceAccount")
            until(lambda namespace=namespace: plane.has_account(namespace), lambda: plane.said("kube-controller-manager"), SECONDS)
        yield plane


def manifests(name):
    return [one for one in yaml.safe_load_all((DOCUMENT / f"{name}.yaml").read_text()) if one]


def path_of(one):
    root, plural = PATHS[one["kind"]]
    return f"{root}/namespaces/{one['metadata'].get('namespace', 'default')}/{plural}"


def is_rolled_out(plane, path):
    found = plane.call("GET", path)
    status, spec = found.get("status", {}), found["spec"]
    if status.get("observedGeneration") != found["metadata"]["generation"]:
        return False
    if found["kind"] == "DaemonSet":
        wanted = len(NODES)
        return wanted == status["desiredNumberScheduled"] == status.get("updatedNumberScheduled") == status.get("numberAvailable")
    counts = (status.get(name) for name in ("replicas", "updatedReplicas", "availableReplicas"))
    return all(count == spec["replicas"] for count in counts)


def living_pods(plane, one):
    labels = ",".join(f"{key}%3D{value}" for key, value in one["spec"]["selector"]["matchLabels"].items())
    found = plane.call("GET", f"/api/v1/namespaces/{one['metadata']['namespace']}/pods?labelSelector={labels}")["items"]
    return [pod for pod in found if "deletionTimestamp" not in pod["metadata"]]


def comparable(pod):
    """What the manifest says of a pod: without its node, its token's name and the collector's image."""
    spec = copy.deepcopy(pod["spec"])
    for key in ("nodeName", "affinity"):
        spec.pop(key, None)
    for volume in spec["volumes"]:
        volume["name"] = volume["name"].split("kube-api-access")[0]
    for container in spec["containers"]:
        for mount in container["volumeMounts"]:
            mount["name"] = mount["name"].split("kube-api-access")[0]
        if container["name"] == CONTAINER:
            container.pop("image")
    return spec


@pytest.mark.parametrize("name", MANIFESTS)
def test_only_the_image_changes(plane, name):
    for one in manifests(name):
        plane.call("POST", f"{path_of(one)}?fieldValidation=Strict", one)
    for one in manifests(name):
        if one["kind"] not in ("DaemonSet", "Deployment"):
            continue
        path = f"{path_of(one)}/{one['metadata']['name']}"
        until(lambda path=path: is_rolled_out(plane, path), lambda path=path: str(plane.call("GET", path)["status"]), SECONDS)
        before = [comparable(pod) for pod in living_pods(plane, one)]
        swap = {"spec": {"template": {"spec": {"containers": [{"name": CONTAINER, "image": IMAGE}]}}}}
        plane.call("PATCH", path, swap, patch="application/strategic-merge-patch+json")
        until(lambda path=path: is_rolled_out(plane, path), lambda path=path: str(plane.call("GET", path)["status"]), SECONDS)
        pods = living_pods(plane, one)
        assert len(pods) == len(before) >= 3
        assert {pod["status"]["phase"] for pod in pods} == {"Running"}
        for pod in pods:
            (collector,) = [container for container in pod["spec"]["containers"] if container["name"] == CONTAINER]
            assert collector["image"] == IMAGE
            assert comparable(pod) == before[0]
