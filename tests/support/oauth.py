"""A stand-in of an OAuth 2.0 token endpoint (RFC 6749), for the grant client_credentials and for assertions (RFC 7523)."""

import base64
import http.server
import itertools
import json
import urllib.parse

import jwt

from .local_server import LocalServer, Quiet
from .ports import free_port


ASSERTION = "urn:ietf:params:oauth:grant-type:jwt-bearer"


class TokenServer(LocalServer):
    """Knows one client. `styles`: how it may say who it is, "header" or "body". `life` of a token in seconds, or None.

    `public_key`: of the client; with it, assertions are what counts, and `assertions` has (header, claims) of each.
    """

    def __init__(self, client="me", secret="s&cret", styles=("header", "body"), life=3600):
        self.client, self.secret, self.styles, self.life = client, secret, styles, life
        self.port = free_port()
        self.requests = []  # (form, style or None, code)
        self.refuse = None  # (code, body) instead of tokens
        self.make_token = "token-{}".format  # of its number
        self.public_key, self.assertions = None, []
        self._numbers = itertools.count(1)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/token"

    @property
    def tokens(self):
        return [f"token-{i + 1}" for i in range(len([one for one in self.requests if one[2] == 200]))]

    def _make_server(self):
        server = self

        class Handler(Quiet):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                code, answer = server._answer(self.headers, body)
                text = json.dumps(answer).encode()
                self.send_response(code)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

        return http.server.ThreadingHTTPServer(("127.0.0.1", self.port), Handler)

    def _answer(self, headers, body):
        form = urllib.parse.parse_qs(body.decode(), strict_parsing=True)
        style, shown = None, None
        if headers.get("Authorization", "").startswith("Basic "):
            pair = base64.b64decode(headers["Authorization"][6:]).decode().split(":")
            style, shown = "header", [urllib.parse.unquote_plus(one) for one in pair]
        elif "client_id" in form:
            style, shown = "body", [form["client_id"][0], form["client_secret"][0]]
        code, answer = self._judge(form, style, shown)
        self.requests.append((form, style, code))
        return code, answer

    def _check_assertion(self, text):
        """None, or what is wrong with it."""
        header = jwt.get_unverified_header(text)
        try:
            claims = jwt.decode(text, self.public_key, algorithms=["RS256", "RS384", "RS512"], options={"verify_aud": False})
        except jwt.PyJWTError as error:
            return str(error)
        self.assertions.append((header, claims))
        return None

    def _judge(self, form, style, shown):
        if self.refuse:
            return self.refuse
        if form.get("grant_type") != [ASSERTION if self.public_key else "client_credentials"]:
            return 400, {"error": "unsupported_grant_type"}
        if self.public_key:
            problem = self._check_assertion(form["assertion"][0])
            if problem:
                return 400, {"error": "invalid_grant", "error_description": problem}
        elif style not in self.styles or shown != [self.client, self.secret]:
            return 401, {"error": "invalid_client", "error_description": "who is that"}
        answer = {"access_token": self.make_token(next(self._numbers)), "token_type": "bearer"}
        if self.life is not None:
            answer["expires_in"] = self.life
        return 200, answer
