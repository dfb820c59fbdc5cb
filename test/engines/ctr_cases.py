# SPDX-License-Identifier: Apache-2.0
"""The life of containers under containerd, by ctr."""
from cases import case
from engines import run_on_terminal
from world import IMAGE

SLEEP = ["sleep", "1000"]


def up(t, *flags, command=None):
    """A container in the background; its name."""
    name = t.name()
    t.good("run", "-d", *t.engine.run_flags(name), *flags, IMAGE, name, *(command or SLEEP))
    return name


def run(t, *command, flags=(), stdin=None):
    """A container in the foreground."""
    name = t.name()
    return t.engine.ctr("run", "--rm", *t.engine.run_flags(name), *flags, IMAGE, name, *command,
                        stdin=stdin)


def state(t, name):
    """What `tasks ls` says of it."""
    for line in t.good("tasks", "ls").split("\n")[1:]:
        if line.split()[0] == name:
            return line.split()[2]
    return ""


@case("ctr run: output and status", "containerd")
def _(t):
    done = run(t, "sh", "-c", "echo out; exit 7")
    t.eq((done.status, done.out), (7, "out\n"))


@case("ctr run -t: terminal", "containerd")
def _(t):
    name = t.name()
    argv = ["ctr", "--address", t.engine.socket, "run", "--rm", "-t", *t.engine.run_flags(name),
            IMAGE, name, "sh"]
    done = run_on_terminal(argv, ((b"# ", b"tty\n"), (b"/dev/", b"exit 5\n")))
    t.eq(done.status, 5)


@case("ctr run -d, tasks ls, ps, exec", "containerd")
def _(t):
    name = up(t)
    t.eq(state(t, name), "RUNNING")
    t.that(len(t.good("tasks", "ps", name).split("\n")) > 1, "no processes")
    done = t.engine.ctr("tasks", "exec", "--exec-id", "e1", name, "sh", "-c", "echo in; exit 3")
    t.eq((done.status, done.out), (3, "in\n"))
    done = t.engine.ctr("tasks", "exec", "--exec-id", "e2", "--user", "1000", "--cwd", "/tmp", name,
                        "sh", "-c", "id -u; pwd")
    t.eq(done.out.split(), ["1000", "/tmp"])


@case("ctr tasks pause, resume", "containerd")
def _(t):
    name = up(t)
    t.good("tasks", "pause", name)
    t.eq(state(t, name), "PAUSED")
    t.good("tasks", "resume", name)
    t.eq(state(t, name), "RUNNING")


@case("ctr tasks kill, delete", "containerd")
def _(t):
    name = up(t, command=["sh", "-c", "trap 'exit 4' TERM; while :; do sleep 0.1; done"])
    t.until(lambda: t.engine.ctr("tasks", "exec", "--exec-id", t.name(), name, "true").status == 0,
            "exec")
    t.good("tasks", "kill", "-s", "TERM", name)
    t.until(lambda: state(t, name) == "STOPPED", "end")
    t.has("4", t.engine.ctr("tasks", "delete", name).err)
    t.good("containers", "rm", name)


@case("ctr tasks metrics", "containerd")
def _(t):
    out = t.good("tasks", "metrics", up(t))
    used = [line.split()[1] for line in out.split("\n") if line.startswith("memory.usage_in_bytes")]
    t.that(used and int(used[0]) > 0, out)


@case("ctr run: memory limit, mounts, environment", "containerd")
def _(t):
    done = run(t, "sh", "-c", "echo $A; ls /m; grep -c ' /m ' /proc/mounts",
               flags=["--memory-limit", "134217728", "--env", "A=1", "--mount",
                      f"type=bind,src={t.engine.world.directory}/image/etc,dst=/m,options=rbind:ro"])
    t.eq(done.out.split(), ["1", "group", "passwd", "1"])


@case("ctr run: not found", "containerd")
def _(t):
    done = run(t, "no-such-command")
    t.that(done.status != 0, "it ran")
    t.has("executable file not found in $PATH", done.err)


@case("ctr: restart of containerd leaves containers alone", "containerd")
def _(t):
    name = up(t)
    t.engine.restart()
    t.eq(state(t, name), "RUNNING")
    t.eq(t.good("tasks", "exec", "--exec-id", "again", name, "echo", "alive"), "alive")
