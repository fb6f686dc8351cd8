"""kafka: signing in with SASL OAUTHBEARER, by tokens of an extension, and with those of Amazon MSK (IAM)."""

import base64
import datetime
import json
import time
import urllib.parse
from unittest import mock

import pytest
from botocore import auth as botocore_auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from support import otlp
from support.holdfast import FAST_RETRY, config, otlp_exporter, run
from support.kafka import Kafka
from support.kafka_sasl import SaslFront
from support.oauth import TokenServer
from support.scraped_servers import scrape, scraping, values
from support.waiting import until

SOURCE = {"auth": {"sasl": {"mechanism": "OAUTHBEARER", "oauthbearer_token_source": "oauth2client"}}}


@pytest.fixture
def kafka(ending):
    brokers = ending.enter_context(Kafka())
    for topic in ("otlp_spans", "otlp_metrics", "otlp_logs"):
        brokers.run("topic", topic, 1)
    return brokers


@pytest.fixture
def front(ending, kafka):
    return ending.enter_context(SaslFront(kafka.brokers))


@pytest.fixture
def tokens(ending):
    return ending.enter_context(TokenServer())


def exporter(front, **more):
    return {
        "brokers": front.brokers,
        "timeout": "2s",
        "retry_on_failure": dict(FAST_RETRY),
        "producer": {"required_acks": "all"},
        **more,
    }


def with_tokens(made, tokens, **more):
    keys = {"client_id": tokens.client, "client_secret": tokens.secret, "token_url": tokens.url, **more}
    made["extensions"] = {**made.get("extensions", {}), "oauth2client": keys}
    named = made["service"].get("extensions", ["health_check"])
    made["service"]["extensions"] = [*named, "oauth2client"]
    return made


def to_kafka(front, tokens, **more):
    return with_tokens(config({"kafka": exporter(front, **SOURCE)}), tokens, **more)


def ids_at(kafka, topic="otlp_spans"):
    return [i for one in kafka.messages(topic) for i in otlp.ids(otlp.TRACES, otlp.TRACES.request.FromString(one.value))]


def wait_for_ids(kafka, ids, seconds=60):
    until(lambda: set(ids) <= set(ids_at(kafka)), lambda: f"{len(set(ids) - set(ids_at(kafka)))} are missing", seconds, pause=0.2)


def send(sender, count=10):
    ids = otlp.new_ids(count)
    sender.export(otlp.TRACES, otlp.request(otlp.TRACES, ids))
    return ids


def queued(holdfast):
    return holdfast.books("traces", "kafka")["queued"]["items"]


