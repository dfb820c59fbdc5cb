# SPDX-License-Identifier: Apache-2.0
"""The guard in front of every attack: is the guest confined by the host's kernel at all?

A test that attacks must never run in something that only looks like a sandbox: it would set the
clock or unload the modules of the machine it runs on. So each attack first starts a harmless guest
and looks, from the host, at every process below runsc: none may hold, in our user namespace, a
capability that reaches beyond files. Only then is the attack let loose.
"""
import os
import time

import harness
import processes

# What the gofer may need to act for a file's owner: CHOWN, DAC_OVERRIDE, DAC_READ_SEARCH, FOWNER,
# FSETID, SETGID, SETUID, SYS_CHROOT, MKNOD, SETFCAP, LINUX_IMMUTABLE, LEASE.
FILE_CAPABILITIES = {0, 1, 2, 3, 4, 6, 7, 9, 18, 27, 28, 31}

_confined = None


def require(t):
    """Fails the case unless the guest has no powers over the host."""
    global _confined
    if _confined is None:
        _confined = judge(t)
    if _confined:
        raise harness.Failure("not a sandbox that may be attacked: " + _confined)


def judge(t):
    """What is wrong with the confinement of the processes below runsc; "" when nothing is."""
    guest = t.start([], ["bash", "-c", "echo ready; sleep 100 & wait"])
    if guest.stdout.readline() != b"ready\n":
        return "a plain shell does not start"
    time.sleep(0.2)
    below = processes.descendants(guest.pid)
    complaints = [complaint for complaint in map(powers, below) if complaint]
    guest.kill()
    guest.wait()
    if len(below) < 2:
        return f"only {len(below)} processes below runsc"
    return "; ".join(complaints)


def powers(pid):
    """The capabilities of a process over our user namespace that it should not have, as text."""
    try:
        if os.readlink(f"/proc/{pid}/ns/user") != os.readlink("/proc/self/ns/user"):
            return ""
        with open(f"/proc/{pid}/status", encoding="utf-8") as f:
            held = next(int(line.split()[1], 16) for line in f if line.startswith("CapEff:"))
    except OSError:
        return ""  # It has ended.
    beyond = [bit for bit in range(64) if held >> bit & 1 and bit not in FILE_CAPABILITIES]
    return f"process {pid} ({processes.command(pid)}) holds capabilities {beyond}" if beyond else ""
