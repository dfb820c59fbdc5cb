#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Servers and clients over loopback, natively and in the sandbox."""
import os
import sys

import harness
from harness import compare

PYTHON = "/usr/bin/python3"
SCRIPTS = os.path.join(os.path.dirname(os.path.realpath(sys.argv[0])), "python")


def part(name, function, *arguments, timeout=120):
    compare(name, [PYTHON, "-B", os.path.join(SCRIPTS, "inet_parts.py"), function, *arguments],
            needs=[PYTHON], timeout=timeout)


part("Sockets.HttpServerAndUrllib", "http_server")
part("Sockets.AsyncioEchoOfAThousand", "asyncio_echo", "1000")
part("Sockets.Socketserver", "socketserver_kinds")
part("Sockets.Names", "names")
part("Sockets.Bulk", "bulk", timeout=240)
part("Sockets.ManyIdle", "many_idle", "2000")

compare("Sockets.NodeHttp", """node -e '
const http = require("http");
const server = http.createServer((q, a) => a.end(q.url.repeat(1000)));
server.listen(0, "127.0.0.1", () => {
  let left = 20, total = 0;
  for (let i = 0; i < 20; i++) http.get({port: server.address().port, host: "127.0.0.1",
    path: "/" + i}, r => { r.on("data", d => total += d.length);
    r.on("end", () => { if (--left == 0) { console.log(total); server.close(); } }); });
});'""", needs=["node"])

compare("Sockets.CurlFromPython", """
python3 -u -m http.server 0 --bind 127.0.0.1 > log 2>&1 & server=$!
for i in $(seq 200); do grep -q port log && break; sleep .05; done
port=$(sed -n 's/.*port \\([0-9]*\\).*/\\1/p' log | head -1)
head -c 300000 /dev/zero | tr '\\0' z > file
curl -s --max-time 30 http://127.0.0.1:$port/file | sha256sum
curl -s --max-time 30 -o /dev/null -w '%{http_code}\\n' http://127.0.0.1:$port/missing
kill $server; rm -f file log""", needs=["curl", "python3"])

harness.main()
