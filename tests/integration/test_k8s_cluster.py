"""k8s_cluster against a small API server: each kind, changes, restarts, the leader alone."""

import pytest
import yaml

from support import otlp
from support.backends import ok, status
from support.certificates import Authority
from support.holdfast import otlphttp_exporter, run
from support.hostmetrics import series
from support.kubernetes import KubernetesApi, pod, service_account
from support.waiting import until

IMAGE = (("app", "registry:5000/team/app:1.2"),)


@pytest.fixture
def api(ending, tmp_path):
    authority = Authority(tmp_path / "ca")
    api = ending.enter_context(KubernetesApi(authority.issue("kubernetes"), {"first-token"}))
    api.environment = service_account(tmp_path / "account", api, authority)
    return api


def configuration(backend, **keys):
    return {
        "receivers": {"k8s_cluster": {"collection_interval": "100ms", "initial_delay": "10ms", **keys}},
        # One consumer: the measurements arrive in their order.
        "exporters": {"otlphttp": otlphttp_exporter(backend, sending_queue={"num_consumers": 1})},
        "service": {"pipelines": {"metrics": {"receivers": ["k8s_cluster"], "exporters": ["otlphttp"]}}},
    }


def last(backend):
    """{(metric, name of the object, attribute): value} of the last request."""
    found = {}
    if not backend.requests:
        return found
    for (name, resource, attributes), (*_, value) in series(backend.requests[-1].message).items():
        of = dict(resource)
        named = of.get("k8s.container.name") or next((of[key] for key in sorted(of) if key.endswith(".name") and key not in ("k8s.namespace.name", "k8s.node.name", "container.image.name", "k8s.storageclass.name")), None)
        key = (name, named or of.get("k8s.node.name") or of.get("k8s.namespace.name"))
        found[(*key, *(value for _, value in attributes))] = value
    return found


def wait_for(backend, wanted):
    until(lambda: wanted.items() <= last(backend).items(), lambda: f"{wanted} in {last(backend)}")


def resource_of(backend, metric):
    found = [dict(resource) for name, resource, _ in series(backend.requests[-1].message) if name == metric]
    assert len(found) == 1
    return found[0]


def put_all(api):
    api.put("namespaces", "default", None, status={"phase": "Active"})
    api.put(
        "nodes",
        "node-1",
        None,
        metadata={"uid": "node-uid"},
        status={
            "conditions": [{"type": "Ready", "status": "True"}, {"type": "DiskPressure", "status": "Unknown"}],
            "allocatable": {"cpu": "1500m", "memory": "2Ki", "ephemeral-storage": "100", "pods": "110"},
            "nodeInfo": {
                "kubeletVersion": "v1.31.0",
                "containerRuntimeVersion": "containerd://1.7.2",
                "osImage": "Debian",
                "operatingSystem": "linux",
            },
        },
    )
    parts = pod("shop-1", "10.0.0.1", "pod-uid", containers=IMAGE)
    parts["spec"]["containers"][0]["resources"] = {
        "requests": {"cpu": "100m", "memory": "1Ki"},
        "limits": {"cpu": "2", "memory": "2Ki", "ephemeral-storage": "1k"},
    }
    parts["status"].update(phase="Running", qosClass="Burstable")
    parts["status"]["containerStatuses"][0].update(
        image=IMAGE[0][1],
        ready=True, state={"waiting": {"reason": "CrashLoopBackOff"}}, lastState={"terminated": {"reason": "OOMKilled"}}
    )
    api.put("pods", "shop-1", **parts)
    api.put("deployments", "dep", spec={"replicas": 3}, status={"availableReplicas": 2})
    api.put("replicasets", "rs", spec={"replicas": 3}, status={})
    api.put("replicationcontrollers", "rc", spec={"replicas": 1}, status={"availableReplicas": 1})
    counts = {"currentNumberScheduled": 1, "desiredNumberScheduled": 2, "numberMisscheduled": 3, "numberReady": 4}
    api.put("daemonsets", "ds", status=counts)
    counts = {"readyReplicas": 1, "currentReplicas": 2, "updatedReplicas": 3}
    api.put("statefulsets", "sts", spec={"replicas": 5}, status=counts)
    api.put("jobs", "job", spec={"completions": 4, "parallelism": 2}, status={"active": 1, "failed": 2, "succeeded": 3})
    api.put("jobs", "endless", spec={}, status={})
    api.put("cronjobs", "cron", status={"active": [{"name": "a"}, {"name": "b"}]})
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "dep"}
    spec = {"maxReplicas": 9, "minReplicas": 2, "scaleTargetRef": target}
    api.put("horizontalpodautoscalers", "hpa", spec=spec, status={"currentReplicas": 3, "desiredReplicas": 4})
    hard, used = {"requests.cpu": "2", "pods": "10"}, {"requests.cpu": "150m", "pods": "1"}
    api.put("resourcequotas", "quota", status={"hard": hard, "used": used})


