"""The exporter syslog against a real rsyslog, which Debian has: RFC 5424 with counted octets, in lines and over TLS, RFC 3164,
and datagrams.

Records are written while Holdfast is killed, and rsyslog is stopped and killed; then rsyslog's own parser has found every
record, with its fields. rsyslog acknowledges nothing, so it is ended when it has read what was sent; repeats are allowed.
"""

import json
import os
import shutil
import socket
import time
from pathlib import Path

from support import otlp
from support.certificates import Authority
from support.holdfast import FAST_RETRY, Holdfast
from support.ports import free_port
from support.senders import GrpcSender
from support.waiting import until

from .service import Service

# By exporter: its settings, and those of rsyslog's input.
INPUTS = {
    "syslog/counted": ({"enable_octet_counting": True}, 'type="imtcp"'),
    "syslog/lines": ({}, 'type="imtcp"'),
    "syslog/old": ({"protocol": "rfc3164"}, 'type="imtcp"'),
    "syslog/tls": (
        {"enable_octet_counting": True},
        'type="imtcp" streamDriver.name="gtls" streamDriver.mode="1" streamDriver.authMode="x509/certvalid"',
    ),
    "syslog/datagrams": ({"network": "udp"}, 'type="imudp"'),
}
CONFIGURATION = """
global(workDirectory="{home}" parser.escapeControlCharactersOnReceive="off" maxMessageSize="64k"
       defaultNetstreamDriverCAFile="{ca}" defaultNetstreamDriverCertFile="{certificate}" defaultNetstreamDriverKeyFile="{key}")
module(load="imtcp")
module(load="imudp")
template(name="found" type="list" option.jsonf="on") {{
  property(outname="input" name="inputname" format="jsonf")
  property(outname="priority" name="pri" format="jsonf")
  property(outname="time" name="timereported" dateFormat="rfc3339" format="jsonf")
  property(outname="hostname" name="hostname" format="jsonf")
  property(outname="appname" name="app-name" format="jsonf")
  property(outname="proc_id" name="procid" format="jsonf")
  property(outname="msg_id" name="msgid" format="jsonf")
  property(outname="structured_data" name="structured-data" format="jsonf")
  property(outname="message" name="msg" format="jsonf")
}}
ruleset(name="all" queue.type="Direct") {{ action(type="omfile" file="{home}/found" template="found") }}
"""


class Rsyslog(Service):
    name = "rsyslog"

    def __init__(self, directory):
        super().__init__(directory)
        self.ports = {name: free_port() for name in INPUTS}
        authority = Authority(directory / "certificates")
        self.ca, self.pair = authority.certificate, authority.issue("client")
        certificate, key = authority.issue("server")
        text = CONFIGURATION.format(home=self.home, ca=self.ca, certificate=certificate, key=key)
        for name, (_, settings) in INPUTS.items():
            text += f'input({settings} name="{name}" address="127.0.0.1" port="{self.ports[name]}" ruleset="all")\n'
        (self.home / "rsyslog.conf").write_text(text)

    def command(self):
        elsewhere = Path(os.environ.get("HOLDFAST_REAL_BIN", "/nonexistent")) / "rsyslogd"
        found = str(elsewhere) if elsewhere.exists() else shutil.which("rsyslogd", path=f"{os.environ['PATH']}:/usr/sbin")
        if found is None:
            raise SystemExit("rsyslogd is not there (apt-get install rsyslog rsyslog-gnutls)")
        return [found, "-n", "-C", "-f", self.home / "rsyslog.conf", "-i", self.home / "pid"]

    def is_ready_or_dead(self):
        return self.process.poll() is not None or all(self.listens(name) for name in INPUTS if name != "syslog/datagrams")

    def listens(self, name):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.ports[name])) == 0

    def found(self, name):
        """{message: the fields that rsyslog's parser found} of the input of that exporter."""
        path = self.home / "found"
        lines = path.read_text().splitlines(keepends=True) if path.exists() else []
        records = [json.loads(line) for line in lines if line.endswith("\n")]  # the last one may be cut off
        return {one.pop("message").strip(): one for one in records if one.pop("input") == name}


def configuration(rsyslog):
    certificate, key = rsyslog.pair
    exporters = {}
    for name, (settings, _) in INPUTS.items():
        tls = {"insecure": True}
        if name == "syslog/tls":
            tls = {"ca_file": str(rsyslog.ca), "cert_file": str(certificate), "key_file": str(key)}
        address = {"endpoint": "localhost" if name == "syslog/tls" else "127.0.0.1", "port": rsyslog.ports[name]}
        exporters[name] = {**address, "tls": tls, **settings, "retry_on_failure": dict(FAST_RETRY)}
    pipeline = {"receivers": ["otlp"], "exporters": list(exporters)}
    return {"exporters": exporters, "service": {"pipelines": {"logs": pipeline}}}


