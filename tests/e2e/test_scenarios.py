#!/usr/bin/env python3
"""Runs every scenario on the sandbox and, where they were started, on the real peers, and compares what they print.

usage: test_scenarios.py [--only NAME]... [--sandbox-only]

Peers come in by the environment (script/test sets it): LITEDESK_TEST_KUBECONFIG, LITEDESK_TEST_ROUTE53 (export lines).
"""
import argparse
import concurrent.futures
import difflib
import os
import shutil
import sys
import time

import harness
import scenarios


def targets(sandbox_only):
    serve = harness.Serve(harness.folder("sandbox"))
    found = [harness.sandbox_target(serve)]
    kubeconfig, route53 = os.environ.get("LITEDESK_TEST_KUBECONFIG"), os.environ.get("LITEDESK_TEST_ROUTE53")
    if sandbox_only:
        return found, serve
    if not kubeconfig or not route53:
        print("SKIPPED end-to-end scenarios on real peers: no control plane or no Route 53 was started")
        return found, serve
    atlas = harness.Serve(harness.folder("atlas"))  # of their own: a database user belongs to one registry
    values = dict(atlas.values)
    values.update({k: v for k, v in harness.exports(route53).items() if k.startswith("AWS_")})
    values["LITEDESK_LOAD_BALANCER_CONNECT"] = "127.0.0.1:1"  # no ingress stands before this control plane
    peers = harness.Target("peers", values, kubeconfig=kubeconfig)
    peers.iam = {k[len("MOTO_ADMIN_"):]: v for k, v in harness.exports(route53).items() if k.startswith("MOTO_ADMIN_")}
    found.append(peers)
    for target in found:
        code, _, err = target.run("registry", "install")
        assert code == 0, err
    return found, serve


def where(scenario, found):
    return [t for t in found if scenario not in scenarios.PEERS_ONLY or t.name == "peers"]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", action="append")
    parser.add_argument("--sandbox-only", action="store_true")
    args = parser.parse_args()
    chosen = [s for s in scenarios.ALL + scenarios.PEERS_ONLY if not args.only or s.__name__ in args.only]
    if not shutil.which("aws"):
        print("SKIPPED foreign_record, weighted_record, enough_dns_rights: there is no aws command to make the records with")
        chosen = [s for s in chosen if s not in (scenarios.foreign_record, scenarios.weighted_record, scenarios.enough_dns_rights)]
    found, serve = targets(args.sandbox_only)
    passed, failed = 0, 0
    run = "%04x" % (os.getpid() & 0xffff)  # a cluster may have seen an earlier run

    def one(target, scenario):
        begin = time.monotonic()
        slug = scenario.__name__.replace("_", "-")[:24] + "-" + run
        try:
            return scenario(target, slug), None, time.monotonic() - begin
        except Exception as error:  # a test's own error is a failure too
            return None, "%s: %s" % (type(error).__name__, error), time.monotonic() - begin

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        runs = {(s, t.name): pool.submit(one, t, s) for s in chosen for t in where(s, found)}
        for scenario in chosen:
            lines = {}
            for target in where(scenario, found):
                transcript, error, seconds = runs[(scenario, target.name)].result()
                if error:
                    failed += 1
                    print("FAILED %s on %s (%.1f s): %s" % (scenario.__name__, target.name, seconds, error), flush=True)
                else:
                    passed += 1
                    lines[target.name] = transcript
                    print("ok %s on %s (%.1f s)" % (scenario.__name__, target.name, seconds), flush=True)
            if len(lines) == 2:
                sandbox, peers = (lines[t.name] for t in found)
                if sandbox == peers:
                    passed += 1
                else:
                    failed += 1
                    print("FAILED %s prints another thing on the peers:\n%s" % (
                        scenario.__name__, "\n".join(difflib.unified_diff(sandbox, peers, "sandbox", "peers", lineterm="", n=0))))
    serve.close()
    harness.main_summary(passed, failed)


if __name__ == "__main__":
    sys.exit(main())
