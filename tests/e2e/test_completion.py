#!/usr/bin/env python3
"""Types into real bash, zsh and fish on a pseudo-terminal, presses Tab, and looks at what the line became.

usage: test_completion.py [SHELL]...
"""
import os
import pty
import re
import select
import shutil
import subprocess
import sys
import time

import harness

# What is typed (Tab is pressed behind it), and what the shell then shows.
CASES = [
    ("litedesk ten", ["litedesk tenant "]),
    ("litedesk tenant ", ["create", "list", "update"]),
    ("litedesk tenant get ", ["litedesk tenant get acme "]),
    ("litedesk tenant create --tier tr", ["--tier trial "]),
    ("litedesk tenant create --tier=tr", ["--tier=trial "]),
    ("litedesk tenant create --tier=", ["enterprise", "professional", "starter", "trial"]),
    ("litedesk context set x dns.st", ["dns.strategy="]),
    ("litedesk context set x dns.strategy=w", ["dns.strategy=wildcard "]),
    ("litedesk sandbox serve --fault route53:thr", ["route53:throttle:"]),
    ("litedesk sandbox serve --fault kubernetes:conf", ["kubernetes:conflict:"]),
    ("litedesk status -o js", ["json"]),
    ("litedesk instance provision acme --plan ./saved", ["./saved.plan "]),
    ("litedesk instance provision acme --plan=./saved", ["--plan=./saved.plan "]),
    ("litedesk template eject ./fol", ["./folder/"]),
]
# Shell code in a name: run when it is completed unquoted and Enter is pressed, in bash and in zsh.
CODE = "$(:>made)"
HOSTILE = ["litedesk dns get a", "litedesk instance provision acme --plan a", "litedesk instance provision acme --plan=a"]
DESCRIBED = ("litedesk tenant ", "register a tenant")  # by shells that show descriptions
ESCAPES = re.compile(r"\x07|\x1b\[[0-9;?]*[A-Za-z]|\x1b[()=>]\w?|\x1b\][^\x07]*\x07|\r")


class Shell:
    def __init__(self, argv, env, cwd):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(cwd)
            os.execvpe(argv[0], argv, env)

    def read(self, seconds, until=None):
        """What comes within the time, or until all of `until` has come. Answers what fish asks a terminal."""
        got, end = b"", time.monotonic() + seconds
        while time.monotonic() < end:
            if not select.select([self.fd], [], [], 0.05)[0]:
                continue
            try:
                chunk = os.read(self.fd, 65536)
            except OSError:
                break
            if b"\x1b[6n" in chunk:
                os.write(self.fd, b"\x1b[1;1R")
            if b"\x1b[c" in chunk:
                os.write(self.fd, b"\x1b[?62c")
            got += chunk
            text = ESCAPES.sub("", got.decode("utf-8", "replace"))
            if until and all(part in text for part in until):
                return text
        return ESCAPES.sub("", got.decode("utf-8", "replace"))

    def type(self, text):
        os.write(self.fd, text.encode())

    def close(self):
        os.kill(self.pid, 9)
        os.waitpid(self.pid, 0)
        os.close(self.fd)


def script(env, shell):
    return subprocess.run(["litedesk", "completion", shell], env=env, check=True, stdout=subprocess.PIPE, text=True).stdout


def prepare(shell, env, home):
    """The shell's command line, and what is typed into it before anything else."""
    if shell == "bash":
        return ["bash", "--norc", "-i"], "source <(litedesk completion bash)"
    if shell == "zsh":
        os.makedirs(os.path.join(home, "functions"), exist_ok=True)
        with open(os.path.join(home, "functions", "_litedesk"), "w") as out:
            out.write(script(env, "zsh"))
        return ["zsh", "-f", "-i"], "fpath=(~/functions $fpath); autoload -Uz compinit; compinit -u -D"
    folder = os.path.join(home, ".config", "fish", "completions")
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "litedesk.fish"), "w") as out:
        out.write(script(env, "fish"))
    return ["fish", "-i"], ""


def started(argv, setup, env, cwd):
    """A shell that has come to its prompt: what it says last stands in one piece only in what it prints, not in what is typed."""
    one = Shell(argv, env, cwd)
    one.read(0.5)
    one.type((setup + "; " if setup else "") + "echo rea''dy\r")
    assert "ready" in one.read(60, ["ready"]), "the shell does not start"
    one.read(0.3)
    return one


