"""rabbitmq: the receiver against the real broker, against recorded answers of its management API, and against others."""

import json

import pika
import pytest

from support.ports import free_port
from support.scraped import Target, basic, rows
from support.scraped_servers import SCOPE, complaints, scraping, shapes, switched, values
from support.servers import RabbitMQ, accepts
from support.waiting import until

SUM, COUNTER = "sum", "counter"
QUEUE = {
    "rabbitmq.consumer.count": ("{consumers}", SUM, "int", ()),
    "rabbitmq.message.acknowledged": ("{messages}", COUNTER, "int", ()),
    "rabbitmq.message.current": ("{messages}", SUM, "int", ("state",)),
    "rabbitmq.message.delivered": ("{messages}", COUNTER, "int", ()),
    "rabbitmq.message.dropped": ("{messages}", COUNTER, "int", ()),
    "rabbitmq.message.published": ("{messages}", COUNTER, "int", ()),
}
# key: (unit, type of the value, is there a rate?)
NODE = {
    "channel_closed": ("{channels}", "int", True),
    "channel_created": ("{channels}", "int", True),
    "connection_closed": ("{connections}", "int", True),
    "connection_created": ("{connections}", "int", True),
    "context_switches": ("{switches}", "int", True),
    "disk_free": ("{bytes}", "int", True),
    "disk_free_alarm": ("{status}", "int", False),
    "disk_free_limit": ("{bytes}", "int", False),
    "fd_total": ("{fd}", "int", False),
    "fd_used": ("{fd}", "int", True),
    "gc_bytes_reclaimed": ("{bytes}", "int", True),
    "gc_num": ("{collections}", "int", True),
    "io_read_avg_time": ("{microseconds}", "float", True),
    "io_read_bytes": ("{bytes}", "int", True),
    "io_read_count": ("{ops}", "int", True),
    "io_reopen_count": ("{ops}", "int", True),
    "io_seek_avg_time": ("{microseconds}", "float", True),
    "io_seek_count": ("{ops}", "int", True),
    "io_sync_avg_time": ("{microseconds}", "float", True),
    "io_sync_count": ("{ops}", "int", True),
    "io_write_avg_time": ("{microseconds}", "float", True),
    "io_write_bytes": ("{bytes}", "int", True),
    "io_write_count": ("{ops}", "int", True),
    "mem_alarm": ("{status}", "int", False),
    "mem_limit": ("{bytes}", "int", False),
    "mem_used": ("{bytes}", "int", True),
    "mnesia_disk_tx_count": ("{tx}", "int", True),
    "mnesia_ram_tx_count": ("{tx}", "int", True),
    "msg_store_read_count": ("{ops}", "int", True),
    "msg_store_write_count": ("{ops}", "int", True),
    "proc_total": ("{processes}", "int", False),
    "proc_used": ("{processes}", "int", True),
    "processors": ("{processors}", "int", False),
    "queue_created": ("{queues}", "int", True),
    "queue_declared": ("{queues}", "int", True),
    "queue_deleted": ("{queues}", "int", True),
    "queue_index_read_count": ("{ops}", "int", True),
    "queue_index_write_count": ("{ops}", "int", True),
    "run_queue": ("{threads}", "int", False),
    "sockets_total": ("{sockets}", "int", False),
    "sockets_used": ("{sockets}", "int", True),
    "uptime": ("ms", "int", False),
}
NODES = {f"rabbitmq.node.{key}": (unit, SUM, kind, ()) for key, (unit, kind, _) in NODE.items()} | {
    f"rabbitmq.node.{key}_details.rate": (f"{unit}/s", SUM, "float", ()) for key, (unit, _, has) in NODE.items() if has
}
CREDENTIALS = {"username": "joe", "password": "secret"}


