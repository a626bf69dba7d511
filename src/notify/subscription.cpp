#include "notify/subscription.hpp"

namespace entrepot::notify {

Subscription::Subscription(Receiver receiver)
    : receiver_(std::move(receiver)), repositories_(receiver_.repositories) {}

bool Subscription::wants(index::EventKind kind) const {
  const bool as_push = kind == index::EventKind::mount;
  return receiver_.events.contains(kind) ||
         (as_push && receiver_.events.contains(index::EventKind::push));
}

bool Subscription::wants(const index::Event& event) const {
  return wants(event.kind) &&
         (receiver_.repositories.empty() || repositories_.matches(event.repository));
}

}  // namespace entrepot::notify
