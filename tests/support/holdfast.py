"""Holdfast as a child process: a configuration, its own directory and ports, signals, and what it says of itself."""

import json
import os
import re
import signal
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

import yaml

from . import schema
from .ports import free_port
from .waiting import until

ROOT = Path(__file__).resolve().parents[2]
BINARY = Path(os.environ.get("HOLDFAST_BINARY", ROOT / "build" / "holdfast"))
# The same with the made-up components of hold.c: of the build that is tested, or the debug one.
HOLD_BINARY = (BINARY.parent if "HOLDFAST_BINARY" in os.environ else ROOT / "build" / "debug") / (
    "tests/support/holdfast_hold"
)

# A first configuration file that every test's own is merged into.
BASE = {
    "receivers": {
        "otlp": {
            "protocols": {
                "grpc": {"endpoint": "127.0.0.1:${env:GRPC_PORT}"},
                "http": {"endpoint": "127.0.0.1:${env:HTTP_PORT}"},
            }
        }
    },
    "extensions": {"health_check": {"endpoint": "127.0.0.1:${env:HEALTH_PORT}"}},
    "service": {
        "extensions": ["health_check"],
        "telemetry": {"metrics": {"address": "127.0.0.1:${env:METRICS_PORT}"}, "logs": {"encoding": "json"}},
    },
}

FAST_RETRY = {"initial_interval": "50ms", "max_interval": "200ms", "randomization_factor": 0}


def otlp_exporter(backend, **more):
    """An `otlp` exporter to a GrpcBackend, without compression unless asked, with short waits."""
    return {
        "endpoint": backend.endpoint,
        "tls": {"insecure": True},
        "compression": "none",
        "retry_on_failure": dict(FAST_RETRY),
        **more,
    }


def otlphttp_exporter(backend, **more):
    """An `otlphttp` exporter to an HttpBackend, likewise."""
    return {"endpoint": backend.endpoint, "compression": "none", "retry_on_failure": dict(FAST_RETRY), **more}


def pipelines(exporters, processors=(), signals=("traces", "metrics", "logs")):
    """One pipeline a signal, all alike."""
    return {
        name: {"receivers": ["otlp"], "processors": list(processors), "exporters": list(exporters)}
        for name in signals
    }


def config(exporters, processors=None, **more):
    """A whole configuration: every signal through the processors, in order, to all exporters."""
    return {
        "processors": processors or {},
        "exporters": exporters,
        "service": {"pipelines": pipelines(exporters, processors or {})},
        **more,
    }


