"""`holdfast queue orphans` and `queue adopt`: what a vanished node or claim left behind is found, and sent on."""

import json

import grpc
import pytest

from support import otlp
from support.backends import GrpcBackend, refuse
from support.holdfast import config, consumers_of, otlp_exporter, run
from support.waiting import until

COUNT = 40


@pytest.fixture
def away(ending):
    """A backend that is not there yet."""
    backend = ending.enter_context(GrpcBackend())
    backend.stop()
    return backend


def fill(holdfast, sender, count=COUNT, signal=otlp.LOGS):
    """So many requests of five items; their ids."""
    ids = []
    for _ in range(count):
        ids += otlp.new_ids(5)
        sender.export(signal, otlp.request(signal, ids[-5:]))
    return ids


@pytest.fixture
def vanished(start, away, grpc_sender):
    """An instance that was killed with a backlog: (instance, ids)."""
    holdfast = start(config({"otlp": otlp_exporter(away)}))
    ids = fill(holdfast, grpc_sender(holdfast))
    holdfast.kill9()
    return holdfast, ids


def adopt(holdfast, other):
    return holdfast.command("queue", "adopt", other.data_directory, "--data-dir", holdfast.data_directory)


def waiting_in(holdfast):
    """Items that wait in the directory of an instance that does not run."""
    done = run("queue", "orphans", "--json", holdfast.data_directory)
    assert done.returncode == 0, done.stderr
    (one,) = json.loads(done.stdout)
    assert one["state"] == "orphaned", one
    return one["items"]


class TestAdopt:
    def test_the_exporter_of_the_same_name_sends_it(self, start, vanished, grpc_backend):
        gone, ids = vanished
        assert waiting_in(gone) == len(ids)
        holdfast = start(config({"otlp": otlp_exporter(grpc_backend)}))
        done = adopt(holdfast, gone)
        assert done.returncode == 0, done.stdout + done.stderr
        assert f"adopted {len(ids)} items, left: 0" in done.stdout
        grpc_backend.wait_for(ids)
        assert sorted(grpc_backend.ids()) == sorted(ids)
        assert waiting_in(gone) == 0
        until(
            lambda: holdfast.books("otlp", "otlp", "requeue")["delivered"]["items"] == len(ids),
            "delivered from here",
        )

    def test_no_other_exporter_gets_it_again(self, start, away, grpc_backend, grpc_sender, ending):
        other = ending.enter_context(GrpcBackend())
        exporters = {"otlp/down": otlp_exporter(away), "otlp/up": otlp_exporter(grpc_backend)}
        gone = start(config(exporters))
        ids = fill(gone, grpc_sender(gone), 5)
        grpc_backend.wait_for(ids)
        until(lambda: gone.books("logs", "otlp/up")["queued"]["items"] == 0, "up has it")
        gone.terminate()
        holdfast = start(config({"otlp/down": otlp_exporter(other), "otlp/up": otlp_exporter(grpc_backend)}))
        assert adopt(holdfast, gone).returncode == 0
        other.wait_for(ids)
        assert sorted(grpc_backend.ids()) == sorted(ids)

    def test_what_has_no_exporter_here_stays(self, start, vanished, grpc_backend):
        gone, ids = vanished
        holdfast = start(config({"otlp/other": otlp_exporter(grpc_backend)}))
        done = adopt(holdfast, gone)
        assert done.returncode == 1
        assert "what waits for otlp stays" in done.stdout
        assert f"left: {len(ids)}" in done.stdout
        assert waiting_in(gone) == len(ids)

    def test_killed_in_the_middle_nothing_is_lost(self, start, vanished, grpc_backend):
        gone, ids = vanished
        grpc_backend.stop()
        holdfast = start(config({"otlp": otlp_exporter(grpc_backend)}))
        running = holdfast.begin("queue", "adopt", gone.data_directory, "--data-dir", holdfast.data_directory)
        until(lambda: list(holdfast.data_directory.glob("requeue/*/*.seg")), "the move has begun")
        holdfast.kill9()
        running.communicate(timeout=20)
        holdfast.start()
        assert adopt(holdfast, gone).returncode == 0
        grpc_backend.start()
        grpc_backend.wait_for(ids)
        assert waiting_in(gone) == 0

    def test_it_waits_for_room(self, start, vanished, grpc_backend):
        gone, ids = vanished
        grpc_backend.stop()
        exporter = otlp_exporter(grpc_backend, sending_queue={"dead_letter": {"max_bytes": "8MiB"}})
        holdfast = start(config({"otlp": exporter}))
        first = adopt(holdfast, gone)
        assert first.returncode == 0, "all of it has room"
        grpc_backend.start()
        grpc_backend.wait_for(ids)

    def test_what_waits_in_front_of_a_processor(self, start, grpc_backend, grpc_sender):
        def with_wait(duration):
            return config(
                {"otlp": otlp_exporter(grpc_backend)},
                {"groupbytrace": {"wait_duration": duration}},
                service={
                    "pipelines": {
                        "traces": {"receivers": ["otlp"], "processors": ["groupbytrace"], "exporters": ["otlp"]}
                    }
                },
            )

        gone = start(with_wait("1h"))
        ids = fill(gone, grpc_sender(gone), 3, otlp.TRACES)
        gone.kill9()
        assert not grpc_backend.ids()
        holdfast = start(with_wait("10ms"))
        done = adopt(holdfast, gone)
        assert done.returncode == 0, done.stdout
        grpc_backend.wait_for(ids)
        assert waiting_in(gone) == 0

    def test_dead_letters_stay_dead_letters(self, start, grpc_backend, grpc_sender):
        grpc_backend.always = refuse(grpc.StatusCode.INVALID_ARGUMENT, "no")
        gone = start(config({"otlp": otlp_exporter(grpc_backend)}))
        ids = fill(gone, grpc_sender(gone), 2)
        until(lambda: gone.books("logs", "otlp")["dead_lettered"]["items"] == len(ids), "dead letters")
        gone.terminate()
        holdfast = start(config({"otlp": otlp_exporter(grpc_backend)}))
        assert adopt(holdfast, gone).returncode == 0
        (letters,) = consumers_of(holdfast.queue("stat"), "otlp", "deadletter")
        assert letters["queued"]["items"] == len(ids)

    def test_a_directory_in_use_is_left_alone(self, start, grpc_backend):
        one = start(config({"otlp": otlp_exporter(grpc_backend)}))
        two = start(config({"otlp": otlp_exporter(grpc_backend)}))
        done = adopt(one, two)
        assert done.returncode == 1
        assert "another process" in done.stdout
        assert adopt(one, one).returncode == 1

    def test_a_process_is_needed(self, start, vanished, tmp_path):
        gone, ids = vanished
        done = run("queue", "adopt", gone.data_directory, "--data-dir", tmp_path / "nothing")
        assert done.returncode == 1
        assert "no Holdfast runs" in done.stderr
        assert waiting_in(gone) == len(ids)

    def test_what_is_no_data_directory(self, start, grpc_backend, tmp_path):
        holdfast = start(config({"otlp": otlp_exporter(grpc_backend)}))
        (tmp_path / "empty").mkdir()
        for path in (tmp_path / "empty", tmp_path / "none"):
            done = holdfast.command("queue", "adopt", path, "--data-dir", holdfast.data_directory)
            assert done.returncode == 1
        assert not list((tmp_path / "empty").iterdir()), "nothing is made there"


