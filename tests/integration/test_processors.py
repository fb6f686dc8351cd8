"""Processors as a user sees them: what a backend gets, and in which shape."""

import hashlib

import grpc
import pytest

from support import otlp, senders
from support.backends import GrpcBackend
from support.h2grpc import RawGrpc
from support.holdfast import BASE, config, otlp_exporter, pipelines
from support.waiting import until


def shaped(start, ending, grpc_sender, batch, requests_, exporter=None):
    """Sends the requests (lists of ids) while the backend is away; returns what it then gets."""
    backend = ending.enter_context(GrpcBackend())
    backend.stop()
    holdfast = start(
        config(
            {"otlp": otlp_exporter(backend, **(exporter or {}))},
            {"batch": batch} if batch is not None else None,
        )
    )
    sender = grpc_sender(holdfast)
    for ids in requests_:
        sender.export(otlp.LOGS, otlp.request(otlp.LOGS, ids))
    backend.start()
    backend.wait_for([item for ids in requests_ for item in ids])
    return [len(one.ids) for one in backend.accepted()], backend.ids()


class TestBatch:
    def test_neighbours_are_sent_together(self, start, ending, grpc_sender):
        ids = otlp.new_ids(100)
        sizes, arrived = shaped(
            start,
            ending,
            grpc_sender,
            {"timeout": "1s", "send_batch_size": 100},
            [[item] for item in ids],
            {"sending_queue": {"num_consumers": 1}},
        )
        assert sorted(arrived) == sorted(ids)
        # The first attempt may have gone out with little in it; the rest goes together.
        assert len(sizes) <= 4

    def test_the_batches_are_counted_under_the_processors_name(self, start, ending, grpc_sender):
        backend = ending.enter_context(GrpcBackend())
        batch = {"send_batch_size": 10, "timeout": "1h"}
        holdfast = start(config({"otlp": otlp_exporter(backend)}, {"batch/b": batch}))
        sender = grpc_sender(holdfast)
        assert holdfast.metric("otelcol_processor_batch_timeout_trigger_send", processor="batch/b") == 0
        for _ in range(4):
            sender.export(otlp.LOGS, otlp.request(otlp.LOGS, otlp.new_ids(5)))
        holdfast.wait_metric("otelcol_processor_batch_batch_send_size_sum", 20, processor="batch/b")
        sent = holdfast.metric("otelcol_processor_batch_batch_send_size_count", processor="batch/b")
        backend.wait_for_requests(2)
        assert sent == len(backend.requests) == 2
        assert holdfast.metric("otelcol_processor_batch_batch_size_trigger_send", processor="batch/b") == sent

    def test_send_batch_max_size_is_never_exceeded(self, start, ending, grpc_sender):
        batch = {"timeout": "100ms", "send_batch_size": 30, "send_batch_max_size": 40}
        ids = otlp.new_ids(300)
        sizes, arrived = shaped(
            start, ending, grpc_sender, batch, [ids[:100], ids[100:150], *[[item] for item in ids[150:]]]
        )
        assert sorted(arrived) == sorted(ids)
        assert max(sizes) <= 40

    def test_what_is_too_little_goes_after_the_timeout(self, start, ending, grpc_sender):
        backend = ending.enter_context(GrpcBackend())
        holdfast = start(
            config({"otlp": otlp_exporter(backend)}, {"batch": {"timeout": "300ms", "send_batch_size": 1000}})
        )
        ids = otlp.new_ids(3)
        grpc_sender(holdfast).export(otlp.LOGS, otlp.request(otlp.LOGS, ids))
        backend.wait_for(ids)

    def test_without_a_batch_processor_nothing_waits(self, start, ending, grpc_sender):
        backend = ending.enter_context(GrpcBackend())
        holdfast = start(config({"otlp": otlp_exporter(backend)}))
        sender = grpc_sender(holdfast)
        for _ in range(10):
            ids = otlp.new_ids(1)
            sender.export(otlp.LOGS, otlp.request(otlp.LOGS, ids))
            backend.wait_for(ids)
        assert len(backend.accepted()) == 10

    def test_metadata_keys_keep_tenants_apart(self, start, ending, grpc_sender):
        """Requests of two tenants never share an outgoing request."""
        backend = ending.enter_context(GrpcBackend())
        backend.stop()
        base = {
            **BASE,
            "receivers": {
                "otlp": {
                    "protocols": {
                        "grpc": {"endpoint": "127.0.0.1:${env:GRPC_PORT}", "include_metadata": True}
                    }
                }
            },
        }
        batch = {"timeout": "500ms", "send_batch_size": 1000, "metadata_keys": ["x-tenant"]}
        holdfast = start(config({"otlp": otlp_exporter(backend)}, {"batch": batch}), base=base)
        sender = grpc_sender(holdfast)
        tenants = {"red": otlp.new_ids(10), "blue": otlp.new_ids(10)}
        for begin in (0, 5):
            for tenant, ids in tenants.items():
                for item in ids[begin : begin + 5]:
                    sender.export(otlp.LOGS, otlp.request(otlp.LOGS, [item]), metadata=[("x-tenant", tenant)])
        backend.start()
        backend.wait_for(tenants["red"] + tenants["blue"])
        for one in backend.accepted():
            assert set(one.ids) <= set(tenants["red"]) or set(one.ids) <= set(tenants["blue"])
        assert len(backend.accepted()) < 20

    def test_the_newer_sending_queue_batch_does_the_same(self, start, ending, grpc_sender):
        exporter = {"sending_queue": {"batch": {"flush_timeout": "100ms", "min_size": 20, "max_size": 25}}}
        ids = otlp.new_ids(200)
        sizes, arrived = shaped(
            start, ending, grpc_sender, None, [ids[:90], *[[item] for item in ids[90:]]], exporter
        )
        assert sorted(arrived) == sorted(ids)
        assert max(sizes) <= 25


