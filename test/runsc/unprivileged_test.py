#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""`runsc do` by an ordinary user, where the host lets ordinary users make user namespaces."""
import os
import shutil
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "../workloads"))
import harness  # pylint: disable=wrong-import-position
from harness import case  # pylint: disable=wrong-import-position

NOBODY = 65534


def as_user(t):
    """The words that make the rest of a command run as an ordinary user; none if we are one."""
    words = []
    if os.getuid() == 0:
        words = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--inh-caps=-all"]
        os.chown(t.scratch, NOBODY, NOBODY)
    if t.native(words + ["unshare", "-Ur", "true"]).status != 0:
        t.skip("no user namespaces for ordinary users here")
    return words


def command(t, flags, argv):
    """`runsc do` as that user, from a copy of runsc that the user can reach."""
    words, do = as_user(t), t.do(flags, argv)
    do[0] = shutil.copy(do[0], t.path("runsc-copy"))
    return words + do


def do(t, argv, flags=(), **more):
    return t.native(command(t, flags, argv), **more)


@case("Unprivileged.ExitStatus")
def _(t):
    for argv, status in ((["true"], 0), (["false"], 1), (["sh", "-c", "exit 7"], 7),
                         (["sh", "-c", "kill -9 $$"], 137), (["nosuchcommand"], 127), (["/etc"], 126)):
        result = do(t, argv)
        t.expect_eq(result.status, status, f"{argv}: {result.err}")


@case("Unprivileged.ShellScript")
def _(t):
    script = "x=$(seq 100 | tail -1); echo $x; for i in $(seq 20); do (exit $i) & done; wait; echo done"
    t.expect_output(do(t, ["bash", "-c", script]), b"100\ndone\n")


@case("Unprivileged.PythonAndThreads")
def _(t):
    code = ("import subprocess, threading; ts = [threading.Thread(target=subprocess.run, args=(['true'],)) "
            "for _ in range(4)]; [x.start() for x in ts]; [x.join() for x in ts]; print('ok')")
    t.expect_output(do(t, ["/usr/bin/python3", "-c", code]), b"ok\n")


@case("Unprivileged.OverlayWrites")
def _(t):
    t.expect_output(do(t, ["sh", "-c", "mkdir d; echo inside > d/f; cat d/f; echo t > /tmp/redoubt-f && "
                                       "cat /tmp/redoubt-f"]), b"inside\nt\n")
    t.expect(not os.path.exists(t.path("d")), "a write reached the host")
    t.expect(not os.path.exists("/tmp/redoubt-f"), "a write reached the host")


@case("Unprivileged.HostPermissionsHold")
def _(t):
    t.write("secret", "secret\n", 0o600)  # Root's.
    if os.getuid() != 0:
        t.skip("needs a file of somebody else")
    result = do(t, ["sh", "-c", "cat secret; cat /etc/shadow; ls /root/.ssh; echo end"])
    t.expect_output(result, b"end\n")


@case("Unprivileged.RwDirectory")
def _(t):
    os.mkdir(t.path("out"))
    if os.getuid() == 0:
        os.chown(t.path("out"), NOBODY, NOBODY)
    t.expect_output(do(t, ["sh", "-c", "echo kept > out/f; mkdir out/d"], ["--rw", t.path("out")]), b"")
    t.expect_eq(t.read("out/f"), b"kept\n")
    t.expect_eq(os.stat(t.path("out/f")).st_uid, os.getuid() or NOBODY)


@case("Unprivileged.KillLeavesNothing")
def _(t):
    guest = t.start_words(command(t, [], ["bash", "-c", "sleep 300 & setsid sleep 300 & echo ready; wait"]))
    t.expect_eq(guest.stdout.readline(), b"ready\n")
    guest.send_signal(signal.SIGKILL)
    guest.wait(10)


@case("Unprivileged.SignalsArrive")
def _(t):
    guest = t.start_words(command(t, [], ["bash", "-c", "trap 'exit 5' TERM; echo ready; while :; do "
                                          "sleep 0.05; done"]))
    t.expect_eq(guest.stdout.readline(), b"ready\n")
    guest.send_signal(signal.SIGTERM)
    t.expect_eq(guest.wait(30), 5)

harness.main()
