"""A file system that turns read-only under it, and a directory that belongs to somebody else."""

import os
import subprocess

from harness.places import ext4
from harness.plain import logs_request, post
from harness.victim import configuration, grpc_exporter
from harness.waiting import until

PROMISE = "B3, B1: what cannot be stored is not acknowledged; nothing but rights is needed to go on"
FAULT = "an ext4 aborted to read-only under load (as after an error of its disk), and mounted anew; its owner changed under load"
HOLDS = "refused with 503 and not ready while it cannot write; lives; the start says why; lost 0"

NOBODY = 65534


def run(lab):
    for turn in range(lab.count(2, 20)):
        aborted(lab, turn)
    for turn in range(lab.count(2, 20)):
        owned_by_another(lab, turn)


def refuses(lab, holdfast, what):
    until(lambda: post(holdfast, logs_request(1)) == 503, f"intake is not refused with 503 {what}", 10)
    until(lambda: holdfast.health() == 503, f"ready {what}", 5)
    lab.require(holdfast.is_running(), f"ended {what}: {holdfast.last_words()}")


def aborted(lab, turn):
    place = ext4(lab, 256, f"disk{turn}")
    lab.new_truth(items=20)
    sink = lab.sink()
    holdfast = lab.holdfast(configuration({"otlp": grpc_exporter(sink)}), data=place / "data")
    holdfast.start()
    lab.load_all(holdfast, rate=3_000)
    lab.wait_acknowledged(1_000)
    if turn % 2:
        sink.order("code 14")
        lab.wait_acknowledged(1_000)
    if subprocess.run(["mount", "-o", "remount,abort", place], capture_output=True, check=False).returncode != 0:
        lab.skip("this kernel does not abort an ext4 when told")
    lab.fault()
    refuses(lab, holdfast, "on a file system that became read-only")
    sink.order("ok")
    # What is stored can be read, and leaves.
    until(lambda: lab.truth.check(sink)["lost"] == 0, "draining does not go on while the disk is read-only", 15, 0.1)
    holdfast.kill9()
    remount(lab, place, turn)
    lab.recovered(holdfast.start())
    lab.wait_acknowledged(200)
    lab.settle()
    lab.require(holdfast.terminate()[0] == 0, "a bad end")
    subprocess.run(["umount", place], check=True)


def remount(lab, place, turn):
    """As an operator would: checked, and mounted again."""
    image = lab.directory / f"disk{turn}.img"
    subprocess.run(["umount", place], check=True)
    subprocess.run(["e2fsck", "-fp", image], capture_output=True, check=False)
    subprocess.run(["mount", "-o", "loop", image, place], check=True)


def owned_by_another(lab, turn):
    """Nobody's Holdfast; the directory becomes root's, and later nobody's again."""
    lab.directory.chmod(0o755)
    lab.new_truth(items=20)
    sink = lab.sink()
    home = lab.directory / f"home{turn}"
    home.mkdir()
    os.chown(home, NOBODY, NOBODY)
    exporter = grpc_exporter(sink, sending_queue={"max_bytes": 64 << 20})
    holdfast = lab.holdfast(configuration({"otlp": exporter}), data=home / "data")
    holdfast.before_exec = lambda: (os.setgid(NOBODY), os.setuid(NOBODY))
    os.chmod(holdfast.directory, 0o777)
    holdfast.start()
    lab.load_all(holdfast, rate=3_000)
    lab.wait_acknowledged(1_000)
    take(holdfast.data, 0)
    lab.fault()
    # Its files are open: it goes on, or refuses; it does not die, and says nothing that is not true.
    lab.pause(1)
    lab.require(holdfast.is_running(), f"ended when its directory was taken away: {holdfast.last_words()}")
    holdfast.kill9()
    holdfast.spawn()
    lab.pause(1)
    lab.require(not holdfast.is_running() or holdfast.health() == 503, "ready in a directory that it may not write")
    until(lambda: "may not" in holdfast.log() or "right" in holdfast.log() or "ermission" in holdfast.log(), "no word why")
    if not holdfast.is_running():
        lab.require(holdfast.process.returncode > 0, f"ended with {holdfast.process.returncode}")
    take(holdfast.data, NOBODY)
    if holdfast.is_running():
        holdfast.wait_ready(10)
    else:
        lab.recovered(holdfast.start())
    lab.wait_acknowledged(200)
    lab.settle()
    holdfast.terminate()


def take(data, user):
    for top, folders, files in os.walk(data):
        for name in (".", *folders, *files):
            os.chown(os.path.join(top, name), user, user)
    os.chmod(data, 0o700)
