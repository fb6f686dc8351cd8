"""A copy of charts/holdfast-stack with its dependencies beside it: ours, and stubs in the places of the public charts."""

import shutil

import yaml

from support import chart

STACK = chart.ROOT / "charts" / "holdfast-stack"


def with_stubs(directory):
    """A stub's ConfigMap has the values that it was given."""
    place = directory / "holdfast-stack"
    shutil.copytree(STACK, place)
    for one in yaml.safe_load((STACK / "Chart.yaml").read_text())["dependencies"]:
        folder = place / "charts" / one["name"]
        if folder.exists():
            continue
        if one["name"] == "holdfast":
            shutil.copytree(chart.CHART, folder)
            continue
        (folder / "templates").mkdir(parents=True)
        (folder / "Chart.yaml").write_text(f"apiVersion: v2\nname: {one['name']}\nversion: {one['version']}\n")
        (folder / "templates" / "values.yaml").write_text(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: stub-%s}\ndata:\n  values: {{ .Values | toJson | quote }}\n"
            % one["name"]
        )
    return place
