"""OK means on disk. The sender keeps what was acknowledged, the backend what arrived; what is missing was lost."""

import collections
import json
import os
import random
import shutil
import threading
import time

import pytest

from support import otlp
from support.backends import GrpcBackend, HttpBackend, hang, ok
from support.holdfast import config, consumers_of, otlp_exporter, otlphttp_exporter
from support.senders import GrpcSender, Load, wait_for_acknowledged
from support.waiting import until

EVERY_PATH = [(signal, transport) for signal in otlp.SIGNALS for transport in ("grpc", "http")]
BATCH = {"batch": {"timeout": "10s", "send_batch_size": 10000}}


def repeats(arrived):
    return sum(count - 1 for count in collections.Counter(arrived).values())


class TestSigkill:
    @pytest.mark.parametrize("processors", [None, BATCH], ids=["direct", "batch"])
    def test_no_acknowledged_item_is_lost_under_load(self, start, ending, processors):
        """Killed at random moments while every signal comes in on both transports."""
        seed = int(os.environ.get("HOLDFAST_SEED", random.randrange(1 << 32)))
        print(f"HOLDFAST_SEED={seed}")
        moments = random.Random(seed)
        backend = ending.enter_context(GrpcBackend())
        holdfast = start(config({"otlp": otlp_exporter(backend)}, processors))
        with Load(holdfast, EVERY_PATH, items=20) as load:
            for _ in range(3):
                wait_for_acknowledged(load, len(load.acknowledged) + moments.randrange(200, 2000))
                holdfast.kill9()
                holdfast.start()
            wait_for_acknowledged(load, len(load.acknowledged) + 200)
        holdfast.kill9()
        holdfast.start()
        backend.wait_for(load.acknowledged)
        assert set(backend.ids()) <= set(load.offered)

    def test_a_kill_during_an_outage_loses_nothing(self, start, ending):
        backend = ending.enter_context(HttpBackend())
        backend.stop()
        holdfast = start(config({"otlphttp": otlphttp_exporter(backend)}, BATCH))
        for _ in range(2):
            with Load(holdfast, EVERY_PATH, items=20) as load:
                wait_for_acknowledged(load, 500)
            holdfast.kill9()
            holdfast.start()
        backend.start()
        backend.wait_for(load.acknowledged)

    def test_only_what_was_in_flight_is_repeated(self, start, ending, grpc_sender):
        """Cursors are written a few times a second: once they stand, a kill repeats the unanswered requests alone."""
        backend = ending.enter_context(GrpcBackend())
        holdfast = start(config({"otlp": otlp_exporter(backend, sending_queue={"num_consumers": 2})}))
        sender = grpc_sender(holdfast)
        delivered = []
        for _ in range(50):
            ids = otlp.new_ids(5)
            sender.export(otlp.TRACES, otlp.request(otlp.TRACES, ids))
            delivered += ids
        backend.wait_for(delivered)
        until(lambda: written_delivered(holdfast) == 250, "the cursor is not written")
        backend.always = hang()
        waiting = otlp.new_ids(5)
        sender.export(otlp.TRACES, otlp.request(otlp.TRACES, waiting))
        until(lambda: any(one.ids == waiting for one in backend.requests), "the request is not sent")
        holdfast.kill9()
        backend.stop()
        backend.always = ok()
        backend.start()
        holdfast.start()
        backend.wait_for(waiting)
        assert repeats(backend.ids()) == 0


def written_delivered(holdfast):
    """The delivered items of the traces queue as they stand on disk, which a copy of the directory tells."""
    copy = holdfast.directory / "copy"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(holdfast.data_directory / "queue", copy / "queue")
    done = holdfast.command("queue", "stat", "--data-dir", copy, "--json")
    if done.returncode != 0:
        return None
    return sum(one["delivered"]["items"] for one in consumers_of(json.loads(done.stdout), "traces"))


