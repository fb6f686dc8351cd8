"""Our watch against a real API server: rotated tokens, refusals, restarts, forgotten versions, churn. `./dev test --real
kubernetes` runs it."""

import json
import os
from collections import Counter
from pathlib import Path

import pytest

from real.control_plane import VARIABLE, ControlPlane
from support import otlp
from support.holdfast import config, otlp_exporter, otlphttp_exporter
from support.hostmetrics import Peer, peer_program, series
from support.waiting import until

READ = ["get", "list", "watch"]
EVENTS = [{"apiGroups": [""], "resources": ["events"], "verbs": READ}]
ALL = [
    {"apiGroups": [""], "resources": ["pods", "namespaces", "nodes", "events"], "verbs": READ},
    {"apiGroups": ["", "apps", "batch", "autoscaling"], "resources": ["*"], "verbs": READ},
    {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["get", "create", "update"]},
]
SECONDS = 60  # the longest wait between two attempts is 30 s
AGENT = "holdfast/"


@pytest.fixture(scope="module")
def plane(tmp_path_factory):
    with ControlPlane(tmp_path_factory.mktemp("plane"), Path(os.environ[VARIABLE])) as plane:
        plane.make_account("reader", ALL)
        yield plane


@pytest.fixture
def account(plane, tmp_path):
    """The environment of a pod that may read all that the tests need."""
    return plane.mount(tmp_path / "account", plane.token_of("reader"))


def logs_config(backend, receiver, **keys):
    return {
        "receivers": {receiver: keys},
        "exporters": {"otlp": otlp_exporter(backend)},
        "service": {"pipelines": {"logs": {"receivers": [receiver], "exporters": ["otlp"]}}},
    }


def records(backend):
    return [one for request in backend.requests for one in otlp.items(otlp.LOGS, request.message)]


def events(backend):
    """The names of the events, in their order."""
    return [otlp.attributes(one)["k8s.event.name"] for one in records(backend)]


def wait_events(backend, *names):
    until(lambda: set(names) <= set(events(backend)), lambda: f"{names} in {events(backend)}", SECONDS)


def first_event(plane, backend, name):
    """Puts an event that comes when the watch is there; those that came before it are history or not."""
    plane.put_event(name)
    wait_events(backend, name)


def assert_once(backend):
    counts = Counter(events(backend))
    assert set(counts.values()) == {1}, counts


# ---- events ----


def test_events_come_once_each(plane, start, grpc_backend, account):
    start(logs_config(grpc_backend, "k8s_events"), environment=account)
    first_event(plane, grpc_backend, "plain-first")
    names = [f"plain-{number}" for number in range(200)]
    for name in names:
        plane.put_event(name)
    wait_events(grpc_backend, *names)
    assert_once(grpc_backend)


def test_a_restart_of_the_server_loses_and_doubles_no_event(plane, start, grpc_backend, account):
    start(logs_config(grpc_backend, "k8s_events"), environment=account)
    first_event(plane, grpc_backend, "restart-first")
    plane.put_event("restart-before")
    plane.stop_server()
    plane.start_server()
    plane.put_event("restart-after")
    wait_events(grpc_backend, "restart-before", "restart-after")
    first_event(plane, grpc_backend, "restart-last")
    assert_once(grpc_backend)


def test_a_version_that_the_server_has_forgotten_loses_and_doubles_no_event(plane, start, grpc_backend, account):
    start(logs_config(grpc_backend, "k8s_events"), environment=account)
    made = plane.put_event("gone-first")
    wait_events(grpc_backend, "gone-first")
    version = made["metadata"]["resourceVersion"]
    # Changes of another kind move the version on; then the store forgets what was before.
    for number in range(10):
        last = plane.make("/api/v1/namespaces/default/configmaps", f"gone-{number}", "ConfigMap")
    lists = len(plane.audited(AGENT, "list", "events"))
    plane.stop_server()
    plane.compact(last["metadata"]["resourceVersion"])
    plane.start_server()
    plane.put_event("gone-while-away")
    line = plane.watch("/api/v1/events", version)[0]
    assert (line["type"], line["object"]["code"]) == ("ERROR", 410), line
    wait_events(grpc_backend, "gone-while-away")
    first_event(plane, grpc_backend, "gone-last")
    assert_once(grpc_backend)
    assert len(plane.audited(AGENT, "list", "events")) > lists


