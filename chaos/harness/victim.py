"""Holdfast as a child process: its configuration, its life, what it says of itself, its memory."""

import json
import os
import re
import signal
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

from .errors import Broken
from .waiting import free_port, until

ROOT = Path(__file__).resolve().parents[2]
BINARY = Path(os.environ.get("HOLDFAST_BINARY", ROOT / "build" / "holdfast"))
SIGNALS = ("traces", "metrics", "logs")
FAST_RETRY = {"initial_interval": "50ms", "max_interval": "250ms", "max_elapsed_time": 0}
ALARMS = ("Assertion `", "ERROR: AddressSanitizer", "WARNING: ThreadSanitizer", "runtime error:")


def grpc_exporter(sink, **more):
    """An `otlp` exporter to a sink, with short waits."""
    return {
        "endpoint": f"127.0.0.1:{sink.port}",
        "tls": {"insecure": True},
        "compression": "none",
        "retry_on_failure": dict(FAST_RETRY),
        **more,
    }


def http_exporter(sink, **more):
    """An `otlphttp` exporter to a sink, likewise."""
    return {
        "endpoint": f"http://127.0.0.1:{sink.port}",
        "compression": "none",
        "retry_on_failure": dict(FAST_RETRY),
        **more,
    }


def configuration(exporters, processors=None, receiver=None):
    """Every signal through the processors, in order, to all exporters. JSON is YAML."""
    processors = processors or {}
    otlp = {"protocols": {"grpc": {"endpoint": "127.0.0.1:${env:GRPC}"}, "http": {"endpoint": "127.0.0.1:${env:HTTP}"}}}
    for protocol, keys in (receiver or {}).items():
        otlp["protocols"][protocol].update(keys)
    pipeline = {"receivers": ["otlp"], "processors": list(processors), "exporters": list(exporters)}
    return {
        "receivers": {"otlp": otlp},
        "processors": processors,
        "exporters": exporters,
        "extensions": {"health_check": {"endpoint": "127.0.0.1:${env:HEALTH}"}},
        "service": {
            "extensions": ["health_check"],
            "pipelines": {signal_name: pipeline for signal_name in SIGNALS},
            "telemetry": {"metrics": {"address": "127.0.0.1:${env:METRICS}"}},
        },
    }


class Holdfast:
    """One instance; `start()` may be called again after an end, on the same data and ports."""

    def __init__(self, directory, config, data=None, prefix=(), environment=None):
        self.directory = Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.data = Path(data) if data else self.directory / "data"
        self.log_path = self.directory / "log"
        self.config_path = self.directory / "config.yaml"
        self.ports = {name: free_port() for name in ("GRPC", "HTTP", "HEALTH", "METRICS")}
        self.environment = {"HOLDFAST_EPHEMERAL": "0", **os.environ, **{name: str(port) for name, port in self.ports.items()}, **(environment or {})}
        self.prefix, self.binary = list(prefix), BINARY
        self.before_exec = None  # called in the child
        self.process = None
        self.write_config(config)

    def write_config(self, config):
        """Takes effect at the next start or reload."""
        self.config_path.write_text(json.dumps(config, indent=1))

    # ---- life ----

    def spawn(self):
        """Starts the process without waiting."""
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [*self.prefix, self.binary, "--config", self.config_path, "--data-dir", self.data],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.directory,
                env=self.environment,
                preexec_fn=self.before_exec,
            )
        return self

    def start(self, seconds=20):
        """Starts the process; returns the seconds until it was ready."""
        begun = time.monotonic()
        self.spawn()
        self.wait_ready(seconds)
        return time.monotonic() - begun

    def wait_ready(self, seconds=20):
        until(lambda: not self.is_running() or self.health() == 200, lambda: f"ready: {self.last_words()}", seconds, 0.005)
        if not self.is_running():
            raise Broken(f"holdfast ended with {self.process.returncode} at its start: {self.last_words()}")

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def kill9(self):
        """The end without a warning."""
        if self.is_running():
            self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)

    def terminate(self, seconds=20):
        """Asks for a graceful end; returns (exit status, seconds)."""
        begun = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        return self.wait_gone(seconds), time.monotonic() - begun

    def wait_gone(self, seconds):
        """The exit status, after SIGTERM was sent."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise Broken(f"did not stop within {seconds} s of SIGTERM: {self.last_words()}") from None

    def reload(self):
        self.process.send_signal(signal.SIGHUP)

    def close(self):
        """Ends it whatever state it is in; an assertion or a sanitizer that spoke breaks the experiment."""
        if self.is_running():
            self.kill9()
        words = self.log()
        for alarm in ALARMS:
            if alarm in words:
                raise Broken(f"{alarm} in its log: {words[words.index(alarm):][:400]}")

    # ---- addresses ----

    @property
    def grpc(self):
        return f"127.0.0.1:{self.ports['GRPC']}"

    @property
    def http(self):
        return f"127.0.0.1:{self.ports['HTTP']}"

    # ---- what it says ----

    def log(self):
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def last_words(self):
        return " | ".join(self.log().splitlines()[-6:])

    def health(self):
        """The status of the health page; 0 when nobody answers."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.ports['HEALTH']}/", timeout=2) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0

    def metrics_url(self):
        return f"http://127.0.0.1:{self.ports['METRICS']}/metrics"

    def series(self):
        """[(name without `_total`, {label: value}, number)] of the metrics page."""
        with urllib.request.urlopen(self.metrics_url(), timeout=10) as answer:
            text = answer.read().decode()
        found = []
        for line in text.splitlines():
            match = re.fullmatch(r"([a-zA-Z_:][\w:]*?)(?:_total)?(?:\{(.*)\})? (\S+)(?: \d+)?", line)
            if match:
                labels = dict(re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', match.group(2) or ""))
                found.append((match.group(1), labels, float(match.group(3))))
        return found

    def metric(self, name, **labels):
        """The sum of the series of that name with these labels; None when there is none."""
        found = [
            number
            for one, have, number in self.series()
            if one == name and all(have.get(key) == value for key, value in labels.items())
        ]
        return sum(found) if found else None

    def command(self, *arguments, seconds=60):
        """A sub-command of the same program."""
        return subprocess.run(
            [BINARY, *map(str, arguments)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
            cwd=self.directory,
            env=self.environment,
        )

    # ---- what it uses ----

    def memory(self, key="RssAnon"):
        """Bytes of one line of its status page; 0 when it is gone."""
        try:
            text = Path(f"/proc/{self.process.pid}/status").read_text()
        except OSError:
            return 0
        match = re.search(rf"^{key}:\s+(\d+) kB", text, re.M)
        return int(match.group(1)) << 10 if match else 0

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def disk_bytes(self):
        """Blocks that the data directory takes."""
        total = 0
        for top, _, names in os.walk(self.data):
            for name in names:
                try:
                    total += os.lstat(os.path.join(top, name)).st_blocks * 512
                except OSError:
                    pass
        return total
