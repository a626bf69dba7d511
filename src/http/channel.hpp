// How the bytes of requests and answers travel over a Wire: as they are, or by TLS. The methods
// mean what those of Conn of the same name mean; only Conn calls them.
#pragma once

#include <sys/uio.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <system_error>

#include "entrepot/async/task.hpp"

namespace entrepot::http {

class Channel {
 public:
  Channel() = default;
  virtual ~Channel() = default;
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  virtual async::Task<std::string> open() = 0;
  virtual async::Task<std::size_t> read_some(std::span<char> into) = 0;
  virtual std::optional<std::size_t> try_read(std::span<char> into) = 0;
  virtual async::Task<std::error_code> write(std::span<iovec> pieces) = 0;
  virtual async::Task<std::error_code> send_file(int file, std::uint64_t offset,
                                                 std::uint64_t length) = 0;
  // Tells the peer, when the protocol has a word for it, that nothing more will come.
  virtual void say_end() = 0;

  virtual std::uint64_t sent() const = 0;
  virtual const std::string& peer_name() const = 0;
};

}  // namespace entrepot::http
