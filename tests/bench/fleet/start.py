"""From `apply` to all workspaces Ready, beside the very same Docker calls made directly, four at a
time, and beside docker compose; and an apply that changes nothing."""

import collections
import concurrent.futures
import json
import pathlib
import re
import shutil
import subprocess
import tempfile
import time

from atelier_server import Server, bring_up, org, take_down
from figures import line, median, milliseconds, ratio, seconds, title
from recorder import Recorder

AT_ONCE = 4


class Direct:
    """What a server asked of the engine for one workspace, asked again for many without a server."""

    def __init__(self, docker, calls, server):
        self.docker = docker
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="atelier-bench-direct-"))
        self.instance = f"bench-direct-{self.folder.name[-8:]}"
        self.swaps = [(server.instance(), self.instance), (server.instance()[:8], self.folder.name[-8:])]

        def last(kind):
            return [call for call in calls if call.kind() == kind][-1]

        self.network = self.swap(last("POST /networks/create").body)
        self.create = last("POST /containers/create")
        self.unit = self.create.target.partition("name=")[2]
        self.volumes = [c.body for c in calls if c.kind() == "POST /volumes/create" and self.unit.encode() in c.body]
        self.archive = last("PUT /containers/{id}/archive")
        self.hosts = [m for m in json.loads(self.create.body)["HostConfig"]["Mounts"] if m["Type"] == "bind"]

    def swap(self, body):
        for old, new in self.swaps:
            body = body.replace(old.encode(), new.encode())
        return body

    def prepare(self, workspaces):
        for number in range(workspaces):
            for at, _ in enumerate(self.hosts):
                (self.folder / f"{number}-{at}").mkdir(exist_ok=True)

    def one(self, number):
        unit = f"{self.folder.name}-{number}"

        def mine(body):
            return self.swap(body.replace(self.unit.encode(), unit.encode()))

        for volume in self.volumes:
            self.docker.call("POST", "/volumes/create", mine(volume))
        body = self.create.body
        for at, host in enumerate(self.hosts):
            mine_at = str(self.folder / f"{number}-{at}")
            body = body.replace(json.dumps(host["Source"]).encode(), json.dumps(mine_at).encode())
        made = self.docker.call("POST", f"/containers/create?name={unit}", mine(body)).json()["Id"]
        query = self.archive.target.partition("?")[2]
        self.docker.call("PUT", f"/containers/{made}/archive?{query}", self.archive.body, "application/x-tar")
        self.docker.call("POST", f"/containers/{made}/start")

    def run(self, workspaces):
        self.prepare(workspaces)
        begin = time.monotonic()
        self.docker.call("POST", "/networks/create", self.network)
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(self.one, range(workspaces)))
        took = time.monotonic() - begin
        check_running(self.docker, f"atelier.dev/instance={self.instance}", workspaces)
        self.docker.remove_labelled(f"atelier.dev/instance={self.instance}")
        return took

    def close(self):
        shutil.rmtree(self.folder)


class Compose:
    """The same containers, volumes and network by docker compose, which cannot write the files."""

    def __init__(self, docker, direct):
        self.docker = docker
        self.direct = direct
        self.program = shutil.which("docker-compose")
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="atelier-bench-compose-"))
        self.project = "atelierbench" + re.sub("[^a-z0-9]", "x", self.folder.name[-8:])

    def version(self):
        said = subprocess.run([self.program, "version", "--short"], text=True, capture_output=True, check=True)
        return said.stdout.strip()

    def up(self):
        environment = {
            "DOCKER_HOST": f"unix://{self.docker.path}",
            "PATH": "/usr/bin:/bin",
            "HOME": str(self.folder),
            "COMPOSE_HTTP_TIMEOUT": "600",
        }
        begin = time.monotonic()
        done = subprocess.run(
            [self.program, "-p", self.project, "up", "-d"],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
        )
        if done.returncode != 0:
            raise RuntimeError(f"docker-compose: {done.stderr}")
        return time.monotonic() - begin

    def service(self, number, spec):
        host = spec["HostConfig"]
        mounts = []
        for mount in host["Mounts"]:
            source = mount["Source"]
            if mount["Type"] == "bind":
                source = str(self.folder / f"{number}-{len(mounts)}")
                pathlib.Path(source).mkdir(exist_ok=True)
            else:
                source = f"v{number}-{len(mounts)}"
            kept = {"type": mount["Type"], "target": mount["Target"], "read_only": mount["ReadOnly"]}
            mounts.append({**kept, "source": source})
        return {
            "image": spec["Image"],
            "environment": spec["Env"],
            "labels": spec["Labels"],
            "volumes": mounts,
            "cap_drop": host["CapDrop"],
            "cap_add": host["CapAdd"],
            "security_opt": host["SecurityOpt"],
            "pids_limit": host.get("PidsLimit", 0),
            "networks": {"default": {}},
            "logging": {"driver": host["LogConfig"]["Type"], "options": host["LogConfig"]["Config"]},
        }

    def run(self, workspaces):
        spec = json.loads(self.direct.swap(self.direct.create.body))
        services = {f"w{number}": self.service(number, spec) for number in range(workspaces)}
        names = [m["source"] for s in services.values() for m in s["volumes"] if m["type"] == "volume"]
        declared = {"version": "2.4", "services": services, "volumes": {name: {} for name in names}}
        (self.folder / "docker-compose.yml").write_text(json.dumps(declared))
        label = f"com.docker.compose.project={self.project}"
        try:
            took, again = self.up(), self.up()
            check_running(self.docker, label, workspaces)
            return took, again
        finally:
            self.docker.remove_labelled(label)

    def close(self):
        shutil.rmtree(self.folder)


