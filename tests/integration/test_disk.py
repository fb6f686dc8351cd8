"""The disk: full from outside, given back when the queue is empty, synced unless told otherwise."""

import os
import subprocess

import grpc
import pytest

from support import otlp, senders
from support.backends import GrpcBackend
from support.holdfast import BASE, config, otlp_exporter
from support.senders import Load
from support.waiting import until

OWN_MOUNTS = ["unshare", "--mount"]


def can_mount():
    """True when a mount name space of our own may be had: root in most places, not in every container."""
    probe = subprocess.run(
        [*OWN_MOUNTS, "mount", "-t", "tmpfs", "tmpfs", "/mnt"], capture_output=True, check=False
    )
    return probe.returncode == 0


def used_bytes(directory):
    return sum(path.stat().st_blocks * 512 for path in directory.rglob("*") if path.is_file())


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
        until(lambda: sender.code(otlp.LOGS, refused) is grpc.StatusCode.OK, "service does not come back", 5)
        until(lambda: holdfast.health() == 200, "health does not come back", 5)


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
