"""`holdfast drain`: intake ends, what is queued goes out, and the exit code says whether all of it did."""

import subprocess

import grpc
import pytest

from support import otlp, senders
from support.backends import GrpcBackend, refuse
from support.holdfast import BINARY, FAST_RETRY, config, otlp_exporter, run
from support.line import Line
from support.senders import Load, wait_for_acknowledged
from support.waiting import until

NOT_EMPTY = 4


@pytest.fixture
def away(ending):
    """A backend that is not there yet."""
    backend = ending.enter_context(GrpcBackend())
    backend.stop()
    return backend


def drain(holdfast, *arguments):
    return holdfast.command("drain", "--data-dir", holdfast.data_directory, *arguments)


def code_of(sender):
    return sender.code(otlp.LOGS, otlp.request(otlp.LOGS, otlp.new_ids(1)))


def post_status(holdfast):
    return senders.post(holdfast.http_base, otlp.LOGS, otlp.request(otlp.LOGS, otlp.new_ids(1))).status_code


class TestDrain:
    def test_it_refuses_intake_and_ends_when_all_is_delivered(self, start, away, grpc_sender, ending):
        holdfast = start(config({"otlp": otlp_exporter(away)}))
        sender = grpc_sender(holdfast)
        ids = otlp.new_ids(20)
        for item in ids:
            sender.export(otlp.LOGS, otlp.request(otlp.LOGS, [item]))
        waiting = subprocess.Popen(
            [BINARY, "drain", "--data-dir", holdfast.data_directory],
            stdout=subprocess.PIPE,
            text=True,
        )
        ending.callback(waiting.kill)
        assert "left: logs for otlp: 20 items" in waiting.stdout.readline()
        with pytest.raises(grpc.RpcError) as refused:
            sender.export(otlp.LOGS, otlp.request(otlp.LOGS, otlp.new_ids(1)))
        assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
        assert post_status(holdfast) == 503
        assert holdfast.health() == 503
        assert holdfast.books("logs", "otlp")["queued"]["items"] == 20
        away.start()
        assert waiting.wait(60) == 0
        assert "empty" in waiting.stdout.read()
        assert set(away.ids()) == set(ids)

    def test_after_the_timeout_it_says_what_is_left_and_deletes_nothing(self, start, away, grpc_sender):
        holdfast = start(config({"otlp": otlp_exporter(away)}))
        ids = otlp.new_ids(5)
        grpc_sender(holdfast).export(otlp.LOGS, otlp.request(otlp.LOGS, ids))
        done = drain(holdfast, "--timeout", "1ms")
        assert done.returncode == NOT_EMPTY, done.stdout + done.stderr
        assert "left: logs for otlp: 5 items" in done.stdout
        assert holdfast.terminate()[0] == 0
        away.start()
        holdfast.start()
        away.wait_for(ids)

    def test_it_can_be_cancelled(self, start, away, grpc_sender):
        holdfast = start(config({"otlp": otlp_exporter(away)}))
        sender = grpc_sender(holdfast)
        assert drain(holdfast).returncode == 0
        assert code_of(sender) is grpc.StatusCode.UNAVAILABLE
        assert drain(holdfast, "--cancel").returncode == 0
        assert code_of(sender) is grpc.StatusCode.OK
        assert holdfast.health() == 200

    def test_a_reload_goes_on_draining_and_a_restart_does_not(self, start, away, grpc_sender):
        holdfast = start(config({"otlp": otlp_exporter(away)}))
        sender = grpc_sender(holdfast)
        assert drain(holdfast).returncode == 0
        holdfast.reload()
        holdfast.wait_for_log("the new configuration runs")
        assert code_of(sender) is grpc.StatusCode.UNAVAILABLE
        holdfast.restart()
        assert code_of(sender) is grpc.StatusCode.OK

    def test_nothing_that_was_answered_ok_is_left_behind_an_exit_code_of_zero(self, start, ending):
        backend = ending.enter_context(GrpcBackend())
        holdfast = start(config({"otlp": otlp_exporter(backend)}))
        with Load(holdfast, [(otlp.LOGS, "grpc"), (otlp.LOGS, "http"), (otlp.TRACES, "grpc")]) as load:
            wait_for_acknowledged(load, 300)
            assert drain(holdfast).returncode == 0
            holdfast.kill9()
        assert set(load.acknowledged) <= set(backend.ids())

    @pytest.mark.parametrize("kind", ["otlp", "otlphttp"])
    def test_clients_go_to_another_one_behind_the_same_address(self, start, away, grpc_backend, grpc_sender, ending, kind):
        """Their connections last as long as the drain does: each is told to make a new one."""
        holdfast = start(config({"otlp": otlp_exporter(away)}))
        other = start(config({"otlp": otlp_exporter(grpc_backend)}))
        port = "GRPC_PORT" if kind == "otlp" else "HTTP_PORT"
        service = ending.enter_context(Line(holdfast.ports[port]))
        edge = start(config({kind: {"endpoint": service.endpoint, "retry_on_failure": dict(FAST_RETRY)}}))
        first, later = otlp.new_ids(5), otlp.new_ids(5)
        grpc_sender(edge).export(otlp.LOGS, otlp.request(otlp.LOGS, first))
        until(lambda: holdfast.books("logs", "otlp")["queued"]["items"] == 5, "the first ones are here")
        service.behind = other.ports[port]
        assert drain(holdfast, "--timeout", "1ms").returncode == NOT_EMPTY
        grpc_sender(edge).export(otlp.LOGS, otlp.request(otlp.LOGS, later))
        grpc_backend.wait_for(later)
        assert holdfast.books("logs", "otlp")["queued"]["items"] == 5, "it still drains"

    def test_dead_letters_stay_and_are_told(self, start, ending, grpc_sender):
        backend = ending.enter_context(GrpcBackend())
        backend.always = refuse(grpc.StatusCode.INVALID_ARGUMENT)
        holdfast = start(config({"otlp": otlp_exporter(backend)}))
        grpc_sender(holdfast).export(otlp.LOGS, otlp.request(otlp.LOGS, otlp.new_ids(3)))
        done = drain(holdfast)
        assert done.returncode == 0
        assert "3 items in the dead letters" in done.stdout

    def test_what_nobody_delivers_is_named_at_once(self, start, away, ending, grpc_sender):
        other = ending.enter_context(GrpcBackend())
        holdfast = start(config({"otlp/gone": otlp_exporter(away)}))
        grpc_sender(holdfast).export(otlp.LOGS, otlp.request(otlp.LOGS, otlp.new_ids(3)))
        holdfast.write_config(config({"otlp": otlp_exporter(other)}))
        holdfast.restart()
        done = drain(holdfast)
        assert done.returncode == 1
        assert "logs for otlp/gone (not configured): 3 items; no exporter delivers that" in done.stdout


