"""An HTTP proxy, for CONNECT and for requests in clear. Whatever host it is asked for, it leads to 127.0.0.1."""

import base64
import http.server
import socket
import threading

from .ports import free_port


class Proxy:
    """`asked` is [(method, target, Proxy-Authorization or None)]. With `password` others are refused by 407."""

    def __init__(self, user=None, password=None):
        self.port = free_port()
        self.asked = []
        self.authorization = None
        proxy = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def do_CONNECT(self):
                if self.admitted():
                    self.tunnel(int(self.path.rsplit(":", 1)[1]))

            def do_POST(self):
                if not self.admitted():
                    return
                host, path = self.path.removeprefix("http://").split("/", 1)
                with socket.create_connection(("127.0.0.1", int(host.rsplit(":", 1)[1])), 10) as server:
                    kept = [f"{name}: {value}" for name, value in self.headers.items() if "roxy" not in name]
                    head = "\r\n".join([f"POST /{path} HTTP/1.1", *kept, "Connection: close", "", ""])
                    server.sendall(head.encode() + self.rfile.read(int(self.headers["Content-Length"])))
                    while part := server.recv(65536):
                        self.wfile.write(part)
                self.close_connection = True

            def admitted(self):
                shown = self.headers["Proxy-Authorization"]
                proxy.asked.append((self.command, self.path, shown))
                if proxy.authorization not in (None, shown):
                    self.send_response(407)
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return False
                return True

            def tunnel(self, port):
                with socket.create_connection(("127.0.0.1", port), 10) as server:
                    self.send_response(200, "Connection established")
                    self.end_headers()
                    back = threading.Thread(target=self.carry, args=(server, self.connection), daemon=True)
                    back.start()
                    self.carry(self.connection, server)
                    back.join(10)
                self.close_connection = True

            @staticmethod
            def carry(source, sink):
                try:
                    while part := source.recv(65536):
                        sink.sendall(part)
                    sink.shutdown(socket.SHUT_WR)
                except OSError:
                    pass

        if user is not None:
            self.authorization = self.basic(user, password)
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self.server.daemon_threads = True

    @staticmethod
    def basic(user, password):
        return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()

    def url(self, credentials=""):
        return f"http://{credentials}127.0.0.1:{self.port}"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
