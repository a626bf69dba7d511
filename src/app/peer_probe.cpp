#include "app/peer_probe.hpp"

#include <algorithm>
#include <utility>

#include "entrepot/base/clock.hpp"
#include "entrepot/http/url.hpp"
#include "entrepot/upstream/feed.hpp"
#include "entrepot/upstream/place.hpp"

namespace entrepot::app {
namespace {

// Somebody looks at a screen meanwhile.
constexpr std::chrono::seconds patience{5};

upstream::RemoteOptions hasty(upstream::RemoteOptions options) {
  options.retries = 0;
  options.transport.connect =
      std::min<std::chrono::milliseconds>(options.transport.connect, patience);
  options.transport.first_byte =
      std::min<std::chrono::milliseconds>(options.transport.first_byte, patience);
  return options;
}

std::string sentence(const registry::Failure& failure) {
  std::string text(registry::to_string(failure.kind));
  if (!failure.message.empty()) text += ": " + failure.message;
  return text;
}

}  // namespace

PeerProbe::PeerProbe(PeerConfig::Kind kind, upstream::RemoteOptions options, http::Client& client,
                     async::BlockingPool& pool, base::Metrics& metrics)
    : options_(hasty(std::move(options))) {
  if (kind == PeerConfig::Kind::entrepot) {
    feed_ = upstream::connect_feed(options_, client, pool, base::system_clock(), metrics);
  } else {
    place_ = upstream::connect_place(options_, client, pool, base::system_clock(), metrics);
  }
}

async::Task<> PeerProbe::ask(api::PeerCard& card) const {
  card.name = options_.name;
  card.kind = feed_ ? "entrepot" : "registry";
  card.urls = options_.urls;
  if (feed_) {
    co_await ask_site(card);
  } else {
    co_await ask_registry(card);
  }
  for (const auto& text : options_.urls) {
    const auto url = http::parse_url(text);
    const auto limit = url ? options_.rate->known(url->origin()) : std::nullopt;
    if (limit) card.allowed = limit->remaining;
  }
}

async::Task<> PeerProbe::ask_site(api::PeerCard& card) const {
  // A row that cannot be there: the answer is where the Journal stands, and no rows.
  constexpr auto beyond = std::uint64_t{1} << 62;
  const auto page = co_await feed_->changes({}, beyond, 1, std::chrono::milliseconds(0));
  if (!page) {
    card.error = sentence(page.error());
    co_return;
  }
  card.site = page->site;
  card.newest = page->newest;
}

async::Task<> PeerProbe::ask_registry(api::PeerCard& card) const {
  using enum registry::FailureKind;
  const auto page = co_await place_->repositories({.after = {}, .limit = 1});
  // Many registries show nobody their catalog.
  if (page || page.error().kind == denied || page.error().kind == absent) co_return;
  card.error = sentence(page.error());
}

}  // namespace entrepot::app
