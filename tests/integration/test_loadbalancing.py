"""loadbalancing: each trace goes to one backend, always the same; a backend that fails delays only its own share."""

import bisect
import os
import struct
import zlib

import grpc
import pytest

from support import backends, otlp
from support.certificates import Authority
from support.holdfast import FAST_RETRY, config, otlp_exporter, run
from support.kubernetes import KubernetesApi, service_account
from support.waiting import until

POSITIONS, POINTS, PROBES = 131_071, 200, 10


class Ring:
    """The Go collector's ring, from its description."""

    def __init__(self, endpoints):
        candidates = []
        for endpoint in endpoints:
            for number in range(POINTS):
                value = zlib.crc32(endpoint.encode() + struct.pack("<I", number))
                candidates.append((value % POSITIONS, value, endpoint))
        taken = {}
        for position, _, endpoint in sorted(candidates):
            for step in range(PROBES):
                if (position + step) % POSITIONS not in taken:
                    taken[(position + step) % POSITIONS] = endpoint
                    break
        self.positions = sorted(taken)
        self.endpoints = [taken[position] for position in self.positions]

    def find(self, identifier):
        at = bisect.bisect_left(self.positions, zlib.crc32(identifier) % POSITIONS)
        return self.endpoints[at % len(self.endpoints)]


def request(trace_ids):
    """One span of each; returns the message and {span id: trace id}."""
    message = otlp.request(otlp.TRACES, otlp.new_ids(len(trace_ids)))
    spans = message.resource_spans[0].scope_spans[0].spans
    for span, trace_id in zip(spans, trace_ids, strict=True):
        span.trace_id = trace_id
    return message


def new_traces(count):
    return [os.urandom(16) for _ in range(count)]


def traces_at(backend):
    """{trace id: number of different spans} of what it accepted."""
    found = {}
    for received in backend.accepted():
        for resource in received.message.resource_spans:
            for scope in resource.scope_spans:
                for span in scope.spans:
                    found.setdefault(span.trace_id, set()).add(span.span_id)
    return {trace_id: len(spans) for trace_id, spans in found.items()}


def balancer(resolver, **more):
    protocol = {"otlp": {"tls": {"insecure": True}, "compression": "none", "timeout": "1s"}}
    return {
        "protocol": protocol,
        "resolver": resolver,
        "retry_on_failure": dict(FAST_RETRY),
        **more,
    }


def to_list(*ends, **more):
    return config({"loadbalancing": balancer({"static": {"hostnames": [one.endpoint for one in ends]}}, **more)})


@pytest.fixture
def pair(ending):
    """Two backends."""
    return [ending.enter_context(backends.GrpcBackend()) for _ in range(2)]


def wait_until_traces(ends, wanted, seconds=60):
    def missing():
        return set(wanted) - {trace_id for one in ends for trace_id in traces_at(one)}

    until(lambda: not missing(), lambda: f"{len(missing())} traces are missing", seconds)


def shares(ends, traces):
    """The traces of each backend, by the ring."""
    ring = Ring(sorted(one.endpoint for one in ends))
    return [{trace for trace in traces if ring.find(trace) == one.endpoint} for one in ends]


