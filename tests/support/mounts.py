"""A command that runs another one with mounts of its own, which nobody else sees."""

from pathlib import Path


def own_mounts():
    """In a chroot the root is no mount point, so that unshare cannot change its propagation: there it is for the
    chroot's maker to keep mounts to itself."""
    points = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    return ["unshare", "--mount", *([] if "/" in points else ["--propagation=unchanged"])]