class Holdfast:
    """One instance; `start()` may be called again after `kill9()` or `terminate()`, on the same data."""

    def __init__(self, directory, configuration, arguments=(), environment=None, base=None, binary=BINARY):
        self.directory = Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.data_directory = self.directory / "data"
        self.log_path = self.directory / "log"
        self.config_path = self.directory / "config.yaml"
        self.base_path = self.directory / "base.yaml"
        self.base_path.write_text(yaml.safe_dump(BASE if base is None else base))
        self.write_config(configuration)
        self.arguments = list(arguments)
        self.binary = binary
        self.host = "127.0.0.1"  # where the ports below are reached
        self.ports = {name: free_port() for name in ("GRPC_PORT", "HTTP_PORT", "HEALTH_PORT", "METRICS_PORT")}
        self.environment = {
            "HOLDFAST_EPHEMERAL": "0",  # wherever the tests have their directories
            **os.environ,
            **{key: str(port) for key, port in self.ports.items()},
            **(environment or {}),
        }
        self.prefix = []  # a command that the program is started by
        self.process = None

    def write_config(self, configuration):
        """Replaces the test's configuration file; a running process sees it at `reload()`."""
        text = (
            configuration
            if isinstance(configuration, str)
            else yaml.safe_dump(configuration, sort_keys=False)
        )
        self.config_path.write_text(text)

    # ---- life ----

    def spawn(self, stderr=None):
        """Starts the process without waiting for it; what it says goes to `stderr`, or to the log."""
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [
                    *self.prefix,
                    self.binary,
                    "--config",
                    self.base_path,
                    "--config",
                    self.config_path,
                    *(("--data-dir", self.data_directory) if self.data_directory else ()),
                    *self.arguments,
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log if stderr is None else stderr,
                cwd=self.directory,
                env=self.environment,
            )
        return self

    def start(self, seconds=60):
        """Starts the process and waits until it is ready."""
        self.spawn()
        self.wait_ready(seconds)
        self.check_schema()
        return self

    def check_schema(self):
        """What the program runs with, its schema allows."""
        sources = [schema.load(path.read_text()) for path in (self.base_path, self.config_path)]
        found = schema.problems(self.binary, schema.merged(*(schema.merged({}, source) for source in sources)))
        assert not found, f"the schema does not allow what runs: {found[:5]}"

    def wait_ready(self, seconds=60):
        until(self.is_ready_or_dead, lambda: f"holdfast is not ready:\n{self.log()[-3000:]}", seconds)
        if self.process.poll() is not None:
            raise AssertionError(f"holdfast ended with {self.process.returncode}:\n{self.log()[-3000:]}")

    def is_ready_or_dead(self):
        return self.process.poll() is not None or self.health() == 200

    def health(self):
        """The status of the health page; 0 when nobody answers."""
        try:
            with urllib.request.urlopen(
                f"http://{self.host}:{self.ports['HEALTH_PORT']}/", timeout=20
            ) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0

    def kill9(self):
        """The end without a warning."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(60)

    def terminate(self, seconds=60):
        """Asks for a graceful end; returns (exit status, seconds it took)."""
        begun = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(seconds)
        return status, time.monotonic() - begun

    def restart(self):
        self.terminate()
        return self.start()

    def reload(self):
        self.process.send_signal(signal.SIGHUP)

    def close(self):
        """The end of the test: whatever runs must stop well, and no assertion or sanitizer may have spoken."""
        if self.process and self.process.poll() is None:
            try:
                status, _ = self.terminate()
            except subprocess.TimeoutExpired:
                self.kill9()
                raise AssertionError(f"holdfast did not stop within 60 s:\n{self.log()[-3000:]}") from None
            assert status == 0, f"holdfast ended with {status}:\n{self.log()[-3000:]}"
        for sign in ("Assertion `", "ERROR: AddressSanitizer", "WARNING: ThreadSanitizer", "runtime error:"):
            assert sign not in self.log(), f"{sign}:\n{self.log()[-6000:]}"

    # ---- addresses ----

    @property
    def grpc_target(self):
        return f"{self.host}:{self.ports['GRPC_PORT']}"

    @property
    def http_base(self):
        return f"http://{self.host}:{self.ports['HTTP_PORT']}"

    # ---- what it says ----

    def log(self):
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def wait_for_log(self, pattern, seconds=60):
        """Waits for a line that the regular expression finds; returns the match."""
        return until(
            lambda: re.search(pattern, self.log()),
            lambda: f"no {pattern!r} in:\n{self.log()[-2000:]}",
            seconds,
        )

    def metrics_text(self):
        with urllib.request.urlopen(
            f"http://{self.host}:{self.ports['METRICS_PORT']}/metrics", timeout=10
        ) as answer:
            return answer.read().decode()

    def metrics(self):
        """[(name, {label: value}, number)] of the whole page."""
        found = []
        for line in self.metrics_text().splitlines():
            match = re.fullmatch(r"([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)(?: \d+)?", line)
            if match and not line.startswith("#"):
                labels = dict(re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', match.group(2) or ""))
                found.append((match.group(1), labels, float(match.group(3))))
        return found

    def metric(self, name, **labels):
        """The sum of all series of that name that carry these labels; None when there is no such series."""
        values = [
            number
            for found, have, number in self.metrics()
            if found == name and all(have.get(key) == value for key, value in labels.items())
        ]
        return sum(values) if values else None

    def wait_metric(self, name, least, seconds=60, **labels):
        """Waits until the metric is at least so much."""
        return until(
            lambda: (self.metric(name, **labels) or 0) >= least,
            lambda: f"{name}{labels} is {self.metric(name, **labels)}, not {least}",
            seconds,
        )

    def command(self, *arguments, **options):
        """A sub-command of the same binary; returns the finished process with text output."""
        return run(*arguments, env=self.environment, cwd=self.directory, **options)

    def begin(self, *arguments):
        """Likewise, without waiting for its end; returns the running process."""
        return subprocess.Popen(
            [BINARY, *map(str, arguments)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=self.directory,
            env=self.environment,
        )

    def queue(self, *arguments):
        """`holdfast queue ... --json` on this instance's data, parsed; live or dead."""
        done = self.command("queue", *arguments, "--data-dir", self.data_directory, "--json")
        assert done.returncode == 0, f"queue {arguments}: {done.returncode} {done.stdout} {done.stderr}"
        return json.loads(done.stdout)

    def books(self, queue, exporter, kind="queue"):
        """{"accepted": {"items": .., "bytes": ..}, ...} of one exporter in one pipeline's queue (or one of another
        kind), which must balance: accepted = delivered + queued + dead_lettered + dropped, in items and in bytes."""
        consumers = consumers_of(self.queue("stat"), queue, kind)
        books = next(one for one in consumers if one["exporter"] == exporter)
        for unit in ("items", "bytes"):
            parts = [books[name] for name in ("delivered", "queued", "dead_lettered")] + [*books["dropped"].values()]
            assert books["accepted"][unit] == sum(part[unit] for part in parts), f"{unit}: {books}"
        return books


def consumers_of(stat, name, kind="queue"):
    """The exporters of one pipeline's queue, or of one of another kind, out of what `queue stat --json` printed."""
    return [
        one
        for queue in stat["queues"]
        if (queue["kind"], queue["id"]) == (kind, name)
        for one in queue["exporters"]
    ]


def run(*arguments, **options):
    """Runs the binary to its end."""
    options.setdefault("timeout", 60)
    return subprocess.run(
        [BINARY, *map(str, arguments)],
        stdin=options.pop("stdin", subprocess.DEVNULL),
        capture_output=True,
        text=options.pop("text", True),
        check=False,
        **options,
    )
