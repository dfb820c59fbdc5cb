// SPDX-License-Identifier: Apache-2.0
// Measures what single operations cost: `calls DIR [NAME-PREFIX]`.
//
// Prints one line for each case, `name<TAB>median nanoseconds`, as soon as it is known, or
// `name<TAB>error<TAB>why`. DIR is a directory that may be written; a file of 1 MiB and a hundred
// empty ones are made there. Each case stops after kBudgetNs, so that the whole run is bounded on a
// slow platform too. A sample is the mean of a short batch (one clock read costs as much as the
// cheapest case); the figure is the median of the samples, less what the clock itself costs.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

namespace {

constexpr int64_t kBudgetNs = 250'000'000;
constexpr size_t kMaxSamples = 2000;
constexpr size_t kPage = 4096;
constexpr size_t kFileSize = 1 << 20;

std::string directory;  // DIR.
char buffer[1 << 16];

// Ends the case that throws it, not the run.
struct CaseFailed {
  const char* what;
  int error;
};

long Must(long result, const char* what) {
  if (result < 0) throw CaseFailed{what, errno};
  return result;
}

int64_t Now() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1'000'000'000 + now.tv_nsec;
}

double Median(std::vector<double> samples) {
  if (samples.empty()) return 0;
  auto middle = samples.begin() + samples.size() / 2;
  std::nth_element(samples.begin(), middle, samples.end());
  return *middle;
}

// What two neighbouring clock reads differ by.
double ClockCost() {
  std::vector<double> samples;
  for (int i = 0; i < 1000; ++i) {
    int64_t begin = Now();
    samples.push_back(Now() - begin);
  }
  return Median(samples);
}

const double clock_cost = ClockCost();

// Collects the samples of one case.
class Meter {
 public:
  // Whether another sample is wanted.
  bool More() const { return samples_.size() < kMaxSamples && Now() - begin_ < kBudgetNs; }

  // Times `operation` done `batch` times as one sample.
  template <typename F>
  void Time(int batch, F operation) {
    int64_t begin = Now();
    for (int i = 0; i < batch; ++i) operation();
    samples_.push_back(std::max(0.0, Now() - begin - clock_cost) / batch);
  }

  // Does so until there are samples enough.
  template <typename F>
  void Repeat(int batch, F operation) {
    for (int i = 0; i < batch; ++i) operation();  // Caches, patched call sites, spinning peers.
    while (More()) Time(batch, operation);
  }

  double median() const { return Median(samples_); }

 private:
  const int64_t begin_ = Now();
  std::vector<double> samples_;
};

class Fd {
 public:
  explicit Fd(long fd) : fd_(static_cast<int>(Must(fd, "open"))) {}
  Fd(const Fd&) = delete;
  ~Fd() { Close(); }
  operator int() const { return fd_; }
  void Close() {
    if (fd_ >= 0) close(fd_);
    fd_ = -1;
  }

 private:
  int fd_;
};

std::string Path(const char* name) { return directory + "/" + name; }

// Busy for about `microseconds`, without a call.
void Compute(int64_t microseconds) {
  int64_t end = Now() + microseconds * 1000;
  while (Now() < end) {
  }
}

// --- Calls that need little or nothing ---

void GetPid(Meter& m) {
  m.Repeat(100, [] { syscall(SYS_getpid); });
}

void GetPpid(Meter& m) {
  m.Repeat(100, [] { syscall(SYS_getppid); });
}

void SigProcMask(Meter& m) {
  sigset_t set;
  sigemptyset(&set);
  m.Repeat(100, [&] { sigprocmask(SIG_BLOCK, &set, nullptr); });
}

void ClockVdso(Meter& m) {
  m.Repeat(100, [] { Now(); });
}

void ClockRaw(Meter& m) {
  timespec now;
  m.Repeat(100, [&] { syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now); });
}

template <int kMicroseconds>
void GetPpidAfterComputing(Meter& m) {
  while (m.More()) {
    Compute(kMicroseconds);
    m.Time(1, [] { syscall(SYS_getppid); });
  }
}

// --- Files ---

void Fstat(Meter& m) {
  Fd file(open(Path("data").c_str(), O_RDONLY));
  struct stat st;
  m.Repeat(50, [&] { Must(fstat(file, &st), "fstat"); });
}