class TestOutage:
    @pytest.mark.parametrize(
        "kind, name, make",
        [(GrpcBackend, "otlp", otlp_exporter), (HttpBackend, "otlphttp", otlphttp_exporter)],
        ids=["grpc", "http"],
    )
    def test_what_came_during_an_outage_is_delivered_after_it_in_order(
        self, start, ending, grpc_sender, kind, name, make
    ):
        backend = ending.enter_context(kind())
        holdfast = start(config({name: make(backend, sending_queue={"num_consumers": 1})}))
        sender = grpc_sender(holdfast)
        backend.stop()
        ids = otlp.new_ids(100)
        for item in ids:
            sender.export(otlp.LOGS, otlp.request(otlp.LOGS, [item]))
        assert holdfast.health() == 200
        backend.start()
        backend.wait_for(ids)
        assert backend.ids() == ids

    def test_a_new_exporter_begins_at_the_present(self, start, ending, grpc_sender):
        first, second = ending.enter_context(GrpcBackend()), ending.enter_context(GrpcBackend())
        first.stop()
        holdfast = start(config({"otlp/1": otlp_exporter(first)}))
        sender = grpc_sender(holdfast)
        old, new = otlp.new_ids(5), otlp.new_ids(5)
        sender.export(otlp.LOGS, otlp.request(otlp.LOGS, old))
        holdfast.terminate()
        holdfast.write_config(config({"otlp/1": otlp_exporter(first), "otlp/2": otlp_exporter(second)}))
        holdfast.start()
        sender.export(otlp.LOGS, otlp.request(otlp.LOGS, new))
        second.wait_for(new)
        assert second.ids() == new
        first.start()
        first.wait_for(old + new)


class Gated(GrpcBackend):
    """Answers as many requests as the test lets through; None: all."""

    def __init__(self):
        super().__init__()
        self._gate = threading.Condition()
        self._open = 0
        self.asked = 0

    def let(self, count):
        with self._gate:
            self._open = None if count is None else self._open + count
            self._gate.notify_all()

    def judge(self, message):
        with self._gate:
            self.asked += 1
            while self._open is not None and self._open <= 0 and not self._stopping.is_set():
                self._gate.wait(0.1)
            if self._open is not None:
                self._open -= 1
        return super().judge(message)


class TestFreshShare:
    """While there is a backlog, what comes in now has its share."""

    QUEUE = {
        "fresh_share": 50,
        "num_consumers": 1,
        "batch": {"flush_timeout": "1ms", "min_size": 1, "max_size": 1},
    }

    def backlog(self, start, backend, grpc_sender):
        """An instance with 12 MB that wait, one request of them at the backend, one of them delivered."""
        exporter = otlp_exporter(backend, sending_queue=self.QUEUE, timeout="60s")
        holdfast = start(config({"otlp": exporter}))
        sender = grpc_sender(holdfast)
        old = otlp.new_ids(120)
        for item in old:
            sender.export(otlp.LOGS, otlp.request(otlp.LOGS, [item], padding="x" * 100_000))
        backend.let(1)
        until(lambda: backend.asked == 2, "the second request does not come")
        fresh = otlp.new_ids(10)
        for item in fresh:
            sender.export(otlp.LOGS, otlp.request(otlp.LOGS, [item]))
        return holdfast, old, fresh

    def test_fresh_data_goes_past_the_backlog_and_neither_starves(self, start, ending, grpc_sender):
        backend = ending.enter_context(Gated())
        holdfast, old, fresh = self.backlog(start, backend, grpc_sender)
        backend.let(None)
        backend.wait_for(old + fresh)
        arrived = backend.ids()
        assert repeats(arrived) == 0
        places = [arrived.index(item) for item in fresh]
        assert max(places) < 2 * len(fresh) + 3, "the backlog came first"
        assert [item for item in arrived if item in fresh] == fresh
        assert [item for item in arrived if item not in fresh] == old
        until(lambda: holdfast.books("logs", "otlp")["queued"]["items"] == 0, "something stays queued")

    def test_a_kill_in_the_midst_of_it_loses_nothing(self, start, ending, grpc_sender):
        backend = ending.enter_context(Gated())
        holdfast, old, fresh = self.backlog(start, backend, grpc_sender)
        for _ in range(3):
            backend.let(9)
            until(lambda: backend._open == 0, "not all was asked for that may be")
            holdfast.kill9()
            holdfast.start()
            more = otlp.new_ids(5)
            for item in more:
                grpc_sender(holdfast).export(otlp.LOGS, otlp.request(otlp.LOGS, [item]))
            fresh += more
        backend.let(None)
        backend.wait_for(old + fresh)
        until(lambda: holdfast.books("logs", "otlp")["queued"]["items"] == 0, "something stays queued")


