"""ClickHouse's HTTP interface on chdb, which is ClickHouse as a library: run by a Python that has chdb.

    python clickhouse_server.py PORT DIRECTORY

Queries run one after the other, each with the settings of its URL. What the tests ask for is answered in JSON.
"""

import gzip
import http.server
import re
import sys
import threading
import urllib.parse

import chdb.session

# What chdb, which has one user and no server, does not take.
LEFT_OUT = {"async_insert", "wait_for_async_insert", "async_insert_deduplicate"}


def text_of(settings):
    return "".join(f"SET {name} = '{value}';" for name, value in settings if name not in LEFT_OUT)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    session = None
    lock = threading.Lock()

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        settings = urllib.parse.parse_qsl(urllib.parse.urlsplit(self.path).query)
        try:
            with self.lock:
                for statement in text_of(settings).split(";")[:-1]:
                    self.session.query(statement)
                answer = str(self.session.query(body.decode(), "JSONEachRow")).encode()
            self.say(200, answer)
        except Exception as error:  # noqa: BLE001, whatever chdb raises is an exception of ClickHouse
            found = re.search(r"Code: (\d+)", str(error))
            self.say(500, str(error).encode(), found.group(1) if found else "1002")

    def say(self, code, body, exception=None):
        self.send_response(code)
        if exception:
            self.send_header("X-ClickHouse-Exception-Code", exception)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def main(port, directory):
    Handler.session = chdb.session.Session(directory)
    http.server.ThreadingHTTPServer(("127.0.0.1", int(port)), Handler).serve_forever()


main(*sys.argv[1:])
