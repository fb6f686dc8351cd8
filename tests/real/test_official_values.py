"""Values files that were written for the chart of the OpenTelemetry Collector, its own among them: ours renders each, an API
server takes every object, Holdfast takes every configuration. `./dev test --real charts` runs it when
HOLDFAST_PUBLIC_CHARTS names a folder that has that chart in `opentelemetry-collector`."""

import os
from pathlib import Path

import pytest

from real import helm as real_helm
from real.control_plane import VARIABLE, ControlPlane
from real.dry_run import assert_taken, define, validate
from real.helm import NEWEST, OLDEST, of_kind, workload

OFFICIAL = Path(os.environ.get("HOLDFAST_PUBLIC_CHARTS", "/nonexistent")) / "opentelemetry-collector"
EXAMPLES = sorted([*OFFICIAL.glob("ci/*values.yaml"), *OFFICIAL.glob("examples/*/*values.yaml")])


@pytest.fixture(scope="module")
def helm(tmp_path_factory):
    return real_helm.Helm(Path(os.environ["HOLDFAST_HELM"]), tmp_path_factory.mktemp("helm"))


@pytest.fixture(scope="module")
def plane(tmp_path_factory):
    with ControlPlane(tmp_path_factory.mktemp("plane"), Path(os.environ[VARIABLE])) as plane:
        define(plane)
        yield plane


# One names a processor that it has not, there as here.
MISSING = {
    "examples/kubernetesAttributes/values.yaml": [
        "config.processors.resource.attributes[0].key=a,config.processors.resource.attributes[0].action=delete"
    ]
}


def name(path):
    return str(path.relative_to(OFFICIAL))


def assert_installs(helm, plane, directory, path, *sets, version=NEWEST):
    objects = helm.render([path], sets, version)
    assert_taken(plane, objects)
    workload(objects)
    for one in of_kind(objects, "ConfigMap"):
        for text in one["data"].values():
            (directory / "relay.yaml").write_text(text)
            code, error = validate(directory / "relay.yaml")
            assert code == 0, error


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
@pytest.mark.parametrize("mode", ["daemonset", "statefulset", "deployment"])
def test_its_whole_file(helm, plane, tmp_path, mode, version):
    """As people copy it before they change it; that chart wants a mode as well."""
    assert_installs(helm, plane, tmp_path, OFFICIAL / "values.yaml", f"mode={mode}", version=version)


@pytest.mark.parametrize("path", EXAMPLES, ids=name)
def test_its_examples(helm, plane, tmp_path, path):
    assert_installs(helm, plane, tmp_path, path, *MISSING.get(name(path), []))


def test_there_are_examples():
    assert len(EXAMPLES) > 40
