"""receiver_creator: receivers that are started for what observers find, and what they read through changes and kills."""

import collections
import contextlib
import http.client
import random
import socket
import time

import pytest
import yaml

from support import otlp
from support.certificates import Authority
from support.docker import Docker
from support.holdfast import otlp_exporter, run
from support.kubernetes import KubernetesApi, pod, service_account
from support.ports import free_port
from support.scraped import Target
from support.waiting import until


@pytest.fixture
def api(ending, tmp_path):
    authority = Authority(tmp_path / "ca")
    api = ending.enter_context(KubernetesApi(authority.issue("kubernetes"), {"first-token"}))
    api.environment = service_account(tmp_path / "account", api, authority)
    return api


def configuration(backend, receivers, observer="k8s_observer", observing=None, signals=("logs",), **keys):
    creator = {"watch_observers": [observer], "receivers": receivers, **keys}
    pipeline = {"receivers": ["receiver_creator"], "exporters": ["otlp"]}
    return {
        "extensions": {observer: observing or {}},
        "receivers": {"receiver_creator": creator},
        "exporters": {"otlp": otlp_exporter(backend)},
        "service": {"extensions": ["health_check", observer], "pipelines": {signal: pipeline for signal in signals}},
    }


def running(name="app-1", address="127.0.0.1", uid="uid-1", ports=(), **metadata):
    """A pod whose container `app` runs."""
    parts = pod(name, address, uid)
    parts["metadata"].update(metadata)
    parts["status"]["phase"] = "Running"
    parts["status"]["containerStatuses"][0].update(
        containerID="containerd://c0ffee", state={"running": {"startedAt": "2024-05-06T07:08:09Z"}}
    )
    parts["spec"]["containers"][0]["ports"] = [{"name": f"p{port}", "containerPort": port} for port in ports]
    return parts


def records(backend):
    """(resource attributes, attributes, body) of every log record that arrived."""
    found = []
    for request in backend.accepted(otlp.LOGS):
        for one in request.message.resource_logs:
            resource = otlp.attributes(one.resource)
            for scope in one.scope_logs:
                found += [
                    (resource, otlp.attributes(record), otlp.value(record.body)) for record in scope.log_records
                ]
    return found


def bodies(backend):
    return [body for *_, body in records(backend)]


def points(backend):
    """{name of a metric: [resource attributes]}"""
    found = collections.defaultdict(list)
    for request in backend.accepted(otlp.METRICS):
        for one in request.message.resource_metrics:
            for scope in one.scope_metrics:
                for metric in scope.metrics:
                    found[metric.name].append(otlp.attributes(one.resource))
    return found


def filelog(include, rule='type == "pod.container"', resource_attributes=None, **config):
    template = {
        "rule": rule,
        "config": {"include": [str(include)], "start_at": "beginning", "poll_interval": "20ms", **config},
    }
    if resource_attributes is not None:
        template["resource_attributes"] = resource_attributes
    return template


def append(path, *lines):
    with open(path, "a") as file:
        file.writelines(line + "\n" for line in lines)


def wait_for(backend, lines):
    until(lambda: len(bodies(backend)) >= len(lines), lambda: f"{bodies(backend)} of {lines}")
    assert sorted(bodies(backend)) == sorted(lines)


def is_open(port):
    with contextlib.closing(socket.socket()) as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def is_idle(target):
    """Has no one asked for half a second? Scrapes come every tenth of one."""
    asked = len(target.requests)
    time.sleep(0.5)
    return len(target.requests) == asked


def logged(holdfast, text):
    return holdfast.log().count(text)