def typed_in(one, text):
    """Types it, and returns what the shell shows once it has shown the whole of it."""
    one.type(text)
    return one.read(30, [text])


def completes(shell, argv, setup, env, home, typed, wanted):
    """What is wrong with the line after a Tab; None when nothing is."""
    one = started(argv, setup, env, home)
    typed_in(one, typed)
    one.type("\t")
    shown = one.read(1.5, wanted)
    if not all(part in typed + shown for part in wanted):
        one.type("\t")
        shown += one.read(20, wanted)
    one.close()
    # A shell may print only what it adds to the line.
    if all(part in typed + shown or part in shown for part in wanted):
        return None
    return "%r became %r, without %r" % (typed, shown[-400:], wanted)


def obeys(shell, argv, setup, env, home, typed):
    """Whether a name that is shell code is run when it is completed and Enter is pressed; None when it is not. A program of the
    test's own offers it, for litedesk itself does not."""
    cwd = harness.folder("hostile")
    env = dict(env, PATH=os.path.join(home, "hostile") + ":" + env["PATH"])
    open(os.path.join(cwd, "a" + CODE), "w").close()
    one = started(argv, setup, env, cwd)
    typed_in(one, typed)
    one.type("\t")
    shown = one.read(20, ["made"])
    one.type("\r")
    one.type("echo all $((1))done\r")
    shown += one.read(30, ["all 1done"])
    one.close()
    left = sorted(os.listdir(cwd))
    if left != ["a" + CODE]:
        return "%r became %r, and was run: %s" % (typed, shown[-400:], left)
    return None if "made" in shown else "%r became %r: what was offered is not there" % (typed, shown[-400:])


def plant_hostile_program(home):
    """A litedesk that offers one word, whatever is asked of it."""
    os.makedirs(os.path.join(home, "hostile"))
    path = os.path.join(home, "hostile", "litedesk")
    with open(path, "w") as out:
        out.write("""#!/bin/sh
case "$1" in
  completion) exec '%s' "$@" ;;
  __complete)
    case "$*" in *--plan*) echo :files ;; *) printf '%%s\\tabout\\n:none\\n' 'a%s' ;; esac ;;
esac
""" % (os.path.abspath(harness.LITEDESK), CODE))
    os.chmod(path, 0o755)


def main():
    home = harness.folder("completion")
    programs = os.path.join(home, "bin")
    os.makedirs(programs)
    os.symlink(os.path.abspath(harness.LITEDESK), os.path.join(programs, "litedesk"))
    env = {"PATH": programs + ":" + os.environ["PATH"], "HOME": home, "LITEDESK_HOME": home, "TERM": "xterm", "LANG": "C.UTF-8",
           "PS1": "$ ", "LITEDESK_CONTEXT": "local"}
    with open(os.path.join(home, "config.yaml"), "w") as out:
        out.write("contexts:\n  local: {registry: sqlite}\n")
    subprocess.run(["litedesk", "tenant", "create", "Acme", "--email", "o@acme.example"], env=env, check=True, stdout=subprocess.DEVNULL)
    open(os.path.join(home, "saved.plan"), "w").close()
    os.makedirs(os.path.join(home, "folder"))
    plant_hostile_program(home)

    passed, failed, skipped = 0, 0, 0
    for shell in sys.argv[1:] or ["bash", "zsh", "fish"]:
        if not shutil.which(shell):
            print("SKIPPED completion in %s: it is not installed" % shell)
            skipped += len(CASES) + len(HOSTILE)
            continue
        argv, setup = prepare(shell, env, home)
        cases = CASES + ([(DESCRIBED[0], [DESCRIBED[1]])] if shell != "bash" else [])
        wrong = [each for each in (completes(shell, argv, setup, env, home, *case) for case in cases) if each]
        wrong += [each for each in (obeys(shell, argv, setup, env, home, typed) for typed in HOSTILE) if each]
        for each in wrong:
            print("FAILED in %s: %s" % (shell, each))
        passed, failed = passed + len(cases) + len(HOSTILE) - len(wrong), failed + len(wrong)
    harness.main_summary(passed, failed, skipped)


if __name__ == "__main__":
    main()
