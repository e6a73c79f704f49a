#!/usr/bin/env python3
"""Serves the bare git repositories below a folder over HTTP, through `git http-backend`.

    git_http_server.py --root DIR [--host 127.0.0.1] [--port 0] [--token T]
                       [--certificate PEM] [--log FILE]

Prints "port=<number>" on its first line of output, then serves until it is ended by a signal or, with
--until-eof, its standard input is closed. With --token, a request needs "Authorization: Bearer T",
"Authorization: token T", or Basic with T as the password; others get 401. With
--certificate, a file of a certificate and its key, over TLS. With --log, one line a request: the
method, the path, and "auth" or "anonymous". Read-only: a push is refused.
"""

import argparse
import base64
import http.server
import os
import ssl
import subprocess
import sys
import threading
from urllib.parse import unquote


def authorized(header, token):
    if token is None:
        return True
    scheme, _, value = (header or "").partition(" ")
    if scheme.lower() in ("bearer", "token"):
        return value.strip() == token
    if scheme.lower() == "basic":
        try:
            decoded = base64.b64decode(value, validate=True).decode()
        except (ValueError, UnicodeDecodeError):
            return False
        return decoded.partition(":")[2] == token
    return False


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.serve()

    def do_POST(self):
        self.serve()

    def log_message(self, *_):
        pass

    def serve(self):
        body = self.body()
        given = self.headers.get("Authorization")
        self.record("auth" if given else "anonymous")
        if not authorized(given, self.server.options.token):
            self.answer(401, [("WWW-Authenticate", 'Basic realm="git"')], b"")
            return
        path, _, query = self.path.partition("?")
        if "git-receive-pack" in path + query:
            self.answer(403, [], b"read-only\n")
            return
        self.backend(unquote(path), query, body)

    def record(self, who):
        if self.server.options.log:
            with self.server.lock, open(self.server.options.log, "a", encoding="utf-8") as log:
                log.write(f"{self.command} {self.path} {who}\n")

    def body(self):
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            parts = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            while self.rfile.readline().strip():
                pass
            return b"".join(parts)
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def backend(self, path, query, body):
        environment = {
            "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
            "GIT_PROJECT_ROOT": self.server.options.root,
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "safe.directory",
            "GIT_CONFIG_VALUE_0": "*",
            "HOME": "/nonexistent",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            "REMOTE_ADDR": self.client_address[0],
        }
        if self.server.options.old:
            del environment["GIT_PROTOCOL"]
        with subprocess.Popen(["git", "http-backend"], env=environment, stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
            feeder = threading.Thread(target=self.feed, args=(process, body))
            feeder.start()
            try:
                self.relay(process.stdout)
            except OSError:
                self.close_connection = True  # the client has gone
                process.kill()
            feeder.join()

    @staticmethod
    def feed(process, body):
        try:
            process.stdin.write(body)
            process.stdin.close()
        except OSError:
            pass  # git answered without reading all

    def relay(self, answer):
        status, headers = 200, []
        while line := answer.readline().strip():
            name, _, value = line.decode("latin-1").partition(":")
            if name.lower() == "status":
                status = int(value.split()[0])
            else:
                headers.append((name, value.strip()))
        self.send_response(status)
        for name, value in headers:
            if name.lower() != "content-length":
                self.send_header(name, value)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        while chunk := answer.read(65536):
            self.wfile.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
        self.wfile.write(b"0\r\n\r\n")

    def answer(self, status, headers, body):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, options):
        super().__init__((options.host, options.port), Handler)
        self.options = options
        self.lock = threading.Lock()
        if options.certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(options.certificate)
            # The handshake belongs to the first read, on the thread of the connection.
            self.socket = context.wrap_socket(self.socket, server_side=True,
                                              do_handshake_on_connect=False)

    def handle_error(self, request, client_address):
        pass  # a client that hangs up is not news


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", required=True)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--token")
    parser.add_argument("--certificate")
    parser.add_argument("--log")
    parser.add_argument("--old", action="store_true", help="speak version 0 of the protocol only")
    parser.add_argument("--until-eof", action="store_true")
    options = parser.parse_args()
    options.root = os.path.abspath(options.root)
    server = Server(options)
    print(f"port={server.server_address[1]}", flush=True)
    if options.until_eof:
        threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