ALL = {
    ("k8s.namespace.phase", "default"): 1,
    ("k8s.node.condition_ready", "node-1"): 1,
    ("k8s.pod.phase", "shop-1"): 2,
    ("k8s.container.cpu_request", "app"): 0.1,
    ("k8s.container.cpu_limit", "app"): 2.0,
    ("k8s.container.memory_request", "app"): 1024,
    ("k8s.container.memory_limit", "app"): 2048,
    ("k8s.container.ephemeralstorage_limit", "app"): 1000,
    ("k8s.container.restarts", "app"): 2,
    ("k8s.container.ready", "app"): 1,
    ("k8s.deployment.desired", "dep"): 3,
    ("k8s.deployment.available", "dep"): 2,
    ("k8s.replicaset.desired", "rs"): 3,
    ("k8s.replicaset.available", "rs"): 0,
    ("k8s.replication_controller.desired", "rc"): 1,
    ("k8s.replication_controller.available", "rc"): 1,
    ("k8s.daemonset.current_scheduled_nodes", "ds"): 1,
    ("k8s.daemonset.desired_scheduled_nodes", "ds"): 2,
    ("k8s.daemonset.misscheduled_nodes", "ds"): 3,
    ("k8s.daemonset.ready_nodes", "ds"): 4,
    ("k8s.statefulset.desired_pods", "sts"): 5,
    ("k8s.statefulset.ready_pods", "sts"): 1,
    ("k8s.statefulset.current_pods", "sts"): 2,
    ("k8s.statefulset.updated_pods", "sts"): 3,
    ("k8s.job.active_pods", "job"): 1,
    ("k8s.job.failed_pods", "job"): 2,
    ("k8s.job.successful_pods", "job"): 3,
    ("k8s.job.desired_successful_pods", "job"): 4,
    ("k8s.job.max_parallel_pods", "job"): 2,
    ("k8s.job.active_pods", "endless"): 0,
    ("k8s.job.failed_pods", "endless"): 0,
    ("k8s.job.successful_pods", "endless"): 0,
    ("k8s.cronjob.active_jobs", "cron"): 2,
    ("k8s.hpa.max_replicas", "hpa"): 9,
    ("k8s.hpa.min_replicas", "hpa"): 2,
    ("k8s.hpa.current_replicas", "hpa"): 3,
    ("k8s.hpa.desired_replicas", "hpa"): 4,
    ("k8s.resource_quota.hard_limit", "quota", "requests.cpu"): 2000,
    ("k8s.resource_quota.hard_limit", "quota", "pods"): 10,
    ("k8s.resource_quota.used", "quota", "requests.cpu"): 150,
    ("k8s.resource_quota.used", "quota", "pods"): 1,
}


