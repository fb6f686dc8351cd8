"""The access rights that the chart gives a configuration, beside those that `holdfast check` asks the API for. `./dev test
--real charts` runs it; that they are those that are used, test_charts.py shows with a real API server."""

import os
import subprocess
from pathlib import Path

import pytest
import yaml

from real import helm as real_helm
from real.helm import NEWEST, OLDEST, of_kind, workload
from support import chart
from support.certificates import Authority
from support.holdfast import BINARY
from support.kubernetes import KubernetesApi, service_account

SECONDS = 60


@pytest.fixture(scope="module")
def helm(tmp_path_factory):
    return real_helm.Helm(Path(os.environ["HOLDFAST_HELM"]), tmp_path_factory.mktemp("helm"))


def collector(signal, receivers=None, processors=None, exporters=None, extensions=None):
    """Values with a configuration in which these run, in a pipeline of that signal."""
    pipeline = {"receivers": list(receivers or ["otlp"]), "processors": list(processors or []), "exporters": list(exporters or ["debug"])}
    sections = {"receivers": receivers, "processors": processors, "exporters": exporters, "extensions": extensions}
    service = {"extensions": list(extensions or {}), "pipelines": {signal: pipeline}}
    return {"config": {**{key: given for key, given in sections.items() if given}, "service": service}}


OBSERVING = {"receiver_creator": {"watch_observers": ["k8s_observer"], "receivers": {"redis": {"rule": 'type == "port" && port == 6379'}}}}
KUBELET = {"auth_type": "serviceAccount", "endpoint": "127.0.0.1:1", "node": "n1", "k8s_api_config": {"auth_type": "serviceAccount"}}


def discovery(role, **more):
    scrapes = [{"job_name": "a", "kubernetes_sd_configs": [{"role": role, **more}]}]
    return collector("metrics", {"prometheus": {"config": {"scrape_configs": scrapes}}})


def attributes(**settings):
    return collector("traces", processors={"k8sattributes": settings})


ALL_OBSERVED = {"observe_nodes": True, "observe_services": True, "observe_ingresses": True}
CONFIGURATIONS = {
    "observer": collector("metrics", OBSERVING, extensions={"k8s_observer": {}}),
    "observer of all": collector("metrics", OBSERVING, extensions={"k8s_observer": {**ALL_OBSERVED, "namespaces": ["shop"]}}),
    "observer without pods": collector(
        "metrics", OBSERVING, extensions={"k8s_observer": {"observe_pods": False, "observe_nodes": True}}
    ),
    "attributes": attributes(),
    "attributes of few": attributes(extract={"metadata": ["k8s.pod.name"]}),
    "attributes of all": attributes(
        extract={
            "metadata": ["k8s.node.uid", "k8s.cluster.uid", "k8s.cronjob.uid", "k8s.deployment.uid"],
            "labels": [{"key": "a", "from": "namespace"}, {"key": "b"}],
            "annotations": [{"key": "c", "from": "statefulset"}],
        }
    ),
    "attributes of a namespace": attributes(
        filter={"namespace": "shop"}, extract={"labels": [{"key": "a", "from": "node"}, {"key": "a", "from": "deployment"}]}
    ),
    "attributes passed through": attributes(passthrough=True),
    "cluster": collector("metrics", {"k8s_cluster": {}}),
    "cluster with volumes": collector(
        "metrics",
        {
            "k8s_cluster": {
                "metrics": {
                    f"k8s.{name}": {"enabled": True}
                    for name in (
                        "persistentvolume.status.phase",
                        "persistentvolumeclaim.status.phase",
                        "service.endpoint.count",
                        "service.load_balancer.ingress.count",
                    )
                }
            }
        },
    ),
    "cluster's namespaces": collector("metrics", {"k8s_cluster": {"namespaces": ["shop", "bank"]}}),
    "events": collector("logs", {"k8s_events": {"namespaces": ["shop"]}}),
    "objects": collector(
        "logs",
        {
            "k8sobjects": {
                "objects": [{"name": "pods"}, {"name": "events", "mode": "watch", "group": "events.k8s.io", "namespaces": ["shop"]}]
            }
        },
    ),
    "kubelet": collector("metrics", {"kubeletstats": KUBELET}),
    "kubelet and the API": collector(
        "metrics",
        {
            "kubeletstats": {
                **KUBELET,
                "extra_metadata_labels": ["k8s.volume.type"],
                "metrics": {"k8s.pod.cpu.node.utilization": {"enabled": True}},
            }
        },
    ),
    "endpoints": discovery("endpoints", namespaces={"names": ["shop"]}, attach_metadata={"node": True}),
    "slices of the own namespace": discovery("endpointslice", namespaces={"own_namespace": True}),
    "pods": discovery("pod", attach_metadata={"namespace": True}),
    "pods and their owners": discovery("pod", attach_metadata={"deployment": True, "job": True, "cronjob": True}),
    "nodes": discovery("node", attach_metadata={"namespace": True}),
    "ingresses": discovery("ingress"),
    "balancing": collector(
        "traces",
        exporters={"loadbalancing": {"protocol": {"otlp": {"tls": {"insecure": True}}}, "resolver": {"k8s": {"service": "lb.shop"}}}},
    ),
    "leader": collector(
        "logs",
        {"k8s_events": {"k8s_leader_elector": "k8s_leader_elector"}},
        extensions={"k8s_leader_elector": {"lease_name": "one", "lease_namespace": "shop"}},
    ),
    "another account": collector("logs", {"k8s_events": {"auth_type": "kubeConfig", "kube_config_path": "/nonexistent"}}),
}


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_rights_are_those_that_check_asks_for(helm, tmp_path, name):
    values = tmp_path / "values.yaml"
    values.write_text(yaml.safe_dump(CONFIGURATIONS[name]))
    objects = helm.render([values])
    granted = {
        (group, resource, verb, role["metadata"].get("namespace"))
        for kind in ("ClusterRole", "Role")
        for role in of_kind(objects, kind)
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
        if "/" not in resource  # of a kubelet, which is asked itself
    }
    assert granted == asked(configuration_of(objects), tmp_path)
    token = workload(objects)["spec"]["template"]["spec"]["automountServiceAccountToken"]
    assert token == (bool(granted) or name.startswith("kubelet"))
    assert len(of_kind(objects, "ClusterRoleBinding")) == len(of_kind(objects, "ClusterRole"))
    assert len(of_kind(objects, "RoleBinding")) == len(of_kind(objects, "Role"))