template <int kBytes>
void Pread(Meter& m) {
  Fd file(open(Path("data").c_str(), O_RDONLY));
  m.Repeat(20, [&] { Must(pread(file, buffer, kBytes, 8192), "pread"); });
}

template <int kBytes>
void Pwrite(Meter& m) {
  Fd file(open(Path("data").c_str(), O_RDWR));
  m.Repeat(20, [&] { Must(pwrite(file, buffer, kBytes, 8192), "pwrite"); });
}

template <int kMicroseconds>
void PreadAfterComputing(Meter& m) {
  Fd file(open(Path("data").c_str(), O_RDONLY));
  while (m.More()) {
    Compute(kMicroseconds);
    m.Time(1, [&] { Must(pread(file, buffer, kPage, 8192), "pread"); });
  }
}

void Lseek(Meter& m) {
  Fd file(open(Path("data").c_str(), O_RDONLY));
  m.Repeat(50, [&] { Must(lseek(file, 0, SEEK_SET), "lseek"); });
}

// In DIR, which a sandbox shares with the host, or on its root, which is its own.
enum class Place { kShared, kDeep, kRoot };

std::string FileAt(Place place) {
  if (place == Place::kRoot) return "/etc/passwd";
  return Path(place == Place::kDeep ? "deep/er/still/file" : "data");
}

template <Place kPlace>
void OpenClose(Meter& m) {
  std::string path = FileAt(kPlace);
  m.Repeat(10, [&] { Fd file(open(path.c_str(), O_RDONLY)); });
}

template <Place kPlace>
void Stat(Meter& m) {
  std::string path = FileAt(kPlace);
  struct stat st;
  m.Repeat(20, [&] { Must(stat(path.c_str(), &st), "stat"); });
}

template <Place kPlace>
void StatMissing(Meter& m) {
  std::string path = FileAt(kPlace) + "-missing";
  struct stat st;
  m.Repeat(20, [&] {
    if (stat(path.c_str(), &st) == 0) throw CaseFailed{"stat", EEXIST};
  });
}

void CreateUnlink(Meter& m) {
  std::string path = Path("created");
  m.Repeat(5, [&] {
    Fd file(open(path.c_str(), O_RDWR | O_CREAT | O_EXCL, 0600));
    Must(unlink(path.c_str()), "unlink");
  });
}

void ReadDir(Meter& m) {
  std::string path = Path("hundred");
  m.Repeat(2, [&] {
    DIR* dir = opendir(path.c_str());
    if (dir == nullptr) throw CaseFailed{"opendir", errno};
    int entries = 0;
    while (readdir(dir) != nullptr) ++entries;
    closedir(dir);
    if (entries != 102) throw CaseFailed{"readdir", ENOENT};
  });
}

// --- Between descriptors, and between processes ---

void PipeToSelf(Meter& m) {
  int ends[2];
  Must(pipe(ends), "pipe");
  Fd reader(ends[0]), writer(ends[1]);
  m.Repeat(20, [&] {
    Must(write(writer, "x", 1), "write");
    Must(read(reader, buffer, 1), "read");
  });
}

// A child that returns every byte it gets, until there are no more.
pid_t StartEcho(int reader, int writer, int parents_reader, int parents_writer) {
  pid_t child = static_cast<pid_t>(Must(fork(), "fork"));
  if (child != 0) return child;
  close(parents_reader);
  close(parents_writer);
  char byte;
  while (read(reader, &byte, 1) == 1 && write(writer, &byte, 1) == 1) {
  }
  _exit(0);
}

void RoundTrips(Meter& m, int reader, int writer) {
  m.Repeat(5, [&] {
    Must(write(writer, "x", 1), "write");
    Must(read(reader, buffer, 1), "read");
  });
}

void PipePingPong(Meter& m) {
  int there[2], back[2];
  Must(pipe(there), "pipe");
  Must(pipe(back), "pipe");
  pid_t child = StartEcho(there[0], back[1], back[0], there[1]);
  close(there[0]);
  close(back[1]);
  Fd reader(back[0]), writer(there[1]);
  RoundTrips(m, reader, writer);
  writer.Close();
  Must(waitpid(child, nullptr, 0), "waitpid");
}

void UnixPingPong(Meter& m) {
  int ends[2];
  Must(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), "socketpair");
  pid_t child = StartEcho(ends[1], ends[1], ends[0], -1);
  close(ends[1]);
  Fd mine(ends[0]);
  RoundTrips(m, mine, mine);
  mine.Close();
  Must(waitpid(child, nullptr, 0), "waitpid");
}

