// SPDX-License-Identifier: Apache-2.0
#include "sentry/fs/tmpfs/tmpfs.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/mman.h>

#include "sentry/fs/tmpfs/memfd.h"
#include "sentry/fs/tmpfs/vfs_fixture.h"

namespace redoubt::tmpfs {
namespace {

using vfs::Code;
using vfs::FileDescription;

std::span<const std::byte> Bytes(std::string_view text) { return std::as_bytes(std::span(text)); }

class TmpfsTest : public vfs::VfsTest {
 protected:
  TmpfsTest() { file = TryOpen(root, "/f", O_CREAT | O_RDWR).value(); }
  std::string ReadAt(uint64_t offset, size_t size) {
    std::string text(size, '?');
    size_t n = file->PRead(std::as_writable_bytes(std::span(text)), offset).value();
    text.resize(n);
    return text;
  }
  int WriteAt(uint64_t offset, std::string_view text) {
    auto done = file->PWrite(Bytes(text), offset, root);
    if (!done.ok()) return -done.error().value();
    return static_cast<int>(*done);
  }
  int Resize(uint64_t size) {
    vfs::AttributeChange change;
    change.size = size;
    return Code(file->SetAttributes(change));
  }
  RefPtr<FileDescription> file;
};

TEST_F(TmpfsTest, ReadsWhatWasWritten) {
  EXPECT_EQ(WriteAt(0, "hello"), 5);
  EXPECT_EQ(ReadAt(0, 10), "hello");
  EXPECT_EQ(ReadAt(3, 10), "lo");
  EXPECT_EQ(ReadAt(5, 10), "");
  EXPECT_EQ(ReadAt(500, 10), "");
}

TEST_F(TmpfsTest, PositionMovesWithReadAndWrite) {
  EXPECT_EQ(file->Write(Bytes("abc"), root).value(), 3u);
  EXPECT_EQ(file->Write(Bytes("def"), root).value(), 3u);
  EXPECT_EQ(file->Seek(1, SEEK_SET).value(), 1);
  std::byte two[2];
  EXPECT_EQ(file->Read(two).value(), 2u);
  EXPECT_EQ(file->Seek(0, SEEK_CUR).value(), 3);
  EXPECT_EQ(file->Seek(-2, SEEK_END).value(), 4);
  EXPECT_EQ(Code(file->Seek(-1, SEEK_SET)), EINVAL);
  EXPECT_EQ(Code(file->Seek(0, 99)), EINVAL);
}

TEST_F(TmpfsTest, AppendGoesToTheEnd) {
  WriteAt(0, "12345");
  auto appender = TryOpen(root, "/f", O_WRONLY | O_APPEND).value();
  EXPECT_EQ(appender->PWrite(Bytes("x"), 0, root).value(), 1u);
  EXPECT_EQ(appender->Write(Bytes("y"), root).value(), 1u);
  EXPECT_EQ(appender->Seek(0, SEEK_CUR).value(), 7);
  EXPECT_EQ(ReadAt(0, 100), "12345xy");
}

TEST_F(TmpfsTest, HolesReadAsZeroes) {
  EXPECT_EQ(WriteAt(10000, "x"), 1);
  EXPECT_EQ(ReadAt(0, 4), std::string(4, '\0'));
  EXPECT_EQ(file->GetAttributes()->size, 10001u);
  EXPECT_EQ(file->GetAttributes()->blocks, 8u);
}

TEST_F(TmpfsTest, SeekDataAndHole) {
  WriteAt(8192, "x");
  EXPECT_EQ(file->Seek(0, SEEK_DATA).value(), 8192);
  EXPECT_EQ(file->Seek(0, SEEK_HOLE).value(), 0);
  EXPECT_EQ(file->Seek(8192, SEEK_HOLE).value(), 8193);
  EXPECT_EQ(Code(file->Seek(8193, SEEK_DATA)), ENXIO);
  EXPECT_EQ(Code(file->Seek(9000, SEEK_HOLE)), ENXIO);
  Resize(20000);
  EXPECT_EQ(file->Seek(8192, SEEK_HOLE).value(), 12288);
  EXPECT_EQ(Code(file->Seek(12288, SEEK_DATA)), ENXIO);
}

TEST_F(TmpfsTest, TruncationForgets) {
  WriteAt(0, "0123456789");
  EXPECT_EQ(Resize(4), 0);
  EXPECT_EQ(Resize(10), 0);
  EXPECT_EQ(ReadAt(0, 20), std::string("0123\0\0\0\0\0\0", 10));
}

TEST_F(TmpfsTest, LargeFilesMoveToTheHost) {
  std::string big(3 << 20, 'b');
  EXPECT_EQ(WriteAt(0, "head"), 4);
  EXPECT_EQ(WriteAt(4, big), static_cast<int>(big.size()));
  EXPECT_EQ(ReadAt(0, 6), "headbb");
  EXPECT_EQ(file->GetAttributes()->size, big.size() + 4);
  EXPECT_EQ(file->GetAttributes()->blocks, (big.size() / 4096 + 1) * 8);
  Resize(2);
  EXPECT_EQ(ReadAt(0, 10), "he");
  EXPECT_EQ(file->GetAttributes()->blocks, 8u);
}

TEST_F(TmpfsTest, MappedFilesAreShared) {
  WriteAt(0, "before");
  auto mapping = file->Map(true);
  ASSERT_EQ(Code(mapping), 0);
  auto* memory =
      static_cast<char*>(mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, mapping->fd, 0));
  ASSERT_NE(memory, MAP_FAILED);
  EXPECT_STREQ(memory, "before");
  memory[0] = 'B';
  EXPECT_EQ(ReadAt(0, 10), "Before");
  WriteAt(1, "EFORE!");
  EXPECT_STREQ(memory, "BEFORE!");
  munmap(memory, 4096);
}

TEST_F(TmpfsTest, ReadOnlyMappingsStaySo) {
  WriteAt(0, "x");
  int fd = file->Map(false)->fd;
  EXPECT_EQ(mmap(nullptr, 4096, PROT_WRITE, MAP_SHARED, fd, 0), MAP_FAILED);
}

TEST_F(TmpfsTest, AllocateGrowsOrKeeps) {
  EXPECT_EQ(Code(file->Allocate(FALLOC_FL_KEEP_SIZE, 0, 10000)), 0);
  EXPECT_EQ(file->GetAttributes()->size, 0u);
  EXPECT_EQ(file->GetAttributes()->blocks, 24u);
  EXPECT_EQ(Code(file->Allocate(0, 0, 10000)), 0);
  EXPECT_EQ(file->GetAttributes()->size, 10000u);
  EXPECT_EQ(Code(file->Allocate(0, 0, 0)), EINVAL);
  EXPECT_EQ(Code(file->Allocate(0, 1, ~uint64_t{0} >> 1)), EFBIG);
  EXPECT_EQ(Code(file->Allocate(FALLOC_FL_COLLAPSE_RANGE, 0, 4096)), EOPNOTSUPP);
}

TEST_F(TmpfsTest, PunchHole) {
  for (bool on_host : {false, true}) {
    std::string text(20000, 'x');
    WriteAt(0, text);
    if (on_host) {
      ASSERT_TRUE(file->Map(true).ok());
    }
    EXPECT_EQ(Code(file->Allocate(FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 100, 12000)), 0);
    EXPECT_EQ(ReadAt(99, 2), std::string("x\0", 2));
    EXPECT_EQ(ReadAt(12099, 2), std::string("\0x", 2));
    EXPECT_EQ(file->GetAttributes()->size, 20000u);
    EXPECT_EQ(file->GetAttributes()->blocks, 32u);
    EXPECT_EQ(Code(file->Allocate(FALLOC_FL_PUNCH_HOLE, 0, 1)), EOPNOTSUPP);
  }
}

TEST_F(TmpfsTest, ZeroRange) {
  WriteAt(0, "0123456789");
  EXPECT_EQ(Code(file->Allocate(FALLOC_FL_ZERO_RANGE, 5, 10)), 0);
  EXPECT_EQ(ReadAt(0, 20), std::string("01234\0\0\0\0\0\0\0\0\0\0", 15));
}

TEST_F(TmpfsTest, FileSizeLimit) {
  root.file_size_limit = 10;
  EXPECT_EQ(WriteAt(5, "0123456789"), 5);
  EXPECT_EQ(WriteAt(10, "x"), -EFBIG);
}

TEST_F(TmpfsTest, SizeLimitIsEnospc) {
  UseRoot(NewMount(ParseOptions("size=40k,mode=755").value(), 0, "small"));
  file = TryOpen(root, "/f", O_CREAT | O_RDWR).value();
  EXPECT_EQ(WriteAt(0, std::string(39000, 'x')), 39000);
  EXPECT_EQ(WriteAt(39000, std::string(39000, 'x')), 40960 - 39000);
  EXPECT_EQ(WriteAt(40960, "x"), -ENOSPC);
  auto status = root.root.mount->superblock()->Status().value();
  EXPECT_EQ(status.blocks, 10u);
  EXPECT_EQ(status.blocks_free, 0u);
  EXPECT_EQ(status.magic, 0x01021994u);
  Resize(0);
  EXPECT_EQ(root.root.mount->superblock()->Status()->blocks_free, 10u);
}

TEST_F(TmpfsTest, SizeLimitHoldsForHostFiles) {
  UseRoot(NewMount(ParseOptions("size=1m").value(), 0, "small"));
  file = TryOpen(root, "/f", O_CREAT | O_RDWR).value();
  EXPECT_EQ(WriteAt(0, std::string(600 << 10, 'x')), 600 << 10);
  EXPECT_EQ(WriteAt(600 << 10, std::string(600 << 10, 'x')), 424 << 10);
  EXPECT_EQ(WriteAt(1 << 20, "x"), -ENOSPC);
  EXPECT_EQ(WriteAt(5, "overwrite"), 9);
  EXPECT_EQ(Code(file->Allocate(0, 0, 2 << 20)), ENOSPC);
  file = nullptr;
  EXPECT_EQ(Remove(root, "/f"), 0);
  EXPECT_EQ(root.root.mount->superblock()->Status()->blocks_free, 256u);
}

TEST_F(TmpfsTest, InodeLimitIsEnospc) {
  UseRoot(NewMount(ParseOptions("nr_inodes=3").value(), 0, "small"));
  EXPECT_EQ(Mkdir(root, "/1"), 0);
  EXPECT_EQ(Mkdir(root, "/2"), 0);
  EXPECT_EQ(Mkdir(root, "/3"), ENOSPC);
  EXPECT_EQ(Rmdir(root, "/1"), 0);
  EXPECT_EQ(Mkdir(root, "/3"), 0);
}

TEST_F(TmpfsTest, Options) {
  Options options = ParseOptions("size=64m,mode=700,uid=5,gid=6,nr_inodes=1k,huge=never").value();
  EXPECT_EQ(*options.size, 64u << 20);
  EXPECT_EQ(options.mode, 0700u);
  EXPECT_EQ(options.uid, 5u);
  EXPECT_EQ(options.gid, 6u);
  EXPECT_EQ(*options.inodes, 1024u);
  EXPECT_EQ(ParseOptions("").value(), Options{});
  EXPECT_TRUE(ParseOptions("size=50%").ok());
  for (const char* bad : {"size=", "size=x", "mode=9", "nonsense=1", "size=99999999999999999999",
                          "uid=-1", "size=18446744073709551615k", "nr_inodes=5%"}) {
    EXPECT_EQ(Code(ParseOptions(bad)), EINVAL) << bad;
  }
  auto shown = TmpfsSuperblock(ParseOptions("size=64m,mode=755").value()).ShowOptions();
  EXPECT_EQ(shown, "size=65536k,mode=755");
}

TEST_F(TmpfsTest, DirectoryEntriesHaveTypes) {
  Mkdir(root, "/d");
  Symlink("x", "/l");
  auto directory = TryOpen(root, "/", O_RDONLY).value();
  vfs::NameSink sink;
  ASSERT_TRUE(directory->ReadDirectory(sink).ok());
  EXPECT_EQ(sink.names, (std::vector<std::string>{".", "..", "f", "d", "l"}));
  EXPECT_EQ(sink.types, (std::vector<uint8_t>{DT_DIR, DT_DIR, DT_REG, DT_DIR, DT_LNK}));
}

TEST_F(TmpfsTest, HundredThousandFilesUseNoDescriptors) {
  int before = dup(0);
  close(before);
  Mkdir(root, "/many");
  for (int i = 0; i < 100000; ++i) {
    auto one = TryOpen(root, "/many/" + std::to_string(i), O_CREAT | O_WRONLY);
    ASSERT_EQ(Code(one), 0);
    ASSERT_TRUE((*one)->Write(Bytes("some content"), root).ok());
  }
  int after = dup(0);
  close(after);
  EXPECT_EQ(before, after);
  EXPECT_EQ(Get(root, "/many/77777"), "some content");
}

TEST_F(TmpfsTest, MemfdHasSeals) {
  auto memfd = CreateMemfd("test", MFD_ALLOW_SEALING, root).value();
  EXPECT_EQ(PathText(root, memfd->path()), "/memfd:test (deleted)");
  EXPECT_EQ(GetSeals(*memfd).value(), 0u);
  ASSERT_TRUE(memfd->Write(Bytes("12345"), root).ok());
  EXPECT_EQ(Code(AddSeals(*memfd, F_SEAL_GROW)), 0);
  EXPECT_EQ(Code(memfd->Write(Bytes("6"), root)), EPERM);
  EXPECT_EQ(memfd->PWrite(Bytes("x"), 0, root).value(), 1u);
  EXPECT_EQ(Code(AddSeals(*memfd, F_SEAL_SHRINK)), 0);
  vfs::AttributeChange change;
  change.size = 0;
  EXPECT_EQ(Code(memfd->SetAttributes(change)), EPERM);
  EXPECT_EQ(Code(AddSeals(*memfd, F_SEAL_WRITE | F_SEAL_SEAL)), 0);
  EXPECT_EQ(Code(memfd->PWrite(Bytes("x"), 0, root)), EPERM);
  EXPECT_EQ(Code(memfd->Map(true)), EPERM);
  EXPECT_EQ(Code(memfd->Map(false)), 0);
  EXPECT_EQ(Code(AddSeals(*memfd, 0)), EPERM);
  EXPECT_EQ(ReadAll(*memfd), "x2345");
}

TEST_F(TmpfsTest, WriteSealOfAMappedMemfdIsEbusy) {
  auto memfd = CreateMemfd("test", MFD_ALLOW_SEALING, root).value();
  ASSERT_TRUE(memfd->Write(Bytes("12345"), root).ok());
  void* memory = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, memfd->Map(true)->fd, 0);
  ASSERT_NE(memory, MAP_FAILED);
  EXPECT_EQ(Code(AddSeals(*memfd, F_SEAL_WRITE)), EBUSY);
  munmap(memory, 4096);
  EXPECT_EQ(Code(AddSeals(*memfd, F_SEAL_WRITE)), 0);
}

TEST_F(TmpfsTest, MemfdErrors) {
  EXPECT_EQ(Code(CreateMemfd("x", 1u << 20, root)), EINVAL);
  EXPECT_EQ(Code(CreateMemfd("x", MFD_HUGETLB, root)), EINVAL);
  EXPECT_EQ(Code(CreateMemfd(std::string(250, 'x'), 0, root)), EINVAL);
  auto plain = CreateMemfd("x", 0, root).value();
  EXPECT_EQ(GetSeals(*plain).value(), unsigned{F_SEAL_SEAL});
  EXPECT_EQ(Code(AddSeals(*plain, F_SEAL_GROW)), EPERM);
  EXPECT_EQ(Code(AddSeals(*file, F_SEAL_GROW)), EPERM);
}

}  // namespace
}  // namespace redoubt::tmpfs
