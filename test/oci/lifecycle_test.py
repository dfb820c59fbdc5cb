#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""The life cycle of containers, as runtime.md has it and as engines rely on it."""
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import oci  # pylint: disable=wrong-import-position
from oci import case  # pylint: disable=wrong-import-position


@case("create.state", "runtime.md: state")
def _(t):
    c = t.container(["sleep", "100"])
    c.config["annotations"] = {"org.example.key": "value"}
    c.create()
    state = c.state()
    t.expect_eq(state["status"], "created")
    t.expect_eq(state["id"], c.id)
    t.expect_eq(state["pid"], c.pid())
    t.expect_eq(state["bundle"], c.bundle)
    t.expect_eq(state["annotations"], {"org.example.key": "value"})
    t.expect(state["ociVersion"].startswith("1."), "ociVersion is missing")
    t.expect(os.path.exists(f"/proc/{c.pid()}"), "the pid is no process")


@case("create.not-started", "runtime.md: create")
def _(t):
    c = t.container(["touch", "/out/ran"])
    c.bind("/out", "rw")
    c.create()
    time.sleep(0.3)
    t.expect(not os.path.exists(c.bundle + "/out/ran"), "ran before start")
    c.start()
    t.until(lambda: os.path.exists(c.bundle + "/out/ran"), "file")


@case("create.same-id", "runtime.md: create")
def _(t):
    c = t.container(["sleep", "100"])
    c.create()
    again = c.create(check=False)
    t.expect(again.status != 0, "created twice")
    t.expect_in("already exists", t.last_error()["msg"])
    t.expect_eq(c.status(), "created", "the first container")


@case("create.bad-ids", "runtime.md: create")
def _(t):
    c = t.container(["true"])
    c.save()
    for name in ("", "a/b", "..", "a b", "é"):
        result = t.run("create", "--bundle", c.bundle, name)
        t.expect(result.status != 0, f"id {name!r} was taken")
    t.expect_eq(t.run("state", "a/b").status != 0, True)


@case("create.stdout-is-not-kept", "runtime.md: create")
def _(t):
    c = t.container(["sleep", "100"])
    c.save()
    # The container's own descriptors are elsewhere; a further one of the caller's is not to be kept.
    command = " ".join(t.argv("create", "--bundle", c.bundle, c.id))
    done = subprocess.run(["sh", "-c", f"x=$({command} 3>&1 </dev/null >/dev/null 2>&1); echo done"],
                          stdout=subprocess.PIPE, timeout=20, check=False)
    t.expect_eq(done.stdout, b"done\n")


@case("create.program-missing", "runtime.md: create")
def _(t):
    for args, text in ((["no-such-program"], "executable file not found in $PATH"),
                       (["/no/such/program"], "no such file or directory"),
                       (["/etc/passwd"], "permission denied")):
        c = t.container(args)
        result = c.create(check=False)
        t.expect(result.status != 0, f"{args} was created")
        record = t.last_error()
        t.expect_eq(record["level"], "error")
        t.expect_in(text, record["msg"])
        t.expect(t.run("state", c.id).status != 0, "a failed create left a container")


@case("create.bad-config", "config.md")
def _(t):
    def broken(change, text):
        c = t.container(["true"])
        change(c.config)
        result = c.create(check=False)
        t.expect(result.status != 0, f"{text}: was created")
        if t.ours:
            t.expect_in(text, t.last_error()["msg"])
    broken(lambda c: c.update(ociVersion="2.0.0"), "ociVersion")
    broken(lambda c: c["process"].update(cwd="relative"), "process.cwd")
    broken(lambda c: c["process"].update(args=[]), "process.args")
    broken(lambda c: c["root"].update(path="nowhere"), "rootfs")
    broken(lambda c: c["linux"]["namespaces"].append({"type": "pid"}), "given twice")
    broken(lambda c: c["linux"]["namespaces"].append({"type": "what"}), "unknown namespace")
    broken(lambda c: c["process"].update(user={"uid": "zero"}), "process.user.uid")
    broken(lambda c: c["process"].update(rlimits=[{"type": "RLIMIT_X", "soft": 1, "hard": 1}]), "rlimits[0]")


