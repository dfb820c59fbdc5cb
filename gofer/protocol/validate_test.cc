// SPDX-License-Identifier: Apache-2.0
#include "gofer/protocol/validate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace redoubt::gofer {
namespace {

std::span<const std::byte> Bytes(const std::string& text) { return std::as_bytes(std::span(text)); }

Request GoodWalk() {
  Request request;
  request.set_sequence(7);
  request.mutable_walk()->set_directory(1);
  request.mutable_walk()->add_names("etc");
  return request;
}

bool Decodes(const Request& request) {
  Request copy;
  return DecodeRequest(Bytes(request.SerializeAsString()), &copy).ok();
}

TEST(IsValidName, KnowsWhatLeavesADirectory) {
  EXPECT_TRUE(IsValidName("a"));
  EXPECT_TRUE(IsValidName("..."));
  EXPECT_TRUE(IsValidName(std::string(255, 'x')));
  EXPECT_FALSE(IsValidName(""));
  EXPECT_FALSE(IsValidName("."));
  EXPECT_FALSE(IsValidName(".."));
  EXPECT_FALSE(IsValidName("a/b"));
  EXPECT_FALSE(IsValidName(std::string("a\0b", 3)));
  EXPECT_FALSE(IsValidName(std::string(256, 'x')));
}

TEST(IsValidXattrName, WantsANamespaceAndAName) {
  EXPECT_TRUE(IsValidXattrName("user.x"));
  EXPECT_FALSE(IsValidXattrName("user"));
  EXPECT_FALSE(IsValidXattrName("user."));
  EXPECT_FALSE(IsValidXattrName(".x"));
  EXPECT_FALSE(IsValidXattrName("user." + std::string(251, 'x')));
}

TEST(DecodeRequest, TakesWhatWasEncoded) {
  std::vector<std::byte> buffer(kMostMessageBytes);
  Result<size_t> size = Encode(GoodWalk(), buffer);
  ASSERT_TRUE(size.ok());
  Request request;
  ASSERT_TRUE(DecodeRequest(std::span(buffer).first(*size), &request).ok());
  EXPECT_EQ(request.sequence(), 7u);
  EXPECT_EQ(request.walk().names(0), "etc");
}

TEST(DecodeRequest, ChecksHaveStepsWithNames) {
  Request request;
  request.mutable_check()->set_directory(1);
  EXPECT_FALSE(Decodes(request));
  request.mutable_check()->add_steps()->set_name("a");
  EXPECT_TRUE(Decodes(request));
  request.mutable_check()->add_steps()->set_name("..");
  EXPECT_FALSE(Decodes(request));
  request.mutable_check()->mutable_steps(1)->set_name("b");
  for (int i = 0; i < kMostWalkNames; ++i) request.mutable_check()->add_steps()->set_name("x");
  EXPECT_FALSE(Decodes(request));
}

TEST(DecodeRequest, RefusesBadNamesAndCounts) {
  Request request = GoodWalk();
  request.mutable_walk()->add_names("..");
  EXPECT_FALSE(Decodes(request));
  request = GoodWalk();
  for (int i = 0; i < kMostWalkNames; ++i) request.mutable_walk()->add_names("x");
  EXPECT_FALSE(Decodes(request));
  request = GoodWalk();
  for (int i = 0; i <= kMostReleased; ++i) request.add_released(1);
  EXPECT_FALSE(Decodes(request));
  request = GoodWalk();
  request.mutable_walk()->clear_names();
  EXPECT_FALSE(Decodes(request));
  request.clear_operation();
  EXPECT_FALSE(Decodes(request));
  request.mutable_create()->set_name("x");
  request.mutable_create()->set_mode(0120777);
  EXPECT_FALSE(Decodes(request)) << "a symlink without a target";
  request.mutable_set_attributes()->mutable_access_time()->set_nanoseconds(1'000'000'000);
  EXPECT_FALSE(Decodes(request));
  request.mutable_read_directory()->set_cookie(-1);
  EXPECT_FALSE(Decodes(request));
}

TEST(DecodeRequest, SurvivesEveryCutAndRandomBytes) {
  std::string good = GoodWalk().SerializeAsString();
  Request request;
  for (size_t size = 0; size < good.size(); ++size) {
    (void)DecodeRequest(Bytes(good.substr(0, size)), &request);
  }
  std::mt19937 random(1);
  for (int round = 0; round < 20000; ++round) {
    std::string bytes(random() % 64, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random());
    (void)DecodeRequest(Bytes(bytes), &request);
    Response response;
    (void)DecodeResponse(Bytes(bytes), &response);
  }
}

TEST(DecodeResponse, RefusesNodesWithoutHandleAndHugeErrors) {
  Response response;
  response.add_nodes();
  Response copy;
  EXPECT_TRUE(DecodeResponse(Bytes(response.SerializeAsString()), &copy).Is(EBADMSG));
  response.Clear();
  response.set_error(5000);
  EXPECT_TRUE(DecodeResponse(Bytes(response.SerializeAsString()), &copy).Is(EBADMSG));
}

TEST(Encode, RefusesWhatIsTooLong) {
  Request request;
  request.mutable_set_xattr()->set_name("user.x");
  request.mutable_set_xattr()->set_value(std::string(kMostMessageBytes, 'x'));
  std::vector<std::byte> buffer(2 * kMostMessageBytes);
  EXPECT_TRUE(Encode(request, buffer).Is(EMSGSIZE));
}

}  // namespace
}  // namespace redoubt::gofer
