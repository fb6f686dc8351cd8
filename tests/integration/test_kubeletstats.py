"""kubeletstats against a small kubelet, beside what the Go collector makes of the same.

kubeletstats.json holds what the Go collector 0.160 made of it. HOLDFAST_PEER=PROGRAM compares with a collector that
runs, too; HOLDFAST_RECORD=1 writes the file from it."""

import copy
import json
import os
from pathlib import Path

import pytest
import yaml

from support import kubelet as small
from support.backends import ok, status
from support.certificates import Authority
from support.holdfast import otlphttp_exporter, run
from support.hostmetrics import Peer, peer_program, series
from support.kubelet import Kubelet
from support.kubernetes import KubernetesApi, service_account
from support.waiting import until

RECORD = Path(__file__).parent / "kubeletstats.json"
OFF = (
    "container.uptime",
    "k8s.container.cpu_limit_utilization",
    "k8s.container.cpu_request_utilization",
    "k8s.container.ephemeral_storage.usage",
    "k8s.container.memory_limit_utilization",
    "k8s.container.memory_request_utilization",
    "k8s.node.filesystem.inode.count",
    "k8s.node.filesystem.inode.free",
    "k8s.node.system_container.cpu.time",
    "k8s.node.system_container.cpu.usage",
    "k8s.node.system_container.memory.usage",
    "k8s.node.system_container.memory.working_set",
    "k8s.node.uptime",
    "k8s.pod.cpu_limit_utilization",
    "k8s.pod.cpu_request_utilization",
    "k8s.pod.memory_limit_utilization",
    "k8s.pod.memory_request_utilization",
    "k8s.pod.uptime",
    "k8s.pod.volume.usage",
)
OF_NODE = (
    "k8s.container.cpu.node.utilization",
    "k8s.container.memory.node.utilization",
    "k8s.pod.cpu.node.utilization",
    "k8s.pod.memory.node.utilization",
)
GROUPS = ["container", "pod", "node", "volume"]


def on(*names):
    return {name: {"enabled": True} for name in names}


CASES = {
    "defaults": {},
    "all": {"metric_groups": GROUPS, "metrics": on(*OFF)},
    "labels": {"metric_groups": GROUPS, "extra_metadata_labels": ["container.id", "k8s.volume.type"]},
    "interfaces": {"metric_groups": ["node", "pod"], "collect_all_network_interfaces": {"node": True, "pod": True}},
    "switched off": {
        "metrics": {"k8s.pod.memory.rss": {"enabled": False}},
        "resource_attributes": {"k8s.pod.uid": {"enabled": False}},
    },
}


def receiver_of(kubelet, **keys):
    return {
        "auth_type": "none",
        "endpoint": f"http://{kubelet.endpoint}",
        "collection_interval": "200ms",
        "initial_delay": "10ms",
        **keys,
    }


def configuration(backend, receiver, name="kubeletstats"):
    return {
        "receivers": {name: receiver},
        "exporters": {"otlphttp": otlphttp_exporter(backend, sending_queue={"num_consumers": 1})},
        "service": {"pipelines": {"metrics": {"receivers": [name], "exporters": ["otlphttp"]}}},
    }


def comparable(message):
    """The series as a list that JSON can hold; ages change."""
    rows = []
    for (name, resource, attributes), (unit, kind, number, value) in series(message).items():
        value = None if name.endswith(".uptime") else value
        rows.append([name, [list(pair) for pair in resource], [list(pair) for pair in attributes], unit, kind, number, value])
    return sorted(rows, key=json.dumps)


@pytest.fixture
def kubelet(ending):
    return ending.enter_context(Kubelet())


def second(backend):
    """Of the second scrape, which knows the CPU usage since the first."""
    until(lambda: len(backend.requests) >= 2, "two requests")
    return backend.requests[1].message


def seen(backend):
    """{(metric, pod, container or volume): value} of the second request."""
    found = {}
    for (name, resource, attributes), (_, _, _, value) in series(second(backend)).items():
        of = dict(resource)
        part = of.get("k8s.container.name", of.get("k8s.volume.name", of.get("k8s.node.system_container.name", "")))
        found[(name, of.get("k8s.pod.name", ""), part, *(value for _, value in attributes))] = value
    return found


