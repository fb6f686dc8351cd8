"""What the documentation shows runs as it stands there: its configurations are started, its tests of configurations pass,
and its commands are run, page by page, on a machine of their own (support/sandbox.py)."""

import json
import re
import subprocess
import sys

import pytest
import requests
import yaml

from support.certificates import Authority
from support.control import ask
from support.documentation import DOCS, FENCE, PAGES, SECTIONS, blocks, completed, name_of
from support.holdfast import FAST_RETRY, ROOT
from support.sandbox import BACKEND_ADDRESS, BACKENDS, Sandbox
from support.screen import Screen
from support.waiting import until

LOG = '{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"stringValue":"hello"}}]}]}]}'


@pytest.fixture
def box(tmp_path, ending):
    """A sandbox in which the environment has what the pages' configurations take from it."""
    authority = Authority(tmp_path / "certificates")
    authority.issue("backend", names=",".join(f"DNS:{name}" for name in BACKENDS))
    environment = {
        "LISTEN": "127.0.0.1",
        "K8S_NODE_NAME": "node-1",
        "SSL_CERT_FILE": str(authority.certificate),
        "BACKEND_CERTIFICATES": str(authority.directory),
    }
    return ending.enter_context(Sandbox(tmp_path / "sandbox", environment))


def start_backend(box):
    """What *.example.com is: a Holdfast that takes OTLP with a certificate for these names."""
    tls = {"cert_file": "${env:BACKEND_CERTIFICATES}/backend.crt", "key_file": "${env:BACKEND_CERTIFICATES}/backend.key"}
    protocols = {
        "grpc": {"endpoint": f"[{BACKEND_ADDRESS}]:4317", "tls": tls},
        "http": {"endpoint": f"[{BACKEND_ADDRESS}]:4320", "tls": tls},  # where the tutorial has its OpAMP server
    }
    configuration = {
        "receivers": {"otlp": {"protocols": protocols}},
        "exporters": {"nop": None},
        "extensions": {"health_check": {"endpoint": "localhost:13134"}},
        "service": {
            "extensions": ["health_check"],
            "telemetry": {"metrics": {"level": "none"}},
            "pipelines": {signal: {"receivers": ["otlp"], "exporters": ["nop"]} for signal in ("traces", "metrics", "logs")},
        },
    }
    box.write("/mnt/backend/config.yaml", yaml.safe_dump(configuration))
    return box.start("holdfast --config /mnt/backend/config.yaml --data-dir /mnt/backend/data", port=13134)


# ---- configurations ----

SEND = """
import sys
from support import otlp, senders
signal = next(one for one in otlp.ALL_SIGNALS if one.name == sys.argv[2])
with senders.GrpcSender(sys.argv[1]) as sender:
    sender.export(signal, otlp.request(signal, otlp.new_ids(1)))
"""


def send_grpc(box, target, signal):
    box.run(f"cd {ROOT}/tests && {sys.executable} - {target} {signal}", input=SEND)


def feed(box, configuration):
    """Gives each receiver that waits for data something; whether there was one."""
    has_fed = False
    for pipeline, parts in configuration["service"]["pipelines"].items():
        for name in parts["receivers"]:
            settings = (configuration["receivers"].get(name) or {}) if name != "nop" else {}
            if "grpc" in settings.get("protocols", {}):
                endpoint = (settings["protocols"]["grpc"] or {}).get("endpoint", "localhost:4317")
                port = endpoint.rpartition(":")[2]
                send_grpc(box, f"127.0.0.1:{port}", pipeline.partition("/")[0])
                has_fed = True
            for pattern in settings.get("include", []):
                box.write(pattern.replace("*", "one"), "10.0.0.1 404\n")
                has_fed = True
    return has_fed


def accepted_items(box):
    done = box.run("holdfast queue stat --json")
    return sum(one["accepted"]["items"] for queue in json.loads(done.out)["queues"] for one in queue["exporters"])


def is_configuration(text):
    content = yaml.safe_load(text)
    return isinstance(content, dict) and bool(SECTIONS & set(content))


