"""The queue library killed, and failed, at every one of its file operations."""

from harness.crash import run_checker

PROMISE = "A2: a kill at any file operation, recovery included, loses nothing acknowledged"
FAULT = "SIGKILL before, after and half way through the n-th write, sync, rename, unlink; EIO and ENOSPC at the n-th"
HOLDS = "lost 0 at every point"


def run(lab):
    run_checker(lab, "crash_points", [] if lab.long else ["--limit", "560"])
    run_checker(lab, "crash_points", ["--errors"] + ([] if lab.long else ["--limit", "120"]))
