#!/usr/bin/env python3
"""Ctrl-C on a pseudo-terminal and signals without one: what is said at once, what the second one leaves, and the exit code.

usage: test_interrupt.py [NAME]...
"""
import codecs
import datetime
import json
import os
import pty
import re
import signal
import subprocess
import sys
import threading
import time

import harness
import relay

SERVE = harness.Serve(harness.folder("sandbox"), "--time-scale", "0.2")
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def target(between=None, **env):
    """The sandbox, its Kubernetes API through a relay where there is one."""
    path = None
    if between:
        path = os.path.join(harness.folder("kubeconfig"), "config")
        with open(path, "w") as out:
            out.write(re.sub(r"http://[0-9.:]+", between.urls[0], open(SERVE.values["KUBECONFIG"]).read()))
        os.chmod(path, 0o600)
    return harness.Target("interrupt", SERVE.values, kubeconfig=path, extra={"TERM": "xterm", **env})


def relayed():
    return relay.Relay([re.search(r"server: *\"?(http://[0-9.:]+)", open(SERVE.values["KUBECONFIG"]).read()).group(1)])


class Terminal:
    """litedesk on a terminal of its own, where Ctrl-C is a key. It is read all the time: one that nobody reads is full after some
    seconds of progress, and who writes to it waits."""

    def __init__(self, where, *arguments):
        self._shown, self._more, self._ended = "", threading.Condition(), False
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execve(where.binary, [where.binary, *arguments], where.env)
        threading.Thread(target=self._read, daemon=True).start()

    @property
    def text(self):
        return ESCAPES.sub("", self._shown)

    def _read(self):
        decoder, chunk = codecs.getincrementaldecoder("utf-8")("replace"), b"?"
        while chunk:
            try:
                chunk = os.read(self.fd, 65536)
            except OSError:  # the other end is closed
                chunk = b""
            with self._more:
                self._shown += decoder.decode(chunk)
                self._ended = not chunk
                self._more.notify_all()

    def until(self, *words, seconds=60):
        """Waits until each of the words (regular expressions) was shown."""
        def all_there():
            return all(re.search(each, self.text) for each in words)
        with self._more:
            assert self._more.wait_for(lambda: self._ended or all_there(), seconds), "no %s in:\n%s" % (words, self.text)
            assert all_there(), "it ended without %s:\n%s" % (words, self.text)

    def press_ctrl_c(self):
        os.write(self.fd, b"\x03")

    def end(self, seconds=60):
        """What was shown in all, and the exit code."""
        with self._more:
            assert self._more.wait_for(lambda: self._ended, seconds), "still running:\n" + self.text
        _, status = os.waitpid(self.pid, 0)
        os.close(self.fd)
        print("    " + "\n    ".join(self.text.replace("\r", "").splitlines()[-12:]))
        return self.text, os.waitstatus_to_exitcode(status)


def registered(slug, between=None, **env):
    where = target(between, **env)
    code, out, err = where.run("tenant", "create", "Acme", "--email", "a@b.example", "--slug", slug)
    assert code == 0, out + err
    return where


def goes_on(slug):
    code, out, err = target().run("instance", "provision", slug, "--yes")
    assert code == 0 and "is active" in out, out + err


# --- the first one

def first_undoes():
    """It says at once what is undone, and what a second one would do; then it undoes, and says how to start again."""
    where = registered("first", BACKEND_IMAGE_TAG="slow")
    run = Terminal(where, "instance", "provision", "first")
    run.until(r"backend +0/")
    run.press_ctrl_c()
    run.until("interrupted: rolling back first and releasing its lock",
              r"Ctrl-C again stops at once; to continue then: litedesk instance provision first")
    text, code = run.end()
    assert code == 130, code
    assert text.index("interrupted: rolling back") < text.index("was undone: nothing of it is left"), text
    assert "start again with: litedesk instance provision first" in text, text
    assert re.search(r"↶ backend +is deleted with its namespace", text), text
    goes_on("first")


