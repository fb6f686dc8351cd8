"""Five faults for which data does not arrive, as someone sees them who has only the console, and then `top` and `queue`: the
cause is named where that person looks first. The last one is repaired.

HOLDFAST_SCREENSHOTS=DIR keeps what the console shows: HOLDFAST_SCREENSHOTS=/tmp/faults ./dev test test_faults.py
"""

import contextlib
import os
import re
import ssl
import subprocess
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from support import otlp, senders
from support.backends import HttpBackend, ok, status
from support.certificates import Authority
from support.console import Plain, browser, extension, text_of, with_console
from support.holdfast import BINARY, config, otlphttp_exporter
from support.mounts import own_mounts
from support.waiting import until

OWN_MOUNTS = own_mounts()


def can_mount():
    probe = subprocess.run([*OWN_MOUNTS, "mount", "-t", "tmpfs", "tmpfs", "/mnt"], capture_output=True, check=False)
    return probe.returncode == 0


class World:
    """A Holdfast with a console and one exporter, `otlphttp/shop`, and its backend, in which something is wrong."""

    def __init__(self, start, ending, directory):
        self.start, self.ending, self.directory = start, ending, directory
        self.settings = extension()
        self.backend = self.holdfast = None

    def serve(self, tls=None):
        self.backend = self.ending.enter_context(HttpBackend(tls))
        return self.backend

    def run(self, prefix=(), **keys):
        exporter = otlphttp_exporter(self.backend or HttpBackend(), **keys)
        self.holdfast = self.start(with_console(config({"otlphttp/shop": exporter}), self.settings), ready=False)
        self.holdfast.data_directory.mkdir()
        self.holdfast.prefix = [*prefix, self.holdfast.data_directory] if prefix else []
        self.holdfast.start()

    @property
    def place(self):
        """The data directory, as the process sees it: it may have mounts of its own."""
        return f"/proc/{self.holdfast.process.pid}/root{self.holdfast.data_directory}"

    def send(self, padding=""):
        ids = otlp.new_ids(3)
        body = otlp.request(otlp.TRACES, ids, padding=padding)
        return senders.post(self.holdfast.http_base, otlp.TRACES, body).status_code, ids

    def top(self):
        words = [BINARY, "top", "--once", "--interval", "200ms", "--data-dir", self.place]
        environment = {**self.holdfast.environment, "LANG": "C.UTF-8", "COLUMNS": "160"}
        return subprocess.run(words, capture_output=True, text=True, timeout=30, check=True, env=environment).stdout

    def stat(self):
        return self.holdfast.command("queue", "stat", "--data-dir", self.place).stdout


def wrong_credentials(world):
    world.serve().always = status(401, body=b"the API key is not known")
    world.run()
    assert world.send()[0] == 200


