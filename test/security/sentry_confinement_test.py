#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""What the host's kernel says about a running sandbox: powers, roots, descriptors, namespaces.

The other tests here ask a guest what it can reach. This one assumes that the sentry, a stub or the
gofer has been taken over, and looks from outside, through /proc, at what each of them holds.
"""
import collections
import os
import re
import stat
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "../workloads"))
import harness  # pylint: disable=wrong-import-position
import processes  # pylint: disable=wrong-import-position
from harness import case  # pylint: disable=wrong-import-position

# Several stubs, a host file and host directories open, all of it asleep.
GUEST = ["bash", "-c", "exec 5</etc 6</etc/passwd 7</usr; sleep 100 & echo ready; wait"]
# What gofer::KeptCapabilities says: CHOWN, DAC_OVERRIDE, DAC_READ_SEARCH, FOWNER, FSETID.
GOFER_CAPABILITIES = 0x1f
O_PATH = 0o10000000

Sandbox = collections.namedtuple("Sandbox", "launcher sentry gofer stubs")
# One open descriptor: its number, the text of its link, struct stat, open flags.
Descriptor = collections.namedtuple("Descriptor", "path link info flags")


def start(t):
    """A guest that sleeps, and the processes below runsc that serve it."""
    if os.geteuid() != 0:
        t.skip("only root can look into these processes")
    t.write("canary", "")  # The directory that runsc starts in is not empty.
    guest = t.start([], GUEST)
    t.expect_eq(guest.stdout.readline(), b"ready\n", "a plain shell starts")
    time.sleep(0.3)  # Until all are asleep.
    below = processes.descendants(guest.pid)
    by_name = collections.defaultdict(list)
    for pid in below:
        with open(f"/proc/{pid}/comm", encoding="utf-8") as f:
            by_name[f.read().strip()].append(pid)
    t.expect_eq((len(by_name["sentry"]), len(by_name["gofer"])), (1, 1), "one sentry, one gofer")
    sentry, gofer = by_name["sentry"][0], by_name["gofer"][0]
    stubs = [pid for pid in below if pid not in (sentry, gofer)]
    t.expect(len(stubs) >= 2, f"two guest processes need two stubs: {stubs}")
    return Sandbox(guest.pid, sentry, gofer, stubs)


def status(pid):
    """The fields of /proc/PID/status, as text."""
    with open(f"/proc/{pid}/status", encoding="utf-8") as f:
        return {key: value.strip() for key, _, value in (line.partition(":") for line in f)}


def capabilities(pid, *names):
    fields = status(pid)
    return {name: int(fields[name], 16) for name in names}


def descriptors(pid):
    found = []
    for number in os.listdir(f"/proc/{pid}/fd"):
        path = f"/proc/{pid}/fd/{number}"
        with open(f"/proc/{pid}/fdinfo/{number}", encoding="utf-8") as f:
            flags = int(re.search(r"^flags:\s*([0-7]+)", f.read(), re.M).group(1), 8)
        found.append(Descriptor(path, os.readlink(path), os.stat(path), flags))
    return found


def identity(info):
    return info.st_dev, info.st_ino, info.st_rdev


def given(sandbox):
    """What the caller gave to the sandbox: the launcher's own input, output, error and log."""
    return {identity(os.stat(f"/proc/{sandbox.launcher}/fd/{n}")) for n in range(4)}


def shared_namespaces(pid, names):
    """Those that the process has in common with us."""
    return [name for name in names
            if os.readlink(f"/proc/{pid}/ns/{name}") == os.readlink(f"/proc/self/ns/{name}")]


def interfaces(pid):
    with open(f"/proc/{pid}/net/dev", encoding="utf-8") as f:
        return {line.partition(":")[0].strip() for line in f if ":" in line}


def unix_sockets(pid):
    """The inodes of the unix sockets in the network namespace of a process."""
    with open(f"/proc/{pid}/net/unix", encoding="utf-8") as f:
        return {int(line.split()[6]) for line in f.readlines()[1:]}


def expect_only_unix_sockets(t, pid):
    """Pairs that the launcher made (they belong to our namespace), or the process itself."""
    known = unix_sockets("self") | unix_sockets(pid)
    for fd in descriptors(pid):
        if stat.S_ISSOCK(fd.info.st_mode):
            t.expect(fd.info.st_ino in known, f"{fd.path} is no unix socket")


