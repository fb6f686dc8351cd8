"""The chart rendered by helm for every mode and preset, for the oldest and the newest Kubernetes: the API server takes
every object in a strict dry run, Holdfast takes every configuration, and the chart's access rights are those that are
used. `./dev test --real charts` runs it."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from real import helm as real_helm
from real.control_plane import VARIABLE, ControlPlane
from real.control_plane import Refused as ApiRefused
from real.dry_run import DEFINED, assert_taken, assert_valid, configuration_of, define, dry_run, made_by, path_of
from real.helm import NEWEST, OLDEST, Refused, of_kind, workload
from real.schemas import Schemas
from support import chart
from support.holdfast import BINARY, otlp_exporter
from support.waiting import until

SECONDS = 60
VALUES = sorted((chart.CHART / "ci").glob("*-values.yaml"))


@pytest.fixture(scope="module")
def helm(tmp_path_factory):
    return real_helm.Helm(Path(os.environ["HOLDFAST_HELM"]), tmp_path_factory.mktemp("helm"))


@pytest.fixture(scope="module")
def plane(tmp_path_factory):
    with ControlPlane(tmp_path_factory.mktemp("plane"), Path(os.environ[VARIABLE])) as plane:
        define(plane)
        plane.make("/api/v1/namespaces", "restricted", "Namespace", metadata={"labels": RESTRICTED})
        yield plane


@pytest.fixture(scope="module")
def releases():
    return {version: Schemas(version) for version in (OLDEST, NEWEST)}


RESTRICTED = {"pod-security.kubernetes.io/enforce": "restricted"}


# ---- lint and render ----


@pytest.mark.parametrize("path", [None, *VALUES], ids=lambda path: path.stem if path else "default")
def test_lint(helm, path):
    code, out, error = helm.lint(*([path] if path else []))
    assert code == 0, out + error


def assert_known(release, objects):
    """That release of Kubernetes knows every field."""
    assert [error for one in objects for error in release.errors(one)] == []


def test_a_field_of_a_later_release_would_be_seen(helm, plane, releases):
    objects = helm.render(sets=["mode=deployment", "resizePolicy[0].resourceName=cpu", "resizePolicy[0].restartPolicy=NotRequired"])
    assert_known(releases[NEWEST], objects)
    assert_taken(plane, objects)
    assert "resizePolicy" in str([error for one in objects for error in releases[OLDEST].errors(one)])


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
@pytest.mark.parametrize("mode", chart.MODES)
@pytest.mark.parametrize("preset", [None, *chart.PRESETS])
def test_every_mode_and_preset(helm, plane, releases, tmp_path, mode, preset, version):
    sets = [f"mode={mode}", *([f"presets.{chart.switch(preset)}.enabled=true"] if preset else [])]
    objects = helm.render(sets=sets, version=version)
    assert_known(releases[version], objects)
    assert_taken(plane, objects)
    assert_valid(objects, tmp_path)


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
@pytest.mark.parametrize("path", VALUES, ids=lambda path: path.stem)
def test_values_files(helm, plane, releases, tmp_path, path, version):
    objects = helm.render([path], version=version)
    assert_known(releases[version], [one for one in objects if one["kind"] not in DEFINED])
    assert_taken(plane, objects)
    assert_valid(objects, tmp_path)


def webhook_objects(helm, *sets, mode="deployment"):
    objects = helm.render(sets=[f"mode={mode}", "webhook.enabled=true", *sets])
    return {one["kind"]: one for one in objects if one["metadata"]["name"].endswith(("-webhook", "inject-webhook"))}


def test_the_webhook_fails_open_and_leaves_its_own_namespace_alone(helm, tmp_path):
    objects = webhook_objects(helm)
    (hook,) = objects["MutatingWebhookConfiguration"]["webhooks"]
    assert hook["failurePolicy"] == "Ignore"
    (apart,) = hook["namespaceSelector"]["matchExpressions"]
    assert apart["operator"] == "NotIn"
    assert {"kube-system", "default"} <= set(apart["values"])
    assert objects["Service"]["metadata"]["name"] == hook["clientConfig"]["service"]["name"]
    assert objects["Deployment"]["spec"]["replicas"] == 2
    # The configuration of sidecars sends to the release's own Service.
    settings = json.loads(objects["ConfigMap"]["data"]["settings.json"])
    path = tmp_path / "sidecar.yaml"
    path.write_text(settings["config"])
    done = subprocess.run([BINARY, "validate", "--config", path], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    assert yaml.safe_load(settings["config"])["exporters"]["otlp"]["endpoint"] == "t-holdfast.default.svc:4317"


def test_the_webhook_takes_the_certificate_of_cert_manager(helm, plane):
    objects = webhook_objects(helm, "webhook.certManager.enabled=true", "webhook.certManager.issuerRef.name=mine")
    annotations = objects["MutatingWebhookConfiguration"]["metadata"]["annotations"]
    assert annotations["cert-manager.io/inject-ca-from"] == "default/t-holdfast-webhook"
    assert "otel-inject-webhook.default.svc" in objects["Certificate"]["spec"]["dnsNames"]
    assert "Role" not in objects, "it keeps no Secret"
    assert_taken(plane, objects.values())
    arguments = objects["Deployment"]["spec"]["template"]["spec"]["containers"][0]["args"]
    assert "--cert-file=/tls/tls.crt" in arguments


SECURE = ["mode=statefulset", "tls.enabled=true"]


@pytest.mark.parametrize("clients", [False, True])
def test_receivers_get_the_files_of_a_secret(helm, plane, clients):
    sets = [*SECURE, f"tls.requireClientCertificate={str(clients).lower()}"]
    objects = helm.render(sets=[*sets, "tls.certManager.enabled=true", "tls.certManager.issuerRef.name=mine"])
    assert_taken(plane, objects)
    (certificate,) = of_kind(objects, "Certificate")
    assert {"t-holdfast.default.svc", "*.t-holdfast-headless.default.svc"} <= set(certificate["spec"]["dnsNames"])
    (volume,) = [one for one in pod(objects)["volumes"] if one["name"] == "tls"]
    assert volume["secret"]["secretName"] == certificate["spec"]["secretName"]
    (mount,) = [one for one in pod(objects)["containers"][0]["volumeMounts"] if one["name"] == "tls"]
    keys = {"cert_file": "tls.crt", "key_file": "tls.key", **({"client_ca_file": "ca.crt"} if clients else {})}
    for one in ("grpc", "http"):
        protocol = configuration_of(objects)["receivers"]["otlp"]["protocols"][one]
        assert protocol["tls"] == {key: f"{mount['mountPath']}/{name}" for key, name in keys.items()}


def test_a_certificate_of_ones_own_stays(helm):
    own = "config.receivers.otlp.protocols.grpc.tls.cert_file=/mine.crt,config.receivers.otlp.protocols.grpc.tls.key_file=/mine.key"
    protocols = configuration_of(helm.render(sets=[*SECURE, own, "tls.secretName=theirs"]))["receivers"]["otlp"]["protocols"]
    assert (protocols["grpc"]["tls"]["cert_file"], protocols["http"]["tls"]["cert_file"]) == ("/mine.crt", "/etc/holdfast/tls/tls.crt")


def test_a_misspelt_field_would_be_seen(helm, plane):
    one = workload(helm.render(sets=["mode=deployment"]))
    one["spec"]["replicaz"] = 2
    with pytest.raises(ApiRefused, match="replicaz"):
        dry_run(plane, one)


def test_an_older_kubernetes_is_refused(helm):
    with pytest.raises(Refused, match="kubeVersion"):
        helm.render(version="1.22.0")


@pytest.mark.parametrize(
    "sets, why",
    [
        (["mode=deployment", "queue.type=volumeClaim"], "needs mode statefulset"),
        (["mode=deployment", "replicaCount=2", "queue.existingClaim=a"], "use mode statefulset for several"),
        (["mode=deployment", "drain.timeoutSeconds=60"], "must be less than terminationGracePeriodSeconds"),
        (["httproute.enabled=true"], "httproute.rules is needed"),
        (["ingress.enabled=true"], "the ingress needs hosts"),
        (["internalTelemetryViaOTLP.logs.enabled=true"], "internalTelemetryViaOTLP.endpoint is needed"),
        (["presets.hostMetrics.enabled=true", "config.service.pipelines.metrics=null"], "has no pipeline of"),
        (["presets.logsCollection.enabled=true", "presets.annotationDiscovery.logs.enabled=true"], "read the same files"),
        (["configMap.create=false"], "existingName is needed when configMap.create is false"),
        (["webhook.enabled=true", "webhook.certManager.enabled=true"], "issuerRef is needed"),
        (["mode=sidecar", "tls.enabled=true"], "not for the mode sidecar"),
        (["tls.enabled=true", "tls.certManager.enabled=true"], "tls.certManager.issuerRef is needed"),
        (["tls.enabled=true", "webhook.enabled=true"], "webhook.config is needed when tls.enabled"),
        (["podMonitor.enabled=true", "ports.metrics.enabled=false"], "needs ports.metrics.enabled"),
        (["mode=gateway"], "mode"),
    ],
)
def test_what_cannot_work_is_refused(helm, sets, why):
    with pytest.raises(Refused, match=why):
        helm.render(sets=sets)


# ---- what the pods are ----


def pod(objects):
    return workload(objects)["spec"]["template"]["spec"]


@pytest.mark.parametrize(
    "mode, volume, user",
    [("daemonset", "hostPath", 10001), ("statefulset", None, 10001), ("deployment", "emptyDir", 10001)],
)
def test_the_queue_s_volume(helm, mode, volume, user):
    objects = helm.render(sets=[f"mode={mode}"])
    spec = pod(objects)
    queue = [one for one in spec["volumes"] if one["name"] == "queue"]
    claims = workload(objects)["spec"].get("volumeClaimTemplates", [])
    assert [one["metadata"]["name"] for one in claims] == ([] if volume else ["queue"])
    assert [volume] * bool(volume) == [key for one in queue for key in one if key != "name"]
    assert spec["securityContext"]["runAsUser"] == user
    environment = {one["name"]: one.get("value") for one in spec["containers"][0]["env"]}
    assert environment["HOLDFAST_HEALTH"] == "0.0.0.0:13133"
    assert environment.get("HOLDFAST_EPHEMERAL") == ("1" if volume == "emptyDir" else None)
    assert ("lifecycle" in spec["containers"][0]) == (mode == "deployment")


@pytest.mark.parametrize(
    "sets, owner",
    [
        ([], "10001:10001"),
        (["podSecurityContext.runAsUser=20001"], "20001:10001"),
        (["presets.logsCollection.enabled=true"], "0:0"),
        (["queue.hostPath.initOwner=false"], None),
    ],
)
def test_an_init_container_gives_the_folder_away(helm, plane, sets, owner):
    objects = helm.render(sets=["mode=daemonset", *sets])
    assert_taken(plane, objects)
    spec = pod(objects)
    first = spec.get("initContainers", [{"args": None}])[0]
    assert first["args"] == (["init-dir", f"--owner={owner}", "/var/lib/holdfast"] if owner else None)
    if owner:
        assert (first["image"], first["volumeMounts"][0]["name"]) == (spec["containers"][0]["image"], "queue")
        assert spec["securityContext"]["runAsUser"] == int(owner.split(":")[0])


def as_pod(template, namespace):
    spec = {**template["spec"]}
    spec.pop("serviceAccountName", None)
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": namespace}, "spec": spec}


@pytest.mark.parametrize("mode", ["statefulset", "deployment"])
def test_pods_are_restricted(helm, plane, mode):
    template = workload(helm.render(sets=[f"mode={mode}"]))["spec"]["template"]
    template["spec"]["volumes"] = [
        *(one for one in template["spec"]["volumes"] if one["name"] != "queue"),
        {"name": "queue", "emptyDir": {}},  # in place of what the StatefulSet's controller puts there
    ]
    dry_run(plane, as_pod(template, "restricted"))


def test_a_folder_of_the_node_is_not_restricted(helm, plane):
    template = workload(helm.render(sets=["mode=daemonset"]))["spec"]["template"]
    with pytest.raises(ApiRefused, match="restricted volume types"):
        dry_run(plane, as_pod(template, "restricted"))


def test_a_changed_configuration_replaces_pods_only_without_watch(helm):
    def annotations(*sets):
        return workload(helm.render(sets=sets))["spec"]["template"]["metadata"]["annotations"]

    changed = "config.processors.batch.timeout=3s"
    assert annotations() == annotations(changed)
    assert annotations("watchConfig=false") != annotations("watchConfig=false", changed)


def test_values_that_switch_off_leave_nothing_behind(helm):
    configuration = configuration_of(helm.render([chart.CHART / "ci" / "moved-values.yaml"]))
    assert set(configuration["receivers"]) == {"otlp", "k8s_cluster"}
    assert set(configuration["service"]["pipelines"]) == {"traces", "metrics"}


def test_a_preset_keeps_the_name_and_the_place_that_a_pipeline_gives(helm):
    order = "config.service.pipelines.traces.processors={batch,k8s_attributes}"
    configuration = configuration_of(helm.render(sets=["presets.kubernetesAttributes.enabled=true", order]))
    assert "k8s_attributes" in configuration["processors"] and "k8sattributes" not in configuration["processors"]
    pipelines = configuration["service"]["pipelines"]
    assert pipelines["traces"]["processors"] == ["batch", "k8s_attributes"]
    assert pipelines["logs"]["processors"][0] == "k8s_attributes"


@pytest.mark.parametrize("section, id", [("pipelines.metrics.receivers", "prometheus"), ("extensions", "health_check")])
def test_a_default_component_is_there_when_it_is_named(helm, tmp_path, section, id):
    kind = "receivers" if "receivers" in section else "extensions"
    assert id not in configuration_of(helm.render()).get(kind, {})
    objects = helm.render(sets=[f"config.service.{section}={{{id}}}"])
    assert id in configuration_of(objects)[kind]
    assert_valid(objects, tmp_path)


def test_a_configuration_that_is_there_already(helm, plane, tmp_path):
    values = tmp_path / "values.yaml"
    values.write_text("configMap: {create: false, existingName: '{{ .Release.Name }}-mine'}\n")
    objects = helm.render([values])
    assert_taken(plane, objects)
    assert of_kind(objects, "ConfigMap") == []
    (volume,) = [one for one in pod(objects)["volumes"] if one["name"] == "config"]
    assert volume["configMap"] == {"name": "t-mine", "items": [{"key": "relay", "path": "relay.yaml"}]}
    elsewhere = helm.render(sets=["configMap.create=false", "command.extraArgs={--config=/mine.yaml}"])
    arguments = pod(elsewhere)["containers"][0]["args"]
    assert [one for one in arguments if one.startswith("--config")] == ["--config=/mine.yaml"]


# ---- a sidecar in the pod of another chart ----

APPLICATION = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: app, namespace: restricted}
spec:
  selector: {matchLabels: {app: app}}
  template:
    metadata: {labels: {app: app}}
    spec:
      initContainers:
        {{- include "holdfast.sidecar.native" .Subcharts.holdfast | nindent 8 }}
      containers:
        - name: app
          image: app:1
          securityContext: {{ dict "runAsNonRoot" true "allowPrivilegeEscalation" false | toJson }}
        {{- include "holdfast.sidecar.container" .Subcharts.holdfast | nindent 8 }}
      volumes:
        {{- include "holdfast.sidecar.volumes" .Subcharts.holdfast | nindent 8 }}
"""


