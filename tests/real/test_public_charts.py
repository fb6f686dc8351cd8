"""charts/holdfast-stack with the public charts that it names: an API server takes every object, and every address that one part
has for another is a Service with pods behind it. `./dev test --real charts` runs it when HOLDFAST_PUBLIC_CHARTS names a folder that
has those charts, each in a folder of its name; of what they depend on themselves, what is not there gets a stub."""

import os
import re
import shutil
from pathlib import Path

import pytest
import yaml

from real import helm as real_helm
from real.control_plane import VARIABLE, ControlPlane
from real.helm import of_kind
from support import chart

STACK = chart.ROOT / "charts" / "holdfast-stack"
DOCUMENT = chart.ROOT / "tests" / "support" / "document" / "values-complete-stack.yaml"
KINDS = {
    **{"Secret": "secrets", "ServiceAccount": "serviceaccounts", "ConfigMap": "configmaps", "Service": "services", "Pod": "pods"},
    **{"PersistentVolumeClaim": "persistentvolumeclaims", "PodDisruptionBudget": "poddisruptionbudgets"},
    **{"DaemonSet": "daemonsets", "StatefulSet": "statefulsets", "Deployment": "deployments"},
    **{"Role": "roles", "RoleBinding": "rolebindings", "ClusterRole": "clusterroles", "ClusterRoleBinding": "clusterrolebindings"},
}
# What the charts take of the library chart `common`.
COMMON = """
{{- define "common.capabilities.cronjob.apiVersion" -}}batch/v1{{- end }}
{{- define "common.capabilities.deployment.apiVersion" -}}apps/v1{{- end }}
{{- define "common.capabilities.hpa.apiVersion" -}}autoscaling/v2{{- end }}
{{- define "common.capabilities.ingress.apiVersion" -}}networking.k8s.io/v1{{- end }}
{{- define "common.capabilities.networkPolicy.apiVersion" -}}networking.k8s.io/v1{{- end }}
{{- define "common.images.image" -}}{{ .imageRoot.repository }}:{{ .imageRoot.tag | default "latest" }}{{- end }}
{{- define "common.images.renderPullSecrets" -}}{{- end }}
{{- define "common.ingress.supportsIngressClassname" -}}true{{- end }}
"""


def dependencies(folder):
    return yaml.safe_load((folder / "Chart.yaml").read_text()).get("dependencies") or []


def is_there(folder, version):
    """Also charts of several makers have one name: their major versions differ."""
    major = re.search(r"\d+", version)
    return folder.exists() and major[0] == yaml.safe_load((folder / "Chart.yaml").read_text())["version"].split(".")[0]


def complete(folder, public):
    """Gives the chart of that folder what it depends on, or stubs for what is not in `public` either."""
    for one in dependencies(folder):
        stub = folder / "charts" / one["name"]
        if stub.exists():
            continue
        if is_there(public / one["name"], one["version"]):
            shutil.copytree(public / one["name"], stub)
            complete(stub, public)
            continue
        (stub / "templates").mkdir(parents=True)
        version = one["version"].replace("x", "0").replace("*", "0")
        kind = "library" if one["name"] == "common" else "application"
        (stub / "Chart.yaml").write_text(f"apiVersion: v2\nname: {one['name']}\nversion: {version}\ntype: {kind}\n")
        if kind == "library":
            (stub / "templates" / "_all.tpl").write_text(COMMON)


@pytest.fixture(scope="module", params=[(), (DOCUMENT,)], ids=["values of the stack", "values of the document"])
def objects(request, tmp_path_factory):
    """What helm renders."""
    public, place = Path(os.environ["HOLDFAST_PUBLIC_CHARTS"]), tmp_path_factory.mktemp("stack") / "holdfast-stack"
    shutil.copytree(STACK, place)
    for one in dependencies(STACK):
        folder = place / "charts" / one["name"]
        if folder.exists():
            continue
        shutil.copytree(chart.CHART if one["name"] == "holdfast" else public / one["name"], folder)
        found = yaml.safe_load((folder / "Chart.yaml").read_text())["version"]
        assert found == one["version"], f"{one['name']} is {found}, and the stack takes {one['version']}"
        complete(folder, public)
    return real_helm.Helm(Path(os.environ["HOLDFAST_HELM"]), tmp_path_factory.mktemp("helm")).render(request.param, chart=place)


