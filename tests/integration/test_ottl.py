"""OTTL as a backend sees what it did: the Go collector's recorded answers replayed, and transform and filter end to end."""

import os
import re

import pytest

from differential.ottl import run as corpus
from support import otlp
from support.holdfast import config, otlp_exporter, run

# All cases take minutes; HOLDFAST_OTTL_ALL=1 runs them.
SHARE = 1 if "HOLDFAST_OTTL_ALL" in os.environ else 8
ALL = corpus.corpus()
SEVERAL_WRONG = """\
processors:
  transform:
    trace_statements:
      - set(span.nme, 1)
      - set(span.name
      - sett(span.name, 1)
    log_statements:
      - context: log
        statements:
          - set(log.nonsense, 1)
      - other: 1
  filter:
    trace_conditions:
      [span.name == "right",
       span.nam == ""]
    metrics: {metric: ['nam == ""', 'nome == ""']}
  tail_sampling: {policies: [{name: a, type: string_attribute}, {name: b, type: always_sample}, {name: c, type: and}]}
receivers: {otlp: {protocols: {grpc: }}}
exporters:
  debug: {verbosity: loud}
connectors:
  routing: {table: [
    {condition: '== 1', pipelines: [traces/2]},
    {condition: 'x ==', pipelines: [traces/2]}]}
service:
  pipelines:
    traces: {receivers: [otlp], processors: [transform, filter, tail_sampling], exporters: [debug, routing]}
    traces/2: {receivers: [routing], exporters: [debug]}
"""
PIECES = list(corpus.in_pieces(ALL[::SHARE], 64))


class TestCorpus:
    @pytest.mark.parametrize("number", range(len(PIECES)))
    def test_answers_are_those_of_the_go_collector(self, number):
        assert corpus.compare(PIECES[number], corpus.read_records()) == {}

    def test_every_case_is_recorded_and_every_difference_is_a_case(self):
        keys = [(case.signal.name, case.key) for case in ALL]
        assert len(keys) == len(set(keys)) >= 600
        assert set(keys) == set(corpus.read_records())
        assert corpus.known_differences() <= {key for _, key in keys}


def sent_through(start, backend, sender, signal, processors, **fields):
    holdfast = start(config({"otlp": otlp_exporter(backend)}, processors))
    ids = otlp.new_ids(2)
    request = otlp.request(signal, ids)
    sender(holdfast).export(signal, request)
    return holdfast, ids


class TestTransform:
    @pytest.mark.parametrize("signal", otlp.SIGNALS, ids=lambda one: one.name)
    def test_plain_statements_reach_every_item(self, start, grpc_backend, grpc_sender, signal):
        prefix = {"traces": "span", "metrics": "datapoint", "logs": "log"}[signal.name]
        key = {"traces": "trace", "metrics": "metric", "logs": "log"}[signal.name] + "_statements"
        statements = [
            f'set({prefix}.attributes["seen"], Concat(["by", resource.attributes["service.name"]], " "))',
            f'set(resource.attributes["k"], 5) where {prefix}.attributes["seen"] == "by test"',
        ]
        _, ids = sent_through(start, grpc_backend, grpc_sender, signal, {"transform": {key: statements}})
        grpc_backend.wait_for(ids)
        message = grpc_backend.requests[-1].message
        assert [otlp.attributes(item)["seen"] for item in otlp.items(signal, message)] == ["by test"] * 2
        assert otlp.attributes(otlp.resources(signal, message)[0])["k"] == 5

    def test_an_error_is_counted_and_logged_with_its_statement(self, start, grpc_backend, grpc_sender):
        statement = 'set(log.severity_number, "text")'
        holdfast, ids = sent_through(
            start, grpc_backend, grpc_sender, otlp.LOGS, {"transform": {"log_statements": [statement]}}
        )
        grpc_backend.wait_for(ids)
        assert holdfast.log().count("failed to execute statement: expects int64 but got string") == 1
        errors = holdfast.metric("holdfast_processor_statement_errors", processor="transform", statement=statement.replace(chr(34), r"\""))
        assert errors == 2

    def test_propagate_refuses_the_request(self, start, grpc_backend, grpc_sender):
        settings = {"error_mode": "propagate", "log_statements": ['set(log.severity_number, "text")']}
        holdfast = start(config({"otlp": otlp_exporter(grpc_backend)}, {"transform": settings}))
        with pytest.raises(Exception):
            grpc_sender(holdfast).export(otlp.LOGS, otlp.request(otlp.LOGS, otlp.new_ids(1)))