class TestPods:
    def test_the_log_of_a_container_is_read_with_what_is_known_of_it(self, api, start, grpc_backend, tmp_path):
        (tmp_path / "app-1").mkdir()
        append(tmp_path / "app-1" / "app.log", "one", "two")
        api.put("pods", "app-1", **running(labels={"team": "red"}, annotations={"zone": "a"}))
        api.put("pods", "waits", **{**running("waits", uid="uid-2"), "status": {"phase": "Pending"}})
        template = filelog(
            tmp_path / "`pod.name`" / "`container_name`.log",
            rule='type == "pod.container" && pod.labels["team"] == "red" && pod.labels["none"] == ""',
            resource_attributes={"zone": "zone-`pod.annotations[\"zone\"]`", "container.image.name": "", "nothing": '`pod.labels["none"]`'},
        )
        holdfast = start(configuration(grpc_backend, {"filelog/app": template}), environment=api.environment)
        wait_for(grpc_backend, ["one", "two"])
        assert records(grpc_backend)[0][0] == {
            "k8s.pod.name": "app-1",
            "k8s.pod.uid": "uid-1",
            "k8s.namespace.name": "default",
            "k8s.container.name": "app",
            "container.id": "c0ffee",
            "zone": "zone-a",
        }
        assert 'filelog/app/receiver_creator{endpoint="127.0.0.1"}/k8s_observer/uid-1/app' in holdfast.log() or logged(holdfast, "starting receiver") == 1
        holdfast.wait_metric("otelcol_receiver_accepted_log_records", 2, receiver="filelog/receiver_creator")

    def test_each_type_of_endpoint_has_its_variables(self, api, start, grpc_backend, tmp_path):
        append(tmp_path / "a.log", "line")
        api.put("pods", "app-1", **running(ports=(6379,)))
        api.put("services", "db", metadata={"uid": "s"}, spec={"clusterIP": "10.0.0.9", "type": "ClusterIP"})
        api.put(
            "nodes",
            "node-1",
            None,
            metadata={"uid": "n"},
            status={
                "addresses": [{"type": "InternalIP", "address": "10.0.0.2"}, {"type": "Hostname", "address": "h"}],
                "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
            },
        )
        rule = {"host": "shop.example.org", "http": {"paths": [{"path": "/cart"}]}}
        tls = [{"hosts": ["*.example.org"]}]
        api.put("ingresses", "shop", metadata={"uid": "i"}, spec={"rules": [rule], "tls": tls})
        wanted = {
            "pod": ("`name`|`endpoint`|`namespace`", "app-1|127.0.0.1|default"),
            "port": ("`name`|`endpoint`|`host`|`port + 1`|`transport`|`pod.uid`", "p6379|127.0.0.1:6379|127.0.0.1|6380|TCP|uid-1"),
            "pod.container": ("`container_id`|`container_image`", "c0ffee|registry:5000/team/app:1.2"),
            "k8s.service": ("`endpoint`|`cluster_ip`|`service_type`", "db.default.svc.cluster.local|10.0.0.9|ClusterIP"),
            "k8s.node": ("`endpoint`|`kubelet_endpoint_port`|`hostname`", "10.0.0.2|10250|h"),
            "k8s.ingress": ("`endpoint`|`scheme`|`host`|`path`", "https://shop.example.org/cart|https|shop.example.org|/cart"),
        }
        templates = {
            f"filelog/{i}": filelog(
                tmp_path / "a.log", f'type == "{kind}"', attributes={"type": "`type`", "seen": text}
            )
            for i, (kind, (text, _)) in enumerate(wanted.items())
        }
        observing = {"observe_nodes": True, "observe_services": True, "observe_ingresses": True}
        start(configuration(grpc_backend, templates, observing=observing), environment=api.environment)
        until(lambda: len(records(grpc_backend)) == len(wanted), lambda: records(grpc_backend))
        seen = {attributes["type"]: attributes["seen"] for _, attributes, _ in records(grpc_backend)}
        assert seen == {kind: text for kind, (_, text) in wanted.items()}

    def test_a_port_is_scraped_and_left_alone_when_it_is_gone(self, api, start, grpc_backend, ending):
        target = ending.enter_context(Target("# TYPE answers gauge\nanswers 42\n"))
        template = {
            "rule": f'type == "port" && port == {target.port}',
            "config": {
                "config": {
                    "scrape_configs": [
                        {"job_name": "app", "scrape_interval": "100ms", "static_configs": [{"targets": ["`endpoint`"]}]}
                    ]
                }
            },
        }
        holdfast = start(
            configuration(grpc_backend, {"prometheus": template}, signals=("metrics",)), environment=api.environment
        )
        api.put("pods", "app-1", **running(ports=(target.port,)))
        until(lambda: "answers" in points(grpc_backend), lambda: points(grpc_backend).keys())
        resource = points(grpc_backend)["answers"][0]
        assert resource["k8s.pod.name"] == "app-1" and resource["service.name"] == "app"
        api.delete("pods", "app-1")
        holdfast.wait_for_log("stopping receiver")
        until(lambda: is_idle(target), "it is still scraped")

    def test_a_change_that_does_not_matter_restarts_nothing(self, api, start, grpc_backend, tmp_path):
        append(tmp_path / "a.log", "one")
        template = filelog(tmp_path / "a.log", attributes={"version": '`pod.annotations["version"]`'})
        api.put("pods", "app-1", **running(annotations={"version": "1"}))
        holdfast = start(configuration(grpc_backend, {"filelog": template}), environment=api.environment)
        wait_for(grpc_backend, ["one"])
        api.put("pods", "app-1", **running(annotations={"version": "1", "other": "x"}))
        api.put("pods", "app-2", **running("app-2", uid="uid-2", annotations={"version": "9"}))
        until(lambda: logged(holdfast, "starting receiver") == 2, holdfast.log)
        assert logged(holdfast, "stopping receiver") == 0
        api.put("pods", "app-1", **running(annotations={"version": "2"}))
        until(lambda: logged(holdfast, "starting receiver") == 3, holdfast.log)
        append(tmp_path / "a.log", "two")
        until(lambda: len(records(grpc_backend)) == 4, lambda: records(grpc_backend))
        versions = sorted((attributes["version"], body) for _, attributes, body in records(grpc_backend))
        assert versions == [("1", "one"), ("2", "two"), ("9", "one"), ("9", "two")]

    def test_no_more_receivers_than_there_may_be(self, api, start, grpc_backend):
        for i in range(1001):
            api.put("pods", f"app-{i}", **running(f"app-{i}", uid=f"uid-{i}"))
        holdfast = start(
            configuration(grpc_backend, {"nop": {"rule": 'type == "pod"'}}), environment=api.environment
        )
        holdfast.wait_for_log("1000 receivers run, which is the most")
        api.delete("pods", "app-5")
        until(lambda: logged(holdfast, "starting receiver") >= 1, holdfast.log)

    def test_one_that_listens_ends_with_its_endpoint(self, api, start, grpc_backend, ending):
        port = free_port()
        template = {"rule": 'type == "pod"', "config": {"protocols": {"http": {"endpoint": f"`endpoint`:{port}"}}}}
        api.put("pods", "app-1", **running())
        holdfast = start(configuration(grpc_backend, {"otlp": template}), environment=api.environment)
        holdfast.wait_for_log("starting receiver")
        client = ending.enter_context(contextlib.closing(http.client.HTTPConnection("127.0.0.1", port)))
        until(lambda: is_open(port), holdfast.log)
        ids = otlp.new_ids(3)
        body = otlp.request(otlp.LOGS, ids).SerializeToString()
        client.request("POST", "/v1/logs", body, {"Content-Type": "application/x-protobuf"})
        assert client.getresponse().read() is not None
        grpc_backend.wait_for(ids)
        api.delete("pods", "app-1")  # its connection is still open
        holdfast.wait_for_log("stopping receiver")
        until(lambda: not is_open(port), holdfast.log)
        api.put("pods", "app-1", **running())
        until(lambda: is_open(port), holdfast.log)

    def test_it_waits_for_the_api(self, api, start, grpc_backend, tmp_path):
        append(tmp_path / "a.log", "one")
        api.put("pods", "app-1", **running())
        api.stop()
        start(configuration(grpc_backend, {"filelog": filelog(tmp_path / "a.log")}), environment=api.environment)
        api.start()
        wait_for(grpc_backend, ["one"])


