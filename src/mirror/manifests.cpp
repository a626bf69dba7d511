#include "mirror/manifests.hpp"

#include <system_error>

#include "entrepot/base/log.hpp"
#include "entrepot/base/metrics.hpp"
#include "entrepot/index/catalog.hpp"
#include "entrepot/oci/manifest.hpp"
#include "mirror/permission.hpp"

namespace entrepot::mirror {

namespace {

std::unexpected<registry::Failure> broken(const Context& context, std::string what) {
  return std::unexpected(registry::Failure{.kind = registry::FailureKind::broken,
                                           .message = context.options.name + ": " + what});
}

// What upstream sent, believed only if it is what it claims to be.
registry::Answer<oci::Manifest> verify(Context& context, const registry::ManifestContent& content,
                                       const oci::Reference& reference) {
  const auto wanted = reference.digest() ? *reference.digest() : content.digest;
  const auto actual = oci::Digest::of(wanted.algorithm(), base::as_bytes(content.bytes));
  if (actual != wanted) {
    context.metrics().digest_mismatch(context.options.name);
    return broken(context, "sent a manifest that is not " + wanted.text());
  }
  if (content.bytes.size() > oci::max_manifest_bytes) return broken(context, "manifest too large");
  if (oci::manifest_kind(content.media_type) == oci::ManifestKind::unknown) {
    return broken(
        context, "answered with '" + content.media_type.substr(0, 100) + "', which is no manifest");
  }
  auto parsed = oci::parse_manifest(content.bytes, content.media_type);
  if (!parsed) return broken(context, "sent a bad manifest: " + parsed.error());
  return std::move(*parsed);
}

void point_tag(index::Batch& batch, const oci::RepositoryName& repository, const oci::Tag& tag,
               const oci::Digest& digest, base::WallTime now) {
  const auto before = index::tag(batch, repository, tag);
  if (before && before->digest == digest) {
    index::confirm_tag(batch, repository, tag, digest, now);
  } else {
    index::set_tag(batch, repository, tag, digest, now, index::Cause::mirror);
  }
}

async::Task<Arrival::Kept> keep(Shared context, oci::RepositoryName repository,
                                std::shared_ptr<const registry::ManifestContent> content,
                                oci::Manifest parsed, std::optional<oci::Tag> tag) {
  const auto now = context->wall();
  try {
    co_await context->facts().write([&](index::Batch& batch) {
      index::put_manifest(batch, repository, index::RepositoryKind::mirrored, content->digest,
                          content->bytes, parsed, now);
      if (tag) point_tag(batch, repository, *tag, content->digest, now);
    });
    co_return Arrival::Kept::yes;
  } catch (const index::IndexFull& error) {
    base::log::error("manifest not kept",
                     {{"repository", repository.text()}, {"error", error.what()}});
  } catch (const std::system_error& error) {
    base::log::error("manifest not kept",
                     {{"repository", repository.text()}, {"error", error.what()}});
  }
  co_return Arrival::Kept::no;
}

// One question to upstream for everybody who wants this digest in this repository now.
async::Task<registry::Answer<std::pair<Arrival, async::Role>>> fetch_together(Shared context,
                                                                              Place place,
                                                                              oci::Digest digest) {
  const auto key = key_of(place.canonical, oci::Reference(digest));
  if (auto known = context->negative.find(key, context->steady())) {
    co_return std::unexpected(std::move(*known));
  }
  if (context->options.asking == Asking::never) {
    co_return std::unexpected(offline_failure(*context));
  }
  auto flight = co_await context->manifest_flights.run(key, [context, place, digest] {
    return fetch_manifest(context, place, oci::Reference(digest), std::nullopt);
  });
  if (!flight.first) {
    remember_absent(*context, key, flight.first.error());
    co_return std::unexpected(std::move(flight.first.error()));
  }
  co_return std::pair(std::move(*flight.first), flight.second);
}

registry::Outcome outcome_of(const Arrival& arrival, async::Role role) {
  if (arrival.kept == Arrival::Kept::no) return registry::Outcome::passed;
  return role == async::Role::leader ? registry::Outcome::fetched : registry::Outcome::collapsed;
}

}  // namespace

async::Task<registry::Answer<Arrival>> fetch_manifest(Shared context, Place place,
                                                      oci::Reference reference,
                                                      std::optional<oci::Tag> tag) {
  auto answer = co_await context->upstream.manifest(place.name, reference);
  if (!answer) co_return std::unexpected(std::move(answer.error()));
  auto parsed = verify(*context, *answer, reference);
  if (!parsed) {
    base::log::warn("bad manifest from upstream", {{"upstream", context->options.name},
                                                   {"repository", place.canonical.text()},
                                                   {"reference", reference.text()},
                                                   {"reason", parsed.error().message}});
    co_return std::unexpected(std::move(parsed.error()));
  }
  if (const auto* digest = reference.digest()) answer->digest = *digest;
  answer->media_type = parsed->media_type;
  auto content = std::make_shared<const registry::ManifestContent>(std::move(*answer));
  const auto kept = co_await keep(context, place.canonical, content, std::move(*parsed), tag);
  co_return Arrival{.content = std::move(content), .kept = kept};
}

async::Task<registry::Answer<registry::ManifestContent>> manifest_by_digest(Shared context,
                                                                            Place place,
                                                                            oci::Digest digest) {
  auto held = co_await context->local.manifest(place.canonical, oci::Reference(digest));
  if (!held && co_await inherit(context, place, digest)) {
    held = co_await context->local.manifest(place.canonical, oci::Reference(digest));
  }
  if (held) {
    held->provenance.upstream = context->options.name;
    co_return held;
  }
  const Stopwatch watch;
  auto fetched = co_await fetch_together(context, place, digest);
  if (!fetched) co_return std::unexpected(std::move(fetched.error()));
  auto content = *fetched->first.content;
  content.provenance = {.outcome = outcome_of(fetched->first, fetched->second),
                        .upstream = context->options.name,
                        .upstream_time = watch.elapsed()};
  co_return content;
}

async::Task<registry::Answer<registry::Resolved>> resolve_digest(Shared context, Place place,
                                                                 oci::Digest digest) {
  auto held = co_await context->local.resolve(place.canonical, oci::Reference(digest));
  if (held) {
    held->provenance.upstream = context->options.name;
    co_return held;
  }
  // The client's next step is a GET of it, and an answer from here must be obtainable here.
  auto content = co_await manifest_by_digest(context, place, digest);
  if (!content) co_return std::unexpected(std::move(content.error()));
  co_return resolved_of(*content);
}

registry::Resolved resolved_of(const registry::ManifestContent& content) {
  return {.digest = content.digest,
          .media_type = content.media_type,
          .size = content.bytes.size(),
          .provenance = content.provenance};
}

}  // namespace entrepot::mirror
