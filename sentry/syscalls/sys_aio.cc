// SPDX-License-Identifier: Apache-2.0
#include "sentry/syscalls/sys_aio.h"

#include <sys/mman.h>

#include "sentry/fs/eventfd/eventfd.h"
#include "sentry/syscalls/aio_context.h"
#include "sentry/syscalls/blocking.h"
#include "sentry/syscalls/poll_set.h"
#include "sentry/syscalls/temporary_mask.h"
#include "sentry/syscalls/transfer.h"

namespace redoubt::syscalls {

namespace {

Result<RefPtr<AioContext>> FindContext(Task& task, uint64_t address) {
  mm::MemoryMap::Attached found = task.memory()->FindAttachment(address);
  auto* context = dynamic_cast<AioContext*>(found.attachment.get());
  if (context == nullptr) return Errno(EINVAL);
  return RefPtr<AioContext>(context);
}

// What io_submit refuses, besides what the operation itself finds wrong.
Result<void> CheckRequest(const iocb& request) {
  if (request.aio_reserved2 != 0) return Errno(EINVAL);
  if (static_cast<int64_t>(request.aio_nbytes) < 0) return Errno(EINVAL);
  constexpr uint32_t kKnown = IOCB_FLAG_RESFD | IOCB_FLAG_IOPRIO;
  if ((request.aio_flags & ~kKnown) != 0) return Errno(EINVAL);
  return {};
}

bool HasData(const vfs::FileDescription& file) {
  uint32_t type = file.inode()->type();
  return type != S_IFDIR && type != S_IFLNK;
}

// EBADF, EINVAL: told by io_submit itself, not by an event.
Result<void> CheckTransfer(const iocb& request, const vfs::FileDescription& file, bool write) {
  if (write ? !file.writable() : !file.readable()) return Errno(EBADF);
  if (!HasData(file) || request.aio_offset < 0) return Errno(EINVAL);
  return {};
}

Result<SyscallResult> Transfer(Task& task, vfs::FileDescription& file, const iocb& request,
                               bool write, bool vector) {
  TRY(CheckTransfer(request, file, write));
  UserSegments segments =
      TRY(vector ? UserSegments::FromIovec(task, request.aio_buf, request.aio_nbytes)
                 : UserSegments::FromBuffer(request.aio_buf, request.aio_nbytes));
  TransferOptions options;
  uint32_t type = file.inode()->type();
  if (type == S_IFREG || type == S_IFBLK) {
    options.offset = static_cast<uint64_t>(request.aio_offset);
  }
  return write ? WriteFile(task, file, segments, options) : ReadFile(task, file, segments, options);
}

Result<SyscallResult> Run(Task& task, vfs::FileDescription& file, const iocb& request) {
  switch (request.aio_lio_opcode) {
    case IOCB_CMD_PREAD:
    case IOCB_CMD_PREADV:
      return Transfer(task, file, request, false, request.aio_lio_opcode == IOCB_CMD_PREADV);
    case IOCB_CMD_PWRITE:
    case IOCB_CMD_PWRITEV:
      return Transfer(task, file, request, true, request.aio_lio_opcode == IOCB_CMD_PWRITEV);
    case IOCB_CMD_FSYNC:
    case IOCB_CMD_FDSYNC: {
      if (request.aio_buf != 0 || request.aio_offset != 0 || request.aio_nbytes != 0) {
        return Errno(EINVAL);
      }
      if (!file.inode()->IsRegular() && !file.inode()->IsDirectory()) return Errno(EINVAL);
      Result<void> synced = file.Sync(request.aio_lio_opcode == IOCB_CMD_FDSYNC);
      return synced.ok() ? SyscallResult(0UL) : SyscallResult(synced.error());
    }
    default:
      return Errno(EINVAL);  // IOCB_CMD_POLL too.
  }
}

Result<FileRef> FindEventFd(Task& task, const iocb& request) {
  if ((request.aio_flags & IOCB_FLAG_RESFD) == 0) return FileRef();
  FileRef file = TRY(task.fd_table()->GetForIo(static_cast<int>(request.aio_resfd)));
  if (dynamic_cast<fs::EventFd*>(file.get()) == nullptr) return Errno(EINVAL);
  return file;
}

// One request, whose struct iocb is at `address`.
Result<void> Submit(Task& task, AioContext& context, uint64_t address) {
  iocb request = TRY(task.CopyIn<iocb>(address));
  TRY(CheckRequest(request));
  FileRef file = TRY(task.fd_table()->GetForIo(static_cast<int>(request.aio_fildes)));
  FileRef event_fd = TRY(FindEventFd(task, request));
  TRY(task.CopyOut(address + offsetof(iocb, aio_key), uint32_t{0}));  // KIOCB_KEY
  TRY(context.Begin());
  Result<SyscallResult> ran = Run(task, *file, request);
  if (!ran.ok()) {
    context.Abandon();
    return ran.error();
  }
  io_event event{};
  event.data = request.aio_data;
  event.obj = address;
  event.res = ran->ok() ? static_cast<int64_t>(**ran) : -int64_t{ran->error().value()};
  // A restart makes no sense for what is finished.
  if (event.res <= -512) event.res = -EINTR;
  context.Finish(event);
  if (event_fd) static_cast<fs::EventFd&>(*event_fd).Signal(1);
  return {};
}

// Takes what is there, and waits while that is less than `least`.
SyscallResult TakeEvents(Task& task, AioContext& context, uint64_t least, uint64_t most,
                         uint64_t to, Deadline deadline) {
  uint64_t taken = 0;
  auto take = [&]() -> Result<void> {
    while (taken < most) {
      Result<io_event> event = context.Take();
      if (event.Is(EAGAIN)) break;
      if (!event.ok()) return event.error();
      TRY(task.CopyOut(to + taken * sizeof(io_event), *event));
      ++taken;
    }
    return taken >= least ? Result<void>() : Errno(EAGAIN);
  };
  Result<void> result = take();
  if (result.Is(EAGAIN)) {
    result = BlockOn(task, context.wait_queue(), EPOLLIN, deadline, take);
  }
  if (taken > 0 || result.ok() || result.Is(ETIMEDOUT)) return taken;
  if (result.Is(kernel::ERESTARTSYS)) return Errno(EINTR);
  return result.error();
}

SyscallResult GetEvents(Task& task, uint64_t address, int64_t least, int64_t most, uint64_t events,
                        UserIn<abi::Timespec> timeout) {
  Deadline deadline = kNoDeadline;
  if (timeout) {
    abi::Timespec limit = TRY(timeout.Read(task));
    if (!limit.IsValid()) return Errno(EINVAL);
    deadline = DeadlineIn(abi::ToNanoseconds(limit));
  }
  RefPtr<AioContext> context = TRY(FindContext(task, address));
  if (least < 0 || most < least) return Errno(EINVAL);
  return TakeEvents(task, *context, static_cast<uint64_t>(least), static_cast<uint64_t>(most),
                    events, deadline);
}

}  // namespace

SyscallResult SysIoSetup(Task& task, uint32_t requests, UserInOut<uint64_t> user) {
  uint64_t old = TRY(user.Read(task));
  constexpr uint32_t kMost = 0x10000000 / sizeof(io_event);
  if (old != 0 || requests == 0 || requests > kMost) return Errno(EINVAL);
  RefPtr<AioContext> context = TRY(AioContext::Create(requests));
  mm::MapRequest page;
  page.length = mm::kPageSize;
  page.protection = PROT_READ | PROT_WRITE;
  page.flags = MAP_PRIVATE | MAP_ANONYMOUS;
  uint64_t address = TRY(task.memory()->Map(task.context(), page));
  task.memory()->AddAttachment(address, mm::kPageSize, context);
  Result<void> written = user.Write(task, address);
  if (!written.ok()) {
    (void)task.memory()->Unmap(task.context(), address, mm::kPageSize);
    return written.error();
  }
  return 0UL;
}

SyscallResult SysIoDestroy(Task& task, UserAddress address) {
  RefPtr<AioContext> context = TRY(FindContext(task, address.address()));
  context->Destroy();
  (void)task.memory()->TakeAttachment(address.address());
  (void)task.memory()->Unmap(task.context(), address.address(), mm::kPageSize);
  return 0UL;
}

SyscallResult SysIoSubmit(Task& task, UserAddress address, int64_t count, UserAddress requests) {
  if (count < 0) return Errno(EINVAL);
  RefPtr<AioContext> context = TRY(FindContext(task, address.address()));
  constexpr int64_t kMost = 1 << 16;  // More than any context holds.
  count = std::min(count, kMost);
  int64_t done = 0;
  for (; done < count; ++done) {
    auto request =
        task.CopyIn<uint64_t>(requests.address() + static_cast<uint64_t>(done) * sizeof(uint64_t));
    Result<void> submitted = request.ok() ? Submit(task, *context, *request) : request.error();
    if (submitted.ok()) continue;
    if (done == 0) return submitted.error();
    break;
  }
  return static_cast<uint64_t>(done);
}

// Nothing is ever in flight.
SyscallResult SysIoCancel(Task& task, UserAddress address, UserAddress request, UserAddress) {
  uint32_t key = TRY(task.CopyIn<uint32_t>(request.address() + offsetof(iocb, aio_key)));
  if (key != 0) return Errno(EINVAL);
  TRY(FindContext(task, address.address()));
  return Errno(EINVAL);
}

SyscallResult SysIoGetevents(Task& task, UserAddress address, int64_t least, int64_t most,
                             UserAddress events, UserIn<abi::Timespec> timeout) {
  return GetEvents(task, address.address(), least, most, events.address(), timeout);
}

SyscallResult SysIoPgetevents(Task& task, UserAddress address, int64_t least, int64_t most,
                              UserAddress events, UserIn<abi::Timespec> timeout,
                              UserAddress user_mask) {
  // struct __aio_sigset.
  struct MaskArgument {
    uint64_t address = 0;
    uint64_t size = 0;
  };
  MaskArgument mask;
  if (user_mask) mask = TRY(task.CopyIn<MaskArgument>(user_mask.address()));
  TRY(SetTemporaryMask(task, mask.address, mask.size));
  SyscallResult result =
      GetEvents(task, address.address(), least, most, events.address(), timeout);
  EndTemporaryMask(task, result, EINTR);
  return result;
}

}  // namespace redoubt::syscalls