def test_many_restarts_and_events_at_any_time(plane, start, grpc_backend, account):
    start(logs_config(grpc_backend, "k8s_events"), environment=account)
    first_event(plane, grpc_backend, "many-first")
    names = []
    for turn in range(4):
        for number in range(20):
            names.append(f"many-{turn}-{number}")
            plane.put_event(names[-1])
        plane.stop_server()
        plane.start_server()
    wait_events(grpc_backend, *names)
    first_event(plane, grpc_backend, "many-last")
    assert_once(grpc_backend)


# ---- who may ask ----


def test_a_refusal_is_explained_and_a_grant_is_noticed(plane, start, grpc_backend, tmp_path):
    plane.make_account("nobody")
    environment = plane.mount(tmp_path / "nobody", plane.token_of("nobody"))
    instance = start(logs_config(grpc_backend, "k8s_events"), environment=environment)
    instance.wait_for_log(r"refuses events: events is forbidden: User .*default:nobody", SECONDS)
    plane.allow("nobody", EVENTS)
    instance.wait_for_log("answers again for events", SECONDS)
    first_event(plane, grpc_backend, "granted")
    assert_once(grpc_backend)


def test_a_token_is_rotated_before_the_old_one_ends(plane, start, grpc_backend, tmp_path):
    environment = plane.mount(tmp_path / "rotated", plane.token_of("reader", "rotated-first"))
    start(logs_config(grpc_backend, "k8s_events"), environment=environment)
    first_event(plane, grpc_backend, "rotated-before")
    (tmp_path / "rotated" / "token").write_text(plane.token_of("reader"))
    plane.call("DELETE", "/api/v1/namespaces/default/secrets/rotated-first")
    plane.stop_server()  # it forgets which tokens it has seen
    plane.start_server()
    first_event(plane, grpc_backend, "rotated-after")
    assert_once(grpc_backend)


def test_a_token_that_has_ended_is_read_again(plane, start, grpc_backend, tmp_path):
    environment = plane.mount(tmp_path / "ended", plane.token_of("reader", "ended-first"))
    instance = start(logs_config(grpc_backend, "k8s_events"), environment=environment)
    first_event(plane, grpc_backend, "ended-before")
    plane.call("DELETE", "/api/v1/namespaces/default/secrets/ended-first")
    plane.stop_server()
    plane.start_server()
    instance.wait_for_log(r"does not accept the credentials \(401\)", SECONDS)
    (tmp_path / "ended" / "token").write_text(plane.token_of("reader"))
    first_event(plane, grpc_backend, "ended-after")
    instance.wait_for_log("answers again for events", SECONDS)
    assert_once(grpc_backend)


# ---- objects ----


def changes(backend):
    """[(type, name, version)] of all records."""
    found = [otlp.value(one.body) for one in records(backend)]
    parts = [(one["type"], one["object"]["metadata"]) for one in found]
    return [(kind, metadata.get("name"), metadata.get("resourceVersion")) for kind, metadata in parts]


def watched_pods(backend, plane, account, start, prefix):
    """Starts a watch of pods that is known to be there."""
    wanted = [{"name": "pods", "mode": "watch"}]
    instance = start(logs_config(backend, "k8sobjects", objects=wanted), environment=account)
    number = 0

    def is_there():
        nonlocal number
        number += 1
        plane.put_pod(f"{prefix}-probe-{number}")
        return bool(changes(backend))

    until(is_there, "the first change", SECONDS, 0.5)
    return instance


def test_every_change_of_churning_pods_is_told_once(plane, start, grpc_backend, account):
    watched_pods(grpc_backend, plane, account, start, "churn")
    version = plane.call("GET", "/api/v1/pods?limit=1")["metadata"]["resourceVersion"]
    for number in range(60):
        name = f"churn-{number}"
        plane.put_pod(name)
        plane.label_pod(name, turn="1")
        plane.set_status(name, phase="Running")
        plane.delete_pod(name)
    lines = plane.watch("/api/v1/pods", version)
    parts = [(one["type"], one["object"]["metadata"]) for one in lines]
    wanted = [(kind, metadata["name"], metadata["resourceVersion"]) for kind, metadata in parts]
    assert {("ADDED", 60), ("DELETED", 60)} <= set(Counter(kind for kind, *_ in wanted).items())

    def told():
        return [one for one in changes(grpc_backend) if not one[1].startswith("churn-probe")]

    until(lambda: len(told()) >= len(wanted), lambda: f"{len(told())} of {len(wanted)}", SECONDS)
    assert sorted(told()) == sorted(wanted)