class TestNothingIsLost:
    @pytest.mark.parametrize("seed", range(4))
    def test_through_ends_of_containers_and_kills(self, api, start, grpc_backend, tmp_path, seed):
        """Each line arrives once: the container ends and begins, Holdfast is killed and reloads."""
        chance = random.Random(seed)
        grpc_backend.stop()  # what is sent before a kill may be sent again: it is sent at the end
        lines = []
        log = tmp_path / "app-1.log"
        log.touch()

        def write():
            for _ in range(chance.randint(1, 50)):
                lines.append(f"line {len(lines)}")
                append(log, lines[-1])

        ended = running()
        ended["status"]["containerStatuses"][0]["state"] = {"terminated": {"exitCode": 1}}
        api.put("pods", "app-1", **running())
        settings = configuration(grpc_backend, {"filelog": filelog(tmp_path / "`pod.name`.log")})
        holdfast = start(settings, environment=api.environment)
        for step in range(6):
            write()
            choice = chance.choice(["kill", "end", "reload"])
            if choice == "kill":
                holdfast.kill9()
                write()
                holdfast.start()
            elif choice == "end":
                holdfast.wait_metric("otelcol_fileconsumer_open_files", 1)
                api.put("pods", "app-1", **ended)
                write()
                if chance.random() < 0.5:  # it may be back before the receiver has stopped
                    until(lambda: holdfast.metric("otelcol_fileconsumer_open_files") == 0, holdfast.log)
                api.put("pods", "app-1", **running())
            else:
                settings["receivers"]["receiver_creator"]["resource_attributes"] = {"pod": {"step": str(step)}}
                holdfast.write_config(settings)
                reloads = logged(holdfast, "the new configuration runs")
                holdfast.reload()
                until(lambda: logged(holdfast, "the new configuration runs") > reloads, holdfast.log)
            write()
        grpc_backend.start()
        wait_for(grpc_backend, lines)

    def test_the_last_lines_of_a_pod_that_is_gone(self, api, start, grpc_backend, tmp_path):
        log = tmp_path / "app-1.log"
        append(log, "one")
        api.put("pods", "app-1", **running())
        start(
            configuration(grpc_backend, {"filelog": filelog(tmp_path / "`pod.name`.log", poll_interval="300ms")}),
            environment=api.environment,
        )
        wait_for(grpc_backend, ["one"])
        append(log, "last words")
        api.delete("pods", "app-1")
        wait_for(grpc_backend, ["one", "last words"])


