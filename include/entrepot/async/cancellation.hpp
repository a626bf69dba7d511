// Work that must come to its end once begun, whoever waits for it.
#pragma once

#include "entrepot/async/task.hpp"

namespace entrepot::async {

// From here on a cancellation of the task the caller belongs to is lost, whatever it awaits;
// heed_cancellation() ends that.
Task<> ignore_cancellation();
Task<> heed_cancellation();

}  // namespace entrepot::async
