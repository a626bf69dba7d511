// A ByteSource, read from some offset to its end, as the pieces an Intake takes.
#pragma once

#include <cstdint>
#include <exception>
#include <optional>
#include <vector>

#include "entrepot/async/byte_source.hpp"
#include "entrepot/async/offload.hpp"
#include "entrepot/registry/uploads.hpp"

namespace entrepot::registry {

// `source` and `pool` outlive it, it outlives its pieces().
class PieceReader {
 public:
  PieceReader(async::ByteSource& source, std::uint64_t offset, async::BlockingPool& pool)
      : source_(source), pool_(pool), offset_(offset) {}
  PieceReader(const PieceReader&) = delete;
  PieceReader& operator=(const PieceReader&) = delete;

  NextPiece pieces() {
    return [this] { return next(); };
  }
  // What reading threw; null while all is well: then whatever went wrong was not the source.
  std::exception_ptr trouble() const { return trouble_; }

 private:
  async::Task<base::ByteView> next();
  async::Task<base::ByteView> read();
  async::Task<base::ByteView> read_file(const async::FileSlice& slice);

  async::ByteSource& source_;
  async::BlockingPool& pool_;
  std::uint64_t offset_;
  std::optional<async::Chunk> chunk_;  // the one given out last
  std::vector<std::byte> buffer_;      // or what was read of it
  std::exception_ptr trouble_;
};

}  // namespace entrepot::registry
