"""The queue in its operator's hands: limits, books, looking inside, taking out, putting back."""

import json
import os
import re
import select
import shutil
import socket

import grpc
import pytest

from support import otlp, senders
from support.backends import GrpcBackend, HttpBackend, ok, otlp_json, partial, refuse
from support.h2grpc import RawGrpc
from support.holdfast import config, consumers_of, otlp_exporter, run
from support.ports import free_port
from support.senders import Load, wait_for_acknowledged
from support.waiting import until


@pytest.fixture
def away(ending):
    """A backend that is not there yet."""
    backend = ending.enter_context(GrpcBackend())
    backend.stop()
    return backend


def send_each(sender, ids, signal=otlp.LOGS, **options):
    for item in ids:
        sender.export(signal, otlp.request(signal, [item], **options))


class TestFull:
    def test_a_full_queue_tells_the_sender_to_come_back(self, start, away, grpc_sender):
        queue = {"queue_size": 10}
        holdfast = start(config({"otlp": otlp_exporter(away, sending_queue=queue)}))
        ids = otlp.new_ids(10)
        send_each(grpc_sender(holdfast), ids)
        extra = otlp.request(otlp.LOGS, otlp.new_ids(1))
        with RawGrpc(holdfast.ports["GRPC_PORT"]) as raw:
            reply = raw.call(otlp.LOGS.method_path, extra.SerializeToString())
        assert reply.code == grpc.StatusCode.UNAVAILABLE.value[0]
        assert reply.retry_delay is not None
        answer = senders.post(holdfast.http_base, otlp.LOGS, extra)
        assert answer.status_code == 503
        assert int(answer.headers["Retry-After"]) >= 0
        assert holdfast.metric("otelcol_receiver_refused_log_records") == 2
        assert holdfast.metric("otelcol_exporter_enqueue_failed_log_records", exporter="otlp") == 2
        holdfast.wait_for_log('"the queue is full; clients are told to retry","pipeline":"logs"')
        away.start()
        away.wait_for(ids)
        until(
            lambda: senders.post(holdfast.http_base, otlp.LOGS, extra).status_code == 200,
            "room does not come back",
        )
        assert set(away.ids()) >= set(ids)

    def test_max_bytes_is_kept_and_draining_makes_room(self, start, away):
        limit = 8 << 20
        holdfast = start(config({"otlp": otlp_exporter(away, sending_queue={"max_bytes": limit})}))
        with Load(holdfast, [(otlp.LOGS, "grpc"), (otlp.LOGS, "http")], padding="x" * 20_000) as load:
            until(lambda: load.refused >= 5, lambda: f"{len(load.acknowledged)} accepted, none refused", 60)
        on_disk = sum(
            path.stat().st_blocks * 512 for path in (holdfast.data_directory / "queue" / "logs").iterdir()
        )
        assert on_disk <= limit + (64 << 20)  # one segment over, as wal.h says
        away.start()
        away.wait_for(load.acknowledged, 60)
        probe = otlp.request(otlp.LOGS, otlp.new_ids(1))
        until(
            lambda: senders.post(holdfast.http_base, otlp.LOGS, probe).status_code == 200,
            "room does not come back",
        )

    def test_drop_oldest_takes_new_data_and_counts_what_it_drops(self, start, away, grpc_sender):
        queue = {"queue_size": 10, "on_full": "drop_oldest", "num_consumers": 1}
        holdfast = start(config({"otlp": otlp_exporter(away, sending_queue=queue)}))
        ids = otlp.new_ids(30)
        send_each(grpc_sender(holdfast), ids)
        until(
            lambda: holdfast.books("logs", "otlp")["dropped"]["overflow"]["items"] >= 15,
            lambda: f"{holdfast.books('logs', 'otlp')}",
        )
        away.start()
        away.wait_for(ids[-5:])
        holdfast.books("logs", "otlp")

    def test_the_sizer_counts_items(self, start, away, grpc_sender):
        holdfast = start(
            config({"otlp": otlp_exporter(away, sending_queue={"queue_size": 100, "sizer": "items"})})
        )
        sender = grpc_sender(holdfast)
        first = otlp.new_ids(90)
        sender.export(otlp.LOGS, otlp.request(otlp.LOGS, first))
        codes = [sender.code(otlp.LOGS, otlp.request(otlp.LOGS, otlp.new_ids(50))) for _ in range(2)]
        assert grpc.StatusCode.UNAVAILABLE in codes


