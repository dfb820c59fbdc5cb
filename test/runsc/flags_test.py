#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""The flags of `runsc do`: what the guest sees, and where its writes go."""
import fcntl
import os
import pty
import shutil
import signal
import struct
import sys
import termios
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "../workloads"))
import harness  # pylint: disable=wrong-import-position
from harness import case, compare  # pylint: disable=wrong-import-position


# --- defaults: cwd, environment, overlay ---
compare("Defaults.WorkingDirectoryIsKept", ["pwd"])
compare("Defaults.EnvironmentIsKept", "env | grep -v ^_= | sort", env={"CANARY": "a b=c\nsecond"})
compare("Defaults.EmptyArguments", ["printf", "[%s]\\n", "", "a b", "", "\\", "--", "'"])


@case("Overlay.WriteIsSeenInsideOnly")
def _(t):
    name = f"/etc/redoubt-test-{os.getpid()}"
    result = t.sandbox(["sh", "-c", f"echo inside > {name} && cat {name}"])
    t.expect_output(result, b"inside\n")
    t.expect(not os.path.exists(name), "the write reached the host")


@case("Overlay.ChangesToHostFilesStayInside")
def _(t):
    t.write("file", "before\n")
    t.write("dir/removed", "x")
    before = t.listing()
    result = t.sandbox(["sh", "-c", "echo after >> file; rm -r dir; chmod 600 file; mv file moved; "
                        "ln moved linked; touch -d @0 moved; cat moved; ls"])
    t.expect_output(result, b"before\nafter\nlinked\nmoved\n")
    t.expect_eq(t.listing(), before)
    t.expect_eq(t.read("file"), b"before\n")


@case("Overlay.StartsAfreshEachTime")
def _(t):
    t.expect_output(t.sandbox(["sh", "-c", "echo x > left && ls"]), b"left\n")
    t.expect_output(t.sandbox(["ls"]), b"")


# --- --cwd, --env, --user, --hostname ---
@case("Cwd.IsUsed")
def _(t):
    t.expect_output(t.sandbox(["pwd"], flags=["--cwd", "/usr/share"]), b"/usr/share\n")
    t.expect_output(t.sandbox(["sh", "-c", "ls passwd"], flags=["--cwd=/etc"]), b"passwd\n")


@case("Cwd.MissingIsOurFailure")
def _(t):
    result = t.sandbox(["pwd"], flags=["--cwd", "/nosuch/dir"])
    t.expect_runsc_failure(result, "/nosuch/dir")


@case("Env.AddsAndReplaces")
def _(t):
    script = 'echo "$ADDED|$LANG|$EMPTY|${HOME:+home}"'
    result = t.sandbox(["sh", "-c", script], flags=["--env=ADDED=a=b c", "--env", "LANG=C", "--env=EMPTY="])
    t.expect_output(result, b"a=b c|C||home\n")


@case("User.UidAndGid")
def _(t):
    result = t.sandbox(["sh", "-c", "id -u; id -g; id -G"], flags=["--user=1234:2345"])
    t.expect_output(result, b"1234\n2345\n2345\n")


@case("User.UidAlone")
def _(t):
    t.expect_output(t.sandbox(["id", "-u"], flags=["--user", "1234"]), b"1234\n")


@case("User.HasNoPowers")
def _(t):
    t.write("secret", "secret", 0o600)
    result = t.sandbox(["bash", "-c", "cat secret 2>&1; touch /etc/redoubt-forbidden; kill -0 1; "
                        "grep CapEff /proc/self/status; touch /tmp/own && stat -c %u /tmp/own"],
                       flags=["--user=1234:2345"])
    t.expect_in(b"cat: secret: Permission denied\n", result.out)
    t.expect_in(b"CapEff:\t0000000000000000\n", result.out)
    t.expect_in(b"Permission denied", result.err)
    t.expect_in(b"1234\n", result.out)


@case("User.RootIsRootOfItsFiles")
def _(t):
    result = t.sandbox(["bash", "-c", "id -u; touch f; chown 7:8 f; stat -c '%u %g' f; cat /etc/shadow "
                        "> /dev/null && echo read"], flags=["--user=0:0"])
    t.expect_output(result, b"0\n7 8\nread\n")


@case("Hostname.IsTheGuests")
def _(t):
    host = os.uname().nodename
    result = t.sandbox(["sh", "-c", "uname -n; cat /proc/sys/kernel/hostname"],
                       flags=["--hostname=redoubt-guest"])
    t.expect_output(result, b"redoubt-guest\nredoubt-guest\n")
    t.expect_eq(os.uname().nodename, host)


