"""A machine for the commands of the documentation: /etc, /var/lib, /var/log, /mnt and the network are its own.

Commands are run as they are written, with their ports and paths, and nothing outside reaches them. The names of the
documentation's backends (*.example.com) have an address there that receivers on IPv4 addresses leave free.
"""

import os
import signal
import subprocess

from .holdfast import BINARY, ROOT
from .mounts import own_mounts
from .waiting import until

BACKEND_ADDRESS = "fd00::9"
BACKENDS = ("gateway.example.com", "tempo.example.com", "loki.example.com", "fleet.example.com")
HOLDER = """
ip link set lo up
ip -6 address add {address}/128 dev lo nodad
mkdir -p {folder}/over {folder}/var-lib {folder}/var-log {folder}/mnt {folder}/home/build {folder}/bin
mount -t tmpfs none {folder}/over
mkdir {folder}/over/upper {folder}/over/work
mount -t overlay overlay -o lowerdir=/etc,upperdir={folder}/over/upper,workdir={folder}/over/work /etc
mount --bind {folder}/var-lib /var/lib
mount --bind {folder}/var-log /var/log
mount --bind {folder}/mnt /mnt
echo up
exec sleep infinity
"""


class Done:
    """How a command ended."""

    def __init__(self, command, status, out):
        self.command, self.status, self.out = command, status, out

    def __repr__(self):
        return f"{self.command}: {self.status}\n{self.out[-3000:]}"


class Sandbox:
    """A context. `home` is the folder that commands are run in: it looks like the tree with a built program."""

    def __init__(self, folder, environment=None):
        self.folder, self.home = folder, folder / "home"
        folder.mkdir(exist_ok=True)
        self.environment = {
            **os.environ,
            "PATH": f"{folder}/bin:{os.environ['PATH']}",
            "HOLDFAST_EPHEMERAL": "0",
            **(environment or {}),
        }
        self.servers = []

    def __enter__(self):
        as_root = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
        script = HOLDER.format(folder=self.folder, address=BACKEND_ADDRESS)
        self.holder = subprocess.Popen(
            [*own_mounts(), *as_root, "--net", "sh", "-ec", script], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE
        )
        assert self.holder.stdout.readline() == b"up\n"
        self.inside = [
            *("nsenter", f"--target={self.holder.pid}", "--mount", "--net"),
            *(["--user", "--preserve-credentials"] if as_root else []),
            f"--wd={self.home}",
        ]
        for link in (self.folder / "bin" / "holdfast", self.home / "build" / "holdfast"):
            link.symlink_to(BINARY)
        for name in ("docs", "conf", "tests", "charts"):
            (self.home / name).symlink_to(ROOT / name)
        self.add_program("systemctl", "exit 0")  # what it starts and stops is for the test of the package
        self.run(f"printf '{BACKEND_ADDRESS} %s\\n' {' '.join(BACKENDS)} >> /etc/hosts")
        return self

    def __exit__(self, *_):
        for server in reversed(self.servers):
            if server.poll() is None:
                server.kill()
            server.wait()
        self.holder.kill()
        self.holder.wait()
        self.holder.stdout.close()

    def add_program(self, name, script):
        path = self.folder / "bin" / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def write(self, path, text):
        """Absolute paths are those of the sandbox."""
        self.run(f'mkdir -p "$(dirname "{path}")" && cat > "{path}"', input=text)

    def run(self, command, input=None, seconds=60, status=0):
        """Runs a line of bash to its end."""
        done = subprocess.run(
            [*self.inside, "bash", "-c", command],
            input="" if input is None else input,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=self.environment,
            check=False,
            timeout=seconds,
        )
        found = Done(command, done.returncode, done.stdout)
        assert status is None or found.status == status, found
        return found

    def begin(self, command, log):
        """Starts a server, which stays; what it says goes into the file."""
        with open(self.folder / log, "ab") as file:
            server = subprocess.Popen(
                [*self.inside, "bash", "-c", f"exec {command}"],
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                env=self.environment,
            )
        self.servers.append(server)
        return server

    def log(self, name):
        return (self.folder / name).read_text(errors="replace")

    # ---- Holdfast in it ----

    def start(self, command, port=13133):
        """Starts Holdfast and waits until it is ready; its health is at that port."""
        server = self.begin(command, "log")

        def is_ready():
            assert server.poll() is None, f"{command} ended with {server.returncode}:\n{self.log('log')[-3000:]}"
            return self.run(f"curl -sf -m 5 -o /dev/null localhost:{port}", status=None).status == 0

        until(is_ready, lambda: f"{command} is not ready:\n{self.log('log')[-3000:]}")
        return server

    def stop(self, server):
        server.send_signal(signal.SIGTERM)
        assert server.wait(60) == 0, self.log("log")[-3000:]