class TestTokensOfAnExtension:
    def test_the_exporter_shows_the_token(self, start, kafka, front, tokens, grpc_sender):
        holdfast = start(to_kafka(front, tokens))
        wait_for_ids(kafka, send(grpc_sender(holdfast)))
        assert set(front.tokens) == {"token-1"} and set(front.mechanisms) == {"OAUTHBEARER"}

    def test_the_receiver_shows_the_token(self, start, kafka, front, tokens, grpc_backend):
        receiver = {"brokers": front.brokers, "group_id": "g", "initial_offset": "earliest", **SOURCE}
        made = config({"otlp": otlp_exporter(grpc_backend)}, receivers={"kafka": receiver})
        for pipeline in made["service"]["pipelines"].values():
            pipeline["receivers"] = ["kafka"]
        start(with_tokens(made, tokens))
        ids = otlp.new_ids(10)
        kafka.produce("otlp_spans", otlp.request(otlp.TRACES, ids).SerializeToString())
        grpc_backend.wait_for(ids)
        assert set(front.tokens) == {"token-1"}

    def test_kafkametrics_shows_the_token(self, start, front, tokens, http_backend):
        keys = {"brokers": front.brokers, "scrapers": ["brokers"], **SOURCE}
        holdfast = start(with_tokens(scraping(http_backend, "kafkametrics", **keys), tokens))
        found = scrape(http_backend, lambda found: values(found, "kafka.brokers"), holdfast.log)
        assert values(found, "kafka.brokers") == {(): 1}
        assert set(front.tokens) == {"token-1"}

    def test_a_renewed_token_is_used_by_the_next_connection(self, start, kafka, front, tokens, grpc_sender):
        tokens.life = 4
        holdfast = start(to_kafka(front, tokens))
        sender = grpc_sender(holdfast)
        sent = send(sender)
        wait_for_ids(kafka, sent)
        first = front.tokens[-1]
        # The brokers know only those that are younger, and end the sessions of the others.
        front.accepts = lambda token: int(token.removeprefix("token-")) > int(first.removeprefix("token-"))
        front.disconnect()
        sent += send(sender)
        wait_for_ids(kafka, sent)
        assert front.tokens[-1] != first

    def test_what_is_refused_waits_and_the_token_is_renewed(self, start, kafka, front, tokens, grpc_sender):
        front.accepts = lambda token: token != "token-1"
        holdfast = start(to_kafka(front, tokens))
        ids = send(grpc_sender(holdfast))
        holdfast.wait_for_log("invalid_token|the token is not valid")
        wait_for_ids(kafka, ids)
        assert front.tokens[0] == "token-1" and front.tokens[-1] == "token-2"
        until(lambda: queued(holdfast) == 0, holdfast.log)

    def test_without_a_token_data_wait_and_the_log_says_why(self, start, kafka, front, tokens, grpc_sender):
        tokens.refuse = (503, {})
        holdfast = start(to_kafka(front, tokens))
        ids = send(grpc_sender(holdfast))
        holdfast.wait_for_log("cannot sign in to Kafka: oauth2client has no token now: .*answered 503")
        holdfast.wait_for_log("Exporting failed. Will retry.*oauth2client has no token now: .*answered 503")
        assert queued(holdfast) == len(ids) and front.tokens == []
        holdfast.kill9()
        tokens.refuse = None
        holdfast.start()
        wait_for_ids(kafka, ids)

    def test_a_token_that_comes_late_is_taken_without_a_restart(self, start, kafka, front, tokens, grpc_sender):
        tokens.refuse = (503, {})
        holdfast = start(to_kafka(front, tokens))
        ids = send(grpc_sender(holdfast))
        holdfast.wait_for_log("cannot sign in to Kafka: oauth2client has no token now")
        tokens.refuse = None
        holdfast.wait_for_log("there is a token for Kafka again")
        wait_for_ids(kafka, ids)

    def test_a_jwt_that_has_ended_is_not_sent(self, start, kafka, front, tmp_path, grpc_sender):
        def jwt(end):
            parts = ({"alg": "none"}, {"sub": "me", "exp": end})
            return ".".join(base64.urlsafe_b64encode(json.dumps(one).encode()).decode().rstrip("=") for one in parts) + ".x"

        file = tmp_path / "token"
        file.write_text(jwt(int(time.time()) - 100))
        sasl = {"mechanism": "OAUTHBEARER", "oauthbearer_token_source": "bearertokenauth"}
        made = config({"kafka": exporter(front, auth={"sasl": sasl})})
        made["extensions"] = {"bearertokenauth": {"filename": str(file)}}
        made["service"]["extensions"] = ["health_check", "bearertokenauth"]
        holdfast = start(made)
        ids = send(grpc_sender(holdfast))
        holdfast.wait_for_log("the token ended [0-9]+ seconds ago")
        assert front.tokens == []
        good = jwt(int(time.time()) + 3600)
        file.write_text(good)
        wait_for_ids(kafka, ids)
        assert set(front.tokens) == {good}


