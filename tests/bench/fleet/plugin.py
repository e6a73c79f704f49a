"""A plugin of 20 files, one of them changed: from its approval until the running container sees it,
beside writing the same files with `docker cp` and `docker exec`."""

import io
import json
import pathlib
import subprocess
import sys
import tarfile
import time

from atelier_server import Server, bring_up, take_down
from figures import line, milliseconds, ratio, title

FILES = 20
SUPPORT = pathlib.Path(__file__).resolve().parents[2] / "support"


class Upstream:
    """A repository of one plugin, served over HTTP."""

    def __init__(self, folder):
        self.work = folder / "work"
        self.bare = folder / "remotes/kit.git"
        for number in range(FILES - 1):
            (self.work / f"skills/s{number}").mkdir(parents=True)
        (self.work / "plugin.yaml").write_text("name: kit\nversion: 1.0.0\ndescription: For a measurement\n")
        self.git("init", "-q", "-b", "main")
        self.commit("first")
        subprocess.run(["git", "clone", "-q", "--bare", self.work, self.bare], check=True)
        self.git("remote", "add", "origin", self.bare)
        self.server = subprocess.Popen(
            [sys.executable, SUPPORT / "git_http_server.py", "--root", self.bare.parent, "--until-eof"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.port = int(self.server.stdout.readline().partition("=")[2])

    def git(self, *words):
        who = ["-c", "user.name=Bench", "-c", "user.email=bench@example.invalid", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", "-C", self.work, *who, *words], check=True)

    def commit(self, stamp):
        for number in range(FILES - 1):
            text = f"---\nname: s{number}\ndescription: A skill\n---\n{'Do it well.' * 350}\n"
            (self.work / f"skills/s{number}/SKILL.md").write_text(text + (stamp if number == 0 else ""))
        self.git("add", "-A")
        self.git("commit", "-q", "-m", stamp)

    def tar(self):
        content = io.BytesIO()
        with tarfile.open(fileobj=content, mode="w") as tar:
            tar.add(self.work / "skills", "incoming/skills")
            tar.add(self.work / "plugin.yaml", "incoming/plugin.yaml")
        return content.getvalue()

    def close(self):
        self.server.stdin.close()
        self.server.wait(30)


def until(what, seconds=30):
    end = time.monotonic() + seconds
    while not (found := what()):
        if time.monotonic() > end:
            raise RuntimeError("it did not happen in time")
        time.sleep(0.0002)
    return found


def holds(path, stamp):
    try:
        return path.read_bytes().endswith(stamp.encode())
    except OSError:
        return False


def ask_for_it(api, upstream, stamp):
    """Pushes a change and returns the name of the update that waits for approval."""
    upstream.commit(stamp)
    upstream.git("push", "-q", "origin", "main")
    ask = ["git", "-C", upstream.work, "rev-parse", "HEAD"]
    head = subprocess.run(ask, check=True, text=True, capture_output=True)
    api.patch("plugins/kit", {"metadata": {"annotations": {"atelier.dev/reconcile-requested-at": stamp}}})

    def pending():
        for update in api.get("pluginupdates")["items"]:
            if update["spec"]["to"]["commit"] == head.stdout.strip():
                if update.get("status", {}).get("phase") == "Pending":
                    return update["metadata"]["name"]
        time.sleep(0.02)
        return None

    return until(pending)


def bench(options, docker, folder):
    (folder / "plugin").mkdir()
    upstream = Upstream(folder / "plugin")
    server = Server(options.binaries, docker.path)
    try:
        api = server.api()
        source = f"git+http://127.0.0.1:{upstream.port}/kit.git#main"
        declared = {
            "apiVersion": "atelier.dev/v1alpha1",
            "kind": "Plugin",
            "metadata": {"name": "kit"},
            "spec": {"source": source, "track": "branch:main"},
        }
        server.atelier("apply", "-f", "-", stdin=json.dumps(declared))
        bring_up(server, "hot", 1, ["kit"])
        (container,) = docker.containers(server.label())
        inside = pathlib.Path(f"/proc/{docker.inspect(container['Id'])['State']['Pid']}/root")
        live = inside / "configs/plugins/kit/skills/s0/SKILL.md"
        copied = inside / "workspace/kit/skills/s0/SKILL.md"
        mounted, carried = [], []
        for number in range(options.samples):
            stamp = f"change {number} of {folder.name}"
            update = ask_for_it(api, upstream, stamp)
            begin = time.monotonic()
            api.patch(f"pluginupdates/{update}", {"spec": {"decision": "Approve"}})
            until(lambda: holds(live, stamp))
            mounted.append(time.monotonic() - begin)
            until(lambda: api.get(f"pluginupdates/{update}")["status"]["phase"] == "Applied")

            tar = upstream.tar()
            begin = time.monotonic()
            docker.call("PUT", f"/containers/{container['Id']}/archive?path=/workspace", tar, "application/x-tar")
            swap = "rm -rf /workspace/kit && mv /workspace/incoming /workspace/kit"
            docker.run(container["Id"], ["/bin/sh", "-c", swap])
            until(lambda: holds(copied, stamp))
            carried.append(time.monotonic() - begin)
        if docker.containers(server.label(), every=False)[0]["Id"] != container["Id"]:
            raise RuntimeError("the container was replaced")
        title(f"A plugin of {FILES} files, SKILL.md changed, no restart")
        line("approved until the container sees it", milliseconds(mounted))
        line("docker cp + docker exec mv", milliseconds(carried))
        line("  ratio", ratio(mounted, carried))
        take_down(server, "hot")
    finally:
        server.close(docker)
        upstream.close()
