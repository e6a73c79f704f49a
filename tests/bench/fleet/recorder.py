"""Stands between a server and its Docker Engine and writes down every request: when it began, what it
asked, and its body. It changes nothing."""

import re
import socket
import threading
import time


class Call:
    def __init__(self, at, method, target):
        self.at = at
        self.method = method
        self.target = re.sub(r"^/v1\.\d+", "", target)
        self.body = b""

    def kind(self):
        path = self.target.partition("?")[0]
        path = re.sub(r"^/(containers|exec)/(?!create$|json$)[^/]+", r"/\1/{id}", path)
        path = re.sub(r"^/(networks|volumes)/(?!create$)[^/]+", r"/\1/{name}", path)
        path = re.sub(r"^/images/.*/json$", "/images/{name}/json", path)
        return f"{self.method} {path}"


class Recorder:
    def __init__(self, listen, engine):
        self.engine = engine
        self.calls = []
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(listen)
        self.listener.listen(64)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            client, _ = self.listener.accept()
            engine = socket.socket(socket.AF_UNIX)
            engine.connect(self.engine)
            threading.Thread(target=self.requests, args=(client, engine), daemon=True).start()
            threading.Thread(target=pump, args=(engine, client), daemon=True).start()

    def requests(self, client, engine):
        reader = RequestReader(self.calls)
        pump(client, engine, reader.feed)


def pump(source, sink, look=lambda _: None):
    try:
        while got := source.recv(1 << 16):
            look(got)
            sink.sendall(got)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass


class RequestReader:
    """Cuts one connection's bytes into requests."""

    def __init__(self, calls):
        self.calls = calls
        self.call = None
        self.pending = b""
        self.step = self.read_head
        self.left = 0

    def feed(self, data):
        self.pending += data
        while self.step():
            pass

    def read_head(self):
        head, found, rest = self.pending.partition(b"\r\n\r\n")
        if not found:
            return False
        self.pending = rest
        method, target, _ = head.split(b" ", 2)
        self.call = Call(time.monotonic(), method.decode(), target.decode())
        self.calls.append(self.call)
        fields = head.lower()
        if b"\r\nupgrade:" in fields:
            self.step = self.skip
        elif b"transfer-encoding: chunked" in fields:
            self.step = self.read_size
        else:
            length = re.search(rb"content-length: *(\d+)", fields)
            self.left = int(length.group(1)) if length else 0
            self.step = self.read_body
        return True

    def read_body(self):
        if len(self.pending) < self.left:
            return False
        self.call.body += self.pending[: self.left]
        self.pending = self.pending[self.left :]
        self.step = self.read_head
        return bool(self.pending)

    def read_size(self):
        line, found, rest = self.pending.partition(b"\r\n")
        if not found:
            return False
        self.pending = rest
        self.left = int(line, 16) + 2
        self.step = self.read_chunk
        return True

    def read_chunk(self):
        if len(self.pending) < self.left:
            return False
        self.call.body += self.pending[: self.left - 2]
        self.pending = self.pending[self.left :]
        self.step = self.read_head if self.left == 2 else self.read_size
        return bool(self.pending)

    def skip(self):
        self.pending = b""
        return False
