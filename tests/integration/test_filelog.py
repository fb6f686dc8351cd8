"""Lines of files: all of them, once each, whatever happens to the files and to Holdfast."""

import gzip
import os
import random
import shutil
import subprocess
import threading
import time

import pytest

from support import otlp
from support.holdfast import otlp_exporter, run
from support.waiting import until


def config(backend, include, signals=("logs",), processors=None, **receiver):
    """A configuration whose only receiver is filelog."""
    return {
        "receivers": {
            "filelog": {"include": [str(include)], "start_at": "beginning", "poll_interval": "20ms", **receiver}
        },
        "processors": processors or {},
        "exporters": {"otlp": otlp_exporter(backend, timeout="60s")},  # a busy backend takes its time; repeats are an error
        "service": {
            "pipelines": {
                "logs": {"receivers": ["filelog"], "processors": list(processors or {}), "exporters": ["otlp"]}
            }
        },
    }


def records(backend):
    """(resource attributes, log record) of everything that arrived, in order."""
    found = []
    for request in backend.accepted(otlp.LOGS):
        for resource_logs in request.message.resource_logs:
            resource = otlp.attributes(resource_logs.resource)
            found += [(resource, record) for scope in resource_logs.scope_logs for record in scope.log_records]
    return found


def bodies(backend):
    return [otlp.value(record.body) for _, record in records(backend)]


def wait_for(backend, lines, seconds=60):
    """Waits until there are as many records as lines, then compares them."""
    until(
        lambda: len(bodies(backend)) >= len(lines),
        lambda: f"{len(bodies(backend))} records of {len(lines)}: {bodies(backend)[-5:]}",
        seconds,
    )
    assert sorted(bodies(backend)) == sorted(lines)


