"""redis: the receiver against the real server: alone, with passwords and TLS, as a replica, in a cluster and as a sentinel."""

import socket
import threading

import pytest

from support.certificates import Authority
from support.ports import free_port
from support.scraped_servers import SCOPE, complaints, scrape, scraping, shapes, switched, values
from support.servers import Redis, program
from support.waiting import until

GAUGE, SUM, COUNTER = "gauge", "sum", "counter"
METRICS = {
    "redis.clients.blocked": ("{client}", SUM, "int", ()),
    "redis.clients.connected": ("{client}", SUM, "int", ()),
    "redis.clients.max_input_buffer": ("By", GAUGE, "int", ()),
    "redis.clients.max_output_buffer": ("By", GAUGE, "int", ()),
    "redis.commands": ("{ops}/s", GAUGE, "int", ()),
    "redis.commands.processed": ("{command}", COUNTER, "int", ()),
    "redis.connections.received": ("{connection}", COUNTER, "int", ()),
    "redis.connections.rejected": ("{connection}", COUNTER, "int", ()),
    "redis.cpu.time": ("s", COUNTER, "float", ("state",)),
    "redis.db.avg_ttl": ("ms", GAUGE, "int", ("db",)),
    "redis.db.expires": ("{key}", GAUGE, "int", ("db",)),
    "redis.db.keys": ("{key}", GAUGE, "int", ("db",)),
    "redis.keys.evicted": ("{key}", COUNTER, "int", ()),
    "redis.keys.expired": ("{event}", COUNTER, "int", ()),
    "redis.keyspace.hits": ("{hit}", COUNTER, "int", ()),
    "redis.keyspace.misses": ("{miss}", COUNTER, "int", ()),
    "redis.latest_fork": ("us", GAUGE, "int", ()),
    "redis.memory.fragmentation_ratio": ("1", GAUGE, "float", ()),
    "redis.memory.lua": ("By", GAUGE, "int", ()),
    "redis.memory.peak": ("By", GAUGE, "int", ()),
    "redis.memory.rss": ("By", GAUGE, "int", ()),
    "redis.memory.used": ("By", GAUGE, "int", ()),
    "redis.net.input": ("By", COUNTER, "int", ()),
    "redis.net.output": ("By", COUNTER, "int", ()),
    "redis.rdb.changes_since_last_save": ("{change}", SUM, "int", ()),
    "redis.replication.backlog_first_byte_offset": ("By", GAUGE, "int", ()),
    "redis.replication.offset": ("By", GAUGE, "int", ()),
    "redis.slaves.connected": ("{replica}", SUM, "int", ()),
    "redis.uptime": ("s", COUNTER, "int", ()),
}
OPTIONAL = {
    "redis.cluster.cluster_enabled": ("1", GAUGE, "int", ()),
    "redis.cmd.calls": ("{call}", COUNTER, "int", ("cmd",)),
    "redis.cmd.latency": ("s", GAUGE, "float", ("cmd", "percentile")),
    "redis.cmd.usec": ("us", COUNTER, "int", ("cmd",)),
    "redis.maxmemory": ("By", GAUGE, "int", ()),
    "redis.memory.used_memory_overhead": ("By", SUM, "int", ()),
    "redis.memory.used_memory_startup": ("By", SUM, "int", ()),
    "redis.mode": ("{mode}", GAUGE, "int", ("mode",)),
    "redis.role": ("{role}", SUM, "int", ("role",)),
    "redis.tracking_total_keys": ("{key}", SUM, "int", ()),
}
CLUSTER = {
    "redis.cluster.known_nodes": ("{node}", GAUGE, "int", ()),
    "redis.cluster.links_buffer_limit_exceeded.count": ("{count}", COUNTER, "int", ()),
    "redis.cluster.node.count": ("{node}", GAUGE, "int", ()),
    "redis.cluster.node.uptime": ("s", GAUGE, "int", ()),
    "redis.cluster.slots_assigned": ("{slot}", GAUGE, "int", ()),
    "redis.cluster.slots_fail": ("{slot}", GAUGE, "int", ()),
    "redis.cluster.slots_ok": ("{slot}", GAUGE, "int", ()),
    "redis.cluster.slots_pfail": ("{slot}", GAUGE, "int", ()),
    "redis.cluster.state": ("{state}", GAUGE, "int", ("cluster_state",)),
    "redis.cluster.stats_messages_received": ("{message}", COUNTER, "int", ()),
    "redis.cluster.stats_messages_sent": ("{message}", COUNTER, "int", ()),
    "redis.cluster.uptime": ("s", GAUGE, "int", ()),
}
SENTINEL = {
    "redis.sentinel.masters": ("{master}", GAUGE, "int", ()),
    "redis.sentinel.running_scripts": ("{script}", GAUGE, "int", ()),
    "redis.sentinel.scripts_queue_length": ("{script}", GAUGE, "int", ()),
    "redis.sentinel.simulate_failure_flags": ("{flag}", GAUGE, "int", ()),
    "redis.sentinel.tilt_since_seconds": ("s", GAUGE, "int", ()),
}
STATES = ("sys", "sys_children", "sys_main_thread", "user", "user_children", "user_main_thread")