def test_each_kind_has_its_metrics_and_no_others(api, start, http_backend):
    put_all(api)
    start(configuration(http_backend), environment=api.environment)
    wait_for(http_backend, ALL)
    assert last(http_backend) == ALL
    found = resource_of(http_backend, "k8s.container.ready")
    assert found == {
        "k8s.pod.uid": "pod-uid",
        "k8s.pod.name": "shop-1",
        "k8s.node.name": "node-1",
        "k8s.namespace.name": "default",
        "k8s.container.name": "app",
        "container.id": "shop-1-app-id",
        "container.image.name": "registry:5000/team/app",
        "container.image.tag": "1.2",
    }


def on(*names):
    return {name: {"enabled": True} for name in names}


def test_what_is_off_can_be_had(api, start, http_backend):
    put_all(api)
    keys = {
        "node_conditions_to_report": ["Ready", "DiskPressure", "PIDPressure"],
        "allocatable_types_to_report": ["cpu", "memory", "ephemeral-storage", "pods", "hugepages-2Mi"],
        "metrics": {
            **on("k8s.pod.status_reason", "k8s.container.status.state", "k8s.container.status.reason", "k8s.node.condition"),
            "k8s.pod.phase": {"enabled": False},
        },
        "resource_attributes": on(
            *("k8s.pod.qos_class", "k8s.kubelet.version", "container.runtime", "container.runtime.version"),
            *("os.description", "os.type", "k8s.container.status.last_terminated_reason"),
        ),
    }
    start(configuration(http_backend, **keys), environment=api.environment)
    wait_for(
        http_backend,
        {
            ("k8s.node.condition_ready", "node-1"): 1,
            ("k8s.node.condition_disk_pressure", "node-1"): -1,
            ("k8s.node.condition_pid_pressure", "node-1"): -1,
            ("k8s.node.condition", "node-1", "Ready"): 1,
            ("k8s.node.allocatable_cpu", "node-1"): 1.5,
            ("k8s.node.allocatable_memory", "node-1"): 2048,
            ("k8s.node.allocatable_ephemeral_storage", "node-1"): 100,
            ("k8s.node.allocatable_pods", "node-1"): 110,
            ("k8s.pod.status_reason", "shop-1"): 6,
            ("k8s.container.status.state", "app", "waiting"): 1,
            ("k8s.container.status.state", "app", "running"): 0,
            ("k8s.container.status.reason", "app", "CrashLoopBackOff"): 1,
            ("k8s.container.status.reason", "app", "OOMKilled"): 0,
        },
    )
    names = {name for name, *_ in last(http_backend)}
    assert "k8s.pod.phase" not in names and "k8s.node.allocatable_hugepages_2_mi" not in names
    node = resource_of(http_backend, "k8s.node.condition_ready")
    assert node == {
        "k8s.node.name": "node-1",
        "k8s.node.uid": "node-uid",
        "k8s.kubelet.version": "v1.31.0",
        "container.runtime": "containerd",
        "container.runtime.version": "1.7.2",
        "os.description": "Debian",
        "os.type": "linux",
    }
    assert resource_of(http_backend, "k8s.container.ready")["k8s.container.status.last_terminated_reason"] == "OOMKilled"
    assert resource_of(http_backend, "k8s.pod.status_reason")["k8s.pod.qos_class"] == "Burstable"


