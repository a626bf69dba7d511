// What every index::Index promises. Include in one source and instantiate:
//   INSTANTIATE_TEST_SUITE_P(lmdb, IndexContract, testing::Values(IndexKind{…}), kind_name);
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "entrepot/index/index.hpp"
#include "support/any_index.hpp"

namespace entrepot::test {

using index::Batch;
using index::Continue;
using index::Space;
using index::View;

inline constexpr Space space_a{100};
inline constexpr Space space_b{101};

class IndexContract : public AnyIndex {};

inline std::string text_or(const View& view, Space space, std::string_view key,
                           std::string absent) {
  const auto value = view.get(space, base::as_bytes(key));
  return value ? std::string(base::as_text(*value)) : absent;
}

inline void put_text(Batch& batch, Space space, std::string_view key, std::string_view value) {
  batch.put(space, base::as_bytes(key), base::as_bytes(value));
}

inline std::vector<std::string> keys(const View& view, Space space, std::string_view prefix,
                                     std::string_view after, std::size_t most = 1000) {
  std::vector<std::string> found;
  view.scan(space, base::as_bytes(prefix), base::as_bytes(after),
            [&](base::ByteView key, base::ByteView) {
              found.emplace_back(base::as_text(key));
              return found.size() < most ? Continue::yes : Continue::no;
            });
  return found;
}

inline int count_of(const View& view) { return std::stoi(text_or(view, space_a, "count", "0")); }

inline int count_up(Batch& batch) {
  const int count = count_of(batch) + 1;
  put_text(batch, space_a, "count", std::to_string(count));
  return count;
}

TEST_P(IndexContract, what_was_put_is_got_until_erased) {
  write([](Batch& batch) { put_text(batch, space_a, "key", "one"); });
  EXPECT_EQ(read([](const View& view) { return text_or(view, space_a, "key", "-"); }), "one");
  write([](Batch& batch) { put_text(batch, space_a, "key", "two"); });
  EXPECT_EQ(read([](const View& view) { return text_or(view, space_a, "key", "-"); }), "two");
  write([](Batch& batch) { batch.erase(space_a, base::as_bytes("key")); });
  write([](Batch& batch) { batch.erase(space_a, base::as_bytes("key")); });
  EXPECT_EQ(read([](const View& view) { return text_or(view, space_a, "key", "-"); }), "-");
}

TEST_P(IndexContract, a_batch_sees_its_own_writes) {
  const auto seen = write([](Batch& batch) {
    put_text(batch, space_a, "a", "1");
    put_text(batch, space_a, "b", "2");
    batch.erase(space_a, base::as_bytes("a"));
    return std::pair(text_or(batch, space_a, "a", "-"), keys(batch, space_a, "", ""));
  });
  EXPECT_EQ(seen.first, "-");
  EXPECT_EQ(seen.second, std::vector<std::string>{"b"});
}

TEST_P(IndexContract, values_may_be_empty_or_large) {
  const std::string large(4 << 20, 'x');
  write([&](Batch& batch) {
    put_text(batch, space_a, "empty", "");
    put_text(batch, space_a, "large", large);
  });
  EXPECT_EQ(read([](const View& view) { return text_or(view, space_a, "empty", "-"); }), "");
  EXPECT_EQ(read([](const View& view) { return text_or(view, space_a, "large", "-"); }), large);
}

TEST_P(IndexContract, spaces_do_not_see_each_other) {
  write([](Batch& batch) {
    put_text(batch, space_a, "key", "a");
    put_text(batch, space_b, "key", "b");
  });
  read([](const View& view) {
    EXPECT_EQ(text_or(view, space_a, "key", "-"), "a");
    EXPECT_EQ(text_or(view, space_b, "key", "-"), "b");
    EXPECT_EQ(keys(view, space_a, "", "").size(), 1U);
    EXPECT_EQ(keys(view, Space{99}, "", "").size(), 0U);
    EXPECT_EQ(keys(view, Space{102}, "", "").size(), 0U);
  });
}

// Rows: P-04
TEST_P(IndexContract, scans_are_in_byte_order_and_pages_meet_every_key_once) {
  using namespace std::string_literals;
  const std::vector<std::string> all{"\0"s,   "\0\1"s,       "a"s,      "a\0"s,    "a-b"s,
                                     "a.b"s,  "a/b"s,        "aa"s,     "a\xff"s,  "b"s,
                                     "math"s, "math-voila"s, "math/x"s, "math_x"s, "\xff\xff"s};
  write([&](Batch& batch) {
    for (const auto& key : all) put_text(batch, space_a, key, key);
  });
  auto sorted = all;
  std::ranges::sort(sorted);
  for (const std::size_t page : {1U, 2U, 3U, 100U}) {
    std::vector<std::string> met;
    read([&](const View& view) {
      for (auto part = keys(view, space_a, "", "", page); !part.empty();
           part = keys(view, space_a, "", met.back(), page)) {
        met.insert(met.end(), part.begin(), part.end());
      }
    });
    EXPECT_EQ(met, sorted) << page;
  }
}

TEST_P(IndexContract, a_scan_keeps_to_its_prefix_wherever_it_starts) {
  write([](Batch& batch) {
    for (const auto* key : {"a", "b", "b1", "b2", "b3", "c"}) put_text(batch, space_a, key, "");
  });
  struct Case {
    std::string prefix;
    std::string after;
    std::vector<std::string> expected;
  };
  const std::vector<Case> cases{
      {"b", "", {"b", "b1", "b2", "b3"}},
      {"b", "b1", {"b2", "b3"}},
      {"b", "a", {"b", "b1", "b2", "b3"}},
      {"b", "b3", {}},
      {"b", "c", {}},
      {"b", std::string(2000, 'b'), {}},
      {"", "b2", {"b3", "c"}},
      {"x", "", {}},
      {"b", "b10", {"b2", "b3"}},
  };
  read([&](const View& view) {
    for (const auto& c : cases) {
      EXPECT_EQ(keys(view, space_a, c.prefix, c.after), c.expected) << c.prefix << " " << c.after;
    }
  });
}

TEST_P(IndexContract, a_write_that_throws_leaves_nothing) {
  EXPECT_THROW(write([](Batch& batch) {
                 put_text(batch, space_a, "key", "half");
                 throw std::logic_error("no");
               }),
               std::logic_error);
  EXPECT_EQ(read([](const View& view) { return text_or(view, space_a, "key", "-"); }), "-");
  EXPECT_EQ(write(count_up), 1);
}

TEST_P(IndexContract, a_read_that_throws_tells_its_caller) {
  EXPECT_THROW(read([](const View&) -> int { throw std::logic_error("no"); }), std::logic_error);
  EXPECT_EQ(read(count_of), 0);
}

inline async::Task<int> count_many(index::Index& index, int times) {
  int sum = 0;
  for (int i = 0; i < times; ++i) {
    const int mine = co_await index.write(count_up);
    sum += mine;
    const int seen = co_await index.read(count_of);
    EXPECT_GE(seen, mine) << "a write that returned is visible to every later read";
  }
  co_return sum;
}

// Rows: B-05, B-08
TEST_P(IndexContract, writes_of_many_threads_are_each_done_once) {
  constexpr int threads = 4;
  constexpr int tasks = 16;
  constexpr int times = 20;
  RunningRuntime runtime(threads);
  std::vector<std::future<int>> ends;
  for (std::size_t i = 0; i < tasks; ++i) {
    ends.push_back(runtime.start(i % threads, count_many(index(), times)));
  }
  int sum = 0;
  for (auto& end : ends) sum += end.get();
  constexpr int total = tasks * times;
  EXPECT_EQ(read(count_of), total);
  EXPECT_EQ(sum, total * (total + 1) / 2) << "every count was handed out once";
}

inline int count_up_unless_third(Batch& batch, int number) {
  const int count = count_up(batch);
  if (number % 3 == 0) throw std::out_of_range(std::to_string(number));
  return count;
}

inline async::Task<bool> count_or_throw(index::Index& index, int number) {
  try {
    co_await index.write([number](Batch& batch) { return count_up_unless_third(batch, number); });
  } catch (const std::out_of_range& error) {
    EXPECT_EQ(error.what(), std::to_string(number)) << "an exception reaches its own caller";
    co_return false;
  }
  co_return true;
}

TEST_P(IndexContract, in_a_crowd_a_throw_undoes_only_itself) {
  constexpr int tasks = 300;
  RunningRuntime runtime(2);
  std::vector<std::future<bool>> ends;
  for (int i = 0; i < tasks; ++i) {
    ends.push_back(runtime.start(static_cast<std::size_t>(i % 2), count_or_throw(index(), i)));
  }
  for (int i = 0; i < tasks; ++i) {
    EXPECT_EQ(ends[static_cast<std::size_t>(i)].get(), i % 3 != 0) << i;
  }
  EXPECT_EQ(read(count_of), tasks / 3 * 2);
}

}  // namespace entrepot::test
