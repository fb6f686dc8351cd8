"""`holdfast top`: what an operator sees of the running process, on a terminal and in a script.

HOLDFAST_SCREENSHOTS=DIR keeps the picture of the documentation:
    HOLDFAST_SCREENSHOTS=docs/images ./dev test test_top.py -k picture
"""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from support import otlp
from support.backends import GrpcBackend
from support.holdfast import BINARY, config, otlp_exporter
from support.screen import Screen
from support.waiting import until

DOWN, ESCAPE = b"\x1b[B", b"\x1b"


@pytest.fixture
def away(ending):
    """A backend that is not there yet."""
    backend = ending.enter_context(GrpcBackend())
    backend.stop()
    return backend


@pytest.fixture
def top(ending):
    """top(holdfast, ...) -> the Screen of `holdfast top` on its data directory."""

    def begin(holdfast, *arguments, **options):
        command = [BINARY, "top", "--interval", "200ms", "--data-dir", holdfast.data_directory, *arguments]
        screen = Screen(command, **options)
        ending.callback(screen.close)
        return screen

    return begin


def send_logs(sender, count):
    ids = otlp.new_ids(count)
    for item in ids:
        sender.export(otlp.LOGS, otlp.request(otlp.LOGS, [item]))
    return ids


def row(lines, name):
    """The words of the line that begins with that name."""
    found = [line.split() for line in lines if line.split()[:1] == [name]]
    return found[0] if found else None