class TestReading:
    def test_lines_arrive_with_the_name_of_their_file(self, start, grpc_backend, tmp_path):
        path = tmp_path / "a.log"
        path.write_text("one\ntwo\n\n \t\nthree\r\n")
        start(config(grpc_backend, tmp_path / "*.log"))
        wait_for(grpc_backend, ["one", "two", "three"])
        assert otlp.attributes(records(grpc_backend)[0][1]) == {"log.file.name": "a.log"}

    def test_with_start_at_end_only_what_comes_later_is_read(self, start, grpc_backend, tmp_path):
        path = tmp_path / "a.log"
        path.write_text("old\n")
        holdfast = start(config(grpc_backend, tmp_path / "*.log", start_at="end"))
        holdfast.wait_metric("otelcol_fileconsumer_open_files", 1)
        holdfast.kill9()  # before any line: where it stood is known all the same
        with open(path, "a") as file:
            file.write("while down\n")
        holdfast.start()
        with open(path, "a") as file:
            file.write("later\n")
        (tmp_path / "new.log").write_text("of a new file\n")
        wait_for(grpc_backend, ["while down", "later", "of a new file"])

    def test_a_line_without_an_end_comes_after_the_flush_period(self, start, grpc_backend, tmp_path):
        (tmp_path / "a.log").write_text("first\npart")
        start(config(grpc_backend, tmp_path / "*.log", force_flush_period="50ms"))
        wait_for(grpc_backend, ["first", "part"])

    def test_multiline_entries(self, start, grpc_backend, tmp_path):
        (tmp_path / "a.log").write_text("2024 a\n  b\n2024 c\n")
        start(config(grpc_backend, tmp_path / "*.log", multiline={"line_start_pattern": "^2024"}))
        wait_for(grpc_backend, ["2024 a\n  b", "2024 c"])

    @pytest.mark.parametrize(
        "encoding, python", [("utf-16le", "utf-16-le"), ("utf-16be", "utf-16-be"), ("big5", "big5"), ("gbk", "gbk")]
    )
    def test_encodings(self, start, grpc_backend, tmp_path, encoding, python):
        (tmp_path / "a.log").write_bytes("中文 one\n文字 two\n".encode(python))
        start(config(grpc_backend, tmp_path / "*.log", encoding=encoding))
        wait_for(grpc_backend, ["中文 one", "文字 two"])

    def test_long_lines_are_split(self, start, grpc_backend, tmp_path):
        (tmp_path / "a.log").write_text("x" * 250 + "\nshort\n")
        start(config(grpc_backend, tmp_path / "*.log", max_log_size=100))
        wait_for(grpc_backend, ["x" * 100, "x" * 100, "x" * 50, "short"])

    def test_gzip_files_and_what_is_compressed_later(self, start, grpc_backend, tmp_path):
        path = tmp_path / "a.log"
        path.write_text("one\ntwo\n")
        with gzip.open(tmp_path / "old.log.gz", "wt") as file:
            file.write("zipped\n")
        start(config(grpc_backend, tmp_path / "*.log*", compression="auto"))
        wait_for(grpc_backend, ["one", "two", "zipped"])
        with gzip.open(tmp_path / "a.log.1.gz", "wt") as file:
            file.write(path.read_text())
        path.write_text("three\n")
        wait_for(grpc_backend, ["one", "two", "zipped", "three"])

    def test_nop_hands_on_the_bytes_as_they_are(self, start, grpc_backend, tmp_path):
        (tmp_path / "a.log").write_bytes(b" a\xff\n b \n")
        start(config(grpc_backend, tmp_path / "*.log", encoding="nop"))
        wait_for(grpc_backend, [b" a\xff\n b \n"])

    @pytest.mark.parametrize(
        "criteria, lines",
        [
            ({"sort_by": [{"regex_key": "n", "sort_type": "numeric", "ascending": True}]}, ["b 2"]),
            ({"sort_by": [{"regex_key": "n", "sort_type": "alphabetical", "ascending": False}], "top_n": 2}, ["a 9", "b 2"]),
            (
                {"sort_by": [{"regex_key": "n", "sort_type": "numeric", "ascending": False}], "group_by": "([a-z]+)-[0-9]+.log$"},
                ["a 10", "b 11"],
            ),
        ],
        ids=["numeric", "alphabetical", "groups"],
    )
    def test_of_files_in_an_order_the_first_ones_are_read(self, start, grpc_backend, tmp_path, criteria, lines):
        for name, number in (("a", 9), ("a", 10), ("b", 11), ("b", 2)):
            (tmp_path / f"{name}-{number}.log").write_text(f"{name} {number}\n")
        ordered = {"regex": r"-(?P<n>\d+)\.log$", **criteria}
        start(config(grpc_backend, tmp_path / "*.log", ordering_criteria=ordered))
        wait_for(grpc_backend, lines)

    def test_an_old_file_is_read_once_it_is_written_to(self, start, grpc_backend, tmp_path):
        old = tmp_path / "old.log"
        old.write_text("old\n")
        os.utime(old, (1, 1))
        (tmp_path / "new.log").write_text("new\n")
        start(config(grpc_backend, tmp_path / "*.log", exclude_older_than="1h"))
        wait_for(grpc_backend, ["new"])
        with open(old, "a") as file:
            file.write("more\n")
        wait_for(grpc_backend, ["new", "old", "more"], 20)

    def test_a_file_that_begins_as_another_is_read_once_they_differ(self, start, grpc_backend, tmp_path):
        for name in "ab":
            (tmp_path / f"{name}.log").write_text("same\n")
        start(config(grpc_backend, tmp_path / "*.log"))
        wait_for(grpc_backend, ["same"])
        with open(tmp_path / "b.log", "a") as file:
            file.write("other\n")
        wait_for(grpc_backend, ["same", "same", "other"], 20)

    def test_delete_after_read(self, start, grpc_backend, tmp_path):
        path = tmp_path / "a.log"
        path.write_text("one\ntwo\n")
        start(config(grpc_backend, tmp_path / "*.log", delete_after_read=True))
        wait_for(grpc_backend, ["one", "two"])
        until(lambda: not path.exists(), "the file is still there")

    def test_more_files_than_descriptors(self, start, grpc_backend, tmp_path):
        for i in range(60):
            (tmp_path / f"{i}.log").write_text(f"first {i}\n")
        holdfast = start(config(grpc_backend, tmp_path / "*.log", max_concurrent_files=4))
        wait_for(grpc_backend, [f"first {i}" for i in range(60)])
        for i in range(60):
            with open(tmp_path / f"{i}.log", "a") as file:
                file.write(f"second {i}\n")
        wait_for(grpc_backend, [f"{word} {i}" for i in range(60) for word in ("first", "second")])
        assert holdfast.metric("otelcol_fileconsumer_open_files") <= 4

    def test_a_reload_keeps_the_places(self, start, grpc_backend, tmp_path):
        path = tmp_path / "a.log"
        path.write_text("one\n")
        configuration = config(grpc_backend, tmp_path / "*.log")
        holdfast = start(configuration)
        wait_for(grpc_backend, ["one"])
        configuration["receivers"]["filelog"]["attributes"] = {"generation": "two"}
        holdfast.write_config(configuration)
        holdfast.reload()
        holdfast.wait_for_log("eload")
        with open(path, "a") as file:
            file.write("two\n")
        wait_for(grpc_backend, ["one", "two"])

    def test_while_the_queue_is_full_reading_stops_and_nothing_is_skipped(self, start, grpc_backend, tmp_path):
        grpc_backend.stop()
        lines = [f"{i} {'x' * 1000}" for i in range(8000)]
        (tmp_path / "a.log").write_text("\n".join(lines) + "\n")
        configuration = config(grpc_backend, tmp_path / "*.log")
        configuration["exporters"]["otlp"]["sending_queue"] = {"queue_size": 2}
        holdfast = start(configuration, ready=False).spawn()  # a full queue is not ready
        holdfast.wait_for_log("is full")
        grpc_backend.start()
        wait_for(grpc_backend, lines)

    def test_a_refused_last_line_needs_no_other_line_to_be_offered_again(self, start, grpc_backend, tmp_path):
        grpc_backend.stop()
        path = tmp_path / "a.log"
        path.write_text("first\n")
        configuration = config(grpc_backend, tmp_path / "*.log")
        configuration["exporters"]["otlp"]["sending_queue"] = {"queue_size": 1}
        holdfast = start(configuration, ready=False).spawn()
        holdfast.wait_for_log("Will retry")
        with open(path, "a") as file:
            file.write("last\n")
        holdfast.wait_for_log("is full")
        grpc_backend.start()
        wait_for(grpc_backend, ["first", "last"])