@case("create.unknown-keys", "config.md: extensibility")
def _(t):
    c = t.container(["true"])
    c.config["futureKey"] = {"a": 1}
    c.process["futureKey"] = "b"
    c.config["ociVersion"] = "1.3.0"
    t.expect_eq(c.run().status, 0)


@case("create.not-json", "config.md")
def _(t):
    c = t.container(["true"])
    for text in ("", "{", "[]", "null", "{\"a\": " + "[" * 5000):
        with open(c.bundle + "/config.json", "w") as config:
            config.write(text)
        result = t.run("create", "--bundle", c.bundle, c.id)
        t.expect(result.status not in (0, -signal.SIGSEGV, -signal.SIGABRT), f"{text[:10]}: {result}")


@case("start.runs", "runtime.md: start")
def _(t):
    c = t.container(["sh", "-c", "echo hello; echo error >&2; exit 7"]).up()
    t.expect_eq(c.reap(), 7)
    t.expect_eq(c.stdout(), "hello\n")
    t.expect_in("error\n", c.stderr())
    t.expect_eq(c.status(), "stopped")


@case("start.twice", "runtime.md: start")
def _(t):
    c = t.container(["sleep", "100"]).up()
    t.expect(t.run("start", c.id).status != 0, "started twice")
    t.expect_eq(c.status(), "running")


@case("start.stopped", "runtime.md: start")
def _(t):
    c = t.container(["true"]).up()
    c.wait_for("stopped")
    t.expect(t.run("start", c.id).status != 0, "started a stopped one")


@case("start.unknown", "runtime.md: start")
def _(t):
    for command in (["start", "x"], ["state", "x"], ["kill", "x", "9"], ["delete", "x"],
                    ["exec", "x", "true"], ["pause", "x"]):
        t.expect(t.run(*command).status != 0, f"{command} on nothing succeeded")
        t.expect_in("does not exist", t.last_error()["msg"])
    t.expect_eq(t.run("delete", "--force", "x").status, 0, "delete --force of nothing")


@case("end.by-signal", "runtime.md: lifecycle")
def _(t):
    c = t.container(["sh", "-c", "kill -TERM $$; sh -c 'kill -9 1'; echo lives; sleep 100"]).up()
    # Process 1 cannot be killed from inside, nor by what it has no handler for; from outside it can.
    t.until(lambda: c.stdout() == "lives\n", "word")
    t.run("kill", c.id, "TERM", check=True)
    time.sleep(0.2)
    t.expect_eq(c.status(), "running")
    t.run("kill", c.id, "KILL", check=True)
    t.expect_eq(c.reap(), -signal.SIGKILL)


@case("kill.names-and-numbers", "runtime.md: kill")
def _(t):
    for name in ("TERM", "SIGTERM", "15", "term"):
        c = t.container(["sh", "-c", "trap 'exit 5' TERM; echo ready; while :; do sleep 0.1; done"]).up()
        t.until(lambda c=c: c.stdout() == "ready\n", "ready")
        t.run("kill", c.id, name, check=True)
        t.expect_eq(c.reap(), 5, name)
    t.expect(t.run("kill", c.id, "NOSUCH").status != 0, "an unknown signal was taken")


@case("kill.default-is-term", "runtime.md: kill")
def _(t):
    c = t.container(["sh", "-c", "trap 'exit 5' TERM; echo ready; while :; do sleep 0.1; done"]).up()
    t.until(lambda: c.stdout() == "ready\n", "ready")
    t.run("kill", c.id, check=True)
    t.expect_eq(c.reap(), 5)


