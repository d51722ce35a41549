#!/usr/bin/env python3
"""Breaks one request of a provision, for every request and in every way, and runs the same command again.

usage: kill_points.py [--every N] [--action ACTION]...

Each point registers a tenant of its own on a served sandbox (a new one every POINTS_A_WORLD, as an Atlas project holds 100 users),
runs `instance provision` through a relay that does one of
relay.ACTIONS to request number k, then runs it again undisturbed. Afterwards all three providers and the registry must hold
what an undisturbed run leaves: no object more or less, nothing orphaned, and the password of the database user must be the one
in the Secret. Where the broken run ended by rolling back (exit 7), nothing of it may be left before the second run.

LITEDESK_FAST is the program to run (build/debug/tests/fast_litedesk: back-off costs no time).
"""
import argparse
import atexit
import base64
import json
import os
import re
import subprocess
import sys
import time

import harness
import relay

FAST = os.environ.get("LITEDESK_FAST") or os.path.join(harness.ROOT, "build", "debug", "tests", "fast_litedesk")
POINTS_A_WORLD = 40
KINDS = ["serviceaccounts", "secrets", "services", "resourcequotas", "limitranges", "apps/deployments", "networking.k8s.io/ingresses",
         "networking.k8s.io/networkpolicies", "policy/poddisruptionbudgets", "cert-manager.io/certificates"]


