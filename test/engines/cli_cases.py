# SPDX-License-Identifier: Apache-2.0
"""The life of containers under podman and Docker."""
import json
import os
import threading

from cases import case
from engines import run
from world import IMAGE

BOTH = ("podman", "docker")
SLEEP = ["sleep", "1000"]
# It ends at TERM, as process 1 must say for itself.
POLITE = ["sh", "-c", "trap 'exit 0' TERM; echo ready; while :; do sleep 0.1; done"]


def up(t, *flags, command=None):
    """A container in the background; its name."""
    name = t.name()
    t.good("run", "-d", "--name", name, *flags, IMAGE, *(command or SLEEP))
    return name


def inspect(t, name, form):
    """One value of `inspect`."""
    return t.good("inspect", "--format", "{{" + form + "}}", name)


@case("run: output and status", *BOTH)
def _(t):
    done = t.cli("run", "--rm", IMAGE, "sh", "-c", "echo out; echo err >&2; exit 7")
    t.eq((done.status, done.out), (7, "out\n"))
    t.has("err", done.err)


@case("run: death by a signal", *BOTH)
def _(t):
    t.eq(t.cli("run", "--rm", IMAGE, "sh", "-c", "sh -c 'kill -9 $$'; exit $?").status, 137)


@case("run: command not found is 127, not executable 126", *BOTH)
def _(t):
    t.eq(t.cli("run", "--rm", IMAGE, "no-such-command").status, 127)
    t.eq(t.cli("run", "--rm", IMAGE, "/etc/passwd").status, 126)


@case("run -i: standard input", *BOTH)
def _(t):
    t.eq(t.cli("run", "--rm", "-i", IMAGE, "tr", "a-z", "A-Z", stdin="words\n").out, "WORDS\n")


@case("run -it: terminal", *BOTH)
def _(t):
    done = t.engine.terminal("run", "--rm", "-it", IMAGE, "sh", typed=(
        (b"# ", b"tty; stty size >/tmp/s && echo si''ze\n"), (b"size", b"sleep 100\n"),
        (b"sleep 100\r\n", b"\x03"), (b"# ", b"exit 5\n")))
    t.has("/dev/", done.out)
    t.eq(done.status, 5)


@case("run -d, logs, logs -f", *BOTH)
def _(t):
    name = up(t, command=["sh", "-c", "echo one; echo two >&2; sleep 0.5; echo three"])
    done = t.cli("logs", "-f", name)
    t.eq(done.out, "one\nthree\n")
    t.has("two", done.err)


@case("create, start -a, inspect", *BOTH)
def _(t):
    name = t.name()
    t.good("create", "--name", name, IMAGE, "sh", "-c", "echo started; exit 3")
    t.eq(inspect(t, name, ".State.Status"), "created")
    done = t.cli("start", "-a", name)
    t.eq((done.status, done.out), (3, "started\n"))
    t.eq(inspect(t, name, ".State.ExitCode"), "3")
    t.eq(inspect(t, name, ".State.Status"), "exited")


@case("exec: output, status, input", *BOTH)
def _(t):
    name = up(t)
    done = t.cli("exec", name, "sh", "-c", "echo out; echo err >&2; exit 9")
    t.eq((done.status, done.out), (9, "out\n"))
    t.has("err", done.err)
    t.eq(t.cli("exec", "-i", name, "cat", stdin="through\n").out, "through\n")
    t.that(t.cli("exec", name, "no-such-command").status in (126, 127), "not found")


@case("exec: user, working directory, variables", *BOTH)
def _(t):
    name = up(t)
    done = t.cli("exec", "--user", "1000:1000", "-w", "/tmp", "-e", "A=b", name,
                 "sh", "-c", "id -u; id -g; pwd; echo $A")
    t.eq(done.out.split(), ["1000", "1000", "/tmp", "b"])


@case("exec -it: terminal", *BOTH)
def _(t):
    name = up(t)
    done = t.engine.terminal("exec", "-it", name, "sh",
                             typed=((b"# ", b"tty\n"), (b"/dev/pts", b"exit 4\n")))
    t.eq(done.status, 4)


