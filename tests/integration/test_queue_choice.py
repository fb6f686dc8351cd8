"""`holdfast queue` with a choice: by number, by time, by an OTTL condition; counting, sampling, progress."""

import json
import time

import grpc
import pytest

from support import otlp
from support.backends import GrpcBackend, HttpBackend, ok, refuse
from support.control import ask
from support.holdfast import BINARY, config, otlp_exporter
from support.screen import Screen
from support.waiting import until


@pytest.fixture
def away(ending):
    """A backend that is not there yet."""
    backend = ending.enter_context(GrpcBackend())
    backend.stop()
    return backend


@pytest.fixture
def stored(start, away, grpc_sender):
    """(Holdfast, ids): ten records of two log records each in the queue of logs."""
    holdfast = start(config({"otlp": otlp_exporter(away)}))
    sender = grpc_sender(holdfast)
    ids = otlp.new_ids(20)
    for at in range(0, 20, 2):
        sender.export(otlp.LOGS, otlp.request(otlp.LOGS, ids[at : at + 2]))
    return holdfast, ids


@pytest.fixture
def letters(start, ending, grpc_sender):
    """(Holdfast, backend, ids): five dead letters of one log record each."""
    backend = ending.enter_context(GrpcBackend())
    backend.always = refuse(grpc.StatusCode.INVALID_ARGUMENT, "no such tenant")
    holdfast = start(config({"otlp": otlp_exporter(backend, sending_queue={"num_consumers": 1})}))
    sender = grpc_sender(holdfast)
    ids = otlp.new_ids(5)
    for number, item in enumerate(ids, 1):  # one after another, so that they are in order
        sender.export(otlp.LOGS, otlp.request(otlp.LOGS, [item]))
        until(lambda wanted=number: dead(holdfast) == wanted, lambda: f"{dead(holdfast)} dead letters")
    return holdfast, backend, ids


def dead(holdfast):
    code, text = ask(holdfast.data_directory, "count", "deadletter:otlp", "--json")
    return json.loads(text)["records"] if code == 0 else 0


def lines(holdfast, *words):
    done = holdfast.command("queue", *words, "--json", "--data-dir", holdfast.data_directory)
    assert done.returncode == 0, done.stdout + done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def sequences(holdfast, *words):
    return [line["sequence"] for line in lines(holdfast, *words)]


def ids_of(line):
    text = json.dumps(line["data"]).replace(" ", "")
    return {int(part.split('"')[0]) for part in text.split('"intValue":"')[1:]}


class TestRecords:
    def test_they_are_chosen_by_number_page_by_page(self, stored):
        holdfast, ids = stored
        first = lines(holdfast, "cat", "logs", "--limit", 4)
        assert [line["sequence"] for line in first] == [0, 1, 2, 3]
        second = lines(holdfast, "cat", "logs", "--limit", 4, "--from", first[-1]["sequence"] + 1)
        assert [line["sequence"] for line in second] == [4, 5, 6, 7]
        assert ids_of(second[0]) == set(ids[8:10])
        assert second[0]["signal"] == "logs" and second[0]["items"] == 2
        assert abs(second[0]["received_seconds"] - time.time()) < 60
        assert sequences(holdfast, "ls", "logs", "--seq", "7-8,2") == [2, 7, 8]
        assert sequences(holdfast, "ls", "logs", "--seq", "99") == []

    def test_they_are_chosen_by_the_time_of_receipt(self, stored):
        holdfast, _ = stored
        times = [line["received_seconds"] for line in lines(holdfast, "cat", "logs")]
        assert sequences(holdfast, "ls", "logs", "--since", "1h") == list(range(10))
        assert sequences(holdfast, "ls", "logs", "--until", "1h") == []
        assert sequences(holdfast, "ls", "logs", "--since", int(times[-1]) + 3600) == []
        assert sequences(holdfast, "ls", "logs", "--until", "2200-01-01T00:00:00Z") == list(range(10))

    def test_items_are_chosen_by_a_condition(self, stored):
        holdfast, ids = stored
        where = ["--where", f'attributes["{otlp.ID_KEY}"] == {ids[7]}']
        (line,) = lines(holdfast, "cat", "logs", *where)
        assert line["sequence"] == 3 and ids_of(line) == {ids[7]}
        assert sequences(holdfast, "ls", "logs", *where) == [3]
        (count,) = lines(holdfast, "count", "logs", *where)
        assert (count["records"], count["items"], count["logs"], count["traces"]) == (1, 1, 1, 0)
        assert lines(holdfast, "cat", "logs", "--where", 'name == "a span"') == []

    def test_they_are_counted_and_sampled(self, stored):
        holdfast, _ = stored
        (count,) = lines(holdfast, "count", "logs")
        assert (count["records"], count["items"], count["damaged"]) == (10, 20, 0)
        assert sequences(holdfast, "sample", "logs", "-n", 5) == [0, 2, 4, 6, 8]
        assert len(sequences(holdfast, "sample", "logs", "-n", 3)) == 3
        assert len(sequences(holdfast, "sample", "logs", "-n", 99)) == 10
        assert sequences(holdfast, "sample", "logs", "-n", 2, "--from", 5) == [5, 7]
        assert sequences(holdfast, "sample", "logs", "-n", 3, "--where", "true") == [0, 2, 6]

    def test_they_are_exported(self, stored, ending):
        holdfast, ids = stored
        backend = ending.enter_context(HttpBackend())
        where = f'attributes["{otlp.ID_KEY}"] == {ids[7]}'
        done = holdfast.command(
            "queue", "export", "logs", "--endpoint", backend.endpoint, "--where", where,
            "--data-dir", holdfast.data_directory,
        )
        assert done.returncode == 0
        assert done.stdout == f"exported 1 records, 1 items to {backend.endpoint}\n"
        assert backend.ids() == [ids[7]]

    def test_without_a_process_it_is_the_same(self, stored):
        holdfast, ids = stored
        holdfast.kill9()
        where = ["--where", f'attributes["{otlp.ID_KEY}"] == {ids[7]}']
        assert sequences(holdfast, "ls", "logs", *where) == [3]
        (count,) = lines(holdfast, "count", "logs")
        assert count["items"] == 20

    def test_wrong_words_are_refused(self, stored):
        holdfast, _ = stored
        for words, wanted in (
            (["ls", "logs", "--seq", "9-3"], "--seq"),
            (["ls", "logs", "--since", "yesterday"], "--since"),
            (["cat", "logs", "--where", "nonsense("], "--where"),
            (["sample", "logs"], "-n N"),
            (["stat", "--seq", "1"], "--seq"),
            (["drop", "logs", "--exporter", "otlp", "--seq", "1"], "only dead letters"),
        ):
            done = holdfast.command("queue", *words, "--data-dir", holdfast.data_directory)
            assert done.returncode == 2 and wanted in done.stdout + done.stderr, words


