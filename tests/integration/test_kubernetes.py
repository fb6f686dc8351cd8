"""What Holdfast does with a Kubernetes API: attributes of pods, events; with refusals, lost versions and restarts."""

import time

import pytest
import yaml

from support import otlp
from support.certificates import Authority
from support.holdfast import config, otlp_exporter
from support.kubernetes import KubernetesApi, events_of, pod, put_event, service_account
from support.waiting import until

SHOP = {
    "k8s.namespace.name": "default",
    "k8s.pod.name": "shop-7d9f-x",
    "k8s.pod.uid": "pod-uid-1",
    "k8s.pod.start_time": "2024-05-06T07:08:09Z",
    "k8s.deployment.name": "shop",
    "k8s.node.name": "node-1",
    "container.image.name": "registry:5000/team/app",
    "container.image.tag": "1.2",
}


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path / "ca")


@pytest.fixture
def api(ending, authority):
    return ending.enter_context(KubernetesApi(authority.issue("kubernetes"), {"first-token"}))


@pytest.fixture
def cluster(tmp_path, api, authority):
    """The environment of a pod in the cluster."""
    return service_account(tmp_path / "account", api, authority)


def put_shop(api, address="127.0.0.1", **more):
    """A pod of a deployment."""
    api.put(
        "replicasets",
        "shop-7d9f",
        metadata={"uid": "rs-1", "ownerReferences": [owner("Deployment", "shop", "dep-1")]},
    )
    parts = pod("shop-7d9f-x", address, "pod-uid-1", ("ReplicaSet", "shop-7d9f", "rs-1"), **more)
    return api.put("pods", "shop-7d9f-x", **parts)


def owner(kind, name, uid):
    return {"kind": kind, "name": name, "uid": uid, "controller": True}


class Seen:
    """Sends resources through one Holdfast and tells what their attributes have become."""

    def __init__(self, instance, backend, sender):
        self.instance, self.backend, self.sender = instance, backend, sender

    def __call__(self, signal=otlp.TRACES, **resource):
        ids = otlp.new_ids(1)
        given = {key.replace("__", "."): value for key, value in resource.items()} or {"service.name": "test"}
        body = otlp.request(signal, ids, resource=given).SerializeToString()
        self.sender.export(signal, body)
        self.backend.wait_for(ids)
        requests = [one.message for one in self.backend.requests if one.signal is signal]
        message = next(one for one in requests if ids[0] in otlp.ids(signal, one))
        return otlp.attributes(otlp.resources(signal, message)[0])

    def until(self, key, wanted, **resource):
        return until(lambda: self(**resource).get(key) == wanted, lambda: f"{key} of {self(**resource)}")


@pytest.fixture
def run(start, grpc_backend, grpc_sender, cluster):
    """run(processor's configuration) -> Seen of a Holdfast that knows all of the cluster."""

    def make(processor=None, kind="k8sattributes", **options):
        processors = {kind: {"wait_for_metadata": True, **(processor or {})}}
        options.setdefault("environment", cluster)
        instance = start(config({"otlp": otlp_exporter(grpc_backend)}, processors), **options)
        return Seen(instance, grpc_backend, grpc_sender(instance))

    return make


def test_attributes_of_the_pod_that_sends_are_added(api, run):
    put_shop(api)
    seen = run()
    for signal in (otlp.TRACES, otlp.METRICS, otlp.LOGS):
        assert seen(signal) == {"service.name": "test", **SHOP}
    assert seen.instance.metric("otelcol_otelsvc_k8s_pod_added") == 1
    assert seen.instance.metric("otelcol_processor_k8sattributes_pod_association_success") == 3


def test_what_is_there_already_stays(api, run):
    put_shop(api)
    found = run()(k8s__pod__name="mine", k8s__node__name="")
    assert found == {**SHOP, "k8s.pod.name": "mine"}


def test_the_newer_name_of_the_type_is_known(api, run):
    put_shop(api)
    assert run(kind="k8s_attributes")()["k8s.pod.name"] == "shop-7d9f-x"


