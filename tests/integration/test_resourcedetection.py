"""The detectors of `resourcedetection` against services that answer as their documentation says."""

import contextlib
import http.server
import json
import os
import platform
import socket
import socketserver
import threading

import pytest

from support import otlp, senders
from support.certificates import Authority
from support.holdfast import config, otlp_exporter, run
from support.kubernetes import KubernetesApi, service_account

NOWHERE = "http://127.0.0.1:1"  # nothing listens there: the service is not there
METADATA_VARIABLES = {
    "AWS_EC2_METADATA_SERVICE_ENDPOINT": NOWHERE,
    "AZURE_POD_IDENTITY_AUTHORITY_HOST": NOWHERE,
    "GCE_METADATA_HOST": "127.0.0.1:1",
    "DOCKER_HOST": "tcp://127.0.0.1:1",
    "NO_PROXY": "127.0.0.1,localhost",
}


class Service:
    """Answers GET and PUT by a table of paths: a text, a dict as JSON, or a function of the request."""

    def __init__(self, answers, unix_path=None):
        service = self
        self.answers = answers
        self.seen = []

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                service.seen.append((self.command, self.path))
                answer = service.answers.get((self.command, self.path))
                answer = answer(self) if callable(answer) else answer
                body = json.dumps(answer).encode() if isinstance(answer, dict) else (answer or "").encode()
                self.send_response(404 if answer is None else 200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_PUT = do_GET

            def address_string(self):
                return "client"

            def log_message(self, *_):
                pass

        if unix_path:

            class Unix(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
                daemon_threads = True

            self.server = Unix(str(unix_path), Handler)
        else:
            self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
            self.address = f"127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


def with_header(name, value, answer):
    return lambda request: answer if request.headers.get(name) == value else None


def detected(start, backend, processor, environment, resource=None):
    """The resource attributes that a request has when it comes out."""
    instance = start(
        config({"otlp": otlp_exporter(backend)}, {"resourcedetection": processor}),
        environment={**METADATA_VARIABLES, **environment},
    )
    ids = otlp.new_ids(1)
    request = otlp.request(otlp.LOGS, ids)
    del request.resource_logs[0].resource.attributes[:]
    request.resource_logs[0].resource.attributes.extend(
        otlp.attribute(*pair) for pair in (resource or {}).items()
    )
    assert senders.post(instance.http_base, otlp.LOGS, request).status_code == 200
    backend.wait_for(ids)
    found = otlp.attributes(otlp.resources(otlp.LOGS, backend.requests[-1].message)[0])
    return instance, found


def test_env_reads_its_variable(start, grpc_backend):
    environment = {"OTEL_RESOURCE_ATTRIBUTES": "team=a%2Cb, zone = x+y ,empty="}
    _, found = detected(start, grpc_backend, {}, environment, {"team": "old", "kept": 1})
    assert found == {"team": "a,b", "zone": "x y", "empty": "", "kept": 1}


def test_what_the_resource_has_can_be_kept(start, grpc_backend):
    processor = {"detectors": ["env"], "override": False, "attributes": ["team", "zone"]}
    environment = {"OTEL_RESOURCE_ATTRIBUTES": "team=new,zone=z,other=o"}
    _, found = detected(start, grpc_backend, processor, environment, {"team": "old"})
    assert found == {"team": "old", "zone": "z"}


def test_a_variable_with_garbage_counts_as_none(start, grpc_backend):
    instance, found = detected(start, grpc_backend, {}, {"OTEL_RESOURCE_ATTRIBUTES": "a=1,b"})
    assert found == {}
    instance.wait_for_log("OTEL_RESOURCE_ATTRIBUTES: not a list")
    assert instance.metric("otelcol_resourcedetection_detector_results", outcome="failure") == 1


def test_system_tells_of_the_host(start, grpc_backend):
    names = [
        "host.id",
        "host.arch",
        "host.ip",
        "host.mac",
        "host.interface",
        "host.cpu.vendor.id",
        "host.cpu.model.name",
        "os.description",
        "os.name",
        "os.version",
        "os.build_id",
        "os.build.id",
    ]
    processor = {
        "detectors": ["system"],
        "system": {
            "hostname_sources": ["os"],
            "resource_attributes": {name: {"enabled": True} for name in names},
        },
    }
    _, found = detected(start, grpc_backend, processor, {})
    assert found["host.name"] == socket.gethostname()
    assert found["os.type"] == "linux"
    assert found["host.arch"] == {"x86_64": "amd64", "aarch64": "arm64"}.get(
        platform.machine(), platform.machine()
    )
    assert platform.release() in found["os.description"]
    assert found["os.build_id"] == found["os.build.id"]
    assert "lo" in found["host.interface"]
    assert not {"127.0.0.1", "::1"} & set(found.get("host.ip", []))
    assert all(mac == mac.upper() for mac in found.get("host.mac", []))
    if os.path.exists("/etc/machine-id") and os.path.getsize("/etc/machine-id"):
        with open("/etc/machine-id") as file:
            assert found["host.id"] == file.read().strip()


def test_attributes_can_be_switched_off(start, grpc_backend):
    processor = {"detectors": ["system"], "system": {"resource_attributes": {"os.type": {"enabled": False}}}}
    _, found = detected(start, grpc_backend, processor, {})
    assert set(found) == {"host.name"}


EC2 = {
    ("PUT", "/latest/api/token"): lambda request: "T" if request.headers.get("x-aws-ec2-metadata-token-ttl-seconds") else None,
    ("GET", "/latest/dynamic/instance-identity/document"): {
        "accountId": "123456789012",
        "availabilityZone": "us-west-2b",
        "imageId": "ami-5fb8c835",
        "instanceId": "i-1234567890abcdef0",
        "instanceType": "t2.micro",
        "region": "us-west-2",
        "pendingTime": None,
    },
    ("GET", "/latest/meta-data/hostname"): "ip-10-0-0-1.internal",
    ("GET", "/latest/meta-data/tags/instance"): "Name\nteam/owner\nother",
    ("GET", "/latest/meta-data/tags/instance/Name"): "web-1",
    ("GET", "/latest/meta-data/tags/instance/team%2Fowner"): "core",
}
EC2_TOKENED = {
    key: answer if callable(answer) else with_header("x-aws-ec2-metadata-token", "T", answer)
    for key, answer in EC2.items()
}
ON_EC2 = {
    "cloud.provider": "aws",
    "cloud.platform": "aws_ec2",
    "cloud.account.id": "123456789012",
    "cloud.region": "us-west-2",
    "cloud.availability_zone": "us-west-2b",
    "host.id": "i-1234567890abcdef0",
    "host.image.id": "ami-5fb8c835",
    "host.type": "t2.micro",
    "host.name": "ip-10-0-0-1.internal",
}


def test_ec2_asks_with_a_token(start, grpc_backend):
    with Service(EC2_TOKENED) as service:
        environment = {"AWS_EC2_METADATA_SERVICE_ENDPOINT": f"http://{service.address}"}
        processor = {"detectors": ["ec2"], "ec2": {"tags": ["^Name$", "^team"]}}
        _, found = detected(start, grpc_backend, processor, environment)
    assert found == {**ON_EC2, "ec2.tag.Name": "web-1", "ec2.tag.team/owner": "core"}


def test_the_first_detector_that_knows_an_attribute_has_it(start, grpc_backend):
    with Service(EC2_TOKENED) as service:
        environment = {"AWS_EC2_METADATA_SERVICE_ENDPOINT": f"http://{service.address}"}
        _, found = detected(start, grpc_backend, {"detectors": ["system", "ec2"]}, environment)
    assert found == {**ON_EC2, "host.name": found["host.name"], "os.type": "linux"}
    assert found["host.name"] != ON_EC2["host.name"]


def test_eks_is_known_by_its_token_file(start, grpc_backend):
    environment = {
        "KUBERNETES_SERVICE_HOST": "127.0.0.1",
        "KUBERNETES_SERVICE_PORT": "1",
        "AWS_WEB_IDENTITY_TOKEN_FILE": "/var/run/secrets/eks.amazonaws.com/serviceaccount/token",
    }
    _, found = detected(start, grpc_backend, {"detectors": ["eks"]}, environment)
    assert found == {"cloud.provider": "aws", "cloud.platform": "aws_eks"}


def test_the_kubernetes_api_tells_of_the_node_and_the_cluster(start, grpc_backend, tmp_path):
    authority = Authority(tmp_path / "ca")
    with KubernetesApi(authority.issue("kubernetes"), {"first-token"}) as api:
        api.put("nodes", "node-1", None, metadata={"uid": "node-uid"}, status={"nodeInfo": {"machineID": "m-1"}})
        api.put("namespaces", "kube-system", None, metadata={"uid": "cluster-uid"})
        api.put("configmaps", "kubeadm-config", "kube-system", data={"ClusterConfiguration": "a: b\nclusterName: prod\n"})
        environment = {**service_account(tmp_path / "account", api, authority), "K8S_NODE_NAME": "node-1"}
        processor = {"detectors": ["k8snode", "kubeadm"], "k8snode": {"resource_attributes": {"host.id": {"enabled": True}}}}
        _, found = detected(start, grpc_backend, processor, environment)
    assert found == {
        "host.id": "m-1",
        "k8s.node.name": "node-1",
        "k8s.node.uid": "node-uid",
        "k8s.cluster.uid": "cluster-uid",
        "k8s.cluster.name": "prod",
    }


def test_ecs_tells_of_the_task_and_its_logs(start, grpc_backend):
    def container(name, **more):
        return {
            "DockerId": name,
            "Type": "NORMAL",
            "KnownStatus": "RUNNING",
            "LogDriver": "awslogs",
            "LogOptions": {"awslogs-group": f"/{name}", "awslogs-region": "r", "awslogs-stream": f"s/{name}"},
            **more,
        }

    task = {
        "Cluster": "default",
        "TaskARN": "arn:aws:ecs:us-east-1:1234:task/default/abc",
        "Family": "web",
        "Revision": "7",
        "LaunchType": "FARGATE",
        "AvailabilityZone": "us-east-1a",
        "Containers": [container("self"), container("app"), container("old", KnownStatus="STOPPED")],
    }
    answers = {("GET", "/v4/x/task"): task, ("GET", "/v4/x"): container("self")}
    with Service(answers) as service:
        environment = {"ECS_CONTAINER_METADATA_URI_V4": f"http://{service.address}/v4/x"}
        _, found = detected(start, grpc_backend, {"detectors": ["ecs"]}, environment)
    assert found == {
        "cloud.provider": "aws",
        "cloud.platform": "aws_ecs",
        "cloud.account.id": "1234",
        "cloud.region": "us-east-1",
        "cloud.availability_zone": "us-east-1a",
        "aws.ecs.cluster.arn": "arn:aws:ecs:us-east-1:1234:cluster/default",
        "aws.ecs.task.arn": task["TaskARN"],
        "aws.ecs.task.family": "web",
        "aws.ecs.task.revision": "7",
        "aws.ecs.task.id": "abc",
        "aws.ecs.launchtype": "fargate",
        "aws.log.group.names": ["/app"],
        "aws.log.group.arns": ["arn:aws:logs:r:1234:log-group:/app"],
        "aws.log.stream.names": ["s/app"],
        "aws.log.stream.arns": ["arn:aws:logs:r:1234:log-group:/app:log-stream:s/app"],
    }


GCE = {
    "project/project-id": "my-project",
    "instance/id": "42",
    "instance/name": "vm-1",
    "instance/hostname": "vm-1.c.my-project.internal",
    "instance/zone": "projects/1/zones/us-central1-a",
    "instance/machine-type": "projects/1/machineTypes/n1-standard-1",
    "instance/attributes/created-by": "projects/1/zones/us-central1-a/instanceGroupManagers/group-1",
}
GKE = {
    **GCE,
    "instance/attributes/cluster-location": "us-central1",
    "instance/attributes/cluster-name": "cluster-1",
}


@pytest.mark.parametrize(
    "values, environment, wanted",
    [
        (
            GCE,
            {},
            {
                "cloud.platform": "gcp_compute_engine",
                "cloud.region": "us-central1",
                "cloud.availability_zone": "us-central1-a",
                "host.id": "42",
                "host.name": "vm-1",
                "host.type": "projects/1/machineTypes/n1-standard-1",
                "gcp.gce.instance_group_manager.name": "group-1",
                "gcp.gce.instance_group_manager.zone": "us-central1-a",
            },
        ),
        (
            GKE,
            {"KUBERNETES_SERVICE_HOST": "127.0.0.1"},
            {
                "cloud.platform": "gcp_kubernetes_engine",
                "cloud.region": "us-central1",
                "k8s.cluster.name": "cluster-1",
                "host.id": "42",
                "host.name": "vm-1",
            },
        ),
        (
            {**GCE, "instance/region": "projects/1/regions/europe-west1"},
            {"K_CONFIGURATION": "c", "K_SERVICE": "s", "K_REVISION": "r"},
            {
                "cloud.platform": "gcp_cloud_run",
                "cloud.region": "europe-west1",
                "faas.name": "s",
                "faas.version": "r",
                "faas.instance": "42",
            },
        ),
    ],
)
def test_gcp_tells_its_platforms_apart(start, grpc_backend, values, environment, wanted):
    answers = {
        ("GET", f"/computeMetadata/v1/{path}"): with_header("Metadata-Flavor", "Google", value)
        for path, value in values.items()
    }
    with Service(answers) as service:
        _, found = detected(
            start,
            grpc_backend,
            {"detectors": ["gcp"]},
            {"GCE_METADATA_HOST": service.address, **environment},
        )
    assert found == {"cloud.provider": "gcp", "cloud.account.id": "my-project", **wanted}


def test_azure_tells_of_the_machine(start, grpc_backend):
    compute = {
        "location": "westeurope",
        "name": "vm",
        "vmId": "id-1",
        "vmSize": "Standard_B2s",
        "subscriptionId": "sub",
        "resourceGroupName": "group",
        "vmScaleSetName": "",
        "zone": "1",
        "osProfile": {"computerName": "computer"},
        "tagsList": [{"name": "env", "value": "prod"}, {"name": "secret", "value": "x"}],
    }
    path = "/metadata/instance/compute?api-version=2020-09-01&format=json"
    with Service({("GET", path): with_header("Metadata", "true", compute)}) as service:
        environment = {"AZURE_POD_IDENTITY_AUTHORITY_HOST": f"http://{service.address}"}
        processor = {"detectors": ["azure"], "azure": {"tags": ["^env$"]}}
        _, found = detected(start, grpc_backend, processor, environment)
    assert found == {
        "cloud.provider": "azure",
        "cloud.platform": "azure.vm",
        "cloud.region": "westeurope",
        "cloud.account.id": "sub",
        "host.id": "id-1",
        "host.name": "computer",
        "azure.vm.name": "vm",
        "azure.vm.size": "Standard_B2s",
        "azure.resourcegroup.name": "group",
        "azure.tag.env": "prod",
    }


@pytest.mark.parametrize(
    ("group", "cluster"), [("MC_shop_prod_westeurope", "prod"), ("own-name", "own-name"), ("MC_a_b_c_d", "MC_a_b_c_d")]
)
def test_aks_is_azure_with_kubernetes(start, grpc_backend, group, cluster):
    path = "/metadata/instance/compute?api-version=2020-09-01&format=json"
    with Service({("GET", path): with_header("Metadata", "true", {"resourceGroupName": group})}) as service:
        environment = {
            "AZURE_POD_IDENTITY_AUTHORITY_HOST": f"http://{service.address}",
            "KUBERNETES_SERVICE_HOST": "127.0.0.1",
        }
        attributes = {"k8s.cluster.name": {"enabled": True}}
        processor = {"detectors": ["aks"], "aks": {"resource_attributes": attributes}}
        _, found = detected(start, grpc_backend, processor, environment)
    assert found == {"cloud.provider": "azure", "cloud.platform": "azure.aks", "k8s.cluster.name": cluster}


def test_the_node_is_known_without_the_right_to_read_the_cluster(start, grpc_backend, tmp_path):
    authority = Authority(tmp_path / "ca")
    with KubernetesApi(authority.issue("kubernetes"), {"first-token"}) as api:
        api.put("nodes", "node-1", None, metadata={"uid": "node-uid"})
        environment = {**service_account(tmp_path / "account", api, authority), "K8S_NODE_NAME": "node-1"}
        _, found = detected(start, grpc_backend, {"detectors": ["k8s_api"]}, environment)
    assert found == {"k8s.node.name": "node-1", "k8s.node.uid": "node-uid"}


def test_consul_tells_of_its_node_and_what_was_chosen_of_its_metadata(start, grpc_backend):
    agent = {
        "Config": {"NodeName": "node-1", "Datacenter": "dc1", "NodeID": "id-1"},
        "Meta": {"rack": "r1", "secret": "x"},
    }
    answers = {("GET", "/v1/agent/self?dc=dc1&ns=shop"): with_header("X-Consul-Token", "T", agent)}
    with Service(answers) as service:
        section = {"address": service.address, "datacenter": "dc1", "namespace": "shop", "token": "T", "meta": {"rack": "", "zone": None}}
        _, found = detected(start, grpc_backend, {"detectors": ["consul"], "consul": section}, {})
    assert found == {"host.name": "node-1", "cloud.region": "dc1", "host.id": "id-1", "rack": "r1"}


def test_a_clouds_metadata_service_is_asked_at_its_address(start, grpc_backend):
    base = "http://169.254.169.254/hetzner/v1/metadata/"
    answers = {("GET", base + path): text for path, text in {"hostname": "web", "instance-id": "9", "region": "eu"}.items()}
    with Service(answers) as proxy:
        environment = {"HTTP_PROXY": f"http://{proxy.address}"}
        _, found = detected(start, grpc_backend, {"detectors": ["vultr", "hetzner"]}, environment)
    assert found == {"cloud.provider": "hetzner", "host.name": "web", "host.id": "9", "cloud.region": "eu"}


def test_openshift_tells_of_its_infrastructure(start, grpc_backend, tmp_path):
    authority = Authority(tmp_path / "ca")
    with KubernetesApi(authority.issue("kubernetes"), {"first-token"}) as api:
        platform_status = {"type": "AWS", "aws": {"region": "eu-west-1"}}
        status = {"infrastructureName": "shop-x2", "platformStatus": platform_status}
        api.put("infrastructures", "cluster", None, status=status)
        environment = service_account(tmp_path / "account", api, authority)
        _, found = detected(start, grpc_backend, {"detectors": ["openshift"]}, environment)
    assert found == {
        "cloud.provider": "aws",
        "cloud.platform": "aws_openshift",
        "cloud.region": "eu-west-1",
        "k8s.cluster.name": "shop-x2",
    }


def test_docker_is_asked_over_its_socket(start, grpc_backend, tmp_path):
    answers = {
        ("GET", "/info"): {"OSType": "linux", "Name": "docker-host"},
        ("GET", f"/containers/{socket.gethostname()}/json"): {"Name": "/web", "Config": {"Image": "nginx:1"}},
    }
    with contextlib.chdir(tmp_path), Service(answers, "docker.sock"):
        processor = {
            "detectors": ["docker"],
            "docker": {
                "resource_attributes": {
                    name: {"enabled": True} for name in ("container.name", "container.image.name")
                }
            },
        }
        environment = {"DOCKER_HOST": f"unix://{tmp_path}/docker.sock"}
        _, found = detected(start, grpc_backend, processor, environment)
    assert found == {
        "os.type": "linux",
        "host.name": "docker-host",
        "container.name": "web",
        "container.image.name": "nginx:1",
    }


def test_services_that_are_not_there_add_nothing(start, grpc_backend):
    everywhere = ["env", "docker", "ec2", "ecs", "eks", "gcp", "azure", "k8snode", "k8s_api", "kubeadm"]
    instance, found = detected(start, grpc_backend, {"detectors": everywhere, "timeout": "2s"}, {})
    assert found == {}
    instance.wait_for_log("detector ec2: not here")


def test_a_service_that_hangs_does_not_hold_the_start(start, grpc_backend):
    asked, end = threading.Event(), threading.Event()

    def hang(_):
        asked.set()
        end.wait(60)
        return ""

    with Service({("PUT", "/latest/api/token"): hang}) as service:
        environment = {
            "AWS_EC2_METADATA_SERVICE_ENDPOINT": f"http://{service.address}",
            "OTEL_RESOURCE_ATTRIBUTES": "a=1",
        }
        processor = {"detectors": ["ec2", "env"], "timeout": "500ms"}
        _, found = detected(start, grpc_backend, processor, environment)
        end.set()
    assert asked.is_set()
    assert found == {"a": "1"}


def test_a_service_that_must_be_there_fails_the_start(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text(
        json.dumps(
            {
                "receivers": {"otlp": {"protocols": {"http": {"endpoint": "127.0.0.1:0"}}}},
                "processors": {
                    "resourcedetection": {
                        "detectors": ["ec2"],
                        "timeout": "200ms",
                        "fail_on_missing_metadata": True,
                    }
                },
                "exporters": {"nop": {}},
                "service": {
                    "pipelines": {
                        "logs": {
                            "receivers": ["otlp"],
                            "processors": ["resourcedetection"],
                            "exporters": ["nop"],
                        }
                    },
                    "telemetry": {"metrics": {"level": "none"}},
                },
            }
        )
    )
    done = run(
        "--config", path, "--data-dir", tmp_path / "data", env={**os.environ, **METADATA_VARIABLES}, cwd=tmp_path
    )
    assert done.returncode == 1
    assert "fail_on_missing_metadata" in done.stderr + done.stdout


def test_answers_are_asked_for_again(start, grpc_backend):
    answers = dict(EC2_TOKENED)
    answers["GET", "/latest/meta-data/hostname"] = "first"
    with Service(answers) as service:
        environment = {"AWS_EC2_METADATA_SERVICE_ENDPOINT": f"http://{service.address}"}
        processor = {"detectors": ["ec2"], "refresh_interval": "50ms"}
        instance, found = detected(start, grpc_backend, processor, environment)
        assert found["host.name"] == "first"
        answers["GET", "/latest/meta-data/hostname"] = "second"
        # Two rounds later at the latest the new name is known.
        rounds = instance.metric("otelcol_resourcedetection_detector_results", outcome="success")
        instance.wait_metric("otelcol_resourcedetection_detector_results", rounds + 2, outcome="success")
        ids = otlp.new_ids(1)
        assert senders.post(instance.http_base, otlp.LOGS, otlp.request(otlp.LOGS, ids)).status_code == 200
        grpc_backend.wait_for(ids)
    message = grpc_backend.requests[-1].message
    assert otlp.attributes(otlp.resources(otlp.LOGS, message)[0])["host.name"] == "second"


@pytest.mark.parametrize(
    "processor, words",
    [
        ({"detectors": ["nowhere"]}, "nowhere"),
        ({"detectors": ["ec2"], "ec2": {"tags": ["("]}}, "ec2.tags[0]"),
        ({"system": {"resource_attributes": {"host.nam": {"enabled": True}}}}, "host.nam"),
        ({"k8snode": {"auth_type": "kubeConfig"}}, "serviceAccount"),
        ({"ibmcloud_vpc": {"protocol": "ftp"}}, "http or https"),
        ({"vultr": {"resource_attributes": {"host.type": {"enabled": True}}}}, "host.type"),
    ],
)
def test_wrong_configurations_are_refused(tmp_path, processor, words):
    path = tmp_path / "config.yaml"
    path.write_text(json.dumps(config({"nop": {}}, {"resourcedetection": processor}) | {"receivers": {"otlp": {"protocols": {"http": {}}}}}))
    done = run("validate", "--config", path)
    assert done.returncode == 1
    assert words in done.stdout + done.stderr
