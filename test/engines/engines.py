# SPDX-License-Identifier: Apache-2.0
"""podman, Docker and containerd, each with its own daemons and storage below a directory of ours.

    with Docker(world, "/path/to/runsc") as docker:
        docker.cli("run", "--rm", IMAGE, "true")

Each engine runs its containers with the given runtime and nothing else changed: that is what is
tested. ENGINES.md of the working notes has the command lines that they call it with."""
import json
import os
import pty
import select
import subprocess
import time

from world import CGROUP_PARENT, COMMAND, IMAGE, Daemon

TIMEOUT = 60
LIMITS = "nofile=4096:4096"


class Failure(Exception):
    """A case has failed."""


class Done:
    """How a command ended."""

    def __init__(self, argv, status, out, err):
        self.argv, self.status, self.out, self.err = argv, status, out, err

    def __repr__(self):
        return f"{' '.join(self.argv)}: status {self.status}, out {self.out!r}, err {self.err!r}"


def run(argv, stdin=None, timeout=TIMEOUT, env=None):
    """Runs a command of an engine's; ctr swallows TERM, so its end is by KILL."""
    try:
        done = subprocess.run(argv, input=stdin or "", capture_output=True, text=True,
                              timeout=timeout, env=env, check=False)
    except subprocess.TimeoutExpired as late:
        raise Failure(f"{' '.join(argv)}: no end after {timeout} s") from late
    return Done(argv, done.returncode, done.stdout, done.stderr)


def run_on_terminal(argv, typed, timeout=TIMEOUT, env=None):
    """The same with a terminal as its descriptors. `typed`: pairs of a text to wait for, and keys."""
    master, slave = pty.openpty()
    process = subprocess.Popen(argv, stdin=slave, stdout=slave, stderr=slave, env=env,
                               start_new_session=True)
    os.close(slave)
    seen = b""
    steps = list(typed)
    deadline = time.monotonic() + timeout
    try:
        while time.monotonic() < deadline:
            if steps and steps[0][0] in seen:
                os.write(master, steps.pop(0)[1])
            if not select.select([master], [], [], 0.1)[0]:
                if process.poll() is not None:
                    break
                continue
            try:
                data = os.read(master, 4096)
            except OSError:
                break
            seen += data
        else:
            raise Failure(f"{' '.join(argv)}: no end; the terminal has {seen!r}")
        return Done(argv, process.wait(10), seen.decode(errors="replace"), "")
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        os.close(master)


class Cli:
    """An engine with a command line like Docker's."""
    name = ""
    no_grace = ()  # Flags of `rm -f`.

    def __init__(self, world, runtime):
        self.world, self.runtime = world, runtime
        self.directory = world.folder(f"{self.name}-{os.path.basename(runtime)}")
        self.flags, self.env = [], dict(os.environ)

    def argv(self, *args):
        """The whole command line; `run` and `create` get the flags that all containers have."""
        args = list(args)
        if args[0] in ("run", "create"):
            args[1:1] = ["--cgroup-parent", CGROUP_PARENT]
            if "--network" not in args:
                args[1:1] = ["--network", "none"]
        return [*self.flags, *args]

    def plain(self, *args):
        """Runs it with no flags of ours."""
        return run([*self.flags, *args], env=self.env)

    def cli(self, *args, stdin=None, timeout=TIMEOUT):
        """Runs it."""
        return run(self.argv(*args), stdin, timeout, self.env)

    def good(self, *args, stdin=None, timeout=TIMEOUT):
        """Runs it; it must succeed. Its output, stripped."""
        done = self.cli(*args, stdin=stdin, timeout=timeout)
        if done.status != 0:
            raise Failure(repr(done))
        return done.out.strip()

    def terminal(self, *args, typed=()):
        """Runs it on a terminal."""
        return run_on_terminal(self.argv(*args), typed, env=self.env)

    def remove_all(self):
        """No container is left."""
        ids = self.cli("ps", "-aq").out.split()
        if ids:
            self.cli("rm", "-f", *self.no_grace, *ids)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.remove_all()


