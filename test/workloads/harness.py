# SPDX-License-Identifier: Apache-2.0
"""Tests of `runsc do` with real programs: the same command natively and in the sandbox.

    import harness
    from harness import case, compare

    compare("Bash.Pipeline", "seq 10 | tac | head -3")          # same output, same status

    @case("Exit.KilledBySignal")                                # anything else
    def _(t):
        t.expect_eq(t.sandbox(["sh", "-c", "kill -9 $$"]).status, 137)

    harness.main()

Run by hand:  some_test.py --runsc=bazel-bin/runsc/runsc --platform=ptrace [--filter='Bash.*']
              (also from the environment: RUNSC, PLATFORM). --list names the cases.
--platform=native needs no runsc: every comparison runs natively alone, to prove the case itself.

A case gets a directory of its own below /var/tmp as cwd, an environment without surprises, and a
deadline for every run. After each case nothing may be left: no process, no mount, and (for a
comparison) no change to its directory on the host. Lines are printed as GoogleTest prints them.
"""
import argparse
import difflib
import fnmatch
import os
import shutil
import subprocess
import sys
import tempfile
import time

import processes

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/go/bin"
# Slow builds (sanitizers) and slow machines stretch every deadline with this.
SCALE = float(os.environ.get("REDOUBT_TIMEOUT_SCALE", "1"))

_cases = []  # (name, function, needs, sandbox_only), in the order of the file.
_options = argparse.Namespace()


class Failure(Exception):
    """The case is over, and failed."""


class Skip(Exception):
    """The case cannot run here; its text says why."""


def case(name, needs=()):
    """Declares a case that needs the sandbox: a function of one Test."""
    def declare(function):
        _cases.append((name, function, needs, True))
        return function
    return declare


def compare(name, command, *, needs=(), timeout=60, status=0, stderr=False, stdin=b"", setup=None,
            flags=(), env=None):
    """Declares a case: command (a bash script, or an argv) does the same in the sandbox as outside.

    status is what it must exit with (None: whatever it does natively). stderr=True compares that
    too. setup(test) fills the directory before each of the two runs. flags go to `runsc do`."""
    argv = ["bash", "-c", command] if isinstance(command, str) else list(command)

    def body(t):
        if setup:
            setup(t)
        native = t.native(argv, timeout=timeout, stdin=stdin, env=env)
        if _options.show:
            print(cut(native.out + native.err))
        t.expect(not native.timed_out, f"natively it took over {timeout} s")
        if status is not None and native.status != status:
            raise Failure(f"natively it exits with {native.status}, not {status}:\n"
                          + cut(native.out + native.err))
        if not t.sandboxed:
            return
        t.clear_scratch()
        if setup:
            setup(t)
        before = t.listing()
        boxed = t.sandbox(argv, flags=flags, timeout=timeout, stdin=stdin, env=env)
        t.expect_same(native, boxed, stderr)
        t.expect_eq(t.listing(), before, "files on the host changed")
    _cases.append((name, body, needs, False))


