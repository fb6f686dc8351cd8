"""Kafka between two Holdfasts: restarts and kills of one broker and of three, TLS, SASL PLAIN, SCRAM and OAUTHBEARER, and
the encodings of Jaeger and Zipkin."""

import base64
import contextlib
import json
import time

from support import backends, otlp, senders
from support.holdfast import FAST_RETRY, Holdfast, config, otlp_exporter, run
from support.kafka import Kafka
from support.oauth import TokenServer
from support.scraped_servers import scrape, scraping, switched, values
from support.waiting import until

from .kafka_brokers import NEW, OLD, PASSWORD, SCRAM, SESSION_S, USER, Broker, Cluster, install
from .tools import judge

def keys(broker, listener):
    """The keys of the client for one of the listeners; those of SCRAM are named by the mechanism."""
    if isinstance(broker, Cluster):
        return {"brokers": broker.addresses}
    if listener in SCRAM:
        sasl = {"mechanism": listener, "username": USER, "password": PASSWORD}
        return {"brokers": [f"127.0.0.1:{broker.scram}"], "auth": {"sasl": sasl}}
    tls = {"ca_file": str(broker.ca)}
    return {
        "plain": {"brokers": [f"127.0.0.1:{broker.plain}"]},
        "tls": {"brokers": [f"127.0.0.1:{broker.tls}"], "tls": tls},
        "sasl": {
            "brokers": [f"127.0.0.1:{broker.sasl}"],
            "auth": {"plain_text": {"username": "alice", "password": "alice-secret"}, "tls": tls},
        },
        "oauth": {
            "brokers": [f"127.0.0.1:{broker.oauth}"],
            "auth": {"sasl": {"mechanism": "OAUTHBEARER", "oauthbearer_token_source": "oauth2client"}},
        },
    }[listener]


def to_kafka(broker, listener, **more):
    exporter = {
        **keys(broker, listener),
        "timeout": "3s",
        "retry_on_failure": dict(FAST_RETRY),
        "producer": {"required_acks": "all", "compression": "zstd"},
        "partition_traces_by_id": True,
        **more,
    }
    return config({"kafka": exporter})


def from_kafka(broker, listener, backend, **more):
    receiver = {**keys(broker, listener), "group_id": listener, "initial_offset": "earliest", **more}
    configuration = config({"otlp": otlp_exporter(backend)}, receivers={"kafka": receiver})
    for pipeline in configuration["service"]["pipelines"].values():
        pipeline["receivers"] = ["kafka"]
    return configuration


def send(sender, ids, topic_signal=otlp.TRACES):
    for at in range(0, len(ids), 20):
        sender.export(topic_signal, otlp.request(topic_signal, ids[at : at + 20]))


def check_listener(listener, broker, directory, stack):
    """All signals from one Holdfast to the other, through that listener."""
    backend = stack.enter_context(backends.GrpcBackend())
    topics = {name: {"topic": f"{listener}-{name}"} for name in ("traces", "metrics", "logs")}
    agent = Holdfast(directory / f"{listener}-agent", to_kafka(broker, listener, **topics)).start()
    stack.callback(agent.close)
    sender = stack.enter_context(contextlib.closing(senders.GrpcSender(agent.grpc_target)))
    ids = {signal.name: otlp.new_ids(100) for signal in otlp.SIGNALS}
    for signal in otlp.SIGNALS:
        send(sender, ids[signal.name], signal)
        queue = signal.name
        until(lambda: agent.books(queue, "kafka")["queued"]["items"] == 0, lambda: agent.log()[-1500:], 60)
    gateway = Holdfast(directory / f"{listener}-gateway", from_kafka(broker, listener, backend, **topics)).start()
    stack.callback(gateway.close)
    backend.wait_for([one for own in ids.values() for one in own], seconds=90)


def check_restarts(broker, directory, stack):
    """The broker is killed, then each Holdfast, while data flows: nothing is missing, and all offsets are committed."""
    backend = stack.enter_context(backends.GrpcBackend())
    topic = {"traces": {"topic": "restarts"}}
    agent = Holdfast(directory / "agent", to_kafka(broker, "plain", **topic)).start()
    stack.callback(agent.close)
    gateway = Holdfast(directory / "gateway", from_kafka(broker, "plain", backend, group_id="g", **topic)).start()
    stack.callback(gateway.close)
    sender = stack.enter_context(contextlib.closing(senders.GrpcSender(agent.grpc_target)))
    ids = otlp.new_ids(1000)
    for step, at in enumerate(range(0, 1000, 200)):
        send(sender, ids[at : at + 200])
        if step == 1:
            broker.kill()
        if step == 2:
            broker.start()
        if step == 3:
            gateway.kill9()
            agent.kill9()
            agent.start()
            gateway.start()
            sender = stack.enter_context(contextlib.closing(senders.GrpcSender(agent.grpc_target)))
    backend.wait_for(ids, seconds=120)
    client = stack.enter_context(Kafka("client", f"127.0.0.1:{broker.plain}"))
    wanted = len(client.messages("restarts"))
    until(lambda: sum(client.committed("g", "restarts").values()) == wanted, "all offsets are committed", 60)
    check_metrics(broker, directory, stack, wanted)