class TestSettings:
    WRONG = {
        "oauthbearer_token_source is needed": {"mechanism": "OAUTHBEARER"},
        "gives no bearer token": {"mechanism": "OAUTHBEARER", "oauthbearer_token_source": "basicauth"},
        "oidc gives no tokens": {"mechanism": "OAUTHBEARER", "oauthbearer_token_source": "oidc"},
        "expected PLAIN, SCRAM-SHA-256": {"mechanism": "GSSAPI"},
    }

    @pytest.mark.parametrize("says", WRONG)
    def test_what_cannot_be_is_told(self, start, front, says, grpc_sender):
        made = config({"kafka": exporter(front, auth={"sasl": self.WRONG[says]})})
        made["extensions"] = {
            "basicauth": {"client_auth": {"username": "a", "password": "b"}},
            "oidc": {"issuer_url": "http://127.0.0.1:9", "audience": "a"},
        }
        made["service"]["extensions"] = ["health_check", *made["extensions"]]
        holdfast = start(made, ready=False)
        done = run("validate", "--config", holdfast.base_path, "--config", holdfast.config_path, env=holdfast.environment)
        if done.returncode != 0:
            assert says in done.stdout + done.stderr
            return
        holdfast.spawn()
        if "oidc" in says:
            assert holdfast.process.wait(60) != 0
            assert says in holdfast.log()
            return
        holdfast.wait_ready()
        send(grpc_sender(holdfast))
        holdfast.wait_for_log(says)

    def test_check_says_what_is_wrong_with_the_token(self, start, kafka, front, tokens):
        def check():
            holdfast = start(to_kafka(front, tokens), ready=False)
            options = ("--timeout", "4s", "--format", "json", "--config", holdfast.base_path, "--config", holdfast.config_path)
            done = run("check", *options, env=holdfast.environment)
            steps = [one for one in json.loads(done.stdout)["checks"] if (one["component"], one["step"]) == ("exporter kafka", "auth")]
            return steps[0]["detail"]

        assert check() == "the cluster has 1 brokers"
        front.accepts = lambda token: False
        assert "token" in check()
        tokens.refuse = (401, {"error": "invalid_client"})
        assert "oauth2client has no token now" in check()


# ---- Amazon MSK ----


def signed_by_botocore(region, credentials, when):
    """The URL that botocore signs for it."""
    request = AWSRequest("GET", f"https://kafka.{region}.amazonaws.com/", params={"Action": "kafka-cluster:Connect"})
    with mock.patch.object(botocore_auth, "get_current_datetime", lambda: when):
        botocore_auth.SigV4QueryAuth(Credentials(*credentials), "kafka-cluster", region, expires=900).add_auth(request)
    return request.url


def parameters(url):
    return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(url).query, strict_parsing=True))


class TestAmazonMsk:
    @pytest.mark.parametrize("mechanism", ["AWS_MSK_IAM_OAUTHBEARER", "AWS_MSK_IAM"])
    def test_the_token_is_a_signed_url(self, start, kafka, front, mechanism, grpc_sender):
        credentials = ("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "session/token+with=marks")
        sasl = {"mechanism": mechanism, "aws_msk": {"region": "eu-west-1", "broker_addr": "b-1"}}
        made = config({"kafka": exporter(front, auth={"sasl": sasl}, tls={"insecure": True})})
        names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
        holdfast = start(made, environment=dict(zip(names, credentials, strict=True)))
        wait_for_ids(kafka, send(grpc_sender(holdfast)))
        token = front.tokens[0]
        assert "=" not in token
        url = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode()
        shown = parameters(url)
        assert shown.pop("User-Agent").startswith("Holdfast/")
        assert shown["Action"] == "kafka-cluster:Connect" and shown["X-Amz-Expires"] == "900"
        when = datetime.datetime.strptime(shown["X-Amz-Date"], "%Y%m%dT%H%M%SZ")
        assert parameters(signed_by_botocore("eu-west-1", credentials, when)) == shown
        assert url.startswith("https://kafka.eu-west-1.amazonaws.com/?")
        warned = "AWS_MSK_IAM is taken as AWS_MSK_IAM_OAUTHBEARER" in holdfast.log()
        assert warned == (mechanism == "AWS_MSK_IAM")
