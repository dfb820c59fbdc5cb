#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""What a guest cannot see or touch: processes, files, interfaces, environments, memory of others."""
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "../workloads"))
import confinement  # pylint: disable=wrong-import-position
import harness  # pylint: disable=wrong-import-position
from harness import case  # pylint: disable=wrong-import-position

PYTHON = "/usr/bin/python3"


def canary_process(t):
    """A host process with a duration that nothing else sleeps, and a secret environment."""
    duration = f"4{os.getpid()}.25"
    return duration, t.start_native(["sleep", duration], env={"CANARY_SECRET": f"s{duration}"})


@case("Processes.HostProcessIsInvisible")
def _(t):
    duration, canary = canary_process(t)
    # The pattern is split, so that the search does not find itself.
    script = (f"grep -l {duration[:-3]}'.'25 /proc/[0-9]*/cmdline /proc/[0-9]*/task/*/cmdline 2>/dev/null; "
              "ls /proc | grep -c '^[0-9]'; ps -e | wc -l")
    lines = t.sandbox(["bash", "-c", script]).out.split(b"\n")
    t.expect(all(b"cmdline" not in line or b"/proc/1/" in line for line in lines), f"{lines}")
    t.expect(int(lines[-3]) < 10, f"the guest sees {lines[-3]} processes")
    t.expect_eq(canary.poll(), None)


@case("Processes.HostProcessCannotBeKilled")
def _(t):
    confinement.require(t)
    _duration, canary = canary_process(t)
    script = (f"kill -9 {canary.pid}; echo $?; kill -0 {canary.pid}; echo $?; kill -9 -{canary.pid}; echo $?; "
              f"ls -d /proc/{canary.pid}; {PYTHON} -c 'import os; os.pidfd_open({canary.pid})'")
    result = t.sandbox(["bash", "-c", script])
    t.expect_eq(result.out, b"1\n1\n1\n")
    t.expect_in(b"No such process", result.err)
    t.expect_eq(canary.poll(), None, "the canary is alive")


@case("Processes.KillEverybodyKillsGuestsOnly")
def _(t):
    confinement.require(t)
    _duration, canary = canary_process(t)
    t.sandbox(["bash", "-c", "sleep 100 & sleep 100 & kill -9 -1; sleep 0.2; exit 0"])
    t.expect_eq(canary.poll(), None, "the canary is alive")


@case("Processes.KillEveryNumberReachesNobody")
def _(t):
    confinement.require(t)
    _duration, canary = canary_process(t)
    code = ("import os\nfor p in range(2, 70000):\n  if p != os.getpid() and p != os.getppid():\n"
            "    try: os.kill(p, 9); print('killed', p)\n    except ProcessLookupError: pass\nprint('end')")
    t.expect_output(t.sandbox([PYTHON, "-c", code]), b"end\n")
    t.expect_eq(canary.poll(), None, "the canary is alive")


@case("Processes.EnvironmentOfOthersIsInvisible")
def _(t):
    duration, _canary = canary_process(t)
    result = t.sandbox(["bash", "-c", f"grep -l s{duration[:-3]}'.'25 /proc/[0-9]*/environ; echo end"])
    t.expect_eq(result.out, b"end\n")


@case("Processes.ParentIsNotTheHosts")
def _(t):
    result = t.sandbox([PYTHON, "-c", "import os; print(os.getppid(), os.getsid(0), os.getpgid(0))"])
    t.expect(all(int(n) < 10 for n in result.out.split()), f"{result.out}")


@case("Network.OnlyLoopback")
def _(t):
    result = t.sandbox(["sh", "-c", "cat /proc/net/dev 2>/dev/null; ls /sys/class/net 2>/dev/null"])
    names = {line.split(":")[0].strip() for line in result.out.decode().splitlines()
             if "|" not in line and line.strip()}
    t.expect(names <= {"lo"}, f"interfaces: {names}")


@case("Network.InterfacesByNetlink", needs=["ip"])
def _(t):
    out = t.sandbox(["ip", "-o", "link"]).out.decode()
    t.expect(all(line.split(":")[1].strip() == "lo" for line in out.splitlines()), out)


@case("Network.InterfacesByIoctl")
def _(t):
    code = ("import socket\ntry: print([n for _, n in socket.if_nameindex()])\n"
            "except OSError: print([])")
    t.expect(t.sandbox([PYTHON, "-c", code]).out in (b"[]\n", b"['lo']\n"), "only lo")


@case("Network.HostPortIsOutOfReach")
def _(t):
    import socket
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        port = server.getsockname()[1]
        code = (f"import socket\ntry: socket.create_connection(('127.0.0.1', {port}), 2); print('LEAK')\n"
                "except OSError: print('refused')")
        t.expect_output(t.sandbox([PYTHON, "-c", code]), b"refused\n")


@case("Network.HostUnixSocketsAreOutOfReach")
def _(t):
    import socket
    name = f"\0redoubt-canary-{os.getpid()}"
    with socket.socket(socket.AF_UNIX) as abstract, socket.socket(socket.AF_UNIX) as named:
        for server, address in ((abstract, name), (named, t.path("socket"))):
            server.bind(address)
            server.listen(1)
        code = ("import socket, sys\nfor a in ('\\0' + sys.argv[1], 'socket'):\n  try: s = socket.socket("
                "socket.AF_UNIX); s.connect(a); print('LEAK')\n  except OSError: print('refused')")
        t.expect_output(t.sandbox([PYTHON, "-c", code, name[1:]]), b"refused\nrefused\n")


# --- the host itself. Each of these acts only behind the guard, and in a way that can be undone. ---
@case("Host.GuestHasNoPowersOverIt")
def _(t):
    confinement.require(t)


