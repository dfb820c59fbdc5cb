# SPDX-License-Identifier: Apache-2.0
"""subprocess: pipes, status, time limits, environment, groups, many at once."""
import os
import signal
import subprocess
import sys

run = subprocess.run
print(run(["echo", "hello"], capture_output=True, text=True).stdout.strip())
print(run(["cat"], input=b"x" * 300000, capture_output=True).stdout == b"x" * 300000)
print(run("exit 3", shell=True).returncode, run("kill -9 $$", shell=True).returncode)
print(run(["sh", "-c", "echo $A; pwd; echo err >&2"], env={"A": "b", "PATH": "/usr/bin:/bin"},
          cwd="/usr", stderr=subprocess.STDOUT, stdout=subprocess.PIPE).stdout)
try:
    run(["/nosuch/program"])
except FileNotFoundError as error:
    print(error.errno, error.filename)
try:
    run(["/etc/passwd"])
except PermissionError as error:
    print(error.errno)
try:
    run(["sleep", "30"], timeout=0.2)
except subprocess.TimeoutExpired:
    print("timed out")
first = subprocess.Popen(["seq", "100000"], stdout=subprocess.PIPE)
second = subprocess.Popen(["tail", "-1"], stdin=first.stdout, stdout=subprocess.PIPE)
first.stdout.close()
print(second.communicate()[0], first.wait())
many = [subprocess.Popen([sys.executable, "-S", "-c", f"import sys; sys.exit({n})"])
        for n in range(8)]
print([p.wait() for p in many])
group = subprocess.Popen(["sh", "-c", "sleep 30 & sleep 30"], start_new_session=True)
print(os.getpgid(group.pid) == group.pid, os.getsid(group.pid) == group.pid)
os.killpg(group.pid, signal.SIGTERM)
print(group.wait())
reader, writer = os.pipe()
child = subprocess.Popen(["sh", "-c", f"echo through >&{writer}"], pass_fds=[writer])
os.close(writer)
print(os.read(reader, 100), child.wait())
print(run(["ls", f"/proc/self/fd/{reader}"], stderr=subprocess.DEVNULL).returncode != 0)
print(subprocess.getoutput("echo one; echo two >&2"))
pid = os.posix_spawn("/bin/sh", ["sh", "-c", "exit 6"], os.environ)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