class TestRing:
    def test_each_trace_goes_to_the_backend_of_its_place_in_the_ring(self, start, pair, grpc_sender):
        holdfast = start(to_list(*pair))
        traces = new_traces(400)
        sender = grpc_sender(holdfast)
        for at in range(0, 400, 50):
            sender.export(otlp.TRACES, request(traces[at : at + 50]))
            sender.export(otlp.TRACES, request(traces[at : at + 50]))
        wait_until_traces(pair, traces)
        until(lambda: sum(sum(traces_at(one).values()) for one in pair) == 800, "all spans")
        for backend, wanted in zip(pair, shares(pair, traces), strict=True):
            assert traces_at(backend) == {trace: 2 for trace in wanted}
            outcome = "otelcol_loadbalancer_backend_outcome"
            holdfast.wait_metric(outcome, 1, endpoint=backend.endpoint, success="true")
        assert holdfast.metric("otelcol_loadbalancer_num_backends", resolver="static") == 2
        until(lambda: holdfast.books("traces", "loadbalancing")["delivered"]["items"] == 800, "all are acknowledged")

    def test_metrics_and_logs_go_by_their_service(self, start, pair, grpc_sender):
        holdfast = start(to_list(*pair))
        sender = grpc_sender(holdfast)
        names = [f"service-{number}" for number in range(20)]
        for signal in (otlp.METRICS, otlp.LOGS):
            for name in names:
                body = otlp.request(signal, otlp.new_ids(3), resource={"service.name": name})
                sender.export(signal, body)
        ring = Ring(sorted(one.endpoint for one in pair))
        until(lambda: sum(len(set(one.ids())) for one in pair) == 120, "all items")
        for signal in (otlp.METRICS, otlp.LOGS):
            for backend in pair:
                found = {
                    pair_.value.string_value
                    for one in backend.accepted(signal)
                    for resource in otlp.resources(signal, one.message)
                    for pair_ in resource.attributes
                    if pair_.key == "service.name"
                }
                assert found == {name for name in names if ring.find(name.encode()) == backend.endpoint}


class TestFailures:
    def test_a_backend_that_hangs_delays_only_its_own_share(self, start, pair, grpc_sender):
        holdfast = start(to_list(*pair))
        pair[1].always = backends.hang()
        traces = new_traces(1200)
        good, bad = shares(pair, traces)
        sender = grpc_sender(holdfast)
        for at in range(0, 1200, 10):
            sender.export(otlp.TRACES, request(traces[at : at + 10]))
        wait_until_traces(pair[:1], good, seconds=60)
        assert not set(traces_at(pair[1]))
        holdfast.wait_metric("otelcol_loadbalancer_backend_outcome", 1, endpoint=pair[1].endpoint, success="false")
        books = holdfast.books("traces", "loadbalancing")
        assert books["dead_lettered"]["items"] == 0 and books["queued"]["items"] > 0
        pair[1].stop()
        pair[1].always = backends.ok()
        pair[1].start()
        wait_until_traces(pair[1:], bad, seconds=60)
        assert set(traces_at(pair[0])) == good and set(traces_at(pair[1])) == bad
        until(lambda: holdfast.books("traces", "loadbalancing")["queued"]["items"] == 0, "all are acknowledged")

    def test_the_share_of_a_backend_that_leaves_goes_to_the_others(self, start, pair, grpc_sender):
        holdfast = start(to_list(*pair))
        pair[1].stop()
        traces = new_traces(200)
        good, bad = shares(pair, traces)
        sender = grpc_sender(holdfast)
        for at in range(0, 200, 10):
            sender.export(otlp.TRACES, request(traces[at : at + 10]))
        wait_until_traces(pair[:1], good)
        holdfast.write_config(to_list(pair[0]))
        holdfast.reload()
        wait_until_traces(pair[:1], bad)
        until(lambda: holdfast.books("traces", "loadbalancing")["queued"]["items"] == 0, "all are acknowledged")

    def test_only_the_bad_record_of_one_share_is_refused_for_good(self, start, pair, grpc_sender):
        holdfast = start(to_list(*pair))
        traces = new_traces(100)
        good, bad = shares(pair, traces)
        poison = sorted(bad)[0]

        def judge(message):
            spans = [span.trace_id for rs in message.resource_spans for ss in rs.scope_spans for span in ss.spans]
            refused = backends.refuse(grpc.StatusCode.INVALID_ARGUMENT, "not that one")
            return refused if poison in spans else backends.ok()

        pair[1].judge = judge
        sender = grpc_sender(holdfast)
        for trace in traces:
            sender.export(otlp.TRACES, request([trace]))
        wait_until_traces(pair, set(traces) - {poison})
        until(lambda: holdfast.books("traces", "loadbalancing")["queued"]["items"] == 0, "all are settled")
        books = holdfast.books("traces", "loadbalancing")
        assert books["dead_lettered"]["items"] == 1 and books["delivered"]["items"] == 99

    def test_a_kill_loses_nothing(self, start, pair, grpc_sender):
        holdfast = start(to_list(*pair))
        pair[1].always = backends.hang()
        traces = new_traces(300)
        good, bad = shares(pair, traces)
        sender = grpc_sender(holdfast)
        for at in range(0, 300, 10):
            sender.export(otlp.TRACES, request(traces[at : at + 10]))
        holdfast.kill9()
        pair[1].stop()
        pair[1].always = backends.ok()
        pair[1].start()
        holdfast.start()
        wait_until_traces(pair, traces)
        assert set(traces_at(pair[0])) == good and set(traces_at(pair[1])) == bad

    def test_what_overflows_while_it_is_held_is_dropped_and_counted(self, start, pair, grpc_sender):
        queue = {"max_bytes": "2MiB", "on_full": "drop_oldest"}
        holdfast = start(to_list(*pair, sending_queue=queue))
        pair[1].stop()
        sender = grpc_sender(holdfast)
        traces = new_traces(1000)
        good, bad = shares(pair, traces)
        for at in range(0, 1000, 10):
            message = request(traces[at : at + 10])
            for span in message.resource_spans[0].scope_spans[0].spans:
                span.name = os.urandom(6000).hex()
            sender.export(otlp.TRACES, message)
            if at % 50 == 0:  # what is for the other backend must not fall out of the queue
                wait_until_traces(pair[:1], good & set(traces[: at + 10]))
        wait_until_traces(pair[:1], good)
        pair[1].start()
        last = bad & set(traces[-10:])
        wait_until_traces(pair[1:], last)
        until(lambda: holdfast.books("traces", "loadbalancing")["queued"]["items"] == 0, "the queue drains")
        books = holdfast.books("traces", "loadbalancing")
        assert books["dropped"]["overflow"]["items"] > 0
        assert books["accepted"]["items"] == 1000


