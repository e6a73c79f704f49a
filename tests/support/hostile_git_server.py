#!/usr/bin/env python3
"""A git server that means no good, for tests: the first part of the path says how it is bad.

    hostile_git_server.py --pack FILE --commit ID --log FILE [--port 0]

Prints "port=<number>" on its first line of output, then serves until it is ended by a signal. FILE is
a pack that holds the commit ID and all it needs; /good/ serves it as it is. Writes one line a request
to the log: the method, the path, and "auth" or "anonymous".

    /good/       a repository of one branch, main, at ID
    /hang/       takes the request and never answers
    /drip/       answers one byte every few seconds
    /redirect/   sends every request on to /caught/
    /caught/     as /good/
    /endless/    a pack without end, each object of which is as it should be
    /progress/   talk without end, and no pack
    /refs/       a list of refs without end
    /wrong/      says that main is a commit which the pack does not have
    /cut/        half of the pack, and hangs up
    /garbled/    the pack with some bytes changed
    /words/      refuses in words that hold a secret and a path
"""

import argparse
import http.server
import os
import threading
import time
import zlib


def packet(data):
    return b"%04x" % (len(data) + 4) + data


def blob(size):
    """One object of a pack: a blob of bytes that nobody has seen before and nothing makes smaller."""
    first, rest = 0x30 | size & 15, size >> 4
    header = b""
    while rest:
        header += bytes([first | 0x80])
        first, rest = rest & 0x7f, rest >> 7
    return header + bytes([first]) + zlib.compress(os.urandom(size), 0)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.serve()

    def do_POST(self):
        self.serve()

    def serve(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        who = "auth" if self.headers.get("Authorization") else "anonymous"
        with self.server.lock, open(self.server.options.log, "a", encoding="utf-8") as log:
            log.write(f"{self.command} {self.path} {who}\n")
        how = self.path.split("/")[1]
        if how == "hang":
            time.sleep(3600)
        elif how == "drip":
            self.drip()
        elif how == "redirect":
            self.send_response(302)
            self.send_header("Location", "/caught" + self.path[len("/redirect"):])
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif how == "words":
            self.answer("upload-pack-advertisement",
                        packet(b"ERR denied for token hunter2 in /srv/git/secret\n") + b"0000")
        elif self.command == "GET":
            self.answer("upload-pack-advertisement",
                        packet(b"# service=git-upload-pack\n") + b"0000" + packet(b"version 2\n")
                        + packet(b"fetch=shallow\n") + b"0000")
        elif b"command=ls-refs" in body:
            self.refs(how)
        else:
            self.pack(how)

    def refs(self, how):
        commit = b"a" * 40 if how == "wrong" else self.server.options.commit.encode()
        if how == "refs":
            self.stream(lambda i: packet(commit + b" refs/heads/branch-%d\n" % i) * 1000)
            return
        self.answer("upload-pack-result", packet(commit + b" HEAD symref-target:refs/heads/main\n")
                    + packet(commit + b" refs/heads/main\n") + b"0000")

    def pack(self, how):
        data = self.server.pack
        if how == "endless":
            head = packet(b"packfile\n") + packet(b"\x01PACK\0\0\0\2" + (1_000_000).to_bytes(4, "big"))
            self.stream(lambda i: (head if i == 0 else b"") + packet(b"\x01" + blob(50_000)))
            return
        if how == "progress":
            head = packet(b"packfile\n")
            self.stream(lambda i: (head if i == 0 else b"") + packet(b"\x02" + b"." * 60000))
            return
        if how == "garbled":
            data = data[:20] + bytes(b ^ 0x55 for b in data[20:40]) + data[40:]
        whole = packet(b"packfile\n")
        for at in range(0, len(data), 60000):
            whole += packet(b"\x01" + data[at:at + 60000])
        whole += b"0000"
        if how == "cut":
            self.start("upload-pack-result", len(whole))
            self.wfile.write(whole[:len(whole) // 2])
            self.close_connection = True
            return
        self.answer("upload-pack-result", whole)

    def drip(self):
        self.start("upload-pack-advertisement", 100000)
        try:
            while True:
                self.wfile.write(b"0")
                self.wfile.flush()
                time.sleep(3)
        except OSError:
            self.close_connection = True

    def start(self, what, length=None):
        self.send_response(200)
        self.send_header("Content-Type", "application/x-git-" + what)
        if length is None:
            self.send_header("Connection", "close")
            self.close_connection = True
        else:
            self.send_header("Content-Length", str(length))
        self.end_headers()

    def answer(self, what, body):
        self.start(what, len(body))
        self.wfile.write(body)

    def stream(self, part):
        self.start("upload-pack-result")
        try:
            for i in range(10 ** 12):
                self.wfile.write(part(i))
        except OSError:
            pass  # the client has had enough


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, options):
        super().__init__(("127.0.0.1", options.port), Handler)
        self.options = options
        self.lock = threading.Lock()
        with open(options.pack, "rb") as file:
            self.pack = file.read()

    def handle_error(self, request, client_address):
        pass  # a client that hangs up is not news


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pack", required=True)
    parser.add_argument("--commit", required=True)
    parser.add_argument("--log", required=True)
    parser.add_argument("--port", type=int, default=0)
    server = Server(parser.parse_args())
    print(f"port={server.server_address[1]}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
