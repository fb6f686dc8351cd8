"""A virtual machine of a kernel, busybox and Holdfast, with a disk of its own that outlives it."""

import re
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request

from .errors import Broken, Skipped
from .victim import BINARY, ROOT
from .waiting import free_port, until

CACHE = ROOT / "build" / "chaos-machine"
MODULES = (
    "virtio virtio_ring virtio_pci_modern_dev virtio_pci_legacy_dev virtio_pci virtio_blk failover net_failover virtio_net"
).split()

INIT = """#!/bin/busybox sh
/bin/busybox mkdir -p /proc /sys /dev /data /tmp
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sys /sys
/bin/busybox mount -t devtmpfs dev /dev
# Their order is the kernel's affair: what needs another goes in later.
for turn in 1 2 3 4; do
    for module in {modules}; do /bin/busybox insmod /modules/$module.ko 2>/dev/null; done
done
/bin/busybox sleep 0.2
/bin/busybox ifconfig lo 127.0.0.1 up
/bin/busybox ifconfig eth0 10.0.2.15 netmask 255.255.255.0 up
/bin/busybox mount -t ext4 /dev/vda /data || {{ echo "no disk"; /bin/busybox poweroff -f; }}
/holdfast --config /config.yaml --data-dir /data/holdfast
echo "holdfast ended with $?"
/bin/busybox sleep 1000
"""


def _kernel():
    """The folder of an unpacked Debian cloud kernel; fetched once, not installed."""
    for tool in ("qemu-system-x86_64", "busybox", "mkfs.ext4", "cpio"):
        if not shutil.which(tool):
            raise Skipped(f"{tool} is missing: apt-get install qemu-system-x86 busybox-static e2fsprogs cpio")
    folder = CACHE / "kernel"
    if not list(folder.glob("boot/vmlinuz-*")):
        CACHE.mkdir(parents=True, exist_ok=True)
        try:
            shown = _output("apt-cache", "depends", "linux-image-cloud-amd64")
            package = re.search(r"Depends: (linux-image-\S+)", shown).group(1)
            _output("apt-get", "download", package)
            _output("dpkg", "-x", str(next(CACHE.glob(f"{package}_*.deb"))), str(folder))
        except (subprocess.CalledProcessError, AttributeError, StopIteration) as error:
            raise Skipped(f"the cloud kernel cannot be fetched: {error}") from None
    return folder


def _output(*command):
    return subprocess.run(command, cwd=CACHE, capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL).stdout


class Machine:
    """`boot()`, `cut()`, `boot()` again; the disk is an image in the run's directory."""

    def __init__(self, lab, config):
        kernel = _kernel()
        self.directory = lab.directory / "machine"
        self.vmlinuz = next(kernel.glob("boot/vmlinuz-*"))
        self.disk = self.directory / "disk.img"
        self.console = self.directory / "console"
        self.ports = {name: free_port() for name in ("GRPC", "HTTP", "HEALTH")}
        self.process = None
        root = self.directory / "root"
        (root / "bin").mkdir(parents=True)
        (root / "modules").mkdir()
        shutil.copy(shutil.which("busybox"), root / "bin/busybox")
        shutil.copy(BINARY, root / "holdfast")
        for library in re.findall(r"(/\S+\.so\S*)", _output("ldd", str(BINARY))):
            (root / library[1:]).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(library, root / library[1:])
        for name in MODULES:
            found = next(kernel.glob(f"lib/modules/*/kernel/**/{name}.ko"), None)
            if found:
                shutil.copy(found, root / "modules" / f"{name}.ko")
        (root / "init").write_text(INIT.format(modules=" ".join(MODULES)))
        (root / "init").chmod(0o755)
        (root / "config.yaml").write_text(config)
        names = "\n".join(str(path.relative_to(root)) for path in sorted(root.rglob("*"))) + "\n"
        with open(self.directory / "initramfs", "wb") as file:
            subprocess.run(["cpio", "-o", "-H", "newc", "--quiet"], input=names.encode(), stdout=file, cwd=root, check=True)
        with open(self.disk, "wb") as file:
            file.truncate(1 << 30)
        subprocess.run(["mkfs.ext4", "-q", "-F", self.disk], check=True, capture_output=True)

    def boot(self, seconds=300):
        """Returns the seconds until Holdfast was ready."""
        begun = time.monotonic()
        forwards = "".join(
            f",hostfwd=tcp:127.0.0.1:{self.ports[name]}-:{port}" for name, port in (("GRPC", 4317), ("HTTP", 4318), ("HEALTH", 13133))
        )
        with open(self.console, "ab") as console:
            self.process = subprocess.Popen(
                ["qemu-system-x86_64", "-accel", "tcg", "-cpu", "max", "-m", "512", "-smp", "1", "-nographic", "-no-reboot"]
                + ["-kernel", self.vmlinuz, "-initrd", self.directory / "initramfs"]
                # A slow host looks like a broken timer to a kernel that checks.
                + ["-append", "console=ttyS0 quiet panic=-1 no_timer_check"]
                + ["-drive", f"file={self.disk},format=raw,if=virtio,cache=none"]
                + ["-netdev", f"user,id=net{forwards}", "-device", "virtio-net-pci,netdev=net,romfile="],
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
            )
        until(self.is_ready, lambda: f"the machine is not ready: {self.last_words()}", seconds, 0.1)
        return time.monotonic() - begun

    def is_ready(self):
        if self.process.poll() is not None:
            raise Broken(f"the machine ended: {self.last_words()}")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.ports['HEALTH']}/", timeout=2) as answer:
                return answer.status == 200
        except (urllib.error.HTTPError, OSError, socket.timeout, ValueError):
            return False

    def last_words(self):
        return " | ".join(self.console.read_text(errors="replace").splitlines()[-6:])

    def cut(self):
        """The power is gone."""
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)

    @property
    def grpc(self):
        return f"127.0.0.1:{self.ports['GRPC']}"

    @property
    def http(self):
        return f"127.0.0.1:{self.ports['HTTP']}"
