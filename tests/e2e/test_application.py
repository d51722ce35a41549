#!/usr/bin/env python3
"""Whether an instance serves is asked from outside: a stand-in for the ingress and the application, behind TLS on loopback.

usage: test_application.py [NAME]...
"""
import contextlib
import http.client
import http.server
import json
import os
import socket
import ssl
import subprocess
import sys
import threading

import harness

SERVE = harness.Serve(harness.folder("sandbox"), "--time-scale", "0")
CASES = []


def case(function):
    CASES.append(function)
    return function


def authority():
    """A folder with ca.pem, and a certificate of it for *.litedesk.com and one for another name."""
    folder = harness.folder("authority")

    def openssl(*words):
        subprocess.run(["openssl", *words], cwd=folder, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", "ca.key", "-out", "ca.pem",
            "-days", "2", "-subj", "/CN=test-ca")
    for name, host in (("right", "*.litedesk.com"), ("other", "ingress.local")):
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", name + ".key", "-out", name + ".csr",
                "-subj", "/CN=" + name)
        with open(os.path.join(folder, name + ".ext"), "w") as out:
            out.write("subjectAltName=DNS:%s\n" % host)
        openssl("x509", "-req", "-in", name + ".csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile",
                name + ".ext", "-out", name + ".pem")
    return folder


AUTHORITY = authority()
UNKNOWN_LOGIN = (401, "application/json", json.dumps({"message": "Invalid credentials"}))
REFUSED_ORIGIN = (500, "text/html; charset=utf-8", "<pre>Error: Not allowed by CORS</pre>")
NO_RIGHTS = (500, "application/json", json.dumps({"message": "Server error during login.", "error": "not authorized on litedesk_master to execute command"}))


@contextlib.contextmanager
def application(*answers, certificate="right"):
    """Gives these answers in turn, the last one for ever. Yields its address, and a list of what it was asked."""
    asked, left = [], list(answers)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            asked.append((self.path, self.headers["Host"], self.headers["Origin"], json.loads(body)))
            status, kind, text = left.pop(0) if len(left) > 1 else left[0]
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(os.path.join(AUTHORITY, certificate + ".pem"), os.path.join(AUTHORITY, certificate + ".key"))
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield "127.0.0.1:%d" % server.server_address[1], asked
    finally:
        server.shutdown()
        server.server_close()


def provision(slug, connect, *arguments, env=None):
    """Registers and provisions it: (exit code, standard output, standard error)."""
    where = harness.Target("application", SERVE.values, extra={
        "LITEDESK_LOAD_BALANCER_CONNECT": connect, "SSL_CERT_FILE": os.path.join(AUTHORITY, "ca.pem"), **(env or {})})
    code, _, err = where.run("tenant", "create", "Acme", "--email", "a@b.example", "--slug", slug)
    assert code == 0, err
    code, out, err = where.run("instance", "provision", slug, *arguments)
    print("    " + (out + err).strip().replace("\n", "\n    "))
    return where, code, out, err


def recorded(where, slug):
    return where.json("tenant", "get", slug)["status"]["application"]


@case
def right():
    with application(UNKNOWN_LOGIN) as (address, asked):
        where, code, _, err = provision("right", address)
        assert code == 0 and "application  answers 401" in err, err
        assert asked == [("/api/auth/login", "right.litedesk.com", "https://right.litedesk.com",
                          {"email": "nobody@right.litedesk.com", "password": "unknown"})], asked
        assert recorded(where, "right")["state"] == "ok"
        # Told, and asked only where that is wanted.
        parts = {part["name"]: part for part in where.json("status", "right")["parts"]}
        assert parts["application"]["state"] == "ok" and len(asked) == 1, parts
        assert where.run("status", "right", "--probe")[0] == 0 and len(asked) == 2
        code, _, err = where.run("instance", "provision", "right")
        assert code == 0 and len(asked) == 2, "nothing had changed, and it was asked"
    with application(NO_RIGHTS) as (address, asked):
        code, out, _ = where.run("status", "right", "--probe", env={"LITEDESK_LOAD_BALANCER_CONNECT": address})
        assert code == 1 and "cannot use its database" in out and len(asked) == 1, out


@case
def wrong_origin():
    with application(REFUSED_ORIGIN) as (address, asked):
        where, code, _, err = provision("origin", address)
        assert code == 7 and "it refuses its own pages (500): https://origin.litedesk.com must be among the origins" in err, err
        assert len(asked) == 3, asked
        assert where.json("tenant", "get", "origin")["status"]["phase"] == "failed"


