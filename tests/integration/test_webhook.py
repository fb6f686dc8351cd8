"""`holdfast webhook`: pods that ask for a sidecar get one; no pod is ever kept from starting."""

import base64
import json
import os
import socket
import ssl
import subprocess

import pytest
import requests
import yaml

from support.certificates import Authority
from support.holdfast import BINARY, run
from support.kubernetes import KubernetesApi, patched, service_account
from support.ports import free_port
from support.waiting import until

CONFIG = "receivers: {otlp: {protocols: {http: {endpoint: localhost:4318}}}}\n"
OWN = "observability"
# Before the webhook has made its certificate there is nothing to verify it by.
pytestmark = pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning")


class Webhook:
    """A running webhook, asked as the API server asks."""

    def __init__(self, directory, api, arguments=(), ca=None):
        self.directory, self.api, self.ca = directory, api, ca
        self.directory.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.arguments = ["--listen", f"127.0.0.1:{self.port}", "--namespace", OWN, *map(str, arguments)]
        self.log_path = directory / "log"
        self.process = None
        self.session = requests.Session()

    def start(self):
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [BINARY, "webhook", *self.arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.directory,
                env={**os.environ, **self.api.environment, "TMPDIR": str(self.directory)},
            )
        until(self.is_up, lambda: f"the webhook does not answer: {self.log()}")
        return self

    def is_up(self):
        assert self.process.poll() is None, self.log()
        try:
            return self.get("/healthz").text == "ok"
        except requests.ConnectionError:
            return False

    def log(self):
        return self.log_path.read_text()

    def get(self, path, method="GET", **options):
        verify = str(self.ca) if self.ca and self.ca.exists() else False
        url = f"https://localhost:{self.port}{path}"
        return self.session.request(method, url, timeout=10, verify=verify, **options)

    def review(self, pod, namespace="shop", **request):
        """The answer to the review of a pod that is made."""
        body = {
            "apiVersion": "admission.k8s.io/v1",
            "kind": "AdmissionReview",
            "request": {
                "uid": "705ab4f5-6393-11e8-b7cc-42010a800002",
                "kind": {"group": "", "version": "v1", "kind": "Pod"},
                "resource": {"group": "", "version": "v1", "resource": "pods"},
                "namespace": namespace,
                "operation": "CREATE",
                "userInfo": {"username": "admin"},
                "object": pod,
                "oldObject": None,
                "dryRun": False,
                **request,
            },
        }
        answer = self.get("/mutate?timeout=5s", "POST", json=body)
        assert answer.status_code == 200, answer.text
        found = answer.json()
        assert (found["apiVersion"], found["kind"]) == ("admission.k8s.io/v1", "AdmissionReview")
        response = found["response"]
        assert response["uid"] == body["request"]["uid"]
        assert response["allowed"] is True
        assert ("patch" in response) == (response.get("patchType") == "JSONPatch")
        return response

    def mutate(self, pod, namespace="shop"):
        """(the pod as it would be made, warnings)"""
        response = self.review(pod, namespace)
        patch = json.loads(base64.b64decode(response["patch"])) if "patch" in response else []
        return patched(pod, patch), response.get("warnings", [])

    def stop(self):
        self.session.close()
        if self.process and self.process.poll() is None:
            self.process.terminate()
            assert self.process.wait(20) == 0, self.log()


@pytest.fixture
def api(ending, tmp_path):
    authority = Authority(tmp_path / "ca")
    api = ending.enter_context(KubernetesApi(authority.issue("kubernetes"), {"first-token"}))
    api.environment = service_account(tmp_path / "account", api, authority)
    api.authority = authority
    for name in ("shop", OWN, "kube-system", "other"):
        api.put("namespaces", name, None)
    api.put("configmaps", "holdfast-sidecar", "shop", data={"relay.yaml": CONFIG})
    return api


