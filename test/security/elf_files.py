# SPDX-License-Identifier: Apache-2.0
"""Small ELF programs, sound and broken. The sound one exits with 42, in 12 bytes of code."""
import struct

CODE = bytes.fromhex("b83c000000bf2a0000000f05")  # mov $60,%eax; mov $42,%edi; syscall
BASE = 0x10000000
LOAD, INTERP, NOTE, STACK, TLS = 1, 3, 4, 0x6474E551, 7
R, W, X = 4, 2, 1
PAGE = 4096


def header(**changes):
    values = dict(magic=b"\x7fELF", kind=2, data=1, version=1, abi=0, type=2, machine=62, version2=1,
                  entry=None, phoff=64, shoff=0, flags=0, ehsize=64, phentsize=56, phnum=1, shentsize=0,
                  shnum=0, shstrndx=0)
    values.update(changes)
    ident = values["magic"] + bytes([values["kind"], values["data"], values["version"], values["abi"]])
    return ident.ljust(16, b"\0") + struct.pack(
        "<HHIQQQIHHHHHH", *(values[k] & (1 << 64) - 1 for k in (
            "type", "machine", "version2", "entry", "phoff", "shoff", "flags", "ehsize", "phentsize",
            "phnum", "shentsize", "shnum", "shstrndx")))


def segment(**changes):
    values = dict(type=LOAD, flags=R | X, offset=0, vaddr=BASE, paddr=0, filesz=PAGE, memsz=PAGE, align=PAGE)
    values.update(changes)
    return struct.pack("<IIQQQQQQ", *(values[k] & (1 << 64) - 1 for k in (
        "type", "flags", "offset", "vaddr", "paddr", "filesz", "memsz", "align")))


def program(segments=None, size=PAGE, tail=b"", **changes):
    """A whole file: the header, the program headers, code at 0x800, tail at 0xc00."""
    segments = [segment()] if segments is None else segments
    changes.setdefault("entry", BASE + 0x800)
    changes.setdefault("phnum", len(segments))
    image = bytearray((header(**changes) + b"".join(segments)).ljust(0x800, b"\0"))
    image = bytearray(bytes(image[:0x800]) + CODE).ljust(0xC00, b"\0") + tail
    return bytes(image.ljust(size, b"\0"))[:size]


def interpreter(path, **more):
    return [segment(type=INTERP, flags=R, offset=0xC00, vaddr=BASE + 0xC00, filesz=len(path),
                    memsz=len(path), align=1, **more), segment()]


