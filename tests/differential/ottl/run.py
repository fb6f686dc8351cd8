"""Runs the corpus through Holdfast and, with HOLDFAST_PEER, through the Go collector, and compares what comes out.

One process has a pipeline for each case: all get the same request and send it on to a path of their own. What is
recorded of a case is how its output differs from its input, line by line, so that a record can be read.

    python -m differential.ottl.run          compares with the records
    HOLDFAST_PEER=otelcol python -m ...      records the Go collector's answers anew, then compares
"""

import collections
import http.server
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import yaml
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import DecodeError

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from differential.ottl import data
from support import otlp, senders
from support.holdfast import FAST_RETRY, Holdfast, run
from support.ports import free_port
from support.waiting import until

HERE = Path(__file__).parent
RECORDS = HERE / "recorded"
GATES = "--feature-gates=ottl.functions.enableLambda"  # functions that stay behind it in the Go collector
CASES_OF_A_PROCESS = {"holdfast": 32, "peer": 100}
PREFIXES = {"traces": "trace", "metrics": "metric", "logs": "log"}


class Case:
    """One entry of a corpus file: a text, or a mapping with more."""

    def __init__(self, signal, entry):
        self.signal = signal
        self.entry = {"do": entry} if isinstance(entry, str) else entry
        self.key = entry if isinstance(entry, str) else json.dumps(entry, sort_keys=True, ensure_ascii=False)

    def processor(self):
        """The processor's kind and configuration."""
        entry = self.entry
        prefix = PREFIXES[self.signal.name]
        if "filter" in entry:
            return "filter", {"error_mode": entry.get("error_mode", "ignore"), **entry["filter"]}
        if "if" in entry:
            return "filter", {"error_mode": "ignore", f"{prefix}_conditions": [entry["if"]]}
        statements = entry["do"] if isinstance(entry["do"], list) else [entry["do"]]
        group = {"statements": statements}
        for key in ("context", "conditions"):
            if key in entry:
                group[key] = entry[key]
        return "transform", {"error_mode": entry.get("error_mode", "ignore"), f"{prefix}_statements": [group]}


def corpus():
    """All cases, by signal, in the order of the files."""
    cases = []
    for signal in otlp.SIGNALS:
        for path in sorted(HERE.glob(f"{signal.name}*.yaml")):
            cases.extend(Case(signal, entry) for entry in yaml.safe_load(path.read_text()))
    return cases


# ---- outputs as lines ----


def _value(kind):
    """An AnyValue of MessageToDict in few words; maps sorted."""
    if "arrayValue" in kind:
        return [_value(one) for one in kind["arrayValue"].get("values", [])]
    if "kvlistValue" in kind:
        pairs = kind["kvlistValue"].get("values", [])
        return {"{" + pair.get("key", ""): _value(pair.get("value", {})) for pair in pairs}
    (name, value), = kind.items() or [("empty", None)]
    return {"stringValue": "s:", "intValue": "i:", "doubleValue": "d:", "boolValue": "b:", "bytesValue": "x:"}.get(
        name, "n:"
    ) + str(value)


def _lines(value, path, into):
    if isinstance(value, list) and value and all(isinstance(one, dict) and set(one) <= {"key", "value"} for one in value):
        for pair in value:
            shown = json.dumps(_value(pair.get("value", {})), sort_keys=True, ensure_ascii=False)
            into.append(f"{path}[{pair.get('key', '')}]={shown}")
    elif path.endswith(".body"):
        if value:  # one without a kind is none
            into.append(f"{path}={json.dumps(_value(value), sort_keys=True, ensure_ascii=False)}")
    elif isinstance(value, dict):
        for key, one in value.items():
            _lines(one, f"{path}.{key}", into)
    elif isinstance(value, list):
        for index, one in enumerate(value):
            _lines(one, f"{path}[{index}]", into)
    else:
        into.append(f"{path}={value}")


SHORT = {"resourceSpans": "r", "resourceMetrics": "r", "resourceLogs": "r", "scopeSpans": "s", "scopeMetrics": "s",
         "scopeLogs": "s", "logRecords": "l", "attributes": "a"}


def lines(message):
    into = []
    _lines(MessageToDict(message), "", into)
    short = []
    for line in into:
        for long, brief in SHORT.items():
            line = line.replace("." + long, "." + brief, 1)
        short.append(line)
    return short


