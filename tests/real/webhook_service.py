"""Replicas of `holdfast webhook` behind the Service that the deployment document's MutatingWebhookConfiguration names."""

import os
import subprocess

import yaml

from support.holdfast import BINARY, ROOT
from support.ports import free_port
from support.waiting import until

ADDRESS = os.environ.get("HOLDFAST_WEBHOOK_ADDRESS")  # of the network namespace
OWN, SHOP = "observability", "shop"
SECONDS = 60
CONFIG = "receivers: {otlp: {protocols: {http: {endpoint: localhost:4318}}}}\n"
# As in the document, but for its comments.
CONFIGURATION = yaml.safe_load((ROOT / "tests/support/document/webhook.yaml").read_text())
HOOKS = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations"
HOOK = f"{HOOKS}/{CONFIGURATION['metadata']['name']}"
# Those of the chart.
RIGHTS = [
    {"apiGroups": [""], "resources": ["namespaces", "configmaps"], "verbs": ["get"]},
    {"apiGroups": ["opentelemetry.io"], "resources": ["opentelemetrycollectors"], "verbs": ["get", "list"]},
    {
        "apiGroups": ["admissionregistration.k8s.io"],
        "resources": ["mutatingwebhookconfigurations"],
        "resourceNames": ["otel-collector-injector"],
        "verbs": ["get", "patch"],
    },
    {"apiGroups": [""], "resources": ["secrets"], "verbs": ["create"]},
    {"apiGroups": [""], "resources": ["secrets"], "resourceNames": ["otel-inject-webhook-tls"], "verbs": ["get", "update"]},
]


def prepare(plane):
    """The namespaces, the sidecar's configuration, the webhook's rights and the document's configuration."""
    labels = {"labels": {"otel-injection": "enabled"}}
    plane.make("/api/v1/namespaces", OWN, "Namespace", metadata=labels)
    plane.make("/api/v1/namespaces", SHOP, "Namespace", metadata=labels)
    plane.make(f"/api/v1/namespaces/{SHOP}/configmaps", "holdfast-sidecar", "ConfigMap", data={"relay.yaml": CONFIG})
    plane.make_account("webhook", RIGHTS)
    plane.call("POST", HOOKS, CONFIGURATION)


DOCUMENTS = ("webhook", f"--namespace={OWN}", "--configuration=otel-collector-injector")


def serve(plane, directory, ending, words=DOCUMENTS, token=None, hook=HOOK):
    """Two replicas; returns their processes, when the configuration `hook` has their authority. `words`: their arguments."""
    environment = plane.mount(directory / "account", token or plane.token_of("webhook"))
    ports, running = [free_port(), free_port()], []
    for port in ports:
        log = ending.enter_context(open(directory / f"log-{port}", "ab"))
        process = subprocess.Popen(
            [BINARY, *words, f"--listen={ADDRESS}:{port}"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**os.environ, **environment, "TMPDIR": str(directory)},
        )
        ending.callback(process.wait)
        ending.callback(process.kill)
        running.append(process)
    plane.make_again(
        f"/api/v1/namespaces/{OWN}/services",
        "otel-inject-webhook",
        "Service",
        spec={"ports": [{"name": "https", "port": 443, "targetPort": 9443}]},
    )
    for number, port in enumerate(ports):
        name = f"webhook-{number}-{port}"
        slices = f"/apis/discovery.k8s.io/v1/namespaces/{OWN}/endpointslices"
        plane.make(
            slices,
            name,
            "EndpointSlice",
            "discovery.k8s.io/v1",
            metadata={"labels": {"kubernetes.io/service-name": "otel-inject-webhook"}},
            addressType="IPv4",
            ports=[{"name": "https", "port": port, "protocol": "TCP"}],
            endpoints=[{"addresses": [ADDRESS], "conditions": {"ready": True}}],
        )
        ending.callback(plane.call, "DELETE", f"{slices}/{name}")
    until(
        lambda: plane.call("GET", hook)["webhooks"][0]["clientConfig"].get("caBundle"),
        lambda: "no caBundle: " + "".join(path.read_text() for path in directory.glob("log-*")),
        SECONDS,
    )
    return running