@case("kill.created", "runtime.md: kill")
def _(t):
    c = t.container(["sleep", "100"])
    c.create()
    t.run("kill", c.id, "KILL", check=True)
    c.wait_for("stopped")


@case("kill.stopped", "runtime.md: kill")
def _(t):
    c = t.container(["true"]).up()
    c.wait_for("stopped")
    t.expect(t.run("kill", c.id, "9").status != 0, "killed a stopped one")
    t.expect_in("container not running", t.last_error()["msg"])


@case("kill.all", "runtime.md: kill")
def _(t):
    c = t.container(["sh", "-c", "sleep 100 & sleep 101 & echo ready; wait"]).up()
    t.until(lambda: c.stdout() == "ready\n", "ready")
    t.run("kill", "--all", c.id, "9", check=True)
    c.wait_for("stopped")
    t.expect_eq(t.run("kill", "--all", c.id, "9").status, 0, "kill --all of a stopped one")


@case("delete.states", "runtime.md: delete")
def _(t):
    c = t.container(["sleep", "100"]).up()
    t.expect(t.run("delete", c.id).status != 0, "deleted a running one")
    t.expect_eq(c.status(), "running")
    t.run("kill", c.id, "9", check=True)
    c.wait_for("stopped")
    t.run("delete", c.id, check=True)
    t.expect(t.run("state", c.id).status != 0, "still there")
    t.expect_eq(t.run("delete", "--force", c.id).status, 0)
    # The id is free again.
    c.up()


@case("delete.created", "runtime.md: delete")
def _(t):
    c = t.container(["sleep", "100"])
    c.create()
    t.run("delete", "--force", c.id, check=True)
    t.expect(not os.path.exists(f"/proc/{c.pid()}/root/bin"), "the process lives")


@case("run.foreground", "runc: run")
def _(t):
    c = t.container(["sh", "-c", "read line; echo got $line; exit 3"])
    c.save()
    result = t.run("run", "--bundle", c.bundle, c.id, stdin="words\n")
    t.expect_eq((result.status, result.out), (3, "got words\n"))
    t.expect(t.run("state", c.id).status != 0, "run left the container")


@case("run.detached", "runc: run")
def _(t):
    c = t.container(["sleep", "100"])
    c.save()
    devnull = open(os.devnull, "r+")
    subprocess.run(t.argv("run", "-d", "--bundle", c.bundle, "--pid-file", c.pid_file, c.id),
                   stdin=devnull, stdout=devnull, stderr=devnull, timeout=20, check=True)
    t.expect_eq(c.status(), "running")
    t.expect_eq(c.state()["pid"], c.pid())


@case("run.keep", "runc: run")
def _(t):
    c = t.container(["true"])
    t.expect_eq(c.run("--keep").status, 0)
    t.expect_eq(c.status(), "stopped")


@case("list", "runc: list")
def _(t):
    t.expect_eq(t.run("list", "-f", "json", check=True).out.strip(), "null")
    a = t.container(["sleep", "100"], "first").up()
    t.container(["sleep", "100"], "second").create()
    t.expect_eq(t.run("list", "-q", check=True).out.split(), ["first", "second"])
    entries = json.loads(t.run("list", "--format", "json", check=True).out)
    t.expect_eq([(e["id"], e["status"]) for e in entries], [("first", "running"), ("second", "created")])
    t.expect_eq(entries[0]["pid"], a.pid())


@case("exec.foreground", "runc: exec")
def _(t):
    c = t.container(["sleep", "100"]).up()
    result = c.exec("sh", "-c", "read x; echo $x $PWD; echo err >&2; exit 9", stdin="in\n")
    t.expect_eq((result.status, result.out), (9, "in /\n"))
    t.expect_in("err", result.err)
    t.expect_eq(c.exec("sh", "-c", "kill -9 $$").status, 137)
    t.expect_eq(c.exec("no-such").status, 255)
    t.expect_in("executable file not found in $PATH", t.last_error()["msg"])


