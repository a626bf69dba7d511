// The body of one request on its way out: curl asks for bytes, one chunk of a ByteSource at a time
// is there to give. Holds that chunk and nothing else.
//
// When curl asks and there is nothing it may take, it is told to pause (`hungry`); the coroutine
// that owns the exchange then fetches a chunk if need be, grants some of it and lets curl go on.
#pragma once

#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <span>

#include "entrepot/async/byte_source.hpp"

namespace entrepot::http {

class CurlUpload {
 public:
  // The bytes [from, size) of `source`.
  CurlUpload(std::shared_ptr<async::ByteSource> source, std::uint64_t from);

  std::uint64_t length() const { return source_->size() - from_; }
  // curl has every byte.
  bool whole() const { return at_ == source_->size(); }
  // curl waits for grant().
  bool hungry() const { return hungry_; }
  // What is left of the chunk; 0: fetch() is to be called.
  std::uint64_t ready() const { return chunk_ ? async::length_of(*chunk_) - used_ : 0; }

  // Into curl's buffer: how many bytes, at least one; absent when it is to wait for grant().
  // Throws when the file of a chunk cannot be read. Not to be called when whole.
  std::optional<std::size_t> take(std::span<std::byte> room);
  // The next chunk, unless curl began again meanwhile; throws what the source throws.
  async::Task<> fetch();
  // curl may take so many bytes of the chunk.
  void grant(std::uint64_t bytes);
  // Begins again at `offset` of the body (curl found its connection dead), unless some of it went
  // out: the server may have taken that, and only who sends knows what to do then.
  bool rewind(std::uint64_t offset);

 private:
  std::shared_ptr<async::ByteSource> source_;
  std::uint64_t from_;
  std::uint64_t at_;  // in the source: the first byte curl does not have
  bool hungry_ = false;
  std::optional<async::Chunk> chunk_;
  std::uint64_t used_ = 0;     // of the chunk
  std::uint64_t granted_ = 0;  // and not yet taken
};

}  // namespace entrepot::http
