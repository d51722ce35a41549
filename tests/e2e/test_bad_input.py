#!/usr/bin/env python3
"""Bad input and broken surroundings on the built binary: what it says, the exit code, and that nothing was made.

usage: test_bad_input.py [NAME]...
"""
import base64
import contextlib
import http.server
import json
import os
import re
import shutil
import socket
import ssl
import stat
import subprocess
import sys
import threading
import time

import harness

SERVE = harness.Serve(harness.folder("sandbox"), "--time-scale", "0")
KUBECONFIG = open(SERVE.values["KUBECONFIG"]).read()
CASES = []


def case(function):
    """A function that is one case: what fails in it is one failure."""
    CASES.append(function)
    return function


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
    shown = "litedesk %s\n%s%s" % (" ".join(map(str, arguments)), out, err)
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

@case
def kubeconfig_missing():
    refused(target(KUBECONFIG="/nowhere/config"), "tenant", "list", code=3, says=["/nowhere/config"])
    refused(target(), "tenant", "list", "--kubeconfig", "/nowhere/else", code=3, says=["/nowhere/else"])


@case
def kubeconfig_unreadable():
    folder = harness.folder("directory")
    refused(target(KUBECONFIG=folder), "tenant", "list", code=1, says=[re.escape(folder), "directory"])


@case
def kubeconfig_half_written():
    cut = KUBECONFIG[:KUBECONFIG.index("server:") + 12]
    refused(target(cut), "tenant", "list", code=2, says=["kubeconfig|config"], never=["token:"])
    refused(target("clusters: [{name: c, cluster: {server: \"http"), "tenant", "list", code=2, says=["line 1|:1"])
    refused(target(""), "tenant", "list", code=3, says=["config"])


@case
def kubeconfig_names_nothing():
    refused(target(kubeconfig_for("http://127.0.0.1:1").replace("cluster: c,", "cluster: other,")), "tenant", "list", code=2, says=["other"])


@case
def kubeconfig_bad_certificate_data():
    text = kubeconfig_for("https://127.0.0.1:1").replace('"https://127.0.0.1:1"', '"https://127.0.0.1:1", certificate-authority-data: "%%%"')
    refused(target(text), "tenant", "list", code=2, says=["certificate-authority-data"])


@case
def kubeconfig_says_it_twice():
    text = kubeconfig_for("http://127.0.0.1:1")
    refused(target(text + "current-context: y\n"), "tenant", "list", code=2, says=["config:7: the key current-context is defined twice"])
    refused(target(text + "users: []\n"), "tenant", "list", code=2, says=["config:7: the key users is defined twice"])


@case
def kubeconfig_has_what_nothing_uses():
    text = KUBECONFIG
    for name, nothing in (("clusters", "- null\n- cluster: {server: x, server: y}\n"), ("users", "- name: z\n  user:\n"),
                          ("contexts", "- ~\n- {name: z, context: text}\n")):
        text = re.sub(r"(?m)^%s:\n" % name, "%s:\n%s" % (name, nothing), text, count=1)
        assert nothing in text, text
    code, out, err = target(text).run("tenant", "list")
    assert code == 0, out + err


@case
def plugin_prints_yaml():
    """As kubectl takes it; and what is neither YAML nor JSON is not repeated."""
    server, token = (re.search(r"%s: *\"?([^\"\s]+)" % key, KUBECONFIG).group(1) for key in ("server", "token"))
    printed = os.path.join(harness.folder("plugin"), "credential")
    user = "{exec: {apiVersion: client.authentication.k8s.io/v1, interactiveMode: Never, command: /bin/cat, args: [%s]}}" % printed
    text = kubeconfig_for(server).replace("{token: not-a-real-token}", user)

    def prints(what):
        with open(printed, "w") as out:
            out.write(what)
    prints("# a credential\napiVersion: client.authentication.k8s.io/v1\nkind: ExecCredential\nstatus:\n"
           "  expirationTimestamp: 9999-12-31T23:59:59Z\n  token: %s\n" % token)
    code, out, err = target(text).run("tenant", "list")
    assert code == 0, out + err
    for bad in ("s3cret: [", "--- ,", "s3cret", "[" * 100000):
        prints(bad)
        refused(target(text), "tenant", "list", code=5, says=["/bin/cat", "neither JSON nor YAML"], never=["s3cret"])


