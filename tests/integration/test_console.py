"""The web console: what it shows, in a browser and without scripts, and what it refuses.

HOLDFAST_SCREENSHOTS=DIR keeps the pictures of the documentation:
    HOLDFAST_SCREENSHOTS=docs/images ./dev test test_console.py -k pictures
"""

import json
import os
import re
import socket
import threading
from pathlib import Path

import pytest
import requests
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

from support import otlp, senders
from support.backends import GrpcBackend, ok, status
from support.certificates import Authority
from support.console import Plain, browser, extension, with_console
from support.holdfast import config, consumers_of, otlp_exporter, otlphttp_exporter, run
from support.waiting import until

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'&"
PAGES = ("/", "/queues", "/records", "/letters", "/outages", "/certificates", "/reloads", "/validate")


def hostile_request(signal, ids):
    """One request whose every text is markup."""
    message = otlp.request(signal, ids, resource={"service.name": HOSTILE})
    for item in otlp.items(signal, message):
        for field in ("name", "severity_text"):
            if hasattr(item, field):
                setattr(item, field, HOSTILE)
    return message


class Console:
    """A Holdfast with a console, one HTTP backend and a sender."""

    def __init__(self, start, backend, more=None, **console):
        self.settings = extension(**console)
        exporters = {"otlphttp/main": otlphttp_exporter(backend), **(more or {})}
        self.backend = backend
        self.configuration = with_console(config(exporters), self.settings)
        self.holdfast = start(self.configuration)
        self.plain = Plain(self.settings)

    def send(self, signal=otlp.TRACES, count=2, make=otlp.request):
        ids = otlp.new_ids(count)
        answer = senders.post(self.holdfast.http_base, signal, make(signal, ids))
        assert answer.status_code == 200
        return ids

    def letters(self):
        """How many dead letters there are."""
        consumers = consumers_of(self.holdfast.queue("stat"), "otlphttp/main", "deadletter")
        return sum(one["queued"]["records"] for one in consumers)

    def make_letters(self, count=1, make=otlp.request):
        """Dead letters, each of two items and with the backend's words; returns their ids."""
        self.backend.always = status(400, body=b"<b>span kind</b> 9 is unknown")
        ids = [item for _ in range(count) for item in self.send(make=make)]
        until(lambda: self.letters() == count, "the dead letters did not come")
        self.backend.always = ok()
        return ids


@pytest.fixture
def console(start, http_backend):
    return Console(start, http_backend)


@pytest.fixture(scope="module")
def chromium():
    with sync_playwright() as playwright:
        running = browser(playwright)
        yield running
        running.close()


@pytest.fixture
def tab(chromium, ending):
    """tab(console) -> a page whose console and page errors fail the test."""

    def make(console, **options):
        context = chromium.new_context(base_url=console.plain.base, **options)
        ending.callback(context.close)
        page = context.new_page()
        page.problems = []
        page.on("pageerror", lambda error: page.problems.append(str(error)))
        page.on("dialog", lambda dialog: (page.problems.append(dialog.message), dialog.dismiss()))
        page.on(
            "console",
            lambda message: page.problems.append(message.text)
            if "Content Security Policy" in message.text or "violates" in message.text
            else None,
        )
        return page

    return make