def test_volumes_claims_and_services_are_read_when_they_are_wanted(api, start, http_backend):
    api.put("persistentvolumes", "pv", None, spec={"capacity": {"storage": "2Ki"}, "storageClassName": "fast"}, status={"phase": "Bound"})
    claim = {"resources": {"requests": {"storage": "1Ki"}}}
    api.put("persistentvolumeclaims", "pvc", spec=claim, status={"phase": "Lost", "capacity": {"storage": "2Ki"}})
    api.put("services", "svc", spec={"type": "LoadBalancer"}, status={"loadBalancer": {"ingress": [{"ip": "1"}, {"ip": "2"}]}})
    api.put("services", "inner", spec={"type": "ClusterIP"}, status={})
    api.put("statefulsets", "sts", spec={"replicas": 5}, status={"availableReplicas": 4})
    names = (
        *("k8s.persistentvolume.status.phase", "k8s.persistentvolume.storage.capacity"),
        *("k8s.persistentvolumeclaim.status.phase", "k8s.persistentvolumeclaim.storage.capacity"),
        *("k8s.persistentvolumeclaim.storage.request", "k8s.service.load_balancer.ingress.count"),
        "k8s.statefulset.pod.available",
    )
    keys = {"metrics": on(*names), "resource_attributes": on("k8s.service.publish_not_ready_addresses")}
    start(configuration(http_backend, **keys), environment=api.environment)
    wait_for(
        http_backend,
        {
            ("k8s.persistentvolume.status.phase", "pv", "Bound"): 1,
            ("k8s.persistentvolume.status.phase", "pv", "Failed"): 0,
            ("k8s.persistentvolume.storage.capacity", "pv"): 2048,
            ("k8s.persistentvolumeclaim.status.phase", "pvc", "Lost"): 1,
            ("k8s.persistentvolumeclaim.storage.request", "pvc"): 1024,
            ("k8s.persistentvolumeclaim.storage.capacity", "pvc"): 2048,
            ("k8s.service.load_balancer.ingress.count", "svc"): 2,
            ("k8s.statefulset.pod.available", "sts"): 4,
        },
    )
    assert ("k8s.service.load_balancer.ingress.count", "inner") not in last(http_backend)
    found = resource_of(http_backend, "k8s.service.load_balancer.ingress.count")
    assert (found["k8s.service.type"], found["k8s.service.publish_not_ready_addresses"]) == ("LoadBalancer", False)
    assert resource_of(http_backend, "k8s.persistentvolume.storage.capacity")["k8s.storageclass.name"] == "fast"


def slice_of(api, name, service, endpoints, kind="IPv4", space="default"):
    labels = {"labels": {"kubernetes.io/service-name": service}} if service else {}
    api.put("endpointslices", name, space, metadata=labels, addressType=kind, endpoints=endpoints)


def test_endpoints_of_services_are_counted_over_their_slices(api, start, http_backend):
    count = "k8s.service.endpoint.count"
    api.put("services", "svc", spec={"type": "ClusterIP"})
    api.put("services", "none", spec={"type": "ClusterIP"})
    slice_of(api, "svc-1", "svc", [{"zone": "a", "conditions": {"ready": True}}, {"zone": "a", "conditions": {}}, {"conditions": {"ready": False}}])
    leaving = {"ready": False, "serving": True, "terminating": True}
    slice_of(api, "svc-2", "svc", [{"zone": "a", "conditions": leaving}, {"zone": "b"}])
    slice_of(api, "svc-3", "svc", [{"zone": "a", "conditions": {"ready": True, "serving": False}}], kind="IPv6")
    slice_of(api, "no-service", None, [{"zone": "a"}])
    slice_of(api, "of-another", "svc", [{"zone": "a"}], space="other")
    start(configuration(http_backend, metrics=on(count)), environment=api.environment)

    def expected(kind, zone, ready, serving, terminating):
        numbers = {"ready": ready, "serving": serving, "terminating": terminating}
        return {(count, "svc", kind, condition, zone): number for condition, number in numbers.items()}

    found = {
        **expected("IPv4", "a", 2, 3, 1),
        **expected("IPv4", "b", 1, 1, 0),
        **expected("IPv4", "", 0, 0, 0),
        **expected("IPv6", "a", 1, 0, 0),
    }
    until(
        lambda: {key: value for key, value in last(http_backend).items() if key[0] == count} == found,
        lambda: last(http_backend),
    )
    assert {dict(of)["k8s.service.name"] for name, of, _ in series(http_backend.requests[-1].message) if name == count} == {"svc"}
    api.delete("endpointslices", "svc-3")
    slice_of(api, "svc-1", "svc", [])
    gone = {**expected("IPv4", "a", 0, 1, 1), **expected("IPv4", "b", 1, 1, 0)}
    until(
        lambda: {key: value for key, value in last(http_backend).items() if key[0] == count} == gone,
        lambda: last(http_backend),
    )