class TestResource:
    @pytest.mark.parametrize("signal", otlp.SIGNALS, ids=lambda one: one.name)
    def test_every_action_does_what_it_says(self, start, grpc_backend, grpc_sender, signal):
        actions = [
            {"key": "service.name", "value": "not-taken", "action": "insert"},
            {"key": "inserted", "value": 7, "action": "insert"},
            {"key": "old", "value": "new", "action": "update"},
            {"key": "absent", "value": "never", "action": "update"},
            {"key": "upserted", "value": True, "action": "upsert"},
            {"key": "secret", "action": "hash"},
            {"key": "unwanted", "action": "delete"},
            {"key": "copied", "from_attribute": "service.name", "action": "upsert"},
            {"key": "number", "action": "convert", "converted_type": "int"},
            {"key": "url", "pattern": "^(?P<scheme>[a-z]+)://(?P<host>[^/]+)", "action": "extract"},
        ]
        holdfast = start(config({"otlp": otlp_exporter(grpc_backend)}, {"resource": {"attributes": actions}}))
        resource = {
            "service.name": "shop",
            "old": "old",
            "secret": "s3cret",
            "unwanted": "x",
            "number": "42",
            "url": "https://example.com/a",
            "kept": 1.5,
        }
        ids = otlp.new_ids(2)
        grpc_sender(holdfast).export(signal, otlp.request(signal, ids, resource=resource))
        grpc_backend.wait_for(ids)
        found = otlp.attributes(otlp.resources(signal, grpc_backend.requests[0].message)[0])
        assert found == {
            "service.name": "shop",
            "inserted": 7,
            "old": "new",
            "upserted": True,
            "secret": found["secret"],
            "copied": "shop",
            "number": 42,
            "url": "https://example.com/a",
            "scheme": "https",
            "host": "example.com",
            "kept": 1.5,
        }
        # The Go collector's digest since 0.85.
        assert found["secret"] == hashlib.sha256(b"s3cret").hexdigest()

    def test_environment_values_are_inserted(self, start, grpc_backend, grpc_sender):
        actions = [{"key": "k8s.pod.name", "value": "${env:MY_POD_NAME}", "action": "insert"}]
        holdfast = start(
            config({"otlp": otlp_exporter(grpc_backend)}, {"resource": {"attributes": actions}}),
            environment={"MY_POD_NAME": "shop-7f9c"},
        )
        ids = otlp.new_ids(1)
        grpc_sender(holdfast).export(otlp.TRACES, otlp.request(otlp.TRACES, ids))
        grpc_backend.wait_for(ids)
        resource = otlp.resources(otlp.TRACES, grpc_backend.requests[0].message)[0]
        assert otlp.attributes(resource)["k8s.pod.name"] == "shop-7f9c"