def asked(configuration, directory):
    """What `holdfast check` asks the API for."""
    (directory / "relay.yaml").write_text(yaml.safe_dump(configuration))
    authority = Authority(directory / "ca")
    with KubernetesApi(authority.issue("kubernetes"), {"first-token"}) as api:
        environment = service_account(directory / "account", api, authority)
        (directory / "account" / "namespace").write_text("default")
        subprocess.run(
            [BINARY, "check", "--config", directory / "relay.yaml", "--data-dir", directory / "data", "--timeout", "5s"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,  # there is no kubelet, and other ports may be taken
            timeout=SECONDS,
            env={**os.environ, **chart.ENVIRONMENT, **environment},
        )
        return {(one.get("group", ""), one["resource"], one["verb"], one.get("namespace") or None) for one in api.reviews}


def test_kubelets_are_asked_by_resources_of_nodes(helm, tmp_path):
    """Also where receiver_creator starts what asks."""
    template = {"rule": 'type == "k8s.node"', "config": {"auth_type": "serviceAccount", "extra_metadata_labels": ["container.id"]}}
    creator = {"watch_observers": ["k8s_observer"], "receivers": {"kubeletstats/each": template}}
    settings = {"observe_pods": False, "observe_nodes": True}
    values = tmp_path / "values.yaml"
    values.write_text(yaml.safe_dump(collector("metrics", {"receiver_creator": creator}, extensions={"k8s_observer": settings})))
    for version, of_pods in ((OLDEST, "nodes/proxy"), (NEWEST, "nodes/pods")):
        assert rights(helm.render([values], version=version)) == {"nodes", "nodes/stats", of_pods}


def test_a_detector_s_rights(helm, tmp_path):
    values = tmp_path / "values.yaml"
    values.write_text(yaml.safe_dump(collector("traces", processors={"resourcedetection": {"detectors": ["env", "k8snode", "kubeadm"]}})))
    objects = helm.render([values])
    (role,) = of_kind(objects, "Role")
    assert (role["metadata"]["namespace"], rights([role])) == ("kube-system", {"configmaps"})
    assert rights(of_kind(objects, "ClusterRole")) == {"nodes", "namespaces"}


def configuration_of(objects):
    return yaml.safe_load(of_kind(objects, "ConfigMap")[0]["data"]["relay.yaml"])


def rights(objects):
    return {what for role in of_kind(objects, "ClusterRole") + of_kind(objects, "Role") for rule in role["rules"] for what in rule["resources"]}