def procfs_of(t, sandbox):
    """The one directory that the sentry may hold, as a path; None where the host allows it none."""
    directories = [fd for fd in descriptors(sandbox.sentry) if stat.S_ISDIR(fd.info.st_mode)]
    t.expect(len(directories) <= 1, f"directories open: {directories}")
    if not directories:
        return None
    kind = t.native(["stat", "-L", "-f", "-c", "%T", directories[0].path])
    t.expect_eq(kind.out, b"proc\n", f"the file system of {directories[0]}")
    return directories[0].path


# --- the sentry ---
@case("Sentry.HoldsNoCapability")
def _(t):
    sandbox = start(t)
    held = capabilities(sandbox.sentry, "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")
    t.expect(not any(held.values()), f"{held}")
    t.expect_eq(status(sandbox.sentry)["NoNewPrivs"], "1", "no_new_privs")


@case("Sentry.IsNotTheCallersUser")
def _(t):
    sandbox = start(t)
    for pid in (sandbox.sentry, *sandbox.stubs):
        for field in ("Uid", "Gid"):
            t.expect("0" not in status(pid)[field].split(), f"process {pid} is {status(pid)[field]}")


@case("Sentry.EveryThreadIsUnderASeccompFilter")
def _(t):
    sandbox = start(t)
    threads = os.listdir(f"/proc/{sandbox.sentry}/task")
    t.expect(len(threads) > 1, "it has threads")
    for thread in threads:
        t.expect_eq(status(f"{sandbox.sentry}/task/{thread}")["Seccomp"], "2", f"thread {thread}")


@case("Sentry.RootAndWorkingDirectoryAreEmpty")
def _(t):
    sandbox = start(t)
    for place in ("root", "cwd"):
        t.expect_eq(os.listdir(f"/proc/{sandbox.sentry}/{place}/"), [], place)
    with open(f"/proc/{sandbox.sentry}/mountinfo", encoding="utf-8") as f:
        mounts = f.read().splitlines()
    t.expect_eq(len(mounts), 1, f"one mount is left, not {mounts}")
    t.expect_in("ro", mounts[0].split()[5].split(","), "it is read-only")


@case("Sentry.SharesNoNamespaceWithTheHost")
def _(t):
    sandbox = start(t)
    for pid in (sandbox.sentry, *sandbox.stubs):
        t.expect_eq(shared_namespaces(pid, ["user", "pid", "net", "mnt", "ipc", "uts"]), [], f"of {pid}")
        t.expect(interfaces(pid) <= {"lo"}, f"interfaces: {interfaces(pid)}")


@case("Sentry.HoldsNoHostFileThatItWasNotGiven")
def _(t):
    sandbox = start(t)
    for fd in descriptors(sandbox.sentry):
        if identity(fd.info) in given(sandbox) or fd.link.startswith(("/memfd:", "anon_inode:")):
            continue
        if stat.S_ISREG(fd.info.st_mode):
            # From the gofer: what the guest has open or mapped, below an attach point, to read.
            t.expect(fd.link.startswith("/0/"), f"not from the gofer: {fd}")
            t.expect_eq(identity(fd.info), identity(os.stat(fd.link[2:])), f"{fd}")
            t.expect_eq(fd.flags & os.O_ACCMODE, os.O_RDONLY, f"{fd} is read-only")
        else:
            kinds = stat.S_ISSOCK(fd.info.st_mode) or stat.S_ISDIR(fd.info.st_mode)
            t.expect(kinds, f"an unexpected descriptor: {fd}")
    procfs_of(t, sandbox)  # The guest has /etc and /usr open: still, no directory but the procfs.
    expect_only_unix_sockets(t, sandbox.sentry)


@case("Sentry.ItsProcfsShowsTheSandboxOnly")
def _(t):
    sandbox = start(t)
    procfs = procfs_of(t, sandbox) or t.skip("this host allows the sentry no procfs")
    entries = os.listdir(procfs)
    t.expect(set(entries) >= {"1", "self"}, f"{entries}")
    t.expect(all(name.isdigit() or name in ("self", "thread-self") for name in entries), f"{entries}")
    t.expect_eq(sum(name.isdigit() for name in entries), 1 + len(sandbox.stubs), "the sentry and its stubs")
    t.expect_in("1", os.listdir(procfs + "/.."), "there is nothing above it")
    t.expect(not os.access(procfs + "/sys", os.F_OK), "no tunables")


