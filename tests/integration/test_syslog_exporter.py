"""Syslog messages to servers that are slow, rude or away: their forms, and that nothing is lost for want of an acknowledgement."""

import ssl

import pytest

from support import otlp
from support.certificates import Authority
from support.holdfast import FAST_RETRY, otlp_exporter, pipelines
from support.ports import free_port
from support.syslog_server import DatagramServer, SyslogServer
from support.waiting import until

TIME_NS = 1_065_910_455_003_000_000


@pytest.fixture
def server(ending):
    return ending.enter_context(SyslogServer())


def exporter(server, **more):
    return {
        "endpoint": "127.0.0.1",
        "port": server.port,
        "tls": {"insecure": True},
        "retry_on_failure": dict(FAST_RETRY),
        **more,
    }


def configuration(settings):
    return {"exporters": {"syslog": settings}, "service": {"pipelines": pipelines(["syslog"], signals=["logs"])}}


def request(ids, padding="", **attributes):
    """Records whose message says their id."""
    message = otlp.request(otlp.LOGS, ids)
    for record, item in zip(otlp.items(otlp.LOGS, message), ids):
        record.time_unix_nano = TIME_NS
        pairs = {"message": f"id={item} {padding}", **attributes}
        record.attributes.extend(otlp.attribute(*pair) for pair in pairs.items())
    return message


def books(holdfast):
    return holdfast.books("logs", "syslog")


def until_books(holdfast, **parts):
    """Waits until each of the parts has so many items."""
    until(
        lambda: all(books(holdfast)[name]["items"] == count for name, count in parts.items()),
        lambda: f"{books(holdfast)}",
    )


class TestForms:
    def test_attributes_are_the_fields(self, start, server, grpc_sender):
        holdfast = start(configuration(exporter(server)))
        data = {"a@1": {"x": "1", "y": 'q"b]'}}
        fields = {"priority": 34, "hostname": "host", "appname": "su", "proc_id": "77", "msg_id": "ID47"}
        grpc_sender(holdfast).export(otlp.LOGS, request([5], structured_data=data, **fields))
        server.wait_for([5])
        assert server.text() == b'<34>1 2003-10-11T22:14:15.003Z host su 77 ID47 [a@1 x="1" y="q\\"b\\]"] id=5 \n'

    def test_lengths_may_stand_before_messages(self, start, server, grpc_sender):
        holdfast = start(configuration(exporter(server, enable_octet_counting=True)))
        grpc_sender(holdfast).export(otlp.LOGS, request([7, 8]))
        server.wait_for([7, 8])
        line = b"<165>1 2003-10-11T22:14:15.003Z - - - - - id=%d \n"
        assert server.text() == b"".join(b"%d %s" % (len(line % item), line % item) for item in (7, 8))

    def test_the_older_form(self, start, server, grpc_sender):
        holdfast = start(configuration(exporter(server, protocol="rfc3164")))
        grpc_sender(holdfast).export(otlp.LOGS, request([7], appname="su", hostname="h"))
        server.wait_for([7])
        assert server.text() == b"<165>Oct 11 22:14:15 h su: id=7 \n"

    def test_a_body_without_a_message_is_told_of(self, start, server, grpc_sender):
        holdfast = start(configuration(exporter(server)))
        for _ in range(2):
            grpc_sender(holdfast).export(otlp.LOGS, otlp.request(otlp.LOGS, otlp.new_ids(1), padding="body"))
        until_books(holdfast, delivered=2)
        until(lambda: server.text().count(b" - - - - -\n") == 2, lambda: f"{server.text()}")
        assert holdfast.log().count("records without the attribute message") == 1

    def test_the_receiver_reads_what_the_exporter_writes(self, start, grpc_backend, grpc_sender):
        port = free_port()
        settings = {
            "receivers": {"syslog": {"tcp": {"listen_address": f"127.0.0.1:{port}"}, "protocol": "rfc5424"}},
            "exporters": {
                "syslog": {"endpoint": "127.0.0.1", "port": port, "tls": {"insecure": True}},
                "otlp": otlp_exporter(grpc_backend),
            },
            "service": {
                "pipelines": {
                    "logs/out": {"receivers": ["otlp"], "exporters": ["syslog"]},
                    "logs/in": {"receivers": ["syslog"], "exporters": ["otlp"]},
                }
            },
        }
        holdfast = start(settings)
        fields = {
            "hostname": "h",
            "appname": "su",
            "proc_id": "77",
            "msg_id": "ID47",
            "structured_data": {"a@1": {"x": 'q"b]\\'}},
        }
        grpc_sender(holdfast).export(otlp.LOGS, request([5], **fields))
        grpc_backend.wait_for_requests(1)
        (record,) = otlp.items(otlp.LOGS, grpc_backend.requests[0].message)
        assert record.time_unix_nano == TIME_NS
        attributes = otlp.attributes(record)
        assert {key: attributes[key] for key in fields} == fields
        assert attributes["priority"] == 165