# --- YAML

def bomb():
    lines = ["a0: &a0 [%s]" % ", ".join("x" * 9)]
    lines += ["a%d: &a%d [%s]" % (i, i, ", ".join(["*a%d" % (i - 1)] * 9)) for i in range(1, 10)]
    return "\n".join(lines) + "\n"


@case
def yaml_that_does_not_end():
    """Readers that go round in a text, or copy it a billion times: refused at once, with the file and the line."""
    for text, place in ((",", r":1:1: "), ("--- ,\n", r":1:5: "), (bomb(), r":6:\d+: "), ("[" * 50000, r":1:\d+: "),
                        ("currentContext: a\r", r":1:18: "), ("currentContext: \"\\uD800\"", r":1:\d+: ")):
        where = target()
        with open(where.env["LITEDESK_CONFIG"], "w", newline="") as out:
            out.write(text)
        refused(where, "context", "list", code=2, says=[r"config\.yaml" + place], seconds=10)
        where = target()
        folder = os.path.join(where.home, "templates")
        assert where.run("template", "eject", folder)[0] == 0
        for name in ("tiers.yaml", "prices.yaml", "instance/40-limits.yaml"):
            path = os.path.join(folder, name)
            kept = open(path).read()
            with open(path, "w", newline="") as out:
                out.write(text)
            refused(where, "template", "lint", folder, code=2, says=[name.replace(".", r"\.") + place], seconds=10)
            with open(path, "w") as out:
                out.write(kept)


@case
def text_that_is_not_utf8():
    where = target()
    refused(where, "context", "set", "a", b"dns.domain=caf\xe9.example", code=2, says=[r"dns\.domain", "not UTF-8"])
    with open(where.env["LITEDESK_CONFIG"], "wb") as out:
        out.write(b"contexts:\n  a: {dns: {domain: caf\xe9}}\n")
    refused(where, "context", "list", code=2, says=[r"config\.yaml:2:24: ", "not UTF-8"])


@case
def quantity_too_large():
    where = target()
    folder = os.path.join(where.home, "templates")
    assert where.run("template", "eject", folder)[0] == 0
    path = os.path.join(folder, "tiers.yaml")
    kept = open(path).read()
    for amount in ("5000T", "9223372036854775807", "17Ti"):
        with open(path, "w") as out:
            out.write(kept.replace("memory: 512Mi", "memory: " + amount, 1))
        refused(where, "template", "lint", folder, code=2, says=[r"tiers\.yaml:\d+:\d+: the memory %s is too large" % amount])


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


@case
def certificate_expired():
    folder = harness.folder("tls")
    ca = authority(folder, "ca")
    pair = certificate(folder, "ca", "old", "-startdate", "20200101000000Z", "-enddate", "20200201000000Z")
    with serving(tls=pair) as url:
        refused(target(kubeconfig_for(url, ca)), "tenant", "list", code=1, says=["expired", re.escape(url[8:])], never=["not-a-real-token"])


@case
def certificate_by_another_authority():
    folder = harness.folder("tls")
    authority(folder, "ca")
    other = authority(folder, "other")
    pair = certificate(folder, "ca", "server", "-days", "30")
    with serving(tls=pair) as url:
        refused(target(kubeconfig_for(url, other)), "tenant", "list", code=1, says=["certificate", "certificate-authority"])
        refused(target(kubeconfig_for(url)), "tenant", "list", code=1, says=["certificate"])