class Writer(threading.Thread):
    """Writes numbered lines into a file and rotates it, until told to stop. The truth is `lines`."""

    def __init__(self, path, rotate, seed):
        super().__init__()
        self.path, self.rotate = path, rotate
        self.random = random.Random(seed)
        self.lines = []
        self.stopping = threading.Event()

    def run(self):
        while not self.stopping.is_set():
            with open(self.path, "a") as file:
                for _ in range(self.random.randrange(1, 200)):
                    line = f"{self.path.name} {len(self.lines)} {'y' * self.random.randrange(1, 100)}"
                    file.write(line + "\n")
                    self.lines.append(line)
            if self.random.random() < 0.2:
                self.rotate(self.path, self.random)
            time.sleep(self.random.random() * 0.01)


def move(path, _random):
    """a.log -> a.log.1 -> a.log.2 ..., all kept."""
    count = len(list(path.parent.glob(path.name + ".*")))
    path.rename(f"{path}.{count + 1:04}")


def copy_and_truncate(path, _random):
    count = len(list(path.parent.glob(path.name + ".*")))
    shutil.copyfile(path, f"{path}.{count + 1:04}")
    os.truncate(path, 0)


class TestRotation:
    @pytest.mark.parametrize("rotate", [move, copy_and_truncate])
    @pytest.mark.parametrize("seed", [1, 2])
    def test_no_line_is_lost_or_twice_through_rotation_and_kills(self, start, grpc_backend, tmp_path, rotate, seed):
        grpc_backend.stop()  # what is sent before a kill may be sent again: it is sent at the end
        logs = tmp_path / "logs"
        logs.mkdir()
        holdfast = start(config(grpc_backend, logs / "*.log*", force_flush_period=0))
        writers = [Writer(logs / f"{name}.log", rotate, f"{seed} {name}") for name in "abcde"]
        for writer in writers:
            writer.start()
        moments = random.Random(seed)
        for _ in range(5):
            time.sleep(moments.random() * 0.6)
            holdfast.kill9()
            time.sleep(moments.random() * 0.1)
            holdfast.start()
        for writer in writers:
            writer.stopping.set()
            writer.join()
        truth = [line for writer in writers for line in writer.lines]
        until(
            lambda: holdfast.books("logs", "otlp")["queued"]["items"] >= len(truth),
            lambda: f"{holdfast.books('logs', 'otlp')['queued']['items']} of {len(truth)} are in the queue",
        )
        grpc_backend.start()
        wait_for(grpc_backend, truth)

    def test_a_file_that_was_moved_out_of_sight_while_down_is_read_to_its_end(self, start, grpc_backend, tmp_path):
        path = tmp_path / "a.log"
        path.write_text("one\n")
        holdfast = start(config(grpc_backend, tmp_path / "*.log"))
        wait_for(grpc_backend, ["one"])
        until(lambda: holdfast.books("logs", "otlp")["queued"]["items"] == 0, "not delivered")
        holdfast.terminate()
        with open(path, "a") as file:
            file.write("two\n")
        path.rename(tmp_path / "a.log.1")  # no pattern names it
        path.write_text("three\n")
        holdfast.start()
        wait_for(grpc_backend, ["one", "two", "three"])

    def test_a_file_behind_a_link_that_was_moved_while_down_is_read_to_its_end(self, start, grpc_backend, tmp_path):
        """As Docker rotates the logs of containers: the link stays, and what it led to is moved beside its target."""
        real, link = tmp_path / "docker" / "0-json.log", tmp_path / "pods" / "0.log"
        for path in (real, link):
            path.parent.mkdir()
        real.write_text("one\n")
        link.symlink_to(real)
        holdfast = start(config(grpc_backend, tmp_path / "pods" / "*.log"))
        wait_for(grpc_backend, ["one"])
        until(lambda: holdfast.books("logs", "otlp")["queued"]["items"] == 0, "not delivered")
        holdfast.terminate()
        with open(real, "a") as file:
            file.write("two\n")
        real.rename(real.with_name("0-json.log.1"))
        real.write_text("three\n")
        holdfast.start()
        wait_for(grpc_backend, ["one", "two", "three"])

    def test_a_deleted_file_is_read_to_its_end(self, start, grpc_backend, tmp_path):
        path = tmp_path / "a.log"
        with open(path, "w") as file:
            file.write("one\n")
            file.flush()
            start(config(grpc_backend, tmp_path / "*.log"))
            wait_for(grpc_backend, ["one"])
            path.unlink()
            file.write("two\n")
        wait_for(grpc_backend, ["one", "two"])

    def test_a_file_made_after_another_was_deleted_is_read_although_it_is_equal(self, start, grpc_backend, tmp_path):
        path = tmp_path / "a.log"
        path.write_text("one\ntwo\n")
        start(config(grpc_backend, tmp_path / "*.log"))
        wait_for(grpc_backend, ["one", "two"])
        path.unlink()
        path.write_text("one\ntwo\n")
        wait_for(grpc_backend, ["one", "two"] * 2)

    def test_a_file_that_is_replaced_by_a_copy_of_it_is_not_read_again(self, start, grpc_backend, tmp_path):
        path = tmp_path / "a.log"
        path.write_text("one\ntwo\n")
        start(config(grpc_backend, tmp_path / "*.log"))
        wait_for(grpc_backend, ["one", "two"])
        copy = shutil.copy(path, tmp_path / "copy")
        with open(copy, "a") as file:
            file.write("three\n")
        made, later = os.stat(copy).st_ctime_ns, tmp_path / "later"
        until(lambda: later.write_text("") == 0 and later.stat().st_ctime_ns > made, "the clock goes on")
        os.replace(copy, path)
        wait_for(grpc_backend, ["one", "two", "three"])

    @pytest.mark.parametrize("how", ["create", "copytruncate"])
    def test_logrotate(self, start, grpc_backend, tmp_path, how):
        logs = tmp_path / "logs"
        logs.mkdir(mode=0o755)
        path = logs / "a.log"
        rules = tmp_path / "rules"
        rules.write_text(f"{path} {{\n  rotate 20\n  {how}\n  missingok\n  su root root\n}}\n")
        os.chmod(rules, 0o644)
        start(config(grpc_backend, logs / "a.log*"))
        lines = []
        for turn in range(5):
            more = [f"{turn} {i}" for i in range(200)]
            with open(path, "a") as file:
                file.write("\n".join(more) + "\n")
            lines += more
            subprocess.run(["logrotate", "--force", "--state", tmp_path / "state", rules], check=True)
        wait_for(grpc_backend, lines)