def survivors(signal, message):
    """What a filter left, each by what tells it from the others."""
    left = []
    for resource in otlp.groups(signal, message):
        name = otlp.attributes(resource.resource)["service.name"][-1]
        for scope in {"traces": lambda: resource.scope_spans, "metrics": lambda: resource.scope_metrics, "logs": lambda: resource.scope_logs}[signal.name]():
            if signal is otlp.TRACES:
                left += [f"{name} {span.span_id[0]}: " + " ".join(one.name for one in span.events) for span in scope.spans]
            elif signal is otlp.LOGS:
                left += [f"{name} {record.time_unix_nano % 100}" for record in scope.log_records]
            else:
                for metric in scope.metrics:
                    points = getattr(metric, metric.WhichOneof("data")).data_points
                    left.append(f"{name} {metric.name}: " + " ".join(str(point.time_unix_nano // data.SECOND % 100) for point in points))
    return left


def difference(case, message):
    """How an output (None: nothing came) differs from the input."""
    signal = case.signal
    if message is None:
        return ["nothing"]
    if isinstance(message, str):
        return [message]
    if case.processor()[0] == "filter":
        return survivors(signal, message)
    before = collections.Counter(lines(data.ALL[signal]()))
    after = collections.Counter(lines(message))
    return sorted(f"-{line}" for line in (before - after).elements()) + sorted(
        f"+{line}" for line in (after - before).elements()
    )


# ---- the backend ----


class Backend:
    """Keeps the requests of each path."""

    def __init__(self):
        outer = self
        self.got = {}

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                number = int(self.path.split("/")[1])
                outer.got[number] = body
                self.send_response(200)
                self.send_header("Content-Type", "application/x-protobuf")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *arguments):
                pass

        class Server(http.server.ThreadingHTTPServer):
            request_queue_size = 1024  # everything comes at once

        self.server = Server(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def base(self):
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def configuration(cases, base, peer):
    made = {"processors": {}, "exporters": {}, "service": {"pipelines": {}}}
    for number, case in enumerate(cases):
        kind, settings = case.processor()
        made["processors"][f"{kind}/{number}"] = settings
        exporter = {"endpoint": f"{base}/{number}", "compression": "none", "retry_on_failure": dict(FAST_RETRY)}
        if peer:
            exporter["sending_queue"] = {"enabled": False}
            exporter["retry_on_failure"] = {"enabled": False}
        made["exporters"][f"otlphttp/{number}"] = exporter
        made["service"]["pipelines"][f"{case.signal.name}/{number}"] = {
            "receivers": ["otlp"],
            "processors": [f"{kind}/{number}"],
            "exporters": [f"otlphttp/{number}"],
        }
    # The last one of each signal says when all have been through.
    for signal in otlp.SIGNALS:
        number = len(cases) + otlp.SIGNALS.index(signal)
        made["exporters"][f"otlphttp/{number}"] = {"endpoint": f"{base}/{number}", "compression": "none"}
        made["service"]["pipelines"][signal.name] = {"receivers": ["otlp"], "exporters": [f"otlphttp/{number}"]}
    # Of `$` there are to be two.
    return yaml.safe_load(yaml.safe_dump(made).replace("$", "$$"))


def send_all(base):
    for signal in otlp.SIGNALS:
        answer = senders.post(base, signal, data.ALL[signal]())
        assert answer.status_code == 200, answer.content


def _parsed(case, body):
    try:
        return case.signal.request.FromString(body)
    except DecodeError:
        return "malformed"


def parsed(backend, cases):
    return [
        None if number not in backend.got else _parsed(case, backend.got[number])
        for number, case in enumerate(cases)
    ]


def settled(backend, count):
    """All that comes has come: the unchanged copies are there, and nothing new for a while."""
    until(lambda: all(count + i in backend.got for i in range(len(otlp.SIGNALS))), "the copies do not come", 30)
    seen, since = -1, time.monotonic()
    while time.monotonic() - since < 0.7:
        if len(backend.got) != seen:
            seen, since = len(backend.got), time.monotonic()
        time.sleep(0.02)


class Refused(Exception):
    """The numbers of the cases that are errors of configuration."""

    def __init__(self, text):
        self.numbers = sorted({int(number) for number in re.findall(r"(?:transform|filter)/(\d+)", text)})
        super().__init__(text[-3000:])


def with_refusals(through, cases, directory):
    """What comes out, or "refused"."""
    refused = set()
    while True:
        left = [number for number in range(len(cases)) if number not in refused]
        try:
            messages = through([cases[number] for number in left], directory)
        except Refused as refusal:
            if not refusal.numbers:
                raise
            refused |= {left[number] for number in refusal.numbers}
            continue
        found = dict(zip(left, messages))
        return [found.get(number, "refused") for number in range(len(cases))]


def through_holdfast(cases, directory):
    path = Path(directory) / "checked.yaml"
    checked = configuration(cases, "http://127.0.0.1:1", False)
    checked["receivers"] = {"otlp": {"protocols": {"http": {}}}}
    path.write_text(yaml.safe_dump(checked))
    done = run("validate", "--config", path)
    if done.returncode != 0:
        raise Refused(done.stdout + done.stderr)
    backend = Backend()
    holdfast = Holdfast(directory, configuration(cases, backend.base, False))
    try:
        holdfast.start(60)
        send_all(holdfast.http_base)
        settled(backend, len(cases))
        return parsed(backend, cases)
    except Exception as error:
        raise AssertionError(f"{[case.key for case in cases]}\n{holdfast.log()[-3000:]}") from error
    finally:
        holdfast.close()
        backend.close()


def through_peer(program, cases, directory):
    backend = Backend()
    port = free_port()
    config = configuration(cases, backend.base, True)
    config["receivers"] = {"otlp": {"protocols": {"http": {"endpoint": f"127.0.0.1:{port}"}}}}
    config["service"]["telemetry"] = {"metrics": {"level": "none"}}
    path = Path(directory) / "peer.yaml"
    path.write_text(yaml.safe_dump(config))
    with open(Path(directory) / "peer.log", "wb") as log:
        process = subprocess.Popen([program, "--config", path, GATES], stdout=log, stderr=log)
    try:
        def answers():
            if process.poll() is not None:
                raise Refused((Path(directory) / "peer.log").read_text())
            try:
                senders.post(f"http://127.0.0.1:{port}", otlp.LOGS, otlp.LOGS.request())
                return True
            except Exception:
                return False

        until(answers, "the Go collector does not listen", 60)
        backend.got.clear()
        send_all(f"http://127.0.0.1:{port}")
        settled(backend, len(cases))
        return parsed(backend, cases)
    finally:
        process.terminate()
        process.wait(20)
        backend.close()


def in_pieces(cases, count):
    for at in range(0, len(cases), count):
        yield cases[at : at + count]


def differences(cases, through, count):
    found = {}
    for piece in in_pieces(cases, count):
        with tempfile.TemporaryDirectory() as directory:
            for case, message in zip(piece, with_refusals(through, piece, directory)):
                found[case.signal.name, case.key] = difference(case, message)
    return found


# ---- records ----


def read_records():
    found = {}
    for signal in otlp.SIGNALS:
        path = RECORDS / f"{signal.name}.json"
        if path.exists():
            for key, record in json.loads(path.read_text()).items():
                found[signal.name, key] = record
    return found


def write_records(found):
    RECORDS.mkdir(exist_ok=True)
    for signal in otlp.SIGNALS:
        mine = {key: record for (name, key), record in found.items() if name == signal.name}
        (RECORDS / f"{signal.name}.json").write_text(json.dumps(mine, indent=0, ensure_ascii=False) + "\n")


def record(program, cases):
    found = differences(cases, lambda piece, directory: through_peer(program, piece, directory), CASES_OF_A_PROCESS["peer"])
    write_records(found)


def known_differences():
    """Keys of the cases that are meant to differ."""
    return {key for entry in yaml.safe_load((HERE / "differs.yaml").read_text()) for key in entry["cases"]}


def compare(cases, records):
    """The cases that Holdfast answers otherwise, with both answers; except those that are meant to."""
    known = known_differences()
    cases = [case for case in cases if case.key not in known]
    found = differences(cases, through_holdfast, CASES_OF_A_PROCESS["holdfast"])
    return {
        key: {"peer": records.get(key), "holdfast": mine} for key, mine in found.items() if records.get(key) != mine
    }


if __name__ == "__main__":
    words = sys.argv[1:]
    chosen = [case for case in corpus() if not words or any(word in case.key for word in words)]
    if "HOLDFAST_PEER" in os.environ:
        record(os.environ["HOLDFAST_PEER"], corpus())
    wrong = compare(chosen, read_records())
    for (name, key), answers in wrong.items():
        print(f"{name}: {key}")
        for who, answer in answers.items():
            print(f"  {who}: {json.dumps(answer, ensure_ascii=False)[:1500]}")
    print(f"{len(chosen)} cases, {len(wrong)} differ")
    sys.exit(1 if wrong else 0)