def test_quotas_of_openshift_are_read(api, start, http_backend):
    total = {"hard": {"limits.cpu": "4"}, "used": {"limits.cpu": "1"}}
    spaces = [{"namespace": name, "status": {"hard": {"pods": "2"}, "used": {"pods": "1"}}} for name in ("a", "b")]
    api.put("clusterresourcequotas", "all", None, status={"total": total, "namespaces": spaces})
    start(configuration(http_backend, distribution="openshift"), environment=api.environment)
    wait_for(
        http_backend,
        {
            ("openshift.clusterquota.limit", "all", "limits.cpu"): 4000,
            ("openshift.clusterquota.used", "all", "limits.cpu"): 1000,
            ("openshift.appliedclusterquota.limit", "all", "a", "pods"): 2,
            ("openshift.appliedclusterquota.used", "all", "b", "pods"): 1,
        },
    )


def test_changes_are_seen_and_deletions_too(api, start, http_backend):
    put_all(api)
    start(configuration(http_backend), environment=api.environment)
    wait_for(http_backend, ALL)
    api.put("deployments", "dep", spec={"replicas": 7}, status={"availableReplicas": 1})
    api.delete("statefulsets", "sts")
    wait_for(http_backend, {("k8s.deployment.desired", "dep"): 7, ("k8s.deployment.available", "dep"): 1})
    until(lambda: ("k8s.statefulset.ready_pods", "sts") not in last(http_backend), "no stateful set")


@pytest.mark.parametrize("forgets", [False, True])
def test_a_restart_of_the_server_loses_nothing(api, start, http_backend, forgets):
    put_all(api)
    start(configuration(http_backend), environment=api.environment)
    wait_for(http_backend, ALL)
    api.stop()
    api.delete("jobs", "endless")
    api.put("deployments", "dep", spec={"replicas": 8}, status={})
    if forgets:
        api.forget()
    api.start()
    wait_for(http_backend, {("k8s.deployment.desired", "dep"): 8})
    until(lambda: ("k8s.job.active_pods", "endless") not in last(http_backend), "no job")


def test_one_kind_that_is_refused_leaves_the_others(api, start, http_backend):
    put_all(api)
    api.denied = {"resourcequotas"}
    instance = start(configuration(http_backend), environment=api.environment)
    instance.wait_for_log("refuses resourcequotas")
    wait_for(http_backend, {("k8s.pod.phase", "shop-1"): 2, ("k8s.hpa.max_replicas", "hpa"): 9})
    api.denied = set()
    wait_for(http_backend, ALL)


@pytest.mark.parametrize("key", [{"namespaces": ["default", "other"]}, {"namespace": "other"}])
def test_only_some_namespaces_are_read(api, start, http_backend, key):
    put_all(api)
    api.put("deployments", "there", "other", spec={"replicas": 1})
    api.put("deployments", "elsewhere", "third", spec={"replicas": 1})
    start(configuration(http_backend, **key), environment=api.environment)
    desired = "k8s.deployment.desired"
    wait_for(http_backend, {(desired, "there"): 1} | ({(desired, "dep"): 3} if "namespaces" in key else {}))
    found = last(http_backend)
    assert (desired, "elsewhere") not in found
    assert ("k8s.node.condition_ready", "node-1") not in found
    assert ((desired, "dep") in found) == ("namespaces" in key)


def names_of(backend):
    """The metrics of all requests."""
    return {
        metric.name
        for request in backend.requests
        for resource in request.message.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
    }


