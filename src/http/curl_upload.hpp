// The body of one request on its way out: curl asks for bytes, one chunk of a ByteSource at a time
// is there to give. Holds that chunk and nothing else.
//
// When curl asks and the chunk is used up, it is told to pause (`hungry`); the coroutine that owns
// the exchange then fetches the next one and lets curl go on.
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
  // curl waits for fetch().
  bool hungry() const { return hungry_; }

  // Into curl's buffer: how many bytes, at least one; absent when the next chunk has to be fetched.
  // Throws when the file of a chunk cannot be read. Not to be called when whole.
  std::optional<std::size_t> take(std::span<std::byte> room);
  // The next chunk, unless curl began again meanwhile; throws what the source throws.
  async::Task<> fetch();
  // Begins again at `offset` of the body (curl found its connection dead, or was asked for
  // authentication).
  bool rewind(std::uint64_t offset);

 private:
  std::shared_ptr<async::ByteSource> source_;
  std::uint64_t from_;
  std::uint64_t at_;  // in the source: the first byte curl does not have
  bool hungry_ = false;
  std::optional<async::Chunk> chunk_;
  std::uint64_t used_ = 0;  // of the chunk
};

}  // namespace entrepot::http