CONFIGURATIONS = [one for one in blocks("yaml") if is_configuration(one.values[1])]


@pytest.mark.parametrize(("page", "text"), CONFIGURATIONS)
def test_configurations_run(box, page, text):
    configuration = completed(yaml.safe_load(text))
    box.write("config.yaml", yaml.safe_dump(configuration, sort_keys=False))
    directory = ((configuration.get("extensions") or {}).get("file_storage") or {}).get("directory")
    if directory:
        box.run(f"mkdir -p {directory}")
        box.environment["HOLDFAST_DATA_DIR"] = directory
    box.environment["HOLDFAST_HEALTH"] = "localhost:13133"
    server = box.start("holdfast --config config.yaml")
    if feed(box, configuration):
        until(lambda: accepted_items(box) > 0, lambda: f"nothing was taken:\n{box.log('log')[-3000:]}")
    box.stop(server)


OWN_NETWORK_AND_DISK = """
ip link set lo up
mount -t tmpfs none /run
mount -t tmpfs none /var/lib
mkdir -p /run/holdfast /var/lib/holdfast /mnt/$1
cd /mnt/$1
exec holdfast --config $2
"""


def test_the_files_of_conf_run(box, tmp_path):
    """All at once; their ports and directories are the same."""
    certificates = Authority(tmp_path / "server")
    certificates.issue("server")
    box.environment["TLS_DIR"] = str(certificates.directory)
    box.write("own.sh", OWN_NETWORK_AND_DISK)
    files = sorted((ROOT / "conf").rglob("*.yaml"))
    assert len(files) >= 8
    servers = {
        path: box.begin(f"unshare --net --mount bash -e own.sh {number} {path}", f"{number}.log") for number, path in enumerate(files)
    }
    for number, (path, server) in enumerate(servers.items()):
        until(
            lambda log=f"{number}.log", server=server: "Everything is ready" in box.log(log) or server.poll() is not None,
            lambda log=f"{number}.log", path=path: f"{path} is not ready:\n{box.log(log)}",
        )
        assert server.poll() is None, f"{path}:\n{box.log(f'{number}.log')}"
    for server in servers.values():
        box.stop(server)


# ---- tests of configurations ----


def span(trace, name, **more):
    start = 1_700_000_000_000_000_000
    return {
        "traceId": f"{trace:032x}",
        "spanId": f"{trace:016x}",
        "name": name,
        "startTimeUnixNano": str(start),
        "endTimeUnixNano": str(start + 1_000_000),
        **more,
    }


def checkout():
    """Three traces with an error, one a line, and some without."""
    spans = [span(i, "POST /pay", status={"code": 2}) for i in (1, 2, 3)] + [span(i, "GET /", status={}) for i in (4, 5)]
    for one in spans:
        one["attributes"] = [{"key": "http.status_code", "value": {"intValue": "500" if one["name"] == "POST /pay" else "200"}}]
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]}
    return "\n".join(json.dumps({"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": [one]}]}]}) for one in spans)


def gateway(page):
    """The configuration that the tests of the page are about: its own, or one with the components that they name."""
    found = [text for kind, text in FENCE.findall(page.read_text()) if kind == "yaml" and is_configuration(text)]
    if found:
        return found[0]
    policy = {"name": "errors", "type": "status_code", "status_code": {"status_codes": ["ERROR"]}}
    return yaml.safe_dump(
        {
            "receivers": {"otlp": {"protocols": {"grpc": None}}},
            "processors": {"tail_sampling": {"decision_wait": "30s", "policies": [policy]}, "batch": None},
            "exporters": {"otlp/backend": {"endpoint": "gateway.example.com:4317"}},
            "service": {
                "pipelines": {
                    "traces": {"receivers": ["otlp"], "processors": ["tail_sampling", "batch"], "exporters": ["otlp/backend"]}
                }
            },
        },
        sort_keys=False,
    )


TESTS = [one for one in blocks("yaml") if "tests" in (yaml.safe_load(one.values[1]) or {})]


