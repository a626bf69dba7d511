// How the other side of a Source failed: a value its caller branches on.
#pragma once

#include <chrono>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

namespace entrepot::oci {
class Refusal;
}

namespace entrepot::registry {

enum class FailureKind {
  absent,     // it says there is no such thing (404)
  denied,     // it refuses our account (401, 403)
  throttled,  // ask later (429)
  timeout,    // no answer in time
  broken,     // unreachable, 5xx, or an answer that cannot be true
  offline,    // we were told never to ask
  busy,       // it was not our turn to ask in time
};
std::string_view to_string(FailureKind kind);

// Whose it is, where something goes from one registry to another.
enum class Whose { unknown, source, sink };

struct Failure {
  FailureKind kind = FailureKind::broken;
  std::string message;                                // for log and client: no secrets
  std::optional<std::chrono::seconds> retry_after{};  // throttled, busy
  Whose whose = Whose::unknown;                       // copy() and estimate() say
  // absent: the index is there, and has no image for the platforms wanted; it never will.
  bool no_platform = false;
};

template <class T>
using Answer = std::expected<T, Failure>;

// The refusal a client hears for a failure. `what` names the thing: which 404 it is.
enum class Subject { repository, manifest, blob };
[[noreturn]] void refuse(const Failure& failure, Subject what);
// And back: what a refusal of ours means to one who branches on it.
Failure failure_of(const oci::Refusal& refusal);

}  // namespace entrepot::registry