class TestBooks:
    def test_they_balance_through_everything_and_across_restarts(self, start, ending, grpc_sender):
        backend = ending.enter_context(GrpcBackend())
        holdfast = start(config({"otlp": otlp_exporter(backend)}))
        sender = grpc_sender(holdfast)
        for answer in (refuse(grpc.StatusCode.INVALID_ARGUMENT), partial(1, "odd"), refuse(grpc.StatusCode.UNAVAILABLE)):
            for signal in otlp.SIGNALS:
                backend.next(answer)
                sender.export(signal, otlp.request(signal, otlp.new_ids(4)))
                until(lambda name=signal.name: settled(holdfast, name), lambda: f"{holdfast.queue('stat')}")
        expected = {"accepted": 12, "delivered": 7, "dead_lettered": 4, "queued": 0}
        for _ in range(2):
            for one in otlp.SIGNALS:
                books = holdfast.books(one.name, "otlp")
                assert {key: books[key]["items"] for key in expected} == expected
                assert books["dropped"]["rejected_by_backend"]["items"] == 1
            holdfast.restart()

    def test_they_balance_across_kills_under_load(self, start, ending):
        backend = ending.enter_context(GrpcBackend())
        holdfast = start(config({"otlp": otlp_exporter(backend)}))
        with Load(holdfast, [(signal, "grpc") for signal in otlp.SIGNALS]) as load:
            for _ in range(3):
                wait_for_acknowledged(load, len(load.acknowledged) + 500)
                holdfast.kill9()
                for one in otlp.SIGNALS:
                    holdfast.books(one.name, "otlp")
                holdfast.start()
            wait_for_acknowledged(load, len(load.acknowledged) + 200)
        until(lambda: all(settled(holdfast, one.name) for one in otlp.SIGNALS), "the queues do not run empty")
        accepted = sum(holdfast.books(one.name, "otlp")["accepted"]["items"] for one in otlp.SIGNALS)
        assert len(load.acknowledged) <= accepted <= len(load.offered)
        holdfast.terminate()
        assert sum(holdfast.books(one.name, "otlp")["accepted"]["items"] for one in otlp.SIGNALS) == accepted


def settled(holdfast, pipeline):
    """True when nothing waits in the pipeline's queue."""
    return holdfast.books(pipeline, "otlp")["queued"]["items"] == 0