def test_a_restarted_server_has_forgotten_all_versions(plane, start, grpc_backend, account):
    watched_pods(grpc_backend, plane, account, start, "old")
    version = plane.put_pod("old-first")["metadata"]["resourceVersion"]
    until(lambda: ("ADDED", "old-first", version) in changes(grpc_backend), "the pod", SECONDS)
    for number in range(10):
        plane.make("/api/v1/namespaces/default/configmaps", f"old-{number}", "ConfigMap")
    plane.stop_server()
    plane.start_server()
    line = plane.watch("/api/v1/pods", version)[0]
    assert (line["type"], line["object"]["code"]) == ("ERROR", 410), line
    plane.put_pod("old-last")
    until(lambda: "old-last" in {name for _, name, _ in changes(grpc_backend)}, lambda: f"{changes(grpc_backend)}", SECONDS)
    found = changes(grpc_backend)
    assert len(found) == len(set(found))


def test_changes_while_the_server_restarts_are_told_once(plane, start, grpc_backend, account):
    watched_pods(grpc_backend, plane, account, start, "away")
    plane.put_pod("away-stays")
    plane.put_pod("away-goes")
    until(lambda: {"away-stays", "away-goes"} <= {name for _, name, _ in changes(grpc_backend)}, "both", SECONDS)
    plane.stop_server()
    plane.start_server()
    plane.delete_pod("away-goes")
    last = plane.label_pod("away-stays", turn="2")["metadata"]["resourceVersion"]
    plane.put_pod("away-new")
    until(lambda: "away-new" in {name for _, name, _ in changes(grpc_backend)}, lambda: f"{changes(grpc_backend)}", SECONDS)
    until(lambda: any(kind == "DELETED" for kind, *_ in changes(grpc_backend)), "the deletion", SECONDS)
    modified = ("MODIFIED", "away-stays", last)
    until(lambda: modified in changes(grpc_backend), lambda: f"{changes(grpc_backend)}", SECONDS)
    found = changes(grpc_backend)
    assert len([one for one in found if one[0] == "DELETED"]) == 1
    assert len(found) == len(set(found))


def test_objects_are_pulled(plane, start, grpc_backend, account):
    plane.make_again("/api/v1/namespaces", "pulled-one", "Namespace")
    start(
        logs_config(grpc_backend, "k8sobjects", objects=[{"name": "namespaces", "interval": "500ms"}]),
        environment=account,
    )

    def pulls():
        found = [otlp.value(one.body) for one in records(grpc_backend)]
        return [one for one in found if one["metadata"]["name"] == "pulled-one"]

    until(lambda: len(pulls()) >= 3, "three pulls", SECONDS)
    uid = plane.call("GET", "/api/v1/namespaces/pulled-one")["metadata"]["uid"]
    assert {one["metadata"]["uid"] for one in pulls()} == {uid}


# ---- attributes ----


def test_attributes_follow_the_real_pods(plane, start, grpc_backend, grpc_sender, account):
    apps, selector = "/apis/apps/v1/namespaces/default", {"matchLabels": {"app": "shop"}}
    template = {"metadata": {"labels": {"app": "shop"}}, "spec": {"containers": [{"name": "app", "image": "a:1"}]}}
    spec = {"selector": selector, "template": template}
    deployment = plane.make(f"{apps}/deployments", "shop", "Deployment", "apps/v1", spec=spec)
    owner = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "shop", "uid": deployment["metadata"]["uid"]}
    metadata = {"labels": {"app": "shop"}, "ownerReferences": [{**owner, "controller": True}]}
    made = plane.make(f"{apps}/replicasets", "shop-7d9f", "ReplicaSet", "apps/v1", metadata=metadata, spec=spec)
    owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "shop-7d9f", "uid": made["metadata"]["uid"]}
    pod = plane.put_pod("shop-7d9f-x", owner, labels={"version": "1"})
    plane.set_status("shop-7d9f-x", phase="Running", podIP="127.0.0.1", podIPs=[{"ip": "127.0.0.1"}])
    processor = {"wait_for_metadata": True, "extract": {"labels": [{"tag_name": "version", "key": "version"}]}}
    processors = {"k8sattributes": {**processor, "pod_delete_grace_period": "0s"}}
    instance = start(config({"otlp": otlp_exporter(grpc_backend)}, processors), environment=account)
    sender = grpc_sender(instance)

    def seen():
        ids = otlp.new_ids(1)
        sender.export(otlp.TRACES, otlp.request(otlp.TRACES, ids).SerializeToString())
        grpc_backend.wait_for(ids)
        message = next(one.message for one in grpc_backend.requests if ids[0] in one.ids)
        return otlp.attributes(otlp.resources(otlp.TRACES, message)[0])

    found = seen()
    assert (found["k8s.pod.uid"], found["k8s.deployment.name"]) == (pod["metadata"]["uid"], "shop")
    assert (found["k8s.node.name"], found["version"]) == ("node-1", "1")
    plane.stop_server()
    plane.start_server()
    plane.label_pod("shop-7d9f-x", version="2")
    until(lambda: seen().get("version") == "2", lambda: f"{seen()}", SECONDS, 0.2)
    plane.delete_pod("shop-7d9f-x")
    until(lambda: "k8s.pod.uid" not in seen(), lambda: f"{seen()}", SECONDS, 0.2)


