"""A server of others as a child process, in a folder of its own. A part derives one class from it."""

import json
import subprocess
import urllib.error
import urllib.parse
import urllib.request

from support.ports import free_port
from support.waiting import until

STOP_SECONDS = 30


class Service:
    name = None  # of its folder
    ready = "/ready"  # a page that answers 2xx once it takes data
    start_seconds = 300  # on a busy machine

    def __init__(self, directory, name=None, host="127.0.0.1", port=None):
        self.home = directory / (name or self.name)
        self.home.mkdir(parents=True)
        self.host, self.port = host, port or free_port()
        self.url = f"http://{self.host}:{self.port}"
        self.process = None

    def command(self):
        """The program and its arguments."""
        raise NotImplementedError

    def environment(self):
        """Its environment; None: that of this process."""
        return None

    def start(self):
        with open(self.home / "log", "ab") as log:
            self.process = subprocess.Popen(
                [str(word) for word in self.command()],
                cwd=self.home,
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        until(self.is_ready_or_dead, self.said, self.start_seconds, 0.2)
        assert self.process.poll() is None, self.said()
        return self

    def said(self):
        return (self.home / "log").read_text(errors="replace")[-3000:]

    def is_ready_or_dead(self):
        try:
            return self.process.poll() is not None or self.read(self.ready) is not None
        except OSError:
            return False

    def kill(self):
        """The end without a warning."""
        self.process.kill()
        self.process.wait(STOP_SECONDS)

    def terminate(self):
        """Asks for a graceful end."""
        self.process.terminate()
        self.process.wait(STOP_SECONDS)

    def close(self):
        if self.process and self.process.poll() is None:
            self.kill()

    def read(self, path, **query):
        """The text of a page; OSError when it is no success."""
        encoded = f"?{urllib.parse.urlencode(query)}" if query else ""
        with urllib.request.urlopen(f"{self.url}{path}{encoded}", timeout=30) as answer:
            return answer.read().decode()

    def ask(self, path, **query):
        """The parsed JSON of a page."""
        return json.loads(self.read(path, **query))
