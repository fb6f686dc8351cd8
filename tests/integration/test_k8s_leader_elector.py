"""k8s_leader_elector: of several processes one reads; another one goes on when it dies, is stopped, or is cut off."""

import pytest
import yaml

from support import otlp
from support.certificates import Authority
from support.holdfast import otlp_exporter, run
from support.kubernetes import KubernetesApi, events_of, put_event, service_account
from support.waiting import until

# So long that a busy machine does not take the lease from a leader that lives.
LEASE = {
    "lease_name": "holdfast",
    "lease_namespace": "monitoring",
    "lease_duration": "4s",
    "renew_deadline": "3s",
    "retry_period": "50ms",
}
LEADS = "this process leads: it holds the lease"


@pytest.fixture
def api(ending, tmp_path):
    authority = Authority(tmp_path / "ca")
    api = ending.enter_context(KubernetesApi(authority.issue("kubernetes"), {"first-token"}))
    api.environment = service_account(tmp_path / "account", api, authority)
    return api


def configuration(backend, receiver="k8s_events", elector=LEASE, **keys):
    return {
        "extensions": {"health_check": {"endpoint": "127.0.0.1:${env:HEALTH_PORT}"}, "k8s_leader_elector": elector},
        "receivers": {receiver: {"k8s_leader_elector": "k8s_leader_elector", **keys}},
        "exporters": {"otlp": otlp_exporter(backend)},
        "service": {
            "extensions": ["health_check", "k8s_leader_elector"],
            "pipelines": {"logs": {"receivers": [receiver], "exporters": ["otlp"]}},
        },
    }


def holder(api):
    return next((one["spec"]["holderIdentity"] for one in api.objects.get("leases", {}).values()), None)


@pytest.fixture
def pair(api, start, grpc_backend):
    """Two processes, the first of which leads."""
    first = start(configuration(grpc_backend), environment=api.environment)
    first.wait_for_log(LEADS)
    second = start(configuration(grpc_backend), environment=api.environment)
    until(lambda: api.watching.get("events") == 1, "one watch")
    return first, second


def test_one_of_two_reads(api, pair, grpc_backend):
    for number in range(20):
        put_event(api, f"e{number}")
    until(lambda: len(events_of(grpc_backend)) >= 20, lambda: f"{events_of(grpc_backend)}")
    put_event(api, "last")
    until(lambda: "last" in events_of(grpc_backend), "the last event")
    assert sorted(events_of(grpc_backend)) == sorted([f"e{number}" for number in range(20)] + ["last"])
    assert LEADS not in pair[1].log()


def test_a_leader_that_is_killed_is_followed_and_no_event_is_lost(api, pair, grpc_backend):
    first, second = pair
    was = holder(api)
    put_event(api, "before")
    until(lambda: "before" in events_of(grpc_backend), "the event before")
    first.kill9()
    put_event(api, "while nobody leads")
    second.wait_for_log(LEADS)
    put_event(api, "after")
    until(lambda: {"while nobody leads", "after"} <= set(events_of(grpc_backend)), lambda: f"{events_of(grpc_backend)}")
    assert holder(api) not in ("", was)


def test_a_leader_that_stops_gives_the_lease_up(api, start, grpc_backend):
    slow = {**LEASE, "lease_duration": "600s", "renew_deadline": "500s"}
    first = start(configuration(grpc_backend, elector=slow), environment=api.environment)
    first.wait_for_log(LEADS)
    second = start(configuration(grpc_backend, elector=slow), environment=api.environment)
    until(lambda: len(api.asked("holdfast")) > 3, "looks at the lease")
    first.terminate()
    second.wait_for_log(LEADS)
    put_event(api, "after")
    until(lambda: "after" in events_of(grpc_backend), "the event")


def test_a_leader_that_cannot_renew_stops_reading(api, pair):
    first, second = pair
    api.denied = {"leases"}
    first.wait_for_log("this process leads no longer")
    # The server notices that nobody listens when it has something to say.
    until(lambda: put_event(api, "unheard") and api.watching.get("events") == 0, "no watch", pause=0.1)
    first.wait_for_log("the lease monitoring/holdfast failed: .*forbidden.*verbs get, create and update")
    api.denied = set()
    until(lambda: api.watching.get("events") == 1, "one watch again")
    del second


def test_a_reload_keeps_reading(api, start, grpc_backend):
    made = configuration(grpc_backend)
    instance = start(made, environment=api.environment)
    instance.wait_for_log(LEADS)
    was = holder(api)
    made["receivers"]["k8s_events"]["namespaces"] = ["default"]
    instance.write_config(made)
    instance.reload()
    put_event(api, "meanwhile")
    until(lambda: "meanwhile" in events_of(grpc_backend), lambda: f"{events_of(grpc_backend)}")
    put_event(api, "after")
    until(lambda: "after" in events_of(grpc_backend), lambda: f"{events_of(grpc_backend)}")
    until(lambda: holder(api) not in ("", was), "another holder")


def test_objects_are_read_by_the_leader_alone(api, start, grpc_backend):
    objects = [{"name": "pods", "mode": "watch"}]
    made = configuration(grpc_backend, "k8sobjects", objects=objects)
    first = start(made, environment=api.environment)
    first.wait_for_log(LEADS)
    second = start(made, environment=api.environment)
    api.wait_watched("pods")
    api.put("pods", "one")

    def bodies():
        return [one for request in grpc_backend.requests for one in otlp.items(otlp.LOGS, request.message)]

    until(lambda: len(bodies()) == 1, "the change")
    first.kill9()
    second.wait_for_log(LEADS)
    until(lambda: api.watching.get("pods") == 1, "one watch")
    until(lambda: api.put("pods", "two") and len(bodies()) >= 2, "another change")


@pytest.mark.parametrize(
    "elector, words",
    [
        ({}, "lease_name"),
        ({**LEASE, "lease_name": "a/b"}, "a name of lower-case letters"),
        ({**LEASE, "renew_deadline": "4s"}, "renew_deadline must be shorter than lease_duration"),
        ({**LEASE, "retry_period": "3s"}, "retry_period must be shorter than renew_deadline"),
    ],
)
def test_wrong_configurations_are_refused(tmp_path, grpc_backend, elector, words):
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump(configuration(grpc_backend, elector=elector)))
    done = run("validate", "--config", path)
    assert done.returncode == 1
    assert words in done.stdout + done.stderr


def test_the_elector_must_elect(tmp_path, grpc_backend):
    made = configuration(grpc_backend)
    made["extensions"] = {"health_check": {}}
    made["receivers"]["k8s_events"]["k8s_leader_elector"] = "health_check"
    made["service"]["extensions"] = ["health_check"]
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump(made))
    done = run("validate", "--config", path)
    assert done.returncode == 1
    assert 'extension "health_check" elects no leader' in done.stdout + done.stderr