class Test:
    """One running case: its directory, and the ways to run programs in it."""

    def __init__(self, name):
        self.name = name
        self.sandboxed = _options.platform != "native"
        self.scratch = tempfile.mkdtemp(prefix="redoubt-test-", dir="/var/tmp")
        os.chmod(self.scratch, 0o755)
        self.home = os.path.dirname(os.path.realpath(sys.argv[0]))  # Where the test's files are.
        self._started = []
        self._cleanups = []

    # --- running ---
    def native(self, argv, *, timeout=60, stdin=b"", stdout=None, env=None, cwd=None):
        return processes.run(list(argv), timeout=timeout * SCALE, cwd=cwd or self.scratch,
                             env=self.environment(env), stdin=stdin, stdout=stdout)

    def sandbox(self, argv, *, flags=(), timeout=60, stdin=b"", stdout=None, env=None, cwd=None):
        """`runsc do` with the platform, flags and argv; fails the case when it hangs."""
        result = processes.run(self.do(flags, argv), timeout=timeout * SCALE,
                               cwd=cwd or self.scratch, env=self.environment(env), stdin=stdin,
                               stdout=stdout)
        if result.timed_out:
            raise Failure(f"over {timeout} s in the sandbox; so far:\n"
                          + cut(result.out + result.err))
        return result

    def runsc(self, argv, timeout=30):
        """runsc itself with any arguments."""
        return self.native([_options.runsc] + list(argv), timeout=timeout)

    def start(self, flags, argv, **popen):
        """Starts `runsc do` in the background, in a session of its own; ended with the case."""
        return self.start_words(self.do(flags, argv), **popen)

    def start_words(self, words, **popen):
        """The same for any command."""
        popen.setdefault("stdin", subprocess.DEVNULL)
        popen.setdefault("stdout", subprocess.PIPE)
        popen.setdefault("stderr", subprocess.PIPE)
        popen.setdefault("env", self.environment())
        popen.setdefault("cwd", self.scratch)
        process = processes.popen(words, **popen)
        self._started.append(process)
        return process

    def start_native(self, argv, env=None):
        """A process on the host beside the sandbox; ended with the case."""
        process = processes.popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                  env=self.environment(env))
        self._started.append(process)
        return process

    def do(self, flags, argv):
        return [_options.runsc, "do", f"--platform={_options.platform}", *flags, "--", *argv]

    def environment(self, more=None):
        env = {"PATH": PATH, "HOME": self.scratch, "LANG": "C.UTF-8", "TERM": "dumb",
               "USER": "root", "TZ": "UTC"}
        env.update(more or {})
        return env

    # --- files ---
    def path(self, *parts):
        return os.path.join(self.scratch, *parts)

    def write(self, name, content, mode=0o644):
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as f:
            f.write(content if isinstance(content, bytes) else content.encode())
        os.chmod(path, mode)
        return path

    def read(self, name):
        with open(self.path(name), "rb") as f:
            return f.read()

    def compile(self, source, *flags, name=None):
        """Builds a C file that lies beside the test; returns the program's path."""
        program = self.path(name or source[:-2])
        built = self.native(["gcc", "-O1", "-w", "-D_GNU_SOURCE", "-o", program,
                             os.path.join(self.home, source), *flags], timeout=60)
        if built.status:
            raise Failure(f"{source} does not compile:\n" + cut(built.err))
        return program

    def clear_scratch(self):
        for entry in os.scandir(self.scratch):
            if entry.is_dir(follow_symlinks=False):
                shutil.rmtree(entry.path)
            else:
                os.unlink(entry.path)

    def listing(self):
        """Name, type and size of all in the directory, to see that nothing changed."""
        found = []
        for folder, folders, files in os.walk(self.scratch):
            for name in folders + files:
                info = os.lstat(os.path.join(folder, name))
                found.append((os.path.relpath(os.path.join(folder, name), self.scratch),
                              info.st_mode, info.st_size if name in files else 0))
        return sorted(found)

    # --- judging ---
    def expect(self, truth, message):
        if not truth:
            raise Failure(message)

    def expect_eq(self, got, want, message=""):
        if got != want:
            raise Failure(f"{message}\n  got:  {show(got)}\n  want: {show(want)}")

    def expect_in(self, part, whole, message=""):
        if part not in whole:
            raise Failure(f"{message}\n  {show(part)} is not in:\n{cut(whole)}")

    def expect_output(self, result, out, status=0):
        """The run printed exactly this, and exited so."""
        if (result.out, result.status) != (out, status):
            raise Failure(f"status {result.status}, want {status}; "
                          f"printed {show(result.out)}, want {show(out)}; "
                          f"stderr:\n{cut(result.err)}")

    def expect_same(self, native, boxed, stderr=False):
        if boxed.status != native.status:
            raise Failure(f"status {boxed.status} in the sandbox, {native.status} natively\n"
                          + difference(native.out, boxed.out) + "stderr in the sandbox:\n"
                          + cut(boxed.err) + "\nstderr natively:\n" + cut(native.err))
        if boxed.out != native.out:
            raise Failure("stdout differs:\n" + difference(native.out, boxed.out)
                          + "stderr in the sandbox:\n" + cut(boxed.err))
        if stderr and boxed.err != native.err:
            raise Failure("stderr differs:\n" + difference(native.err, boxed.err))

    def expect_runsc_failure(self, result, *words):
        """runsc's own failure: 125, nothing on stdout, one line on stderr with these words."""
        lines = result.err.decode(errors="replace").strip().splitlines()
        self.expect_eq(result.status, 125, f"runsc's own failures exit with 125; stderr: {lines}")
        self.expect_eq(result.out, b"", "nothing belongs on stdout")
        self.expect_eq(len(lines), 1, f"one clear line, not {lines}")
        for word in words:
            self.expect_in(word, lines[0], "the line names the culprit")

    def skip(self, why):
        raise Skip(why)

    # --- clearing up ---
    def cleanup(self, function):
        self._cleanups.append(function)

    def finish(self):
        for function in reversed(self._cleanups):
            function()
        for process in self._started:
            processes.end_session(process)
            for stream in (process.stdin, process.stdout, process.stderr):
                if stream:
                    stream.close()
        shutil.rmtree(self.scratch, ignore_errors=True)


