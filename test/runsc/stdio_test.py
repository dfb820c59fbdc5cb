#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""stdin, stdout and stderr are the host's own files: their offsets, flags, kinds and ends."""
import hashlib
import os
import random
import socket
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "../workloads"))
import harness  # pylint: disable=wrong-import-position
from harness import case, compare  # pylint: disable=wrong-import-position


def shell(t, script):
    """A host shell in which $DO is the sandbox."""
    words = " ".join(t.do([], []))
    return t.native(["bash", "-c", script], env={"DO": words})


@case("Redirect.OffsetIsShared")
def _(t):
    t.expect_eq(shell(t, "(echo a; $DO echo b; echo c) > f").status, 0)
    t.expect_eq(t.read("f"), b"a\nb\nc\n")


@case("Redirect.AppendModeIsKept")
def _(t):
    t.write("f", "first\n")
    shell(t, "$DO sh -c 'echo second; echo fourth' >> f; echo last >> f")
    t.expect_eq(t.read("f"), b"first\nsecond\nfourth\nlast\n")


@case("Redirect.AppendersDoNotOverwrite")
def _(t):
    shell(t, "for i in 1 2 3; do $DO sh -c \"for n in 1 2 3 4 5; do echo $i; done\" >> f & done; wait")
    t.expect_eq(sorted(t.read("f").split()), [b"1"] * 5 + [b"2"] * 5 + [b"3"] * 5)


@case("Redirect.InputOffsetIsShared")
def _(t):
    t.write("in", "one\ntwo\nthree\n")
    result = shell(t, "(read a; $DO sh -c 'read b; echo \"<$b>\"'; read c; echo \"$a $c\") < in")
    t.expect_output(result, b"<two>\none three\n")


@case("Redirect.ReadWriteFile")
def _(t):
    t.write("f", "0123456789")
    shell(t, "$DO bash -c 'read -n 3 x; echo -n XYZ' <> f 1>&0")
    t.expect_eq(t.read("f"), b"012XYZ6789")


@case("Redirect.StderrToTheSameFile")
def _(t):
    shell(t, "$DO bash -c 'echo 1; echo 2 >&2; echo 3; echo 4 >&2' > f 2>&1")
    t.expect_eq(t.read("f"), b"1\n2\n3\n4\n")


@case("Redirect.DevNull")
def _(t):
    t.expect_output(shell(t, "$DO sh -c 'cat; echo lost' < /dev/null > /dev/null; echo $?"), b"0\n")


@case("Redirect.DevFull")
def _(t):
    result = shell(t, "$DO bash -c 'echo x' > /dev/full; echo $?")
    t.expect_output(result, b"1\n")
    t.expect_in(b"No space left on device", result.err)


@case("Redirect.HostFileIsStattedAndTruncated")
def _(t):
    t.write("f", "x" * 100)
    script = "import os; print(os.fstat(1).st_size); os.ftruncate(1, 2); print(os.lseek(1, 0, 1))"
    shell(t, f"$DO /usr/bin/python3 -uc '{script}' >> f")
    t.expect_eq(t.read("f")[:2], b"xx")


@case("Pipe.ThroughTheSandbox")
def _(t):
    result = shell(t, "seq 100000 | $DO sort -rn | $DO head -3; echo ${PIPESTATUS[2]}")
    t.expect_output(result, b"100000\n99999\n99998\n0\n")


@case("Pipe.BrokenPipeIsSigpipe")
def _(t):
    result = shell(t, "$DO yes | head -1; echo ${PIPESTATUS[@]}")
    t.expect_output(result, b"y\n141 0\n")


@case("Pipe.TenMebibytesOfBinary")
def _(t):
    data = random.Random(7).randbytes(10 << 20)
    guest = t.start([], ["cat"], stdin=subprocess.PIPE)
    out, _err = guest.communicate(data, timeout=60)
    t.expect_eq(guest.returncode, 0)
    t.expect(out == data, f"{len(out)} bytes came back")


@case("Pipe.TenMebibytesFromAFile")
def _(t):
    data = random.Random(8).randbytes(10 << 20)
    t.expect(t.sandbox(["cat"], stdin=data).out == data, "what came back differs")
    digest = hashlib.sha256(data).hexdigest()
    t.expect_output(t.sandbox(["sha256sum"], stdin=data), f"{digest}  -\n".encode())


@case("Pipe.AnswersComeAsTheyAreWritten")
def _(t):
    guest = t.start([], ["bash", "-c", "while read -r x; do echo \"<$x>\"; done; echo end"],
                    stdin=subprocess.PIPE)
    for n in range(50):
        guest.stdin.write(b"%d\n" % n)
        guest.stdin.flush()
        t.expect_eq(guest.stdout.readline(), b"<%d>\n" % n)
    guest.stdin.close()
    t.expect_eq(guest.stdout.read(), b"end\n")
    t.expect_eq(guest.wait(30), 0)


@case("Pipe.SocketsWork")
def _(t):
    ours, theirs = socket.socketpair()
    guest = t.start([], ["cat"], stdin=theirs, stdout=theirs)
    theirs.close()
    ours.settimeout(30)
    ours.sendall(b"ping")
    t.expect_eq(ours.recv(100), b"ping")
    ours.shutdown(socket.SHUT_WR)
    t.expect_eq(ours.recv(100), b"")
    t.expect_eq(guest.wait(30), 0)
    ours.close()


@case("Pipe.NonBlockingFlagStaysTheHosts")
def _(t):
    reader, writer = os.pipe()
    guest = t.start([], ["/usr/bin/python3", "-c", "import os; os.set_blocking(0, False)\n"
                         "try: os.read(0, 1)\nexcept BlockingIOError: print('would block')"], stdin=reader)
    t.expect_eq(guest.communicate(timeout=30)[0], b"would block\n")
    os.close(reader)
    os.close(writer)


@case("Pipe.SlowWriterDoesNotSpin")
def _(t):
    guest = t.start([], ["cat"], stdin=subprocess.PIPE)
    guest.stdin.write(b"x\n")
    guest.stdin.flush()
    t.expect_eq(guest.stdout.readline(), b"x\n")
    before = sum(os.times()[2:4])
    time.sleep(1)
    guest.stdin.close()
    t.expect_eq(guest.wait(30), 0)
    t.expect(sum(os.times()[2:4]) - before < 30, "it used the CPU while it waited")


@case("Closed.Stdin")
def _(t):
    t.expect_output(shell(t, "$DO sh -c 'cat 2>/dev/null; echo $?' <&-"), b"1\n")


@case("Closed.StdinStdoutStderr")
def _(t):
    t.expect_output(shell(t, "$DO sh -c 'exit 7' <&- >&- 2>&-; echo $?"), b"7\n")


@case("Closed.NoOtherDescriptorIsPassed")
def _(t):
    result = shell(t, "exec 5< /etc/passwd 7> f; $DO sh -c 'ls -l /proc/self/fd | wc -l; cat <&5' 2>&1")
    # "total" and 0, 1, 2 and the directory that ls has open.
    t.expect_in(b"5\n", result.out)
    t.expect(b"root:" not in result.out, "descriptor 5 leaked into the guest")


compare("Kinds.OfStdin", "stat -L -c %F /dev/stdin; [ -p /dev/stdin ]; echo $?", stdin=b"x")
compare("Kinds.CatOfDevStdin", "cat /dev/stdin; echo end", stdin=b"text\n")
compare("Kinds.SelectOnAFile", ["/usr/bin/python3", "-c", "import select; "
                                "print(select.select([0], [1], [], 5)[:2])"], stdin=b"x")

harness.main()
