#include "auth/password_check.hpp"

#include "entrepot/oci/refusal.hpp"

namespace entrepot::auth {
namespace {

async::Task<bool> compute(std::shared_ptr<HashQueue> queue, std::string network,
                          std::string password, std::string hash) {
  co_return co_await queue->matches(std::move(network), std::move(password), std::move(hash));
}

}  // namespace

PasswordCheck::PasswordCheck(async::BlockingPool& pool, const base::Clock& clock)
    : clock_(clock), queue_(std::make_shared<HashQueue>(pool)) {}

async::Task<bool> PasswordCheck::belong_together(std::shared_ptr<const PasswordTable> users,
                                                 std::string name, std::string password,
                                                 std::string remote) {
  const auto* const own = users->hash_of(name);
  const auto& hash = own != nullptr ? *own : users->stand_in(number_of(keyed_.of({name})));
  const auto network = network_of(remote);
  const auto pair = keyed_.of({name, network});
  // Before what is known is looked at: there a right guess would tell itself from the wrong ones.
  refuse_if_guessing(pair);
  const auto question = keyed_.of({name, hash, password});
  if (const auto verdict = known_verdict(question)) co_return *verdict;

  const auto [matches, role] =
      co_await flights_.run(question, [queue = queue_, network, password, hash] {
        return compute(queue, network, password, hash);
      });
  const bool verdict = matches && own != nullptr;
  keep_verdict(question, verdict);
  if (verdict) {
    failures_.forget(pair);
  } else if (role == async::Role::leader) {
    failures_.note_failure(pair, clock_.steady());
  }
  co_return verdict;
}

std::optional<bool> PasswordCheck::known_verdict(const Fingerprint& question) {
  const std::lock_guard lock(mutex_);
  const auto* const verdict = verdicts_.find(question, clock_.steady());
  if (verdict == nullptr) return std::nullopt;
  return *verdict;
}

void PasswordCheck::keep_verdict(const Fingerprint& question, bool verdict) {
  const std::lock_guard lock(mutex_);
  verdicts_.put(question, verdict, clock_.steady() + verdict_lifetime);
}

void PasswordCheck::forget_verdicts() {
  const std::lock_guard lock(mutex_);
  verdicts_ = ExpiringMap<bool>(most_verdicts);
}

void PasswordCheck::refuse_if_guessing(const Fingerprint& pair) {
  const auto wait = failures_.refused_for(pair, clock_.steady());
  if (!wait) return;
  oci::Refusal refusal(oci::ErrorCode::too_many_requests, "too many failed logins");
  refusal.retry_after = *wait;
  throw refusal;
}

}  // namespace entrepot::auth
