#!/usr/bin/env python3
"""Other people's clients against `litedesk sandbox serve`: kubectl's and aws's verbs do what they do with the real services."""
import json
import os
import shutil
import subprocess
import sys
import time

import harness

SERVE = harness.Serve(harness.folder("sandbox"), "--time-scale", "0.2")
TARGET = harness.Target("clients", SERVE.values, extra={"BACKEND_IMAGE_TAG": "1.4.2"})
ENV = {**TARGET.env, "AWS_PAGER": ""}
SPACE = "instance-clients"


def call(*arguments, code=0, stdin=None, timeout=60):
    done = subprocess.run(arguments, env=ENV, input=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=timeout)
    shown = "%s: exit %d\n%s%s" % (" ".join(arguments[:6]), done.returncode, done.stdout, done.stderr)
    assert done.returncode in (code if isinstance(code, tuple) else (code,)), shown
    return done.stdout + (done.stderr if code else "")


def kubectl(*arguments, **more):
    return call("kubectl", *arguments, **more)


def has(text, *words):
    for word in words:
        assert word in text, "no %r in:\n%s" % (word, text)


def get():
    has(kubectl("get", "all", "-n", SPACE), "pod/backend-", "service/frontend", "deployment.apps/backend", "2/2", "replicaset.apps/backend-")
    has(kubectl("get", "deploy,ing,netpol,pdb,quota,limits,secrets,sa,certificates", "-n", SPACE, "-o", "name"),
        "deployment.apps/backend", "ingress.networking.k8s.io/litedesk", "secret/database", "certificate.cert-manager.io/tls")
    has(kubectl("get", "tenants"), "PHASE", "clients", "active")
    items = json.loads(kubectl("get", "pods", "-n", SPACE, "-l", "app.kubernetes.io/component=backend", "-o", "json"))["items"]
    assert len(items) == 2 and all(p["status"]["phase"] == "Running" for p in items)
    image = kubectl("get", "deploy", "backend", "-n", SPACE, "-o", "jsonpath={.spec.template.spec.containers[0].image}")
    assert image == "litedesk/crm-backend:1.4.2", image
    has(kubectl("get", "deploy", "nothing", "-n", SPACE, code=1), 'deployments.apps "nothing" not found')
    has(kubectl("get", "events", "-n", SPACE), "SuccessfulCreate")


def describe():
    has(kubectl("describe", "deploy", "backend", "-n", SPACE), "NewReplicaSetAvailable", "ScalingReplicaSet", "MONGODB_URI:")
    has(kubectl("describe", "pod", "-n", SPACE, "-l", "app.kubernetes.io/component=frontend"), "Scheduled", "Started container")
    has(kubectl("describe", "quota", "-n", SPACE), "requests.cpu")
    has(kubectl("describe", "ns", SPACE), "Resource Limits")


def logs():
    has(kubectl("logs", "deploy/backend", "-n", SPACE, "--tail", "1"), "listening")


def wait_and_rollout():
    has(kubectl("wait", "--for=condition=Available", "deploy", "--all", "-n", SPACE, "--timeout=20s"), "backend condition met")
    kubectl("delete", "pod", "-n", SPACE, "-l", "app.kubernetes.io/component=frontend", "--wait=false")
    has(kubectl("rollout", "status", "deploy/frontend", "-n", SPACE, "--timeout=30s"), "successfully rolled out")
    kubectl("set", "image", "deploy/frontend", "-n", SPACE, "frontend=litedesk/crm-frontend:1.5.0")
    has(kubectl("rollout", "status", "deploy/frontend", "-n", SPACE, "--timeout=30s"), "successfully rolled out")
    kubectl("wait", "--for=jsonpath={.status.updatedReplicas}=2", "deploy/frontend", "-n", SPACE, "--timeout=20s")


def apply():
    def text(value):
        return "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: hello, namespace: %s}\ndata: {a: '%s'}\n" % (SPACE, value)
    server_side = ["apply", "--server-side", "--validate=false", "-f", "-"]
    has(kubectl(*server_side, stdin=text(1)), "serverside-applied")
    has(kubectl(*server_side, "--field-manager=other", stdin=text(2), code=1), 'conflict with "kubectl"', ".data.a")
    has(kubectl(*server_side, "--field-manager=other", "--force-conflicts", stdin=text(2)), "serverside-applied")
    assert kubectl("get", "cm", "hello", "-n", SPACE, "-o", "jsonpath={.data.a}") == "2"
    has(kubectl("delete", "cm", "hello", "-n", SPACE), "deleted")
    has(kubectl("get", "cm", "hello", "-n", SPACE, code=1), "not found")


