"""Holdfast on arm64, cross-compiled in a root of its own: the unit tests of its lowest layers run under qemu-user, and so does
the whole program, in the image that is made of it, with end-to-end tests.

Needs root and the network of apt. The root and the build stay in build/, so that the next run takes less time."""

import io
import json
import os
import shutil
import subprocess
import sys
import tarfile

from .tools import ROOT, judge

SECONDS = 5400
LAYERS = ("util", "pdata", "wal")
ARCHIVE = ROOT / "build/image/holdfast-arm64.tar"
# What the whole program is asked for: transports, and the queue through kills and outages.
FILES = ("durability", "grpc_receiver")
EMULATOR = ROOT / "build/root-arm64/usr/bin/qemu-aarch64-static"
WRAPPER = """#!/bin/sh
exec {emulator} -L {root} {root}/usr/bin/holdfast "$@"
"""


def main(directory):
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
    (passed if try_image(directory, run) else failed).add("arm64: image")
    return judge("arm64", failed, passed) and len(passed) > 1


def try_image(directory, run):
    """Do end-to-end tests pass with the program of the image?"""
    if subprocess.run(["./dev", "image", "--arch", "arm64", ARCHIVE], **run).returncode != 0:
        return False
    root = directory / "image"
    unpack(ARCHIVE, root)
    wrapper = directory / "holdfast"
    wrapper.write_text(WRAPPER.format(emulator=EMULATOR, root=root))
    wrapper.chmod(0o755)
    tests = [f"tests/integration/test_{name}.py" for name in FILES]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-c", "tests/pytest.ini", "-q", "-n", "4", *tests],
        **run,
        env={**os.environ, "HOLDFAST_BINARY": str(wrapper)},
    )
    return done.returncode == 0


def unpack(archive, root):
    """The root file system of an image of one layer."""
    with tarfile.open(archive) as file:

        def blob(descriptor):
            return file.extractfile("blobs/" + descriptor["digest"].replace(":", "/")).read()

        (listed,) = json.loads(file.extractfile("index.json").read())["manifests"]
        manifest = json.loads(blob(listed))
        assert json.loads(blob(manifest["config"]))["architecture"] == "arm64"
        (layer,) = manifest["layers"]
        shutil.rmtree(root, ignore_errors=True)
        with tarfile.open(fileobj=io.BytesIO(blob(layer))) as files:
            files.extractall(root)