class TestCommands:
    """Each on a running and on a dead directory."""

    @pytest.fixture(params=["live", "dead"])
    def backlog(self, request, start, away, grpc_sender):
        holdfast = start(config({"otlp": otlp_exporter(away)}))
        ids = otlp.new_ids(5)
        send_each(grpc_sender(holdfast), ids)
        if request.param == "dead":
            holdfast.kill9()
        return holdfast, away, ids

    def test_stat_prints_the_books(self, backlog):
        holdfast, _, _ = backlog
        books = holdfast.books("logs", "otlp")
        assert books["accepted"]["items"] == books["queued"]["items"] == 5
        table = holdfast.command("queue", "stat", "--data-dir", holdfast.data_directory)
        assert table.returncode == 0
        assert "logs" in table.stdout and "otlp" in table.stdout

    def test_ls_lists_each_record(self, backlog):
        holdfast, _, _ = backlog
        done = holdfast.command("queue", "ls", "logs", "--data-dir", holdfast.data_directory, "--json")
        assert done.returncode == 0, done.stdout + done.stderr
        records = [json.loads(line) for line in done.stdout.splitlines()]
        assert [(one["signal"], one["items"], one["damaged"]) for one in records] == [("logs", 1, False)] * 5

    def test_ls_stops_where_it_is_told(self, backlog):
        holdfast, _, _ = backlog
        done = holdfast.command("queue", "ls", "logs", "-n", "2", "--data-dir", holdfast.data_directory)
        assert len(done.stdout.splitlines()) == 2

    def test_cat_prints_otlp_json(self, backlog):
        holdfast, _, ids = backlog
        done = holdfast.command("queue", "cat", "logs", "--data-dir", holdfast.data_directory)
        assert done.returncode == 0, done.stdout + done.stderr
        found = [
            item
            for line in done.stdout.splitlines()
            for item in otlp.ids(otlp.LOGS, otlp_json(otlp.LOGS, line))
        ]
        assert found == ids

    def test_verify_finds_a_sound_queue_sound(self, backlog):
        holdfast, _, _ = backlog
        done = holdfast.command("queue", "verify", "--data-dir", holdfast.data_directory)
        assert done.returncode == 0, done.stdout + done.stderr

    def test_export_replays_into_an_endpoint(self, backlog, ending):
        holdfast, _, ids = backlog
        other = ending.enter_context(HttpBackend())
        done = holdfast.command(
            "queue", "export", "logs", "--data-dir", holdfast.data_directory, "--endpoint", other.endpoint
        )
        assert done.returncode == 0, done.stdout + done.stderr
        other.wait_for(ids)
        assert holdfast.books("logs", "otlp")["queued"]["items"] == 5

    def test_export_to_nobody_fails_with_a_word(self, backlog):
        holdfast, _, _ = backlog
        done = holdfast.command(
            "queue",
            "export",
            "logs",
            "--data-dir",
            holdfast.data_directory,
            "--endpoint",
            f"http://127.0.0.1:{free_port()}",
        )
        assert done.returncode == 1
        assert done.stdout + done.stderr

    def test_a_queue_that_is_not_there_is_an_error(self, backlog):
        holdfast, _, _ = backlog
        done = holdfast.command("queue", "ls", "nothing", "--data-dir", holdfast.data_directory)
        assert done.returncode == 1
        assert "nothing" in done.stdout + done.stderr

    def test_a_copy_of_the_directory_can_be_read_elsewhere(self, backlog, tmp_path):
        holdfast, _, _ = backlog
        if holdfast.process.poll() is None:
            holdfast.kill9()
        shutil.copytree(
            holdfast.data_directory, tmp_path / "elsewhere", ignore=shutil.ignore_patterns("control*")
        )
        done = holdfast.command("queue", "verify", "--data-dir", tmp_path / "elsewhere")
        assert done.returncode == 0, done.stdout + done.stderr


    def test_verify_tells_a_program_too(self, backlog):
        holdfast, _, _ = backlog
        done = holdfast.command("queue", "verify", "logs", "--json", "--data-dir", holdfast.data_directory)
        assert json.loads(done.stdout) == {
            "kind": "queue",
            "id": "logs",
            "good": 5,
            "damaged": 0,
            "set_aside": 0,
            "error": "",
        }

    def test_cat_begins_and_ends_where_it_is_told(self, backlog):
        holdfast, _, ids = backlog
        done = holdfast.command(
            "queue", "cat", "logs", "--from", "1", "-n", "3", "--data-dir", holdfast.data_directory
        )
        found = [
            item
            for line in done.stdout.splitlines()
            for item in otlp.ids(otlp.LOGS, otlp_json(otlp.LOGS, line))
        ]
        assert found == ids[1:4]


class TestLongCommands:
    def test_a_reader_that_stands_still_does_not_hold_up_the_end(self, start, away, grpc_sender):
        holdfast = start(config({"otlp": otlp_exporter(away)}))
        send_each(grpc_sender(holdfast), otlp.new_ids(40), padding="x" * 100_000)
        reader = holdfast.begin("queue", "cat", "logs", "--data-dir", holdfast.data_directory)
        try:
            assert reader.stdout.read(1) == b"{"  # it has begun, and fills every buffer on the way
            status, _ = holdfast.terminate()
            assert status == 0
            reader.communicate(timeout=10)
            assert reader.returncode == 1  # it does not pass for a whole answer
        finally:
            reader.kill()
            reader.communicate()


