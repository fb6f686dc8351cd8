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
CERTIFICATES, OPERATOR_API = "cert-manager.io/v1", "opentelemetry.io/v1beta1"
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
    "Certificate": CERTIFICATES,
}
# Kinds that others define: module, version, folder, names.
PROMETHEUS = ("github.com/prometheus-operator/prometheus-operator", "v0.76.0", "example/prometheus-operator-crd")
GATEWAY = ("sigs.k8s.io/gateway-api", "v1.2.1", "config/crd/standard")
CERT_MANAGER = ("github.com/cert-manager/cert-manager", "v1.19.1", "deploy/crds")
OPENTELEMETRY = ("github.com/open-telemetry/opentelemetry-operator", "v0.140.0", "config/crd/bases")
DEFINED = {
    **{kind: (PROMETHEUS, MONITORING) for kind in ("ServiceMonitor", "PodMonitor", "PrometheusRule")},
    "HTTPRoute": (GATEWAY, GATEWAY_API),
    "Certificate": (CERT_MANAGER, CERTIFICATES),
    "OpenTelemetryCollector": (OPENTELEMETRY, OPERATOR_API),
}


def plural(kind):
    return "ingresses" if kind == "Ingress" else "networkpolicies" if kind == "NetworkPolicy" else f"{kind.lower()}s"


def root(version):
    return "/api/v1" if version == "v1" else f"/apis/{version}"


def define(plane, kinds=DEFINED):
    """Gives the server kinds that others define, from their published modules."""
    for kind in kinds:
        (module, release, folder), version = DEFINED[kind]
        done = subprocess.run(["go", "mod", "download", "-json", f"{module}@{release}"], capture_output=True, check=True, timeout=600)
        path = Path(json.loads(done.stdout)["Dir"]) / folder / f"{version.split('/')[0]}_{plural(kind)}.yaml"
        plane.call("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", yaml.safe_load(path.read_text()))
    for kind in kinds:
        path = f"{root(DEFINED[kind][1])}/{plural(kind)}"
        until(lambda path=path: plane.has(path), f"the kind {kind}", SECONDS)


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
