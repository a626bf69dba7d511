#include "upstream/asker.hpp"

#include <algorithm>

#include "entrepot/base/log.hpp"

namespace entrepot::upstream {
namespace {

using registry::Failure;
using registry::FailureKind;

// A question is a client's, who gives up on a head after 30 s.
constexpr std::chrono::seconds longest_queue(25);
constexpr std::chrono::hours as_long_as_it_takes(24 * 365);
constexpr std::chrono::seconds try_again_after(5);

// Which of several failures tells most. Absent only when every URL says so: nothing may be believed
// absent because one of them could not be asked.
int weight(FailureKind kind) {
  switch (kind) {
    case FailureKind::absent:
    case FailureKind::offline:
    case FailureKind::busy:
      return 0;
    case FailureKind::denied:
      return 1;
    case FailureKind::broken:
      return 2;
    case FailureKind::timeout:
      return 3;
    case FailureKind::throttled:
      return 4;
  }
  return 0;
}

void keep_weightiest(std::optional<Setback>& kept, const Setback& setback) {
  if (!kept || weight(setback.failure.kind) >= weight(kept->failure.kind)) kept = setback;
}

}  // namespace

Asker::Asker(const RemoteOptions& options, http::Client& client, async::BlockingPool& pool,
             const base::Clock& clock, base::Metrics& metrics)
    : origins_(options),
      metrics_(metrics),
      rule_{options.retries},
      credentials_({options.username, options.password_file, options.docker_config}, pool, clock),
      tokens_(origins_, client, clock, metrics),
      authenticator_(origins_, credentials_, tokens_),
      exchange_(origins_, authenticator_, client, clock, metrics),
      mirrors_(origins_.urls().size(), clock),
      transfers_(options.concurrency),
      questions_(options.concurrency) {}

async::Task<std::optional<async::Limiter::Permit>> Asker::turn(const Question& question) {
  if (question.queue == Queue::questions) return questions_.acquire(longest_queue);
  return transfers_.acquire(question.patience.value_or(as_long_as_it_takes));
}

async::Task<registry::Answer<Held>> Asker::ask(Question question) {
  auto permit = co_await turn(question);
  if (!permit)
    co_return std::unexpected(
        named({FailureKind::busy, "too many requests at once", try_again_after}));
  budget_.pay_in();
  Course course{std::vector<bool>(origins_.urls().size()), {}, {}, {}};
  for (unsigned failures = 1;; ++failures) {
    const bool asked = co_await ask_each(question, course);
    if (course.held) {
      course.held->permit = std::move(*permit);
      co_return std::move(*course.held);
    }
    if (!asked || !course.hopeful) break;
    const auto delay = retry_delay(rule_, failures, *course.hopeful, draw_jitter());
    if (!delay || !budget_.take_out()) break;
    co_await async::sleep_for(*delay);
  }
  co_return std::unexpected(outcome(course));
}

async::Task<bool> Asker::ask_each(Question question, Course& course) {
  auto tried = course.settled;
  const auto spared = question.avoid;
  if (spared) tried[*spared] = true;
  bool asked = false;
  for (;;) {
    auto url = mirrors_.next(tried);
    if (!url && spared && !course.settled[*spared] && question.avoid) {
      question.avoid.reset();
      tried[*spared] = false;
      url = mirrors_.next(tried);
    }
    if (!url) co_return asked;
    if (!asked) course.hopeful.reset();
    asked = true;
    tried[*url] = true;
    auto reply = co_await exchange_.ask(origins_.urls()[*url], question);
    if (!reply) {
      note(*url, std::move(reply.error()), course);
      continue;
    }
    mirrors_.answered(*url);
    course.held = Held{{}, std::move(*reply), *url};
    co_return asked;
  }
}

void Asker::note(std::size_t url, Setback setback, Course& course) {
  const auto& failure = setback.failure;
  if (setback.blame == Blame::server)
    mirrors_.failed(url, failure.message);
  else
    mirrors_.answered(url);
  if (failure.kind == FailureKind::throttled)
    mirrors_.throttled(url, failure.retry_after.value_or(std::chrono::seconds(1)));
  const auto level =
      failure.kind == FailureKind::absent ? base::log::Level::debug : base::log::Level::warn;
  base::log::write(level, "upstream refused",
                   {{"upstream", name()},
                    {"url", origins_.urls()[url].origin()},
                    {"kind", registry::to_string(failure.kind)},
                    {"error", failure.message}});
  const bool settled = setback.again == Again::is_pointless;
  if (settled) course.settled[url] = true;
  keep_weightiest(settled ? course.final : course.hopeful, setback);
}

Failure Asker::outcome(Course& course) {
  auto weightiest = std::move(course.final);
  if (course.hopeful) keep_weightiest(weightiest, *course.hopeful);
  if (!weightiest) weightiest = mirrors_.why_none();
  metrics_.upstream_error(name(), registry::to_string(weightiest->failure.kind));
  return named(std::move(weightiest->failure));
}

void Asker::broke_off(std::size_t url, const std::string& reason) {
  base::log::warn(
      "upstream transfer broke off",
      {{"upstream", name()}, {"url", origins_.urls()[url].origin()}, {"error", reason}});
  mirrors_.failed(url, reason);
}

Failure Asker::named(Failure failure) const {
  failure.message = "upstream " + name() + ": " + failure.message;
  return failure;
}

}  // namespace entrepot::upstream