def test_the_real_server(start, http_backend, ending):
    redis = ending.enter_context(Redis())
    for words in (["SET", "a", "1"], ["SET", "b", "2", "EX", "1000"], ["GET", "a"], ["GET", "none"]):
        redis.ask(*words)
    instance = start(scraping(http_backend, "redis", endpoint=redis.address))
    # The server looks at keys that expire from time to time.
    found = scrape(http_backend, lambda found: values(found, "redis.db.avg_ttl")[("0",)] > 0, "no time to live")
    assert shapes(found) == METRICS
    assert found[0]["scope"][0] == SCOPE + "redisreceiver"
    assert set(found[0]["resource"]) == {"redis.version"} and found[0]["resource"]["redis.version"][0].isdigit()
    assert values(found, "redis.db.keys") == {("0",): 2} and values(found, "redis.db.expires") == {("0",): 1}
    assert values(found, "redis.db.avg_ttl")[("0",)] <= 1000000
    assert values(found, "redis.keyspace.hits") == {(): 1} and values(found, "redis.keyspace.misses") == {(): 1}
    assert {state for (state,) in values(found, "redis.cpu.time")} == set(STATES)
    uptime = values(found, "redis.uptime")[()]
    assert all(abs(row["time"] - row["start"] - uptime * 10**9) <= 2 * 10**9 for row in found)
    later = scrape(http_backend, lambda found: values(found, "redis.uptime")[()] > uptime, "its uptime stands still")
    assert {row["start"] for row in later} == {row["start"] for row in found}
    # One connection serves all scrapes; the four above had their own.
    assert values(later, "redis.connections.received") == values(found, "redis.connections.received")
    instance.wait_metric("otelcol_scraper_scraped_metric_points", 34, receiver="redis", scraper="redis")
    assert instance.metric("otelcol_scraper_errored_metric_points", receiver="redis", scraper="redis") == 0


def test_every_metric_and_resource_attribute_can_be_had(start, http_backend, ending):
    redis = ending.enter_context(Redis())
    for words in (["SET", "a", "1"], ["GET", "a"]):
        redis.ask(*words)
    resources = switched(["server.address", "server.port"]) | switched(["redis.version"], False)
    everything = switched([*OPTIONAL, *CLUSTER, *SENTINEL]) | switched(["redis.uptime"], False)
    start(
        scraping(http_backend, "redis", endpoint=redis.address, metrics=everything, resource_attributes=resources)
    )
    found = scrape(http_backend)
    expected = {**METRICS, **OPTIONAL}
    del expected["redis.uptime"]
    assert shapes(found) == expected
    assert found[0]["resource"] == {"server.address": "127.0.0.1", "server.port": str(redis.port)}
    assert values(found, "redis.role") == {("primary",): 1} and values(found, "redis.mode") == {("standalone",): 1}
    assert values(found, "redis.cmd.calls")[("set",)] == 1
    assert {percentile for _, percentile in values(found, "redis.cmd.latency")} == {"p50", "p99", "p99.9"}
    assert 0 < values(found, "redis.cmd.latency")[("set", "p99")] < 1


