"""A clock that the experiment moves, under the real program: chaos/clock/shim.c."""

import mmap
import os
import struct
from pathlib import Path

from .errors import Skipped
from .victim import ROOT

SHIM = Path(os.environ.get("HOLDFAST_CLOCK", ROOT / "build" / "chaos" / "clock_shim.so"))
SECOND, HOUR, DAY = 1, 3600, 86_400
YEAR = 365 * DAY


class Clock:
    """Give `environment` to a Holdfast; then its clocks are those of this machine plus what `move` has added."""

    def __init__(self, lab):
        if not SHIM.exists():
            raise Skipped(f"{SHIM} is missing: cmake --build build --target clock_shim")
        path = lab.directory / f"clock{lab.random.getrandbits(32):08x}"
        path.write_bytes(bytes(16))
        self.unix = self.monotonic = 0
        with open(path, "r+b") as file:
            self.offsets = mmap.mmap(file.fileno(), 16)
        self.environment = {"LD_PRELOAD": str(SHIM), "HF_CLOCK": str(path)}

    def move(self, unix=0, monotonic=0):
        """Seconds, of Unix time alone (someone sets the clock) or of both (time passes)."""
        self.unix += unix
        self.monotonic += monotonic
        struct.pack_into("=qq", self.offsets, 0, int(self.unix * 1e9), int(self.monotonic * 1e9))

    def pass_by(self, seconds):
        self.move(seconds, seconds)
