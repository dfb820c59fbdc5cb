#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Debian's Python with the modules that lean on the system; longer scripts lie in python/."""
import os
import sys

import harness
from harness import compare

PYTHON = "/usr/bin/python3"
NEEDS = [PYTHON]
SCRIPTS = os.path.join(os.path.dirname(os.path.realpath(sys.argv[0])), "python")


def script(name, file, *arguments, timeout=60):
    compare(name, [PYTHON, "-B", os.path.join(SCRIPTS, file), *arguments], needs=NEEDS,
            timeout=timeout)


def line(name, code, **more):
    compare(name, [PYTHON, "-c", code], needs=NEEDS, **more)


line("Python.Start", "print('hello')")
line("Python.Version", "import sys, platform; print(sys.version, platform.machine(), sys.platform)")
line("Python.Json", "import json; d = {'a': [1, 2.5, None, 'ü'], 'b': {str(i): i for i in "
     "range(1000)}}; s = json.dumps(d, sort_keys=True); print(len(s), json.loads(s) == d)")
line("Python.Ssl", "import ssl; c = ssl.create_default_context(); print(ssl.OPENSSL_VERSION, "
     "len(c.get_ciphers()) > 5, len(ssl.RAND_bytes(32)))")
line("Python.SqliteMemory", "import sqlite3; c = sqlite3.connect(':memory:'); c.execute("
     "'create table t(a)'); c.executemany('insert into t values(?)', ((i,) for i in range(9999)))"
     "; print(c.execute('select sum(a), count(*) from t').fetchall())")
line("Python.SqliteFile", """
import sqlite3
for mode in "delete", "wal":
    c = sqlite3.connect(f"{mode}.db")
    c.execute(f"pragma journal_mode={mode}")
    c.execute("create table t(a)")
    for i in range(20):
        with c:
            c.execute("insert into t values(?)", (i,))
    other = sqlite3.connect(f"{mode}.db")
    print(mode, other.execute("select sum(a) from t").fetchone())
    c.execute("begin immediate")
    try:
        other.execute("pragma busy_timeout=50")
        other.execute("begin immediate")
    except sqlite3.OperationalError as error:
        print(error)
""")
line("Python.Hashlib", "import hashlib, zlib, lzma, bz2; d = b'redoubt' * 100000; "
     "print(hashlib.sha256(d).hexdigest(), zlib.crc32(zlib.compress(d)), "
     "len(lzma.compress(d)), len(bz2.compress(d)))")
line("Python.Datetime", "import datetime, time, zoneinfo; print(datetime.datetime(2024, 1, 1, "
     "tzinfo=zoneinfo.ZoneInfo('Europe/Berlin')).isoformat()); a = time.monotonic(); "
     "time.sleep(.05); print(time.monotonic() - a >= .05, time.time() > 1.7e9, "
     "time.process_time() < 60)")
line("Python.Exceptions", "1/0", status=1, stderr=True)
line("Python.ExitAndSignals", "import os, signal; os.kill(os.getpid(), signal.SIGTERM)", status=143)
line("Python.KeyboardInterrupt", "import os, signal, time\ntry:\n  os.kill(os.getpid(), "
     "signal.SIGINT); time.sleep(5)\nexcept KeyboardInterrupt:\n  print('interrupted')")
line("Python.Recursion", "def f(n): return f(n + 1)\ntry: f(0)\nexcept RecursionError: print('deep')")
line("Python.Stdin", "import sys; print(sum(map(int, sys.stdin)))",
     stdin=b"\n".join(str(i).encode() for i in range(10000)))
line("Python.BigInput", "import sys, hashlib; print(hashlib.md5(sys.stdin.buffer.read()).hexdigest())",
     stdin=bytes(range(256)) * 16384)
line("Python.Platform", "import os, sys; print(os.getcwd() == os.path.realpath('.'), "
     "os.path.exists(sys.executable), os.environ['LANG'], os.isatty(0), os.get_terminal_size "
     "is not None, os.uname().sysname, len(os.sched_getaffinity(0)) > 0)")
line("Python.Ctypes", "import ctypes; c = ctypes.CDLL(None); print(c.abs(-5), c.getpid() > 0)")
line("Python.Curses", "import readline, curses, decimal, uuid, socket; print(len(str(uuid.uuid4())))")
line("Python.FaultHandler", "import faulthandler, ctypes; ctypes.string_at(8)", status=139)
script("Python.Threads", "threads_parts.py")
script("Python.Subprocess", "subprocess_parts.py")
script("Python.MultiprocessingFork", "processes_parts.py", "fork")
script("Python.MultiprocessingSpawn", "processes_parts.py", "spawn", timeout=90)
script("Python.Asyncio", "asyncio_parts.py")
script("Python.System", "system_parts.py")
compare("Python.Venv", f"{PYTHON} -m venv --without-pip v && v/bin/python -c "
        "'import sys; print(sys.prefix != sys.base_prefix)'", needs=NEEDS)
compare("Python.CompileAll", f"mkdir lib && cp -r /usr/lib/python3.*/json /usr/lib/python3.*/email lib "
        f"&& {PYTHON} -m compileall -q -j2 lib && find lib -name '*.pyc' | wc -l", needs=NEEDS)
compare("Python.Unittest", f"{PYTHON} -m timeit -n 10 -r 1 pass > /dev/null && printf 'import "
        "unittest\\nclass T(unittest.TestCase):\\n  def test_a(self): self.assertTrue(1)\\n' > "
        f"test_x.py && {PYTHON} -B -m unittest -q 2>&1 | grep -E '^(OK|FAIL)'", needs=NEEDS)

harness.main()
