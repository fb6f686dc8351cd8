#!/usr/bin/env python3
"""Builds for another architecture, in a root with its compiler and libraries that debootstrap makes once in build/.

    cross.py ARCH PACKAGE... -- COMMAND...

The command runs in the root, in the tree. Of the packages those that are libraries are ARCH's, the others this machine's.
Its environment has CROSS_ARCH and what pkg-config and CMake need; programs of ARCH are run by qemu-user. Needs root.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2]
RELEASE = "bookworm"
INSIDE = "/work/tree"
TRIPLETS = {"arm64": "aarch64-linux-gnu"}
EMULATORS = {"arm64": "qemu-aarch64-static"}
BORROWED = (Path("etc/resolv.conf"), Path("etc/ssl/certs/ca-certificates.crt"))


def run_in(root, command, **environment):
    """The command's status. In namespaces of its own, so that nothing of it stays."""
    (root / INSIDE[1:]).mkdir(parents=True, exist_ok=True)
    proxies = {name: value for name, value in os.environ.items() if name.lower().endswith("_proxy")}
    variables = {"HOME": "/root", "LANG": "C.UTF-8", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", **proxies, **environment}
    mounts = f'mount --bind "$0" {root}{INSIDE}; mount -t tmpfs shm {root}/dev/shm; mount --rbind /sys {root}/sys; exec "$@"'
    return subprocess.run(
        [
            *("unshare", "--mount", "--pid", "--fork", "--kill-child", f"--mount-proc={root}/proc"),
            *("sh", "-ec", mounts, SOURCE, "chroot", root, "/usr/bin/env", "-i"),
            *(f"{name}={value}" for name, value in variables.items()),
            *("sh", "-ec", 'cd "$0" && exec "$@"', INSIDE, *command),
        ],
        stdin=subprocess.DEVNULL,
        check=False,
    ).returncode


def must(status, what):
    if status != 0:
        sys.exit(f"cross: {what} failed with {status}")


def make_root(arch, packages):
    root = SOURCE / "build" / f"root-{arch}"
    stamp = root / "etc" / "holdfast-root"
    wanted = " ".join(packages)
    if stamp.exists() and stamp.read_text() == wanted:
        return root
    if not (root / "usr/bin/apt-get").exists():
        if shutil.which("debootstrap") is None:
            subprocess.run(["apt-get", "install", "-y", "-qq", "debootstrap"], stdin=subprocess.DEVNULL, check=True)
        print(f"making a root in {root}", flush=True)
        root.mkdir(parents=True, exist_ok=True)
        command = ["debootstrap", "--variant=minbase", "--include=ca-certificates", RELEASE, root]
        subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True)
    for name in BORROWED:
        if (Path("/") / name).exists():
            shutil.copy(Path("/") / name, root / name)
    libraries = [f"{name}:{arch}" if name.startswith("lib") else name for name in packages if name != "build-essential"]
    quiet = ["-o", "Acquire::https::CaInfo=/etc/ssl/certs/ca-certificates.crt", "-qq"]
    must(run_in(root, ["dpkg", "--add-architecture", arch]), "dpkg")
    must(run_in(root, ["apt-get", *quiet, "update"]), "apt-get update")
    tools = [f"crossbuild-essential-{arch}", "qemu-user-static", "git", "python3"]
    install = ["apt-get", *quiet, "install", "-y", "--no-install-recommends", *tools, *libraries]
    must(run_in(root, install, DEBIAN_FRONTEND="noninteractive"), "apt-get install")
    stamp.write_text(wanted)
    return root


def main():
    if "--" not in sys.argv or len(sys.argv) < 4 or sys.argv[1] not in TRIPLETS:
        sys.exit(__doc__)
    if os.geteuid() != 0:
        sys.exit("cross: debootstrap and chroot need root")
    arch, end = sys.argv[1], sys.argv.index("--")
    root = make_root(arch, sys.argv[2:end])
    triplet = TRIPLETS[arch]
    environment = {
        "CROSS_ARCH": arch,
        "CROSS_TRIPLET": triplet,
        "CROSS_EMULATOR": f"/usr/bin/{EMULATORS[arch]}",
        "PKG_CONFIG_LIBDIR": f"/usr/lib/{triplet}/pkgconfig:/usr/share/pkgconfig",
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "safe.directory",
        "GIT_CONFIG_VALUE_0": "*",
    }
    if "SOURCE_DATE_EPOCH" in os.environ:
        environment["SOURCE_DATE_EPOCH"] = os.environ["SOURCE_DATE_EPOCH"]
    sys.exit(run_in(root, sys.argv[end + 1 :], **environment))


if __name__ == "__main__":
    main()
