#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""A sandbox under changing load for a while: nothing may hang, fail, or stay behind in the sentry.

    soak.py --runsc=bazel-bin/runsc/runsc [--platform=seccomp-trap] [--seconds=600]   (make soak)

One sandbox lives through all of it: its first process is a shell that takes one command a line. In
turn it runs stress-ng's stressors (Debian's package; skipped without it) in groups, while a second
sandbox beside it works, too. Between the groups the first one is idle, and is measured from
outside: descriptors, threads and memory of the sentry and the gofer, and the number of stubs. The
first round fills caches and pools; what has grown since then at the end is a leak. At last the idle
sandbox must sleep: no process of it may be woken.
"""
import argparse
import os
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "../workloads"))
import processes  # pylint: disable=wrong-import-position

# Stressors that need no missing call, by what they shake. {t} is the time in seconds.
GROUPS = [
    ("memory", "--vm 1 --vm-bytes 24M --mmap 1 --mmap-bytes 16M --mremap 1 --brk 1 --mprotect 1 --madvise 1 "
               "--stackmmap 1 --bigheap 1 --bigheap-growth 1M --munmap 1"),
    ("processes", "--fork 1 --vfork 1 --clone 1 --clone-max 32 --exit-group 1 --zombie 1 --zombie-max 64 "
                  "--daemon 1 --session 1 --wait 1 --kill 1"),
    ("threads", "--pthread 1 --pthread-max 128 --mutex 1 --futex 1 --sem 1 --switch 1 --yield 1 --resched 1"),
    ("signals", "--sigsegv 1 --sigfpe 1 --sigq 1 --sigrt 1 --sigsuspend 1 --sigpending 1 --sigabrt 1 "
                "--timer 1 --itimer 1 --bad-altstack 1 --context 1"),
    ("pipes", "--pipe 1 --fifo 1 --pipeherd 1 --pipeherd-yield --eventfd 1 --poll 1 --ring-pipe 1 --splice 1 --tee 1 "
              "--sockpair 1"),
    ("files", "--hdd 1 --hdd-bytes 8M --dentry 1 --dentries 256 --dir 1 --dir-dirs 256 --rename 1 --link 1 "
              "--symlink 1 --flock 1 --lockf 1 --fstat 1 --seek 1 --memfd 1 --memfd-bytes 8M --revio 1 --revio-bytes 8M"),
    ("processor", "--cpu 1 --fp 1 --vecfp 1 --matrix 1 --regs 1 --longjmp 1 --rseq 1 --x86cpuid 1 --tsc 1"),
    ("exec", "--exec 1 --exec-max 2 --spawn 1 --schedpolicy 1 --nanosleep 1 --hrtimers 1 --clock 1"),
]
UNPRIVILEGED = ("exec",)  # stress-ng will not do these as root.
BESIDE = "--fork 1 --pipe 1 --vm 1 --vm-bytes 16M --switch 1 --timer 1"

# What may be more at the end: pools of idle threads, cached files.
SLACK = {"sentry fds": 40, "sentry threads": 12, "stubs": 3, "gofer fds": 64, "gofer threads": 2,
         "sentry KiB": 12 * 1024, "gofer KiB": 6 * 1024}
IDLE_SECONDS = 5
MOST_WAKEUPS = 3  # In that time, of all threads together.


class Failure(Exception):
    """The soak has found something."""


def below(launcher):
    """(sentry, gofer, stubs) of the sandbox that this runsc started."""
    sentry = gofer = None
    stubs = []
    for pid in processes.descendants(launcher):
        try:
            with open(f"/proc/{pid}/comm", encoding="utf-8") as f:
                name = f.read().strip()
        except OSError:
            continue
        if name == "sentry":
            sentry = pid
        elif name == "gofer":
            gofer = pid
        elif processes.stat_field(pid, 1) == sentry or "stub" in name:
            stubs.append(pid)
    if sentry is None or gofer is None:
        raise Failure("the sandbox has no sentry or no gofer")
    return sentry, gofer, stubs


def field(pid, name):
    with open(f"/proc/{pid}/status", encoding="utf-8") as f:
        return next((int(line.split()[1]) for line in f if line.startswith(name + ":")), 0)


def measure(launcher):
    sentry, gofer, stubs = below(launcher)
    figures = {"stubs": len(stubs)}
    for name, pid in (("sentry", sentry), ("gofer", gofer)):
        figures[f"{name} fds"] = len(os.listdir(f"/proc/{pid}/fd"))
        figures[f"{name} threads"] = field(pid, "Threads")
        figures[f"{name} KiB"] = field(pid, "RssAnon") + field(pid, "RssShmem")
    return figures


def wakeups(launcher):
    """Context switches so far of every thread of the sandbox, runsc itself included."""
    total = {}
    for pid in [launcher] + processes.descendants(launcher):
        for tid in os.listdir(f"/proc/{pid}/task"):
            path = f"{pid}/task/{tid}"
            total[path] = field(path, "voluntary_ctxt_switches") + field(path, "nonvoluntary_ctxt_switches")
    return total


class Sandbox:
    """A sandbox whose first process runs the commands that it reads, one at a time."""

    def __init__(self, options, folder):
        shell = 'while read -r line; do eval "$line" >&2 </dev/null; echo "done $?"; done'
        self.process = processes.popen(
            [options.runsc, "do", f"--platform={options.platform}", "--", "bash", "-c", shell],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=open(os.path.join(folder, "log"), "ab"),
            cwd=folder)

    def begin(self, command):
        self.process.stdin.write(command.encode() + b"\n")
        self.process.stdin.flush()

    def end(self, seconds, what):
        """Waits for the command's end; gives its status."""
        import select  # pylint: disable=import-outside-toplevel
        if not select.select([self.process.stdout], [], [], seconds)[0]:
            raise Failure(f"{what}: no end after {seconds} s")
        line = self.process.stdout.readline().split()
        if len(line) != 2 or line[0] != b"done":
            raise Failure(f"{what}: the sandbox has gone: {line}")
        return int(line[1])

    def close(self):
        self.process.stdin.close()
        try:
            status = self.process.wait(30)
        except subprocess.TimeoutExpired as error:
            raise Failure("the sandbox does not end with its first process") from error
        if status != 0:
            raise Failure(f"the sandbox ended with {status}")