def watch():
    process = subprocess.Popen(["kubectl", "get", "cm", "-n", SPACE, "--watch-only", "-o", "name"], env=ENV, stdout=subprocess.PIPE)
    try:
        deadline = time.monotonic() + 20
        number = 0
        os.set_blocking(process.stdout.fileno(), False)
        seen = b""
        while b"configmap/w" not in seen:
            assert time.monotonic() < deadline, "the watch showed nothing"
            kubectl("create", "cm", "w%d" % number, "-n", SPACE)
            number += 1
            try:
                seen += os.read(process.stdout.fileno(), 65536)
            except BlockingIOError:
                pass  # nothing yet
    finally:
        process.kill()
        process.wait()


def route53():
    def aws(*arguments, **more):
        return call("aws", "route53", *arguments, **more)
    zone = ENV["AWS_ROUTE53_HOSTED_ZONE_ID"]
    assert [z["Name"] for z in json.loads(aws("list-hosted-zones"))["HostedZones"]] == ["litedesk.com."]
    assert json.loads(aws("list-hosted-zones-by-name", "--dns-name", "litedesk.com"))["HostedZones"][0]["Id"] == "/hostedzone/" + zone
    names = [r["Name"] for r in json.loads(aws("list-resource-record-sets", "--hosted-zone-id", zone))["ResourceRecordSets"]]
    assert "clients.litedesk.com." in names and "cname-clients.litedesk.com." in names, names

    def batch(action, value="10.0.0.1"):
        return json.dumps({"Changes": [{"Action": action, "ResourceRecordSet": {"Name": "x.litedesk.com", "Type": "A", "TTL": 60,
                                                                                "ResourceRecords": [{"Value": value}]}}]})
    change = json.loads(aws("change-resource-record-sets", "--hosted-zone-id", zone, "--change-batch", batch("CREATE")))["ChangeInfo"]
    assert change["Status"] == "PENDING", change
    has(aws("change-resource-record-sets", "--hosted-zone-id", zone, "--change-batch", batch("CREATE"), code=AWS_ERROR),
        "InvalidChangeBatch", "already exists")
    deadline = time.monotonic() + 30
    while json.loads(aws("get-change", "--id", change["Id"]))["ChangeInfo"]["Status"] != "INSYNC":
        assert time.monotonic() < deadline, "the change is still PENDING"
    has(aws("change-resource-record-sets", "--hosted-zone-id", zone, "--change-batch", batch("DELETE", "10.9.9.9"), code=AWS_ERROR), "do not match")
    aws("change-resource-record-sets", "--hosted-zone-id", zone, "--change-batch", batch("DELETE"))


def beside_another_process():
    """Commands on the same folder come and go while it is served; none takes the state from under the server."""
    env = {"LITEDESK_HOME": SERVE.directory, "LITEDESK_CONTEXT": "sandbox", "LITEDESK_SANDBOX_TIME_SCALE": "0"}
    for name in ("one", "two"):
        for arguments in (("tenant", "create", name, "--email", "a@b.example", "--slug", "beside-" + name, "--tier", "starter"),
                          ("instance", "provision", "beside-" + name, "--timeout", "60s")):
            code, _, err = TARGET.run(*arguments, env=env)
            assert code == 0, err
        has(kubectl("get", "ns"), "instance-beside-" + name)
        kubectl("create", "cm", "beside", "-n", "instance-beside-" + name)
    has(kubectl("get", "cm", "-A"), "beside")


def delete_namespace():
    has(kubectl("delete", "ns", SPACE, "--timeout=60s"), "deleted")
    has(kubectl("get", "ns", SPACE, code=1), "not found")


AWS_ERROR = (254, 255)  # of version 2 and of version 1
ALL = [("kubectl", get), ("kubectl", describe), ("kubectl", logs), ("kubectl", wait_and_rollout), ("kubectl", apply), ("kubectl", watch),
       ("aws", route53), ("kubectl", beside_another_process), ("kubectl", delete_namespace)]


def main():
    for arguments in (("registry", "install"), ("tenant", "create", "Clients", "--email", "a@b.example", "--slug", "clients", "--tier", "starter"),
                      ("instance", "provision", "clients", "--timeout", "60s")):
        code, _, err = TARGET.run(*arguments)
        assert code == 0, err
    passed = failed = skipped = 0
    for program, case in ALL:
        if not shutil.which(program):
            print("SKIPPED %s: there is no %s" % (case.__name__, program))
            skipped += 1
            continue
        if harness.passes(case):
            passed += 1
        else:
            failed += 1
    harness.main_summary(passed, failed, skipped)


if __name__ == "__main__":
    sys.exit(main())