@case
def authority_from_the_environment():
    """SSL_CERT_FILE and SSL_CERT_DIR name whom to trust, for every API; without, the hint names settings that this API has."""
    folder = harness.folder("tls")
    ca = authority(folder, "ca")
    other = authority(folder, "other")
    pair = certificate(folder, "ca", "server", "-days", "30")
    authorities = harness.folder("authorities")
    shutil.copy(ca, os.path.join(authorities, "any-name.pem"))
    untrusted = "authority that .* does not trust"
    with serving(tls=pair) as url:
        cluster = kubeconfig_for(url)
        refused(target(cluster), "tenant", "list", code=1, says=[untrusted, "certificate-authority in the kubeconfig, or SSL_CERT_FILE"])
        for variables in ({"SSL_CERT_FILE": ca}, {"SSL_CERT_DIR": "/nowhere:" + authorities}, {"SSL_CERT_FILE": other, "SSL_CERT_DIR": authorities}):
            err = refused(target(cluster, **variables), "tenant", "list", code=1, says=["404"])
            assert "certificate" not in err, err
        refused(target(cluster, SSL_CERT_FILE="/nowhere"), "tenant", "list", code=2, says=["SSL_CERT_FILE names /nowhere"])
        refused(target(kubeconfig_for(url, other), SSL_CERT_FILE=ca), "tenant", "list", code=1, says=[untrusted])
        refused(target(AWS_ENDPOINT_URL=url), "dns", "list", code=1, says=[untrusted, "AWS_CA_BUNDLE"])
        refused(target(AWS_ENDPOINT_URL=url, SSL_CERT_FILE=ca, AWS_CA_BUNDLE=other), "dns", "list", code=1, says=[untrusted, "AWS_CA_BUNDLE"])
        err = refused(target(AWS_ENDPOINT_URL=url, SSL_CERT_FILE=ca), "dns", "list", code=1, says=["404|root"])
        assert "certificate" not in err, err
        where = target(LITEDESK_ATLAS_URL=url)
        assert where.run("tenant", "create", "Tls", "--email", "a@b.example", "--slug", "tls-a")[0] == 0
        err = refused(where, "instance", "provision", "tls-a", code=1, says=[untrusted, "SSL_CERT_FILE"])
        assert "kubeconfig" not in err and "AWS" not in err, err
    nothing("tls-a")


# --- the network