def full_disk(world):
    world.serve().always = ok()
    world.run([*OWN_MOUNTS, "sh", "-c", 'mount -t tmpfs -o size=200m tmpfs "$0" && exec "$@"'])
    with open(os.path.join(world.place, "filler"), "wb", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(b"\0" * (1 << 20)):
            pass
    until(lambda: world.send("x" * 100_000)[0] == 503, "data is still taken")


def dead_dns(world):
    world.run(endpoint="http://telemetry.shop.invalid:4318")
    assert world.send()[0] == 200


def expired_certificate(world):
    authority = Authority(world.directory / "ca")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(*authority.issue_expired("backend"))
    world.serve(tls)
    world.run(endpoint=f"https://localhost:{world.backend.port}", tls={"ca_file": str(authority.certificate)})
    assert world.send()[0] == 200


def bad_records(world):
    world.serve().always = status(400, body=b"span kind 9 is unknown")
    world.run()
    assert world.send()[0] == 200


class Signs:
    """What has to be read: on the first page of the console, in `top`, and in `queue stat`."""

    def __init__(self, console, top, queue):
        self.console, self.top, self.queue = console, top, queue


NO_ROOM = "(the file system is nearly full|its last commit failed: No space left on device)"

FAULTS = [
    pytest.param(
        wrong_credentials,
        Signs(
            r"exporter otlphttp/shop missing or wrong credentials \(code 401\): the API key is not known .*3 items wait on disk",
            r"otlphttp/shop +unhealthy(.|\n)*missing or wrong credentials \(code 401\): the API key is not known",
            r"otlphttp/shop .*queued 3 .*\n    why they wait: holdfast top\n",
        ),
        id="wrong_credentials",
    ),
    pytest.param(
        full_disk,
        Signs(
            rf"queue traces .*{NO_ROOM}.*Senders are told to come back.* are free on its disk",
            rf"NOT READY: .*{NO_ROOM}(.|\n)*traces .* full\n",
            rf"queue traces: .*{NO_ROOM}",
        ),
        id="full_disk",
        marks=pytest.mark.skipif(not can_mount(), reason="needs the right to mount a file system"),
    ),
    pytest.param(
        dead_dns,
        Signs(
            r"exporter otlphttp/shop .*resolve.*telemetry\.shop\.invalid.*3 items wait on disk",
            r"otlphttp/shop +retrying(.|\n)*resolve(.|\n)*telemetry\.shop\.invalid",
            r"otlphttp/shop .*queued 3 .*\n    why they wait: holdfast top\n",
        ),
        id="dead_dns",
    ),
    pytest.param(
        expired_certificate,
        Signs(
            r"exporter otlphttp/shop .*certificate has expired.*3 items wait on disk",
            r"otlphttp/shop +(retrying|unhealthy)(.|\n)*certificate has expired",
            r"otlphttp/shop .*queued 3 .*\n    why they wait: holdfast top\n",
        ),
        id="expired_certificate",
    ),
    pytest.param(
        bad_records,
        Signs(
            r"exporter otlphttp/shop .*3 items were refused by the backend for good: .*span kind 9 is unknown",
            r"otlphttp/shop +working(.|\n)*span kind 9 is unknown",
            r"    why: holdfast queue ls deadletter:otlphttp/shop; (.|\n)*otlphttp/shop .*dead letters 3 ",
        ),
        id="bad_records",
    ),
]


@pytest.fixture
def world(start, ending, tmp_path):
    return World(start, ending, tmp_path)


def picture(world, name):
    """What a person sees, when someone wants to look at it."""
    if "HOLDFAST_SCREENSHOTS" not in os.environ:
        return
    folder = Path(os.environ["HOLDFAST_SCREENSHOTS"])
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        running = browser(playwright)
        page = running.new_page(viewport={"width": 1000, "height": 620})
        page.goto(Plain(world.settings).base)
        page.screenshot(path=folder / f"fault-{name}.png")
        running.close()
    (folder / f"fault-{name}.txt").write_text(f"{world.top()}\n{world.stat()}")


@pytest.mark.parametrize(("break_it", "signs"), FAULTS)
def test_the_cause_is_named_where_one_looks_first(world, break_it, signs):
    break_it(world)
    plain = Plain(world.settings)

    def headline():
        section = re.search(r'<section class="headline.*?</section>', plain.page("/"), re.S)
        return text_of(section.group(0)) if section else ""  # there is none until the console has looked

    until(lambda: re.search(signs.console, headline()), lambda: f"no {signs.console!r} in {headline()}")
    until(lambda: re.search(signs.top, world.top()), lambda: f"no {signs.top!r} in\n{world.top()}")
    until(lambda: re.search(signs.queue, world.stat()), lambda: f"no {signs.queue!r} in\n{world.stat()}")
    picture(world, break_it.__name__)


def test_what_was_refused_for_good_is_sent_again_from_the_console(world):
    """As the links and buttons lead: map, dead letters, all of them, yes."""
    bad_records(world)
    plain = Plain(world.settings)
    page = plain.wait_for("/", "were refused by the backend for good")
    letters = re.search(r'href="(/letters/of\?exporter=[^"]+)"', page).group(1)
    assert "span kind 9 is unknown" in plain.page(letters)
    world.backend.always = ok()
    form = {"token": plain.token(letters), "exporter": "otlphttp/shop", "action": "requeue-all"}
    asked = plain.post("/letters/ask", form).text
    assert "Send again 1 dead letter of otlphttp/shop?" in asked
    assert "1 dead letter is sent again." in plain.post("/letters/do", {**form, "count": "1"}).text
    until(lambda: len(world.backend.ids()) == 3, "they do not arrive")
    plain.wait_for("/", "All is well")