class TestScreen:
    def test_it_fits_80_by_24(self, start, grpc_backend, grpc_sender, top):
        holdfast = start(config({"otlp": otlp_exporter(grpc_backend)}))
        grpc_backend.wait_for(send_logs(grpc_sender(holdfast), 3))
        screen = top(holdfast)
        screen.wait_for(lambda lines: row(lines, "logs") and row(lines, "logs")[-1] == "working")
        lines = screen.lines()
        assert len(lines) == 24 and lines[0].startswith("holdfast ") and "ready" in lines[0]
        assert str(holdfast.process.pid) in lines[0]
        assert lines[2].startswith("[1 Pipelines]  2 Queues")
        titles = lines[3].split()
        assert titles == ["*PIPELINE", "IN/S", "HISTORY", "QUEUED", "DISK", "OLDEST", "OUT/S", "STATE"]
        assert "otlp > [logs] > otlp" in screen.text()
        assert "q end" in lines[23] and "? help" in lines[23]
        names = [line.split()[0] for line in lines[4:] if line.split() and not line.startswith(" ")]
        assert names[:3] == ["logs", "metrics", "traces"], "sorted by name"
        screen.press("q")
        assert screen.wait() == 0

    def test_a_backend_that_dies_is_seen_and_seen_to_come_back(self, start, away, grpc_sender, top):
        holdfast = start(config({"otlp": otlp_exporter(away)}))
        screen = top(holdfast)
        screen.wait_for(lambda lines: row(lines, "logs"))
        ids = send_logs(grpc_sender(holdfast), 4)
        screen.wait_for(lambda lines: row(lines, "logs")[-1] == "retrying")
        screen.press("3")
        screen.wait_for("next attempt in")
        assert row(screen.lines(), "otlp")[1] == "retrying"
        screen.wait_for(lambda lines: "4" in row(lines, "otlp"))
        away.start()
        away.wait_for(ids)
        screen.wait_for(lambda lines: row(lines, "otlp")[1] == "working")
        assert "next attempt" not in screen.text()

    def test_what_comes_in_is_drawn_as_a_line(self, start, away, grpc_sender, top):
        holdfast = start(config({"otlp": otlp_exporter(away)}))
        screen = top(holdfast)
        screen.wait_for(lambda lines: row(lines, "logs"))
        sender = grpc_sender(holdfast)

        def grows():
            send_logs(sender, 1)
            return any(block in screen.text() for block in "▁▂▃▄▅▆▇█")

        until(grows, screen.text)

    def test_without_unicode_and_colours_it_draws_all_the_same(self, start, away, grpc_sender, top):
        holdfast = start(config({"otlp": otlp_exporter(away)}))
        screen = top(holdfast, environment={"LANG": "C", "NO_COLOR": "1"})
        screen.wait_for(lambda lines: row(lines, "logs"))
        sender = grpc_sender(holdfast)
        until(lambda: send_logs(sender, 1) and "#" in screen.text(), screen.text)
        screen.wait_for(lambda lines: row(lines, "logs")[-1] == "retrying")
        assert screen.raw.isascii()
        assert b"\x1b[31m" not in screen.raw
        coloured = top(holdfast)
        coloured.wait_for(lambda lines: row(lines, "logs") and row(lines, "logs")[-1] == "retrying")
        assert b"\x1b[31m" in coloured.raw

    def test_keys_turn_the_page_sort_and_filter(self, start, away, grpc_sender, top):
        holdfast = start(config({"otlp": otlp_exporter(away), "debug": {}}))
        send_logs(grpc_sender(holdfast), 3)
        screen = top(holdfast)
        screen.wait_for(lambda lines: row(lines, "logs"))
        screen.press("sss")
        screen.wait_for("*QUEUED ")
        first = lambda lines: lines[4].split()[0]  # noqa: E731
        screen.wait_for(lambda lines: first(lines) == "logs")
        screen.press("r")
        screen.wait_for(lambda lines: "^QUEUED" in lines[3] and first(lines) != "logs")
        screen.press("2")
        screen.wait_for("[2 Queues]")
        screen.wait_for("COMMIT")
        screen.press("\t")
        screen.wait_for("[3 Exporters]")
        screen.wait_for(lambda lines: row(lines, "debug") and row(lines, "otlp"))
        screen.press("/deb")
        screen.wait_for("filter: deb_")
        screen.wait_for(lambda lines: row(lines, "debug") and not row(lines, "otlp"))
        screen.press("\r")
        screen.wait_for(lambda lines: lines[2].endswith("filter: deb"))
        screen.press(ESCAPE)
        screen.wait_for(lambda lines: row(lines, "otlp") and "filter" not in lines[2])
        screen.press("?")
        screen.wait_for("any key goes back")
        screen.press("x")
        screen.wait_for("[3 Exporters]")
        screen.press("p")
        screen.wait_for("PAUSED")

    def test_details_go_and_rows_scroll(self, start, grpc_backend, top):
        exporters = {f"otlp/{number:02}": otlp_exporter(grpc_backend) for number in range(40)}
        holdfast = start(config(exporters))
        screen = top(holdfast)
        screen.wait_for("otlp/00")
        screen.press("d")
        screen.wait_for(lambda lines: not any(line.startswith("  otlp >") for line in lines))
        screen.press("3")
        screen.wait_for(lambda lines: lines[4].startswith("otlp/00"))
        screen.press(DOWN * 3)
        screen.wait_for(lambda lines: lines[4].startswith("otlp/03"))
        screen.press(b"\x1b[6~" * 9)
        screen.wait_for(lambda lines: lines[22].startswith("otlp/39"))
        assert "EXPORTER" in screen.lines()[3]

    def test_a_resize_is_followed(self, start, grpc_backend, top):
        holdfast = start(config({"otlp": otlp_exporter(grpc_backend)}))
        screen = top(holdfast)
        screen.wait_for(lambda lines: "STATE" in lines[3] and "q end" in lines[23])
        screen.resize(120, 30)
        screen.wait_for(lambda lines: len(lines) == 30 and "q end" in lines[29] and "q end" not in lines[23])
        screen.wait_for(lambda lines: lines[3].index("IN/S") > 25)
        screen.resize(40, 6)
        screen.wait_for(lambda lines: len(lines) == 6 and "q end" in lines[5])
        screen.press("q")
        assert screen.wait() == 0

    def test_it_waits_for_the_next_process(self, start, grpc_backend, top):
        holdfast = start(config({"otlp": otlp_exporter(grpc_backend)}))
        screen = top(holdfast)
        screen.wait_for("ready")
        holdfast.kill9()
        screen.wait_for("NO ANSWER")
        assert row(screen.lines(), "logs"), "what was stays on the screen"
        holdfast.start()
        screen.wait_for(lambda lines: f"pid {holdfast.process.pid}" in lines[0] and "ready" in lines[0])

    def test_names_of_others_cannot_steer_the_terminal(self, start, away, grpc_sender, top):
        """The words of a backend come from outside."""
        holdfast = start(config({"otlp": otlp_exporter(away, endpoint="127.0.0.1:1")}))
        send_logs(grpc_sender(holdfast), 1)
        screen = top(holdfast)
        screen.press("3")
        screen.wait_for("next attempt in")
        assert b"\x1b]" not in screen.raw


