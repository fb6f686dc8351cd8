"""The Kubernetes API of an experiment: the tests' stand-in, or a real kube-apiserver with its etcd when
HOLDFAST_KUBERNETES_BIN names the folder of their programs (`./dev test --real hybrid`)."""

import os
import sys
from pathlib import Path

from .victim import ROOT

sys.path.insert(0, str(ROOT / "tests"))

from support.kubernetes import KubernetesApi  # noqa: E402

VARIABLE = "HOLDFAST_KUBERNETES_BIN"
ACCOUNT = "otel-collector"  # the document's, in its namespace
READ = ["get", "list", "watch"]
# What its configuration of the DaemonSet uses (k8sattributes, k8s_events), and what the chart gives one like it.
RULES = [
    {"apiGroups": [""], "resources": ["pods", "namespaces", "events"], "verbs": READ},
    {"apiGroups": ["apps"], "resources": ["replicasets"], "verbs": READ},
]


class StandIn:
    """`token` and `authority` (a file) are what a pod's account has."""

    def __init__(self, lab, authority):
        self.token, self.authority = "agents", authority.certificate
        self.api = KubernetesApi(authority.issue("kubernetes"), {self.token}).start()
        self.port = self.api.port
        lab.stack.callback(self.api.stop)

    def put(self, kind, name, **parts):
        self.api.put(kind, name, **parts)

    @staticmethod
    def watches():
        """How many watches a real server has answered to the agent."""
        return None


class Real:
    def __init__(self, lab, folder):
        from real.control_plane import ControlPlane  # noqa: PLC0415: only where its programs are

        folder.mkdir()
        self.plane = lab.stack.enter_context(ControlPlane(folder, Path(os.environ[VARIABLE])))
        self.plane.make_account(ACCOUNT, RULES)
        self.token = self.plane.token_of(ACCOUNT)
        self.port, self.authority = self.plane.port, self.plane.authority.certificate

    def put(self, kind, name, metadata=None, status=None, **parts):
        path = f"/api/v1/namespaces/default/{kind}"
        self.plane.make(path, name, kind.removesuffix("s").capitalize(), metadata=metadata or {}, **parts)
        if status is not None:
            addresses = {key: status[key] for key in ("podIP", "podIPs")}
            self.plane.set_status(name, phase="Running", **addresses)

    def watches(self):
        user = f"system:serviceaccount:default:{ACCOUNT}"
        return {
            kind: sum(one["user"]["username"] == user for one in self.plane.audited("", "watch", kind)) for kind in ("pods", "events")
        }


def make(lab, authority):
    return Real(lab, lab.directory / "cluster") if os.environ.get(VARIABLE) else StandIn(lab, authority)
