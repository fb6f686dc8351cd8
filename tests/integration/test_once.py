"""Once between two Holdfasts: what comes twice after a kill on either side is stored once (docs/decisions/once.md)."""

import collections
import os
import random

import grpc
import pytest

from support import otlp
from support.backends import GrpcBackend, HttpBackend
from support.holdfast import FAST_RETRY, config, otlp_exporter, otlphttp_exporter, pipelines
from support.senders import GrpcSender, Load, post, wait_for_acknowledged
from support.waiting import until

EVERY_PATH = [(signal, transport) for signal in otlp.SIGNALS for transport in ("grpc", "http")]
BATCH = {"batch": {"timeout": "200ms", "send_batch_size": 1000, "send_batch_max_size": 1500}}
ORIGIN = "00112233445566778899aabbccddeeff"
REPEATED = "holdfast_receiver_repeated_items"


def to(peer, kind, **more):
    """An exporter to another Holdfast."""
    endpoint = peer.grpc_target if kind == "otlp" else peer.http_base
    return {
        "endpoint": endpoint,
        **({"tls": {"insecure": True}} if kind == "otlp" else {}),
        "retry_on_failure": dict(FAST_RETRY),
        "timeout": "5s",
        "once": True,
        **more,
    }


def assert_each_once(backend, load):
    """All that was acknowledged is there, and nothing twice."""
    backend.wait_for(load.acknowledged)
    twice = [one for one, count in collections.Counter(backend.ids()).items() if count > 1]
    assert not twice, f"{len(twice)} items came twice"
    assert set(backend.ids()) <= set(load.offered)


def kill_at_random(load, holdfasts, rounds):
    seed = int(os.environ.get("HOLDFAST_SEED", random.randrange(1 << 32)))
    print(f"HOLDFAST_SEED={seed}")
    moments = random.Random(seed)
    for _ in range(rounds):
        wait_for_acknowledged(load, len(load.acknowledged) + moments.randrange(200, 2000))
        victim = moments.choice(holdfasts)
        victim.kill9()
        victim.start()
    wait_for_acknowledged(load, len(load.acknowledged) + 200)


class TestKills:
    """The last Holdfast keeps all until the load is over, and delivers it without being killed: what comes twice then
    was stored twice."""

    @pytest.mark.parametrize("kind", ["otlp", "otlphttp"])
    @pytest.mark.parametrize("processors", [None, BATCH], ids=["direct", "batch"])
    def test_each_item_is_stored_once(self, start, ending, kind, processors):
        backend = ending.enter_context(GrpcBackend())
        backend.stop()
        last = start(config({"otlp": otlp_exporter(backend)}))
        first = start(config({kind: to(last, kind)}, processors))
        with Load(first, EVERY_PATH, items=20) as load:
            kill_at_random(load, [first, last], 6)
        drained(first)
        assert last.metric(REPEATED) is not None
        backend.start()
        assert_each_once(backend, load)

    def test_through_three_and_into_several_queues(self, start, ending):
        """The second sends to two that each have two queues, of which one is compressed."""
        backends = [ending.enter_context(kind()) for kind in (GrpcBackend, HttpBackend, GrpcBackend)]
        for backend in backends:
            backend.stop()
        signals = pipelines(["otlp/a"])
        again = {f"{name}/2": {**one, "exporters": ["otlphttp/b"]} for name, one in signals.items()}
        two = start(
            {
                "exporters": {
                    "otlp/a": otlp_exporter(backends[0]),
                    "otlphttp/b": otlphttp_exporter(backends[1]),
                },
                "service": {"pipelines": {**signals, **again}},
            }
        )
        one = start(config({"otlp": otlp_exporter(backends[2])}))
        middle = start(config({"otlp/two": to(two, "otlp"), "otlphttp/one": to(one, "otlphttp")}, BATCH))
        first = start(config({"otlp": to(middle, "otlp")}))
        with Load(first, EVERY_PATH[:4], items=20) as load:
            kill_at_random(load, [first, middle, one, two], 8)
        drained(first)
        drained(middle)
        for backend in backends:
            backend.start()
        for backend in backends:
            assert_each_once(backend, load)


