#!/usr/bin/env python3
"""`litedesk sandbox serve`: one process a folder, in the background if so asked, and docs/sandbox.md as it is pasted."""
import json
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import urllib.error
import urllib.parse
import urllib.request

import harness

HOME = harness.folder("serve")
ENV = {k: os.environ[k] for k in harness.PASSED_ON if k in os.environ}
ENV.update({"HOME": HOME, "LITEDESK_HOME": HOME, "NO_COLOR": "1"})


def sandbox(*words, code=0, cwd=HOME):
    done = subprocess.run([harness.LITEDESK, "sandbox", *words], env=ENV, cwd=cwd, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=120)
    assert done.returncode == code, "%s: exit %d\n%s%s" % (words, done.returncode, done.stdout, done.stderr)
    return done.stdout, done.stderr


def status(folder):
    return json.loads(sandbox("status", "--dir", folder, "-o", "json")[0])


def answers(values):
    """Whether the API server that the variables lead to takes their token."""
    with open(values["KUBECONFIG"]) as config:
        text = config.read()
    url = re.search(r'server: "(.*)"', text).group(1)
    token = re.search(r'token: "(.*)"', text).group(1)
    request = urllib.request.Request(url + "/version", headers={"Authorization": "Bearer " + token})
    with urllib.request.urlopen(request, timeout=20) as answer:
        return answer.status == 200


def gone(pid):
    """Whether the process has ended: it is not ours, so that its number must be free."""
    try:
        with open("/proc/%d/stat" % pid) as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] in "ZX"
    except FileNotFoundError:
        return True


def a_folder_is_served_once():
    served = harness.Serve(harness.folder("once"), "--time-scale", "0")
    folder = os.path.join(served.directory, "sandbox")
    with open(served.values["KUBECONFIG"]) as config:
        before = config.read()
    port = re.search(r":(\d+)/", before).group(1)
    os.symlink(folder, os.path.join(served.directory, "link"))
    for words in (("--dir", folder), ("--dir", folder + "/"), ("--dir", "link"), ("--dir", folder, "--detach")):
        out, err = sandbox("serve", *words, code=4, cwd=served.directory)
        assert not out, out
        for part in ("process %d" % served.process.pid, port, "sandbox stop --dir", "/exports"):
            assert part in err, (words, part, err)
    error = json.loads(sandbox("serve", "--dir", folder, "--detach", "-o", "json", code=4)[1])["error"]
    assert error["code"] == "conflict", error
    with open(served.values["KUBECONFIG"]) as config:
        assert config.read() == before
    assert answers(served.values)
    server = status(folder)["server"]
    assert server["pid"] == served.process.pid and server["log"] is None, server
    sandbox("reset", "--dir", folder, "--confirm", "sandbox", code=4)

    # One that was killed leaves its place.
    served.process.send_signal(signal.SIGKILL)
    served.process.wait(20)
    assert status(folder)["server"] is None
    values = harness.exports(sandbox("serve", "--dir", folder, "--detach", "--time-scale", "0")[0])
    assert answers(values)
    assert status(folder)["server"]["pid"] != served.process.pid
    sandbox("stop", "--dir", folder)


def in_the_background():
    folder = os.path.join(harness.folder("detached"), "a sandbox")
    out, err = sandbox("serve", "--detach", "--dir", folder, "--time-scale", "0", "-v", "--fault", "route53:throttle:1")
    values = harness.exports(out)
    assert len(values) == 14 and not err, (values, err)
    assert answers(values)
    with open(os.path.join(folder, "exports")) as lines:
        assert harness.exports(lines.read()) == values
    server = status(folder)["server"]
    with open(server["log"]) as log:
        assert "kubernetes GET /version 200" in log.read()
    text = sandbox("status", "--dir", folder)[0]
    for part in ("by process %d" % server["pid"], server["kubernetes"], server["log"]):
        assert part in text, text
    with open("/proc/%d/stat" % server["pid"]) as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    assert int(fields[3]) == server["pid"], "it is in the session of the one that started it"

    # Its end does not wait for a watch, and is told.
    url = urllib.parse.urlparse(server["kubernetes"])
    watch = socket.create_connection((url.hostname, url.port), timeout=20)
    token = re.search(r'token: "(.*)"', open(os.path.join(folder, "kubeconfig")).read()).group(1)
    watch.sendall(b"GET /api/v1/namespaces?watch=1 HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n\r\n" % token.encode())
    seen = b""
    while b"ADDED" not in seen:
        seen += watch.recv(65536)
        assert seen, "the watch was closed"
    out = sandbox("stop", "--dir", folder)[0]
    assert "process %d no longer serves" % server["pid"] in out, out
    assert gone(server["pid"])
    select.select([watch], [], [], 20)
    watch.close()
    done = json.loads(sandbox("stop", "--dir", folder, "-o", "json")[0])
    assert done == {"folder": folder, "stopped": False, "pid": None}, done
    sandbox("reset", "--dir", folder, "--confirm", "sandbox")


