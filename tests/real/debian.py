"""On another release of Debian, in a root made by debootstrap: the tarball of this one, before anything is installed there; then
the build, the unit tests and the end-to-end tests.

Needs root and the network of apt and pip. The root stays in build/root-RELEASE, so that the next run takes less time.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from support.holdfast import BINARY

from .tools import ROOT, judge

MAKE_SECONDS, TEST_SECONDS = 900, 3000
RELEASES = ("bookworm", "trixie")
STAGES = ("release", "unit", "e2e")
# Of the end-to-end tests what the tarball's program is asked for: transports, the queue, TLS, files in other encodings.
TARBALL_FILES = ("durability", "grpc_receiver", "http_receiver", "security", "filelog")
HERE = "/work/tree"  # where the tree is in the root
AUTHORITIES = Path("etc/ssl/certs/ca-certificates.crt")


def own_release():
    """The code name of this machine's release."""
    text = Path("/etc/os-release").read_text()
    found = re.search(r"^VERSION_CODENAME=(\w+)$", text, re.MULTILINE)
    return found and found[1]


def make_root(release):
    folder = ROOT / "build" / f"root-{release}"
    stamp = folder / "etc" / "holdfast-root"
    if stamp.exists():
        return folder
    if shutil.which("debootstrap") is None:
        subprocess.run(["apt-get", "install", "-y", "-qq", "debootstrap"], stdin=subprocess.DEVNULL, check=True)
    print(f"making a root of {release} in {folder}", flush=True)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with open(ROOT / "build" / f"root-{release}.log", "wb") as log:
        subprocess.run(
            ["debootstrap", "--variant=minbase", "--include=ca-certificates", release, folder],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            check=True,
            timeout=MAKE_SECONDS,
        )
    stamp.touch()
    return folder


def copy_tree(folder):
    """What git knows and what is new, without what is ignored; builds that are there stay."""
    target = folder / HERE[1:]
    target.mkdir(parents=True, exist_ok=True)
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
    ).stdout.split(b"\0")
    wanted = {os.fsdecode(name) for name in listed if name and (ROOT / os.fsdecode(name)).is_file()}
    for path in [path for path in target.rglob("*") if path.is_file() and not path.is_symlink()]:
        name = str(path.relative_to(target))
        if name not in wanted and not name.startswith(("build/", ".venv/")):
            path.unlink()
    for name in sorted(wanted):
        source, copy = ROOT / name, target / name
        if not copy.exists() or copy.read_bytes() != source.read_bytes():
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, copy)


def borrow_network(folder):
    """Names and authorities are this machine's."""
    for name in (Path("etc/resolv.conf"), Path("etc/hosts"), AUTHORITIES):
        if (Path("/") / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(Path("/") / name, folder / name)


def run_in(folder, command, log):
    """In namespaces of its own, so that nothing of it stays, whatever becomes of it. The folder is the root of the mounts,
    more than a chroot, in which tests could make no root of their own. Without /sys the node exporter 1.9, a peer of the
    tests, ends at its first request."""
    enter = (
        'mount --make-rprivate / && mount --bind "$0" "$0" && cd "$0" && mkdir -p .outside && mount -t proc proc proc && '
        'pivot_root . .outside && exec chroot . "$@"'
    )
    inside = (
        "umount -l /.outside; mount -t tmpfs shm /dev/shm; mkdir -p /dev/pts; mount -t devpts devpts /dev/pts; mount -t sysfs sysfs /sys; "
        f"cd {HERE} && exec {command}"
    )
    return subprocess.run(
        [
            *("unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", enter, folder),
            *("/usr/bin/env", "-i", "HOME=/root", "LANG=C.UTF-8"),
            *("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", f"PIP_CERT=/{AUTHORITIES}"),
            *(f"{name}={value}" for name, value in os.environ.items() if name.lower().endswith("_proxy")),
            *("sh", "-c", inside),
        ],
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        check=False,
        timeout=TEST_SECONDS,
    ).returncode


# Starts the tarball's program in the root, where its files and the tests' are the same, as the process that was started.
WRAPPER = """#!/bin/sh
exec unshare --mount sh -ec '
    for path in /dev /proc /sys /tmp {tree}; do mount --rbind "$path" "$0$path"; done
    exec chroot "$0" env -C "$PWD" /opt/holdfast/bin/holdfast "$@"' {root} "$@"
"""


def try_tarball(folder, release):
    """Do end-to-end tests pass with the program of this machine's tarball in that root?"""
    place = folder / "opt" / "holdfast"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    (folder / str(ROOT)[1:]).mkdir(parents=True, exist_ok=True)
    made = ROOT / "build" / "tarball"
    shutil.rmtree(made, ignore_errors=True)
    subprocess.run([ROOT / "conf/package/tarball.sh", BINARY, made], stdin=subprocess.DEVNULL, check=True)
    (tarball,) = made.glob("*.tar.gz")
    subprocess.run(["tar", "-xzf", tarball, "-C", place, "--strip-components=1"], check=True)
    wrapper = made / f"holdfast-{release}"
    wrapper.write_text(WRAPPER.format(root=folder, tree=ROOT))
    wrapper.chmod(0o755)
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-c", "tests/pytest.ini", "-q", "-n", "4"),
            *(f"tests/integration/test_{name}.py" for name in TARBALL_FILES),
        ],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "HOLDFAST_BINARY": str(wrapper)},
        check=False,
        timeout=TEST_SECONDS,
    )
    return done.returncode == 0


def test_release(release):
    folder = make_root(release)
    copy_tree(folder)
    borrow_network(folder)
    failed, passed = set(), set()
    (passed if try_tarball(folder, release) else failed).add(f"{release}: tarball")
    for name in STAGES:
        log_path = ROOT / "build" / f"root-{release}-{name}.log"
        with open(log_path, "wb") as log:
            status = run_in(folder, f"./dev test {name}", log)
        (passed if status == 0 else failed).add(f"{release}: {name}")
        if status != 0:
            print("\n".join(log_path.read_text(errors="replace").splitlines()[-60:]))
            print(f"all of it: {log_path}")
    return judge("debian", failed, passed)


def main(directory):
    del directory  # the root is kept
    if os.geteuid() != 0:
        raise SystemExit("debian: debootstrap and chroot need root")
    return all([test_release(release) for release in RELEASES if release != own_release()])
