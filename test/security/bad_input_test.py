#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Scripts without interpreters, endless links, endless arguments: the errno that Linux gives."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "../workloads"))
import harness  # pylint: disable=wrong-import-position
from harness import compare  # pylint: disable=wrong-import-position

PYTHON = "/usr/bin/python3"


def python(name, code, **more):
    prelude = ("import errno, os, sys\ndef attempt(f, *a):\n  try: print(f(*a))\n"
               "  except OSError as e: print(errno.errorcode[e.errno])\n")
    compare(name, [PYTHON, "-c", prelude + code], **more)


def script(text):
    return lambda t: t.write("script", text, 0o755)


BASH_RUNS_IT = "./script; echo $?"
compare("Script.Runs", BASH_RUNS_IT, setup=script("#!/bin/sh\necho ran $0\n"))
compare("Script.MissingInterpreter", BASH_RUNS_IT, setup=script("#!/nosuch/interpreter -x\n"), stderr=True)
compare("Script.InterpreterIsADirectory", BASH_RUNS_IT, setup=script("#!/etc\n"), stderr=True)
compare("Script.InterpreterIsNotExecutable", BASH_RUNS_IT, setup=script("#!/etc/passwd\n"), stderr=True)
compare("Script.EmptyInterpreter", BASH_RUNS_IT, setup=script("#!\necho by the shell\n"), stderr=True)
compare("Script.OneArgumentOnly", BASH_RUNS_IT, setup=script("#!/bin/echo a b  c \n"))
compare("Script.NoNewline", BASH_RUNS_IT, setup=script("#!/bin/echo"))
compare("Script.LongLine", BASH_RUNS_IT, setup=script("#!/bin/echo " + "x" * 400 + "\n"))
compare("Script.LongInterpreterPath", BASH_RUNS_IT, setup=script("#!/" + "x" * 400 + "\n"), stderr=True)
compare("Script.WithNulBytes", BASH_RUNS_IT, setup=script("#!/bin/echo\0\0x\n"))


def chain(t, depth):
    t.write("s0", "#!/bin/echo end\n", 0o755)
    for n in range(1, depth):
        t.write(f"s{n}", f"#!{t.path(f's{n - 1}')}\n", 0o755)


compare("Script.ChainOfInterpreters", "for n in 0 1 2 3 4 5 6 7; do ./s$n > /dev/null 2>&1; echo $?; done",
        setup=lambda t: chain(t, 8))
compare("Script.LoopOfInterpreters", BASH_RUNS_IT, stderr=True,
        setup=lambda t: t.write("script", f"#!{t.path('script')}\n", 0o755))

python("Arguments.TwoMebibytes", "a = ['/bin/true'] + ['x' * 1000] * 2200\nattempt(os.execv, a[0], a)")
python("Arguments.OneTooLong", "attempt(os.execv, '/bin/true', ['true', 'x' * (1 << 17)])")
python("Arguments.OneJustFits", "sys.stdout.flush(); os.execv('/bin/sh', "
       "['sh', '-c', 'echo ${#1}', 'sh', 'x' * ((1 << 17) - 1)])")
python("Arguments.OneMebibyteFits", "os.execv('/bin/sh', ['sh', '-c', 'echo $#'] + ['y' * 100] * 8000)")
python("Arguments.LargeEnvironment", "attempt(os.execve, '/bin/true', ['true'], "
       "{f'V{n}': 'x' * 1000 for n in range(2200)})")
python("Arguments.ManySmall", "attempt(os.execv, '/bin/true', ['x'] * 1000000)")
python("Arguments.EmptyName", "import subprocess; print(subprocess.run(['', '-c', 'echo [$0]'], "
       "executable='/bin/sh', capture_output=True).stdout)")
python("Arguments.NoneAtAll", "import ctypes\nc = ctypes.CDLL(None, use_errno=True)\nif os.fork() == 0:\n"
       "  c.execve(b'/bin/cat', (ctypes.c_char_p * 1)(None), (ctypes.c_char_p * 1)(None))\n  os._exit(9)\n"
       "print(os.waitstatus_to_exitcode(os.wait()[1]))")
python("Arguments.BadPointers", "import ctypes\nc = ctypes.CDLL(None, use_errno=True)\nfor a in "
       "((0, 0, 0), (1, 0, 0), (b'/bin/true', 1, 0), (b'/bin/true', 0xffff800000000000, 0)):\n"
       "  r = c.syscall(59, *[ctypes.c_void_p(x) if isinstance(x, int) else x for x in a])\n"
       "  print(r, errno.errorcode[ctypes.get_errno()])")

python("Paths.EmptyAndLong", "for p in '', 'x' * 255, 'x' * 256, 'a/' * 2047 + 'b', 'a/' * 2048, '/' * 4095:\n"
       "  attempt(lambda q: bool(os.stat(q)), p); attempt(os.open, p, os.O_RDONLY | os.O_CREAT | os.O_EXCL)")
python("Paths.DeepDirectories", "n = 0\nwhile n < 600:\n  os.mkdir('d' * 20); os.chdir('d' * 20); n += 1\n"
       "attempt(os.getcwd)\nattempt(os.stat, '/' + 'd' * 5000)\nfor _ in range(600): os.chdir('..')\n"
       "print(os.listdir('.'))\nattempt(lambda: len(os.listdir('/'.join(['d' * 20] * 100))))\n"
       "for _ in range(599): os.chdir('d' * 20)\nfor _ in range(599): os.rmdir('d' * 20); os.chdir('..')\n"
       "os.rmdir('d' * 20); print(os.listdir('.'))")
python("Paths.SymlinkLoops", "os.symlink('a', 'b'); os.symlink('b', 'a'); os.symlink('self', 'self')\n"
       "os.symlink('x/y', 'x')\nfor p in 'a', 'b', 'self', 'x', 'a/c', 'x/z':\n  attempt(os.stat, p); "
       "attempt(os.open, p, os.O_RDONLY); attempt(os.open, p, os.O_CREAT | os.O_WRONLY); attempt(os.chdir, p)\n"
       "attempt(os.execv, './a', ['a'])")
python("Paths.SymlinkChains", "open('l0', 'w').close()\nfor n in range(1, 60): os.symlink(f'l{n - 1}', f'l{n}')\n"
       "for n in 1, 39, 40, 41, 59: attempt(lambda: bool(os.stat(f'l{n}')))")
python("Paths.ComponentsThatAreNot", "open('f', 'w').close()\nfor p in 'f/', 'f/.', 'f/..', 'f/x', 'none/..', "
       "'./none/', '//etc//', '/..', '/../../etc/passwd', '.', './/.//.':\n"
       "  attempt(lambda q: bool(os.stat(q)), p)")
python("Paths.OddNames", r"for n in 'new\nline', ' ', '\x01', '\udcff\udcfe', '-rf', '*', '\\', 'ünï':"
       "\n  open(n, 'w').close()\nprint(sorted(map(os.fsencode, os.listdir('.'))))")
python("Paths.RemovedDirectory", "os.mkdir('d'); os.chdir('d'); os.rmdir('../d'); attempt(os.getcwd); "
       "attempt(os.listdir, '.'); attempt(os.mkdir, 'x'); attempt(os.open, 'f', os.O_CREAT); "
       "attempt(lambda: bool(os.stat('.'))); attempt(os.chdir, '..'); print(os.path.exists('d'))")

harness.main()