# --- --bind, --rw ---
@case("Bind.ReadOnlyRefusesWithErofs")
def _(t):
    t.write("shared/file", "from the host\n")
    script = ("cat /mnt/file; for c in 'echo x > /mnt/new' 'echo x >> /mnt/file' 'rm /mnt/file' "
              "'mkdir /mnt/d' 'touch /mnt/file' 'chmod 600 /mnt/file' 'mv /mnt/file /mnt/g' "
              "'ln /mnt/file /mnt/h'; do sh -c \"$c\" 2>&1 | grep -c 'Read-only file system'; done")
    result = t.sandbox(["sh", "-c", script], flags=["--bind", f"{t.path('shared')}:/mnt:ro"])
    t.expect_output(result, b"from the host\n" + b"1\n" * 8)
    t.expect_eq(t.read("shared/file"), b"from the host\n")
    t.expect_eq(os.listdir(t.path("shared")), ["file"])


@case("Bind.ReadWriteReachesTheHost")
def _(t):
    t.write("shared/file", "old\n")
    script = ("echo new >> /mnt/file; mkdir /mnt/d; echo x > /mnt/d/x; mv /mnt/d/x /mnt/d/y; "
              "ln -s y /mnt/d/l; truncate -s 5 /mnt/d/y; chmod 640 /mnt/d/y; touch -d @1000 /mnt/d/y")
    result = t.sandbox(["sh", "-c", script], flags=["--bind", f"{t.path('shared')}:/mnt:rw"])
    t.expect_output(result, b"")
    t.expect_eq(t.read("shared/file"), b"old\nnew\n")
    info = os.stat(t.path("shared/d/y"))
    t.expect_eq((info.st_size, info.st_mode & 0o777, info.st_mtime), (5, 0o640, 1000))
    t.expect_eq(os.readlink(t.path("shared/d/l")), "y")


@case("Bind.SamePathAndSingleFile")
def _(t):
    t.write("one", "1\n")
    t.expect_output(t.sandbox(["cat", t.path("one")], flags=["--bind", f"{t.path('one')}:{t.path('one')}:ro"]),
                    b"1\n")
    t.expect_output(t.sandbox(["cat", "/etc/passwd"], flags=["--bind", f"{t.path('one')}:/etc/passwd:ro"]),
                    b"1\n")


@case("Bind.HostChangesAreSeen")
def _(t):
    os.mkdir(t.path("shared"))
    guest = t.start(["--bind", f"{t.path('shared')}:/mnt:ro"],
                    ["bash", "-c", "echo ready; for i in $(seq 200); do [ -e /mnt/late ] && cat /mnt/late "
                     "&& exit 0; sleep 0.05; done; exit 1"])
    t.expect_eq(guest.stdout.readline(), b"ready\n")
    t.write("shared/.late", "came late\n")
    os.rename(t.path("shared/.late"), t.path("shared/late"))
    t.expect_eq(guest.stdout.readline(), b"came late\n")
    t.expect_eq(guest.wait(30), 0)


@case("Rw.WritesReachTheHost")
def _(t):
    os.mkdir(t.path("out"))
    t.expect_output(t.sandbox(["sh", "-c", f"echo kept > {t.path('out')}/f; echo lost > {t.path('g')}"],
                              flags=["--rw", t.path("out")]), b"")
    t.expect_eq(t.read("out/f"), b"kept\n")
    t.expect(not os.path.exists(t.path("g")), "only --rw is written")


@case("Rw.CurrentDirectory")
def _(t):
    t.expect_output(t.sandbox(["sh", "-c", "echo kept > f; sync; cat f"], flags=["--rw", t.scratch]), b"kept\n")
    t.expect_eq(t.read("f"), b"kept\n")


# --- --root-dir ---
def small_root(t):
    """dash and a few tools with the libraries they need, nothing else."""
    root = t.path("root")
    for folder in ("proc", "dev", "tmp", "etc", "bin", "lib64"):
        os.makedirs(os.path.join(root, folder))
    for tool in ("sh", "ls", "cat", "pwd", "touch", "readlink"):
        program = os.path.realpath(shutil.which(tool, path=harness.PATH))
        shutil.copy(program, os.path.join(root, "bin", tool))
        for word in t.native(["ldd", program]).out.decode().split():
            if word.startswith("/"):
                os.makedirs(root + os.path.dirname(word), exist_ok=True)
                shutil.copy(os.path.realpath(word), root + word)
    t.write("root/etc/only", "in the small root\n")
    return root


@case("RootDir.IsTheGuestsRoot")
def _(t):
    root = small_root(t)
    result = t.sandbox(["sh", "-c", "cat /etc/only; ls /etc; ls /usr/bin/python3 /var/tmp 2>/dev/null; pwd"],
                       flags=["--root-dir", root, "--cwd=/"])
    t.expect_eq((result.out, result.status), (b"in the small root\nonly\n/\n", 0), f"{result.err}")