def test_what_was_measured_survives_a_kill_while_the_backend_is_away(api, start, http_backend):
    put_all(api)
    instance = start(configuration(http_backend), environment=api.environment)
    wait_for(http_backend, ALL)
    http_backend.always = status(503)
    count = instance.metric("otelcol_receiver_accepted_metric_points")
    instance.wait_metric("otelcol_receiver_accepted_metric_points", count + 2 * len(ALL))
    instance.kill9()
    api.stop()
    http_backend.requests.clear()
    http_backend.always = ok()
    instance.start()
    # Several scrapes may come as one request.
    until(lambda: {name for name, *_ in ALL} <= names_of(http_backend), lambda: f"{names_of(http_backend)}")


# So long that a busy machine does not take the lease from a leader that lives.
LEASE = {"lease_name": "l", "lease_namespace": "n", "lease_duration": "4s", "renew_deadline": "3s", "retry_period": "50ms"}


def test_the_leader_alone_reports(api, start, http_backend):
    put_all(api)
    made = configuration(http_backend, k8s_leader_elector="k8s_leader_elector")
    health = {"endpoint": "127.0.0.1:${env:HEALTH_PORT}"}
    made["extensions"] = {"health_check": health, "k8s_leader_elector": LEASE}
    made["service"]["extensions"] = ["health_check", "k8s_leader_elector"]
    first = start(made, environment=api.environment)
    wait_for(http_backend, ALL)
    second = start(made, environment=api.environment)
    assert second.metric("otelcol_scraper_scraped_metric_points") == 0
    first.kill9()
    second.wait_for_log("this process leads")
    second.wait_metric("otelcol_scraper_scraped_metric_points", len(ALL))
    api.denied = {"leases"}
    second.wait_for_log("this process leads no longer")
    # The server notices that nobody listens when it has something to say.
    until(lambda: api.put("jobs", "unheard") and api.watching["jobs"] == 0, "no watch", pause=0.1)


@pytest.mark.parametrize(
    "keys, words",
    [
        ({"namespace": "a", "namespaces": ["b"]}, "namespace and namespaces exclude each other"),
        ({"distribution": "k3s"}, "k3s"),
        ({"metrics": on("k8s.pod")}, "k8s.pod"),
        ({"k8s_leader_elector": "k8s_leader_elector"}, "k8s_leader_elector"),
    ],
)
def test_wrong_configurations_are_refused(tmp_path, http_backend, keys, words):
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump(configuration(http_backend, **keys)))
    done = run("validate", "--config", path)
    assert done.returncode == 1
    assert words in done.stdout + done.stderr


# ---- entities, in a pipeline of logs ----


def entity_configuration(backend, **keys):
    made = configuration(backend, **keys)
    made["service"]["pipelines"] = {"logs": {"receivers": ["k8s_cluster"], "exporters": ["otlphttp"]}}
    return made


def events(backend):
    """The events in their order: (what happened, type, id, attributes, interval)."""
    found = []
    for request in backend.requests:
        for resource in request.message.resource_logs:
            for scope in resource.scope_logs:
                assert otlp.attributes(scope.scope) == {"otel.entity.event_as_log": True}
                for record in scope.log_records:
                    of = otlp.attributes(record)
                    ((_, uid),) = of["otel.entity.id"].items()
                    state = of.get("otel.entity.attributes"), of.get("otel.entity.interval")
                    found.append((of["otel.entity.event.type"], of["otel.entity.type"], uid, *state))
    return found


def state_of(backend, kind):
    """The attributes that the last event of that type told."""
    return next((one[3] for one in reversed(events(backend)) if one[:2] == ("entity_state", kind)), None)


