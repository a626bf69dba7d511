// Content that can be read at any offset: a stored blob, a growing Spool, a remote blob, memory.
// The one seam between those who have bytes and those who pass them on (http::BodyWriter, Fill,
// copy).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "entrepot/async/task.hpp"
#include "entrepot/base/bytes.hpp"
#include "entrepot/base/unique_fd.hpp"

namespace entrepot::async {

// Bytes that lie in a file: may be sent by sendfile. The descriptor stays readable while held, also
// after the file was renamed or unlinked. Readers use pread or an explicit offset only.
struct FileSlice {
  std::shared_ptr<const base::UniqueFd> file;
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
};

struct MemorySlice {
  std::shared_ptr<const void> owner;  // keeps `bytes` alive
  base::ByteView bytes;
};

using Chunk = std::variant<FileSlice, MemorySlice>;
std::uint64_t length_of(const Chunk& chunk);

// A chunk that owns a copy of `text`.
Chunk memory_chunk(std::string text);

// Contract (tests/contract/byte_source_contract.hpp):
// - read_at(offset, most) with offset < size and most > 0 gives at least one and at most `most`
// bytes
//   that stand at `offset`; it waits until there is at least one.
// - Bytes given out are final. An object that fails verification throws instead of giving its last
//   byte, so no reader can complete a body that is not what its digest says.
// - Errors are exceptions (oci::Refusal, std::system_error); after one the source is of no use.
// - One reader at a time; not thread-safe. Several readers open several sources.
class ByteSource {
 public:
  virtual ~ByteSource() = default;
  virtual std::uint64_t size() const = 0;
  virtual Task<Chunk> read_at(std::uint64_t offset, std::uint64_t most) = 0;
};

std::unique_ptr<ByteSource> memory_source(std::string text);
std::unique_ptr<ByteSource> file_source(std::shared_ptr<const base::UniqueFd> file,
                                        std::uint64_t size);

}  // namespace entrepot::async
