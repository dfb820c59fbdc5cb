#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Bombs and storms, all bounded: the guest meets its limit with Linux's errno, and the host is well."""
import hashlib
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "../workloads"))
import harness  # pylint: disable=wrong-import-position
import processes  # pylint: disable=wrong-import-position
from harness import case, compare  # pylint: disable=wrong-import-position

PYTHON = "/usr/bin/python3"


def limits(name, *arguments, **more):
    """A comparison of limits.c; it is built on the host, so the sandbox sees it in its directory."""
    compare(name, ["./limits", *arguments], setup=lambda t: t.compile("limits.c", "-pthread", "-O0"), **more)


# --- processes ---
@case("ForkBomb.MeetsTheTaskLimit")
def _(t):
    """No sandbox may have tasks without end: fork fails with EAGAIN well before this many."""
    program = t.compile("limits.c", "-pthread")
    result = t.sandbox([program, "forks", "33000"], timeout=240)
    t.expect_output(result, b"fork: Resource temporarily unavailable\nall ended: 1\nfork works again: 1\n")
    t.expect_eq(t.native(["true"]).status, 0, "the host still forks")


@case("ForkBomb.WildOneIsEndedWithoutTrace")
def _(t):
    started = time.monotonic()
    result = t.native(["timeout", "-s", "KILL", "4"] + t.do([], [
        "bash", "-c", "ulimit -u 400; bomb() { bomb | bomb & }; bomb; sleep 60"]), timeout=60)
    t.expect_eq(result.status, 137)
    t.expect_eq(processes.leftovers(10), [])
    t.expect(time.monotonic() - started < 30, "it took too long to end")


@case("ForkBomb.GuestEndsWithItsCommand")
def _(t):
    result = t.sandbox(["bash", "-c", "for i in $(seq 200); do sleep 300 & done; sleep 0.1; exit 6"], timeout=60)
    t.expect_eq(result.status, 6)
    t.expect_eq(processes.leftovers(10), [])


limits("Processes.UserLimit", "forks-of-user", "50")
limits("Processes.ZombieStorm", "zombies", "500", timeout=90)
limits("Processes.Ring", "ring", "60", timeout=90)
limits("Threads.OneHundred", "threads", "100", timeout=90)
compare("Processes.TwoHundredAtOnce", r"""
for i in $(seq 200); do (echo >> started; until [ -e go ]; do sleep 0.5; done; exit $((i % 3))) & p+=($!); done
until [ $(wc -l < started) = 200 ]; do sleep 0.1; done
jobs -r | wc -l; touch go
for x in ${p[@]}; do wait $x; n=$((n + $?)); done; echo $n
""", timeout=120)
compare("Processes.PipeStorm", "for i in $(seq 30); do seq 3000 | cat | tac | cat | sort -n | tail -1 & done | "
        "sort | uniq -c; wait", timeout=120)
compare("Processes.ForkWhileThreadsRun", [PYTHON, "-c", """
import os, threading
stop = threading.Event()
threads = [threading.Thread(target=lambda: [None for _ in iter(stop.is_set, True)]) for _ in range(4)]
[t.start() for t in threads]
good = 0
for n in range(60):
    pid = os.fork()
    if pid == 0:
        os._exit(n)
    good += os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == n
stop.set()
[t.join() for t in threads]
print(good)"""], timeout=120)
compare("Signals.Storm", [PYTHON, "-c", """
import os, signal
n = 0
def count(*_):
    global n
    n += 1
signal.signal(signal.SIGUSR1, count)
child = os.fork()
if child == 0:
    for _ in range(3000):
        os.kill(os.getppid(), signal.SIGUSR1)
    os._exit(0)
os.waitpid(child, 0)
print(n > 0)"""], timeout=60)

# --- memory ---
limits("Memory.TenGibibytesUnderALimit", "memory")
compare("Memory.UlimitInAShell", "ulimit -v 1048576; " + PYTHON + " -c 'bytearray(10 << 30)' 2>&1 | tail -1")
limits("Memory.StackOverflow", "stack", status=139)
limits("Memory.StackOverflowCaught", "stack-caught", status=7)
compare("Memory.HalfAGibibyteTouchedAndFreed", [PYTHON, "-c", "\nfor _ in range(2):\n  b = bytearray(512 << 20)\n"
        "  n = len(b) // 4096; b[::4096] = b'x' * n\n  print(b[::4096] == b'x' * n); del b"], timeout=90)
