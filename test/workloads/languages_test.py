#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Other runtimes, each when it is installed: node, Go, Java, Ruby, Lua, PHP."""
import atexit
import os
import shutil
import sys
import tempfile

import harness
from harness import compare

PROGRAMS = os.path.join(os.path.dirname(os.path.realpath(sys.argv[0])), "programs")

compare("Node.Hello", ["node", "-e", "console.log('hello', process.platform, 6 * 7)"],
        needs=["node"])
compare("Node.Tour", ["node", f"{PROGRAMS}/tour.js"], needs=["node"], status=6)
compare("Node.StdinAndExit", ["node", "-e", "let n = 0; process.stdin.on('data', (d) => n += d.length)"
        ".on('end', () => { console.log(n); process.exitCode = 3; })"], needs=["node"],
        stdin=b"x" * 200000, status=3)
compare("Node.Uncaught", ["node", "-e", "throw new Error('thrown')"], needs=["node"], status=1)

# One cache for all runs of this file: the sandbox reads what the native run before it built.
CACHE = tempfile.mkdtemp(prefix="redoubt-go-", dir="/tmp")
atexit.register(shutil.rmtree, CACHE, ignore_errors=True)
GO = {"GOFLAGS": "-mod=mod", "GOCACHE": f"{CACHE}/build", "GOPATH": f"{CACHE}/path",
      "GOTOOLCHAIN": "local", "GOPROXY": "off", "GOTELEMETRY": "off"}


def go_module(t):
    with open(os.path.join(PROGRAMS, "tour.go"), encoding="utf-8") as f:
        t.write("main.go", f.read())
    t.write("go.mod", "module tour\n\ngo 1.19\n")


def go_program(t):
    """Built outside: the case is about running it."""
    go_module(t)
    t.native(["go", "build", "-o", "tour", "."], env=GO, timeout=120)
    t.expect(os.path.exists(t.path("tour")), "go build works natively")


compare("Go.RunProgram", ["./tour"], needs=["go"], status=4, setup=go_program, env=GO)
compare("Go.BuildAndRun", "sed -i s/hello/changed/ main.go; go build -o tour . && ./tour", needs=["go"],
        status=4, setup=go_module, env=GO, timeout=240)
compare("Go.Version", ["go", "version"], needs=["go"], env=GO)

compare("Java.CompileAndRun", f"javac -d . {PROGRAMS}/Tour.java && java -Xmx128m -cp . Tour",
        needs=["javac", "java"], status=7, timeout=120)
compare("Ruby.Hello", ["ruby", "-e", "t = 4.times.map { |i| Thread.new { i * i } }; p t.map(&:value), "
                       "`echo hi`, $?.exitstatus"], needs=["ruby"])
compare("Lua.Hello", ["lua", "-e", "print(('x'):rep(3), io.popen('echo hi'):read())"], needs=["lua"])
compare("Php.Hello", ["php", "-r", "echo json_encode([1, PHP_OS, trim(shell_exec('echo hi'))]);"],
        needs=["php"])

harness.main()
