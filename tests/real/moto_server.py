"""moto as a server, with what the record of its requests makes of it: python moto_server.py PORT RECORD

The record, of moto's own recorder, is played on another port first, so that no client meets a server without its past."""

import sys
import threading
from pathlib import Path

import moto.server
from moto.moto_api import recorder
from werkzeug.serving import WSGIRequestHandler, make_server


class Handler(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"


def complete(record):
    """Without the request that was cut off in the middle of its line, which was never answered."""
    lines = record.read_text().splitlines(keepends=True)
    record.write_text("".join(line for line in lines if line.endswith("\n")))


def play(app):
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    recorder.replay_recording(f"http://127.0.0.1:{server.port}")
    server.shutdown()
    server.server_close()
    thread.join()


def main(port, record):
    app = moto.server.DomainDispatcherApplication(moto.server.create_backend_app)
    if record.exists():
        complete(record)
        play(app)
    make_server("127.0.0.1", int(port), app, threaded=True, request_handler=Handler).serve_forever()


main(sys.argv[1], Path(sys.argv[2]))
