"""The Go collector as a peer: built by its own collector builder from published modules, once, under build/."""

import fcntl
import json
import os
import re
import shutil
import signal
import subprocess
import urllib.request
from pathlib import Path

from .ports import free_port
from .waiting import until

ROOT = Path(__file__).resolve().parents[2]
MANIFEST = ROOT / "tests" / "support" / "otelcol.yaml"
FOLDER = ROOT / "build" / "otelcol"
PROGRAM = FOLDER / "program" / "otelcol"
STAMP, LOG, LOCK = FOLDER / "manifest.built", FOLDER / "log", FOLDER / "lock"


class NotBuilt(Exception):
    """Why there is no Go collector, in one sentence."""


def built():
    """The path of the program; NotBuilt when it is not there, or not what the manifest asks for."""
    if shutil.which("go") is None:
        raise NotBuilt("Go is not installed")
    if not (PROGRAM.exists() and STAMP.exists() and STAMP.read_text() == MANIFEST.read_text()):
        raise NotBuilt("the Go collector is not built (`./dev test --real otelcol` does it)")
    return PROGRAM


def build(seconds=None):
    """The path of the program, built when it is not there. NotBuilt: no Go, no modules, or not within the time; what
    the compiler has done until then stays in Go's own cache, and the next call goes on from there."""
    if shutil.which("go") is None:
        raise NotBuilt("Go is not installed")
    FOLDER.mkdir(parents=True, exist_ok=True)
    with open(LOCK, "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            return built()
        except NotBuilt:
            STAMP.unlink(missing_ok=True)
        text = MANIFEST.read_text()
        version = re.search(r"^  version: (\S+)$", text, re.MULTILINE).group(1)
        manifest = FOLDER / "manifest.yaml"
        manifest.write_text(text.replace("dist:\n", f"dist:\n  output_path: {PROGRAM.parent}\n", 1))
        print(f"building the Go collector {version} (once; some minutes)", flush=True)
        run(["go", "run", f"go.opentelemetry.io/collector/cmd/builder@v{version}", "--config", manifest], seconds)
        STAMP.write_text(text)
        return PROGRAM


def run(command, seconds):
    """The builder, with all that it starts."""
    with open(LOG, "wb") as log:
        builder = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=FOLDER, start_new_session=True
        )
    try:
        status = builder.wait(seconds)
    except subprocess.TimeoutExpired:
        os.killpg(builder.pid, signal.SIGKILL)
        builder.wait()
        raise NotBuilt(f"the Go collector was not built within {seconds} s; the next run goes on from there") from None
    if status != 0 or not PROGRAM.exists():
        lines = LOG.read_text(errors="replace").strip().splitlines()
        raise NotBuilt(f"the Go collector was not built ({lines[-1] if lines else 'no output'}); see {LOG}")



class Otelcol:
    """One that runs, with a configuration of its own; a context. `program`: another one than that of the manifest;
    `gates`: feature gates that are opened."""

    def __init__(self, directory, configuration, program=None, environment=None, gates=()):
        self.program = program
        self.gates = [f"--feature-gates={gate}" for gate in gates]
        self.environment = {**os.environ, **(environment or {})}
        self.port = free_port()
        self.log = directory / "otelcol.log"
        self.path = directory / "otelcol.yaml"
        configuration = dict(configuration)
        configuration["extensions"] = {"health_check": {"endpoint": f"127.0.0.1:{self.port}"}}
        configuration["service"] = {
            **configuration["service"],
            "extensions": ["health_check"],
            "telemetry": {"metrics": {"level": "none"}},
        }
        self.path.write_text(json.dumps(configuration, indent=1))
        self.process = None

    def __enter__(self):
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [self.program or built(), "--config", self.path, *self.gates],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self.environment,
            )
        try:
            until(self.is_healthy_or_dead, lambda: f"it does not start:\n{self.said()}", 60)
            assert self.process.poll() is None, self.said()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def is_healthy_or_dead(self):
        if self.process.poll() is not None:
            return True
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/", timeout=5) as answer:
                return answer.status == 200
        except OSError:
            return False

    def said(self):
        return self.log.read_text(errors="replace")[-3000:]
