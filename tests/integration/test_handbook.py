"""The operations handbook names what is there: links, commands, components, keys of the chart; its calculator computes."""

import importlib.util
import json
import re
import subprocess
import sys

import pytest
import yaml

from support import chart
from support.holdfast import ROOT, run

FOLDER = ROOT / "docs" / "operations"
PAGES = sorted(FOLDER.rglob("*.md"))


def load_calculator():
    specification = importlib.util.spec_from_file_location("size", FOLDER / "size.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
        assert (page.parent / target).exists(), target


def test_every_page_is_in_the_index():
    index = (FOLDER / "README.md").read_text()
    for page in FOLDER.glob("*.md"):
        assert page.name == "README.md" or f"({page.name})" in index


def test_commands_are_there():
    helps = run("--help").stdout
    queue = run("queue", "--help").stdout
    for page in PAGES:
        for words in re.findall(r"`(?:kubectl exec POD -- )?holdfast ([a-z-]+(?: [a-z]+)?)", page.read_text()):
            command, _, word = words.partition(" ")
            assert re.search(rf"^ *{command}\b", helps, re.M), f"{page.name}: holdfast {command}"
            assert command != "queue" or re.search(rf"^ *{word}\b", queue, re.M), f"{page.name}: queue {word}"


def test_values_of_the_chart_are_there():
    known = set(chart.schema()["properties"])
    for page in [page for page in PAGES if page.stem != "moving"]:  # that one has keys of others
        for name in re.findall(r"`([a-z][A-Za-z]+)\.enabled`", page.read_text()):
            assert name in known, f"{page.name}: {name}"


def test_components_are_built_in():
    built = yaml.safe_load(run("components").stdout)
    names = {one["name"] for kind in built.values() if isinstance(kind, list) for one in kind if isinstance(one, dict)}
    table = (FOLDER / "moving.md").read_text()
    for line in table.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| `in_") or line.startswith("| `out_") or line.startswith("| sinks"):
            for name in re.findall(r"`([a-z]+)`", cells[1]):
                assert name in names, f"{name} in: {line}"


class TestCalculator:
    def test_more_load_needs_more(self):
        size = load_calculator().size
        small, large = size(10_000, 4), size(1_000_000, 4)
        longer = size(10_000, 40)
        assert large["each"]["cpu_millicores"] > small["each"]["cpu_millicores"]
        assert longer["each"]["volume_gib"] > 5 * small["each"]["volume_gib"]
        assert size(10_000, 4, at_rest=True)["queued_gib"] < small["queued_gib"] / 4
        assert size(100_000, 4, coding="gzip")["each"]["cpu_millicores"] > size(100_000, 4)["each"]["cpu_millicores"]

    def test_the_queue_fits_into_the_volume(self):
        size = load_calculator().size
        for spans in (1, 1_000, 300_000, 5_000_000):
            for agents in (1, 10):
                found = size(spans, 8, agents=agents)
                each = found["each"]
                assert found["replicas"] >= 1
                assert each["queue_max_bytes_gib"] <= each["volume_gib"]
                assert each["queue_max_bytes_gib"] * found["replicas"] >= 0.8 * found["queued_gib"] - found["replicas"]
                assert found["drain_hours"] >= 0

    def test_its_command_line(self):
        words = ["--spans", "20000", "--outage", "8", "--agents", "30", "--price-core", "25", "--json"]
        done = subprocess.run(
            [sys.executable, FOLDER / "size.py", *words], capture_output=True, text=True, check=True, timeout=60
        )
        found = json.loads(done.stdout)
        assert found["replicas"] == 30
        assert found["cost_a_month"] > 0
        done = subprocess.run(
            [sys.executable, FOLDER / "size.py", "--spans", "0", "--outage", "8"], capture_output=True, check=False, timeout=60
        )
        assert done.returncode == 2


class TestScale:
    """The tables of docs/scale.md are what its model computes, and the model answers as it must."""

    @staticmethod
    def scale(*words, check=True):
        command = [sys.executable, FOLDER / "scale.py", *words]
        return subprocess.run(command, capture_output=True, text=True, check=check, timeout=60)

    @pytest.mark.parametrize("what", ["machine", "fleet"])
    def test_the_page_has_its_tables(self, what):
        page = (FOLDER.parent / "scale.md").read_text()
        for table in self.scale(what).stdout.strip().split("\n\n"):
            assert table in page, f"not in docs/scale.md:\n{table}"

    def test_a_longer_outage_costs_disks_of_agents_alone(self):
        short = self.scale("fleet", "--nodes", "1000", "--outage", "4").stdout.splitlines()
        long = self.scale("fleet", "--nodes", "1000", "--outage", "24").stdout.splitlines()
        gateways = [[line for line in lines if "gateways" in line] for lines in (short, long)]
        agents = [[line for line in lines if "agents" in line] for lines in (short, long)]
        assert gateways[0] == gateways[1] and agents[0] != agents[1]

    def test_impossible_numbers_are_refused(self):
        assert self.scale("fleet", "--nodes", "-3", check=False).returncode == 2
        assert self.scale("fleet", "--spans-node", "-1", check=False).returncode == 2
        assert self.scale("machine", "--cores", "0", check=False).returncode == 2