@pytest.fixture
def webhook(ending, tmp_path, api):
    """webhook(*arguments) -> a running one with certificate files."""
    certificate, key = api.authority.issue("webhook")
    count = 0

    def make(*arguments):
        nonlocal count
        count += 1
        made = Webhook(
            tmp_path / f"webhook{count}",
            api,
            ["--cert-file", certificate, "--key-file", key, *arguments],
            api.authority.certificate,
        )
        ending.callback(made.stop)
        return made.start()

    return make


def pod(wish=None, annotation="sidecar.otel.io/inject", **spec):
    annotations = {} if wish is None else {annotation: wish}
    spec.setdefault("containers", [{"name": "app", "image": "myapp:latest"}])
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "my-app", **({"annotations": annotations} if annotations else {})},
        "spec": spec,
    }


def sidecar(found):
    """The injected container, wherever it is; None without."""
    everywhere = found["spec"].get("initContainers", []) + found["spec"]["containers"]
    return next((one for one in everywhere if one["name"] == "holdfast"), None)


def env(container):
    return {one["name"]: one.get("value", one.get("valueFrom")) for one in container.get("env", [])}


class TestWish:
    @pytest.mark.parametrize(
        "annotation",
        ["sidecar.otel.io/inject", "sidecar.opentelemetry.io/inject", "sidecar.holdfast.dev/inject"],
    )
    def test_each_annotation_asks(self, webhook, annotation):
        found, warnings = webhook().mutate(pod("true", annotation))
        assert sidecar(found)
        assert not warnings

    def test_pod_and_namespace(self, webhook, api):
        running = webhook()
        assert sidecar(running.mutate(pod())[0]) is None
        assert sidecar(running.mutate(pod("false"))[0]) is None
        api.put("namespaces", "shop", None, metadata={"annotations": {"sidecar.opentelemetry.io/inject": "true"}})
        assert sidecar(running.mutate(pod())[0])
        assert sidecar(running.mutate(pod("False"))[0]) is None
        api.put("namespaces", "shop", None, metadata={"annotations": {"sidecar.otel.io/inject": "false"}})
        assert sidecar(running.mutate(pod())[0]) is None
        assert sidecar(running.mutate(pod("true"))[0])

    def test_never_itself_nor_the_system(self, webhook, api):
        running = webhook()
        for namespace in (OWN, "kube-system"):
            api.put("configmaps", "holdfast-sidecar", namespace, data={"relay.yaml": CONFIG})
            found, warnings = running.mutate(pod("true"), namespace)
            assert sidecar(found) is None
            assert not warnings

    def test_other_reviews_change_nothing(self, webhook):
        running = webhook()
        for change in (
            {"operation": "UPDATE"},
            {"subResource": "ephemeralcontainers"},
            {"kind": {"group": "apps", "version": "v1", "kind": "Deployment"}},
            {"object": None},
        ):
            assert "patch" not in running.review(pod("true"), **change)

    def test_what_is_no_review(self, webhook):
        running = webhook()
        assert running.get("/mutate", "POST", data="{").status_code == 400
        assert running.get("/mutate", "POST", json={"kind": "Pod"}).status_code == 400
        assert running.get("/mutate").status_code == 405
        assert running.get("/other").status_code == 404
        assert sidecar(running.mutate(pod("true"))[0]), "it goes on"


