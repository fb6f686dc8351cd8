"""systemd's journal: files that systemd-journal-remote writes, beside what journalctl shows of them, which is what the
Go collector reads; kills, a full queue, operators."""

import json
import shutil
import subprocess

import pytest

from support import otlp
from support.holdfast import otlp_exporter
from support.waiting import until

REMOTE = "/lib/systemd/systemd-journal-remote"
MACHINE = "4c86f0d4f2f04f0c9f1a3a0d9a5a4a01"
BOOT = "1d6f2f6a6d1c4b1f8a3d5a6b7c8d9e0f"
START_US = 1_700_000_000_000_000

pytestmark = pytest.mark.skipif(
    not shutil.which(REMOTE) or not shutil.which("journalctl"), reason="systemd-journal-remote is not installed"
)


class Journal:
    """A journal file that grows."""

    def __init__(self, path):
        self.path = path
        self.count = 0

    def add(self, *entries):
        """Appends entries: {field: text, bytes, or a list of them}."""
        parts = []
        for fields in entries:
            self.count += 1
            lines = [
                b"__REALTIME_TIMESTAMP=%d\n" % (START_US + self.count),
                b"__MONOTONIC_TIMESTAMP=%d\n" % self.count,
                b"_BOOT_ID=" + BOOT.encode() + b"\n",
                b"_MACHINE_ID=" + MACHINE.encode() + b"\n",
            ]
            for name, values in fields.items():
                for value in values if isinstance(values, list) else [values]:
                    data = value if isinstance(value, bytes) else value.encode()
                    lines.append(name.encode() + b"\n" + len(data).to_bytes(8, "little") + data + b"\n")
            parts.append(b"".join(lines) + b"\n")
        subprocess.run(
            [REMOTE, "--output", self.path, "--compress=no", "-"], input=b"".join(parts), check=True, timeout=30
        )

    def shown(self, *options):
        """What journalctl shows."""
        text = subprocess.run(
            ["journalctl", "--file", self.path, "--output=json", "--all", "--no-pager", *options],
            check=False,
            capture_output=True,
            timeout=30,
        ).stdout
        return [json.loads(line) for line in text.splitlines()]


def message(text, priority="6", **more):
    return {"MESSAGE": text, "PRIORITY": priority, "_SYSTEMD_UNIT": "a.service", "SYSLOG_IDENTIFIER": "a", **more}


class Receiver:
    def __init__(self, start, backend, tmp_path, **settings):
        self.backend = backend
        self.journal = Journal(tmp_path / "test.journal")
        self.journal.add(message("first of all"))
        self.settings = {"files": [str(tmp_path / "*.journal")], "start_at": "beginning", **settings}
        self.start = start
        self.holdfast = None

    def configuration(self, exporter=(), **more):
        return {
            "receivers": {"journald": {**self.settings, **more}},
            "exporters": {"otlp": otlp_exporter(self.backend, **dict(exporter))},
            "service": {"pipelines": {"logs": {"receivers": ["journald"], "exporters": ["otlp"]}}},
        }

    def run(self, **exporter):
        self.holdfast = self.start(self.configuration(exporter))
        return self

    def records(self):
        return self.backend.records()

    def bodies(self):
        return [otlp.value(record.body) for record in self.records()]

    def messages(self):
        return [body["MESSAGE"] if isinstance(body, dict) else body for body in self.bodies()]

    def wait_for(self, messages):
        """Waits for all of them; after a kill one may come twice."""
        until(lambda: set(self.messages()) >= set(messages), lambda: f"{self.messages()}, not {messages}")


@pytest.fixture
def receiver(start, grpc_backend, tmp_path):
    return lambda **settings: Receiver(start, grpc_backend, tmp_path, **settings)


def test_fields_have_the_names_of_the_semantic_conventions_when_asked_for(receiver):
    one = receiver(convert_to_semantic_conventions=True)
    one.journal.add(message("plain", "4", SYSLOG_PID="17", OBJECT_PID="1"))
    one.run()
    record = until(lambda: next((each for each in one.records() if otlp.value(each.body) == "plain"), None), "no record")
    assert (otlp.value(record.body), record.severity_number, record.severity_text) == ("plain", 13, "warning")
    found = otlp.attributes(record)
    assert (found["syslog.pid"], found["journald.OBJECT_PID"]) == (17, "1") and "journald.__CURSOR" in found


def test_entries_are_what_journalctl_shows(receiver):
    one = receiver(convert_message_bytes=False)
    one.journal.add(
        message("plain", "3"),
        message("two\nlines\tand a tab ä"),
        message(b"\xff\x00 no text"),
        message("long " * 2000),
        message("several", OBJECT_PID=["1", "2", "3"]),
        message("\x1b[31mred"),
        {"PRIORITY": "1", "COREDUMP_UNIT": "x"},
    )
    one.run()
    shown = one.journal.shown()
    until(lambda: len(one.records()) >= len(shown), lambda: f"{len(one.records())} of {len(shown)}")
    found = {body["__CURSOR"]: body for body in one.bodies()}
    times = {otlp.value(record.body)["__CURSOR"]: record.time_unix_nano for record in one.records()}
    for entry in shown:
        assert times[entry["__CURSOR"]] == int(entry.pop("__REALTIME_TIMESTAMP")) * 1000
        entry = {name: value for name, value in entry.items() if not name.startswith("__SEQNUM")}
        assert found[entry["__CURSOR"]] == entry


