# SPDX-License-Identifier: Apache-2.0
"""A harness for OCI runtimes: bundles with a busybox root, and a runtime's commands.

    @case("kill.stopped", "runtime.md: kill")
    def _(t):
        c = t.container(["sleep", "100"])
        c.create(); c.start(); ...

Each case has a state directory of its own (--root), and leaves nothing: the harness deletes its
containers, and fails the case when a process, a cgroup or a directory is left. The report is TAP.
The same suite runs other runtimes: oci_test.py --runtime=/usr/sbin/runc."""
import argparse
import fnmatch
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

_cases = []
_options = argparse.Namespace()
BUSYBOX = "/bin/busybox"
TIMEOUT = 60 * float(os.environ.get("REDOUBT_TIMEOUT_SCALE", "1"))


class Failure(Exception):
    """The case is over, and failed."""


def case(name, section):
    """Declares a case of `section` of the runtime-spec: a function of one Test."""
    def declare(function):
        _cases.append((name, section, function))
        return function
    return declare


def make_root(directory):
    """A root file system of busybox alone."""
    for name in ("bin", "etc", "proc", "sys", "dev", "tmp", "root", "var", "mnt"):
        os.makedirs(os.path.join(directory, name))
    shutil.copy(BUSYBOX, os.path.join(directory, "bin/busybox"))
    applets = subprocess.run([BUSYBOX, "--list"], capture_output=True, text=True, check=True)
    for applet in applets.stdout.split():
        if applet != "busybox":
            os.symlink("busybox", os.path.join(directory, "bin", applet))
    with open(os.path.join(directory, "etc/passwd"), "w") as passwd:
        passwd.write("root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000:user:/home/user:/bin/sh\n")
    with open(os.path.join(directory, "etc/group"), "w") as group:
        group.write("root:x:0:\nuser:x:1000:\n")


class Result:
    """How a command of the runtime ended."""

    def __init__(self, status, out, err):
        self.status, self.out, self.err = status, out, err

    def __repr__(self):
        return f"status {self.status}, out {self.out!r}, err {self.err!r}"


class Container:
    """One bundle and the commands on its container."""

    def __init__(self, test, name, args):
        self.test, self.id = test, name
        self.bundle = os.path.join(test.directory, name)
        self.root = os.path.join(self.bundle, "rootfs")
        self.pid_file = os.path.join(self.bundle, "pid")
        make_root(self.root)
        os.mkdir(os.path.join(self.bundle, "out"))
        subprocess.run([_options.runtime, "spec", "--bundle", self.bundle], check=True)
        self.config = json.load(open(os.path.join(self.bundle, "config.json")))
        self.process["args"] = args
        self.process["terminal"] = False
        self.config["root"]["readonly"] = False
        self.config["linux"]["cgroupsPath"] = f"/redoubt-oci-test/{os.path.basename(test.directory)}-{name}"
        self.init = None

    @property
    def process(self):
        """The process section of the configuration."""
        return self.config["process"]

    def save(self):
        """Writes config.json."""
        with open(os.path.join(self.bundle, "config.json"), "w") as file:
            json.dump(self.config, file)

    def bind(self, destination, *options, source=None):
        """Adds a bind of the bundle's out/ (or `source`)."""
        self.config["mounts"].append({"destination": destination, "type": "bind",
                                      "source": source or os.path.join(self.bundle, "out"),
                                      "options": ["rbind", *options]})

    def create(self, *flags, check=True, stdin=subprocess.DEVNULL):
        """create; what the container prints goes to the files stdout and stderr of the bundle."""
        self.save()
        with open(os.path.join(self.bundle, "stdout"), "wb") as out, \
             open(os.path.join(self.bundle, "stderr"), "wb") as err:
            argv = self.test.argv("create", "--bundle", self.bundle, "--pid-file", self.pid_file,
                                  *flags, self.id)
            status = subprocess.run(argv, stdin=stdin, stdout=out, stderr=err, timeout=TIMEOUT,
                                    check=False).returncode
        if check and status != 0:
            raise Failure(f"create failed with {status}: {self.stderr()}")
        return Result(status, self.stdout(), self.stderr())

    def start(self):
        """start, which must succeed."""
        return self.test.run("start", self.id, check=True)

    def up(self, *flags):
        """create and start."""
        self.create(*flags)
        self.start()
        return self

    def run(self, *flags, check=False):
        """run in the foreground."""
        self.save()
        return self.test.run("run", "--bundle", self.bundle, *flags, self.id, check=check)

    def stdout(self):
        """What the container has printed."""
        return open(os.path.join(self.bundle, "stdout")).read()

    def stderr(self):
        """The same of standard error, and what create said."""
        return open(os.path.join(self.bundle, "stderr")).read()

    def out(self, name):
        """A file that the container wrote in its /out."""
        return open(os.path.join(self.bundle, "out", name)).read()

    def state(self):
        """The state command's answer."""
        return json.loads(self.test.run("state", self.id, check=True).out)

    def status(self):
        """The state's status."""
        return self.state()["status"]

    def pid(self):
        """The pid file's number."""
        return int(open(self.pid_file).read())

    def wait_for(self, status, seconds=10):
        """Until the status is so."""
        self.test.until(lambda: self.status() == status, f"status {status}", seconds)

    def exec(self, *args, flags=(), check=False, stdin=None):
        """exec in the foreground."""
        return self.test.run("exec", *flags, self.id, *args, check=check, stdin=stdin)

    def reap(self):
        """The wait status of the container's host process, which was left to us."""
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            pid, status = os.waitpid(self.pid(), os.WNOHANG)
            if pid:
                return os.waitstatus_to_exitcode(status)
            time.sleep(0.01)
        raise Failure("the container's process does not end")