@case("exec -d", *BOTH)
def _(t):
    name = up(t)
    t.good("exec", "-d", name, "sh", "-c", "echo done > /tmp/mark")
    t.until(lambda: t.cli("exec", name, "cat", "/tmp/mark").out == "done\n", "mark")


@case("start -ai", *BOTH)
def _(t):
    name = t.name()
    t.good("create", "-i", "--name", name, IMAGE, "sh", "-c", "read line; echo got $line; exit 2")
    done = t.cli("start", "-a", "-i", name, stdin="text\n")
    t.eq((done.status, done.out), (2, "got text\n"))


@case("cp into and out of a container", *BOTH)
def _(t):
    name = up(t)
    source = os.path.join(t.engine.directory, "copied")
    with open(source, "w", encoding="ascii") as file:
        file.write("contents\n")
    t.good("cp", source, name + ":/tmp/in")
    t.eq(t.cli("exec", name, "cat", "/tmp/in").out, "contents\n")
    t.good("exec", name, "sh", "-c", "echo from inside > /root/file")
    t.good("cp", name + ":/root/file", source)
    with open(source, encoding="ascii") as file:
        t.eq(file.read(), "from inside\n")


@case("top", *BOTH)
def _(t):
    t.has("sleep", t.good("top", up(t)))


@case("stats", *BOTH)
def _(t):
    name = up(t, "--memory", "200m")
    form = "{{.Name}} {{.MemUsage}} {{.PIDs}}"
    words = t.good("stats", "--no-stream", "--format", form, name).split()
    t.eq(words[0], name)
    t.that(not words[1].startswith("0B"), f"no memory used: {words}")


@case("pause and unpause", *BOTH)
def _(t):
    name = up(t)
    t.good("pause", name)
    t.eq(inspect(t, name, ".State.Status"), "paused")
    t.good("unpause", name)
    t.eq(t.good("exec", name, "echo", "alive"), "alive")


@case("kill with a signal", *BOTH)
def _(t):
    name = up(t, command=["sh", "-c", "trap 'exit 6' USR1; echo ready; while :; do sleep 0.1; done"])
    t.until(lambda: "ready" in t.cli("logs", name).out, "trap")
    t.good("kill", "-s", "USR1", name)
    t.eq(t.good("wait", name), "6")
    t.that(t.cli("kill", name).status != 0, "killed a stopped one")


@case("stop: TERM", *BOTH)
def _(t):
    name = up(t, command=POLITE)
    t.until(lambda: "ready" in t.cli("logs", name).out, "trap")
    t.good("stop", "-t", "10", name)
    t.eq(inspect(t, name, ".State.ExitCode"), "0")


@case("stop: KILL after the deadline", *BOTH)
def _(t):
    name = up(t)
    t.good("stop", "-t", "1", name)
    t.eq(inspect(t, name, ".State.ExitCode"), "137")


@case("restart", *BOTH)
def _(t):
    name = up(t, command=["sh", "-c", "echo run >> /root/log; sleep 1000"])
    t.good("restart", "-t", "0", name)
    t.until(lambda: t.good("exec", name, "cat", "/root/log") == "run\nrun", "second run")


@case("restart policy", *BOTH)
def _(t):
    name = up(t, "--restart", "on-failure:2",
              command=["sh", "-c", "echo x >> /root/log; exit 1"])
    count = ".RestartCount"
    t.until(lambda: inspect(t, name, count) == "2", "second restart", 20)


@case("wait", *BOTH)
def _(t):
    t.eq(t.good("wait", up(t, command=["sh", "-c", "sleep 0.5; exit 12"])), "12")


@case("rm -f", *BOTH)
def _(t):
    name = up(t)
    t.that(t.cli("rm", name).status != 0, "removed a running one")
    t.good("rm", "-f", *t.engine.no_grace, name)
    t.that(t.cli("inspect", name).status != 0, "still there")


