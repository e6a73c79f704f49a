#!/usr/bin/env python3
"""Follows a template that changes at random, with faults, and compares what runs with it after each commit.

    follow.py --world DIR --server PROGRAM --port N --git-port N --commits N [--seed N]
              [--docker unix://… --image NAME]

Below DIR, the folder work/org is a working copy; its remote is served as org.git at the git port. A failure tells the
seed, the number of the commit and every difference.
"""

import argparse
import http.client
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import time

import compare
import containers
import place
import template

ORG = "team"
TEMPLATE_PATH, ORG_PATH = f"{place.GROUP}/orgtemplates/{ORG}", f"{place.GROUP}/orgs/{ORG}"
PATIENCE = 45  # seconds until what runs must be what is declared


class Follow:
    def __init__(self, options):
        self.world = pathlib.Path(options.world)
        self.random = random.Random(options.seed)
        self.link = place.Link(options.git_port)
        self.server = place.Server(options.server, self.world / "home", options.port, self.world / "server.log",
                                   ["--docker", options.docker])
        self.defaults = {"model": template.DEFAULT_MODEL} | ({"image": options.image} if options.image else {})
        self.runtime = place.Processes(self.world / "home")
        if options.docker != "off":
            self.runtime = containers.Containers(options.docker, self.world / "home")
        self.template = template.Template(self.random, 9)
        self.fleet = compare.Fleet(self.server, self.runtime, ORG)
        self.commits, self.asked, self.confirmed, self.told = 0, 0, 0, []

    # --- doing

    def begin(self):
        for name in template.PLUGINS:
            folder = self.world / "home/plugins" / name
            folder.mkdir(parents=True)
            (folder / "plugin.yaml").write_text(f"name: {name}\n")
            (folder / "rule.md").write_text(f"The rule of {name}.\n")
        self.server.start()
        for name in template.PLUGINS:
            self.create("plugins", "Plugin", name, {"source": f"local://{name}", "interval": "1h"})
        url = f"http://127.0.0.1:{self.link.port}/org.git"
        self.create("orgtemplates", "OrgTemplate", ORG,
                    {"source": {"git": {"url": url, "ref": "main"}}, "interval": "2s"})
        self.create("orgs", "Org", ORG, {"templateRef": {"name": ORG}, "prune": {"maxPercent": 30, "volumeGrace": "0s"},
                                         "defaults": self.defaults})

    def create(self, plural, kind, name, spec):
        self.server.call("POST", f"{place.GROUP}/{plural}", {
            "apiVersion": "atelier.dev/v1alpha1", "kind": kind, "metadata": {"name": name}, "spec": spec})

    def push(self, files, message):
        work = self.world / "work/org"
        for entry in work.iterdir():
            if entry.name != ".git":
                shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
        for path, data in files.items():
            (work / path).parent.mkdir(parents=True, exist_ok=True)
            (work / path).write_bytes(data)
        git = ["git", "-C", str(work), "-c", "user.name=Test", "-c", "user.email=test@example.invalid",
               "-c", "commit.gpgsign=false", "-c", "gc.auto=0"]
        commit, push = ["commit", "-q", "--allow-empty", "-m", message], ["push", "-q", "origin", "main"]
        for command in (["add", "-A"], commit, push):
            subprocess.run(git + command, check=True)
        return subprocess.run(git + ["rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()

    def look(self):
        """Asks for the template to be looked at now."""
        self.asked += 1
        self.server.annotate(TEMPLATE_PATH, "reconcile-requested-at", str(self.asked))

    # --- faults. Each says what it did; `before` of them come before the push, the others after.

    def git_fails(self):
        self.link.set(self.random.choice(["down", "slow", "cut"]))
        return f"(git: {self.link.how})"

    def kill_a_unit(self):
        # One that was killed and not changed since waits ten seconds before it is tried again.
        unit = self.pick([u for u in self.runtime.units() if u["runs"] and u["attempt"] == 0])
        if not unit or not self.fleet.disturb(unit, "killed"):
            return "(nothing to kill)"
        self.runtime.kill(unit)
        return f"(killed {unit['workspace']})"

    def kill_server(self):
        self.server.end()
        self.fleet.server_kills += 1
        told = self.kill_a_unit() if self.random.random() < 0.4 else ""
        self.server.start()
        return f"(killed the server{told})"

    def delete_by_hand(self):
        unit = self.pick([u for u in self.runtime.units() if u["runs"]])
        if not unit or not self.fleet.disturb(unit, "deleted"):
            return "(nothing to delete)"
        try:
            self.server.call("DELETE", f"{place.GROUP}/workspaces/{unit['workspace']}")
        except place.Refused as refused:
            if refused.status != 404:
                raise
        return f"(deleted {unit['workspace']} by hand)"

    def pick(self, units):
        return self.random.choice(sorted(units, key=lambda unit: unit["workspace"])) if units else None

    def fault(self):
        chance = self.random.random()
        if chance < 0.5:
            return ""
        kinds = [self.git_fails, self.kill_a_unit, self.kill_server, self.kill_server, self.delete_by_hand]
        time.sleep(self.random.random() * 0.4)  # a different moment of the work each time
        return self.random.choice(kinds)()

    # --- one commit

    def step(self):
        self.commits += 1
        self.fleet.begin_step()
        self.told = [self.fault()]
        chance = self.random.random() if self.commits > 1 else 1
        whole = True
        if chance < 0.08:
            files, what = self.template.broken()
            what, whole = "broken: " + what, False
        elif chance < 0.14:
            files, what = self.template.empty(), "empty"
            self.fleet.want({}, set())
        else:
            what = ", ".join(self.template.edit() for _ in range(self.random.randint(1, 3)))
            files = self.template.repository()
            self.fleet.want(*self.template.asks_for(ORG))
        self.told.append(what)
        commit = self.push(files, what)
        self.look()
        self.told.append(self.fault())
        began = time.monotonic()
        self.converge(commit, whole)
        took, size = time.monotonic() - began, len(self.fleet.wanted)
        print(f"{self.commits:4} {took:5.1f} s {size:3}  {self.story()}", flush=True)

    def story(self):
        return "; ".join(one for one in self.told if one)

    def converge(self, commit, whole):
        self.link_until = time.monotonic() + (self.random.random() * 2 if self.link.how != "passes" else 0)
        end = time.monotonic() + PATIENCE
        while True:
            if self.link.how != "passes" and time.monotonic() > self.link_until:
                self.link.set("passes")
                self.look()
            differences = self.differences(commit, whole)
            if not differences and self.link.how == "passes":
                return self.fleet.end_step()
            if time.monotonic() > end:
                raise AssertionError("\n".join(differences))
            time.sleep(0.1)

    def differences(self, commit, whole):
        try:
            status = self.server.get(TEMPLATE_PATH).get("status", {})
            ready = compare.condition(status, "Ready")
            if status.get("lastHandledReconcileAt") != str(self.asked):
                return [f"the template was not looked at: {status.get('conditions')}"]
            if whole and (ready.get("status") != "True" or status.get("revision") != commit):
                return [f"the template is {ready} at {status.get('revision')}, not {commit}"]
            if not whole and (ready.get("status") != "False" or ready.get("reason", "").startswith("Source")):
                return [f"a broken template is {ready}"]
            org = self.server.get(ORG_PATH)
            self.confirm(org)
            return self.fleet.differences(org, status.get("artifactDigest"), whole)
        except (OSError, http.client.HTTPException, place.Refused) as error:
            return [f"the server cannot be asked: {error!r}"]

    def confirm(self, org):
        """Lets what may not go at once go, when it is what should go."""
        digest = org.get("status", {}).get("pendingPruneDigest")
        if not digest or org["metadata"].get("annotations", {}).get("atelier.dev/confirm-prune") == digest:
            return
        pending = set(org["status"]["pendingPrune"])
        if not pending <= self.fleet.to_go():
            return  # of the template before: the differences tell it when it stays
        self.fleet.confirm()
        self.confirmed += 1
        self.server.annotate(ORG_PATH, "confirm-prune", digest)

    def end(self):
        self.fleet.begin_step()
        self.server.call("DELETE", ORG_PATH)
        end = time.monotonic() + PATIENCE
        while left := self.left():
            if time.monotonic() > end:
                raise AssertionError("left after the Org: " + ", ".join(left))
            time.sleep(0.1)

    def left(self):
        left = [path for path in ("workspaces", "plugininstalls", "orgs") if self.server.items(f"{place.GROUP}/{path}")]
        units = self.runtime.units()
        return left + [unit["workspace"] for unit in units] + self.runtime.leftovers(units)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--world", required=True)
    parser.add_argument("--server", required=True)
    for number in ("port", "git-port", "commits"):
        parser.add_argument(f"--{number}", type=int, required=True)
    parser.add_argument("--docker", default="off")
    parser.add_argument("--image", default="")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randint(0, 10**6))
    options = parser.parse_args()
    print(f"seed {options.seed}, {options.commits} commits", flush=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    follow = Follow(options)
    began = time.monotonic()
    try:
        follow.begin()
        for _ in range(options.commits):
            follow.step()
        follow.end()
    except AssertionError as difference:
        print(f"error: seed {options.seed}, commit {follow.commits}: {follow.story()}\n{difference}", file=sys.stderr)
        sys.exit(1)
    finally:
        follow.server.end(signal.SIGTERM)
    print(f"{follow.commits} commits in {time.monotonic() - began:.0f} s; {follow.confirmed} prunings confirmed")


if __name__ == "__main__":
    main()