class TestAttributes:
    @pytest.mark.parametrize("signal", otlp.SIGNALS, ids=lambda one: one.name)
    def test_items_are_edited(self, start, grpc_backend, grpc_sender, signal):
        actions = [
            {"key": "env", "value": "test", "action": "insert"},
            {"key": "padding", "action": "delete"},
        ]
        holdfast = start(config({"otlp": otlp_exporter(grpc_backend)}, {"attributes": {"actions": actions}}))
        ids = otlp.new_ids(3)
        grpc_sender(holdfast).export(signal, otlp.request(signal, ids, padding="p"))
        grpc_backend.wait_for(ids)
        for item in otlp.items(signal, grpc_backend.requests[0].message):
            found = otlp.attributes(item)
            assert found["env"] == "test"
            assert "padding" not in found

    def test_include_chooses_and_exclude_spares(self, start, grpc_backend, grpc_sender):
        actions = {
            "include": {"match_type": "regexp", "services": ["shop.*"]},
            "exclude": {"match_type": "strict", "services": ["shop-test"]},
            "actions": [{"key": "marked", "value": "yes", "action": "insert"}],
        }
        configuration = config({"otlp": otlp_exporter(grpc_backend)}, {"attributes": actions})
        configuration["service"]["pipelines"] = pipelines(["otlp"], ["attributes"], ["traces"])
        holdfast = start(configuration)  # `services` is for spans: with logs it is an error, as in the Go collector
        sender = grpc_sender(holdfast)
        marked = {}
        for service in ("shop-a", "shop-test", "bank"):
            ids = otlp.new_ids(1)
            sender.export(otlp.TRACES, otlp.request(otlp.TRACES, ids, resource={"service.name": service}))
            grpc_backend.wait_for(ids)
            span = otlp.items(otlp.TRACES, grpc_backend.requests[-1].message)[0]
            marked[service] = "marked" in otlp.attributes(span)
        assert marked == {"shop-a": True, "shop-test": False, "bank": False}

    def test_from_context_takes_the_senders_header(self, start, grpc_backend, ending):
        base = {
            **BASE,
            "receivers": {
                "otlp": {
                    "protocols": {
                        "http": {"endpoint": "127.0.0.1:${env:HTTP_PORT}", "include_metadata": True}
                    }
                }
            },
        }
        actions = [{"key": "tenant", "from_context": "metadata.x-tenant", "action": "insert"}]
        holdfast = start(
            config({"otlp": otlp_exporter(grpc_backend)}, {"attributes": {"actions": actions}}), base=base
        )
        ids = otlp.new_ids(1)
        senders.post(
            holdfast.http_base, otlp.LOGS, otlp.request(otlp.LOGS, ids), headers={"X-Tenant": "blue"}
        )
        grpc_backend.wait_for(ids)
        record = otlp.items(otlp.LOGS, grpc_backend.requests[0].message)[0]
        assert otlp.attributes(record)["tenant"] == "blue"

    def test_unknown_fields_survive_an_edit(self, start, grpc_backend):
        actions = [{"key": "env", "value": "test", "action": "upsert"}]
        holdfast = start(config({"otlp": otlp_exporter(grpc_backend)}, {"attributes": {"actions": actions}}))
        ids = otlp.new_ids(1)
        unknown = b"\xc2\x3e\x05hello"
        span = (
            otlp.request(otlp.TRACES, ids).resource_spans[0].scope_spans[0].spans[0].SerializeToString()
            + unknown
        )
        scope = b"\x12" + otlp.varint(len(span)) + span + unknown
        group = b"\x12" + otlp.varint(len(scope)) + scope + unknown
        with RawGrpc(holdfast.ports["GRPC_PORT"]) as raw:
            assert raw.call(otlp.TRACES.method_path, b"\x0a" + otlp.varint(len(group)) + group).code == 0
        grpc_backend.wait_for(ids)
        assert grpc_backend.requests[0].body.count(unknown) == 3


