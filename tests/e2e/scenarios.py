"""The end-to-end scenarios: the same on the sandbox and on real peers. Each is a function of a Target and a slug of its own.

A scenario checks what it must and returns a transcript, a list of lines without times and identifiers; test_scenarios.py holds
the transcripts of the two targets against each other.
"""
import base64
import json
import os
import re
import signal
import subprocess
import time

import harness


class Transcript:
    def __init__(self, target, slug):
        self.target, self.slug, self.lines = target, slug, []

    def run(self, *arguments, expect=0, env=None, timeout=120):
        code, out, err = self.target.run(*arguments, env=env, timeout=timeout)
        shown = " ".join(arguments)
        assert code == expect, "%s: litedesk %s: exit %d instead of %d\n%s%s" % (self.target.name, shown, code, expect, out, err)
        self.note("$ litedesk " + shown + " -> %d" % code)
        for line in unwrapped(out).splitlines():
            self.note("out: " + line)
        for line in sorted(set(settled(unwrapped(err).splitlines()))):
            self.note("err: " + line)
        return out, err

    def note(self, line):
        text = harness.normalise(line, self.slug)
        # Nobody answers in the place of an ingress before the real control plane.
        if re.search(r"\bapplication:? +(ok|unknown|answers|asking|nobody)\b|serves is unknown|^out:$", text):
            return
        text = re.sub(r"a1b2\.elb\.\S*", "a1b2.elb", text)  # it is cut as the longest message in its column leaves room
        if text:
            self.lines.append(text)


def unwrapped(text):
    """What stands on a line of its own where the cluster's name is long is put back."""
    text = re.sub(r"(\(cluster [^)]*\):)\n +", r"\1 ", text)
    return re.sub(r"\n +(in \S+ \(cluster [^)]*\))$", r"  \1", text, flags=re.M)


def settled(lines):
    """Progress without the states in between, which come as the machine is quick."""
    return [line for line in lines if not re.match(r"^\s*(·|\.\.\.|…|-|\*|~)\s", line) and "waiting" not in line and "PENDING" not in line
            and not re.search(r"\b[01]/2 ready\b|\b0/1 ready\b|running|for the controller", line)]


def create(t, tier="starter"):
    t.run("tenant", "create", "Acme " + t.slug, "--email", "owner@acme.example", "--slug", t.slug, "--tier", tier)


def nothing_left(target, slug):
    code, _, _ = target.kubectl("get", "namespace", "instance-" + slug, check=False)
    assert code != 0, "namespace instance-%s is there" % slug
    code, out, _ = target.run("dns", "get", slug, "-o", "json")
    assert code != 0 or slug not in out, "a DNS record of %s is there: %s" % (slug, out)
    assert phase(target, slug) in ("failed", ""), phase(target, slug)


def phase(target, slug):
    return target.json("tenant", "get", slug)["status"].get("phase", "")


def happy(target, slug):
    """Register, plan, provision, provision again, look."""
    t = Transcript(target, slug)
    create(t)
    out, _ = t.run("instance", "plan", slug)
    t.run("instance", "plan", slug, "--exit-code", expect=10)
    t.run("instance", "provision", slug)
    out, err = t.run("instance", "provision", slug)
    assert "no changes" in (out + err).lower()
    t.run("instance", "plan", slug, "--exit-code", expect=0)
    t.run("status", slug)
    assert phase(target, slug) == "active"
    document = target.json("status", slug)
    assert document["health"] == "healthy", document
    for part in document["parts"]:
        assert part["state"] == ("unknown" if part["name"] == "application" and target.name == "peers" else "ok"), part
    return t.lines


def no_wait(target, slug):
    """--no-wait leaves it provisioning; `instance wait` finishes it."""
    t = Transcript(target, slug)
    create(t, "trial")
    t.run("instance", "provision", slug, "--no-wait")
    assert phase(target, slug) == "provisioning"
    t.run("instance", "wait", slug)
    assert phase(target, slug) == "active"
    # Which of the two commands sees the record INSYNC is the name servers' affair.
    return [line for line in t.lines if "INSYNC" not in line]


def wrong_image(target, slug):
    """An image that is not there is undone, with the reason."""
    t = Transcript(target, slug)
    create(t)
    begin = time.monotonic()
    _, err = t.run("instance", "provision", slug, expect=7, env={"BACKEND_IMAGE_TAG": "missing"})
    assert "ImagePullBackOff" in err and "backend" in err, err
    assert time.monotonic() - begin < 90
    nothing_left(target, slug)
    t.lines = [line for line in t.lines if line.startswith("$")]
    return t.lines


def crash_loop(target, slug):
    """A backend that crashes is undone, with its last log lines."""
    t = Transcript(target, slug)
    create(t)
    _, err = t.run("instance", "provision", slug, expect=7, env={"BACKEND_IMAGE_TAG": "crash"})
    assert "CrashLoopBackOff" in err and "MongoServerSelectionError" in err, err
    nothing_left(target, slug)
    t.lines = [line for line in t.lines if line.startswith("$")]
    return t.lines


def keep_and_mend(target, slug):
    """--keep-on-failure keeps it; with the cause mended the next run goes on."""
    t = Transcript(target, slug)
    create(t)
    _, err = t.run("instance", "provision", slug, "--keep-on-failure", expect=1, env={"BACKEND_IMAGE_TAG": "crash"})
    assert "CrashLoopBackOff" in err, err
    assert phase(target, slug) == "failed"
    target.kubectl("get", "namespace", "instance-" + slug)
    code, out, _ = target.run("status", slug)
    assert code == 1 and "CrashLoopBackOff" in out, out
    t.run("instance", "provision", slug)
    assert phase(target, slug) == "active"
    return [line for line in t.lines if line.startswith("$")]


