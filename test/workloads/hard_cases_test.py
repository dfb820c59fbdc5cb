#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""What shakes a platform: crowds, odd ways to start and end, signals everywhere, JITs, own %gs."""
import atexit
import os
import shutil
import sys
import tempfile

import harness
from harness import compare

PROGRAMS = os.path.join(os.path.dirname(os.path.realpath(sys.argv[0])), "programs")
GO_CACHE = tempfile.mkdtemp(prefix="redoubt-go-", dir="/tmp")
atexit.register(shutil.rmtree, GO_CACHE, ignore_errors=True)


def program(name, source, *arguments, **more):
    """A comparison of a C program, which is built on the host."""
    compare(name, [f"./{source}", *arguments], timeout=120,
            setup=lambda t: t.compile(f"programs/{source}.c", "-pthread", "-mfsgsbase", name=source), **more)


program("Crowd.ThousandThreads", "many", "threads", "1000")
program("Crowd.FiveHundredProcesses", "many", "processes", "500")
program("Crowd.ProcessesDieAtAnyMoment", "many", "deaths", "60")
program("Start.ExecFromAnotherThread", "many", "exec")
program("Start.SharedMemoryAndVfork", "many", "clone-vm")

program("Signals.TimerStorm", "storm", "storm")
program("Signals.JumpsOutOfHandlers", "storm", "jumps")
program("Signals.RealTimeQueueOrder", "storm", "queue")
program("Signals.VectorRegistersAreKept", "storm", "vectors")
program("Signals.ThreadsSignalEachOther", "storm", "threads")

program("OwnGs.BeforeAnyCall", "gs")
program("OwnGs.AfterManyCalls", "gs", "warm")


def go_program(t):
    t.write("go.mod", "module preempt\n\ngo 1.22\n")
    with open(f"{PROGRAMS}/preempt.go", encoding="utf-8") as f:
        t.write("main.go", f.read())
    t.native(["go", "build", "-o", "preempt", "."], timeout=180,
             env={"GOTOOLCHAIN": "local", "GOPROXY": "off", "GOCACHE": GO_CACHE, "CGO_ENABLED": "0"})
    t.expect(os.path.exists(t.path("preempt")), "go build works natively")


compare("Go.PreemptionBySignals", ["./preempt"], needs=["go"], setup=go_program, timeout=60)
compare("LuaJit.CallsFromTraces", ["luajit", f"{PROGRAMS}/jit.lua"], needs=["luajit"], timeout=60)
compare("Node.CodeThatChanges", ["node", f"{PROGRAMS}/jit.js"], needs=["node"], timeout=120)


def one_cpu(name, command, setup=None, **more):
    """The whole sandbox on one CPU, where nothing may spin for another."""
    def bind(t):
        every = os.sched_getaffinity(0)
        os.sched_setaffinity(0, {min(every)})
        t.cleanup(lambda: os.sched_setaffinity(0, every))
        if setup:
            setup(t)
    compare(name, command, setup=bind, timeout=180, **more)


one_cpu("OneCpu.Shell", "for i in $(seq 50); do echo $i | cat; done | sort -n | tail -1; "
        "seq 20000 | sort -r | head -1; ls /usr/bin | wc -l")
one_cpu("OneCpu.Python", ["/usr/bin/python3", "-c", """
import os, threading, subprocess, queue
q = queue.Queue(3)
t = threading.Thread(target=lambda: [q.put(i) for i in range(2000)])
t.start()
print(sum(q.get() for _ in range(2000)), [subprocess.call(['true']) for _ in range(10)])
t.join()
a, b = os.pipe()
if os.fork() == 0:
    for _ in range(2000): os.write(b, b'x' * 64)
    os._exit(0)
os.close(b)
print(sum(len(x) for x in iter(lambda: os.read(a, 100), b'')))"""])
one_cpu("OneCpu.Node", ["node", f"{PROGRAMS}/jit.js"], needs=["node"])
one_cpu("OneCpu.TimerStorm", ["./storm", "storm"],
        setup=lambda t: t.compile("programs/storm.c", "-pthread", name="storm"))
one_cpu("OneCpu.Threads", ["./many", "threads", "300"],
        setup=lambda t: t.compile("programs/many.c", "-pthread", name="many"))

harness.main()
