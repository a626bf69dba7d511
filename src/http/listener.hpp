// The loops that accept connections.
#pragma once

#include <memory>

#include "entrepot/base/unique_fd.hpp"
#include "http/session.hpp"
#include "http/worker.hpp"

namespace entrepot::http {

// Accepts on `socket` until the worker drains; what comes in has passed `entrance`.
void accept_on(const std::shared_ptr<Worker>& worker, base::UniqueFd socket, Entrance entrance);

}  // namespace entrepot::http