@case("RootDir.WritesStayInside")
def _(t):
    root = small_root(t)
    before = t.listing()
    t.expect_output(t.sandbox(["sh", "-c", "echo x > /etc/new; echo y > /new; ls /etc"],
                              flags=["--root-dir", root, "--cwd=/"]), b"new\nonly\n")
    t.expect_eq(t.listing(), before)


@case("RootDir.WithBind")
def _(t):
    root = small_root(t)
    t.write("shared/f", "bound\n")
    os.mkdir(root + "/mnt")
    t.expect_output(t.sandbox(["cat", "/mnt/f"], flags=[
        "--root-dir", root, "--cwd=/", "--bind", f"{t.path('shared')}:/mnt:ro"]), b"bound\n")


# --- --strace, --debug-log ---
@case("Strace.LogsCallsWithArguments")
def _(t):
    log = t.path("log")
    # dash reads and writes; cat might copy_file_range.
    command = ["dash", "-c", "read line < /etc/hostname; echo $line"]
    result = t.sandbox(command, flags=["--strace", "--debug-log", log])
    with open("/etc/hostname", "rb") as f:
        t.expect_output(result, f.read())
    text = t.read("log")
    for part in (b"openat", b"/etc/hostname", b"write"):
        t.expect_in(part, text)


@case("DebugLog.IsWrittenAndStdoutIsNot")
def _(t):
    result = t.sandbox(["echo", "out"], flags=["--debug-log", t.path("log")])
    t.expect_output(result, b"out\n")
    t.expect_eq(result.err, b"")
    t.expect(os.path.exists(t.path("log")), "the log exists")


# --- --tty ---
def on_terminal(t, flags, argv, *, type_after=None, typed=b"", timeout=30):
    """Runs with a pseudo-terminal as stdin, stdout and stderr; returns what it showed and its status."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 33, 97, 0, 0))

    def take_terminal():
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    guest = t.start(flags, argv, stdin=slave, stdout=slave, stderr=slave, preexec_fn=take_terminal)
    os.close(slave)
    shown, deadline = b"", time.monotonic() + timeout
    os.set_blocking(master, False)
    while time.monotonic() < deadline:
        try:
            part = os.read(master, 65536)
        except BlockingIOError:
            time.sleep(0.01)
            continue
        except OSError:  # EIO: the last user of the terminal has gone.
            break
        shown += part
        if type_after and type_after in shown:
            os.write(master, typed)
            type_after = None
    else:
        guest.send_signal(signal.SIGKILL)
        raise harness.Failure(f"over {timeout} s; it showed {shown}")
    os.close(master)
    return shown.replace(b"\r\n", b"\n"), guest.wait(10)


@case("Tty.IsATerminal")
def _(t):
    script = "test -t 0 && test -t 1 && test -t 2 && echo all; stty size; tty | cut -c1-5; exit 4"
    t.expect_eq(on_terminal(t, ["--tty"], ["bash", "-c", script]), (b"all\n33 97\n/dev/\n", 4))


@case("Tty.WithoutTheFlagTheTerminalIsPassedOn")
def _(t):
    script = "test -t 0 && test -t 1 && echo both; stty size; exit 4"
    t.expect_eq(on_terminal(t, [], ["bash", "-c", script]), (b"both\n33 97\n", 4))


@case("Tty.PipesAreNotTerminals")
def _(t):
    script = "test -t 0; echo $?; test -t 1; echo $?"
    t.expect_output(t.sandbox(["sh", "-c", script]), b"1\n1\n")


@case("Tty.ReadsALine")
def _(t):
    shown, status = on_terminal(t, ["--tty"], ["bash", "-c", "echo ready; read -r line; echo \"got $line\""],
                                type_after=b"ready\n".replace(b"\n", b"\r\n"), typed=b"typed text\n")
    t.expect_in(b"got typed text\n", shown)
    t.expect_eq(status, 0)


INTERRUPTIBLE = "trap 'echo interrupted; exit 5' INT; echo ready; while :; do sleep 0.05; done"


@case("Tty.ControlCInterrupts")
def _(t):
    shown, status = on_terminal(t, ["--tty"], ["bash", "-c", INTERRUPTIBLE], type_after=b"ready", typed=b"\x03")
    t.expect_in(b"interrupted\n", shown)
    t.expect_eq(status, 5)


@case("Tty.ControlCInterruptsWithoutTheFlag")
def _(t):
    shown, status = on_terminal(t, [], ["bash", "-c", INTERRUPTIBLE], type_after=b"ready", typed=b"\x03")
    t.expect_in(b"interrupted\n", shown)
    t.expect_eq(status, 5)


@case("Tty.ControlDEndsInput")
def _(t):
    shown, status = on_terminal(t, ["--tty"], ["sh", "-c", "echo ready; cat; echo end"],
                                type_after=b"ready", typed=b"\x04")
    t.expect_in(b"end\n", shown)
    t.expect_eq(status, 0)

harness.main()
