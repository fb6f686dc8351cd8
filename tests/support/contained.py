"""Runs a command in an unpacked image as a runtime would: read-only root, own network, some user, one volume.

    unshare --mount --net [--map-root-user] python3 contained.py ROOT VOLUME UID COMMAND...

Ends as the command ends, passes SIGTERM on, and stays where others may enter the network by nsenter.
"""

import fcntl
import os
import signal
import socket
import struct
import subprocess
import sys

SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1


def set_loopback_up():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("16sh14x", b"lo", 0)
        flags = struct.unpack("16sh14x", fcntl.ioctl(any_socket, SIOCGIFFLAGS, request))[1]
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", flags | IFF_UP))


def mount(*arguments):
    subprocess.run(["mount", *arguments], check=True)


def main():
    root, volume, user, *command = sys.argv[1:]
    set_loopback_up()
    mount("--bind", root, root)
    mount("-o", "remount,bind,ro", root)
    for folder in ("dev", "proc"):
        mount("--rbind", f"/{folder}", f"{root}/{folder}")
    mount("--bind", volume, f"{root}/var/lib/holdfast")
    os.chdir("/")
    if "IS_ROOT" in os.environ:
        del os.environ["IS_ROOT"]
        inside = ["chroot", f"--userspec={user}:{user}", "--groups=", root, *command]
    else:
        inside = ["unshare", "--user", f"--map-user={user}", f"--map-group={user}", f"--root={root}", *command]
    child = subprocess.Popen(inside)
    signal.signal(signal.SIGTERM, lambda *_: child.send_signal(signal.SIGTERM))
    sys.exit(child.wait())


if __name__ == "__main__":
    main()
