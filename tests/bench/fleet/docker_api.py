"""A Docker Engine over its unix socket with as little in between as can be: no library, one
connection a thread, requests as bytes."""

import json
import socket
import threading
from urllib.parse import quote


class Reply:
    def __init__(self, status, body):
        self.status = status
        self.body = body

    def json(self):
        return json.loads(self.body)


class Docker:
    def __init__(self, path):
        self.path = path
        self.local = threading.local()

    def call(self, method, target, body=b"", kind="application/json", fine=(200, 201, 204, 304)):
        head = (
            f"{method} {target} HTTP/1.1\r\nHost: docker\r\nContent-Type: {kind}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        connection = getattr(self.local, "connection", None)
        if connection is None:
            connection = self.local.connection = Connection(self.path)
        try:
            reply = connection.exchange(head.encode() + body)
        except OSError:
            # The engine ends connections that were idle for long.
            connection = self.local.connection = Connection(self.path)
            reply = connection.exchange(head.encode() + body)
        if reply.status not in fine:
            raise RuntimeError(f"{method} {target}: {reply.status} {reply.body[:300]!r}")
        return reply

    def post(self, target, value=None, **how):
        return self.call("POST", target, b"" if value is None else json.dumps(value).encode(), **how)

    def containers(self, label, every=True):
        filters = quote(json.dumps({"label": [label]}))
        return self.call("GET", f"/containers/json?all={int(every)}&filters={filters}").json()

    def inspect(self, container):
        return self.call("GET", f"/containers/{container}/json").json()

    def run(self, container, command):
        """Runs a command in a container and waits for its end, as `docker exec` does."""
        made = self.post(f"/containers/{container}/exec", {"Cmd": command, "AttachStdout": True, "AttachStderr": True})
        connection = Connection(self.path)
        body = json.dumps({"Detach": False, "Tty": False}).encode()
        head = (
            f"POST /exec/{made.json()['Id']}/start HTTP/1.1\r\nHost: docker\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        connection.socket.sendall(head.encode() + body)
        while connection.socket.recv(1 << 16):
            pass
        connection.socket.close()
        code = self.call("GET", f"/exec/{made.json()['Id']}/json").json()["ExitCode"]
        if code != 0:
            raise RuntimeError(f"{command} ended with {code}")

    def remove_labelled(self, label):
        """Containers, volumes and networks that carry the label."""
        filters = quote(json.dumps({"label": [label]}))
        for container in self.containers(label):
            self.call("DELETE", f"/containers/{container['Id']}?force=1", fine=(204, 404, 409))
        for volume in self.call("GET", f"/volumes?filters={filters}").json()["Volumes"] or []:
            self.call("DELETE", f"/volumes/{volume['Name']}", fine=(204, 404))
        for network in self.call("GET", f"/networks?filters={filters}").json():
            self.call("DELETE", f"/networks/{network['Id']}", fine=(204, 404))

    def events(self, label):
        """Yields the events of containers with the label, for ever."""
        filters = quote(json.dumps({"label": [label], "type": ["container"], "event": ["die", "start"]}))
        connection = Connection(self.path)
        connection.socket.sendall(f"GET /events?filters={filters} HTTP/1.1\r\nHost: docker\r\n\r\n".encode())
        pending = b""
        while True:
            got = connection.socket.recv(1 << 16)
            if not got:
                return
            pending += got
            *lines, pending = pending.split(b"\n")
            for line in lines:
                if line.startswith(b"{"):
                    yield json.loads(line)


class Connection:
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.pending = b""

    def exchange(self, request):
        self.socket.sendall(request)
        head = self.until(b"\r\n\r\n").decode("latin-1").lower()
        status = int(head[9:12])
        if status in (204, 304):
            return Reply(status, b"")
        if "transfer-encoding: chunked" in head:
            body = b""
            while True:
                size = int(self.until(b"\r\n"), 16)
                body += self.exactly(size)
                self.exactly(2)
                if size == 0:
                    return Reply(status, body)
        length = head.partition("content-length: ")[2].partition("\r\n")[0]
        return Reply(status, self.exactly(int(length or 0)))

    def more(self):
        got = self.socket.recv(1 << 16)
        if not got:
            raise ConnectionError("the engine closed the connection")
        self.pending += got

    def until(self, end):
        while end not in self.pending:
            self.more()
        found, _, self.pending = self.pending.partition(end)
        return found

    def exactly(self, size):
        while len(self.pending) < size:
            self.more()
        found, self.pending = self.pending[:size], self.pending[size:]
        return found
