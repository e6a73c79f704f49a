"""Units of a Docker Engine, seen from outside of the server."""

import http.client
import io
import json
import pathlib
import socket
import tarfile
import urllib.parse


class Connection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("docker", timeout=30)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Containers:
    def __init__(self, docker, home):
        self.socket, self.home = docker.removeprefix("unix://"), home

    def call(self, method, where, **query):
        connection = Connection(self.socket)
        connection.request(method, f"{where}?{urllib.parse.urlencode(query)}")
        answer = connection.getresponse()
        data = answer.read()
        connection.close()
        if answer.status >= 300:
            raise OSError(f"{answer.status} {data[:200]!r}")
        return data

    def ours(self, what):
        """What the Engine has that carries the label of this server."""
        instance = (self.home / "instance-id").read_text().strip()
        having = json.dumps({"label": [f"atelier.dev/instance={instance}"]})
        return json.loads(self.call("GET", what, all="true", filters=having))

    def units(self):
        found = []
        for container in self.ours("/containers/json"):
            if "atelier.dev/uid" not in container["Labels"]:
                continue  # one that the server tries its mounts with
            try:
                seen = json.loads(self.call("GET", f"/containers/{container['Id']}/json"))
            except OSError:
                continue  # it has gone since
            labels, state = seen["Config"]["Labels"], seen["State"]
            found.append({
                "workspace": labels["atelier.dev/name"], "uid": labels["atelier.dev/uid"], "id": seen["Id"],
                "pid": state["Pid"], "attempt": int(labels.get("atelier.dev/attempt", 0)),
                "restarts": int(labels.get("atelier.dev/restarts", 0)),
                "runs": state["Running"], "env": seen["Config"]["Env"]})
        return found

    def kill(self, unit):
        self.call("POST", f"/containers/{unit['id']}/kill")

    @staticmethod
    def environment_of(unit):
        return dict(entry.split("=", 1) for entry in unit["env"])

    def files_of(self, unit):
        archive = self.call("GET", f"/containers/{unit['id']}/archive", path="/configs")
        files, plugins = {}, {}
        with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
            for member in tar:
                _, *path = pathlib.PurePath(member.name).parts
                if member.isfile():
                    files["/".join(path)] = tar.extractfile(member).read()
                if len(path) > 2 and path[0] == "plugins" and not path[1].startswith("."):
                    plugins.setdefault(path[1], set()).add(path[2])
        return files, plugins

    def leftovers(self, units):
        uids = {unit["uid"] for unit in units}
        out = [f"volume {volume['Name']}" for volume in self.ours("/volumes")["Volumes"] or []
               if volume["Labels"]["atelier.dev/uid"] not in uids]
        out += [f"folder workspaces/{f.name}" for f in (self.home / "workspaces").iterdir() if f.name not in uids]
        return out + ([f"network {network['Name']}" for network in self.ours("/networks")] if not units else [])
