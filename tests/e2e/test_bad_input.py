#!/usr/bin/env python3
"""Bad input and broken surroundings on the built binary: what it says, the exit code, and that nothing was made.

usage: test_bad_input.py [NAME]...
"""
import base64
import contextlib
import http.server
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import time

import harness

SERVE = harness.Serve(harness.folder("sandbox"), "--time-scale", "0")
KUBECONFIG = open(SERVE.values["KUBECONFIG"]).read()


def target(kubeconfig=None, **env):
    """The sandbox through a context of its own, with another kubeconfig text and other variables where they are given."""
    path = None
    if kubeconfig is not None:
        path = os.path.join(harness.folder("kubeconfig"), "config")
        with open(path, "w") as out:
            out.write(kubeconfig)
        os.chmod(path, 0o600)
    return harness.Target("bad", SERVE.values, kubeconfig=path, extra=env)


def refused(where, *arguments, code, says, never=(), seconds=20, env=None, stdin=None):
    """Runs it and checks the exit code, each of the words (regular expressions), and that it did not take long."""
    begin = time.monotonic()
    got, out, err = where.run(*arguments, env=env, stdin=stdin)
    took = time.monotonic() - begin
    shown = "litedesk %s\n%s%s" % (" ".join(arguments), out, err)
    print("    " + shown.strip().replace("\n", "\n    "))
    assert got == code, "exit %d instead of %d: %s" % (got, code, shown)
    for words in says:
        assert re.search(words, err), "no %r in: %s" % (words, shown)
    for words in never:
        assert words not in out + err, "%r in: %s" % (words, shown)
    assert re.search(r"^error: ", err, re.M), shown
    assert took < seconds, "it took %.1f s: %s" % (took, shown)
    return err


def kubeconfig_for(url, ca=None):
    return """apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "%s"%s}}]
users: [{name: u, user: {token: not-a-real-token}}]
contexts: [{name: x, context: {cluster: c, user: u}}]
current-context: x
""" % (url, "" if ca is None else ", certificate-authority: \"%s\"" % ca)


# --- kubeconfig

def kubeconfig_missing():
    refused(target(KUBECONFIG="/nowhere/config"), "tenant", "list", code=3, says=["/nowhere/config"])
    refused(target(), "tenant", "list", "--kubeconfig", "/nowhere/else", code=3, says=["/nowhere/else"])


def kubeconfig_unreadable():
    folder = harness.folder("directory")
    refused(target(KUBECONFIG=folder), "tenant", "list", code=1, says=[re.escape(folder), "directory"])


def kubeconfig_half_written():
    cut = KUBECONFIG[:KUBECONFIG.index("server:") + 12]
    refused(target(cut), "tenant", "list", code=2, says=["kubeconfig|config"], never=["token:"])
    refused(target("clusters: [{name: c, cluster: {server: \"http"), "tenant", "list", code=2, says=["line 1|:1"])
    refused(target(""), "tenant", "list", code=3, says=["config"])


def kubeconfig_names_nothing():
    refused(target(kubeconfig_for("http://127.0.0.1:1").replace("cluster: c,", "cluster: other,")), "tenant", "list", code=2, says=["other"])


def kubeconfig_bad_certificate_data():
    text = kubeconfig_for("https://127.0.0.1:1").replace('"https://127.0.0.1:1"', '"https://127.0.0.1:1", certificate-authority-data: "%%%"')
    refused(target(text), "tenant", "list", code=2, says=["certificate-authority-data"])


# --- TLS

def openssl(*arguments, cwd):
    done = subprocess.run(["openssl", *arguments], cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 0, done.stderr


def authority(folder, name):
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-subj", "/CN=" + name,
            "-keyout", name + ".key", "-out", name + ".crt", cwd=folder)
    return os.path.join(folder, name + ".crt")


