"""The checkers of tests/crash, as experiments."""

import re
import subprocess

from .errors import Broken, Skipped
from .victim import BINARY, ROOT

NAMES = ("crash_points", "power_cut", "every_byte", "crash_victim", "crash_shim.so")


def _folder():
    """Where they are built; a debug build has its own assertions on."""
    for folder in (BINARY.parent, ROOT / "build/debug", ROOT / "build"):
        if all((folder / "tests/crash" / name).exists() for name in NAMES):
            return folder / "tests/crash"
    for folder in (ROOT / "build/debug", BINARY.parent, ROOT / "build"):
        if (folder / "build.ninja").is_file():
            targets = [name.removesuffix(".so") for name in NAMES]
            words = ["cmake", "--build", folder, "--target", *targets]
            if subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, check=False).returncode == 0:
                return folder / "tests/crash"
    raise Skipped("tests/crash is not built: cmake --preset debug; ./dev build debug")


def shim():
    return _folder() / "crash_shim.so"


def run_checker(lab, name, words, needs=("crash_victim", "crash_shim.so")):
    """One sweep; its last line is kept, its counts are the faults."""
    folder = _folder()
    command = [folder / name, *(folder / need for need in needs), *words]
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, cwd=lab.directory
    )
    lines = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
    last = lines[-1] if lines else "it said nothing"
    found = re.findall(r"(\d+) (?:points|states|faults|kills|errors|runs|cuts)", " ".join(lines[-12:]))
    lab.fault(sum(map(int, found)) if found else 0)
    lab.note(f"{name} {' '.join(words)}: {last}")
    if done.returncode != 0:
        raise Broken("\n".join(lines[-12:]))