class TestResolvers:
    def test_dns_finds_the_addresses_of_a_name(self, start, grpc_backend, grpc_sender):
        resolver = {"dns": {"hostname": "127.0.0.1", "port": str(grpc_backend.port), "interval": "100ms"}}
        holdfast = start(config({"load_balancing": balancer(resolver)}))
        traces = new_traces(20)
        grpc_sender(holdfast).export(otlp.TRACES, request(traces))
        wait_until_traces([grpc_backend], traces)
        holdfast.wait_metric("otelcol_loadbalancer_num_resolutions", 2, resolver="dns", success="true")
        assert holdfast.metric("otelcol_loadbalancer_num_backend_updates", resolver="dns") == 1

    def test_what_comes_while_no_backend_is_known_waits(self, start, grpc_backend, grpc_sender):
        resolver = {"dns": {"hostname": "name.invalid", "interval": "100ms"}}
        holdfast = start(config({"loadbalancing": balancer(resolver)}))
        traces = new_traces(20)
        grpc_sender(holdfast).export(otlp.TRACES, request(traces))
        holdfast.wait_metric("otelcol_loadbalancer_num_resolutions", 1, resolver="dns", success="false")
        holdfast.wait_for_log("no backend is known")
        holdfast.write_config(to_list(grpc_backend))
        holdfast.reload()
        wait_until_traces([grpc_backend], traces)

    def test_the_endpoints_of_a_kubernetes_service_as_they_change(self, start, pair, ending, tmp_path, grpc_sender):
        authority = Authority(tmp_path / "ca")
        api = ending.enter_context(KubernetesApi(authority.issue("kubernetes"), {"first-token"}))

        def put(*addresses):
            endpoints = [{"addresses": [one], "conditions": {"ready": True}} for one in addresses]
            labels = {"kubernetes.io/service-name": "gateway"}
            api.put("endpointslices", "gateway-x", "tracing", metadata={"labels": labels}, endpoints=endpoints)

        put("127.0.0.1")
        resolver = {"k8s": {"service": "gateway.tracing", "ports": [pair[0].port, pair[1].port]}}
        environment = service_account(tmp_path / "account", api, authority)
        holdfast = start(config({"loadbalancing": balancer(resolver)}), environment={**environment, "KUBECONFIG": ""})
        traces = new_traces(100)
        sender = grpc_sender(holdfast)
        sender.export(otlp.TRACES, request(traces))
        wait_until_traces(pair, traces)
        for backend, wanted in zip(pair, shares(pair, traces), strict=True):
            assert set(traces_at(backend)) == wanted
        put()
        holdfast.wait_for_log("0 backends")
        more = new_traces(100)
        sender.export(otlp.TRACES, request(more))
        put("127.0.0.1")
        wait_until_traces(pair, more)