class Podman(Cli):
    """podman without a daemon."""
    name = "podman"
    no_grace = ("-t", "0")

    def __init__(self, world, runtime):
        super().__init__(world, runtime)
        config = os.path.join(self.directory, "containers.conf")
        with open(config, "w", encoding="ascii") as file:
            file.write(f'[containers]\nlog_driver="k8s-file"\ndefault_ulimits=["{LIMITS}","nproc=4096:4096"]\n'
                       '[engine]\ncgroup_manager="cgroupfs"\nevents_logger="file"\n'
                       f'network_backend="netavark"\nruntime="{runtime}"\n')
        self.env["CONTAINERS_CONF"] = config
        self.flags = ["podman", "--root", self.directory + "/root", "--runroot",
                      self.directory + "/run", "--tmpdir", self.directory + "/tmp",
                      "--storage-driver", "overlay", "--runtime", runtime]
        change = f"CMD {json.dumps(COMMAND)}"
        self.good("import", "--change", change, "--change", "ENV PATH=/bin", world.layer, IMAGE)


class Docker(Cli):
    """dockerd with its own containerd."""
    name = "docker"

    def __init__(self, world, runtime):
        super().__init__(world, runtime)
        where = f"unix://{self.directory}/docker.sock"
        known = "runc" if os.path.basename(runtime) == "runc" else "runsc"
        config = {"data-root": self.directory + "/data", "exec-root": self.directory + "/exec",
                  "pidfile": self.directory + "/pid", "hosts": [where], "storage-driver": "overlay2",
                  "exec-opts": ["native.cgroupdriver=cgroupfs"], "default-runtime": known,
                  "default-ulimits": {"nofile": {"Name": "nofile", "Soft": 4096, "Hard": 4096}}}
        if known == "runsc":
            config["runtimes"] = {"runsc": {"path": runtime}}
        path = os.path.join(self.directory, "daemon.json")
        with open(path, "w", encoding="ascii") as file:
            json.dump(config, file)
        self.flags = ["/usr/bin/docker", "--host", where]
        self.daemon = Daemon(["dockerd", "--config-file", path], self.directory + "/log")
        self.daemon.wait_until(lambda: self.cli("version").status == 0, "dockerd")
        change = f"CMD {json.dumps(COMMAND)}"
        self.good("import", "-c", change, "-c", "ENV PATH=/bin", world.layer, IMAGE)

    def __exit__(self, *_):
        self.remove_all()
        self.daemon.stop()


class Containerd:
    """containerd, for ctr and for the CRI."""
    name = "containerd"

    def __init__(self, world, runtime):
        self.world, self.runtime = world, runtime
        self.directory = world.folder(f"{self.name}-{os.path.basename(runtime)}")
        self.socket = self.directory + "/containerd.sock"
        path = os.path.join(self.directory, "config.toml")
        with open(path, "w", encoding="ascii") as file:
            file.write(self._config())
        self.config = path
        self.start()
        for archive in world.archives:
            for space in ("default", "k8s.io"):
                self.good("-n", space, "images", "import", archive)

    def start(self):
        """Starts the daemon."""
        self.daemon = Daemon(["containerd", "-c", self.config], self.directory + "/log")
        self.daemon.wait_until(lambda: self.ctr("version").status == 0, "containerd")

    def restart(self):
        """Ends it and starts it again; its containers go on meanwhile."""
        self.daemon.stop()
        self.start()

    def _config(self):
        return f"""
version = 2
root = "{self.directory}/root"
state = "{self.directory}/state"
[grpc]
  address = "{self.socket}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "localhost/pause:latest"
  restrict_oom_score_adj = true
  disable_apparmor = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "{self.directory}/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    default_runtime_name = "tested"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.tested]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.tested.options]
      BinaryName = "{self.runtime}"
"""

    def ctr(self, *args, stdin=None, timeout=TIMEOUT):
        """ctr's command."""
        return run(["timeout", "-k", "5", str(timeout), "ctr", "--address", self.socket, *args],
                   stdin, timeout + 10)

    def good(self, *args, stdin=None):
        """The same; it must succeed."""
        done = self.ctr(*args, stdin=stdin)
        if done.status != 0:
            raise Failure(repr(done))
        return done.out.strip()

    def run_flags(self, name):
        """Of `ctr run`."""
        return ["--runtime", "io.containerd.runc.v2", "--runc-binary", self.runtime,
                "--cgroup", f"{CGROUP_PARENT}/{name}"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for name in self.ctr("tasks", "ls", "-q").out.split():
            self.ctr("tasks", "rm", "-f", name)
        for name in self.ctr("containers", "ls", "-q").out.split():
            self.ctr("containers", "rm", name)
        self.daemon.stop()
