#include "entrepot/base/bytes.hpp"

#include <gtest/gtest.h>

namespace entrepot::base::bytes_test {
namespace {

using namespace std::string_literals;

TEST(Hex, is_lower_case_and_comes_back) {
  const std::string all("\x00\x0f\xa5\xff", 4);
  EXPECT_EQ(to_hex(as_bytes(all)), "000fa5ff");
  EXPECT_EQ(from_hex("000fa5ff"), all);
  EXPECT_EQ(from_hex(""), "");
}

TEST(Hex, refuses_everything_else) {
  for (const auto* text : {"0", "0A", "0g", " 0", "0x", "ff ", "\xff\xff"}) {
    EXPECT_EQ(from_hex(text), std::nullopt) << text;
  }
}

// RFC 4648 section 10.
TEST(Base64, test_vectors_of_the_rfc_both_ways) {
  const std::pair<const char*, const char*> rows[] = {{"", ""},
                                                      {"f", "Zg=="},
                                                      {"fo", "Zm8="},
                                                      {"foo", "Zm9v"},
                                                      {"foob", "Zm9vYg=="},
                                                      {"fooba", "Zm9vYmE="},
                                                      {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, encoded] : rows) {
    EXPECT_EQ(to_base64(plain), encoded);
    EXPECT_EQ(from_base64(encoded), plain);
  }
}

TEST(Base64, padding_may_be_missing_but_not_wrong) {
  EXPECT_EQ(from_base64("Zg"), "f");
  EXPECT_EQ(from_base64("Zm8"), "fo");
  for (const auto* text :
       {"Z", "Zg=", "Zg===", "Zm9v=", "=", "Zg==Zg==", "Z g=", "Zm9\n", "Zm-_"}) {
    EXPECT_EQ(from_base64(text), std::nullopt) << text;
  }
}

TEST(Base64, any_byte_comes_back) {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte);
  for (std::size_t length = 0; length <= all.size(); ++length) {
    EXPECT_EQ(from_base64(to_base64(all.substr(0, length))), all.substr(0, length));
  }
}

}  // namespace
}  // namespace entrepot::base::bytes_test
