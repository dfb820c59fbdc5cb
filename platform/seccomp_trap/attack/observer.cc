// SPDX-License-Identifier: Apache-2.0
#include "platform/seccomp_trap/attack/observer.h"

#include <dirent.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <map>

#include "base/check.h"

namespace redoubt::platform::seccomp_trap::observer {
namespace {

constexpr uint32_t kMaxCalls = 200'000;
constexpr int kSyscallStop = SIGTRAP | 0x80;

struct Record {
  std::atomic<uint32_t> count;
  std::atomic<uint64_t> trapped;
  std::atomic<bool> watching;
  std::atomic<int> live;  // Threads traced.
  HostCall calls[kMaxCalls];
};

Record* g_record = nullptr;
int g_socket = -1;

// What is known of a traced thread: the call it has entered, until its fate is known.
struct Thread {
  bool pending = false;
  HostCall call;
};
std::map<int, Thread> g_threads;  // In the observer.
bool g_kill_children = false;

struct Request {
  int pid;
  bool kill_children;
};

void Settle(Thread& thread) {
  if (!thread.pending) return;
  thread.pending = false;
  uint32_t index = g_record->count.load();
  if (index < kMaxCalls) g_record->calls[index] = thread.call;
  g_record->count.store(index + 1);
}

void OnSyscallStop(int tid, Thread& thread) {
  __ptrace_syscall_info info{};
  ptrace(PTRACE_GET_SYSCALL_INFO, tid, sizeof(info), &info);
  if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
    Settle(thread);
    thread.pending = true;
    thread.call = {
        .arch = info.arch, .number = info.entry.nr, .instruction = info.instruction_pointer};
    for (int i = 0; i < 6; ++i) thread.call.arguments[i] = info.entry.args[i];
  } else if (info.op == PTRACE_SYSCALL_INFO_EXIT) {
    thread.call.result = info.exit.rval;
  }
}

// Gives the signal to hand on to the tracee.
int OnStop(int tid, int status) {
  if (g_kill_children && !g_threads.contains(tid)) kill(tid, SIGKILL);
  Thread& thread = g_threads[tid];
  int signal = WSTOPSIG(status);
  if (status >> 16 != 0) return 0;  // An event of ptrace's own.
  if (signal == kSyscallStop) {
    OnSyscallStop(tid, thread);
    return 0;
  }
  if (signal == SIGSYS) {
    thread.pending = false;
    g_record->trapped.fetch_add(1);
  }
  return signal;
}

void SeizeThreads(int pid) {
  char path[64];
  std::snprintf(path, sizeof(path), "/proc/%d/task", pid);
  DIR* dir = opendir(path);
  if (dir == nullptr) return;
  while (dirent* entry = readdir(dir)) {
    int tid = std::atoi(entry->d_name);
    if (tid == 0) continue;
    constexpr unsigned long kOptions =
        PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK;
    if (ptrace(PTRACE_SEIZE, tid, nullptr, kOptions) != 0) continue;
    ptrace(PTRACE_INTERRUPT, tid, nullptr, nullptr);
    g_threads[tid];
    int status;
    if (waitpid(tid, &status, __WALL) != tid || !WIFSTOPPED(status)) continue;
    ptrace(PTRACE_SYSCALL, tid, nullptr, nullptr);
  }
  closedir(dir);
}

// Traces until no thread is left.
void TraceAll() {
  int status;
  while (!g_threads.empty()) {
    int tid = waitpid(-1, &status, __WALL);
    if (tid < 0) break;
    if (WIFSTOPPED(status)) {
      int signal = OnStop(tid, status);
      ptrace(PTRACE_SYSCALL, tid, nullptr, signal);
    } else {
      Settle(g_threads[tid]);
      g_threads.erase(tid);
    }
  }
}

[[noreturn]] void Main(int socket) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  Request request;
  while (read(socket, &request, sizeof(request)) == sizeof(request)) {
    g_threads.clear();
    g_kill_children = request.kill_children;
    SeizeThreads(request.pid);
    int seized = static_cast<int>(g_threads.size());
    CHECK(write(socket, &seized, sizeof(seized)) == sizeof(seized));
    TraceAll();
    CHECK(write(socket, &seized, sizeof(seized)) == sizeof(seized));
  }
  _exit(0);
}

}  // namespace

void Start() {
  void* memory =
      mmap(nullptr, sizeof(Record), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  CHECK(memory != MAP_FAILED);
  g_record = new (memory) Record;
  int sockets[2];
  CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) == 0);
  pid_t pid = fork();
  CHECK(pid >= 0);
  if (pid == 0) {
    close(sockets[0]);
    Main(sockets[1]);
  }
  close(sockets[1]);
  g_socket = sockets[0];
}

bool Watch(int pid, bool kill_children) {
  g_record->count = 0;
  g_record->trapped = 0;
  int seized = 0;
  Request request{pid, kill_children};
  CHECK(write(g_socket, &request, sizeof(request)) == sizeof(request));
  CHECK(read(g_socket, &seized, sizeof(seized)) == sizeof(seized));
  if (seized > 0) return true;
  CHECK(read(g_socket, &seized, sizeof(seized)) == sizeof(seized));
  return false;
}

Observed Finish() {
  int ignored;
  CHECK(read(g_socket, &ignored, sizeof(ignored)) == sizeof(ignored));
  Observed observed;
  uint32_t count = g_record->count;
  observed.complete = count <= kMaxCalls;
  observed.calls.assign(g_record->calls, g_record->calls + std::min(count, kMaxCalls));
  observed.trapped = g_record->trapped;
  return observed;
}

}  // namespace redoubt::platform::seccomp_trap::observer
