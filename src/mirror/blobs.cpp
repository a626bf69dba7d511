#include "mirror/blobs.hpp"

#include <algorithm>

#include "entrepot/base/metrics.hpp"
#include "mirror/follower.hpp"
#include "mirror/permission.hpp"

namespace entrepot::mirror {

namespace {

using Content = registry::Answer<registry::BlobContent>;

// Fills that ended under us (failed for another's sake, overtaken, leaving) before we give up.
constexpr int most_rounds = 8;
constexpr std::chrono::seconds try_again_after{5};

// Who asks, and what is known of it.
struct Wish {
  Shared context;
  Place place;
  oci::Digest digest;
  Standing standing;
  Fill::Entitled entitled = Fill::Entitled::no;
  Stopwatch watch{};

  // Schema 1 names its layers without sizes: recorded as 0, which says nothing.
  std::optional<std::uint64_t> expected_size() const {
    if (!standing.listed || standing.listed->size == 0) return std::nullopt;
    return standing.listed->size;
  }
  Origin origin() const {
    return {.upstream = &context->upstream,
            .upstream_name = context->options.name,
            .name = place.name,
            .canonical = place.canonical,
            .digest = digest,
            .size = expected_size()};
  }
  // What is left of the client's.
  std::chrono::milliseconds patience() const {
    return std::max(context->options.patience - watch.elapsed(), std::chrono::milliseconds(0));
  }
  registry::Provenance provenance(registry::Outcome outcome) const {
    return {
        .outcome = outcome, .upstream = context->options.name, .upstream_time = watch.elapsed()};
  }
};

async::Task<Content> held_blob(Shared context, Place place, oci::Digest digest) {
  auto held = co_await context->local.blob(place.canonical, digest);
  if (held) held->provenance.upstream = context->options.name;
  co_return held;
}

// A content, a failure to tell, or neither: then look again from the start.
using Turn = std::optional<Content>;

// Earned, but the index has no room to say so.
async::Task<Turn> pass_held(const Wish& wish) {
  const auto record = co_await wish.context->facts().read(
      [&](const index::View& view) { return index::blob(view, wish.digest); });
  if (!record) co_return std::nullopt;
  auto bytes = wish.context->fills->house.store.open(wish.digest, record->size);
  if (!bytes) co_return std::nullopt;
  registry::BlobContent content{.bytes = std::move(bytes),
                                .provenance = wish.provenance(registry::Outcome::passed)};
  co_return Content(std::move(content));
}

// Stored for another repository's sake: ours once we have earned it, too.
async::Task<Turn> claim(const Wish& wish) {
  auto proven =
      co_await prove(wish.context, wish.place, wish.digest, wish.standing, BeingEarned::no);
  if (!proven) co_return Content(std::unexpected(std::move(proven.error())));
  if (!co_await link(wish.context, wish.place, wish.digest)) co_return co_await pass_held(wish);
  auto held = co_await held_blob(wish.context, wish.place, wish.digest);
  if (!held) co_return std::nullopt;
  co_return std::move(held);
}

// The fill keeps its place; who comes again joins it.
Content too_slow(const Wish& wish) {
  return std::unexpected(registry::Failure{
      .kind = registry::FailureKind::busy,
      .message = "upstream " + wish.context->options.name + " has not sent a byte yet",
      .retry_after = try_again_after});
}

async::Task<Turn> pass_directly(const Wish& wish, Remainder remainder) {
  auto direct = co_await Direct::open(wish.origin(), std::move(remainder), wish.context->metrics(),
                                      wish.patience());
  if (!direct) co_return Content(std::unexpected(std::move(direct.error())));
  registry::BlobContent content{.bytes = std::move(*direct),
                                .provenance = wish.provenance(registry::Outcome::passed)};
  co_return Content(std::move(content));
}

async::Task<Turn> follow(const Wish& wish, Seat seat, FillTable::State::Place place) {
  auto waited_for = co_await seat.fill().opened(wish.patience());
  if (!waited_for) co_return too_slow(wish);
  auto& opened = *waited_for;
  switch (opened.state) {
    case FillState::superseded:
      co_return std::nullopt;
    case FillState::failed:
      // What another repository was told about this digest says nothing about ours.
      if (seat.fill().starter() != wish.place.canonical) co_return std::nullopt;
      co_return Content(std::unexpected(std::move(*opened.failure)));
    case FillState::unstorable:
      co_return co_await pass_directly(wish, std::move(opened.remainder));
    case FillState::running:
    case FillState::proven:
      break;
  }
  const auto outcome = place == FillTable::State::Place::started ? registry::Outcome::fetched
                                                                 : registry::Outcome::collapsed;
  auto bytes = std::make_unique<Follower>(std::move(seat), wish.origin(), opened.total.value_or(0),
                                          wish.context->metrics());
  registry::BlobContent content{.bytes = std::move(bytes), .provenance = wish.provenance(outcome)};
  co_return Content(std::move(content));
}

// The fill was started through another repository.
async::Task<Turn> earn(Wish& wish, std::shared_ptr<Fill> fill) {
  const bool same = fill->upstream_name() == wish.context->options.name;
  auto proven = co_await prove(wish.context, wish.place, wish.digest, wish.standing,
                               same ? BeingEarned::beside : BeingEarned::no);
  if (!proven) co_return Content(std::unexpected(std::move(proven.error())));
  wish.entitled = Fill::Entitled::yes;
  co_return std::nullopt;
}

async::Task<Turn> enter(Wish& wish) {
  const auto executor = co_await async::this_executor();
  auto& fills = *wish.context->fills;
  auto entrance = fills.enter(wish.origin(), wish.entitled, executor);
  if (auto* admitted = std::get_if<FillTable::State::Admitted>(&entrance)) {
    co_return co_await follow(wish, std::move(admitted->seat), admitted->place);
  }
  if (auto* stranger = std::get_if<FillTable::State::Stranger>(&entrance)) {
    co_return co_await earn(wish, std::move(stranger->fill));
  }
  const auto ending = std::get<FillTable::State::Closing>(std::move(entrance)).fill;
  if (!co_await ending->gone(wish.patience())) co_return too_slow(wish);
  co_return std::nullopt;
}

async::Task<Turn> take_turn(Wish& wish) {
  auto held = co_await held_blob(wish.context, wish.place, wish.digest);
  if (held) co_return std::move(held);
  wish.standing = co_await standing(wish.context, wish.place, wish.digest);
  if (wish.standing.stored && !wish.standing.linked) {
    auto claimed = co_await claim(wish);
    if (claimed) co_return claimed;
  }
  const auto key = "blob " + key_of(wish.place.canonical, oci::Reference(wish.digest));
  if (auto known = wish.context->negative.find(key, wish.context->steady())) {
    co_return Content(std::unexpected(std::move(*known)));
  }
  if (wish.context->options.asking == Asking::never) {
    co_return Content(std::unexpected(offline_failure(*wish.context)));
  }
  auto turn = co_await enter(wish);
  if (turn && !*turn) remember_absent(*wish.context, key, turn->error());
  co_return turn;
}

}  // namespace

async::Task<Content> open_blob(Shared context, Place place, oci::Digest digest) {
  Wish wish{.context = context, .place = place, .digest = digest, .standing = {}};
  for (int round = 0; round < most_rounds; ++round) {
    auto turn = co_await take_turn(wish);
    if (turn) co_return std::move(*turn);
  }
  co_return std::unexpected(registry::Failure{.kind = registry::FailureKind::broken,
                                              .message = "the blob could not be had"});
}

async::Task<registry::Answer<registry::BlobSize>> stat_blob(Shared context, Place place,
                                                            oci::Digest digest) {
  auto held = co_await context->local.stat(place.canonical, digest);
  if (!held && co_await inherit(context, place, digest)) {
    held = co_await context->local.stat(place.canonical, digest);
  }
  if (held) {
    held->provenance.upstream = context->options.name;
    co_return held;
  }
  const Stopwatch watch;
  const auto size = context->fills->size_of(digest, place.canonical);
  auto answer = registry::Answer<registry::BlobSize>(registry::BlobSize{.size = size.value_or(0)});
  if (!size) answer = co_await ask_size(context, place, digest);
  if (!answer) co_return answer;
  answer->provenance = {.outcome = size ? registry::Outcome::collapsed : registry::Outcome::passed,
                        .upstream = context->options.name,
                        .upstream_time = watch.elapsed()};
  co_return answer;
}

}  // namespace entrepot::mirror