def test_a_sidecar_in_the_pod_of_another_chart(helm, plane, tmp_path):
    folder = tmp_path / "app"
    (folder / "templates").mkdir(parents=True)
    (folder / "Chart.yaml").write_text("apiVersion: v2\nname: app\nversion: 0.1.0\n")
    (folder / "values.yaml").write_text("holdfast: {mode: sidecar}\n")
    (folder / "templates" / "app.yaml").write_text(APPLICATION)
    shutil.copytree(chart.CHART, folder / "charts" / "holdfast")
    objects = helm.render(chart=folder)
    spec = pod(objects)
    ordinary, native = spec["containers"].pop(), spec["initContainers"][0]
    assert native == {**ordinary, "restartPolicy": "Always"}
    environment = {one["name"]: one.get("value") for one in native["env"]}
    assert (environment["HOLDFAST_LISTEN"], environment["HOLDFAST_EPHEMERAL"]) == ("localhost", "1")
    assert "lifecycle" not in native
    assert_taken(plane, objects)
    assert_valid(objects, tmp_path)
    application = spec["containers"][0]["securityContext"]
    application.update(native["securityContext"])
    dry_run(plane, as_pod({"spec": spec}, "restricted"))


# ---- access rights ----


@pytest.mark.parametrize(
    "preset, sets",
    [
        ("kubernetesAttributes", []),
        ("kubernetesEvents", []),
        ("clusterMetrics", []),
        ("kubernetesEvents", ["replicaCount=2"]),
        ("kubernetesEvents", ["presets.kubernetesEvents.useK8sEventsReceiver=true"]),
        ("annotationDiscovery.metrics", []),
    ],
)
def test_a_preset_s_rights_are_those_it_uses(helm, plane, start, grpc_backend, tmp_path, preset, sets):
    name = f"rights-{preset.replace('.', '-')}{''.join(sets)[-6:].replace('=', '-')}".lower()
    objects = helm.render(sets=[f"presets.{preset}.enabled=true", f"fullnameOverride={name}", *sets])
    for kind in ("ServiceAccount", "ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"):
        for one in of_kind(objects, kind):
            plane.call("POST", path_of(one), one)
    environment = {**plane.mount(tmp_path / "account", plane.token_of(name)), "K8S_NODE_NAME": "node-1"}
    start(at_test_ports(configuration_of(objects), grpc_backend), environment=environment)
    granted = rights(objects)

    def used():
        return {
            (one["objectRef"]["resource"], one["verb"])
            for one in requests_of(plane, name)
            if one["responseStatus"]["code"] < 300 or one["responseStatus"]["code"] == 404
        }

    until(lambda: {what for what, _ in used()} >= granted, lambda: f"{granted} are granted, used: {used()}", SECONDS)
    refused = [one for one in requests_of(plane, name) if one["responseStatus"]["code"] == 403]
    assert refused == []
    assert {what for what, _ in used()} == granted