def check_encodings(broker, directory, stack):
    """Spans of Jaeger and Zipkin from one Holdfast to the other, in each encoding that both have."""
    for encoding in ("jaeger_proto", "jaeger_json", "zipkin_proto", "zipkin_json"):
        backend = stack.enter_context(backends.GrpcBackend())
        traces = {"traces": {"topic": encoding, "encoding": encoding}}
        agent = Holdfast(directory / f"{encoding}-agent", to_kafka(broker, "plain", **traces)).start()
        stack.callback(agent.close)
        sender = stack.enter_context(contextlib.closing(senders.GrpcSender(agent.grpc_target)))
        message = otlp.request(otlp.TRACES, otlp.new_ids(200))
        wanted = {(span.trace_id, span.span_id) for span in otlp.items(otlp.TRACES, message)}
        sender.export(otlp.TRACES, message)
        until(lambda: agent.books("traces", "kafka")["queued"]["items"] == 0, lambda: agent.log()[-1500:], 60)
        receiver = from_kafka(broker, "plain", backend, **traces, group_id=encoding)
        gateway = Holdfast(directory / f"{encoding}-gateway", receiver).start()
        stack.callback(gateway.close)

        def arrived():
            messages = [one.message for one in backend.accepted(otlp.TRACES)]
            return {(span.trace_id, span.span_id) for one in messages for span in otlp.items(otlp.TRACES, one)}

        until(lambda: arrived() == wanted, lambda: f"{encoding}: {len(wanted - arrived())} spans are missing", 90)


def unsecured_token(life, **claims):
    """A JWT that the broker's validator of tokens without a signature takes, when it has `sub`."""
    now = int(time.time())
    parts = ({"alg": "none"}, {"iat": now, "exp": now + life, **claims})
    return "".join(base64.urlsafe_b64encode(json.dumps(one).encode()).decode().rstrip("=") + "." for one in parts)


def check_tokens(broker, directory, stack):
    """OAUTHBEARER both ways. The token is renewed while data flows; one that the broker refuses holds them up, no more."""
    backend = stack.enter_context(backends.GrpcBackend())
    tokens = stack.enter_context(TokenServer(life=2 * SESSION_S))
    keys_of = {"client_id": tokens.client, "client_secret": tokens.secret, "token_url": tokens.url}
    given = {"right": 0, "wrong": 0}

    def right(number):
        given["right"] += 1
        return unsecured_token(tokens.life, sub="holdfast")

    def wrong(number):
        given["wrong"] += 1
        return unsecured_token(tokens.life)  # of no one

    def run(name, configuration):
        configuration["extensions"] = {"oauth2client": keys_of}
        configuration["service"]["extensions"] = ["health_check", "oauth2client"]
        made = Holdfast(directory / name, configuration).start()
        stack.callback(made.close)
        return made

    tokens.make_token = right
    topic = {"traces": {"topic": "tokens"}}
    agent = run("agent", to_kafka(broker, "oauth", **topic))
    gateway = run("gateway", from_kafka(broker, "oauth", backend, **topic))
    sender = stack.enter_context(contextlib.closing(senders.GrpcSender(agent.grpc_target)))
    ids = otlp.new_ids(300)
    for at in range(0, 300, 100):
        send(sender, ids[at : at + 100])
        backend.wait_for(ids[: at + 100], seconds=60)
        seen = given["right"]
        until(lambda: given["right"] >= seen + 2, "both have renewed their tokens", 60)
    tokens.make_token = wrong

    def is_refused():
        # A client may have the last right token for some seconds. The broker ends a session at the next request after its time.
        ids.extend(otlp.new_ids(10))
        send(sender, ids[-10:])
        return "invalid_token" in agent.log()

    until(is_refused, lambda: agent.log()[-2000:], 60, pause=0.5)
    gateway.wait_for_log("invalid_token")
    agent.wait_for_log("Exporting failed. Will retry")
    assert agent.books("traces", "kafka")["queued"]["items"] != 0
    tokens.make_token = right
    backend.wait_for(ids, seconds=90)
    until(lambda: agent.books("traces", "kafka")["queued"]["items"] == 0, lambda: agent.log()[-1500:], 60)


