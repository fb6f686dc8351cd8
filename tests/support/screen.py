"""A terminal without a terminal: a program on a pty, and its screen as pyte draws it."""

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios

import pyte

from .waiting import until


class Screen:
    """A running program; `lines()` and `text()` are what its terminal shows now. TERM is what pyte can do."""

    def __init__(self, command, columns=80, lines=24, environment=None, cwd=None):
        self.screen = pyte.Screen(columns, lines)
        self.stream = pyte.ByteStream(self.screen)
        self.raw = b""
        self.terminal, inner = pty.openpty()
        self._set_size(columns, lines)
        # setsid, and no preexec_fn: nothing of this process may run in the child, whose gRPC would abort.
        self.process = subprocess.Popen(
            ["setsid", "--ctty", *(str(word) for word in command)],
            stdin=inner,
            stdout=inner,
            stderr=inner,
            env={"LANG": "C.UTF-8", "TERM": "linux", "PATH": os.environ["PATH"], **(environment or {})},
            cwd=cwd,
        )
        os.close(inner)

    def _set_size(self, columns, lines):
        fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def resize(self, columns, lines):
        self.screen.resize(lines, columns)
        self._set_size(columns, lines)

    def read(self):
        """Takes what the program has written since."""
        while select.select([self.terminal], [], [], 0)[0]:
            try:
                piece = os.read(self.terminal, 1 << 16)
            except OSError:  # the program has ended
                return
            if not piece:
                return
            self.raw += piece
            self.stream.feed(piece)

    def lines(self):
        self.read()
        return [line.rstrip() for line in self.screen.display]

    def text(self):
        return "\n".join(self.lines())

    def press(self, keys):
        os.write(self.terminal, keys if isinstance(keys, bytes) else keys.encode())

    def wait_for(self, wanted, seconds=20):
        """Waits until the screen shows the text, or until the callable finds something true in its lines."""
        found = wanted if callable(wanted) else lambda lines: wanted in "\n".join(lines)
        return until(lambda: found(self.lines()), lambda: f"not {wanted!r} in:\n{self.text()}", seconds)

    def wait(self, seconds=20):
        """Waits for the program's end; its exit code."""
        until(lambda: self.read() or self.process.poll() is not None, "it does not end", seconds)
        return self.process.returncode

    def close(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait(10)
        os.close(self.terminal)