@case("exec.flags", "runc: exec")
def _(t):
    c = t.container(["sleep", "100"]).up()
    result = c.exec("sh", "-c", "id -u; id -g; pwd; echo $A", flags=["--user", "1000:1001", "--cwd", "/tmp", "-e", "A=b"])
    t.expect_eq(result.out.split(), ["1000", "1001", "/tmp", "b"])


@case("exec.process-file", "runc: exec")
def _(t):
    c = t.container(["sleep", "100"]).up()
    path = c.bundle + "/process.json"
    process = dict(c.process, args=["sh", "-c", "echo $V; umask; exit 4"], env=["PATH=/bin", "V=w"],
                   user={"uid": 0, "gid": 0, "umask": 0o27})
    with open(path, "w") as file:
        json.dump(process, file)
    result = t.run("exec", "--process", path, c.id)
    t.expect_eq((result.status, result.out.split()), (4, ["w", "0027"]))


@case("exec.detached", "runc: exec")
def _(t):
    c = t.container(["sleep", "100"])
    c.bind("/out", "rw")
    c.up()
    pid_file = c.bundle + "/exec.pid"
    devnull = open(os.devnull, "r+")
    argv = t.argv("exec", "--detach", "--pid-file", pid_file, c.id, "sh", "-c", "sleep 0.5; exit 6")
    subprocess.run(argv, stdin=devnull, stdout=devnull, stderr=devnull, timeout=20, check=True)
    pid = int(open(pid_file).read())
    t.expect_eq(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 6)


@case("exec.detached-killed", "engines: exec")
def _(t):
    c = t.container(["sleep", "100"]).up()
    pid_file = c.bundle + "/exec.pid"
    devnull = open(os.devnull, "r+")
    argv = t.argv("exec", "--detach", "--pid-file", pid_file, c.id, "sleep", "1234")
    subprocess.run(argv, stdin=devnull, stdout=devnull, stderr=devnull, timeout=20, check=True)
    pid = int(open(pid_file).read())
    t.expect_in("sleep 1234", c.exec("ps", check=True).out)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    t.until(lambda: "sleep 1234" not in c.exec("ps").out, "end of the process")


@case("exec.not-running", "runc: exec")
def _(t):
    c = t.container(["true"]).up()
    c.wait_for("stopped")
    t.expect(c.exec("true").status != 0, "exec in a stopped one")


@case("exec.ends-with-the-container", "runtime.md: lifecycle")
def _(t):
    c = t.container(["sleep", "100"]).up()
    worker = threading.Thread(target=lambda: setattr(t, "result", c.exec("sleep", "50")))
    worker.start()
    time.sleep(0.5)
    t.run("kill", c.id, "9", check=True)
    worker.join(20)
    t.expect_eq(t.result.status, 137)


