"""The queue in its operator's hands: limits, books, looking inside, taking out, putting back."""

import json
import shutil

import grpc
import pytest

from support import otlp, senders
from support.backends import GrpcBackend, HttpBackend, ok, otlp_json, partial, refuse
from support.h2grpc import RawGrpc
from support.holdfast import config, consumers_of, otlp_exporter
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
        holdfast.wait_for_log("pipeline logs: its queue is full; senders are told to try again")
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


class TestDrop:
    def test_the_backlog_of_a_removed_exporter_is_given_up(self, start, ending, away, grpc_sender):
        holdfast = start(config({"otlp/old": otlp_exporter(away)}))
        send_each(grpc_sender(holdfast), otlp.new_ids(3))
        holdfast.terminate()
        backend = ending.enter_context(GrpcBackend())
        holdfast.write_config(config({"otlp/new": otlp_exporter(backend)}))
        holdfast.start()
        done = holdfast.command(
            "queue", "drop", "logs", "--exporter", "otlp/old", "--data-dir", holdfast.data_directory
        )
        assert done.returncode == 0, done.stdout + done.stderr
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
        done = holdfast.command("queue", "requeue", "otlp", "--data-dir", holdfast.data_directory)
        assert done.returncode == 0, done.stdout + done.stderr
        grpc_backend.wait_for(ids)
        assert sorted(grpc_backend.ids()) == sorted(ids)

    def test_switched_off_they_are_dropped_and_counted(self, start, grpc_backend, grpc_sender):
        grpc_backend.always = refuse(grpc.StatusCode.INVALID_ARGUMENT)
        queue = {"dead_letter": {"enabled": False}}
        holdfast = start(config({"otlp": otlp_exporter(grpc_backend, sending_queue=queue)}))
        send_each(grpc_sender(holdfast), otlp.new_ids(3))
        until(
            lambda: holdfast.books("logs", "otlp")["dropped"]["permanent"]["items"] == 3,
            lambda: f"{holdfast.books('logs', 'otlp')}",
        )


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
        assert holdfast.process.wait(10) == 1
        assert "/proc/holdfast" in holdfast.log()
