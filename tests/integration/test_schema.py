"""`holdfast schema`: what it allows and what it refuses, as an editor's validator sees it.

Besides these cases, every configuration with which any of these tests starts Holdfast is held against the schema
(Holdfast.start() in tests/support/holdfast.py).
"""

import ast

import jsonschema
import pytest

from support import schema
from support.holdfast import BINARY, ROOT, run

GOOD = """\
receivers:
  otlp:
    protocols:
      grpc: {endpoint: 127.0.0.1:4317}
processors:
  batch:
  memory_limiter: {limit_mib: 100, check_interval: 1s}
extensions:
  file_storage: {directory: /tmp}
exporters:
  otlp:
    endpoint: 127.0.0.1:14317
    compression: gzip
    timeout: 5s
    headers: {a: b}
    sending_queue: {queue_size: 10, sizer: items}
    tls: {insecure: true}
service:
  extensions: [file_storage]
  telemetry: {logs: {level: info}}
  pipelines:
    traces: {receivers: [otlp], processors: [batch], exporters: [otlp]}
"""

# What is changed in GOOD, and the path of what is wrong then.
WRONG = [
    ("endpoint: 127.0.0.1:14317", "endpoit: x", "exporters::otlp"),
    ("    endpoint: 127.0.0.1:14317\n", "", "exporters::otlp"),
    ("timeout: 5s", "timeout: soon", "exporters::otlp::timeout"),
    ("timeout: 5s", "timeout: -5s", "exporters::otlp::timeout"),
    ("sizer: items", "sizer: item", "exporters::otlp::sending_queue::sizer"),
    ("headers: {a: b}", "headers: text", "exporters::otlp::headers"),
    ("headers: {a: b}", "headers: [{nam: a}]", "exporters::otlp::headers::0"),
    ("queue_size: 10", "queue_size: many", "exporters::otlp::sending_queue::queue_size"),
    ("queue_size: 10", "queue_sizes: 10", "exporters::otlp::sending_queue"),
    ("insecure: true", "insecure: yes", "exporters::otlp::tls::insecure"),
    ("limit_mib: 100", "limit_mib: -1", "processors::memory_limiter::limit_mib"),
    ("limit_mib: 100", "limit_mib: [1]", "processors::memory_limiter::limit_mib"),
    ("grpc: {endpoint: 127.0.0.1:4317}", "grpc: {endpoint: [a]}", "receivers::otlp::protocols::grpc::endpoint"),
    ("grpc: {endpoint: 127.0.0.1:4317}", "grpcs: {}", "receivers::otlp::protocols"),
    ("  batch:", "  btach:", "processors"),
    ("level: info", "level: loud", "service::telemetry::logs::level"),
    ("  telemetry:", "  telemetri:", "service"),
    ("    traces:", "    spans:", "service::pipelines"),
    ("receivers: [otlp]", "receivers: []", "service::pipelines::traces::receivers"),
    (", exporters: [otlp]", "", "service::pipelines::traces"),
    ("processors: [batch]", "processor: [batch]", "service::pipelines::traces"),
    ("extensions:\n  file_storage", "extension:\n  file_storage", ""),
    ("service:", "servce:", ""),
]


def check(text):
    return schema.problems(BINARY, schema.merged({}, schema.load(text)))


def is_valid(tmp_path, text):
    path = tmp_path / "config.yaml"
    path.write_text(text)
    done = run("validate", "--config", path)
    return done.returncode == 0


def texts_in_tests():
    """Every whole configuration that is a text in a test of these folders."""
    for path in sorted((ROOT / "tests").glob("*/test_*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and "\nservice:" in node.value:
                yield node.value


def test_it_is_a_schema_of_its_draft():
    found = schema.of(BINARY)
    assert found["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    jsonschema.Draft202012Validator.check_schema(found)
    references = set()

    def walk(node):
        if isinstance(node, dict):
            references.update([node["$ref"]] if isinstance(node.get("$ref"), str) else [])
        for inner in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
            walk(inner)

    walk(found)
    assert references == {f"#/$defs/{name}" for name in found["$defs"]}


def test_it_tells_what_editors_show():
    found = schema.of(BINARY)
    table = found["$defs"][found["properties"]["exporters"]["properties"]["otlp"]["$ref"].rsplit("/", 1)[1]]
    assert "endpoint" in table["required"]
    assert table["properties"]["timeout"]["default"] == "5s"
    queue = found["$defs"][table["properties"]["sending_queue"]["$ref"].rsplit("/", 1)[1]]
    assert "items" in queue["properties"]["sizer"]["anyOf"][0]["enum"]
    assert all(table["properties"][key]["description"] for key in ("endpoint", "timeout", "compression"))
    listed = {
        (section, name)
        for section in ("receivers", "processors", "exporters", "connectors", "extensions")
        for name in found["properties"][section]["properties"]
    }
    built_in = schema.load(run("components").stdout)
    for section in ("receivers", "processors", "exporters", "connectors", "extensions"):
        for component in built_in[section]:
            assert (section, component["name"]) in listed


@pytest.mark.parametrize("path", sorted((ROOT / "conf").glob("*.yaml")), ids=lambda path: path.name)
def test_the_examples_are_allowed(path):
    assert check(path.read_text()) == []


def test_what_validates_in_the_tests_is_allowed(tmp_path):
    allowed = 0
    for text in texts_in_tests():
        if is_valid(tmp_path, text):
            assert check(text) == [], text
            allowed += 1
    assert allowed >= 3


@pytest.mark.parametrize(
    "old, new",
    [
        ("  otlp:\n    endpoint", "  otlp_grpc:\n    endpoint"),
        ("timeout: 5s", "timeout: ${env:TIMEOUT}"),
        ("timeout: 5s", "timeout: 1h30m"),
        ("timeout: 5s", "timeout: 5000000000"),
        ("timeout: 5s", "timeout:"),
        ("sizer: items", "sizer: Items"),
        ("headers: {a: b}", "headers: [{name: a, value: 1}]"),
        ("headers: {a: b}", "headers: {a: 1, b: }"),
        ("{queue_size: 10, sizer: items}", "{enabled: false}"),
        ("queue_size: 10", 'queue_size: "10"'),
        ("queue_size: 10", "queue_size: 1_000"),
        ("limit_mib: 100", "limit_mib: 0x64"),
        ("insecure: true", "insecure: 'true'"),
        ("receivers: [otlp]", "receivers: otlp"),
        ("    traces:", "    traces/2:"),
        ("  otlp:\n    protocols", "  otlp:\n  otlp/other:\n    protocols"),
    ],
)
def test_other_spellings_are_allowed_as_far_as_they_validate(tmp_path, old, new):
    text = GOOD.replace(old, new, 1)
    if "otlp_grpc" in new:
        text = text.replace("exporters: [otlp]", "exporters: [otlp_grpc]")
    if "otlp/other" in new:
        text = text.replace("  otlp:\n  otlp/other", "  otlp/other")
        text = text.replace("receivers: [otlp]", "receivers: [otlp/other]")
    text = text.replace("${env:TIMEOUT}", "${env:TIMEOUT:-3s}")
    assert text != GOOD
    assert is_valid(tmp_path, text)
    assert check(text) == []


@pytest.mark.parametrize("old, new, place", WRONG, ids=[f"{new.strip() or old.strip()}" for old, new, _ in WRONG])
def test_what_is_wrong_is_found_at_its_place(tmp_path, old, new, place):
    assert check(GOOD) == []
    text = GOOD.replace(old, new, 1)
    assert text != GOOD
    assert not is_valid(tmp_path, text)
    places = {found for found, _ in check(text)}
    assert places == {place}
