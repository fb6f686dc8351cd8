"""Splunk's HTTP Event Collector: events, its own codes, and acknowledgements that a test gives when it likes."""

import json
import re
import time

from .backends import DECODE, HttpBackend, Received

TOKEN = "00000000-0000-0000-0000-0000000000000"


class SplunkBackend(HttpBackend):
    """An item is an event. `acknowledges`: does it tell that events are indexed? `asked`: what was asked for."""

    def __init__(self, acknowledges=True):
        super().__init__()
        self.acknowledges = acknowledges
        self.wants_channel = False
        self.asked = []
        self._last_ack = 0
        self._channels = {}

    @property
    def url(self):
        return self.endpoint

    @staticmethod
    def events_of(text):
        decoder, at, found = json.JSONDecoder(), 0, []
        while at < len(text):
            event, at = decoder.raw_decode(text, at)
            found.append(event)
        return found

    def events(self):
        return self.ids()

    def _serve(self, handler, metadata, body):
        plain = DECODE[metadata.get("content-encoding", "")](body).decode()
        if metadata.get("authorization") != f"Splunk {TOKEN}":
            self._say(handler, 403, {"text": "Invalid token", "code": 4})
        elif match := re.fullmatch(r"/services/collector/ack\?channel=([0-9a-f-]{36})", handler.path):
            self._serve_ack(handler, match.group(1), json.loads(plain))
        elif handler.path in ("/services/collector", "/services/collector/raw"):
            self._serve_events(handler, metadata, plain)
        else:
            self._answer(handler, 404, {}, b"")

    def _serve_events(self, handler, metadata, plain):
        raw = handler.path.endswith("/raw")
        message = plain.splitlines() if raw else self.events_of(plain)
        answer = self.judge(message)
        ok = answer.kind in ("ok", "hide")
        received = Received(None, metadata, plain, message, message, time.monotonic(), ok)
        with self._lock:
            self.requests.append(received)
            self._last_ack += ok
            ack = self._last_ack
        channel = metadata.get("x-splunk-request-channel")
        if answer.kind == "hide":
            handler.close_connection = True
        elif answer.kind == "status":
            self._answer(handler, answer.code, answer.headers, answer.body)
        elif self.wants_channel and channel is None:
            self._say(handler, 400, {"text": "Data channel is missing", "code": 10})
        else:
            with self._lock:
                self._channels.setdefault(channel, set()).add(ack)
            self._say(handler, 200, {"text": "Success", "code": 0, **({"ackId": ack} if channel else {})})

    def _serve_ack(self, handler, channel, question):
        with self._lock:
            self.asked.append(question["acks"])
            known = self._channels.get(channel, set()) if self.acknowledges else set()
            told = {str(one): one in known for one in question["acks"]}
            known.difference_update(question["acks"])  # Splunk tells it once
        self._say(handler, 200, {"acks": told})

    def _say(self, handler, code, body):
        self._answer(handler, code, {"Content-Type": "application/json"}, json.dumps(body).encode())
