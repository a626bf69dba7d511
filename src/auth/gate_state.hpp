// The parts of a Gate that its files share.
#pragma once

#include <memory>

#include "auth/password_check.hpp"
#include "auth/policy.hpp"
#include "entrepot/auth/gate.hpp"
#include "entrepot/base/published.hpp"

namespace entrepot::auth {

struct Gate::State {
  State(GateOptions options, async::BlockingPool& pool, const base::Clock& wall_and_steady)
      : clock(wall_and_steady),
        passwords(pool, clock),
        policy_(std::make_shared<const Policy>(std::move(options), clock)) {}

  std::shared_ptr<const Policy> policy() const { return policy_.now(); }

  void replace(std::shared_ptr<const Policy> policy) {
    policy_.replace(std::move(policy));
    passwords.forget_verdicts();
  }

  const base::Clock& clock;
  PasswordCheck passwords;

 private:
  base::Published<Policy> policy_;
};

}  // namespace entrepot::auth