@pytest.mark.parametrize("case", CASES)
def test_the_series_are_those_of_the_go_collector(kubelet, start, http_backend, tmp_path, case):
    receiver = receiver_of(kubelet, **CASES[case])
    start(configuration(http_backend, receiver))
    ours = comparable(second(http_backend))
    recorded = json.loads(RECORD.read_text()) if RECORD.exists() else {}
    if peer_program():
        with Peer(peer_program(), tmp_path, receiver, "kubeletstats") as peer:
            theirs = comparable(peer.requests(2)[1])
        assert ours == theirs
        if os.environ.get("HOLDFAST_RECORD"):
            recorded[case] = theirs
            RECORD.write_text(json.dumps(recorded, indent=1, sort_keys=True) + "\n")
    assert json.loads(json.dumps(ours)) == recorded[case]


def test_processes_of_the_node_are_counted_when_asked_for(kubelet, start, http_backend):
    """Of releases after 0.160."""
    start(configuration(http_backend, receiver_of(kubelet, metrics=on("k8s.node.pid.limit", "k8s.node.pid.usage"))))
    found = {name: row for (name, *_), row in series(second(http_backend)).items() if name.startswith("k8s.node.pid.")}
    number = ["{thread}", ["sum", 2, False], "as_int"]
    assert found == {"k8s.node.pid.limit": [*number, 32768], "k8s.node.pid.usage": [*number, 1203]}


def test_numbers_and_times_are_the_kubelets(kubelet, start, http_backend):
    start(configuration(http_backend, receiver_of(kubelet, **CASES["all"])))
    found = seen(http_backend)
    assert found["k8s.node.cpu.usage", "", ""] == 1.5
    assert found["k8s.node.cpu.time", "", ""] == 1000
    assert found["k8s.node.system_container.cpu.usage", "", "kubelet"] == 0.125
    assert found["k8s.pod.memory.usage", "shop", ""] == 4096
    assert found["k8s.pod.network.io", "shop", "", "receive", "eth0"] == 100
    assert found["container.filesystem.usage", "shop", "app"] == 40
    assert found["k8s.container.ephemeral_storage.usage", "shop", "app", "logs"] == 7
    assert found["k8s.container.cpu_request_utilization", "shop", "app"] == 0.25 / 0.1
    assert found["k8s.container.memory_limit_utilization", "shop", "app"] == 0.5
    assert found["k8s.pod.cpu_limit_utilization", "shop", ""] == 0.5 / 3.5
    assert ("k8s.pod.memory_limit_utilization", "shop", "") not in found  # one container has no limit
    assert found["k8s.volume.available", "shop", "data"] == 60
    message = second(http_backend)
    points = [
        point.start_time_unix_nano
        for resource in message.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
        if metric.name == "container.cpu.time"
        for point in metric.sum.data_points
    ]
    assert points == [1714982400 * 10**9] * 2