def send(sender, begun_ns):
    """Sends five records; returns {message: the fields that it has}."""
    message = otlp.request(otlp.LOGS, otlp.new_ids(5))
    sent = {}
    for number, record in enumerate(otlp.items(otlp.LOGS, message)):
        text = f'id={record.attributes[0].value.int_value} "quoted" <\u00e9> \\ ] and more'
        record.time_unix_nano = begun_ns + number * 1_000_001_000
        fields = {"priority": 8 * number + 3, "hostname": f"host-{number}", "appname": "shop", "proc_id": "77", "msg_id": "ID47"}
        data = {"a@1": {"x": 'q"b]\\', "y": str(number)}}
        pairs = {"message": text, **fields, "structured_data": data}
        record.attributes.extend(otlp.attribute(*pair) for pair in pairs.items())
        at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.time_unix_nano // 10**9))
        sent[text] = {
            **{key: str(value) for key, value in fields.items()},
            "structured_data": f'[a@1 x="q\\"b\\]\\\\" y="{number}"]',
            "time": f"{at}.{record.time_unix_nano % 10**9:09}".rstrip("0").rstrip(".") + "Z",
        }
    sender.export(otlp.LOGS, message)
    return sent


def check_hard(rsyslog, holdfast, sender):
    """A time in nanoseconds, fields of the header with blanks, a message of several lines, and a priority that is none: the
    record stays one, and its other fields stay what they are."""
    message = otlp.request(otlp.LOGS, otlp.new_ids(1))
    (record,) = otlp.items(otlp.LOGS, message)
    record.time_unix_nano = time.time_ns() // 10**9 * 10**9 + 123_456_789
    text = f"id={record.attributes[0].value.int_value} at a\n<0>1 - - - - - - at b"
    pairs = {"message": text, "priority": 999, "hostname": "my host", "appname": "my app", "proc_id": "", "msg_id": "a b"}
    record.attributes.extend(otlp.attribute(*pair) for pair in pairs.items())
    sender.export(otlp.LOGS, message)
    at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.time_unix_nano // 10**9))
    wanted = {"priority": "165", "hostname": "my_host", "appname": "my_app", "proc_id": "-", "msg_id": "a_b"}
    wanted |= {"time": f"{at}.123456Z", "structured_data": "-"}
    for name, (settings, _) in INPUTS.items():
        is_whole = "enable_octet_counting" in settings or "network" in settings
        shown = text if is_whole else text.replace("\n", "#012")
        wait_settled(holdfast, rsyslog, name, [shown])
        got = rsyslog.found(name)[shown]
        assert comparable(name, got) == comparable(name, wanted), f"{name}: {got} for {wanted}"
        assert not [one for one in rsyslog.found(name) if "at b" in one and one != shown], f"{name}: it was cut"
    print("lines, blanks and nanoseconds stay within their fields", flush=True)


def comparable(name, fields):
    """What the protocol of that exporter has of them: RFC 3164 knows neither a year nor what came later."""
    if name != "syslog/old":
        return fields
    return {key: fields[key] for key in ("priority", "hostname", "appname")} | {"time": fields["time"][5:19]}


def wait_settled(holdfast, rsyslog, name, sent):
    until(lambda: set(sent) <= set(rsyslog.found(name)), lambda: missing(rsyslog, name, sent), 60)
    until(
        lambda: holdfast.books("logs", name)["queued"]["items"] == 0,
        lambda: (holdfast.books("logs", name), holdfast.log()[-2000:], rsyslog.said()),
    )


def missing(rsyslog, name, sent):
    found = rsyslog.found(name)
    return f"{name}: {len(set(sent) - set(found))} of {len(sent)} records are missing; {rsyslog.said()}"


def write_all(rsyslog, holdfast, sender, names, begun_ns):
    """Sends with ends of both sides; returns {message: fields}."""
    sent = {}

    def end(how):
        for name in names:
            wait_settled(holdfast, rsyslog, name, sent)
        how()

    for number in range(60):
        sent |= send(sender, begun_ns + number * 10**9)
        if number in (10, 45):
            holdfast.kill9()
            holdfast.start()
        if number == 20:
            end(rsyslog.terminate)
        if number == 40:
            end(rsyslog.kill)
        if number in (30, 50):
            rsyslog.start()
    end(rsyslog.kill)
    rsyslog.start()
    return sent


def check_values(rsyslog, name, sent):
    found = rsyslog.found(name)
    for text, fields in sent.items():
        got, wanted = comparable(name, found[text]), comparable(name, fields)
        assert got == wanted, f"{name}: {got} for {wanted}"
    print(f"{name}: {len(sent)} records, each with its fields", flush=True)


def main(directory):
    rsyslog = Rsyslog(directory)
    holdfast = Holdfast(directory / "holdfast", configuration(rsyslog))
    reliable = [name for name in INPUTS if name != "syslog/datagrams"]
    try:
        rsyslog.start()
        holdfast.start()
        begun_ns = (time.time_ns() // 10**9 - 600) * 10**9
        with GrpcSender(holdfast.grpc_target) as sender:
            sent = write_all(rsyslog, holdfast, sender, reliable, begun_ns)
            last = send(sender, begun_ns)
            for name in INPUTS:
                wait_settled(holdfast, rsyslog, name, last)
            for name in reliable:
                check_values(rsyslog, name, sent | last)
            check_values(rsyslog, "syslog/datagrams", last)
            check_hard(rsyslog, holdfast, sender)
        holdfast.close()
        return True
    finally:
        if holdfast.process and holdfast.process.poll() is None:
            holdfast.kill9()
        rsyslog.close()