class TestGracefulStop:
    def test_a_stop_with_a_dead_backend_deletes_nothing(self, start, ending):
        backend = ending.enter_context(GrpcBackend())
        backend.stop()
        holdfast = start(config({"otlp": otlp_exporter(backend)}, BATCH))
        with Load(holdfast, EVERY_PATH) as load:
            wait_for_acknowledged(load, 500)
            status, seconds = holdfast.terminate()
        assert status == 0
        print(f"stopped in {seconds:.2f} s with a dead backend")
        backend.start()
        holdfast.start()
        backend.wait_for(load.acknowledged)

    def test_a_stop_with_a_hanging_backend_deletes_nothing(self, start, ending):
        backend = ending.enter_context(GrpcBackend())
        backend.always = hang()
        holdfast = start(config({"otlp": otlp_exporter(backend)}))
        with Load(holdfast, EVERY_PATH) as load:
            wait_for_acknowledged(load, 200)
            backend.wait_for_requests(1)
            status, seconds = holdfast.terminate()
        assert status == 0
        print(f"stopped in {seconds:.2f} s with a hanging backend")
        backend.stop()
        backend.always = ok()
        backend.start()
        holdfast.start()
        backend.wait_for(load.acknowledged)

    def test_a_stop_under_load_repeats_nothing_that_was_answered(self, start, ending):
        """A good backend's answers are waited for: a clean restart delivers each item once."""
        backend = ending.enter_context(GrpcBackend())
        holdfast = start(config({"otlp": otlp_exporter(backend)}))
        with Load(holdfast, EVERY_PATH) as load:
            wait_for_acknowledged(load, 1000)
            assert holdfast.terminate()[0] == 0
            holdfast.start()
            wait_for_acknowledged(load, len(load.acknowledged) + 200)
        backend.wait_for(load.acknowledged)
        assert repeats(backend.ids()) == 0


class TestTakeover:
    def test_the_second_process_waits_and_takes_over_at_once(self, start, ending, grpc_sender):
        backend = ending.enter_context(GrpcBackend())
        first = start(config({"otlp": otlp_exporter(backend)}))
        second = start(config({"otlp": otlp_exporter(backend)}), ready=False)
        second.data_directory = first.data_directory
        second.spawn()
        until(lambda: second.health() == 503, "the second process is not alive and waiting")
        ids = otlp.new_ids(3)
        grpc_sender(first).export(otlp.LOGS, otlp.request(otlp.LOGS, ids))
        assert second.health() == 503
        first.kill9()
        second.wait_ready()
        more = otlp.new_ids(3)
        grpc_sender(second).export(otlp.LOGS, otlp.request(otlp.LOGS, more))
        backend.wait_for(ids + more)

    def test_a_kill_under_load_hands_over_all_that_was_acknowledged(self, start, ending):
        """Three times, from process to process; the waiting one never writes, so that nothing of it is in between."""
        backend = ending.enter_context(GrpcBackend())
        present = start(config({"otlp": otlp_exporter(backend)}))
        acknowledged = []
        for _ in range(3):
            successor = start(config({"otlp": otlp_exporter(backend)}), ready=False)
            successor.data_directory = present.data_directory
            successor.spawn()
            until(lambda: successor.health() == 503, "the next process is not alive and waiting")
            with Load(present, EVERY_PATH) as load:
                wait_for_acknowledged(load, 300)
                assert successor.health() == 503
                present.kill9()
            acknowledged += load.acknowledged
            begun = time.monotonic()
            successor.wait_ready()
            print(f"took over {time.monotonic() - begun:.3f} s after the load had stopped")
            present = successor
        backend.wait_for(acknowledged)
        assert "took over the data directory" in present.log()

    def test_a_waiting_process_ends_when_asked(self, start, ending):
        backend = ending.enter_context(GrpcBackend())
        first = start(config({"otlp": otlp_exporter(backend)}))
        second = start(config({"otlp": otlp_exporter(backend)}), ready=False)
        second.data_directory = first.data_directory
        second.spawn()
        until(lambda: second.health() == 503, "the second process is not alive and waiting")
        assert second.terminate()[0] == 0
        assert first.health() == 200