compare("Memory.ManyMappings", [PYTHON, "-c", "import mmap\nm = [mmap.mmap(-1, 8192) for _ in range(2000)]\n"
        "for x in m: x[0] = 1\nprint(sum(x[0] for x in m))"], timeout=60)


# --- files ---
HUNDRED_THOUSAND = """
import os, tempfile
with tempfile.TemporaryDirectory(dir="/tmp") as folder:
    os.chdir(folder)
    for n in range(100000):
        os.close(os.open(f"f{n}", os.O_CREAT | os.O_WRONLY | os.O_EXCL))
    names = os.listdir(".")
    print(len(names), len(set(names)), sum(e.is_file() for e in os.scandir(".")))
    for n in range(0, 100000, 1000):
        with open(f"f{n}", "w") as f:
            f.write(str(n))
    print(sum(os.stat(f"f{n}").st_size for n in range(0, 100000, 500)))
    for n in range(100000):
        os.unlink(f"f{n}")
    print(os.listdir("."))
    os.chdir("/")"""


@case("Files.HundredThousandInTmp")
def _(t):
    """Not run natively: a disk takes long over it, and what it must print is plain."""
    t.expect_output(t.sandbox([PYTHON, "-c", HUNDRED_THOUSAND], timeout=240), b"100000 100000 100000\n487\n[]\n")


compare("Files.ThousandOpenAndUnlinked", [PYTHON, "-c", """
import os
files = []
for n in range(1000):
    f = open(f"u{n}", "wb+")
    f.write(str(n).encode() * 500)
    f.flush()
    os.unlink(f"u{n}")
    files.append(f)
print(os.listdir("."), sum(os.pread(f.fileno(), 3, 0).isdigit() for f in files))"""], timeout=90)
compare("Files.GrowAndTruncate", [PYTHON, "-c", """
import os
with open("f", "wb+", buffering=0) as f:
    for n in range(2000):
        os.pwrite(f.fileno(), b"x" * 100, n * 5000)
        os.ftruncate(f.fileno(), n * 2500)
    print(os.fstat(f.fileno()).st_size, sum(f.read()) // ord("x"))"""], timeout=60)
limits("Descriptors.BombMeetsEmfile", "descriptors", "4096")
limits("Descriptors.BombSmall", "descriptors", "64")
compare("Descriptors.InFlight", [PYTHON, "-c", """
import os, socket
a, b = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
sent = 0
a.setblocking(False)
try:
    while sent < 100000:
        socket.send_fds(a, [b'x'], [0, 1, 2])
        sent += 3
except OSError:
    pass
print(sent > 100, sent < 100000)
a.close(); b.close()
c, d = socket.socketpair()
print('still alive')"""], timeout=60)


# --- output ---
@case("Output.MillionLinesToASlowReader")
def _(t):
    guest = t.start([], ["seq", "1000000"])
    digest, count = hashlib.sha256(), 0
    while part := os.read(guest.stdout.fileno(), 65536):
        digest.update(part)
        count += part.count(b"\n")
        time.sleep(0.005)
    t.expect_eq(guest.wait(30), 0)
    t.expect_eq(count, 1000000)
    t.expect_eq(digest.hexdigest(), hashlib.sha256("".join(f"{n}\n" for n in range(1, 1000001)).encode()).hexdigest())


@case("Output.ReaderThatStopsDoesNotFillMemory")
def _(t):
    guest = t.start([], ["cat", "/dev/zero"])
    os.read(guest.stdout.fileno(), 4096)
    time.sleep(1.5)
    resident = 0
    for pid in [guest.pid] + processes.descendants(guest.pid):
        try:
            with open(f"/proc/{pid}/status", encoding="utf-8") as f:
                resident += sum(int(line.split()[1]) for line in f if line.startswith("VmRSS"))
        except OSError:
            pass
    t.expect(resident < 300 * 1024, f"{resident} KiB resident")
    guest.stdout.close()
    guest.stdout = None
    status = guest.wait(30)
    t.expect(status in (141, -13, 1), f"status {status}")


compare("Output.ManyWritersToOnePipe", "for w in $(seq 20); do seq 2000 & done | wc -l; wait", timeout=90)
compare("Output.SmallWrites", [PYTHON, "-uc", "import os\nfor n in range(20000): os.write(1, b'x')"], timeout=60)

harness.main()
