#include "mirror/lists.hpp"

#include <algorithm>

#include "entrepot/base/log.hpp"

namespace entrepot::mirror {

namespace {

// A list is believed this long: enough for the pages and the herd of one moment.
constexpr std::chrono::milliseconds believed{10'000};

std::string page_key(const Place& place, const registry::Page& page) {
  return place.canonical.text() + " " + std::to_string(page.limit) + " " + page.after;
}

base::Milliseconds lifetime(const Context& context) {
  return std::min(context.options.freshness.fresh, believed);
}

// Whether what is held here stands in for the list upstream could not give.
bool stands_in(const registry::Failure& failure) {
  return failure.kind != registry::FailureKind::absent;
}

}  // namespace

async::Task<registry::Answer<registry::TagPage>> list_tags(Shared context, Place place,
                                                           registry::Page page) {
  if (context->options.asking == Asking::never) {
    co_return co_await context->local.tags(place.canonical, page);
  }
  const auto key = page_key(place, page);
  if (auto known = context->tag_pages.find(key, context->steady())) co_return std::move(*known);
  auto flight = co_await context->tag_page_flights.run(
      key, [=] { return context->upstream.tags(place.name, page); });
  auto answer = std::move(flight.first);
  if (answer) {
    context->tag_pages.remember(key, *answer, context->steady(), lifetime(*context));
    co_return answer;
  }
  if (!stands_in(answer.error())) co_return answer;
  auto held = co_await context->local.tags(place.canonical, page);
  co_return held ? std::move(held) : std::move(answer);
}

async::Task<registry::Answer<registry::ReferrerPage>> list_referrers(Shared context, Place place,
                                                                     oci::Digest subject,
                                                                     std::string artifact_type,
                                                                     registry::Page page) {
  if (context->options.asking == Asking::never) {
    co_return co_await context->local.referrers(place.canonical, subject, artifact_type, page);
  }
  const auto key = subject.text() + " " + artifact_type + " " + page_key(place, page);
  if (auto known = context->referrer_pages.find(key, context->steady())) {
    co_return std::move(*known);
  }
  auto flight = co_await context->referrer_flights.run(
      key, [=] { return context->upstream.referrers(place.name, subject, artifact_type, page); });
  auto answer = std::move(flight.first);
  if (answer) {
    context->referrer_pages.remember(key, *answer, context->steady(), lifetime(*context));
    co_return answer;
  }
  if (!stands_in(answer.error())) co_return answer;
  auto held = co_await context->local.referrers(place.canonical, subject, artifact_type, page);
  co_return held ? std::move(held) : std::move(answer);
}

}  // namespace entrepot::mirror
