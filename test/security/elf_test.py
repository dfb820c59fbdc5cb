#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Broken ELF files: the errno that Linux gives, and never a sandbox that crashes or hangs.

Each file is executed natively and in the sandbox, by an ordinary user. An errno of execve and an exit
status must be the same; of a death after the point of no return only the fact counts."""
import os
import random
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "../workloads"))
import elf_files  # pylint: disable=wrong-import-position
import harness  # pylint: disable=wrong-import-position
from harness import case  # pylint: disable=wrong-import-position


def outcomes(run, probe, names):
    result = run([probe] + names, timeout=120)
    if result.status:
        raise harness.Failure(f"status {result.status}:\n{harness.cut(result.out + result.err)}")
    return dict(line.split(": ") for line in result.out.decode().splitlines())


def compare_files(t, files, tolerated=0):
    """Runs all files natively (twice: what varies is not compared) and in the sandbox."""
    probe = t.compile("exec_probe.c", "-static")
    for name, image in files.items():
        t.write("f/" + name, image, 0o755)
    names = [t.path("f", name) for name in files]
    native, again = (outcomes(t.native, probe, names) for _ in range(2))
    t.expect_eq(len(native), len(files), "natively every file has an outcome")
    boxed = outcomes(t.sandbox, probe, names)
    wrong = [f"{name}: {boxed.get(name)} in the sandbox, {native[name]} natively" for name in files
             if native[name] == again[name] and boxed.get(name) != native[name]]
    if len(wrong) > tolerated:
        raise harness.Failure(f"{len(wrong)} of {len(files)} differ:\n" + harness.cut("\n".join(wrong)))
    for line in wrong:
        print("note: " + line)


@case("Elf.SoundProgramRuns")
def _(t):
    t.write("sound", elf_files.program(), 0o755)
    t.expect_eq(t.native(["./sound"]).status, 42)
    t.expect_eq(t.sandbox(["./sound"]).status, 42)


@case("Elf.EachWayToBeBroken")
def _(t):
    compare_files(t, elf_files.broken())


def mutants(seed):
    @case(f"Elf.MutantsOfSeed{seed}")
    def _(t):
        # A few may differ: where Linux's order of checks meets another layout of the address space.
        compare_files(t, dict(elf_files.mutated(random.Random(seed), 200)), tolerated=6)


for number in (1, 2, 3):
    mutants(number)


@case("Elf.GarbageOfAllSizes")
def _(t):
    noise = random.Random(9)
    files = {}
    for n in range(60):
        files[f"noise-{n:02}"] = b"\x7fELF" * (n % 2) + noise.randbytes(noise.choice((1, 3, 60, 64, 200, 5000)))
    compare_files(t, files)


@case("Elf.TruncatedRealProgram")
def _(t):
    with open("/bin/true", "rb") as f:
        image = f.read()
    sizes = (10, 64, 200, 700, 1000, 4096, 8192)
    compare_files(t, {f"true-{size}": image[:size] for size in sizes})


@case("Elf.RunBrokenFilesDirectly")
def _(t):
    """runsc do itself is given the broken file: 126, or a death by signal; never a crash of its own."""
    for name in ("empty", "bad-magic", "phnum-0", "truncated-64", "segment-vaddr-kernel",
                 "segments-interp-missing", "segment-memsz-max", "phoff-far"):
        t.write(name, elf_files.broken()[name], 0o755)
        status = t.sandbox([t.path(name)], timeout=30).status
        t.expect(status in (126, 127) or 128 < status < 160, f"{name}: status {status}")

harness.main()
