"""`holdfast graph`: the pipelines as a picture's text, read by another's parser of the language."""

import re

import pydot
import pytest

from support.holdfast import ROOT, run

CONFIG = """\
receivers: {otlp: {protocols: {grpc: }}}
processors: {attributes: {actions: [{key: a, value: b, action: insert}]}, groupbytrace: }
connectors: {forward: , spanmetrics: }
exporters: {otlp: {endpoint: "h:1"}, debug: }
service:
  pipelines:
    traces: {receivers: [otlp], processors: [attributes, groupbytrace], exporters: [otlp, spanmetrics]}
    metrics: {receivers: [spanmetrics], exporters: [debug]}
    logs: {receivers: [otlp], exporters: [forward]}
    logs/2: {receivers: [forward], processors: [attributes], exporters: [debug]}
"""
EDGES = [
    ("attributes", "queue logs/2"),
    ("attributes", "queue traces"),
    ("forward", "attributes"),
    ("groupbytrace", "queue traces>groupbytrace"),
    ("otlp", "attributes"),
    ("otlp", "forward"),
    ("queue logs/2", "debug"),
    ("queue metrics", "debug"),
    ("queue traces", "groupbytrace"),
    ("queue traces>groupbytrace", "otlp"),
    ("queue traces>groupbytrace", "spanmetrics"),
    ("spanmetrics", "queue metrics"),
]


def write(tmp_path, text=CONFIG):
    path = tmp_path / "config.yaml"
    path.write_text(text)
    return path


def dot_edges(text):
    (graph,) = pydot.graph_from_dot_data(text)
    graphs = [graph, *graph.get_subgraphs()]
    labels = {node.get_name(): node.get_label().strip('"') for each in graphs for node in each.get_nodes()}
    return sorted(
        (labels[edge.get_source()], labels[edge.get_destination()]) for each in graphs for edge in each.get_edges()
    )


def mermaid_edges(text):
    labels = {name: label.replace("#62;", ">") for name, label in re.findall(r'^ *(\w+)\W+"(.*)"', text, re.M)}
    return sorted((labels[a], labels[b]) for a, b in re.findall(r"^ *(\w+) --> (\w+)$", text, re.M))


def test_dot_says_what_leads_where(tmp_path):
    done = run("graph", "--format", "dot", "--config", write(tmp_path))
    assert (done.returncode, dot_edges(done.stdout)) == (0, EDGES), done.stderr


def test_mermaid_says_the_same_and_is_the_default(tmp_path):
    done = run("graph", "--config", write(tmp_path))
    assert (done.returncode, mermaid_edges(done.stdout)) == (0, EDGES), done.stderr
    assert run("graph", "--format=mermaid", "--config", write(tmp_path)).stdout == done.stdout


@pytest.mark.parametrize("name", sorted(path.name for path in (ROOT / "conf").glob("*.yaml")))
def test_the_examples_are_drawn_alike_in_both(name):
    texts = [
        run("graph", "--format", language, "--config", ROOT / "conf" / name, env={"TOKEN": "x"})
        for language in ("dot", "mermaid")
    ]
    edges = dot_edges(texts[0].stdout)
    assert edges
    assert edges == mermaid_edges(texts[1].stdout)


def test_what_is_not_built_in_is_drawn_with_partial(tmp_path):
    text = CONFIG.replace("groupbytrace", "of_another_vendor")
    assert run("graph", "--config", write(tmp_path, text)).returncode == 1
    done = run("graph", "--partial", "--format", "dot", "--config", write(tmp_path, text))
    assert done.returncode == 0
    assert ("of_another_vendor", "queue traces") in dot_edges(done.stdout)


def test_exit_codes_are_those_of_validate(tmp_path):
    path = write(tmp_path, CONFIG.replace("exporters: [debug]", "exporters: [debgu]"))
    done = run("graph", "--config", path)
    assert (done.returncode, done.stdout) == (1, "")
    assert "debgu" in done.stderr
    for words in ([], ["--format", "svg", "--config", path]):
        done = run("graph", *words)
        assert done.returncode == 2
        assert "Usage: holdfast graph" in done.stderr
