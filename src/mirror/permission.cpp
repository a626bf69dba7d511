#include "mirror/permission.hpp"

#include <system_error>

#include "entrepot/base/log.hpp"

namespace entrepot::mirror {

namespace {

void report_not_linked(const Place& place, const oci::Digest& digest, const std::exception& error) {
  base::log::error(
      "blob not linked",
      {{"repository", place.canonical.text()}, {"digest", digest.text()}, {"error", error.what()}});
}

}  // namespace

async::Task<Standing> standing(Shared context, Place place, oci::Digest digest) {
  co_return co_await context->facts().read([&](const index::View& view) {
    return Standing{.stored = index::blob(view, digest).has_value(),
                    .linked = index::linked(view, place.canonical, digest),
                    .listed = index::listed(view, place.canonical, digest),
                    .earned_beside = index::linked_beside(view, context->options.name, digest)};
  });
}

async::Task<registry::Answer<void>> prove(Shared context, Place place, oci::Digest digest,
                                          Standing standing, BeingEarned fill) {
  const bool beside = standing.earned_beside || fill == BeingEarned::beside;
  if (standing.linked || (standing.listed && beside)) co_return registry::Answer<void>();
  auto answer = co_await ask_size(context, place, digest);
  if (!answer) co_return std::unexpected(std::move(answer.error()));
  co_return registry::Answer<void>();
}

async::Task<bool> inherit(Shared context, Place place, oci::Digest digest) {
  const bool earned = co_await context->facts().read([&](const index::View& view) {
    return (index::blob(view, digest) || index::manifest_info(view, digest)) &&
           index::linked_beside(view, context->options.name, digest) &&
           index::listed(view, place.canonical, digest);
  });
  if (!earned) co_return false;
  co_return co_await link(context, place, digest);
}

async::Task<bool> link(Shared context, Place place, oci::Digest digest) {
  try {
    co_return co_await context->facts().write([&](index::Batch& batch) {
      // It may have been collected since it was looked for.
      if (!index::blob(batch, digest) && !index::manifest_info(batch, digest)) return false;
      index::link(batch, place.canonical, index::RepositoryKind::mirrored, digest, context->wall());
      return true;
    });
  } catch (const index::IndexFull& error) {
    report_not_linked(place, digest, error);
  } catch (const std::system_error& error) {
    report_not_linked(place, digest, error);
  }
  co_return false;
}

async::Task<registry::Answer<registry::BlobSize>> ask_size(Shared context, Place place,
                                                           oci::Digest digest) {
  const auto key = key_of(place.canonical, oci::Reference(digest));
  if (auto known = context->negative.find("blob " + key, context->steady())) {
    co_return std::unexpected(std::move(*known));
  }
  if (context->options.asking == Asking::never) {
    co_return std::unexpected(offline_failure(*context));
  }
  auto flight = co_await context->stat_flights.run(
      key, [=] { return context->upstream.stat(place.name, digest); });
  if (!flight.first) remember_absent(*context, "blob " + key, flight.first.error());
  co_return std::move(flight.first);
}

}  // namespace entrepot::mirror
