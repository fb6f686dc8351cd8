"""The discovery and the relabeling of the receiver prometheus beside a real Prometheus: both have the same scrape_configs, and
every target must end with the same labels, before and after the objects of a real kube-apiserver change.

Every job copies what was discovered to labels that remain, and asks a stand-in instead of the target's address. Prometheus
says the labels of its targets, and the receiver's are those of the series `up`; of what was scraped, both have the series.
"""

import contextlib
import json
import os
import time

import yaml
from dnslib import AAAA, MX, NS, SRV, A

from support.backends import HttpBackend
from support.holdfast import Holdfast, otlphttp_exporter
from support.names import Zone, serving
from support.scraped import Target
from support.waiting import until

from .control_plane import ControlPlane, programs
from .discovery_objects import change, fill, touch
from .discovery_rules import LABELS, METRIC_RULES, PAGE, RULES
from .prometheus import Prometheus

NAME_SERVER = "127.0.0.99"
ACCOUNT = "/run/secrets/kubernetes.io/serviceaccount"
# The files whose paths both programs know, as only they see them.
APART = (
    'mount -t tmpfs none /run && mkdir -p "${1%/*}" && ln -s "$2" "$1" && '
    'mount --bind "$2/resolv.conf" /etc/resolv.conf && shift 2 && exec "$@"'
)
ROLES = ("node", "service", "pod", "endpoints", "endpointslice", "ingress")
EQUAL_SECONDS = 60
EVERY_SECONDS = 5  # targets are asked
LATELY_SECONDS = 3 * EVERY_SECONDS

# ---- the jobs ----


def of_kubernetes():
    """{name: kubernetes_sd_config}"""
    jobs = {}
    label, field = "app=web", "metadata.name!=web-1"
    for role in ROLES:
        jobs[role] = {}
        jobs[f"{role}-attached"] = {"attach_metadata": {"node": True, "namespace": role != "node"}}
        jobs[f"{role}-owned"] = {"attach_metadata": {"deployment": True, "job": True, "cronjob": True}}
        if role != "node":
            jobs[f"{role}-of-two"] = {"namespaces": {"names": ["shop", "empty"]}}
            jobs[f"{role}-own"] = {"namespaces": {"own_namespace": True}}
            jobs[f"{role}-own-and"] = {"namespaces": {"own_namespace": True, "names": ["shop"]}}
        selectors = [{"role": role, "label": label, "field": field}]
        if role in ("endpoints", "endpointslice"):
            selectors += [{"role": other, "label": label} for other in ("pod", "service")]
        jobs[f"{role}-selected"] = {"selectors": selectors}
    on_node = [{"role": "pod", "field": "spec.nodeName=n1"}, {"role": "node", "label": "disk in (ssd)"}]
    jobs["pod-of-node"] = {"attach_metadata": {"node": True}, "selectors": on_node}
    return {name: {"role": name.split("-")[0], **discovery} for name, discovery in jobs.items()}


GROUPS = [
    {"targets": ["a:1", "b.example", "[::1]:8", "10.0.0.1:443"], "labels": {"__meta_x": "y", "team": "red", "e": ""}},
    {"targets": []},
    {"targets": ["c:80"], "labels": {"__scheme__": "https", "__metrics_path__": "/m", "job": "own"}},
]


def discovered(directory, lists):
    """{name: scrape_config} of what is not Kubernetes."""
    (directory / "one.json").write_text(json.dumps(GROUPS))
    (directory / "two.yml").write_text(yaml.safe_dump(GROUPS[2:]))
    files = {"files": [str(directory / "*.json"), str(directory / "two.yml")]}
    again = {"refresh_interval": "1s"}
    jobs = {
        "file": {"file_sd_configs": [files]},
        "http": {"http_sd_configs": [{"url": f"{lists.url}/of?a=b", **again}]},
        "static": {"static_configs": GROUPS, "params": {"a": ["1", "2"], "b": ["x"]}},
        "times": {"static_configs": GROUPS, "scrape_interval": "90s", "scrape_timeout": "1500ms"},
        "more times": {"static_configs": GROUPS, "scrape_interval": "49h", "scrape_timeout": "61m"},
        "dns-SRV": {"dns_sd_configs": [{"names": ["_metrics._tcp.shop.test", "_no._tcp.shop.test"], **again}]},
    }
    for kind in ("A", "AAAA", "MX", "NS"):
        discovery = {"names": ["shop.test", "no.test"], "type": kind, "port": 9100, **again}
        jobs[f"dns-{kind}"] = {"dns_sd_configs": [discovery]}
    return jobs


