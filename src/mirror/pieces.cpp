#include "mirror/pieces.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <system_error>
#include <vector>

namespace entrepot::mirror {

namespace {

constexpr std::size_t buffer_size = 64 * 1024;

std::size_t read_some(const async::FileSlice& slice, std::uint64_t done,
                      std::span<std::byte> buffer) {
  const auto wanted = std::min<std::uint64_t>(buffer.size(), slice.length - done);
  const auto got = ::pread(slice.file->get(), buffer.data(), static_cast<std::size_t>(wanted),
                           static_cast<off_t>(slice.offset + done));
  if (got < 0) {
    if (errno == EINTR) return 0;
    base::throw_errno("read");
  }
  if (got == 0) throw std::system_error(EIO, std::generic_category(), "file shorter than promised");
  return static_cast<std::size_t>(got);
}

}  // namespace

void for_each_piece(const async::Chunk& chunk, const std::function<void(base::ByteView)>& visit) {
  if (const auto* memory = std::get_if<async::MemorySlice>(&chunk)) {
    visit(memory->bytes);
    return;
  }
  const auto& slice = std::get<async::FileSlice>(chunk);
  std::vector<std::byte> buffer(
      static_cast<std::size_t>(std::min<std::uint64_t>(slice.length, buffer_size)));
  for (std::uint64_t done = 0; done < slice.length;) {
    const auto got = read_some(slice, done, buffer);
    if (got > 0) visit(base::ByteView(buffer.data(), got));
    done += got;
  }
}

}  // namespace entrepot::mirror
