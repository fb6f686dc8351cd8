"""helm and promtool, as published."""

import os

from .modules import built

# name: (module, version, package, a variable that may name the program when it is there already)
PROGRAMS = {
    "helm": ("helm.sh/helm/v3", "v3.21.4", "helm.sh/helm/v3/cmd/helm", "HOLDFAST_HELM"),
    "promtool": (
        *("github.com/prometheus/prometheus", "v0.314.0", "github.com/prometheus/prometheus/cmd/promtool"),
        "HOLDFAST_PROMTOOL",
    ),
}


def environment(*names):
    """{variable: path} of these programs."""
    rows = {name: PROGRAMS[name] for name in names}
    return {row[-1]: os.environ.get(row[-1]) or str(built(name, *row[:-1])) for name, row in rows.items()}