def put_shop(api):
    """A pod of a deployment, a pod of a job of a cron job, and what is around them."""
    api.put("namespaces", "default", None, metadata={"uid": "ns-uid"}, status={"phase": "Active"})
    conditions = [{"type": "Ready", "status": "True"}, {"type": "DiskPressure", "status": "Unknown"}, {"type": "Odd", "status": "True"}]
    node = {"uid": "node-uid", "labels": {"zone": "b"}}
    api.put("nodes", "node-1", None, metadata=node, status={"conditions": conditions})
    api.put("deployments", "shop", metadata={"uid": "dep-uid", "labels": {"team": "a"}}, spec={}, status={})
    owner = {"kind": "Deployment", "name": "shop", "uid": "dep-uid", "controller": True}
    api.put("replicasets", "shop-7d9f", metadata={"uid": "rs-uid", "ownerReferences": [owner]}, spec={}, status={})
    labels = {"app": "shop", "k8s.pod.name": "not its name"}
    parts = pod("shop-7d9f-x", "10.0.0.1", "pod-uid", ("ReplicaSet", "shop-7d9f", "rs-uid"), IMAGE, metadata={"labels": labels})
    running = {"running": {"startedAt": "2024-05-06T07:08:11Z"}}
    parts["status"]["containerStatuses"][0].update(image=IMAGE[0][1], state=running)
    parts["status"]["phase"] = "Running"
    api.put("pods", "shop-7d9f-x", **parts)
    owner = {"kind": "CronJob", "name": "nightly", "uid": "cron-uid"}
    api.put("cronjobs", "nightly", metadata={"uid": "cron-uid"}, spec={"schedule": "0 3 * * *", "concurrencyPolicy": "Forbid"})
    api.put("jobs", "nightly-1", metadata={"uid": "job-uid", "ownerReferences": [owner]}, spec={}, status={})
    parts = pod("nightly-1-x", "10.0.0.2", "job-pod-uid", ("Job", "nightly-1", "job-uid"))
    del parts["status"]["containerStatuses"]
    api.put("pods", "nightly-1-x", **parts)


CREATED = "2024-05-06T07:08:09Z"
SHOP = {
    "k8s.pod.name": "shop-7d9f-x",
    "k8s.namespace.name": "default",
    "k8s.node.name": "node-1",
    "k8s.pod.phase": "Running",
    "pod.creation_timestamp": CREATED,
    "k8s.replicaset.name": "shop-7d9f",
    "k8s.replicaset.uid": "rs-uid",
    "k8s.workload.kind": "Deployment",
    "k8s.workload.name": "shop",
    "k8s.deployment.name": "shop",
    "k8s.deployment.uid": "dep-uid",
    "app": "shop",
}


def test_entities_are_told_with_what_they_belong_to(api, start, http_backend):
    put_shop(api)
    start(entity_configuration(http_backend), environment=api.environment)
    until(lambda: len(events(http_backend)) >= 9, lambda: str(events(http_backend)))
    told = {one[2]: one for one in events(http_backend)}
    assert {one[0] for one in told.values()} == {"entity_state"}
    assert {one[4] for one in told.values()} == {300_000}
    assert {uid: one[1] for uid, one in told.items()} == {
        "ns-uid": "k8s.namespace",
        "node-uid": "k8s.node",
        "dep-uid": "k8s.deployment",
        "rs-uid": "k8s.replicaset",
        "pod-uid": "k8s.pod",
        "shop-7d9f-x-app-id": "container",
        "cron-uid": "k8s.cronjob",
        "job-uid": "k8s.job",
        "job-pod-uid": "k8s.pod",
    }
    assert told["pod-uid"][3] == SHOP
    assert told["shop-7d9f-x-app-id"][3] == {
        "container.image.name": "registry:5000/team/app",
        "container.image.tag": "1.2",
        "k8s.container.name": "app",
        "k8s.pod.name": "shop-7d9f-x",
        "k8s.pod.uid": "pod-uid",
        "k8s.namespace.name": "default",
        "k8s.node.name": "node-1",
        "container.status": "running",
        "container.creation_timestamp": "2024-05-06T07:08:11Z",
    }
    assert told["node-uid"][3] == {
        "k8s.node.name": "node-1",
        "node.creation_timestamp": CREATED,
        "k8s.node.condition_ready": "true",
        "k8s.node.condition_disk_pressure": "unknown",
        "zone": "b",
    }
    assert told["dep-uid"][3] == {
        "k8s.workload.kind": "Deployment",
        "k8s.workload.name": "shop",
        "deployment.creation_timestamp": CREATED,
        "k8s.namespace.name": "default",
        "k8s.deployment.name": "shop",
        "team": "a",
    }
    assert told["cron-uid"][3]["schedule"] == "0 3 * * *"
    nightly = told["job-pod-uid"][3]
    assert (nightly["k8s.workload.kind"], nightly["k8s.cronjob.name"], nightly["k8s.job.uid"]) == ("CronJob", "nightly", "job-uid")
    assert told["ns-uid"][3]["k8s.namespace.phase"] == "active"


