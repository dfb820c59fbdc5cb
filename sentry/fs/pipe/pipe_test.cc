// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <sys/ioctl.h>

#include <string>
#include <thread>
#include <vector>

#include "sentry/fs/anon/anonymous_inode.h"
#include "sentry/fs/pipe/pipe_file.h"
#include "sentry/fs/testing/testing.h"

namespace redoubt::fs {
namespace {

constexpr EventMask kAll = EPOLLIN | EPOLLOUT | EPOLLRDNORM | EPOLLWRNORM;
constexpr EventMask kIn = EPOLLIN | EPOLLRDNORM;
constexpr EventMask kOut = EPOLLOUT | EPOLLWRNORM;

class PipeTest : public testing::Test {
 protected:
  PipeTest() {
    PipeEnds ends = CreatePipe(0, 0, 0).value();
    read_ = ends.read;
    write_ = ends.write;
  }
  void Fill() {
    while (WriteText(*write_, std::string(4096, 'x')).ok()) {
    }
  }
  RefPtr<vfs::FileDescription> read_, write_;
};

TEST_F(PipeTest, BytesComeOutInOrder) {
  EXPECT_EQ(WriteText(*write_, "hello ").value(), 6U);
  EXPECT_EQ(WriteText(*write_, "world").value(), 5U);
  EXPECT_EQ(ReadText(*read_, 3).value(), "hel");
  EXPECT_EQ(ReadText(*read_).value(), "lo world");
  EXPECT_TRUE(ReadText(*read_).Is(EAGAIN));
}

TEST_F(PipeTest, EmptyPipeWithoutWritersIsEndOfFile) {
  WriteText(*write_, "last").value();
  write_ = nullptr;
  EXPECT_EQ(ReadText(*read_).value(), "last");
  EXPECT_EQ(ReadText(*read_).value(), "");
  EXPECT_EQ(read_->Readiness(kAll), EventMask{EPOLLHUP});
}

TEST_F(PipeTest, WriteWithoutReadersIsEpipe) {
  read_ = nullptr;
  EXPECT_TRUE(WriteText(*write_, "x").Is(EPIPE));
  EXPECT_EQ(write_->Readiness(kAll), kOut | EPOLLERR);
}

TEST_F(PipeTest, WrongDirectionIsEbadf) {
  EXPECT_TRUE(WriteText(*read_, "x").Is(EBADF));
  EXPECT_TRUE(ReadText(*write_).Is(EBADF));
}

TEST_F(PipeTest, SeekingIsEspipe) {
  EXPECT_TRUE(read_->Seek(0, SEEK_SET).Is(ESPIPE));
  std::byte one;
  EXPECT_TRUE(read_->PRead({&one, 1}, 0).Is(ESPIPE));
  EXPECT_TRUE(write_->PWrite({&one, 1}, 0, RootCaller()).Is(ESPIPE));
}

TEST_F(PipeTest, HoldsSixteenPages) {
  EXPECT_EQ(WriteText(*write_, std::string(100000, 'x')).value(), 65536U);
  EXPECT_TRUE(WriteText(*write_, "y").Is(EAGAIN));
  EXPECT_EQ(PipeOf(*write_)->capacity(), 65536U);
  EXPECT_EQ((IoctlPointer<int32_t>(*read_, FIONREAD)).value(), 65536);
}

TEST_F(PipeTest, SmallWritesShareAPage) {
  for (int i = 0; i < 65536; ++i) ASSERT_TRUE(WriteText(*write_, "x").ok()) << i;
  EXPECT_TRUE(WriteText(*write_, "x").Is(EAGAIN));
}

TEST_F(PipeTest, WritableOnlyOnceAPageIsFree) {
  Fill();
  EXPECT_EQ(write_->Readiness(kAll), 0U);
  ReadText(*read_, 4095).value();
  EXPECT_EQ(write_->Readiness(kAll), 0U);
  EXPECT_TRUE(WriteText(*write_, "x").Is(EAGAIN));
  ReadText(*read_, 1).value();
  EXPECT_EQ(write_->Readiness(kAll), kOut);
}

TEST_F(PipeTest, AtomicWriteGoesInWholeOrNotAtAll) {
  for (int i = 0; i < 15; ++i) WriteText(*write_, std::string(4096, 'x')).value();
  WriteText(*write_, std::string(100, 'x')).value();
  EXPECT_TRUE(WriteText(*write_, std::string(4000, 'y')).Is(EAGAIN));
  EXPECT_EQ(WriteText(*write_, std::string(3996, 'y')).value(), 3996U);
  EXPECT_EQ(write_->atomic_size(), 4096U);
}

TEST_F(PipeTest, LargeWriteTakesWhatFits) {
  WriteText(*write_, std::string(60000, 'x')).value();
  const size_t taken = WriteText(*write_, std::string(10000, 'y')).value();
  EXPECT_GT(taken, 0U);
  EXPECT_LT(taken, 10000U);
}

TEST_F(PipeTest, ReadinessFollowsContent) {
  EXPECT_EQ(read_->Readiness(kAll), 0U);
  EXPECT_EQ(write_->Readiness(kAll), kOut);
  WriteText(*write_, "x").value();
  EXPECT_EQ(read_->Readiness(kAll), kIn);
  EXPECT_EQ(read_->Readiness(EPOLLOUT), 0U);
}

TEST_F(PipeTest, WakesReadersAndWriters) {
  Waiter reader(read_->wait_queue(), EPOLLIN), writer(write_->wait_queue(), EPOLLOUT);
  WriteText(*write_, "x").value();
  EXPECT_EQ(reader.count(), 1);
  EXPECT_EQ(writer.count(), 0);
  Fill();
  ReadText(*read_).value();
  EXPECT_EQ(writer.count(), 1);
  write_ = nullptr;
  EXPECT_TRUE(reader.seen() & EPOLLHUP);
}

TEST_F(PipeTest, CapacityIsAPowerOfTwoOfPages) {
  Pipe& pipe = *PipeOf(*read_);
  EXPECT_EQ(pipe.SetCapacity(1, false).value(), 4096U);
  EXPECT_EQ(pipe.SetCapacity(12289, false).value(), 16384U);
  EXPECT_EQ(pipe.SetCapacity(1 << 20, false).value(), size_t{1} << 20);
  EXPECT_TRUE(pipe.SetCapacity((1 << 20) + 1, false).Is(EPERM));
  EXPECT_EQ(pipe.SetCapacity((1 << 20) + 1, true).value(), size_t{1} << 21);
  EXPECT_TRUE(pipe.SetCapacity(size_t{1} << 32, true).Is(EINVAL));
}

TEST_F(PipeTest, CapacityCannotDropData) {
  WriteText(*write_, std::string(10000, 'x')).value();
  ReadText(*read_, 1000).value();
  Pipe& pipe = *PipeOf(*read_);
  EXPECT_TRUE(pipe.SetCapacity(8192, false).Is(EBUSY));
  EXPECT_EQ(pipe.SetCapacity(16384, false).value(), 16384U);
  EXPECT_EQ(ReadText(*read_).value(), std::string(9000, 'x'));
}

TEST(Pipe, PacketsKeepTheirBounds) {
  PipeEnds ends = CreatePipe(O_DIRECT, 0, 0).value();
  WriteText(*ends.write, "one").value();
  WriteText(*ends.write, "two").value();
  EXPECT_EQ(ReadText(*ends.read, 2).value(), "on");
  EXPECT_EQ(ReadText(*ends.read).value(), "two");
}

TEST(Pipe, UnknownFlagsAreEinval) {
  EXPECT_TRUE(CreatePipe(O_APPEND, 0, 0).error() == Errno(EINVAL));
  EXPECT_TRUE(CreatePipe(O_CLOEXEC | O_NONBLOCK, 0, 0).ok());
}

TEST(Pipe, AttributesAreAFifos) {
  PipeEnds ends = CreatePipe(0, 12, 34).value();
  vfs::Attributes attributes = ends.read->GetAttributes().value();
  EXPECT_EQ(attributes.mode, uint32_t{S_IFIFO | 0600});
  EXPECT_EQ(attributes.uid, 12U);
  EXPECT_EQ(attributes.inode_number, ends.write->GetAttributes().value().inode_number);
}

TEST(Pipe, CanBeOpenedAgain) {
  PipeEnds ends = CreatePipe(0, 0, 0).value();
  auto again = OpenFifo(ends.read->path(), O_WRONLY).value();
  EXPECT_TRUE(again->FinishOpen().ok());
  ends.write = nullptr;
  WriteText(*again, "x").value();
  EXPECT_EQ(ReadText(*ends.read).value(), "x");
  EXPECT_TRUE(ReadText(*ends.read).Is(EAGAIN));
}

class FifoTest : public testing::Test {
 protected:
  RefPtr<vfs::FileDescription> Open(uint32_t flags) { return OpenFifo(path_, flags).value(); }
  vfs::Path path_ = MakeAnonymousPath(AnonymousKind::kAnonymous, "fifo", S_IFIFO | 0600, 0, 0);
};

TEST_F(FifoTest, OpenWaitsForTheOtherEnd) {
  auto reader = Open(O_RDONLY);
  EXPECT_TRUE(reader->FinishOpen().Is(EAGAIN));
  auto writer = Open(O_WRONLY);
  EXPECT_TRUE(writer->FinishOpen().ok());
  EXPECT_TRUE(reader->FinishOpen().ok());
}

TEST_F(FifoTest, WriterWaitsForAReader) {
  auto writer = Open(O_WRONLY);
  EXPECT_TRUE(writer->FinishOpen().Is(EAGAIN));
  Waiter waiter(writer->wait_queue(), EPOLLIN | EPOLLOUT);
  auto reader = Open(O_RDONLY | O_NONBLOCK);
  EXPECT_GT(waiter.count(), 0);
  EXPECT_TRUE(writer->FinishOpen().ok());
}

TEST_F(FifoTest, OpenEndsEvenIfTheOtherEndIsGoneAgain) {
  auto reader = Open(O_RDONLY);
  Open(O_WRONLY);
  EXPECT_TRUE(reader->FinishOpen().ok());
  EXPECT_EQ(ReadText(*reader).value(), "");
}

TEST_F(FifoTest, NonblockingWriterWithoutReaderIsEnxio) {
  EXPECT_TRUE(OpenFifo(path_, O_WRONLY | O_NONBLOCK).Is(ENXIO));
  auto reader = Open(O_RDONLY | O_NONBLOCK);
  EXPECT_TRUE(reader->FinishOpen().ok());
  EXPECT_TRUE(OpenFifo(path_, O_WRONLY | O_NONBLOCK).ok());
}

TEST_F(FifoTest, ReadWriteNeverWaits) {
  auto both = Open(O_RDWR);
  EXPECT_TRUE(both->FinishOpen().ok());
  WriteText(*both, "x").value();
  EXPECT_EQ(both->Readiness(kAll), kIn | kOut);
  EXPECT_EQ(ReadText(*both).value(), "x");
}

TEST_F(FifoTest, NoHangUpBeforeTheFirstWriter) {
  auto reader = Open(O_RDONLY | O_NONBLOCK);
  EXPECT_EQ(reader->Readiness(kAll), 0U);
  Open(O_WRONLY);
  EXPECT_EQ(reader->Readiness(kAll), EventMask{EPOLLHUP});
}

TEST_F(FifoTest, ContentGoesWithTheLastEnd) {
  {
    auto both = Open(O_RDWR);
    WriteText(*both, "x").value();
  }
  auto both = Open(O_RDWR);
  EXPECT_TRUE(ReadText(*both).Is(EAGAIN));
}

TEST(PipeThreads, NothingIsLostBetweenThreads) {
  PipeEnds ends = CreatePipe(0, 0, 0).value();
  constexpr size_t kTotal = 8 << 20;
  std::thread writer([file = std::move(ends.write)]() mutable {
    size_t sent = 0;
    std::string piece;
    while (sent < kTotal) {
      piece.clear();
      for (size_t i = 0; i < std::min<size_t>(1 + sent % 9000, kTotal - sent); ++i) {
        piece.push_back(static_cast<char>((sent + i) % 251));
      }
      Result<size_t> n = WriteText(*file, piece);
      if (n.ok()) {
        sent += *n;
      } else {
        ASSERT_TRUE(n.Is(EAGAIN));
        ASSERT_TRUE(WaitReady(*file, EPOLLOUT));
      }
    }
    file = nullptr;
  });
  size_t received = 0;
  while (true) {
    Result<std::string> text = ReadText(*ends.read, 5000);
    if (text.Is(EAGAIN)) {
      ASSERT_TRUE(WaitReady(*ends.read, EPOLLIN));
      continue;
    }
    if (text->empty()) break;
    for (char c : *text) ASSERT_EQ(c, static_cast<char>(received++ % 251));
  }
  writer.join();
  EXPECT_EQ(received, kTotal);
}

TEST(PipeThreads, AtomicWritesAreNotMixed) {
  PipeEnds ends = CreatePipe(0, 0, 0).value();
  constexpr int kWrites = 1000;
  std::vector<std::thread> writers;
  for (char letter : {'a', 'b', 'c'}) {
    writers.emplace_back([letter, file = ends.write] {
      for (int i = 0; i < kWrites;) {
        if (WriteText(*file, std::string(1000, letter)).ok()) {
          ++i;
        } else {
          WaitReady(*file, EPOLLOUT);
        }
      }
    });
  }
  std::string all;
  while (all.size() < 3000 * kWrites) {
    Result<std::string> text = ReadText(*ends.read);
    if (text.ok()) {
      all += *text;
    } else {
      ASSERT_TRUE(WaitReady(*ends.read, EPOLLIN));
    }
  }
  for (std::thread& writer : writers) writer.join();
  for (size_t i = 0; i < all.size(); i += 1000) {
    ASSERT_EQ(all.substr(i, 1000), std::string(1000, all[i]));
  }
}

TEST_F(FifoTest, ManyOpenersMeetInOnePipe) {
  for (int round = 0; round < 200; ++round) {
    std::thread other([&] {
      auto writer = Open(O_WRONLY);
      while (!writer->FinishOpen().ok()) WaitReady(*writer, EPOLLOUT);
      WriteText(*writer, "x").value();
    });
    auto reader = Open(O_RDONLY);
    while (!reader->FinishOpen().ok()) std::this_thread::yield();
    Result<std::string> text = ReadText(*reader);
    while (text.Is(EAGAIN)) {
      std::this_thread::yield();
      text = ReadText(*reader);
    }
    ASSERT_EQ(text.value(), "x");
    other.join();
  }
}

}  // namespace
}  // namespace redoubt::fs