SELECTIONS = {
    "priority": ({"priority": "warning"}, ["--priority=warning"]),
    "priorities": ({"priority": "err..notice"}, ["--priority=err..notice"]),
    "unit": ({"units": ["b"]}, ["--unit=b"]),
    "units": ({"units": ["a.service", "b.service"], "priority": "7"}, ["--unit=a.service", "--unit=b.service"]),
    "identifier": ({"identifiers": ["z", "b"]}, ["--identifier=z", "--identifier=b"]),
    "matches": (
        {"matches": [{"_SYSTEMD_UNIT": "a.service", "PRIORITY": "6"}, {"SYSLOG_IDENTIFIER": "b"}]},
        ["--priority=info", "_SYSTEMD_UNIT=a.service", "PRIORITY=6", "+", "SYSLOG_IDENTIFIER=b"],
    ),
    "dmesg": ({"dmesg": True, "priority": "debug"}, ["_TRANSPORT=kernel"]),
    "grep": ({"grep": "needle"}, ["--grep=needle", "--priority=info"]),
}


@pytest.mark.parametrize("name", SELECTIONS)
def test_selections_are_those_of_journalctl(receiver, name):
    settings, options = SELECTIONS[name]
    one = receiver(**settings)
    one.journal.add(
        *(message(f"priority {number}", str(number)) for number in range(8)),
        message("of b", _SYSTEMD_UNIT="b.service", SYSLOG_IDENTIFIER="b"),
        message("about b", _SYSTEMD_CGROUP="/init.scope", _PID="1", UNIT="b.service", SYSLOG_IDENTIFIER="systemd"),
        message("a Needle in it", "4"),
        message("of the kernel", "2", _TRANSPORT="kernel"),
    )
    one.journal.add(message("the end", "3", _SYSTEMD_UNIT="b.service", SYSLOG_IDENTIFIER="b", _TRANSPORT="kernel"))
    wanted = {entry["__CURSOR"] for entry in one.journal.shown(*options)}
    assert wanted
    one.run()
    until(lambda: len(one.records()) >= len(wanted), lambda: f"{one.messages()}")
    assert {body["__CURSOR"] for body in one.bodies()} == wanted


def test_new_entries_come_and_old_ones_are_not_read_from_the_end(receiver):
    one = receiver(start_at="end").run()
    one.holdfast.wait_metric("otelcol_receiver_accepted_log_records", 0, receiver="journald")
    one.journal.add(message("new"))
    one.wait_for(["new"])
    assert "first of all" not in one.messages()


def test_a_kill_at_the_end_loses_nothing(receiver, grpc_backend):
    """Where a receiver that starts at the end stood is on disk before it reads."""
    one = receiver(start_at="end").run()
    one.journal.add(message("while it runs"))
    one.wait_for(["while it runs"])
    one.holdfast.kill9()
    one.journal.add(*(message(f"down {number}") for number in range(100)))
    one.holdfast.start()
    one.wait_for([f"down {number}" for number in range(100)])
    assert "first of all" not in one.messages()


def test_kills_while_it_reads(receiver):
    one = receiver()
    expected = [f"line {number}" for number in range(20_000)]
    one.journal.add(*map(message, expected))
    one.run()
    for _ in range(3):
        one.holdfast.wait_metric("otelcol_receiver_accepted_log_records", 1, receiver="journald")
        one.holdfast.kill9()
        one.journal.add(message("another"))  # so that there is something to read, however far it has come
        one.holdfast.start()
    one.wait_for(expected)


def test_a_full_queue_stops_the_reading(receiver, grpc_backend):
    one = receiver().run(sending_queue={"queue_size": 1})
    one.wait_for(["first of all"])
    grpc_backend.stop()
    one.journal.add(message("second"))
    one.holdfast.wait_metric("otelcol_receiver_accepted_log_records", 2, receiver="journald")
    one.journal.add(message("third"))
    one.holdfast.wait_metric("otelcol_receiver_refused_log_records", 1, receiver="journald")
    one.journal.add(message("fourth"))
    grpc_backend.start()
    one.wait_for(["first of all", "second", "third", "fourth"])


def test_operators_and_attributes(receiver):
    one = receiver(
        attributes={"unit": "EXPR(body._SYSTEMD_UNIT)"},
        resource={"from": "journal"},
        operators=[
            {"type": "severity_parser", "parse_from": "body.PRIORITY", "mapping": {"info": 6, "error": [3, 4]}},
            {"type": "move", "from": "body.MESSAGE", "to": "body"},
        ],
    )
    one.journal.add(message("broken", "3"))
    one.run()
    one.wait_for(["first of all", "broken"])
    found = {otlp.value(record.body): record for record in one.records()}
    assert found["broken"].severity_number == 17 and found["first of all"].severity_number == 9
    assert otlp.attributes(found["broken"]) == {"unit": "a.service"}


def test_a_reload_goes_on_where_it_stood(receiver):
    one = receiver().run()
    one.wait_for(["first of all"])
    one.holdfast.write_config(one.configuration(attributes={"reloaded": "yes"}))
    one.holdfast.reload()
    one.journal.add(message("behind the reload"))
    one.wait_for(["behind the reload"])
    assert one.messages().count("first of all") == 1


def test_what_it_refuses(receiver):
    for settings, sentence in {
        "units": ({"units": ["a*"]}, "patterns are not supported"),
        "matches": ({"matches": [{"lower": "x"}]}, "field names"),
        "priority": ({"priority": "loud"}, "a priority"),
        "files": ({"files": ["/nonexistent/x.journal"]}, "the journal cannot be opened"),
        "grep": ({"grep": "("}, "grep:"),
    }.values():
        one = receiver()
        instance = one.start(one.configuration(**settings), ready=False)
        assert instance.spawn().process.wait(20) != 0
        assert sentence in instance.log()