@case
def proxy_dead():
    """The proxy is named with the variable, without its password; NO_PROXY excepts what it excepts for kubectl."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        proxy = "127.0.0.1:%d" % held.getsockname()[1]
        cluster = kubeconfig_for("https://api.example.invalid:6443")
        for name in ("HTTPS_PROXY", "https_proxy"):
            refused(target(cluster, **{name: "http://me:hidden@" + proxy}), "tenant", "list", code=1,
                    says=[re.escape("the proxy %s (%s)" % (proxy, name)), "NO_PROXY"], never=["hidden"])
        refused(target(cluster, HTTPS_PROXY="http://me:hid/den@" + proxy), "tenant", "list", code=2, says=["HTTPS_PROXY"], never=["hid"])
        for excepted in ("*.example.invalid", "api.example.invalid:6443", "a.org, .invalid", "*"):
            refused(target(cluster, HTTPS_PROXY="http://" + proxy, NO_PROXY=excepted), "tenant", "list", code=1,
                    says=["cannot find the host api.example.invalid"], never=["proxy"])
        refused(target(cluster, HTTPS_PROXY="http://" + proxy, NO_PROXY="api.example.invalid:443"), "tenant", "list", code=1, says=["the proxy"])


@case
def too_few_files():
    """Whatever it is that cannot be opened: the message says why, and the command that allows more."""
    where = target()

    def run(limit, *arguments):
        done = subprocess.run(["bash", "-c", 'ulimit -n "$0"; exec "$@"', str(limit), where.binary, *arguments], env=where.env,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60)
        print("    " + done.stderr.strip().replace("\n", "\n    "))
        return done.returncode, "this process may have only %d files open" % limit in done.stderr and "ulimit -n 1024" in done.stderr

    assert run(20, "--sandbox", "tenant", "list") == (1, True)
    results = [run(limit, "tenant", "list") for limit in range(4, 12)]
    assert all(result in ((0, False), (1, True)) for result in results) and (1, True) in results, results


@case
def nobody_listens():
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
        refused(target(kubeconfig_for("http://127.0.0.1:%d" % port)), "tenant", "list", code=1, says=["127.0.0.1:%d" % port, "(?i)connect"])


@case
def host_without_address():
    refused(target(kubeconfig_for("https://cluster.invalid:6443")), "tenant", "list", code=1, says=["cluster.invalid"])


@case
def html_for_kubernetes():
    page = b"<!DOCTYPE html><html><head><title>Sign in</title></head><body>Welcome</body></html>"
    for status in (200, 403, 404, 502):
        with serving((status, "text/html", page)) as url:
            refused(target(kubeconfig_for(url)), "tenant", "list", code=5 if status == 403 else 1, says=["HTML|Sign in"])


@case
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


@case
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

@case
def slug_taken():
    where = target()
    assert where.run("tenant", "create", "Taken", "--email", "a@b.example", "--slug", "taken")[0] == 0
    refused(where, "tenant", "create", "Other", "--email", "a@b.example", "--slug", "taken", code=4, says=["taken"])


@case
def slug_bad():
    for slug in ("Acme_1", "-acme", "www", "a" * 31):
        refused(target(), "tenant", "create", "Bad", "--email", "a@b.example", "--slug=" + slug, code=2, says=["slug"])


@case
def host_of_somebody_else():
    """A custom domain is no way around slugs."""
    where = target()
    assert where.run("tenant", "create", "Hosts", "--email", "a@b.example", "--slug", "hosts", "--custom-domain", "shop-front.litedesk.com")[0] == 0
    assert where.run("tenant", "create", "Other", "--email", "a@b.example", "--slug", "hosts-too")[0] == 0
    for domain, code, says in (("litedesk.com", 2, "own domain"), ("api.litedesk.com", 2, "own host"), ("hosts-too.litedesk.com", 2, "already"),
                               ("hosts.litedesk.com", 4, "host of tenant hosts"), ("x.hosts.litedesk.com", 2, "below another"),
                               ("shop-front.litedesk.com", 4, "custom domain of tenant hosts")):
        refused(where, "tenant", "update", "hosts-too", "--custom-domain", domain, code=code, says=[says])
    refused(where, "tenant", "create", "Shop Front", "--email", "a@b.example", "--slug", "shop-front", code=4, says=["custom domain of tenant hosts"])


@case
def another_cluster():
    """Whatever the command, nothing is read or written on a cluster that is not the context's."""
    where = target()
    config = os.path.join(where.home, "pinned.yaml")
    where.env["LITEDESK_CONFIG"] = config
    with open(config, "w") as out:
        # One that is named takes no addresses from variables.
        out.write("contexts:\n  pinned: {kubernetes: {clusterId: 6f0e}, provisioning: enabled, database: {url: \"%s\"}, dns: {url: \"%s\"}}\n" % (
            where.env["LITEDESK_ATLAS_URL"], where.env["AWS_ENDPOINT_URL"]))
    where.env["LITEDESK_CONTEXT"] = "pinned"
    for words in (("tenant", "list"), ("tenant", "create", "Pinned", "--email", "a@b.example", "--slug", "pinned"), ("tenant", "delete", "hosts", "--yes"),
                  ("registry", "install"), ("registry", "status"), ("status",), ("status", "hosts"), ("dns", "set", "pinned", "--target", "192.0.2.1"),
                  ("instance", "plan", "hosts"), ("instance", "provision", "hosts"), ("instance", "wait", "hosts")):
        refused(where, *words, code=4, says=["context pinned is pinned to cluster 6f0e, and this is cluster"])
    nothing("pinned")
    refused(target(), "tenant", "get", "pinned", code=3, says=["tenant pinned not found"])


@case
def addresses_ignored():
    """A context that is named does not follow addresses that it does not have itself, and says so."""
    where = target()
    with open(where.env["LITEDESK_CONFIG"], "w") as out:
        out.write("contexts:\n  named: {kubernetes: {context: litedesk-sandbox}, database: {url: \"%s\"}, dns: {url: \"%s\"}}\n" % (where.env["LITEDESK_ATLAS_URL"], where.env["AWS_ENDPOINT_URL"]))
    with serving((200, "text/html", b"<html>not for us</html>")) as trap:
        elsewhere = {"LITEDESK_ATLAS_URL": trap, "AWS_ENDPOINT_URL": trap}
        code, out, err = where.run("--context", "named", "dns", "list", "--all", "-o", "name", env=elsewhere)
        assert code == 0 and "SOA/litedesk.com" in out, out + err
        assert len(re.findall("^warning:", err, re.M)) == 1 and "LITEDESK_ATLAS_URL, AWS_ENDPOINT_URL are ignored" in err, err
        code, out, err = where.run("--context", "named", "dns", "list", "--all", "-o", "name")
        assert (code, err) == (0, ""), err
        refused(where, "dns", "list", "--all", code=1, says=["Route 53 answered"], env={**elsewhere, "LITEDESK_CONTEXT": "", "LITEDESK_CONFIG": config_using(where, "named")})