def rights(objects):
    roles = of_kind(objects, "ClusterRole") + of_kind(objects, "Role")
    return {what for role in roles for rule in role["rules"] for what in rule["resources"]}


def requests_of(plane, account):
    """What the account has asked for, as far as it is about objects."""
    lines = [json.loads(line) for line in plane.audit.read_text().splitlines() if line.endswith("}")]
    user = f"system:serviceaccount:default:{account}"
    return [one for one in lines if one["user"]["username"] == user and "objectRef" in one and "responseStatus" in one]


def at_test_ports(configuration, backend):
    """Without what listens at ports of its own, and with a backend of the test."""
    for receiver in ("otlp", "jaeger", "zipkin"):
        configuration["receivers"].pop(receiver)
    service = configuration["service"]
    service.pop("telemetry")
    configuration["exporters"] = {"otlp": otlp_exporter(backend)}
    for pipeline in service["pipelines"].values():
        own = [one for one in pipeline["receivers"] if one not in ("otlp", "jaeger", "zipkin")]
        pipeline.update(receivers=own or ["otlp"], exporters=["otlp"])
    service["extensions"] = ["health_check", *service.get("extensions", [])]
    return configuration


# ---- a release ----


def test_what_an_upgrade_adds_goes_with_a_rollback(helm, plane):
    """With all that the values file of a StatefulSet asks for; that pods follow, test_releases.py shows."""
    notes = helm.manage(plane, "install", "release", chart.CHART)
    assert "is a volume of the kind volumeClaim" in notes
    assert "WARNING: the pipeline traces ends in the exporter debug" in notes
    first = made_by("release", plane)
    values = ["--values", chart.CHART / "ci" / "statefulset-values.yaml"]
    values += ["--set", "queue.volumeClaim.size=20Gi,queue.volumeClaim.storageClassName="]  # claims cannot be changed
    helm.manage(plane, "upgrade", "release", chart.CHART, *values)
    added = {kind for kind, _ in made_by("release", plane) - first}
    assert added >= {"ClusterRole", "HorizontalPodAutoscaler", "Ingress", "NetworkPolicy", "PrometheusRule", "Role"}
    helm.manage(plane, "rollback", "release", "1")
    assert made_by("release", plane) == first
    helm.manage(plane, "uninstall", "release")
    assert made_by("release", plane) == set()


