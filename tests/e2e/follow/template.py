"""A template of an org that changes at random: what its repository holds, and what it asks for."""

import dataclasses
import json
import os
import re

PLUGINS = ["alpha", "beta", "gamma"]
MODELS = ["sonnet", "opus", "haiku"]
DEFAULT_MODEL = "base"


@dataclasses.dataclass
class Node:
    name: str
    key: str = ""
    role: str = ""
    model: str = ""
    tier: int = 0
    plugins: list = dataclasses.field(default_factory=list)
    prompt: str = ""
    folder: str = ""  # files_dir
    files: dict = dataclasses.field(default_factory=dict)
    env: dict = dataclasses.field(default_factory=dict)
    include: str = ""  # the file that it stands in, when not that of its parent
    spawning: bool = True
    children: list = dataclasses.field(default_factory=list)

    def identity(self):
        return self.key or re.sub("[^a-z0-9]+", "-", self.name.lower()).strip("-")


@dataclasses.dataclass(frozen=True)
class Wanted:
    """What a workspace must be. All but the parent restarts it when it changes."""
    parent: str
    display: str
    role: str
    model: str
    tier: int
    plugins: tuple
    files: tuple  # of (path, bytes)
    env: tuple  # of (name, value)

    def runs_as(self):
        return dataclasses.replace(self, parent="")


