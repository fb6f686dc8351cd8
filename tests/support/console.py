"""The web console of a running Holdfast, as a browser and as plain requests see it."""

import re
import shutil

import requests

from .ports import free_port
from .waiting import until


def extension(**more):
    """The `console` extension on a free port of the loopback address; the port is under `endpoint`."""
    return {"endpoint": f"127.0.0.1:{free_port()}", **more}


def with_console(configuration, console):
    """The configuration with that console beside the health check."""
    configuration["service"]["extensions"] = ["health_check", "console"]
    configuration["extensions"] = {**configuration.get("extensions", {}), "console": console}
    return configuration


class Plain:
    """A client without JavaScript: pages as text, forms as they stand in them."""

    def __init__(self, console, scheme="http", **options):
        self.base = f"{scheme}://{console['endpoint']}"
        self.session = requests.Session()
        self.session.trust_env = False
        for name, value in options.items():
            setattr(self.session, name, value)

    def get(self, path, **options):
        return self.session.get(self.base + path, timeout=20, **options)

    def page(self, path):
        """The text of a page, which must be there."""
        answer = self.get(path)
        assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text[:300]}"
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
        return answer.text

    def wait_for(self, path, part):
        """Waits until the page has that text; returns the page."""
        seen = [""]

        def look():
            seen[0] = self.page(path)
            return part in seen[0]

        until(look, lambda: f"no {part!r} in {path}: {text_of(seen[0])[-1500:]}")
        return seen[0]

    def token(self, path="/validate"):
        """The token of the forms of this session."""
        return re.search(r'name="token" value="([0-9a-f]{64})"', self.page(path)).group(1)

    def post(self, path, form, **options):
        headers = {"Origin": self.base, **options.pop("headers", {})}
        return self.session.post(self.base + path, data=form, headers=headers, timeout=20, **options)


def text_of(page):
    """A page without its markup, for messages."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", page))


def browser(playwright):
    """Chromium of the distribution, without a window."""
    return playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