def queued(holdfast):
    """Items that wait, of all queues."""
    return sum(one["queued"]["items"] for queue in holdfast.queue("stat")["queues"] for one in queue["exporters"])


ERRORS = {"name": "errors", "type": "status_code", "status_code": {"status_codes": ["ERROR"]}}


class TestTailSamplingBehind:
    def test_traces_stay_whole_while_a_gateway_is_killed(self, start, grpc_backend, grpc_sender):
        """Two gateways decide about whole traces; one is killed between the halves of the traces.

        The first halves of some have an error, so that both halves are kept by the gateway which has got them, however
        long the second ones take; those of the others are dropped."""
        gateways = []
        for _ in range(2):
            gateway = config({"otlp": otlp_exporter(grpc_backend)})
            gateway["processors"] = {"tail_sampling": {"decision_wait": "2s", "policies": [ERRORS]}}
            gateway["service"]["pipelines"] = {
                "traces": {"receivers": ["otlp"], "processors": ["tail_sampling"], "exporters": ["otlp"]}
            }
            gateways.append(start(gateway))
        names = {"static": {"hostnames": [one.grpc_target for one in gateways]}}
        front = start(config({"loadbalancing": balancer(names)}))
        traces, others = new_traces(200), new_traces(50)
        sender = grpc_sender(front)
        for at in range(0, 200, 20):
            first = request(traces[at : at + 20])
            for span in first.resource_spans[0].scope_spans[0].spans:
                span.status.code = 2
            sender.export(otlp.TRACES, first)
        sender.export(otlp.TRACES, request(others))
        gateways[1].kill9()
        for at in range(0, 200, 20):
            sender.export(otlp.TRACES, request(traces[at : at + 20]))
        sender.export(otlp.TRACES, request(others))
        gateways[1].start()
        for one in (front, *gateways):
            until(lambda one=one: not queued(one), lambda one=one: f"{queued(one)}")
        assert traces_at(grpc_backend) == {trace: 2 for trace in traces}


WRONG = {
    "resolver::aws_cloud_map is not supported": {"resolver": {"aws_cloud_map": {"namespace": "n", "service_name": "s"}}},
    "exactly one of static, dns and k8s": {"resolver": {}},
    "exactly one of static": {"resolver": {"static": {"hostnames": ["a"]}, "dns": {"hostname": "b"}}},
    "at least one backend": {"resolver": {"static": {"hostnames": []}}},
    "routing_attributes must be given": {"routing_key": "attributes"},
    "routing_attributes are only used": {"routing_key": "service", "routing_attributes": ["a"]},
    "metrics have no traceID": {"routing_key": "traceID"},
    "a port from 1 to 65535": {"resolver": {"dns": {"hostname": "a", "port": "http"}}},
    "name.namespace": {"resolver": {"k8s": {"service": "a.b.c.d"}}},
}


@pytest.mark.parametrize("says", WRONG)
def test_a_wrong_configuration_is_refused_in_one_sentence(start, says):
    holdfast = start(config({"loadbalancing": {**balancer({"static": {"hostnames": ["a"]}}), **WRONG[says]}}), ready=False)
    files = ("--config", holdfast.base_path, "--config", holdfast.config_path)
    done = run("validate", *files, env=holdfast.environment)
    if done.returncode == 0:
        holdfast.spawn()
        assert holdfast.process.wait(60) != 0
        assert says in holdfast.log()
    else:
        assert says in done.stdout + done.stderr