def certificate(folder, ca, name, *validity):
    """A server certificate for 127.0.0.1 by the authority `ca`."""
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=server", "-keyout", name + ".key",
            "-out", name + ".csr", cwd=folder)
    with open(os.path.join(folder, name + ".ext"), "w") as out:
        out.write("subjectAltName=IP:127.0.0.1\n")
    with open(os.path.join(folder, "ca.cnf"), "w") as out:
        out.write("[ca]\ndefault_ca=d\n[d]\ndir=.\ndatabase=index.txt\nnew_certs_dir=.\ndefault_md=sha256\npolicy=p\nrand_serial=yes\n"
                  "unique_subject=no\nprivate_key=%s.key\ncertificate=%s.crt\n[p]\ncommonName=supplied\n" % (ca, ca))
    open(os.path.join(folder, "index.txt"), "a").close()
    openssl("ca", "-batch", "-notext", "-config", "ca.cnf", "-in", name + ".csr", "-out", name + ".crt", "-extfile", name + ".ext",
            *validity, cwd=folder)
    return os.path.join(folder, name + ".crt"), os.path.join(folder, name + ".key")


@contextlib.contextmanager
def serving(answer=(404, "application/json", b"{}"), tls=None):
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            status, kind, body = answer
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        do_POST = do_PATCH = do_PUT = do_DELETE = do_GET

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.handle_error = lambda *_: None
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*tls)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield "%s://127.0.0.1:%d" % ("https" if tls else "http", server.server_port)
    finally:
        server.shutdown()
        server.server_close()


def certificate_expired():
    folder = harness.folder("tls")
    ca = authority(folder, "ca")
    pair = certificate(folder, "ca", "old", "-startdate", "20200101000000Z", "-enddate", "20200201000000Z")
    with serving(tls=pair) as url:
        refused(target(kubeconfig_for(url, ca)), "tenant", "list", code=1, says=["expired", re.escape(url[8:])], never=["not-a-real-token"])


def certificate_by_another_authority():
    folder = harness.folder("tls")
    authority(folder, "ca")
    other = authority(folder, "other")
    pair = certificate(folder, "ca", "server", "-days", "30")
    with serving(tls=pair) as url:
        refused(target(kubeconfig_for(url, other)), "tenant", "list", code=1, says=["certificate", "certificate-authority"])
        refused(target(kubeconfig_for(url)), "tenant", "list", code=1, says=["certificate"])


# --- the network

def nobody_listens():
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
        refused(target(kubeconfig_for("http://127.0.0.1:%d" % port)), "tenant", "list", code=1, says=["127.0.0.1:%d" % port, "(?i)connect"])


def host_without_address():
    refused(target(kubeconfig_for("https://cluster.invalid:6443")), "tenant", "list", code=1, says=["cluster.invalid"])


def html_for_kubernetes():
    page = b"<!DOCTYPE html><html><head><title>Sign in</title></head><body>Welcome</body></html>"
    for status in (200, 403, 404, 502):
        with serving((status, "text/html", page)) as url:
            refused(target(kubeconfig_for(url)), "tenant", "list", code=5 if status == 403 else 1, says=["HTML|Sign in"])


def html_for_the_others():
    page = b"<html><head><title>Portal</title></head></html>"
    with serving((200, "text/html", page)) as url:
        where = target(LITEDESK_ATLAS_URL=url)
        assert where.run("tenant", "create", "Html", "--email", "a@b.example", "--slug", "html-a")[0] == 0
        refused(where, "instance", "provision", "html-a", code=1, says=["text/html|Portal|root is html"])
        where = target(AWS_ENDPOINT_URL=url)
        assert where.run("tenant", "create", "Html", "--email", "a@b.example", "--slug", "html-b")[0] == 0
        refused(where, "instance", "provision", "html-b", code=1, says=["text/html|Portal|root is html"])
    nothing("html-a", "html-b")


