#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""What config.json says holds in the container: config.md and config-linux.md."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import oci  # pylint: disable=wrong-import-position
from oci import case  # pylint: disable=wrong-import-position


def output(t, c):
    """What the container prints; it must end with 0."""
    result = c.run()
    t.expect_eq(result.status, 0, result.err)
    return result.out


def script(t, text):
    """A container that runs a shell script."""
    return t.container(["sh", "-c", text])


@case("process.args-env-cwd", "config.md: process")
def _(t):
    c = t.container(["sh", "-c", 'echo "$0" "$1" "$A"; pwd', "zero", "one two"])
    c.process["env"] = ["PATH=/bin", "A=b c"]
    c.process["cwd"] = "/tmp"
    t.expect_eq(output(t, c), "zero one two b c\n/tmp\n")


@case("process.user", "config.md: user")
def _(t):
    c = script(t, "id -u; id -g; id -G; umask; touch /tmp/f; stat -c '%a %u %g' /tmp/f")
    c.process["user"] = {"uid": 1000, "gid": 1001, "additionalGids": [5, 6], "umask": 0o27}
    os.chmod(c.root + "/tmp", 0o777)
    lines = output(t, c).splitlines()
    t.expect_eq(lines[:2], ["1000", "1001"])
    t.expect_eq(set(lines[2].split()), {"1001", "5", "6"})
    t.expect_eq(lines[3:], ["0027", "640 1000 1001"])
    # Without an overlay, the file is on the host, with its owner.
    status = os.stat(c.root + "/tmp/f")
    t.expect_eq((status.st_uid, status.st_gid), (1000, 1001))


@case("process.home", "runc: HOME")
def _(t):
    c = script(t, "echo $HOME")
    t.expect_eq(output(t, c), "/root\n")
    c = script(t, "echo $HOME")
    c.process["user"] = {"uid": 1000, "gid": 1000}
    t.expect_eq(output(t, c), "/home/user\n")


@case("process.capabilities", "config.md: capabilities")
def _(t):
    c = script(t, "grep Cap /proc/self/status")
    names = ["CAP_CHOWN", "CAP_KILL"]
    c.process["capabilities"] = {s: names for s in ("bounding", "effective", "permitted")}
    sets = dict(line.split(":\t") for line in output(t, c).splitlines())
    bits = f"{1 << 0 | 1 << 5:016x}"
    t.expect_eq((sets["CapBnd"], sets["CapEff"], sets["CapPrm"], sets["CapInh"]), (bits, bits, bits, "0" * 16))


@case("process.ambient", "config.md: capabilities")
def _(t):
    c = script(t, "grep Cap /proc/self/status")
    c.process["user"] = {"uid": 1000, "gid": 1000}
    c.process["capabilities"] = {s: ["CAP_KILL"] for s in ("bounding", "effective", "permitted", "inheritable", "ambient")}
    sets = dict(line.split(":\t") for line in output(t, c).splitlines())
    t.expect_eq((sets["CapEff"], sets["CapAmb"]), (f"{1 << 5:016x}",) * 2)


@case("process.user-has-none", "config.md: capabilities")
def _(t):
    c = script(t, "grep CapEff /proc/self/status")
    c.process["user"] = {"uid": 1000, "gid": 1000}
    t.expect_eq(output(t, c).split(), ["CapEff:", "0" * 16])


@case("process.rlimits", "config.md: rlimits")
def _(t):
    c = script(t, "ulimit -n; ulimit -Hn; ulimit -c")
    c.process["rlimits"] = [{"type": "RLIMIT_NOFILE", "soft": 100, "hard": 200},
                            {"type": "RLIMIT_CORE", "soft": 0, "hard": 0}]
    t.expect_eq(output(t, c).split(), ["100", "200", "0"])


@case("process.noNewPrivileges", "config.md: noNewPrivileges")
def _(t):
    for value in (True, False):
        c = script(t, "grep NoNewPrivs /proc/self/status")
        c.process["noNewPrivileges"] = value
        t.expect_eq(output(t, c).split()[1], str(int(value)))


@case("process.is-one", "config-linux.md: namespaces")
def _(t):
    t.expect_eq(output(t, script(t, "echo $$; ls -d /proc/[0-9]* | wc -l")).split()[0], "1")