@pytest.mark.parametrize(("page", "text"), TESTS)
def test_tests_of_configurations_pass(box, page, text):
    box.write("gateway.yaml", gateway(page))
    box.write("checkout.json", checkout())
    box.write("tests.yaml", text)
    done = box.run("holdfast test tests.yaml")
    assert "1 passed" in done.out, done


# ---- commands ----

# What no test runs, and why. Each is checked by `test_what_is_not_run_is_there`.
NOT_RUN = {
    "./dev test": "this is a part of it",
    "./dev bench": "it measures, for minutes to hours",
    "./dev chaos": "a part of ./dev test",
    "./dev fuzz": "it has no end of its own; the corpora are a part of ./dev test",
    "./dev fmt": "it changes the tree; the layout is a part of ./dev test",
    "./dev docs": "it installs mkdocs; the pages and their navigation are in test_documentation.py",
    "./dev demo": "it installs and sends for a minute; its story is in test_durability.py",
    "./dev image": "in test_image.py",
    "./dev package": "in test_package.py",
    "kubectl": "there is no cluster; what is behind -- in a pod is run here, and the rest is not ours",
    "helm": "there is no cluster; charts and their values are in test_chart.py",
    "systemctl": "there is no systemd; it is a program that does nothing here, and the unit is in test_package.py",
    "journalctl": "there is no systemd",
}
# What a command stands for here, where the tree is built already.
SAME_AS = {"./dev run": "build/holdfast"}

COMMAND = re.compile(r"^(?:\$ )?(?:holdfast|build/\S*holdfast|\./dev|curl|printf|docs/operations/\S+\.py|systemctl|kubectl|helm|apt(?:-get)?)(?=\s|$)")


def command_blocks(page):
    """Lists of commands: of each indented or fenced block that begins with one."""
    text = page.read_text()
    found = [(match.start(), match.group(2)) for match in FENCE.finditer(text) if match.group(1) in ("", "sh", "bash", "console")]
    rest = FENCE.sub(lambda match: re.sub(r"[^\n]", ".", match.group()), text)
    found += [(match.start(), match.group(1)) for match in re.finditer(r"(?<=\n\n)((?:(?: {4}| {8}|\t)\S.*\n| {12}.*\n)+)", rest)]
    for _, block in sorted(found):
        lines = [re.sub(r"^ {4}(?: {4}(?=\S))?|^\t", "", line) for line in block.splitlines()]
        if COMMAND.match(lines[0]):
            joined = "\n".join(lines).replace("\\\n", " ")
            yield [line.removeprefix("$ ") for line in joined.splitlines() if COMMAND.match(line)]


class Page:
    """The commands of a page, run in their order; `before` and `after` are what the text between them says."""

    def __init__(self, box, page):
        self.box, self.page, self.server = box, page, None
        self.yaml = [text for kind, text in FENCE.findall(page.read_text()) if kind == "yaml"]

    def serve(self, command):
        if self.server is not None:
            self.box.stop(self.server)
        self.server = self.box.start(command)

    def run(self, command):
        plain = re.sub(r"\s+#.*", "", command).strip()
        plain = SAME_AS.get(plain, plain)
        if any(plain == name or plain.startswith(f"{name} ") for name in NOT_RUN):
            return None
        if re.fullmatch(r"(build/)?holdfast( --.*)?", plain):
            return self.serve(plain)
        if re.fullmatch(r"(build/)?holdfast top", plain):
            return self.look(plain)
        return self.box.run(plain)

    def look(self, command):
        """At what takes the whole terminal, until it shows a queue."""
        screen = Screen([*self.box.inside, "bash", "-c", command], environment=self.box.environment)
        try:
            screen.wait_for("queued")
            screen.press("q")
            assert screen.wait() == 0
        finally:
            screen.close()


def readme(run):
    run.box.write("agent.yaml", run.yaml[0])
    yield "build/holdfast drain"
    run.box.run("mkdir -p /var/lib/holdfast")


