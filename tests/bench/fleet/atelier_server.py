"""A server of its own, in a temporary home, on a free port, with an image and an org to try."""

import http.client
import io
import json
import os
import pathlib
import shutil
import signal
import ssl
import subprocess
import tarfile
import tempfile
import time

IMAGE = "atelier/bench-workspace:latest"


def make_image(docker, binaries):
    """Busybox and our agent, nothing else."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as tar:
        for folder in ("bin", "configs", "workspace", "tmp", "run", "run/atelier"):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(entry)
        for source, name in (("/bin/busybox", "bin/busybox"), (binaries / "atelier-agent", "bin/atelier-agent")):
            tar.add(source, name)
        for tool in ("sh", "mv", "rm", "mkdir", "cat", "sleep", "timeout", "sha256sum", "find", "chown", "ls", "sync"):
            entry = tarfile.TarInfo(f"bin/{tool}")
            entry.type, entry.linkname = tarfile.SYMTYPE, "busybox"
            tar.addfile(entry)
    repository, tag = IMAGE.split(":")
    change = "CMD%20%5B%22%2Fbin%2Fatelier-agent%22%5D"
    docker.call(
        "POST",
        f"/images/create?fromSrc=-&repo={repository}&tag={tag}&changes={change}",
        content.getvalue(),
        "application/x-tar",
    )


class Server:
    def __init__(self, binaries, docker_socket):
        self.atelier_program = str(binaries / "atelier")
        self.docker_socket = docker_socket
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="atelier-bench-"))
        self.process = None
        self.port = 0
        self.start()

    def start(self):
        log = open(self.home / "server.log", "ab")
        self.process = subprocess.Popen(
            [self.atelier_program, "server", "--home", str(self.home / "home"), "--listen", "127.0.0.1:0"]
            + ["--docker", f"unix://{self.docker_socket}"],
            stderr=log,
        )
        end = time.monotonic() + 30
        config = self.home / "home/kubeconfig"
        config.unlink(missing_ok=True)
        while not config.exists() or self.atelier("healthcheck", check=False).returncode != 0:
            if self.process.poll() is not None or time.monotonic() > end:
                raise RuntimeError((self.home / "server.log").read_text()[-2000:])
            time.sleep(0.05)
        self.port = int(config.read_text().partition("https://127.0.0.1:")[2].split()[0].strip('"'))

    def atelier(self, *words, check=True, stdin=None):
        done = subprocess.run(
            [self.atelier_program, "--kubeconfig", str(self.home / "home/kubeconfig"), *words],
            input=stdin,
            text=True,
            capture_output=True,
        )
        if check and done.returncode != 0:
            raise RuntimeError(f"atelier {' '.join(words)}: {done.stdout} {done.stderr}")
        return done

    def instance(self):
        return (self.home / "home/instance-id").read_text().strip()

    def label(self):
        return f"atelier.dev/instance={self.instance()}"

    def api(self):
        return Api(self.home / "home", self.port)

    def cpu_seconds(self):
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)

    def close(self, docker):
        self.stop()
        docker.remove_labelled(self.label())
        shutil.rmtree(self.home)


class Api:
    """One connection to the server's API."""

    def __init__(self, home, port):
        self.token = (home / "token").read_text().strip()
        context = ssl.create_default_context(cafile=str(home / "pki/ca.crt"))
        self.connection = http.client.HTTPSConnection("127.0.0.1", port, context=context)

    def call(self, method, path, body=None, kind="application/json"):
        base = "" if path.startswith("/") else "/apis/atelier.dev/v1alpha1/namespaces/default/"
        self.connection.request(
            method,
            base + path,
            None if body is None else json.dumps(body),
            {"Authorization": f"Bearer {self.token}", "Content-Type": kind},
        )
        answer = self.connection.getresponse()
        value = json.loads(answer.read())
        if answer.status >= 300:
            raise RuntimeError(f"{method} {path}: {value.get('message')}")
        return value

    def get(self, path):
        return self.call("GET", path)

    def patch(self, path, change):
        return self.call("PATCH", path, change, "application/merge-patch+json")


def org(name, workspaces, plugins=()):
    """An OrgTemplate and an Org, as YAML (which JSON is)."""
    template = {
        "name": name,
        "workspaces": [
            {
                "name": f"Worker {number}",
                "key": f"w{number}",
                "role": "Does its part of the work.",
                "runtime": "claude-code",
                "initial_prompt": "Say what you are about to do, then do it.\n" * 8,
                "plugins": list(plugins),
            }
            for number in range(workspaces)
        ],
    }
    version = {"apiVersion": "atelier.dev/v1alpha1"}
    objects = [
        {
            **version,
            "kind": "OrgTemplate",
            "metadata": {"name": name},
            "spec": {"source": {"inline": json.dumps(template)}},
        },
        {
            **version,
            "kind": "Org",
            "metadata": {"name": name},
            "spec": {"templateRef": {"name": name}, "defaults": {"image": IMAGE}, "prune": {"policy": "Orphans", "volumeGrace": "0s"}},
        },
    ]
    return "\n---\n".join(json.dumps(one) for one in objects)


def bring_up(server, name, workspaces, plugins=()):
    server.atelier("apply", "-f", "-", stdin=org(name, workspaces, plugins))
    server.atelier("wait", "org", name, "--for=condition=Ready", "--timeout", "600s")


def take_down(server, name):
    server.atelier("delete", "org", name, "--wait", "--timeout", "300s")
    server.atelier("delete", "orgtemplate", name, "--wait", "--timeout", "60s")