@pytest.mark.parametrize(
    "sources, resource, found",
    [
        ([{"from": "resource_attribute", "name": "k8s.pod.uid"}], {"k8s__pod__uid": "pod-uid-1"}, True),
        ([{"from": "resource_attribute", "name": "k8s.pod.uid"}], {"k8s__pod__uid": "other"}, False),
        ([{"from": "resource_attribute", "name": "k8s.pod.ip"}], {"k8s__pod__ip": "10.1.2.3"}, True),
        ([{"from": "resource_attribute", "name": "host.name"}], {"host__name": "10.1.2.3"}, True),
        ([{"from": "resource_attribute", "name": "host.name"}], {"host__name": "shop"}, False),
        (
            [
                {"from": "resource_attribute", "name": "k8s.namespace.name"},
                {"from": "resource_attribute", "name": "k8s.pod.name"},
            ],
            {"k8s__namespace__name": "default", "k8s__pod__name": "shop-7d9f-x"},
            True,
        ),
        (
            [
                {"from": "resource_attribute", "name": "k8s.namespace.name"},
                {"from": "resource_attribute", "name": "k8s.pod.name"},
            ],
            {"k8s__pod__name": "shop-7d9f-x"},
            False,
        ),
        ([{"from": "connection"}], {}, False),
    ],
)
def test_pods_are_found_by_the_rule_that_is_configured(api, run, sources, resource, found):
    put_shop(api, "10.1.2.3")
    attributes = run({"pod_association": [{"sources": sources}]})(**resource)
    assert ("k8s.deployment.name" in attributes) == found


def test_the_first_rule_with_values_decides(api, run):
    put_shop(api, "10.1.2.3")
    rules = [{"sources": [{"from": "resource_attribute", "name": name}]} for name in ("k8s.pod.uid", "k8s.pod.ip")]
    seen = run({"pod_association": rules})
    assert "k8s.deployment.name" in seen(k8s__pod__ip="10.1.2.3")
    assert "k8s.deployment.name" not in seen(k8s__pod__uid="unknown", k8s__pod__ip="10.1.2.3")


def test_all_metadata_can_be_extracted(api, run):
    put_shop(api, metadata={"labels": {"app.kubernetes.io/version": "9"}}, spec={"hostname": "the-host"})
    api.put("namespaces", "kube-system", None, metadata={"uid": "cluster-1"})
    api.put("nodes", "node-1", None, metadata={"uid": "node-uid-1"})
    wanted = {
        "k8s.pod.hostname": "the-host",
        "k8s.pod.ip": "127.0.0.1",
        "k8s.deployment.uid": "dep-1",
        "k8s.replicaset.name": "shop-7d9f",
        "k8s.replicaset.uid": "rs-1",
        "k8s.node.uid": "node-uid-1",
        "k8s.cluster.uid": "cluster-1",
        "k8s.container.name": "app",
        "container.id": "shop-7d9f-x-app-id",
        "container.image.tags": ["1.2"],
        "container.image.repo_digests": ["registry:5000/team/app@sha256:abc"],
        "service.name": "shop",
        "service.namespace": "default",
        "service.version": "9",
        "service.instance.id": "default.shop-7d9f-x.app",
    }
    assert run({"extract": {"metadata": list(wanted)}})(test__x="1") == {"test.x": "1", **wanted}


@pytest.mark.parametrize(
    "kind, name, metadata",
    [
        ("StatefulSet", "db", {"k8s.statefulset.name": "db", "k8s.statefulset.uid": "u"}),
        ("DaemonSet", "agent", {"k8s.daemonset.name": "agent", "k8s.daemonset.uid": "u"}),
        ("Job", "night-28", {"k8s.job.name": "night-28", "k8s.job.uid": "u", "k8s.cronjob.name": "night"}),
    ],
)
def test_the_owner_of_a_pod_is_named(api, run, kind, name, metadata):
    api.put("pods", "p", **pod("p", "127.0.0.1", owner=(kind, name, "u")))
    assert run({"extract": {"metadata": list(metadata)}})(test__x="1") == {"test.x": "1", **metadata}


