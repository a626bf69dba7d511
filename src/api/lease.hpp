// Promises to those who may build on what they are told is here (reliability.md rule 32).
#pragma once

#include "api/call.hpp"

namespace entrepot::api {

// Whether whoever asks may push to the very repository that answers: then a positive answer is a
// promise.
bool may_build_on(const Call& call);

// Whether whoever asks may begin a repository under this name, for which the default upstream
// answers meanwhile. What that upstream has is not what a push finds here.
bool may_claim(const Call& call);

// The lease, before the index is read for the answer.
async::Task<> lease(const Call& call, oci::Digest digest);

}  // namespace entrepot::api
