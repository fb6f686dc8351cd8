"""Tokens of an OpenID Connect issuer, asked of who sends here: good ones and all kinds of others."""

import base64
import json
import time

import grpc
import pytest

from support import otlp, senders
from support.holdfast import BASE, config, otlphttp_exporter
from support.issuer import MAKERS, Issuer
from support.waiting import until


@pytest.fixture
def issuer(ending):
    return ending.enter_context(Issuer())


def base_of(**oidc):
    """The usual base, with the receiver behind the authenticator."""
    base = json.loads(json.dumps(BASE))
    for protocol in base["receivers"]["otlp"]["protocols"].values():
        protocol["auth"] = {"authenticator": "oidc"}
    base.setdefault("extensions", {})["oidc"] = oidc
    base["service"]["extensions"] = [*base["service"].get("extensions", []), "oidc"]
    return base


@pytest.fixture
def guarded(start, issuer, http_backend):
    """guarded(key=value of the extension...) -> a running Holdfast."""

    def make(ready=True, processors=None, **more):
        keys = {"issuer_url": issuer.url, "audience": "holdfast", **more}
        oidc = {key: value for key, value in keys.items() if value is not None}
        settings = config({"otlphttp": otlphttp_exporter(http_backend)}, processors)
        return start(settings, base=base_of(**oidc), ready=ready)

    return make


def code(holdfast, token, header="Authorization", scheme="Bearer "):
    headers = {header: f"{scheme}{token}"} if token is not None else {}
    request = otlp.request(otlp.LOGS, otlp.new_ids(1))
    return senders.post(holdfast.http_base, otlp.LOGS, request, headers=headers).status_code


@pytest.mark.parametrize("algorithm", MAKERS)
def test_a_good_token_of_each_algorithm(guarded, issuer, algorithm):
    issuer.add_key(algorithm, "the-one")
    holdfast = guarded()
    assert code(holdfast, issuer.token("the-one")) == 200
    good = issuer.token("the-one")
    head, payload, signature = good.split(".")
    spoilt = base64.urlsafe_b64decode(signature + "==")
    spoilt = base64.urlsafe_b64encode(bytes([spoilt[0] ^ 1]) + spoilt[1:]).decode().rstrip("=")
    assert code(holdfast, f"{head}.{payload}.{spoilt}") == 401


def test_over_grpc_too(guarded, issuer, grpc_sender):
    holdfast = guarded()
    request = otlp.request(otlp.LOGS, otlp.new_ids(1))
    sender = grpc_sender(holdfast)
    sender.export(otlp.LOGS, request, metadata=[("authorization", f"Bearer {issuer.token()}")])
    assert sender.code(otlp.LOGS, request) is grpc.StatusCode.UNAUTHENTICATED


def test_tokens_that_do_not_hold(guarded, issuer):
    holdfast = guarded()
    now = int(time.time())
    assert code(holdfast, issuer.token(aud=["other", "holdfast"])) == 200
    assert code(holdfast, issuer.token(nbf=now + 100)) == 200  # clocks differ
    none = base64.urlsafe_b64encode(b'{"alg":"none"}').decode().rstrip("=")
    _, payload, _ = issuer.token().split(".")
    for token in (
        None,
        "",
        "x",
        "a.b.c",
        "....",
        issuer.token(aud="other"),
        issuer.token(aud=None),
        issuer.token(iss="http://other"),
        issuer.token(exp=now - 1),
        issuer.token(exp=None),
        issuer.token(nbf=now + 4000),
        issuer.token(headers={"crit": ["exp"]}),
        f"{none}.{payload}.",
        f"{none}.{payload}.AA",
        issuer.token() + "x" * 20000,
    ):
        assert code(holdfast, token) in (401, 431), token
    assert code(holdfast, issuer.token(), scheme="Basic ") == 401


def test_a_symmetric_signature_with_the_public_key_is_none(guarded, issuer):
    """The confusion of RS256 with HS256."""
    import jwt
    from cryptography.hazmat.primitives import serialization

    ((_, key),) = issuer.private.values()
    form = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    secret = key.public_key().public_bytes(*form)
    claims = {"iss": issuer.url, "aud": "holdfast", "exp": int(time.time()) + 60}
    token = jwt.encode(claims, secret, "HS256", {"kid": "key-RS256"})
    assert code(guarded(), token) == 401