class World:
    def __init__(self):
        self.serve = harness.Serve(harness.folder("sandbox"), "--time-scale", "0")
        values = self.serve.values
        kubeconfig = open(values["KUBECONFIG"]).read()
        server = re.search(r"server: *\"?(http://[0-9.:]+)", kubeconfig).group(1)
        self.token = re.search(r"token: *\"?([^\"\s]+)", kubeconfig).group(1)
        self.kubernetes = harness.RestApi(server, {"Authorization": "Bearer " + self.token})
        self.relay = relay.Relay([server, values["AWS_ENDPOINT_URL"], values["LITEDESK_ATLAS_URL"]])
        through = os.path.join(self.serve.directory, "relay.kubeconfig")
        with open(through, "w") as out:
            out.write(kubeconfig.replace(server, self.relay.urls[0]))
        os.chmod(through, 0o600)
        self.target = harness.Target("relay", values, kubeconfig=through, route53=self.relay.urls[1], atlas=self.relay.urls[2], binary=FAST)
        self.direct = harness.Target("direct", values, binary=FAST)
        self.direct.home = self.target.home

    def close(self):
        self.relay.close()
        self.serve.close()

    def provision(self, slug, at=0, action=None):
        self.relay.arm(at, action)
        process = self.target.start("instance", "provision", slug, "--timeout", "30s")
        self.relay.pid = process.pid
        try:
            out, err = process.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            process.kill()
            raise AssertionError("still running after 60 s\n" + "".join(process.communicate()))
        self.relay.wait_idle()
        return process.returncode, out, err

    def objects(self, slug):
        name_space = "instance-" + slug
        found = {}
        space = self.kubernetes.get("/api/v1/namespaces/" + name_space)
        if space is None or space["metadata"].get("deletionTimestamp"):
            return None, {}
        found["Namespace"] = space
        for kind in KINDS:
            group, _, plural = kind.rpartition("/")
            version = {"apps": "apps/v1", "policy": "policy/v1", "networking.k8s.io": "networking.k8s.io/v1", "cert-manager.io": "cert-manager.io/v1"}.get(group)
            path = "/apis/%s" % version if version else "/api/v1"
            for item in self.kubernetes.get("%s/namespaces/%s/%s" % (path, name_space, plural))["items"]:
                found[plural + "/" + item["metadata"]["name"]] = item
        return space, found

    def user(self, slug):
        """The database user as Atlas has it, with the hash of its password (which only the sandbox tells)."""
        import sqlite3
        state = os.path.join(self.serve.directory, "sandbox", "state.db")
        with sqlite3.connect("file:%s?mode=ro" % state, uri=True) as database:
            for (body,) in database.execute("select body from rows where name like ?", ("%user_" + slug.replace("-", "_") + "%",)):
                document = json.loads(body)
                if document.get("username") == "user_" + slug.replace("-", "_"):
                    return document
        return None

    def records(self, slug):
        listed = self.direct.run("dns", "get", slug, "-o", "json")
        return json.loads(listed[1]) if listed[0] == 0 else None

    def left_over(self, slug):
        """What of an instance is there, as short words; empty when nothing is."""
        left = []
        space, _ = self.objects(slug)
        if space is not None:
            left.append("namespace")
        if self.user(slug) is not None:
            left.append("database user")
        if slug + ".litedesk.com" in json.dumps(self.records(slug) or []):
            left.append("dns record")
        return left

    def end_state(self, slug):
        """Everything that a provision leaves, comparable between slugs."""
        _, objects = self.objects(slug)
        if not objects:
            raise AssertionError("the namespace is not there")
        secret = objects["secrets/database"]["data"]
        password = base64.b64decode(secret["password"]).decode()
        user = self.user(slug)
        if user is None:
            raise AssertionError("the database user is not there")
        if user["passwordSha256"] != harness.sha256(password):
            raise AssertionError("the database user's password is not the one in the Secret: it is known nowhere")
        if password not in base64.b64decode(secret["connection-string"]).decode():
            raise AssertionError("the connection string has another password")
        shown = {}
        for name, item in objects.items():
            copy = json.loads(json.dumps(item))
            copy.pop("status", None)
            if copy.get("kind") == "Secret" or name.startswith("secrets/"):
                copy["data"] = sorted(copy.get("data", {}))
            for key in ("uid", "resourceVersion", "creationTimestamp", "managedFields", "generation"):
                copy["metadata"].pop(key, None)
            shown[name] = copy
        text = json.dumps(shown, sort_keys=True)
        text = re.sub(r'"litedesk\.io/checksum[^"]*": "[^"]*"', '"checksum": ""', text)
        # A Deployment that a killed run applied with another password has been rolled out once more.
        text = re.sub(r'"deployment\.kubernetes\.io/revision": "\d+"', '"revision": ""', text)
        text = re.sub(r"10\.\d+\.\d+\.\d+", "IP", text)
        tenant = self.kubernetes.get("/apis/litedesk.io/v1alpha1/tenants/" + slug)
        status = dict(tenant["status"])
        for key in ("timestamps", "conditions"):
            status.pop(key, None)
        if status.get("operation"):
            raise AssertionError("the lock is still held: %s" % status["operation"])
        user = {k: v for k, v in user.items() if k not in ("passwordSha256", "links")}
        user["labels"] = sorted(l["key"] for l in user.get("labels", []))
        records = re.sub(r'"changeId": "[^"]*"', "", json.dumps(self.records(slug), sort_keys=True))
        joined = "\n".join([text, json.dumps(status, sort_keys=True), json.dumps(user, sort_keys=True), records])
        return harness.normalise(joined, slug)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--every", type=int, default=1, help="try only every n-th request")
    parser.add_argument("--action", action="append", choices=relay.ACTIONS)
    parser.add_argument("--keep-going", action="store_true", help="try all points even after many failures")
    args = parser.parse_args()
    actions = args.action or list(relay.ACTIONS)

    world = World()
    atexit.register(lambda: world.close())
    code, out, err = world.direct.run("tenant", "create", "Point", "--email", "o@point.example", "--slug", "reference", "--tier", "starter")
    assert code == 0, err
    code, out, err = world.provision("reference")
    assert code == 0, err
    requests = world.relay.count
    wanted = world.end_state("reference")
    code, out, err = world.provision("reference")
    assert code == 0 and "no changes" in (out + err).lower(), out + err
    writes = [line for line in world.relay.seen if line.split()[0] not in ("GET", "HEAD") and "dryRun=All" not in line and "/oauth/" not in line]
    assert not writes, "a second provision sent %s" % writes

    points, passed, failures, outcomes, begin = 0, 0, [], {}, time.monotonic()
    for action in actions:
        for at in range(1, requests + 1, args.every):
            slug = "p%s%03d" % (action.replace("-", "")[:6], at)
            points += 1
            if points % POINTS_A_WORLD == 0:
                world.close()
                world = World()
            try:
                code, out, err = world.direct.run("tenant", "create", "Point", "--email", "o@point.example", "--slug", slug, "--tier", "starter")
                assert code == 0, err
                code, out, err = world.provision(slug, at, action)
                if not world.relay.fired:
                    assert code == 0, "nothing was broken, and yet: exit %d\n%s" % (code, err)
                if action.startswith("kill") and world.relay.fired:
                    assert code == -9, "exit %d instead of being killed\n%s" % (code, err)
                elif code == 7:
                    left = world.left_over(slug)
                    assert not left, "rolled back, and left: %s\n%s" % (left, err)
                else:
                    assert code in (0, 1, 6, 7), "exit %d\n%s" % (code, err)
                outcomes[(action, code)] = outcomes.get((action, code), 0) + 1
                code, out, err = world.provision(slug)
                assert code == 0, "the second run: exit %d\n%s" % (code, err)
                state = world.end_state(slug)
                if state != wanted:
                    import difflib
                    difference = "\n".join(difflib.unified_diff(wanted.replace(", ", ",\n").split("\n"), state.replace(", ", ",\n").split("\n"), lineterm="", n=1))
                    raise AssertionError("another end state:\n" + difference[:3000])
                passed += 1
            except AssertionError as error:
                failures.append("%s at request %d (%s): %s" % (action, at, world.relay.seen[at - 1] if at <= len(world.relay.seen) else "?", error))
                print("FAILED " + failures[-1], flush=True)
                if len(failures) >= 10 and not args.keep_going:
                    print("too many failures: stopping")
                    break
    seconds = time.monotonic() - begin
    tried = passed + len(failures)
    print("kill points: %d tried (%d requests a provision), %.0f ms each; first runs ended: %s" % (
        tried, requests, 1000 * seconds / max(tried, 1), ", ".join("%s exit %d: %d" % (a, c, n) for (a, c), n in sorted(outcomes.items()))))
    harness.main_summary(passed, len(failures))


if __name__ == "__main__":
    main()
