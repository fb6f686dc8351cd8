"""ClickHouse's HTTP interface: statements, rows in JSONEachRow, exceptions with their codes, and inserts known by token."""

import json
import re
import time
import urllib.parse

from .backends import DECODE, HttpBackend, Received, status

USER, PASSWORD = "writer", "s3cret/+"
NAME = r"`((?:[^`\\]|\\.)+)`"  # with its escapes
INSERT = re.compile(rf"INSERT INTO {NAME}\.{NAME} \(([^)]*)\) FORMAT JSONEachRow\n")


def exception(number, text, code=500):
    """What ClickHouse answers to a query that fails."""
    body = f"Code: {number}. DB::Exception: {text} (version 26.3.1.1)\n".encode()
    return status(code, {"X-ClickHouse-Exception-Code": str(number), "Content-Type": "text/plain"}, body)


class Insert:
    """One insert: its table, its columns, its rows, and the token that tells a repeat."""

    def __init__(self, match, text, settings):
        self.database, self.table = match.group(1), match.group(2)
        self.columns = [one.strip().strip("`") for one in match.group(3).split(",")]
        self.rows = [json.loads(line) for line in text[match.end() :].splitlines()]
        self.token = settings.get("insert_deduplication_token")


class ClickHouse(HttpBackend):
    """
    `statements`: the texts of what is no insert. `inserts`: all that were accepted, repeats left out as by a table with
    a window of deduplication; `repeats`: those. `run`: an engine that executes the text; it returns an Answer or None.
    """

    def __init__(self, run=None):
        super().__init__()
        self.run = run
        self.statements, self.inserts, self.repeats, self.settings = [], [], [], []
        self._tokens = set()

    @property
    def url(self):
        return self.endpoint

    def rows(self, table):
        with self._lock:
            return [row for one in self.inserts if one.table == table for row in one.rows]

    def _serve(self, handler, metadata, body):
        text = DECODE[metadata.get("content-encoding", "")](body).decode()
        settings = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(handler.path).query, keep_blank_values=True))
        given = (metadata.get("x-clickhouse-user", ""), metadata.get("x-clickhouse-key", ""))
        if given != (USER, PASSWORD):
            self._finish(handler, exception(516, f"{given[0]}: Authentication failed", 403))
            return
        match = INSERT.match(text)
        insert = Insert(match, text, settings) if match else None
        answer = self.judge(insert or text)
        ok = answer.kind in ("ok", "hide")
        received = Received(None, metadata, text, insert or text, insert.rows if insert else [], time.monotonic(), ok)
        with self._lock:
            self.requests.append(received)
            self.settings.append(settings)
            if ok:
                self._take(insert, text)
        if answer.kind == "ok" and self.run:
            answer = self.run(text, settings) or answer
        self._finish(handler, answer)

    def _take(self, insert, text):
        if insert is None:
            self.statements.append(text)
        elif insert.token in self._tokens:
            self.repeats.append(insert)
        else:
            self._tokens.add(insert.token)
            self.inserts.append(insert)

    def _finish(self, handler, answer):
        if answer.kind == "hide":
            handler.close_connection = True
        elif answer.kind == "status":
            self._answer(handler, answer.code, answer.headers, answer.body)
        else:
            self._answer(handler, 200, {"X-ClickHouse-Summary": "{}"}, b"")
