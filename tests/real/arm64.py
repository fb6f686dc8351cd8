"""Holdfast's lowest layers on arm64: cross-compiled in a root of their own, their unit tests run under qemu-user.

Needs root and the network of apt. The root and the build stay in build/, so that the next run takes less time."""

import os
import subprocess

from .tools import ROOT, judge

SECONDS = 5400
LAYERS = ("util", "pdata", "wal")


def main(directory):
    del directory  # the root is kept
    if os.geteuid() != 0:
        raise SystemExit("arm64: debootstrap and chroot need root")
    run = {"cwd": ROOT, "stdin": subprocess.DEVNULL, "check": False, "timeout": SECONDS}
    built = subprocess.run(["./dev", "cross", "arm64", *(f"check_{layer}" for layer in LAYERS)], **run)
    if built.returncode != 0:
        return False
    done = subprocess.run(["./dev", "cross", "arm64", "--test", *LAYERS], **run, stdout=subprocess.PIPE, text=True)
    print("\n".join(done.stdout.splitlines()[-30:]))
    rows = [line.split() for line in done.stdout.splitlines() if " Test " in line and "#" in line]
    passed = {f"arm64: {words[words.index('Test') + 2]}" for words in rows if "Passed" in words}
    failed = {f"arm64: {words[words.index('Test') + 2]}" for words in rows if "Passed" not in words}
    return judge("arm64", failed, passed) and bool(passed)
