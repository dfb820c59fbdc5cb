# SPDX-License-Identifier: Apache-2.0
"""mmap, select, signal, tempfile, os.walk, shutil, zipfile, sockets, fcntl: the rest of a system."""
import errno
import fcntl
import mmap
import os
import resource
import select
import shutil
import signal
import socket
import stat
import tempfile
import time
import zipfile


def maps(folder):
    path = os.path.join(folder, "map")
    with open(path, "wb+") as f:
        f.truncate(1 << 20)
        with mmap.mmap(f.fileno(), 0) as shared:
            shared[4096:4101] = b"hello"
            shared[-1] = 33
            shared.flush()
            f.seek(4096)
            print("map to file", f.read(5))
            f.seek(8192)
            f.write(b"back")
            f.flush()
            print("file to map", shared[8192:8196], shared.find(b"back"))
            if pid := os.fork():
                os.waitpid(pid, 0)
            else:
                shared[0:5] = b"child"
                os._exit(0)
            print("shared with child", shared[0:5])
        with mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_COPY) as private:
            private[0:5] = b"local"
        f.seek(0)
        print("private", f.read(5))
    with mmap.mmap(-1, 1 << 22) as anonymous:
        if pid := os.fork():
            os.waitpid(pid, 0)
        else:
            anonymous.write(b"anonymous")
            os._exit(0)
        print(anonymous[:9])


def polling():
    r, w = os.pipe()
    print("select", select.select([r], [w], [], 0)[1] == [w], select.select([r], [], [], 0.02)[0])
    os.write(w, b"x")
    poller = select.poll()
    poller.register(r, select.POLLIN)
    print("poll", [event for _, event in poller.poll(1000)])
    with select.epoll() as epoll:
        epoll.register(r, select.EPOLLIN | select.EPOLLET)
        print("epoll", [e for _, e in epoll.poll(1)], epoll.poll(0.02))
        os.close(w)
        print("hang-up", [e for _, e in epoll.poll(1)])
    a, b = socket.socketpair()
    a.send(b"12345")
    print("socketpair", b.recv(3), b.recv(3), a.close(), b.recv(3))
    a, b = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    socket.send_fds(a, [b"file"], [os.open("/etc/passwd", os.O_RDONLY)])
    message, fds, _, _ = socket.recv_fds(b, 100, 1)
    print("passed", message, len(os.read(fds[0], 10)))
    flags = fcntl.fcntl(r, fcntl.F_GETFL)
    fcntl.fcntl(r, fcntl.F_SETFL, flags | os.O_NONBLOCK)
    print("flags", os.get_blocking(r))


def signals():
    seen = []
    signal.signal(signal.SIGALRM, lambda number, frame: seen.append(number))
    signal.setitimer(signal.ITIMER_REAL, 0.02, 0.02)
    while len(seen) < 3:
        signal.pause()
    signal.setitimer(signal.ITIMER_REAL, 0)
    print("alarms", seen[:3])
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
    os.kill(os.getpid(), signal.SIGUSR1)
    print("pending", signal.sigpending(), signal.sigwait([signal.SIGUSR1]))
    print("no more", signal.sigtimedwait([signal.SIGUSR1], 0.02))
    signal.signal(signal.SIGCHLD, lambda *_: seen.append("child"))
    if not os.fork():
        os._exit(7)
    time.sleep(0.3)
    print("child", seen[-1], os.waitstatus_to_exitcode(os.wait()[1]))
    try:
        os.kill(999999, 0)
    except ProcessLookupError:
        print("nobody")


def files(folder):
    tree = os.path.join(folder, "tree")
    for n in range(30):
        os.makedirs(os.path.join(tree, f"d{n % 5}", f"e{n % 3}"), exist_ok=True)
        with open(os.path.join(tree, f"d{n % 5}", f"e{n % 3}", f"f{n}"), "w") as f:
            f.write(str(n) * n)
    print("walk", sum(len(files) for _, _, files in os.walk(tree)))
    shutil.copytree(tree, tree + "2")
    os.symlink("d1", tree + "/link")
    print("removed", shutil.rmtree(tree + "/d0"), sorted(os.listdir(tree)))
    archive = shutil.make_archive(os.path.join(folder, "a"), "zip", tree + "2")
    with zipfile.ZipFile(archive) as z:
        print("zip", z.testzip(), len(z.namelist()))
    with tempfile.NamedTemporaryFile() as f:
        f.write(b"temporary")
        f.flush()
        print("temporary", os.path.getsize(f.name), oct(os.stat(f.name).st_mode))
    with tempfile.TemporaryFile() as f:
        print("unlinked", os.fstat(f.fileno()).st_nlink)
    fd = os.open(tree, os.O_RDONLY | os.O_DIRECTORY)
    print("at", os.stat("d1", dir_fd=fd).st_mode == os.stat(tree + "/d1").st_mode,
          stat.S_ISLNK(os.stat("link", dir_fd=fd, follow_symlinks=False).st_mode))
    print("scandir", sorted((e.name, e.is_dir(), e.is_symlink()) for e in os.scandir(tree)))
    for wrong in ("/nosuch/x", tree, "/etc/passwd/x"):
        try:
            open(wrong, "r+")
        except OSError as error:
            print("open", errno.errorcode[error.errno])
    path = os.path.join(folder, "p")
    with open(path, "wb") as f:
        os.pwritev(f.fileno(), [b"ab", b"cd"], 10)
        print("preads", os.fstat(f.fileno()).st_size)
    os.utime(path, ns=(10**18, 10**18 + 5))
    print("utime", os.stat(path).st_mtime_ns)
    print("limits", resource.getrlimit(resource.RLIMIT_CORE)[0] >= 0, os.sysconf("SC_PAGESIZE"))


with tempfile.TemporaryDirectory() as scratch:
    maps(scratch)
    polling()
    signals()
    files(scratch)
