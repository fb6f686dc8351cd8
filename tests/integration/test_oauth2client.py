"""Tokens of an OAuth 2.0 server on what is sent: fetched, renewed, renewed once when refused, and waited for."""

import grpc
import pytest

from support import otlp
from support.backends import refuse, status
from support.holdfast import FAST_RETRY
from support.oauth import TokenServer
from support.waiting import until


@pytest.fixture
def tokens(ending):
    return ending.enter_context(TokenServer())


def configuration(tokens, exporter, endpoint, **more):
    extension = {"client_id": tokens.client, "client_secret": tokens.secret, "token_url": tokens.url, **more}
    settings = {
        "endpoint": endpoint,
        "auth": {"authenticator": "oauth2client"},
        "retry_on_failure": dict(FAST_RETRY),
        "tls": {"insecure": True},
    }
    return {
        "extensions": {"oauth2client": {key: value for key, value in extension.items() if value is not None}},
        "exporters": {exporter: settings},
        "service": {
            "extensions": ["oauth2client", "health_check"],
            "pipelines": {"logs": {"receivers": ["otlp"], "exporters": [exporter]}},
        },
    }


def send(sender):
    ids = otlp.new_ids(2)
    sender.export(otlp.LOGS, otlp.request(otlp.LOGS, ids))
    return ids


def shown(backend):
    return [one.metadata.get("authorization") for one in backend.requests]


def test_the_token_goes_with_every_request(start, tokens, http_backend, grpc_sender):
    holdfast = start(
        configuration(
            tokens,
            "otlphttp",
            http_backend.endpoint,
            scopes=["a", "b c"],
            endpoint_params={"audience": "x&y", "many": ["1", "2"]},
        )
    )
    sender = grpc_sender(holdfast)
    for _ in range(2):
        http_backend.wait_for(send(sender))
    assert set(shown(http_backend)) == {"Bearer token-1"}
    ((form, style, _),) = tokens.requests
    assert style == "header"
    assert form == {
        "grant_type": ["client_credentials"],
        "scope": ["a b c"],
        "audience": ["x&y"],
        "many": ["1", "2"],
    }


def test_over_grpc_too(start, tokens, grpc_backend, grpc_sender):
    holdfast = start(configuration(tokens, "otlp", grpc_backend.endpoint))
    grpc_backend.wait_for(send(grpc_sender(holdfast)))
    assert shown(grpc_backend) == ["Bearer token-1"]


def test_a_server_that_wants_the_secret_in_the_body(start, tokens, http_backend, grpc_sender):
    tokens.styles = ("body",)
    holdfast = start(configuration(tokens, "otlphttp", http_backend.endpoint))
    http_backend.wait_for(send(grpc_sender(holdfast)))
    assert [one[1] for one in tokens.requests] == ["header", "body"]


def test_id_and_secret_of_files(start, tokens, http_backend, grpc_sender, tmp_path):
    (tmp_path / "id").write_text(tokens.client + "\n")
    (tmp_path / "secret").write_text(tokens.secret + "\n")
    holdfast = start(
        configuration(
            tokens,
            "otlphttp",
            http_backend.endpoint,
            client_id=None,
            client_secret=None,
            client_id_file=str(tmp_path / "id"),
            client_secret_file=str(tmp_path / "secret"),
        )
    )
    http_backend.wait_for(send(grpc_sender(holdfast)))
    assert shown(http_backend) == ["Bearer token-1"]


def test_a_token_is_renewed_before_its_end(start, tokens, http_backend, grpc_sender):
    tokens.life = 2
    holdfast = start(configuration(tokens, "otlphttp", http_backend.endpoint))
    sender = grpc_sender(holdfast)
    http_backend.wait_for(send(sender))
    until(lambda: len(tokens.requests) >= 3, lambda: tokens.requests)
    http_backend.wait_for(send(sender))
    first, *_, last = shown(http_backend)
    assert last != first


