"""pprof: profiles of a running process under load, read by protobuf and by `go tool pprof`."""

import signal
import threading
import urllib.error
import urllib.request

import psutil
import pytest

from support import otlp, pprof, senders
from support.holdfast import BASE, config
from support.ports import free_port
from support.waiting import until


class Pprof:
    def __init__(self, port):
        self.base = f"http://127.0.0.1:{port}/debug/pprof/"

    def get(self, path, data=None, timeout=60):
        with urllib.request.urlopen(self.base + path, data=data, timeout=timeout) as answer:
            return answer.read()

    def read(self, path):
        return pprof.Read(self.get(path))

    def code(self, path):
        try:
            self.get(path)
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        return 200, ""

    def wait_for_profile(self):
        """Until a CPU profile runs, whose thread is then there."""
        until(lambda: b"\tprofile\n" in self.get("threadcreate?debug=1"), "no profile runs")


@pytest.fixture
def profiled(start):
    """profiled(...) -> (a running Holdfast, its Pprof)."""

    def make(extension=None):
        port = free_port()
        configuration = config({"nop": None}, processors={"transform": {"trace_statements": ['set(span.name, Concat([span.name, "x"], "-"))']}})
        configuration["service"]["pipelines"] = {
            "traces": {"receivers": ["otlp"], "processors": ["transform"], "exporters": ["nop"]}
        }
        configuration["extensions"] = {"pprof": {"endpoint": f"127.0.0.1:{port}", **(extension or {})}}
        configuration["service"]["extensions"] = [*BASE["service"]["extensions"], "pprof"]
        return start(configuration), Pprof(port)

    return make


@pytest.fixture
def busy(ending):
    """busy(holdfast): sends without pause until the test ends."""

    def make(holdfast):
        body = otlp.request(otlp.TRACES, otlp.new_ids(2000)).SerializeToString()
        stopping = threading.Event()

        def send():
            with senders.requests.Session() as session:
                while not stopping.is_set():
                    try:
                        senders.post(holdfast.http_base, otlp.TRACES, body, session=session)
                    except senders.requests.RequestException:
                        stopping.wait(0.05)  # it reloads, or ends

        threads = [threading.Thread(target=send, daemon=True) for _ in range(2)]
        for thread in threads:
            thread.start()

        def stop():
            stopping.set()
            for thread in threads:
                thread.join(10)

        ending.callback(stop)
        return stop

    return make


def cpu_seconds(holdfast):
    times = psutil.Process(holdfast.process.pid).cpu_times()
    return times.user + times.system


class TestCpu:
    def test_shows_what_is_called(self, profiled, busy, tmp_path):
        holdfast, asked = profiled()
        stop = busy(holdfast)
        before = cpu_seconds(holdfast)
        data = asked.get("profile?seconds=2")
        used = cpu_seconds(holdfast) - before
        stop()
        profile = pprof.Read(data)
        assert profile.types == [("samples", "count"), ("cpu", "nanoseconds")]
        assert profile.message.period == 10_000_000
        assert profile.message.duration_nanos >= 2_000_000_000
        assert profile.total(1) == profile.total(0) * 10_000_000
        # What the process used, by the kernel's own account: a sanitizer's threads and all.
        assert 0.3 * used < profile.total(1) / 1e9 < 1.5 * used
        names = {name for sample in profile.samples for name in sample.functions}
        assert "hf_scan" in names or any(name.startswith("hf_") for name in names)
        deep = [sample for sample in profile.samples if any("hf_ottl" in name for name in sample.functions)]
        assert deep and max(len(sample.functions) for sample in deep) > 5
        assert any(sample.thread for sample in profile.samples)
        assert any("libc" in file for sample in profile.samples for file in sample.files)

    def test_is_taken_one_at_a_time(self, profiled):
        _, asked = profiled()
        first = threading.Thread(target=lambda: asked.get("profile?seconds=1"))
        first.start()
        asked.wait_for_profile()
        assert asked.code("profile?seconds=1") == (500, "Could not enable CPU profiling: cpu profiling already in use\n")
        first.join(20)
        assert pprof.Read(asked.get("profile?seconds=1")).types

    def test_ends_with_the_process_and_with_a_reload(self, profiled):
        holdfast, asked = profiled()
        for end in (lambda: holdfast.reload(), lambda: holdfast.process.send_signal(signal.SIGTERM)):
            got = []
            thread = threading.Thread(target=lambda got=got: got.append(asked.read("profile?seconds=3000")))
            thread.start()
            asked.wait_for_profile()
            end()
            thread.join(20)
            assert got and got[0].message.duration_nanos < 60e9
        assert holdfast.process.wait(20) == 0

    def test_is_saved_from_the_start_to_the_stop(self, profiled, busy, tmp_path):
        path = tmp_path / "cpu.pb.gz"
        holdfast, asked = profiled({"save_to_file": str(path)})
        stop = busy(holdfast)
        until(lambda: cpu_seconds(holdfast) > 0.3, "it is not busy")
        asked.wait_for_profile()
        assert "in use" in asked.code("profile?seconds=1")[1]
        holdfast.reload()
        holdfast.wait_for_log("the new configuration runs")
        first = until(lambda: path.exists() and path.stat().st_size and pprof.Read(path.read_bytes()), "not saved")
        assert first.total() > 0
        asked.wait_for_profile()
        stop()
        holdfast.terminate()
        assert pprof.Read(path.read_bytes()).message.time_nanos > first.message.time_nanos

    def test_needs_a_file_that_can_be_written(self, profiled, tmp_path):
        holdfast, _ = profiled({"save_to_file": str(tmp_path / "none" / "cpu")})
        holdfast.terminate()
        assert "the CPU profile cannot be written" in holdfast.log()


class TestOthers:
    def test_show_memory(self, profiled):
        _, asked = profiled()
        profile = asked.read("heap")
        assert profile.types == [("objects", "count"), ("space", "bytes")]
        sizes = {sample.functions[0]: sample.values[1] for sample in profile.samples}
        assert sizes["allocated in the heap"] > 10_000
        text = asked.get("allocs?debug=1").decode()
        assert "allocated in the heap: " in text and "<malloc version" in text

    def test_show_threads(self, profiled):
        holdfast, asked = profiled()
        profile = asked.read("threadcreate")
        names = {sample.functions[0]: sample.values[0] for sample in profile.samples}
        assert names["holdfast"] >= 1 and any(name.startswith("loop:") for name in names)
        assert sum(names.values()) == psutil.Process(holdfast.process.pid).num_threads()
        assert "\tholdfast\n" in asked.get("threadcreate?debug=2").decode()

    def test_show_the_command_line_and_symbols(self, profiled, busy):
        holdfast, asked = profiled()
        assert asked.get("cmdline").split(b"\0")[1] == b"--config"
        assert asked.get("symbol") == b"num_symbols: 1\n"
        busy(holdfast)
        profile = asked.read("profile?seconds=1")
        named = next(one for one in profile.message.location if one.line)
        name = profile.functions[named.line[0].function_id]
        found = asked.get("symbol", data=f"{named.address:#x}+0x1+zz".encode()).decode()
        assert found == f"num_symbols: 1\n{named.address:#x} {name}\n"

    def test_are_listed_and_others_are_not_there(self, profiled):
        _, asked = profiled()
        index = asked.get("").decode()
        for name in ("profile", "heap", "threadcreate", "cmdline", "symbol"):
            assert f'href="/debug/pprof/{name}"' in index
        for name in ("goroutine", "block", "mutex", "trace", "x"):
            assert asked.code(name)[0] == 404