@case("Sentry.ItsProcfsLeadsToNoHostFile")
def _(t):
    """The sentry may follow links below its procfs: all of them must end in what it has anyway."""
    sandbox = start(t)
    procfs = procfs_of(t, sandbox) or t.skip("this host allows the sentry no procfs")
    program = identity(os.stat(t.do([], [])[0]))
    for pid in filter(str.isdigit, os.listdir(procfs)):
        for place in ("cwd", "root"):
            t.expect_eq(os.listdir(f"{procfs}/{pid}/{place}/"), [], f"{place} of {pid}")
        own = identity(os.stat(f"{procfs}/{pid}/exe")) == program
        memory = os.readlink(f"{procfs}/{pid}/exe").startswith("/memfd:")
        t.expect(own or memory, f"the program of {pid}: {os.readlink(f'{procfs}/{pid}/exe')}")


# --- the stubs, where guest code runs ---
@case("Stub.HoldsNoCapability")
def _(t):
    for pid in start(t).stubs:
        held = capabilities(pid, "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")
        t.expect(not any(held.values()), f"stub {pid}: {held}")


@case("Stub.RootAndWorkingDirectoryAreEmpty")
def _(t):
    for pid in start(t).stubs:
        for place in ("root", "cwd"):
            t.expect_eq(os.readlink(f"/proc/{pid}/{place}"), "/", f"{place} of stub {pid}")
            t.expect_eq(os.listdir(f"/proc/{pid}/{place}/"), [], f"{place} of stub {pid}")


@case("Stub.HoldsNoHostFile")
def _(t):
    """Under ptrace one end of the transfer socket, under seccomp-trap nothing at all."""
    sandbox = start(t)
    ptrace = "--platform=ptrace" in t.do([], [])
    for pid in sandbox.stubs:
        held = descriptors(pid)
        t.expect_eq(len(held), 1 if ptrace else 0, f"stub {pid} holds {held}")
        t.expect(all(stat.S_ISSOCK(fd.info.st_mode) for fd in held), f"stub {pid} holds {held}")


@case("Stub.MapsNoWritableHostFile")
def _(t):
    for pid in start(t).stubs:
        with open(f"/proc/{pid}/maps", encoding="utf-8") as f:
            lines = [line.split(maxsplit=5) for line in f]
        shared = [line for line in lines if line[1][1] == "w" and line[1][3] == "s" and len(line) > 5]
        t.expect(all(line[5].startswith(("/memfd:", "/dev/zero (deleted)")) for line in shared), f"{shared}")


def is_pristine(pid):
    """Does a stub wait in the platform's pool, with nothing mapped that a guest could run?"""
    with open(f"/proc/{pid}/maps", encoding="utf-8") as f:
        maps = [line.split(maxsplit=5) for line in f]
    return all(len(line) > 5 and line[5].startswith(("/memfd:stub", "[v")) for line in maps)


@case("Stub.IsBehindThePlatformsWall")
def _(t):
    sandbox = start(t)
    for pid in sandbox.stubs:
        t.expect_eq((status(pid)["Seccomp"], status(pid)["NoNewPrivs"]), ("2", "1"), f"stub {pid}")
    if "--platform=ptrace" in t.do([], []):
        tracers = set(os.listdir(f"/proc/{sandbox.sentry}/task"))
        for pid in sandbox.stubs:
            for thread in os.listdir(f"/proc/{pid}/task"):
                tracer = status(f"{pid}/task/{thread}")["TracerPid"]
                t.expect(tracer in tracers or (tracer == "0" and is_pristine(pid)),
                         f"stub {pid}, thread {thread} is traced by {tracer}")


# --- the gofer ---
@case("Gofer.HoldsOnlyTheCapabilitiesForOwnership")
def _(t):
    gofer = start(t).gofer
    for name, held in capabilities(gofer, "CapPrm", "CapEff", "CapBnd", "CapInh", "CapAmb").items():
        t.expect_eq(held & ~GOFER_CAPABILITIES, 0, name)


