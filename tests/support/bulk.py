"""A stand-in of the bulk API that Elasticsearch and OpenSearch share, as their documentation describes it.

It keeps documents by index and id, answers for each document, knows an id that it has (409), and takes no JSON in which a
name is there twice.
"""

import gzip
import itertools
import json
import threading
import time
import urllib.parse

from .backends import HttpBackend, Received
from .waiting import until


class Refusal(Exception):
    """What a test's rule raises for a document: its status, the type and the reason of the error."""

    def __init__(self, status, kind="mapper_parsing_exception", reason="refused by the test"):
        super().__init__(reason)
        self.status, self.kind, self.reason = status, kind, reason


def strict(text):
    """JSON as those servers read it."""

    def unique(pairs):
        result = dict(pairs)
        assert len(result) == len(pairs), f"a name is there twice: {[key for key, _ in pairs]}"
        return result

    return json.loads(text, object_pairs_hook=unique)


class BulkBackend(HttpBackend):
    """`documents`: {index: {id: document}}; `actions` in order of arrival; `rule(index, document)` may raise a Refusal."""

    def __init__(self, tls=None):
        super().__init__(tls)
        self.documents = {}
        self.actions = []  # (verb, action, document, status)
        self.queries = []
        self.rule = lambda index, document: None
        self._made = itertools.count()
        self._documents_lock = threading.Lock()

    def all(self, index=None):
        with self._documents_lock:
            return [
                document
                for name, documents in self.documents.items()
                if index in (None, name)
                for document in documents.values()
            ]

    def wait(self, count, index=None):
        until(lambda: len(self.all(index)) >= count, lambda: f"{len(self.all(index))} of {count} documents")
        return self.all(index)

    def _serve(self, handler, metadata, body):
        if len(body) < int(metadata.get("content-length", 0)):
            handler.close_connection = True  # the sender was killed, or this backend stops
            return
        url = urllib.parse.urlsplit(handler.path)
        if not url.path.endswith("/_bulk"):
            self._answer(handler, 404, {}, b"")
            return
        plain = gzip.decompress(body) if metadata.get("content-encoding") == "gzip" else body
        answer = self.judge(plain)
        if answer.kind == "status":
            self._note(metadata, body, url, False)
            self._answer(handler, answer.code, answer.headers, answer.body)
            return
        made = self._take(plain, dict(urllib.parse.parse_qsl(url.query)))
        self._note(metadata, body, url, True)
        if answer.kind in ("hide", "cut"):
            handler.close_connection = True
            return
        self._answer(handler, 200, {"Content-Type": "application/json"}, json.dumps(made, separators=(",", ":")).encode())

    def _note(self, metadata, body, url, accepted):
        with self._lock:
            self.queries.append((url.path, dict(urllib.parse.parse_qsl(url.query))))
            self.requests.append(Received(None, metadata, body, None, [], time.monotonic(), accepted))

    def _take(self, text, query):
        assert text.endswith(b"\n"), "the request must end with a newline"
        lines = text.decode().split("\n")[:-1]
        assert len(lines) % 2 == 0
        results = [self._take_one(strict(lines[i]), strict(lines[i + 1]), query) for i in range(0, len(lines), 2)]
        errors = any("error" in next(iter(one.values())) for one in results)
        return {"errors": errors, "items": results}

    def _take_one(self, action, document, query):
        ((verb, details),) = action.items()
        with self._documents_lock:
            index = details["_index"]
            name = details.get("_id") or f"made-{next(self._made)}"
            known = self.documents.setdefault(index, {})
            try:
                self.rule(index, document)
                if verb == "create" and name in known:
                    raise Refusal(409, "version_conflict_engine_exception", f"[{name}]: document already exists")
                known[name] = document
                status, error = 201, None
            except Refusal as refusal:
                status, error = refusal.status, {"type": refusal.kind, "reason": refusal.reason}
            self.actions.append((verb, details, document, status))
        return {verb: {"status": status, **({"error": error} if error else {})}}
