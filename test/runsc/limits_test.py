#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""`runsc do --memory --cpus --pids-limit`: limits are seen inside, and hold."""
import glob
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "../workloads"))
import harness  # pylint: disable=wrong-import-position
from harness import case  # pylint: disable=wrong-import-position

MIB = 1 << 20


def cgroups_left():
    return glob.glob("/sys/fs/cgroup/**/runsc-do-*", recursive=True)


def can_make_cgroups():
    """Whether a memory cgroup can be made below our own."""
    for line in open("/proc/self/cgroup", encoding="ascii"):
        _, controllers, path = line.strip().split(":", 2)
        if "memory" in controllers.split(","):
            return os.access("/sys/fs/cgroup/memory" + path, os.W_OK)
    return os.access("/sys/fs/cgroup/cgroup.controllers", os.R_OK) and os.geteuid() == 0


@case("Memory.IsWhatTheGuestSees")
def _(t):
    result = t.sandbox(["sh", "-c", "grep MemTotal /proc/meminfo; cat /sys/fs/cgroup/memory.max; "
                        "python3 -c 'import os; print(os.sysconf(\"SC_PHYS_PAGES\"))'"],
                       flags=["--memory", "128m"])
    lines = result.out.split(b"\n")
    t.expect_eq(lines[0].split(), [b"MemTotal:", b"131072", b"kB"])
    t.expect_eq(lines[1:3], [b"134217728", b"32768"])


@case("Memory.WithoutALimitItIsTheHosts")
def _(t):
    host = [l for l in open("/proc/meminfo", encoding="ascii") if l.startswith("MemTotal")][0]
    result = t.sandbox(["sh", "-c", "grep MemTotal /proc/meminfo; cat /sys/fs/cgroup/memory.max"])
    words = result.out.split()
    t.expect_eq(words[1], host.split()[1].encode())
    t.expect_eq(words[3], b"max")


@case("Memory.TheChildThatTakesTooMuchIsKilled")
def _(t):
    if not can_make_cgroups():
        t.skip("no memory cgroup can be made here")
    eat = "x = bytearray(1 << 30); print(len(x))"
    result = t.sandbox(["sh", "-c", f"python3 -c '{eat}'; echo status $?; echo alive"],
                       flags=["--memory", "128m"], timeout=120)
    t.expect_in(b"status 137\nalive\n", result.out)
    t.expect_eq(result.status, 0)
    t.expect_in(b"out of memory", result.err)
    t.expect_eq(cgroups_left(), [])


@case("Memory.AGreedyFirstProcessEndsTheSandboxWithItsStatus")
def _(t):
    if not can_make_cgroups():
        t.skip("no memory cgroup can be made here")
    result = t.sandbox(["python3", "-c", "x = bytearray(1 << 30)"], flags=["--memory", "64m"],
                       timeout=120)
    t.expect_eq(result.status, 137)
    t.expect_eq(cgroups_left(), [])


@case("Memory.ManyChildrenInTurn")
def _(t):
    if not can_make_cgroups():
        t.skip("no memory cgroup can be made here")
    eat = "bytearray(1 << 30)"
    script = f"for i in 1 2 3; do python3 -c '{eat}'; echo $?; done; grep oom_kill " \
        "/sys/fs/cgroup/memory.events"
    result = t.sandbox(["sh", "-c", script], flags=["--memory", "128m"], timeout=120)
    t.expect_in(b"137\n137\n137\noom_kill 3\n", result.out)


@case("Cpus.AreWhatTheGuestSees")
def _(t):
    script = ("nproc; grep -c ^processor /proc/cpuinfo; grep -c '^cpu[0-9]' /proc/stat; "
              "cat /sys/devices/system/cpu/online /sys/fs/cgroup/cpu.max; "
              "python3 -c 'import os; print(len(os.sched_getaffinity(0)))'")
    result = t.sandbox(["sh", "-c", script], flags=["--cpus", "0.5"])
    t.expect_output(result, b"1\n1\n1\n0\n50000 100000\n1\n")


@case("Pids.ForkFailsWithEagain")
def _(t):
    script = """
import errno, os, signal
children = []
try:
    while len(children) < 100:
        pid = os.fork()
        if pid == 0:
            signal.pause()
        children.append(pid)
except OSError as error:
    print(errno.errorcode[error.errno], len(children))
print(*(int(open("/sys/fs/cgroup/pids." + name).read()) for name in ("current", "max")))
for pid in children:
    os.kill(pid, 9)
    os.wait()
print("again", flush=True)
os._exit(0 if os.fork() >= 0 else 1)
"""
    result = t.sandbox(["python3", "-c", script], flags=["--pids-limit", "8"])
    t.expect_eq(result.out, b"EAGAIN 7\n8 8\nagain\n")
    t.expect_eq(result.status, 0)


@case("Pids.ThreadsCountToo")
def _(t):
    script = """
import threading
stop = threading.Event()
count = 0
try:
    for _ in range(50):
        threading.Thread(target=stop.wait).start()
        count += 1
except RuntimeError:
    print("refused at", count)
stop.set()
"""
    t.expect_output(t.sandbox(["python3", "-c", script], flags=["--pids-limit", "5"]),
                    b"refused at 4\n")


@case("Cgroup.ViewIsReadOnlyAndSelfContained")
def _(t):
    script = ("cat /proc/self/cgroup; stat -fc %T /sys/fs/cgroup; "
              "grep -c '^1$' /sys/fs/cgroup/cgroup.procs; "
              "echo 1 2>/dev/null >/sys/fs/cgroup/cgroup.procs || echo refused; "
              "mkdir /sys/fs/cgroup/x 2>/dev/null || echo refused; "
              "cat /sys/fs/cgroup/cgroup.controllers")
    t.expect_output(t.sandbox(["sh", "-c", script]),
                    b"0::/\ncgroup2fs\n1\nrefused\nrefused\ncpuset cpu memory pids\n")


@case("Flags.BadOnesAreRefused")
def _(t):
    for flags in (["--memory", "x"], ["--memory", "1m"], ["--memory", "-5"], ["--cpus", "0"],
                  ["--cpus", "many"], ["--pids-limit", "0"], ["--pids-limit", "1.5"]):
        t.expect_runsc_failure(t.sandbox(["true"], flags=flags), flags[0])


harness.main()
