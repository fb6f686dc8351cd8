"""The files of charts/holdfast, read without helm."""

import copy
import json
import re
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
CHART = ROOT / "charts" / "holdfast"
PRESETS = sorted(path.stem for path in (CHART / "presets").glob("*.yaml"))
MODES = ("daemonset", "statefulset", "deployment", "sidecar")
# What the pod's environment has for a configuration.
ENVIRONMENT = {
    "MY_POD_IP": "127.0.0.1",
    "K8S_NODE_NAME": "node-1",
    "K8S_NODE_IP": "127.0.0.1",
    "KUBERNETES_SERVICE_HOST": "127.0.0.1",
    "KUBERNETES_SERVICE_PORT": "1",
}


def values():
    return yaml.safe_load((CHART / "values.yaml").read_text())


def configuration():
    """The default configuration, without what the templates leave out until a pipeline or `service.extensions` names it."""
    found = values()["config"]
    del found["receivers"]["prometheus"], found["extensions"]
    return found


def schema():
    return json.loads((CHART / "values.schema.json").read_text())


def preset(name):
    """The file of a preset, complete; what its templates choose by values is as the default values choose."""
    found = yaml.safe_load((CHART / "presets" / f"{name}.yaml").read_text())
    if "groups" in found:
        kinds = [one for switch, one in found["groups"].items() if switch != "vpa"]
        objects = [{"name": name, "group": group} for one in kinds for group, names in one.items() for name in names]
        found["config"]["receivers"]["k8sobjects"]["objects"] = objects
    return found


def switch(name):
    """The section of `presets` that enables a preset."""
    return re.sub("^annotationDiscovery(Logs|Metrics)$", lambda match: f"annotationDiscovery.{match[1].lower()}", name)


def with_preset(configuration, name):
    """The configuration with a preset, put together as the chart's templates do."""
    added, made = preset(name), copy.deepcopy(configuration)
    for section, components in added["config"].items():
        made.setdefault(section, {}).update(components)
    for signal, parts in added["pipelines"].items():
        pipeline = made["service"]["pipelines"][signal]
        pipeline["receivers"] = list(dict.fromkeys(pipeline["receivers"] + parts.get("receivers", [])))
        pipeline["processors"] = parts.get("first_processors", []) + pipeline["processors"]
    if added.get("extensions"):
        extensions = made["service"].setdefault("extensions", [])
        extensions += [one for one in added["extensions"] if one not in extensions]
    return made


def alerts():
    """The rules, by the name of the alert."""
    groups = yaml.safe_load((CHART / "monitoring" / "alerts.yaml").read_text())["groups"]
    return {rule["alert"]: rule for group in groups for rule in group["rules"]}


def dashboards():
    return {path.name: json.loads(path.read_text()) for path in (CHART / "dashboards").glob("*.json")}


def queries(dashboard):
    """The expressions of the panels and the variables."""
    for panel in dashboard["panels"]:
        yield from (target["expr"] for target in panel.get("targets", []))
    yield from (one["definition"] for one in dashboard["templating"]["list"] if "definition" in one)


def metrics_in(expression):
    """The names of series that an expression reads."""
    return set(re.findall(r"\b(?:holdfast|otelcol)_[a-z0-9_]+", expression))
