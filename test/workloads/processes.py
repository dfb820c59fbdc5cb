# SPDX-License-Identifier: Apache-2.0
"""Running programs under a time limit, and noticing what they leave behind.

The test process makes itself a "child subreaper": whatever a sandbox orphans, however deep in its
tree, becomes our child, so that `leftovers()` finds it without guessing at names. Output goes to
files rather than pipes: a forgotten background process that holds a pipe open cannot hang us.
"""
import collections
import ctypes
import os
import signal
import subprocess
import tempfile
import time
import weakref

PR_SET_CHILD_SUBREAPER = 36
_popens = weakref.WeakSet()  # Children that have an object waiting for them.

# status: as a shell shows it (128+n for a signal). out, err: bytes.
Result = collections.namedtuple("Result", "status out err timed_out seconds")


def become_subreaper():
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def popen(argv, **more):
    """subprocess.Popen in a session of its own, known to reap_orphans()."""
    process = subprocess.Popen(argv, start_new_session=True, **more)
    _popens.add(process)
    return process


def shell_status(returncode):
    """Popen's -n for a signal, as a shell's 128+n."""
    return 128 - returncode if returncode < 0 else returncode


def run(argv, *, timeout, cwd, env, stdin=b"", stdout=None, user=None):
    """Runs argv to its end. stdin: bytes, or an open file; stdout: an open file, or None to
    capture. timeout(1) ends it (TERM, then KILL 5 s later), and the session's rest is killed."""
    started = time.monotonic()
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        source = stdin
        if isinstance(stdin, bytes):
            source = tempfile.TemporaryFile()
            source.write(stdin)
            source.seek(0)
        try:
            process = popen(["timeout", "-k", "5", str(timeout)] + argv, cwd=cwd, env=env,
                            stdin=source, stdout=stdout or out, stderr=err, user=user)
        finally:
            if source is not stdin:
                source.close()
        try:
            process.wait(timeout + 15)
        except subprocess.TimeoutExpired:
            pass
        seconds = time.monotonic() - started
        end_session(process)
        out.seek(0)
        err.seek(0)
        return Result(shell_status(process.returncode), out.read(), err.read(),
                      seconds >= timeout, seconds)


def end_session(process):
    """Kills a child that we started as a session leader, with the groups of its session."""
    if process.poll() is None:
        process.kill()
        process.wait()
    for pid in _pids():
        if stat_field(pid, 3) == process.pid:  # The session id.
            _kill(pid)


def leftovers(grace=2.0):
    """Children and orphans that are still there, as "pid command"; kills them. Zombies are reaped."""
    deadline = time.monotonic() + grace
    while True:
        reap_orphans()
        left = descendants(os.getpid())
        if not left or time.monotonic() > deadline:
            break
        time.sleep(0.02)
    described = [f"{pid} {command(pid)}" for pid in left]
    for pid in left:
        _kill(pid)
    reap_orphans()
    return described


def descendants(root):
    """All live (not zombie) processes below root, by /proc."""
    children = collections.defaultdict(list)
    for pid in _pids():
        children[stat_field(pid, 1)].append(pid)
    found, todo = [], [root]
    while todo:
        for pid in children.get(todo.pop(), []):
            todo.append(pid)
            if stat_field(pid, 0) not in ("Z", None):
                found.append(pid)
    return found


def mounts():
    """The mount points of our mount namespace."""
    with open("/proc/self/mountinfo") as f:
        return sorted(line.split(" ", 5)[4] for line in f)


def _pids():
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def stat_field(pid, index):
    """A field of /proc/PID/stat after the name: 0 state, 1 parent, 2 group, 3 session."""
    try:
        with open(f"/proc/{pid}/stat") as f:
            field = f.read().rpartition(")")[2].split()[index]
    except (OSError, IndexError):
        return None
    return int(field) if field.lstrip("-").isdigit() else field


def command(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as f:
            return f.read().replace(b"\0", b" ").decode(errors="replace")[:120]
    except OSError:
        return "(gone)"


def _kill(pid):
    try:
        os.kill(pid, signal.SIGKILL)
    except OSError:
        pass


def reap_orphans():
    """Takes zombies off the list, except those that a live Popen object will wait for itself."""
    ours = {p.pid for p in _popens if p.returncode is None}
    for pid in _pids():
        if stat_field(pid, 1) == os.getpid() and pid not in ours and stat_field(pid, 0) == "Z":
            try:
                os.waitpid(pid, os.WNOHANG)
            except ChildProcessError:
                pass
