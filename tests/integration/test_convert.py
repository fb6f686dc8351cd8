"""`holdfast convert`: configurations of Fluent Bit, in both of its forms, whose result runs and does the same."""

import json
import os
import textwrap

import pytest
import yaml

from support.holdfast import run
from support.waiting import until


@pytest.fixture
def converted(tmp_path):
    """converted(text, ...) -> (exit code, the configuration, the report by its weights)."""

    def make(text, name="fluent-bit.conf", **files):
        for path, content in files.items():
            (tmp_path / path.replace("_", ".", 1)).write_text(textwrap.dedent(content))
        path = tmp_path / name
        path.write_text(textwrap.dedent(text) if isinstance(text, str) else yaml.safe_dump(text, sort_keys=False))
        done = run("convert", "fluentbit", path)
        report = {"note": [], "left out": [], "error": []}
        for line in done.stderr.splitlines():
            weight, _, words = line.partition(": ")
            report[weight].append(words)
        made = yaml.safe_load(done.stdout) if done.stdout else None
        if made is not None:
            (tmp_path / "made.yaml").write_text(done.stdout)
        return done.returncode, made, report

    return make


def section(kind, name, **keys):
    lines = [f"    {key.replace('__', '.')} {value}" for key, value in {"Name": name, **keys}.items()]
    return "\n".join([f"[{kind}]", *lines, ""])


def whole(*parts, output=section("OUTPUT", "stdout", Match="*")):
    return "\n".join([*parts, output])


def assert_valid(tmp_path):
    done = run("validate", "--config", tmp_path / "made.yaml")
    assert done.returncode == 0, done.stderr


# ---- inputs and outputs ----


def test_a_whole_configuration(converted, tmp_path):
    code, made, report = converted(
        """\
        @SET level=warn
        [SERVICE]
            Flush         1
            Log_Level     ${level}
            Parsers_File  parsers.conf
            HTTP_Server   On
        # what is read
        [INPUT]
            Name   tail
            Alias  web
            Tag    web.access
            Path   /srv/a/*.log, /srv/b/*.log
            Exclude_Path *.gz
            Parser access
            Read_from_Head true
            DB     /var/log/flb.db
        [FILTER]
            Name   modify
            Match  web.*
            Set    cluster "prod one"
            Rename host client
        @INCLUDE out*.conf
        """,
        parsers_conf="""\
        [PARSER]
            Name        access
            Format      regex
            Regex       ^(?<host>[^ ]*) (?<time>[^ ]*) (?<code>\\d+)$
            Time_Key    time
            Time_Format %Y-%m-%dT%H:%M:%S
        """,
        out1_conf="""\
        [OUTPUT]
            Name  opentelemetry
            Match web.*
            Host  backend.test
            Port  4318
            Header X-Scope a$b
            tls   On
            tls.ca_file /etc/ca.pem
        """,
    )
    assert (code, report["left out"], report["error"]) == (0, [], [])
    assert any("DB: places are committed" in one for one in report["note"])
    receiver = made["receivers"]["filelog/web"]
    assert receiver["include"] == ["/srv/a/*.log", "/srv/b/*.log"]
    assert (receiver["exclude"], receiver["start_at"]) == (["*.gz"], "beginning")
    parse, remove = receiver["operators"]
    assert parse["regex"] == r"^(?P<host>[^ ]*) (?P<time>[^ ]*) (?P<code>\d+)$$"
    assert parse["timestamp"]["layout"] == "%Y-%m-%dT%H:%M:%S"
    assert remove == {"type": "remove", "field": 'attributes["time"]'}
    exporter = made["exporters"]["otlphttp"]
    assert exporter["endpoint"] == "https://backend.test:4318"
    assert exporter["headers"] == {"X-Scope": "a$$b"}
    assert exporter["tls"] == {"ca_file": "/etc/ca.pem"}
    assert made["service"]["telemetry"]["logs"]["level"] == "warn"
    assert made["service"]["pipelines"] == {
        "logs": {"receivers": ["filelog/web"], "processors": ["transform"], "exporters": ["otlphttp"]}
    }
    assert_valid(tmp_path)