def queue(name, **more):
    """As RabbitMQ 3.9 answers, without what no one reads."""
    return {
        "arguments": {},
        "auto_delete": False,
        "backing_queue_status": {"avg_ack_egress_rate": 0.0, "delta": ["delta", "undefined", 0, 0, "undefined"]},
        "consumers": 2,
        "durable": True,
        "messages": 7,
        "messages_ready": 4,
        "messages_ready_details": {"rate": 0.0},
        "messages_unacknowledged": 3,
        "name": name,
        "node": "rabbit@one",
        "state": "running",
        "type": "classic",
        "vhost": "dev",
        **more,
    }


STATS = {"ack": 3830, "ack_details": {"rate": 1.0}, "deliver": 7736, "deliver_get": 7736, "drop_unroutable": 5, "publish": 7737}


def node():
    found = {"name": "rabbit@one", "type": "disc", "running": True, "partitions": []}
    for number, (key, (_, kind, has_rate)) in enumerate(NODE.items()):
        found[key] = number + 0.5 if kind == "float" else number
        if has_rate:
            found[f"{key}_details"] = {"rate": number / 4}
    return {**found, "mem_alarm": False, "disk_free_alarm": True}


class Broker(Target):
    """The API; `answers` by path."""

    def __init__(self):
        super().__init__(content_type="application/json")
        self.answers = {"/api/queues": [queue("orders", message_stats=STATS), queue("idle")], "/api/nodes": [node()]}
        self.page = lambda number: json.dumps(self.answers[self.requests[-1][0]])


@pytest.fixture
def broker(ending):
    return ending.enter_context(Broker())


def scrape(backend, names):
    """The rows of the first request that has those metrics."""
    begin = len(backend.accepted())

    def look():
        for request in backend.accepted()[begin:]:
            found = rows(request.message)
            if names <= {row["name"] for row in found}:
                return found
        return None

    return until(look, f"no scrape with {names}")


@pytest.fixture(scope="module")
def rabbitmq():
    with RabbitMQ() as server:
        yield server


@pytest.fixture
def channel(rabbitmq):
    """A channel of AMQP; the broker confirms what is published."""
    until(lambda: accepts(rabbitmq.amqp_port), "no listener for AMQP")
    login = pika.PlainCredentials(*CREDENTIALS.values())
    with pika.BlockingConnection(pika.ConnectionParameters("127.0.0.1", rabbitmq.amqp_port, credentials=login)) as connection:
        made = connection.channel()
        made.confirm_delivery()
        yield made


def newest(backend):
    """The rows of all requests, later ones first."""
    return [row for request in reversed(backend.accepted()) for row in rows(request.message)]


def newest_of_queue(backend, name):
    """{metric: {values of the attributes: value}} of the last scrape that has the queue."""
    for request in reversed(backend.accepted()):
        found = [row for row in rows(request.message) if row["resource"].get("rabbitmq.queue.name") == name]
        if found:
            return {metric: values(found, metric) for metric in shapes(found)}
    return {}


def test_queues_of_the_real_broker(rabbitmq, channel, start, http_backend):
    channel.queue_declare("orders")
    channel.queue_declare("idle")
    for number in range(7):
        channel.basic_publish("", "orders", f"order {number}".encode())
    delivered = []
    channel.basic_qos(prefetch_count=3)
    channel.basic_consume("orders", lambda _, method, *__: delivered.append(method.delivery_tag))
    until(lambda: channel.connection.process_data_events(time_limit=0.1) or len(delivered) == 3, f"{delivered}")
    channel.basic_ack(delivered[0])
    until(lambda: channel.connection.process_data_events(time_limit=0.1) or len(delivered) == 4, f"{delivered}")
    instance = start(scraping(http_backend, "rabbitmq", endpoint=f"http://{rabbitmq.address}", **CREDENTIALS))
    wanted = {
        "rabbitmq.consumer.count": {(): 1},
        "rabbitmq.message.acknowledged": {(): 1},
        "rabbitmq.message.current": {("ready",): 3, ("unacknowledged",): 3},
        "rabbitmq.message.delivered": {(): 4},
        "rabbitmq.message.published": {(): 7},
    }
    # The broker counts once a second, and not everything at once.
    until(lambda: wanted.items() <= newest_of_queue(http_backend, "orders").items(), lambda: newest_of_queue(http_backend, "orders"))
    idle = newest_of_queue(http_backend, "idle")
    assert idle["rabbitmq.message.current"] == {("ready",): 0, ("unacknowledged",): 0} and idle["rabbitmq.consumer.count"] == {(): 0}
    found = [row for row in rows(http_backend.accepted()[-1].message) if row["resource"].get("rabbitmq.queue.name") == "orders"]
    assert shapes(found).items() <= QUEUE.items() and found[0]["scope"][0] == SCOPE + "rabbitmqreceiver"
    assert found[0]["resource"] == {"rabbitmq.queue.name": "orders", "rabbitmq.node.name": rabbitmq.name, "rabbitmq.vhost.name": "/"}
    assert instance.metric("otelcol_scraper_errored_metric_points", receiver="rabbitmq", scraper="rabbitmq") == 0


