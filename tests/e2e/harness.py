"""What the end-to-end tests share: the built binary, targets to run it against, and how to look at what it left there."""
import atexit
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request

# What is started in the background by a shell without job control ignores Ctrl-C, and so would all that it starts.
signal.signal(signal.SIGINT, signal.default_int_handler)

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
LITEDESK = os.environ.get("LITEDESK") or os.path.join(ROOT, "build", "release", "litedesk")
PASSED_ON = ("PATH", "LANG", "LC_ALL", "TMPDIR", "ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS")


def folder(name):
    path = tempfile.mkdtemp(prefix="litedesk-%s." % name)
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    return path


def exports(text):
    """The variables of `export NAME=value` lines, as a shell reads them."""
    done = subprocess.run(["bash", "-c", text + "\nenv -0"], env={"PATH": os.environ["PATH"]}, stdout=subprocess.PIPE, check=True)
    values = dict(item.split("=", 1) for item in done.stdout.decode().split("\0") if "=" in item)
    names = re.findall(r"^export ([A-Za-z_0-9]+)=", text, re.M)
    return {name: values[name] for name in names}


class Serve:
    """`litedesk sandbox serve` in a process of its own, until close()."""

    def __init__(self, directory, *arguments):
        self.directory = directory
        env = {k: os.environ[k] for k in PASSED_ON if k in os.environ}
        env["LITEDESK_HOME"] = directory
        self.process = subprocess.Popen([LITEDESK, "sandbox", "serve", "--dir", os.path.join(directory, "sandbox"), *arguments],
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env, text=True)
        atexit.register(self.close)
        lines = []
        for line in self.process.stdout:
            lines.append(line)
            if line.startswith("export MONGODB_ATLAS_PROJECT_ID="):
                break
        else:
            raise RuntimeError("sandbox serve said: " + self.process.stderr.read())
        self.values = exports("".join(lines))

    def close(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self.process.stdout.close()
        self.process.stderr.close()


class Target:
    """Three providers as a context of its own, and a LITEDESK_HOME."""

    def __init__(self, name, values, kubeconfig=None, route53=None, atlas=None, extra=None, binary=None):
        self.name, self.values, self.binary = name, dict(values), binary or LITEDESK
        self.home = folder("home")
        if kubeconfig:
            self.values["KUBECONFIG"] = kubeconfig
        if route53:
            self.values["AWS_ENDPOINT_URL"] = route53
        if atlas:
            self.values["LITEDESK_ATLAS_URL"] = atlas
        self.env = {k: os.environ[k] for k in PASSED_ON if k in os.environ}
        self.env.update(self.values)
        self.env.update({"HOME": self.home, "LITEDESK_HOME": self.home, "LITEDESK_CONFIG": os.path.join(self.home, "config.yaml"),
                         "ENABLE_INSTANCE_PROVISIONING": "true", "NO_COLOR": "1",
                         "BACKEND_IMAGE_REPO": "litedesk/crm-backend", "BACKEND_IMAGE_TAG": "1.4.2",
                         "FRONTEND_IMAGE_REPO": "litedesk/crm-frontend", "FRONTEND_IMAGE_TAG": "1.4.2",
                         "INGRESS_LOADBALANCER_DNS": "a1b2.elb.amazonaws.com", "BASE_DOMAIN": "litedesk.com"})
        self.env.update(extra or {})
        with open(os.path.join(self.home, "config.yaml"), "w") as out:
            out.write("currentContext: test\ncontexts:\n  test:\n    registry: cluster\n")

    def traced(self):
        """From here on each run leaves a trace of its requests in the folder that is returned."""
        traces, run = folder("traces"), self.run
        self.run = lambda *arguments, **more: run(*arguments, "--trace", os.path.join(traces, "%03d" % len(os.listdir(traces))), **more)
        return traces

    def start(self, *arguments, env=None, **more):
        return subprocess.Popen([self.binary, *arguments], env={**self.env, **(env or {})}, stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **more)

    def run(self, *arguments, env=None, timeout=120, cwd=None, stdin=None):
        """Runs litedesk to its end: (exit code, standard output, standard error)."""
        try:
            done = subprocess.run([self.binary, *arguments], env={**self.env, **(env or {})}, input=stdin or "", cwd=cwd or self.home,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=timeout)
        except subprocess.TimeoutExpired as late:
            raise AssertionError("litedesk %s: still running after %d s\n%s%s" % (
                " ".join(arguments), timeout, (late.stdout or b"").decode(), (late.stderr or b"").decode()))
        return done.returncode, done.stdout, done.stderr

    def json(self, *arguments, **more):
        code, out, err = self.run(*arguments, "-o", "json", **more)
        if code != 0:
            raise AssertionError("litedesk %s: exit %d\n%s" % (" ".join(arguments), code, err))
        return json.loads(out)

    def kubectl(self, *arguments, check=True, timeout=60):
        done = subprocess.run(["kubectl", *arguments], env={**self.env, "HOME": self.home}, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, timeout=timeout)
        if check and done.returncode != 0:
            raise AssertionError("kubectl %s: %s" % (" ".join(arguments), done.stderr))
        return done.stdout if check else (done.returncode, done.stdout, done.stderr)


def sandbox_target(serve, **more):
    return Target("sandbox", serve.values, **more)


def normalise(text, slug):
    """Without what differs from run to run: durations, dates, identifiers; the slug becomes SLUG."""
    text = text.replace(slug, "SLUG").replace(slug.replace("-", "_"), "SLUG")
    text = re.sub(r"\(cluster [^)]*\)", "(cluster NAME)", text)
    text = re.sub(r"\b\d{4}-\d{2}-\d{2}(T[\d:.]+Z)?", "DATE", text)
    text = re.sub(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "UID", text)
    text = re.sub(r"\b[0-9a-f]{64}\b", "HASH", text)
    text = re.sub(r"\(?\b\d+(\.\d+)?(ms|s|m|h|d)\b\)?", "TIME", text)
    text = re.sub(r"\b(Z[0-9A-Z]{8,}|/?C[0-9A-Z]{8,})\b", "ID", text)
    return re.sub(r"[ \t]+", " ", text).strip()


class RestApi:
    """A few reads past litedesk, straight from the stand-ins."""

    def __init__(self, url, headers=None):
        self.url, self.headers = url, headers or {}

    def get(self, path):
        request = urllib.request.Request(self.url + path, headers=self.headers)
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return None
            raise


def sha256(text):
    return hashlib.sha256(text.encode()).hexdigest()


def passes(case):
    """Runs one case and prints how it ended; a test's own error is a failure too."""
    try:
        case()
    except Exception as error:
        print("FAILED %s: %s: %s" % (case.__name__, type(error).__name__, error), flush=True)
        return False
    print("ok %s" % case.__name__, flush=True)
    return True


def main_summary(passed, failed, skipped=0):
    print("%d passed, %d failed%s" % (passed, failed, ", %d skipped" % skipped if skipped else ""))
    sys.exit(1 if failed else 0)