class TestTwoBackends:
    def test_a_dead_one_harms_the_other_in_nothing(self, start, ending):
        good, dead = ending.enter_context(GrpcBackend()), ending.enter_context(HttpBackend())
        dead.stop()
        holdfast = start(config({"otlp": otlp_exporter(good), "otlphttp": otlphttp_exporter(dead)}))
        with Load(holdfast, EVERY_PATH) as load:
            wait_for_acknowledged(load, 1000)
        good.wait_for(load.acknowledged)
        assert repeats(good.ids()) == 0
        assert not dead.ids()
        holdfast.kill9()
        dead.start()
        holdfast.start()
        dead.wait_for(load.acknowledged)
        # Cursors are written a few times a second, so the kill may repeat what was delivered in the last moment alone.
        assert set(good.ids()) == set(dead.ids())

    def test_a_hanging_one_harms_the_other_in_nothing(self, start, ending):
        good, bad = ending.enter_context(GrpcBackend()), ending.enter_context(GrpcBackend())
        bad.always = hang()
        holdfast = start(config({"otlp/good": otlp_exporter(good), "otlp/bad": otlp_exporter(bad)}))
        with Load(holdfast, EVERY_PATH) as load:
            wait_for_acknowledged(load, 1000)
        good.wait_for(load.acknowledged)
        assert repeats(good.ids()) == 0


    def test_a_body_is_stored_once_however_many_want_it(self, start, ending, grpc_sender):
        """Disk bytes of the same data, queued for one exporter and for three."""
        away = ending.enter_context(GrpcBackend())
        away.stop()
        disk = {}
        for count in (1, 3):
            holdfast = start(config({f"otlp/{i}": otlp_exporter(away) for i in range(count)}))
            sender = grpc_sender(holdfast)
            for _ in range(100):
                sender.export(otlp.LOGS, otlp.request(otlp.LOGS, otlp.new_ids(1), padding=os.urandom(40_000).hex()))
            books = [holdfast.books("logs", f"otlp/{i}") for i in range(count)]
            assert [one["queued"]["items"] for one in books] == [100] * count
            queue = next(one for one in holdfast.queue("stat")["queues"] if one["id"] == "logs")
            disk[count] = queue["disk_bytes"]
            directory = holdfast.data_directory / "queue" / "logs"
            seen = sum(path.stat().st_blocks * 512 for path in directory.iterdir())
            print(f"{count} exporters: {disk[count]} bytes on disk by the books, {seen} by the file system")
            assert 8_000_000 < seen < 10_000_000
        assert disk[3] == disk[1]

    def test_what_a_dead_one_leaves_lying_is_not_in_the_others_way(self, start, ending, grpc_sender):
        """The good one is at the end of the queue all the while that the dead one's backlog grows; when the dead one
        comes back it has all, and the good one nothing twice."""
        good, dead = ending.enter_context(GrpcBackend()), ending.enter_context(GrpcBackend())
        dead.stop()
        holdfast = start(config({"otlp/good": otlp_exporter(good), "otlp/dead": otlp_exporter(dead)}))
        sender = grpc_sender(holdfast)
        ids = otlp.new_ids(150)
        for at, item in enumerate(ids):
            sender.export(otlp.LOGS, otlp.request(otlp.LOGS, [item], padding="x" * 100_000))
            if at % 50 == 49:
                good.wait_for(ids[: at + 1])
                until(
                    lambda: holdfast.books("logs", "otlp/good")["queued"]["items"] == 0,
                    lambda: holdfast.books("logs", "otlp/good"),
                )
                assert holdfast.books("logs", "otlp/dead")["queued"]["items"] == at + 1
        dead.start()
        dead.wait_for(ids)
        assert sorted(good.ids()) == sorted(dead.ids()) == sorted(ids)


