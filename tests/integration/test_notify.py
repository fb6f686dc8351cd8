"""systemd's protocol: what the service manager hears of a start, reloads, a stop, and of an empty wait."""

import os
import socket

import pytest

from support.backends import GrpcBackend
from support.holdfast import config, otlp_exporter
from support.waiting import until


class Manager:
    """Listens as the service manager does."""

    def __init__(self, path):
        self.path = path
        self.heard = []
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(path))
        self.socket.setblocking(False)

    def all(self):
        while True:
            try:
                self.heard.append(self.socket.recv(4096).decode())
            except BlockingIOError:
                return self.heard

    def wait_for(self, text, after=0):
        """The place behind the first message that begins so."""

        def place():
            return next((i + 1 for i, said in enumerate(self.all()) if i >= after and said.startswith(text)), 0)

        return until(place, lambda: f"{text} is not in {self.heard[after:]}")


@pytest.fixture
def manager(tmp_path, ending):
    manager = Manager(tmp_path / "notify")
    ending.callback(manager.socket.close)
    return manager


@pytest.fixture
def backend(ending):
    return ending.enter_context(GrpcBackend())


def good(backend):
    return config({"otlp": otlp_exporter(backend)})


def begin(start, manager, configuration, watchdog="2000000", **options):
    environment = {"NOTIFY_SOCKET": str(manager.path)} | ({"WATCHDOG_USEC": watchdog} if watchdog else {})
    return start(configuration, environment=environment, **options)


def test_ready_is_said_when_it_runs_and_stopping_when_it_stops(start, manager, backend):
    holdfast = begin(start, manager, good(backend), ready=False)
    holdfast.spawn()
    manager.wait_for("READY=1")
    assert holdfast.health() == 200
    after = manager.wait_for("STATUS=Running")
    assert "STOPPING=1" not in manager.all()
    assert holdfast.terminate()[0] == 0
    manager.wait_for("STOPPING=1", after)
    assert manager.heard.count("READY=1") == 1


def test_a_reload_is_framed_however_it_ends(start, manager, backend):
    holdfast = begin(start, manager, good(backend))
    after = manager.wait_for("READY=1")
    holdfast.reload()
    begun = manager.wait_for("RELOADING=1\nMONOTONIC_USEC=", after)
    assert int(manager.heard[begun - 1].partition("USEC=")[2]) > 0
    after = manager.wait_for("READY=1", begun)
    holdfast.write_config("receivers: [")
    holdfast.reload()
    after = manager.wait_for("READY=1", manager.wait_for("RELOADING=1", after))
    manager.wait_for("STATUS=Running with the configuration of before", after)
    holdfast.write_config(good(backend))
    holdfast.reload()
    manager.wait_for("STATUS=Running", manager.wait_for("READY=1", after))
    assert manager.heard[-1] == "STATUS=Running" or "STATUS=Running" in manager.heard[after:]


def test_signs_of_life_come_when_asked_for(start, manager, backend):
    begin(start, manager, good(backend), watchdog="200000")
    after = 0
    for _ in range(3):
        after = manager.wait_for("WATCHDOG=1", after)


def test_without_a_watchdog_there_are_none(start, manager, backend):
    holdfast = begin(start, manager, good(backend), watchdog=None)
    manager.wait_for("READY=1")
    assert holdfast.terminate()[0] == 0
    manager.wait_for("STOPPING=1")
    assert "WATCHDOG=1" not in manager.heard


def test_a_process_that_waits_for_the_data_directory_is_not_ready(start, manager, backend):
    first = start(good(backend))
    second = begin(start, manager, good(backend), ready=False)
    second.data_directory = first.data_directory
    second.spawn()
    manager.wait_for("STATUS=Waiting: another process has the data directory")
    assert "READY=1" not in manager.heard
    first.terminate()
    manager.wait_for("READY=1")


def test_a_start_that_fails_is_never_ready(start, manager):
    holdfast = begin(start, manager, "receivers: [", ready=False)
    holdfast.spawn()
    assert holdfast.process.wait(60) == 1
    assert not [said for said in manager.all() if said.startswith("READY")]


def test_a_socket_that_leads_nowhere_changes_nothing(start, backend, tmp_path):
    holdfast = start(good(backend), environment={"NOTIFY_SOCKET": os.fspath(tmp_path / "none")})
    assert holdfast.health() == 200
