"""What the tests of the packages share."""

import subprocess

UNIT = "usr/lib/systemd/system/holdfast.service"
CONFFILES = ["/etc/holdfast/config.yaml", "/etc/holdfast/holdfast.conf"]


def run(*command, **options):
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, check=False, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
