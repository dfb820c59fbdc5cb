#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""gcc, g++ and make: compile, link, run the result, all inside."""
import os
import sys

import harness
from harness import compare

PROGRAMS = os.path.join(os.path.dirname(os.path.realpath(sys.argv[0])), "programs")
GCC = ["gcc"]


def generate(t, files=30):
    """A program of this many C files, its headers and a Makefile with dependencies."""
    names = [f"part{n:02}" for n in range(files)]
    for n, name in enumerate(names):
        t.write(f"src/{name}.h", f"#pragma once\nint {name}(int x);\n")
        below = names[n // 2] if n else None
        call = f"{below}(x - 1)" if below else "x"
        t.write(f"src/{name}.c", f'#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n'
                f'#include "{name}.h"\n' + (f'#include "{below}.h"\n' if below else "")
                + f"int {name}(int x) {{ return x <= 0 ? {n} : {call} * 3 % 1009 + {n}; }}\n")
    t.write("src/main.c", "#include <stdio.h>\n"
            + "".join(f'#include "{name}.h"\n' for name in names)
            + "int main(void) {\n  int sum = 0;\n"
            + "".join(f"  sum += {name}({n});\n" for n, name in enumerate(names))
            + '  printf("sum %d\\n", sum);\n  return sum % 50;\n}\n')
    t.write("Makefile", """
SOURCES := $(wildcard src/*.c)
OBJECTS := $(patsubst src/%.c,out/%.o,$(SOURCES))
program: $(OBJECTS)
	@gcc -o $@ $^
out/%.o: src/%.c | out
	@gcc -O1 -MMD -c -o $@ $<
out:
	@mkdir -p $@
-include $(OBJECTS:.o=.d)
""")


compare("Gcc.CompileLinkRun", f"gcc -O2 -Wall -pthread -o p {PROGRAMS}/features.c -lm && ./p 5",
        needs=GCC, status=5)
compare("Gcc.Static", f"gcc -O1 -static -pthread -o p {PROGRAMS}/features.c -lm && ./p 0 && "
        "file -b p 2>/dev/null | cut -d, -f1", needs=GCC)
compare("Gcc.StaticPieAndNoPie", "echo 'int main(void) { return 9; }' > a.c; "
        "gcc -static-pie -o s a.c && ./s; echo $?; gcc -no-pie -o n a.c && ./n; echo $?; "
        "gcc -pie -fPIE -Wl,-z,now,-z,relro -o r a.c && ./r; echo $?", needs=GCC)
compare("Gcc.SharedLibrary", "echo 'int answer(void) { return 42; }' > l.c; echo '#include <stdio.h>"
        "\nint answer(void); int main(void) { printf(\"%d\\n\", answer()); }' > m.c; "
        "gcc -shared -fPIC -o libl.so l.c && gcc -o m m.c -L. -ll -Wl,-rpath,'$ORIGIN' && ./m; "
        "rm libl.so; ./m 2>&1; echo $?", needs=GCC)
compare("Gcc.StagesAndArchive", "echo 'int f(void) { return 4; }' > f.c; echo 'int f(void); "
        "int main(void) { return f(); }' > m.c; gcc -S f.c && as -o f.o f.s && ar rcs libf.a f.o && "
        "gcc -E m.c | gcc -x c -c -o m.o - && gcc -o p m.o libf.a && ./p; echo $?; nm libf.a | "
        "grep -c ' T f'; strip p; ./p; echo $?; objcopy -O binary p b; stat -c %F b", needs=GCC)
compare("Gcc.Errors", "echo 'int main(void) { return x; }' > e.c; gcc e.c; echo $?; "
        "echo 'int main(void) { return f(); } ' > u.c; gcc -w u.c 2>/dev/null; echo $?", needs=GCC,
        stderr=True)
compare("Gcc.LinkTimeOptimisation", f"gcc -O2 -flto -pthread -o p {PROGRAMS}/features.c -lm && ./p 1",
        needs=GCC, status=1)
compare("Gxx.ExceptionsAndThreads", f"g++ -O1 -std=c++20 -pthread -o p {PROGRAMS}/features.cc && ./p",
        needs=["g++"], status=3, timeout=120)
compare("Make.ThirtyFilesTwoJobs", "make -s -j2 && ./program; echo $?; touch src/part03.h; "
        "make -n | grep -c 'gcc -O1'; make -j2 && make -q; echo $?", needs=["make", "gcc"],
        setup=generate, timeout=120)
compare("Make.Errors", "printf 'all: a b\\na:\\n\\t@exit 3\\nb:\\n\\t@echo b\\n' > Makefile; "
        "make -k; echo $?; make nosuch; echo $?", needs=["make"], stderr=True)
compare("Make.Recursive", "mkdir s; printf 'all:\\n\\t@echo inner $(X) $(MAKELEVEL)\\n' > s/Makefile; "
        "printf 'X := $(shell echo shell)\\nexport X\\nall:\\n\\t@$(MAKE) --no-print-directory -C s\\n'"
        " > Makefile; make -j2", needs=["make"])

harness.main()
