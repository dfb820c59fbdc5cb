#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Every system call number, and every other door into a kernel, with arguments chosen to hurt.

Judged by canaries: afterwards the sandbox has ended by itself, with the driver's last line, and the
host's files, processes, name, clock, mounts and network are what they were."""
import hashlib
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "../workloads"))
import confinement  # pylint: disable=wrong-import-position
import harness  # pylint: disable=wrong-import-position
from harness import case  # pylint: disable=wrong-import-position

LAST_NUMBER = 600
# The programs refuse to run without it, so that nobody starts them on a host by mistake.
UNDER_ATTACK = {"REDOUBT_GUEST_UNDER_ATTACK": "1"}


def digest(path):
    with open(path, "rb") as f:
        return hashlib.sha256(f.read()).hexdigest()


class Canaries:
    """What of the host must not change."""

    def __init__(self, t):
        self._t = t
        t.write("canary/file", "canary\n")
        t.write("canary/deep/er/file", "another\n", 0o600)
        self._process = t.start_native(["sleep", "1000"])
        self._before = self._look()
        self._clock = time.time() - time.monotonic()

    def _look(self):
        watched = ["/etc/passwd", "/etc/shadow", "/etc/hostname", "/etc/ld.so.cache",
                   "/proc/sys/kernel/core_pattern", "/proc/swaps", "/proc/sys/kernel/domainname"]
        return {
            "files": {path: digest(path) for path in watched if os.access(path, os.R_OK)},
            "listing": self._t.listing(),
            "canary": self._t.read("canary/file"),
            "name": os.uname(),
            "interfaces": sorted(os.listdir("/sys/class/net")),
            "root": sorted(os.listdir("/")),
            "modules": digest("/proc/modules").split() if os.path.exists("/proc/modules") else "",
        }

    def check(self):
        self._t.expect_eq(self._look(), self._before, "the host changed")
        self._t.expect_eq(self._process.poll(), None, "the canary process died")
        self._t.expect(abs(time.time() - time.monotonic() - self._clock) < 2, "the host's clock changed")


def attack(t, first, last, sets, seed, timeout=240):
    confinement.require(t)
    program = t.compile("hostile_syscalls.c")
    canaries = Canaries(t)
    result = t.sandbox([program, str(first), str(last), str(sets), str(seed), "v"],
                       env=UNDER_ATTACK, timeout=timeout)
    canaries.check()
    lines = result.out.decode(errors="replace").split("\n")
    t.expect(result.status == 0 and "done" in result.out.decode(errors="replace"),
             f"status {result.status}; the last numbers tried: {lines[-5:]}; stderr:\n{harness.cut(result.err)}")
    calls = int(lines[[n for n, line in enumerate(lines) if line.startswith("done")][0]].split()[1])
    t.expect(calls > (last - first), f"only {calls} calls came back")


def group(name, first, last, sets, seed):
    @case(name)
    def _(t):
        attack(t, first, last, sets, seed)


for start in range(0, LAST_NUMBER + 1, 100):
    end = min(start + 99, LAST_NUMBER)
    group(f"EveryNumber.From{start}To{end}", start, end, 20, 1)
# More random arguments for the calls with the most state behind them.
group("MoreRandom.FilesAndMemory", 0, 40, 120, 2)
group("MoreRandom.SocketsAndProcesses", 41, 62, 120, 3)
group("MoreRandom.AtCalls", 254, 334, 60, 4)
group("MoreRandom.NewCalls", 424, 462, 60, 5)


@case("NumbersOutOfRange.AreEnosys")
def _(t):
    code = ("import ctypes\nc = ctypes.CDLL(None, use_errno=True)\n"
            "for n in (463, 600, 1023, 1 << 20, (1 << 31) - 1, -1, -100, 1 << 32, 1 << 62):\n"
            "  ctypes.set_errno(0)\n  c.syscall(ctypes.c_long(n), 0, 0, 0, 0, 0, 0)\n"
            "  print(n, ctypes.get_errno())")
    out = t.sandbox(["/usr/bin/python3", "-c", code]).out.decode().splitlines()
    for line in out:
        number, errno = map(int, line.split())
        if number & 0xffffffff != 0:  # Linux looks at the low 32 bits only: 0 is read(2).
            t.expect_eq(errno, 38, f"number {number}")
    t.expect_eq(len(out), 9)


@case("EntryPoints.LeadNowhere")
def _(t):
    confinement.require(t)
    program = t.compile("entry_points.c", "-no-pie")
    canaries = Canaries(t)
    victim = t.start_native(["sleep", "1000"])
    result = t.sandbox([program, str(victim.pid)], env=UNDER_ATTACK,
                       flags=["--hostname=entry-guest"], timeout=90)
    canaries.check()
    t.expect_eq(victim.poll(), None, "a host process was killed")
    t.expect(b"LEAK" not in result.out, harness.cut(result.out))
    t.expect(result.out.endswith(b"done\n"), f"status {result.status}:\n{harness.cut(result.out + result.err)}")

harness.main()