class TestContainers:
    @pytest.fixture
    def pod(self, tmp_path):
        """Containers' files as kubelet lays them out: links into the runtime's folder."""
        real = tmp_path / "docker" / "0-json.log"
        link = tmp_path / "pods" / "production_web-5d4f_0a1b-2c3d" / "app" / "0.log"
        real.parent.mkdir(parents=True)
        link.parent.mkdir(parents=True)
        real.touch()
        link.symlink_to(real)
        return real

    def test_lines_of_a_container_tell_their_pod(self, start, grpc_backend, tmp_path, pod):
        start(
            config(
                grpc_backend,
                tmp_path / "pods/*/*/*.log",
                include_file_path=True,
                operators=[{"type": "container"}],
            )
        )
        with open(pod, "a") as file:
            file.write("2024-05-01T10:00:00.5Z stdout P part\n2024-05-01T10:00:01Z stdout F ly\n")
        wait_for(grpc_backend, ["partly"])
        resource, record = records(grpc_backend)[0]
        assert resource == {
            "k8s.namespace.name": "production",
            "k8s.pod.name": "web-5d4f",
            "k8s.pod.uid": "0a1b-2c3d",
            "k8s.container.name": "app",
            "k8s.container.restart_count": "0",
        }
        assert record.time_unix_nano == 1714557600500000000

    def test_parts_that_are_held_when_it_is_killed_are_joined_after_the_start(
        self, start, grpc_backend, tmp_path, pod
    ):
        grpc_backend.stop()  # what is sent before a kill may be sent again
        holdfast = start(
            config(
                grpc_backend,
                tmp_path / "pods/*/*/*.log",
                include_file_path=True,
                operators=[{"type": "container"}],
            )
        )
        with open(pod, "a") as file:
            file.write("2024-05-01T10:00:00Z stdout F whole\n2024-05-01T10:00:00.5Z stdout P part\n")
        until(lambda: holdfast.books("logs", "otlp")["queued"]["items"] == 1, "not in the queue")
        holdfast.kill9()
        with open(pod, "a") as file:
            file.write("2024-05-01T10:00:01Z stdout F ly\n")
        holdfast.start()
        until(lambda: holdfast.books("logs", "otlp")["queued"]["items"] == 2, "not in the queue")
        grpc_backend.start()
        wait_for(grpc_backend, ["whole", "partly"])

    def test_json_lines_with_a_timestamp(self, start, grpc_backend, tmp_path, pod):
        operators = [
            {
                "type": "json_parser",
                "timestamp": {"parse_from": "attributes.time", "layout": "%Y-%m-%dT%H:%M:%S.%LZ"},
            }
        ]
        line = '{"log":"text","stream":"stdout","time":"2024-05-01T10:00:00.25Z"}'
        start(config(grpc_backend, tmp_path / "pods/*/*/*.log", include_file_path=True, operators=operators))
        with open(pod, "a") as file:
            file.write(line + "\n")
        wait_for(grpc_backend, [line])
        record = records(grpc_backend)[0][1]
        assert record.time_unix_nano == 1714557600250000000
        assert otlp.attributes(record)["log"] == "text"