def test_yaml_is_the_same_as_the_classic_form(converted, tmp_path):
    classic = whole(
        section("INPUT", "tail", Tag="a.b", Path="/x/*.log", Parser="p"),
        section("FILTER", "grep", Match="a.*", Exclude="log ^debug"),
        section("PARSER", "p", Format="json"),
    )
    as_yaml = {
        "env": {"folder": "/x"},
        "parsers": [{"name": "p", "format": "json"}],
        "pipeline": {
            "inputs": [{"name": "tail", "tag": "a.b", "path": "${folder}/*.log", "parser": "p"}],
            "filters": [{"name": "grep", "match": "a.*", "exclude": "log ^debug"}],
            "outputs": [{"name": "stdout", "match": "*"}],
        },
    }
    code, made, _ = converted(classic)
    assert code == 0
    assert_valid(tmp_path)
    assert converted(as_yaml, "fluent-bit.yaml")[:2] == (0, made)


INPUTS = {
    "forward": (section("INPUT", "forward", Listen="127.0.0.1", Port="24225"), "fluentforward",
                {"endpoint": "127.0.0.1:24225"}),
    "unix": (section("INPUT", "forward", unix_path="/run/f.sock"), "fluentforward",
             {"endpoint": "unix:///run/f.sock"}),
    "syslog": (section("INPUT", "syslog", Mode="udp", Port="5141", Parser="syslog-rfc3164"), "syslog",
               {"protocol": "rfc3164", "udp": {"listen_address": "0.0.0.0:5141"}}),
    "systemd": (section("INPUT", "systemd", Systemd_Filter="_SYSTEMD_UNIT=a.service", Read_From_Tail="On"),
                "journald", {"start_at": "end", "priority": "debug", "matches": [{"_SYSTEMD_UNIT": "a.service"}]}),
    "tcp": (section("INPUT", "tcp", Port="5171", Format="none"), "tcplog", {"listen_address": "0.0.0.0:5171"}),
    "otlp": (section("INPUT", "opentelemetry", Listen="127.0.0.1"), "otlp",
             {"protocols": {"http": {"endpoint": "127.0.0.1:4318"}}}),
}  # fmt: skip


@pytest.mark.parametrize("name", INPUTS)
def test_inputs(converted, tmp_path, name):
    text, kind, settings = INPUTS[name]
    code, made, report = converted(whole(text))
    assert (code, report["left out"]) == (0, [])
    assert made["receivers"] == {kind: settings}
    assert_valid(tmp_path)


OUTPUTS = {
    "loki": (section("OUTPUT", "loki", Match="*", host="l", tenant_id="t", label_keys="$a,$b"), "loki",
             {"endpoint": "http://l:3100/loki/api/v1/push", "format": "body", "tenant_id": "t",
              "labels": {"attributes": {"a": "", "b": ""}}}),
    "es": (section("OUTPUT", "es", Match="*", Host="e", Index="i", HTTP_User="u", HTTP_Passwd="p"), "elasticsearch",
           {"endpoint": "http://e:9200", "logs_index": "i", "mapping": {"mode": "raw"}, "user": "u", "password": "p"}),
    "opensearch": (section("OUTPUT", "opensearch", Match="*", Logstash_Format="On", Logstash_Prefix="n"), "opensearch",
                   {"http": {"endpoint": "http://127.0.0.1:9200"}, "logs_index": "n",
                    "logs_index_time_format": "yyyy.MM.dd"}),
    "splunk": (section("OUTPUT", "splunk", Match="*", Splunk_Token="t", event_index="i", compress="gzip"),
               "splunk_hec", {"endpoint": "http://127.0.0.1:8088/services/collector", "token": "t", "index": "i"}),
    "s3": (section("OUTPUT", "s3", Match="*", bucket="b", region="eu-west-1", compression="gzip"), "awss3",
           {"s3uploader": {"region": "eu-west-1", "s3_bucket": "b", "compression": "gzip"}, "marshaler": "body"}),
    "kafka": (section("OUTPUT", "kafka", Match="*", Brokers="a:9092", Topics="t"), "kafka",
              {"brokers": "a:9092", "logs": {"topic": "t", "encoding": "raw"}}),
    "stdout": (section("OUTPUT", "stdout", Match="*"), "debug", {"verbosity": "detailed"}),
    "file": (section("OUTPUT", "file", Match="*", Path="/tmp", File="o"), "file", {"path": "/tmp/o"}),
    "null": (section("OUTPUT", "null", Match="*"), "nop", None),
}  # fmt: skip


@pytest.mark.parametrize("name", OUTPUTS)
def test_outputs(converted, tmp_path, name):
    text, kind, settings = OUTPUTS[name]
    code, made, report = converted(whole(section("INPUT", "tail", Path="/x"), output=text))
    assert (code, report["left out"]) == (0, [])
    assert made["exporters"] == {kind: settings}
    assert_valid(tmp_path)


