// What every async::ByteSource promises. An implementation includes this file and instantiates the
// suite with a factory that makes a source of the given content:
//   INSTANTIATE_TEST_SUITE_P(memory, ByteSourceContract, testing::Values(SourceMaker(make)));
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <functional>
#include <memory>
#include <string>

#include "entrepot/async/byte_source.hpp"
#include "support/run_task.hpp"

namespace entrepot::test {

using SourceMaker = std::function<std::unique_ptr<async::ByteSource>(std::string content)>;

inline std::string bytes_of(const async::Chunk& chunk) {
  if (const auto* memory = std::get_if<async::MemorySlice>(&chunk)) {
    return std::string(base::as_text(memory->bytes));
  }
  const auto& slice = std::get<async::FileSlice>(chunk);
  std::string text(slice.length, '\0');
  const auto got =
      ::pread(slice.file->get(), text.data(), text.size(), static_cast<off_t>(slice.offset));
  EXPECT_EQ(got, static_cast<ssize_t>(slice.length)) << "a slice promises bytes that are not there";
  return text;
}

inline async::Task<std::string> read_all(async::ByteSource& source, std::uint64_t offset,
                                         std::uint64_t step) {
  std::string all;
  while (offset < source.size()) {
    const auto chunk = co_await source.read_at(offset, step);
    const auto length = async::length_of(chunk);
    EXPECT_GE(length, 1U);
    EXPECT_LE(length, step);
    all += bytes_of(chunk);
    offset += length;
  }
  co_return all;
}

class ByteSourceContract : public testing::TestWithParam<SourceMaker> {
 protected:
  static std::string content(std::size_t size) {
    std::string text(size, '\0');
    for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>('a' + (i * 7 + i / 26) % 26);
    return text;
  }
};

TEST_P(ByteSourceContract, knows_its_size) {
  for (const std::size_t size : {0U, 1U, 4096U, 100'001U}) {
    EXPECT_EQ(GetParam()(content(size))->size(), size);
  }
}

TEST_P(ByteSourceContract, any_step_from_any_offset_gives_the_same_bytes) {
  const auto expected = content(70'000);
  for (const std::uint64_t offset : {0U, 1U, 4095U, 69'999U}) {
    for (const std::uint64_t step : {1000U, 65'536U, 1U << 20}) {
      const auto source = GetParam()(expected);
      EXPECT_EQ(run_task(read_all(*source, offset, step)), expected.substr(offset));
    }
  }
}

TEST_P(ByteSourceContract, reads_need_not_be_in_order) {
  const auto expected = content(1000);
  const auto source = GetParam()(expected);
  for (const std::uint64_t offset : {900U, 0U, 500U, 0U}) {
    EXPECT_EQ(bytes_of(run_task(source->read_at(offset, 1))), expected.substr(offset, 1));
  }
}

TEST_P(ByteSourceContract, chunks_outlive_their_source) {
  const auto expected = content(1000);
  auto source = GetParam()(expected);
  const auto chunk = run_task(source->read_at(10, 50));
  source.reset();
  const auto text = bytes_of(chunk);
  EXPECT_FALSE(text.empty());
  EXPECT_EQ(text, expected.substr(10, text.size()));
}

}  // namespace entrepot::test