def test_a_replica_says_so(start, http_backend, ending):
    primary = ending.enter_context(Redis())
    replica = ending.enter_context(Redis(f"replicaof 127.0.0.1 {primary.port}"))
    until(lambda: b"master_link_status:up" in replica.ask("INFO", "replication"), replica.log)
    wanted = switched(["redis.role", "redis.replication.replica_offset"])
    start(scraping(http_backend, "redis", endpoint=replica.address, metrics=wanted))
    found = scrape(http_backend)
    assert values(found, "redis.role") == {("replica",): 1}
    assert values(found, "redis.replication.replica_offset")[()] >= 0


def test_a_node_of_a_cluster(start, http_backend, ending):
    port = 10000 + free_port() % 10000  # the port of the cluster's own connections is 10000 above
    node = ending.enter_context(Redis("cluster-enabled yes", port=port))
    assert node.ask("CLUSTER", "ADDSLOTSRANGE", "0", "100").startswith(b"+OK")
    start(scraping(http_backend, "redis", endpoint=node.address, metrics=switched([*CLUSTER, *OPTIONAL])))
    found = scrape(http_backend)
    assert {name: shape for name, shape in shapes(found).items() if name in CLUSTER} == CLUSTER
    assert values(found, "redis.cluster.cluster_enabled") == {(): 1} and values(found, "redis.mode") == {("cluster",): 1}
    assert values(found, "redis.cluster.slots_assigned") == {(): 101}
    assert values(found, "redis.cluster.state") == {("fail",): 1}


def test_a_sentinel(start, http_backend, ending):
    sentinel = ending.enter_context(Sentinel())
    start(scraping(http_backend, "redis", endpoint=sentinel.address, metrics=switched([*SENTINEL, "redis.mode"])))
    found = scrape(http_backend)
    assert {name: shape for name, shape in shapes(found).items() if "sentinel" in name} == SENTINEL
    assert values(found, "redis.sentinel.tilt_since_seconds") == {(): -1}
    assert values(found, "redis.mode") == {("sentinel",): 1}


class Sentinel(Redis):
    def begin(self):
        path = self.place / "sentinel.conf"
        path.write_text(f"port {self.port}\nbind 127.0.0.1\ndir {self.place}\n")
        return self.spawn(program("redis-server"), path, "--sentinel")


def test_passwords_users_sockets_and_tls(start, http_backend, ending, tmp_path):
    authority = Authority(tmp_path)
    path = "/tmp/holdfast-redis-%d.sock" % free_port()
    locked = ending.enter_context(Redis("requirepass secret", socket_path=path))
    listed = ending.enter_context(Redis("user joe on >word ~* +@all", "user default off"))
    tls = ending.enter_context(Redis(tls=(*authority.issue("localhost"), authority.certificate)))
    quick = {"collection_interval": "200ms", "initial_delay": "10ms"}
    resources = switched(["server.address", "server.port"])
    also = {
        "redis/listed": {**quick, "endpoint": listed.address, "username": "joe", "password": "word"},
        "redis/socket": {**quick, "endpoint": path, "transport": "unix", "password": "secret"},
        "redis/tls": {
            **quick,
            "endpoint": f"localhost:{tls.port}",
            "transport": "tcp4",
            "dialer": {"timeout": "20s"},
            "tls": {"ca_file": str(authority.certificate), "insecure": True},
        },
    }
    for receiver in also.values():
        receiver["resource_attributes"] = resources
    start(scraping(http_backend, "redis", endpoint=locked.address, password="secret", resource_attributes=resources, also=also))
    for port in (str(locked.port), str(listed.port), "", str(tls.port)):
        scrape(http_backend, lambda found, port=port: found[0]["resource"]["server.port"] == port, f"nothing of port {port!r}")