def test_labels_and_annotations_become_attributes(api, run):
    put_shop(
        api,
        metadata={
            "labels": {"app": "shop", "team/one": "1", "team/two": "2", "plain": "p"},
            "annotations": {"note": "n", "resource.opentelemetry.io/colour": "blue"},
        },
    )
    api.put("namespaces", "default", None, metadata={"labels": {"stage": "test"}})
    api.put("nodes", "node-1", None, metadata={"annotations": {"rack": "r7"}})
    extract = {
        "metadata": ["k8s.pod.name"],
        "labels": [
            {"tag_name": "app", "key": "app", "from": "pod"},
            {"key": "plain"},
            {"tag_name": "team.$$1", "key_regex": "team/(.*)"},
            {"tag_name": "stage", "key": "stage", "from": "namespace"},
        ],
        "annotations": [{"key_regex": "no.e"}, {"key": "rack", "from": "node"}],
        "otel_annotations": True,
    }
    assert run({"extract": extract})(test__x="1") == {
        "test.x": "1",
        "k8s.pod.name": "shop-7d9f-x",
        "app": "shop",
        "k8s.pod.labels.plain": "p",
        "team.one": "1",
        "team.two": "2",
        "stage": "test",
        "k8s.pod.annotations.note": "n",
        "k8s.node.annotations.rack": "r7",
        "colour": "blue",
    }


def test_the_container_is_found_by_name_or_id(api, run):
    containers = (("app", "team/app:1"), ("side", "side@sha256:1"))
    api.put("pods", "p", **pod("p", "127.0.0.1", containers=containers))
    seen = run({"extract": {"metadata": ["container.image.name", "container.image.tag", "container.id"]}})
    assert seen(test__x="1") == {"test.x": "1"}
    by_name = {"k8s.container.name": "app", "container.image.name": "team/app", "container.image.tag": "1"}
    assert seen(k8s__container__name="app") == {**by_name, "container.id": "p-app-id"}
    assert seen(k8s__container__name="app", k8s__container__restart_count="1") == {
        **by_name,
        "k8s.container.restart_count": "1",
    }
    assert seen(container__id="p-side-id") == {"container.id": "p-side-id", "container.image.name": "side"}


def test_passthrough_notes_the_address_and_asks_nothing(start, grpc_backend, grpc_sender):
    processors = {"k8sattributes": {"passthrough": True}}
    instance = start(config({"otlp": otlp_exporter(grpc_backend)}, processors))
    seen = Seen(instance, grpc_backend, grpc_sender(instance))
    assert seen() == {"service.name": "test", "k8s.pod.ip": "127.0.0.1"}


@pytest.mark.parametrize(
    "processor, metadata, spec",
    [
        ({}, {"annotations": {"opentelemetry.io/k8s-processor/ignore": "true"}}, {}),
        ({"exclude": {"pods": [{"name": "shop-.*"}]}}, {}, {}),
        ({}, {}, {"hostNetwork": True}),
        ({"filter": {"node": "node-2"}}, {}, {}),
        ({"filter": {"namespace": "other"}}, {}, {}),
        ({"filter": {"labels": [{"key": "app", "op": "exists"}]}}, {}, {}),
        ({"filter": {"labels": [{"key": "app", "value": "a", "op": "not-equals"}]}}, {"labels": {"app": "a"}}, {}),
        ({"filter": {"fields": [{"key": "metadata.name", "value": "x"}]}}, {}, {}),
    ],
)
def test_some_pods_are_not_for_the_processor(api, run, processor, metadata, spec):
    put_shop(api, metadata=metadata, spec=spec)
    assert run(processor)() == {"service.name": "test"}


def test_changes_of_pods_are_followed_and_deleted_ones_stay_known_for_a_while(api, run):
    put_shop(api)
    seen = run({"extract": {"labels": [{"tag_name": "v", "key": "v"}]}})
    put_shop(api, metadata={"labels": {"v": "2"}})
    seen.until("v", "2")
    api.delete("pods", "shop-7d9f-x")
    seen.instance.wait_metric("otelcol_otelsvc_k8s_pod_deleted", 1)
    assert seen()["v"] == "2"
    api.put("pods", "new", **pod("new", "127.0.0.1", started="2024-05-07T00:00:00Z"))
    seen.until("k8s.pod.name", "new")


def test_a_sender_that_is_not_known_waits_once_and_goes_on(api, run):
    seen = run()

    def waits():
        name = "holdfast_processor_k8sattributes_waits"
        return [seen.instance.metric(name, outcome=outcome) for outcome in ("found", "not_found")]

    assert seen() == {"service.name": "test"}
    assert waits() == [0, 1]
    assert seen() == {"service.name": "test"}  # within ten seconds it does not wait again
    assert waits() == [0, 1]
    put_shop(api)
    seen.until("k8s.pod.name", "shop-7d9f-x")