def five_minutes(run):
    run.box.write("first.yaml", run.yaml[0])
    send = "".join(command for block in command_blocks(run.page) for command in block if command.startswith("curl"))
    found = yield "holdfast --config first.yaml --data-dir ./first"
    run.box.run(send)
    found = yield "holdfast queue cat logs --data-dir ./first --json"
    assert '"hello"' in found.out
    run.server.kill()
    run.server.wait()
    run.server = run.box.start("holdfast --config first.yaml --data-dir ./first")
    assert '"hello"' in run.box.run("holdfast queue cat logs --data-dir ./first --json").out


def fluent_bit(run):
    run.box.write(
        "/etc/fluent-bit/fluent-bit.conf",
        "[INPUT]\n    Name tail\n    Path /var/log/app/*.log\n[OUTPUT]\n    Name loki\n    Match *\n    Host loki.example.com\n",
    )
    yield


def go_collector(run):
    start_backend(run.box)
    run.box.run("mkdir -p /var/lib/otelcol")
    run.box.write("config.yaml", run.yaml[0])
    expected = {"at": "otlp", "count": 1}
    source = {"to": "otlp", "otlp": json.loads(checkout().splitlines()[0])}
    tests = {"config": "config.yaml", "tests": [{"name": "spans pass", "input": [source], "advance": "2s", "expect": [expected]}]}
    run.box.write("tests.yaml", yaml.safe_dump(tests))
    yield


def operations(run):
    run.box.run("holdfast print-config --default > FILE")
    run.serve("holdfast --config FILE")
    yield


def backup(run):
    """A queue that was left behind, with a record in it, and a running Holdfast with that exporter."""
    configuration = yaml.safe_load((DOCS / "tutorials" / "five-minutes.md").read_text().split("```yaml\n")[1].split("```")[0])
    configuration["extensions"]["file_storage"] = {"directory": "/var/lib/holdfast"}
    configuration["service"]["extensions"].append("file_storage")
    run.box.write("config.yaml", yaml.safe_dump(configuration))
    run.box.run("mkdir -p /mnt/old-queue /var/lib/holdfast")
    run.serve("holdfast --config config.yaml --data-dir /mnt/old-queue")
    run.box.run(f"curl -sf -H 'Content-Type: application/json' localhost:4318/v1/logs -d '{LOG}'")
    run.serve("holdfast --config config.yaml")
    found = yield "holdfast queue orphans /mnt /var/lib/holdfast"
    assert re.search(r"/mnt/old-queue\b.*\b1 item", found.out), found
    found = yield "holdfast queue adopt /mnt/old-queue"
    assert '"hello"' in run.box.run("holdfast queue cat requeue:otlphttp --json").out


def control(run):
    run.box.run("mkdir -p /var/lib/holdfast")
    configuration = yaml.safe_load((ROOT / "conf" / "default.yaml").read_text())
    run.box.write("config.yaml", yaml.safe_dump(configuration))
    run.serve("holdfast --config config.yaml --data-dir /var/lib/holdfast")
    found = yield "printf 'status"
    assert json.loads(found.out.rstrip("\0"))["protocol"] == 1


def no_state(run):
    yield


STATES = {
    "README.md": readme,
    "docs/tutorials/five-minutes.md": five_minutes,
    "docs/tutorials/from-fluent-bit.md": fluent_bit,
    "docs/tutorials/from-the-go-collector.md": go_collector,
    "docs/operations/README.md": operations,
    "docs/operations/backup.md": backup,
    "docs/control.md": control,
}
WITH_COMMANDS = [page for page in PAGES if any(command_blocks(page))]


def resume(state, found):
    """The next command that it waits for; None: there is none."""
    try:
        return state.send(found)
    except StopIteration:
        return None


@pytest.mark.parametrize("page", WITH_COMMANDS, ids=name_of)
def test_commands_run(box, page):
    run = Page(box, page)
    state = STATES.get(name_of(page), no_state)(run)
    awaited = next(state)
    for block in command_blocks(page):
        for command in block:
            found = run.run(command)
            if awaited and command.startswith(awaited):
                awaited = resume(state, found)
    assert not awaited, f"the page has no command {awaited}"
    if run.server is not None and run.server.poll() is None:
        box.stop(run.server)