class Test:
    """What a case may do."""

    def __init__(self, directory):
        self.directory = directory
        self.containers = []
        self.state_root = os.path.join(directory, "state")
        self.log = os.path.join(directory, "log.json")
        self.ours = os.path.basename(_options.runtime).startswith("runsc")

    def argv(self, *args):
        """The runtime's command line."""
        platform = [f"--platform={_options.platform}"] if self.ours else []
        return [_options.runtime, *platform, "--root", self.state_root, "--log", self.log,
                "--log-format", "json", *args]

    def run(self, *args, check=False, stdin=None):
        """Runs a command of the runtime."""
        done = subprocess.run(self.argv(*args), input=stdin or "", capture_output=True, text=True,
                              timeout=TIMEOUT, check=False)
        result = Result(done.returncode, done.stdout, done.stderr)
        if check and result.status != 0:
            raise Failure(f"{' '.join(args)}: {result}")
        return result

    def container(self, args, name=None):
        """A new bundle that runs `args`."""
        made = Container(self, name or f"c{len(self.containers)}", list(args))
        self.containers.append(made)
        return made

    def last_error(self):
        """The last record of --log."""
        lines = open(self.log).read().splitlines()
        return json.loads(lines[-1])

    @staticmethod
    def expect(condition, what):
        """Fails unless it holds."""
        if not condition:
            raise Failure(what)

    @staticmethod
    def expect_eq(actual, wanted, what=""):
        """Fails unless they are the same."""
        if actual != wanted:
            raise Failure(f"{what}: got {actual!r}, want {wanted!r}")

    @staticmethod
    def expect_in(part, whole):
        """Fails unless `part` is there."""
        if part not in whole:
            raise Failure(f"no {part!r} in {whole!r}")

    @staticmethod
    def until(condition, what, seconds=10):
        """Waits for it."""
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                raise Failure(f"no {what} after {seconds} s")
            time.sleep(0.02)

    def clean(self):
        """Deletes what is there, and tells what was left."""
        for container in self.containers:
            subprocess.run(self.argv("delete", "--force", container.id), capture_output=True,
                           timeout=TIMEOUT, check=False)
        reap_all()
        left = []
        if os.path.isdir(self.state_root):
            left += os.listdir(self.state_root)
        key = os.path.basename(self.directory)
        for top, folders, _ in os.walk("/sys/fs/cgroup"):
            left += [os.path.join(top, f) for f in folders if key in f]
        return left


def reap_all():
    """Orphans that were left to us."""
    deadline = time.monotonic() + 2
    while time.monotonic() < deadline:
        try:
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                time.sleep(0.01)
        except ChildProcessError:
            return


def become_subreaper():
    """As an engine's shim: the containers' processes are left to us."""
    import ctypes  # pylint: disable=import-outside-toplevel
    ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER


def run_case(number, name, section, function):
    """One case; its TAP line."""
    directory = tempfile.mkdtemp(prefix="oci-", dir="/var/tmp")
    test = Test(directory)
    failure = None
    begin = time.monotonic()
    try:
        function(test)
    except (Failure, subprocess.TimeoutExpired, subprocess.CalledProcessError, OSError, KeyError,
            ValueError, AttributeError) as error:
        failure = f"{type(error).__name__}: {error}"
    left = test.clean()
    if left and not failure:
        failure = f"left behind: {left}"
    shutil.rmtree(directory, ignore_errors=True)
    print(f"{'not ok' if failure else 'ok'} {number} - {name} [{section}]", flush=True)
    for line in (failure or "").splitlines():
        print(f"# {line}", flush=True)
    # As tools/test counts.
    verdict = "[  FAILED  ]" if failure else "[       OK ]"
    print(f"{verdict} {name} ({(time.monotonic() - begin) * 1000:.0f} ms)", flush=True)
    return failure is None


def main():
    """Runs the cases that the flags ask for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--runtime", "--runsc", default=os.environ.get("RUNTIME", "bazel-bin/runsc/runsc"))
    parser.add_argument("--platform", default=os.environ.get("PLATFORM", "auto"))
    parser.add_argument("--filter", default="*")
    parser.parse_args(namespace=_options)
    _options.runtime = os.path.abspath(_options.runtime)
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    if not os.path.exists(BUSYBOX) or os.geteuid() != 0:
        print("1..0 # SKIP needs root and busybox-static")
        return
    become_subreaper()
    chosen = [c for c in _cases if fnmatch.fnmatch(c[0], _options.filter)]
    print(f"1..{len(chosen)}")
    good = [run_case(i + 1, *c) for i, c in enumerate(chosen)]
    print(f"# {sum(good)} of {len(good)} cases passed")
    for path in ("/sys/fs/cgroup", "/sys/fs/cgroup/unified"):
        for controller in [path, *(os.path.join(path, c) for c in os.listdir(path))] if os.path.isdir(path) else []:
            try:
                os.rmdir(os.path.join(controller, "redoubt-oci-test"))
            except OSError:
                pass
    sys.exit(0 if all(good) else 1)