def check_metrics(broker, directory, stack, count):
    """The receiver kafkametrics beside the group that has read all of the topic."""
    backend = stack.enter_context(backends.HttpBackend())
    settings = {
        "kafka.broker.log_retention_period": {(str(1),): 168 * 3600},
        "kafka.topic.log_retention_period": {("restarts",): 604800},
        "kafka.topic.log_retention_size": {("restarts",): -1},
        "kafka.topic.min_insync_replicas": {("restarts",): 1},
    }
    keys_of = {"topic_match": "^restarts$", "metrics": switched(settings), "scrapers": ["brokers", "topics", "consumers"]}
    watcher = Holdfast(directory / "watcher", scraping(backend, "kafkametrics", **keys(broker, "plain"), **keys_of)).start()
    stack.callback(watcher.close)
    found = scrape(backend, lambda found: values(found, "kafka.consumer_group.lag_sum"), watcher.log)
    assert values(found, "kafka.brokers") == {(): 1}
    assert values(found, "kafka.consumer_group.members")[("g",)] == 1
    assert values(found, "kafka.consumer_group.offset_sum") == {("g", "restarts"): count}
    assert values(found, "kafka.consumer_group.lag_sum") == {("g", "restarts"): 0}
    assert values(found, "kafka.consumer_group.lag") == {("g", partition, "restarts"): 0 for partition in range(3)}
    assert sum(values(found, "kafka.consumer_group.offset").values()) == count
    assert sum(values(found, "kafka.partition.current_offset").values()) == count
    for name, expected in settings.items():
        assert values(found, name) == expected, name
    assert watcher.metric("otelcol_scraper_errored_metric_points", receiver="kafkametrics", scraper="kafkametrics") == 0


def check_scram(broker, directory, stack):
    """SCRAM to the older broker. What cannot sign in to the newer one is told why by `holdfast check`."""
    with Broker(directory / "broker", OLD) as old:
        for mechanism in SCRAM:
            check_listener(mechanism, old, directory, stack)
    agent = Holdfast(directory / "checked", to_kafka(broker, SCRAM[0]))
    options = ("--timeout", "10s", "--format", "json", "--config", agent.base_path, "--config", agent.config_path)
    found = json.loads(run("check", *options, env=agent.environment).stdout)["checks"]
    (step,) = [one for one in found if (one["component"], one["step"]) == ("exporter kafka", "auth")]
    assert "this librdkafka (2.0.2) cannot sign in by SCRAM to brokers 4.x" in step["detail"], step


def check_three(broker, directory, stack):
    """Three brokers, each killed in its turn while data flow, the gateway once as well: nothing is lost, the books balance,
    and all offsets are committed."""
    del broker
    cluster = stack.enter_context(Cluster(directory / "cluster"))
    backend = stack.enter_context(backends.GrpcBackend())
    client = stack.enter_context(Kafka("client", ",".join(cluster.addresses)))
    topic = {"traces": {"topic": "three"}}
    agent = Holdfast(directory / "agent", to_kafka(cluster, "three", **topic)).start()
    stack.callback(agent.close)
    gateway = Holdfast(directory / "gateway", from_kafka(cluster, "three", backend, **topic)).start()
    stack.callback(gateway.close)
    load = stack.enter_context(senders.Load(agent, [(otlp.TRACES, "grpc")] * 2, items=20, pause=0.05))

    def wait_for_more(count):
        """So many more items than now have come through."""
        wanted = len(backend.ids(otlp.TRACES)) + count
        until(lambda: len(backend.ids(otlp.TRACES)) >= wanted, lambda: agent.log()[-1500:], 120, pause=0.1)

    wait_for_more(200)
    for number, server in cluster.servers.items():
        server.kill()
        wait_for_more(500)
        if number == 2:
            gateway.kill9()
            gateway.start()
            wait_for_more(500)
        server.start()
        until(lambda: client.synced("three") == 3, "all replicas are in sync", 120, pause=0.2)
    acknowledged = load.stop()
    backend.wait_for(acknowledged, seconds=120)
    until(lambda: agent.books("traces", "kafka")["queued"]["items"] == 0, lambda: agent.log()[-1500:], 60)
    until(lambda: gateway.books("traces", "otlp")["queued"]["items"] == 0, lambda: gateway.log()[-1500:], 60)
    sent, passed = agent.books("traces", "kafka"), gateway.books("traces", "otlp")
    assert sent["accepted"]["items"] == sent["delivered"]["items"] >= len(acknowledged), sent
    assert passed["accepted"]["items"] == passed["delivered"]["items"] >= len(acknowledged), passed
    wanted = len(client.messages("three"))
    until(lambda: sum(client.committed("three", "three").values()) == wanted, "all offsets are committed", 60)
    repeated = passed["delivered"]["items"] - len(set(acknowledged))
    print(f"three: {len(acknowledged)} spans acknowledged, {repeated} came more than once or without an answer", flush=True)


def main(directory):
    for release in (NEW, OLD):
        install(release)
    failed, passed = set(), set()
    checks = {name: lambda *given, name=name: check_listener(name, *given) for name in ("plain", "tls", "sasl")}
    checks["tokens"] = check_tokens
    checks["restarts"] = check_restarts
    checks["encodings"] = check_encodings
    checks["scram"] = check_scram
    checks["three"] = check_three
    with Broker(directory / "broker") as broker:
        for name, check in checks.items():
            (directory / name).mkdir()
            try:
                with contextlib.ExitStack() as stack:
                    check(broker, directory / name, stack)
                passed.add(name)
            except AssertionError as error:
                print(f"{name}: {error}", flush=True)
                failed.add(name)
    return judge("kafka", failed, passed)
