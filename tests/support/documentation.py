"""The pages of the documentation, and the code that stands in them."""

import re

import pytest

from .holdfast import ROOT

DOCS = ROOT / "docs"
PAGES = sorted([*DOCS.rglob("*.md"), *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "wal/README.md"))])
SECTIONS = {"receivers", "processors", "exporters", "extensions", "connectors", "service"}
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)


def name_of(page):
    return str(page.relative_to(ROOT))


def blocks(language):
    """(page, number, text) of each fenced block of that language."""
    return [
        pytest.param(page, text, id=f"{name_of(page)}-{number}")
        for page in PAGES
        for number, (kind, text) in enumerate(FENCE.findall(page.read_text()))
        if kind == language
    ]


def completed(configuration):
    """A part of a configuration with what it needs to be one."""
    configuration = dict(configuration)
    service = configuration.setdefault("service", {})
    if not service.get("pipelines"):
        for kind in ("receivers", "exporters"):
            configuration[kind] = {**(configuration.get(kind) or {}), "nop": None}
        service["pipelines"] = {"logs": {"receivers": ["nop"], "exporters": ["nop"]}}
    return configuration
