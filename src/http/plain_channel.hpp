// Bytes as they are.
#pragma once

#include "http/channel.hpp"
#include "http/wire.hpp"

namespace entrepot::http {

class PlainChannel final : public Channel {
 public:
  explicit PlainChannel(Wire& wire) : wire_(wire) {}

  async::Task<std::string> open() override { co_return std::string(); }
  async::Task<std::size_t> read_some(std::span<char> into) override {
    return wire_.read_some(into);
  }
  std::optional<std::size_t> try_read(std::span<char> into) override {
    return wire_.try_read(into);
  }
  async::Task<std::error_code> write(std::span<iovec> pieces) override {
    return wire_.write(pieces);
  }
  async::Task<std::error_code> send_file(int file, std::uint64_t offset,
                                         std::uint64_t length) override {
    return wire_.send_file(file, offset, length);
  }
  void say_end() override {}

  std::uint64_t sent() const override { return wire_.sent(); }
  const std::string& peer_name() const override {
    static const std::string none;
    return none;
  }

 private:
  Wire& wire_;
};

}  // namespace entrepot::http
