#include "http/conn.hpp"

#include "http/plain_channel.hpp"

namespace entrepot::http {

Conn::Conn(Wire::Socket socket)
    : wire_(std::move(socket)), channel_(std::make_unique<PlainChannel>(wire_)) {}

void Conn::end_writing() {
  channel_->say_end();
  wire_.end_writing();
}

void Conn::close() {
  channel_->say_end();
  wire_.close();
}

}  // namespace entrepot::http
