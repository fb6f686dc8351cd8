"""The container image of `./dev image`: the same bytes twice, what its descriptions say, and that it does its job."""

import gzip
import hashlib
import io
import json
import os
import pty
import re
import signal
import stat
import subprocess
import sys
import tarfile

import psutil
import pytest

from support.holdfast import BINARY, ROOT
from support.mounts import own_mounts
from support.waiting import until

SCRIPT = ROOT / "conf/image/image.py"
MEGABYTES_MAX = 60
ANY_USER = 12345
FIXED_TIME = {"SOURCE_DATE_EPOCH": "1700000000"}


def make(path, *options):
    done = subprocess.run(
        [sys.executable, SCRIPT, *options, BINARY, path],
        env=os.environ | FIXED_TIME,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return path


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    """{name: bytes} of the archive's files, and its own bytes under ""."""
    data = make(tmp_path_factory.mktemp("image") / "one.tar").read_bytes()
    with tarfile.open(fileobj=io.BytesIO(data)) as file:
        return {"": data} | {member.name: file.extractfile(member).read() for member in file}


def blob(archive, descriptor):
    data = archive["blobs/" + descriptor["digest"].replace(":", "/")]
    assert "sha256:" + hashlib.sha256(data).hexdigest() == descriptor["digest"]
    assert len(data) == descriptor["size"]
    return data


def manifest_of(archive):
    assert json.loads(archive["oci-layout"]) == {"imageLayoutVersion": "1.0.0"}
    (descriptor,) = json.loads(archive["index.json"])["manifests"]
    return json.loads(blob(archive, descriptor))


def config_of(archive):
    return json.loads(blob(archive, manifest_of(archive)["config"]))


def layer_of(archive):
    (descriptor,) = manifest_of(archive)["layers"]
    return gzip.decompress(blob(archive, descriptor))


@pytest.fixture(scope="module")
def root(archive, tmp_path_factory):
    """The unpacked root file system. Everyone may enter it: the image's user is not the test's."""
    folder = tmp_path_factory.mktemp("root")
    with tarfile.open(fileobj=io.BytesIO(layer_of(archive))) as file:
        file.extractall(folder)
    for parent in (folder, *folder.parents[:3]):
        if parent.stat().st_uid == os.geteuid():
            parent.chmod(parent.stat().st_mode | stat.S_IXGRP | stat.S_IXOTH)
    return folder


class Contained:
    """The image's command in its root, as some user; its network is its own."""

    def __init__(self, archive, root, folder, user, arguments=None):
        config = config_of(archive)["config"]
        is_root = os.geteuid() == 0
        self.volume, self.log_path = folder / "volume", folder / "log"
        self.volume.mkdir(exist_ok=True)
        self.volume.chmod(0o777)
        command = config["Entrypoint"] + (config["Cmd"] if arguments is None else arguments)
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [
                    *(*own_mounts(), "--net", *([] if is_root else ["--map-root-user"])),
                    *("/usr/bin/python3", ROOT / "tests/support/contained.py"),
                    *(root, self.volume, str(user), *command),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=dict(item.split("=", 1) for item in config["Env"])
                | {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
                | ({"IS_ROOT": "1"} if is_root else {}),
            )
        self.inside = ["nsenter", f"--target={self.process.pid}", "--net"]
        if not is_root:
            self.inside += ["--user", "--preserve-credentials"]

    def log(self):
        return self.log_path.read_text(errors="replace")

    def curl(self, url, *options):
        """The status and the body; "000" when nothing answers."""
        done = subprocess.run(
            [*self.inside, "curl", "-sS", "-m", "5", "-w", "\n%{http_code}", *options, url],
            capture_output=True,
            text=True,
            check=False,
        )
        body, _, status = done.stdout.rpartition("\n")
        return status, body

    def wait_ready(self):
        until(
            lambda: self.process.poll() is not None or self.curl("http://127.0.0.1:13133/")[0] == "200",
            lambda: f"not ready:\n{self.log()[-3000:]}",
        )
        assert self.process.poll() is None, self.log()[-3000:]
        return self

    def close(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(40)
        except subprocess.TimeoutExpired:
            for child in psutil.Process(self.process.pid).children(recursive=True):
                child.kill()
            self.process.kill()
            raise


@pytest.fixture
def contain(archive, root, tmp_path, ending):
    for parent in (tmp_path, *tmp_path.parents[:2]):
        if parent.stat().st_uid == os.geteuid():
            parent.chmod(parent.stat().st_mode | stat.S_IXGRP | stat.S_IXOTH)

    def start(user=ANY_USER, arguments=None):
        contained = Contained(archive, root, tmp_path, user, arguments)
        ending.callback(contained.close)
        return contained

    return start


class TestArchive:
    def test_the_same_bytes_twice(self, archive, tmp_path):
        assert make(tmp_path / "two.tar").read_bytes() == archive[""]

    def test_it_is_small(self, archive):
        assert len(archive[""]) < MEGABYTES_MAX * 1000 * 1000

    def test_the_digests_and_the_list_for_docker_load(self, archive):
        layer = layer_of(archive)
        config = config_of(archive)
        assert config["rootfs"]["diff_ids"] == ["sha256:" + hashlib.sha256(layer).hexdigest()]
        assert config["created"] == "2023-11-14T22:13:20Z"
        (listed,) = json.loads(archive["manifest.json"])
        assert json.loads(archive[listed["Config"]]) == config
        assert [gzip.decompress(archive[name]) for name in listed["Layers"]] == [layer]

    def test_it_is_started_as_the_go_collectors_image(self, archive):
        config = config_of(archive)["config"]
        assert config["Entrypoint"] == ["/otelcol-contrib"]
        assert config["Cmd"] == ["--config", "/etc/otelcol-contrib/config.yaml"]
        assert config["User"] == "10001:10001"
        assert {"4317/tcp", "4318/tcp", "55679/tcp"} == set(config["ExposedPorts"])
        assert "HOLDFAST_HEALTH=0.0.0.0:13133" in config["Env"]

    def test_every_entry_is_of_root_and_of_one_time(self, archive):
        with tarfile.open(fileobj=io.BytesIO(layer_of(archive))) as file:
            members = file.getmembers()
        assert [member.name for member in members] == sorted(member.name for member in members)
        assert {(member.uid, member.gid, member.mtime) for member in members} == {(0, 0, 1700000000)}
        assert not any(member.mode & 0o6000 for member in members)


class TestRoot:
    def test_the_only_program_is_the_binary(self, root):
        programs = [
            path.name
            for path in root.rglob("*")
            if path.is_file() and not path.is_symlink() and path.stat().st_mode & 0o111 and ".so" not in path.name
        ]
        assert programs == ["holdfast"]
        for name in ("otelcol", "otelcol-contrib", "otelcol-k8s"):
            assert os.readlink(root / name) == "usr/bin/holdfast"

    def test_each_package_has_its_licences_and_its_record(self, root):
        names = {path.name for path in (root / "var/lib/dpkg/status.d").iterdir()}
        assert {"libc6", "librdkafka1", "liblmdb0", "tzdata", "ca-certificates"} <= names
        assert all((root / "usr/share/doc" / name / "copyright").is_file() for name in names)

    def test_what_is_loaded_when_it_is_used_is_there(self, root):
        folder = next((root / "usr/lib").glob("*/librdkafka.so.1")).parent
        for path in folder.glob("*.so*"):
            needed = subprocess.run(["objdump", "-p", path], capture_output=True, text=True, check=True).stdout
            for name in re.findall(r"NEEDED\s+(\S+)", needed):
                assert (folder / name).exists() or name.startswith("ld-linux"), f"{path.name} needs {name}"


def as_root_of(root):
    """The beginning of a command whose root is that folder."""
    return ["chroot", root] if os.geteuid() == 0 else ["unshare", "--user", "--map-root-user", f"--root={root}"]


class TestTerminal:
    @pytest.mark.parametrize("name", ["xterm-256color", "screen", "tmux-256color", "linux"])
    def test_top_fills_the_screen_as_in_kubectl_exec(self, root, name, ending):
        master, terminal = pty.openpty()
        ending.callback(os.close, master)
        environment = {"TERM": name, "PATH": os.environ["PATH"]}
        command = [*as_root_of(root), "/usr/bin/holdfast", "top"]
        process = subprocess.Popen(command, stdin=terminal, stdout=terminal, stderr=terminal, env=environment)
        os.close(terminal)
        ending.callback(process.wait)
        ending.callback(process.kill)
        said = b""
        while b"no Holdfast runs on" not in said:
            said += os.read(master, 4096)
        # The screen is cleared, and a key is taken as it is pressed.
        assert b"\x1b[H\x1b[" in said, said
        os.write(master, b"q")
        assert process.wait(20) == 0


def logs_request(text):
    record = {"timeUnixNano": "1700000000000000000", "body": {"stringValue": text}}
    return json.dumps({"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]})


class TestJob:
    @pytest.mark.parametrize("user", [10001, ANY_USER])
    def test_without_arguments_it_receives_and_prints(self, contain, user):
        contained = contain(user).wait_ready()
        status, body = contained.curl(
            "http://127.0.0.1:4318/v1/logs",
            *("-H", "Content-Type: application/json", "-d", logs_request("said-to-the-image")),
        )
        assert status == "200", body
        until(lambda: "said-to-the-image" in contained.log(), "what was sent is not printed")
        status, body = contained.curl("http://127.0.0.1:8888/metrics")
        assert status == "200" and "otelcol_receiver_accepted_log_records" in body
        assert contained.close() == 0
        assert list(contained.volume.iterdir())

    def test_encodings_zones_kafka_and_authorities_are_found(self, contain, tmp_path):
        """What the program loads from files when a configuration asks for it."""
        text = json.dumps(
            {
                "receivers": {
                    "filelog": {
                        "include": ["/var/lib/holdfast/in/*.log"],
                        "start_at": "beginning",
                        "encoding": "shift_jis",
                        "operators": [
                            {
                                "type": "regex_parser",
                                "regex": "^(?P<time>\\S+ \\S+) (?P<text>.*)",
                                "timestamp": {
                                    "parse_from": "attributes.time",
                                    "layout": "%Y-%m-%d %H:%M:%S",
                                    "location": "Asia/Tokyo",
                                },
                            }
                        ],
                    }
                },
                "exporters": {
                    "debug": {"verbosity": "detailed"},
                    "kafka": {"brokers": ["127.0.0.1:9"]},
                    "otlphttp": {"endpoint": "https://127.0.0.1:9"},
                },
                "service": {"pipelines": {"logs": {"receivers": ["filelog"], "exporters": ["debug", "kafka", "otlphttp"]}}},
            }
        )
        folder = tmp_path / "volume" / "in"
        folder.mkdir(parents=True)
        (folder / "a.log").write_bytes("2024-01-01 09:00:00 日本語の行\n".encode("shift_jis"))
        contained = contain(arguments=["--config", f"yaml:{text}"]).wait_ready()
        until(lambda: "日本語の行" in contained.log(), lambda: contained.log()[-3000:])
        assert "2024-01-01 00:00:00" in contained.log() or "1704067200000000000" in contained.log()
        assert "Kafka needs librdkafka" not in contained.log()