class TestWrongUse:
    @pytest.mark.parametrize(
        "arguments, says",
        [
            ("bogus", "no command bogus"),
            ("ls", "ls needs a queue"),
            ("requeue", "requeue needs an exporter"),
            ("export logs", "--endpoint URL"),
            ("drop logs", "--exporter ID"),
            ("stat logs", "stat takes no logs"),
            ("ls logs --endpoint http://x", "ls takes no --endpoint"),
            ("ls logs -n", "-n needs a number"),
            ("ls logs -n few", "-n needs a number"),
            ("ls logs more", "ls takes no more"),
            ("stat --data-dir", "--data-dir needs a directory"),
            ("stat --config", "--config needs a file"),
        ],
    )
    def test_it_is_told_in_one_sentence(self, arguments, says):
        done = run("queue", *arguments.split())
        assert (done.returncode, done.stdout) == (2, "")
        assert says in done.stderr

    def test_a_directory_that_is_none_of_ours_is_left_as_it_is(self, tmp_path):
        (tmp_path / "letter").write_text("dear")
        done = run("queue", "stat", "--data-dir", tmp_path)
        assert (done.returncode, done.stdout) == (1, "")
        assert str(tmp_path) in done.stderr
        assert [one.name for one in tmp_path.iterdir()] == ["letter"]

    def test_a_process_that_does_not_answer_is_named(self, start, away):
        holdfast = start(config({"otlp": otlp_exporter(away)}))
        (holdfast.data_directory / "control").unlink()
        done = holdfast.command("queue", "stat", "--data-dir", holdfast.data_directory)
        assert (done.returncode, done.stdout) == (1, "")
        assert f"another process ({holdfast.process.pid}) has the data directory" in done.stderr
        assert len(done.stderr.splitlines()) == 1


