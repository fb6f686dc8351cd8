"""Objects that are read as a queue of SQS tells of them: messages go once what they name is on disk, and stay until then."""

import json

import pytest

from support import otlp
from support.holdfast import otlp_exporter, pipelines
from support.s3 import BUCKET, Store
from support.waiting import until


@pytest.fixture
def store(ending):
    return ending.enter_context(Store())


@pytest.fixture
def queue(store):
    return store.notify()


@pytest.fixture
def begin(start, store, queue, grpc_backend):
    def begin(signals=("logs",), **sending_queue):
        made = pipelines(["otlp"], signals=signals)
        for one in made.values():
            one["receivers"] = ["awss3"]
        receiver = {
            "s3downloader": {"s3_bucket": BUCKET, "s3_prefix": "pre", "endpoint": store.url},
            "sqs": {"queue_url": queue, "region": "us-east-1", "endpoint": store.url, "wait_time_seconds": 0},
        }
        settings = {
            "receivers": {"awss3": receiver},
            "exporters": {"otlp": otlp_exporter(grpc_backend, sending_queue=sending_queue)},
            "service": {"pipelines": made},
        }
        return start(settings, environment=store.environment)

    return begin


def put(store, key, signal=otlp.LOGS, ids=(1,), body=None):
    store.client.put_object(Bucket=BUCKET, Key=key, Body=body or otlp.request(signal, list(ids)).SerializeToString())


def wait_for_empty(store, queue):
    until(lambda: store.messages(queue) == 0, lambda: f"{store.messages(queue)} messages")


def test_new_objects_of_every_signal_are_read_and_their_messages_deleted(begin, store, queue, grpc_backend):
    ids = {signal: otlp.new_ids(3) for signal in otlp.SIGNALS}
    for signal in otlp.SIGNALS:
        put(store, f"pre/a b/{signal.name}_1.binpb", signal, ids[signal])
    put(store, "other/logs_1.binpb")
    begin(signals=[signal.name for signal in otlp.SIGNALS])
    for signal in otlp.SIGNALS:
        grpc_backend.wait_for(ids[signal])
        assert grpc_backend.ids(signal) == ids[signal]
    wait_for_empty(store, queue)
    put(store, "pre/logs_2.binpb", ids=[7])
    grpc_backend.wait_for([7])
    wait_for_empty(store, queue)


def test_nothing_is_lost_through_kills_and_outages(begin, store, queue, grpc_backend):
    ids = otlp.new_ids(15)
    for number, item in enumerate(ids):
        put(store, f"pre/logs_{number}.binpb", ids=[item])
    store.fails += [("GET", "logs_", 503, "SlowDown"), ("POST", "", 500, "InternalError")]
    holdfast = begin()
    until(lambda: len(grpc_backend.ids()) >= 5, lambda: f"{len(grpc_backend.ids())}")
    holdfast.kill9()
    holdfast.start()
    grpc_backend.wait_for(ids)
    wait_for_empty(store, queue)
    assert set(grpc_backend.ids()) == set(ids)


def test_a_message_stays_until_its_objects_are_on_disk(begin, store, queue, grpc_backend):
    grpc_backend.stop()
    large = [otlp.request(otlp.LOGS, [number], padding="x" * 1_500_000).SerializeToString() for number in range(4)]
    for number, body in enumerate(large):
        put(store, f"pre/logs_{number}.binpb", body=body)
    holdfast = begin(max_bytes="4MiB")
    holdfast.wait_for_log("refus")
    assert store.messages(queue) >= len(large)  # and that of the bucket, that it has a queue
    holdfast.kill9()
    grpc_backend.start()
    holdfast.start()
    grpc_backend.wait_for(range(len(large)))
    wait_for_empty(store, queue)


def test_what_cannot_be_read_stays_in_the_queue(begin, store, queue, grpc_backend):
    put(store, "pre/logs_1.binpb", body=b"\xff\xff\xff")
    put(store, "pre/logs_2.txt", body=b"a line")  # will not be read later either
    put(store, "pre/logs_3.binpb", ids=[3])
    store.client.delete_object(Bucket=BUCKET, Key="pre/logs_3.binpb")
    store.queue.send_message(QueueUrl=queue, MessageBody="no notification")
    store.queue.send_message(QueueUrl=queue, MessageBody=json.dumps({"Event": "s3:TestEvent"}))
    put(store, "pre/logs_4.binpb", ids=[4])
    store.fails += [("GET", "logs_4", 404, "NoSuchBucket"), ("GET", "logs_4", 403, "AccessDenied")]  # it comes again
    holdfast = begin()
    grpc_backend.wait_for([4])
    for words in ("object pre/logs_1.binpb is not read", "logs_2.txt is not read", "logs_3.binpb is not read: NoSuchKey",
                  "it is no notification of S3", "none could be read"):
        holdfast.wait_for_log(words)
    assert store.messages(queue) == 2
    assert grpc_backend.ids() == [4]
