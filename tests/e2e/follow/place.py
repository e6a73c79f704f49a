"""What the test has around it: a server of its own, a git remote that can fail, and what runs."""

import base64
import http.client
import json
import os
import pathlib
import signal
import socket
import ssl
import subprocess
import threading
import time

GROUP = "/apis/atelier.dev/v1alpha1/namespaces/default"
CORE = "/api/v1/namespaces/default"


class Refused(Exception):
    def __init__(self, status, body):
        super().__init__(f"{status}: {body}")
        self.status = status


class Server:
    """`atelier server`, and its API."""

    def __init__(self, program, home, port, log, options):
        self.command = [program, "server", "--listen", f"127.0.0.1:{port}", *options]
        self.home, self.port, self.log = pathlib.Path(home), port, log
        self.process = self.connection = None

    def start(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log,
                                            env=os.environ | {"ATELIER_HOME": str(self.home)})
        end = time.monotonic() + 30
        while True:
            try:
                return self.get(f"{GROUP}/orgs")
            except (OSError, http.client.HTTPException, Refused) as error:
                if self.process.poll() is not None or time.monotonic() > end:
                    raise AssertionError(f"the server did not come up: {error}") from error
                time.sleep(0.05)

    def end(self, how=signal.SIGKILL):
        if self.process:
            self.process.send_signal(how)
            self.process.wait(30)
        self.process = self.connection = None

    def call(self, method, path, body=None, kind="application/json"):
        if not self.connection:
            trusted = ssl.create_default_context(cafile=self.home / "pki/ca.crt")
            self.connection = http.client.HTTPSConnection("127.0.0.1", self.port, context=trusted, timeout=30)
        headers = {"Authorization": "Bearer " + (self.home / "token").read_text().strip(), "Content-Type": kind}
        try:
            self.connection.request(method, path, None if body is None else json.dumps(body), headers)
            answer = self.connection.getresponse()
            data = answer.read()
        except (OSError, http.client.HTTPException):
            self.connection = None
            raise
        if answer.status >= 300:
            raise Refused(answer.status, data.decode(errors="replace"))
        return json.loads(data)

    def get(self, path):
        return self.call("GET", path)

    def items(self, path):
        return {item["metadata"]["name"]: item for item in self.get(path)["items"]}

    def annotate(self, path, name, value):
        change = {"metadata": {"annotations": {f"atelier.dev/{name}": value}}}
        self.call("PATCH", path, change, "application/merge-patch+json")


class Processes:
    """Units of the process runtime, seen from outside of the server."""

    def __init__(self, home):
        self.root, self.workspaces = home / "processes", home / "workspaces"

    def units(self):
        found = []
        for file in (self.root / "units").glob("*/unit.json"):
            record = json.loads(file.read_text())
            labels = record["labels"]
            found.append({
                "workspace": labels["atelier.dev/name"], "uid": labels["atelier.dev/uid"], "id": record["id"],
                "pid": record["pid"], "attempt": int(labels.get("atelier.dev/attempt", 0)),
                "restarts": int(labels.get("atelier.dev/restarts", 0)),
                "runs": record["phase"] == "running" and self.start_of(record["pid"]) == record["startTicks"],
                "configs": file.parent / "root/configs"})
        return found

    @staticmethod
    def start_of(pid):
        """When a process began, in ticks of the kernel; nothing when there is none."""
        try:
            after_name = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return None
        return None if after_name[0] == "Z" else int(after_name[19])

    @staticmethod
    def kill(unit):
        try:
            os.kill(unit["pid"], signal.SIGKILL)
        except ProcessLookupError:
            pass  # it has ended since

    @staticmethod
    def environment_of(unit):
        entries = pathlib.Path(f"/proc/{unit['pid']}/environ").read_bytes().decode().split("\0")
        return dict(entry.split("=", 1) for entry in entries if entry)

    @staticmethod
    def files_of(unit):
        """What was delivered, bytes by path; plugins apart."""
        files, plugins = {}, {}
        configs = unit["configs"]
        for folder, _, names in os.walk(configs):
            for name in names:
                path = pathlib.Path(folder, name)
                files[str(path.relative_to(configs))] = path.read_bytes()
        for plugin in (configs / "plugins").iterdir():
            if plugin.is_dir() and not plugin.name.startswith("."):
                plugins[plugin.name] = {p.name for p in plugin.iterdir()}
        return files, plugins

    def leftovers(self, units):
        """What is there of workspaces that are not: folders, and processes of no unit."""
        uids, out = {unit["uid"] for unit in units}, []
        known = {f"ws-{uid[:12]}-{what}" for uid in uids for what in ("configs", "workspace")}
        out += [f"volume {v.name}" for v in (self.root / "volumes").iterdir() if v.name not in known]
        out += [f"folder workspaces/{f.name}" for f in self.workspaces.iterdir() if f.name not in uids]
        pids = {unit["pid"] for unit in units}
        mark = f"ATELIER_CONFIGS={self.root}/".encode()
        for folder in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                ours = mark in (folder / "environ").read_bytes()
            except OSError:
                continue
            if ours and os.getsid(int(folder.name)) not in pids:
                out.append(f"process {folder.name} of no unit")
        return out


class Link:
    """Between the server and the git remote: passes, slowly, cut in the middle, or not at all."""

    def __init__(self, to):
        self.to, self.how, self.listener = to, "passes", None
        self.port = 0
        self.open()

    def open(self):
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind(("127.0.0.1", self.port))
        self.listener.listen(64)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, args=(self.listener,), daemon=True).start()

    def set(self, how):
        if self.listener and how == "down":
            self.listener.shutdown(socket.SHUT_RDWR)
            self.listener.close()
            self.listener = None
        elif not self.listener and how != "down":
            self.open()
        self.how = how

    def accept(self, listener):
        while True:
            try:
                client, _ = listener.accept()
                remote = socket.create_connection(("127.0.0.1", self.to))
            except OSError:
                return
            left = [300]  # what passes of an answer that is cut
            for one, other, answers in ((client, remote, False), (remote, client, True)):
                threading.Thread(target=self.relay, args=(one, other, answers, left), daemon=True).start()

    def relay(self, one, other, answers, left):
        try:
            while data := one.recv(1024):
                if answers and self.how == "slow":
                    time.sleep(0.2)
                if answers and self.how == "cut":
                    data, left[0] = data[:left[0]], left[0] - len(data)
                other.sendall(data)
                if left[0] <= 0:
                    break
        except OSError:
            pass
        for end in (one, other):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            if end is other:
                end.close()


def decoded(secret):
    return {name: base64.b64decode(value).decode() for name, value in secret.get("data", {}).items()}