class TestConfiguration:
    def test_a_config_map_of_the_namespace_is_mounted_and_watched(self, webhook):
        found, _ = webhook().mutate(pod("true"))
        container = sidecar(found)
        assert "--config=/conf/relay.yaml" in container["args"]
        assert "--watch" in container["args"]
        volumes = {one["name"]: one for one in found["spec"]["volumes"]}
        assert volumes["holdfast-config"]["configMap"]["name"] == "holdfast-sidecar"
        assert found["metadata"]["annotations"]["sidecar.holdfast.dev/injected"] == "ConfigMap shop/holdfast-sidecar"

    def test_one_by_name(self, webhook, api):
        api.put("configmaps", "mine", "shop", data={"any.yaml": CONFIG})
        api.put("configmaps", "shared", OWN, data={"config.yaml": CONFIG})
        api.put("configmaps", "secret", "other", data={"config.yaml": CONFIG})
        running = webhook()
        assert "--config=/conf/any.yaml" in sidecar(running.mutate(pod("mine"))[0])["args"]
        shared = sidecar(running.mutate(pod(f"{OWN}/shared"))[0])
        assert "--config=env:OTEL_CONFIG" in shared["args"]
        assert env(shared)["OTEL_CONFIG"] == CONFIG
        for name in ("other/secret", "nothing", "../secrets", "a/b/c", "Not_a_name"):
            found, warnings = running.mutate(pod(name))
            assert sidecar(found) is None, name
            assert len(warnings) == 1, name

    def test_one_written_in_the_annotation(self, webhook):
        asking = pod("true")
        asking["metadata"]["annotations"]["sidecar.holdfast.dev/config"] = CONFIG
        assert env(sidecar(webhook().mutate(asking)[0]))["OTEL_CONFIG"] == CONFIG

    def test_a_collector_of_the_operator(self, webhook, api):
        config = {"receivers": {"otlp": {}}, "exporters": {"debug": {"verbosity": "basic"}}}
        spec = {
            "mode": "sidecar",
            "config": config,
            "env": [{"name": "REGION", "value": "x"}],
            "resources": {"limits": {"memory": "64Mi"}},
        }
        api.put("opentelemetrycollectors", "side", "shop", spec=spec)
        api.put("opentelemetrycollectors", "gateway", "shop", spec={"mode": "deployment", "config": config})
        running = webhook()
        for wish in ("true", "side"):
            container = sidecar(running.mutate(pod(wish))[0])
            assert yaml.safe_load(env(container)["OTEL_CONFIG"]) == config
            assert env(container)["REGION"] == "x"
            assert container["resources"] == {"limits": {"memory": "64Mi"}}
        assert sidecar(running.mutate(pod("gateway"))[0]) is None
        api.put("opentelemetrycollectors", "second", "shop", spec=spec)
        found, warnings = running.mutate(pod("true"))
        assert sidecar(found) is None
        assert "2 OpenTelemetryCollectors" in warnings[0]

    def test_the_webhooks_own(self, webhook, api, tmp_path):
        api.delete("configmaps", "holdfast-sidecar")
        found, warnings = webhook().mutate(pod("true"))
        assert sidecar(found) is None
        assert "no ConfigMap" in warnings[0]
        settings = tmp_path / "settings.json"
        settings.write_text(
            json.dumps(
                {
                    "image": "registry/holdfast:1",
                    "config": CONFIG,
                    "queueSize": "1Gi",
                    "container": {"resources": {"limits": {"cpu": "1"}}, "env": [{"name": "A", "value": "b"}]},
                }
            )
        )
        found, _ = webhook("--settings", settings).mutate(pod("true"))
        container = sidecar(found)
        assert env(container)["OTEL_CONFIG"] == CONFIG
        assert env(container)["A"] == "b"
        assert container["image"] == "registry/holdfast:1"
        assert container["resources"] == {"limits": {"cpu": "1"}}
        assert found["spec"]["volumes"][0]["emptyDir"]["sizeLimit"] == "1Gi"

    def test_the_shipped_program_runs_what_is_injected(self, webhook, api, tmp_path):
        """Its arguments, variables and configuration are such that the program takes them."""
        text = "receivers: {nop: {}}\nexporters: {nop: {}}\nservice: {pipelines: {logs: {receivers: [nop], exporters: [nop]}}}\n"
        asking = pod("true")
        asking["metadata"]["annotations"]["sidecar.holdfast.dev/config"] = text
        container = sidecar(webhook().mutate(asking)[0])
        words = [one for one in container["args"] if one.startswith("--config")]
        assert run("validate", *words, env={**os.environ, "OTEL_CONFIG": env(container)["OTEL_CONFIG"]}).returncode == 0

    def test_an_api_that_is_away_keeps_no_pod_from_starting(self, webhook, api):
        running = webhook()
        api.stop()
        for wish in ("true", None):
            found, warnings = running.mutate(pod(wish))
            assert sidecar(found) is None
            assert len(warnings) == 1
        api.start()
        until(lambda: sidecar(running.mutate(pod("true"))[0]), "the API is back")


