#include "http/body_writer.hpp"

#include <unistd.h>

#include <stdexcept>

#include "entrepot/base/unique_fd.hpp"

namespace entrepot::http {

namespace {

// Below this a copy through our memory is cheaper than the system calls around sendfile.
constexpr std::uint64_t small_file = 16 * 1024;
// What the kernel moves at a time; anything smaller leaves in one piece by itself.
constexpr std::uint64_t one_splice = 64 * 1024;

std::string_view text_of(const async::MemorySlice& slice) { return base::as_text(slice.bytes); }

async::Chunk load(const async::FileSlice& slice) {
  std::string bytes(slice.length, '\0');
  const auto size =
      ::pread(slice.file->get(), bytes.data(), bytes.size(), static_cast<off_t>(slice.offset));
  if (size < 0) base::throw_errno("pread");
  if (static_cast<std::size_t>(size) != bytes.size()) {
    throw std::system_error(std::make_error_code(std::errc::io_error), "file ends early");
  }
  return async::memory_chunk(std::move(bytes));
}

const SourcePart* first_source(const Reply& reply) {
  for (const auto& part : reply.body) {
    const auto* source = std::get_if<SourcePart>(&part);
    if (source != nullptr && source->length > 0) return source;
  }
  return nullptr;
}

}  // namespace

bool BodyWriter::Gathered::add(std::string_view bytes) {
  if (count == pieces.size()) return false;
  pieces[count++] = {.iov_base = const_cast<char*>(bytes.data()), .iov_len = bytes.size()};
  return true;
}

async::Task<async::Chunk> BodyWriter::read(const SourcePart& part, std::uint64_t done) {
  const auto most = part.length - done;
  auto chunk = co_await part.source->read_at(part.offset + done, most);
  const auto length = async::length_of(chunk);
  if (length == 0 || length > most) throw std::logic_error("byte source breaks its contract");
  co_return chunk;
}

async::Task<> BodyWriter::prime(const Reply& reply) {
  primed_part_ = first_source(reply);
  if (primed_part_ == nullptr) co_return;
  primed_ = co_await read(*primed_part_, 0);
  const auto* slice = std::get_if<async::FileSlice>(&*primed_);
  if (slice != nullptr && slice->length <= small_file) primed_ = load(*slice);
}

bool BodyWriter::gather(std::string_view head, const Reply& reply, Gathered& gathered) const {
  gathered.add(head);
  for (const auto& part : reply.body) {
    if (const auto* text = std::get_if<std::string>(&part)) {
      if (!gathered.add(*text)) return false;
      continue;
    }
    const auto& source = std::get<SourcePart>(part);
    if (source.length == 0) continue;
    if (&source != primed_part_) return false;
    const auto* slice = std::get_if<async::MemorySlice>(&*primed_);
    if (slice == nullptr || slice->bytes.size() != source.length) return false;
    if (!gathered.add(text_of(*slice))) return false;
  }
  return true;
}

async::Task<std::error_code> BodyWriter::send(std::string_view head, const Reply& reply) {
  vigil_.await(Awaiting::reader, stall_);
  Gathered gathered;
  if (gather(head, reply, gathered)) {
    co_return co_await conn_.write(std::span(gathered.pieces).first(gathered.count));
  }
  conn_.hold();
  const auto ec = co_await send_parts(head, reply);
  conn_.release();
  co_return ec;
}

async::Task<std::error_code> BodyWriter::send_parts(std::string_view head, const Reply& reply) {
  auto ec = co_await send_text(head);
  for (const auto& part : reply.body) {
    if (ec) break;
    if (const auto* text = std::get_if<std::string>(&part)) {
      ec = co_await send_text(*text);
    } else {
      ec = co_await send_source(std::get<SourcePart>(part));
    }
  }
  co_return ec;
}

async::Task<std::error_code> BodyWriter::send_source(const SourcePart& part) {
  std::uint64_t done = 0;
  while (done < part.length) {
    const auto chunk = co_await next(part, done);
    if (const auto ec = co_await send_chunk(chunk)) co_return ec;
    done += async::length_of(chunk);
  }
  co_return std::error_code{};
}

async::Task<async::Chunk> BodyWriter::next(const SourcePart& part, std::uint64_t done) {
  if (done == 0 && &part == primed_part_) {
    auto chunk = std::move(*primed_);
    primed_.reset();
    co_return chunk;
  }
  // A source that gave less than was asked for is still growing, and may take its time.
  if (done > 0) conn_.release();
  vigil_.await(Awaiting::content);
  auto chunk = co_await read(part, done);
  vigil_.await(Awaiting::reader, stall_);
  if (async::length_of(chunk) > one_splice) conn_.hold();
  co_return chunk;
}

async::Task<std::error_code> BodyWriter::send_text(std::string_view text) {
  iovec piece{.iov_base = const_cast<char*>(text.data()), .iov_len = text.size()};
  co_return co_await conn_.write(std::span(&piece, 1));
}

async::Task<std::error_code> BodyWriter::send_chunk(const async::Chunk& chunk) {
  if (const auto* slice = std::get_if<async::FileSlice>(&chunk)) {
    co_return co_await conn_.send_file(slice->file->get(), slice->offset, slice->length);
  }
  co_return co_await send_text(text_of(std::get<async::MemorySlice>(chunk)));
}

}  // namespace entrepot::http
