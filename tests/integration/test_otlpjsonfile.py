"""Files of OTLP/JSON: every signal, rotation, compression, bad lines; nothing is lost whenever Holdfast is killed."""

import gzip

import pytest
from google.protobuf import json_format

from support import otlp
from support.holdfast import config, otlp_exporter
from support.waiting import until


def line(signal, ids):
    """One line as the file exporter writes it: bytes as hex where they are ids."""
    request = otlp.request(signal, ids)
    if signal == otlp.TRACES:
        for span in request.resource_spans[0].scope_spans[0].spans:
            span.ClearField("trace_id")
            span.ClearField("span_id")
    return json_format.MessageToJson(request, indent=None) + "\n"


@pytest.fixture
def reading(start, grpc_backend, tmp_path):
    """reading(...) -> a Holdfast that reads *.json of a folder, from the beginning."""
    folder = tmp_path / "in"
    folder.mkdir()

    def make(signals=("traces", "metrics", "logs"), exporter=None, **more):
        configuration = config({"otlp": otlp_exporter(grpc_backend, **(exporter or {}))})
        receiver = {"include": [str(folder / "*.json*")], "start_at": "beginning", "poll_interval": "20ms", **more}
        configuration["receivers"] = {"otlpjsonfile": receiver}
        configuration["service"]["pipelines"] = {
            name: {"receivers": ["otlpjsonfile"], "exporters": ["otlp"]} for name in signals
        }
        return start(configuration)

    make.folder = folder
    return make


def append(path, text):
    with path.open("a") as file:
        file.write(text)


class TestReading:
    def test_every_signal_goes_to_its_pipeline(self, reading, grpc_backend):
        ids = {signal: otlp.new_ids(3) for signal in otlp.SIGNALS}
        append(reading.folder / "a.json", "".join(line(signal, ids[signal]) for signal in otlp.SIGNALS))
        holdfast = reading()
        for signal in otlp.SIGNALS:
            grpc_backend.wait_for(ids[signal])
            assert sorted(grpc_backend.ids(signal)) == ids[signal]
            assert holdfast.metric(f"otelcol_receiver_accepted_{signal.items}", transport="file") == 3
        spans = next(one.message for one in grpc_backend.requests if one.signal == otlp.TRACES)
        assert otlp.attributes(next(iter(otlp.items(otlp.TRACES, spans))))["log.file.name"] == "a.json"

    def test_signals_without_a_pipeline_are_left_out(self, reading, grpc_backend):
        spans, records = otlp.new_ids(2), otlp.new_ids(2)
        append(reading.folder / "a.json", line(otlp.TRACES, spans) + line(otlp.LOGS, records))
        holdfast = reading(signals=("logs",))
        grpc_backend.wait_for(records)
        assert sorted(grpc_backend.ids()) == records
        assert holdfast.metric("holdfast_receiver_otlpjsonfile_bad_lines") == 0

    def test_bad_lines_are_counted_and_the_rest_is_read(self, reading, grpc_backend):
        ids = otlp.new_ids(2)
        append(
            reading.folder / "a.json",
            'hello\n{"resourceLogs": 5}\n{"resourceLogs": [\n' + line(otlp.LOGS, ids),
        )
        holdfast = reading()
        grpc_backend.wait_for(ids)
        assert holdfast.metric("holdfast_receiver_otlpjsonfile_bad_lines") == 3
        holdfast.wait_for_log("the line at byte 0 is dropped: it is no request of OTLP/JSON")

    def test_compressed_files_are_read(self, reading, grpc_backend):
        ids = otlp.new_ids(4)
        (reading.folder / "a.json.gz").write_bytes(gzip.compress(line(otlp.TRACES, ids).encode()))
        reading(compression="auto")
        grpc_backend.wait_for(ids)

    def test_what_the_file_exporter_wrote_is_read_back(self, reading, start, grpc_backend, grpc_sender):
        path = reading.folder / "written.json"
        writer = start(config({"file": {"path": str(path)}}))
        sender = grpc_sender(writer)
        ids = {signal: otlp.new_ids(4) for signal in otlp.SIGNALS}
        for signal in otlp.SIGNALS:
            sender.export(signal, otlp.request(signal, ids[signal]))
        reading()
        for signal in otlp.SIGNALS:
            grpc_backend.wait_for(ids[signal])

    def test_a_pattern_without_its_partner_is_said_before_the_start(self, start, grpc_backend):
        configuration = config({"otlp": otlp_exporter(grpc_backend)})
        for receiver, says in (
            ({"include": ["/tmp/[a"]}, "include: a pattern has a bracket"),
            ({"include": ["/tmp/a"], "replay_file": True}, "replay_file: files are read once"),
        ):
            configuration["receivers"] = {"otlpjsonfile": receiver}
            configuration["service"]["pipelines"] = {"logs": {"receivers": ["otlpjsonfile"], "exporters": ["otlp"]}}
            holdfast = start(configuration, ready=False)
            done = holdfast.command("validate", "--config", holdfast.base_path, "--config", holdfast.config_path)
            assert done.returncode != 0
            assert says in done.stderr + done.stdout


class TestKills:
    def test_kills_at_any_moment_lose_nothing(self, reading, grpc_backend):
        path = reading.folder / "a.json"
        holdfast = reading()
        written = []
        for kill in range(4):
            for _ in range(20 + 7 * kill):
                for signal in otlp.SIGNALS:
                    ids = otlp.new_ids(3)
                    append(path, line(signal, ids))
                    written += ids
            until(lambda: grpc_backend.ids(), "nothing came")
            holdfast.kill9()
            holdfast.start()
        grpc_backend.wait_for(written)

    def test_a_stop_and_a_start_read_on_where_it_was(self, reading, grpc_backend):
        path = reading.folder / "a.json"
        holdfast = reading()
        ids = otlp.new_ids(6)
        append(path, line(otlp.LOGS, ids[:2]))
        grpc_backend.wait_for(ids[:2])
        holdfast.terminate()
        append(path, line(otlp.LOGS, ids[2:4]))
        holdfast.start()
        grpc_backend.wait_for(ids[:4])
        holdfast.reload()
        append(path, line(otlp.LOGS, ids[4:]))
        grpc_backend.wait_for(ids)
        assert sorted(grpc_backend.ids()) == ids

    def test_an_outage_stops_the_reading_and_loses_nothing(self, reading, grpc_backend):
        grpc_backend.stop()
        path = reading.folder / "a.json"
        holdfast = reading(signals=("logs",), exporter={"sending_queue": {"queue_size": 2}})
        written = []
        for _ in range(6):
            ids = otlp.new_ids(2)
            append(path, line(otlp.LOGS, ids))
            written += ids
            until(
                lambda: holdfast.books("logs", "otlp")["queued"]["items"] >= min(len(written), 4),
                lambda: f"{holdfast.books('logs', 'otlp')}",
            )
        grpc_backend.start()
        grpc_backend.wait_for(written)

    def test_a_file_that_is_moved_is_not_read_twice(self, reading, grpc_backend):
        ids = otlp.new_ids(4)
        append(reading.folder / "a.json", line(otlp.TRACES, ids[:2]))
        reading()
        grpc_backend.wait_for(ids[:2])
        (reading.folder / "a.json").rename(reading.folder / "a.json.1")
        append(reading.folder / "a.json", line(otlp.TRACES, ids[2:]))
        grpc_backend.wait_for(ids)
        assert sorted(grpc_backend.ids()) == ids
