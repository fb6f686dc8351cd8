"""The certificate of `holdfast webhook`, made by itself or given as files, and its command line."""

import base64
import itertools
import socket
import ssl

import pytest

from support.holdfast import run
from support.waiting import until
from support.webhook import OWN, Webhook, pod, sidecar, start_api, start_with_files

# Before the webhook has made its certificate there is nothing to verify it by.
pytestmark = pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning")


@pytest.fixture
def api(ending, tmp_path):
    return start_api(ending, tmp_path)


@pytest.fixture
def webhook(ending, tmp_path, api):
    """webhook(*arguments) -> a running one with certificate files."""
    count = itertools.count(1)
    return lambda *arguments: start_with_files(ending, tmp_path / f"webhook{next(count)}", api, *arguments)


class TestCertificate:
    @pytest.fixture
    def hooks(self, api):
        api.put(
            "mutatingwebhookconfigurations",
            "holdfast",
            None,
            webhooks=[
                {"name": "inject.otel.io", "clientConfig": {"service": {"name": "otel-inject-webhook"}}},
                {"name": "second.otel.io", "clientConfig": {"caBundle": "b2xk"}},
            ],
        )

        def bundles():
            made = api.objects["mutatingwebhookconfigurations"]
            return [one["clientConfig"].get("caBundle") for one in next(iter(made.values()))["webhooks"]]

        return bundles

    @pytest.fixture
    def made(self, ending, tmp_path, api):
        count = 0

        def make(*arguments):
            nonlocal count
            count += 1
            webhook = Webhook(tmp_path / f"made{count}", api, ["--configuration", "holdfast", *arguments])
            ending.callback(webhook.stop)
            return webhook.start()

        return make

    @staticmethod
    def served(webhook):
        return ssl.get_server_certificate(("localhost", webhook.port))

    @staticmethod
    def connect(webhook, bundle):
        """A handshake as the API server makes it: by the Service's name and the caBundle."""
        context = ssl.create_default_context(cadata=base64.b64decode(bundle).decode())
        with socket.create_connection(("127.0.0.1", webhook.port), 10) as plain:
            with context.wrap_socket(plain, server_hostname=f"otel-inject-webhook.{OWN}.svc") as secure:
                return secure.version()

    def test_it_is_made_and_its_authority_is_written(self, made, hooks):
        webhook = made()
        bundle = until(lambda: len(set(hooks())) == 1 and hooks()[0], lambda: f"{hooks()} {webhook.log()}")
        assert self.connect(webhook, bundle)
        assert sidecar(webhook.mutate(pod("true"))[0])

    def test_two_replicas_share_it(self, made, hooks):
        first, second = made(), made()
        bundle = until(lambda: len(set(hooks())) == 1 and hooks()[0], lambda: f"{hooks()} {first.log()}")
        assert self.served(first) == self.served(second)
        assert self.connect(first, bundle) and self.connect(second, bundle)

    def test_it_is_renewed_before_it_expires_under_the_same_authority(self, made, hooks):
        webhook = made("--cert-lifetime", "6s")
        old = self.served(webhook)
        bundle = until(lambda: len(set(hooks())) == 1 and hooks()[0], lambda: f"{hooks()} {webhook.log()}")
        until(lambda: self.served(webhook) != old, lambda: f"another certificate: {webhook.log()}", 30)
        assert hooks()[0] == bundle
        assert self.connect(webhook, bundle)

    def test_a_bundle_that_was_changed_is_set_again(self, made, hooks, api):
        webhook = made("--cert-lifetime", "12s")
        bundle = until(lambda: len(set(hooks())) == 1 and hooks()[0], lambda: f"{hooks()} {webhook.log()}")
        api.put("mutatingwebhookconfigurations", "holdfast", None, webhooks=[{"name": "a", "clientConfig": {}}])
        until(lambda: hooks() == [bundle], lambda: f"{hooks()} {webhook.log()}")

    def test_it_waits_for_rights(self, ending, tmp_path, api, hooks):
        api.denied = {"secrets"}
        webhook = Webhook(tmp_path / "made", api, ["--configuration", "holdfast"])
        ending.callback(webhook.stop)
        webhook.is_up = lambda: "forbidden" in webhook.log()
        webhook.start()
        del webhook.is_up
        api.denied = set()
        until(webhook.is_up, webhook.log)

    def test_files_that_others_renew(self, webhook, api):
        running = webhook()
        old = self.served(running)
        api.authority.issue("webhook")
        until(lambda: self.served(running) != old, running.log)


class TestCommand:
    def test_wrong_words(self, tmp_path):
        for words in (("--native", "often"), ("--cert-file", "a"), ("--cert-lifetime", "1"), ("word",), ("--what",)):
            assert run("webhook", *words, cwd=tmp_path).returncode == 2, words

    def test_bad_settings(self, tmp_path):
        path = tmp_path / "settings.json"
        for text, says in (
            ("{", "JSON"),
            ("[]", "JSON object"),
            ('{"images": "x"}', "another key"),
            ('{"image": 1}', "a text"),
            ('{"native": "often"}', "always"),
        ):
            path.write_text(text)
            done = run("webhook", "--settings", path, "--namespace", "x", cwd=tmp_path)
            assert done.returncode == 1
            assert says in done.stderr, done.stderr

    def test_outside_of_a_cluster(self, tmp_path):
        done = run("webhook", cwd=tmp_path)
        assert done.returncode == 1
        assert "--namespace" in done.stderr
        done = run("webhook", "--namespace", "x", cwd=tmp_path)
        assert done.returncode == 1
        assert "KUBERNETES_SERVICE_HOST" in done.stderr