def test_a_deleted_pod_is_forgotten_at_once_without_grace(api, run):
    put_shop(api)
    seen = run({"pod_delete_grace_period": "0s"})
    api.delete("pods", "shop-7d9f-x")
    seen.until("k8s.pod.name", None)


def test_of_two_pods_with_an_address_the_later_one_counts(api, run):
    api.put("pods", "late", **pod("late", "127.0.0.1", started="2024-05-07T00:00:00Z"))
    api.put("pods", "early", **pod("early", "127.0.0.1", started="2024-05-06T00:00:00Z"))
    assert run()()["k8s.pod.name"] == "late"


@pytest.mark.parametrize("in_stream", [True, False])
def test_a_forgotten_version_leads_to_a_new_list(api, run, in_stream):
    api.gone_in_stream = in_stream
    put_shop(api)
    api.put("pods", "gone", **pod("gone", "10.0.0.9"))
    seen = run({"pod_delete_grace_period": "0s"})
    api.wait_watched("pods")
    with api.changed:  # all at once: no watch sees it
        api.delete("pods", "gone")
        put_shop(api, metadata={"labels": {"v": "2"}})
        api.forget()
    seen.instance.wait_metric("otelcol_otelsvc_k8s_pod_deleted", 1)
    seen.instance.wait_metric("otelcol_otelsvc_k8s_pod_updated", 1)
    assert seen.instance.metric("otelcol_otelsvc_k8s_pod_added") == 2
    assert len([one for one in api.asked("pods") if "watch" not in one[1]]) == 2


def test_a_restart_of_the_server_is_survived_without_a_new_list(api, run):
    put_shop(api)
    seen = run()
    api.wait_watched("pods")
    api.stop()
    put_shop(api, metadata={"labels": {"v": "2"}})
    api.start()
    seen.instance.wait_metric("otelcol_otelsvc_k8s_pod_updated", 1)
    assert len([one for one in api.asked("pods") if "watch" not in one[1]]) == 1


def test_a_bookmark_moves_the_version_on(api, run):
    run()
    api.wait_watched("pods")
    marks = []

    def is_resumed_from_one():
        """A cut may come before the bookmark was read, as it may in life: then the next one counts."""
        api.wait_watched("pods")
        marks.append(api.bookmark())
        api.cut()
        return any(api.asked("pods", watch="1", resourceVersion=mark) for mark in marks)

    until(is_resumed_from_one, "a watch from the bookmark")


def test_long_lists_come_in_pages(api, run):
    for number in range(1201):
        api.put("pods", f"p{number}", **pod(f"p{number}", f"10.0.{number // 250}.{number % 250}"))
    seen = run()
    assert seen(k8s__pod__ip="10.0.4.200")["k8s.pod.name"] == "p1200"
    assert seen.instance.metric("otelcol_otelsvc_k8s_pod_added") == 1201
    assert len([one for one in api.asked("pods") if "continue" in one[1]]) == 2


def test_a_token_that_is_rotated_is_read_again(api, run, tmp_path):
    put_shop(api)
    seen = run()
    api.wait_watched("pods")
    (tmp_path / "account" / "token").write_text("second-token\n")
    api.tokens = {"second-token"}
    api.cut()
    put_shop(api, metadata={"labels": {"v": "2"}})
    seen.instance.wait_metric("otelcol_otelsvc_k8s_pod_updated", 1)


def test_a_refusal_is_explained_and_asked_again(api, run):
    put_shop(api)
    api.denied = {"pods"}
    seen = run({"wait_for_metadata": False})
    seen.instance.wait_for_log(r"refuses pods: pods is forbidden.*get, list and watch")
    assert seen() == {"service.name": "test"}
    api.denied = set()
    seen.until("k8s.pod.name", "shop-7d9f-x")
    seen.instance.wait_for_log("answers again for pods")


def test_two_processors_share_one_watch(api, start, grpc_backend, grpc_sender, cluster):
    put_shop(api)
    processors = {
        "k8sattributes": {"wait_for_metadata": True, "extract": {"metadata": ["k8s.pod.name"]}},
        "k8sattributes/2": {"wait_for_metadata": True, "extract": {"metadata": ["k8s.pod.uid"]}},
    }
    instance = start(config({"otlp": otlp_exporter(grpc_backend)}, processors), environment=cluster)
    seen = Seen(instance, grpc_backend, grpc_sender(instance))
    assert seen(test__x="1") == {"test.x": "1", "k8s.pod.name": "shop-7d9f-x", "k8s.pod.uid": "pod-uid-1"}
    until(lambda: api.put("pods", "n") and api.watching["pods"] == 1, lambda: f"{api.watching}")