def whoever_has_no_key_gets_nothing():
    """Other users of the machine and web pages reach its ports, too; keys are drawn at each start, and no log has them."""
    folder = os.path.join(harness.folder("keys"), "s")

    def start():
        values = harness.exports(sandbox("serve", "--dir", folder, "--detach", "--time-scale", "0", "-v")[0])
        with open(values["KUBECONFIG"]) as config:
            text = config.read()
        return values, re.search(r'token: "(.*)"', text).group(1), status(folder)["server"]

    def http(url, headers=None, data=None, method=None):
        request = urllib.request.Request(url, headers=headers or {}, data=data, method=method)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code

    values, token, server = start()
    api, bearer = server["kubernetes"], {"Authorization": "Bearer " + token}
    for path in ("/version", "/api/v1/secrets", "/healthz", "/openapi/v3", "/" + "0" * 48 + "/version", "/" + token[:-1] + "x/version"):
        assert http(api + path) == 401, path
    assert http(api + "/version", {"Authorization": "Bearer sandbox-token"}) == 401
    assert http(api + "/version", bearer) == http(api + "/" + token + "/version") == 200
    space = json.dumps({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "page"}}).encode()
    for content in (None, "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        # urllib names a type of its own where none is given
        assert http(api + "/api/v1/namespaces", {**bearer, "Content-Type": content or ""}, space) == 415, content
    assert http(api + "/api/v1/namespaces", {**bearer, "Content-Type": "application/json", "Origin": "http://evil.example"}, space) == 403
    assert http(api + "/api/v1/namespaces", {**bearer, "Content-Type": "application/json"}, space) == 201
    with open(server["log"]) as log:
        assert token not in log.read()
    sandbox("stop", "--dir", folder)
    again, other, server = start()
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "MONGODB_ATLAS_API_KEY", "MONGODB_ATLAS_API_SECRET", "MONGODB_ATLAS_CLIENT_SECRET"):
        assert again[name] != values[name], name
    assert other != token and http(server["kubernetes"] + "/version", bearer) == 401
    sandbox("stop", "--dir", folder)


def an_older_registry_is_brought_up_to_date():
    """The sandbox does it by itself; in a cluster it is said what to do, before anything is made."""
    if not shutil.which("kubectl"):
        print("SKIPPED a registry of an older edition: there is no kubectl")
        return
    home = harness.folder("older")
    folder = os.path.join(home, "sandbox")
    values = harness.exports(sandbox("serve", "--detach", "--dir", folder, "--time-scale", "0")[0])

    def ages():
        done = subprocess.run(["kubectl", "patch", "crd", "tenants.litedesk.io", "--type=json", "-p", json.dumps([
            {"op": "remove", "path": "/spec/versions/0/schema/openAPIV3Schema/properties/status/properties/namespace"},
            {"op": "replace", "path": "/metadata/annotations/litedesk.io~1schema", "value": "2"}])],
            env={**ENV, **values, "HOME": home}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60)
        assert done.returncode == 0, done.stderr

    def litedesk(*words, code=0, env=None):
        done = subprocess.run([harness.LITEDESK, *words], env={**ENV, "HOME": home, "LITEDESK_HOME": home, "LITEDESK_SANDBOX_TIME_SCALE": "0", **(env or {})},
                              cwd=home, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=120)
        assert done.returncode == code, (words, done.stdout, done.stderr)
        return done.stderr

    litedesk("--sandbox", "tenant", "create", "Acme", "--email", "a@b.example", "-q")
    ages()
    with open(os.path.join(home, "config.yaml"), "w") as out:
        out.write("contexts:\n  here:\n    provisioning: enabled\n    kubernetes: {context: litedesk-sandbox, loadBalancer: lb.example.com}\n")
    real = {**values, "LITEDESK_CONTEXT": "here", "MONGODB_ATLAS_PROJECT_ID": values["MONGODB_ATLAS_PROJECT_ID"]}
    with open(os.path.join(home, "config.yaml"), "a") as out:
        out.write("    database: {url: '%s', projects: ['%s']}\n    dns: {url: '%s', zone: %s}\n" % (
            values["LITEDESK_ATLAS_URL"], values["MONGODB_ATLAS_PROJECT_ID"], values["AWS_ENDPOINT_URL"], values["AWS_ROUTE53_HOSTED_ZONE_ID"]))
    err = litedesk("instance", "provision", "acme", code=4, env=real)
    assert "older than this litedesk" in err and "litedesk registry install" in err and len(err) < 4000, err
    litedesk("registry", "install", env=real)
    litedesk("instance", "provision", "acme", env=real)
    ages()
    litedesk("--sandbox", "tenant", "update", "acme", "--tier", "starter")
    litedesk("--sandbox", "instance", "provision", "acme")
    sandbox("stop", "--dir", folder)