def templates_with(target, name, text):
    folder = os.path.join(target.home, "templates-" + str(abs(hash(text)) % 10000))
    if not os.path.exists(folder):
        code, _, err = target.run("template", "eject", folder)
        assert code == 0, err
    path = os.path.join(folder, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as out:
        out.write(text)
    return folder


def without_volumes(target):
    """Templates whose profile stores nothing: what was uploaded goes with the volume, so that it has to be confirmed."""
    with open(os.path.join(harness.ROOT, "templates/app/litedesk.yaml")) as file:
        text = re.sub(r"  volumes:\n(  - .*\n)+", "", file.read())
    assert "uploads" not in text
    return templates_with(target, "app/litedesk.yaml", text)


def unbound_volume(target, slug):
    """Storage that is not to be had is named, and so is one that several pods cannot share."""
    t = Transcript(target, slug)
    create(t, "trial")
    _, err = t.run("instance", "provision", slug, "--timeout", "15s", expect=7, env={"LITEDESK_APP_STORAGE_CLASS": "gold"})
    assert re.search(r'PersistentVolumeClaim/uploads: ProvisioningFailed: storageclass.storage.k8s.io "gold" not found', err), err
    assert "unbound immediate PersistentVolumeClaims" in err, err
    nothing_left(target, slug)
    # One that a single node can mount is fine for one pod, and stays what it is.
    t.run("instance", "provision", slug, env={"LITEDESK_APP_ACCESS_MODE": "ReadWriteOnce"})
    t.run("instance", "plan", slug, "--exit-code")
    t.run("tenant", "update", slug, "--tier", "starter")
    _, err = t.run("instance", "plan", slug, expect=2)
    assert "the volume uploads of %s is ReadWriteOnce, and 2 pods would share it" % slug in err, err
    assert "keep one replica, or move its files" in err, err
    t.run("tenant", "create", "Several", "--email", "owner@acme.example", "--slug", slug + "-s", "--tier", "starter")
    _, err = t.run("instance", "provision", slug + "-s", expect=2, env={"LITEDESK_APP_ACCESS_MODE": "ReadWriteOnce"})
    assert "app.accessMode=ReadWriteMany" in err, err
    return [line for line in t.lines if line.startswith("$")]


def listens_elsewhere(target, slug):
    """An image that listens on another port than its profile says: the reason comes with the first probe that fails."""
    t = Transcript(target, slug)
    create(t)
    process = target.start("instance", "provision", slug, "--timeout", "20s", env={"FRONTEND_IMAGE_TAG": "elsewhere"})
    said(process, "frontend     Unhealthy: nothing listens on 80", 40)
    _, out, _ = target.run("status", slug)
    assert re.search(r"frontend +waiting +Unhealthy .*nothing listens on 80", out), out
    _, err = process.communicate(timeout=120)
    assert process.returncode == 7 and "frontend Unhealthy: nothing listens on 80" in err, err
    nothing_left(target, slug)
    return [line for line in t.lines if line.startswith("$")]


def profile_change(target, slug):
    """From one generation to the other and back: what encrypts stored data outlives both ways, and nothing secret is drawn anew."""
    t = Transcript(target, slug)
    create(t)
    t.run("instance", "provision", slug)

    def secret():
        return json.loads(target.kubectl("get", "secret", "app", "-n", "instance-" + slug, "-o", "json"))["data"]
    jwt = secret()
    assert list(jwt) == ["jwt-secret"], list(jwt)
    arivu = {"LITEDESK_APP_PROFILE": "arivu"}
    t.run("instance", "provision", slug, "--yes", env=arivu)
    new = secret()
    # It has encrypted with the token secret so far.
    assert new["mailbox-oauth-secret"] == new["jwt-secret"] == jwt["jwt-secret"], "a secret was drawn anew"
    names = target.kubectl("get", "deployments", "-n", "instance-" + slug, "-o", "name").split()
    assert sorted(names) == ["deployment.apps/" + each for each in ("backend", "backend-cron", "frontend")], names
    t.run("instance", "plan", slug, "--exit-code", env=arivu)
    code, out, _ = target.run("status", slug)
    assert code == 0 and "backend-cron" in out, out
    _, err = t.run("instance", "provision", slug, "--confirm", slug)
    assert "the profile litedesk has no secret mailbox-oauth-secret: it is kept in Secret app" in " ".join(err.split()), err
    assert secret() == new, "a secret that the profile dropped is gone"
    # What a context sets for the application, and a secret of it that is given once and kept.
    mail = {**arivu, "LITEDESK_APP_ENVIRONMENT": r"SMTP_HOST=smtp.example.com,INTERNAL_EMAIL_DOMAINS=a.example\,b.example"}
    t.run("instance", "provision", slug, "--yes", env={**mail, "LITEDESK_APP_SMTP_PASS": "hunter2-of-a-test"})
    t.run("instance", "plan", slug, "--exit-code", env=mail)
    backend = json.loads(target.kubectl("get", "deployment", "backend", "-n", "instance-" + slug, "-o", "json"))
    env = {each["name"]: each.get("value") for each in backend["spec"]["template"]["spec"]["containers"][0]["env"]}
    assert env["INTERNAL_EMAIL_DOMAINS"] == "a.example,b.example" and env["SMTP_PASS"] is None, env
    assert base64.b64decode(secret()["smtp-pass"]) == b"hunter2-of-a-test"
    # A volume that a failed run has made goes with its pods: the next run finds its name free.
    t.run("instance", "provision", slug, "--confirm", slug, env={"LITEDESK_TEMPLATES": without_volumes(target)})
    _, err = t.run("instance", "provision", slug, "--yes", expect=7, env={"BACKEND_IMAGE_TAG": "crash"})
    assert "it is back in its previous state" in err, err
    t.run("instance", "provision", slug, "--yes")
    return [line for line in t.lines if line.startswith("$")]


def own_templates(target, slug):
    """What templates of one's own added goes with them, and so does a custom domain that is taken away."""
    t = Transcript(target, slug)
    create(t)
    folder = templates_with(target, "instance/90-extra.yaml",
                            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: extra}\ndata: {tenant: \"${tenant.slug}\"}\n")
    domain = "crm-of-%s.litedesk.com" % slug
    t.run("tenant", "update", slug, "--custom-domain", domain)
    t.run("instance", "provision", slug, env={"LITEDESK_TEMPLATES": folder})
    extra = ["get", "configmap", "extra", "-n", "instance-" + slug, "-o", "jsonpath={.data.tenant}"]
    assert target.kubectl(*extra) == slug
    t.run("dns", "get", domain)
    # What the instance is reached by is not taken from under it.
    for host in (slug, domain):
        for adopt in ([], ["--adopt"]):
            _, err = t.run("dns", "delete", host, "--yes", *adopt, expect=4)
            assert "the host of tenant %s (active)" % slug in err and "litedesk status " + slug in err, err
            t.run("dns", "set", host, "--target", "elsewhere.example.com", *adopt, expect=4)
        t.run("dns", "get", host)
    t.run("tenant", "update", slug, "--custom-domain", "")
    out, _ = t.run("instance", "plan", slug)
    assert "ConfigMap" in out and domain in out, out
    t.run("instance", "provision", slug, expect=2)  # it deletes, and nobody said yes
    t.run("instance", "provision", slug, "--yes")
    code, _, _ = target.kubectl(*extra, check=False)
    assert code != 0
    t.run("dns", "get", domain, expect=3)
    t.run("instance", "plan", slug, "--exit-code")
    return [line for line in t.lines if line.startswith("$")]


def quota(target, slug):
    """Pods that the cluster administrator's quota refuses end it at once, and what was is there again."""
    t = Transcript(target, slug)
    create(t)
    t.run("instance", "provision", slug)
    space = "instance-" + slug
    manifest = os.path.join(harness.folder("quota"), "quota.yaml")
    with open(manifest, "w") as out:
        out.write("apiVersion: v1\nkind: ResourceQuota\nmetadata: {name: administrators}\nspec: {hard: {pods: 4}}\n")
    target.kubectl("apply", "--server-side", "--validate=false", "-n", space, "-f", manifest)
    target.kubectl("wait", "quota/administrators", "-n", space, "--for=jsonpath={.status.used.pods}=4", "--timeout=30s")
    begin = time.monotonic()
    _, err = t.run("instance", "provision", slug, expect=7, env={"BACKEND_IMAGE_TAG": "1.5.0"})
    assert "exceeded quota" in err and "administrators" in err, err
    assert time.monotonic() - begin < 30
    image = ["get", "deployment", "backend", "-n", space, "-o", "jsonpath={.spec.template.spec.containers[0].image}"]
    assert target.kubectl(*image) == "litedesk/crm-backend:1.4.2"
    assert phase(target, slug) == "active"
    return [line for line in t.lines if line.startswith("$")]


def time_out(target, slug):
    """What is slower than the time-out is undone (7), or kept (6), as asked; a kept one goes on."""
    t = Transcript(target, slug)
    create(t)
    slow = {"BACKEND_IMAGE_TAG": "slow"}
    _, err = t.run("instance", "provision", slug, "--timeout", "4s", expect=7, env=slow)
    nothing_left(target, slug)
    _, err = t.run("instance", "provision", slug, "--timeout", "4s", "--keep-on-failure", expect=6, env=slow)
    assert phase(target, slug) == "provisioning"
    t.run("instance", "provision", slug, env=slow)
    assert phase(target, slug) == "active"
    return [line for line in t.lines if line.startswith("$")]


def terminated_by_signal(target, slug):
    """SIGTERM undoes within the grace of a CI job, says how to go on, and exits 130."""
    t = Transcript(target, slug)
    create(t)
    process = target.start("instance", "provision", slug, env={"BACKEND_IMAGE_TAG": "slow"})
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        code, _, _ = target.kubectl("get", "deployment", "backend", "-n", "instance-" + slug, check=False)
        if code == 0:
            break
        time.sleep(0.05)
    begin = time.monotonic()
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130, "exit %s\n%s%s" % (process.returncode, out, err)
    assert time.monotonic() - begin < 10
    assert "undone" in err and "litedesk instance provision" in err, err
    assert out.count("active") == 0
    target.kubectl("wait", "--for=delete", "namespace/instance-" + slug, "--timeout=30s", check=False)
    nothing_left(target, slug)
    t.run("instance", "provision", slug)
    return [line for line in t.lines if line.startswith("$")]


def said(process, words, seconds=60):
    """Reads the process's standard error until it says so; returns what it said till then."""
    text, end = "", time.monotonic() + seconds
    while words not in text:
        line = process.stderr.readline()
        assert line and time.monotonic() < end, "no %r in:\n%s" % (words, text)
        text += line
    return text


def terminated_while_undoing(target, slug):
    """A signal while a failed run is undone does not break the undo."""
    t = Transcript(target, slug)
    create(t)
    process = target.start("instance", "provision", slug, env={"BACKEND_IMAGE_TAG": "crash"})
    text = said(process, "removing instance-" + slug)
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 7, "exit %s\n%s%s%s" % (process.returncode, text, out, err)
    target.kubectl("wait", "--for=delete", "namespace/instance-" + slug, "--timeout=30s", check=False)
    nothing_left(target, slug)
    return [line for line in t.lines if line.startswith("$")]


def stopped_for_a_while(target, slug):
    """A process that stood still for longer than its lock lasts takes the lock back and goes on."""
    t = Transcript(target, slug)
    create(t)
    process = target.start("instance", "provision", slug, env={"BACKEND_IMAGE_TAG": "slow"})
    said(process, "frontend     0/2")
    process.send_signal(signal.SIGSTOP)
    time.sleep(15)  # longer than the lock: nothing else tells that it has lapsed
    process.send_signal(signal.SIGCONT)
    out, err = process.communicate(timeout=90)
    assert process.returncode == 0, "exit %s\n%s%s" % (process.returncode, out, err)
    assert phase(target, slug) == "active"
    return [line for line in t.lines if line.startswith("$")]


def hung_holder(target, slug):
    """The lock of a process that hangs is taken over once it has lapsed, and the process stops when it wakes."""
    t = Transcript(target, slug)
    create(t)
    process = target.start("instance", "provision", slug, env={"BACKEND_IMAGE_TAG": "slow"})
    said(process, "frontend     0/2")
    process.send_signal(signal.SIGSTOP)
    time.sleep(14)  # its lock lapses
    t.run("instance", "provision", slug)
    process.send_signal(signal.SIGCONT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 4 and "lock" in err, "exit %s\n%s%s" % (process.returncode, out, err)
    assert phase(target, slug) == "active"
    t.run("instance", "plan", slug, "--exit-code")
    return [line for line in t.lines if line.startswith("$")]


def waits_for_another(target, slug):
    """`instance wait` watches a run that is at it; where the wish has changed since, it changes nothing."""
    t = Transcript(target, slug)
    create(t)
    process = target.start("instance", "provision", slug)
    said(process, "namespace    instance-")
    t.run("instance", "wait", slug)
    process.communicate(timeout=60)
    assert process.returncode == 0
    t.run("tenant", "update", slug, "--tier", "professional")
    t.run("instance", "wait", slug)
    t.run("instance", "plan", slug, "--exit-code", expect=10)
    return [line for line in t.lines if line.startswith("$")]


def saved_plan(target, slug):
    """A saved plan is done as it was saved, or refused."""
    t = Transcript(target, slug)
    create(t)
    t.run("instance", "plan", slug, "--out", "saved.plan")
    _, err = t.run("instance", "provision", slug, "--plan", "saved.plan", expect=4, env={"BACKEND_IMAGE_TAG": "1.5.0"})
    assert "the world has moved" in err, err
    assert re.search(r"kubernetes Deployment instance-%s/backend: .*containers\[backend\]\.image: \S+:1\.4\.2 -> \S+:1\.5\.0" % slug, err), err
    t.run("instance", "provision", slug, "--plan", "saved.plan")
    # A Secret that is drawn anew at each planning is no other plan.
    target.kubectl("delete", "secret", "database", "-n", "instance-" + slug)
    t.run("instance", "plan", slug, "--out", "saved.plan")
    t.run("instance", "provision", slug, "--plan", "saved.plan")
    return [line for line in t.lines if line.startswith("$")]


def two_at_once(target, slug):
    """Of two provisions at once one does it, and the other waits or is refused with the holder's name."""
    t = Transcript(target, slug)
    create(t)
    both = [target.start("instance", "provision", slug, env={"LITEDESK_BACKEND_IMAGE": "litedesk/crm-backend:1.4.2"}) for _ in range(2)]
    results = []
    for process in both:
        out, err = process.communicate(timeout=90)
        results.append((process.returncode, err))
    codes = sorted(code for code, _ in results)
    assert codes in ([0, 0], [0, 4]), results
    for code, err in results:
        if code == 4:
            assert "locked by" in err and "pid" in err, err
    assert phase(target, slug) == "active"
    return t.lines[:1]


def foreign_record(target, slug):
    """A DNS record that is not ours is not touched, and nothing is made."""
    t = Transcript(target, slug)
    create(t)
    import urllib.request  # noqa: F401
    aws(target, "change-resource-record-sets", "--hosted-zone-id", target.env["AWS_ROUTE53_HOSTED_ZONE_ID"], "--change-batch", json.dumps(
        {"Changes": [{"Action": "CREATE", "ResourceRecordSet": {"Name": slug + ".litedesk.com", "Type": "CNAME", "TTL": 60,
                                                                 "ResourceRecords": [{"Value": "elsewhere.example.com"}]}}]}))
    _, err = t.run("instance", "provision", slug, expect=4)
    assert "not owned" in err and "--adopt" in err, err
    code, _, _ = target.kubectl("get", "namespace", "instance-" + slug, check=False)
    assert code != 0

    def value():
        return next(record["values"] for record in target.json("dns", "get", slug)["items"] if record["type"] == "CNAME")

    t.run("instance", "provision", slug, "--adopt", expect=7, env={"BACKEND_IMAGE_TAG": "crash"})
    nothing_but_the_record = value()
    assert nothing_but_the_record == ["elsewhere.example.com"], nothing_but_the_record
    t.run("instance", "provision", slug, "--adopt")
    assert value() != ["elsewhere.example.com"]
    return [line for line in t.lines if line.startswith("$")]


def planted_namespace(target, slug):
    """A namespace that somebody prepared, with the registry's public mark, is not the tenant's; --adopt takes it over in sight."""
    t = Transcript(target, slug)
    create(t)
    name_space = "instance-" + slug
    registry = target.json("registry", "status")["id"]

    def plant():
        target.kubectl("create", "namespace", name_space)
        target.kubectl("annotate", "namespace", name_space, "litedesk.io/registry=" + registry)
        target.kubectl("-n", name_space, "create", "secret", "generic", "app", "--from-literal=jwt-secret=" + "known-to-eve-" * 4)
        target.kubectl("-n", name_space, "create", "configmap", "planted", "--from-literal=a=b")
        objects = os.path.join(harness.folder("planted"), "objects.json")
        with open(objects, "w") as out:
            json.dump({"apiVersion": "v1", "kind": "List", "items": [
                {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "open"},
                 "spec": {"podSelector": {}, "policyTypes": ["Egress"], "egress": [{}]}},
                {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingWebhookConfiguration", "metadata": {"name": "eyes-" + slug},
                 "webhooks": [{"name": "eyes.example.com", "clientConfig": {"url": "https://127.0.0.1:1/"}, "failurePolicy": "Ignore",
                               "timeoutSeconds": 1, "sideEffects": "None", "admissionReviewVersions": ["v1"],
                               "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name_space}},
                               "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["secrets"]}]}]},
                {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": "eve"},
                 "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "edit"},
                 "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "eve"}]}]}, out)
        target.kubectl("-n", name_space, "apply", "--server-side", "--validate=false", "-f", objects)

    def shows_all(text):
        text = re.sub(r"\s+", " ", text)
        for words in ("NetworkPolicy open was not made by litedesk", "RoleBinding eve was not made by litedesk: it lets User eve use ClusterRole edit",
                      "stands also: ConfigMap planted",
                      "MutatingWebhookConfiguration eyes-%s was not made by litedesk: it is shown its pods or Secrets" % slug):
            assert words in text, (words, text)

    plant()
    for verb in (["plan"], ["provision"], ["provision", "--dry-run"]):
        _, err = t.run("instance", *verb, slug, expect=4)
        assert "was not created for tenant" in err and "--adopt" in err, err
    assert target.kubectl("-n", name_space, "get", "deployments", "-o", "name") == ""
    shows_all(t.run("instance", "plan", slug, "--adopt")[0])
    # What was taken over stays when the provision fails, and is as it was.
    before = target.kubectl("-n", name_space, "get", "secret", "app", "-o", "jsonpath={.metadata.uid} {.data}")
    _, err = t.run("instance", "provision", slug, "--adopt", expect=7, env={"BACKEND_IMAGE_TAG": "crash"})
    shows_all(err)
    assert "nothing of it is left" not in err, err
    assert target.kubectl("-n", name_space, "get", "secret", "app", "-o", "jsonpath={.metadata.uid} {.data}") == before
    assert target.kubectl("-n", name_space, "get", "deployments,services", "-o", "name") == ""
    t.run("instance", "provision", slug, expect=4)  # taking over is said each time
    t.run("instance", "provision", slug, "--adopt")
    foreign = target.json("status", slug)["foreign"]
    assert {(o["kind"], o["name"]) for o in foreign} == {
        ("NetworkPolicy", "open"), ("RoleBinding", "eve"), ("MutatingWebhookConfiguration", "eyes-" + slug)}, foreign
    assert "RoleBinding/eve" in t.run("status", slug)[0]
    t.run("instance", "provision", slug)  # its own now
    # Another one in its place is not.
    target.kubectl("delete", "namespace", name_space, timeout=120)
    plant()
    _, err = t.run("instance", "provision", slug, expect=4)
    assert "was not created for tenant" in err, err
    target.kubectl("delete", "mutatingwebhookconfigurations", "eyes-" + slug)
    return [line for line in t.lines if line.startswith("$")]


def patched_record(target, slug):
    """What `tenant create` refuses is refused in a record that kubectl wrote: by the API server where it can tell, else by every plan."""
    t = Transcript(target, slug)
    create(t)
    other = slug + "-b"
    t.run("tenant", "create", "Other", "--email", "o@acme.example", "--slug", other)

    def tenant(name, **spec):
        path = os.path.join(harness.folder("tenant"), "tenant.json")
        with open(path, "w") as out:
            json.dump({"apiVersion": "litedesk.io/v1alpha1", "kind": "Tenant", "metadata": {"name": name},
                       "spec": {"slug": name, "displayName": "By hand", "tier": "starter", "placement": "dedicated", **spec}}, out)
        return target.kubectl("create", "--validate=false", "-f", path, check=False)

    for name, spec in (("www", {}), ("localhost", {}), ("cname-acme", {}), ("byhand", {"customDomain": "*.litedesk.com"}),
                       ("byhand", {"customDomain": "a b.example"}), ("byhand", {"customDomain": "Crm.Acme.example"}),
                       ("byhand", {"displayName": "a\nb"}), ("byhand", {"owner": {"email": "nobody"}})):
        code, _, err = tenant(name, **spec)
        assert code != 0 and ("invalid" in err.lower()), (name, spec, err)

    def patched(spec, expect, says, env=None):
        target.kubectl("patch", "tenants", slug, "--type=merge", "-p", json.dumps({"spec": spec}))
        for verb in (["plan"], ["provision"]):
            _, err = t.run("instance", *verb, slug, expect=expect, env=env)
            assert says in re.sub(r"\s+", " ", err), err
        assert target.kubectl("get", "namespace", "instance-" + slug, check=False)[0] != 0

    for domain in ("admin.litedesk.com", "litedesk.com", slug + ".litedesk.com", "a.b.litedesk.com"):
        patched({"customDomain": domain}, 2, "holds what litedesk refuses: --custom-domain " + domain)
    for env in (None, {"LITEDESK_DNS_STRATEGY": "wildcard"}):
        patched({"customDomain": other + ".litedesk.com"}, 4, "is tenant " + other + "'s", env)
    patched({"customDomain": None, "displayName": "Acme \u202ecmoc"}, 2, "the invisible character U+202E")
    target.kubectl("patch", "tenants", slug, "--type=merge", "-p", json.dumps({"spec": {"displayName": "Acme"}}))
    t.run("instance", "plan", slug)
    return t.lines


def aws(target, *arguments):
    env = {**target.env, "AWS_PAGER": "", "AWS_DEFAULT_REGION": "us-east-1"}
    env.pop("LITEDESK_HOME", None)
    done = subprocess.run(["aws", "route53", *arguments], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def weighted_record(target, slug):
    """Records with a routing policy are listed, and litedesk neither sets nor deletes them, whatever is said."""
    t = Transcript(target, slug)

    def change(action):
        aws(target, "change-resource-record-sets", "--hosted-zone-id", target.env["AWS_ROUTE53_HOSTED_ZONE_ID"], "--change-batch", json.dumps(
            {"Changes": [{"Action": action, "ResourceRecordSet": {
                "Name": slug + ".litedesk.com", "Type": "CNAME", "TTL": 60, "SetIdentifier": color, "Weight": weight,
                "ResourceRecords": [{"Value": color + ".example.com"}]}} for color, weight in (("blue", 70), ("green", 30))]}))

    change("CREATE")
    for adopt in ([], ["--adopt"]):
        for verb in (["delete", slug, "--yes"], ["set", slug]):
            _, err = t.run("dns", *verb, *adopt, expect=4)
            assert "(2 records)" in err and "CNAME blue: blue.example.com" in err and "CNAME green: green.example.com" in err, err
    out, _ = t.run("dns", "get", slug)
    assert re.search("blue.example.com .* blue$", out, re.M) and re.search("green.example.com .* green$", out, re.M), out
    change("DELETE")  # as they were made
    return t.lines


def upgrade(target, slug):
    """Another image is an update of one Deployment, field by field; a bad one is rolled back to what was."""
    t = Transcript(target, slug)
    create(t)
    t.run("instance", "provision", slug)
    out, _ = t.run("instance", "plan", slug, env={"BACKEND_IMAGE_TAG": "1.5.0"})
    assert "1.4.2" in out and "1.5.0" in out, out
    t.run("instance", "provision", slug, env={"BACKEND_IMAGE_TAG": "1.5.0"})
    image = ["get", "deployment", "backend", "-n", "instance-" + slug, "-o", "jsonpath={.spec.template.spec.containers[0].image}"]
    assert target.kubectl(*image) == "litedesk/crm-backend:1.5.0"
    t.run("instance", "provision", slug, expect=7, env={"BACKEND_IMAGE_TAG": "crash"})
    assert target.kubectl(*image) == "litedesk/crm-backend:1.5.0", target.kubectl(*image)
    assert phase(target, slug) == "active"
    return [line for line in t.lines if line.startswith("$")]


def foreign_field(target, slug):
    """A field that somebody else took over is a conflict that names them, and nothing is changed."""
    t = Transcript(target, slug)
    create(t)
    t.run("instance", "provision", slug)
    target.kubectl("scale", "deployment", "frontend", "-n", "instance-" + slug, "--replicas=3")
    out, _ = t.run("instance", "plan", slug)
    assert "spec.replicas: 3" in out and "kubectl" in out, out
    _, err = t.run("instance", "provision", slug, expect=4)
    assert "replicas" in err and "--force-conflicts" in err, err
    replicas = ["get", "deployment", "frontend", "-n", "instance-" + slug, "-o", "jsonpath={.spec.replicas}"]
    assert target.kubectl(*replicas) == "3"
    t.run("instance", "provision", slug, "--force-conflicts")
    assert target.kubectl(*replicas) == "2"
    return [line for line in t.lines if line.startswith("$")]


TENANT = """apiVersion: litedesk.io/v1alpha1
kind: Tenant
metadata: {name: %s}
spec:
  slug: %s
  displayName: Past litedesk
  tier: starter
  placement: dedicated
  customDomain: %s
  owner: {email: owner@acme.example}
"""


def one_host(target, slug):
    """Of several registrations of one custom domain at once one succeeds; one made past litedesk ends at its provision."""
    t = Transcript(target, slug)
    domain = slug + ".example.net"
    slugs = ["%s%d" % (slug[:28], number) for number in range(6)]
    running = [target.start("tenant", "create", "Acme " + each, "--email", "owner@acme.example", "--slug", each, "--tier", "starter",
                            "--custom-domain", domain) for each in slugs]
    ended = [(process.communicate(timeout=60), process.returncode) for process in running]
    codes = [code for _, code in ended]
    assert sorted(codes) == [0, 4, 4, 4, 4, 4], ended
    winner = slugs[codes.index(0)]
    for (_, err), code in ended:
        assert code == 0 or "%s is the custom domain of tenant %s" % (domain, winner) in err, err
    tenant = os.path.join(harness.folder("tenant"), "tenant.yaml")
    with open(tenant, "w") as out:
        out.write(TENANT % (slug, slug, domain))
    target.kubectl("apply", "--validate=false", "-f", tenant)
    for verb in ("plan", "provision"):
        _, err = t.run("instance", verb, slug, expect=4)
        assert "is tenant %s's custom domain" % winner in err and "litedesk tenant update %s --custom-domain" % slug in err, err
        assert "--adopt" not in err, err
    t.run("tenant", "update", slug, "--custom-domain", "other-" + domain)
    t.run("instance", "provision", slug)
    # The winner gives it up: it is free at once.
    t.target.run("tenant", "update", winner, "--custom-domain", "")
    t.run("tenant", "update", slug, "--custom-domain", domain)
    return [line.replace(winner, "WINNER") for line in t.lines if line.startswith("$")]


def other_tier(target, slug):
    """A tier up adds the autoscaler, a tier down takes it away again."""
    t = Transcript(target, slug)
    create(t)
    t.run("instance", "provision", slug)
    replicas = ["get", "deployment", "backend", "-n", "instance-" + slug, "-o", "jsonpath={.spec.replicas}"]
    t.run("tenant", "update", slug, "--tier", "enterprise")
    t.run("instance", "provision", slug)
    target.kubectl("get", "hpa", "backend", "-n", "instance-" + slug)
    assert target.kubectl(*replicas) == "2", target.kubectl(*replicas)  # the autoscaler's now, and not reset to 1
    # As an autoscaler does: the number is the controller manager's from here on.
    target.kubectl("scale", "deployment", "backend", "-n", "instance-" + slug, "--replicas=4")
    t.run("instance", "provision", slug)
    assert target.kubectl(*replicas) == "4", target.kubectl(*replicas)
    t.run("tenant", "update", slug, "--tier", "starter")
    t.run("instance", "provision", slug, "--yes")
    assert target.kubectl(*replicas) == "2", target.kubectl(*replicas)
    code, _, _ = target.kubectl("get", "hpa", "backend", "-n", "instance-" + slug, check=False)
    assert code != 0
    return [line for line in t.lines if line.startswith("$")]


ROLE = """apiVersion: v1
kind: ServiceAccount
metadata: {name: limited, namespace: default}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: limited}
rules:
- apiGroups: ["", networking.k8s.io, policy, autoscaling, batch, cert-manager.io, litedesk.io, apiextensions.k8s.io]
  resources: ["*"]
  verbs: ["*"]
- apiGroups: [apps]
  resources: [deployments, replicasets]
  verbs: [get, list, watch]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: limited}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: limited}
subjects: [{kind: ServiceAccount, name: limited, namespace: default}]
"""


def as_somebody(target, account):
    """The target with the rights of a ServiceAccount of the namespace default."""
    text = json.loads(target.kubectl("config", "view", "--raw", "-o", "json"))
    text["users"] = [{"name": account, "user": {"token": target.kubectl("create", "token", account).strip()}}]
    text["contexts"] = [{"name": account, "context": {"cluster": text["clusters"][0]["name"], "user": account}}]
    text["current-context"] = account
    path = os.path.join(harness.folder("kubeconfig"), "config")
    with open(path, "w") as out:
        json.dump(text, out)
    other = harness.Target(target.name, target.values, kubeconfig=path)
    return other


def refused_permission(target, slug):
    """Where the role lacks a right, the run ends at once with the API server's own words, and nothing is left."""
    role = os.path.join(harness.folder("role"), "role.yaml")
    with open(role, "w") as out:
        out.write(ROLE)
    target.kubectl("apply", "-f", role)
    limited = as_somebody(target, "limited")
    t = Transcript(limited, slug)
    create(t)
    begin = time.monotonic()
    _, err = t.run("instance", "provision", slug, expect=7)
    assert time.monotonic() - begin < 20
    assert 'cannot patch resource "deployments" in API group "apps"' in err, err
    nothing_left(target, slug)
    # Nobody's account cannot even read the registry: nothing is tried.
    code, _, _ = target.kubectl("create", "serviceaccount", "nobody", check=False)
    nobody = as_somebody(target, "nobody")
    code, _, err = nobody.run("instance", "provision", slug)
    assert code == 5 and "cannot get resource" in err and "litedesk" in err, "exit %d\n%s" % (code, err)
    return [line for line in t.lines if line.startswith("$")]


def documented_rights():
    """The rules of a ClusterRole as docs/contexts-and-settings.md has them."""
    rules = []
    with open(os.path.join(harness.ROOT, "docs", "contexts-and-settings.md")) as document:
        text = document.read().split("## Rights", 1)[1].split("\n## ", 1)[0]
    for row in re.findall(r"^\| ([a-z.0-9-]+) \| ([a-z/, ]+) \| ([a-z, ]+)", text, re.M):
        group, resources, verbs = (cell.strip() for cell in row)
        rules.append({"apiGroups": ["" if group == "core" else group], "resources": resources.split(", "), "verbs": verbs.split(", ")})
    assert len(rules) > 10, rules
    return rules


def used_rights(traces):
    """The (API group, resource, verb) of each Kubernetes request; what only asks which kinds there are needs none of one's own."""
    used = set()
    for name in os.listdir(traces):
        with open(os.path.join(traces, name)) as trace:
            text = trace.read()
        statuses = dict(re.findall(r"kubernetes < #(\d+) (\d+)", text))
        for number, method, target in re.findall(r"kubernetes > #(\d+) (\w+) https?://[^/]+(\S*)", text):
            path, _, query = target.partition("?")
            parts = path.strip("/").split("/")
            group, rest = ("core", parts[2:]) if parts[0] == "api" else (parts[1], parts[3:])
            if rest and rest[0] == "namespaces" and len(rest) > 2:
                rest = rest[2:]
            if not rest:
                continue
            resource = rest[0] + ("/" + rest[2] if len(rest) > 2 else "")
            verb = {"POST": "create", "PATCH": "patch", "DELETE": "delete"}.get(method) or (
                "watch" if "watch=" in query else "get" if len(rest) > 1 else "list")
            used.add((group, resource, verb))
            if method == "PATCH" and statuses.get(number) == "201":
                used.add((group, resource, "create"))
    return used


ONE_OF_EACH = """\
{apiVersion: v1, kind: Secret, metadata: {name: extra}, data: {a: Yg==}}
{apiVersion: v1, kind: ServiceAccount, metadata: {name: extra}}
{apiVersion: v1, kind: Service, metadata: {name: extra}, spec: {selector: {a: b}, ports: [{port: 80}]}}
{apiVersion: v1, kind: ResourceQuota, metadata: {name: extra}, spec: {hard: {configmaps: "9"}}}
{apiVersion: v1, kind: LimitRange, metadata: {name: extra}, spec: {limits: [{type: Pod, max: {cpu: "9"}}]}}
{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: extra}, spec: {podSelector: {matchLabels: {a: b}}}}
{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: extra}, spec: {defaultBackend: {service: {name: extra, port: {number: 80}}}}}
{apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {name: extra}, spec: {maxUnavailable: 1, selector: {matchLabels: {a: b}}}}
{apiVersion: cert-manager.io/v1, kind: Certificate, metadata: {name: extra}, spec: {secretName: extra-tls, dnsNames: [a.example], issuerRef: {name: letsencrypt-prod, kind: ClusterIssuer}}}
{apiVersion: apps/v1, kind: Deployment, metadata: {name: extra}, spec: {replicas: 0, selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: a, image: "a:1"}]}}}}
{apiVersion: batch/v1, kind: Job, metadata: {name: extra}, spec: {template: {spec: {restartPolicy: Never, serviceAccountName: litedesk, securityContext: {runAsNonRoot: true, runAsUser: 1001, seccompProfile: {type: RuntimeDefault}}, containers: [{name: a, image: "a:1", securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}}]}}}}
"""


def enough_rights(target, slug):
    """The rights that the documentation names are enough to provision, to change, to look and to undo, and none is too many."""
    role = os.path.join(harness.folder("role"), "role.json")
    with open(role, "w") as out:
        json.dump({"apiVersion": "v1", "kind": "List", "items": [
            {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "enough", "namespace": "default"}},
            {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "enough"}, "rules": documented_rights()},
            {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": "enough"},
             "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "enough"},
             "subjects": [{"kind": "ServiceAccount", "name": "enough", "namespace": "default"}]}]}, out)
    target.kubectl("apply", "-f", role)
    t = Transcript(as_somebody(target, "enough"), slug)
    traces = t.target.traced()
    t.run("registry", "status")
    create(t, "enterprise")
    t.run("instance", "provision", slug, expect=7, env={"BACKEND_IMAGE_TAG": "crash"})
    nothing_left(target, slug)
    t.run("instance", "provision", slug)
    t.run("tenant", "update", slug, "--tier", "starter")
    t.run("instance", "provision", slug, "--yes")
    _, err = t.run("status", slug)
    assert "not permitted" not in err, err
    _, out, err = t.target.run("status")  # its exit code tells of every tenant
    assert slug in out and "forbidden" not in err, err
    folder = templates_with(target, "instance/90-extra.yaml", ONE_OF_EACH.replace("\n{", "\n---\n{"))
    t.run("instance", "provision", slug, env={"LITEDESK_TEMPLATES": folder})
    t.run("instance", "provision", slug, "--confirm", slug)
    t.run("instance", "provision", slug, "--confirm", slug, env={"LITEDESK_TEMPLATES": without_volumes(target)})
    t.run("tenant", "create", "Spare", "--email", "o@acme.example", "--slug", slug + "-s")
    t.run("tenant", "list")
    # Its host is claimed by nobody any more: who comes next takes the claim over.
    target.kubectl("delete", "tenants", slug + "-s")
    t.run("tenant", "create", "Spare", "--email", "o@acme.example", "--slug", slug + "-s")
    t.run("tenant", "delete", slug + "-s", "--yes")
    t.run("registry", "install")
    documented = {(rule["apiGroups"][0] or "core", resource, verb) for rule in documented_rights()
                  for resource in rule["resources"] for verb in rule["verbs"]}
    used = used_rights(traces)
    # A namespace takes what is in it along, and the registry is there already.
    spared = {("apiextensions.k8s.io", "customresourcedefinitions", "create")}
    assert used <= documented and documented - used <= spared, (sorted(used - documented), sorted(documented - used - spared))
    return t.lines


def enough_dns_rights(target, slug):
    """The IAM actions that the documentation names are enough, and without any one of them something is refused."""
    with open(os.path.join(harness.ROOT, "docs", "contexts-and-settings.md")) as document:
        actions = re.findall(r"`(route53:\w+)`", document.read().split("## Rights", 1)[1].split("\n## ", 1)[0])
    assert len(actions) == 4, actions
    admin = {"AWS_" + name: value for name, value in target.iam.items()}

    def iam(*arguments):
        env = {**target.env, **admin, "AWS_PAGER": "", "AWS_DEFAULT_REGION": "us-east-1"}
        done = subprocess.run(["aws", "iam", *arguments, "--output", "json"], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout or "null")

    def user(number, allowed):
        name = "%s-%d" % (slug, number)
        iam("create-user", "--user-name", name)
        iam("put-user-policy", "--user-name", name, "--policy-name", "dns", "--policy-document", json.dumps(
            {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": allowed, "Resource": "*"}]}))
        key = iam("create-access-key", "--user-name", name)["AccessKey"]
        values = {**target.values, "AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}
        values.pop("AWS_ROUTE53_HOSTED_ZONE_ID")  # found by the domain's name
        return harness.Target(target.name, values, kubeconfig=target.values["KUBECONFIG"])

    def tried(who, number):
        """The exit codes and what was said, of everything that asks Route 53."""
        name = "%s-n%d" % (slug, number)
        runs = [who.run("dns", *words) for words in (["list"], ["set", name, "--wait"], ["get", name], ["delete", name, "--yes", "--wait"])]
        return [code for code, _, _ in runs], "".join(err for _, _, err in runs)

    enough = user(0, actions)
    codes, err = tried(enough, 0)
    assert codes == [0, 0, 0, 0], (codes, err)
    t = Transcript(enough, slug)
    create(t)
    t.run("instance", "provision", slug)
    t.run("status", slug)
    for number, left_out in enumerate(actions, 1):
        codes, err = tried(user(number, [action for action in actions if action != left_out]), number)
        if left_out == "route53:GetChange":
            # There a change is INSYNC at once, and nobody asks for it; where it takes time, somebody does.
            trace = os.path.join(harness.folder("trace"), "trace")
            code, _, err = target.run("--sandbox", "dns", "set", slug, "--wait", "--trace", trace)
            with open(trace) as text:
                assert code == 0 and "GET http://127.0.0.1" in (asked := text.read()) and "/2013-04-01/change/" in asked, err
            continue
        assert 5 in codes and left_out in err, (left_out, codes, err)
    return t.lines


# What the sandbox has nothing of (it knows no roles).
PEERS_ONLY = [refused_permission, enough_rights, enough_dns_rights]
ALL = [happy, no_wait, wrong_image, crash_loop, keep_and_mend, quota, time_out, terminated_by_signal, two_at_once, planted_namespace, patched_record, foreign_record,
       weighted_record, upgrade, foreign_field, other_tier, own_templates, terminated_while_undoing, stopped_for_a_while, hung_holder, waits_for_another,
       saved_plan, one_host, unbound_volume, listens_elsewhere, profile_change]
