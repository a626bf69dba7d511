#include "index/keys.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

#include "support/catalog_words.hpp"

namespace entrepot::index::keys_test {
namespace {

std::string text_of(const Key& key) { return std::string(base::as_text(key)); }

TEST(Keys, numbers_stand_in_their_order) {
  const std::vector<std::uint64_t> numbers{0, 1, 255, 256, 65535, 1ULL << 32, ~0ULL};
  for (std::size_t i = 1; i < numbers.size(); ++i) {
    EXPECT_LT(text_of(Key().number(numbers[i - 1])), text_of(Key().number(numbers[i])));
  }
}

TEST(Keys, what_went_in_comes_out) {
  const Key key = Key().digest(sha512("a")).digest(sha256("b")).repository(RepositoryId{70000});
  const auto second = key_size(sha512("a"));
  EXPECT_EQ(digest_in_key(key, 0), sha512("a"));
  EXPECT_EQ(digest_in_key(key, second), sha256("b"));
  EXPECT_EQ(repository_in_key(key, second + key_size(sha256("b"))), RepositoryId{70000});
  EXPECT_FALSE(digest_in_key(key, second + 1));
  EXPECT_FALSE(digest_in_key(key, 10000));
  EXPECT_FALSE(repository_in_key(key, second + key_size(sha256("b")) + 1));
}

// Rows: B-07
TEST(Keys, one_that_is_too_long_is_refused) {
  EXPECT_NO_THROW(Key().text(std::string(max_key_bytes, 'x')));
  EXPECT_THROW(Key().text(std::string(max_key_bytes, 'x')).separator(), std::length_error);
}

}  // namespace
}  // namespace entrepot::index::keys_test
