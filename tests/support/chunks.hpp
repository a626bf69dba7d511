// Reads what a ByteSource gives, as a test wants to see it.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <string>

#include "entrepot/async/byte_source.hpp"

namespace entrepot::test {

inline std::string text_of(const async::Chunk& chunk) {
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

inline async::Task<std::string> text_from(async::ByteSource& source, std::uint64_t offset,
                                          std::uint64_t step) {
  std::string all;
  while (offset < source.size()) {
    const auto chunk = co_await source.read_at(offset, step);
    all += text_of(chunk);
    offset += async::length_of(chunk);
  }
  co_return all;
}

}  // namespace entrepot::test