@case("Gofer.IsUnderASeccompFilter")
def _(t):
    fields = status(start(t).gofer)
    t.expect_eq((fields["Seccomp"], fields["NoNewPrivs"]), ("2", "1"), "seccomp mode, no_new_privs")


@case("Gofer.RootHoldsOnlyAttachPoints")
def _(t):
    gofer = start(t).gofer
    for place in ("root", "cwd"):
        entries = os.listdir(f"/proc/{gofer}/{place}/")
        t.expect(entries and all(name.isdigit() for name in entries), f"{place}: {entries}")


@case("Gofer.HasNoNetwork")
def _(t):
    gofer = start(t).gofer
    t.expect_eq(shared_namespaces(gofer, ["mnt", "net", "ipc", "uts"]), [], "namespaces of ours")
    t.expect(interfaces(gofer) <= {"lo"}, f"interfaces: {interfaces(gofer)}")
    sockets = [fd for fd in descriptors(gofer) if stat.S_ISSOCK(fd.info.st_mode)]
    t.expect_eq(len(sockets), 1, f"its channel is its only socket: {sockets}")
    expect_only_unix_sockets(t, gofer)


@case("Gofer.HoldsFilesBelowAttachPointsOnly")
def _(t):
    sandbox = start(t)
    for fd in descriptors(sandbox.gofer):
        if stat.S_ISSOCK(fd.info.st_mode) or identity(fd.info) in given(sandbox):
            continue
        t.expect(re.match(r"/[0-9]+(/|$)", fd.link), f"not below an attach point: {fd}")
        t.expect(fd.flags & O_PATH or fd.flags & os.O_ACCMODE == os.O_RDONLY, f"writable: {fd}")


@case("Filters.NoExecutableMemoryAndOnlyPlainThreads")
def _(t):
    for title, lines in filters(t).items():
        for line in lines:
            name = re.split(r"[\s(,]", line)[0]
            if name in ("mmap", "mprotect"):
                t.expect_in(" arg2&0x4==0", line, f"{title} no PROT_EXEC")
            if name == "clone":
                t.expect_in(" arg0==0x3d0f00", line, f"{title} the flags of pthread_create")
            if name == "clone3":
                t.expect_in(" fails: ENOSYS", line, title)


# --- the lists, as `runsc help filters` prints them ---
def filters(t):
    """Title of each list -> its lines."""
    result = t.runsc(["help", "filters"])
    t.expect_eq(result.status, 0, "runsc help filters")
    lists = {}
    for line in result.out.decode().splitlines():
        if line.startswith("The "):
            lists[line] = current = []
        elif line:
            current.append(line)
    return lists


@case("Filters.EachProcessAndPlatformIsListed")
def _(t):
    titles = list(filters(t))
    t.expect_eq(titles, ["The sentry with --platform=ptrace:", "The sentry with --platform=seccomp-trap:",
                         "The gofer:"])


@case("Filters.NoExecNoSocketNoNamespace")
def _(t):
    unwanted = {"execve", "execveat", "socket", "connect", "bind", "accept", "open", "openat2", "creat",
                "mount", "umount2", "move_mount", "open_tree", "fsopen", "pivot_root", "chroot", "setns",
                "unshare", "bpf", "init_module", "finit_module", "io_uring_setup", "keyctl", "userfaultfd",
                "perf_event_open", "open_by_handle_at", "pidfd_getfd", "capset", "setuid", "setresuid"}
    for title, lines in filters(t).items():
        t.expect(len(lines) > 20, f"{title} {len(lines)} lines")
        t.expect_in("anything else: ends the process", lines, title)
        allowed = {re.split(r"[\s(,]", line)[0] for line in lines if " fails: " not in line}
        if "gofer" in title:
            continue  # It opens files; its own test looks at its list.
        t.expect_eq(allowed & unwanted, set(), title)


@case("Filters.TheSentryOpensBelowItsProcfsOnly")
def _(t):
    for title, lines in filters(t).items():
        if "sentry" in title:
            opens = [line for line in lines if line.startswith("openat")]
            t.expect(len(opens) <= 2 and all(line.count("arg") >= 2 for line in opens), f"{title} {opens}")

harness.main()
