// Short ways to say digests and content in tests of the store.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <string_view>

#include "entrepot/async/byte_source.hpp"
#include "entrepot/oci/digest.hpp"
#include "entrepot/store/spool.hpp"

namespace entrepot::test {

inline oci::Digest digest_of(std::string_view content,
                             oci::Algorithm algorithm = oci::Algorithm::sha256) {
  return oci::Digest::of(algorithm, base::as_bytes(content));
}

inline async::Task<std::string> content_of(std::unique_ptr<async::ByteSource> source) {
  std::string all;
  while (all.size() < source->size()) {
    const auto chunk = co_await source->read_at(all.size(), 1 << 20);
    if (const auto* memory = std::get_if<async::MemorySlice>(&chunk)) {
      all += base::as_text(memory->bytes);
      continue;
    }
    const auto& slice = std::get<async::FileSlice>(chunk);
    std::string part(slice.length, '\0');
    EXPECT_EQ(pread(slice.file->get(), part.data(), part.size(), static_cast<off_t>(slice.offset)),
              static_cast<ssize_t>(part.size()));
    all += part;
  }
  co_return all;
}

inline std::string file_text(const store::Spool& spool) {
  std::string text(spool.size() + 1, '\0');
  const auto got = pread(spool.file()->get(), text.data(), text.size(), 0);
  text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  return text;
}

}  // namespace entrepot::test