class TestMemoryLimiter:
    """A limit below what any process needs refuses everything, in the way that a sender may retry."""

    @pytest.fixture
    def limited(self, start, grpc_backend):
        limiter = {"memory_limiter": {"check_interval": "20ms", "limit_mib": 2, "spike_limit_mib": 1}}
        holdfast = start(config({"otlp": otlp_exporter(grpc_backend)}, limiter))
        probe = otlp.request(otlp.LOGS, otlp.new_ids(1))
        until(
            lambda: senders.post(holdfast.http_base, otlp.LOGS, probe).status_code != 200,
            "the limit is not noticed",
        )
        return holdfast

    def test_grpc_says_unavailable_with_retry_info(self, limited):
        with RawGrpc(limited.ports["GRPC_PORT"]) as raw:
            reply = raw.call(
                otlp.LOGS.method_path, otlp.request(otlp.LOGS, otlp.new_ids(1)).SerializeToString()
            )
        assert reply.code == grpc.StatusCode.UNAVAILABLE.value[0]
        assert reply.retry_delay is not None
        assert "memory" in reply.text

    def test_http_says_429_with_retry_after(self, limited):
        answer = senders.post(limited.http_base, otlp.LOGS, otlp.request(otlp.LOGS, otlp.new_ids(1)))
        assert answer.status_code == 429
        assert int(answer.headers["Retry-After"]) >= 0

    def test_refusals_are_counted(self, limited):
        assert limited.metric("otelcol_receiver_refused_log_records") >= 1
        assert limited.metric("otelcol_processor_refused_log_records", processor="memory_limiter") >= 1

    def test_a_limit_that_is_not_reached_lets_all_pass(self, start, grpc_backend, grpc_sender):
        limiter = {
            "memory_limiter": {"check_interval": "1s", "limit_percentage": 75, "spike_limit_percentage": 20}
        }
        holdfast = start(config({"otlp": otlp_exporter(grpc_backend)}, limiter))
        ids = otlp.new_ids(10)
        grpc_sender(holdfast).export(otlp.LOGS, otlp.request(otlp.LOGS, ids))
        grpc_backend.wait_for(ids)


class TestSeveralPipelines:
    def test_one_receiver_feeds_two_pipelines_of_a_signal(self, start, ending, grpc_sender):
        plain, edited = ending.enter_context(GrpcBackend()), ending.enter_context(GrpcBackend())
        configuration = {
            "processors": {
                "resource": {"attributes": [{"key": "edited", "value": "yes", "action": "insert"}]}
            },
            "exporters": {"otlp/plain": otlp_exporter(plain), "otlp/edited": otlp_exporter(edited)},
            "service": {
                "pipelines": {
                    "traces": {"receivers": ["otlp"], "exporters": ["otlp/plain"]},
                    "traces/2": {
                        "receivers": ["otlp"],
                        "processors": ["resource"],
                        "exporters": ["otlp/edited"],
                    },
                }
            },
        }
        holdfast = start(configuration)
        ids = otlp.new_ids(5)
        grpc_sender(holdfast).export(otlp.TRACES, otlp.request(otlp.TRACES, ids))
        plain.wait_for(ids)
        edited.wait_for(ids)
        assert "edited" not in otlp.attributes(otlp.resources(otlp.TRACES, plain.requests[0].message)[0])
        assert "edited" in otlp.attributes(otlp.resources(otlp.TRACES, edited.requests[0].message)[0])
        assert (holdfast.data_directory / "queue" / "traces%2F2").is_dir()
