# SPDX-License-Identifier: Apache-2.0
"""The machine that the engines' tests get: a directory, images without a registry, namespaces.

enter() moves the whole test into new mount, network and PID namespaces with an empty /run: bridges,
firewall rules, mounts, sockets and stray daemons are gone with the last process, whatever happens.
What is left are cgroups, which all are below one of ours; clean_cgroups() removes them."""
import hashlib
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import time

BUSYBOX = "/bin/busybox"
CGROUP_PARENT = os.environ.get("REDOUBT_ENGINES_CGROUP", "/redoubt-engines")
IMAGE = "localhost/busybox:latest"
PAUSE = "localhost/pause:latest"
COMMAND = ["/bin/sh"]
PAUSE_COMMAND = ["/bin/sh", "-c", "trap 'exit 0' TERM INT; while :; do sleep 1000 & wait $!; done"]
_INSIDE = "REDOUBT_ENGINES_INSIDE"


def enter():
    """Returns inside the namespaces; outside it runs the script again in them, and exits."""
    if os.environ.get(_INSIDE):
        subprocess.run("mount --make-rprivate / && mount -t tmpfs tmpfs /run && mkdir /run/lock"
                       " && ip link set lo up", shell=True, check=True)
        return
    # A shell is process 1: it reaps what engines leave to init.
    argv = ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc",
            "sh", "-c", '"$@"; exit $?', "sh", sys.executable, "-B", *sys.argv]
    inside = subprocess.Popen(argv, env={**os.environ, _INSIDE: "1"})
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: inside.kill())
    status = inside.wait()
    clean_cgroups()
    sys.exit(status if status >= 0 else 1)


def clean_cgroups():
    """Removes the cgroups of ours, deepest first. Who was in them died with the namespace."""
    top = "/sys/fs/cgroup"
    for base in [top, *(os.path.join(top, name) for name in os.listdir(top))]:
        ours = base + CGROUP_PARENT
        for _ in range(50):
            if not os.path.isdir(ours):
                break
            for folder, _, _ in os.walk(ours, topdown=False):
                try:
                    os.rmdir(folder)
                except OSError:
                    pass
            time.sleep(0.05)


def _add_tree(tar, root):
    """The files below `root`, owned by root, at time 0: the same bytes every time."""
    def plain(info):
        info.uid = info.gid = info.mtime = 0
        info.uname = info.gname = "root"
        return info
    for name in sorted(os.listdir(root)):
        tar.add(os.path.join(root, name), arcname=name, filter=plain)


def _make_root(root):
    for name in ("bin", "etc", "proc", "sys", "dev", "tmp", "root", "var/www", "home/user"):
        os.makedirs(os.path.join(root, name))
    os.chmod(os.path.join(root, "tmp"), 0o1777)
    shutil.copy(BUSYBOX, os.path.join(root, "bin/busybox"))
    applets = subprocess.run([BUSYBOX, "--list"], capture_output=True, text=True, check=True)
    for applet in applets.stdout.split():
        if applet != "busybox":
            os.symlink("busybox", os.path.join(root, "bin", applet))
    for name, text in (("passwd", "root:x:0:0:root:/root:/bin/sh\n"
                                  "user:x:1000:1000:user:/home/user:/bin/sh\n"),
                       ("group", "root:x:0:\nuser:x:1000:\n")):
        with open(os.path.join(root, "etc", name), "w", encoding="ascii") as file:
            file.write(text)


def _digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def _write_oci_archive(path, layer, name, command):
    """An image as the OCI image-spec lays it out, in a tar (`ctr images import`)."""
    blobs = {}

    def blob(media_type, data):
        blobs[_digest(data)] = data
        return {"mediaType": "application/vnd.oci.image." + media_type, "digest": _digest(data),
                "size": len(data)}
    config = {"architecture": "amd64", "os": "linux",
              "config": {"Cmd": command, "Env": ["PATH=/bin"], "WorkingDir": "/"},
              "rootfs": {"type": "layers", "diff_ids": [_digest(layer)]}}
    manifest = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
                "config": blob("config.v1+json", json.dumps(config).encode()),
                "layers": [blob("layer.v1.tar", layer)]}
    entry = blob("manifest.v1+json", json.dumps(manifest).encode())
    entry["annotations"] = {"io.containerd.image.name": name,
                            "org.opencontainers.image.ref.name": name}
    files = {"oci-layout": b'{"imageLayoutVersion":"1.0.0"}',
             "index.json": json.dumps({"schemaVersion": 2, "manifests": [entry]}).encode()}
    files.update({"blobs/sha256/" + d.split(":")[1]: data for d, data in blobs.items()})
    with tarfile.open(path, "w") as tar:
        for file, data in files.items():
            info = tarfile.TarInfo(file)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))


class World:
    """A directory with images; gone with the object's end."""

    def __init__(self):
        self.directory = tempfile.mkdtemp(prefix="engines-", dir="/var/tmp")
        self.layer = os.path.join(self.directory, "busybox.tar")
        self.archives = [os.path.join(self.directory, n) for n in ("busybox.oci.tar", "pause.oci.tar")]
        root = os.path.join(self.directory, "image")
        _make_root(root)
        with tarfile.open(self.layer, "w") as tar:
            _add_tree(tar, root)
        with open(self.layer, "rb") as file:
            layer = file.read()
        _write_oci_archive(self.archives[0], layer, IMAGE, COMMAND)
        _write_oci_archive(self.archives[1], layer, PAUSE, PAUSE_COMMAND)

    def folder(self, name):
        """A new folder."""
        path = os.path.join(self.directory, name)
        os.makedirs(path)
        return path

    def close(self):
        """Nothing is mounted below it any more once the namespace is gone; here, what can go goes."""
        with open("/proc/self/mounts", encoding="utf-8") as mounts:
            points = [line.split()[1] for line in mounts]
        for point in reversed(points):
            if point.startswith(self.directory):
                subprocess.run(["umount", "-l", point], check=False)
        shutil.rmtree(self.directory, ignore_errors=True)


class Daemon:
    """A process of an engine's, with its log; ended by pid."""

    def __init__(self, argv, log, env=None):
        with open(log, "wb") as output:
            self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=output,
                                            stderr=output, env=env, start_new_session=True)
        self.log = log

    def wait_until(self, ready, what, seconds=30):
        """Until ready() holds."""
        deadline = time.monotonic() + seconds
        while not ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                with open(self.log, encoding="utf-8", errors="replace") as log:
                    raise RuntimeError(f"{what} does not start: {log.read()[-2000:]}")
            time.sleep(0.05)

    def stop(self):
        """TERM, then KILL."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