# ---- commands within sentences of the handbook ----

# What stands for their placeholders in the sandbox below.
PLACEHOLDERS = {
    "/conf/relay.yaml": "one.yaml",
    "/mnt/old": "/mnt/old-queue",
    "deadletter:EXPORTER": "deadletter:otlphttp/refusing",
    "--exporter ID": "--exporter otlphttp/removed",
    "EXPORTER": "otlphttp/refusing",
    "ENDPOINT": "http://localhost:4317",
    "NEW:4317": "localhost:4317",
    "HOST:4318": "localhost:4318",
    "URL": "http://localhost:4318",
    "QUEUE": "logs",
    "COPY": "/mnt/copy",
    "DIR": "/mnt/old-queue",
    "FILE": "one.yaml",
    "OLD": "one.yaml",
    "NEW": "two.yaml",
}
# In this order, so that each finds what it is about; what changes the queues comes after what reads them.
ORDER = ("validate", "diff", "queue stat", "queue verify", "queue ls", "queue cat", "queue export", "queue requeue")
ORDER += ("queue drop", "queue adopt", "check", "drain --cancel", "drain --timeout", "drain --to")


def inline_commands():
    found = set()
    for page in PAGES:
        if DOCS / "operations" in page.parents or DOCS / "tutorials" in page.parents:
            for code in re.findall(r"`([^`\n]+)`", FENCE.sub("", page.read_text())):
                command = re.sub(r"^kubectl exec POD -- ", "", code)
                if re.match(r"holdfast (queue (stat|verify)|queue \S+ \S|(?!queue)\S+ \S)", command) and not command.endswith(("...", "--to")):
                    found.add(command)
    return sorted(found, key=lambda command: [command.startswith(f"holdfast {words}") for words in ORDER].index(True))


def exporting_to(**endpoints):
    exporters = {name.replace("_", "/"): {"endpoint": f"http://localhost:{port}"} for name, port in endpoints.items()}
    return {
        "receivers": {"otlp": {"protocols": {"http": {"endpoint": "localhost:4318"}}}},
        "exporters": exporters,
        "extensions": {"health_check": None},
        "service": {
            "extensions": ["health_check"],
            "telemetry": {"metrics": {"level": "none"}},
            "pipelines": {"logs": {"receivers": ["otlp"], "exporters": list(exporters)}},
        },
    }


REFUSING = """
from http.server import BaseHTTPRequestHandler, HTTPServer
class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(400)
        self.send_header("Content-Length", "0")
        self.end_headers()
HTTPServer(("127.0.0.1", 14319), Handler).serve_forever()
"""


def test_commands_within_sentences_run(box):
    # A backend that is away, one that refuses for good, and one that is no longer configured.
    box.write("refusing.py", REFUSING)
    box.begin("/usr/bin/python3 refusing.py", "refusing.log")
    box.write("two.yaml", yaml.safe_dump(exporting_to(otlphttp=14318, otlphttp_refusing=14319, otlphttp_removed=14320)))
    box.write("one.yaml", yaml.safe_dump(exporting_to(otlphttp=14318, otlphttp_refusing=14319)))
    box.write("peer.yaml", yaml.safe_dump(peer()))
    send = f"curl -sf -H 'Content-Type: application/json' localhost:4318/v1/logs -d '{LOG}'"
    box.run("mkdir -p /var/lib/holdfast")
    server = box.start("holdfast --config one.yaml")
    box.run(send)
    letters = "holdfast queue count deadletter:otlphttp/refusing"
    until(lambda: "1 records" in box.run(letters, status=None).out, lambda: f"no dead letter:\n{box.log('log')[-3000:]}")
    box.stop(server)
    box.run("cp -a /var/lib/holdfast /mnt/copy && cp -a /var/lib/holdfast /mnt/old-queue")
    server = box.start("holdfast --config two.yaml")
    box.run(send)
    box.stop(server)
    server = box.start("holdfast --config one.yaml")
    commands = inline_commands()
    assert len(commands) > 15
    for command in commands:
        for word, value in PLACEHOLDERS.items():
            command = re.sub(rf"(?<!\w){re.escape(word)}(?![\w-])", value, command)
        if command.startswith("holdfast check") and len(box.servers) == 4:
            # From here on the backends answer.
            box.servers[0].kill()
            box.write("one.yaml", yaml.safe_dump(exporting_to(otlphttp=14318)))
            server.send_signal(1)
            box.start("holdfast --config peer.yaml --data-dir /mnt/peer", port=13134)
        box.run(command, status=1 if command.startswith("holdfast diff") else 0)  # they differ
        if command.startswith("holdfast drain"):
            box.run("holdfast drain --cancel")
    box.stop(server)


