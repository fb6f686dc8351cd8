"""Places that a test makes and takes away: small file systems, memory cgroups, network namespaces."""

import ctypes
import os
import shutil
import subprocess
import sys
from pathlib import Path

from .errors import Broken, Skipped
from .waiting import until

_LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNS, CLONE_NEWNET, MS_REC, MS_PRIVATE = 0x20000, 0x40000000, 0x4000, 0x40000


def need_root(what):
    if os.geteuid() != 0:
        raise Skipped(f"needs root: {what}")


def own_mounts():
    """From here on this process mounts for itself and its children alone. Once is enough."""
    need_root("mounts of its own")
    if getattr(own_mounts, "done", False):
        return
    if _LIBC.unshare(CLONE_NEWNS) != 0 or _LIBC.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None) != 0:
        raise Skipped(f"no mount namespace of its own here: {os.strerror(ctypes.get_errno())}")
    own_mounts.done = True


def own_network(lab):
    """Until the end of the run this thread and what it starts have a loopback of their own."""
    need_root("a network of its own")
    before = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    if _LIBC.unshare(CLONE_NEWNET) != 0:
        os.close(before)
        raise Skipped(f"no network namespace here: {os.strerror(ctypes.get_errno())}")
    lab.stack.callback(os.close, before)
    lab.stack.callback(_LIBC.setns, before, CLONE_NEWNET)


def tmpfs(lab, size, name="small"):
    """A file system in memory of so many bytes, for this run."""
    own_mounts()
    place = lab.directory / name
    place.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", place], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise Skipped(f"no tmpfs can be mounted here: {done.stderr.strip()}")
    lab.stack.callback(subprocess.run, ["umount", "-l", place], capture_output=True, check=False)
    return place


def bind_over(lab, path, text):
    """For this run a file of the system has another content; returns the file to write to."""
    own_mounts()
    own = lab.directory / f"own-{Path(path).name}"
    own.write_text(text)
    if subprocess.run(["mount", "--bind", own, path], capture_output=True, check=False).returncode != 0:
        raise Skipped(f"{path} cannot be covered here")
    lab.stack.callback(subprocess.run, ["umount", path], check=False)
    return own


def remount(place, words):
    """`ro` or `rw`, for everybody; False when the kernel says it is busy."""
    return subprocess.run(["mount", "-o", f"remount,{words}", place], capture_output=True, check=False).returncode == 0


def ext4(lab, megabytes, name="disk"):
    """A file system in a file, through a loop device."""
    own_mounts()
    if not shutil.which("mkfs.ext4"):
        raise Skipped("mkfs.ext4 is missing")
    image, place = lab.directory / f"{name}.img", lab.directory / name
    place.mkdir()
    with open(image, "wb") as file:
        file.truncate(megabytes << 20)
    subprocess.run(["mkfs.ext4", "-q", "-F", "-m", "0", image], check=True, capture_output=True)
    done = subprocess.run(["mount", "-o", "loop", image, place], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Skipped(f"no loop device here: {done.stderr.strip()}")
    lab.stack.callback(subprocess.run, ["umount", "-l", place], capture_output=True, check=False)
    return place


# Eats memory beside the victim until the kernel must kill; the kernel may not take the eater.
HOG = """
import time
open('/proc/self/oom_score_adj', 'w').write('-1000')
open('{group}/cgroup.procs', 'w').write('0')
eaten = []
for _ in range({steps}):
    eaten.append(b'x' * (1 << 20))
    time.sleep(0.002)
time.sleep(60)
"""


class MemoryGroup:
    """A memory cgroup, version 1 or 2."""

    def __init__(self, lab, limit_bytes):
        need_root("a memory cgroup")
        self.two = Path("/sys/fs/cgroup/cgroup.controllers").exists()
        base = Path("/sys/fs/cgroup") if self.two else Path("/sys/fs/cgroup/memory") / _own_group().lstrip("/")
        if not self.two and not base.is_dir():
            base = Path("/sys/fs/cgroup/memory")
        self.path = base / f"holdfast-chaos-{os.getpid()}-{lab.random.getrandbits(24):06x}"
        try:
            if self.two and "memory" not in (base / "cgroup.subtree_control").read_text().split():
                (base / "cgroup.subtree_control").write_text("+memory")
            self.path.mkdir()
            self.limit(limit_bytes)
        except OSError as error:
            raise Skipped(f"no memory cgroup can be made here: {error}") from None
        lab.stack.callback(self.remove)

    def limit(self, limit_bytes):
        (self.path / ("memory.max" if self.two else "memory.limit_in_bytes")).write_text(str(limit_bytes))

    def join(self):
        """For the child, before it becomes the victim."""
        (self.path / "cgroup.procs").write_text(str(os.getpid()))

    def kills(self):
        """OOM kills so far; None when the kernel does not count them."""
        events = self.path / ("memory.events" if self.two else "memory.oom_control")
        words = dict(line.split()[:2] for line in events.read_text().splitlines() if len(line.split()) == 2)
        return int(words["oom_kill"]) if "oom_kill" in words else None

    def kill_by_oom(self, victim, limit_bytes):
        """Makes the kernel kill the victim, which is in the group and has an oom_score_adj of 1000, at that limit."""
        before = self.kills() or 0
        self.limit(limit_bytes)
        hog = subprocess.Popen([sys.executable, "-c", HOG.format(group=self.path, steps=limit_bytes >> 20)])
        try:
            until(lambda: not victim.is_running(), "the kernel does not kill", 20)
        finally:
            hog.kill()
            hog.wait()
        if victim.process.returncode != -9:
            raise Broken(f"ended with {victim.process.returncode}")
        if self.kills() is not None and self.kills() <= before:
            raise Broken("it was not the kernel")

    def peak(self):
        name = "memory.peak" if self.two else "memory.max_usage_in_bytes"
        return int((self.path / name).read_text()) if (self.path / name).exists() else None

    def working_set(self):
        """As a kubelet counts it: what is in use, without files that were not used lately."""
        used = int((self.path / ("memory.current" if self.two else "memory.usage_in_bytes")).read_text())
        rows = dict(line.split() for line in (self.path / "memory.stat").read_text().splitlines())
        return max(used - int(rows["inactive_file" if self.two else "total_inactive_file"]), 0)

    def remove(self):
        try:
            self.path.rmdir()
        except OSError:
            pass


class CpuGroup:
    """A share of the processors, where a group for it can be made; elsewhere nothing is limited."""

    PERIOD_US = 100_000

    def __init__(self, lab, cores):
        self.path = None
        base = Path("/sys/fs/cgroup/cpu") / _own_group("cpu").lstrip("/")
        path = base / f"holdfast-chaos-{os.getpid()}-{lab.random.getrandbits(24):06x}"
        try:
            path.mkdir()
            (path / "cpu.cfs_period_us").write_text(str(self.PERIOD_US))
            (path / "cpu.cfs_quota_us").write_text(str(int(cores * self.PERIOD_US)))
            self.path = path
        except OSError:
            return
        lab.stack.callback(self.remove)

    def join(self):
        if self.path is not None:
            (self.path / "cgroup.procs").write_text(str(os.getpid()))

    def remove(self):
        try:
            self.path.rmdir()
        except OSError:
            pass


def _own_group(controller="memory"):
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        if controller in controllers.split(","):
            return path
    return "/"