def zone():
    made = Zone()
    hosts = ("one.shop.test.", "Two.shop.test.")
    made.records = {
        ("_metrics._tcp.shop.test.", "SRV"): [SRV(0, 0, 9000 + i, host) for i, host in enumerate(hosts)],
        ("shop.test.", "A"): [A("127.0.0.1"), A("10.1.2.3")],
        ("shop.test.", "AAAA"): [AAAA("::1"), AAAA("fd00::5")],
        ("shop.test.", "MX"): [MX(host, i) for i, host in enumerate(hosts)],
        ("shop.test.", "NS"): [NS(host) for host in hosts],
    }
    return made


def jobs_of(directory, lists, asked, page):
    """The scrape_configs of both; the label `pool` tells the job."""
    copied = [
        {"action": "labelmap", "regex": "__((meta|param|scrape|scheme|metrics|always|convert).*)"},
        {"source_labels": ["__address__"], "target_label": "address"},
    ]
    jobs = {name: {"kubernetes_sd_configs": [discovery]} for name, discovery in of_kubernetes().items()}
    jobs |= discovered(directory, lists)
    for job in jobs.values():
        job["relabel_configs"] = list(copied)
    for name, rules in RULES.items():
        targets = [{"targets": [f"{one}:{80 + one}"], "labels": labels} for one, labels in enumerate(LABELS)]
        jobs[f"rule {name}"] = {"static_configs": targets, "relabel_configs": [*copied[1:], *rules]}
    for name, rules in METRIC_RULES.items():
        targets = [{"targets": ["a:1"], "labels": {"team": "red"}}]
        jobs[f"series {name}"] = {"static_configs": targets, "relabel_configs": [], "metric_relabel_configs": rules}
    for name, job in jobs.items():
        instead = {"__scheme__": "http", "__metrics_path__": "/metrics", "pool": name}
        instead |= dict.fromkeys(("__scrape_interval__", "__scrape_timeout__"), f"{EVERY_SECONDS}s")
        given = [{"target_label": label, "replacement": value} for label, value in instead.items()]
        # A target without an address is none.
        server = page if name.startswith("series") else asked
        address = {"source_labels": ["__address__"], "regex": "(.+)", "target_label": "__address__"}
        job["relabel_configs"] += [*given, {**address, "replacement": server.address}]
    return [{"job_name": name, **job} for name, job in jobs.items()]


def escaped(value):
    """As a configuration of ours has dollar signs."""
    if isinstance(value, dict):
        return {key: escaped(one) for key, one in value.items()}
    if isinstance(value, list):
        return [escaped(one) for one in value]
    return value.replace("$", "$$") if isinstance(value, str) else value


# ---- what both found ----


def pairs(attributes):
    return {one.key: one.value.string_value for one in attributes}


def shown(labels):
    return tuple(sorted((name, value) for name, value in labels.items() if value))


def theirs(prometheus):
    """{pool: sets of labels} of the targets."""
    found = {}
    for target in prometheus.ask("/api/v1/targets", state="active")["data"]["activeTargets"]:
        found.setdefault(target["labels"]["pool"], set()).add(shown(target["labels"]))
    return found


class Ours:
    """What arrived lately, of some names."""

    def __init__(self, backend):
        self.backend, self.seen = backend, {}  # (name, labels): when

    def read(self):
        arrived = list(self.backend.requests)
        del self.backend.requests[: len(arrived)]
        for request in arrived:
            for group in request.message.resource_metrics:
                about = pairs(group.resource.attributes)
                own = {"job": about["service.name"], "instance": about["service.instance.id"]}
                for metric in (one for scope in group.scope_metrics for one in scope.metrics):
                    if metric.name.startswith("scrape_"):
                        continue
                    for point in getattr(metric, metric.WhichOneof("data")).data_points:
                        labels = shown({**pairs(point.attributes), **own})
                        self.seen[metric.name, labels] = time.monotonic()
        since = time.monotonic() - LATELY_SECONDS
        self.seen = {key: when for key, when in self.seen.items() if when > since}
        return self.seen

    def targets(self):
        found = {}
        for name, labels in self.read():
            if name == "up":
                found.setdefault(dict(labels)["pool"], set()).add(labels)
        return found

    def series(self):
        found = {}
        for name, labels in self.read():
            if name != "up":
                found.setdefault(dict(labels)["pool"], set()).add((("__name__", name), *labels))
        return found