@case("Host.NameIsNotTheHosts")
def _(t):
    confinement.require(t)
    host = os.uname()
    code = "import ctypes; ctypes.CDLL(None).sethostname(b'changed', 7)"
    t.sandbox([PYTHON, "-c", code])
    t.expect_eq(os.uname(), host, "the host's name")


@case("Host.ClockCannotBeSet")
def _(t):
    confinement.require(t)
    before = time.time() - time.monotonic()
    code = "import time; time.clock_settime(time.CLOCK_REALTIME, time.time() + 3)"
    t.sandbox([PYTHON, "-c", code])
    shift = time.time() - time.monotonic() - before
    if abs(shift) > 1.5:
        time.clock_settime(time.CLOCK_REALTIME, time.time() - shift)
        raise harness.Failure(f"the guest moved the host's clock by {shift:.1f} s")


@case("Host.MountsAreNotTheHosts")
def _(t):
    confinement.require(t)
    script = "mount -t tmpfs none /mnt; mount --bind /etc /mnt; umount -l /mnt; umount -l /proc; true"
    t.sandbox(["bash", "-c", script])  # What it may do there is its affair; the harness compares mounts.


@case("Host.KernelTunablesAreNotTheHosts")
def _(t):
    confinement.require(t)
    tunable = "/proc/sys/kernel/core_pattern"
    with open(tunable, encoding="utf-8") as f:
        before = f.read()
    t.sandbox(["bash", "-c", f"echo core.redoubt > {tunable}; echo h > /proc/sysrq-trigger; true"])
    with open(tunable, encoding="utf-8") as f:
        after = f.read()
    if after != before:
        with open(tunable, "w", encoding="utf-8") as f:
            f.write(before)
        raise harness.Failure(f"the guest changed {tunable}")


@case("Host.DevicesAreAbsent")
def _(t):
    confinement.require(t)
    script = ("for d in mem kmem port kmsg sda vda nvme0n1 kvm fuse loop0 loop-control net/tun; do "
              "[ -e /dev/$d ] && { : < /dev/$d; } 2> /dev/null && echo LEAK $d; done; echo end")
    t.expect_output(t.sandbox(["bash", "-c", script]), b"end\n")


@case("Memory.SandboxSecretsAreNotInTheGuest")
def _(t):
    secret = f"canary-{os.getpid()}-{time.time_ns()}"
    scan = t.compile("memory_scan.c")
    result = t.sandbox([scan, secret[::-1]], flags=["--debug-log", t.path(secret)])
    t.expect_output(result, b"scanned many pages, 0 hits\n")


# A root of its own: everything outside is out of reach, whatever the path.
def with_root(t, script):
    """Runs a static shell-less program's worth of tricks: Python would need half of /usr."""
    os.makedirs(t.path("root/sub/deep"))
    for folder in ("root/proc", "root/dev", "root/tmp", "root/etc"):
        os.mkdir(t.path(folder))
    t.write("outside", "SECRET\n")
    t.write("root/inside", "inside\n")
    t.write("root/etc/passwd", "guest's own\n")
    os.symlink("/etc/passwd", t.path("root/absolute"))
    os.symlink("../../../../../.." + t.path("outside"), t.path("root/escape"))
    os.symlink(t.path("outside"), t.path("root/host-path"))
    os.symlink("../../../inside", t.path("root/sub/deep/up"))
    os.symlink("../outside", t.path("root/beside"))
    os.symlink("/proc/1/root/../outside", t.path("root/through-proc"))
    t.compile("read_paths.c", "-static", name="root/read_paths")
    return t.sandbox(["/read_paths", *script], flags=["--root-dir", t.path("root"), "--cwd=/"])


@case("RootDir.DotDotStaysInside")
def _(t):
    result = with_root(t, ["/inside", "/../inside", "/sub/deep/../../../../../inside",
                           "/.." + t.path("outside"), "/../outside", "../outside", t.path("outside"),
                           "/proc/self/root/../outside", "/proc/self/cwd/../outside"])
    t.expect_output(result, b"inside\n" * 3 + b"ENOENT\n" * 6)


@case("RootDir.SymlinksResolveInside")
def _(t):
    result = with_root(t, ["/absolute", "/sub/deep/up", "/escape", "/host-path", "/beside", "/through-proc"])
    t.expect_output(result, b"guest's own\n" + b"inside\n" + b"ENOENT\n" * 4)


@case("RootDir.ChrootTrickDoesNotEscape")
def _(t):
    result = with_root(t, ["--chroot", "/outside", "/../outside", t.path("outside"), "/inside"])
    t.expect_output(result, b"ENOENT\nENOENT\nENOENT\ninside\n")


@case("RootDir.SwappedDirectoriesDoNotEscape")
def _(t):
    """The host swaps a directory for a link that leads out while the guest reads through it."""
    os.makedirs(t.path("root/d"))
    t.write("root/d/outside", "inside\n")
    t.write("outside", "SECRET\n")
    os.symlink("..", t.path("root/link"))
    for folder in ("proc", "dev", "tmp"):
        os.mkdir(t.path("root", folder))
    t.compile("read_paths.c", "-static", name="root/read_paths")
    guest = t.start(["--root-dir", t.path("root"), "--cwd=/"], ["/read_paths", "--repeat", "3000", "/d/outside"])
    while guest.poll() is None:
        os.rename(t.path("root/d"), t.path("root/e"))
        os.rename(t.path("root/link"), t.path("root/d"))
        os.rename(t.path("root/d"), t.path("root/link"))
        os.rename(t.path("root/e"), t.path("root/d"))
    t.expect(b"SECRET" not in guest.stdout.read(), "it read a file outside")

harness.main()