class TestHost:
    def test_a_socket_that_listens(self, start, grpc_backend, tmp_path):
        append(tmp_path / "a.log", "line")
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
            template = filelog(
                tmp_path / "a.log",
                f'type == "hostport" && port == {port} && not is_ipv6 && transport == "TCP"',
                attributes={"seen": "`endpoint`|`process_name`|`len(command) > 0`"},
            )
            observing = {"refresh_interval": "50ms"}
            holdfast = start(configuration(grpc_backend, {"filelog": template}, "host_observer", observing))
            until(lambda: records(grpc_backend), holdfast.log)
            seen = records(grpc_backend)[0][1]["seen"].split("|")
            assert seen[0] == f"127.0.0.1:{port}" and seen[1].startswith("python") or seen[1] == "pytest"
            assert seen[2] == "true"
        holdfast.wait_for_log("stopping receiver")


class TestDocker:
    def container(self, docker, name, ports, image="registry:5000/team/app:1.2", bindings=None, **labels):
        config = {
            "Hostname": f"host-{name}",
            "Image": image,
            "Cmd": ["run", "it"],
            "Labels": labels,
            "ExposedPorts": {port: {} for port in ports},
        }
        network = {"Networks": {"bridge": {"IPAddress": "172.17.0.2"}}, "Ports": bindings or {}}
        return docker.add(name, image, Config=config, NetworkSettings=network)

    def seen(self, backend):
        return sorted(attributes["seen"] for _, attributes, _ in records(backend))

    def test_ports_of_containers_come_and_go_with_events(self, start, grpc_backend, tmp_path, ending):
        docker = ending.enter_context(Docker(tmp_path))
        append(tmp_path / "a.log", "line")
        first = self.container(docker, "one", ["80/tcp", "53/udp"], team="red")
        self.container(docker, "left", ["80/tcp"], image="team/left:2")
        template = filelog(
            tmp_path / "a.log",
            'type == "container" && labels["team"] != "blue"',
            attributes={"seen": "`name`|`endpoint`|`image`|`tag`|`command`|`transport`|`alternate_port`|`labels[\"team\"]`"},
        )
        observing = {"endpoint": docker.endpoint, "excluded_images": ["team/left*"]}
        holdfast = start(configuration(grpc_backend, {"filelog": template}, "docker_observer", observing))
        until(lambda: len(records(grpc_backend)) == 2, holdfast.log)
        rest = "registry:5000/team/app|1.2|run it"
        both = [f"one|172.17.0.2:53|{rest}|UDP|0|red", f"one|172.17.0.2:80|{rest}|TCP|0|red"]
        assert self.seen(grpc_backend) == both
        assert records(grpc_backend)[0][0] == {"container.name": "one", "container.image.name": "registry:5000/team/app"}
        second = self.container(docker, "two", ["8080/tcp"])
        docker.tell("start", second)
        until(lambda: len(records(grpc_backend)) == 3, holdfast.log)
        assert self.seen(grpc_backend) == [*both, f"two|172.17.0.2:8080|{rest}|TCP|0|"]
        del docker.containers[first]
        docker.tell("die", first)
        until(lambda: logged(holdfast, "stopping receiver") == 2, holdfast.log)
        docker.hang_up()  # as a daemon does that restarts: what was missed meanwhile is found
        self.container(docker, "three", ["9/tcp"])
        until(lambda: len(records(grpc_backend)) == 4, holdfast.log)

    def test_bindings_to_ports_of_the_host(self, start, grpc_backend, tmp_path, ending):
        docker = ending.enter_context(Docker(tmp_path))
        append(tmp_path / "a.log", "line")
        bindings = {"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}]}
        self.container(docker, "one", ["80/tcp", "81/tcp"], bindings=bindings)
        template = filelog(tmp_path / "a.log", 'type == "container"', attributes={"seen": "`endpoint`|`alternate_port`"})
        observing = {"endpoint": docker.endpoint, "use_host_bindings": True, "ignore_non_host_bindings": True}
        start(configuration(grpc_backend, {"filelog": template}, "docker_observer", observing))
        until(lambda: records(grpc_backend), "nothing came")
        assert self.seen(grpc_backend) == ["127.0.0.1:8080|80"]


class TestDiscovery:
    DISCOVERY = "io.opentelemetry.discovery"

    def test_a_pod_asks_for_a_scraper(self, api, start, grpc_backend, ending):
        target = ending.enter_context(Target("# TYPE answers gauge\nanswers 42\n"))
        config = f"""
config:
  scrape_configs:
  - job_name: asked
    scrape_interval: 100ms
    static_configs:
    - targets: ["`endpoint`"]
"""
        hints = {
            f"{self.DISCOVERY}.metrics.{target.port}/enabled": "true",
            f"{self.DISCOVERY}.metrics/scraper": "prometheus",
            f"{self.DISCOVERY}.metrics/config": config,
        }
        api.put("pods", "app-1", **running(ports=(target.port, 1), annotations=hints))
        settings = configuration(grpc_backend, {}, signals=("metrics", "logs"), discovery={"enabled": True})
        holdfast = start(settings, environment=api.environment)
        until(lambda: "answers" in points(grpc_backend), holdfast.log)
        assert points(grpc_backend)["answers"][0]["service.name"] == "asked"
        assert logged(holdfast, "starting receiver") == 1

    def test_a_pod_asks_for_its_logs_and_for_nothing_else(self, api, start, grpc_backend, tmp_path):
        hints = {
            f"{self.DISCOVERY}.logs/enabled": "true",
            f"{self.DISCOVERY}.logs/config": "include: [/etc/passwd]\nmax_log_size: 2MiB\n",
        }
        api.put("pods", "app-1", **running(annotations=hints))
        hints = {
            f"{self.DISCOVERY}.metrics/enabled": "true",
            f"{self.DISCOVERY}.metrics/scraper": "kubeletstats",
            f"{self.DISCOVERY}.metrics/config": "endpoint: http://169.254.169.254/",
        }
        api.put("pods", "app-2", **running("app-2", uid="uid-2", ports=(80,), annotations=hints))
        hints = {**hints, f"{self.DISCOVERY}.metrics/config": "endpoint: '`endpoint`/`env(\"HOME\")`'"}
        api.put("pods", "app-3", **running("app-3", uid="uid-3", ports=(80,), annotations=hints))
        settings = configuration(grpc_backend, {}, signals=("metrics", "logs"), discovery={"enabled": True})
        holdfast = start(settings, environment=api.environment)
        holdfast.wait_for_log("file_log/uid-1_app")
        holdfast.wait_for_log("not that of the pod")
        holdfast.wait_for_log("a function is not known")
        assert logged(holdfast, "starting receiver") == 1
        assert bodies(grpc_backend) == []


class TestConfiguration:
    @pytest.mark.parametrize(
        "template, words",
        [
            ({"config": {}}, "rule: required"),
            ({"rule": "port == 1", "config": {}}, "begins with type =="),
            ({"rule": 'type == "cow"', "config": {}}, '"hostport"'),
            ({"rule": 'type == "pod" && (', "config": {}}, "rule"),
            ({"rule": 'type == "pod"', "config": {"inclide": ["/x"]}}, 'did you mean "include"'),
            ({"rule": 'type == "pod"', "config": {"inclide": ["`name`"]}}, 'did you mean "include"'),
            ({"rule": 'type == "pod"', "config": {"include": ["/x"], "poll_interval": "soon"}}, "poll_interval"),
            ({"rule": 'type == "pod"', "config": {"include": ["`name`"], "poll_interval": "soon"}}, "poll_interval"),
            ({"rule": 'type == "pod"', "config": {"include": ["`name"]}}, "backtick"),
            ({"rule": 'type == "pod"', "config": {"include": ["``"]}}, "empty"),
            ({"rule": 'type == "pod"'}, "include"),
            ({"rule": 'type == "pod"', "config": {"include": ["/x"]}, "resource_attributes": {"a": "`(`"}}, "a:"),
        ],
    )
    def test_mistakes_are_named(self, grpc_backend, tmp_path, template, words):
        path = tmp_path / "config.yaml"
        path.write_text(yaml.safe_dump(configuration(grpc_backend, {"filelog": template})))
        result = run("validate", "--config", str(path))
        assert result.returncode != 0
        assert "receiver_creator" in result.stderr + result.stdout and words in result.stderr + result.stdout

    @pytest.mark.parametrize(
        "change, words",
        [
            ({"watch_observers": ["nobody"]}, "nobody"),
            ({"watch_observers": ["file_storage"]}, "is no observer"),
            ({"receivers": {"fileolg": {"rule": 'type == "pod"'}}}, 'did you mean "filelog"'),
            ({"resource_attributes": {"cow": {}}}, "cow"),
        ],
    )
    def test_mistakes_of_the_whole(self, grpc_backend, tmp_path, change, words):
        settings = configuration(grpc_backend, {"nop": {"rule": 'type == "pod"'}})
        settings["extensions"]["file_storage"] = {"directory": str(tmp_path)}
        settings["service"]["extensions"].append("file_storage")
        settings["receivers"]["receiver_creator"].update(change)
        path = tmp_path / "config.yaml"
        path.write_text(yaml.safe_dump(settings))
        result = run("validate", "--config", str(path))
        assert result.returncode != 0 and words in result.stderr + result.stdout