@case("volumes: bind, read-only, named", *BOTH)
def _(t):
    where = os.path.join(t.engine.directory, "volume")
    os.makedirs(where, exist_ok=True)
    t.good("run", "--rm", "-v", where + ":/v", IMAGE, "sh", "-c", "echo kept > /v/file")
    with open(where + "/file", encoding="ascii") as file:
        t.eq(file.read(), "kept\n")
    t.that(t.cli("run", "--rm", "-v", where + ":/v:ro", IMAGE, "touch", "/v/other").status != 0,
           "wrote to a read-only volume")
    name = t.name()
    t.good("run", "--rm", "-v", name + ":/data", IMAGE, "sh", "-c", "echo 1 > /data/x")
    t.eq(t.good("run", "--rm", "-v", name + ":/data", IMAGE, "cat", "/data/x"), "1")
    t.good("volume", "rm", name)


@case("--user", *BOTH)
def _(t):
    t.has("uid=1000(user) gid=1000(user)", t.good("run", "--rm", "--user", "1000:1000", IMAGE, "id"))


@case("--read-only, --tmpfs", *BOTH)
def _(t):
    script = "touch /root/x 2>/dev/null && echo wrote; touch /t/x && echo tmpfs; df -k /t | tail -1"
    out = t.good("run", "--rm", "--read-only", "--tmpfs", "/t:size=1m", IMAGE, "sh", "-c", script)
    t.eq(out.split("\n")[0], "tmpfs")
    t.has("1024", out)


@case("--env, --workdir, --hostname, --entrypoint", *BOTH)
def _(t):
    out = t.good("run", "--rm", "--env", "A=1", "--workdir", "/tmp", "--hostname", "there",
                 "--entrypoint", "sh", IMAGE, "-c", "echo $A; pwd; hostname; uname -n")
    t.eq(out.split(), ["1", "/tmp", "there", "there"])


@case("--memory: what the guest sees, and update", *BOTH)
def _(t):
    name = up(t, "--memory", "128m")
    t.has("131072 kB", t.good("exec", name, "grep", "MemTotal", "/proc/meminfo")
          if os.path.basename(t.engine.runtime) == "runsc" else "131072 kB")
    if t.engine.name == "docker":
        t.good("update", "--memory", "256m", "--memory-swap", "512m", name)
    limit = t.good("stats", "--no-stream", "--format", "{{.MemUsage}}", name).split("/")[1]
    t.that(limit.strip() in (("256MiB",) if t.engine.name == "docker" else ("134.2MB",)), limit)


@case("--memory: the child is killed, the shell lives", *BOTH)
def _(t):
    name = t.name()
    script = "sh -c 'dd if=/dev/zero of=/dev/null bs=1000M count=1' 2>/dev/null; echo status $?"
    done = t.cli("run", "--name", name, "--memory", "128m", "--memory-swap", "128m", IMAGE,
                 "sh", "-c", script)
    t.eq((done.status, done.out), (0, "status 137\n"))


@case("--memory: the first process's OOM is reported", *BOTH)
def _(t):
    name = t.name()
    done = t.cli("run", "--name", name, "--memory", "64m", "--memory-swap", "64m", IMAGE,
                 "dd", "if=/dev/zero", "of=/dev/null", "bs=1000M", "count=1")
    t.eq(done.status, 137)
    t.until(lambda: inspect(t, name, ".State.OOMKilled") == "true", "OOMKilled", 5)


@case("--pids-limit", *BOTH)
def _(t):
    script = "for i in 1 2 3 4 5 6 7 8 9 10 11 12; do sleep 3 & done; wait"
    done = t.cli("run", "--rm", "--pids-limit", "8", IMAGE, "sh", "-c", script)
    t.has("fork", done.err)


@case("--cpus", *BOTH)
def _(t):
    out = t.good("run", "--rm", "--cpus", "0.5", IMAGE, "sh", "-c",
                 "time -p sh -c 'i=0; while [ $i -lt 150000 ]; do i=$((i+1)); done' 2>&1")
    times = dict(line.split() for line in out.split("\n") if line)
    busy = float(times["user"]) + float(times["sys"])
    t.that(float(times["real"]) > 1.3 * busy, f"not held back: {times}")


@case("--cap-drop, --cap-add", *BOTH)
def _(t):
    done = t.cli("run", "--rm", "--cap-drop", "chown", IMAGE, "chown", "1000", "/tmp")
    t.that(done.status != 0, "chown without the capability")
    out = t.good("run", "--rm", "--cap-drop", "all", "--cap-add", "kill", IMAGE,
                 "grep", "CapEff", "/proc/self/status")
    t.eq(out.split()[1], "0000000000000020")


