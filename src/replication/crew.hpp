// Work side by side that ends promptly when its caller is cancelled.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>

#include "entrepot/async/task.hpp"

namespace entrepot::replication {

// Awaits work(0) … work(count - 1), at most `width` at once, on the caller's executor, and returns
// when the last has ended. After one has thrown no other begins; then throws what the first that
// failed threw. Cancelling the caller cancels what runs. What `work` makes may refer to the
// caller's frame.
async::Task<> side_by_side(std::size_t count, std::size_t width,
                           std::function<async::Task<>(std::size_t)> work);

enum class Ended { by_itself, too_late };
// Awaits `task`, and cancels it when it has not ended by then.
async::Task<Ended> at_most(async::Task<> task, std::chrono::milliseconds longest);

}  // namespace entrepot::replication