def first_keeps():
    where = registered("kept", BACKEND_IMAGE_TAG="slow")
    run = Terminal(where, "instance", "provision", "kept", "--keep-on-failure")
    run.until(r"backend +0/")
    run.press_ctrl_c()
    run.until("interrupted: keeping what was created for kept")
    text, code = run.end()
    assert code == 130 and "what was created for kept is kept" in text, text
    goes_on("kept")


def first_puts_back():
    """Of an instance that was active before, nothing is undone but this run's change."""
    registered("before")
    goes_on("before")
    run = Terminal(target(BACKEND_IMAGE_TAG="slow"), "instance", "provision", "before")
    run.until(r"backend +1 old pod")
    run.press_ctrl_c()
    run.until("interrupted: restoring before to its previous state")
    text, code = run.end()
    assert code == 130 and "it is back in its previous state" in text, text
    code, out, err = target().run("instance", "plan", "before", "--exit-code")
    assert code == 0, out + err


def first_while_reading():
    """Before anything was changed it stops at once, and says so."""
    between = relayed()
    try:
        where = registered("reading", between)
        between.hold("GET .*/namespaces/instance-reading")
        run = Terminal(where, "instance", "provision", "reading")
        between.wait_held()
        run.press_ctrl_c()
        text, code = run.end()
        assert code == 130 and "interrupted before anything was changed for reading" in text, text
        assert "litedesk instance provision reading" in text, text
    finally:
        between.close()


def first_while_undoing():
    where = registered("failing", BACKEND_IMAGE_TAG="crash")
    between = relayed()
    try:
        where = target(between, BACKEND_IMAGE_TAG="crash")
        between.hold("DELETE .*/namespaces/instance-failing")
        run = Terminal(where, "instance", "provision", "failing")
        between.wait_held()
        run.press_ctrl_c()
        run.until("interrupted: the rollback of failing continues")
        between.release()
        text, code = run.end()
        assert code == 7 and "rolled back" in text, text
    finally:
        between.close()


def first_when_all_is_ready():
    """What is done is not undone, and its record says so."""
    where = target()
    code, out, err = where.run("tenant", "create", "Acme", "--email", "a@b.example", "--slug", "ready", "--tier", "enterprise")
    assert code == 0, out + err
    goes_on("ready")
    code, out, err = where.run("tenant", "update", "ready", "--tier", "starter")
    assert code == 0, out + err
    between = relayed()
    try:
        # The narrower quota is applied once all else is ready.
        between.hold(r'PATCH [^\n?]*/resourcequotas/instance\?(?![^\n]*dryRun)[^\n]*\n.*"pods":"?11\b')
        run = Terminal(target(between), "instance", "provision", "ready", "--yes")
        between.wait_held()
        run.press_ctrl_c()
        run.until("interrupted: restoring ready to its previous state")
        between.release()
        text, code = run.end()
        assert code == 0 and "ready is active" in text, text
    finally:
        between.close()
    code, out, err = where.run("instance", "plan", "ready", "--exit-code")
    assert code == 0, out + err
    assert where.json("tenant", "get", "ready")["status"]["phase"] == "active"


# --- the second one

def second_stops():
    """It ends the process whatever is in flight, names that, and says how to go on; the next run does."""
    between = relayed()
    try:
        where = registered("second", between)
        between.hold("PATCH .*/secrets/database")
        run = Terminal(where, "instance", "provision", "second")
        between.wait_held()
        run.press_ctrl_c()
        run.until("interrupted: rolling back second")
        run.press_ctrl_c()
        text, code = run.end()
        assert code == 130, code
        assert "stopped at once: second is not rolled back" in text, text
        assert re.search(r"in flight: apply .*instance-second/.* more", text), text
        assert "continue with: litedesk instance provision second" in text, text
    finally:
        between.close()
    goes_on("second")


def signalled_until_it_ends(process):
    """Sends SIGTERM again and again: what comes within a second of the first is taken for the same."""
    end = time.monotonic() + 60
    while True:
        try:
            return process.communicate(timeout=0.3)
        except subprocess.TimeoutExpired:
            assert time.monotonic() < end, "it does not end"
            process.send_signal(signal.SIGTERM)