def test_claims_and_audience_as_configured(guarded, issuer):
    holdfast = guarded(username_claim="email", groups_claim="roles", ignore_audience=True, audience=None)
    assert code(holdfast, issuer.token(email="a@b", roles=["x", "y"], aud="any")) == 200
    assert code(holdfast, issuer.token(email="a@b", roles="x")) == 200
    assert code(holdfast, issuer.token(roles=["x"])) == 401
    assert code(holdfast, issuer.token(email="a@b")) == 401


def test_the_client_is_known_downstream(guarded, issuer, http_backend):
    actions = [{"key": "who", "from_context": "auth.subject", "action": "insert"}]
    holdfast = guarded(processors={"attributes": {"actions": actions}})
    assert code(holdfast, issuer.token(sub="alice")) == 200
    until(lambda: http_backend.requests, "a request")
    (record,) = http_backend.requests[0].message.resource_logs[0].scope_logs[0].log_records
    assert {"who": "alice"}.items() <= {one.key: one.value.string_value for one in record.attributes}.items()


def test_an_exporter_cannot_use_it(start, issuer, http_backend):
    exporter = otlphttp_exporter(http_backend, auth={"authenticator": "oidc"})
    base = base_of(issuer_url=issuer.url, audience="holdfast")
    holdfast = start(config({"otlphttp": exporter}), base=base, ready=False)
    holdfast.spawn()
    holdfast.wait_for_log("otlphttp: auth::authenticator: oidc adds no credentials to requests")
    until(lambda: holdfast.process.poll() is not None, "it ends")


@pytest.mark.parametrize("has_older_form", [False, True])
def test_several_issuers(start, issuer, ending, http_backend, has_older_form):
    """The keys of one may stand at the top, where older configurations have them."""
    other = ending.enter_context(Issuer(("ES256",)))
    first, second = ({"issuer_url": one.url, "audience": "holdfast"} for one in (issuer, other))
    keys = {**first, "providers": [second]} if has_older_form else {"providers": [first, second]}
    holdfast = start(config({"otlphttp": otlphttp_exporter(http_backend)}), base=base_of(**keys, attribute="X-Token"))
    for one in (issuer, other):
        assert code(holdfast, one.token(), header="X-Token") == 200
    stolen = issuer.token(iss=other.url)  # signed with a key that the other issuer may have had since
    until(lambda: code(holdfast, stolen, header="X-Token") == 401, "the other issuer has no such key")
    assert code(holdfast, issuer.token()) == 401


def test_a_new_key_is_fetched_when_a_token_names_it(guarded, issuer):
    holdfast = guarded()
    assert code(holdfast, issuer.token()) == 200
    issuer.add_key("ES256", "new")
    until(lambda: code(holdfast, issuer.token("new")) == 200, "the new key is known")
    asked = len(issuer.asked)
    for _ in range(5):  # made-up keys do not make the issuer busy
        assert code(holdfast, issuer.token(headers={"kid": "made-up"})) == 401
    assert len(issuer.asked) == asked


def test_without_keys_senders_are_told_to_come_back(guarded, issuer):
    issuer.stop()
    holdfast = guarded()
    assert code(holdfast, issuer.token()) == 503
    assert code(holdfast, issuer.token(exp=1)) == 401
    holdfast.wait_for_log("the keys of .* are not renewed")
    issuer.start()
    until(lambda: code(holdfast, issuer.token()) == 200, "the keys are fetched")
    issuer.stop()
    assert code(holdfast, issuer.token()) == 200


def test_keys_of_a_file(guarded, issuer, tmp_path):
    issuer.stop()
    path = tmp_path / "keys.json"
    path.write_text(json.dumps(issuer.keys()))
    holdfast = guarded(public_keys_file=str(path))
    assert code(holdfast, issuer.token()) == 200
    issuer.add_key("EdDSA", "new")
    path.write_text(json.dumps(issuer.keys()))
    until(lambda: code(holdfast, issuer.token("new")) == 200, "the file is read again")
    path.write_text("{}")
    holdfast.wait_for_log("has no keys for signatures")
    assert code(holdfast, issuer.token("new")) == 200


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"issuer_url": None}, "issuer_url: expected"),
        ({"audience": None}, "no audience provided"),
        ({"attribute": "a b"}, "attribute: expected"),
        ({"public_keys_file": "/nowhere"}, "/nowhere"),
    ],
)
def test_what_is_wrong_is_said_at_the_start(guarded, keys, words):
    holdfast = guarded(ready=False, **keys)
    holdfast.spawn()
    holdfast.wait_for_log(words)
    until(lambda: holdfast.process.poll() is not None, "it ends")
