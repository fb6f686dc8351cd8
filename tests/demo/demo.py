"""`./dev demo`: the promise, shown in a minute on real telemetry.

A shop instrumented with the official SDK sends traces, metrics and logs over gRPC and HTTP. The backend goes away,
Holdfast is killed with SIGKILL in full flight and started again, the backend comes back, Holdfast is killed once
more. At the end the sender's record of what was acknowledged is compared with the backend's record of what arrived.
"""

import collections
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support import otlp
from support.backends import GrpcBackend
from support.holdfast import Holdfast, config, otlp_exporter
from support.waiting import NeverCame, until

BATCH = {"batch": {"timeout": "2s", "send_batch_size": 1000}}


class Demo:
    def __init__(self, directory):
        self.begun = time.monotonic()
        self.directory = Path(directory)
        self.record = self.directory / "acknowledged"
        self.record.touch()
        self.backend = GrpcBackend()
        self.holdfast = Holdfast(
            self.directory / "holdfast", config({"otlp": otlp_exporter(self.backend)}, BATCH)
        )
        self.shop = None

    def acknowledged(self):
        """{signal: ids} of the sender's own record."""
        found = collections.defaultdict(set)
        for line in self.record.read_text().splitlines():
            name, number = line.split()
            found[name].add(int(number))
        return found

    def arrived(self):
        """{signal: how often each id came} of the backend's own record."""
        return {one.name: collections.Counter(self.backend.ids(one)) for one in otlp.SIGNALS}

    def tell(self, text):
        sent = sum(map(len, self.acknowledged().values()))
        come = sum(map(len, self.arrived().values()))
        print(
            f"{time.monotonic() - self.begun:5.1f} s  {text:<58} acknowledged {sent:6d}  delivered {come:6d}",
            flush=True,
        )

    def go_on(self, more):
        """Lets the shop sell until so many more items were acknowledged."""
        wanted = sum(map(len, self.acknowledged().values())) + more
        until(
            lambda: sum(map(len, self.acknowledged().values())) >= wanted, "the shop sells nothing", 60, 0.1
        )

    def kill(self, text):
        self.holdfast.kill9()
        self.tell(text)
        self.holdfast.start()
        self.tell("holdfast started again")

    def play(self):
        self.backend.start()
        self.holdfast.start()
        ports = self.holdfast.ports
        self.shop = subprocess.Popen(
            [
                sys.executable,
                Path(__file__).with_name("shop.py"),
                str(ports["GRPC_PORT"]),
                str(ports["HTTP_PORT"]),
                self.record,
            ]
        )
        self.tell("backend, holdfast and shop are up")
        self.go_on(1000)
        self.backend.stop()
        self.tell("the backend is taken away")
        self.go_on(1200)
        self.kill("SIGKILL in full flight, backend still away")
        self.go_on(1200)
        self.backend.start()
        self.tell("the backend is back")
        self.go_on(600)
        self.kill("SIGKILL while the backlog drains and new data comes in")
        self.go_on(1000)
        self.shop.send_signal(signal.SIGTERM)
        self.shop.wait(60)
        self.tell("the shop has closed")
        try:
            until(lambda: not any(self.lost().values()), "", 30, 0.1)
        except NeverCame:
            pass
        self.tell("everything that will come has come")

    def lost(self):
        arrived = self.arrived()
        return {one.name: self.acknowledged()[one.name] - set(arrived[one.name]) for one in otlp.SIGNALS}

    def report(self):
        """Prints the table; returns the number of items that were acknowledged and never came."""
        acknowledged, arrived, lost = self.acknowledged(), self.arrived(), self.lost()
        rows = {
            "acknowledged": {name: len(ids) for name, ids in acknowledged.items()},
            "delivered": {name: len(counts) for name, counts in arrived.items()},
            "lost": {name: len(ids) for name, ids in lost.items()},
            "repeated": {name: sum(counts.values()) - len(counts) for name, counts in arrived.items()},
        }
        names = [one.name for one in otlp.SIGNALS]
        print("\n" + " " * 14 + "".join(f"{name:>10}" for name in [*names, "all"]))
        for title, row in rows.items():
            numbers = [row.get(name, 0) for name in names]
            print(f"{title:<14}" + "".join(f"{number:10d}" for number in [*numbers, sum(numbers)]))
        print(
            "\nDelivered may exceed acknowledged: an answer that a kill cut off is not counted as acknowledged,\n"
            "although what it answered was on disk already. Repeated is what was in flight at a kill."
        )
        return sum(rows["lost"].values()), sum(rows["acknowledged"].values())

    def close(self):
        if self.shop and self.shop.poll() is None:
            self.shop.kill()
        self.holdfast.close()
        self.backend.stop()


def main():
    with tempfile.TemporaryDirectory(prefix="holdfast-demo-") as directory:
        demo = Demo(directory)
        try:
            demo.play()
            lost, acknowledged = demo.report()
        finally:
            demo.close()
    if lost or not acknowledged:
        print(
            f"\nFAILED: {lost} acknowledged items were lost" if lost else "\nFAILED: nothing was acknowledged"
        )
        return 1
    print("\nNothing that was acknowledged is missing.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
