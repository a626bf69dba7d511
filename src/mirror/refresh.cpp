#include "mirror/refresh.hpp"

#include <algorithm>
#include <system_error>

#include "entrepot/base/log.hpp"
#include "entrepot/base/metrics.hpp"
#include "entrepot/index/catalog.hpp"
#include "mirror/manifests.hpp"

namespace entrepot::mirror {

namespace {

// How far back a return to an earlier digest is noticed.
constexpr std::size_t remembered_moves = 256;

Current answer_of(const Context& context, const oci::Digest& digest, registry::Outcome outcome) {
  return {
      .digest = digest,
      .provenance = {
          .outcome = outcome, .age = std::chrono::seconds(0), .upstream = context.options.name}};
}

Current answer_of(const Context& context, const Arrival& arrival) {
  const bool kept = arrival.kept == Arrival::Kept::yes;
  auto current = answer_of(context, arrival.content->digest,
                           kept ? registry::Outcome::fetched : registry::Outcome::passed);
  current.content = arrival.content;
  return current;
}

// Writes what upstream just said about the tag. Not being able to is no reason not to answer: the
// next request asks again.
async::Task<> note(Shared context, oci::RepositoryName repository, oci::Tag tag,
                   std::function<void(index::Batch&)> change) {
  try {
    co_await context->facts().write(std::move(change));
  } catch (const index::IndexFull& error) {
    base::log::error(
        "tag not kept",
        {{"repository", repository.text()}, {"tag", tag.text()}, {"error", error.what()}});
  } catch (const std::system_error& error) {
    base::log::error(
        "tag not kept",
        {{"repository", repository.text()}, {"tag", tag.text()}, {"error", error.what()}});
  }
}

async::Task<> confirm(Shared context, Place place, oci::Tag tag, oci::Digest digest) {
  const auto now = context->wall();
  co_await note(context, place.canonical, tag, [=](index::Batch& batch) {
    index::confirm_tag(batch, place.canonical, tag, digest, now);
  });
}

async::Task<> point(Shared context, Place place, oci::Tag tag, oci::Digest digest) {
  const auto now = context->wall();
  co_await note(context, place.canonical, tag, [=](index::Batch& batch) {
    index::set_tag(batch, place.canonical, tag, digest, now, index::Cause::mirror);
  });
}

async::Task<> remove(Shared context, Place place, oci::Tag tag) {
  const auto now = context->wall();
  co_await note(context, place.canonical, tag, [=](index::Batch& batch) {
    index::remove_tag(batch, place.canonical, tag, now, index::Cause::removed_upstream);
  });
  base::log::info("tag removed upstream",
                  {{"repository", place.canonical.text()}, {"tag", tag.text()}});
}

async::Task<bool> has_manifest(Shared context, Place place, oci::Digest digest) {
  const auto held = co_await context->local.resolve(place.canonical, oci::Reference(digest));
  co_return held.has_value();
}

// M-14: upstream goes back to a digest this tag had before.
async::Task<bool> is_rollback(Shared context, Place place, oci::Tag tag, oci::Digest digest) {
  co_return co_await context->facts().read([&](const index::View& view) {
    const auto before = index::tag_history(view, place.canonical, tag, remembered_moves);
    return std::ranges::find(before, digest) != before.end();
  });
}

void report_rollback(const Context& context, const Place& place, const oci::Tag& tag,
                     const oci::Digest& from, const oci::Digest& to) {
  context.metrics().tag_rollback(context.options.name);
  const bool refused = context.options.rollback == Rollback::refused;
  base::log::warn("tag_rollback", {{"repository", place.canonical.text()},
                                   {"tag", tag.text()},
                                   {"from", from.text()},
                                   {"to", to.text()},
                                   {"policy", refused ? "refused" : "served"}});
}

// Makes `digest` what the tag stands for here, fetching its manifest unless it is held.
async::Task<registry::Answer<Current>> move_to(Shared context, Place place, oci::Tag tag,
                                               oci::Digest digest) {
  if (co_await has_manifest(context, place, digest)) {
    co_await point(context, place, tag, digest);
    co_return answer_of(*context, digest, registry::Outcome::revalidated);
  }
  auto arrival = co_await fetch_manifest(context, place, oci::Reference(digest), tag);
  if (arrival) co_return answer_of(*context, *arrival);
  auto failure = std::move(arrival.error());
  if (failure.kind == registry::FailureKind::absent) {
    // It named a digest a moment ago: that the tag is gone is not what this says.
    failure.kind = registry::FailureKind::broken;
    failure.message = context->options.name + " has no manifest for its own tag";
  }
  co_return std::unexpected(std::move(failure));
}

}  // namespace

async::Task<std::optional<HeldTag>> held_tag(Shared context, Place place, oci::Tag tag) {
  co_return co_await context->facts().read([&](const index::View& view) -> std::optional<HeldTag> {
    const auto record = index::tag(view, place.canonical, tag);
    if (!record || !index::linked(view, place.canonical, record->digest) ||
        !index::manifest_info(view, record->digest)) {
      return std::nullopt;
    }
    return HeldTag{.digest = record->digest, .checked = record->checked};
  });
}

async::Task<registry::Answer<Current>> first_fetch(Shared context, Place place, oci::Tag tag,
                                                   Want want) {
  if (want == Want::digest) {
    auto answer = co_await context->upstream.resolve(place.name, oci::Reference(tag));
    if (!answer) co_return std::unexpected(std::move(answer.error()));
    co_return co_await move_to(context, place, tag, answer->digest);
  }
  auto arrival = co_await fetch_manifest(context, place, oci::Reference(tag), tag);
  if (!arrival) co_return std::unexpected(std::move(arrival.error()));
  co_return answer_of(*context, *arrival);
}

async::Task<registry::Answer<Current>> revalidate(Shared context, Place place, oci::Tag tag,
                                                  HeldTag held) {
  auto answer = co_await context->upstream.resolve(place.name, oci::Reference(tag));
  if (!answer) {
    if (answer.error().kind == registry::FailureKind::absent) co_await remove(context, place, tag);
    co_return std::unexpected(std::move(answer.error()));
  }
  if (answer->digest == held.digest) {
    co_await confirm(context, place, tag, held.digest);
    co_return answer_of(*context, held.digest, registry::Outcome::revalidated);
  }
  if (co_await is_rollback(context, place, tag, answer->digest)) {
    report_rollback(*context, place, tag, held.digest, answer->digest);
    if (context->options.rollback == Rollback::refused) {
      co_await confirm(context, place, tag, held.digest);
      co_return answer_of(*context, held.digest, registry::Outcome::revalidated);
    }
  }
  co_return co_await move_to(context, place, tag, answer->digest);
}

}  // namespace entrepot::mirror