class Template:
    def __init__(self, random, most):
        self.random, self.most = random, most
        self.roots, self.model, self.plugins, self.env = [], "", [], {}
        self.made = 0
        for _ in range(5):
            self.add()

    # --- looking

    def walk(self, siblings=None):
        """Each node with the list that it stands in."""
        siblings = self.roots if siblings is None else siblings
        for node in siblings:
            yield node, siblings
            yield from self.walk(node.children)

    def nodes(self):
        return [node for node, _ in self.walk()]

    def asks_for(self, org):
        """What is to be there by the name of the workspace, and the names of those left alone."""
        wanted, left = {}, set()

        def visit(nodes, parent, spawning):
            for node in nodes:
                name = f"{org}-{node.identity()}"
                spawns = spawning and node.spawning
                if spawns:
                    wanted[name] = self.wanted(node, parent)
                else:
                    left.add(name)
                visit(node.children, name, spawns)

        visit(self.roots, "", True)
        return wanted, left

    def wanted(self, node, parent):
        plugins = list(dict.fromkeys(self.plugins + node.plugins))
        for out in [p[1:] for p in node.plugins if p.startswith("!")]:
            plugins = [p for p in plugins if p not in (out, "!" + out)]
        files = dict(node.files) if node.folder else {}
        if node.prompt:
            files["system-prompt.md"] = node.prompt.encode()
        env = self.env | (node.env if node.folder else {})
        return Wanted(parent, node.name, node.role, node.model or self.model or DEFAULT_MODEL, node.tier or 2,
                      tuple(plugins), tuple(sorted(files.items())), tuple(sorted(env.items())))

    # --- writing

    def repository(self):
        """What is in the repository: bytes by path."""
        out = {}
        head = ['name: Follow', "defaults:", "  tier: 2"]
        if self.model:
            head.append(f"  model: {self.model}")
        if self.plugins:
            head.append(f"  plugins: {json.dumps(self.plugins)}")
        out["org.yaml"] = text(head + self.list_of("workspaces", self.roots, "org.yaml", out))
        if self.env:
            out[".env"] = text(f"{name}={value}" for name, value in self.env.items())
        for node in self.nodes():
            if node.folder:
                out |= {f"{node.folder}/{path}": data for path, data in node.files.items()}
                if node.env:
                    out[f"{node.folder}/.env"] = text(f"{n}={v}" for n, v in node.env.items())
        return out

    def list_of(self, field, nodes, file, out):
        if not nodes:
            return [f"{field}: []"]
        lines = [f"{field}:"]
        for node in nodes:
            if node.include:
                out[node.include] = text(self.mapping_of(node, node.include, out))
                lines.append(f"  - !include {os.path.relpath(node.include, os.path.dirname(file) or '.')}")
                continue
            first, *rest = self.mapping_of(node, file, out)
            lines += [f"  - {first}"] + [f"    {line}" for line in rest]
        return lines

    def mapping_of(self, node, file, out):
        lines = [f"name: {json.dumps(node.name)}"]
        for field, value in (("key", node.key), ("role", node.role), ("model", node.model), ("tier", node.tier),
                             ("plugins", node.plugins), ("system_prompt", node.prompt), ("files_dir", node.folder)):
            if value:
                lines.append(f"{field}: {json.dumps(value)}")
        if not node.spawning:
            lines.append("spawning: false")
        return lines + (self.list_of("children", node.children, file, out) if node.children else [])

    def broken(self):
        """The repository with a mistake that no template may have; and what the mistake is."""
        out = self.repository()
        files = sorted(path for path in out if path.endswith("org.yaml") or path.startswith("teams/"))
        victim = self.random.choice(files)
        how = self.random.choice(["cut", "tab", "include", "folder", "twice", "gone"])
        if how == "cut":
            out[victim] += b"role: [unfinished\n"
        elif how == "tab":
            out[victim] = b"\t:\n" + out[victim]
        elif how == "include":
            out["org.yaml"] = out["org.yaml"].replace(b"workspaces:", b"workspaces:\n  - !include teams/none.yaml", 1)
        elif how == "folder":
            out["org.yaml"] += b"roots:\n  - {name: Lost, files_dir: nowhere}\n"
        elif how == "twice":
            out["org.yaml"] += b"workspaces:\n  - name: Twice\n"
        else:
            del out[victim]
        return out, f"{how} {victim}"

    def empty(self):
        return {"org.yaml": b"name: Follow\nworkspaces: []\n"}

    # --- editing

    def edit(self):
        """One change; says which."""
        nodes = self.nodes()
        if not nodes:
            return f"add {self.add()}"
        kinds = (["add"] * 5 if len(nodes) < self.most else []) + (["remove"] * 4 if len(nodes) > 3 else [])
        kinds += ["rename", "move", "move", "model_of", "tier", "role", "prompt", "plugins_of", "plugins_of", "env_of",
                  "include", "include", "file", "file", "file", "spawning", "folder"]
        kinds += ["all_model", "all_plugins", "all_env"] if self.random.random() < 0.1 else []
        kind = self.random.choice(kinds)
        if kind == "add" or kind.startswith("all_"):
            return f"{kind} {getattr(self, kind)()}"
        node, siblings = self.random.choice(list(self.walk()))
        before = node.identity()
        getattr(self, kind)(node, siblings)
        return f"{kind} {before}" + (f" to {node.identity()}" if node.identity() != before else "")

    def add(self):
        self.made += 1
        node = Node(f"Agent {self.made}")
        if self.random.random() < 0.5:
            node.key = f"k{self.made}"
        for part in (self.file, self.env_of, self.plugins_of, self.model_of, self.include):
            if self.random.random() < 0.4:
                part(node)
        self.random.choice([self.roots] + [n.children for n in self.nodes()]).append(node)
        return node.identity()

    def remove(self, node, siblings):
        siblings.remove(node)
        if self.random.random() < 0.7:
            siblings.extend(node.children)

    def rename(self, node, _):
        self.made += 1
        node.name = f"Renamed: {self.made} \"{self.random.choice('äöü#&')}\""

    def move(self, node, siblings):
        below = {id(n) for n, _ in self.walk([node])}
        places = [self.roots] + [n.children for n in self.nodes() if id(n) not in below]
        siblings.remove(node)
        place = self.random.choice(places)
        place.insert(self.random.randint(0, len(place)), node)

    def model_of(self, node, _=None):
        node.model = self.random.choice(MODELS + [""])

    def tier(self, node, _):
        node.tier = self.random.choice([0, 2, 3])

    def role(self, node, _):
        node.role = f"does {self.random.randint(1, 9)} things: \"well\""

    def prompt(self, node, _):
        node.prompt = self.random.choice(["", f"Be {self.random.randint(1, 9)}.\nAlways.\n"])

    def plugins_of(self, node, _=None):
        chosen = self.random.sample(PLUGINS, self.random.randint(0, 2))
        node.plugins = [("!" if p in self.plugins and self.random.random() < 0.5 else "") + p for p in chosen]

    def env_of(self, node, _=None):
        self.file(node)
        name = f"VAR_{self.random.randint(1, 3)}"
        if self.random.random() < 0.3:
            node.env.pop(name, None)
        else:
            node.env[name] = f"value {self.random.randint(1, 99)}"

    def include(self, node, _=None):
        self.made += 1
        node.include = "" if node.include else self.random.choice(["teams", "teams/deep"]) + f"/{self.made}.yaml"

    def file(self, node, _=None):
        if not node.folder:
            self.folder(node)
        path = self.random.choice(["a.md", "notes/b.txt", "notes/deep/c.bin"])
        if path in node.files and len(node.files) > 1 and self.random.random() < 0.4:
            del node.files[path]
        else:
            node.files[path] = self.random.randbytes(self.random.choice([0, 10, 5000]))

    def folder(self, node, _=None):
        """Its files are elsewhere in the repository; or, without any, it has some now."""
        self.made += 1
        node.folder = f"files/{self.made}"
        node.files = node.files or {"readme.md": b"of %d\n" % self.made}

    def spawning(self, node, _):
        """At most one is off at a time, or soon little is left that runs."""
        off = next((n for n in self.nodes() if not n.spawning), None)
        if off:
            off.spawning = True
        else:
            node.spawning = False

    def all_model(self):
        self.model = self.random.choice(MODELS + [""])
        return self.model

    def all_plugins(self):
        self.plugins = self.random.sample(PLUGINS, self.random.randint(0, 1))
        return self.plugins

    def all_env(self):
        self.env = {} if self.env else {"SHARED": f"for all {self.random.randint(1, 9)}"}
        return self.env


def text(lines):
    return "".join(line + "\n" for line in lines).encode()
