// Why one try at one URL failed, what that says of the server, and whether trying again may help.
#pragma once

#include <chrono>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "entrepot/base/clock.hpp"
#include "entrepot/http/client.hpp"
#include "entrepot/http/headers.hpp"
#include "entrepot/registry/failure.hpp"

namespace entrepot::upstream {

enum class Again { may_help, is_pointless };
enum class Blame { nobody, server };  // server: counts against its health

struct Setback {
  registry::Failure failure;
  Again again = Again::is_pointless;
  Blame blame = Blame::nobody;
  int status = 0;  // of the answer; 0: there was none
};

template <class T>
using Try = std::expected<T, Setback>;

// An answer that cannot be true, or that we do not act on; the next one would be the same.
std::unexpected<Setback> disbelieve(std::string message);
std::unexpected<Setback> deny(std::string message);

Setback of_transport(const http::TransportError& error);

// Absent for 200 and 206. `who` is named in the message ("token server"); may be empty.
std::optional<Setback> of_status(int status, const http::Headers& headers, base::WallTime now,
                                 std::string_view who = {});

// Seconds or an HTTP date (RFC 9110 section 10.2.3), between 1 second and 10 minutes; what cannot
// be read, and nothing at all, is 10 seconds.
std::chrono::seconds wait_asked_for(std::optional<std::string_view> retry_after,
                                    base::WallTime now);

}  // namespace entrepot::upstream