def test_the_node_of_the_real_broker(rabbitmq, channel, start, http_backend):
    start(scraping(http_backend, "rabbitmq", endpoint=f"http://{rabbitmq.address}", metrics=switched(NODES), **CREDENTIALS))

    def of_node():
        """The broker begins to tell the numbers of its node some seconds after its start."""
        for request in reversed(http_backend.accepted()):
            found = [row for row in rows(request.message) if row["name"] in NODES]
            if set(shapes(found)) == set(NODES):
                return found
        return None

    found = until(of_node, lambda: set(NODES) - {row["name"] for row in newest(http_backend)})
    assert shapes(found) == NODES
    assert {row["resource"]["rabbitmq.node.name"] for row in found} == {rabbitmq.name}

    def value(key):
        return values(found, f"rabbitmq.node.{key}")[()]

    assert value("uptime") > 0 and value("mem_used") > 1 << 20 and value("mem_limit") > value("mem_used")
    assert (value("mem_alarm"), value("disk_free_alarm")) == (0, 0)
    assert value("connection_created") >= 1 and value("proc_used") < value("proc_total")


def test_wrong_credentials_of_the_real_broker(rabbitmq, start, http_backend):
    instance = start(scraping(http_backend, "rabbitmq", endpoint=f"http://{rabbitmq.address}", username="joe", password="wrong"))
    until(lambda: complaints(instance, "the answer is HTTP 401: check the credentials"), instance.log)
    assert http_backend.accepted() == []


def test_queues(broker, start, http_backend):
    instance = start(scraping(http_backend, "rabbitmq", endpoint=broker.url + "/", **CREDENTIALS))
    found = scrape(http_backend, {"rabbitmq.consumer.count"})
    assert shapes(found) == QUEUE
    assert found[0]["scope"][0] == SCOPE + "rabbitmqreceiver"
    orders = [row for row in found if row["resource"]["rabbitmq.queue.name"] == "orders"]
    idle = [row for row in found if row["resource"]["rabbitmq.queue.name"] == "idle"]
    assert orders[0]["resource"] == {"rabbitmq.queue.name": "orders", "rabbitmq.node.name": "rabbit@one", "rabbitmq.vhost.name": "dev"}
    assert shapes(orders) == QUEUE and set(shapes(idle)) == {"rabbitmq.consumer.count", "rabbitmq.message.current"}
    assert values(orders, "rabbitmq.message.current") == {("ready",): 4, ("unacknowledged",): 3}
    assert values(orders, "rabbitmq.message.acknowledged") == {(): 3830} and values(orders, "rabbitmq.message.delivered") == {(): 7736}
    assert values(orders, "rabbitmq.message.published") == {(): 7737} and values(orders, "rabbitmq.message.dropped") == {(): 5}
    assert {path for path, _ in broker.requests} == {"/api/queues"}  # no metric of nodes is wanted
    assert broker.requests[0][1]["Authorization"] == basic("joe", "secret")
    assert instance.metric("otelcol_scraper_errored_metric_points", receiver="rabbitmq", scraper="rabbitmq") == 0