def test_wrong_passwords_and_servers_that_are_gone(start, http_backend, ending, tmp_path):
    authority = Authority(tmp_path)
    redis = ending.enter_context(Redis("requirepass pass-rightly"))
    tls = ending.enter_context(Redis(tls=(*authority.issue("localhost"), authority.certificate)))
    gone = free_port()
    quick = {"collection_interval": "200ms", "initial_delay": "10ms"}
    also = {
        "redis/none": {**quick, "endpoint": redis.address},
        "redis/gone": {**quick, "endpoint": f"127.0.0.1:{gone}"},
        "redis/unknown": {**quick, "endpoint": f"localhost:{tls.port}", "tls": {}},
        "redis/right": {**quick, "endpoint": redis.address, "password": "pass-rightly"},
    }
    instance = start(scraping(http_backend, "redis", endpoint=redis.address, password="pass-badly", also=also))
    for receiver in ("redis", "redis/none", "redis/gone", "redis/unknown"):
        instance.wait_metric("otelcol_scraper_errored_metric_points", 5, receiver=receiver, scraper="redis")
    scrape(http_backend)
    assert len(complaints(instance, "the server answered AUTH: WRONGPASS")) == 1
    assert len(complaints(instance, "the server answered INFO: NOAUTH")) == 1
    assert len(complaints(instance, f"connecting to 127.0.0.1:{gone} failed: Connection refused")) == 1
    assert len(complaints(instance, "asking localhost.*TLS: ")) == 1
    assert not complaints(instance, "pass-rightly|pass-badly")


def test_a_server_that_comes_back(start, http_backend, ending):
    redis = ending.enter_context(Redis())
    start(scraping(http_backend, "redis", endpoint=redis.address))
    before = scrape(http_backend, lambda found: values(found, "redis.uptime")[()] >= 1, "its uptime stands still")
    redis.stop()
    redis.begin()
    after = scrape(http_backend, lambda found: found[0]["start"] > before[0]["start"], "its start is that of the old one")
    assert shapes(after).keys() <= METRICS.keys()


class Stranger:
    """Accepts connections, and answers whatever is said with `answer`; None: with nothing."""

    def __init__(self, answer):
        self.answer, self.port, self.connections = answer, free_port(), []
        self.listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections.append(connection)
            threading.Thread(target=self.talk, args=(connection,), daemon=True).start()

    def talk(self, connection):
        try:
            while connection.recv(65536):
                if self.answer is not None:
                    connection.sendall(self.answer)
        except OSError:
            pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()
        for connection in self.connections:
            connection.close()


@pytest.mark.parametrize(
    "answer, sentence",
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "not of the Redis protocol"),
        (b"$99999999999\r\n", "larger than 16 MiB"),
        (b"$-1\r\n", "not of the Redis protocol"),
        (b"+OK\r\n", "has no uptime_in_seconds"),
        (b"$21\r\nuptime_in_seconds:abc\r\n", "has no uptime_in_seconds"),
        (None, "connected_clients of the answer is no number"),
    ],
)
def test_answers_of_another_program(start, http_backend, ending, answer, sentence):
    text = b"uptime_in_seconds:5\r\nconnected_clients:x\r\nused_memory:7\r\n"
    stranger = ending.enter_context(Stranger(answer or b"$%d\r\n%s\r\n" % (len(text), text)))
    instance = start(scraping(http_backend, "redis", endpoint=f"127.0.0.1:{stranger.port}"))
    instance.wait_metric("otelcol_scraper_errored_metric_points", 4, receiver="redis", scraper="redis")
    assert len(complaints(instance, sentence)) == 1
    if answer is None:
        assert values(scrape(http_backend), "redis.memory.used") == {(): 7}


def test_a_server_that_does_not_answer_holds_up_no_stop(start, http_backend, ending):
    stranger = ending.enter_context(Stranger(None))
    redis = ending.enter_context(Redis())
    also = {"redis/good": {"collection_interval": "200ms", "endpoint": redis.address}}
    instance = start(scraping(http_backend, "redis", endpoint=f"127.0.0.1:{stranger.port}", timeout="60s", also=also))
    until(lambda: stranger.connections, "it was not asked")
    scrape(http_backend)
    instance.reload()
    scrape(http_backend)
    instance.terminate(20)


def test_what_is_wrong_with_a_configuration(tmp_path, start, http_backend):
    for keys, sentence in (
        ({}, "endpoint"),
        ({"endpoint": "localhost"}, "endpoint: expected host:port"),
        ({"endpoint": "localhost:1", "transport": "unix"}, "endpoint: expected the path of a socket"),
        ({"endpoint": "localhost:1", "transport": "udp"}, "transport"),
        ({"endpoint": "localhost:1", "metrics": switched(["redis.none"])}, "redis.none"),
    ):
        instance = start(scraping(http_backend, "redis", **keys), ready=False)
        result = instance.command("validate", "--config", str(instance.config_path))
        assert result.returncode != 0 and sentence in result.stdout + result.stderr, (keys, result)
