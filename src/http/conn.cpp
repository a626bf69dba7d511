#include "http/conn.hpp"

#include "http/plain_channel.hpp"
#include "http/tls_channel.hpp"

namespace entrepot::http {

Conn::Conn(Wire::Socket socket, const TlsKeys* keys, BlockPool& blocks, async::Limiter& handshakes)
    : wire_(std::move(socket)) {
  if (keys == nullptr) {
    channel_ = std::make_unique<PlainChannel>(wire_);
  } else {
    channel_ = std::make_unique<TlsChannel>(wire_, *keys, blocks, handshakes);
  }
}

void Conn::end_writing() {
  channel_->say_end();
  wire_.end_writing();
}

void Conn::close() {
  channel_->say_end();
  wire_.close();
}

}  // namespace entrepot::http
