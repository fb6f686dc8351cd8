"""kafkametrics: brokers, topics and offsets of brokers in memory, and what goes wrong. Consumer groups and settings, which those
brokers do not know, are in tests/real/kafka.py."""

import pytest

from support.kafka import Kafka
from support.ports import free_port
from support.scraped_servers import SCOPE, complaints, scrape, scraping, shapes, switched, values
from support.waiting import until

GAUGE, SUM = "gauge", "sum"
METRICS = {
    "kafka.brokers": ("{brokers}", SUM, "int", ()),
    "kafka.partition.current_offset": ("1", GAUGE, "int", ("partition", "topic")),
    "kafka.partition.oldest_offset": ("1", GAUGE, "int", ("partition", "topic")),
    "kafka.partition.replicas": ("{replicas}", SUM, "int", ("partition", "topic")),
    "kafka.partition.replicas_in_sync": ("{replicas}", SUM, "int", ("partition", "topic")),
    "kafka.topic.partitions": ("{partitions}", SUM, "int", ("topic",)),
}
FACTOR = {"kafka.topic.replication_factor": ("1", GAUGE, "int", ("topic",))}


@pytest.fixture
def brokers(ending):
    kafka = ending.enter_context(Kafka("mock", 3))
    for topic, partitions in (("orders", 2), ("other", 1), ("_hidden", 1)):
        kafka.run("topic", topic, partitions)
    for number in range(5):
        kafka.produce("other", b"x%d" % number)
    return kafka


def metrics_of(backend, brokers, *scrapers, **keys):
    return scraping(backend, "kafkametrics", brokers=brokers.brokers, scrapers=list(scrapers), **keys)


def test_brokers_and_topics(brokers, start, http_backend):
    instance = start(metrics_of(http_backend, brokers, "brokers", "topics", metrics=switched(FACTOR)))
    found = scrape(http_backend)
    assert shapes(found) == METRICS | FACTOR
    assert found[0]["scope"][0] == SCOPE + "kafkametricsreceiver" and found[0]["resource"] == {}
    assert values(found, "kafka.brokers") == {(): 3}
    assert values(found, "kafka.topic.partitions") == {("orders",): 2, ("other",): 1}
    assert values(found, "kafka.partition.current_offset") == {(0, "orders"): 0, (1, "orders"): 0, (0, "other"): 5}
    assert set(values(found, "kafka.partition.oldest_offset").values()) == {0}
    assert set(values(found, "kafka.partition.replicas").values()) == {3} == set(values(found, "kafka.topic.replication_factor").values())
    assert set(values(found, "kafka.partition.replicas_in_sync").values()) == {3}
    brokers.produce("other", b"more")
    scrape(http_backend, lambda found: values(found, "kafka.partition.current_offset")[(0, "other")] == 6, "nothing more came")
    assert instance.metric("otelcol_scraper_errored_metric_points", receiver="kafkametrics", scraper="kafkametrics") == 0


def test_topics_can_be_chosen_and_the_cluster_named(brokers, start, http_backend):
    start(
        metrics_of(
            http_backend,
            brokers,
            "topics",
            topic_match="^_",
            cluster_alias="main",
            resource_attributes=switched(["kafka.cluster.alias"]),
            metrics=switched(["kafka.partition.oldest_offset"], False),
        )
    )
    found = scrape(http_backend)
    assert set(shapes(found)) == set(METRICS) - {"kafka.brokers", "kafka.partition.oldest_offset"}
    assert found[0]["resource"] == {"kafka.cluster.alias": "main"}
    assert values(found, "kafka.topic.partitions") == {("_hidden",): 1}


def test_what_goes_wrong_is_logged_once_and_counted(brokers, start, http_backend):
    gone = free_port()
    also = {
        "kafkametrics/gone": {
            "collection_interval": "200ms",
            "timeout": "1s",
            "brokers": [f"127.0.0.1:{gone}"],
            "scrapers": ["brokers"],
        }
    }
    instance = start(metrics_of(http_backend, brokers, "brokers", also=also))
    instance.wait_metric("otelcol_scraper_errored_metric_points", 2, receiver="kafkametrics/gone", scraper="kafkametrics")
    assert len(complaints(instance, f"asking for brokers and topics failed: .*127.0.0.1:{gone}.*refused")) == 1
    assert values(scrape(http_backend), "kafka.brokers") == {(): 3}


def test_brokers_that_do_not_answer_hold_up_no_stop(start, http_backend):
    silent = free_port()
    instance = start(scraping(http_backend, "kafkametrics", brokers=[f"127.0.0.1:{silent}"], scrapers=["brokers"], timeout="300s"))
    until(lambda: instance.metrics_text(), "no metrics of its own")
    instance.reload()
    instance.terminate(30)


@pytest.mark.parametrize(
    "keys, sentence",
    [
        ({"scrapers": []}, "scrapers: at least one"),
        ({"scrapers": ["none"]}, "scrapers"),
        ({"scrapers": ["topics"], "topic_match": "("}, "topic_match: "),
        ({"scrapers": ["topics"], "group_match": "("}, "group_match: "),
        ({"scrapers": ["topics"], "brokers": []}, "brokers"),
    ],
)
def test_what_is_wrong_with_a_configuration(start, http_backend, keys, sentence):
    instance = start(scraping(http_backend, "kafkametrics", **keys), ready=False)
    done = instance.command("validate", "--config", instance.base_path, "--config", instance.config_path)
    assert done.returncode != 0 and sentence in done.stdout + done.stderr, done
