"""Our watch against a real API server: rotated tokens, refusals, restarts, forgotten versions, churn. `./dev test --real
kubernetes` runs it."""

import os
from collections import Counter
from pathlib import Path

import pytest

from real.control_plane import VARIABLE, ControlPlane
from support import otlp
from support.holdfast import config, otlp_exporter
from support.waiting import until

READ = ["get", "list", "watch"]
EVENTS = [{"apiGroups": [""], "resources": ["events"], "verbs": READ}]
ALL = [
    {"apiGroups": [""], "resources": ["pods", "namespaces", "nodes", "events"], "verbs": READ},
    {"apiGroups": ["apps"], "resources": ["replicasets", "deployments"], "verbs": READ},
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
    found = changes(grpc_backend)
    assert ("MODIFIED", "away-stays", last) in found
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
