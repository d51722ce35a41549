#!/usr/bin/env python3
"""Every script of script/ says at once how it is used, and does nothing for a word that it does not know."""
import os
import subprocess

import harness

SCRIPTS = os.path.join(harness.ROOT, "script")
NAMES = sorted(name for name in os.listdir(SCRIPTS) if os.access(os.path.join(SCRIPTS, name), os.X_OK))
# What each of them would begin with, if it began: found first in PATH, these only leave a trace.
TRIPWIRES = ("cmake", "ninja", "apt-get", "clang-format", "shellcheck", "mmdebstrap", "unshare", "sudo")
FOLDER = harness.folder("scripts")
TRACE = os.path.join(FOLDER, "trace")


def lay_tripwires():
    folder = os.path.join(FOLDER, "bin")
    os.mkdir(folder)
    for name in TRIPWIRES:
        path = os.path.join(folder, name)
        with open(path, "w") as out:
            out.write("#!/bin/sh\necho %s \"$@\" >> %s\nexit 1\n" % (name, TRACE))
        os.chmod(path, 0o755)
    return folder + ":" + os.environ["PATH"]


PATH = lay_tripwires()


def call(name, *words, cwd=FOLDER, program=None):
    done = subprocess.run([program or os.path.join(SCRIPTS, name), *words], cwd=cwd, env={**os.environ, "PATH": PATH},
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60)
    assert not os.path.exists(TRACE), "%s %s began: %s" % (name, words, open(TRACE).read())
    return done.returncode, done.stdout, done.stderr


def help_is_the_usage():
    for name in NAMES:
        texts = set()
        for word in ("--help", "-h"):
            code, out, err = call(name, word)
            assert code == 0 and not err, (name, code, err)
            assert "script/" + name in out and "#" not in out, (name, out)
            texts.add(out)
        texts.add(call(name, "--help", cwd=SCRIPTS, program="./" + name)[1])
        assert len(texts) == 1, (name, texts)


def unknown_words_are_refused():
    for name in NAMES:
        for words in (("--bogus",), ("bogus",), ("--test=yes",), ("--", "x")):
            code, out, err = call(name, *words)
            assert code == 2, (name, words, code)
            assert not out and words[0] in err and "script/%s --help" % name in err, (name, words, out, err)


def main():
    assert "test" in NAMES and "bench" in NAMES, NAMES
    results = [harness.passes(case) for case in (help_is_the_usage, unknown_words_are_refused)]
    harness.main_summary(results.count(True), results.count(False))


if __name__ == "__main__":
    main()