# ---- alerts and dashboards ----


def promtool(*arguments):
    done = subprocess.run(
        [os.environ["HOLDFAST_PROMTOOL"], *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_promtool_takes_the_rendered_rules(helm, tmp_path):
    rules = of_kind(helm.render([chart.CHART / "ci" / "statefulset-values.yaml"]), "PrometheusRule")[0]
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump(rules["spec"]))
    assert f"{len(chart.alerts()) + 1} rules found" in promtool("check", "rules", tmp_path / "rules.yaml")


def test_promtool_takes_the_dashboards_queries(tmp_path):
    found = [query for one in chart.dashboards().values() for query in chart.queries(one)]
    plain = [one for one in found if not one.startswith("label_values(")]
    rules = [{"record": f"panel:{at}", "expr": one.replace("$__rate_interval", "5m")} for at, one in enumerate(plain)]
    (tmp_path / "queries.yaml").write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))
    assert f"{len(plain)} rules found" in promtool("check", "rules", tmp_path / "queries.yaml")


QUEUE, EXPORTER = 'queue="traces",instance="a"', 'queue="traces",kind="queue",exporter="otlp",instance="a"'
CERTIFICATE = 'kind="exporter",component="otlp",key="cert_file",instance="a"'
BALANCED = {
    f"holdfast_exporter_accepted_items{{{EXPORTER}}}": 100,
    f"holdfast_exporter_delivered_items{{{EXPORTER}}}": 60,
    f"holdfast_exporter_queued_items{{{EXPORTER}}}": 30,
    f"holdfast_exporter_dead_lettered_items{{{EXPORTER}}}": 6,
    f'holdfast_exporter_dropped_items{{{EXPORTER},reason="overflow"}}': 3,
    f'holdfast_exporter_dropped_items{{{EXPORTER},reason="processor"}}': 1,
    f"holdfast_exporter_orphaned_items{{{EXPORTER}}}": 0,
    f"holdfast_exporter_oldest_age_seconds{{{EXPORTER}}}": 800,
    f"holdfast_queue_bytes{{{QUEUE}}}": 50,
    f"holdfast_queue_bytes_max{{{QUEUE}}}": 100,
    f"holdfast_queue_seconds_until_full{{{QUEUE}}}": 1000000000,
    f"holdfast_queue_healthy{{{QUEUE}}}": 1,
    f"holdfast_queue_damaged_records{{{QUEUE}}}": 0,
    'holdfast_config_last_reload_successful{instance="a"}': 1,
    'holdfast_data_directory_ephemeral{instance="a"}': 0,
    f"holdfast_certificate_seconds_until_expiry{{{CERTIFICATE}}}": 15 * 86400,
}