def drained(holdfast):
    """Waits until it has delivered all; it is not killed any more."""

    def is_empty():
        stat = holdfast.queue("stat")["queues"]
        return all(one["queued"]["items"] == 0 for queue in stat for one in queue["exporters"])

    until(is_empty, "the sender still has something")


class Receiver:
    """A Holdfast that keeps all until `stored()`, and a sender to it that names its records itself."""

    def __init__(self, start, ending, receiver=None):
        self.backend = ending.enter_context(GrpcBackend())
        self.backend.stop()
        more = {"receivers": {"otlp": receiver}} if receiver else {}
        self.holdfast = start(config({"otlp": otlp_exporter(self.backend)}, **more))
        self.sender = ending.enter_context(GrpcSender(self.holdfast.grpc_target))

    def send(self, ids, names, signal=otlp.LOGS):
        self.sender.export(signal, otlp.request(signal, ids), metadata=[("holdfast-records", names)])

    def stored(self):
        self.backend.start()
        until(
            lambda: all(
                one["queued"]["items"] == 0
                for queue in self.holdfast.queue("stat")["queues"]
                for one in queue["exporters"]
            ),
            "it is delivered",
        )
        return self.backend.ids()


class TestReceiver:
    @pytest.mark.parametrize("signal", otlp.SIGNALS, ids=lambda one: one.name)
    def test_what_was_stored_is_cut_out_of_a_larger_request(self, start, ending, signal):
        receiver = Receiver(start, ending)
        ids = otlp.new_ids(12)
        receiver.send(ids[:4], f"1;{ORIGIN};7:1,3", signal)
        receiver.send(ids[8:10], f"1;{ORIGIN};10+2:2/5", signal)
        receiver.send(ids[:12], f"1;{ORIGIN};7:1,3,2,5,1", signal)
        assert receiver.holdfast.metric(REPEATED, transport="grpc") == 6
        assert receiver.stored() == ids[:4] + ids[8:10] + ids[4:8] + ids[10:]

    def test_a_repetition_is_answered_and_not_stored_also_after_a_kill(self, start, ending):
        receiver = Receiver(start, ending)
        ids = otlp.new_ids(40)
        receiver.send(ids, f"1;{ORIGIN};0:10*4")
        receiver.holdfast.kill9()
        receiver.holdfast.start()
        receiver.send(ids, f"1;{ORIGIN};0:10*4")
        headers = {"Holdfast-Records": f"1;{ORIGIN};2:10*2"}
        request = otlp.request(otlp.LOGS, ids[20:])
        assert post(receiver.holdfast.http_base, otlp.LOGS, request, headers=headers).status_code == 200
        assert receiver.holdfast.metric(REPEATED) == 60
        assert receiver.stored() == ids

    @pytest.mark.parametrize(
        "names",
        [
            "",
            "1;",
            f"2;{ORIGIN};1:10",
            f"1;{ORIGIN}",
            f"1;{ORIGIN[:-1]}g;1:10",
            f"1;{ORIGIN};1:9",
            f"1;{ORIGIN};1:11",
            f"1;{ORIGIN};1:5*4000000000",
            f"1;{ORIGIN};1:0,10",
            f"1;{ORIGIN};1:5;1:5",
            f"1;{ORIGIN};2:5;1:5",
            f"1;{ORIGIN};1+5:10/10",
            f"1;{ORIGIN};1+0:10/9",
            f"1;{ORIGIN};99999999999999999999:10",
            f"1;{ORIGIN};18446744073709551615:10",
            f"1;{ORIGIN};1:1 0",
            f"1;{ORIGIN};1:10,",
            f"1;{ORIGIN};" + ";".join(f"{2 * i}:1" for i in range(70)),
        ],
    )
    def test_names_that_do_not_fit_are_no_names(self, start, ending, names):
        receiver = Receiver(start, ending)
        ids = otlp.new_ids(70 if names.count(";") > 60 else 10)
        for _ in range(2):
            receiver.send(ids, names)
        assert receiver.holdfast.metric(REPEATED) == 0
        assert receiver.stored() == ids * 2

    def test_the_longest_header_passes_over_both_transports(self, start, ending):
        receiver = Receiver(start, ending)
        sizes = [1, 2] * 1480
        names = f"1;{ORIGIN};7:" + ",".join(map(str, sizes))
        assert 5900 < len(names) <= 6000
        ids = otlp.new_ids(sum(sizes))
        receiver.send(ids, names)
        request = otlp.request(otlp.LOGS, ids)
        headers = {"Holdfast-Records": names}
        assert post(receiver.holdfast.http_base, otlp.LOGS, request, headers=headers).status_code == 200
        assert receiver.holdfast.metric(REPEATED, transport="http") == len(ids)
        assert receiver.stored() == ids

    def test_names_are_of_one_sender_and_signal(self, start, ending):
        """Each queue has its own: what another one has says nothing."""
        receiver = Receiver(start, ending)
        ids = otlp.new_ids(20)
        receiver.send(ids[:10], f"1;{ORIGIN};1:10")
        receiver.send(ids[10:], f"1;{ORIGIN[::-1]};1:10")
        receiver.send(ids[:10], f"1;{ORIGIN};1:10", otlp.TRACES)
        assert receiver.holdfast.metric(REPEATED) == 0
        assert sorted(receiver.stored()) == sorted(ids + ids[:10])

    def test_a_receiver_that_shall_not_stores_it_again(self, start, ending):
        receiver = Receiver(start, ending, {"once": False})
        ids = otlp.new_ids(10)
        for _ in range(2):
            receiver.send(ids, f"1;{ORIGIN};1:10")
        assert receiver.holdfast.metric(REPEATED) is None
        assert receiver.stored() == ids * 2

    def test_the_senders_that_are_known_are_bounded(self, start, ending):
        receiver = Receiver(start, ending)
        request = otlp.request(otlp.LOGS, otlp.new_ids(1)).SerializeToString()
        for i in range(1100):
            names = f"1;{i:032x};1:1"
            receiver.sender.export(otlp.LOGS, request, metadata=[("holdfast-records", names)])
        for i in (1099, 1050):
            names = f"1;{i:032x};1:1"
            receiver.sender.export(otlp.LOGS, request, metadata=[("holdfast-records", names)])
        assert receiver.holdfast.metric(REPEATED) == 2
        assert len(receiver.stored()) == 1100


