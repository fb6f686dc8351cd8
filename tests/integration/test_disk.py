"""The disk: full from outside, given back when the queue is empty, synced unless told otherwise."""

import errno
import os
import re
import subprocess

import grpc
import pytest

from support import otlp, senders
from support.backends import GrpcBackend
from support.holdfast import BASE, BINARY, config, otlp_exporter
from support.senders import Load
from support.mounts import own_mounts
from support.waiting import until

OWN_MOUNTS = own_mounts()


def can_mount():
    """True when a mount name space of our own may be had: root in most places, not in every container."""
    probe = subprocess.run(
        [*OWN_MOUNTS, "mount", "-t", "tmpfs", "tmpfs", "/mnt"], capture_output=True, check=False
    )
    return probe.returncode == 0


def blocks(path):
    """Of a file; 0 when it is gone: segments come and go while they are looked at."""
    try:
        return path.stat().st_blocks if path.is_file() else 0
    except FileNotFoundError:
        return 0


def used_bytes(directory):
    return sum(blocks(path) * 512 for path in directory.rglob("*"))


class TestFullDisk:
    @pytest.mark.skipif(not can_mount(), reason="needs the right to mount a file system")
    def test_a_disk_that_others_fill_refuses_drains_and_comes_back(self, start, ending, grpc_sender):
        backend = ending.enter_context(GrpcBackend())
        backend.stop()
        holdfast = start(config({"otlp": otlp_exporter(backend)}), ready=False)
        holdfast.data_directory.mkdir()
        holdfast.prefix = [
            *OWN_MOUNTS,
            "sh",
            "-c",
            'mount -t tmpfs -o size=200m tmpfs "$0" && exec "$@"',
            holdfast.data_directory,
        ]
        holdfast.start()
        inside = f"/proc/{holdfast.process.pid}/root{holdfast.data_directory}"
        sender = grpc_sender(holdfast)
        kept = otlp.new_ids(5)
        sender.export(otlp.LOGS, otlp.request(otlp.LOGS, kept))
        filler = os.path.join(inside, "filler")
        with open(filler, "wb", buffering=0) as file:
            try:
                while file.write(b"\0" * (1 << 20)):
                    pass
            except OSError:
                pass  # full
        refused = otlp.request(otlp.LOGS, otlp.new_ids(5), padding="x" * 100_000)
        until(
            lambda: sender.code(otlp.LOGS, refused) is grpc.StatusCode.UNAVAILABLE, "a full disk is not told"
        )
        assert senders.post(holdfast.http_base, otlp.LOGS, refused).status_code == 503
        assert holdfast.health() == 503
        backend.start()
        backend.wait_for(kept)
        os.unlink(filler)
        until(lambda: sender.code(otlp.LOGS, refused) is grpc.StatusCode.OK, "service does not come back")
        until(lambda: holdfast.health() == 200, "health does not come back")


class TestSpace:
    def test_an_empty_queue_gives_its_space_back_while_running(self, start, ending):
        backend = ending.enter_context(GrpcBackend())
        backend.stop()
        holdfast = start(config({"otlp": otlp_exporter(backend)}))
        queue = holdfast.data_directory / "queue" / "logs"
        with Load(holdfast, [(otlp.LOGS, "grpc")] * 2, items=20, padding="x" * 50_000) as load:
            until(lambda: used_bytes(queue) > 150 << 20, lambda: f"{used_bytes(queue)} bytes", 60)
        backend.start()
        backend.wait_for(load.acknowledged, 60)
        until(lambda: used_bytes(queue) < 2 << 20, lambda: f"{used_bytes(queue)} bytes left", 60)