@pytest.mark.parametrize("kind", ["filelog", "journald", "tcplog", "udplog", "syslog"])
def test_validate_tells_every_operator_that_is_wrong_at_its_line(tmp_path, kind):
    keys = {
        "filelog": "include: [/nowhere]",
        "journald": "",
        "tcplog": "listen_address: 127.0.0.1:5140",
        "udplog": "listen_address: 127.0.0.1:5140",
        "syslog": "protocol: rfc5424\n    tcp: {listen_address: 127.0.0.1:5140}",
    }
    path = tmp_path / "config.yaml"
    path.write_text(
        f"""receivers:
  {kind}:
    {keys[kind]}
    operators:
      - type: json_parser
        on_error: perhaps
      - type: noop
      - {{type: add, field: attributes.x, value: EXPR(unheard(body))}}
      - type: nothing_known
exporters: {{nop: }}
service: {{pipelines: {{logs: {{receivers: [{kind}], exporters: [nop]}}}}}}
"""
    )
    first = 1 + path.read_text().splitlines().index("      - type: json_parser")
    done = run("validate", "--config", path)
    assert done.returncode == 1
    for line, words in ((0, "on_error"), (3, "operators[2] (add)"), (4, "nothing_known")):
        assert [one for one in done.stderr.splitlines() if f"config.yaml:{first + line}:" in one and words in one], done.stderr
    assert "operators[1]" not in done.stderr
