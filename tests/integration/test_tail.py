"""`holdfast tail`: what passes a point of the pipelines, without the data waiting for it."""

import json
import queue
import subprocess
import threading

import grpc
import pytest

from support import otlp
from support.backends import GrpcBackend
from support.control import ask, connect, send, status
from support.holdfast import BINARY, config, otlp_exporter
from support.waiting import until

TAILS_MAX = 8


class Tail:
    """A running `holdfast tail`; its lines as they come."""

    def __init__(self, holdfast, *arguments):
        self.process = subprocess.Popen(
            [BINARY, "tail", "--data-dir", holdfast.data_directory, *map(str, arguments)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.queue = queue.Queue()
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self):
        for line in self.process.stdout:
            self.queue.put(line)

    def line(self, seconds=20):
        return self.queue.get(timeout=seconds)

    def lines(self):
        found = []
        while not self.queue.empty():
            found.append(self.queue.get())
        return found

    def close(self):
        self.process.kill()
        self.process.wait(10)
        self.thread.join(10)
        self.process.stdout.close()


@pytest.fixture
def tail(ending):
    def begin(holdfast, *arguments):
        made = Tail(holdfast, *arguments)
        ending.callback(made.close)
        return made

    return begin


def export(sender, signal=otlp.LOGS, **options):
    (item,) = otlp.new_ids(1)
    sender.export(signal, otlp.request(signal, [item], **options))
    return item


def holds(text, item):
    """Is the item of that id in the OTLP/JSON?"""
    return f'"intValue":"{item}"' in text.replace(" ", "")


def first_shown(tail, sender, **options):
    """Sends until something is shown: a tail begins at some moment after it was started. (line, ids so far)"""
    sent = []

    def shown():
        sent.append(export(sender, **options))
        return not tail.queue.empty()

    until(shown, "nothing is shown", pause=0.1)
    return tail.line(), sent


ATTRIBUTES = {"attributes": {"actions": [{"key": "marked", "value": "yes", "action": "insert"}]}}


class TestPoints:
    def test_behind_a_receiver_as_json(self, start, grpc_backend, grpc_sender, tail):
        holdfast = start(config({"otlp": otlp_exporter(grpc_backend)}, processors=ATTRIBUTES))
        line, sent = first_shown(tail(holdfast, "--json"), grpc_sender(holdfast))
        shown = json.loads(line)
        assert (shown["kind"], shown["component"], shown["signal"]) == ("receiver", "otlp", "logs")
        assert shown["items"] == 1
        text = json.dumps(shown["data"])
        assert any(holds(text, item) for item in sent)
        assert "marked" not in text, "that is what came in, before the processor"

    def test_behind_a_processor(self, start, grpc_backend, grpc_sender, tail):
        holdfast = start(config({"otlp": otlp_exporter(grpc_backend)}, processors=ATTRIBUTES))
        line, _ = first_shown(tail(holdfast, "--component", "attributes", "--json"), grpc_sender(holdfast))
        shown = json.loads(line)
        assert (shown["kind"], shown["component"]) == ("processor", "attributes")
        assert "marked" in json.dumps(shown["data"])

    def test_at_an_exporter_at_every_attempt(self, start, ending, grpc_sender, tail):
        away = ending.enter_context(GrpcBackend())
        away.stop()
        holdfast = start(config({"otlp": otlp_exporter(away)}, processors=ATTRIBUTES))
        item = export(grpc_sender(holdfast))
        looking = tail(holdfast, "--component", "otlp", "--kind=exporter", "--json")
        for _ in range(2):
            shown = json.loads(looking.line())
            assert (shown["kind"], shown["component"]) == ("exporter", "otlp")
            assert holds(json.dumps(shown["data"]), item) and "marked" in json.dumps(shown["data"])

    def test_behind_a_connector_and_a_queued_processor(self, start, grpc_backend, grpc_sender, tail):
        holdfast = start(
            {
                "processors": {"groupbytrace": {"wait_duration": "10ms"}},
                "connectors": {"forward": {}},
                "exporters": {"otlp": otlp_exporter(grpc_backend)},
                "service": {
                    "pipelines": {
                        "traces/in": {"receivers": ["otlp"], "exporters": ["forward"]},
                        "traces/out": {
                            "receivers": ["forward"],
                            "processors": ["groupbytrace"],
                            "exporters": ["otlp"],
                        },
                    }
                },
            }
        )
        sender = grpc_sender(holdfast)
        for kind, component in (("connector", "forward"), ("processor", "groupbytrace")):
            line, _ = first_shown(tail(holdfast, "--component", component, "--json"), sender, signal=otlp.TRACES)
            shown = json.loads(line)
            assert (shown["kind"], shown["component"], shown["signal"]) == (kind, component, "traces")

    def test_compressed_data_is_shown_as_well(self, start, grpc_backend, grpc_sender, tail):
        holdfast = start(config({"otlp": otlp_exporter(grpc_backend)}))
        looking = tail(holdfast, "--json")
        line, sent = first_shown(looking, grpc_sender(holdfast, compression=grpc.Compression.Gzip))
        assert any(holds(line, item) for item in sent)


class TestChoice:
    def test_as_text(self, start, grpc_backend, grpc_sender, tail):
        holdfast = start(config({"otlp": otlp_exporter(grpc_backend)}))
        looking = tail(holdfast)
        line, sent = first_shown(looking, grpc_sender(holdfast))
        assert line == "-- receiver otlp: logs, 1 items\n"
        rest = []
        until(lambda: rest.extend(looking.lines()) or any(f"Int({item})" in "".join(rest) for item in sent), lambda: rest)

    def test_where_chooses_items(self, start, grpc_backend, grpc_sender, tail):
        holdfast = start(config({"otlp": otlp_exporter(grpc_backend)}))
        sender = grpc_sender(holdfast)
        wanted, *others = otlp.new_ids(3)
        looking = tail(holdfast, "--json", "--where", f'attributes["{otlp.ID_KEY}"] == {wanted}')

        def shown():
            sender.export(otlp.LOGS, otlp.request(otlp.LOGS, [others[0], wanted, others[1]]))
            sender.export(otlp.LOGS, otlp.request(otlp.LOGS, others))
            return not looking.queue.empty()

        until(shown, "nothing is shown", pause=0.1)
        for line in [looking.line(), *looking.lines()]:
            assert json.loads(line)["items"] == 1
            assert holds(line, wanted) and not any(holds(line, other) for other in others)

    def test_a_condition_that_is_none_is_refused(self, start, grpc_backend):
        holdfast = start(config({"otlp": otlp_exporter(grpc_backend)}))
        code, text = ask(holdfast.data_directory, "tail", "--where", "nonsense(")
        assert code == 2 and text.startswith("error: ") and "--where" in text
        for words, wanted in (
            (["--nonsense"], "--nonsense"),
            (["--sample", "0"], "--sample"),
            (["--signal", "smells"], "--signal"),
            (["--kind", "extension"], "--kind"),
            (["--limit"], "--limit"),
            (["--for", "soon"], "--for"),
        ):
            code, text = ask(holdfast.data_directory, "tail", *words)
            assert code == 2 and wanted in text
            done = subprocess.run(
                [BINARY, "tail", "--data-dir", holdfast.data_directory, *words],
                capture_output=True, text=True, check=False, timeout=30,
            )
            assert done.returncode == 2 and wanted in done.stderr

    def test_a_component_that_is_none_is_refused(self, start, grpc_backend):
        holdfast = start(config({"otlp": otlp_exporter(grpc_backend)}))
        code, text = ask(holdfast.data_directory, "tail", "--component", "otpl")
        assert code == 2 and "is called otpl; holdfast top lists them" in text

    def test_it_ends_after_a_limit_or_a_time(self, start, grpc_backend, grpc_sender, tail):
        holdfast = start(config({"otlp": otlp_exporter(grpc_backend)}))
        looking = tail(holdfast, "--json", "--limit", 1)
        first_shown(looking, grpc_sender(holdfast))
        assert looking.process.wait(20) == 0
        assert tail(holdfast, "--for", "200ms").process.wait(20) == 0

    def test_signals_that_are_not_asked_for_are_not_shown(self, start, grpc_backend, grpc_sender, tail):
        holdfast = start(config({"otlp": otlp_exporter(grpc_backend)}))
        looking = tail(holdfast, "--json", "--signal=traces")
        sender = grpc_sender(holdfast)

        def shown():
            export(sender, otlp.LOGS)
            export(sender, otlp.TRACES)
            return not looking.queue.empty()

        until(shown, "nothing is shown", pause=0.1)
        assert json.loads(looking.line())["signal"] == "traces"


class TestData:
    def test_a_reader_that_does_not_read_holds_up_nothing_and_learns_what_passed(
        self, start, grpc_backend, grpc_sender
    ):
        """Its socket fills, then its ring: the data goes on, and the rest is counted."""
        holdfast = start(config({"otlp": otlp_exporter(grpc_backend)}))
        sender = grpc_sender(holdfast)
        with connect(holdfast.data_directory) as client:
            send(client, "tail", "--json")
            ids = otlp.new_ids(400)
            for item in ids:
                sender.export(otlp.LOGS, otlp.request(otlp.LOGS, [item], padding="x" * 20_000))
            grpc_backend.wait_for(ids)
            answer = b""

            def told():
                nonlocal answer
                answer += client.recv(1 << 20)
                return b'{"dropped_batches":' in answer

            until(told, "no drop was told")

    def test_the_number_of_streams_is_limited_and_one_that_ends_makes_room(self, start, grpc_backend, ending):
        holdfast = start(config({"otlp": otlp_exporter(grpc_backend)}))
        open_ones = []

        def one_more():
            client = ending.enter_context(connect(holdfast.data_directory))
            send(client, "tail")
            open_ones.append(client)
            until(lambda: status(holdfast, "process")["process"]["open_tails"] == len(open_ones), "it is not open")

        for _ in range(TAILS_MAX):
            one_more()
        code, text = ask(holdfast.data_directory, "tail", "--for", "100ms")
        assert code == 1
        assert f"{TAILS_MAX} others look on" in text
        open_ones.pop().close()
        until(lambda: ask(holdfast.data_directory, "tail", "--for", "1ms")[0] == 0, "no room again")

    def test_a_reload_and_a_stop_go_on_while_someone_looks(self, start, grpc_backend, grpc_sender, tail):
        holdfast = start(config({"otlp": otlp_exporter(grpc_backend)}))
        looking = tail(holdfast, "--json")
        first_shown(looking, grpc_sender(holdfast))
        holdfast.reload()
        holdfast.wait_for_log("the new configuration runs")
        looking.lines()
        first_shown(looking, grpc_sender(holdfast))
        ended, _ = holdfast.terminate()
        assert ended == 0
        looking.process.wait(20)

    def test_without_a_process_it_says_so(self, start, grpc_backend):
        holdfast = start(config({"otlp": otlp_exporter(grpc_backend)}))
        holdfast.terminate()
        done = subprocess.run(
            [BINARY, "tail", "--data-dir", holdfast.data_directory],
            capture_output=True, text=True, check=False, timeout=30,
        )
        assert done.returncode == 1 and "no Holdfast runs" in done.stderr
