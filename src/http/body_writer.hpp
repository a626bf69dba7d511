// Sends one answer: memory and small files in one write together with the head, anything larger
// with its head and pieces corked into full segments, files by sendfile.
//
// A source that is still growing is asked piece by piece; while it is waited for, nothing already
// sent is held back and the client may leave.
#pragma once

#include <sys/uio.h>

#include <array>
#include <chrono>
#include <optional>
#include <string_view>
#include <system_error>

#include "entrepot/http/message.hpp"
#include "http/conn.hpp"
#include "http/vigil.hpp"

namespace entrepot::http {

class BodyWriter {
 public:
  BodyWriter(Conn& conn, Vigil& vigil, std::chrono::milliseconds stall)
      : conn_(conn), vigil_(vigil), stall_(stall) {}

  // Fetches the first bytes of the first source, so that what fails here can still be answered by
  // an error instead of a status that promises a body.
  async::Task<> prime(const Reply& reply);

  // Sends `head` and the body of the primed reply. An error is the connection's; an exception is
  // the source's, and means that the client must not take what it has for the whole.
  async::Task<std::error_code> send(std::string_view head, const Reply& reply);

 private:
  struct Gathered {
    std::array<iovec, 8> pieces;
    std::size_t count = 0;
    bool add(std::string_view bytes);
  };

  bool gather(std::string_view head, const Reply& reply, Gathered& gathered) const;
  async::Task<std::error_code> send_parts(std::string_view head, const Reply& reply);
  async::Task<std::error_code> send_source(const SourcePart& part);
  async::Task<std::error_code> send_text(std::string_view text);
  async::Task<std::error_code> send_chunk(const async::Chunk& chunk);
  async::Task<async::Chunk> next(const SourcePart& part, std::uint64_t done);
  async::Task<async::Chunk> read(const SourcePart& part, std::uint64_t done);

  Conn& conn_;
  Vigil& vigil_;
  std::chrono::milliseconds stall_;
  const SourcePart* primed_part_ = nullptr;
  std::optional<async::Chunk> primed_;
};

}  // namespace entrepot::http