class TestContainer:
    def test_native_where_the_cluster_has_them(self, webhook, api):
        first = {"name": "migrate", "image": "m"}
        found, _ = webhook().mutate(pod("true", initContainers=[first]))
        assert [one["name"] for one in found["spec"]["initContainers"]] == ["holdfast", "migrate"]
        assert sidecar(found)["restartPolicy"] == "Always"
        assert "startupProbe" in sidecar(found)
        assert [one["name"] for one in found["spec"]["containers"]] == ["app"]
        api.minor = "28"
        found, _ = webhook().mutate(pod("true", initContainers=[first]))
        assert [one["name"] for one in found["spec"]["initContainers"]] == ["migrate"]
        assert [one["name"] for one in found["spec"]["containers"]] == ["app", "holdfast"]
        assert "restartPolicy" not in sidecar(found)

    def test_what_the_container_has(self, webhook):
        container = sidecar(webhook("--image", "holdfast:x").mutate(pod("true"))[0])
        assert container["image"] == "holdfast:x"
        security = container["securityContext"]
        assert security["runAsUser"] not in (0, 1337)
        assert security["readOnlyRootFilesystem"] is True
        assert security["capabilities"] == {"drop": ["ALL"]}
        assert env(container)["HOLDFAST_EPHEMERAL"] == "1"
        assert {"name": "holdfast-queue", "mountPath": "/var/lib/holdfast"} in container["volumeMounts"]
        assert "--data-dir=/var/lib/holdfast" in container["args"]
        assert container["livenessProbe"]["httpGet"] == {"path": "/", "port": 13133}

    def test_a_second_call_changes_nothing(self, webhook):
        running = webhook()
        once, _ = running.mutate(pod("true"))
        assert "patch" not in running.review(once)

    def test_a_job_ends(self, webhook, api):
        owned = pod("true")
        owned["metadata"]["ownerReferences"] = [{"kind": "Job", "name": "once"}]
        assert sidecar(webhook().mutate(owned)[0])["restartPolicy"] == "Always"
        api.minor = "28"
        found, warnings = webhook().mutate(owned)
        assert sidecar(found) is None
        assert "Job" in warnings[0]

    def test_not_with_the_network_of_the_node(self, webhook):
        found, warnings = webhook().mutate(pod("true", hostNetwork=True))
        assert sidecar(found) is None
        assert "hostNetwork" in warnings[0]

    def test_the_variables_of_sdks(self, webhook):
        asking = pod(
            "true",
            containers=[
                {"name": "app", "image": "a"},
                {
                    "name": "own",
                    "image": "b",
                    "env": [
                        {"name": "OTEL_EXPORTER_OTLP_ENDPOINT", "value": "http://elsewhere:4317"},
                        {"name": "OTEL_SERVICE_NAME", "value": "mine"},
                    ],
                },
            ],
        )
        asking["metadata"]["labels"] = {"app": "web"}
        found, _ = webhook().mutate(asking)
        first, second = (env(one) for one in found["spec"]["containers"])
        assert first["OTEL_EXPORTER_OTLP_ENDPOINT"] == "http://localhost:4318"
        assert first["OTEL_EXPORTER_OTLP_PROTOCOL"] == "http/protobuf"
        assert first["OTEL_SERVICE_NAME"] == "web"
        assert "k8s.pod.name=$(HOLDFAST_POD_NAME)" in first["OTEL_RESOURCE_ATTRIBUTES"]
        assert "k8s.namespace.name=shop" in first["OTEL_RESOURCE_ATTRIBUTES"]
        names = [one["name"] for one in found["spec"]["containers"][0]["env"]]
        assert names.index("HOLDFAST_POD_NAME") < names.index("OTEL_RESOURCE_ATTRIBUTES")
        assert second["OTEL_EXPORTER_OTLP_ENDPOINT"] == "http://elsewhere:4317"
        assert "OTEL_EXPORTER_OTLP_PROTOCOL" not in second
        assert second["OTEL_SERVICE_NAME"] == "mine"
        asking["metadata"]["annotations"]["sidecar.holdfast.dev/env"] = "false"
        found, _ = webhook().mutate(asking)
        assert found["spec"]["containers"] == asking["spec"]["containers"]

    def test_the_size_of_the_queue(self, webhook):
        asking = pod("true")
        asking["metadata"]["annotations"]["sidecar.holdfast.dev/queue-size"] = "512Mi"
        found, _ = webhook().mutate(asking)
        assert found["spec"]["volumes"][0]["emptyDir"] == {"sizeLimit": "512Mi"}


