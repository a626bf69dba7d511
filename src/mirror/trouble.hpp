// What an exception out of an upstream's ByteSource means, as the value others branch on.
#pragma once

#include <exception>

#include "entrepot/registry/failure.hpp"

namespace entrepot::mirror {

// Refusals keep their kind and words; anything else is `broken`, without its text, which is for the
// log (it may name files).
registry::Failure failure_of(const std::exception& error);

}  // namespace entrepot::mirror