def cut_in_the_middle():
    """The cluster is gone once the plan is made: what was made elsewhere is undone, and what cannot be is named."""
    import relay
    between = relay.Relay([re.search(r"server: *\"?(http://[0-9.:]+)", KUBECONFIG).group(1)])
    try:
        where = target(re.sub(r"http://[0-9.:]+", between.urls[0], KUBECONFIG))
        assert where.run("tenant", "create", "Cut", "--email", "a@b.example", "--slug", "cut")[0] == 0
        process = where.start("instance", "provision", "cut", "--timeout", "10s")
        deadline = time.monotonic() + 20
        while not any(line.startswith("PATCH") and "deployments" in line for line in between.seen):
            assert time.monotonic() < deadline and process.poll() is None, "no Deployment was applied"
            time.sleep(0.01)
        between.close()
        out, err = process.communicate(timeout=60)
        print("    " + (out + err).strip().replace("\n", "\n    "))
        assert process.returncode == 1, "exit %d\n%s" % (process.returncode, err)
        assert "litedesk instance provision" in err or "run it again" in err, err
        assert "127.0.0.1" in err, err
    finally:
        between.close()
    # With the network back the same command goes on to the end.
    code, out, err = target().run("instance", "provision", "cut", "--force-unlock" if "--force-unlock" in err else "--timeout", "60s")
    assert code == 0, out + err


# --- names, templates, disks

def slug_taken():
    where = target()
    assert where.run("tenant", "create", "Taken", "--email", "a@b.example", "--slug", "taken")[0] == 0
    refused(where, "tenant", "create", "Other", "--email", "a@b.example", "--slug", "taken", code=4, says=["taken"])


def slug_bad():
    for slug in ("Acme_1", "-acme", "www", "a" * 31):
        refused(target(), "tenant", "create", "Bad", "--email", "a@b.example", "--slug=" + slug, code=2, says=["slug"])


def host_of_somebody_else():
    """A custom domain is no way around slugs."""
    where = target()
    assert where.run("tenant", "create", "Hosts", "--email", "a@b.example", "--slug", "hosts", "--custom-domain", "shop-front.litedesk.com")[0] == 0
    assert where.run("tenant", "create", "Other", "--email", "a@b.example", "--slug", "hosts-too")[0] == 0
    for domain, code, says in (("litedesk.com", 2, "own domain"), ("api.litedesk.com", 2, "own host"), ("hosts-too.litedesk.com", 2, "already"),
                               ("hosts.litedesk.com", 4, "host of tenant hosts"), ("x.hosts.litedesk.com", 2, "below another"),
                               ("shop-front.litedesk.com", 4, "already belongs to hosts")):
        refused(where, "tenant", "update", "hosts-too", "--custom-domain", domain, code=code, says=[says])
    refused(where, "tenant", "create", "Shop Front", "--email", "a@b.example", "--slug", "shop-front", code=4, says=["custom domain of tenant hosts"])


def another_cluster():
    """Whatever the command, nothing is read or written on a cluster that is not the context's."""
    where = target()
    config = os.path.join(where.home, "pinned.yaml")
    where.env["LITEDESK_CONFIG"] = config
    with open(config, "w") as out:
        out.write("contexts:\n  pinned: {kubernetes: {clusterId: 6f0e}, provisioning: enabled}\n")
    where.env["LITEDESK_CONTEXT"] = "pinned"
    for words in (("tenant", "list"), ("tenant", "create", "Pinned", "--email", "a@b.example", "--slug", "pinned"), ("tenant", "delete", "hosts", "--yes"),
                  ("registry", "install"), ("registry", "status"), ("status",), ("status", "hosts"), ("dns", "set", "pinned", "--target", "192.0.2.1"),
                  ("instance", "plan", "hosts"), ("instance", "provision", "hosts"), ("instance", "wait", "hosts")):
        refused(where, *words, code=4, says=["context pinned is pinned to cluster 6f0e, and this is cluster"])
    nothing("pinned")
    refused(target(), "tenant", "get", "pinned", code=3, says=["tenant pinned not found"])


