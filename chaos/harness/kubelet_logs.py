"""Container logs as a kubelet with Docker's runtime lays them out: JSON lines in /var/lib/docker/containers, a link to them in
/var/log/pods, a link to that in /var/log/containers, and rotation by moving the file away."""

import json
import threading
import time
import uuid


class ContainerLog:
    """One container that writes numbered lines."""

    def __init__(self, logs, docker, pod, namespace="default", container="app"):
        uid, identifier = str(uuid.uuid4()), uuid.uuid4().hex * 2
        self.file = docker / identifier / f"{identifier}-json.log"
        folder = logs / "pods" / f"{namespace}_{pod}_{uid}" / container
        self.link, self.other = folder / "0.log", logs / "containers" / f"{pod}_{namespace}_{container}-{identifier}.log"
        for path in (self.file, self.link, self.other):
            path.parent.mkdir(parents=True, exist_ok=True)
        self.file.touch(0o644)
        self.link.symlink_to(f"/var/lib/docker/containers/{identifier}/{self.file.name}")
        self.other.symlink_to(f"/var/log/pods/{folder.parent.name}/{container}/0.log")
        self.moved = 0
        self.out = open(self.file, "ab", buffering=0)

    def write(self, text):
        now = time.time()
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)) + f".{int(now % 1 * 1e9):09d}Z"
        line = json.dumps({"log": text + "\n", "stream": "stdout", "time": stamp}, separators=(",", ":"))
        self.out.write(line.encode() + b"\n")

    def rotate(self):
        """As Docker does with max-file=3: .1 becomes .2, the file becomes .1, and a new one is written."""
        self.out.close()
        for number in (1, 0):
            old = self.file.with_name(self.file.name + (f".{number}" if number else ""))
            if old.exists():
                old.rename(self.file.with_name(f"{self.file.name}.{number + 1}"))
        self.file.touch(0o644)
        self.out = open(self.file, "ab", buffering=0)
        self.moved += 1


class Writers:
    """Containers that write so many lines a second, together, until they are stopped."""

    def __init__(self, lab, logs, rate):
        self.logs, self.rate, self.written = logs, rate, 0
        self.lock, self.stopping = threading.Lock(), threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        lab.stack.callback(self.stopping.set)
        self.thread.start()

    def _run(self):
        while not self.stopping.wait(1 / self.rate):
            with self.lock:
                self.logs[self.written % len(self.logs)].write(f"container line {self.written}")
                self.written += 1

    def add(self, log):
        with self.lock:
            self.logs.append(log)

    def rotate(self):
        with self.lock:
            for one in self.logs:
                one.rotate()

    def stop(self):
        """The number of lines written."""
        self.stopping.set()
        self.thread.join()
        return self.written