@case("exec.twenty-at-once", "engines: concurrency")
def _(t):
    c = t.container(["sleep", "100"]).up()
    results = [None] * 20

    def one(i):
        results[i] = c.exec("sh", "-c", f"echo {i}; exit {i}")
    workers = [threading.Thread(target=one, args=(i,)) for i in range(20)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    t.expect_eq([(r.status, r.out) for r in results], [(i, f"{i}\n") for i in range(20)])


@case("ps", "runc: ps")
def _(t):
    c = t.container(["sleep", "100"]).up()
    pids = json.loads(t.run("ps", "--format", "json", c.id, check=True).out)
    t.expect(c.pid() in pids, f"{c.pid()} is not in {pids}")
    t.expect_in("sleep", t.run("ps", c.id, check=True).out)


@case("pause", "runc: pause")
def _(t):
    c = t.container(["sh", "-c", "while :; do echo x; sleep 0.05; done"]).up()
    t.until(lambda: "x" in c.stdout(), "output")
    t.run("pause", c.id, check=True)
    t.expect_eq(c.status(), "paused")
    before = c.stdout()
    time.sleep(0.4)
    t.expect_eq(c.stdout(), before, "output while paused")
    t.expect(c.exec("true").status != 0, "exec in a paused one")
    t.run("resume", c.id, check=True)
    t.expect_eq(c.status(), "running")
    t.until(lambda: c.stdout() != before, "more output")
    t.expect(t.run("resume", c.id).status != 0, "resumed twice")


@case("pause.then-delete", "runc: pause")
def _(t):
    c = t.container(["sleep", "100"]).up()
    t.run("pause", c.id, check=True)
    t.run("delete", "--force", c.id, check=True)


@case("pause.then-kill", "runc: pause")
def _(t):
    c = t.container(["sleep", "100"]).up()
    t.run("pause", c.id, check=True)
    t.run("kill", c.id, "9", check=True)
    c.wait_for("stopped")


@case("cgroup", "config-linux.md: cgroupsPath")
def _(t):
    c = t.container(["sleep", "100"]).up()
    for pid in json.loads(t.run("ps", "--format", "json", c.id, check=True).out):
        t.expect_in(c.config["linux"]["cgroupsPath"], open(f"/proc/{pid}/cgroup").read())
    stats = json.loads(t.run("events", "--stats", c.id, check=True).out)
    t.expect_eq((stats["type"], stats["id"]), ("stats", c.id))
    t.expect(stats["data"]["memory"]["usage"]["usage"] > 0, "no memory used")


@case("update", "runc: update")
def _(t):
    c = t.container(["sleep", "100"]).up()
    done = t.run("update", "--resources", "-", c.id, stdin=json.dumps({"memory": {"limit": 256 << 20}}))
    t.expect_eq(done.status, 0, done.err)
    t.expect_eq(t.run("update", "--pids-limit", "200", c.id).status, 0)
    stats = json.loads(t.run("events", "--stats", c.id, check=True).out)
    t.expect_eq(stats["data"]["memory"]["usage"]["limit"], 256 << 20)


def receive_master(path):
    """Listens at `path`; gives a function that waits for a terminal's master."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(1)
    listener.settimeout(20)

    def receive():
        connection, _ = listener.accept()
        _, fds, _, _ = socket.recv_fds(connection, 4096, 1)
        return fds[0]
    return receive


def read_until(fd, text):
    """Everything up to `text`."""
    seen = b""
    deadline = time.monotonic() + 20
    while text not in seen and time.monotonic() < deadline:
        try:
            seen += os.read(fd, 4096)
        except OSError:
            break
    if text not in seen:
        raise oci.Failure(f"no {text!r} in {seen!r}")
    return seen


@case("terminal.create", "config.md: terminal")
def _(t):
    c = t.container(["sh", "-c", "tty; stty size; read line; echo got:$line; exec sh"])
    c.process["terminal"] = True
    c.process["consoleSize"] = {"height": 33, "width": 77}
    receive = receive_master(c.bundle + "/tty")
    c.create("--console-socket", c.bundle + "/tty")
    master = receive()
    c.start()
    seen = read_until(master, b"33 77")
    t.expect_in(b"/dev/", seen)
    os.write(master, b"typed\n")
    read_until(master, b"got:typed")
    # A new size is told to who has the terminal.
    import fcntl  # pylint: disable=import-outside-toplevel
    import struct  # pylint: disable=import-outside-toplevel
    import termios  # pylint: disable=import-outside-toplevel
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", 44, 99, 0, 0))
    time.sleep(0.3)
    os.write(master, b"stty size\n")
    read_until(master, b"44 99")
    os.write(master, b"sleep 100\n")
    time.sleep(0.3)
    os.write(master, b"\x03echo after\n")
    read_until(master, b"after\r\n")
    os.write(master, b"exit 8\n")
    t.expect_eq(c.reap(), 8)
    os.close(master)


@case("terminal.exec", "runc: exec")
def _(t):
    c = t.container(["sleep", "100"]).up()
    receive = receive_master(c.bundle + "/tty")
    pid_file = c.bundle + "/exec.pid"
    devnull = open(os.devnull, "r+")
    subprocess.run(t.argv("exec", "--tty", "--detach", "--pid-file", pid_file, "--console-socket",
                          c.bundle + "/tty", c.id, "sh"),
                   stdin=devnull, stdout=devnull, stderr=devnull, timeout=20, check=True)
    master = receive()
    os.write(master, b"tty; exit 3\n")
    read_until(master, b"/dev/pts/")
    pid = int(open(pid_file).read())
    t.expect_eq(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 3)


@case("terminal.refusals", "runc: create")
def _(t):
    c = t.container(["sh"])
    c.process["terminal"] = True
    t.expect(c.create(check=False).status != 0, "a terminal without a socket")
    c.process["terminal"] = False
    t.expect(c.create("--console-socket", "/nowhere", check=False).status != 0, "a socket without a terminal")


@case("preserve-fds", "runc: create")
def _(t):
    c = t.container(["sh", "-c", "echo through >&3"])
    c.save()
    r, w = os.pipe()
    os.dup2(w, 33)
    command = " ".join(t.argv("run", "--preserve-fds", "1", "--bundle", c.bundle, c.id))
    subprocess.run(["bash", "-c", f"{command} 3>&33"], pass_fds=[33], timeout=20, check=True)
    os.close(w)
    os.close(33)
    t.expect_eq(os.read(r, 100), b"through\n")


def hook(c, name, exit_code=0):
    """A hook that writes the state it got to out/NAME."""
    script = f"{c.bundle}/{name}.sh"
    with open(script, "w") as file:
        file.write(f"#!/bin/sh\ncat > {c.bundle}/out/{name}\nexit {exit_code}\n")
    os.chmod(script, 0o755)
    return {"path": script}


@case("hooks.all", "config.md: hooks")
def _(t):
    c = t.container(["sleep", "100"])
    names = ("prestart", "createRuntime", "createContainer", "poststart", "poststop")
    c.config["hooks"] = {name: [hook(c, name)] for name in names}
    c.create()
    for name in ("prestart", "createRuntime", "createContainer"):
        state = json.loads(c.out(name))
        t.expect_eq(state["id"], c.id, name)
        t.expect_eq(state["bundle"], c.bundle, name)
        t.expect_eq(state["pid"], c.pid(), name)
    t.expect(not os.path.exists(c.bundle + "/out/poststart"), "poststart before start")
    c.start()
    t.expect_eq(json.loads(c.out("poststart"))["status"], "running")
    t.run("delete", "--force", c.id, check=True)
    t.expect_eq(json.loads(c.out("poststop"))["status"], "stopped")


@case("hooks.failing", "config.md: hooks")
def _(t):
    for name in ("prestart", "createRuntime", "createContainer"):
        c = t.container(["sleep", "100"])
        c.config["hooks"] = {name: [hook(c, name, 1)]}
        t.expect(c.create(check=False).status != 0, f"created in spite of {name}")
        t.expect(t.run("state", c.id).status != 0, f"{name} left a container")
    c = t.container(["sleep", "100"])
    c.config["hooks"] = {"poststart": [hook(c, "poststart", 1)], "poststop": [hook(c, "poststop", 1)]}
    c.create()
    if t.ours:
        c.start()
        t.run("delete", "--force", c.id, check=True)


@case("hooks.timeout", "config.md: hooks")
def _(t):
    c = t.container(["sleep", "100"])
    c.config["hooks"] = {"prestart": [{"path": "/bin/sleep", "args": ["sleep", "20"], "timeout": 1}]}
    begin = time.monotonic()
    t.expect(c.create(check=False).status != 0, "a hook that hangs was no error")
    t.expect(time.monotonic() - begin < 10, "the time-out did not act")


@case("hooks.state-command", "engines: hooks")
def _(t):
    """A hook may look at the container it is called for."""
    c = t.container(["sleep", "100"])
    argv = t.argv("state", c.id)
    c.config["hooks"] = {"createRuntime": [{"path": argv[0], "args": argv, "timeout": 10}]}
    c.create()


@case("fault.monitor-killed", "lifecycle under fault")
def _(t):
    c = t.container(["sleep", "100"]).up()
    pids = json.loads(t.run("ps", "--format", "json", c.id, check=True).out)
    os.kill(c.pid(), signal.SIGKILL)
    t.expect_eq(c.reap(), -signal.SIGKILL)
    t.expect_eq(c.status(), "stopped")
    t.run("delete", "--force", c.id, check=True)
    oci.reap_all()
    t.until(lambda: not any(alive(pid) for pid in pids), "end of all processes")


def alive(pid):
    """Whether it runs; a zombie does not."""
    try:
        return open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False


@case("fault.each-process-killed", "lifecycle under fault")
def _(t):
    first = t.container(["sleep", "100"]).up()
    count = len(json.loads(t.run("ps", "--format", "json", first.id, check=True).out))
    for index in range(count):
        c = t.container(["sleep", "100"]).up()
        pids = sorted(json.loads(t.run("ps", "--format", "json", c.id, check=True).out))
        os.kill(pids[min(index, len(pids) - 1)], signal.SIGKILL)
        # Some may be spare; then it goes on.
        time.sleep(0.5)
        if c.status() == "running":
            t.run("kill", c.id, "9", check=True)
        t.expect(c.reap() != 0, f"status 0 after process {index} was killed")
        t.run("delete", "--force", c.id, check=True)
        oci.reap_all()
        t.until(lambda pids=pids: not any(alive(pid) for pid in pids), f"end after killing {index}")


@case("fault.create-killed", "lifecycle under fault")
def _(t):
    for milliseconds in (0, 2, 5, 10, 20, 30, 45, 60, 90):
        c = t.container(["sleep", "100"])
        c.save()
        devnull = open(os.devnull, "r+")
        creating = subprocess.Popen(t.argv("create", "--bundle", c.bundle, c.id), stdin=devnull,
                                    stdout=devnull, stderr=devnull)
        time.sleep(milliseconds / 1000)
        creating.kill()
        creating.wait()
        t.run("delete", "--force", c.id, check=True)
        t.expect(t.run("state", c.id).status != 0, "still there")


@case("concurrent.commands", "lifecycle under fault")
def _(t):
    c = t.container(["sleep", "100"])
    c.create()
    results = []

    def hammer(i):
        commands = (["start", c.id], ["state", c.id], ["kill", c.id, "0"], ["list", "-q"])
        results.append(t.run(*commands[i % 4]).status)
    workers = [threading.Thread(target=hammer, args=(i,)) for i in range(20)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    t.expect_eq(c.status(), "running")
    t.run("delete", "--force", c.id, check=True)


@case("wait", "runsc: wait")
def _(t):
    if not t.ours:
        return
    c = t.container(["sh", "-c", "sleep 0.5; exit 11"]).up()
    t.expect_eq(json.loads(t.run("wait", c.id, check=True).out), {"id": c.id, "exitStatus": 11})
    t.expect_eq(json.loads(t.run("wait", c.id, check=True).out), {"id": c.id, "exitStatus": 11})


@case("features", "features.md")
def _(t):
    features = json.loads(t.run("features", check=True).out)
    t.expect_in("ociVersionMin", features)
    t.expect_in("ociVersionMax", features)
    t.expect_in("rbind", features["mountOptions"])


@case("version", "runc: --version")
def _(t):
    for flag in ("--version", "-v"):
        out = subprocess.run(t.argv()[:1] + [flag], capture_output=True, text=True, check=True).stdout
        t.expect_in(" version ", out.splitlines()[0])
        t.expect_in("spec: 1.", out)


oci.main()
