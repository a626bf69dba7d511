// The body of one request, taken off its connection as the handler asks for it.
//
// Bytes that came with the head are shown where they lie; the rest is received straight into a
// block of the thread's pool, which is given back whenever the client is waited for.
#pragma once

#include <expected>
#include <optional>

#include "entrepot/http/message.hpp"
#include "entrepot/http/server.hpp"
#include "http/chunk_decoder.hpp"
#include "http/conn.hpp"
#include "http/gate.hpp"
#include "http/read_buffer.hpp"
#include "http/vigil.hpp"

namespace entrepot::http {

class BodyReader final : public RequestBody {
 public:
  BodyReader(Conn& conn, Vigil& vigil, ReadBuffer& buffer, BlockPool& blocks,
             const ServerLimits& limits)
      : conn_(conn), vigil_(vigil), buffer_(buffer), blocks_(blocks), limits_(limits) {}

  // Before anything else, and not at all for a request without a body.
  void open(const Admission& admission);

  std::optional<std::uint64_t> length() const override;
  async::Task<base::ByteView> next() override;

  // Reads over what is left, if that is little (reliability.md H-12); a client that still waits for
  // its `100 Continue` is not asked. Afterwards state() says what became of it.
  async::Task<> discard_rest();

  enum class State {
    unread,     // there is more, or may be
    whole,      // the next byte of the connection begins another request
    malformed,  // nobody knows where it ends
    cut,        // the connection broke, or the client was too slow
  };
  State state() const { return state_; }
  bool waits_for_permission() const { return expects_continue_ && state_ == State::unread; }

 private:
  async::Task<> permit();
  async::Task<base::ByteView> pull();
  async::Task<base::ByteView> pull_length();
  async::Task<base::ByteView> pull_chunks();
  // Into the block, which is held afterwards; false at the connection's end.
  async::Task<bool> receive(std::uint64_t most);
  base::ByteView fail(State state);

  Conn& conn_;
  Vigil& vigil_;
  ReadBuffer& buffer_;
  BlockPool& blocks_;
  const ServerLimits& limits_;

  State state_ = State::whole;
  Framing framing_ = Framing::none;
  std::uint64_t length_ = 0;
  std::uint64_t left_ = 0;
  bool expects_continue_ = false;
  bool begun_ = false;
  ChunkDecoder decoder_;
  BlockPool::Block block_;
  std::span<char> received_;   // in the block, not decoded yet
  std::uint64_t in_turn_ = 0;  // received since we last waited
};

}  // namespace entrepot::http