@case
def wrong_rights():
    with application(NO_RIGHTS) as (address, _):
        _, code, _, err = provision("rights", address)
        assert code == 7 and "it cannot use its database (500: Server error during login. not authorized on litedesk_master" in err, err


@case
def not_there_yet():
    with application((404, "text/html", "no"), (503, "text/html", "no"), UNKNOWN_LOGIN) as (address, asked):
        _, code, _, err = provision("later", address)
        assert code == 0 and len(asked) == 3, (err, asked)
        assert "the ingress does not route later.litedesk.com/api/auth/login (404)" in err, err
    with application((503, "text/html", "no")) as (address, _):
        _, code, _, err = provision("never", address, "--timeout", "25s")
        assert code == 7 and "the ingress reaches no pod of the application (503)" in err, err


@case
def silent():
    """Somebody takes the connection and says nothing, or nobody takes it: not known, and no failure unless it is required."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        where, code, _, err = provision("silent", "127.0.0.1:%d" % listening.getsockname()[1])
        assert code == 0 and "whether silent serves is unknown: nobody answers at silent.litedesk.com from this machine" in err, err
        assert recorded(where, "silent")["state"] == "unknown"
        assert where.json("status", "silent")["health"] == "healthy"
        port = listening.getsockname()[1]
    where, code, _, err = provision("closed", "127.0.0.1:%d" % port)
    assert code == 0 and "Connection refused" in err, err
    where, code, _, err = provision("required", "127.0.0.1:%d" % port, "--require-application", "--timeout", "25s")
    assert code == 7 and "nobody answers at required.litedesk.com from this machine" in err, err


@case
def another_certificate():
    with application(UNKNOWN_LOGIN, certificate="other") as (address, asked):
        _, code, _, err = provision("other", address, "--timeout", "25s")
        assert code == 7 and "is for another name" in err and not asked, (err, asked)
    with application(UNKNOWN_LOGIN) as (address, asked):
        _, code, _, err = provision("untrusted", address, "--timeout", "25s", env={"SSL_CERT_FILE": "/etc/ssl/certs/ca-certificates.crt"})
        assert code == 7 and "does not trust" in err and not asked, (err, asked)


@case
def switched_off():
    where, code, _, err = provision("off", "127.0.0.1:1", env={"LITEDESK_APP_CHECK": "false"})
    assert code == 0 and "application" not in err, err


@case
def sandbox_application():
    """The sandbox answers there as the generation's application does."""
    connect = SERVE.values["LITEDESK_LOAD_BALANCER_CONNECT"]
    assert provision("generation", connect)[1] == 0
    assert provision("arivu", connect, env={"LITEDESK_APP_PROFILE": "arivu"})[1] == 0
    # What its ingress refuses: whatever the case of letters is, and a body over the profile's limit.
    def posted(path, size=2):
        connection = http.client.HTTPConnection(connect[len("http://"):])
        connection.request("POST", path, b"x" * size, {"Host": "generation.litedesk.com", "Content-Type": "application/json"})
        return connection.getresponse().status
    assert [posted(path) for path in ("/api/auth/register", "/api/auth/Register/", "/api/admin/contacts", "/api/auth/login")] == [403, 403, 403, 401]
    assert posted("/api/auth/login", 12 << 20) == 401 and posted("/api/auth/login", (12 << 20) + 1) == 413
    # It opens its own database, in which the user has no rights: neither its rule nor a variable says otherwise.
    _, code, _, err = provision("own-database", connect, env={"LITEDESK_APP_DATABASE": "uri"})
    assert code == 7 and "it cannot use its database (500: Server error during login. not authorized" in err, err
    folder = os.path.join(harness.folder("profiles"), "t")
    where = harness.Target("application", SERVE.values)
    assert where.run("template", "eject", folder)[0] == 0
    path = os.path.join(folder, "app", "litedesk.yaml")
    with open(path) as file:
        text = file.read()
    with open(path, "w") as file:
        file.write(text.replace('"${origins|env}"', "https://elsewhere.example"))
    _, code, _, err = provision("elsewhere", connect, env={"LITEDESK_TEMPLATES": folder})
    assert code == 7 and "it refuses its own pages" in err, err


def main():
    code, _, err = harness.Target("application", SERVE.values).run("registry", "install")
    assert code == 0, err
    chosen = [each for each in CASES if len(sys.argv) == 1 or each.__name__ in sys.argv[1:]]
    passed = sum(harness.passes(each) for each in chosen)
    harness.main_summary(passed, len(chosen) - passed)


main()