def check_running(docker, label, workspaces):
    running = len(docker.containers(label, every=False))
    if running != workspaces:
        raise RuntimeError(f"{running} of {workspaces} containers run")


def show_calls(calls, per):
    for kind, count in collections.Counter(call.kind() for call in calls).most_common():
        line(f"  {kind}", f"{count:5}  ({count / per:.1f} a workspace)")


def settle(recorder):
    """Until nothing is asked for half a second."""
    seen = -1
    while seen != len(recorder.calls):
        seen = len(recorder.calls)
        time.sleep(0.5)


def record(options, docker, folder):
    """Counts what a server asks, and returns one workspace's calls and how to ask them again."""
    recorder = Recorder(str(folder / "recorded.sock"), docker.path)
    server = Server(options.binaries, folder / "recorded.sock")
    try:
        workspaces = max(options.sizes)
        settle(recorder)
        recorder.calls.clear()
        bring_up(server, "counted", workspaces)
        settle(recorder)
        title(f"Docker API calls, {workspaces} workspaces from apply to Ready")
        made = list(recorder.calls)
        show_calls(made, workspaces)

        title(f"A second apply of {workspaces} workspaces that changes nothing")
        again = []
        recorder.calls.clear()
        for _ in range(options.rounds):
            begin = time.monotonic()
            server.atelier("apply", "-f", "-", stdin=org("counted", workspaces))
            again.append(time.monotonic() - begin)
        line("atelier apply", milliseconds(again))
        line("Docker API calls in all of them", str(len(recorder.calls)))

        title(f"Every one of {workspaces} workspaces is looked at again")
        names = [one["metadata"]["name"] for one in server.api().get("workspaces")["items"]]
        recorder.calls.clear()
        begin = time.monotonic()
        server.atelier("reconcile", "workspace", *names, "--wait")
        line("atelier reconcile --wait", f"{(time.monotonic() - begin) * 1e3:.1f} ms")
        show_calls(recorder.calls, workspaces)
        take_down(server, "counted")
        return Direct(docker, made, server), again
    finally:
        server.close(docker)


def bench(options, docker, folder):
    direct, _ = record(options, docker, folder)
    compose = Compose(docker, direct)
    server = Server(options.binaries, docker.path)
    try:
        for workspaces in options.sizes:
            title(f"{workspaces} workspaces: from nothing to running")
            ours, theirs, composed, again = [], [], [], []
            cpu = 0.0
            for number in range(options.rounds):
                theirs.append(direct.run(workspaces))
                before = server.cpu_seconds()
                begin = time.monotonic()
                bring_up(server, f"round{number}", workspaces)
                ours.append(time.monotonic() - begin)
                cpu += server.cpu_seconds() - before
                check_running(docker, server.label(), workspaces)
                take_down(server, f"round{number}")
                if compose.program:
                    up, noop = compose.run(workspaces)
                    composed.append(up)
                    again.append(noop)
            line(f"the same calls directly, {AT_ONCE} at a time", seconds(theirs))
            line("atelier apply until Ready", seconds(ours))
            line("  ratio to the direct calls", ratio(ours, theirs))
            line("  CPU of the server a workspace", f"{cpu / options.rounds / workspaces * 1e3:.1f} ms")
            if composed:
                line(f"docker-compose {compose.version()} up (no files)", seconds(composed))
                line("  ratio of atelier to it", ratio(ours, composed))
                line("docker-compose up that changes nothing", f"{median(again) * 1e3:.0f} ms")
            else:
                line("docker-compose", "not installed: not measured")
    finally:
        server.close(docker)
        direct.close()
        compose.close()