class TestTrouble:
    def test_an_outage_and_a_kill_lose_nothing(self, start, server, grpc_sender):
        server.stop()
        holdfast = start(configuration(exporter(server)))
        sender = grpc_sender(holdfast)
        ids = otlp.new_ids(40)
        for at in range(0, 40, 4):
            sender.export(otlp.LOGS, request(ids[at : at + 4]))
        holdfast.wait_for_log("Connection refused")
        assert books(holdfast)["queued"]["items"] == 40
        holdfast.kill9()
        holdfast.start()
        server.start()
        server.wait_for(ids)
        until_books(holdfast, delivered=40, queued=0)
        assert server.ids() == ids  # nothing was written before, so nothing repeats and all is in order

    def test_a_connection_that_the_server_closed_is_not_written_to(self, start, server, grpc_sender):
        holdfast = start(configuration(exporter(server)))
        sender = grpc_sender(holdfast)
        ids = otlp.new_ids(6)
        for count, item in enumerate(ids, 1):
            sender.export(otlp.LOGS, request([item]))
            server.wait_for([item])
            until_books(holdfast, delivered=count)
            server.hang_up()
        assert sorted(server.ids()) == sorted(ids)

    def test_a_request_that_is_cut_off_is_sent_again_as_a_whole(self, start, server, grpc_sender):
        server.read_bytes = 20_000
        holdfast = start(configuration(exporter(server)))
        ids = otlp.new_ids(300)
        grpc_sender(holdfast).export(otlp.LOGS, request(ids, padding="x" * 1000))
        server.wait_for_connections(2)
        assert books(holdfast)["delivered"]["items"] == 0
        server.read_bytes = None
        server.wait_for(ids)
        until_books(holdfast, delivered=300, queued=0)

    def test_a_server_that_hangs_up_at_once_has_taken_nothing(self, start, server, grpc_sender):
        server.rude = True
        holdfast = start(configuration(exporter(server)))
        ids = otlp.new_ids(3)
        grpc_sender(holdfast).export(otlp.LOGS, request(ids))
        server.wait_for_connections(3)
        assert books(holdfast)["queued"]["items"] == 3
        server.rude = False
        server.wait_for(ids)
        until_books(holdfast, delivered=3, queued=0)

    def test_a_server_that_reads_nothing_holds_the_records_in_the_queue(self, start, server, grpc_sender):
        server.paused.set()
        holdfast = start(configuration(exporter(server, timeout="1s")))
        ids = otlp.new_ids(500)
        sender = grpc_sender(holdfast)
        for at in range(0, 500, 100):
            sender.export(otlp.LOGS, request(ids[at : at + 100], padding="x" * 30_000))
        holdfast.wait_for_log("the peer did not take the messages in time")
        assert books(holdfast)["queued"]["items"] == 500
        server.paused.clear()
        server.wait_for(ids)
        until_books(holdfast, delivered=500, queued=0)

    def test_a_kill_in_the_middle_repeats_at_worst(self, start, server, grpc_sender):
        holdfast = start(configuration(exporter(server)))
        sender = grpc_sender(holdfast)
        ids = otlp.new_ids(200)
        for at in range(0, 100, 10):
            sender.export(otlp.LOGS, request(ids[at : at + 10]))
        server.wait_for(ids[:10])
        holdfast.kill9()
        holdfast.start()
        sender = grpc_sender(holdfast)
        for at in range(100, 200, 10):
            sender.export(otlp.LOGS, request(ids[at : at + 10]))
        server.wait_for(ids)
        until_books(holdfast, queued=0)

    def test_a_name_that_is_unknown_is_retried(self, start, server, grpc_sender):
        holdfast = start(configuration(exporter(server, endpoint="no-such-host.invalid")))
        grpc_sender(holdfast).export(otlp.LOGS, request(otlp.new_ids(1)))
        holdfast.wait_for_log("Exporting failed. Will retry")
        assert books(holdfast)["queued"]["items"] == 1

    def test_a_stop_waits_for_no_server(self, start, server, grpc_sender):
        server.paused.set()
        holdfast = start(configuration(exporter(server, timeout="1h")))
        grpc_sender(holdfast).export(otlp.LOGS, request(otlp.new_ids(100), padding="x" * 30_000))
        server.wait_for_connections(1)
        status, _ = holdfast.terminate()
        assert status == 0


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("ca"))


