// SPDX-License-Identifier: Apache-2.0
//
// execve(2), execveat(2). /bin/sh looks at what the new program was given.

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "test/util/file_descriptor.h"
#include "test/util/fork.h"
#include "test/util/signals.h"
#include "test/util/syscall_matchers.h"
#include "test/util/temp_path.h"
#include "test/util/thread.h"

namespace redoubt::test {
namespace {

// Runs a shell script in a child that has done `before`; gives its wait status.
template <typename Before>
int Shell(const char* script, Before before) {
  return InForkedProcess([&] {
    before();
    execl("/bin/sh", "sh", "-c", script, nullptr);
    _exit(127);
  });
}

int TryExec(const std::string& path) {
  char* const argv[] = {const_cast<char*>("x"), nullptr};
  return execve(path.c_str(), argv, environ);
}

TEST(Exec, ArgumentsAndEnvironmentArrive) {
  const char* const argv[] = {"name", "-c",   "[ \"$0:$1:$#:$FOO\" = 'zero::2:bar' ]", "zero", "",
                              "two",  nullptr};
  const char* const env[] = {"FOO=bar", nullptr};
  EXPECT_THAT(InForkedProcess([&] {
                execve("/bin/sh", const_cast<char* const*>(argv), const_cast<char* const*>(env));
                _exit(127);
              }),
              ExitedWith(0));
}

TEST(Exec, KeepsIdsAndWorkingDirectory) {
  TempDir dir;
  Pipe pipe;
  ForkedChild child([&] {
    CHILD_CHECK(chdir(dir.c_str()) == 0);
    CHILD_CHECK(dup2(pipe.writer.get(), 1) == 1);
    execl("/bin/sh", "sh", "-c", "echo $$; pwd -P", nullptr);
    _exit(127);
  });
  const pid_t pid = child.pid();
  EXPECT_THAT(child.Wait(), ExitedWith(0));
  char out[4096];
  const ssize_t got = read(pipe.reader.get(), out, sizeof(out));
  ASSERT_GT(got, 0);
  char real[4096];
  ASSERT_NE(realpath(dir.c_str(), real), nullptr);
  EXPECT_EQ(std::string(out, got), std::to_string(pid) + "\n" + real + "\n");
}

TEST(Exec, CloseOnExecDescriptorsAreClosed) {
  Pipe pipe;
  auto as_8_and_9 = [&] {
    CHILD_CHECK(dup3(pipe.writer.get(), 8, O_CLOEXEC) == 8);
    CHILD_CHECK(dup2(pipe.writer.get(), 9) == 9);
  };
  EXPECT_THAT(Shell("exec 2>/dev/null; : >&9", as_8_and_9), ExitedWith(0));
  EXPECT_THAT(Shell("exec 2>/dev/null; : >&8", as_8_and_9), ExitedWith(2));
}

TEST(Exec, HandlersAreResetIgnoredSignalsStay) {
  EXPECT_THAT(Shell("kill -USR1 $$; exit 5", [] { signal(SIGUSR1, CountSignal); }),
              KilledBy(SIGUSR1));
  EXPECT_THAT(Shell("kill -USR1 $$; exit 5", [] { signal(SIGUSR1, SIG_IGN); }), ExitedWith(5));
}

TEST(Exec, MaskAndPendingSignalsStay) {
  // A shell does not unblock: a signal sent before the exec stays pending.
  EXPECT_THAT(Shell("exit 5",
                    [] {
                      static const sigset_t set = SignalSet({SIGUSR1});
                      sigprocmask(SIG_BLOCK, &set, nullptr);
                      raise(SIGUSR1);
                    }),
              ExitedWith(5));
  // grep is exec'd by the shell itself, which may mask signals around a fork of its own.
  EXPECT_THAT(Shell("exec grep -q '^SigBlk:.*200$' /proc/self/status",
                    [] {
                      static const sigset_t set = SignalSet({SIGUSR1});
                      sigprocmask(SIG_SETMASK, &set, nullptr);
                    }),
              ExitedWith(0));
}

TEST(Exec, ScriptRunsItsInterpreter) {
  TempDir dir;
  const std::string script =
      dir.File("s", "#!/bin/sh\n[ \"$0:$1:$2\" = \"$EXPECT:one:two\" ]\n", 0755);
  EXPECT_THAT(InForkedProcess([&] {
                setenv("EXPECT", script.c_str(), 1);
                execl(script.c_str(), "ignored", "one", "two", nullptr);
                _exit(127);
              }),
              ExitedWith(0));
}

TEST(Exec, ScriptInterpreterGetsOneArgument) {
  TempDir dir;
  const std::string script = dir.File("s", "#! /bin/sh -e \nfalse\nexit 9\n", 0755);
  const char* const argv[] = {script.c_str(), nullptr};
  EXPECT_THAT(RunProgram(argv), ExitedWith(1));
}

TEST(Exec, ScriptOfAScript) {
  TempDir dir;
  const std::string inner = dir.File("inner", "#!/bin/sh\nexit 33\n", 0755);
  const std::string outer = dir.File("outer", "#!" + inner + "\n", 0755);
  const char* const argv[] = {outer.c_str(), nullptr};
  EXPECT_THAT(RunProgram(argv), ExitedWith(33));
}

TEST(Exec, ScriptLoopIsEloopAndMissingInterpreterEnoent) {
  TempDir dir;
  const std::string loop = dir.File("loop", "#!" + dir.Path("loop") + "\n", 0755);
  EXPECT_THAT(TryExec(loop), SyscallFailsWith(ELOOP));
  EXPECT_THAT(TryExec(dir.File("lost", "#!/does/not/exist\n", 0755)), SyscallFailsWith(ENOENT));
  EXPECT_THAT(TryExec(dir.File("empty", "#!\n", 0755)), SyscallFailsWith(ENOEXEC));
}

TEST(Exec, WhatIsNoProgramIsEnoexec) {
  TempDir dir;
  EXPECT_THAT(TryExec(dir.File("text", "hello\n", 0755)), SyscallFailsWith(ENOEXEC));
  EXPECT_THAT(TryExec(dir.File("empty", "", 0755)), SyscallFailsWith(ENOEXEC));
  EXPECT_THAT(TryExec(dir.File("short_elf", "\177ELF", 0755)), SyscallFailsWith(ENOEXEC));
  EXPECT_THAT(TryExec(dir.File("bad_elf", "\177ELF" + std::string(200, 'x'), 0755)),
              SyscallFailsWith(ENOEXEC));
}

TEST(Exec, ErrorsOfThePath) {
  TempDir dir;
  dir.File("plain", "#!/bin/sh\n", 0644);
  EXPECT_THAT(TryExec(dir.Path("no")), SyscallFailsWith(ENOENT));
  EXPECT_THAT(TryExec(dir.Path("plain")), SyscallFailsWith(EACCES));
  EXPECT_THAT(TryExec(dir.Path("plain/x")), SyscallFailsWith(ENOTDIR));
  EXPECT_THAT(TryExec(dir.path()), SyscallFailsWith(EACCES));
  EXPECT_THAT(TryExec(""), SyscallFailsWith(ENOENT));
  EXPECT_THAT(TryExec("/dev/null"), SyscallFailsWith(EACCES));
}

TEST(Exec, BadPointersAreEfault) {
  EXPECT_THAT(syscall(SYS_execve, 8, nullptr, nullptr), SyscallFailsWith(EFAULT));
  EXPECT_THAT(syscall(SYS_execve, "/bin/sh", 8, nullptr), SyscallFailsWith(EFAULT));
  char* const argv[] = {reinterpret_cast<char*>(8), nullptr};
  EXPECT_THAT(syscall(SYS_execve, "/bin/sh", argv, nullptr), SyscallFailsWith(EFAULT));
}

TEST(Exec, OneHugeArgumentIsE2big) {
  const std::string huge((128 << 10) + 1, 'x');  // One string may have 128 KiB with its zero.
  char* const argv[] = {const_cast<char*>("sh"), const_cast<char*>(huge.c_str()), nullptr};
  EXPECT_THAT(execve("/bin/sh", argv, environ), SyscallFailsWith(E2BIG));
}

TEST(Exec, TooManyArgumentsAreE2big) {
  std::vector<char*> argv(700'000, const_cast<char*>("0123456789"));
  argv.push_back(nullptr);
  EXPECT_THAT(execve("/bin/sh", argv.data(), environ), SyscallFailsWith(E2BIG));
}

TEST(Exec, AThousandLongArgumentsFit) {
  const std::string word(1000, 'w');
  std::vector<const char*> argv = {"/bin/sh", "-c", "[ $# = 1000 ] && [ ${#1000} = 1000 ]", "sh"};
  argv.insert(argv.end(), 1000, word.c_str());
  argv.push_back(nullptr);
  EXPECT_THAT(RunProgram(argv.data()), ExitedWith(0));
}

TEST(Exec, FromAThreadEndsTheOthersAndKeepsThePid) {
  Pipe pipe;
  ForkedChild child([&] {
    CHILD_CHECK(dup2(pipe.writer.get(), 1) == 1);
    TestThread sleeper([] { pause(); });
    TestThread executor([] {
      execl("/bin/sh", "sh", "-c", "echo $$", nullptr);
      _exit(127);
    });
    pause();
  });
  const pid_t pid = child.pid();
  EXPECT_THAT(child.Wait(), ExitedWith(0));
  char out[32] = {};
  ASSERT_GT(read(pipe.reader.get(), out, sizeof(out) - 1), 0);
  EXPECT_EQ(atoi(out), pid);
}

TEST(Exec, ExecveatByDescriptor) {
  EXPECT_THAT(InForkedProcess([] {
                const int fd = open("/bin/sh", O_RDONLY | O_CLOEXEC);
                const char* const argv[] = {"sh", "-c", "exit 8", nullptr};
                syscall(SYS_execveat, fd, "", argv, environ, AT_EMPTY_PATH);
                _exit(127);
              }),
              ExitedWith(8));
  EXPECT_THAT(syscall(SYS_execveat, -1, "x", nullptr, nullptr, 0), SyscallFailsWith(EBADF));
  EXPECT_THAT(syscall(SYS_execveat, AT_FDCWD, "x", nullptr, nullptr, 0x4000'0000),
              SyscallFailsWith(EINVAL));
}

TEST(Exec, NameOfTheProgramIsSet) {
  const char* const argv[] = {"/bin/sh", "-c", "read name </proc/$$/comm; [ \"$name\" = sh ]",
                              nullptr};
  EXPECT_THAT(RunProgram(argv), ExitedWith(0));
}

}  // namespace
}  // namespace redoubt::test
