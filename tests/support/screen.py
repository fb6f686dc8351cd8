"""A terminal without a terminal: a program on a pty, and its screen as pyte draws it."""

import fcntl
import html
import itertools
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios

import pyte

from .waiting import until


COLORS = {"red": "#ff7b72", "green": "#56d364", "brown": "#e3b341", "blue": "#79c0ff", "cyan": "#76e3ea"}


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

    def svg(self):
        """The screen as a picture; bold and reversed text as the terminal shows it."""
        self.read()
        across, down = 8.4, 18
        width, height = self.screen.columns * across + 24, self.screen.lines * down + 20
        parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height}" font-size="14" '
            'font-family="DejaVu Sans Mono,Menlo,Consolas,monospace">',
            f'<rect width="{width:.0f}" height="{height}" rx="6" fill="#16191d"/>',
        ]
        for row in range(self.screen.lines):
            cells = [self.screen.buffer[row][column] for column in range(self.screen.columns)]
            y = 10 + (row + 1) * down - 5
            for style, group in itertools.groupby(enumerate(cells), lambda one: (one[1].bold, one[1].reverse, one[1].fg)):
                spell = list(group)
                text = "".join(cell.data for _, cell in spell)
                x, size = 12 + spell[0][0] * across, len(spell) * across
                bold, reverse, color = style
                shown = COLORS.get(color, "#d8dde3")
                if reverse:
                    parts.append(f'<rect x="{x:.1f}" y="{y - 13}" width="{size:.1f}" height="{down}" fill="{shown}"/>')
                fill, weight = "#16191d" if reverse else shown, "bold" if bold else "normal"
                for words in re.finditer(r"\S+(?: \S+)*", text):  # runs of spaces would be drawn as one
                    at, wide = x + words.start() * across, len(words.group()) * across
                    parts.append(
                        f'<text x="{at:.1f}" y="{y}" textLength="{wide:.1f}" fill="{fill}" font-weight="{weight}">'
                        f"{html.escape(words.group())}</text>"
                    )
        return "\n".join([*parts, "</svg>\n"])

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