def test_the_detectors_know_the_cluster(plane, start, grpc_backend, grpc_sender, account):
    node = plane.make_again("/api/v1/nodes", "node-9", "Node") or plane.call("GET", "/api/v1/nodes/node-9")
    processors = {"resourcedetection": {"detectors": ["k8s_api"]}}
    instance = start(
        config({"otlp": otlp_exporter(grpc_backend)}, processors), environment={**account, "K8S_NODE_NAME": "node-9"}
    )
    ids = otlp.new_ids(1)
    grpc_sender(instance).export(otlp.TRACES, otlp.request(otlp.TRACES, ids).SerializeToString())
    grpc_backend.wait_for(ids)
    found = otlp.attributes(otlp.resources(otlp.TRACES, grpc_backend.requests[-1].message)[0])
    assert (found["k8s.node.name"], found["k8s.node.uid"]) == ("node-9", node["metadata"]["uid"])
    assert found["k8s.cluster.uid"] == plane.call("GET", "/api/v1/namespaces/kube-system")["metadata"]["uid"]


# ---- one of several ----

LEASE = {
    "auth_type": "serviceAccount",
    "lease_name": "holdfast",
    "lease_namespace": "default",
    "lease_duration": "2s",
    "renew_deadline": "1500ms",
    "retry_period": "200ms",
}
LEADS = "this process leads: it holds the lease"


def elected(configuration):
    health = {"endpoint": "127.0.0.1:${env:HEALTH_PORT}"}
    configuration["extensions"] = {"health_check": health, "k8s_leader_elector": LEASE}
    configuration["service"]["extensions"] = ["health_check", "k8s_leader_elector"]
    for receiver in configuration["receivers"].values():
        receiver["k8s_leader_elector"] = "k8s_leader_elector"
    return configuration


def test_one_of_three_reads_and_each_kill_is_followed_without_a_loss(plane, start, grpc_backend, account):
    made = elected(logs_config(grpc_backend, "k8s_events"))
    instances = [start(made, environment=account) for _ in range(3)]

    def leaders():
        return [one for one in instances if one.log().count(LEADS) > one.log().count("leads no longer")]

    names = []
    while instances:
        until(leaders, "a leader", SECONDS)
        leader = leaders()[0]
        assert leaders() == [leader]
        names.append(f"elected-{len(instances)}")
        first_event(plane, grpc_backend, names[-1])
        leader.kill9()
        instances.remove(leader)
        names.append(f"between-{len(instances)}")
        plane.put_event(names[-1])
    lease = plane.call("GET", "/apis/coordination.k8s.io/v1/namespaces/default/leases/holdfast")
    assert lease["spec"]["leaseTransitions"] == 2
    assert set(names[:-1]) <= set(events(grpc_backend))
    # The last leader died before it could read; the next one, at any later time, goes on where that one stopped.
    start(made, environment=account).wait_for_log(LEADS, SECONDS)
    wait_events(grpc_backend, names[-1])


# ---- the state of the cluster ----