def test_remote_write_takes_the_metrics_of_otlp(converted, tmp_path):
    output = section("OUTPUT", "prometheus_remote_write", Match="*", Host="p", Uri="/w", http_user="u", http_passwd="p")
    code, made, report = converted(whole(section("INPUT", "opentelemetry"), output=output))
    assert (code, report["left out"]) == (0, [])
    assert made["service"]["pipelines"] == {"metrics": {"receivers": ["otlp"], "exporters": ["prometheusremotewrite"]}}
    assert made["extensions"] == {"basicauth": {"client_auth": {"username": "u", "password": "p"}}}
    assert_valid(tmp_path)


@pytest.mark.parametrize(
    ("part", "words"),
    [
        (section("INPUT", "cpu", Tag="c"), "[INPUT] cpu: the input has no equal here"),
        (section("INPUT", "http", Tag="c"), "let the senders use OTLP"),
        (section("INPUT", "syslog", Path="/run/s"), "Mode unix_udp"),
        (section("FILTER", "lua", Match="*", script="a.lua"), "[FILTER] lua: the filter has no equal here"),
        (section("OUTPUT", "forward", Match="*"), "no exporter of the forward protocol"),
        (section("OUTPUT", "http", Match="*"), "no exporter of plain JSON over HTTP"),
        (section("OUTPUT", "stdout", Match="*", strange="7"), "strange 7 has no equal"),
        (section("FILTER", "nest", Match="*", Operation="nest", Wildcard="a*", Nest_under="b"), "nest of the keys a*"),
        (section("FILTER", "parser", Match="*", Parser="gone"), "the parser gone is in no file"),
        (section("FILTER", "modify", Match="*", Condition="No_key_matches a", Set="b c"), "Condition No_key_matches"),
        (section("STREAM_TASK", "x"), "[STREAM_TASK] x: the section has no equal"),
        (section("INPUT", "tail", Path="/y", Tag="other"), ""),
    ],
)
def test_what_has_no_equal_is_told(converted, tmp_path, part, words):
    output = section("OUTPUT", "stdout", Match="tail*")
    code, made, report = converted(whole(section("INPUT", "tail", Path="/x"), part, output=output))
    assert code == 1
    assert any((words or "no output that could be converted takes its tag other") in one for one in report["left out"])
    assert made["service"]["pipelines"]["logs"]["receivers"] == ["filelog"]
    if not words:
        made["receivers"].pop("filelog/2")
    assert_valid(tmp_path)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Name tail\n", "fluent-bit.conf:1: a key without a [SECTION] above it"),
        ("[INPUT\n", ":1: a section is written as [NAME]"),
        ("@INCLUDE gone.conf\n", "gone.conf: there is no such file"),
        ("@INCLUDE fluent-bit.conf\n", "include each other too deeply"),
        ("@NO x\n", "no such command"),
        ("[SERVICE]\n  Parsers_File none.conf\n", "none.conf: No such file"),
    ],
)
def test_files_that_cannot_be_read(converted, text, words):
    code, made, report = converted(text)
    assert (code, made) == (2, None)
    assert any(words in one for one in report["error"]), report


def test_usage(tmp_path):
    for words in ([], ["fluentbit"], ["logstash", tmp_path], ["fluentbit", tmp_path, tmp_path]):
        assert run("convert", *words).returncode == 2


# ---- what it does ----


def test_tags_choose_filters_and_outputs(converted, tmp_path):
    code, made, _ = converted(
        whole(
            section("INPUT", "tail", Tag="a.one", Path="/1"),
            section("INPUT", "tail", Tag="a.two", Path="/2"),
            section("INPUT", "tail", Tag="b.one", Path="/3"),
            section("FILTER", "modify", Match="a.*", Set="f 1"),
            section("FILTER", "modify", Match="*.one", Set="g 1"),
            section("OUTPUT", "file", Match="a.*", File="a"),
            section("OUTPUT", "file", Match="*", File="all"),
            output="",
        )
    )
    assert code == 0
    assert made["service"]["pipelines"] == {
        "logs": {"receivers": ["filelog"], "processors": ["transform", "transform/2"], "exporters": ["file", "file/2"]},
        "logs/2": {"receivers": ["filelog/2"], "processors": ["transform"], "exporters": ["file", "file/2"]},
        "logs/3": {"receivers": ["filelog/3"], "processors": ["transform/2"], "exporters": ["file/2"]},
    }
    assert_valid(tmp_path)