def istio(native):
    """A pod as Istio's injector leaves it."""
    proxy = {"name": "istio-proxy", "image": "istio/proxyv2", "securityContext": {"runAsUser": 1337}}
    start = {"name": "istio-init", "image": "istio/proxyv2"}
    app = {"name": "app", "image": "myapp:latest"}
    made = pod(
        "true",
        containers=[app] if native else [proxy, app],
        initContainers=[start, {**proxy, "restartPolicy": "Always"}] if native else [start],
        volumes=[{"name": "istio-envoy", "emptyDir": {"medium": "Memory"}}],
    )
    made["metadata"]["annotations"]["sidecar.istio.io/status"] = "{}"
    return made


class TestIstio:
    def test_behind_its_containers(self, webhook):
        running = webhook()
        found, _ = running.mutate(istio(native=True))
        assert [one["name"] for one in found["spec"]["initContainers"]] == ["istio-init", "istio-proxy", "holdfast"]
        found, _ = running.mutate(istio(native=False))
        assert [one["name"] for one in found["spec"]["initContainers"]] == ["istio-init", "holdfast"]
        assert [one["name"] for one in found["spec"]["containers"]] == ["istio-proxy", "app"]
        assert "env" not in found["spec"]["containers"][0], "the proxy is no application"
        assert found["spec"]["volumes"][0]["name"] == "istio-envoy"

    def test_probes_arrive(self, webhook):
        running = webhook()
        name = "traffic.sidecar.istio.io/excludeInboundPorts"
        assert running.mutate(istio(native=True))[0]["metadata"]["annotations"][name] == "8888,13133"
        asking = istio(native=True)
        asking["metadata"]["annotations"][name] = "9090"
        assert running.mutate(asking)[0]["metadata"]["annotations"][name] == "9090,8888,13133"
        assert name not in running.mutate(pod("true"))[0]["metadata"]["annotations"]

    def test_the_documents_pod(self, webhook):
        """Istio's hook runs after ours: its wish is seen by the annotation."""
        asking = pod("true", "sidecar.opentelemetry.io/inject")
        asking["metadata"]["annotations"]["sidecar.istio.io/inject"] = "true"
        found, _ = webhook().mutate(asking)
        assert sidecar(found)
        assert "traffic.sidecar.istio.io/excludeInboundPorts" in found["metadata"]["annotations"]