def one_that_cannot_start_says_why():
    folder = harness.folder("failing")
    taken = socket.create_server(("127.0.0.1", 0))
    port = str(taken.getsockname()[1])
    out, err = sandbox("serve", "--detach", "--dir", os.path.join(folder, "one"), "--port", port, code=1)
    assert not out and "port " + port in err, (out, err)
    assert status(os.path.join(folder, "one"))["server"] is None
    with open(os.path.join(folder, "file"), "w") as out:
        out.write("x")
    out, err = sandbox("serve", "--detach", "--dir", os.path.join(folder, "file", "below"), code=1)
    assert not out and "file" in err, (out, err)
    os.mkdir(os.path.join(folder, "two"))
    with open(os.path.join(folder, "two", "state.db"), "w") as out:
        out.write("this is no database, and longer than its header of a hundred bytes would be" * 3)
    out, err = sandbox("serve", "--detach", "--dir", os.path.join(folder, "two"), code=1)
    assert not out and "state.db" in err and "sandbox reset" in err, (out, err)
    out, err = sandbox("serve", "--detach", "--dir", os.path.join(folder, "three"), "--fault", "x:y:1", code=2)
    assert not out and "x:y:1" in err, (out, err)
    assert not os.path.exists(os.path.join(folder, "three"))


def nothing_holds_on_to_the_one_who_started_it():
    """`$(...)` waits until nobody has its pipe open any more, and descriptors of the caller's are none of the server's."""
    folder = harness.folder("pipes")
    script = 'exec 7>lock; eval "$("$0" sandbox serve --detach --dir "$1")" && echo "$KUBECONFIG"'
    done = subprocess.run(["bash", "-c", script, harness.LITEDESK, os.path.join(folder, "s")], env=ENV, cwd=folder,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=120)
    assert done.stdout.strip() == os.path.join(folder, "s", "kubeconfig"), done
    pid = status(os.path.join(folder, "s"))["server"]["pid"]
    held = [os.readlink(os.path.join("/proc/%d/fd" % pid, fd)) for fd in os.listdir("/proc/%d/fd" % pid)]
    assert os.path.join(folder, "lock") not in held and "/dev/null" in held, held
    sandbox("stop", "--dir", os.path.join(folder, "s"))


def the_document_as_pasted():
    """Every block of docs/sandbox.md, line by line in one shell; what needs a program that is not here is left out."""
    with open(os.path.join(harness.ROOT, "docs", "sandbox.md")) as document:
        lines = [line[4:].rstrip("\n") for line in document if line.startswith("    ")]
    assert any("--detach" in line for line in lines), lines
    home = harness.folder("pasted")
    programs = os.path.join(home, "bin")
    os.mkdir(programs)
    os.symlink(harness.LITEDESK, os.path.join(programs, "litedesk"))
    ran = [line for line in lines if shutil.which(line.split()[0]) or line.split()[0] in ("litedesk", "eval")]
    script = "".join("%s\necho \"@@ $?\"\n" % line for line in ran)
    env = {**ENV, "HOME": home, "LITEDESK_HOME": home, "PATH": programs + ":" + os.environ["PATH"], "AWS_PAGER": "",
           "LITEDESK_SANDBOX_TIME_SCALE": "0"}
    try:
        done = subprocess.run(["bash"], input=script, env=env, cwd=home, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True, timeout=300)
        codes = [int(line.split()[1]) for line in done.stdout.splitlines() if line.startswith("@@ ")]
        assert codes == [0] * len(ran), "%s\n%s\n%s" % (list(zip(ran, codes)), done.stdout, done.stderr)
        if shutil.which("kubectl"):
            assert "instance-acme" in done.stdout, done.stdout
    finally:
        ENV["LITEDESK_HOME"] = home
        sandbox("stop")
        ENV["LITEDESK_HOME"] = HOME
    if len(ran) < len(lines):
        print("SKIPPED lines of docs/sandbox.md whose programs are not here: %s" % [line for line in lines if line not in ran])


def main():
    cases = (a_folder_is_served_once, in_the_background, whoever_has_no_key_gets_nothing, an_older_registry_is_brought_up_to_date, one_that_cannot_start_says_why,
             nothing_holds_on_to_the_one_who_started_it, the_document_as_pasted)
    results = [harness.passes(case) for case in cases]
    harness.main_summary(results.count(True), results.count(False))


if __name__ == "__main__":
    main()