def difference(one, other):
    """Lines about the first pools that differ."""
    lines = []
    for pool in sorted(pool for pool in one.keys() | other.keys() if one.get(pool) != other.get(pool))[:10]:
        mine, its = one.get(pool, set()), other.get(pool, set())
        for who, some, rest in (("only ours", mine - its, its - mine), ("only theirs", its - mine, mine - its)):
            for labels in sorted(some):
                near = min(rest, key=lambda two: len(set(two) ^ set(labels)), default=())
                said = [(name, value[:60]) for name, value in sorted(set(labels) - set(near))]
                lines.append(f"{pool}: {who} ({len(some)}): {said}")
    return "\n".join(lines[:60])


def their_series(prometheus):
    """Likewise of the series of the last minutes."""
    found = {}
    for series in prometheus.find('{pool=~"series .*",__name__!~"up|scrape_.*"}'):
        labels = dict(series["metric"])
        name = ("__name__", labels.pop("__name__"))
        found.setdefault(labels["pool"], set()).add((name, *shown(labels)))
    return found


def of_pods(targets):
    return {pool: found for pool, found in targets.items() if pool.startswith("pod")}


def compare(what, ours, theirs, before=None):
    """Waits until two functions answer the same, which is not what was before. Returns it."""

    def is_equal():
        found = theirs()
        return found and found != before and found == ours() and found

    found = until(is_equal, lambda: f"{what}:\n{difference(ours(), theirs())}", EQUAL_SECONDS, 1)
    print(f"{what}: {sum(map(len, found.values()))} of {len(found)} jobs", flush=True)
    return found


def check(plane, prometheus, ours):
    first = compare("targets at first", ours.targets, lambda: theirs(prometheus))
    compare("series", ours.series, lambda: their_series(prometheus))
    change(plane)
    compare("pods after the changes", lambda: of_pods(ours.targets()), lambda: of_pods(theirs(prometheus)), of_pods(first))
    touch(plane)
    compare("targets after the changes", ours.targets, lambda: theirs(prometheus), first)


def main(directory, release=Prometheus):
    class Apart(release):
        def command(self):
            return [*prefix, *super().command()]

        def environment(self):
            return {**os.environ, **in_cluster}

    account = directory / "account"
    prefix = ["unshare", "-m", "sh", "-c", APART, "sh", ACCOUNT, str(account)]
    with contextlib.ExitStack() as stack:
        plane = stack.enter_context(ControlPlane(directory, programs()))
        lists = stack.enter_context(Target(json.dumps(GROUPS), "application/json"))
        asked, page = (stack.enter_context(Target(text)) for text in ("", PAGE))
        backend = stack.enter_context(HttpBackend())
        stack.enter_context(serving(zone(), NAME_SERVER))
        fill(plane)
        in_cluster = plane.mount(account, plane.token)
        del in_cluster["HOLDFAST_SERVICE_ACCOUNT_DIR"]
        (account / "namespace").write_text("default")
        (account / "resolv.conf").write_text(f"nameserver {NAME_SERVER}\noptions timeout:1 attempts:1\n")
        jobs = jobs_of(directory, lists, asked, page)
        times = {"global": {"scrape_interval": f"{EVERY_SECONDS}s", "scrape_timeout": f"{EVERY_SECONDS}s"}}
        prometheus = Apart(directory, configuration=yaml.safe_dump({**times, "scrape_configs": jobs}))
        stack.callback(prometheus.close)
        holdfast = Holdfast(
            directory / "holdfast",
            {
                "receivers": {"prometheus": {"config": escaped({**times, "scrape_configs": jobs})}},
                "exporters": {"otlphttp": otlphttp_exporter(backend)},
                "service": {"pipelines": {"metrics": {"receivers": ["prometheus"], "exporters": ["otlphttp"]}}},
            },
            environment=in_cluster,
        )
        holdfast.prefix = prefix
        prometheus.start()
        holdfast.start()
        stack.callback(holdfast.close)
        check(plane, prometheus, Ours(backend))
        return True