class TestDrop:
    def test_the_backlog_of_a_removed_exporter_is_given_up(self, start, ending, away, grpc_sender):
        holdfast = start(config({"otlp/old": otlp_exporter(away)}))
        send_each(grpc_sender(holdfast), otlp.new_ids(3))
        holdfast.terminate()
        backend = ending.enter_context(GrpcBackend())
        holdfast.write_config(config({"otlp/new": otlp_exporter(backend)}))
        holdfast.start()
        assert holdfast.metric("holdfast_exporter_orphaned_items", exporter="otlp/old", queue="logs") == 3
        done = holdfast.command(
            "queue", "drop", "logs", "--exporter", "otlp/old", "--data-dir", holdfast.data_directory
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert holdfast.metric("holdfast_exporter_orphaned_items", exporter="otlp/old", queue="logs") is None
        assert not [one for one in consumers_of(holdfast.queue("stat"), "logs") if one["queued"]["items"]]

    def test_an_exporter_that_runs_keeps_its_backlog(self, start, away, grpc_sender):
        holdfast = start(config({"otlp": otlp_exporter(away)}))
        send_each(grpc_sender(holdfast), otlp.new_ids(3))
        done = holdfast.command(
            "queue", "drop", "logs", "--exporter", "otlp", "--data-dir", holdfast.data_directory
        )
        assert done.returncode == 1
        assert holdfast.books("logs", "otlp")["queued"]["items"] == 3


    def test_an_exporter_that_is_configured_keeps_its_backlog_while_nothing_runs(
        self, start, away, grpc_sender
    ):
        holdfast = start(config({"otlp": otlp_exporter(away)}))
        send_each(grpc_sender(holdfast), otlp.new_ids(3))
        holdfast.terminate()
        done = holdfast.command(
            *("queue", "drop", "logs", "--exporter", "otlp", "--data-dir", holdfast.data_directory),
            *("--config", holdfast.base_path, "--config", holdfast.config_path),
        )
        assert done.returncode == 1
        assert "otlp is configured for logs" in done.stderr
        assert holdfast.books("logs", "otlp")["queued"]["items"] == 3


class TestDeadLetters:
    def test_they_are_kept_listed_and_can_be_sent_again(self, start, grpc_backend, grpc_sender):
        grpc_backend.always = refuse(grpc.StatusCode.INVALID_ARGUMENT, "not today")
        holdfast = start(config({"otlp": otlp_exporter(grpc_backend)}))
        ids = otlp.new_ids(4)
        send_each(grpc_sender(holdfast), ids)
        until(
            lambda: holdfast.books("logs", "otlp")["dead_lettered"]["items"] == 4,
            lambda: f"{holdfast.books('logs', 'otlp')}",
        )
        holdfast.restart()
        assert holdfast.metric("holdfast_exporter_dead_lettered_items", queue="logs", exporter="otlp") == 4
        listed = holdfast.command(
            "queue", "ls", "deadletter:otlp", "--data-dir", holdfast.data_directory
        ).stdout
        assert listed.count("not today") == 4
        grpc_backend.always = ok()
        requeue(holdfast, "otlp")
        grpc_backend.wait_for(ids)
        assert sorted(grpc_backend.ids()) == sorted(ids)

    def test_refused_again_they_are_dead_letters_again(self, start, grpc_backend, grpc_sender):
        grpc_backend.always = refuse(grpc.StatusCode.INVALID_ARGUMENT, "never")
        holdfast = start(config({"otlp": otlp_exporter(grpc_backend)}))
        send_each(grpc_sender(holdfast), otlp.new_ids(3))
        wait_for_letters(holdfast, "otlp", 3)
        for times in (1, 2):
            assert requeue(holdfast, "otlp") == "requeued 3 dead letters of otlp, 3 items\n"
            wait_for_letters(holdfast, "otlp", 3)
            books = holdfast.books("otlp", "otlp", kind="requeue")
            assert books["accepted"]["items"] == books["dead_lettered"]["items"] == 3 * times
        listed = [
            json.loads(line)
            for line in holdfast.command(
                "queue", "ls", "deadletter:otlp", "--json", "--data-dir", holdfast.data_directory
            ).stdout.splitlines()
        ]
        assert {(one["pipeline"], one["reason"], one["code"]) for one in listed} == {("logs", "never", 3)}

    def test_switched_off_they_are_dropped_and_counted(self, start, grpc_backend, grpc_sender):
        grpc_backend.always = refuse(grpc.StatusCode.INVALID_ARGUMENT)
        queue = {"dead_letter": {"enabled": False}}
        holdfast = start(config({"otlp": otlp_exporter(grpc_backend, sending_queue=queue)}))
        send_each(grpc_sender(holdfast), otlp.new_ids(3))
        until(
            lambda: holdfast.books("logs", "otlp")["dropped"]["permanent"]["items"] == 3,
            lambda: f"{holdfast.books('logs', 'otlp')}",
        )


def wait_for_letters(holdfast, exporter, items):
    """Waits until so many items are among the dead letters, neither requeued nor dropped."""

    def kept():
        consumers = consumers_of(holdfast.queue("stat"), exporter, "deadletter")
        return sum(one["queued"]["items"] for one in consumers)

    until(lambda: kept() == items, lambda: f"{holdfast.queue('stat')}")


def requeue(holdfast, exporter):
    done = holdfast.command("queue", "requeue", exporter, "--data-dir", holdfast.data_directory)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


class TestRequeue:
    """Of two exporters in the same pipelines, one refuses for good; what it refused is its own affair."""

    @pytest.fixture
    def good(self, ending):
        return ending.enter_context(GrpcBackend())

    @pytest.fixture
    def picky(self, ending):
        backend = ending.enter_context(GrpcBackend())
        backend.always = refuse(grpc.StatusCode.INVALID_ARGUMENT, "not today")
        return backend

    @pytest.fixture
    def letters(self, start, good, picky, grpc_sender):
        """A Holdfast that has dead letters of every signal, with all cursors on disk; and the ids in them."""
        holdfast = start(config({"otlp/good": otlp_exporter(good), "otlp/picky": otlp_exporter(picky)}))
        ids = otlp.new_ids(60)
        for number, signal in enumerate(otlp.SIGNALS):
            send_each(grpc_sender(holdfast), ids[number::3], signal)
        wait_for_letters(holdfast, "otlp/picky", 60)
        good.wait_for(ids)
        holdfast.restart()
        return holdfast, ids

    def check(self, holdfast, good, ids):
        """The books of everything balance, and the other exporter has seen nothing twice."""
        assert sorted(good.ids()) == sorted(ids)
        until(
            lambda: holdfast.books("otlp/picky", "otlp/picky", "requeue")["queued"]["items"] == 0,
            lambda: f"{holdfast.queue('stat')}",
        )
        for signal in otlp.SIGNALS:
            assert holdfast.books(signal.name, "otlp/good")["accepted"]["items"] == 20
            assert holdfast.books(signal.name, "otlp/picky")["dead_lettered"]["items"] == 20

    def test_only_the_exporter_that_refused_sends_them_again(self, letters, good, picky):
        holdfast, ids = letters
        picky.always = ok()
        assert requeue(holdfast, "otlp/picky") == "requeued 60 dead letters of otlp/picky, 60 items\n"
        picky.wait_for(ids)
        self.check(holdfast, good, ids)
        assert sorted(picky.ids()) == sorted(ids)
        for signal in otlp.SIGNALS:
            assert sorted(picky.ids(signal)) == sorted(good.ids(signal))
        books = holdfast.books("otlp/picky", "otlp/picky", kind="requeue")
        assert books["accepted"]["items"] == books["delivered"]["items"] == 60
        assert holdfast.books("otlp/picky", "operator", "deadletter")["queued"]["items"] == 0
        assert holdfast.metric("holdfast_exporter_delivered_items", kind="requeue", queue="otlp/picky") == 60

    def test_on_a_dead_directory_they_wait_for_the_next_start(self, letters, good, picky):
        holdfast, ids = letters
        holdfast.kill9()
        assert "they wait in requeue:otlp/picky" in requeue(holdfast, "otlp/picky")
        assert holdfast.books("otlp/picky", "otlp/picky", kind="requeue")["queued"]["items"] == 60
        where = ("requeue:otlp/picky", "--data-dir", holdfast.data_directory)
        assert len(holdfast.command("queue", "ls", *where).stdout.splitlines()) == 60
        assert len(holdfast.command("queue", "cat", *where).stdout.splitlines()) == 60
        assert holdfast.command("queue", "verify", *where).stdout.startswith("requeue otlp/picky: 60 records good")
        picky.always = ok()
        holdfast.start()
        picky.wait_for(ids)
        self.check(holdfast, good, ids)
        assert sorted(picky.ids()) == sorted(ids)

    def test_a_kill_in_the_middle_loses_nothing(self, letters, good, picky):
        holdfast, ids = letters
        for _ in range(3):
            picky.always = refuse(grpc.StatusCode.UNAVAILABLE)
            picky.next(ok(), ok())
            seen = len(picky.requests)
            requeue(holdfast, "otlp/picky")
            picky.wait_for_requests(seen + 2)
            holdfast.kill9()
            holdfast.start()
        picky.always = ok()
        picky.wait_for(ids)
        self.check(holdfast, good, ids)

    def test_a_kill_of_the_command_itself_loses_nothing(self, letters, good, picky):
        holdfast, ids = letters
        holdfast.kill9()
        place = holdfast.data_directory / "requeue"
        queue = place / "otlp%2Fpicky"
        for made in (holdfast.data_directory, place, queue, queue / f"{0:020}.seg", queue / f"{0:020}.seg"):
            command = holdfast.begin("queue", "requeue", "otlp/picky", "--data-dir", holdfast.data_directory)
            until(lambda made=made, run=command: made.exists() or run.poll() is not None, f"no {made}")
            command.kill()
            command.communicate(timeout=10)
        requeue(holdfast, "otlp/picky")
        picky.always = ok()
        holdfast.start()
        picky.wait_for(ids)
        self.check(holdfast, good, ids)

    def test_a_reload_in_the_middle_sends_them_once(self, letters, good, picky):
        holdfast, ids = letters
        picky.always = refuse(grpc.StatusCode.UNAVAILABLE)
        seen = len(picky.requests)
        requeue(holdfast, "otlp/picky")
        picky.wait_for_requests(seen + 1)
        holdfast.reload()
        holdfast.wait_for_log("the new configuration runs")
        picky.always = ok()
        picky.wait_for(ids)
        self.check(holdfast, good, ids)
        assert sorted(picky.ids()) == sorted(ids)

    def test_for_a_removed_exporter_they_are_reported_and_can_be_dropped(self, letters, good, picky):
        holdfast, _ = letters
        picky.always = refuse(grpc.StatusCode.UNAVAILABLE)
        requeue(holdfast, "otlp/picky")
        where = ("requeue:otlp/picky", "--data-dir", holdfast.data_directory)
        refused = holdfast.command("queue", "drop", *where)
        assert refused.returncode == 1 and "running" in refused.stdout
        holdfast.write_config(config({"otlp/good": otlp_exporter(good)}))
        holdfast.reload()
        holdfast.wait_for_log("60 items are to be sent again by this exporter, which is no longer")
        assert holdfast.metric("holdfast_exporter_orphaned_items", kind="requeue", exporter="otlp/picky") == 60
        done = holdfast.command("queue", "drop", *where)
        assert done.stdout == "dropped 60 dead letters of otlp/picky, 60 items\n"
        books = holdfast.books("otlp/picky", "otlp/picky", kind="requeue")
        assert books["accepted"]["items"] == books["dropped"]["operator"]["items"] == 60


def connect(client, holdfast):
    """By way of the open directory: a socket's path is at most 107 bytes."""
    where = os.open(holdfast.data_directory, os.O_PATH)
    client.connect(f"/proc/self/fd/{where}/control")
    os.close(where)


class TestSilentClients:
    def test_they_hold_up_nobody(self, start, ending, grpc_backend):
        """More than it keeps: the oldest of them make way."""
        holdfast = start(config({"otlp": otlp_exporter(grpc_backend)}))
        silent = [ending.enter_context(socket.socket(socket.AF_UNIX)) for _ in range(40)]
        for one in silent:
            connect(one, holdfast)
        silent[-1].sendall(b"stat\0")  # and the beginning of a request
        answered = holdfast.queue("stat")
        assert answered["queues"]
        assert all(one.fileno() >= 0 for one in silent)
        still_open = [one for one in silent if not select.select([one], [], [], 0)[0]]
        assert still_open, "all were let go, so none can have been in the way"

    def test_one_that_sends_its_words_in_pieces_is_answered(self, start, grpc_backend):
        holdfast = start(config({"otlp": otlp_exporter(grpc_backend)}))
        with socket.socket(socket.AF_UNIX) as one:
            connect(one, holdfast)
            for byte in b"stat\0\0":
                one.sendall(bytes([byte]))
            assert b"traces" in b"".join(iter(lambda: one.recv(65536), b""))


class TestOrphans:
    def test_a_removed_exporters_backlog_is_reported_and_attached_by_one_line(
        self, start, ending, away, grpc_sender
    ):
        holdfast = start(config({"otlp/old": otlp_exporter(away)}))
        ids = otlp.new_ids(5)
        send_each(grpc_sender(holdfast), ids)
        holdfast.terminate()
        backend = ending.enter_context(GrpcBackend())
        holdfast.write_config(config({"otlp/new": otlp_exporter(backend)}))
        holdfast.start()
        holdfast.wait_for_log("otlp/old")
        assert holdfast.metric("holdfast_exporter_orphaned_items", exporter="otlp/old") == 5
        more = otlp.new_ids(2)
        send_each(grpc_sender(holdfast), more)  # an orphan never blocks intake
        backend.wait_for(more)
        holdfast.write_config(
            config({"otlp/new2": otlp_exporter(backend, sending_queue={"attach": "otlp/old"})})
        )
        holdfast.restart()
        backend.wait_for(ids)


class TestNotWritable:
    def test_it_does_not_start_and_says_why(self, start, away):
        holdfast = start(config({"otlp": otlp_exporter(away)}), ready=False)
        holdfast.data_directory = "/proc/holdfast"
        holdfast.spawn()
        assert holdfast.process.wait(60) == 1
        says = holdfast.log()
        assert "/proc/holdfast" in says and f"uid {os.geteuid()}" in says
        assert "/proc has mode 0555, owner 0:0, file system proc, 0 bytes free" in says

    def test_a_probe_that_cannot_be_written_is_told_with_what_there_is_to_know(self, start, away):
        holdfast = start(config({"otlp": otlp_exporter(away)}), ready=False)
        (holdfast.data_directory / "probe").mkdir(parents=True)
        holdfast.data_directory.chmod(0o750)
        holdfast.spawn()
        assert holdfast.process.wait(60) == 1
        says = holdfast.log()
        assert f"does not keep what uid {os.geteuid()} writes: Is a directory" in says
        assert re.search(r"/data has mode 0750, owner \d+:\d+, file system \w+, \d+ bytes free", says)
