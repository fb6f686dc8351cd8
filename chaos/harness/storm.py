"""The load, the sink and the truth: holdfast-storm, outside the victim."""

import json
import mmap
import os
import signal
import subprocess
import time
from pathlib import Path

from .errors import Broken
from .victim import ROOT
from .waiting import free_port, until

STORM = Path(os.environ.get("HOLDFAST_STORM", ROOT / "build" / "chaos" / "holdfast-storm"))


class Truth:
    """What was acknowledged: one file for all loads of an experiment, a byte a request."""

    def __init__(self, directory, items, requests, loads=12):
        self.directory, self.items = Path(directory), items
        self.requests, self.loads = requests, loads  # of one load, and how many loads there may be
        self.taken = 0
        self.acked = self.directory / "acked"
        self.acked.touch()
        os.truncate(self.acked, self.capacity)

    @property
    def capacity(self):
        return self.requests * self.loads

    def next_range(self):
        """The first number of a load's own range."""
        if self.taken == self.loads:
            raise Broken("more loads than the truth has room for")
        self.taken += 1
        return (self.taken - 1) * self.requests

    def acknowledged(self):
        """Items acknowledged so far."""
        with open(self.acked, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as marks:
            zeros = 0
            for at in range(0, len(marks), 1 << 20):
                zeros += marks[at : at + (1 << 20)].count(0)
            return (len(marks) - zeros) * self.items

    def check(self, sink):
        """{"acknowledged", "lost", "repeated", "first_lost"} of one sink."""
        done = subprocess.run(
            [STORM, "check", "--acked", self.acked, "--arrived", sink.arrived, "--items", str(self.items)],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode not in (0, 1):
            raise Broken(f"the check failed: {done.stderr}")
        return json.loads(done.stdout)


class Sink:
    """A backend. What arrived outlives it; it may be stopped and started on the same port."""

    def __init__(self, truth, name, http=False):
        self.truth, self.http = truth, http
        self.port = free_port()
        self.arrived = truth.directory / f"arrived-{name}"
        self.arrived.touch()
        os.truncate(self.arrived, truth.capacity * truth.items)
        self.fifo = truth.directory / f"orders-{name}"
        os.mkfifo(self.fifo)
        self.process = None
        self.reports = []
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            [STORM, "sink", "--target", f"127.0.0.1:{self.port}", *(["--http"] if self.http else [])]
            + ["--arrived", self.arrived, "--capacity", str(self.truth.capacity * self.truth.items)]
            + ["--commands", self.fifo],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
        )
        line = self.process.stdout.readline()
        if not line:
            raise Broken("the sink does not start")
        return self

    def order(self, words):
        """See `holdfast-storm --help`: ok, code N, retry N, hang, slow MS, ..."""
        with open(self.fifo, "w") as fifo:
            fifo.write(words + "\n")

    def stop(self):
        """Goes away: connections are reset, the port refuses."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            out, _ = self.process.communicate(timeout=20)
            if out.strip():
                self.reports.append(json.loads(out.strip().splitlines()[-1]))

    def kill(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.communicate()

    def close(self):
        self.stop()
        malformed = sum(report.get("malformed", 0) for report in self.reports)
        if malformed:
            raise Broken(f"{malformed} requests or items reached the backend malformed")


class Load:
    """A sender: everything that is refused is sent again until it is taken."""

    def __init__(self, truth, target, http=False, signal_name="traces", **options):
        self.truth = truth
        words = {
            "signal": signal_name,
            "items": truth.items,
            "first": truth.next_range(),
            "requests": truth.requests - 1,
            "connections": 2,
            "in-flight": 2,
            **{key.replace("_", "-"): value for key, value in options.items()},
        }
        retry = words.pop("retry", True)
        before_exec = words.pop("before-exec", None)  # called in the child
        self.process = subprocess.Popen(
            [STORM, "send", "--target", target, *(["--http"] if http else []), *(["--retry"] if retry else [])]
            + ["--acked", truth.acked, "--capacity", str(truth.capacity)]
            + [word for key, value in words.items() for word in ([f"--{key}"] if value is True else [f"--{key}", str(value)])],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            preexec_fn=before_exec,
        )
        self.report = None

    def wait(self, seconds=120):
        """Its report, when it has sent all it was to send."""
        if self.report is None:
            try:
                out, _ = self.process.communicate(timeout=seconds)
            except subprocess.TimeoutExpired:
                raise Broken(f"a sender does not end within {seconds} s") from None
            if self.process.returncode != 0 or not out.strip():
                raise Broken(f"a sender ended with {self.process.returncode}")
            self.report = json.loads(out.strip().splitlines()[-1])
        return self.report

    def stop(self):
        """At once: what was acknowledged stands in the truth already."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.communicate()


def wait_all_arrived(truth, sinks, seconds):
    """Waits until nothing acknowledged is missing at any sink, as long as there is progress; the last checks."""
    deadline = time.monotonic() + seconds
    least = None
    while True:
        checks = [truth.check(sink) for sink in sinks]
        missing = sum(check["lost"] for check in checks)
        if missing == 0 or time.monotonic() > deadline:
            return checks
        if least is None or missing < least:
            least, deadline = missing, time.monotonic() + seconds
        time.sleep(0.25)


__all__ = ["Load", "STORM", "Sink", "Truth", "until", "wait_all_arrived"]
