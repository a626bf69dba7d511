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

http::Priority priority_of(const RemoteOptions& options) {
  return options.lane ? options.lane->priority : http::Priority::interactive;
}

std::shared_ptr<RateBudget> rate_of(const RemoteOptions& options, const base::Clock& clock) {
  return options.rate ? options.rate : std::make_shared<RateBudget>(clock);
}

void keep_weightiest(std::optional<Setback>& kept, const Setback& setback) {
  if (!kept || weight(setback.failure.kind) >= weight(kept->failure.kind)) kept = setback;
}

}  // namespace

Asker::Asker(const RemoteOptions& options, http::Client& client, async::BlockingPool& pool,
             const base::Clock& clock, base::Metrics& metrics)
    : origins_(options),
      metrics_(metrics),
      priority_(priority_of(options)),
      reserve_(options.reserve),
      rate_(rate_of(options, clock)),
      rule_{options.retries},
      credentials_({options.username, options.password_file, options.docker_config}, pool, clock),
      tokens_(origins_, client, clock, metrics),
      authenticator_(origins_, credentials_, tokens_),
      exchange_(origins_, authenticator_, client, *rate_, clock, metrics),
      mirrors_(origins_.urls().size(), clock),
      transfers_(options.concurrency),
      uploads_(options.concurrency),
      questions_(options.concurrency) {}

async::Task<std::optional<async::Limiter::Permit>> Asker::turn(const Question& question) {
  switch (question.queue) {
    case Queue::questions:
      co_return co_await questions_.acquire(longest_queue);
    case Queue::uploads:
      co_return co_await uploads_.acquire(as_long_as_it_takes);
    case Queue::polls:
      co_return async::Limiter::Permit();
    case Queue::transfers:
      break;
  }
  co_return co_await transfers_.acquire(question.patience.value_or(as_long_as_it_takes));
}

std::optional<Setback> Asker::held_back(std::size_t url, const Question& question) {
  if (priority_ == http::Priority::interactive) return std::nullopt;
  const bool counts = question.kind == "manifest" && question.method == "GET";
  const auto cost = counts ? RateBudget::Cost::manifest : RateBudget::Cost::nothing;
  const auto wait = rate_->wait(origins_.urls()[url].origin(), cost, reserve_);
  if (!wait) return std::nullopt;
  return Setback{{FailureKind::throttled, "what it still allows is kept for people's pulls", wait}};
}

Asker::Course Asker::course_of(const Question& question) {
  Course course{std::vector<bool>(origins_.urls().size()), {}, {}, {}};
  for (std::size_t url = 0; url < course.settled.size(); ++url)
    if (const auto setback = held_back(url, question)) {
      course.settled[url] = true;
      keep_weightiest(course.final, *setback);
    }
  return course;
}

async::Task<Try<Held>> Asker::ask_once(std::size_t url, Question question) {
  auto permit = co_await turn(question);
  if (!permit)
    co_return std::unexpected(
        Setback{named({FailureKind::busy, "too many requests at once", try_again_after})});
  auto setback = held_back(url, question);
  Try<Reply> reply = std::unexpected(Setback());
  if (!setback) {
    reply = co_await exchange_.ask(origins_.urls()[url], std::move(question));
    if (!reply) setback = std::move(reply.error());
    if (setback) note(url, *setback);
  }
  if (setback) {
    setback->failure = named(std::move(setback->failure));
    co_return std::unexpected(std::move(*setback));
  }
  mirrors_.answered(url);
  co_return Held{std::move(*permit), std::move(*reply), url};
}

async::Task<registry::Answer<Held>> Asker::ask(Question question) {
  auto permit = co_await turn(question);
  if (!permit)
    co_return std::unexpected(
        named({FailureKind::busy, "too many requests at once", try_again_after}));
  budget_.pay_in();
  Course course = course_of(question);
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
      const auto& setback = reply.error();
      note(*url, setback);
      const bool settled = setback.again == Again::is_pointless;
      if (settled) course.settled[*url] = true;
      keep_weightiest(settled ? course.final : course.hopeful, setback);
      continue;
    }
    mirrors_.answered(*url);
    course.held = Held{{}, std::move(*reply), *url};
    co_return asked;
  }
}

void Asker::note(std::size_t url, const Setback& setback) {
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