class TestFilter:
    @pytest.mark.parametrize("signal", otlp.SIGNALS, ids=lambda one: one.name)
    def test_what_a_condition_is_true_for_goes_and_is_counted(self, start, grpc_backend, grpc_sender, signal):
        prefix = {"traces": "span", "metrics": "datapoint", "logs": "log"}[signal.name]
        key = {"traces": "trace", "metrics": "metric", "logs": "log"}[signal.name] + "_conditions"
        kept, dropped = otlp.new_ids(2)
        conditions = [f'{prefix}.attributes["{otlp.ID_KEY}"] == {dropped}', f'{prefix}.attributes["none"]["k"] == 1']
        holdfast = start(config({"otlp": otlp_exporter(grpc_backend)}, {"filter": {key: conditions}}))
        grpc_sender(holdfast).export(signal, otlp.request(signal, [kept, dropped]))
        grpc_backend.wait_for([kept])
        items = otlp.items(signal, grpc_backend.requests[-1].message)
        assert [otlp.attributes(item)[otlp.ID_KEY] for item in items] == [kept]
        name = {"traces": "spans", "metrics": "datapoints", "logs": "logs"}[signal.name]
        assert holdfast.metric(f"otelcol_processor_filter_{name}_filtered", filter="filter") == 1
        for name, count in (("incoming", 2), ("outgoing", 1)):
            assert holdfast.metric(f"otelcol_processor_{name}_items", processor="filter", otel_signal=signal.name) == count


WRONG = [
    ("transform", {"trace_statements": ['sett(span.name, "x")']}, 'undefined function "sett"', 'did you mean "set"?', 1),
    ("transform", {"trace_statements": ['set(span.nme, "x")']}, '"nme" is not a valid path', 'did you mean "name"?', 5),
    ("transform", {"trace_statements": ["set(span.kind, SPAN_KIND_SERVR)"]}, "unknown enum symbol", "SPAN_KIND_SERVER", 16),
    ("transform", {"trace_statements": ['set(span.name "x")']}, 'unexpected "x"', "a comma", 15),
    ("transform", {"trace_statements": ['set(span.name, "x") where']}, "the text ends", "a value", 26),
    ("transform", {"trace_statements": ['set(span.name, "\\d")']}, "unknown escape", "backslash", 16),
    ("transform", {"trace_statements": ['set(span.name)']}, "incorrect number of arguments", "expected 2", 1),
    ("transform", {"trace_statements": ['replace_pattern(span.name, "(?=x)", "")']}, "unsupported Perl syntax", "pattern", 28),
    ("transform", {"log_statements": ['set(span.name, "x")']}, "not for this", "span", None),
    ("transform", {"log_statements": [{"context": "spam", "statements": ["set(body, 1)"]}]}, "unknown context", "spam", None),
    ("filter", {"trace_conditions": ['span.name = "x"']}, "unexpected =", "comparison", 11),
    ("filter", {"trace_conditions": ['span.attributes["x"]']}, "the text ends", "comparison such as == true", 21),
    ("filter", {"traces": {"span": ["name == 1"]}, "trace_conditions": ["span.name == 1"]}, "cannot be given together", "traces", None),
    ("filter", {"logs": {"include": {"severity_number": {"min": "LOUD"}}}}, "is not a severity", "LOUD", None),
]


class TestMistakes:
    @pytest.mark.parametrize("kind, settings, says, hint, column", WRONG)
    def test_a_wrong_text_fails_at_load_with_its_place(self, tmp_path, kind, settings, says, hint, column):
        import yaml

        path = tmp_path / "config.yaml"
        path.write_text(
            yaml.safe_dump(
                {
                    "receivers": {"otlp": {"protocols": {"grpc": {}}}},
                    "processors": {kind: settings},
                    "exporters": {"nop": {}},
                    "service": {"pipelines": {name: {"receivers": ["otlp"], "processors": [kind], "exporters": ["nop"]} for name in ("traces", "logs")}},
                }
            )
        )
        done = run("validate", "--config", path)
        text = done.stdout + done.stderr
        assert done.returncode != 0
        assert says in text and hint in text
        assert re.search(r"config\.yaml:\d+:\d+", text)
        if column is not None:
            assert f"at column {column}" in text
            lines = text.splitlines()
            caret = next(number for number, line in enumerate(lines) if line.strip() == "^")
            assert lines[caret].index("^") == 4 + column - 1
            assert lines[caret - 1].startswith("    ")

    def test_all_that_is_wrong_is_told_at_once_by_line(self, tmp_path):
        path = tmp_path / "config.yaml"
        path.write_text(SEVERAL_WRONG)
        done = run("validate", "--config", path)
        places = re.findall(r"config\.yaml:(\d+):\d+: (\S+) (\S+)", done.stderr)
        assert done.returncode != 0
        assert places == [
            ("4", "processors::transform:", "trace_statements[0]:"),
            ("5", "processors::transform:", "trace_statements[1]:"),
            ("6", "processors::transform:", "trace_statements[2]:"),
            ("8", "processors::transform:", "log_statements[0][0]:"),
            ("11", "processors::transform:", "log_statements[1]:"),
            ("15", "processors::filter:", "trace_conditions[1]:"),
            ("16", "processors::filter:", "metrics::metric[0]:"),
            ("16", "processors::filter:", "metrics::metric[1]:"),
            ("17", "processors::tail_sampling:", "policies:"),
            ("17", "processors::tail_sampling:", "policies:"),
            ("20", "exporters::debug:", "verbosity:"),
            ("23", "connectors::routing:", "table[0]::condition[0]:"),
            ("24", "connectors::routing:", "table[1]::condition[0]:"),
        ], done.stderr
