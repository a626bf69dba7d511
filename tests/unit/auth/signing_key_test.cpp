#include "auth/signing_key.hpp"

#include <sys/stat.h>

#include "unit/auth/gate_house.hpp"

namespace entrepot::auth::signing_key_test {
namespace {

struct SigningKeys : testing::Test {
  test::TempDir dir;
  std::filesystem::path path = dir.path() / "token.key";
};

TEST_F(SigningKeys, is_made_once_and_for_its_owner_alone) {
  const auto made = SigningKey::load_or_make(path);
  struct stat state{};
  ASSERT_EQ(::stat(path.c_str(), &state), 0);
  EXPECT_EQ(state.st_mode & 07777U, 0600U);
  const auto signature = made.sign("text");
  EXPECT_EQ(signature.size(), 64U);
  const auto again = SigningKey::load_or_make(path);
  EXPECT_EQ(again.public_key().id(), made.public_key().id());
  EXPECT_TRUE(again.public_key().verifies("text", signature));
  EXPECT_FALSE(again.public_key().verifies("texT", signature));
  std::size_t files = 0;
  for ([[maybe_unused]] const auto& each : std::filesystem::directory_iterator(dir.path())) ++files;
  EXPECT_EQ(files, 1U);
}

TEST_F(SigningKeys, another_file_has_another_key) {
  const auto one = SigningKey::load_or_make(path);
  const auto other = SigningKey::load_or_make(dir.path() / "other.key");
  EXPECT_NE(one.public_key().id(), other.public_key().id());
  EXPECT_FALSE(other.public_key().verifies("text", one.sign("text")));
}

TEST_F(SigningKeys, what_is_no_such_key_is_refused_and_kept) {
  const std::string ed25519 =
      "-----BEGIN PRIVATE KEY-----\n"
      "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n"
      "-----END PRIVATE KEY-----\n";
  for (const auto& text : {std::string(), std::string("no key"), ed25519}) {
    write_file(path, text);
    EXPECT_THROW(SigningKey::load_or_make(path), std::runtime_error) << text;
  }
  EXPECT_THROW(SigningKey::load_or_make(dir.path() / "none" / "token.key"), std::exception);
}

}  // namespace
}  // namespace entrepot::auth::signing_key_test