class TestPages:
    def test_all_of_them_are_whole_without_scripts(self, console):
        console.plain.wait_for("/", "All is well")
        for path in PAGES:
            page = console.plain.page(path)
            assert page.startswith("<!doctype html>") and page.rstrip().endswith("</html>")
            assert len(re.findall("<h1[ >]", page)) == 1, path
            assert '<main id="main"' in page and 'aria-label="Pages"' in page
            assert " style=" not in page and "<style" not in page and " onclick" not in page
            assert not re.search(r"<script(?! src=\"/assets/console.js\" defer></script>)", page)

    def test_the_map_says_what_flows_and_what_waits(self, console):
        ids = console.send()
        console.backend.wait_for(ids)
        page = console.plain.wait_for("/", "All is well")
        assert "/component?kind=exporter&amp;id=otlphttp%2Fmain" in page
        assert "/component?kind=receiver&amp;id=otlp" in page
        assert "/queue?kind=queue&amp;id=traces" in page

    def test_a_component_shows_where_it_is_configured_without_secrets(self, start, http_backend):
        secret = {"otlphttp/key": otlphttp_exporter(http_backend, headers={"X-Api-Key": "hush-hush"})}
        console = Console(start, http_backend, more=secret)
        page = console.plain.wait_for("/component?kind=exporter&id=otlphttp/key", "endpoint")
        assert re.search(r"config\.yaml:\d+", page)
        assert f"127.0.0.1:{http_backend.port}" in page
        assert "hush-hush" not in page and "REDACTED" in page
        assert "otelcol_exporter_sent_spans" in page

    def test_a_component_shows_its_last_log_lines(self, console):
        console.backend.stop()
        console.send()
        page = console.plain.wait_for("/component?kind=exporter&id=otlphttp/main", "Exporting failed")
        assert 'class="log"' in page

    def test_a_queue_shows_its_accounting_and_its_day(self, console):
        console.backend.always = status(503)
        console.send(count=3)
        console.plain.wait_for("/", "3 items wait on disk")
        page = console.plain.page("/queue?kind=queue&id=traces")
        row = re.search(r'<tr><th scope="row">otlphttp/main</th>(.*?)</tr>', page).group(1)
        assert re.findall(r'class="number">(\d+)', row) == ["3", "0", "3", "0", "0"]
        assert "balances" in row and "does not balance" not in page
        assert page.count("<svg") >= 5
        console.backend.always = ok()

    def test_records_are_found_by_time_service_trace_and_attribute(self, console):
        console.backend.always = status(503)
        ids = [console.send(make=lambda signal, ids: otlp.request(signal, ids, resource={"service.name": name}))
               for name in ("cart", "checkout")]
        assert ids
        link = "/record?queue=traces&amp;seq="
        assert console.plain.page("/records?queue=traces").count(link) == 2
        assert console.plain.page("/records?queue=traces&service=cart").count(link) == 1
        assert console.plain.page("/records?queue=traces&service=nothing").count(link) == 0
        assert console.plain.page(f"/records?queue=traces&key={otlp.ID_KEY}&value={ids[1][0]}").count(link) == 1
        assert console.plain.page("/records?queue=traces&from=2026-01-01T00:00").count(link) == 2
        assert console.plain.page("/records?queue=traces&from=1h").count(link) == 2
        assert console.plain.page("/records?queue=traces&from=2100-01-01T00:00").count(link) == 0
        assert console.plain.page("/records?queue=traces&until=2020-01-01T00:00").count(link) == 0
        record = console.plain.page("/record?queue=traces&seq=0")
        assert "waterfall" in record and '"resourceSpans"' in record
        trace = re.search(r"Trace <code>([0-9a-f]{32})", record).group(1)
        one = console.plain.page(f"/records?queue=traces&trace={trace.upper()}")
        assert one.count(link) == 1 and f"Trace <code>{trace}" in one
        assert console.plain.get("/records?queue=traces&from=tomorrow").status_code == 400
        assert console.plain.get("/record?queue=traces&seq=999").status_code == 404
        console.backend.always = ok()

    @pytest.mark.parametrize("signal, sign", [(otlp.METRICS, "<figure>"), (otlp.LOGS, "Log records")])
    def test_other_signals_are_shown_as_such(self, console, signal, sign):
        console.backend.always = status(503)
        console.send(signal)
        assert sign in console.plain.page(f"/record?queue={signal.name}&seq=0")
        console.backend.always = ok()

    def test_dead_letters_are_exported_sent_again_and_dropped(self, console):
        ids = console.make_letters(4)
        page = console.plain.wait_for("/letters/of?exporter=otlphttp/main", "Send all 4 again")
        assert "&lt;b&gt;span kind&lt;/b&gt; 9 is unknown" in page and "code 400" in page
        form = {"token": console.plain.token("/letters/of?exporter=otlphttp/main"), "exporter": "otlphttp/main"}

        exported = console.plain.post("/letters/export", {**form, "action": "export", "seq": ["1", "3"]})
        assert exported.headers["Content-Disposition"] == 'attachment; filename="dead-letters.jsonl"'
        assert [len(json.loads(line)["resourceSpans"]) for line in exported.text.splitlines()] == [1, 1]

        every = console.plain.post("/letters/export", {**form, "action": "export-all"}).text.splitlines()
        assert len(every) == 4 and all(any(f'"{one}"' in line for line in every) for one in ids)

        asked = console.plain.post("/letters/ask", {**form, "action": "requeue", "seq": ["1"]})
        assert "Send again 1 dead letter of otlphttp/main?" in asked.text
        console.plain.post("/letters/do", {**form, "action": "requeue", "seq": ["1"], "count": "1"})
        sent = [one for one in ids if f'"{one}"' in exported.text.splitlines()[0]]
        assert len(sent) == 2
        console.backend.wait_for(sent)
        assert sorted(console.backend.ids()) == sorted(sent)

        page = console.plain.wait_for("/letters/of?exporter=otlphttp/main", "Send all 3 again")
        assert page.count('name="seq"') == 3 and 'value="1"' not in page
        asked = console.plain.post("/letters/ask", {**form, "action": "drop-all"})
        assert "Drop 3 dead letters of otlphttp/main?" in asked.text and "6 items" in asked.text
        done = console.plain.post("/letters/do", {**form, "action": "drop-all", "count": "3"})
        assert done.url.endswith("done=drop&count=3&exporter=otlphttp%2Fmain")
        assert "There are none" in done.text and "3</b>" not in done.text
        assert console.letters() == 0

    def test_more_than_was_asked_about_is_not_dropped(self, console):
        console.make_letters(2)
        console.plain.wait_for("/letters/of?exporter=otlphttp/main", "Drop all 2")
        form = {"token": console.plain.token("/letters/of?exporter=otlphttp/main"), "exporter": "otlphttp/main"}
        answer = console.plain.post("/letters/do", {**form, "action": "drop-all", "count": "1"})
        assert answer.status_code == 409 and "There are more by now" in answer.text
        assert console.letters() == 2

    def test_outages_and_reloads_are_kept(self, console):
        console.backend.stop()
        ids = console.send()
        console.plain.wait_for("/outages", "still down")
        console.backend.start()
        console.backend.wait_for(ids)
        page = console.plain.wait_for("/outages", "Delivers again")
        assert "<svg" in page and "Outages of otlphttp/main" in page
        console.configuration["exporters"]["otlphttp/main"]["timeout"] = "7s"
        console.holdfast.write_config(console.configuration)
        console.holdfast.reload()
        page = console.plain.wait_for("/reloads", "timeout")
        assert "taken" in page
        console.holdfast.write_config("receivers: {nothing: {}}\n")
        console.holdfast.reload()
        console.plain.wait_for("/", "The last configuration was not taken")
        assert "invalid" in console.plain.page("/reloads")

    def test_the_console_outlives_reloads_kills_and_keeps_its_day(self, console):
        console.send()
        console.plain.wait_for("/", "All is well")
        console.holdfast.kill9()
        console.holdfast.start()
        console.plain.wait_for("/", "All is well")
        assert (console.holdfast.data_directory / "console.state").stat().st_size > 1 << 20
        assert "The last day" in console.plain.page("/queue?kind=queue&id=traces")

    def test_a_pasted_configuration_is_checked_and_not_used(self, console):
        token = console.plain.token()

        def check(text):
            return console.plain.post("/validate", {"token": token, "config": text})

        good = "receivers: {nop: null}\nexporters: {nop: null}\nservice: {pipelines: {traces: {receivers: [nop], exporters: [nop]}}}\n"
        assert "It is valid." in check(good).text
        wrong = check("receivers: {nop: {x: <b>}}\n").text
        assert "It is not valid." in wrong and "line:1:" in wrong and "<b>" not in wrong
        for text in ("a: ${file:/etc/passwd}", 'a: "\\x24{file:/etc/passwd}"', "a: ${fi${env:A:-le}:/etc/passwd}", 'a: "$\\\n{file:/x}"'):
            answer = check(text)
            assert answer.status_code == 400 and "root:" not in answer.text, text
        assert check("x" * (600 << 10)).status_code == 400
        console.plain.wait_for("/", "All is well")

    def test_what_does_not_exist_is_told(self, console):
        for path in ("/nothing", "/assets/../console.c", "/events?path=/records", "/events"):
            assert console.plain.get(path).status_code == 404, path
        for path in ("/component?kind=exporter&id=none", "/queue?kind=queue&id=none", "/records?queue=none"):
            console.plain.wait_for("/", "All is well")
            assert console.plain.get(path).status_code == 404, path
        assert console.plain.session.put(console.plain.base + "/", timeout=10).status_code in (404, 405)
        assert console.plain.get("/letters/do").status_code == 405

    def test_files_are_packed_and_not_sent_twice(self, console):
        total = 0
        for name in ("style.css", "console.js", "icon.svg"):
            answer = console.plain.get(f"/assets/{name}")
            total += len(answer.content)
            tag = answer.headers["ETag"]
            again = console.plain.get(f"/assets/{name}", headers={"If-None-Match": tag})
            assert (again.status_code, again.content) == (304, b"")
            packed = console.plain.get(f"/assets/{name}", headers={"Accept-Encoding": "gzip"})
            assert packed.headers.get("Content-Encoding") in ("gzip", None) and packed.content == answer.content
        assert total < 150_000


