// Bytes in TLS records, by OpenSSL over our own socket: it reads what the socket has and never
// waits, and what it writes is gathered here and sent in large pieces.
//
// A TLS error ends the channel: from then on it reads nothing and writes nothing.
#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <string>

#include "entrepot/async/limiter.hpp"
#include "entrepot/http/server.hpp"
#include "http/block_pool.hpp"
#include "http/channel.hpp"
#include "http/wire.hpp"

namespace entrepot::http {

class TlsChannel final : public Channel {
 public:
  // `handshakes` lets one step of one handshake on this thread happen between two looks at all
  // other connections. Both outlive the channel.
  TlsChannel(Wire& wire, const TlsKeys& keys, BlockPool& blocks, async::Limiter& handshakes);
  ~TlsChannel() override;

  async::Task<std::string> open() override;
  async::Task<std::size_t> read_some(std::span<char> into) override;
  std::optional<std::size_t> try_read(std::span<char> into) override;
  async::Task<std::error_code> write(std::span<iovec> pieces) override;
  async::Task<std::error_code> send_file(int file, std::uint64_t offset,
                                         std::uint64_t length) override;
  void say_end() override;

  std::uint64_t sent() const override { return sent_; }
  const std::string& peer_name() const override { return peer_name_; }

 private:
  enum class Step { done, needs_bytes, failed };
  Step judge(int result);
  Step shake_hands();
  async::Task<std::error_code> write_all(std::span<const char> bytes);
  // Into ciphertext_; false when TLS refuses.
  bool encrypt(std::span<const char> bytes);
  async::Task<std::error_code> flush();
  // As far as the kernel takes it now.
  void flush_some();

  struct Free {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
  };

  Wire& wire_;
  BlockPool& blocks_;
  async::Limiter& handshakes_;
  std::string ciphertext_;  // made, not sent yet
  std::unique_ptr<SSL, Free> ssl_;
  std::string gathered_;
  std::string peer_name_;
  std::uint64_t sent_ = 0;
  bool may_read_ = false;
  bool may_write_ = false;
};

}  // namespace entrepot::http