class TestWithoutAProcess:
    def test_a_dead_directory_is_an_error_that_says_so(self, start, away):
        holdfast = start(config({"otlp": otlp_exporter(away)}))
        holdfast.kill9()
        done = drain(holdfast)
        assert done.returncode == 1
        assert "no Holdfast runs" in done.stderr and str(holdfast.data_directory) in done.stderr

    def test_a_process_that_ends_meanwhile_ends_it_too(self, start, away, grpc_sender, ending):
        holdfast = start(config({"otlp": otlp_exporter(away)}))
        grpc_sender(holdfast).export(otlp.LOGS, otlp.request(otlp.LOGS, otlp.new_ids(3)))
        waiting = subprocess.Popen(
            [BINARY, "drain", "--data-dir", holdfast.data_directory],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        ending.callback(waiting.kill)
        assert "left" in waiting.stdout.readline()
        assert holdfast.terminate()[0] == 0
        assert waiting.wait(60) == 1

    @pytest.mark.parametrize("words", [["--timeout"], ["--timeout", "soon"], ["now"], ["--nothing"]])
    def test_wrong_words_are_refused(self, words, tmp_path):
        assert run("drain", *words, cwd=tmp_path).returncode == 2

    def test_help_tells_the_exit_codes(self, tmp_path):
        done = run("drain", "--help", cwd=tmp_path)
        assert done.returncode == 0 and "not empty within the timeout" in done.stdout


@pytest.fixture
def pair(start, away, ending):
    """An instance whose backend is away, and a peer of it whose backend takes all: (instance, peer, its backend)."""
    backend = ending.enter_context(GrpcBackend())
    peer = start(config({"otlp": otlp_exporter(backend)}))
    return start(config({"otlp": otlp_exporter(away)})), peer, backend


def hand_over(holdfast, peer, *arguments):
    return drain(holdfast, "--to", f"http://{peer.grpc_target}", *arguments)


class TestHandOver:
    def test_a_peer_gets_the_backlog_in_place_of_the_backends(self, pair, grpc_sender):
        holdfast, peer, backend = pair
        ids = {signal: otlp.new_ids(10) for signal in otlp.SIGNALS}
        for signal, items in ids.items():
            grpc_sender(holdfast).export(signal, otlp.request(signal, items))
        done = hand_over(holdfast, peer, "--timeout", "20s")
        assert done.returncode == 0, done.stdout + done.stderr
        assert "empty" in done.stdout
        backend.wait_for([item for items in ids.values() for item in items])
        for signal in ids:
            assert holdfast.books(signal.name, "otlp")["delivered"]["items"] == 10
            assert holdfast.books(signal.name, "otlp")["queued"]["items"] == 0
        assert holdfast.health() == 503
        assert post_status(holdfast) == 503

    def test_each_exporter_gives_its_own_backlog(self, start, away, grpc_backend, ending, grpc_sender):
        """One that had delivered has nothing to give."""
        backend = ending.enter_context(GrpcBackend())
        peer = start(config({"otlp": otlp_exporter(backend)}))
        holdfast = start(config({"otlp/up": otlp_exporter(grpc_backend), "otlp/down": otlp_exporter(away)}))
        ids = otlp.new_ids(30)
        grpc_sender(holdfast).export(otlp.LOGS, otlp.request(otlp.LOGS, ids))
        grpc_backend.wait_for(ids)
        until(lambda: holdfast.books("logs", "otlp/up")["queued"]["items"] == 0, "up has it")
        assert hand_over(holdfast, peer, "--timeout", "20s").returncode == 0
        backend.wait_for(ids)
        assert sorted(backend.ids()) == sorted(ids)

    def test_when_the_time_is_over_the_rest_stays(self, pair, away, grpc_sender):
        holdfast, peer, backend = pair
        ids = otlp.new_ids(5)
        grpc_sender(holdfast).export(otlp.LOGS, otlp.request(otlp.LOGS, ids))
        peer.kill9()
        done = hand_over(holdfast, peer, "--timeout", "300ms")
        assert done.returncode == NOT_EMPTY, done.stdout + done.stderr
        assert holdfast.books("logs", "otlp")["queued"]["items"] == 5
        assert holdfast.terminate()[0] == 0
        away.start()
        holdfast.start()
        away.wait_for(ids)
        assert not backend.ids()

    def test_cancelled_it_goes_to_the_backends_again(self, pair, away, grpc_sender):
        holdfast, peer, backend = pair
        ids = otlp.new_ids(5)
        grpc_sender(holdfast).export(otlp.LOGS, otlp.request(otlp.LOGS, ids))
        peer.kill9()
        assert hand_over(holdfast, peer, "--timeout", "300ms").returncode == NOT_EMPTY
        assert drain(holdfast, "--cancel").returncode == 0
        away.start()
        away.wait_for(ids)
        assert not backend.ids()
        assert code_of(grpc_sender(holdfast)) is grpc.StatusCode.OK

    def test_killed_in_the_middle_nothing_is_lost(self, pair, away, grpc_sender):
        holdfast, peer, backend = pair
        sender = grpc_sender(holdfast)
        ids = []
        for _ in range(200):
            ids += otlp.new_ids(5)
            sender.export(otlp.LOGS, otlp.request(otlp.LOGS, ids[-5:]))
        running = holdfast.begin(
            "drain", "--data-dir", holdfast.data_directory, "--to", f"http://{peer.grpc_target}"
        )
        until(lambda: backend.ids(), "the peer gets something")
        holdfast.kill9()
        running.communicate(timeout=20)
        away.start()
        holdfast.start()
        until(
            lambda: set(away.ids()) | set(backend.ids()) >= set(ids),
            lambda: f"{len(set(ids) - set(away.ids()) - set(backend.ids()))} missing",
        )

    def test_a_reload_does_not_end_it(self, pair, grpc_sender):
        holdfast, peer, backend = pair
        ids = otlp.new_ids(5)
        peer.kill9()
        grpc_sender(holdfast).export(otlp.LOGS, otlp.request(otlp.LOGS, ids))
        assert hand_over(holdfast, peer, "--timeout", "300ms").returncode == NOT_EMPTY
        holdfast.reload()
        peer.start()
        assert hand_over(holdfast, peer, "--timeout", "20s").returncode == 0
        backend.wait_for(ids)

    @pytest.mark.parametrize("endpoint", ["peer:4317", "http://", "https://:4317", "http://peer:4317/path", ""])
    def test_no_endpoint(self, pair, endpoint):
        done = drain(pair[0], "--to", endpoint)
        assert done.returncode == 2
        assert "http" in done.stderr
        assert pair[0].health() == 200, "nothing has begun"