def test_a_claim_is_looked_up_and_the_nodes_capacity_too(kubelet, start, http_backend, tmp_path):
    authority = Authority(tmp_path / "ca")
    with KubernetesApi(authority.issue("kubernetes"), {"first-token"}) as api:
        api.put("persistentvolumeclaims", "claim", spec={"volumeName": "pv-1"})
        api.put("persistentvolumes", "pv-1", None, spec={"awsElasticBlockStore": {"volumeID": "vol-1", "fsType": "ext4"}})
        api.put("nodes", "node-1", None, status={"capacity": {"cpu": "4", "memory": "8Ki"}})
        receiver = receiver_of(
            kubelet,
            k8s_api_config={"auth_type": "serviceAccount"},
            node="node-1",
            extra_metadata_labels=["k8s.volume.type"],
            metric_groups=GROUPS,
            metrics=on(*OF_NODE),
            resource_attributes=on("aws.volume.id", "fs.type", "partition"),
        )
        start(configuration(http_backend, receiver), environment=service_account(tmp_path / "account", api, authority))
        found = seen(http_backend)
        assert found["k8s.pod.cpu.node.utilization", "shop", ""] == 0.125
        assert found["k8s.container.memory.node.utilization", "shop", "app"] == 0.25
        volumes = {dict(resource)["k8s.volume.name"]: dict(resource) for _, resource, _ in series(second(http_backend)) if "k8s.volume.name" in dict(resource)}
        assert volumes["scratch"]["k8s.volume.type"] == "emptyDir"
        pod = {"k8s.pod.uid": "uid-shop", "k8s.pod.name": "shop", "k8s.namespace.name": "default", "k8s.volume.name": "data"}
        claim = {"k8s.volume.type": "awsElasticBlockStore", "k8s.persistentvolumeclaim.name": "claim"}
        assert volumes["data"] == {**pod, **claim, "aws.volume.id": "vol-1", "fs.type": "ext4", "partition": "0"}
        until(lambda: len(http_backend.requests) >= 3, "more scrapes")
        assert len(api.asked("pv-1")) == 1


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path / "authority")


def test_the_service_accounts_token_is_sent_and_read_again(start, http_backend, authority, tmp_path):
    folder = tmp_path / "account"
    folder.mkdir()
    (folder / "token").write_text("one")
    (folder / "ca.crt").write_bytes(authority.certificate.read_bytes())
    with Kubelet(authority.issue("kubelet"), token="one") as kubelet:
        receiver = receiver_of(kubelet, auth_type="serviceAccount", endpoint=kubelet.endpoint)
        instance = start(configuration(http_backend, receiver), environment={"HOLDFAST_SERVICE_ACCOUNT_DIR": str(folder)})
        second(http_backend)
        kubelet.token = "two"
        instance.wait_for_log("asking for /stats/summary failed")
        (folder / "token").write_text("two")
        until(lambda: ("/stats/summary", "two") in kubelet.requests, "the new token")
        count = len(http_backend.requests)
        until(lambda: len(http_backend.requests) > count, "data again")


def test_a_client_certificate_is_shown(start, http_backend, authority):
    client, key = authority.issue("client")
    keys = {"auth_type": "tls", "ca_file": str(authority.certificate), "cert_file": str(client), "key_file": str(key)}
    with Kubelet(authority.issue("kubelet"), client_ca=authority.certificate) as kubelet:
        start(configuration(http_backend, receiver_of(kubelet, endpoint=kubelet.endpoint, **keys)))
        assert seen(http_backend)["k8s.node.cpu.usage", "", ""] == 1.5


@pytest.mark.parametrize("skip", [False, True])
def test_a_certificate_of_another_authority_is_refused_unless_said(start, http_backend, authority, tmp_path, skip):
    other = Authority(tmp_path / "other")
    client, key = authority.issue("client")
    keys = {"auth_type": "tls", "ca_file": str(other.certificate), "cert_file": str(client), "key_file": str(key)}
    with Kubelet(authority.issue("kubelet")) as kubelet:
        receiver = receiver_of(kubelet, endpoint=kubelet.endpoint, insecure_skip_verify=skip, **keys)
        instance = start(configuration(http_backend, receiver))
        if skip:
            assert seen(http_backend)["k8s.node.cpu.usage", "", ""] == 1.5
        else:
            instance.wait_for_log("asking for /stats/summary failed.*certificate")


def test_the_api_servers_proxy_leads_to_the_kubelet(kubelet, start, http_backend, tmp_path):
    kubelet.prefix = "/api/v1/nodes/node-1/proxy"
    named = {"clusters": ("cluster", {"server": f"http://{kubelet.endpoint}"}), "users": ("user", {"token": "t"})}
    named["contexts"] = ("context", {"cluster": "it", "user": "it"})
    whole = {key: [{"name": "it", name: part}] for key, (name, part) in named.items()}
    (tmp_path / "kubeconfig").write_text(yaml.safe_dump({**whole, "current-context": "it"}))
    receiver = receiver_of(kubelet, auth_type="kubeConfig", endpoint="node-1")
    start(configuration(http_backend, receiver, "kubelet_stats"), environment={"KUBECONFIG": str(tmp_path / "kubeconfig")})
    assert seen(http_backend)["k8s.node.cpu.usage", "", ""] == 1.5
    assert kubelet.requests[0] == ("/api/v1/nodes/node-1/proxy/stats/summary", "t")