def broken():
    """Name to file: each is wrong, or odd, in one way."""
    sound = program()
    files = {"sound": sound, "empty": b"", "one-byte": b"\x7f", "magic-only": b"\x7fELF"}
    for size in (16, 52, 63, 64, 65, 100, 119, 120, 121, 0x7ff, 0x800, 0x805, 0x80c):
        files[f"truncated-{size}"] = sound[:size]
    for name, change in {
            "class-32": dict(kind=1), "class-0": dict(kind=0), "big-endian": dict(data=2),
            "bad-magic": dict(magic=b"\x7fELG"), "type-rel": dict(type=1), "type-core": dict(type=4),
            "type-none": dict(type=0), "type-dyn": dict(type=3, entry=0x800), "machine-386": dict(machine=3),
            "machine-arm": dict(machine=183), "machine-none": dict(machine=0), "version-0": dict(version=0),
            "phnum-0": dict(phnum=0), "phnum-many": dict(phnum=1171), "phnum-max": dict(phnum=65535),
            "phentsize-0": dict(phentsize=0), "phentsize-57": dict(phentsize=57),
            "phoff-0": dict(phoff=0), "phoff-far": dict(phoff=1 << 30), "phoff-negative": dict(phoff=-1),
            "phoff-edge": dict(phoff=PAGE - 20), "ehsize-0": dict(ehsize=0), "shoff-garbage": dict(
                shoff=-1, shnum=65535, shentsize=1), "entry-0": dict(entry=0),
            "entry-kernel": dict(entry=0xFFFFFFFF80000000), "entry-non-canonical": dict(entry=1 << 63),
            "entry-past-end": dict(entry=BASE + PAGE)}.items():
        files[name] = program(**change)
    for name, change in {
            "filesz-over-memsz": dict(memsz=100), "filesz-0": dict(filesz=0), "memsz-0": dict(filesz=0, memsz=0),
            "filesz-past-end": dict(filesz=1 << 20, memsz=1 << 20), "filesz-max": dict(filesz=-1, memsz=-1),
            "memsz-huge": dict(memsz=1 << 46), "memsz-wraps": dict(memsz=(1 << 64) - BASE),
            "memsz-max": dict(memsz=-1), "offset-unaligned": dict(offset=1), "offset-far": dict(offset=1 << 40),
            "offset-negative": dict(offset=-PAGE), "vaddr-unaligned": dict(vaddr=BASE + 1),
            "vaddr-kernel": dict(vaddr=0xFFFF800000000000), "vaddr-top": dict(vaddr=0x7FFFFFFFF000),
            "vaddr-non-canonical": dict(vaddr=1 << 63), "vaddr-last-page": dict(vaddr=-PAGE),
            "align-0": dict(align=0), "align-1": dict(align=1), "align-odd": dict(align=4097),
            "align-huge": dict(align=1 << 40), "flags-none": dict(flags=0), "flags-read": dict(flags=R),
            "flags-all": dict(flags=R | W | X), "flags-garbage": dict(flags=0xFFFFFFFF),
            "type-unknown": dict(type=0x12345678), "type-null": dict(type=0)}.items():
        files["segment-" + name] = program([segment(**change)])
    far = segment(vaddr=BASE + (1 << 30), flags=R | W)
    for name, segments in {
            "two-same": [segment(), segment()], "overlap-data-over-code": [segment(), segment(flags=R | W)],
            "overlap-half": [segment(memsz=3 * PAGE), segment(vaddr=BASE + PAGE, flags=R | W)],
            "descending": [far, segment()], "ascending": [segment(), far],
            "sixty": [segment(vaddr=BASE + i * PAGE) for i in range(30)],
            "bss-over-code": [segment(), segment(vaddr=BASE + PAGE, flags=R | W, filesz=16, memsz=1 << 20)],
            "bss-read-only": [segment(filesz=0x900, memsz=1 << 16)],
            "two-notes": [segment(type=NOTE, vaddr=0, filesz=-1), segment()],
            "stack-exec": [segment(type=STACK, flags=R | W | X, filesz=0, memsz=0), segment()],
            "tls-garbage": [segment(type=TLS, filesz=-1, memsz=1, align=3), segment()],
            "interp-missing": interpreter(b"/nosuch/ld.so\0"), "interp-empty": interpreter(b"\0"),
            "interp-directory": interpreter(b"/etc\0"), "interp-not-elf": interpreter(b"/etc/passwd\0"),
            "interp-unterminated": interpreter(b"/lib64/ld-linux-x86-64.so.2"),
            "interp-relative": interpreter(b"no/such\0")}.items():
        tail = {"interp-missing": b"/nosuch/ld.so\0", "interp-empty": b"\0", "interp-directory": b"/etc\0",
                "interp-not-elf": b"/etc/passwd\0", "interp-relative": b"no/such\0",
                "interp-unterminated": b"/lib64/ld-linux-x86-64.so.2"}.get(name, b"")
        files["segments-" + name] = program(segments, tail=tail)
    for name, size in {"1": 1, "5000": 5000, "huge": 1 << 40, "max": -1, "0": 0}.items():
        files[f"interp-size-{name}"] = program(
            [segment(type=INTERP, offset=0xC00, filesz=size, memsz=size), segment()], tail=b"/etc\0")
    files["interp-offset-far"] = program([segment(type=INTERP, offset=1 << 40, filesz=20), segment()])
    return files


def mutated(random, count):
    """Files whose headers have a few random bytes, words or bits changed; the code is left alone."""
    bases = [program(), program([segment(), segment(vaddr=BASE + (1 << 20), flags=R | W, memsz=9 * PAGE)]),
             program(type=3, entry=0x800, segments=[segment(vaddr=0)]),
             program(interpreter(b"/nosuch/ld.so\0"), tail=b"/nosuch/ld.so\0")]
    awkward = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 1 << 47, (1 << 64) - 1, (1 << 64) - PAGE,
               PAGE - 1, PAGE, BASE)
    for number in range(count):
        image = bytearray(random.choice(bases))
        end = 64 + 56 * struct.unpack_from("<H", image, 56)[0]
        for _ in range(random.choice((1, 1, 2, 3, 8))):
            at = random.randrange(4, end)
            kind = random.randrange(3)
            if kind == 0:
                image[at] = random.randrange(256)
            elif kind == 1:
                image[at] ^= 1 << random.randrange(8)
            else:
                struct.pack_into("<Q", image, min(at & ~7, end - 8), random.choice(awkward))
        yield f"mutant-{number:03}", bytes(image)
