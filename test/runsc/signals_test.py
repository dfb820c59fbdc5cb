#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Signals sent to runsc reach the guest; what the guest does with them is what counts."""
import os
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "../workloads"))
import harness  # pylint: disable=wrong-import-position
from harness import case  # pylint: disable=wrong-import-position

NAMES = ("INT", "TERM", "HUP", "QUIT", "USR1", "USR2", "WINCH")
LOOP = "echo ready; while :; do sleep 0.05; done"


def start_ready(t, script, **popen):
    guest = t.start([], ["bash", "-c", script], **popen)
    t.expect_eq(guest.stdout.readline(), b"ready\n", "the guest starts")
    return guest


def trapped(name):
    @case(f"Trap.{name}")
    def _(t):
        guest = start_ready(t, f"trap 'echo got {name}; exit 5' {name}; {LOOP}")
        guest.send_signal(getattr(signal, f"SIG{name}"))
        t.expect_eq(guest.communicate(timeout=30)[0], f"got {name}\n".encode())
        t.expect_eq(guest.returncode, 5)


def default(name, number):
    @case(f"Default.{name}Kills")
    def _(t):
        guest = start_ready(t, "echo ready; exec sleep 100")
        time.sleep(0.2)
        guest.send_signal(getattr(signal, f"SIG{name}"))
        status = guest.wait(30)
        t.expect(status in (128 + number, -number), f"status {status}, want {128 + number}")


for signal_name in NAMES:
    trapped(signal_name)
for signal_name in ("INT", "TERM", "HUP", "QUIT", "USR1"):
    default(signal_name, getattr(signal, f"SIG{signal_name}"))


@case("Many.EachArrives")
def _(t):
    traps = "; ".join(f"trap 'echo {name}' {name}" for name in NAMES)
    guest = start_ready(t, f"{traps}; {LOOP}")
    for name in NAMES * 3:
        guest.send_signal(getattr(signal, f"SIG{name}"))
        t.expect_eq(guest.stdout.readline(), f"{name}\n".encode())
    guest.kill()
    guest.wait(30)


@case("Many.AStormDoesNoHarm")
def _(t):
    guest = start_ready(t, f"n=0; trap 'n=$((n + 1))' USR1; trap 'echo $((n > 0)); exit 3' TERM; {LOOP}")
    for _round in range(2000):
        guest.send_signal(signal.SIGUSR1)
    time.sleep(0.2)
    guest.send_signal(signal.SIGTERM)
    t.expect_eq(guest.communicate(timeout=30)[0], b"1\n")
    t.expect_eq(guest.returncode, 3)


@case("Early.SignalDuringStartEndsIt")
def _(t):
    for delay in (0, 0.005, 0.01, 0.02, 0.04, 0.08):
        guest = t.start([], ["sleep", "100"])
        time.sleep(delay)
        guest.send_signal(signal.SIGTERM)
        status = guest.wait(30)
        t.expect(status in (143, -15), f"status {status} after {delay} s")


@case("Ignored.StaysIgnored")
def _(t):
    guest = start_ready(t, f"trap '' TERM; trap 'exit 4' USR1; {LOOP}")
    guest.send_signal(signal.SIGTERM)
    time.sleep(0.3)
    t.expect_eq(guest.poll(), None, "TERM was to be ignored")
    guest.send_signal(signal.SIGUSR1)
    t.expect_eq(guest.wait(30), 4)


@case("Busy.AComputingGuestIsInterrupted")
def _(t):
    guest = start_ready(t, "trap 'exit 6' TERM; echo ready; while :; do :; done")
    guest.send_signal(signal.SIGTERM)
    t.expect_eq(guest.wait(30), 6)


@case("Busy.ASpinWithoutCallsDies")
def _(t):
    t.write("spin.c", "#include <unistd.h>\nint main(void) { write(1, \"ready\\n\", 6); for (;;) ; }")
    built = t.native(["gcc", "-O1", "-o", "spin", "spin.c"])
    t.expect_eq(built.status, 0)
    guest = t.start([], ["./spin"])
    t.expect_eq(guest.stdout.readline(), b"ready\n")
    guest.send_signal(signal.SIGTERM)
    status = guest.wait(30)
    t.expect(status in (143, -15), f"status {status}")


@case("StopAndContinue.TheSandboxCanBeStopped")
def _(t):
    guest = start_ready(t, f"trap 'exit 8' USR1; {LOOP}")
    guest.send_signal(signal.SIGSTOP)
    time.sleep(0.2)
    guest.send_signal(signal.SIGCONT)
    guest.send_signal(signal.SIGUSR1)
    t.expect_eq(guest.wait(30), 8)


@case("Timeout.EndsTheSandbox")
def _(t):
    result = t.native(["timeout", "1"] + t.do([], ["sleep", "100"]), timeout=30)
    t.expect_eq(result.status, 124)


@case("Timeout.KillEndsAStubbornGuest")
def _(t):
    result = t.native(["timeout", "-s", "KILL", "1"] + t.do([], ["sh", "-c", "trap '' TERM INT; sleep 100"]),
                      timeout=30, stdout=subprocess.DEVNULL)
    t.expect_eq(result.status, 137)

harness.main()
