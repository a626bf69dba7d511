#include "registry/piece_reader.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <variant>

namespace entrepot::registry {
namespace {

constexpr std::uint64_t most_at_once = std::uint64_t{256} << 10;

std::size_t read_some(const async::FileSlice& slice, std::vector<std::byte>& buffer) {
  for (;;) {
    const auto got =
        ::pread(slice.file->get(), buffer.data(), buffer.size(), static_cast<off_t>(slice.offset));
    if (got > 0) return static_cast<std::size_t>(got);
    if (got == 0) throw std::system_error(EIO, std::generic_category(), "file ends early");
    if (errno != EINTR) base::throw_errno("read");
  }
}

}  // namespace

async::Task<base::ByteView> PieceReader::next() {
  try {
    co_return co_await read();
  } catch (...) {
    trouble_ = std::current_exception();
    throw;
  }
}

async::Task<base::ByteView> PieceReader::read() {
  if (offset_ >= source_.size()) co_return base::ByteView{};
  chunk_.reset();
  chunk_ = co_await source_.read_at(offset_, most_at_once);
  base::ByteView piece;
  if (const auto* slice = std::get_if<async::FileSlice>(&*chunk_)) {
    piece = co_await read_file(*slice);
  } else {
    piece = std::get<async::MemorySlice>(*chunk_).bytes;
  }
  offset_ += piece.size();
  co_return piece;
}

async::Task<base::ByteView> PieceReader::read_file(const async::FileSlice& slice) {
  buffer_.resize(static_cast<std::size_t>(std::min(slice.length, most_at_once)));
  const auto got = co_await pool_.run([&] { return read_some(slice, buffer_); });
  co_return base::ByteView(buffer_.data(), got);
}

}  // namespace entrepot::registry