def failed_and_gone():
    """A first provision that was undone leaves a tenant that can be deleted; one that was kept does not."""
    where = target(LITEDESK_BACKEND_IMAGE="litedesk/crm-backend:missing")
    assert where.run("tenant", "create", "Gone", "--email", "a@b.example", "--slug", "gone")[0] == 0
    assert where.run("status", "gone")[0] == 0, "a tenant without an instance is not unhealthy"
    refused(where, "instance", "provision", "gone", "--keep-on-failure", code=1, says=["missing"], seconds=60)
    refused(where, "tenant", "delete", "gone", "--yes", code=4, says=["namespace instance-gone, database user user_gone", "litedesk instance provision gone"])
    refused(where, "instance", "provision", "gone", code=7, says=["rolled back"], seconds=60)
    assert where.run("status", "gone")[0] == 1
    code, out, err = where.run("tenant", "delete", "gone", "--yes")
    assert code == 0, out + err
    nothing("gone")


def namespace_held():
    """What holds a namespace that is being deleted is said by status and by provision, in the same words."""
    where = target()
    assert where.run("tenant", "create", "Held", "--email", "a@b.example", "--slug", "held")[0] == 0
    assert where.run("instance", "provision", "held")[0] == 0
    name = os.path.join(harness.folder("held"), "map.yaml")
    with open(name, "w") as out:
        out.write("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: keeps, namespace: instance-held, finalizers: [example.com/hold]}\n")
    where.kubectl("apply", "--server-side", "--validate=false", "-f", name)
    where.kubectl("delete", "namespace", "instance-held", "--wait=false")
    words = "finalizers remaining: example.com/hold"
    for _ in range(600):  # until the namespace's controller has looked
        code, out, err = where.run("status", "held")
        if words in out:
            break
    print("    " + out.strip().replace("\n", "\n    "))
    assert code == 1 and "Terminating" in out and "instance-held is being deleted: " in out and words in out, out
    refused(where, "instance", "provision", "held", "--timeout", "1s", code=4, says=["namespace instance-held is still being deleted", words])
    where.kubectl("patch", "configmap", "keeps", "-n", "instance-held", "--type=merge", "-p", '{"metadata":{"finalizers":null}}')
    code, out, err = where.run("instance", "provision", "held")
    assert code == 0, out + err


def record_without_room():
    refused(target(), "dns", "set", "x" * 59, "--target", "lb.example.com", code=2, says=["59 characters.*room for 57"], never=["InvalidInput"])


def wrong_words():
    refused(target(), "tenants", "list", code=2, says=["did you mean.*tenant"])
    refused(target(), "tenant", "get", code=2, says=["SLUG|slug"])
    refused(target(), "tenant", "list", "--ouput", "json", code=2, says=["--output"])
    refused(target(), "tenant", "get", "nobody", code=3, says=["nobody"])
    refused(target(), "tenant", "list", "-o", "jsn", code=2, says=["json"])
    refused(target(), "tenant", "create", "Bad", "--email", "nobody", "--slug", "address", code=2, says=["email|e-mail"])
    refused(target(), "tenant", "create", "Bad", "--email", "a@b.example", "--slug", "tier", "--tier", "gold", code=2, says=["starter"])


def template_unknown_key():
    where = target()
    folder = os.path.join(where.home, "templates")
    assert where.run("template", "eject", folder)[0] == 0
    assert where.run("tenant", "create", "Template", "--email", "a@b.example", "--slug", "template")[0] == 0
    path = os.path.join(folder, "instance", "40-limits.yaml")
    with open(path, "a") as out:
        out.write("---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: extra}\ndata: {a: \"${tenant.slgu}\"}\n")
    refused(where, "template", "render", "template", code=2, says=[r"40-limits\.yaml:\d+", "slgu"], env={"LITEDESK_TEMPLATES": folder})
    refused(where, "instance", "provision", "template", code=2, says=[r"40-limits\.yaml:\d+"], env={"LITEDESK_TEMPLATES": folder})
    nothing("template")


