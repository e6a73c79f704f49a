"""A container's process is killed: how soon the server acts, and how soon the container runs again,
beside Docker's own event and its own `restart: always`."""

import os
import queue
import signal
import threading
import time

from atelier_server import IMAGE, Server, bring_up, take_down
from figures import line, milliseconds, ratio, title
from recorder import Recorder


class Events:
    """When each container died and started, as a subscriber of the engine hears it."""

    def __init__(self, docker, label):
        self.heard = queue.Queue()
        threading.Thread(target=self.listen, args=(docker, label), daemon=True).start()

    def listen(self, docker, label):
        for event in docker.events(label):
            self.heard.put((time.monotonic(), event["Action"], event["Actor"]["Attributes"]["name"]))

    def wait(self, action, name):
        while True:
            at, what, who = self.heard.get(timeout=60)
            if (what, who) == (action, name):
                return at


def kill(docker, container):
    pid = docker.inspect(container)["State"]["Pid"]
    begin = time.monotonic()
    os.kill(pid, signal.SIGKILL)
    return begin


def always(docker, label, samples):
    """The engine's own way: each of `samples` containers is killed once."""
    events = Events(docker, label)
    died, started = [], []
    for number in range(samples):
        key, _, value = label.partition("=")
        host = {"RestartPolicy": {"Name": "always"}, "NetworkMode": "none"}
        body = {"Image": IMAGE, "Labels": {key: value}, "HostConfig": host}
        name = f"atelier-bench-{value}-{number}"
        made = docker.post(f"/containers/create?name={name}", body).json()["Id"]
        docker.post(f"/containers/{made}/start")
        events.wait("start", name)
        begin = kill(docker, made)
        died.append(events.wait("die", name) - begin)
        started.append(events.wait("start", name) - begin)
        docker.call("DELETE", f"/containers/{made}?force=1")
    return died, started


def ours(docker, server, recorder, samples):
    events = Events(docker, server.label())
    seen, started = [], []
    for container in docker.containers(server.label())[:samples]:
        name, mark = container["Names"][0][1:], len(recorder.calls)
        begin = kill(docker, container["Id"])
        started.append(events.wait("start", name) - begin)
        about = [call for call in recorder.calls[mark:] if container["Id"] in call.target and call.at >= begin]
        seen.append(about[0].at - begin)
        time.sleep(0.2)  # the next one is another round
    return seen, started


def bench(options, docker, folder):
    recorder = Recorder(str(folder / "recover.sock"), docker.path)
    server = Server(options.binaries, folder / "recover.sock")
    label = f"atelier-bench-run={folder.name}"
    try:
        bring_up(server, "fragile", options.samples)
        seen, running = ours(docker, server, recorder, options.samples)
        take_down(server, "fragile")
        died, restarted = always(docker, label, options.samples)
        title(f"A killed process, {options.samples} containers")
        line("Docker's own event", milliseconds(died))
        line("the server acts", milliseconds(seen))
        line("  ratio to the event", ratio(sorted(seen), sorted(died)))
        line("Docker's restart: always, runs again", milliseconds(restarted))
        line("the server's new container runs", milliseconds(running))
        line("  ratio", ratio(sorted(running), sorted(restarted)))
    finally:
        server.close(docker)
        docker.remove_labelled(label)