class TestCertificate:
    @pytest.fixture
    def hooks(self, api):
        api.put(
            "mutatingwebhookconfigurations",
            "holdfast",
            None,
            webhooks=[
                {"name": "inject.otel.io", "clientConfig": {"service": {"name": "otel-inject-webhook"}}},
                {"name": "second.otel.io", "clientConfig": {"caBundle": "b2xk"}},
            ],
        )

        def bundles():
            made = api.objects["mutatingwebhookconfigurations"]
            return [one["clientConfig"].get("caBundle") for one in next(iter(made.values()))["webhooks"]]

        return bundles

    @pytest.fixture
    def made(self, ending, tmp_path, api):
        count = 0

        def make(*arguments):
            nonlocal count
            count += 1
            webhook = Webhook(tmp_path / f"made{count}", api, ["--configuration", "holdfast", *arguments])
            ending.callback(webhook.stop)
            return webhook.start()

        return make

    @staticmethod
    def served(webhook):
        return ssl.get_server_certificate(("localhost", webhook.port))

    @staticmethod
    def connect(webhook, bundle):
        """A handshake as the API server makes it: by the Service's name and the caBundle."""
        context = ssl.create_default_context(cadata=base64.b64decode(bundle).decode())
        with socket.create_connection(("127.0.0.1", webhook.port), 10) as plain:
            with context.wrap_socket(plain, server_hostname=f"otel-inject-webhook.{OWN}.svc") as secure:
                return secure.version()

    def test_it_is_made_and_its_authority_is_written(self, made, hooks):
        webhook = made()
        bundle = until(lambda: len(set(hooks())) == 1 and hooks()[0], lambda: f"{hooks()} {webhook.log()}")
        assert self.connect(webhook, bundle)
        assert sidecar(webhook.mutate(pod("true"))[0])

    def test_two_replicas_share_it(self, made, hooks):
        first, second = made(), made()
        bundle = until(lambda: len(set(hooks())) == 1 and hooks()[0], lambda: f"{hooks()} {first.log()}")
        assert self.served(first) == self.served(second)
        assert self.connect(first, bundle) and self.connect(second, bundle)

    def test_it_is_renewed_before_it_expires_under_the_same_authority(self, made, hooks):
        webhook = made("--cert-lifetime", "6s")
        old = self.served(webhook)
        bundle = until(lambda: len(set(hooks())) == 1 and hooks()[0], lambda: f"{hooks()} {webhook.log()}")
        until(lambda: self.served(webhook) != old, lambda: f"another certificate: {webhook.log()}", 30)
        assert hooks()[0] == bundle
        assert self.connect(webhook, bundle)

    def test_a_bundle_that_was_changed_is_set_again(self, made, hooks, api):
        webhook = made("--cert-lifetime", "12s")
        bundle = until(lambda: len(set(hooks())) == 1 and hooks()[0], lambda: f"{hooks()} {webhook.log()}")
        api.put("mutatingwebhookconfigurations", "holdfast", None, webhooks=[{"name": "a", "clientConfig": {}}])
        until(lambda: hooks() == [bundle], lambda: f"{hooks()} {webhook.log()}")

    def test_it_waits_for_rights(self, ending, tmp_path, api, hooks):
        api.denied = {"secrets"}
        webhook = Webhook(tmp_path / "made", api, ["--configuration", "holdfast"])
        ending.callback(webhook.stop)
        webhook.is_up = lambda: "forbidden" in webhook.log()
        webhook.start()
        del webhook.is_up
        api.denied = set()
        until(webhook.is_up, webhook.log)

    def test_files_that_others_renew(self, webhook, api):
        running = webhook()
        old = self.served(running)
        api.authority.issue("webhook")
        until(lambda: self.served(running) != old, running.log)


class TestCommand:
    def test_wrong_words(self, tmp_path):
        for words in (("--native", "often"), ("--cert-file", "a"), ("--cert-lifetime", "1"), ("word",), ("--what",)):
            assert run("webhook", *words, cwd=tmp_path).returncode == 2, words

    def test_bad_settings(self, tmp_path):
        path = tmp_path / "settings.json"
        for text, says in (
            ("{", "JSON"),
            ("[]", "JSON object"),
            ('{"images": "x"}', "another key"),
            ('{"image": 1}', "a text"),
            ('{"native": "often"}', "always"),
        ):
            path.write_text(text)
            done = run("webhook", "--settings", path, "--namespace", "x", cwd=tmp_path)
            assert done.returncode == 1
            assert says in done.stderr, done.stderr

    def test_outside_of_a_cluster(self, tmp_path):
        done = run("webhook", cwd=tmp_path)
        assert done.returncode == 1
        assert "--namespace" in done.stderr
        done = run("webhook", "--namespace", "x", cwd=tmp_path)
        assert done.returncode == 1
        assert "KUBERNETES_SERVICE_HOST" in done.stderr