class TestBrowser:
    def test_the_operators_story(self, console, tab):
        """A backend dies, is seen, recovers; it refuses a record for good, which is seen, sent again, delivered."""
        page = tab(console)
        page.goto("/")
        page.get_by_role("heading", name="All is well").wait_for()
        console.backend.stop()
        lost = console.send()
        page.get_by_role("heading", name="1 thing needs attention").wait_for()
        headline = page.locator(".headline")
        assert "otlphttp/main" in headline.inner_text() and "2 items wait on disk" in headline.inner_text()
        console.backend.start()
        console.backend.wait_for(lost)
        page.get_by_role("heading", name="All is well").wait_for()

        refused = console.make_letters(1)
        page.get_by_role("link", name="2 items").click()
        assert "<b>span kind</b> 9 is unknown" in page.locator("table").inner_text()
        page.get_by_role("checkbox", name="Select dead letter 0").check()
        page.get_by_role("button", name="Send the selected again").click()
        page.get_by_role("heading", name="Send again 1 dead letter of otlphttp/main?").wait_for()
        page.get_by_role("button", name="Send again 1").click()
        page.get_by_text("1 dead letter is sent again.").wait_for()
        console.backend.wait_for(refused)
        page.get_by_role("link", name="Map").click()
        page.get_by_role("heading", name="All is well").wait_for()
        assert page.problems == []

    @pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390)])
    def test_axe_finds_nothing_and_nothing_is_too_wide(self, console, tab, scheme, width):
        console.make_letters(1)
        console.backend.always = status(503)
        console.send()
        console.send(otlp.LOGS)
        console.send(otlp.METRICS)
        console.plain.wait_for("/", "items wait on disk")
        page = tab(console, color_scheme=scheme, viewport={"width": width, "height": 844})
        for path in (
            *PAGES,
            "/component?kind=exporter&id=otlphttp/main",
            "/queue?kind=queue&id=traces",
            "/records?queue=traces",
            *(f"/record?queue={one}&seq={1 if one == 'traces' else 0}" for one in ("traces", "logs", "metrics")),
            "/letters/of?exporter=otlphttp/main",
        ):
            page.goto(path)
            found = Axe().run(page)
            assert found.violations_count == 0, f"{path}: {found.generate_report()}"
            assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        assert page.problems == []
        console.backend.always = ok()

    def test_the_keyboard_is_enough(self, console, tab):
        console.make_letters(1)
        console.plain.wait_for("/letters/of?exporter=otlphttp/main", "Send all 1 again")
        page = tab(console)
        page.goto("/letters/of?exporter=otlphttp/main")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
        page.keyboard.press("Enter")
        for name in ("Select dead letter 0", "Drop the selected…"):
            for _ in range(20):
                page.keyboard.press("Tab")
                focus = page.evaluate(
                    "document.activeElement.getAttribute('aria-label') || document.activeElement.textContent"
                )
                if focus == name:
                    break
            assert focus == name
            page.keyboard.press("Space")
        page.get_by_role("heading", name="Drop 1 dead letter of otlphttp/main?").wait_for()
        for _ in range(20):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.textContent") == "Drop 1":
                break
        page.keyboard.press("Enter")
        page.get_by_text("1 dead letter was dropped.").wait_for()

    def test_updates_keep_the_focus_and_can_be_paused(self, console, tab):
        page = tab(console)
        for path, what in (("/queue?kind=queue&id=traces", ".wide:has(.equation)"), ("/", ".node a")):
            page.goto(path)
            page.locator(what).first.focus()
            before = page.locator(".asof").inner_text()
            page.wait_for_function("before => document.querySelector('.asof').innerText !== before", arg=before)
            assert page.evaluate(f"document.activeElement.matches('{what}')"), path
        page.get_by_role("button", name="Pause updates").click()
        page.get_by_text("Updates are paused.").wait_for()
        assert page.get_by_role("button", name="Resume updates").is_visible()

    def test_scripts_of_senders_do_not_run(self, console, tab):
        console.make_letters(1, make=hostile_request)
        console.backend.always = status(503)
        for signal in otlp.SIGNALS:
            console.send(signal, make=hostile_request)
        page = tab(console)
        for path in (
            "/letters/of?exporter=otlphttp/main",
            "/record?queue=deadletter%3Aotlphttp/main&seq=0",
            *(f"/record?queue={one}&seq={1 if one == 'traces' else 0}" for one in ("traces", "metrics", "logs")),
            f"/records?queue=traces&service={HOSTILE}",
            f"/component?kind={HOSTILE}&id={HOSTILE}",
            f"/letters/of?exporter={HOSTILE}",
        ):
            page.goto(path)
            assert page.locator("img").count() == 0 and page.locator("main script").count() == 0, path
        page.goto("/record?queue=traces&seq=1")
        assert page.locator("main").inner_text().count("<script>alert(1)</script>") >= 1
        assert page.problems == []
        console.backend.always = ok()


