"""A real Kubernetes control plane on loopback: etcd and kube-apiserver, built from their published Go modules, and a
client of its API. Nothing else runs, and what controllers and kubelets do to objects, the tests do; or, when they are asked
for, kube-controller-manager, kube-scheduler and kwok, which makes pods Running without a container."""

import contextlib
import json
import os
import shutil
import ssl
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from support.certificates import Authority
from support.ports import free_port
from support.waiting import until

from .modules import build
from .tools import FOLDER

VERSION = "1.36.3"
MODULES = {
    "etcd": ("go.etcd.io/etcd/server/v3", "v3.6.7", "go.etcd.io/etcd/server/v3"),
    "kwok": ("sigs.k8s.io/kwok", "v0.7.0", "sigs.k8s.io/kwok/cmd/kwok"),
}
BUILD_SECONDS = 3600
START_SECONDS = 90
VARIABLE = "HOLDFAST_KUBERNETES_BIN"  # a folder that has the programs already
ALL = ("kube-apiserver", "etcd", "kube-controller-manager", "kube-scheduler", "kwok")

MAIN = """package main

import (
    "os"

    "k8s.io/component-base/cli"
    _ "k8s.io/component-base/logs/json/register"
    _ "k8s.io/component-base/metrics/prometheus/clientgo"
    _ "k8s.io/component-base/metrics/prometheus/version"
    "k8s.io/kubernetes/cmd/{name}/app"
)

func main() {{ os.Exit(cli.Run(app.{command}())) }}
"""
COMMANDS = {
    "kube-apiserver": "NewAPIServerCommand",
    "kube-controller-manager": "NewControllerManagerCommand",
    "kube-scheduler": "NewSchedulerCommand",
}

# ---- the programs ----


def go(folder, *arguments):
    done = subprocess.run(
        ["go", *map(str, arguments)],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "GOFLAGS": "-mod=mod", "GOTOOLCHAIN": "local"},
        timeout=BUILD_SECONDS,
    )
    if done.returncode != 0:
        raise SystemExit(f"go {' '.join(map(str, arguments))} failed:\n{done.stderr[-3000:]}")
    return done.stdout


def module_of(folder, name, version):
    """The go.mod of a published module, parsed."""
    downloaded = json.loads(go(folder, "mod", "download", "-json", f"{name}@{version}"))
    return json.loads(go(folder, "mod", "edit", "-json", downloaded["GoMod"]))


def build_command(name, folder, program):
    """Its go.mod replaces the modules beside it by folders; here they are the published ones of the same release."""
    module = module_of(folder, "k8s.io/kubernetes", f"v{VERSION}")
    beside = [one["Old"]["Path"] for one in module["Replace"] if one["New"]["Path"].startswith("./staging/")]
    lines = [f"module peer\n\ngo {module['Go']}\n", f"require k8s.io/kubernetes v{VERSION}"]
    lines += [f"replace {path} => {path} v0.{VERSION.split('.', 1)[1]}" for path in beside]
    (folder / "go.mod").write_text("\n".join(lines) + "\n")
    (folder / "main.go").write_text(MAIN.format(name=name, command=COMMANDS[name]))
    go(folder, "mod", "tidy", "-e")
    package = "k8s.io/component-base/version"
    flags = f"-s -w -X {package}.gitVersion=v{VERSION} -X {package}.gitMajor=1 -X {package}.gitMinor={VERSION.split('.')[1]}"
    go(folder, "build", "-o", program, "-ldflags", flags, ".")


def programs(names=("kube-apiserver", "etcd")):
    """The folder that holds these programs; those that it does not are built."""
    if os.environ.get(VARIABLE):
        return Path(os.environ[VARIABLE])
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in names:
        if name in MODULES:
            build(name, *MODULES[name])
            continue
        program, stamp = FOLDER / name, FOLDER / f"{name}.module"
        if program.exists() and stamp.exists() and stamp.read_text() == VERSION:
            continue
        if shutil.which("go") is None:
            raise SystemExit(f"{name} is built from Go modules, and Go is not installed (apt-get install golang-go)")
        print(f"building {name} {VERSION} (once; some minutes)", flush=True)
        with tempfile.TemporaryDirectory() as folder:
            build_command(name, Path(folder), program)
        stamp.write_text(VERSION)
    return FOLDER