def ended_by_timeout():
    """timeout(1) signals the process and then its whole group: that is one request to stop, and what was made is undone."""
    where = registered("late")
    undone, seconds = 0, 2
    while undone < 3:
        done = subprocess.run(["timeout", str(seconds), where.binary, "instance", "provision", "late", "-q"], env=where.env, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=120)
        print("    " + done.stderr.strip())
        assert done.returncode == 124, done.returncode
        assert "stopped at once" not in done.stderr, done.stderr
        if "before anything was changed" in done.stderr:
            seconds *= 2  # a machine that needs longer to begin
            continue
        assert "nothing of it is left" in done.stderr, done.stderr
        undone += 1
    goes_on("late")


def second_without_terminal():
    """SIGTERM twice, for a script: one JSON object, and nothing else."""
    between = relayed()
    try:
        where = registered("script", between)
        between.hold("PATCH .*/deployments/backend")
        process = where.start("instance", "provision", "script", "-o", "json")
        between.wait_held()
        process.send_signal(signal.SIGTERM)
        out, err = signalled_until_it_ends(process)
        print("    " + err.strip())
        assert process.returncode == 130 and out == "", (process.returncode, out)
        error = json.loads(err)["error"]
        assert error["code"] == "cancelled" and re.search("in flight: .*apply [A-Z][A-Za-z]* instance-script", error["cause"]), error
        assert "litedesk instance provision script" in error["hint"], error
    finally:
        between.close()
    goes_on("script")


def change_in_flight():
    """A command without more to say names the change that it waits for."""
    between = relayed()
    try:
        where = target(between)
        between.hold("POST .*/tenants")
        run = Terminal(where, "tenant", "create", "Acme", "--email", "a@b.example", "--slug", "waits")
        between.wait_held()
        run.press_ctrl_c()
        run.until("interrupted: waiting for the response to: create Tenant waits", "Ctrl-C again stops at once")
        run.press_ctrl_c()
        text, code = run.end()
        assert code == 130 and "stopped at once" in text and "in flight: create Tenant waits" in text, text
        assert "check before you repeat it" in text, text
    finally:
        between.close()


# --- the lock

def lapsed_lock():
    """An API server that is too slow for the lock's renewals: once it is back the lock is taken back, and the run comes to its end."""
    between = relayed()
    try:
        where = registered("lapsed", between)
        between.hold("PATCH .*/secrets/database")
        process = where.start("instance", "provision", "lapsed")
        between.wait_held()
        between.hold(r"PATCH .*/tenants/lapsed\b|PATCH .*/secrets/database")
        renewed = target().json("tenant", "get", "lapsed")["status"]["operation"]["renewed"]
        lapses = datetime.datetime.fromisoformat(renewed.replace("Z", "+00:00")).timestamp() + 13
        while time.time() < lapses + 8:  # for longer than one renewal waits
            time.sleep(0.1)
            assert process.poll() is None, process.communicate()
        assert any("/tenants/lapsed" in each for each in between.held), between.held
        between.release()
        out, err = process.communicate(timeout=120)
        print("    " + (out + err).strip().replace("\n", "\n    "))
        assert process.returncode == 0 and "lapsed is active" in out, (process.returncode, out, err)
    finally:
        between.close()


ALL = [first_undoes, first_keeps, first_puts_back, first_while_reading, first_while_undoing, first_when_all_is_ready, second_stops, second_without_terminal,
       ended_by_timeout, change_in_flight, lapsed_lock]


def main():
    code, _, err = target().run("registry", "install")
    assert code == 0, err
    chosen = [case for case in ALL if len(sys.argv) == 1 or case.__name__ in sys.argv[1:]]
    passed = sum(harness.passes(case) for case in chosen)
    harness.main_summary(passed, len(chosen) - passed)


if __name__ == "__main__":
    main()
