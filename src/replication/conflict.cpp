#include "replication/conflict.hpp"

#include <algorithm>

namespace entrepot::replication {

Verdict judge(const Difference& difference) {
  const auto& history = difference.history;
  const auto brought = [&difference](const index::TagChange& change) {
    return change.cause == index::Cause::replication && change.who == difference.actor;
  };
  if (difference.policy == Conflict::source || history.empty() || brought(history.front())) {
    return Verdict::take;
  }
  if (difference.policy == Conflict::target) {
    const bool replicated = history.front().cause == index::Cause::replication;
    return replicated ? Verdict::take : Verdict::stay;
  }
  if (difference.version && difference.ours) {
    return *difference.version > *difference.ours ? Verdict::take : Verdict::stay;
  }
  const auto same = [&](const index::TagChange& change) {
    return brought(change) && change.to == difference.source;
  };
  const bool ours_is_later = std::ranges::any_of(history, same);
  const bool known = std::ranges::any_of(history, brought);
  return known && !ours_is_later ? Verdict::take : Verdict::stay;
}

}  // namespace entrepot::replication