# ---- what goes wrong ----


@pytest.mark.parametrize(
    "path, answer, words",
    [
        ("/stats/summary", 500, "asking for /stats/summary failed: .*500"),
        ("/stats/summary", "no JSON", "the answer for /stats/summary is of no use"),
        ("/stats/summary", {"pods": []}, "/stats/summary names no node"),
        ("/pods", 403, "asking for /pods failed: .*403"),
    ],
)
def test_a_bad_answer_is_logged_and_asked_for_again(kubelet, start, http_backend, path, answer, words):
    good = kubelet.answers[path]
    kubelet.answers[path] = answer
    instance = start(configuration(http_backend, receiver_of(kubelet, extra_metadata_labels=["container.id"])))
    instance.wait_for_log(words)
    instance.wait_metric("otelcol_scraper_errored_metric_points", 1)
    kubelet.answers[path] = good
    assert seen(http_backend)["k8s.node.memory.usage", "", ""] == 1 << 20


def test_a_container_without_an_id_is_left_out_alone(kubelet, start, http_backend):
    pods = copy.deepcopy(small.pods())
    pods["items"][0]["status"]["containerStatuses"][1]["containerID"] = ""
    kubelet.answers["/pods"] = pods
    instance = start(configuration(http_backend, receiver_of(kubelet, extra_metadata_labels=["container.id"])))
    found = seen(http_backend)
    assert ("container.cpu.usage", "shop", "app") in found
    assert ("container.cpu.usage", "shop", "side") not in found
    instance.wait_for_log("the container side of the pod shop is left out")


def test_a_kubelet_that_hangs_holds_up_no_reload(kubelet, start, http_backend, ending):
    kubelet.slow.clear()
    made = configuration(http_backend, receiver_of(kubelet))
    instance = start(made)
    until(lambda: kubelet.requests, "a request that hangs")
    other = ending.enter_context(Kubelet())
    made["receivers"]["kubeletstats"]["endpoint"] = f"http://{other.endpoint}"
    instance.write_config(made)
    instance.reload()
    until(lambda: http_backend.requests, "what the other one measured")
    assert "asking for /stats/summary failed" not in instance.log()  # which is said after 10 s
    assert instance.terminate()[0] == 0


def test_what_was_measured_survives_a_kill_while_the_backend_is_away(kubelet, start, http_backend):
    http_backend.always = status(503)
    instance = start(configuration(http_backend, receiver_of(kubelet)))
    instance.wait_metric("otelcol_receiver_accepted_metric_points", 100)
    accepted = instance.queue("stat")
    instance.kill9()
    http_backend.always = ok()
    kubelet.answers["/stats/summary"] = 500  # nothing new
    instance.start()
    until(lambda: http_backend.accepted(), lambda: f"{accepted}")


@pytest.mark.parametrize(
    "keys, words",
    [
        ({"auth_type": "tls"}, "auth_type tls needs cert_file and key_file"),
        ({"auth_type": "basic"}, "basic"),
        ({"metric_groups": ["pods"]}, "pods"),
        ({"extra_metadata_labels": ["k8s.pod.ip"]}, "k8s.pod.ip"),
        ({"metrics": {"k8s.pod.cpu": {"enabled": True}}}, "k8s.pod.cpu"),
        ({"metrics": on("k8s.pod.cpu.node.utilization")}, "name of the node in the key node"),
        ({"node": "n", "metrics": on("k8s.pod.cpu.node.utilization")}, "k8s_api_config"),
    ],
)
def test_wrong_configurations_are_refused(tmp_path, http_backend, keys, words):
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump(configuration(http_backend, {"auth_type": "none", **keys})))
    done = run("validate", "--config", path)
    assert done.returncode == 1
    assert words in done.stdout + done.stderr