@case("hostname", "config.md: hostname")
def _(t):
    c = script(t, "hostname; cat /proc/sys/kernel/domainname")
    c.config["hostname"] = "some-name"
    c.config["domainname"] = "some-domain"
    t.expect_eq(output(t, c).split(), ["some-name", "some-domain"])


@case("root.readonly", "config.md: root")
def _(t):
    c = script(t, "touch /f 2>/dev/null && echo writable; touch /tmp/f 2>/dev/null || echo closed")
    c.config["root"]["readonly"] = True
    t.expect_eq(output(t, c), "closed\n")


@case("root.writes-reach-the-host", "engines: diff, commit, cp")
def _(t):
    c = script(t, "echo text > /tmp/file; rm /etc/group; mkdir /made")
    output(t, c)
    t.expect_eq(open(c.root + "/tmp/file").read(), "text\n")
    t.expect(not os.path.exists(c.root + "/etc/group") and os.path.isdir(c.root + "/made"), "changes")


@case("mounts.order", "config.md: mounts")
def _(t):
    c = script(t, "cut -d' ' -f5 /proc/self/mountinfo")
    c.config["mounts"].append({"destination": "/mnt/a", "type": "tmpfs", "source": "tmpfs"})
    c.bind("/mnt/a/b", "ro")
    listed = output(t, c).split()
    wanted = ["/"] + [m["destination"] for m in c.config["mounts"]]
    t.expect_eq([m for m in listed if m in wanted], wanted)


@case("mounts.bind", "config.md: mounts")
def _(t):
    c = script(t, "cat /in/f; echo new > /in/g; touch /closed/f 2>/dev/null || echo closed; cat /one")
    with open(c.bundle + "/out/f", "w") as file:
        file.write("from the host\n")
    c.bind("/in", "rw")
    c.bind("/closed", "ro")
    c.bind("/one", "ro", source=c.bundle + "/out/f")
    t.expect_eq(output(t, c), "from the host\nclosed\nfrom the host\n")
    t.expect_eq(c.out("g"), "new\n")


@case("mounts.bind-missing", "config.md: mounts")
def _(t):
    c = script(t, "true")
    c.bind("/in", source="/no/such/directory")
    t.expect(c.create(check=False).status != 0, "mounted nothing")
    t.expect_in("no such file or directory", t.last_error()["msg"])


@case("mounts.symlink-in-root", "security: mounts")
def _(t):
    """A root's symlink leads nowhere outside of it."""
    c = script(t, "cat /link/f")
    os.symlink("/../../../../../../tmp/escaped", c.root + "/link")
    with open(c.bundle + "/out/f", "w") as file:
        file.write("bound\n")
    c.bind("/link", "ro")
    result = c.run()
    t.expect(not os.path.exists("/tmp/escaped"), "made outside")
    t.expect_eq((result.status, result.out), (0, "bound\n"), result.err)


@case("mounts.tmpfs", "config.md: mounts")
def _(t):
    c = script(t, "stat -c %a /scratch; df -k /scratch | tail -1; touch /scratch/x")
    c.config["mounts"].append({"destination": "/scratch", "type": "tmpfs", "source": "tmpfs",
                               "options": ["nosuid", "noexec", "size=1m", "mode=0700"]})
    lines = output(t, c).splitlines()
    t.expect_eq(lines[0], "700")
    t.expect_eq(lines[1].split()[1], "1024")
    t.expect(not os.path.exists(c.root + "/scratch/x"), "on the host")


@case("mounts.unknown-type", "config.md: mounts")
def _(t):
    c = script(t, "true")
    c.config["mounts"].append({"destination": "/m", "type": "nosuchfs", "source": "x"})
    t.expect(c.create(check=False).status != 0, "mounted")


@case("dev.defaults", "config-linux.md: default devices")
def _(t):
    c = script(t, "for d in null zero full random urandom tty; do test -c /dev/$d || echo no $d; done; "
                  "for l in fd stdin stdout stderr ptmx; do readlink /dev/$l; done; "
                  "echo x > /dev/null; head -c 4 /dev/zero | wc -c; ls -d /dev/pts /dev/shm")
    lines = output(t, c).splitlines()
    t.expect_eq(lines[:4], ["/proc/self/fd", "/proc/self/fd/0", "/proc/self/fd/1", "/proc/self/fd/2"])
    t.expect_eq(lines[4:], ["pts/ptmx", "4", "/dev/pts", "/dev/shm"])


