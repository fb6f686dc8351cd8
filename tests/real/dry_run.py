"""What helm has rendered before those who would get it: an API server, strictly and without making anything, and Holdfast."""

import json
import os
import subprocess
from pathlib import Path

import yaml

from support import chart
from support.holdfast import BINARY
from support.waiting import until

from .helm import of_kind

SECONDS = 60
RBAC, MONITORING, GATEWAY_API = "rbac.authorization.k8s.io/v1", "monitoring.coreos.com/v1", "gateway.networking.k8s.io/v1"
# The kinds of our chart.
KINDS = {
    **dict.fromkeys(("ServiceAccount", "ConfigMap", "Service", "Pod"), "v1"),
    **dict.fromkeys(("DaemonSet", "StatefulSet", "Deployment"), "apps/v1"),
    **dict.fromkeys(("Ingress", "NetworkPolicy"), "networking.k8s.io/v1"),
    **dict.fromkeys(("ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"), RBAC),
    **dict.fromkeys(("ServiceMonitor", "PodMonitor", "PrometheusRule"), MONITORING),
    "HorizontalPodAutoscaler": "autoscaling/v2",
    "PodDisruptionBudget": "policy/v1",
    "MutatingWebhookConfiguration": "admissionregistration.k8s.io/v1",
    "HTTPRoute": GATEWAY_API,
}
# Kinds that others define: module, version, folder, names.
OPERATOR = ("github.com/prometheus-operator/prometheus-operator", "v0.76.0", "example/prometheus-operator-crd")
GATEWAY = ("sigs.k8s.io/gateway-api", "v1.2.1", "config/crd/standard")
DEFINED = [*((OPERATOR, MONITORING, kind) for kind in ("ServiceMonitor", "PodMonitor", "PrometheusRule")), (GATEWAY, GATEWAY_API, "HTTPRoute")]


def plural(kind):
    return "ingresses" if kind == "Ingress" else "networkpolicies" if kind == "NetworkPolicy" else f"{kind.lower()}s"


def root(version):
    return "/api/v1" if version == "v1" else f"/apis/{version}"


def define(plane):
    """Gives the server the kinds of the Prometheus operator and of the Gateway API, from their published modules."""
    for (module, release, folder), version, kind in DEFINED:
        done = subprocess.run(["go", "mod", "download", "-json", f"{module}@{release}"], capture_output=True, check=True, timeout=600)
        path = Path(json.loads(done.stdout)["Dir"]) / folder / f"{version.split('/')[0]}_{plural(kind)}.yaml"
        plane.call("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", yaml.safe_load(path.read_text()))
    for _, version, kind in DEFINED:
        until(lambda path=f"{root(version)}/{plural(kind)}": plane.has(path), f"the kind {kind}", SECONDS)


def path_of(one):
    """The path that makes the object."""
    start, kind = root(one["apiVersion"]), one["kind"]
    if kind.startswith(("Cluster", "MutatingWebhook")):
        return f"{start}/{plural(kind)}"
    return f"{start}/namespaces/{one['metadata'].get('namespace', 'default')}/{plural(kind)}"


def dry_run(plane, one):
    plane.call("POST", f"{path_of(one)}?dryRun=All&fieldValidation=Strict", one)


def assert_taken(plane, objects):
    """The server takes each object."""
    assert objects
    for one in objects:
        assert one["kind"] in KINDS, one["kind"]
        dry_run(plane, one)


def assert_valid(objects, directory):
    """Holdfast takes each configuration that a rendered ConfigMap holds."""
    found = [one["data"]["relay.yaml"] for one in of_kind(objects, "ConfigMap") if "relay.yaml" in one["data"]]
    assert found
    for text in found:
        (directory / "relay.yaml").write_text(text)
        code, error = validate(directory / "relay.yaml")
        assert (code, error) == (0, ""), text


def validate(path):
    done = subprocess.run(
        [BINARY, "validate", "--config", path],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
        env={**os.environ, **chart.ENVIRONMENT},
    )
    return done.returncode, done.stderr


def configuration_of(objects):
    return yaml.safe_load(of_kind(objects, "ConfigMap")[0]["data"]["relay.yaml"])


def made_by(release, plane):
    """{(kind, name)} of the objects of a release."""
    query = f"labelSelector=app.kubernetes.io/instance%3D{release}"
    return {
        (kind, one["metadata"]["name"])
        for kind, version in KINDS.items()
        for one in plane.call("GET", f"{root(version)}/{plural(kind)}?{query}")["items"]
    }