def test_the_processor_asks_as_a_kubeconfig_says(api, run, authority, tmp_path):
    put_shop(api)
    (tmp_path / "my-token").write_text("first-token")
    named = {"clusters": "cluster", "users": "user", "contexts": "context"}
    parts = {
        "clusters": {"server": api.url, "certificate-authority": "ca/ca.crt"},
        "users": {"tokenFile": "my-token"},
        "contexts": {"cluster": "it", "user": "it"},
    }
    whole = {key: [{"name": "it", named[key]: part}] for key, part in parts.items()}
    (tmp_path / "kubeconfig").write_text(yaml.safe_dump({**whole, "current-context": "it"}))
    seen = run({"auth_type": "kubeConfig"}, environment={"KUBECONFIG": str(tmp_path / "kubeconfig")})
    assert seen()["k8s.pod.name"] == "shop-7d9f-x"


@pytest.mark.parametrize("of_events", [False, True])
def test_outside_of_a_cluster_the_start_fails_with_a_sentence(start, grpc_backend, of_events):
    attributes = config({"otlp": otlp_exporter(grpc_backend)}, {"k8sattributes": {}})
    configuration = events_config(grpc_backend) if of_events else attributes
    environment = {"KUBERNETES_SERVICE_HOST": ""}
    instance = start(configuration, ready=False, environment=environment)
    instance.spawn().process.wait(60)
    assert instance.process.returncode != 0
    assert "auth_type serviceAccount needs a pod: KUBERNETES_SERVICE_HOST" in instance.log()
    instance.process = None


DAEMONSET = """
receivers:
  k8s_events:
    auth_type: serviceAccount
    namespaces: [default, production, staging]
processors:
  batch: {timeout: 200ms, send_batch_size: 2048}
  k8sattributes:
    auth_type: serviceAccount
    passthrough: false
    extract:
      metadata: [k8s.namespace.name, k8s.pod.name, k8s.pod.uid, k8s.deployment.name, k8s.node.name]
      labels:
        - {tag_name: app, key: app, from: pod}
        - {tag_name: version, key: version, from: pod}
  resource:
    attributes:
      - {key: k8s.node.name, value: node-of-the-agent, action: insert}
      - {key: collector.type, value: daemonset, action: insert}
  memory_limiter: {check_interval: 1s, limit_mib: 1536, spike_limit_mib: 512}
service:
  pipelines:
    traces:
      receivers: [otlp]
      processors: [memory_limiter, k8sattributes, batch, resource]
      exporters: [otlp/gateway]
    metrics:
      receivers: [otlp]
      processors: [memory_limiter, k8sattributes, batch, resource]
      exporters: [otlp/gateway]
    logs:
      receivers: [otlp, k8s_events]
      processors: [memory_limiter, k8sattributes, batch, resource]
      exporters: [otlp/gateway]
"""


def test_the_kubernetes_parts_of_a_daemonset_run_together(api, start, grpc_backend, grpc_sender, cluster):
    put_shop(api, metadata={"labels": {"app": "shop", "version": "7"}})
    configuration = yaml.safe_load(DAEMONSET)
    configuration["exporters"] = {"otlp/gateway": otlp_exporter(grpc_backend)}
    instance = start(configuration, environment=cluster)
    instance.wait_metric("otelcol_otelsvc_k8s_pod_added", 1)
    instance.wait_metric("otelcol_otelsvc_k8s_replicaset_added", 1)
    until(lambda: api.watching.get("events") == 3, "a watch of each namespace")
    seen = Seen(instance, grpc_backend, grpc_sender(instance))
    names = ("k8s.namespace.name", "k8s.pod.name", "k8s.pod.uid", "k8s.deployment.name", "k8s.node.name")
    assert seen(test__x="1") == {
        "test.x": "1",
        **{name: SHOP[name] for name in names},
        "app": "shop",
        "version": "7",
        "collector.type": "daemonset",
    }
    put_event(api, "staged", namespace="staging")
    until(lambda: "staged" in events_of(grpc_backend), "the event")


# ---- events ----


def events_config(backend, **receiver):
    return {
        "receivers": {"k8s_events": receiver},
        "exporters": {"otlp": otlp_exporter(backend)},
        "service": {"pipelines": {"logs": {"receivers": ["k8s_events"], "exporters": ["otlp"]}}},
    }