def step(what, reason, before, after):
    """Items that leave the queue that way after an hour and a half, as promtool writes series."""
    return {
        f'holdfast_exporter_{what}_items{{{EXPORTER},reason="{reason}"}}': f"{before}+0x90 {after}+0x30",
        f"holdfast_exporter_accepted_items{{{EXPORTER}}}": f"100+0x90 {100 + after - before}+0x30",
    }


@pytest.mark.parametrize(
    "changed, firing",
    [
        ({}, []),
        ({f"holdfast_exporter_delivered_items{{{EXPORTER}}}": 59}, ["HoldfastOutOfBalance"]),
        ({f"holdfast_exporter_delivered_items{{{EXPORTER}}}": 61}, ["HoldfastOutOfBalance"]),
        ({f"holdfast_exporter_oldest_age_seconds{{{EXPORTER}}}": 901}, ["HoldfastBacklogOld"]),
        ({f"holdfast_exporter_orphaned_items{{{EXPORTER}}}": 1}, ["HoldfastOrphanedBacklog"]),
        ({f"holdfast_queue_bytes{{{QUEUE}}}": 91}, ["HoldfastQueueAlmostFull"]),
        ({f"holdfast_queue_bytes_max{{{QUEUE}}}": 0}, []),
        ({f"holdfast_queue_seconds_until_full{{{QUEUE}}}": 3600}, ["HoldfastQueueFillsWithinHours"]),
        ({f"holdfast_queue_seconds_until_full{{{QUEUE}}}": 3600, f"holdfast_queue_bytes{{{QUEUE}}}": 10}, []),
        ({f"holdfast_queue_healthy{{{QUEUE}}}": 0}, ["HoldfastQueueUnhealthy"]),
        ({f"holdfast_queue_damaged_records{{{QUEUE}}}": 1}, ["HoldfastDamage"]),
        ({'holdfast_config_last_reload_successful{instance="a"}': 0}, ["HoldfastConfigurationRefused"]),
        ({'holdfast_data_directory_ephemeral{instance="a"}': 1}, ["HoldfastEphemeralQueue"]),
        ({f"holdfast_certificate_seconds_until_expiry{{{CERTIFICATE}}}": 13 * 86400}, ["HoldfastCertificateExpiresSoon"]),
        ({f"holdfast_certificate_seconds_until_expiry{{{CERTIFICATE}}}": 2 * 86400}, ["HoldfastCertificateExpired"]),
        ({f"holdfast_certificate_seconds_until_expiry{{{CERTIFICATE}}}": -5}, ["HoldfastCertificateExpired"]),
        ({f"holdfast_certificate_seconds_until_expiry{{{CERTIFICATE}}}": 0}, ["HoldfastCertificateExpired"]),
        (step("dropped", "overflow", 3, 5), ["HoldfastDroppedData"]),
        (step("dropped", "processor", 1, 3), []),
        ({f"holdfast_queue_refused_full{{{QUEUE}}}": "0+1x120"}, ["HoldfastRefusedByFullQueue"]),
        ({f"holdfast_queue_refused_disk{{{QUEUE}}}": "0+1x120"}, ["HoldfastRefusedByDisk"]),
        ({'otelcol_receiver_refused_spans{receiver="otlp",instance="a"}': "0+1x120"}, ["HoldfastRefusedSpans"]),
    ],
)
def test_an_alert_fires_when_it_should(tmp_path, changed, firing):
    """After an hour and a half of these figures; a text is a series that changes, as promtool writes it."""
    series = [
        {"series": name, "values": value if isinstance(value, str) else f"{value}+0x120"}
        for name, value in {**BALANCED, **changed}.items()
    ]
    expected = [
        {"expr": f'count(ALERTS{{alertstate="firing",alertname="{name}"}}) or vector(0)', "eval_time": "98m"}
        | {"exp_samples": [{"labels": "{}", "value": int(name in firing)}]}
        for name in chart.alerts()
    ]
    case = {
        "rule_files": [str(chart.CHART / "monitoring" / "alerts.yaml")],
        "evaluation_interval": "1m",
        "tests": [{"interval": "1m", "input_series": series, "promql_expr_test": expected}],
    }
    (tmp_path / "case.yaml").write_text(yaml.safe_dump(case))
    promtool("test", "rules", tmp_path / "case.yaml")
