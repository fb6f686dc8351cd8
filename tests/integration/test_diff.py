"""`holdfast diff`: what a reload would change, and what it then does change."""

import pytest

from support.holdfast import config, otlp_exporter, pipelines, run
from support.waiting import until

BEFORE = """\
receivers: {otlp: {protocols: {grpc: , http: }}}
processors: {batch: , groupbytrace: {wait_duration: 1s}}
extensions: {health_check: }
exporters:
  otlp: {endpoint: "h:1", timeout: 5s, headers: {a: secret1}}
  debug:
service:
  extensions: [health_check]
  pipelines:
    traces: {receivers: [otlp], processors: [groupbytrace], exporters: [otlp]}
    logs: {receivers: [otlp], exporters: [otlp, debug]}
"""
READERS = [
    "= queue traces: groupbytrace keeps its place",
    "= queue traces>groupbytrace: otlp keeps its place",
    "= queue logs: otlp keeps its place",
    "= queue logs: debug keeps its place",
]


def diff(tmp_path, after, before=BEFORE):
    (tmp_path / "a.yaml").write_text(before)
    (tmp_path / "b.yaml").write_text(after)
    return run("diff", tmp_path / "a.yaml", tmp_path / "b.yaml")


@pytest.mark.parametrize(
    "old, new",
    [
        ("timeout: 5s", "timeout: 5000ms"),
        ("timeout: 5s, ", ""),
        ("timeout: 5s", "timeout: 5s, retry_on_failure: {enabled: true}"),
        ("timeout: 5s", "timeout: 5s, tls: {insecure: false}"),
        ("timeout: 5s", "timeout: 5s, sending_queue: {sizer: REQUESTS}"),
        ("debug:", "debug: {}"),
        ("batch: ,", "batch: {timeout: 9s},"),  # used in no pipeline
        ("batch: ,", ""),
        ("{grpc: , http: }", "{http: , grpc: {}}"),
        ("service:", "# a remark\nservice:"),
    ],
)
def test_what_means_the_same_is_no_difference(tmp_path, old, new):
    after = BEFORE.replace(old, new, 1)
    assert after != BEFORE
    done = diff(tmp_path, after)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr


@pytest.mark.parametrize(
    "old, new, line",
    [
        ("timeout: 5s", "timeout: 6s", "~ exporters::otlp: timeout"),
        ("timeout: 5s", "timeout: 6s, tls: {insecure: true}", "~ exporters::otlp: timeout, tls::insecure"),
        ("secret1", "secret2", "~ exporters::otlp: headers"),
        ("{grpc: , http: }", "{grpc: }", "~ receivers::otlp: protocols::http"),
        ("grpc: ,", "grpc: {endpoint: localhost:1},", "~ receivers::otlp: protocols::grpc::endpoint"),
        ("wait_duration: 1s", "wait_duration: 2s", "~ processors::groupbytrace: wait_duration"),
        ("service:", "service:\n  telemetry: {logs: {level: debug}}", "~ service::telemetry: logs::level"),
    ],
)
def test_changed_keys_are_named_and_their_values_are_not(tmp_path, old, new, line):
    done = diff(tmp_path, BEFORE.replace(old, new, 1))
    assert (done.returncode, done.stdout.splitlines()) == (1, [line, *READERS]), done.stderr
    assert "secret" not in done.stdout


def test_items_of_a_list_are_named_by_their_place(tmp_path):
    text = BEFORE.replace("batch: ,", "attributes: {actions: [{key: a, action: delete}, {key: b, action: delete}]},")
    text = text.replace("[groupbytrace]", "[attributes, groupbytrace]")
    done = diff(tmp_path, text.replace("key: b", "key: c"), text)
    assert done.stdout.splitlines()[0] == "~ processors::attributes: actions[1]::key"
    done = diff(tmp_path, text.replace("{key: a, action: delete}, ", ""), text)
    assert done.stdout.splitlines()[0] == "~ processors::attributes: actions"


def test_added_and_removed_components_pipelines_and_readers(tmp_path):
    after = (
        BEFORE.replace("[groupbytrace]", "[batch]")
        .replace("    logs: ", "    metrics: ")
        .replace("  extensions: [health_check]\n", "")
    )
    done = diff(tmp_path, after)
    assert done.returncode == 1
    assert sorted(done.stdout.splitlines()) == sorted(
        [
            "- processors::groupbytrace",
            "+ processors::batch",
            "- extensions::health_check",
            "~ service::pipelines::traces: processors",
            "- service::pipelines::logs",
            "+ service::pipelines::metrics",
            "- queue traces: groupbytrace reads it no more; its backlog stays there",
            "- queue traces>groupbytrace: otlp reads it no more; its backlog stays there",
            "+ queue traces: otlp is new there",
            "- queue logs: otlp reads it no more; its backlog stays there",
            "- queue logs: debug reads it no more; its backlog stays there",
            "+ queue metrics: otlp is new there",
            "+ queue metrics: debug is new there",
        ]
    )


def test_wrong_usage_and_what_is_not_valid_is_2(tmp_path):
    done = diff(tmp_path, BEFORE.replace("exporters: [otlp, debug]", "exporters: [otpl]"))
    assert (done.returncode, done.stdout) == (2, "")
    assert "otpl" in done.stderr
    for words in ([], [tmp_path / "a.yaml"], [tmp_path / "a.yaml"] * 3, [tmp_path / "a.yaml", tmp_path / "none"]):
        assert run("diff", *words).returncode == 2


def test_a_reload_does_what_was_said(start, grpc_backend, tmp_path):
    """The readers of each queue after the reload are those that keep their place or are new; of the rest the place
    is left."""
    exporters = {"otlp": otlp_exporter(grpc_backend), "otlp/old": otlp_exporter(grpc_backend)}
    holdfast = start(config(exporters))
    before = holdfast.config_path.read_text()
    exporters["otlp/new"] = exporters.pop("otlp/old")
    after = config(exporters)
    after["service"]["pipelines"] = pipelines(exporters, signals=("traces", "metrics"))
    holdfast.write_config(after)
    holdfast.directory.joinpath("before.yaml").write_text(before)

    base = holdfast.base_path.read_text()
    both = {}
    for name in ("before", "config"):
        text = holdfast.directory.joinpath(f"{name}.yaml").read_text()
        merged = holdfast.command(
            "print-config", "--mode", "unredacted", "--config", f"yaml:{base}", "--config", f"yaml:{text}"
        )
        assert merged.returncode == 0, merged.stderr
        both[name] = tmp_path / f"{name}-whole.yaml"
        both[name].write_text(merged.stdout)
    done = holdfast.command("diff", both["before"], both["config"])
    assert done.returncode == 1, done.stderr
    said = {"=": set(), "+": set(), "-": set()}
    for line in done.stdout.splitlines():
        if line[2:].startswith("queue "):
            sign, _, queue, reader = line.split()[:4]
            said[sign].add((queue.rstrip(":"), reader))

    holdfast.reload()
    holdfast.wait_for_log("the new configuration runs")

    def readers(is_open):
        return {
            (queue["id"], one["exporter"])
            for queue in holdfast.queue("stat")["queues"]
            if queue["kind"] == "queue"
            for one in queue["exporters"]
            if one["open"] == is_open
        }

    until(lambda: readers(True) == said["="] | said["+"], lambda: f"{readers(True)} is not {said}")
    assert readers(False) == said["-"]
    assert said["+"] == {("traces", "otlp/new"), ("metrics", "otlp/new")}
    assert said["-"] == {("logs", "otlp"), *((signal, "otlp/old") for signal in ("traces", "metrics", "logs"))}
