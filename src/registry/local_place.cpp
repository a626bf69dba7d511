#include "entrepot/registry/local_place.hpp"

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "entrepot/base/log.hpp"
#include "entrepot/oci/refusal.hpp"
#include "registry/blob_arrival.hpp"

namespace entrepot::registry {
namespace {

constexpr std::size_t most_repositories = 10'000;

Failure disk_failure(const std::system_error& error) {
  base::log::error("disk refused what was replicated", {{"error", error.what()}});
  const auto code = error.code().value();
  const bool full = code == ENOSPC || code == EDQUOT || code == EFBIG;
  return {.kind = FailureKind::broken,
          .message = full ? "no room on disk here" : "the disk here cannot be written to"};
}

// What this house refuses, as the value a Sink answers with.
template <class T>
async::Task<Answer<T>> answered(async::Task<Answer<T>> work) {
  try {
    co_return co_await std::move(work);
  } catch (const oci::Refusal& refusal) {
    co_return std::unexpected(failure_of(refusal));
  } catch (const index::IndexFull&) {
    co_return std::unexpected(
        Failure{.kind = FailureKind::broken, .message = "the index here is full"});
  } catch (const std::system_error& error) {
    co_return std::unexpected(disk_failure(error));
  }
}

// A local row of such a name could not be reached.
void check_not_mirrored(const LocalPlace::House& house, const oci::RepositoryName& name) {
  const auto first = name.first_component();
  if (std::ranges::find(house.upstreams, first) == house.upstreams.end()) return;
  throw oci::Refusal(oci::ErrorCode::denied, name.text() +
                                                 " is the name of what is mirrored here from " +
                                                 std::string(first) + ": rename it");
}

async::Task<Answer<BlobTaken>> take_blob(const LocalPlace::House& house, oci::RepositoryName name,
                                         BlobOffer offer, const index::Actor& actor) {
  check_not_mirrored(house, name);
  BlobArrival arrival(house, std::move(name), std::move(offer), actor);
  co_return co_await arrival.run();
}

async::Task<Answer<void>> store_manifest(const LocalPlace::House& house, oci::RepositoryName name,
                                         ManifestOffer offer, const index::Actor& actor) {
  check_not_mirrored(house, name);
  const bool sparse = offer.children == ManifestOffer::Children::some;
  ManifestPut put{.repository = std::move(name),
                  .digest = offer.digest,
                  .tags = std::move(offer.tags),
                  .media_type = std::move(offer.media_type),
                  .bytes = std::move(offer.bytes),
                  .counterpart = {},
                  .cause = index::Cause::replication,
                  .version = std::move(offer.version),
                  .missing = {}};
  if (sparse) put.missing = MissingContent::allow_children;
  co_await house.writer.put_manifest(std::move(put), actor);
  co_return Answer<void>();
}

async::Task<Answer<bool>> delete_one(const LocalPlace::House& house, oci::RepositoryName name,
                                     oci::Reference reference, const index::Actor& actor) {
  check_not_mirrored(house, name);
  if (const auto* tag = reference.tag()) {
    co_return co_await house.writer.delete_tag(std::move(name), *tag, actor,
                                               index::Cause::replication);
  }
  co_return co_await house.writer.delete_manifest(std::move(name), *reference.digest(), actor,
                                                  index::Cause::replication);
}

}  // namespace

LocalPlace::LocalPlace(House house, std::string actor)
    : house_(std::move(house)), actor_{.name = std::move(actor)} {}

async::Task<Answer<Resolved>> LocalPlace::resolve(oci::RepositoryName name,
                                                  oci::Reference reference) {
  return house_.local.resolve(std::move(name), std::move(reference));
}

async::Task<Answer<ManifestContent>> LocalPlace::manifest(oci::RepositoryName name,
                                                          oci::Reference reference) {
  return house_.local.manifest(std::move(name), std::move(reference));
}

async::Task<Answer<BlobSize>> LocalPlace::stat(oci::RepositoryName name, oci::Digest digest) {
  return house_.local.stat(std::move(name), digest);
}

async::Task<Answer<BlobContent>> LocalPlace::blob(oci::RepositoryName name, oci::Digest digest) {
  return house_.local.blob(std::move(name), digest);
}

async::Task<Answer<TagPage>> LocalPlace::tags(oci::RepositoryName name, Page page) {
  return house_.local.tags(std::move(name), std::move(page));
}

async::Task<Answer<ReferrerPage>> LocalPlace::referrers(oci::RepositoryName name,
                                                        oci::Digest subject,
                                                        std::string artifact_type, Page page) {
  return house_.local.referrers(std::move(name), subject, std::move(artifact_type),
                                std::move(page));
}

async::Task<Answer<BlobTaken>> LocalPlace::put_blob(oci::RepositoryName name, BlobOffer offer) {
  return answered(take_blob(house_, std::move(name), std::move(offer), actor_));
}

async::Task<Answer<void>> LocalPlace::put_manifest(oci::RepositoryName name, ManifestOffer offer) {
  return answered(store_manifest(house_, std::move(name), std::move(offer), actor_));
}

async::Task<Answer<bool>> LocalPlace::remove(oci::RepositoryName name, oci::Reference reference) {
  return answered(delete_one(house_, std::move(name), std::move(reference), actor_));
}

async::Task<Answer<RepositoryPage>> LocalPlace::repositories(Page page) {
  page.limit = std::min(page.limit, most_repositories);
  RepositoryPage answer;
  const auto limit = page.limit;
  answer.repositories = co_await house_.local.catalog(house_.upstreams, std::move(page));
  if (answer.repositories.size() == limit && limit > 0) {
    answer.next = answer.repositories.back().text();
  }
  co_return answer;
}

}  // namespace entrepot::registry