def test_the_state_of_the_cluster_is_reported(plane, start, http_backend, account):
    apps = "/apis/apps/v1/namespaces/default"
    labels = {"app": "counted"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "app", "image": "a:1"}]}}
    spec = {"replicas": 3, "selector": {"matchLabels": labels}, "template": template}
    plane.make(f"{apps}/deployments", "counted", "Deployment", "apps/v1", spec=spec)
    plane.make(f"{apps}/statefulsets", "counted", "StatefulSet", "apps/v1", spec={**spec, "serviceName": "s"})
    spec = {"maxReplicas": 5, "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "counted"}}
    path = "/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers"
    plane.make(path, "counted", "HorizontalPodAutoscaler", "autoscaling/v2", spec=spec)
    plane.put_pod("counted-1")
    plane.set_status("counted-1", phase="Running")
    plane.make_again("/api/v1/nodes", "node-9", "Node")
    receiver = {"collection_interval": "500ms", "initial_delay": "100ms"}
    configuration = {
        "receivers": {"k8s_cluster": receiver},
        "exporters": {"otlphttp": otlphttp_exporter(http_backend)},
        "service": {"pipelines": {"metrics": {"receivers": ["k8s_cluster"], "exporters": ["otlphttp"]}}},
    }
    start(configuration, environment=account)

    def found():
        rows = series(http_backend.requests[-1].message) if http_backend.requests else {}
        return {
            (name, value): row[-1]
            for (name, resource, _), row in rows.items()
            for key, value in resource
            if key.endswith(".name") and key != "k8s.namespace.name"
        }

    wanted = {
        ("k8s.deployment.desired", "counted"): 3,
        ("k8s.statefulset.desired_pods", "counted"): 3,
        ("k8s.hpa.max_replicas", "counted"): 5,
        ("k8s.hpa.min_replicas", "counted"): 1,
        ("k8s.pod.phase", "counted-1"): 2,
        ("k8s.node.condition_ready", "node-9"): -1,
    }
    until(lambda: wanted.items() <= found().items(), lambda: f"{found()}", SECONDS)
    plane.stop_server()
    plane.start_server()
    plane.delete_pod("counted-1")
    path = f"{apps}/deployments/counted"
    plane.call("PATCH", path, {"spec": {"replicas": 4}})
    until(lambda: found().get(("k8s.deployment.desired", "counted")) == 4, lambda: f"{found()}", SECONDS)
    until(lambda: ("k8s.pod.phase", "counted-1") not in found(), lambda: f"{found()}", SECONDS)


OFF = (
    *("k8s.pod.status_reason", "k8s.container.status.state", "k8s.container.status.reason", "k8s.node.condition"),
    *("k8s.persistentvolume.status.phase", "k8s.persistentvolume.storage.capacity"),
    *("k8s.persistentvolumeclaim.status.phase", "k8s.persistentvolumeclaim.storage.capacity"),
    *("k8s.persistentvolumeclaim.storage.request", "k8s.service.load_balancer.ingress.count"),
    "k8s.statefulset.pod.available",
)


def fill(plane):
    """Something of each kind."""
    core, apps, batch = "/api/v1/namespaces/filled", "/apis/apps/v1/namespaces/filled", "/apis/batch/v1/namespaces/filled"
    plane.make_again("/api/v1/namespaces", "filled", "Namespace")
    labels = {"app": "filled"}
    resources = {"requests": {"cpu": "150m", "memory": "64Mi"}, "limits": {"cpu": "2", "ephemeral-storage": "1Gi"}}
    containers = [{"name": "app", "image": "registry:5000/team/app:1.2", "resources": resources}, {"name": "side", "image": "side"}]
    template = {"metadata": {"labels": labels}, "spec": {"containers": containers}}
    spec = {"replicas": 3, "selector": {"matchLabels": labels}, "template": template}
    plane.make(f"{apps}/deployments", "filled", "Deployment", "apps/v1", spec=spec)
    plane.make(f"{apps}/replicasets", "filled", "ReplicaSet", "apps/v1", spec=spec)
    plane.make(f"{apps}/statefulsets", "filled", "StatefulSet", "apps/v1", spec={**spec, "serviceName": "s"})
    plane.make(f"{apps}/daemonsets", "filled", "DaemonSet", "apps/v1", spec={k: v for k, v in spec.items() if k != "replicas"})
    plane.make(f"{core}/replicationcontrollers", "filled", "ReplicationController", spec={"replicas": 2, "selector": labels, "template": template})
    job = {"template": {"spec": {**template["spec"], "restartPolicy": "Never"}}, "completions": 4, "parallelism": 2}
    plane.make(f"{batch}/jobs", "filled", "Job", "batch/v1", spec=job)
    plane.make(f"{batch}/cronjobs", "filled", "CronJob", "batch/v1", spec={"schedule": "1 1 * * *", "jobTemplate": {"spec": job}})
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "filled"}
    path = "/apis/autoscaling/v2/namespaces/filled/horizontalpodautoscalers"
    plane.make(path, "filled", "HorizontalPodAutoscaler", "autoscaling/v2", spec={"maxReplicas": 5, "scaleTargetRef": target})
    claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}, "storageClassName": "fast"}
    plane.make(f"{core}/persistentvolumeclaims", "filled", "PersistentVolumeClaim", spec=claim)
    volume = {"capacity": {"storage": "2Gi"}, "accessModes": ["ReadWriteOnce"], "hostPath": {"path": "/x"}}
    plane.make("/api/v1/persistentvolumes", "filled", "PersistentVolume", spec=volume)
    service = {"type": "LoadBalancer", "ports": [{"port": 80}], "selector": labels}
    plane.make(f"{core}/services", "filled", "Service", spec=service)
    plane.make(f"{core}/pods", "waiting", "Pod", spec={"containers": containers})
    plane.make(f"{core}/pods", "running", "Pod", spec={"nodeName": "node-8", "containers": containers})
    states = [
        {
            "name": "app",
            "image": "registry:5000/team/app:1.2",
            "imageID": "i",
            "containerID": "containerd://app-id",
            "ready": True,
            "restartCount": 3,
            "state": {"running": {}},
        },
        {
            "name": "side",
            "image": "side",
            "imageID": "i",
            "ready": False,
            "restartCount": 0,
            "state": {"waiting": {"reason": "ImagePullBackOff"}},
        },
    ]
    body = {"status": {"phase": "Running", "containerStatuses": states}}
    plane.call("PATCH", f"{core}/pods/running/status", body, patch="application/strategic-merge-patch+json")
    plane.make_again("/api/v1/nodes", "node-8", "Node")
    conditions = [{"type": "Ready", "status": "True"}, {"type": "DiskPressure", "status": "False"}]
    allocatable = {"cpu": "1500m", "memory": "1Gi", "pods": "110", "ephemeral-storage": "7"}
    body = {"status": {"conditions": conditions, "allocatable": allocatable, "capacity": allocatable}}
    plane.call("PATCH", "/api/v1/nodes/node-8/status", body, patch="application/strategic-merge-patch+json")
    quota = plane.make(f"{core}/resourcequotas", "filled", "ResourceQuota", spec={"hard": {"requests.cpu": "2500m", "pods": "10"}})
    amounts = {"hard": quota["spec"]["hard"], "used": {"requests.cpu": "150m", "pods": "1"}}
    plane.call("PATCH", f"{core}/resourcequotas/filled/status", {"status": amounts})