def test_changes_and_ends_of_entities_are_told(api, start, http_backend):
    put_shop(api)
    start(entity_configuration(http_backend), environment=api.environment)
    until(lambda: len(events(http_backend)) >= 9, lambda: str(events(http_backend)))
    http_backend.requests.clear()
    parts = pod("shop-7d9f-x", "10.0.0.1", "pod-uid", ("ReplicaSet", "shop-7d9f", "rs-uid"), IMAGE)
    parts["status"].update(phase="Failed", reason="Evicted")
    parts["status"]["containerStatuses"][0]["containerID"] = "containerd://another"
    api.put("pods", "shop-7d9f-x", **parts)
    until(lambda: len(events(http_backend)) >= 3, lambda: str(events(http_backend)))
    assert {one[:3] for one in events(http_backend)} == {
        ("entity_delete", "container", "shop-7d9f-x-app-id"),
        ("entity_state", "container", "another"),
        ("entity_state", "k8s.pod", "pod-uid"),
    }
    assert state_of(http_backend, "k8s.pod")["k8s.pod.status_reason"] == "Evicted"
    http_backend.requests.clear()
    api.delete("pods", "shop-7d9f-x")
    until(lambda: len(events(http_backend)) >= 2, lambda: str(events(http_backend)))
    assert {one[:3] for one in events(http_backend)} == {
        ("entity_delete", "k8s.pod", "pod-uid"),
        ("entity_delete", "container", "another"),
    }


def test_all_entities_are_told_again_at_the_interval(api, start, http_backend):
    put_shop(api)
    start(entity_configuration(http_backend, metadata_collection_interval="2s"), environment=api.environment)
    until(lambda: len([one for one in events(http_backend) if one[2] == "ns-uid"]) >= 2, lambda: str(events(http_backend)))
    assert {one[4] for one in events(http_backend)} == {2000}


def test_metrics_and_entities_of_one_receiver(api, start, http_backend):
    put_shop(api)
    made = configuration(http_backend)
    made["service"]["pipelines"]["logs"] = {"receivers": ["k8s_cluster"], "exporters": ["otlphttp"]}
    instance = start(made, environment=api.environment)
    instance.wait_metric("otelcol_receiver_accepted_log_records", 9)
    instance.wait_metric("otelcol_receiver_accepted_metric_points", 5)


def test_entities_of_kinds_that_may_be_read_are_told(api, start, http_backend):
    put_shop(api)
    api.denied = {"horizontalpodautoscalers"}
    start(entity_configuration(http_backend), environment=api.environment)
    until(lambda: len(events(http_backend)) >= 9, lambda: str(events(http_backend)))


def test_entities_survive_a_kill_while_the_backend_is_away(api, start, http_backend):
    put_shop(api)
    http_backend.always = status(503)
    instance = start(entity_configuration(http_backend), environment=api.environment)
    instance.wait_metric("otelcol_receiver_accepted_log_records", 9)
    api.delete("pods", "shop-7d9f-x")
    instance.wait_metric("otelcol_receiver_accepted_log_records", 11)
    instance.kill9()
    api.stop()
    http_backend.requests.clear()
    http_backend.always = ok()
    instance.start()
    until(lambda: len(events(http_backend)) >= 11, lambda: str(events(http_backend)))
    assert ("entity_delete", "k8s.pod", "pod-uid") in {one[:3] for one in events(http_backend)}
