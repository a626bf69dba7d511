#include "entrepot/async/byte_source.hpp"

#include <sys/mman.h>

#include "contract/byte_source_contract.hpp"

namespace entrepot::test::byte_source_test {
namespace {

std::unique_ptr<async::ByteSource> make_memory(std::string content) {
  return async::memory_source(std::move(content));
}

std::unique_ptr<async::ByteSource> make_file(std::string content) {
  auto file = std::make_shared<const base::UniqueFd>(::memfd_create("source", MFD_CLOEXEC));
  EXPECT_EQ(::write(file->get(), content.data(), content.size()),
            static_cast<ssize_t>(content.size()));
  return async::file_source(std::move(file), content.size());
}

INSTANTIATE_TEST_SUITE_P(memory, ByteSourceContract, testing::Values(SourceMaker(make_memory)));
INSTANTIATE_TEST_SUITE_P(file, ByteSourceContract, testing::Values(SourceMaker(make_file)));

TEST(MemoryChunk, owns_its_text) {
  const auto chunk = async::memory_chunk("short");
  EXPECT_EQ(async::length_of(chunk), 5U);
  EXPECT_EQ(bytes_of(chunk), "short");
}

}  // namespace
}  // namespace entrepot::test::byte_source_test