void EventFdEpoll(Meter& m) {
  Fd event(eventfd(0, 0)), poll(epoll_create1(0));
  epoll_event interest = {.events = EPOLLIN, .data = {}};
  Must(epoll_ctl(poll, EPOLL_CTL_ADD, event, &interest), "epoll_ctl");
  m.Repeat(10, [&] {
    uint64_t count = 1;
    epoll_event ready;
    Must(write(event, &count, sizeof(count)), "write");
    Must(epoll_wait(poll, &ready, 1, -1), "epoll_wait");
    Must(read(event, &count, sizeof(count)), "read");
  });
}

void RaiseHandled(Meter& m) {
  struct sigaction action = {};
  action.sa_handler = [](int) {};
  Must(sigaction(SIGUSR1, &action, nullptr), "sigaction");
  m.Repeat(10, [] { raise(SIGUSR1); });
}

// --- Memory ---

void* Map(size_t size, int protection, int flags, int fd) {
  void* address = mmap(nullptr, size, protection, flags, fd, 0);
  if (address == MAP_FAILED) throw CaseFailed{"mmap", errno};
  return address;
}

void* MapAnonymous(size_t size) {
  return Map(size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
}

void MapUnmap(Meter& m) {
  m.Repeat(10, [] { Must(munmap(MapAnonymous(1 << 16), 1 << 16), "munmap"); });
}

void PageFault(Meter& m) {
  constexpr int kPages = 256;
  while (m.More()) {
    char* pages = static_cast<char*>(MapAnonymous(kPages * kPage));
    madvise(pages, kPages * kPage, MADV_NOHUGEPAGE);
    volatile char* next = pages;
    m.Time(kPages, [&] {
      *next = 1;
      next += kPage;
    });
    Must(munmap(pages, kPages * kPage), "munmap");
  }
}

// mmap, the fault of one page, munmap.
void FileMap(Meter& m) {
  Fd file(open(Path("data").c_str(), O_RDONLY));
  m.Repeat(10, [&] {
    void* pages = Map(1 << 16, PROT_READ, MAP_PRIVATE, file);
    (void)*static_cast<volatile char*>(pages);
    Must(munmap(pages, 1 << 16), "munmap");
  });
}

// --- Threads and processes ---

void StartThread(pthread_t* thread, void* (*body)(void*), void* argument) {
  errno = pthread_create(thread, nullptr, body, argument);
  if (errno != 0) throw CaseFailed{"pthread_create", errno};
}

void ThreadCreateJoin(Meter& m) {
  m.Repeat(2, [] {
    pthread_t thread;
    StartThread(
        &thread, [](void*) -> void* { return nullptr; }, nullptr);
    pthread_join(thread, nullptr);
  });
}

// Two threads that take turns.
struct Turns {
  pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
  bool others_turn = false;
  bool done = false;
};

void* TakeTurns(void* argument) {
  Turns& turns = *static_cast<Turns*>(argument);
  pthread_mutex_lock(&turns.mutex);
  for (;;) {
    while (!turns.others_turn && !turns.done) pthread_cond_wait(&turns.changed, &turns.mutex);
    if (turns.done) break;
    turns.others_turn = false;
    pthread_cond_signal(&turns.changed);
  }
  pthread_mutex_unlock(&turns.mutex);
  return nullptr;
}

void CondvarPingPong(Meter& m) {
  Turns turns;
  pthread_t other;
  StartThread(&other, TakeTurns, &turns);
  pthread_mutex_lock(&turns.mutex);
  m.Repeat(10, [&] {
    turns.others_turn = true;
    pthread_cond_signal(&turns.changed);
    while (turns.others_turn) pthread_cond_wait(&turns.changed, &turns.mutex);
  });
  turns.done = true;
  pthread_cond_signal(&turns.changed);
  pthread_mutex_unlock(&turns.mutex);
  pthread_join(other, nullptr);
}

void WaitFor(pid_t child) {
  int status;
  Must(waitpid(child, &status, 0), "waitpid");
  if (status != 0) throw CaseFailed{"the child", ECHILD};
}

void ForkExitWait(Meter& m) {
  m.Repeat(1, [] {
    pid_t child = static_cast<pid_t>(Must(fork(), "fork"));
    if (child == 0) _exit(0);
    WaitFor(child);
  });
}

void VforkExecWait(Meter& m) {
  char path[] = "/proc/self/exe", option[] = "--exit";
  char* arguments[] = {path, option, nullptr};
  m.Repeat(1, [&] {
    pid_t child = static_cast<pid_t>(Must(vfork(), "vfork"));
    if (child == 0) {
      execv(path, arguments);
      _exit(127);
    }
    WaitFor(child);
  });
}

struct Case {
  const char* name;
  void (*run)(Meter&);
};

// The names are keys of the results that `run` writes: add, do not rename.
constexpr Case kCases[] = {
    {"getpid", GetPid},
    {"rt_sigprocmask", SigProcMask},
    {"clock_gettime_vdso", ClockVdso},
    {"clock_gettime_raw", ClockRaw},
    {"getppid", GetPpid},
    {"getppid_after_20us", GetPpidAfterComputing<20>},
    {"getppid_after_200us", GetPpidAfterComputing<200>},
    {"fstat", Fstat},
    {"pread_1", Pread<1>},
    {"pread_4k", Pread<4096>},
    {"pread_4k_after_20us", PreadAfterComputing<20>},
    {"pread_4k_after_200us", PreadAfterComputing<200>},
    {"pread_64k", Pread<65536>},
    {"pwrite_4k", Pwrite<4096>},
    {"pwrite_64k", Pwrite<65536>},
    {"lseek", Lseek},
    {"stat", Stat<Place::kShared>},
    {"stat_deep", Stat<Place::kDeep>},
    {"stat_root", Stat<Place::kRoot>},
    {"stat_missing", StatMissing<Place::kShared>},
    {"stat_missing_root", StatMissing<Place::kRoot>},
    {"open_close", OpenClose<Place::kShared>},
    {"open_close_root", OpenClose<Place::kRoot>},
    {"create_unlink", CreateUnlink},
    {"readdir_100", ReadDir},
    {"pipe_to_self", PipeToSelf},
    {"pipe_ping_pong", PipePingPong},
    {"unix_ping_pong", UnixPingPong},
    {"eventfd_epoll", EventFdEpoll},
    {"raise_handled", RaiseHandled},
    {"mmap_munmap_64k", MapUnmap},
    {"page_fault", PageFault},
    {"file_mmap", FileMap},
    {"thread_create_join", ThreadCreateJoin},
    {"condvar_ping_pong", CondvarPingPong},
    {"fork_exit_wait", ForkExitWait},
    {"vfork_exec_wait", VforkExecWait},
};

void PrepareFiles() {
  Fd data(open(Path("data").c_str(), O_RDWR | O_CREAT, 0600));
  for (size_t at = 0; at < kFileSize; at += sizeof(buffer)) {
    Must(pwrite(data, buffer, sizeof(buffer), at), "pwrite");
  }
  for (const char* name : {"deep", "deep/er", "deep/er/still"}) mkdir(Path(name).c_str(), 0700);
  Fd deep(open(Path("deep/er/still/file").c_str(), O_RDWR | O_CREAT, 0600));
  mkdir(Path("hundred").c_str(), 0700);
  for (int i = 0; i < 100; ++i) {
    std::string path = Path("hundred") + "/file" + std::to_string(i);
    Fd file(open(path.c_str(), O_RDWR | O_CREAT, 0600));
  }
}

void RunCase(const Case& one) {
  try {
    Meter meter;
    one.run(meter);
    std::printf("%s\t%.1f\n", one.name, meter.median());
  } catch (const CaseFailed& failed) {
    std::printf("%s\terror\t%s: %s\n", one.name, failed.what, std::strerror(failed.error));
  }
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 2 && std::strcmp(argv[1], "--exit") == 0) return 0;
  if (argc < 2) {
    std::fprintf(stderr, "usage: calls DIR [NAME-PREFIX]\n");
    return 2;
  }
  directory = argv[1];
  const std::string prefix = argc > 2 ? argv[2] : "";
  try {
    PrepareFiles();
  } catch (const CaseFailed& failed) {
    std::fprintf(stderr, "calls: %s: %s\n", failed.what, std::strerror(failed.error));
    return 1;
  }
  for (const Case& one : kCases) {
    if (std::string(one.name).compare(0, prefix.size(), prefix) == 0) RunCase(one);
  }
  return 0;
}