def stress(stressors, seconds, unprivileged=False):
    prefix = "setpriv --reuid=65534 --regid=65534 --clear-groups " if unprivileged else ""
    return (f"cd /tmp && mkdir -p -m 1777 soak && {prefix}stress-ng --oomable --temp-path /tmp/soak -t {seconds} "
            f"{stressors}")


def settled(launcher, least):
    """Measures until the figures are within the slack of `least`, or stop falling."""
    deadline = time.monotonic() + 20
    while True:
        time.sleep(1)
        now = measure(launcher)
        if time.monotonic() > deadline or all(now[k] <= least[k] + SLACK[k] for k in now):
            return now


def rounds(options, sandbox, beside):
    share = max(4, options.seconds // (options.rounds * len(GROUPS)))
    base = None
    for turn in range(options.rounds):
        for name, stressors in GROUPS:
            what = f"round {turn + 1}, {name}"
            beside.begin(stress(BESIDE, share))
            sandbox.begin(stress(stressors, share, name in UNPRIVILEGED))
            limit = share * 4 + 120  # Of load, not of time: the machine may be slow.
            status = sandbox.end(limit, what)
            other = beside.end(limit, "beside " + what)
            if status != 0 or other != 0:
                raise Failure(f"{what}: stress-ng exits with {status}, beside it {other}")
            now = measure(sandbox.process.pid)
            print(what, now, flush=True)
        if base is None:
            time.sleep(2)
            base = measure(sandbox.process.pid)
    return base


def expect_no_leak(base, last):
    grown = {key: (base[key], last[key]) for key in base if last[key] > base[key] + SLACK[key]}
    if grown:
        raise Failure(f"grown, after the first round and now: {grown}")


def expect_sleep(launcher):
    """An idle sandbox does nothing at all."""
    time.sleep(1)
    before = wakeups(launcher)
    time.sleep(IDLE_SECONDS)
    after = wakeups(launcher)
    woken = {path: count - before.get(path, 0) for path, count in after.items() if count != before.get(path, 0)}
    if sum(woken.values()) > MOST_WAKEUPS:
        raise Failure(f"woken in {IDLE_SECONDS} s without a reason: {woken}")


def soak(options, folder):
    sandbox, beside = Sandbox(options, folder), Sandbox(options, folder)
    try:
        base = rounds(options, sandbox, beside)
        last = settled(sandbox.process.pid, base)
        print("after the first round", base)
        print("at the end           ", last, flush=True)
        expect_no_leak(base, last)
        expect_sleep(sandbox.process.pid)
        sandbox.close()
        beside.close()
    finally:
        processes.end_session(sandbox.process)
        processes.end_session(beside.process)
    left = processes.leftovers(5)
    if left:
        raise Failure(f"left running: {left}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runsc", default="bazel-bin/runsc/runsc")
    parser.add_argument("--platform", default="seccomp-trap")
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    options.runsc = os.path.abspath(options.runsc)
    name = f"Soak.{options.seconds}Seconds"
    print(f"[ RUN      ] {name}", flush=True)
    if not shutil.which("stress-ng"):
        print(f"stress-ng is not installed\n[  SKIPPED ] {name} (0 ms)")
        return 0
    import tempfile  # pylint: disable=import-outside-toplevel
    processes.become_subreaper()
    started = time.monotonic()
    outcome = "      OK"
    with tempfile.TemporaryDirectory(prefix="redoubt-soak-", dir="/var/tmp") as folder:
        try:
            soak(options, folder)
        except Failure as failure:
            outcome = " FAILED "
            print(failure)
            with open(os.path.join(folder, "log"), encoding="utf-8", errors="replace") as f:
                print("".join(line for line in f.readlines()[-60:] if "info:" not in line))
    print(f"[ {outcome} ] {name} ({int((time.monotonic() - started) * 1000)} ms)")
    return 0 if outcome == "      OK" else 1


if __name__ == "__main__":
    sys.exit(main())
