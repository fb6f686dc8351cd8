"""A node and its pods without a kubelet: the image's root, the container's environment, user, mounts and limits, and a
network namespace for each pod."""

import os
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

from .errors import Broken, Skipped
from .places import CpuGroup, MemoryGroup, own_mounts, own_network
from .victim import BINARY, ROOT, Holdfast

sys.path.insert(0, str(ROOT / "tests"))

from support.pod import IMAGE_ENVIRONMENT, Box  # noqa: E402

HEALTH, METRICS = 13133, 8888
UNITS = {"Mi": 1 << 20, "Gi": 1 << 30}


def amount(text):
    """Bytes of "512Mi", or cores of "500m"."""
    if text.endswith("m"):
        return int(text[:-1]) / 1000
    return int(text[:-2]) * UNITS[text[-2:]]


def run(*command):
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Skipped(f"{' '.join(map(str, command))}: {done.stderr.strip()}")


class Node:
    """The network of a node, a bridge with its pods, and the root that its containers start from."""

    ADDRESS, PREFIX = "10.244.0.1", "10.244.0"

    def __init__(self, lab):
        own_mounts()
        own_network(lab)
        self.lab, self.pods = lab, 0
        run("ip", "link", "set", "lo", "up")
        run("ip", "link", "add", "pods", "type", "bridge")
        run("ip", "address", "add", f"{self.ADDRESS}/24", "dev", "pods")
        run("ip", "link", "set", "pods", "up")
        self.root = lab.directory / "root"
        self.root.mkdir()
        for folder in (lab.directory, *lab.directory.parents):
            if folder.stat().st_uid == os.geteuid() and folder.stat().st_mode & 0o005 != 0o005:
                folder.chmod(folder.stat().st_mode | 0o011)
        done = subprocess.run(
            ["/usr/bin/python3", ROOT / "conf/image/image.py", "--root", BINARY, self.root],
            env={**os.environ, "SOURCE_DATE_EPOCH": "0"},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise Skipped(f"the image's root cannot be made here: {done.stderr.strip()}")

    def service(self, address):
        """An address that every pod reaches."""
        run("ip", "address", "add", f"{address}/32", "dev", "lo")
        return address

    def pod(self):
        """A pod's network: (its address, a descriptor of its namespace)."""
        self.pods += 1
        name, address = f"pod{self.pods}", f"{self.PREFIX}.{10 + self.pods}"
        holder = subprocess.Popen(["unshare", "--net", "sh", "-c", "echo; exec sleep infinity"], stdout=subprocess.PIPE)
        try:
            holder.stdout.readline()
            namespace = os.open(f"/proc/{holder.pid}/ns/net", os.O_RDONLY)
            self.lab.stack.callback(os.close, namespace)
            run("ip", "link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", holder.pid)
            run("ip", "link", "set", name, "master", "pods", "up")
            inside = ("nsenter", f"--target={holder.pid}", "--net", "ip")
            run(*inside, "link", "set", "lo", "up")
            run(*inside, "address", "add", f"{address}/24", "dev", "eth0")
            run(*inside, "link", "set", "eth0", "up")
            run(*inside, "route", "add", "default", "via", self.ADDRESS)
        finally:
            holder.kill()
            holder.wait()
        return address, namespace


class Container(Holdfast):
    """A container of a manifest. `mounts`: {path in it: (folder or file of the node, writable)}; a kubelet starts it again
    after its end, in the same pod: its volumes stay."""

    def __init__(self, node, name, manifest, config, network, mounts, environment=None):
        super().__init__(node.lab.directory / name, {}, data=node.lab.directory / name / "volume")
        self.address, namespace = network
        self.arguments = manifest["args"]
        (self.directory / "etcotelcol").mkdir()
        (self.directory / "etcotelcol" / "config.yaml").write_text(config)
        self.data.mkdir(mode=0o777)
        self.data.chmod(0o777)
        own = {"/etc/otelcol": (self.directory / "etcotelcol", False), "/var/lib/holdfast": (self.data, True)}
        self.box = Box(node.root, {**own, **mounts}, namespace=namespace)
        self.environment = {**IMAGE_ENVIRONMENT, "HOLDFAST_EPHEMERAL": "1", **(environment or {})}
        limits = manifest["resources"]["limits"]
        self.memory_limit = amount(limits["memory"])
        self.group = MemoryGroup(node.lab, self.memory_limit)
        self.cpu = CpuGroup(node.lab, amount(limits["cpu"]))

    def _enter(self):
        self.group.join()
        self.cpu.join()
        Path("/proc/self/oom_score_adj").write_text("1000")
        self.box.enter()

    def spawn(self):
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                ["/otelcol-contrib", *self.arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self.environment,
                preexec_fn=self._enter,
            )
        return self

    def lose_volume(self):
        """What becomes of an emptyDir when its pod is gone."""
        shutil.rmtree(self.data)
        self.data.mkdir()
        self.data.chmod(0o777)

    def let_queues_stay(self):
        """From its next start on its volume is one that outlives the pod."""
        self.environment["HOLDFAST_EPHEMERAL"] = "0"
        self.terminate(40)
        self.spawn().wait_ready()

    def kill_by_oom(self):
        """As when it needs more than its limit; that is lowered meanwhile, so that the machine need not have as much."""
        self.group.kill_by_oom(self, min(self.memory_limit, self.memory() + (96 << 20)))
        self.group.limit(self.memory_limit)

    # ---- what it says: its pod's addresses are reached from the node ----

    @property
    def grpc(self):
        return f"{self.address}:4317"

    @property
    def http(self):
        return f"{self.address}:4318"

    def health(self):
        """What the probes of the manifest ask."""
        try:
            with urllib.request.urlopen(f"http://{self.address}:{HEALTH}/", timeout=2) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0

    def metrics_url(self):
        return f"http://{self.address}:{METRICS}/metrics"


class PushSink:
    """harness/push_sink.py: a backend that may be killed and started again; what arrived outlives it."""

    def __init__(self, lab, truth, kind, address, port, texts):
        self.truth, self.command = truth, [kind, address, str(port)]
        self.arrived = truth.directory / f"arrived-{kind}"
        self.arrived.touch()
        os.truncate(self.arrived, truth.capacity * truth.items)
        self.command += [str(self.arrived), str(texts)]
        self.process = None
        self.start()
        lab.stack.callback(self.kill)

    def start(self):
        self.process = subprocess.Popen(
            [sys.executable, Path(__file__).with_name("push_sink.py"), *self.command], stdout=subprocess.PIPE, text=True
        )
        if self.process.stdout.readline() != "ready\n":
            raise Broken(f"the sink {self.command[0]} does not start")
        return self

    def kill(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.communicate()

    close = kill

