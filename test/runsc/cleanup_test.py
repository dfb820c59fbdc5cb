#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Whatever is killed, whenever: no process and no mount is left, and the caller sees an exit status.

The harness checks for leftovers after each case; these cases do the killing."""
import os
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "../workloads"))
import harness  # pylint: disable=wrong-import-position
import processes  # pylint: disable=wrong-import-position
from harness import case  # pylint: disable=wrong-import-position

FAMILY = ("for i in 1 2 3; do (sleep 300 & setsid sleep 300 & wait) & done; "
          "(trap '' TERM INT HUP; sleep 300) & sleep 0.3; echo ready; wait")


def start_family(t):
    """A guest with processes of every kind. Returns runsc and all processes below it."""
    guest = t.start([], ["bash", "-c", FAMILY])
    t.expect_eq(guest.stdout.readline(), b"ready\n")
    return guest, processes.descendants(guest.pid)


def all_gone(t, pids, seconds=5):
    deadline = time.monotonic() + seconds
    while left := [pid for pid in pids if alive(pid)]:
        if time.monotonic() > deadline:
            raise harness.Failure(f"still alive: {left} {[processes.command(p) for p in left]}")
        time.sleep(0.02)
        processes.reap_orphans()


def alive(pid):
    return processes.stat_field(pid, 0) not in (None, "Z", "X")


def is_tracing_or_serving(pid):
    """The sandbox's own processes: those that still run runsc's program."""
    try:
        return os.path.basename(os.readlink(f"/proc/{pid}/exe")).startswith("runsc")
    except OSError:
        return False


@case("Kill.RunscAlone")
def _(t):
    guest, below = start_family(t)
    t.expect(len(below) >= 8, f"runsc has a family, not {below}")
    guest.kill()
    t.expect_eq(guest.wait(10), -signal.SIGKILL)
    all_gone(t, below)


@case("Kill.EachProcessBelowRunsc")
def _(t):
    """Any one of them: sentry, gofer, stub. runsc must end by itself or go on; then all is gone."""
    guest, below = start_family(t)
    guest.kill()
    guest.wait(10)
    all_gone(t, below)
    for index in range(min(len(below), 12)):
        guest, below = start_family(t)
        victim = below[min(index, len(below) - 1)]
        ours = is_tracing_or_serving(victim)
        os.kill(victim, signal.SIGKILL)
        deadline = time.monotonic() + 2
        while guest.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        if guest.poll() is not None:
            t.expect(guest.returncode != 0, f"status 0 after process {index} was killed")
        elif ours and index == 0:
            raise harness.Failure("runsc goes on without its first process")
        guest.kill()
        guest.wait(10)
        all_gone(t, below)


@case("Kill.DuringStart")
def _(t):
    for milliseconds in (0, 1, 2, 3, 5, 8, 12, 18, 25, 40, 60, 90):
        guest = t.start([], ["sleep", "300"])
        time.sleep(milliseconds / 1000)
        below = processes.descendants(guest.pid)
        guest.kill()
        guest.wait(10)
        all_gone(t, below)
        t.expect_eq(processes.leftovers(3), [], f"killed after {milliseconds} ms")


@case("Kill.UnderLoad")
def _(t):
    guest = t.start([], ["bash", "-c", "echo ready; while :; do (ls / > /dev/null; true) & done; wait"])
    t.expect_eq(guest.stdout.readline(), b"ready\n")
    time.sleep(0.5)
    guest.kill()
    guest.wait(10)
    t.expect_eq(processes.leftovers(5), [])


@case("Kill.WithWritesToTheHost")
def _(t):
    os.mkdir(t.path("out"))
    guest = t.start(["--rw", t.path("out")], ["bash", "-c", "cd out; echo kept > f; sync f; echo ready; sleep 300"])
    t.expect_eq(guest.stdout.readline(), b"ready\n")
    guest.kill()
    guest.wait(10)
    t.expect_eq(t.read("out/f"), b"kept\n")


@case("End.NormalExitLeavesNothing")
def _(t):
    t.expect_eq(t.sandbox(["bash", "-c", "sleep 300 & setsid sleep 300 & nohup sleep 300 & exit 3"]).status, 3)
    t.expect_eq(processes.leftovers(2), [])


@case("End.TwentySandboxesInARow")
def _(t):
    for n in range(20):
        t.expect_eq(t.sandbox(["sh", "-c", f"exit {n}"]).status, n)
    t.expect_eq(processes.leftovers(1), [])


@case("End.EightSandboxesAtOnce")
def _(t):
    guests = [t.start([], ["sh", "-c", f"sleep 0.3; echo {n}; exit {n}"]) for n in range(8)]
    for n, guest in enumerate(guests):
        t.expect_eq(guest.communicate(timeout=60)[0], b"%d\n" % n)
        t.expect_eq(guest.returncode, n)


@case("End.NoTemporaryFiles")
def _(t):
    def seen():
        return {folder: set(os.listdir(folder)) for folder in ("/tmp", "/run", "/dev/shm") if os.path.isdir(folder)}
    before = seen()
    t.sandbox(["true"])
    guest = t.start([], ["sleep", "300"])
    time.sleep(0.3)
    guest.kill()
    guest.wait(10)
    time.sleep(0.1)
    for folder, names in seen().items():
        new = [n for n in names - before[folder] if "runsc" in n]
        t.expect_eq(new, [], f"left in {folder}")

harness.main()