class TestScripts:
    def once(self, holdfast, *arguments, **environment):
        return subprocess.run(
            [BINARY, "top", "--once", "--interval", "200ms", "--data-dir", holdfast.data_directory, *arguments],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
            env={**holdfast.environment, "LANG": "C.UTF-8", **environment},
        )

    def test_once_prints_tables(self, start, away, grpc_sender):
        holdfast = start(config({"otlp": otlp_exporter(away)}))
        send_logs(grpc_sender(holdfast), 2)
        until(lambda: "retrying" in self.once(holdfast).stdout, "no table with the outage")
        done = self.once(holdfast, COLUMNS="80")
        assert done.returncode == 0 and done.stderr == ""
        lines = done.stdout.splitlines()
        assert max(len(line) for line in lines) <= 80
        for title in ("PIPELINE", "QUEUE", "EXPORTER"):
            assert [line for line in lines if line.startswith(title)], title
        assert "\x1b" not in done.stdout

    def test_once_as_json(self, start, away, grpc_sender):
        holdfast = start(config({"otlp": otlp_exporter(away)}))
        send_logs(grpc_sender(holdfast), 2)
        done = self.once(holdfast, "--json")
        assert done.returncode == 0
        answer = json.loads(done.stdout)
        assert answer["protocol"] == 1 and answer["ready"] and answer["interval_seconds"] > 0.1
        logs = next(one for one in answer["pipelines"] if one["name"] == "logs")
        assert logs["queued_items"] == 2 and logs["in_items_per_second"] == 0
        assert logs["detail"] == "otlp > [logs] > otlp"
        assert [one["name"] for one in answer["exporters"]] == ["otlp"]
        assert {one["name"] for one in answer["queues"]} >= {"traces", "metrics", "logs"}

    def test_without_a_process_it_fails_and_says_so(self, start, grpc_backend):
        holdfast = start(config({"otlp": otlp_exporter(grpc_backend)}))
        holdfast.terminate()
        done = self.once(holdfast)
        assert done.returncode == 1 and done.stdout == ""
        assert done.stderr == f"error: no Holdfast runs on the data directory {holdfast.data_directory}\n"

    def test_wrong_words_are_refused(self, start, grpc_backend):
        holdfast = start(config({"otlp": otlp_exporter(grpc_backend)}), ready=False)
        assert self.once(holdfast, "--nonsense").returncode == 2
        assert self.once(holdfast, "--interval", "1ms").returncode == 2
        only_json = subprocess.run([BINARY, "top", "--json"], capture_output=True, text=True, check=False)
        assert only_json.returncode == 2

    def test_a_dumb_terminal_gets_tables(self, start, grpc_backend, top):
        holdfast = start(config({"otlp": otlp_exporter(grpc_backend)}))
        screen = top(holdfast, environment={"TERM": "dumb"})
        screen.wait_for("EXPORTER")
        until(lambda: screen.read() or screen.raw.count(b"EXPORTER") >= 2, "it prints once only")
        assert b"\x1b" not in screen.raw


class TestPictures:
    @pytest.mark.skipif("HOLDFAST_SCREENSHOTS" not in os.environ, reason="HOLDFAST_SCREENSHOTS names no folder")
    def test_picture(self, start, away, ending, grpc_sender, top):
        """Not a check: makes the picture of the documentation."""
        archive = ending.enter_context(GrpcBackend())
        holdfast = start(config({"otlp": otlp_exporter(away), "otlp/archive": otlp_exporter(archive)}))
        sender = grpc_sender(holdfast)
        screen = top(holdfast, columns=100, lines=14)
        until(
            lambda: send_logs(sender, 7) and "retrying" in screen.text() and screen.text().count("█") > 4, "no outage"
        )
        folder = Path(os.environ["HOLDFAST_SCREENSHOTS"])
        folder.mkdir(parents=True, exist_ok=True)
        picture = re.sub(r'textLength="[^"]*"([^>]*)>/\w[^<]*<', r"\1>/var/lib/holdfast<", screen.svg())
        (folder / "top.svg").write_text(picture)
