#include "upstream/credential_source.hpp"

#include "upstream/credential_helper.hpp"

namespace entrepot::upstream {
namespace {

constexpr std::chrono::seconds helper_answers_last(300);
constexpr std::chrono::seconds helper_may_take(10);

// One line end is the editor's, not the secret's.
std::string without_line_end(std::string text) {
  if (text.ends_with('\n')) text.pop_back();
  if (text.ends_with('\r')) text.pop_back();
  return text;
}

std::string host_and_port(const http::Url& url) {
  const auto origin = url.origin();
  return origin.substr(origin.find("//") + 2);
}

}  // namespace

CredentialSource::CredentialSource(Places places, async::BlockingPool& pool,
                                   const base::Clock& clock)
    : places_(std::move(places)),
      pool_(pool),
      clock_(clock),
      password_(places_.password_file),
      config_(places_.docker_config) {}

async::Task<std::expected<Account, std::string>> CredentialSource::account(http::Url server) {
  if (!places_.username.empty()) {
    if (places_.password_file.empty()) co_return Account{places_.username, {}, {}};
    auto password = password_.text();
    if (!password) co_return std::unexpected(std::move(password.error()));
    co_return Account{places_.username, without_line_end(std::move(*password)), {}};
  }
  if (places_.docker_config.empty()) co_return Account();
  const auto text = config_.text();
  if (!text) co_return std::unexpected(text.error());
  auto entry = find_in_docker_config(*text, host_and_port(server));
  if (!entry) co_return std::unexpected(places_.docker_config + ": " + entry.error());
  if (auto* account = std::get_if<Account>(&*entry)) co_return std::move(*account);
  if (auto* helper = std::get_if<HelperEntry>(&*entry)) co_return co_await from_helper(*helper);
  co_return Account();
}

async::Task<CredentialSource::Known> CredentialSource::from_helper(HelperEntry entry) {
  const std::string key = entry.name + " " + entry.server;
  {
    const std::lock_guard lock(mutex_);
    const auto found = helped_.find(key);
    if (found != helped_.end() && clock_.steady() < found->second.until)
      co_return found->second.account;
  }
  async::SingleFlight<std::string, Known>::Work work = [this, entry] { return run_helper(entry); };
  auto [known, role] = co_await flights_.run(key, std::move(work));
  co_return std::move(known);
}

async::Task<CredentialSource::Known> CredentialSource::run_helper(HelperEntry entry) {
  auto known =
      co_await pool_.run([&entry] { return ask_credential_helper(entry, helper_may_take); });
  if (known) {
    const std::lock_guard lock(mutex_);
    helped_[entry.name + " " + entry.server] = {*known, clock_.steady() + helper_answers_last};
  }
  co_return known;
}

}  // namespace entrepot::upstream