def disk_full():
    """A registry of its own on a file system without room."""
    place = harness.folder("full")
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", place], stderr=subprocess.DEVNULL).returncode != 0:
        print("SKIPPED a full disk: no file system can be mounted here")
        return
    try:
        where = target(LITEDESK_HOME=place, LITEDESK_CONFIG=os.path.join(place, "config.yaml"))
        with open(os.path.join(place, "config.yaml"), "w") as out:
            out.write("currentContext: test\ncontexts:\n  test:\n    registry: sqlite\n")
        filling = os.open(os.path.join(place, "fill"), os.O_WRONLY | os.O_CREAT)
        with contextlib.suppress(OSError):
            while True:
                os.write(filling, b"x" * 1024)
        os.close(filling)
        refused(where, "tenant", "create", "Full", "--email", "a@b.example", "--slug", "full", code=1, says=["full|space"])
        os.remove(os.path.join(place, "fill"))
        code, out, err = where.run("tenant", "list", "-o", "name")
        assert (code, out) == (0, ""), out + err
    finally:
        subprocess.run(["umount", "-l", place], check=True)


def registry_is_no_database():
    where = target()
    with open(where.env["LITEDESK_CONFIG"], "w") as out:
        out.write("currentContext: test\ncontexts:\n  test:\n    registry: sqlite\n")
    assert where.run("tenant", "create", "One", "--email", "a@b.example", "--slug", "one")[0] == 0
    found = [os.path.join(folder, name) for folder, _, names in os.walk(where.home) for name in names if name.endswith(".db")]
    assert found, list(os.walk(where.home))
    for path in found:
        for suffix in ("-wal", "-shm"):
            with contextlib.suppress(FileNotFoundError):
                os.remove(path + suffix)
        with open(path, "wb") as out:
            out.write(b"<html>not a database</html>" * 100)
    refused(where, "tenant", "list", code=1, says=["not a database|malformed", re.escape(found[0])])


def output_closed():
    """A reader that goes away is no crash and no trace."""
    where = target()
    done = subprocess.run(["bash", "-o", "pipefail", "-c", '"$0" cost-estimate | head -n 1; exit ${PIPESTATUS[0]}', where.binary, ], env=where.env,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert done.returncode in (0, 1, 141), done
    full = subprocess.run(["bash", "-c", '"$0" cost-estimate > /dev/full', where.binary], env=where.env, stderr=subprocess.PIPE, text=True)
    print("    " + full.stderr.strip())
    assert full.returncode == 1 and "error" in full.stderr, full


def not_confirmed():
    """What deletes asks, and without a terminal refuses."""
    where = target()
    assert where.run("tenant", "create", "Tier", "--email", "a@b.example", "--slug", "confirm", "--tier", "enterprise")[0] == 0
    assert where.run("instance", "provision", "confirm", "--timeout", "60s")[0] == 0
    assert where.run("tenant", "update", "confirm", "--tier", "starter")[0] == 0
    refused(where, "instance", "provision", "confirm", code=2, says=["--yes|--confirm"])
    refused(where, "instance", "provision", "confirm", "--confirm", "other", code=2, says=["confirm"])


def nothing(*slugs):
    for slug in slugs:
        token = re.search(r"token: *\"?([^\"\s]+)", KUBECONFIG).group(1)
        api = harness.RestApi(re.search(r"server: *\"?(http://[0-9.:]+)", KUBECONFIG).group(1), {"Authorization": "Bearer " + token})
        assert api.get("/api/v1/namespaces/instance-" + slug) is None, "namespace instance-%s is there" % slug


ALL = [value for value in list(globals().values()) if callable(value) and getattr(value, "__module__", "") == "__main__" and
       value.__name__ not in ("target", "refused", "kubeconfig_for", "openssl", "authority", "certificate", "serving", "nothing")]


def main():
    code, _, err = target().run("registry", "install")
    assert code == 0, err
    chosen = [case for case in ALL if len(sys.argv) == 1 or case.__name__ in sys.argv[1:]]
    passed = sum(harness.passes(case) for case in chosen)
    harness.main_summary(passed, len(chosen) - passed)


if __name__ == "__main__":
    main()