class TestAccess:
    @pytest.mark.parametrize("endpoint", ["0.0.0.0:13144", ":13144", "10.0.0.1:13144", "[::]:13144"])
    def test_other_machines_need_credentials(self, tmp_path, endpoint):
        file = tmp_path / "config.yaml"
        text = with_console(config({"debug": {}}), {"endpoint": endpoint})
        text["receivers"] = {"otlp": {"protocols": {"grpc": None}}}
        text["extensions"]["health_check"] = {}
        file.write_text(json.dumps(text))
        done = run("validate", "--config", file)
        assert done.returncode != 0
        assert "endpoint is reached from other machines" in done.stdout + done.stderr
        text["extensions"]["console"]["auth"] = {"authenticator": "basicauth"}
        text["extensions"]["basicauth"] = {"htpasswd": {"inline": "ops:secret"}}
        text["service"]["extensions"].insert(0, "basicauth")
        file.write_text(json.dumps(text))
        done = run("validate", "--config", file)
        assert done.returncode == 0, done.stdout + done.stderr

    @pytest.mark.parametrize("kind", ["basicauth", "bearertokenauth"])
    def test_credentials_are_asked_for_everywhere(self, start, http_backend, kind):
        console = extension(auth={"authenticator": kind})
        settings = {"basicauth": {"htpasswd": {"inline": "ops:secret"}}, "bearertokenauth": {"token": "secret"}}
        configuration = with_console(config({"otlphttp": otlphttp_exporter(http_backend)}), console)
        configuration["extensions"][kind] = settings[kind]
        configuration["service"]["extensions"].insert(0, kind)
        start(configuration)
        plain = Plain(console)
        for path in ("/", "/assets/style.css", "/events?path=/", "/letters/of?exporter=otlphttp"):
            answer = plain.get(path)
            assert answer.status_code == 401 and "Basic" in answer.headers["WWW-Authenticate"], path
            assert "Holdfast 0" not in answer.text
        right = {"auth": ("ops", "secret")} if kind == "basicauth" else {"headers": {"Authorization": "Bearer secret"}}
        assert plain.get("/", **right).status_code == 200
        wrong = {"auth": ("ops", "wrong")} if kind == "basicauth" else {"headers": {"Authorization": "Bearer no"}}
        assert plain.get("/", **wrong).status_code == 401

    def test_every_answer_is_locked_down(self, console):
        for path in ("/", "/assets/console.js", "/nothing", "/letters/do"):
            headers = console.plain.get(path).headers
            policy = headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy and "unsafe" not in policy and "frame-ancestors 'none'" in policy
            assert headers["X-Content-Type-Options"] == "nosniff"
            assert headers["X-Frame-Options"] == "DENY"
            assert headers["Referrer-Policy"] == "same-origin"
        cookie = requests.get(console.plain.base + "/", cookies={"holdfast_console": "x"}, timeout=10)
        assert all(word in cookie.headers["Set-Cookie"] for word in ("HttpOnly", "SameSite=Strict", "Path=/"))

    @pytest.mark.parametrize("host", ["evil.example", "evil.example:13144", "localhost.evil.example", "a b", "[::1"])
    def test_names_of_others_are_refused(self, console, host):
        answer = console.plain.get("/", headers={"Host": host})
        assert answer.status_code in (400, 421)
        assert "Holdfast 0" not in answer.text

    @pytest.mark.parametrize("host", ["localhost:99", "127.0.0.1", "[::1]:1", "console.example:5"])
    def test_its_own_names_are_known(self, start, http_backend, host):
        console = Console(start, http_backend, hosts=["console.example"])
        assert console.plain.get("/", headers={"Host": host}).status_code == 200

    def test_other_sites_change_nothing(self, console):
        console.make_letters(1)
        console.plain.wait_for("/letters/of?exporter=otlphttp/main", "Drop all 1")
        token = console.plain.token("/letters/of?exporter=otlphttp/main")
        form = {"exporter": "otlphttp/main", "action": "drop-all", "count": "1"}
        other = Plain(console.settings)
        for client, fields, headers in (
            (console.plain, {**form, "token": token}, {"Origin": "http://evil.example"}),
            (console.plain, {**form, "token": token}, {"Origin": "null"}),
            (console.plain, {**form, "token": token}, {"Sec-Fetch-Site": "cross-site"}),
            (console.plain, {**form, "token": token}, {"Sec-Fetch-Site": "same-site"}),
            (console.plain, form, {}),
            (console.plain, {**form, "token": token[:-1]}, {}),
            (console.plain, {**form, "token": token[:-1] + ("0" if token[-1] != "0" else "1")}, {}),
            (other, {**form, "token": token}, {}),
        ):
            answer = client.post("/letters/do", fields, headers=headers)
            assert answer.status_code == 403, (fields, headers)
        assert console.letters() == 1

    def test_forms_cannot_make_headers(self, console):
        token = console.plain.token()
        form = {"token": token, "exporter": "x\r\nSet-Cookie: a=b", "action": "drop-all", "count": "1"}
        answer = console.plain.post("/letters/do", form, allow_redirects=False)
        assert "a=b" not in answer.headers.get("Set-Cookie", "") and answer.status_code == 404

    def test_forms_have_limits(self, console):
        token = console.plain.token()
        assert console.plain.post("/letters/do", {"token": token, "x": "y" * (2 << 20)}).status_code == 413
        assert console.plain.post("/letters/do", {"token": token, "seq": ["1"] * 400}).status_code == 413
        assert console.plain.post("/letters/do", "token=%zz").status_code == 400
        assert console.plain.post("/letters/do", "token=%00").status_code == 400

    def test_event_streams_are_few(self, console):
        """Those that are too many are told so at once; the others get their event."""
        console.plain.wait_for("/", "All is well")
        answers = []

        def wait():
            answers.append(console.plain.session.get(console.plain.base + "/events?path=/", timeout=20))

        threads = [threading.Thread(target=wait) for _ in range(48)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        codes = {answer.status_code for answer in answers}
        assert codes <= {200, 503} and 200 in codes
        events = [answer for answer in answers if answer.status_code == 200]
        assert all(one.headers["Content-Type"] == "text/event-stream" for one in events)
        assert all("event: live\ndata: " in one.text and one.text.endswith("\n\n") for one in events)
        assert console.plain.get("/").status_code == 200

    def test_a_stop_waits_for_no_stream(self, console):
        console.plain.wait_for("/", "All is well")
        with socket.create_connection(("127.0.0.1", int(console.settings["endpoint"].split(":")[1]))) as stream:
            stream.sendall(b"GET /events?path=/ HTTP/1.1\r\nHost: localhost\r\n\r\n")
            code, seconds = console.holdfast.terminate()
        assert code == 0

    def test_certificates_of_clients_let_in(self, start, http_backend, tmp_path):
        authority = Authority(tmp_path)
        server, client = (tuple(map(str, authority.issue(name))) for name in ("server", "client"))
        trust = str(authority.certificate)
        tls = {"cert_file": server[0], "key_file": server[1], "client_ca_file": trust}
        console = extension(tls=tls)
        start(with_console(config({"otlphttp": otlphttp_exporter(http_backend)}), console))
        plain = Plain(console, "https", verify=trust, cert=client)
        page = plain.wait_for("/certificates", server[0])
        assert "expires soon" in page and "CN=server" in page
        fresh = Plain(console, "https", verify=trust, cert=client)
        assert "; Secure" in fresh.get("/").headers["Set-Cookie"]
        with pytest.raises(OSError):
            Plain(console, "https", verify=trust).get("/")


class TestPictures:
    @pytest.mark.skipif("HOLDFAST_SCREENSHOTS" not in os.environ, reason="HOLDFAST_SCREENSHOTS names no folder")
    def test_pictures(self, start, http_backend, ending, tab):
        """Not a check: makes the pictures of the documentation."""
        other = ending.enter_context(GrpcBackend())
        console = Console(start, http_backend, more={"otlp/archive": otlp_exporter(other)})
        console.make_letters(3)
        http_backend.stop()
        for signal in otlp.SIGNALS:
            console.send(signal, 40)
        folder = Path(os.environ["HOLDFAST_SCREENSHOTS"])
        folder.mkdir(parents=True, exist_ok=True)
        for name, scheme, path in (
            ("map", "light", "/"),
            ("queue", "dark", "/queue?kind=queue&id=traces"),
            ("letters", "light", "/letters/of?exporter=otlphttp/main"),
        ):
            page = tab(console, color_scheme=scheme, viewport={"width": 1000, "height": 620})
            page.goto(path)
            if name == "map":
                # Rates need two looks at what flows.
                until(lambda page=page: console.send() and "…" not in page.inner_text("main"), "no rates on the map")
            elif name == "queue":
                before = page.locator(".asof").inner_text()
                page.wait_for_function("old => document.querySelector('.asof').innerText !== old", arg=before)
            page.screenshot(path=folder / f"console-{name}.png")
        http_backend.start()
