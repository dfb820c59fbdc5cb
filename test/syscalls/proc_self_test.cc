// SPDX-License-Identifier: Apache-2.0
//
// /proc/self and a few files of /proc beside it, as far as ordinary programs read them.

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cinttypes>
#include <cstdio>
#include <filesystem>
#include <set>
#include <sstream>
#include <string>

#include "test/util/file_descriptor.h"
#include "test/util/fork.h"
#include "test/util/signals.h"
#include "test/util/syscall_matchers.h"
#include "test/util/temp_path.h"
#include "test/util/thread.h"
#include "test/util/timing.h"

namespace redoubt::test {
namespace {

std::string ReadLink(const std::string& path) {
  char target[4096];
  const ssize_t length = readlink(path.c_str(), target, sizeof(target));
  return length < 0 ? "" : std::string(target, length);
}

// The value of "Name:\tvalue" in /proc/PID/status.
std::string StatusField(const std::string& name, const std::string& pid = "self") {
  std::istringstream status(ReadFile("/proc/" + pid + "/status"));
  std::string line;
  while (std::getline(status, line)) {
    if (line.rfind(name + ":\t", 0) == 0) return line.substr(name.size() + 2);
  }
  return "";
}

// The line of /proc/self/maps that holds `address`.
std::string MapOf(const void* address) {
  std::istringstream maps(ReadFile("/proc/self/maps"));
  std::string line;
  while (std::getline(maps, line)) {
    uint64_t start, end;
    if (sscanf(line.c_str(), "%" SCNx64 "-%" SCNx64, &start, &end) != 2) continue;
    const auto at = reinterpret_cast<uint64_t>(address);
    if (start <= at && at < end) return line;
  }
  return "";
}

TEST(ProcSelf, IsALinkToThePid) {
  EXPECT_EQ(ReadLink("/proc/self"), std::to_string(getpid()));
  EXPECT_EQ(ReadLink("/proc/thread-self"),
            std::to_string(getpid()) + "/task/" + std::to_string(gettid()));
}

TEST(ProcSelf, ExeIsTheProgram) {
  const std::string exe = ReadLink("/proc/self/exe");
  EXPECT_NE(exe.find("proc_self_test"), std::string::npos);
  EXPECT_THAT(access(exe.c_str(), X_OK), SyscallSucceeds());
  FileDescriptor file(open("/proc/self/exe", O_RDONLY));
  char magic[4] = {};
  EXPECT_THAT(read(file.get(), magic, 4), SyscallSucceedsWithValue(4));
  EXPECT_EQ(std::string(magic, 4), "\177ELF");
}

TEST(ProcSelf, CwdAndRoot) {
  char cwd[4096];
  ASSERT_NE(getcwd(cwd, sizeof(cwd)), nullptr);
  EXPECT_EQ(ReadLink("/proc/self/cwd"), cwd);
  EXPECT_EQ(ReadLink("/proc/self/root"), "/");
}

TEST(ProcSelf, CmdlineHasTheArguments) {
  Pipe pipe;
  EXPECT_THAT(InForkedProcess([&] {
                dup2(pipe.writer.get(), 1);
                execl("/bin/cat", "cat", "--", "/proc/self/cmdline", nullptr);
                _exit(127);
              }),
              ExitedWith(0));
  char out[64];
  const ssize_t got = read(pipe.reader.get(), out, sizeof(out));
  ASSERT_GT(got, 0);
  EXPECT_EQ(std::string(out, got), std::string("cat\0--\0/proc/self/cmdline\0", 26));
}

TEST(ProcSelf, EnvironIsTheInitialOne) {
  Pipe pipe;
  EXPECT_THAT(InForkedProcess([&] {
                dup2(pipe.writer.get(), 1);
                const char* const env[] = {"A=1", "B=two", nullptr};
                execle("/bin/cat", "cat", "/proc/self/environ", nullptr, env);
                _exit(127);
              }),
              ExitedWith(0));
  char out[64];
  const ssize_t got = read(pipe.reader.get(), out, sizeof(out));
  EXPECT_EQ(std::string(out, std::max<ssize_t>(got, 0)), std::string("A=1\0B=two\0", 10));
}

TEST(ProcSelf, FdListsTheOpenOnes) {
  TempDir dir;
  FileDescriptor file(open(dir.File("a").c_str(), O_RDONLY));
  Pipe pipe;
  char real[4096];
  ASSERT_NE(realpath(dir.Path("a").c_str(), real), nullptr);
  EXPECT_EQ(ReadLink("/proc/self/fd/" + std::to_string(file.get())), real);
  EXPECT_EQ(ReadLink("/proc/self/fd/" + std::to_string(pipe.reader.get())).rfind("pipe:[", 0), 0u);
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    names.insert(entry.path().filename());
  }
  EXPECT_TRUE(names.contains(std::to_string(file.get())));
  EXPECT_THAT(access("/proc/self/fd/999", F_OK), SyscallFailsWith(ENOENT));
}

TEST(ProcSelf, FdOfADeletedFileStillOpens) {
  TempDir dir;
  FileDescriptor file(open(dir.File("a", "contents").c_str(), O_RDONLY));
  unlink(dir.Path("a").c_str());
  const std::string link = "/proc/self/fd/" + std::to_string(file.get());
  EXPECT_NE(ReadLink(link).find(" (deleted)"), std::string::npos);
  EXPECT_EQ(ReadFile(link), "contents");
}

TEST(ProcSelf, FdinfoHasOffsetAndFlags) {
  TempDir dir;
  FileDescriptor file(open(dir.File("a", "0123456789").c_str(), O_RDWR | O_APPEND));
  lseek(file.get(), 6, SEEK_SET);
  const std::string info = ReadFile("/proc/self/fdinfo/" + std::to_string(file.get()));
  EXPECT_EQ(info.rfind("pos:\t6\n", 0), 0u) << info;
  EXPECT_NE(info.find("flags:\t0"), std::string::npos) << info;
}

TEST(ProcSelf, StatHasItsFields) {
  const std::string stat = ReadFile("/proc/self/stat");
  const size_t end = stat.rfind(')');
  ASSERT_NE(end, std::string::npos);
  int pid, parent, group, session;
  char state;
  EXPECT_EQ(sscanf(stat.c_str(), "%d", &pid), 1);
  ASSERT_EQ(sscanf(stat.c_str() + end + 1, " %c %d %d %d", &state, &parent, &group, &session), 4);
  EXPECT_EQ(pid, getpid());
  EXPECT_EQ(parent, getppid());
  EXPECT_EQ(group, getpgrp());
  EXPECT_EQ(session, getsid(0));
  EXPECT_EQ(state, 'R');
  const std::string rest = stat.substr(end + 2);
  EXPECT_EQ(std::count(rest.begin(), rest.end(), ' '), 49);  // 52 fields in all.
}

TEST(ProcSelf, StatusTellsIdsAndThreads) {
  EXPECT_EQ(StatusField("Pid"), std::to_string(getpid()));
  EXPECT_EQ(StatusField("PPid"), std::to_string(getppid()));
  EXPECT_EQ(StatusField("Threads"), "1");
  Pipe gate;
  TestThread other([&] {
    char byte;
    (void)!read(gate.reader.get(), &byte, 1);
  });
  EXPECT_EQ(StatusField("Threads"), "2");
  EXPECT_THAT(access(("/proc/self/task/" + std::to_string(other.tid())).c_str(), F_OK),
              SyscallSucceeds());
  gate.writer.reset();
  EXPECT_NE(StatusField("VmRSS"), "");
}

TEST(ProcSelf, StatusTellsSignals) {
  ScopedBlock block({SIGUSR1});
  ScopedHandler handler(SIGUSR2, CountSignal);
  raise(SIGUSR1);
  auto has = [](const char* field, int signal) {
    return (strtoull(StatusField(field).c_str(), nullptr, 16) >> (signal - 1) & 1) != 0;
  };
  EXPECT_TRUE(has("SigBlk", SIGUSR1));
  EXPECT_TRUE(has("SigPnd", SIGUSR1));
  EXPECT_TRUE(has("SigCgt", SIGUSR2));
  EXPECT_FALSE(has("SigBlk", SIGUSR2));
  const sigset_t set = SignalSet({SIGUSR1});
  int signal;
  sigwait(&set, &signal);
}

TEST(ProcSelf, MapsShowMappings) {
  TempDir dir;
  FileDescriptor file(open(dir.File("mapped_file", std::string(4096, 'x')).c_str(), O_RDONLY));
  void* area = mmap(nullptr, 4096, PROT_READ, MAP_PRIVATE, file.get(), 0);
  const std::string line = MapOf(area);
  EXPECT_NE(line.find(" r--p 00000000 "), std::string::npos) << line;
  EXPECT_NE(line.find("/mapped_file"), std::string::npos) << line;
  munmap(area, 4096);
  EXPECT_EQ(MapOf(area), "");
  int local;
  EXPECT_NE(MapOf(&local).find("[stack]"), std::string::npos);
  EXPECT_NE(MapOf(reinterpret_cast<void*>(&StatusField)).find(" r-xp "), std::string::npos);
}

TEST(ProcSelf, MapsShowNothingThatIsNotTheProgramsOwn) {
  // Every mapped file exists under its name, or is one of the kernel's own in brackets.
  std::istringstream maps(ReadFile("/proc/self/maps"));
  std::string line;
  int count = 0;
  while (std::getline(maps, line)) {
    count++;
    const size_t slash = line.find('/');
    if (slash == std::string::npos) continue;
    EXPECT_THAT(access(line.substr(slash).c_str(), F_OK), SyscallSucceeds()) << line;
  }
  EXPECT_GT(count, 5);
}

TEST(ProcPid, ShowsAChildAndItsStates) {
  ForkedChild child([] { pause(); });
  const std::string pid = std::to_string(child.pid());
  EXPECT_TRUE(PollUntil([&] { return StatusField("State", pid) == "S (sleeping)"; }));
  EXPECT_EQ(StatusField("PPid", pid), std::to_string(getpid()));
  kill(child.pid(), SIGSTOP);
  EXPECT_TRUE(PollUntil([&] { return StatusField("State", pid) == "T (stopped)"; }));
  kill(child.pid(), SIGKILL);
  EXPECT_TRUE(PollUntil([&] { return StatusField("State", pid) == "Z (zombie)"; }));
  child.Wait();
  EXPECT_THAT(access(("/proc/" + pid).c_str(), F_OK), SyscallFailsWith(ENOENT));
}

TEST(ProcPid, CommIsTheThreadsName) {
  EXPECT_THAT(InForkedProcess([] {
                prctl(PR_SET_NAME, "renamed");
                CHILD_CHECK(ReadFile("/proc/self/comm") == "renamed\n");
              }),
              ExitedWith(0));
}

TEST(Proc, MountsHaveARootAndProc) {
  const std::string mounts = ReadFile("/proc/self/mounts");
  EXPECT_NE(mounts.find(" / "), std::string::npos);
  EXPECT_NE(mounts.find(" /proc proc "), std::string::npos);
  EXPECT_EQ(ReadLink("/proc/mounts"), "self/mounts");
  EXPECT_NE(ReadFile("/proc/self/mountinfo").find(" / "), std::string::npos);
}

TEST(Proc, SystemFiles) {
  EXPECT_NE(ReadFile("/proc/meminfo").find("MemTotal:"), std::string::npos);
  EXPECT_NE(ReadFile("/proc/cpuinfo").find("processor\t: 0"), std::string::npos);
  EXPECT_EQ(ReadFile("/proc/stat").rfind("cpu ", 0), 0u);
  double up;
  EXPECT_EQ(sscanf(ReadFile("/proc/uptime").c_str(), "%lf", &up), 1);
  EXPECT_NE(ReadFile("/proc/filesystems").find("proc"), std::string::npos);
  EXPECT_GT(atoi(ReadFile("/proc/sys/kernel/pid_max").c_str()), 1000);
  EXPECT_EQ(ReadFile("/proc/version").rfind("Linux version ", 0), 0u);
}

TEST(Proc, CannotBeWrittenInto) {
  EXPECT_THAT(open("/proc/new_file", O_CREAT | O_RDWR, 0600),
              SyscallFailsWith(::testing::AnyOf(ENOENT, EACCES)));
  EXPECT_THAT(mkdir("/proc/new_dir", 0700),
              SyscallFailsWith(::testing::AnyOf(ENOENT, EACCES, EPERM)));
  EXPECT_THAT(access("/proc/does_not_exist", F_OK), SyscallFailsWith(ENOENT));
}

}  // namespace
}  // namespace redoubt::test