def config_using(where, name):
    """The same configuration with that context as the current one."""
    path = os.path.join(where.home, "current.yaml")
    with open(where.env["LITEDESK_CONFIG"]) as old, open(path, "w") as out:
        out.write("currentContext: %s\n%s" % (name, old.read()))
    return path


@case
def dotenv_is_no_file():
    """A .env that cannot be read is a warning, and nobody waits for it."""
    where = target()
    path = os.path.join(where.home, ".env")
    for make in (os.mkdir, os.mkfifo, lambda name: os.symlink("nowhere", name)):
        make(path)
        for arguments in (("tenant", "list"), ("tenant", "list", "--sandbox")):
            code, _, err = where.run(*arguments, timeout=20)
            assert code == 0 and len(re.findall(r"^warning: .*\.env was not read: it is a ", err, re.M)) == 1, err
        without = {name: "" for name in ("BASE_DOMAIN", "BACKEND_IMAGE_REPO", "BACKEND_IMAGE_TAG")}
        refused(where, "tenant", "create", "Dot", "--email", "a@b.example", env=without, code=2, says=[r"\.env was not read", "dns.domain"])
        refused(where, "instance", "plan", "nobody", env={**without, "BASE_DOMAIN": "litedesk.com"}, code=2, says=["images.backend"])
        (os.rmdir if os.path.isdir(path) else os.remove)(path)
    for text, says in (("BASE_DOMAIN=\"a.net\nMONGODB_ATLAS_API_SECRET=s3cret\n", ":1: .*quote"), ("# x\nBASE_DOMAIN a.net s3cret\n", ":2: "),
                       ("BASE_DOMAIN=a.net\n".encode("utf-16"), "UTF-16")):
        with open(path, "wb") as out:
            out.write(text if isinstance(text, bytes) else text.encode())
        refused(where, "tenant", "list", code=2, says=[says], never=["s3cret"])
        assert where.run("tenant", "list", "--sandbox")[0] == 0
    with open(path, "wb") as out:
        out.write(b"\xef\xbb\xbfBASE_DOMAIN=bom.example\r\nexport\tBACKEND_IMAGE_TAG=7\r\n")
    shown = where.json("context", "show", env={"BASE_DOMAIN": "", "BACKEND_IMAGE_TAG": ""})["settings"]
    assert (shown["dns.domain"], shown["images.backend"]) == ("bom.example", "litedesk/crm-backend:7"), shown


@case
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


@case
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


@case
def record_without_room():
    refused(target(), "dns", "set", "x" * 59, "--target", "lb.example.com", code=2, says=["59 characters.*room for 57"], never=["InvalidInput"])


@case
def target_that_is_none():
    """An empty variable, half an address and a name for short become no record; nor do they as the load balancer."""
    where = target()
    refused(where, "dns", "set", "t", "--target", "", code=2, says=["--target is empty", "variable"])
    refused(where, "dns", "set", "t", "--type", "TXT", "--target", "", code=2, says=["--target is empty"])
    refused(where, "dns", "set", "t", "--type", "NS", code=2, says=["NS needs --target"])
    refused(where, "dns", "set", "t", "--target", "256.1.1.1", code=2, says=["256.1.1.1 is not a valid address"])
    refused(where, "dns", "set", "t", "--target", "other", code=2, says=["other.litedesk.com"])
    refused(where, "dns", "get", "t", code=3, says=["no record"])
    assert where.run("tenant", "create", "Half", "--email", "a@b.example", "--slug", "half")[0] == 0
    for balancer, says in (("192.0.2", "neither an address nor a full host name: it ends with a number"), ("lb", "it has no dot"),
                           ("https://lb.example.com", "it contains ':'")):
        refused(where, "instance", "provision", "half", code=2, says=[says], env={"LITEDESK_LOAD_BALANCER": balancer})
    nothing("half")