# ---- the servers ----


class Refused(Exception):
    """The API's answer is no success."""

    def __init__(self, code, body):
        super().__init__(f"{code}: {body[:500]}")
        self.code = code


class ControlPlane:
    """etcd and kube-apiserver with RBAC. `token` signs in as an administrator. `controllers`: workloads make pods, which
    become Running on the node "n1"."""

    token = "administrator"

    def __init__(self, directory, folder, controllers=False):
        self.directory, self.folder, self.controllers = directory, folder, controllers
        self.others = []
        self.port, self.etcd_port, self.peer_port = free_port(), free_port(), free_port()
        self.etcd = self.server = None
        self.authority = Authority(directory / "pki")
        self.certificate, self.key = self.authority.issue("apiserver")
        accounts = directory / "pki" / "accounts.key"
        subprocess.run(["openssl", "genrsa", "-out", accounts, "2048"], check=True, capture_output=True)
        public = ["openssl", "rsa", "-in", accounts, "-pubout", "-out", directory / "pki" / "accounts.pub"]
        subprocess.run(public, check=True, capture_output=True)
        (directory / "tokens.csv").write_text(f'{self.token},administrator,administrator,"system:masters"\n')
        (directory / "audit.yaml").write_text(
            "apiVersion: audit.k8s.io/v1\nkind: Policy\nomitStages: [RequestReceived]\nrules: [{level: Metadata}]\n"
        )
        self.audit = directory / "audit.log"
        self.context = ssl.create_default_context(cafile=str(self.authority.certificate))

    def spawn(self, name, *arguments):
        with open(self.directory / f"{name}.log", "ab") as log:
            return subprocess.Popen(
                [self.folder / name, *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def start_etcd(self):
        client, peer = (f"http://127.0.0.1:{port}" for port in (self.etcd_port, self.peer_port))
        self.etcd = self.spawn(
            "etcd",
            *("--data-dir", self.directory / "etcd", "--unsafe-no-fsync"),
            *("--listen-client-urls", client, "--advertise-client-urls", client),
            *("--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster", f"default={peer}"),
        )

    def start_server(self):
        pki = self.directory / "pki"
        self.server = self.spawn(
            "kube-apiserver",
            f"--etcd-servers=http://127.0.0.1:{self.etcd_port}",
            *("--bind-address=127.0.0.1", "--advertise-address=127.0.0.1", f"--secure-port={self.port}"),
            *(f"--tls-cert-file={self.certificate}", f"--tls-private-key-file={self.key}"),
            *(f"--service-account-key-file={pki}/accounts.pub", f"--service-account-signing-key-file={pki}/accounts.key"),
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--token-auth-file={self.directory}/tokens.csv",
            *("--authorization-mode=RBAC", "--service-cluster-ip-range=10.0.0.0/24", "--endpoint-reconciler-type=none"),
            # Without controllers no namespace gets its default account.
            f"--disable-admission-plugins={'' if self.controllers else 'ServiceAccount'}",
            "--allow-privileged=true",  # as clusters have it; pods of others ask for it
            "--enable-aggregator-routing=true",  # webhooks by the addresses of their Service: nothing routes its own
            *(f"--audit-policy-file={self.directory}/audit.yaml", f"--audit-log-path={self.audit}"),
        )
        until(self.is_ready_or_dead, lambda: f"kube-apiserver is not ready:\n{self.said()}", START_SECONDS, 0.2)
        assert self.server.poll() is None, self.said()

    def said(self, name="kube-apiserver"):
        return (self.directory / f"{name}.log").read_text(errors="replace")[-3000:]

    def is_ready_or_dead(self):
        try:
            return self.server.poll() is not None or self.call("GET", "/readyz", raw=True) == "ok"
        except (OSError, Refused):
            return False

    def stop_server(self):
        """At once, as when its machine dies: watches break off."""
        if self.server:
            self.server.kill()
            self.server.wait()
            self.server = None

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            stack.callback(self.__exit__)
            self.start_etcd()
            self.start_server()
            until(lambda: self.has("/api/v1/namespaces/default"), "the namespace default", START_SECONDS)
            if self.controllers:
                self.start_controllers()
            stack.pop_all()
        return self

    def kubeconfig(self):
        """The path of a file that signs in as the administrator."""
        path = self.directory / "kubeconfig"
        cluster = {"server": f"https://127.0.0.1:{self.port}", "certificate-authority": str(self.authority.certificate)}
        parts = {
            "clusters": [{"name": "it", "cluster": cluster}],
            "users": [{"name": "it", "user": {"token": self.token}}],
            "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}],
        }
        path.write_text(json.dumps({"apiVersion": "v1", "kind": "Config", **parts, "current-context": "it"}))
        return path

    def start_controllers(self):
        kubeconfig, pki = self.kubeconfig(), self.directory / "pki"
        common = [f"--{name}kubeconfig={kubeconfig}" for name in ("", "authentication-", "authorization-")]
        common += ["--leader-elect=false", "--bind-address=127.0.0.1"]
        self.others = [
            self.spawn(
                "kube-controller-manager",
                *(*common, f"--secure-port={free_port()}", "--controllers=*,-nodeipam"),
                "--node-monitor-grace-period=10m",  # pods of a node that is late become unready for good: no kubelet says more
                *(f"--service-account-private-key-file={pki}/accounts.key", f"--root-ca-file={self.authority.certificate}"),
            ),
            self.spawn("kube-scheduler", *common, f"--secure-port={free_port()}"),
            self.spawn(
                "kwok",
                *(f"--kubeconfig={kubeconfig}", "--manage-all-nodes=true", "--node-ip=127.0.0.1"),
                "--node-lease-duration-seconds=40",  # as kubelets; without it a node is heard of every ten minutes
            ),
        ]
        self.add_node("n1")
        until(self.has_account, lambda: self.said("kube-controller-manager"), START_SECONDS)

    def add_node(self, name):
        """One that kwok stands for."""
        room = {"cpu": "32", "memory": "256Gi", "pods": "1000"}
        labels = {"kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64"}
        self.make(
            "/api/v1/nodes",
            name,
            "Node",
            metadata={"labels": labels, "annotations": {"kwok.x-k8s.io/node": "fake"}},
            status={"allocatable": room, "capacity": room},
        )
        until(lambda: self.has_node(name), lambda: self.said("kwok"), START_SECONDS)

    def has_account(self, namespace="default"):
        return self.has(f"/api/v1/namespaces/{namespace}/serviceaccounts/default")

    def has_node(self, name):
        conditions = self.call("GET", f"/api/v1/nodes/{name}").get("status", {}).get("conditions", [])
        return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)

    def __exit__(self, *_):
        for process in self.others:
            process.kill()
            process.wait()
        self.stop_server()
        if self.etcd:
            self.etcd.kill()
            self.etcd.wait()

    def has(self, path):
        try:
            return self.call("GET", path)
        except Refused:
            return None

    # ---- its API ----

    def call(self, method, path, body=None, raw=False, patch=None):
        """The parsed answer; Refused when it is no success."""
        text = None if body is None else json.dumps(body).encode()
        kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": patch or kind}
        request = urllib.request.Request(f"https://127.0.0.1:{self.port}{path}", text, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30, context=self.context) as answer:
                content = answer.read().decode()
        except urllib.error.HTTPError as error:
            raise Refused(error.code, error.read().decode(errors="replace")) from None
        return content if raw else json.loads(content)

    def make(self, path, name, kind, version="v1", **parts):
        metadata = {"name": name, **parts.pop("metadata", {})}
        return self.call("POST", path, {"apiVersion": version, "kind": kind, "metadata": metadata, **parts})

    def make_again(self, *arguments, **options):
        """Likewise; what is there already is well."""
        try:
            return self.make(*arguments, **options)
        except Refused as refused:
            if refused.code != 409:
                raise
            return None

    def watch(self, path, version):
        """The lines of a watch from that version, as far as they come within some seconds."""
        query = f"?watch=1&timeoutSeconds=3&resourceVersion={version}"
        return [json.loads(line) for line in self.call("GET", path + query, raw=True).splitlines()]

    def compact(self, version):
        """Makes the store forget what was before that version."""
        body = json.dumps({"revision": version, "physical": True}).encode()
        url = f"http://127.0.0.1:{self.etcd_port}/v3/kv/compaction"
        with urllib.request.urlopen(urllib.request.Request(url, body, method="POST"), timeout=30) as answer:
            assert answer.status == 200

    def audited(self, agent, verb, resource):
        """The requests of that kind that the server has answered."""
        lines = [json.loads(line) for line in self.audit.read_text().splitlines() if line.endswith("}")]
        return [
            one
            for one in lines
            if agent in one.get("userAgent", "")
            and one["verb"] == verb
            and one.get("objectRef", {}).get("resource") == resource
        ]

    # ---- accounts ----

    def make_account(self, name, rules=None):
        """A service account; with `rules` it may do what they say in the whole cluster."""
        self.make_again("/api/v1/namespaces/default/serviceaccounts", name, "ServiceAccount")
        if rules is not None:
            self.allow(name, rules)

    def allow(self, name, rules):
        group, version = "/apis/rbac.authorization.k8s.io/v1", "rbac.authorization.k8s.io/v1"
        self.make_again(f"{group}/clusterroles", name, "ClusterRole", version, rules=rules)
        self.make_again(
            f"{group}/clusterrolebindings",
            name,
            "ClusterRoleBinding",
            version,
            roleRef={"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name},
            subjects=[{"kind": "ServiceAccount", "name": name, "namespace": "default"}],
        )

    def token_of(self, account, secret=None, namespace="default"):
        """A token of an account; one that is bound to a secret counts no more once that is gone."""
        spec = {"expirationSeconds": 3600}
        if secret:
            made = self.make(f"/api/v1/namespaces/{namespace}/secrets", secret, "Secret")
            uid = made["metadata"]["uid"]
            spec["boundObjectRef"] = {"kind": "Secret", "apiVersion": "v1", "name": secret, "uid": uid}
        path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{account}/token"
        body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec}
        return self.call("POST", path, body)["status"]["token"]

    def mount(self, directory, token):
        """The files of a pod's service account; returns the environment that leads there."""
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "token").write_text(token)
        (directory / "ca.crt").write_bytes(self.authority.certificate.read_bytes())
        return {
            "KUBERNETES_SERVICE_HOST": "127.0.0.1",
            "KUBERNETES_SERVICE_PORT": str(self.port),
            "HOLDFAST_SERVICE_ACCOUNT_DIR": str(directory),
        }

    # ---- objects ----

    def put_event(self, name, namespace="default"):
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 2))
        return self.make(
            f"/api/v1/namespaces/{namespace}/events",
            name,
            "Event",
            type="Normal",
            reason="Tested",
            message=f"message of {name}",
            firstTimestamp=now,
            lastTimestamp=now,
            count=1,
            source={"component": "test", "host": "node-1"},
            involvedObject={"kind": "Pod", "name": "p", "namespace": namespace, "uid": "u", "apiVersion": "v1"},
        )

    def put_pod(self, name, owner=None, **metadata):
        owners = {"ownerReferences": [{**owner, "controller": True}]} if owner else {}
        return self.make(
            "/api/v1/namespaces/default/pods",
            name,
            "Pod",
            metadata={**owners, **metadata},
            spec={"nodeName": "node-1", "containers": [{"name": "app", "image": "registry/team/app:1.2"}]},
        )

    def set_status(self, name, **status):
        path = f"/api/v1/namespaces/default/pods/{name}/status"
        return self.call("PATCH", path, {"status": status}, patch="application/strategic-merge-patch+json")

    def label_pod(self, name, **labels):
        return self.call("PATCH", f"/api/v1/namespaces/default/pods/{name}", {"metadata": {"labels": labels}})

    def delete_pod(self, name):
        self.call("DELETE", f"/api/v1/namespaces/default/pods/{name}?gracePeriodSeconds=0")