def comparable(message):
    """The series, with the attributes of a resource in their order; whose node's condition is whose is in its name."""
    return {
        json.dumps([name, resource, attributes]): row
        for (name, resource, attributes), row in series(message).items()
    }


def kubeconfig(plane, path):
    cluster = {"server": f"https://127.0.0.1:{plane.port}", "certificate-authority": str(plane.authority.certificate)}
    whole = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "it", "cluster": cluster}],
        "users": [{"name": "it", "user": {"token": plane.token}}],
        "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}],
        "current-context": "it",
    }
    path.write_text(json.dumps(whole))
    return {"KUBECONFIG": str(path)}


@pytest.mark.skipif(not peer_program(), reason="HOLDFAST_PEER names no Go collector")
def test_the_state_of_the_cluster_is_what_the_go_collector_reports(plane, start, http_backend, tmp_path, monkeypatch):
    fill(plane)
    environment = kubeconfig(plane, tmp_path / "kubeconfig")
    monkeypatch.setenv("KUBECONFIG", environment["KUBECONFIG"])
    receiver = {
        "auth_type": "kubeConfig",
        "collection_interval": "1s",
        "node_conditions_to_report": ["Ready", "DiskPressure", "PIDPressure"],
        "allocatable_types_to_report": ["cpu", "memory", "pods", "ephemeral-storage", "nothing"],
        "metrics": {name: {"enabled": True} for name in OFF},
    }
    configuration = {
        "receivers": {"k8s_cluster": receiver},
        "exporters": {"otlphttp": otlphttp_exporter(http_backend)},
        "service": {"pipelines": {"metrics": {"receivers": ["k8s_cluster"], "exporters": ["otlphttp"]}}},
    }
    start(configuration, environment=environment)
    with Peer(peer_program(), tmp_path, receiver, "k8s_cluster") as peer:
        theirs = comparable(peer.requests(3)[2])
    until(lambda: len(http_backend.requests) >= 3, "three scrapes", SECONDS)
    ours = comparable(http_backend.requests[2].message)
    assert set(ours) == set(theirs), (sorted(set(ours) - set(theirs)), sorted(set(theirs) - set(ours)))
    assert ours == theirs
