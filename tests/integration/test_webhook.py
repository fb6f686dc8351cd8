"""`holdfast webhook`: pods that ask for a sidecar get one; no pod is ever kept from starting."""

import itertools
import json
import os

import pytest
import yaml

from support.holdfast import run
from support.waiting import until
from support.webhook import CONFIG, OWN, env, pod, sidecar, start_api, start_with_files


@pytest.fixture
def api(ending, tmp_path):
    return start_api(ending, tmp_path)


@pytest.fixture
def webhook(ending, tmp_path, api):
    """webhook(*arguments) -> a running one with certificate files."""
    count = itertools.count(1)
    return lambda *arguments: start_with_files(ending, tmp_path / f"webhook{next(count)}", api, *arguments)


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
