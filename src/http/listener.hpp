// Listening sockets and the loops that accept on them.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <memory>
#include <string>
#include <vector>

#include "entrepot/base/unique_fd.hpp"
#include "http/worker.hpp"

namespace entrepot::http {

// "127.0.0.1:5000", "[::1]:5000". Throws std::system_error for anything else.
async::asio::ip::tcp::endpoint parse_endpoint(const std::string& address);
std::string to_text(const async::asio::ip::tcp::endpoint& endpoint);

// `count` sockets that listen on the same address; the kernel spreads connections over them
// (SO_REUSEPORT). Throws when anyone listens there already. Port 0 picks one.
std::vector<base::UniqueFd> listen_on(async::asio::ip::tcp::endpoint endpoint, std::size_t count);

std::string address_of(int listening_fd);

// Accepts on `socket` until the worker drains.
void accept_on(const std::shared_ptr<Worker>& worker, base::UniqueFd socket);

}  // namespace entrepot::http
