"""The bodies of a measurement: collector, sink and sender as child processes, and what they cost."""

import contextlib
import json
import os
import re
import resource
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build"
OUTPUT = BUILD / "bench"
STORM = BUILD / "chaos" / "holdfast-storm"
HOLDFAST = Path(os.environ.get("HOLDFAST_BINARY", BUILD / "holdfast"))
TICK = os.sysconf("SC_CLK_TCK")
CORES = len(os.sched_getaffinity(0))

sys.path.insert(0, str(ROOT))
from tests.support.ports import free_port  # noqa: E402


class Failed(Exception):
    """A run that gives no number; the message says why."""


def until(condition, seconds, what):
    """Polls `condition` until it is true; returns its value."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise Failed(f"{what}: not within {seconds:.0f} s")
        time.sleep(0.01)
    return value


def compile_targets(*targets):
    """Builds targets of the release build."""
    done = subprocess.run(
        ["cmake", "--build", BUILD, "--target", *targets], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    if done.returncode != 0:
        raise Failed(f"{' '.join(targets)} cannot be built:\n{done.stdout[-2000:]}")


def raise_file_limit():
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


# ---- what the kernel says of a process ----


def cpu_seconds(pid):
    """User and system time of all threads that the process has or had."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def memory_kib(pid):
    """VmRSS, VmHWM, RssAnon... in KiB."""
    lines = (line.split() for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return {line[0].rstrip(":"): int(line[1]) for line in lines if len(line) == 3 and line[2] == "kB"}


def busy_seconds():
    """CPU time of the whole machine that was not idle."""
    fields = [int(text) for text in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    return (sum(fields) - fields[3] - fields[4]) / TICK


def disk_bytes(directory):
    """Blocks in use below a directory."""
    total = 0
    for folder, _, names in os.walk(directory):
        for name in names:
            with contextlib.suppress(OSError):
                total += os.lstat(os.path.join(folder, name)).st_blocks * 512
    return total


# ---- sink and sender ----


class Counters:
    """The counters that a running holdfast-storm keeps in a file (chaos/storm/counters.h)."""

    NAMES = ("requests", "items", "refused", "failed", "repeated", "first_ns", "last_ns", "acknowledged")

    def __init__(self, path):
        self.path = Path(path)

    def read(self):
        data = self.path.read_bytes() if self.path.exists() else b""
        if len(data) < 64:
            data = bytes(64)
        return dict(zip(self.NAMES, struct.unpack("8Q", data[:64]), strict=True))

    def __getattr__(self, name):
        return self.read()[name]


class Sink:
    """The backend. `truth`: remember each item that arrives."""

    def __init__(self, directory, http=False, truth=True, prefix="sink"):
        self.counters = Counters(directory / f"{prefix}.status")
        self.arrived = directory / f"{prefix}.arrived" if truth else None
        self.fifo = directory / f"{prefix}.fifo"
        os.mkfifo(self.fifo)
        command = [STORM, "sink", "--target", "127.0.0.1:0", "--status", self.counters.path, "--commands", self.fifo]
        if http:
            command.append("--http")
        if truth:
            command += ["--arrived", self.arrived, "--capacity", str(1 << 30)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.port = json.loads(self.process.stdout.readline())["port"]

    def order(self, line):
        with open(self.fifo, "w") as fifo:
            fifo.write(line + "\n")

    def cpu(self):
        return cpu_seconds(self.process.pid)

    def wait(self, items, seconds=60):
        """Until `items` have arrived in all."""
        until(lambda: self.counters.items >= items, seconds, f"{items} items at the sink, {self.counters.read()}")

    def stop(self):
        end(self.process)


def send(port, **options):
    """Runs the sender to its end and returns what it says. `http=True` and the like become words."""
    return json.loads(finish(start_send(port, **options)))


def start_send(port, **options):
    command = [STORM, "send", "--target", f"127.0.0.1:{port}"]
    for name, value in options.items():
        word = "--" + name.replace("_", "-")
        if value is True:
            command.append(word)
        elif value not in (None, False):
            command += [word, str(value)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def finish(process):
    text, _ = process.communicate(timeout=600)
    if process.returncode != 0:
        raise Failed(f"the sender ended with {process.returncode}")
    return text


def check(acked, arrived, items):
    """Acknowledged, lost and repeated items by the truth files."""
    command = [STORM, "check", "--acked", acked, "--arrived", arrived, "--items", str(items)]
    return json.loads(subprocess.run(command, stdout=subprocess.PIPE, text=True).stdout)


def end(process):
    """SIGTERM to one child, and SIGKILL if it does not listen."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


# ---- the collector that is measured ----


class Collector:
    """One that runs; `kind` is "holdfast", "otelcol" or "fluent-bit". The configuration is a dict; JSON is YAML."""

    def __init__(self, kind, binary, directory, configuration, cgroup=None, cores=None):
        self.kind, self.binary = kind, binary
        self.prefix = cgroup.prefix if cgroup else ["taskset", "-c", f"0-{cores - 1}"] if cores else []
        self.directory = Path(directory)
        self.directory.mkdir(exist_ok=True)
        self.data = self.directory / "data"
        self.data.mkdir(exist_ok=True)
        self.ports = {name: free_port() for name in ("grpc", "http", "health", "metrics")}
        self.path = self.directory / "config.yaml"
        self.path.write_text(json.dumps(configuration(self), indent=1))
        self.log = self.directory / "log"
        self.process = None

    def start(self):
        """Returns the seconds from exec to the first healthy answer."""
        command = [*self.prefix, self.binary, "--config", self.path]
        begun = time.monotonic()
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.directory
            )
        deadline = begun + 120
        while not self.is_healthy():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise Failed(f"{self.kind} does not start:\n{self.log.read_text()[-2000:]}")
            time.sleep(0.0005)
        return time.monotonic() - begun

    def is_healthy(self):
        try:
            with socket.create_connection(("127.0.0.1", self.ports["health"]), timeout=2) as peer:
                peer.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                return peer.recv(64).startswith(b"HTTP/1.1 200")
        except OSError:
            return False

    def cpu(self):
        return cpu_seconds(self.process.pid)

    def group(self):
        """(commits, records committed) so far; zeros when it does not say."""
        with contextlib.suppress(OSError):
            url = f"http://127.0.0.1:{self.ports['metrics']}/metrics"
            text = urllib.request.urlopen(url, timeout=5).read().decode()
            count = re.search(r"^holdfast_queue_commit_records_count\S* (\S+)", text, re.MULTILINE)
            total = re.search(r"^holdfast_queue_commit_records_sum\S* (\S+)", text, re.MULTILINE)
            if count and total:
                return float(count.group(1)), float(total.group(1))
        return 0.0, 0.0

    def metric(self, name):
        """The sum of a metric's series; 0 when it is not there."""
        with contextlib.suppress(OSError):
            url = f"http://127.0.0.1:{self.ports['metrics']}/metrics"
            text = urllib.request.urlopen(url, timeout=5).read().decode()
            return sum(float(value) for value in re.findall(rf"^{name}(?:{{[^}}]*}})? (\S+)", text, re.MULTILINE))
        return 0.0

    def memory(self):
        return memory_kib(self.process.pid)

    def stop(self):
        if self.process is not None:
            end(self.process)


class Peak(threading.Thread):
    """The most anonymous and resident memory of a process, looked at every 10 ms."""

    def __init__(self, collector):
        super().__init__(daemon=True)
        self.collector, self.over = collector, threading.Event()
        self.anon = self.rss = 0
        self.start()

    def run(self):
        while not self.over.wait(0.01):
            try:
                memory = self.collector.memory()
            except OSError:
                return
            self.anon = max(self.anon, memory["RssAnon"])
            self.rss = max(self.rss, memory["VmRSS"])

    def stop(self):
        self.over.set()
        self.join()


class Cgroup:
    """Limits for a collector, as a Kubernetes pod has them; what others do on the machine counts less than the quota. Failed
    when this machine lets us make none."""

    def __init__(self, millicores, mib):
        base, name = Path("/sys/fs/cgroup"), f"holdfast-bench-{os.getpid()}"
        quota, limit = str(millicores * 100), str(mib << 20)
        if (base / "cgroup.controllers").exists():
            wanted = {base / name: {"cpu.max": f"{quota} 100000", "cpu.weight": "10000", "memory.max": limit}}
        else:
            wanted = {
                base / "cpu" / name: {
                    "cpu.cfs_period_us": "100000",
                    "cpu.cfs_quota_us": quota,
                    "cpu.shares": "262144",
                },
                base / "memory" / name: {"memory.limit_in_bytes": limit},
            }
        self.folders = list(wanted)
        try:
            for folder, settings in wanted.items():
                folder.mkdir()
                for file, value in settings.items():
                    (folder / file).write_text(value)
        except OSError as error:
            self.remove()
            raise Failed(f"no cgroup with limits can be made here ({error})") from error
        joins = "".join(f"echo $$ > {folder}/cgroup.procs && " for folder in self.folders)
        self.prefix = ["/bin/sh", "-c", f'{joins}exec "$@"', "sh"]

    def remove(self):
        for folder in self.folders:
            with contextlib.suppress(OSError):
                folder.rmdir()


@contextlib.contextmanager
def workplace():
    """A directory on disk for the collector's data and one in memory for the truth."""
    OUTPUT.mkdir(parents=True, exist_ok=True)
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    disk_path = Path(tempfile.mkdtemp(prefix="run-", dir=OUTPUT))
    truth_path = Path(tempfile.mkdtemp(prefix="holdfast-bench-", dir=memory))
    try:
        yield disk_path, truth_path
    finally:
        shutil.rmtree(disk_path, ignore_errors=True)
        shutil.rmtree(truth_path, ignore_errors=True)
