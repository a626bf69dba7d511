#include "entrepot/oci/digest.hpp"

#include <gtest/gtest.h>

#include <set>
#include <thread>
#include <unordered_set>
#include <vector>

namespace entrepot::oci::digest_test {
namespace {

// FIPS 180-2 appendix B.1 and C.1.
constexpr std::string_view abc256 =
    "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
constexpr std::string_view abc512 =
    "sha512:ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
    "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f";
const std::string digits64(64, 'a');

TEST(Digest, of_known_content) {
  EXPECT_EQ(Digest::of(Algorithm::sha256, base::as_bytes("abc")).text(), abc256);
  EXPECT_EQ(Digest::of(Algorithm::sha512, base::as_bytes("abc")).text(), abc512);
}

TEST(Digest, text_and_raw_come_back) {
  for (const auto text : {abc256, abc512}) {
    const auto digest = Digest::parse(text);
    ASSERT_TRUE(digest);
    EXPECT_EQ(digest->text(), text);
    EXPECT_EQ(digest->hex(), text.substr(7));
    EXPECT_EQ(Digest::from_raw(digest->algorithm(), digest->raw()), digest);
  }
}

// Rows: M-02
TEST(Digest, refuses_everything_else) {
  const std::string rows[] = {
      "",
      ":",
      "sha256",
      "sha256:",
      "sha256:../../x",
      "sha256:" + std::string(63, 'a'),
      "sha256:" + std::string(65, 'a'),
      "sha256:" + std::string(128, 'a'),
      "sha512:" + digits64,
      "sha256:" + std::string(64, 'A'),
      "sha256:" + std::string(63, 'a') + "g",
      "sha256:" + std::string(63, 'a') + "/",
      "sha256:" + std::string(63, 'a') + std::string(1, '\0'),
      "sha256: " + std::string(63, 'a'),
      " sha256:" + digits64,
      "sha256:" + digits64 + "\n",
      "SHA256:" + digits64,
      "md5:" + std::string(32, 'a'),
      "sha1:" + std::string(40, 'a'),
      "sha384:" + std::string(96, 'a'),
      "sha256+b64:" + digits64,
      digits64,
      "sha256:" + std::string(1 << 20, 'a'),
  };
  for (const auto& text : rows) EXPECT_FALSE(Digest::parse(text)) << text.substr(0, 80);
}

TEST(Digest, from_raw_wants_the_exact_length_and_a_known_algorithm) {
  const std::string bytes(64, 'x');
  const auto view = base::as_bytes(bytes);
  EXPECT_TRUE(Digest::from_raw(Algorithm::sha256, view.first(32)));
  EXPECT_FALSE(Digest::from_raw(Algorithm::sha256, view.first(31)));
  EXPECT_FALSE(Digest::from_raw(Algorithm::sha256, view));
  EXPECT_TRUE(Digest::from_raw(Algorithm::sha512, view));
  EXPECT_FALSE(Digest::from_raw(static_cast<Algorithm>(0), view.first(32)));
  EXPECT_FALSE(Digest::from_raw(static_cast<Algorithm>(3), view));
}

TEST(Digest, orders_and_hashes_by_value) {
  const auto first = *Digest::parse(abc256);
  const auto second = *Digest::parse("sha256:" + digits64);
  const auto third = *Digest::parse(abc512);
  EXPECT_EQ((std::set{third, first, second, first}), (std::set{second, first, third}));
  EXPECT_LT(second, first);
  EXPECT_LT(first, third);
  EXPECT_EQ((std::unordered_set{first, second, third, first}.size()), 3U);
}

TEST(Hasher, pieces_are_the_whole) {
  Hasher hasher(Algorithm::sha256);
  EXPECT_EQ(hasher.current(), Digest::of(Algorithm::sha256, {}));
  hasher.update(base::as_bytes("a"));
  EXPECT_EQ(hasher.current(), Digest::of(Algorithm::sha256, base::as_bytes("a")));
  hasher.update(base::as_bytes("bc"));
  EXPECT_EQ(hasher.current().text(), abc256);
}

TEST(Hasher, fork_goes_its_own_way) {
  Hasher hasher(Algorithm::sha512);
  hasher.update(base::as_bytes("ab"));
  Hasher fork = hasher.fork();
  fork.update(base::as_bytes("X"));
  hasher.update(base::as_bytes("c"));
  EXPECT_EQ(hasher.current().text(), abc512);
  EXPECT_EQ(fork.current(), Digest::of(Algorithm::sha512, base::as_bytes("abX")));
}

TEST(Hasher, threads_do_not_disturb_each_other) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([] {
      for (int n = 0; n < 500; ++n) {
        Hasher hasher(Algorithm::sha256);
        hasher.update(base::as_bytes("abc"));
        EXPECT_EQ(hasher.current().text(), abc256);
      }
    });
  }
  for (auto& thread : threads) thread.join();
}

}  // namespace
}  // namespace entrepot::oci::digest_test
