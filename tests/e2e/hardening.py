#!/usr/bin/env python3
"""Reads off the release binary what cmake/hardening.cmake asks for: of what was linked, not of what was meant.

usage: hardening.py (script/test release)
"""
import os
import platform
import subprocess

import harness

BUILD = os.path.join(harness.ROOT, "build", "release")
BINARY = os.path.join(BUILD, "litedesk")


def readelf(*flags):
    return subprocess.run(["readelf", "-W", *flags, BINARY], env={"PATH": os.environ["PATH"], "LC_ALL": "C"}, check=True, stdout=subprocess.PIPE,
                          text=True).stdout


def compiled_with():
    """The flags that every source of ours was compiled with."""
    with open(os.path.join(BUILD, "build.ninja")) as rules:
        text = rules.read()
    return [line for line in text.splitlines() if line.strip().startswith("FLAGS = ") and "-std=" in line]


def loaded_where_the_kernel_chooses():
    assert "Type:" in readelf("-h") and "DYN (" in readelf("-h")
    assert "PIE" in readelf("-d")


def no_writable_code_and_no_late_binding():
    segments = readelf("-l")
    stack = next(line for line in segments.splitlines() if "GNU_STACK" in line)
    assert "GNU_RELRO" in segments and " RWE " not in stack, stack
    assert "BIND_NOW" in readelf("-d") or "NOW" in readelf("-d")


def checked_at_run_time():
    symbols = readelf("--dyn-syms")
    assert "__stack_chk_fail" in symbols, "no stack protector"
    assert "glibcxx_assert_fail" in symbols, "no assertions of the standard library"
    assert any(name in symbols for name in ("__memcpy_chk", "__read_chk", "__snprintf_chk", "__fdelt_chk", "__readlink_chk", "__poll_chk")), \
        "nothing of _FORTIFY_SOURCE"


def compiled_as_asked():
    flags = compiled_with()
    assert flags
    wanted = ["-fstack-protector-strong", "-fstack-clash-protection", "-D_FORTIFY_SOURCE=3"]
    if platform.machine() == "x86_64":
        wanted.append("-fcf-protection")
    for flag in wanted:
        assert all(flag in line for line in flags), flag


CASES = [loaded_where_the_kernel_chooses, no_writable_code_and_no_late_binding, checked_at_run_time, compiled_as_asked]


def main():
    passed = sum(harness.passes(case) for case in CASES)
    harness.main_summary(passed, len(CASES) - passed)


if __name__ == "__main__":
    main()
