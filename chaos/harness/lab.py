"""The lab: what an experiment is given. It counts the faults, keeps the truth and cleans up."""

import contextlib
import random
import shutil
import tempfile
import time
from pathlib import Path

from . import victim
from .errors import Broken, Skipped
from .storm import Load, Sink, Truth, wait_all_arrived
from .waiting import until


class Lab:
    """One run of one experiment."""

    def __init__(self, name, seed, long, minutes=None):
        self.name, self.seed, self.long, self.minutes = name, seed, long, minutes
        self.random = random.Random(f"{name}:{seed}")
        self.directory = Path(tempfile.mkdtemp(prefix=f"holdfast-chaos-{name}-"))
        self.stack = contextlib.ExitStack()
        self.faults = self.acknowledged = self.lost = self.repeated = 0
        self.worst_recovery = None
        self.notes = []
        self.truth = None
        self.sinks, self.loads, self.victims = [], [], []

    def count(self, short, long):
        """A number that depends on how thorough the run is."""
        return long if self.long else short

    # ---- the parts ----

    def new_truth(self, items=20, requests=None, loads=12):
        """Begins the books of a trial. Without it the first sink begins them."""
        folder = self.directory / f"truth{self.random.getrandbits(32):08x}"
        folder.mkdir()
        self.truth = Truth(folder, items, requests or self.count(300_000, 3_000_000), loads)
        self.sinks, self.loads = [], []
        return self.truth

    def sink(self, http=False):
        if self.truth is None:
            self.new_truth()
        one = Sink(self.truth, str(len(self.sinks)), http)
        self.stack.callback(one.kill)
        self.sinks.append(one)
        return one

    def holdfast(self, config, **options):
        """Not started yet."""
        one = victim.Holdfast(self.directory / f"holdfast{len(self.victims)}", config, **options)
        self.stack.callback(lambda: one.is_running() and one.kill9())
        self.victims.append(one)
        return one

    def load(self, target, **options):
        one = Load(self.truth, target, **options)
        self.stack.callback(one.stop)
        self.loads.append(one)
        return one

    def load_all(self, holdfast, rate=None, **options):
        """Every signal over both transports, with and without compression."""
        for i, signal_name in enumerate(victim.SIGNALS):
            for http in (False, True):
                words = dict(options, signal_name=signal_name, coding=("identity", "gzip", "zstd")[(i + http) % 3])
                if rate:
                    words["rate"] = rate / 6
                self.load(holdfast.http if http else holdfast.grpc, http=http, **words)

    def stop_loads(self):
        for one in self.loads:
            one.stop()

    # ---- what happened ----

    def fault(self, number=1):
        self.faults += number

    def recovered(self, seconds):
        self.worst_recovery = max(self.worst_recovery or 0, seconds)

    def note(self, text):
        self.notes.append(text)

    def require(self, condition, text):
        if not condition:
            raise Broken(text)

    def skip(self, text):
        raise Skipped(text)

    def pause(self, least, most=None):
        """Lets things run for a while; a random one when two numbers are given."""
        time.sleep(least if most is None else self.random.uniform(least, most))

    def wait_acknowledged(self, more, seconds=20):
        """Waits until so many items more are acknowledged; returns the seconds."""
        begun, before = time.monotonic(), self.truth.acknowledged()
        until(
            lambda: self.truth.acknowledged() >= before + more,
            lambda: f"{more} items acknowledged; {self.truth.acknowledged() - before} were, "
            f"{self.victims[-1].last_words() if self.victims else ''}",
            seconds,
            0.01,
        )
        return time.monotonic() - begun

    def wait_counted(self, holdfast, name, more, seconds=20, **labels):
        """Waits until a counter has grown by so much; returns the seconds."""
        begun, before = time.monotonic(), holdfast.metric(name, **labels) or 0
        until(
            lambda: (holdfast.metric(name, **labels) or 0) >= before + more,
            lambda: f"{name} {labels} grew by {(holdfast.metric(name, **labels) or 0) - before:.0f} only, not {more}: {holdfast.last_words()}",
            seconds,
            0.02,
        )
        return time.monotonic() - begun

    # ---- the end ----

    def settle(self, seconds=20, sinks=None):
        """Stops the loads, waits until what was acknowledged arrived, and writes it into the books of the run.
        Raises when something is lost; returns the items repeated."""
        self.stop_loads()
        sinks = self.sinks if sinks is None else sinks
        checks = wait_all_arrived(self.truth, sinks, seconds)
        repeated = sum(check["repeated"] for check in checks)
        lost = sum(check["lost"] for check in checks)
        self.acknowledged += checks[0]["acknowledged"]
        self.repeated += repeated
        self.lost += lost
        self.require(checks[0]["acknowledged"] > 0, "nothing was acknowledged: the experiment shows nothing")
        if lost:
            first = next(check["first_lost"] for check in checks if check["lost"])
            raise Broken(f"{lost} items acknowledged and lost, the first is {first} (request {first // self.truth.items})")
        for one in sinks:
            one.close()
        return repeated

    def close(self, keep):
        """Ends every process and removes the directory, unless it is worth a look."""
        errors = []
        try:
            self.stack.close()
            for one in self.victims:
                one.close()
        except Exception as error:  # the verdict of the run is made of it
            errors.append(str(error))
        if not keep and not errors:
            shutil.rmtree(self.directory, ignore_errors=True)
        return errors
