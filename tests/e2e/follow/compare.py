"""What should run, and how it differs from what does."""

import dataclasses

import place

# Below /configs, what is not delivered as a file.
BESIDE = ("plugins/", "skills/", ".atelier-files", ".atelier-files.applied")


def condition(status, kind):
    return next((c for c in status.get("conditions", []) if c["type"] == kind), {})


@dataclasses.dataclass(frozen=True)
class Identity:
    uid: str
    unit: str
    pid: int


class Fleet:
    """The workspaces of one Org: as they should be, and as they were found after the last commit."""

    def __init__(self, server, runtime, org):
        self.server, self.runtime, self.org = server, runtime, org
        self.wanted, self.before, self.known = {}, {}, {}
        self.left, self.disturbed, self.unsure = set(), {}, {}
        self.killed, self.server_kills = {}, 0
        self.empty, self.confirmed = True, False
        self.now = {}
        self.restarts, self.restarts_now = {}, {}  # how often each was restarted, at the last look

    def begin_step(self):
        """What was right at the last look must be so still: nothing was restarted since."""
        now = self.identities(self.runtime.units())
        if now != self.known:
            others = sorted(set(now.items()) ^ set(self.known.items()), key=str)
            raise AssertionError(f"restarted after all was as declared: {others}")
        self.before = dict(self.wanted)
        self.disturbed, self.unsure, self.confirmed = {}, {}, False
        self.killed = {}  # the very unit of those
        self.server_kills = 0

    def want(self, wanted, left):
        """What a template asks for that has come into force. Without workspaces it takes none away."""
        self.empty, self.left = not wanted, left
        self.wanted = {n: w for n, w in self.before.items() if self.empty or n in left} | wanted
        # Deleted by hand and no longer asked for: made again if there was time for it before.
        self.unsure = {n: self.before[n] for n, how in self.disturbed.items()
                       if how == "deleted" and n not in wanted and n in self.wanted}

    def disturb(self, unit, how):
        """Notes what is about to be done to a unit; false when it should not be now."""
        name = unit["workspace"]
        # What the template does not ask for is not made again, and is left out of this.
        if name in self.disturbed or name not in self.wanted or self.empty or name in self.left:
            return False
        self.disturbed[name] = how
        if how == "killed":
            self.killed[name] = unit["id"]
        return True

    def to_go(self):
        return set(self.before) - set(self.wanted)

    def confirm(self):
        self.confirmed = True

    def end_step(self):
        self.known, self.restarts = self.now, self.restarts_now

    @staticmethod
    def identities(units):
        return {unit["workspace"]: Identity(unit["uid"], unit["id"], unit["pid"]) for unit in units}

    # --- comparing

    def differences(self, org, artifact, whole):
        out = self.of_org(org, artifact, whole)
        workspaces = self.server.items(f"{place.GROUP}/workspaces")
        units = self.runtime.units()
        for name, wanted in self.unsure.items():
            self.wanted.pop(name, None)
            self.wanted |= {name: wanted} if name in workspaces else {}
        out += names("workspaces", set(workspaces), set(self.wanted))
        out += names("units", {unit["workspace"] for unit in units}, set(self.wanted))
        if len(units) != len({unit["workspace"] for unit in units}):
            out.append(f"several units of one workspace: {sorted(unit['workspace'] for unit in units)}")
        if out:
            return out
        for unit in units:
            name = unit["workspace"]
            out += [f"{name}: {what}" for what in self.of_one(self.wanted[name], workspaces[name], unit)]
        self.now = self.identities(units)
        self.restarts_now = {unit["workspace"]: unit["restarts"] for unit in units}
        out += [*self.of_identities(), *self.of_restarts()]
        if out:
            return out
        out += [*self.of_others(workspaces), *self.runtime.leftovers(units)]
        limit = max(1, 30 * len(self.before) // 100)  # what comes with the same commit does not count
        if len(self.to_go() - set(self.disturbed)) > limit and not self.confirmed:
            out.append(f"{sorted(self.to_go())} went, more than {limit}, and nobody confirmed it")
        return out

    def of_org(self, org, artifact, whole):
        status = org.get("status", {})
        if self.empty and set(self.wanted) - self.left and whole:
            blocked = condition(status, "PruneBlocked")
            if blocked.get("reason") != "EmptyDesiredSet":
                return [f"an empty template blocks nothing: {status.get('conditions')}"]
        ready = condition(status, "Ready")
        if status.get("artifactDigest") != artifact or ready.get("status") != "True":
            return [f"the org is {ready} with {status.get('artifactDigest')}, not {artifact}"]
        return []

    def of_one(self, wanted, workspace, unit):
        spec, status = workspace["spec"], workspace.get("status", {})
        if workspace["metadata"].get("deletionTimestamp"):
            yield "is being deleted"
            return
        said = {"parent": spec.get("parent", ""), "display": spec.get("displayName", ""),
                "role": spec.get("role", ""), "model": spec.get("model", ""), "tier": spec.get("tier"),
                "plugins": tuple(spec.get("plugins", []))}
        for field, value in said.items():
            if value != getattr(wanted, field):
                yield f"{field} is {value!r}, not {getattr(wanted, field)!r}"
        if condition(status, "Ready").get("status") != "True":
            yield f"is not ready: {condition(status, 'Ready')}"
        if not unit["runs"] or unit["uid"] != workspace["metadata"]["uid"]:
            yield f"its unit does not run, or is another's: {unit}"
            return
        if status.get("restarts", 0) != unit["restarts"]:
            yield f"tells {status.get('restarts', 0)} restarts, not {unit['restarts']}"
        yield from self.of_running(wanted, spec, unit)

    def of_running(self, wanted, spec, unit):
        try:
            env = self.runtime.environment_of(unit)
            files, plugins = self.runtime.files_of(unit)
        except OSError as error:
            yield f"cannot be looked at: {error}"
            return
        for name, value in dict(wanted.env).items() | {("MODEL", wanted.model), ("TIER", str(wanted.tier))}:
            if env.get(name) != value:
                yield f"runs with {name}={env.get(name)!r}, not {value!r}"
        for name in env:
            if name.startswith(("VAR_", "SHARED")) and name not in dict(wanted.env):
                yield f"runs with {name}, which nobody gives it"
        delivered = {path: data for path, data in files.items() if not path.startswith(BESIDE)}
        config = next(file["content"] for file in spec["files"] if file["path"] == "config.yaml")
        due = dict(wanted.files) | {"config.yaml": config.encode()}
        yield from names("files", set(delivered), set(due))
        for path in sorted(set(delivered) & set(due)):
            if delivered[path] != due[path]:
                yield f"{path} has other bytes: {delivered[path][:60]!r}, not {due[path][:60]!r}"
        yield from names("plugins", set(plugins), set(wanted.plugins))
        for plugin, has in plugins.items():
            if not has >= {"plugin.yaml", "rule.md", ".complete"}:
                yield f"of plugin {plugin} only {sorted(has)} is there"

    def of_identities(self):
        for name, now in self.now.items():
            known, how = self.known.get(name), self.disturbed.get(name)
            if now.unit == self.killed.get(name):
                yield f"{name} runs as before, though it was killed"
                continue
            if not known:
                continue
            if how == "deleted":
                if now.uid == known.uid:
                    yield f"{name} was deleted by hand and is the same"
            elif now.uid != known.uid:
                yield f"{name} is another workspace than before"
            elif how == "killed" or self.before[name].runs_as() != self.wanted[name].runs_as():
                if now.unit == known.unit:
                    yield f"{name} runs as before, though it was {how or 'changed'}"
            elif now != known:
                yield f"{name} was restarted, though nothing of it changed: {known}, now {now}"

    def of_restarts(self):
        """Whatever one commit changes of a workspace, it is restarted once for all of it.

        A server that is killed while it starts a unit leaves one behind that never ran, and counts it.
        """
        for name, now in self.now.items():
            known, before = self.known.get(name), self.restarts.get(name)
            if not known or before is None or name in self.disturbed or now.uid != known.uid:
                continue
            restarts = self.restarts_now[name]
            due = before + (self.before[name].runs_as() != self.wanted[name].runs_as())
            if not due <= restarts <= due + (due - before) * self.server_kills:
                yield f"{name} was restarted {restarts - before} times, not {due - before}"

    def of_others(self, workspaces):
        installs = set(self.server.items(f"{place.GROUP}/plugininstalls"))
        due = {f"{name}.{plugin}" for name, wanted in self.wanted.items() for plugin in wanted.plugins}
        yield from names("plugin installs", installs, due)
        secrets = self.server.items(f"{place.CORE}/secrets")
        kept = {name for name in secrets if name.endswith("-env") and name[:-4] in workspaces}
        due = {f"{name}-env" for name, wanted in self.wanted.items() if wanted.env}
        yield from names("environments", kept, due)
        owned = {name for name in secrets if name.endswith("-env") and name.startswith(f"{self.org}-")}
        yield from names("environments", owned - kept, set())


def names(of, found, due):
    if found != due:
        yield f"{of}: too many {sorted(found - due)}, missing {sorted(due - found)}"
