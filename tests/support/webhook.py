"""A running `holdfast webhook`, asked as the API server asks, and pods for it."""

import base64
import json
import os
import subprocess

import requests

from .certificates import Authority
from .holdfast import BINARY
from .kubernetes import KubernetesApi, patched, service_account
from .ports import free_port
from .waiting import until

CONFIG = "receivers: {otlp: {protocols: {http: {endpoint: localhost:4318}}}}\n"
OWN = "observability"


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


def start_api(ending, directory):
    """An API with some namespaces and a configuration in one of them; `environment` signs in to it."""
    authority = Authority(directory / "ca")
    api = ending.enter_context(KubernetesApi(authority.issue("kubernetes"), {"first-token"}))
    api.environment = service_account(directory / "account", api, authority)
    api.authority = authority
    for name in ("shop", OWN, "kube-system", "other"):
        api.put("namespaces", name, None)
    api.put("configmaps", "holdfast-sidecar", "shop", data={"relay.yaml": CONFIG})
    return api


def start_with_files(ending, directory, api, *arguments):
    """A webhook whose certificate is in files of the API's authority."""
    certificate, key = api.authority.issue("webhook")
    files = ["--cert-file", certificate, "--key-file", key]
    made = Webhook(directory, api, [*files, *arguments], api.authority.certificate)
    ending.callback(made.stop)
    return made.start()


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