class TestTls:
    @staticmethod
    def context(authority, asks=False):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*authority.issue("localhost"))
        if asks:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(authority.certificate)
        return context

    def test_over_tls(self, start, server, authority, grpc_sender):
        server.use_tls(self.context(authority))
        holdfast = start(configuration(exporter(server, endpoint="localhost", tls={"ca_file": str(authority.certificate)})))
        ids = otlp.new_ids(100)
        grpc_sender(holdfast).export(otlp.LOGS, request(ids, padding="x" * 5000))
        server.wait_for(ids)
        until_books(holdfast, delivered=100, queued=0)

    def test_a_server_that_refuses_the_missing_certificate_costs_nothing(self, start, server, authority, grpc_sender):
        server.use_tls(self.context(authority, asks=True))
        holdfast = start(configuration(exporter(server, tls={"ca_file": str(authority.certificate)})))
        ids = otlp.new_ids(2)
        grpc_sender(holdfast).export(otlp.LOGS, request(ids))
        server.wait_for_connections(3)
        assert books(holdfast)["queued"]["items"] == 2
        server.use_tls(self.context(authority))
        server.wait_for(ids)
        until_books(holdfast, delivered=2, queued=0)

    def test_a_wrong_certificate_is_not_trusted(self, start, server, authority, tmp_path, grpc_sender):
        server.use_tls(self.context(Authority(tmp_path / "other")))
        holdfast = start(configuration(exporter(server, tls={"ca_file": str(authority.certificate)})))
        grpc_sender(holdfast).export(otlp.LOGS, request(otlp.new_ids(1)))
        holdfast.wait_for_log("certificate verify failed")
        assert books(holdfast)["queued"]["items"] == 1
        assert server.text() == b""


class TestOtherSockets:
    def test_datagrams(self, start, ending, grpc_sender):
        server = ending.enter_context(DatagramServer())
        holdfast = start(configuration(exporter(server, network="UDP", tls={})))
        ids = otlp.new_ids(20)
        grpc_sender(holdfast).export(otlp.LOGS, request(ids))
        server.wait_for(ids)
        assert [one.count(b"\n") for one in server.datagrams] == [1] * 20
        until_books(holdfast, delivered=20, queued=0)

    def test_a_message_too_long_for_a_datagram_is_a_dead_letter(self, start, ending, grpc_sender):
        server = ending.enter_context(DatagramServer())
        holdfast = start(configuration(exporter(server, network="udp")))
        ids = otlp.new_ids(3)
        message = request(ids)
        record = list(otlp.items(otlp.LOGS, message))[1]
        for pair in record.attributes:
            if pair.key == "message":
                pair.value.string_value = f"id={ids[1]} " + "x" * 70_000
        grpc_sender(holdfast).export(otlp.LOGS, message)
        server.wait_for([ids[0], ids[2]])
        until_books(holdfast, delivered=2, dead_lettered=1, queued=0)
        assert ids[1] not in server.ids()

    def test_a_port_that_is_closed_is_tried_again(self, start, ending, grpc_sender):
        server = DatagramServer()
        holdfast = start(configuration(exporter(server, network="udp")))
        ids = otlp.new_ids(3)
        grpc_sender(holdfast).export(otlp.LOGS, request(ids))
        holdfast.wait_for_log("Connection refused")
        ending.enter_context(server)
        server.wait_for(ids)

    def test_a_unix_socket(self, start, ending, tmp_path, grpc_sender):
        server = SyslogServer(path=str(tmp_path / "s"))
        holdfast = start(configuration(exporter(server, network="unix", endpoint=server.path)))
        ids = otlp.new_ids(50)
        grpc_sender(holdfast).export(otlp.LOGS, request(ids, padding="x" * 10_000))
        holdfast.wait_for_log("No such file or directory")
        ending.enter_context(server)
        server.wait_for(ids)
        until_books(holdfast, delivered=50, queued=0)


@pytest.mark.parametrize(
    "change, sentence",
    [
        ({"endpoint": ""}, "endpoint must be specified"),
        ({"endpoint": "host:514"}, "a host without a port"),
        ({"endpoint": "tcp://host"}, "expected a host"),
        ({"port": 0}, "port"),
        ({"network": "tls"}, "network"),
        ({"protocol": "rfc9999"}, "protocol"),
        ({"protocol": "rfc3164", "enable_octet_counting": True}, "only supported with the protocol rfc5424"),
        ({"network": "unix", "endpoint": "/" + "x" * 200}, "the path is too long"),
        ({"tls": {"ca_file": "a", "ca_pem": "b"}}, "ca_file"),
    ],
)
def test_a_wrong_configuration_is_refused(start, server, change, sentence):
    holdfast = start(configuration(exporter(server, **change)), ready=False)
    done = holdfast.command("validate", "--config", holdfast.base_path, "--config", holdfast.config_path)
    assert done.returncode != 0
    assert sentence in done.stderr + done.stdout