def show(value):
    text = repr(value)
    return text if len(text) <= 600 else text[:600] + "..."


def cut(text, lines=40):
    if isinstance(text, bytes):
        text = text.decode(errors="backslashreplace")
    kept = [line[:300] for line in text.splitlines()]
    return "\n".join(kept[:lines] + (["..."] if len(kept) > lines else []))


def difference(native, boxed):
    lines = difflib.unified_diff(
        native[:1 << 20].decode(errors="backslashreplace").splitlines(),
        boxed[:1 << 20].decode(errors="backslashreplace").splitlines(),
        "natively", "in the sandbox", lineterm="")
    return cut("\n".join(lines)) + "\n"


def run_case(name, function, needs, sandbox_only):
    """Returns OK, FAILED or SKIPPED, and what to say about it."""
    missing = [tool for tool in needs if not shutil.which(tool, path=PATH)]
    if missing:
        return "SKIPPED", f"not installed: {' '.join(missing)}"
    if sandbox_only and _options.platform == "native":
        return "SKIPPED", "needs a sandbox"
    mounts_before = processes.mounts()
    test = Test(name)
    outcome, text = "OK", ""
    try:
        function(test)
    except Skip as skip:
        outcome, text = "SKIPPED", str(skip)
    except Failure as failure:
        outcome, text = "FAILED", str(failure)
    except Exception as error:  # A mistake in the test is a failure of this case only.
        outcome, text = "FAILED", f"{type(error).__name__}: {error}"
        if _options.verbose:
            raise
    test.finish()
    left = processes.leftovers()
    if left and outcome == "OK":
        outcome, text = "FAILED", "left running: " + "; ".join(left[:10])
    if outcome == "OK" and not mounts_return_to(mounts_before):
        outcome, text = "FAILED", "left mounts: " + str(
            [m for m in processes.mounts() if m not in mounts_before])
    return outcome, text


def mounts_return_to(before, grace=2.0):
    deadline = time.monotonic() + grace
    while [m for m in processes.mounts() if m not in before]:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def parse_options():
    parser = argparse.ArgumentParser(description=sys.modules["__main__"].__doc__)
    parser.add_argument("--runsc", default=os.environ.get("RUNSC", "bazel-bin/runsc/runsc"))
    parser.add_argument("--platform", default=os.environ.get("PLATFORM", "ptrace"))
    parser.add_argument("--filter", default=os.environ.get("TESTBRIDGE_TEST_ONLY") or "*",
                        help="a glob over Group.Case; several with ':' between")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--show", action="store_true", help="print what each native run printed")
    parser.add_argument("--verbose", action="store_true", help="traceback of a broken test")
    return parser.parse_args(namespace=_options)


def main():
    parse_options()
    chosen = [c for c in _cases
              if any(fnmatch.fnmatch(c[0], glob) for glob in _options.filter.split(":"))]
    if _options.list:
        print("\n".join(c[0] for c in chosen))
        sys.exit(0)
    if _options.platform != "native":
        _options.runsc = os.path.abspath(_options.runsc)
        if not os.access(_options.runsc, os.X_OK):
            sys.exit(f"no runsc at {_options.runsc} (build it, or use --platform=native)")
    os.umask(0o022)
    processes.become_subreaper()
    results = {"OK": [], "FAILED": [], "SKIPPED": []}
    for name, *rest in chosen:
        print(f"[ RUN      ] {name}", flush=True)
        started = time.monotonic()
        outcome, text = run_case(name, *rest)
        milliseconds = int((time.monotonic() - started) * 1000)
        if text:
            print(text)
        label = {"OK": "      OK", "FAILED": " FAILED ", "SKIPPED": " SKIPPED"}[outcome]
        print(f"[ {label} ] {name} ({milliseconds} ms)", flush=True)
        results[outcome].append(name)
    print(f"[==========] {len(chosen)} cases, {len(results['SKIPPED'])} skipped.")
    print(f"[  PASSED  ] {len(results['OK'])} tests.")
    if results["FAILED"]:
        print(f"[  FAILED  ] {len(results['FAILED'])} tests, listed below:")
        for name in results["FAILED"]:
            print(f"  {name}")
    sys.exit(1 if results["FAILED"] else 0)