@case
def wrong_words():
    refused(target(), "tenants", "list", code=2, says=["did you mean.*tenant"])
    refused(target(), "tenant", "get", code=2, says=["SLUG|slug"])
    refused(target(), "tenant", "list", "--ouput", "json", code=2, says=["--output"])
    refused(target(), "tenant", "get", "nobody", code=3, says=["nobody"])
    refused(target(), "tenant", "list", "-o", "jsn", code=2, says=["json"])
    refused(target(), "tenant", "create", "Bad", "--email", "nobody", "--slug", "address", code=2, says=["email|e-mail"])
    refused(target(), "tenant", "create", "Bad", "--email", "a@b.example", "--slug", "tier", "--tier", "gold", code=2, says=["starter"])


@case
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


@case
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


@case
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


@case
def output_closed():
    """A reader that goes away is no crash and no trace."""
    where = target()
    done = subprocess.run(["bash", "-o", "pipefail", "-c", '"$0" cost-estimate | head -n 1; exit ${PIPESTATUS[0]}', where.binary, ], env=where.env,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert done.returncode in (0, 1, 141), done
    full = subprocess.run(["bash", "-c", '"$0" cost-estimate > /dev/full', where.binary], env=where.env, stderr=subprocess.PIPE, text=True)
    print("    " + full.stderr.strip())
    assert full.returncode == 1 and "error" in full.stderr, full


@case
def files_may_not_grow():
    """Past `ulimit -f` a write is an error with a hint, and not the end of the process."""
    where = target()
    assert where.run("tenant", "create", "Limit", "--email", "a@b.example", "--slug", "limit")[0] == 0
    here = where.home
    for words, env in ((("instance", "plan", "limit", "--out", os.path.join(here, "plan")), {}),
                       (("template", "eject", os.path.join(here, "ejected")), {}),
                       (("tenant", "create", "Limited", "--email", "a@b.example"), {"LITEDESK_REGISTRY": "sqlite"}),
                       (("tenant", "list"), {"LITEDESK_CONTEXT": "sandbox"})):
        done = subprocess.run(["bash", "-c", 'ulimit -f 1; exec "$0" "$@"', where.binary, *words], env={**where.env, **env}, cwd=here,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        print("    " + done.stderr.strip().replace("\n", "\n    "))
        assert done.returncode == 1 and "ulimit -f" in done.stderr, done
    assert not os.path.exists(os.path.join(here, "plan")), "a plan cut short"


@case
def descriptors_closed():
    """Standard descriptors that are closed: what must be printed is refused, and nothing else is hurt."""
    where = target()
    assert where.run("tenant", "create", "Closed", "--email", "a@b.example", "--slug", "closed")[0] == 0

    def run(redirection, *words):
        return subprocess.run(["bash", "-c", 'exec "$0" "$@" ' + redirection, where.binary, *words], env=where.env, cwd=where.home,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    whole = where.run("tenant", "list", "-o", "name")[1]
    for redirection in ("<&-", "2>&-", "<&- 2>&-"):
        done = run(redirection, "tenant", "list", "-o", "name")
        assert (done.returncode, done.stdout) == (0, whole), done
    done = run(">&-", "tenant", "list")
    print("    " + done.stderr.strip())
    assert done.returncode == 1 and "standard output" in done.stderr, done
    # Progress must not go into a connection that got the number of standard error.
    done = run("<&- 2>&-", "instance", "provision", "closed", "--timeout", "60s")
    assert done.returncode == 0 and "closed is active" in done.stdout, done
    done = run("<&- 2>&- >&-", "instance", "provision", "closed", "--timeout", "60s")
    assert done.returncode == 1, done
    assert where.run("status", "closed")[0] == 0


@case
def output_is_no_file():
    """A FIFO, a link or an open file stays what it is, and gets what is written."""
    where = target()
    assert where.run("tenant", "create", "Fifo", "--email", "a@b.example", "--slug", "fifo")[0] == 0
    fifo, plan, link = (os.path.join(where.home, name) for name in ("fifo", "plan", "link"))
    os.mkfifo(fifo)
    os.symlink("plan", link)
    reader = subprocess.Popen(["cat", fifo], stdout=subprocess.PIPE, text=True)
    assert where.run("instance", "plan", "fifo", "--out", fifo)[0] == 0
    through = reader.communicate(timeout=20)[0]
    assert where.run("instance", "plan", "fifo", "--out", link)[0] == 0
    assert stat.S_ISFIFO(os.stat(fifo).st_mode) and os.path.islink(link) and not os.path.islink(plan)
    with open(plan) as written:
        assert json.loads(through) == json.load(written)
    refused(where, "instance", "plan", "fifo", "--out", fifo, "--timeout", "200ms", code=6, says=["FIFO", "reader"])
    # Through /dev/stdout, which a shell has opened.
    done = subprocess.run(["bash", "-c", 'echo before; "$0" instance plan fifo -q -o name --out /dev/stdout; echo after', where.binary], env=where.env,
                          cwd=where.home, stdout=open(plan, "w"), stderr=subprocess.PIPE, text=True)
    with open(plan) as written:
        lines = written.read().splitlines()
    assert done.returncode == 0 and lines[:2] == ["before", "{"] and "}" in lines and lines[-1] == "after", (done, lines)


def asking_commands(where):
    """All commands whose help has --confirm."""
    def words(*before):
        _, out, _ = where.run("__complete", *before, "")
        return [line.split("\t")[0] for line in out.splitlines() if not line.startswith(":")]
    found = set()
    for first in words():
        for command in [(first, second) for second in words(first) if re.fullmatch("[a-z]+", second)] or [(first,)]:
            _, out, _ = where.run("help", *command)
            if "--confirm" in out:
                found.add(command)
    return found


@case
def not_confirmed():
    """Every command that asks refuses without a terminal, and nothing is done; with --yes or --confirm it is."""
    where = target()
    for slug, tier in (("confirm", "enterprise"), ("confirm-two", "trial")):
        assert where.run("tenant", "create", "Tier", "--email", "a@b.example", "--slug", slug, "--tier", tier)[0] == 0
    assert where.run("instance", "provision", "confirm", "--timeout", "60s")[0] == 0
    assert where.run("tenant", "update", "confirm", "--tier", "starter")[0] == 0
    assert where.run("dns", "set", "confirm-three", "--target", "lb.example.com")[0] == 0
    sandbox = {"LITEDESK_CONTEXT": "sandbox"}
    assert where.run("tenant", "create", "Kept", "--email", "a@b.example", env=sandbox)[0] == 0
    # Each with what shows that nothing was done, and the name to confirm.
    cases = {("instance", "provision"): (["confirm"], "confirm", ["instance", "plan", "confirm", "-o", "json"], {}),
             ("tenant", "delete"): (["confirm-two"], "confirm-two", ["tenant", "get", "confirm-two", "-o", "json"], {}),
             ("dns", "delete"): (["confirm-three"], "confirm-three", ["dns", "get", "confirm-three", "-o", "json"], {}),
             ("sandbox", "reset"): ([], "sandbox", ["tenant", "list", "-o", "name"], sandbox)}
    assert asking_commands(where) == set(cases), "a command that asks is not tried here: %s" % (asking_commands(where) ^ set(cases))
    for command, (arguments, name, look, env) in cases.items():
        before = where.run(*look, env=env)
        assert before[0] == 0, before
        refused(where, *command, *arguments, code=2, says=["--confirm " + name, "nothing was done"])
        refused(where, *command, *arguments, "--confirm", "other", code=2, says=["--confirm", "nothing was done"])
        assert where.run(*look, env=env) == before, command
        code, out, err = where.run(*command, *arguments, "--confirm", name)
        assert code == 0, (command, out, err)
        assert where.run(*look, env=env) != before, command


@case
def application_profiles():
    where = target()
    assert where.run("tenant", "create", "Profile", "--email", "a@b.example", "--slug", "profile", "--tier", "starter")[0] == 0

    def plan(code, *says, **env):
        refused(where, "instance", "plan", "profile", code=code, says=says, env=env)
    plan(3, "application profile arvu not found", 'did you mean "arivu"', LITEDESK_APP_PROFILE="arvu")
    for command in (("registry", "install"), ("dns", "list"), ("tenant", "get", "profile")):  # which need none
        code, out, err = where.run(*command, env={"LITEDESK_APP_PROFILE": "arvu"})
        assert code == 0, (command, out, err)
    plan(2, "on the shared cluster all tenants would meet in it", "app.database=", LITEDESK_APP_DATABASE="fixed litedesk_master")
    plan(2, "is not a rule for the database's name", LITEDESK_APP_DATABASE="master")
    plan(2, "takes no variable SMPT_HOST", 'did you mean "SMTP_HOST"', LITEDESK_APP_PROFILE="arivu", LITEDESK_APP_ENVIRONMENT="SMPT_HOST=x")
    plan(2, "holds the secret SMTP_PASS", "LITEDESK_APP_SMTP_PASS", LITEDESK_APP_PROFILE="arivu", LITEDESK_APP_ENVIRONMENT="SMTP_PASS=x")
    plan(2, "2 pods would share it", LITEDESK_APP_ACCESS_MODE="ReadWriteOnce")
    plan(2, "is not a valid value of app.accessMode", LITEDESK_APP_ACCESS_MODE="ReadOnlyMany")
    plan(2, "is not HOST:PORT", LITEDESK_LOAD_BALANCER_CONNECT="lb.example.com")
    plan(2, "is not HOST:PORT", LITEDESK_LOAD_BALANCER_CONNECT="http://lb.example.com:80")
    folder = os.path.join(harness.folder("profiles"), "own")
    assert where.run("template", "eject", folder)[0] == 0
    path = os.path.join(folder, "app", "litedesk.yaml")
    text = open(path).read()
    for change, says in ((("port: 3000", "prot: 3000"), r"app/litedesk.yaml:\d+:\d+: unknown key prot in components: did you mean \"port\"\?"),
                         (("port: 3000", "port: 3000\n  port: 80"), r"app/litedesk.yaml:\d+:\d+: the key port is defined twice"),
                         (("bodySize: 12m", "bodySize: 0"), r"app/litedesk.yaml:\d+:\d+: bodySize must be text like 12m"),
                         (("${origins|env}", "${origin|env}"), r"app/litedesk.yaml:\d+:\d+: unknown variable origin")):
        with open(path, "w") as file:
            file.write(text.replace(*change))
        plan(2, says, LITEDESK_TEMPLATES=folder)
        refused(where, "template", "lint", folder, code=2, says=[says])
    # Templates of before there were profiles make the same objects a second time: the one to take out is named.
    with open(path, "w") as file:
        file.write(text)
    with open(os.path.join(folder, "instance", "60-backend.yaml"), "w") as file:
        file.write("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: backend}\n")
    plan(2, "Deployment backend is defined twice", LITEDESK_TEMPLATES=folder)
    assert where.run("status", "profile", "--probe", "--watch")[0] == 2
    assert where.run("status", "--probe")[0] == 2


def nothing(*slugs):
    for slug in slugs:
        token = re.search(r"token: *\"?([^\"\s]+)", KUBECONFIG).group(1)
        api = harness.RestApi(re.search(r"server: *\"?(http://[0-9.:]+)", KUBECONFIG).group(1), {"Authorization": "Bearer " + token})
        assert api.get("/api/v1/namespaces/instance-" + slug) is None, "namespace instance-%s is there" % slug


def main():
    code, _, err = target().run("registry", "install")
    assert code == 0, err
    chosen = [each for each in CASES if len(sys.argv) == 1 or each.__name__ in sys.argv[1:]]
    passed = sum(harness.passes(each) for each in chosen)
    harness.main_summary(passed, len(chosen) - passed)


if __name__ == "__main__":
    main()