def test_nodes(broker, start, http_backend):
    resources = switched(["rabbitmq.vhost.name"], False)
    start(scraping(http_backend, "rabbitmq", endpoint=broker.url, metrics=switched(NODES), resource_attributes=resources, **CREDENTIALS))
    found = [row for row in scrape(http_backend, {"rabbitmq.node.uptime"}) if row["name"] in NODES]
    assert shapes(found) == NODES
    assert {tuple(row["resource"].items()) for row in found} == {(("rabbitmq.node.name", "rabbit@one"),)}
    for number, (key, (_, kind, has_rate)) in enumerate(NODE.items()):
        if not key.endswith("alarm"):
            assert values(found, f"rabbitmq.node.{key}") == {(): number + 0.5 if kind == "float" else number}
        if has_rate:
            assert values(found, f"rabbitmq.node.{key}_details.rate") == {(): number / 4}
    assert values(found, "rabbitmq.node.mem_alarm") == {(): 0} and values(found, "rabbitmq.node.disk_free_alarm") == {(): 1}


def test_the_clusters_name_is_asked_for_when_wanted(broker, start, http_backend):
    broker.answers["/api/cluster-name"] = {"name": "rabbit@cluster"}
    keys = {"metrics": switched(["rabbitmq.node.uptime"]), "resource_attributes": switched(["rabbitmq.cluster.name"])}
    start(scraping(http_backend, "rabbitmq", endpoint=broker.url, **keys, **CREDENTIALS))
    found = scrape(http_backend, {"rabbitmq.node.uptime", "rabbitmq.consumer.count"})
    assert {row["resource"].get("rabbitmq.cluster.name") for row in found} == {"rabbit@cluster"}


def test_one_half_goes_on_without_the_other(broker, start, http_backend):
    broker.answers["/api/queues"] = {"error": "not_authorised"}
    instance = start(scraping(http_backend, "rabbitmq", endpoint=broker.url, metrics=switched(["rabbitmq.node.uptime"]), **CREDENTIALS))
    scrape(http_backend, {"rabbitmq.node.uptime"})
    instance.wait_metric("otelcol_scraper_errored_metric_points", 4, receiver="rabbitmq", scraper="rabbitmq")
    assert len(complaints(instance, "/api/queues failed: the answer is no list")) == 1


def test_wrong_answers_are_logged_once_and_counted(broker, start, http_backend):
    gone = free_port()
    also = {"rabbitmq/gone": {"collection_interval": "200ms", "endpoint": f"http://127.0.0.1:{gone}", **CREDENTIALS}}
    broker.status = 401
    instance = start(scraping(http_backend, "rabbitmq", endpoint=broker.url, also=also, **CREDENTIALS))
    for receiver in ("rabbitmq", "rabbitmq/gone"):
        instance.wait_metric("otelcol_scraper_errored_metric_points", 4, receiver=receiver, scraper="rabbitmq")
    assert len(complaints(instance, "the answer is HTTP 401: check the credentials")) == 1
    assert len(complaints(instance, f"asking http://127.0.0.1:{gone}/api/queues failed")) == 1
    broker.status, broker.page = 200, "<html>"
    until(lambda: complaints(instance, "asking .*/api/queues failed: .*JSON|asking .*/api/queues failed: .*(lexical|parse)"), instance.log)
    assert not complaints(instance, "secret")
    broker.page = json.dumps([queue("back"), 1, None, {"name": 5, "consumers": "x"}])
    assert {row["resource"]["rabbitmq.queue.name"] for row in scrape(http_backend, {"rabbitmq.consumer.count"})} == {"back"}


def test_what_is_wrong_with_a_configuration(start, http_backend):
    for keys, sentence in (
        ({"username": ""}, "username is missing"),
        ({"password": ""}, "password is missing"),
        ({"endpoint": "localhost:15672"}, "endpoint"),
    ):
        instance = start(scraping(http_backend, "rabbitmq", **{**CREDENTIALS, **keys}), ready=False)
        done = instance.command("validate", "--config", instance.base_path, "--config", instance.config_path)
        assert done.returncode != 0 and sentence in done.stdout + done.stderr, done