@pytest.mark.parametrize("exporter", ["otlphttp", "otlp"])
def test_a_refused_token_is_renewed_once(start, tokens, http_backend, grpc_backend, grpc_sender, exporter):
    backend = http_backend if exporter == "otlphttp" else grpc_backend
    no = status(401) if exporter == "otlphttp" else refuse(grpc.StatusCode.UNAUTHENTICATED)
    backend.next(no)
    holdfast = start(configuration(tokens, exporter, backend.endpoint))
    sender = grpc_sender(holdfast)
    backend.wait_for(send(sender))
    until(lambda: len(tokens.requests) == 2, lambda: tokens.requests)
    backend.wait_for(send(sender))
    assert shown(backend)[-1] == "Bearer token-2"
    backend.next(no, no)
    backend.wait_for(send(sender))
    assert len(tokens.requests) == 2  # the backend refuses them all: more tokens do not help


def test_without_a_token_records_wait(start, tokens, http_backend, grpc_sender):
    tokens.stop()
    holdfast = start(configuration(tokens, "otlphttp", http_backend.endpoint))
    ids = send(grpc_sender(holdfast))
    holdfast.wait_for_log("no token: the token endpoint")
    assert not http_backend.requests
    holdfast.kill9()
    holdfast.start()
    tokens.start()
    http_backend.wait_for(ids)


def test_the_words_of_the_server_are_logged_and_no_secret(start, tokens, http_backend):
    tokens.secret = "another"
    holdfast = start(configuration(tokens, "otlphttp", http_backend.endpoint, client_secret="wrong-one"))
    holdfast.wait_for_log("answered 401: invalid_client: who is that")
    assert "wrong-one" not in holdfast.log()


def test_what_is_no_token_is_none(start, tokens, http_backend):
    tokens.refuse = (200, {"access_token": "a\nb"})
    holdfast = start(configuration(tokens, "otlphttp", http_backend.endpoint))
    holdfast.wait_for_log("has no access_token")


def test_a_reload_takes_other_credentials(start, tokens, ending, http_backend, grpc_sender):
    holdfast = start(configuration(tokens, "otlphttp", http_backend.endpoint))
    sender = grpc_sender(holdfast)
    http_backend.wait_for(send(sender))
    other = ending.enter_context(TokenServer(client="you", secret="x"))
    holdfast.write_config(configuration(other, "otlphttp", http_backend.endpoint))
    holdfast.reload()
    until(lambda: other.requests, "the other server is asked")
    http_backend.wait_for(send(sender))


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"client_id": None}, "no client_id provided"),
        ({"client_secret": None}, "no client_secret provided"),
        ({"token_url": "nowhere"}, "token_url: expected the URL"),
        ({"endpoint_params": {"a": {"b": "c"}}}, "endpoint_params: a value is"),
        ({"grant_type": "password"}, "client_credentials"),
        ({"grant_type": "jwt-bearer", "client_certificate_key": "x"}, "grant_type: jwt-bearer is not built; use client_credentials"),
        ({"client_certificate_key": "x"}, "client_certificate_key: it belongs to the grant jwt-bearer, which is not built"),
    ],
)
def test_what_is_wrong_is_said_at_the_start(start, tokens, http_backend, keys, words):
    holdfast = start(configuration(tokens, "otlphttp", http_backend.endpoint, **keys), ready=False)
    holdfast.spawn()
    holdfast.wait_for_log(words)
    until(lambda: holdfast.process.poll() is not None, "it ends")


def test_a_receiver_cannot_use_it(start, tokens, http_backend):
    made = configuration(tokens, "otlphttp", http_backend.endpoint)
    made["receivers"] = {"otlp": {"protocols": {"http": {"auth": {"authenticator": "oauth2client"}}}}}
    holdfast = start(made, ready=False)
    holdfast.spawn()
    holdfast.wait_for_log("otlp: auth::authenticator: oauth2client does not check the credentials of clients")
    until(lambda: holdfast.process.poll() is not None, "it ends")