class TestSync:
    def storage(self, holdfast_directory, **keys):
        extensions = {**BASE["extensions"], "file_storage": {"directory": str(holdfast_directory), **keys}}
        service = {**BASE["service"], "extensions": ["health_check", "file_storage"]}
        return {**BASE, "extensions": extensions, "service": service}

    def test_fsync_false_is_obeyed_with_a_word_about_power_cuts(
        self, start, grpc_backend, grpc_sender, tmp_path
    ):
        holdfast = start(
            config({"otlp": otlp_exporter(grpc_backend)}), base=self.storage(tmp_path, fsync=False)
        )
        holdfast.wait_for_log("(?i)power")
        ids = otlp.new_ids(2)
        grpc_sender(holdfast).export(otlp.LOGS, otlp.request(otlp.LOGS, ids))
        grpc_backend.wait_for(ids)

    @pytest.mark.parametrize("keys", [{}, {"fsync": True}], ids=["default", "true"])
    def test_every_answer_waits_for_a_sync(self, start, grpc_backend, grpc_sender, tmp_path, keys):
        holdfast = start(config({"otlp": otlp_exporter(grpc_backend)}), base=self.storage(tmp_path, **keys))
        sender = grpc_sender(holdfast)
        for _ in range(10):
            sender.export(otlp.LOGS, otlp.request(otlp.LOGS, otlp.new_ids(1)))
        assert holdfast.metric("holdfast_queue_commits", queue="logs") >= 10
        assert holdfast.metric("holdfast_queue_fsync_seconds", queue="logs") > 0
        assert "power" not in holdfast.log()

    def test_the_compaction_keys_of_the_go_collector_are_taken(self, start, grpc_backend, tmp_path):
        keys = {
            "timeout": "1s",
            "compaction": {"on_start": True, "directory": "/tmp", "max_transaction_size": 65536},
        }
        holdfast = start(config({"otlp": otlp_exporter(grpc_backend)}), base=self.storage(tmp_path, **keys))
        holdfast.wait_for_log("(?i)compaction")


class TestTheDirectory:
    def test_a_link_in_place_of_a_file_of_ours_is_not_followed(self, start, grpc_backend, tmp_path):
        theirs = tmp_path / "theirs"
        theirs.write_text("not a number\n")
        holdfast = start(config({"otlp": otlp_exporter(grpc_backend)}), ready=False)
        holdfast.data_directory.mkdir(mode=0o700)
        (holdfast.data_directory / "max_bytes").symlink_to(theirs)
        holdfast.start()
        assert theirs.read_text() == "not a number\n"
        holdfast.wait_for_log("it is a link")

    def test_one_that_every_user_may_write_is_named(self, start, grpc_backend):
        holdfast = start(config({"otlp": otlp_exporter(grpc_backend)}), ready=False)
        holdfast.data_directory.mkdir()
        holdfast.data_directory.chmod(0o777)
        holdfast.start()
        holdfast.wait_for_log("may be written by every user")

    def test_syncs_that_fail_at_the_start_are_repeated_until_they_succeed(self, start, grpc_backend):
        """At each of the first syncs: the process ends with a word, or says that it waits and becomes ready."""
        library = shim()
        told = ""
        for first in range(12, 20):
            holdfast = start(config({"otlp": otlp_exporter(grpc_backend)}), ready=False)
            holdfast.environment |= {
                "LD_PRELOAD": str(library),
                "HF_SHIM_DIR": str(holdfast.data_directory),
                "HF_SHIM_FAIL": f"{first}-{first + 14}:{errno.ENOSPC}:s",
            }
            holdfast.spawn()
            until(lambda: holdfast.is_ready_or_dead(), lambda: f"sync {first}: {holdfast.log()}")
            assert holdfast.health() == 200 or "error: " in holdfast.log()
            told += holdfast.log()
            holdfast.kill9()
        assert "data is refused until that works again" in told
        assert re.search("Running, but not ready.*the queue of .* takes nothing: .*No space left", told)
        assert "the cursors of its exporters are written again" in told


def shim():
    """The library that makes operations on files fail; built by the debug preset, as the crash tests are."""
    for folder in (BINARY.parent, BINARY.parents[1] / "build" / "debug", BINARY.parents[1] / "build"):
        library = folder / "tests" / "crash" / "crash_shim.so"
        if library.exists():
            return library
    return pytest.skip("tests/crash is not built: ./dev build debug")