def log(body, **attributes):
    values = [{"key": key, "value": {"stringValue": value}} for key, value in attributes.items()]
    record = {"body": {"stringValue": body}, "attributes": values}
    return {"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]}


FILTERS = [
    (section("FILTER", "grep", Match="*", Regex="log ^a", Exclude="level debug"),
     [(log("ab"), {}), (log("b"), None), (log("a", level="debug"), None)]),
    (section("FILTER", "grep", Match="*", Logical_Op="or", Regex="level ^warn").replace("\n    Regex", "\n    Regex x 1\n    Regex"),
     [(log("a", x="1"), {}), (log("a", level="warning"), {}), (log("a"), None)]),
    (section("FILTER", "modify", Match="*", Set="a 1", Add="b 2", Remove="c", Hard_rename="d e", Copy="f g"),
     [(log("x", b="old", c="1", d="2", e="3", f="4"), {"a": "1", "b": "old", "c": None, "d": None, "e": "2", "g": "4"})]),
    (section("FILTER", "modify", Match="*", Condition="Key_value_equals a 1", Rename="b c"),
     [(log("x", a="1", b="2"), {"c": "2", "b": None}), (log("x", a="2", b="2"), {"b": "2", "c": None})]),
    (section("FILTER", "record_modifier", Match="*", Record="host web 1", Remove_key="p", Allowlist_key="host"),
     [(log("x", p="1", q="2"), {"host": "web 1", "p": None, "q": None})]),
    (section("FILTER", "parser", Match="*", Key_Name="line", Parser="kv", Reserve_Data="On"),
     [(log("x", line="a=1 b=2"), {"a": "1", "b": "2", "line": None})]),
    (section("FILTER", "nest", Match="*", Operation="nest", Wildcard="a", Nest_under="n")
     + section("FILTER", "nest", Match="*", Operation="lift", Nested_under="n"),
     [(log("x", a="1"), {"a": "1", "n": None})]),
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(FILTERS)))
def test_filters_do_the_same(converted, tmp_path, number):
    """By `holdfast test`, a test for each record."""
    text, rows = FILTERS[number]
    parser = section("PARSER", "kv", Format="logfmt")
    code, _, report = converted(whole(section("INPUT", "tail", Path="/x"), parser, text))
    assert (code, report["left out"]) == (0, [])
    tests = [
        {
            "name": str(i),
            "input": [{"to": "filelog", "otlp": record}],
            "expect": [
                {
                    "at": "debug",
                    "count": 0 if wanted is None else 1,
                    **({"contains": {"attributes": wanted}} if wanted else {}),
                }
            ],
        }
        for i, (record, wanted) in enumerate(rows)
    ]
    (tmp_path / "tests.yaml").write_text(yaml.safe_dump({"config": "made.yaml", "tests": tests}))
    done = run("test", tmp_path / "tests.yaml", timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


def test_what_was_converted_runs(converted, start, tmp_path):
    """Lines of a file, through a parser, joined, filtered, into a file."""
    source = tmp_path / "app.log"
    source.write_text("start 1 one\n  more\nstart 2 two\nstart 3 skipped\nstart 4 four\n")
    code, made, report = converted(
        whole(
            section("INPUT", "tail", Path=source, Read_from_Head="On", multiline__parser="app", Parser="fields"),
            section("FILTER", "grep", Match="*", Exclude="text ^skipped"),
            section("FILTER", "record_modifier", Match="*", Record="host ${WHERE}"),
            section("PARSER", "fields", Format="regex", Regex="^start (?<n>\\d+) (?<text>[\\s\\S]*)"),
            section("MULTILINE_PARSER", "app", rule='"start_state" "/^start/" "cont"'),
            output=section("OUTPUT", "file", Match="*", Path=tmp_path, File="out.jsonl"),
        )
    )
    assert (code, report["left out"]) == (0, [])
    made["service"]["extensions"] = ["health_check"]
    made["service"]["telemetry"] = {"metrics": {"level": "none"}}
    base = {"extensions": {"health_check": {"endpoint": "127.0.0.1:${env:HEALTH_PORT}"}}}
    start(made, base=base, environment={**os.environ, "WHERE": "here"})

    def records():
        path = tmp_path / "out.jsonl"
        found = []
        for line in path.read_text().splitlines() if path.exists() else []:
            for resource in json.loads(line)["resourceLogs"]:
                for scope in resource["scopeLogs"]:
                    found += scope["logRecords"]
        return found if len(found) == 3 else None

    found = until(records, "the lines did not come")
    attributes = [
        {one["key"]: one["value"]["stringValue"] for one in record["attributes"]} for record in found
    ]
    assert [one["n"] for one in attributes] == ["1", "2", "4"]
    assert attributes[0]["text"] == "one\n  more"
    assert {one["host"] for one in attributes} == {"here"}