class TestDamage:
    """Whatever was done to the files: it starts, says so, and delivers the rest."""

    def backlog(self, start, ending, count=30):
        """A stopped Holdfast with a backlog of requests of one item each."""
        backend = ending.enter_context(GrpcBackend())
        backend.stop()
        holdfast = start(config({"otlp": otlp_exporter(backend)}))
        ids = otlp.new_ids(count)
        with GrpcSender(holdfast.grpc_target) as sender:
            for item in ids:
                sender.export(otlp.LOGS, otlp.request(otlp.LOGS, [item], padding="x" * 20_000))
        holdfast.kill9()
        backend.start()
        return holdfast, backend, ids

    @staticmethod
    def segments(holdfast):
        return sorted((holdfast.data_directory / "queue" / "logs").glob("*.seg"))

    def test_a_flipped_byte_in_a_body_costs_that_body_alone(self, start, ending):
        holdfast, backend, ids = self.backlog(start, ending)
        segment = self.segments(holdfast)[0]
        data = bytearray(segment.read_bytes())
        marks = [at for at in range(len(data)) if data.startswith(b"x" * 5000, at)][:1]
        data[marks[0] + 2500] ^= 0xFF
        segment.write_bytes(data)
        assert holdfast.command("queue", "verify", "--data-dir", holdfast.data_directory).returncode == 3
        holdfast.start()
        until(
            lambda: len(set(backend.ids())) >= len(ids) - 1,
            lambda: f"{len(set(backend.ids()))} of {len(ids)}",
        )
        assert len(set(ids) - set(backend.ids())) == 1
        until(lambda: (holdfast.metric("holdfast_queue_damaged_records") or 0) >= 1, "damage is not counted")
        books = holdfast.books("logs", "otlp")
        assert (books["dropped"]["damaged"]["items"], books["delivered"]["items"]) == (1, len(ids) - 1)

    def test_a_segment_cut_short_costs_only_what_was_cut(self, start, ending):
        holdfast, backend, ids = self.backlog(start, ending)
        segment = self.segments(holdfast)[0]
        os.truncate(segment, segment.stat().st_size // 2)
        holdfast.start()
        until(lambda: len(set(backend.ids())) >= len(ids) // 4, "nothing was salvaged")
        assert holdfast.health() == 200
        until(lambda: holdfast.books("logs", "otlp")["queued"]["items"] == 0, lambda: f"{holdfast.books('logs', 'otlp')}")
        assert set(backend.ids()) <= set(ids)

    def test_a_segment_of_noise_does_not_stand_in_the_way(self, start, ending, grpc_sender):
        holdfast, backend, _ = self.backlog(start, ending)
        segment = self.segments(holdfast)[0]
        segment.write_bytes(random.Random(1).randbytes(segment.stat().st_size))
        holdfast.start()
        more = otlp.new_ids(3)
        grpc_sender(holdfast).export(otlp.LOGS, otlp.request(otlp.LOGS, more))
        backend.wait_for(more)
        until(lambda: any((holdfast.data_directory / "damaged").rglob("*")), "the file is not set aside")
        until(lambda: holdfast.books("logs", "otlp")["queued"]["items"] == 0, lambda: f"{holdfast.books('logs', 'otlp')}")

    def test_lost_cursors_cost_repeats_and_no_item(self, start, ending):
        holdfast, backend, ids = self.backlog(start, ending)
        cursors = holdfast.data_directory / "queue" / "logs" / "cursors.lmdb"
        cursors.write_bytes(b"\xa5" * cursors.stat().st_size)
        holdfast.start()
        backend.wait_for(ids)