class TestSender:
    def test_a_request_names_its_records(self, start, ending, grpc_sender):
        backend = ending.enter_context(GrpcBackend())
        sender = start(config({"otlp": otlp_exporter(backend, once=True)}))
        for count in (3, 5):
            ids = otlp.new_ids(count)
            grpc_sender(sender).export(otlp.LOGS, otlp.request(otlp.LOGS, ids))
            backend.wait_for(ids)
        names = [dict(one.metadata)["holdfast-records"] for one in backend.requests]
        versions, origins, records = zip(*(one.split(";") for one in names))
        assert set(versions) == {"1"} and len(set(origins)) == 1
        assert records == ("0:3", "1:5")

    def test_two_exporters_of_one_queue_are_two_senders(self, start, ending, grpc_sender):
        """Both mean to deliver, also to the same Holdfast."""
        backend = ending.enter_context(GrpcBackend())
        last = start(config({"otlp": otlp_exporter(backend)}))
        first = start(config({"otlp/1": to(last, "otlp"), "otlp/2": to(last, "otlp")}))
        ids = otlp.new_ids(10)
        assert grpc_sender(first).code(otlp.LOGS, otlp.request(otlp.LOGS, ids)) is grpc.StatusCode.OK
        until(lambda: len(backend.ids()) == 20, "both have delivered")
        assert sorted(backend.ids()) == sorted(ids * 2)

    def test_without_once_there_is_no_header(self, start, ending, grpc_sender):
        backend = ending.enter_context(GrpcBackend())
        sender = start(config({"otlp": otlp_exporter(backend)}))
        ids = otlp.new_ids(3)
        grpc_sender(sender).export(otlp.LOGS, otlp.request(otlp.LOGS, ids))
        backend.wait_for(ids)
        assert all("holdfast-records" not in dict(one.metadata) for one in backend.requests)
