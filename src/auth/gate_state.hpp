// The parts of a Gate that its files share.
#pragma once

#include <memory>
#include <mutex>

#include "auth/password_check.hpp"
#include "auth/policy.hpp"
#include "entrepot/auth/gate.hpp"

namespace entrepot::auth {

struct Gate::State {
  State(GateOptions options, async::BlockingPool& pool, const base::Clock& wall_and_steady)
      : clock(wall_and_steady),
        passwords(pool, clock),
        policy_(std::make_shared<const Policy>(std::move(options), clock)) {}

  std::shared_ptr<const Policy> policy() const {
    const std::lock_guard lock(mutex_);
    return policy_;
  }

  void replace(std::shared_ptr<const Policy> policy) {
    {
      const std::lock_guard lock(mutex_);
      policy_ = std::move(policy);
    }
    passwords.forget_verdicts();
  }

  const base::Clock& clock;
  PasswordCheck passwords;

 private:
  mutable std::mutex mutex_;  // guards policy_
  std::shared_ptr<const Policy> policy_;
};

}  // namespace entrepot::auth
