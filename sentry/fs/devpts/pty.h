// SPDX-License-Identifier: Apache-2.0
//
// Pty: a pseudo terminal: a line discipline between a master, where a terminal emulator types and
// looks, and slaves, where programs read and write.
//
// References are held by the master's file, slave files, the slave's inode, and the session that it
// controls (Terminal).
//
// Locks: mu_ (kPipe) is left before wait queues are woken and before JobControl is called.
#ifndef SENTRY_FS_DEVPTS_PTY_H_
#define SENTRY_FS_DEVPTS_PTY_H_

#include <cstdint>
#include <span>

#include "abi/linux/termios.h"
#include "base/sync/wait_queue.h"
#include "sentry/fs/devpts/devpts.h"
#include "sentry/fs/tty/job_control.h"
#include "sentry/fs/tty/line_discipline.h"
#include "sentry/vfs/file_description.h"

namespace redoubt::fs {

class Pty final : public Terminal {
 public:
  explicit Pty(int number) : number_(number) {}

  int number() const { return number_; }
  // Major 136 and up (Linux: UNIX98_PTY_SLAVE_MAJOR), 256 minors each.
  uint64_t device() const override;
  // A slave file.
  Result<RefPtr<vfs::FileDescription>> OpenAgain(const vfs::Path& path, uint32_t flags) override;
  // open(2) of the slave: EIO while it is locked or when the master has gone.
  Result<RefPtr<vfs::FileDescription>> OpenSlave(const vfs::Path& path, uint32_t flags,
                                                 const vfs::Caller& caller);

  // The master's side.
  Result<size_t> MasterRead(std::span<std::byte> buffer);
  Result<size_t> MasterWrite(std::span<const std::byte> keys);
  EventMask MasterReadiness();
  void MasterClosed();
  WaitQueue& master_queue() { return master_queue_; }
  void SetLocked(bool locked);
  bool locked();
  // TIOCPKT: reads begin with a byte that says what the rest is; see ioctl_tty(2).
  void SetPacketMode(bool on);
  bool packet_mode();

  // The slaves' side.
  void SlaveOpened();
  void SlaveClosed();
  Result<size_t> SlaveRead(std::span<std::byte> buffer);
  Result<size_t> SlaveWrite(std::span<const std::byte> text);
  EventMask SlaveReadiness();
  WaitQueue& slave_queue() { return slave_queue_; }
  bool HungUp();

  // Both sides.
  abi::Termios GetTermios();
  void SetTermios(const abi::Termios& termios, bool flush_input);
  abi::WindowSize GetWindowSize();
  // Tells the foreground group when it is another one.
  void SetWindowSize(const abi::WindowSize& size);
  // tcflush(3), tcflow(3): EINVAL for an unknown queue or action.
  Result<void> Flush(int queue);
  Result<void> Flow(int action);
  size_t InputBytes();
  size_t OutputBytes();

 private:
  // Tells everybody what the line discipline wants told.
  void Deliver(const LineDiscipline::Effects& effects);
  void AddPacketStatus(uint8_t status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const int number_;
  WaitQueue master_queue_;
  WaitQueue slave_queue_;
  Mutex<LockRank::kPipe> mu_;
  LineDiscipline line_ ABSL_GUARDED_BY(mu_);
  abi::WindowSize size_ ABSL_GUARDED_BY(mu_);
  bool locked_ ABSL_GUARDED_BY(mu_) = true;
  bool master_closed_ ABSL_GUARDED_BY(mu_) = false;
  int slaves_ ABSL_GUARDED_BY(mu_) = 0;
  bool slave_seen_ ABSL_GUARDED_BY(mu_) = false;
  bool packet_mode_ ABSL_GUARDED_BY(mu_) = false;
  uint8_t packet_status_ ABSL_GUARDED_BY(mu_) = 0;
};

// The open file of a master: open(2) of ptmx.
Result<RefPtr<vfs::FileDescription>> OpenMaster(RefPtr<DevptsSuperblock> superblock,
                                                const vfs::Path& path, uint32_t flags,
                                                const vfs::Caller& caller);

// ioctl(2) for both sides; ENOTTY for what a terminal does not know.
Result<uint64_t> PtyIoctl(Pty& pty, bool master, const vfs::IoctlRequest& request);

}  // namespace redoubt::fs

#endif  // SENTRY_FS_DEVPTS_PTY_H_