class TestDeadLetters:
    def test_they_are_listed_with_the_words_of_the_backend(self, letters):
        holdfast, _, ids = letters
        found = lines(holdfast, "cat", "deadletter:otlp")
        assert [ids_of(line) for line in found] == [{item} for item in ids]
        assert {line["pipeline"] for line in found} == {"logs"}
        assert all("no such tenant" in line["reason"] for line in found)

    def test_one_is_requeued_another_dropped_and_the_rest_stays(self, letters):
        holdfast, backend, ids = letters
        backend.always = ok()
        code, text = ask(holdfast.data_directory, "requeue", "otlp", "--seq", "1")
        assert (code, text) == (0, "requeued 1 dead letters of otlp, 1 items\n")
        backend.wait_for([ids[1]])
        code, text = ask(holdfast.data_directory, "drop", "deadletter:otlp", "--seq", "3-4")
        assert (code, text) == (0, "dropped 2 dead letters of otlp, 2 items\n")
        assert sequences(holdfast, "cat", "deadletter:otlp") == [0, 2]
        assert dead(holdfast) == 2
        books = holdfast.books("otlp", "operator", kind="deadletter")
        assert books["queued"]["items"] == 2 and books["dropped"]["operator"]["items"] == 2
        code, text = ask(holdfast.data_directory, "requeue", "otlp")
        assert (code, text) == (0, "requeued 2 dead letters of otlp, 2 items\n")
        backend.wait_for([ids[0], ids[2]])
        assert holdfast.books("otlp", "operator", kind="deadletter")["queued"]["items"] == 0

    def test_they_are_requeued_by_a_condition(self, letters):
        holdfast, backend, ids = letters
        backend.always = ok()
        where = f'attributes["{otlp.ID_KEY}"] == {ids[2]}'
        code, text = ask(holdfast.data_directory, "requeue", "otlp", "--where", where)
        assert (code, text) == (0, "requeued 1 dead letters of otlp, 1 items\n")
        backend.wait_for([ids[2]])
        assert holdfast.books("otlp", "operator", kind="deadletter")["queued"]["items"] == 4


class TestProgress:
    def test_the_process_says_how_far_it_is_and_the_terminal_shows_it(self, stored, ending):
        holdfast, _ = stored
        code, text = ask(holdfast.data_directory, "verify", "logs", "--progress")
        assert code == 0
        marked = [line for line in text.split("\n") if line.startswith("\x1e")]
        assert marked and all(line[1:].split()[1] == "10" for line in marked)
        screen = Screen([BINARY, "queue", "verify", "logs", "--data-dir", holdfast.data_directory])
        ending.callback(screen.close)
        assert screen.wait() == 0
        assert "queue logs: 10 records good, 0 damaged now, 0 set aside before" in screen.text()
        assert b"verify [" in screen.raw and b"left" in screen.raw and b"\x1e" not in screen.raw
        plain = holdfast.command("queue", "verify", "logs", "--data-dir", holdfast.data_directory)
        assert plain.stdout == "queue logs: 10 records good, 0 damaged now, 0 set aside before\n"
        assert plain.stderr == ""

    def test_drain_shows_it_on_a_terminal(self, stored, away, ending):
        holdfast, ids = stored
        screen = Screen([BINARY, "drain", "--data-dir", holdfast.data_directory])
        ending.callback(screen.close)
        screen.wait_for("drain [")
        assert "0 of 20" in screen.text()
        away.start()
        assert screen.wait() == 0
        assert set(away.ids()) == set(ids)
        assert "empty: all that was accepted is delivered" in screen.text()
        assert "drain [" not in screen.text()