class TestOrphans:
    def test_those_beside_our_own(self, start, vanished, grpc_backend, tmp_path):
        gone, ids = vanished
        holdfast = start(config({"otlp": otlp_exporter(grpc_backend)}))
        places = tmp_path / "places"
        places.mkdir()
        for name, instance in (("gone", gone), ("mine", holdfast)):
            (places / name).symlink_to(instance.data_directory)
        (places / "other").mkdir()
        done = run("queue", "orphans", "--data-dir", places / "mine")
        assert done.returncode == 0, done.stderr
        (line,) = done.stdout.splitlines()
        assert "gone:" in line
        assert f"{len(ids)} items in {COUNT} records" in line

    def test_one_in_use_is_named(self, start, vanished, grpc_backend):
        gone, _ = vanished
        holdfast = start(config({"otlp": otlp_exporter(grpc_backend)}))
        done = run("queue", "orphans", "--json", holdfast.data_directory, gone.data_directory)
        states = {one["directory"]: one["state"] for one in json.loads(done.stdout)}
        assert states == {str(holdfast.data_directory): "in_use", str(gone.data_directory): "orphaned"}

    def test_none(self, tmp_path):
        done = run("queue", "orphans", tmp_path)
        assert (done.returncode, done.stdout) == (0, "no other data directory there\n")
        assert json.loads(run("queue", "orphans", "--json", tmp_path).stdout) == []

    def test_wrong_words(self, tmp_path):
        assert run("queue", "orphans", tmp_path / "none").returncode == 1
        assert run("queue", "orphans", "--what").returncode == 2
        assert run("queue", "adopt").returncode == 2
