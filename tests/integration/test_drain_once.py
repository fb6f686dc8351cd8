"""`holdfast drain --to` beside `once: true` (docs/decisions/once.md): each item is stored once, whichever answer is lost and
whichever process is killed meanwhile."""

import pytest

from support import otlp
from support.backends import GrpcBackend, slow
from support.holdfast import FAST_RETRY, config, otlp_exporter
from support.line import Line
from support.senders import Load, wait_for_acknowledged
from support.waiting import until

REPEATED = "holdfast_receiver_repeated_items"
ANSWER_BYTES = 60  # the server's settings, and no answer
COUNT, ITEMS = 200, 5
EMPTY, NOT_EMPTY = 0, 4


@pytest.fixture
def away(ending):
    """A backend that is not there yet."""
    backend = ending.enter_context(GrpcBackend())
    backend.stop()
    return backend


@pytest.fixture
def line(ending):
    return lambda holdfast, **options: ending.enter_context(Line(holdfast.ports["GRPC_PORT"], **options))


def fill(sender):
    ids = []
    for _ in range(COUNT):
        ids += otlp.new_ids(ITEMS)
        sender.export(otlp.LOGS, otlp.request(otlp.LOGS, ids[-ITEMS:]))
    return ids


def drain(holdfast, endpoint, seconds=30):
    """The exit code."""
    done = holdfast.command("drain", "--data-dir", holdfast.data_directory, "--to", endpoint, "--timeout", f"{seconds}s")
    assert done.returncode in (EMPTY, NOT_EMPTY), done.stdout + done.stderr
    return done.returncode


def stored(holdfast):
    """Items of logs that it has taken."""
    return holdfast.books("logs", "otlp")["accepted"]["items"]


def assert_each_once(backend, ids):
    """Its Holdfast has kept all until now and is not killed any more: what comes twice was stored twice."""
    backend.start()
    backend.wait_for(ids)
    assert sorted(backend.ids()) == sorted(ids)


@pytest.fixture
def pair(start, away, ending):
    """An instance whose backend is away, and a peer whose backend is away too: (instance, peer, the peer's backend)."""
    other = ending.enter_context(GrpcBackend())
    other.stop()
    peer = start(config({"otlp": otlp_exporter(other)}))
    return start(config({"otlp": otlp_exporter(away, timeout="2s")})), peer, other


class TestLostAnswers:
    """The peer has stored what it was given; the one that drains does not know."""

    @pytest.mark.parametrize("killed", [None, "peer", "drained", "both"])
    def test_what_the_peer_has_is_not_stored_again(self, pair, line, grpc_sender, killed):
        holdfast, peer, backend = pair
        ids = fill(grpc_sender(holdfast))
        broken = line(peer, answer_bytes=ANSWER_BYTES)
        assert drain(holdfast, broken.endpoint, seconds=1) == NOT_EMPTY
        until(lambda: stored(peer) > 0, "the peer has something")
        if killed in ("peer", "both"):
            peer.kill9()
            peer.start()
        if killed in ("drained", "both"):
            holdfast.kill9()
            holdfast.start()
        assert drain(holdfast, f"http://{peer.grpc_target}") == EMPTY
        assert peer.metric(REPEATED) > 0
        assert_each_once(backend, ids)

    def test_a_peer_that_was_the_destination_before_has_some_already(self, start, away, line, grpc_sender):
        """An agent with `once: true` whose answers are lost hands over to the gateway that it sends to."""
        gateway = start(config({"otlp": otlp_exporter(away)}))
        broken = line(gateway, answer_bytes=ANSWER_BYTES)
        exporter = {"endpoint": broken.endpoint, "once": True, "timeout": "2s", "retry_on_failure": dict(FAST_RETRY)}
        agent = start(config({"otlp": {**exporter, "tls": {"insecure": True}}}))
        ids = fill(grpc_sender(agent))
        until(lambda: stored(gateway) > 0, "the gateway has something")
        assert drain(agent, f"http://{gateway.grpc_target}") == EMPTY
        assert gateway.metric(REPEATED) > 0
        assert_each_once(away, ids)


class TestSenders:
    def test_a_sender_goes_on_to_the_peer(self, start, pair, line):
        """A Service in front of both: what the first one has taken reaches the peer by the hand-over, the rest by the sender."""
        holdfast, peer, backend = pair
        service = line(holdfast)
        exporter = {"endpoint": service.endpoint, "once": True, "tls": {"insecure": True}, "retry_on_failure": dict(FAST_RETRY)}
        edge = start(config({"otlp": exporter}))
        with Load(edge, [(signal, "grpc") for signal in otlp.SIGNALS], items=20) as load:
            wait_for_acknowledged(load, 2_000)
            service.behind = peer.ports["GRPC_PORT"]
            assert drain(holdfast, f"http://{peer.grpc_target}") == EMPTY
            assert holdfast.terminate()[0] == 0
            wait_for_acknowledged(load, len(load.acknowledged) + 2_000)
        until(
            lambda: all(edge.books(signal.name, "otlp")["queued"]["items"] == 0 for signal in otlp.SIGNALS),
            "the sender has delivered all",
        )
        assert not load.failures
        assert_each_once(backend, load.acknowledged)

    def test_what_is_on_its_way_to_the_backend_goes_to_the_peer_only_when_it_fails(self, start, ending, grpc_sender):
        backend, other = (ending.enter_context(GrpcBackend()) for _ in range(2))
        backend.always = slow(0.3)
        peer = start(config({"otlp": otlp_exporter(other)}))
        holdfast = start(config({"otlp": otlp_exporter(backend, once=True)}))
        ids = fill(grpc_sender(holdfast))
        until(lambda: backend.ids(), "the backend gets something")
        assert drain(holdfast, f"http://{peer.grpc_target}") == EMPTY
        other.wait_for(set(ids) - set(backend.ids()))
        assert sorted(backend.ids() + other.ids()) == sorted(ids)
