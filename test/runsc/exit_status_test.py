#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""What `runsc do` exits with, and the one line that it says when it fails itself."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "../workloads"))
import harness  # pylint: disable=wrong-import-position
from harness import case, compare  # pylint: disable=wrong-import-position

compare("ExitStatus.True", ["true"])
compare("ExitStatus.False", ["false"], status=1)
compare("ExitStatus.Seven", ["sh", "-c", "exit 7"], status=7)
compare("ExitStatus.TwoHundredFiftyFive", ["sh", "-c", "exit 255"], status=255)
compare("ExitStatus.WrapsAt256", ["bash", "-c", "exit 256"], status=0)
for name, number in (("Kill", 9), ("Term", 15), ("Segv", 11), ("Abrt", 6), ("Pipe", 13), ("Hup", 1)):
    compare(f"ExitStatus.KilledBy{name}", ["sh", "-c", f"kill -{number} $$"], status=128 + number)
compare("ExitStatus.RealFault", ["/usr/bin/python3", "-c", "import ctypes; ctypes.string_at(1)"],
        needs=["/usr/bin/python3"], status=139)


@case("ExitStatus.OrphansDoNotDelayIt")
def _(t):
    result = t.sandbox(["bash", "-c", "sleep 300 & disown; setsid sleep 300 & exit 5"], timeout=30)
    t.expect_eq(result.status, 5)
    t.expect(result.seconds < 15, "it waited for the orphans")


# --- the command cannot run: 127 and 126, one line ---
def cannot_run(t, argv, status, word):
    result = t.sandbox(argv)
    t.expect_eq(result.status, status, f"stderr: {result.err}")
    t.expect_eq(result.out, b"")
    lines = result.err.decode().strip().splitlines()
    t.expect_eq(len(lines), 1, f"one line, not {lines}")
    t.expect_in(word, lines[0])


@case("NotFound.NameNotInPath")
def _(t):
    cannot_run(t, ["nosuchcommand"], 127, "nosuchcommand")


@case("NotFound.AbsolutePath")
def _(t):
    cannot_run(t, ["/nosuch/program"], 127, "/nosuch/program")


@case("NotFound.RelativePath")
def _(t):
    cannot_run(t, ["./program"], 127, "program")


@case("NotFound.EmptyName")
def _(t):
    result = t.sandbox([""])
    t.expect(result.status in (126, 127), f"status {result.status}")


@case("NotExecutable.PlainFile")
def _(t):
    t.write("plain", "#!/bin/sh\necho ran\n", 0o644)
    cannot_run(t, ["./plain"], 126, "plain")


@case("NotExecutable.Directory")
def _(t):
    cannot_run(t, ["/etc"], 126, "/etc")


@case("NotExecutable.GarbageFile")
def _(t):
    t.write("garbage", bytes(range(256)) * 4, 0o755)
    cannot_run(t, ["./garbage"], 126, "garbage")


@case("NotExecutable.EmptyFile")
def _(t):
    t.write("empty", b"", 0o755)
    cannot_run(t, ["./empty"], 126, "empty")


@case("NotExecutable.MissingInterpreter")
def _(t):
    t.write("script", "#!/nosuch/interpreter\n", 0o755)
    result = t.sandbox(["./script"])
    t.expect(result.status in (126, 127), f"status {result.status}: {result.err}")
    t.expect_in(b"script", result.err)


@case("PathSearch.SkipsWhatCannotRun")
def _(t):
    t.write("a/tool", "not executable", 0o644)
    t.write("b/tool", "#!/bin/sh\necho second\n", 0o755)
    path = f"{t.path('a')}:{t.path('b')}:/usr/bin:/bin"
    t.expect_output(t.sandbox(["tool"], env={"PATH": path}), b"second\n")


@case("PathSearch.UsesTheGuestsPath")
def _(t):
    t.write("b/tool", "#!/bin/sh\necho found $0\n", 0o755)
    path = f"{t.path('b')}:/usr/bin:/bin"
    result = t.sandbox(["tool"], flags=[f"--env=PATH={path}"])
    t.expect_output(result, f"found {t.path('b/tool')}\n".encode())


# --- runsc's own failures: 125, one line ---
@case("OwnFailure.UnknownFlag")
def _(t):
    t.expect_runsc_failure(t.runsc(["do", "--frobnicate", "--", "true"]), "frobnicate")


@case("OwnFailure.UnknownFlagWithValue")
def _(t):
    t.expect_runsc_failure(t.runsc(["do", "--frobnicate=7", "--", "true"]), "frobnicate")


@case("OwnFailure.UnknownCommand")
def _(t):
    t.expect_runsc_failure(t.runsc(["frobnicate"]), "frobnicate")


@case("OwnFailure.MissingCommand")
def _(t):
    t.expect_runsc_failure(t.sandbox([]), "command")


@case("OwnFailure.UnknownPlatform")
def _(t):
    t.expect_runsc_failure(t.runsc(["do", "--platform=abacus", "--", "true"]), "abacus")


@case("OwnFailure.FlagWithoutItsValue")
def _(t):
    t.expect_runsc_failure(t.runsc(["do", "--root-dir"]), "root-dir")


@case("OwnFailure.RootDirDoesNotExist")
def _(t):
    t.expect_runsc_failure(t.sandbox(["true"], flags=["--root-dir", "/nosuch/root"]), "/nosuch/root")


@case("OwnFailure.RootDirIsAFile")
def _(t):
    t.expect_runsc_failure(t.sandbox(["true"], flags=["--root-dir", "/etc/passwd"]), "/etc/passwd")


@case("OwnFailure.RwDirDoesNotExist")
def _(t):
    t.expect_runsc_failure(t.sandbox(["true"], flags=["--rw", "/nosuch/rw"]), "/nosuch/rw")


BAD_BINDS = {"HostMissing": "/nosuch/dir:/mnt", "GuestRelative": "/usr:mnt", "TooManyParts": "/a:/b:ro:x",
             "Empty": "", "UnknownMode": "/usr:/mnt:sideways"}
BAD_USERS = {"Name": "nobody:x", "Empty": "", "Negative": "-5", "TooBig": "99999999999",
             "TrailingColon": "1:", "Rubbish": "1:2:3"}


def rejects(name, flag, value):
    @case(name)
    def _(t):
        t.expect_runsc_failure(t.sandbox(["true"], flags=[f"{flag}={value}"]), flag.lstrip("-"))


for label, bad in BAD_BINDS.items():
    rejects(f"OwnFailure.Bind{label}", "--bind", bad)
for label, bad in BAD_USERS.items():
    rejects(f"OwnFailure.User{label}", "--user", bad)


@case("OwnFailure.DebugLogCannotBeWritten")
def _(t):
    t.expect_runsc_failure(t.sandbox(["true"], flags=["--debug-log", "/nosuch/log"]), "/nosuch/log")


# --- not a sandbox at all ---
@case("Command.Version")
def _(t):
    result = t.runsc(["--version"])
    t.expect_eq(result.status, 0)
    t.expect_in(b"runsc", result.out)
    t.expect(any(c in b"0123456789" for c in result.out) or b"fake" in result.out, "a number")


@case("Command.Help")
def _(t):
    result = t.runsc(["help"])
    t.expect_eq(result.status, 0)
    t.expect_in(b"do", result.out)
    t.expect_eq(t.runsc(["--help"]).status, 0)

harness.main()