@case("dev.devices", "config-linux.md: devices")
def _(t):
    c = script(t, "stat -c '%t %T %a %u %g' /dev/extra; echo x > /dev/extra")
    c.config["linux"]["devices"] = [{"path": "/dev/extra", "type": "c", "major": 1, "minor": 3,
                                     "fileMode": 0o642, "uid": 7, "gid": 8}]
    t.expect_eq(output(t, c), "1 3 642 7 8\n")


@case("maskedPaths", "config-linux.md: maskedPaths")
def _(t):
    c = script(t, "cat /secret; ls -A /hidden; touch /hidden/x 2>/dev/null || echo closed")
    with open(c.root + "/secret", "w") as file:
        file.write("secret\n")
    os.mkdir(c.root + "/hidden")
    with open(c.root + "/hidden/file", "w") as file:
        file.write("x")
    c.config["linux"]["maskedPaths"] = ["/secret", "/hidden", "/not/there"]
    t.expect_eq(output(t, c), "closed\n")


@case("readonlyPaths", "config-linux.md: readonlyPaths")
def _(t):
    c = script(t, "cat /shown/f; touch /shown/x 2>/dev/null || echo closed; touch /tmp/x && echo open")
    os.mkdir(c.root + "/shown")
    with open(c.root + "/shown/f", "w") as file:
        file.write("f\n")
    c.config["linux"]["readonlyPaths"] = ["/shown", "/not/there"]
    t.expect_eq(output(t, c), "f\nclosed\nopen\n")


@case("sysctl", "config-linux.md: sysctl")
def _(t):
    c = script(t, "true")
    c.config["linux"]["sysctl"] = {"kernel.panic": "1"}
    t.expect(c.create(check=False).status != 0, "a setting of the host's was taken")
    c = script(t, "true")
    c.config["linux"]["sysctl"] = {"net.ipv4.ip_forward": "1"}
    t.expect_eq(c.run().status, 0)


@case("seccomp", "config-linux.md: seccomp")
def _(t):
    c = script(t, "mkdir /tmp/d 2>&1; echo after")
    c.config["linux"]["seccomp"] = {
        "defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64"],
        "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 28}]}
    out = output(t, c)
    t.expect_in("No space left", out)
    t.expect_in("after", out)


@case("resources.memory", "config-linux.md: memory")
def _(t):
    c = script(t, "grep MemTotal /proc/meminfo")
    c.config["linux"].setdefault("resources", {})["memory"] = {"limit": 128 << 20}
    c.config["linux"]["resources"]["pids"] = {"limit": 100}
    out = output(t, c)
    if t.ours:
        t.expect_eq(int(out.split()[1]), 128 << 10)


@case("network.namespace", "config-linux.md: namespaces")
def _(t):
    c = script(t, "sleep 100")
    c.up()
    own, host = (os.stat(f"/proc/{p}/ns/net").st_ino for p in (c.pid(), "self"))
    t.expect(own != host, "the host's network")
    other = t.container(["sleep", "100"])
    for space in other.config["linux"]["namespaces"]:
        if space["type"] in ("network", "ipc", "uts"):
            space["path"] = f"/proc/{c.pid()}/ns/{space['type'].replace('network', 'net')}"
    other.up()
    t.expect_eq(os.stat(f"/proc/{other.pid()}/ns/net").st_ino, own, "the joined namespace")


@case("root-view", "engines: cp")
def _(t):
    c = script(t, "sleep 100")
    c.bind("/mnt/volume", "rw")
    c.up()
    view = f"/proc/{c.pid()}/root"
    t.expect_eq(sorted(os.listdir(view + "/etc")), ["group", "passwd"])
    with open(c.bundle + "/out/f", "w") as file:
        file.write("f")
    t.expect_eq(os.listdir(view + "/mnt/volume"), ["f"])


oci.main()
