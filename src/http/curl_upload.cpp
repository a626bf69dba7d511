#include "http/curl_upload.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <system_error>

namespace entrepot::http {
namespace {

std::size_t copy(const async::FileSlice& slice, std::uint64_t used, std::span<std::byte> room) {
  const auto at = static_cast<off_t>(slice.offset + used);
  ssize_t size = -1;
  do {
    size = ::pread(slice.file->get(), room.data(), room.size(), at);
  } while (size < 0 && errno == EINTR);
  if (size < 0) base::throw_errno("read what is sent");
  if (size == 0)
    throw std::system_error(std::make_error_code(std::errc::io_error), "file ends early");
  return static_cast<std::size_t>(size);
}

std::size_t copy(const async::MemorySlice& slice, std::uint64_t used, std::span<std::byte> room) {
  std::memcpy(room.data(), slice.bytes.data() + used, room.size());
  return room.size();
}

}  // namespace

CurlUpload::CurlUpload(std::shared_ptr<async::ByteSource> source, std::uint64_t from)
    : source_(std::move(source)), from_(from), at_(from) {
  if (from > source_->size()) throw std::out_of_range("upload from past the end of its source");
}

std::optional<std::size_t> CurlUpload::take(std::span<std::byte> room) {
  const auto most = std::min({granted_, ready(), std::uint64_t{room.size()}});
  hungry_ = most == 0;
  if (hungry_) return std::nullopt;
  room = room.first(static_cast<std::size_t>(most));
  const auto size =
      std::visit([&](const auto& slice) { return copy(slice, used_, room); }, *chunk_);
  at_ += size;
  used_ += size;
  granted_ -= size;
  if (ready() == 0) chunk_.reset();
  return size;
}

async::Task<> CurlUpload::fetch() {
  const auto at = at_;
  const auto most = source_->size() - at;
  auto chunk = co_await source_->read_at(at, most);
  const auto length = async::length_of(chunk);
  if (length == 0 || length > most) throw std::logic_error("byte source breaks its contract");
  if (at_ != at) co_return;  // rewound meanwhile
  chunk_ = std::move(chunk);
  used_ = 0;
}

void CurlUpload::grant(std::uint64_t bytes) {
  granted_ = bytes;
  hungry_ = false;
}

bool CurlUpload::rewind(std::uint64_t offset) {
  if (offset > length() || at_ != from_) return false;
  at_ = from_ + offset;
  chunk_.reset();
  granted_ = 0;
  return true;
}

}  // namespace entrepot::http