def peer():
    """The second half of the page: the backend is back, and another Holdfast takes over what waits."""
    configuration = exporting_to()
    configuration["receivers"]["otlp"]["protocols"] = {
        "http": {"endpoint": "localhost:14318"},
        "grpc": {"endpoint": "localhost:4317"},
    }
    configuration["exporters"]["nop"] = None
    configuration["extensions"]["health_check"] = {"endpoint": "localhost:13134"}
    configuration["service"]["pipelines"]["logs"]["exporters"] = ["nop"]
    return configuration


# ---- answers ----


def answers(page):
    """(words, text) of each block that shows an answer of the control protocol: what is asked, by the heading over it."""
    section = None
    for heading, block in re.findall(r"^#+ ([^\n]*)$|^```\n(.*?)^```$", page.read_text(), re.M | re.S):
        if heading:
            section = heading
        elif block.startswith("$ ... "):
            yield block.partition("\n")[0].split()[2:], block
        elif re.fullmatch(r"`[a-z]+`", section) and section not in ("`status`", "`tail`"):
            yield ["status", section.strip("`")], block


def test_the_control_page_shows_what_is_answered(start, tmp_path):
    authority = Authority(tmp_path / "certificates")
    certificate, key = authority.issue("server")
    tls = {"cert_file": str(certificate), "key_file": str(key)}
    protocols = {"http": {"endpoint": "127.0.0.1:0", "tls": tls}}
    exporter = {"endpoint": "http://127.0.0.1:9", "retry_on_failure": FAST_RETRY}
    holdfast = start(
        {
            "receivers": {"otlp/tls": {"protocols": protocols}},
            "exporters": {"otlphttp": exporter},
            "service": {"pipelines": {"logs": {"receivers": ["otlp", "otlp/tls"], "exporters": ["otlphttp"]}}},
        }
    )
    requests.post(f"{holdfast.http_base}/v1/logs", json=json.loads(LOG), timeout=30).raise_for_status()
    holdfast.reload()
    holdfast.wait_for_log("(?s)Exporting failed.*Exporting failed")

    def missing():
        found = []
        for words, text in answers(DOCS / "control.md"):
            words = [word.replace("41", "0") for word in words]
            code, answer = ask(holdfast.data_directory, *words)
            assert code == 0, answer
            shown, told = (set(re.findall(r'"(\w+)":', one)) for one in (text, answer))
            found += [f"{' '.join(words)}: {key}" for key in shown - told - {"rejected_by_backend"}]
        return found

    assert len(list(answers(DOCS / "control.md"))) == 8
    until(lambda: not missing(), lambda: f"not in the answer: {missing()}")


def test_what_is_not_run_is_there():
    verbs = subprocess.run([ROOT / "dev", "help"], capture_output=True, text=True, check=True).stdout
    code = [code for page in PAGES for code in re.findall(r"`([^`\n]+)`", FENCE.sub("", page.read_text()))]
    code += [command for page in WITH_COMMANDS for block in command_blocks(page) for command in block]
    for name in NOT_RUN:
        assert any(one.startswith(name) for one in code), f"no page has {name}"
    for one in code:
        verb = re.match(r"\./dev ([a-z]+)", one)
        assert not verb or re.search(rf"^  {verb.group(1)}\b", verbs, re.M), one
