"""A container in a pod without a runtime: the image's root, read only, with mounts, a user and a network namespace of its own.

What it needs (mounts, chroot, setns) only root may do."""

import ctypes
import os
import subprocess
import threading

_LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNS, CLONE_NEWNET = 0x20000, 0x40000000
MS_RDONLY, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 1, 32, 4096, 0x4000, 0x40000
USER = 10001
# As conf/image/image.py writes it.
IMAGE_ENVIRONMENT = {"PATH": "/usr/bin", "HOLDFAST_HEALTH": "0.0.0.0:13133"}


def enter_network(namespace):
    """A function after whose call its thread, and what that starts, is in that network namespace."""

    def enter():
        if _LIBC.setns(namespace, CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "setns")

    return enter


def mount(source, target, flags):
    if _LIBC.mount(os.fsencode(source), os.fsencode(target), None, flags, None) != 0:
        raise OSError(ctypes.get_errno(), f"mount {source} at {target}")


class Box:
    """What a container sees. `mounts`: {path in it: (folder or file outside, writable)}."""

    def __init__(self, root, mounts, user=USER, group=None, namespace=None):
        self.root, self.user, self.namespace = root, user, namespace
        self.group = user if group is None else group
        self.mounts = {**{f"/{name}": (f"/{name}", True) for name in ("dev", "proc", "sys")}, **mounts}
        for path, (source, _) in self.mounts.items():
            place = root / path.lstrip("/")
            if not place.exists():
                # As a runtime does it, before the root is read only.
                place.parent.mkdir(parents=True, exist_ok=True)
                place.mkdir() if os.path.isdir(source) else place.touch()

    def enter(self):
        """For the child, before it becomes the container's process."""
        if self.namespace is not None:
            enter_network(self.namespace)()
        if _LIBC.unshare(CLONE_NEWNS) != 0:
            raise OSError(ctypes.get_errno(), "unshare")
        mount("none", "/", MS_REC | MS_PRIVATE)
        mount(self.root, self.root, MS_BIND)
        mount("none", self.root, MS_REMOUNT | MS_BIND | MS_RDONLY)
        for path, (source, writable) in self.mounts.items():
            target = f"{self.root}{path}"
            mount(source, target, MS_BIND | MS_REC)
            if not writable:
                mount("none", target, MS_REMOUNT | MS_BIND | MS_RDONLY)
        os.chroot(self.root)
        os.chdir("/")
        os.setgroups([])
        os.setgid(self.group)
        os.setuid(self.user)


class Network:
    """The network of a pod that nobody else reaches: these addresses on its loopback. A context."""

    def __init__(self, *addresses):
        commands = ["ip link set lo up", *(f"ip address add {one}/32 dev lo" for one in addresses), "echo up", "exec sleep infinity"]
        self.holder = subprocess.Popen(
            ["unshare", "--net", "sh", "-ec", "; ".join(commands)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE
        )
        assert self.holder.stdout.readline() == b"up\n"
        self.namespace = os.open(f"/proc/{self.holder.pid}/ns/net", os.O_RDONLY)
        self.inside = ["nsenter", f"--target={self.holder.pid}", "--net"]

    def call(self, function, *arguments):
        """The function's result; it and what it starts (servers, threads) are in the network."""
        results = []

        def run():
            enter_network(self.namespace)()
            results.append(function(*arguments))

        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
        assert results, "the function failed"
        return results[0]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.holder.kill()
        self.holder.wait()
        self.holder.stdout.close()
        os.close(self.namespace)