def told(backend):
    """[(name of the event, count)] of all records, in their order."""
    records = [one for request in backend.requests for one in otlp.items(otlp.LOGS, request.message)]
    found = [otlp.attributes(one) for one in records]
    return [(one["k8s.event.name"], one.get("k8s.event.count")) for one in found]


def wait_told(backend, wanted):
    until(lambda: len(told(backend)) >= len(wanted), lambda: f"{told(backend)}")
    assert sorted(told(backend)) == sorted(wanted)  # several requests may be on their way at once


def test_an_event_becomes_a_record(api, start, grpc_backend, cluster):
    start(events_config(grpc_backend), environment=cluster)
    api.wait_watched("events")
    event = put_event(api, "shop.1", kind="Warning", action="pull")
    wait_told(grpc_backend, [("shop.1", 1)])
    message = grpc_backend.requests[0].message
    assert otlp.attributes(otlp.resources(otlp.LOGS, message)[0]) == {
        "k8s.node.name": "node-1",
        "k8s.object.kind": "Pod",
        "k8s.object.name": "shop",
        "k8s.object.uid": "u1",
        "k8s.object.fieldpath": "spec.containers{app}",
        "k8s.object.api_version": "v1",
        "k8s.object.resource_version": "77",
    }
    record = otlp.items(otlp.LOGS, message)[0]
    assert (record.severity_number, record.severity_text) == (13, "Warning")
    assert record.body.string_value == "message of shop.1"
    seconds = time.strptime(event["lastTimestamp"], "%Y-%m-%dT%H:%M:%SZ")
    assert time.gmtime(record.time_unix_nano // 10**9)[:6] == seconds[:6]
    assert otlp.attributes(record) == {
        "k8s.event.reason": "Pulled",
        "k8s.event.action": "pull",
        "k8s.event.start_time": "2024-05-06 07:08:09 +0000 UTC",
        "k8s.event.name": "shop.1",
        "k8s.event.uid": event["metadata"]["uid"],
        "k8s.namespace.name": "default",
        "k8s.event.count": 1,
    }


def test_history_and_deletions_are_no_records(api, start, grpc_backend, cluster):
    put_event(api, "old", **{"metadata": {"annotations": {}}})
    api.objects["events"][next(iter(api.objects["events"]))]["lastTimestamp"] = "2024-01-01T00:00:00Z"
    start(events_config(grpc_backend), environment=cluster)
    api.wait_watched("events")
    put_event(api, "new")
    api.delete("events", "old")
    api.delete("events", "new")
    put_event(api, "last")
    wait_told(grpc_backend, [("new", 1), ("last", 1)])


def test_only_the_events_of_the_namespaces_are_read(api, start, grpc_backend, cluster):
    start(events_config(grpc_backend, namespaces=["default", "staging"]), environment=cluster)
    until(lambda: api.watching.get("events") == 2, "two watches")
    put_event(api, "a", namespace="default")
    wait_told(grpc_backend, [("a", 1)])
    put_event(api, "b", namespace="other")
    put_event(api, "c", namespace="staging")
    wait_told(grpc_backend, [("a", 1), ("c", 1)])


def test_no_event_is_lost_or_doubled_by_breaks_restarts_and_lost_versions(api, start, grpc_backend, cluster):
    start(events_config(grpc_backend), environment=cluster)
    wanted = []
    for turn in range(6):
        api.wait_watched("events")
        put_event(api, f"e{turn}")
        api.wait_watched("events")
        (api.cut, api.forget, api.stop)[turn % 3]()
        put_event(api, f"e{turn}", count=2)
        put_event(api, f"f{turn}")
        if turn % 3 == 2:
            api.start()
        wanted += [(f"e{turn}", 2), (f"f{turn}", 1)]  # the first state of e may go with a lost version
        until(lambda w=tuple(wanted): set(told(grpc_backend)) >= set(w), lambda: f"{told(grpc_backend)}")
    found = told(grpc_backend)
    assert len(found) == len(set(found))


@pytest.mark.parametrize("graceful", [False, True])
def test_events_of_the_time_between_two_starts_are_read_once(api, start, grpc_backend, cluster, graceful):
    instance = start(events_config(grpc_backend), environment=cluster)
    api.wait_watched("events")
    wanted = []
    for turn in range(4):
        put_event(api, f"e{turn}")
        wanted.append((f"e{turn}", 1))
        until(lambda w=tuple(wanted): set(told(grpc_backend)) >= set(w), lambda: f"{told(grpc_backend)}")
        instance.terminate() if graceful else instance.kill9()
        put_event(api, f"e{turn}", count=2)
        put_event(api, f"f{turn}")
        wanted += [(f"e{turn}", 2), (f"f{turn}", 1)]
        instance.start()
    until(lambda: set(told(grpc_backend)) == set(wanted), lambda: f"{told(grpc_backend)}")
    # What was on its way to the backend at a kill is sent again; the queue has got each once.
    assert instance.books("logs", "otlp")["accepted"]["items"] == len(wanted)
    assert len([one for one in api.asked("events") if "watch" not in one[1]]) == 1


def test_events_of_the_time_between_are_read_though_the_version_is_forgotten(api, start, grpc_backend, cluster):
    instance = start(events_config(grpc_backend), environment=cluster)
    api.wait_watched("events")
    put_event(api, "before")
    wait_told(grpc_backend, [("before", 1)])
    instance.kill9()
    put_event(api, "between")
    api.forget()
    instance.start()
    until(lambda: ("between", 1) in told(grpc_backend), lambda: f"{told(grpc_backend)}")
    # Told from by its time, the one before may come once more.
    assert set(told(grpc_backend)) == {("before", 1), ("between", 1)}


def test_the_first_event_is_not_lost_with_a_kill_before_it_is_on_disk(api, start, grpc_backend, cluster):
    instance = start(events_config(grpc_backend), environment=cluster)
    api.wait_watched("events")
    instance.kill9()
    put_event(api, "first")
    instance.start()
    wait_told(grpc_backend, [("first", 1)])


def test_events_wait_while_no_queue_has_room(api, start, grpc_backend, cluster):
    configuration = events_config(grpc_backend)
    processors = {"memory_limiter": {"check_interval": "20ms", "limit_mib": 1}}
    configuration["processors"] = processors
    configuration["service"]["pipelines"]["logs"]["processors"] = ["memory_limiter"]
    instance = start(configuration, environment=cluster)
    instance.wait_metric("otelcol_process_memory_rss", 1)
    api.wait_watched("events")
    for number in range(200):
        put_event(api, f"e{number}")
    instance.wait_metric("otelcol_receiver_refused_log_records", 1)
    assert told(grpc_backend) == []
    processors["memory_limiter"]["limit_mib"] = 4000
    instance.write_config(configuration)
    instance.reload()
    put_event(api, "late")
    until(lambda: ("late", 1) in told(grpc_backend), lambda: f"{told(grpc_backend)}")


# ---- objects ----


def test_an_event_that_occurs_again_is_told_once_per_interval(api, start, grpc_backend, cluster):
    configuration = events_config(grpc_backend)
    configuration["receivers"]["k8s_events"]["dedup_interval"] = "-1s"
    start(configuration, environment=cluster)
    api.wait_watched("events")
    put_event(api, "again")
    put_event(api, "again", 2)
    put_event(api, "other")
    until(lambda: "other" in events_of(grpc_backend), "the last event")
    assert events_of(grpc_backend) == ["again", "other"]


def objects_config(backend, *objects):
    configuration = events_config(backend)
    configuration["receivers"] = {"k8sobjects": {"objects": list(objects)}}
    configuration["service"]["pipelines"]["logs"]["receivers"] = ["k8sobjects"]
    return configuration


def bodies(backend):
    messages = [one.message for one in backend.requests]
    return [otlp.value(one.body) for message in messages for one in otlp.items(otlp.LOGS, message)]


def test_objects_are_pulled_at_an_interval(api, start, grpc_backend, cluster):
    made = api.put("deployments", "shop", metadata={"labels": {"n": "1"}}, spec={"replicas": 2, "ratio": 0.5, "on": True})
    start(objects_config(grpc_backend, {"name": "deployments", "interval": "100ms"}), environment=cluster)
    until(lambda: len(bodies(grpc_backend)) >= 3, "three pulls")
    assert bodies(grpc_backend)[:3] == [made] * 3
    message = grpc_backend.requests[0].message
    assert otlp.attributes(otlp.resources(otlp.LOGS, message)[0]) == {"k8s.namespace.name": "default"}
    assert otlp.attributes(otlp.items(otlp.LOGS, message)[0]) == {"k8s.resource.name": "deployments"}
    assert api.asked("deployments")[0][0] == "/apis/apps/v1/deployments"


def test_objects_are_first_read_after_the_delay(api, start, grpc_backend, cluster):
    made = api.put("deployments", "shop")
    early = {"name": "deployments", "interval": "1h"}
    late = {"name": "deployments", "interval": "1h", "initial_delay": "1s"}
    start(objects_config(grpc_backend, late, early), environment=cluster)
    until(lambda: bodies(grpc_backend) == [made], "the first")
    until(lambda: bodies(grpc_backend) == [made, made], "the late one")


def test_changes_of_objects_are_watched(api, start, grpc_backend, cluster):
    api.put("pods", "old")
    wanted = {"name": "pods", "mode": "watch", "exclude_watch_type": ["MODIFIED"], "namespaces": ["default"]}
    start(objects_config(grpc_backend, wanted), environment=cluster)
    api.wait_watched("pods")
    made = api.put("pods", "new")
    until(lambda: len(bodies(grpc_backend)) == 1, "the first change")
    api.put("pods", "new")
    api.put("pods", "elsewhere", "other")
    api.delete("pods", "old")
    until(lambda: len(bodies(grpc_backend)) >= 2, "two changes")
    found = bodies(grpc_backend)
    assert found[0] == {"type": "ADDED", "object": made}
    assert (found[1]["type"], found[1]["object"]["metadata"]["name"]) == ("DELETED", "old")
    record = otlp.items(otlp.LOGS, grpc_backend.requests[0].message)[0]
    assert otlp.attributes(record) == {"k8s.resource.name": "pods", "event.domain": "k8s", "event.name": "new"}


@pytest.mark.parametrize("forgets", [False, True])
def test_changes_of_objects_between_two_starts_are_told_once(api, start, grpc_backend, cluster, forgets):
    api.put("pods", "old")
    instance = start(objects_config(grpc_backend, {"name": "pods", "mode": "watch"}), environment=cluster)
    api.wait_watched("pods")
    wanted = [api.put("pods", "before")]
    until(lambda: len(bodies(grpc_backend)) == 1, "the first change")
    instance.kill9()
    wanted.append(api.put("pods", "between"))
    if forgets:
        api.forget()
    instance.start()
    api.wait_watched("pods")
    wanted.append(api.put("pods", "after"))
    until(lambda: wanted[-1] in [one["object"] for one in bodies(grpc_backend)], lambda: f"{bodies(grpc_backend)}")
    assert [one for one in bodies(grpc_backend) if one["type"] != "ADDED"] == []
    assert {one["object"]["metadata"]["name"] for one in bodies(grpc_backend)} == {"before", "between", "after"}
    assert instance.books("logs", "otlp")["accepted"]["items"] == 3


def test_objects_of_excluded_namespaces_are_left_out(api, start, grpc_backend, cluster):
    api.put("pods", "hidden", "kube-system")
    api.put("pods", "hidden", "strict")
    made = api.put("pods", "shop")
    excluded = [{"regexp": "^kube-"}, {"strict": "strict"}]
    start(objects_config(grpc_backend, {"name": "pods", "interval": "100ms", "exclude_namespaces": excluded}), environment=cluster)
    until(lambda: len(bodies(grpc_backend)) >= 2, "two pulls")
    assert bodies(grpc_backend)[:2] == [made] * 2


def test_objects_that_are_there_are_reported_as_added_when_asked_for(api, start, grpc_backend, cluster):
    made = api.put("pods", "old")
    wanted = {"name": "pods", "mode": "watch", "resource_version": "7"}
    configured = objects_config(grpc_backend, wanted)
    configured["receivers"]["k8sobjects"]["include_initial_state"] = True
    start(configured, environment=cluster)
    until(lambda: bodies(grpc_backend) == [{"type": "ADDED", "object": made}], "what is there")
    new = api.put("pods", "new")
    until(lambda: bodies(grpc_backend)[1:] == [{"type": "ADDED", "object": new}], "what is new")


def test_a_kind_that_is_not_served_is_named(api, start, grpc_backend, cluster):
    instance = start(objects_config(grpc_backend, {"name": "gadgets"}), environment=cluster)
    instance.wait_for_log("serves no gadgets")
