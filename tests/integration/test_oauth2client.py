"""Tokens of an OAuth 2.0 server on what is sent: fetched, renewed, renewed once when refused, and waited for."""

import grpc
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from support import otlp
from support.backends import refuse, status
from support.holdfast import FAST_RETRY
from support.oauth import ASSERTION, TokenServer
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


def new_key(tokens):
    """An RSA key whose public half the server knows, in PEM."""
    key = rsa.generate_private_key(65537, 2048)
    tokens.public_key = key.public_key()
    pem = serialization.Encoding.PEM
    return key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()


def test_an_assertion_is_signed_in_place_of_a_secret(start, tokens, http_backend, grpc_sender):
    keys = {
        "client_secret": None,
        "grant_type": ASSERTION,
        "client_certificate_key": new_key(tokens),
        "client_certificate_key_id": "key-1",
        "signature_algorithm": "RS512",
        "scopes": ["a", "b"],
        "claims": {"tenant": {"id": 7, "names": ["x", "y"]}, "sub": "someone"},
        "endpoint_params": {"resource": "r"},
    }
    holdfast = start(configuration(tokens, "otlphttp", http_backend.endpoint, **keys))
    http_backend.wait_for(send(grpc_sender(holdfast)))
    assert set(shown(http_backend)) == {"Bearer token-1"}
    ((form, style, _),) = tokens.requests
    assert style is None and form["scope"] == ["a b"] and form["resource"] == ["r"]
    ((header, claims),) = tokens.assertions
    assert header == {"alg": "RS512", "typ": "JWT", "kid": "key-1"}
    life, identifier = claims.pop("exp") - claims.pop("iat"), claims.pop("jti")
    assert life == 1800 and len(identifier) == 32
    tenant = {"id": 7, "names": ["x", "y"]}
    assert claims == {"iss": tokens.client, "sub": "someone", "aud": tokens.url, "scope": "a b", "tenant": tenant}


def test_the_key_of_a_file_is_read_for_each_assertion(start, tokens, http_backend, grpc_sender, tmp_path):
    file = tmp_path / "key.pem"
    file.write_text("no key")
    keys = {"client_secret": None, "grant_type": ASSERTION, "client_certificate_key_file": str(file)}
    holdfast = start(configuration(tokens, "otlphttp", http_backend.endpoint, iss="me-too", audience="them", **keys))
    ids = send(grpc_sender(holdfast))
    holdfast.wait_for_log("client_certificate_key is no RSA key in PEM")
    file.write_text(new_key(tokens))
    http_backend.wait_for(ids)
    header, claims = tokens.assertions[-1]
    assert header["alg"] == "RS256" and "kid" not in header and "scope" not in claims
    assert (claims["iss"], claims["sub"], claims["aud"]) == ("me-too", tokens.client, "them")


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"client_id": None}, "no client_id provided"),
        ({"client_secret": None}, "no client_secret provided"),
        ({"token_url": "nowhere"}, "token_url: expected the URL"),
        ({"endpoint_params": {"a": {"b": "c"}}}, "endpoint_params: a value is"),
        ({"grant_type": "password"}, "client_credentials"),
        ({"grant_type": ASSERTION}, "no client_certificate_key provided"),
        ({"grant_type": ASSERTION, "client_certificate_key": "x", "signature_algorithm": "HS256"}, "signature_algorithm: expected RS256"),
        ({"grant_type": ASSERTION, "client_certificate_key": "x", "claims": "x"}, "claims: expected a map"),
        ({"grant_type": ASSERTION, "client_certificate_key": "x", "endpoint_params": {"assertion": "x"}}, "endpoint_params: assertion"),
        ({"client_certificate_key": "x"}, "client_certificate_key.* need grant_type: urn:ietf:params:oauth:grant-type:jwt-bearer"),
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