@case("--ulimit", *BOTH)
def _(t):
    t.eq(t.good("run", "--rm", "--ulimit", "nofile=100:200", "--ulimit", "nproc=50:60", IMAGE,
                "sh", "-c", "ulimit -n; ulimit -Hn"), "100\n200")


@case("--init", *BOTH)
def _(t):
    out = t.good("run", "--rm", "--init", IMAGE, "sh", "-c", "echo $$; cat /proc/1/comm")
    t.that(out.split()[0] != "1" and "init" in out or "catatonit" in out, out)


@case("--sysctl, --shm-size", *BOTH)
def _(t):
    out = t.good("run", "--rm", "--sysctl", "kernel.msgmax=4096", "--shm-size", "2m", IMAGE,
                 "sh", "-c", "cat /proc/sys/kernel/msgmax; df -k /dev/shm | tail -1")
    t.eq(out.split()[0], "4096")
    t.has("2048", out)


@case("seccomp profile", *BOTH)
def _(t):
    path = os.path.join(t.engine.directory, "profile.json")
    with open(path, "w", encoding="ascii") as file:
        json.dump({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
            {"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38}]}, file)
    name = up(t, "--security-opt", "seccomp=" + path)
    done = t.cli("exec", name, "mkdir", "/tmp/x")
    t.has("not implemented", done.err)


@case("--privileged", *BOTH)
def _(t):
    out = t.good("run", "--rm", "--privileged", IMAGE, "sh", "-c",
                 "mount -t tmpfs none /mnt 2>/dev/null || mkdir -p /mnt && mount -t tmpfs none /mnt;"
                 " grep -c ' /mnt ' /proc/mounts")
    t.that(int(out) >= 1, out)


@case("diff and commit", *BOTH)
def _(t):
    name = up(t)
    t.good("exec", name, "sh", "-c", "echo new > /root/new; rm /etc/group")
    changes = t.good("diff", name).split("\n")
    t.has("A /root/new", changes)
    t.has("D /etc/group", changes)
    t.good("commit", name, "localhost/committed")
    t.eq(t.good("run", "--rm", "localhost/committed", "cat", "/root/new"), "new")


@case("network of another container", *BOTH)
def _(t):
    name = up(t, "--network", "none", command=["sh", "-c", "nc -l -p 4000 -e echo greeted"])
    out = ""
    for _ in range(20):
        out = t.cli("run", "--rm", "--network", "container:" + name, IMAGE,
                    "nc", "127.0.0.1", "4000").out
        if out:
            break
    t.eq(out, "greeted\n")


@case("published port", *BOTH)
def _(t):
    name = t.name()
    network = "podman" if t.is_podman else "bridge"
    t.good("run", "-d", "--name", name, "--network", network, "-p", "127.0.0.1:8123:80", IMAGE,
           "sh", "-c", "echo page > /var/www/index.html; httpd -f -h /var/www")
    t.until(lambda: run(["/bin/busybox", "wget", "-qO-", "http://127.0.0.1:8123/"]).out == "page\n",
            "page", 8)


@case("pod with two containers", "podman")
def _(t):
    pod = t.name()
    t.good("pod", "create", "--name", pod, "--network", "none", "--infra-image", IMAGE,
           "--infra-command", "sleep 1000")
    first, second = t.name(), t.name()
    for name in (first, second):
        done = t.engine.plain("run", "-d", "--pod", pod, "--name", name, IMAGE, *SLEEP)
        t.eq(done.status, 0, done.err)
    t.eq(t.good("exec", first, "echo", "1"), "1")
    t.good("rm", "-f", "-t", "0", first)
    t.eq(t.good("exec", second, "echo", "2"), "2")
    t.good("pod", "stop", "-t", "0", pod)
    t.good("pod", "rm", "-f", pod)


@case("ten at once", *BOTH)
def _(t):
    results = {}

    def one(i):
        results[i] = t.cli("run", "--rm", IMAGE, "sh", "-c", f"echo {i}; exit {i}")
    threads = [threading.Thread(target=one, args=(i,)) for i in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    t.eq({i: (d.status, d.out) for i, d in results.items()}, {i: (i, f"{i}\n") for i in range(10)})
