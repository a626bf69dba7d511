#include "mirror/tags.hpp"

#include <algorithm>

#include "entrepot/base/log.hpp"
#include "entrepot/base/metrics.hpp"
#include "entrepot/index/catalog.hpp"
#include "mirror/freshness.hpp"
#include "mirror/patient.hpp"
#include "mirror/refresh.hpp"

namespace entrepot::mirror {

namespace {

using Answer = registry::Answer<Current>;

// With something stale at hand a client does not wait longer than this for upstream; clients give a
// mirror thirty seconds for its headers (clients.md section 5.3).
constexpr std::chrono::seconds patience{5};
constexpr std::chrono::hours for_ever{24};
// An upstream that confirmed the tag so lately can be expected to give the rest of the image, too.
constexpr std::chrono::seconds confirmed_just_now{2};
// How long an image that was found complete is not looked at again.
constexpr std::chrono::seconds complete_for{60};
constexpr std::chrono::milliseconds longest_setback{600'000};

base::Milliseconds age_of(const Context& context, const HeldTag& held) {
  return context.wall() - held.checked;
}

Current held_answer(const Context& context, const HeldTag& held, registry::Outcome outcome) {
  const auto age = std::chrono::duration_cast<std::chrono::seconds>(age_of(context, held));
  return {.digest = held.digest,
          .provenance = {.outcome = outcome,
                         .age = std::max(age, std::chrono::seconds(0)),
                         .upstream = context.options.name}};
}

// Everybody who wants this tag from upstream now shares one question.
async::Task<std::pair<Answer, async::Role>> ask_together(Shared context, Place place, oci::Tag tag,
                                                         std::optional<HeldTag> held, Want want) {
  const auto key = key_of(place.canonical, oci::Reference(tag));
  co_return co_await context->tag_flights.run(key, [=] {
    if (held) return revalidate(context, place, tag, *held);
    return first_fetch(context, place, tag, want);
  });
}

// Asking was dear and in vain: not again at once, as long as there is something stale to give.
void remember_setback(Context& context, const std::string& key, const registry::Failure& failure) {
  const auto least = context.options.freshness.negative;
  if (failure.kind == registry::FailureKind::timeout) {
    context.setbacks.remember(key, failure, context.steady(), least);
  } else if (failure.kind == registry::FailureKind::throttled) {
    const std::chrono::milliseconds told = failure.retry_after.value_or(std::chrono::seconds(0));
    context.setbacks.remember(key, failure, context.steady(),
                              std::min(std::max(told, least), longest_setback));
  }
}

async::Task<Answer> refresh(Shared context, Place place, oci::Tag tag, HeldTag held) {
  const auto key = key_of(place.canonical, oci::Reference(tag));
  auto flight = co_await ask_together(context, place, tag, held, Want::digest);
  if (!flight.first) {
    remember_absent(*context, key, flight.first.error());
    remember_setback(*context, key, flight.first.error());
  }
  co_return std::move(flight.first);
}

async::Task<> refresh_behind(Shared context, Place place, oci::Tag tag, HeldTag held) {
  const auto key = key_of(place.canonical, oci::Reference(tag));
  if (context->setbacks.find(key, context->steady())) co_return;
  const auto answer = co_await refresh(context, place, tag, held);
  if (answer) co_return;
  base::log::warn("tag refresh failed", {{"repository", place.canonical.text()},
                                         {"tag", tag.text()},
                                         {"reason", answer.error().message}});
}

async::Task<> refresh_into(Shared context, Place place, oci::Tag tag, HeldTag held,
                           std::shared_ptr<Patient<Answer>> answer) {
  try {
    answer->give(co_await refresh(context, place, tag, held));
  } catch (...) {
    answer->fail(std::current_exception());
  }
}

// Whether all of the image can be had in this repository without asking upstream.
async::Task<bool> complete(Shared context, Place place, oci::Digest manifest) {
  co_return co_await context->facts().read([&](const index::View& view) {
    return index::completeness(view, place.canonical, context->options.name, manifest) ==
           index::Completeness::complete;
  });
}

// The held tag although upstream could not confirm it; absent when it is too old, or when the rest
// of the image could not be had here either (a tag is never answered without its content).
async::Task<std::optional<Current>> stale(Shared context, Place place, HeldTag held) {
  const auto rule = context->options.freshness;
  if (if_error(rule, age_of(*context, held)) == IfError::fail) co_return std::nullopt;
  if (!co_await complete(context, place, held.digest)) co_return std::nullopt;
  context->metrics().stale_served(context->options.name);
  auto answer = held_answer(*context, held, registry::Outcome::stale);
  answer.provenance.upstream_failed = true;
  co_return answer;
}

// A held tag past its time.
async::Task<Answer> ask(Shared context, Place place, oci::Tag tag, HeldTag held) {
  const auto key = key_of(place.canonical, oci::Reference(tag));
  if (context->setbacks.find(key, context->steady())) {
    if (auto old = co_await stale(context, place, held)) co_return std::move(*old);
  }
  const Stopwatch watch;
  const auto pending = std::make_shared<Patient<Answer>>();
  const auto executor = co_await async::this_executor();
  async::spawn(executor, refresh_into(context, place, tag, held, pending), "tag revalidation");
  auto answer = co_await pending->wait(patience);
  if (!answer) {
    if (auto old = co_await stale(context, place, held)) co_return std::move(*old);
    answer = co_await pending->wait(for_ever);
  }
  if (!answer)
    co_return std::unexpected(
        registry::Failure{.kind = registry::FailureKind::timeout, .message = "no answer in time"});
  if (*answer) {
    (*answer)->provenance.upstream_time = watch.elapsed();
    co_return std::move(*answer);
  }
  if (answer->error().kind == registry::FailureKind::absent) co_return std::move(*answer);
  if (auto old = co_await stale(context, place, held)) {
    old->provenance.upstream_time = watch.elapsed();
    co_return std::move(*old);
  }
  co_return std::move(*answer);
}

// A tag in its time whose image is not all here is a promise that only upstream can keep: it is
// given while upstream is known to be there, which is asked anew after a moment.
bool vouched_for(const Context& context, const Place& place, const HeldTag& held) {
  if (age_of(context, held) < confirmed_just_now) return true;
  const auto key = key_of(place.canonical, oci::Reference(held.digest));
  return context.complete_images.find(key, context.steady()).has_value();
}

async::Task<bool> found_complete(Shared context, Place place, HeldTag held) {
  if (!co_await complete(context, place, held.digest)) co_return false;
  const auto key = key_of(place.canonical, oci::Reference(held.digest));
  context->complete_images.remember(key, Whole{}, context->steady(), complete_for);
  co_return true;
}

async::Task<Answer> first(Shared context, Place place, oci::Tag tag, Want want) {
  const auto key = key_of(place.canonical, oci::Reference(tag));
  if (auto known = context->negative.find(key, context->steady())) {
    co_return std::unexpected(std::move(*known));
  }
  if (context->options.asking == Asking::never) {
    co_return std::unexpected(offline_failure(*context));
  }
  const Stopwatch watch;
  auto flight = co_await ask_together(context, place, tag, std::nullopt, want);
  auto answer = std::move(flight.first);
  if (!answer) {
    remember_absent(*context, key, answer.error());
    co_return answer;
  }
  auto& provenance = answer->provenance;
  provenance.upstream_time = watch.elapsed();
  if (flight.second == async::Role::joined && provenance.outcome == registry::Outcome::fetched) {
    provenance.outcome = registry::Outcome::collapsed;
  }
  co_return answer;
}

async::Task<Answer> offline(Shared context, Place place, HeldTag held) {
  if (co_await complete(context, place, held.digest)) {
    co_return held_answer(*context, held, registry::Outcome::offline);
  }
  co_return std::unexpected(offline_failure(*context));
}

}  // namespace

async::Task<Answer> current(Shared context, Place place, oci::Tag tag, Want want) {
  const auto held = co_await held_tag(context, place, tag);
  if (!held) co_return co_await first(context, place, tag, want);
  const auto name = place.name.text() + ":" + tag.text();
  const auto pin = context->pinned.matches(name) ? Pin::pinned : Pin::loose;
  const auto& options = context->options;
  switch (decide(options.freshness, options.asking, pin, age_of(*context, *held))) {
    case Step::answer_pinned:
      co_return held_answer(*context, *held, registry::Outcome::hit);
    case Step::answer:
      if (!vouched_for(*context, place, *held) && !co_await found_complete(context, place, *held)) {
        break;
      }
      co_return held_answer(*context, *held, registry::Outcome::hit);
    case Step::answer_offline:
      co_return co_await offline(context, place, *held);
    case Step::answer_and_refresh: {
      if (!vouched_for(*context, place, *held) && !co_await found_complete(context, place, *held)) {
        break;
      }
      const auto executor = co_await async::this_executor();
      async::spawn(executor, refresh_behind(context, place, tag, *held), "tag refresh");
      co_return held_answer(*context, *held, registry::Outcome::stale);
    }
    case Step::ask:
      break;
  }
  co_return co_await ask(context, place, tag, *held);
}

}  // namespace entrepot::mirror
