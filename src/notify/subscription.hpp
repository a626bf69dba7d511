// A receiver as configured, with its patterns compiled. Immutable.
#pragma once

#include <memory>

#include "entrepot/base/clock.hpp"
#include "entrepot/base/glob.hpp"
#include "entrepot/notify/notifier.hpp"

namespace entrepot::notify {

class Subscription {
 public:
  // Throws std::invalid_argument naming the pattern that cannot be read.
  explicit Subscription(Receiver receiver);

  const Receiver& receiver() const { return receiver_; }
  // A mount is a push that needed no bytes: who wants pushes wants it too.
  bool wants(index::EventKind kind) const;
  bool wants(const index::Event& event) const;
  bool expired(const index::Event& event, base::WallTime now) const {
    return event.time + receiver_.keep < now;
  }

 private:
  const Receiver receiver_;
  const base::GlobSet repositories_;
};

using SharedSubscription = std::shared_ptr<const Subscription>;

}  // namespace entrepot::notify