def test_an_api_server_takes_every_object(objects, tmp_path):
    with ControlPlane(tmp_path, Path(os.environ[VARIABLE])) as plane:
        for one in objects:
            version, kind = one["apiVersion"], one["kind"]
            root = "/api/v1" if version == "v1" else f"/apis/{version}"
            space = "" if kind.startswith("Cluster") else "/namespaces/default"
            one["metadata"].pop("namespace", None)
            plane.call("POST", f"{root}{space}/{KINDS[kind]}?dryRun=All&fieldValidation=Warn", one)


def pods(objects):
    """The labels of the pods of all workloads."""
    templates = [one["spec"]["template"] for kind in ("DaemonSet", "StatefulSet", "Deployment") for one in of_kind(objects, kind)]
    return [one["metadata"]["labels"] for one in templates]


def assert_leads_somewhere(objects, address):
    """host:port, or an http URL."""
    host, _, port = address.removeprefix("http://").split("/")[0].partition(":")
    (service,) = [one for one in of_kind(objects, "Service") if one["metadata"]["name"] == host]
    assert int(port or 80) in [one["port"] for one in service["spec"]["ports"]], address
    selector = service["spec"]["selector"].items()
    assert any(selector <= labels.items() for labels in pods(objects)), f"no pod is behind {address}"


def data(objects, name):
    (one,) = [one for one in of_kind(objects, "ConfigMap") if one["metadata"]["name"] == name]
    return one["data"]


def test_every_address_leads_to_a_service_with_pods(objects):
    exporters = yaml.safe_load(data(objects, "t-otel-collector")["relay.yaml"])["exporters"]
    sources = yaml.safe_load(data(objects, "t-grafana")["datasources.yaml"])["datasources"]
    jaeger = [one for one in of_kind(objects, "Deployment") if one["metadata"]["name"].startswith("jaeger-")]
    stored = set(re.findall(r"http://[a-z-]+:9200", str(jaeger)))
    assert (len(exporters), len(sources), len(jaeger), len(stored)) == (3, 3, 2, 1)
    # The document asks Jaeger's chart for an Elasticsearch of its own, which is not among these charts.
    stored -= {"http://t-elasticsearch:9200"}
    for address in [one["endpoint"] for one in exporters.values()] + [one["url"] for one in sources] + list(stored):
        assert_leads_somewhere(objects, address)


def test_the_parts_do_what_is_asked_of_them(objects):
    deployments = {one["metadata"]["name"]: one["spec"]["template"]["spec"] for one in of_kind(objects, "Deployment")}
    collector = deployments["jaeger-collector"]["containers"][0]
    assert {"name": "COLLECTOR_OTLP_ENABLED", "value": "true"} in collector["env"]
    server = next(one for one in deployments["prometheus-server"]["containers"] if one["name"] == "prometheus-server")
    assert "--web.enable-remote-write-receiver" in server["args"]
    rules = yaml.safe_load(data(objects, "prometheus-server")["prometheus.yml"])["rule_files"]
    mount = next(one for one in server["volumeMounts"] if one["mountPath"] == "/etc/holdfast-alerts")
    volume = next(one for one in deployments["prometheus-server"]["volumes"] if one["name"] == mount["name"])
    assert volume["configMap"]["name"] == "holdfast-alerts" and "/etc/holdfast-alerts/alerts.yaml" in rules
    sidecars = [one for one in deployments["t-grafana"]["containers"] if "sc-dashboard" in one["name"]]
    label = next(one["value"] for one in sidecars[0]["env"] if one["name"] == "LABEL")
    assert [one for one in of_kind(objects, "ConfigMap") if label in (one["metadata"].get("labels") or {})]
