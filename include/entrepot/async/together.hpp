// Several tasks side by side, awaited as one.
#pragma once

#include <vector>

#include "entrepot/async/task.hpp"

namespace entrepot::async {

// Runs all on the caller's executor and returns when the last has ended; then throws what the first
// that failed threw. They may refer to the caller's frame. A cancelled caller stays until they end.
Task<> together(std::vector<Task<>> tasks);

// Lets whatever else is ready on this thread run first.
Task<> give_way();

}  // namespace entrepot::async
