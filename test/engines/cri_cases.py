# SPDX-License-Identifier: Apache-2.0
"""Pods, as a kubelet makes them through containerd's CRI."""
from cases import case
from cri import Cri

CREATED, RUNNING, EXITED = range(3)
SLEEP = ["sleep", "1000"]


def client(t):
    """The engine's client, made once."""
    if not hasattr(t.engine, "cri"):
        t.engine.cri = Cri(t.engine.socket, t.engine.directory)
    return t.engine.cri


def end(cri, pod):
    """StopPodSandbox and RemovePodSandbox, which take the containers along."""
    cri.call("StopPodSandbox", cri.pb.SandboxId(id=pod[1]))
    cri.call("RemovePodSandbox", cri.pb.SandboxId(id=pod[1]))


@case("CRI: a pod with two containers", "containerd")
def _(t):
    cri = client(t)
    pod = cri.run_pod(t.name())
    status = cri.call("PodSandboxStatus", cri.pb.SandboxId(id=pod[1]), "SandboxStatusResponse").status
    t.eq((status.state, status.runtime_handler), (0, "tested"))
    names = [t.name(), t.name()]
    ids = [cri.create(pod, name, ["sh", "-c", f"echo I am {name}; exec sleep 1000"])
           for name in names]
    t.eq([cri.status(i)[0] for i in ids], [CREATED, CREATED])
    for i in ids:
        cri.of("StartContainer", i)
    t.eq([cri.status(i)[0] for i in ids], [RUNNING, RUNNING])
    for name in names:
        t.until(lambda name=name: cri.log(name) == [f"I am {name}"], "log")
    cri.of("StopContainer", ids[0], message="StopContainerRequest", timeout=0)
    t.eq(cri.status(ids[0]), (EXITED, 137))
    t.eq(cri.exec(ids[1], "echo", "alive"), (0, "alive\n"))
    cri.of("RemoveContainer", ids[0])
    end(cri, pod)


@case("CRI: exec sync, status, exit code", "containerd")
def _(t):
    cri = client(t)
    pod = cri.run_pod(t.name())
    one = cri.create(pod, t.name(), SLEEP)
    cri.of("StartContainer", one)
    t.eq(cri.exec(one, "sh", "-c", "echo out; exit 9"), (9, "out\n"))
    other = cri.create(pod, t.name(), ["sh", "-c", "exit 21"])
    cri.of("StartContainer", other)
    t.until(lambda: cri.status(other) == (EXITED, 21), "exit code")
    end(cri, pod)


@case("CRI: stats and update", "containerd")
def _(t):
    cri = client(t)
    pod = cri.run_pod(t.name())
    limits = cri.pb.LinuxContainer(
        resources=cri.pb.LinuxResources(memory_limit_in_bytes=128 << 20, cpu_shares=512))
    one = cri.create(pod, t.name(), SLEEP, linux=limits)
    cri.of("StartContainer", one)
    t.until(lambda: cri.of("ContainerStats", one, "ContainerStatsResponse")
            .stats.memory.working_set_bytes.value > 0, "memory use")
    cri.of("UpdateContainerResources", one, message="UpdateResourcesRequest",
           linux=cri.pb.LinuxResources(memory_limit_in_bytes=256 << 20))
    if t.engine.runtime.endswith("runsc"):
        t.has("262144 kB", cri.exec(one, "grep", "MemTotal", "/proc/meminfo")[1])
    end(cri, pod)


@case("CRI: mounts, variables, user, read-only root", "containerd")
def _(t):
    cri = client(t)
    pod = cri.run_pod(t.name())
    security = cri.pb.ContainerSecurity(run_as_user=cri.pb.Int64Value(value=1000),
                                        readonly_rootfs=True)
    where = t.engine.world.directory + "/image/etc"
    one = cri.create(pod, t.name(), SLEEP, linux=cri.pb.LinuxContainer(security_context=security),
                     working_dir="/tmp", envs=[cri.pb.KeyValue(key="A", value="b")],
                     mounts=[cri.pb.Mount(container_path="/m", host_path=where, readonly=True)])
    cri.of("StartContainer", one)
    status, out = cri.exec(one, "sh", "-c", "id -u; pwd; echo $A; ls /m; touch /tmp/x || echo no")
    t.eq((status, out.split()), (0, ["1000", "/tmp", "b", "group", "passwd", "no"]))
    end(cri, pod)


@case("CRI: stop by TERM, start of a program that is missing", "containerd")
def _(t):
    cri = client(t)
    pod = cri.run_pod(t.name())
    name = t.name()
    one = cri.create(pod, name, ["sh", "-c", "trap 'exit 3' TERM; echo ready;"
                                 " while :; do sleep 0.1; done"])
    cri.of("StartContainer", one)
    t.until(lambda: cri.log(name) == ["ready"], "trap")
    cri.of("StopContainer", one, message="StopContainerRequest", timeout=10)
    t.eq(cri.status(one), (EXITED, 3))
    bad = cri.create(pod, t.name(), ["/no/such/program"])
    try:
        cri.of("StartContainer", bad)
    except Exception as error:  # pylint: disable=broad-except
        t.has("no such file or directory", str(error))
    end(cri, pod)


@case("CRI: one pod's containers share a process namespace", "containerd")
def _(t):
    cri = client(t)
    pod = cri.run_pod(t.name(), share_pids=True)
    one, other = (cri.create(pod, t.name(), ["sleep", n]) for n in ("1234", "5678"))
    for i in (one, other):
        cri.of("StartContainer", i)
    t.has("sleep 1234", cri.exec(other, "ps")[1])
    end(cri, pod)
