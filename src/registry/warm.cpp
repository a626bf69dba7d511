#include "entrepot/registry/warm.hpp"

#include <exception>
#include <optional>
#include <string>
#include <utility>

#include "entrepot/oci/refusal.hpp"

namespace entrepot::registry {
namespace {

// Each of them waits for its turn among the mirror's transfers; the fill keeps its place meanwhile.
constexpr int most_waits = 200;
constexpr std::uint64_t read_step = std::uint64_t{8} << 20;

Failure nothing_here() { return {.kind = FailureKind::absent, .message = "nothing is kept here"}; }

// Where what is read goes: nowhere. Whoever it is read from keeps it.
class Hearth final : public Place {
 public:
  async::Task<Answer<Resolved>> resolve(oci::RepositoryName, oci::Reference) override {
    co_return std::unexpected(nothing_here());
  }
  async::Task<Answer<ManifestContent>> manifest(oci::RepositoryName, oci::Reference) override {
    co_return std::unexpected(nothing_here());
  }
  async::Task<Answer<BlobSize>> stat(oci::RepositoryName, oci::Digest) override {
    co_return std::unexpected(nothing_here());
  }
  async::Task<Answer<BlobContent>> blob(oci::RepositoryName, oci::Digest) override {
    co_return std::unexpected(nothing_here());
  }
  async::Task<Answer<TagPage>> tags(oci::RepositoryName, Page) override {
    co_return std::unexpected(nothing_here());
  }
  async::Task<Answer<ReferrerPage>> referrers(oci::RepositoryName, oci::Digest, std::string,
                                              Page) override {
    co_return std::unexpected(nothing_here());
  }
  async::Task<Answer<RepositoryPage>> repositories(Page) override { co_return RepositoryPage{}; }

  async::Task<Answer<BlobTaken>> put_blob(oci::RepositoryName, BlobOffer offer) override;
  async::Task<Answer<void>> put_manifest(oci::RepositoryName, ManifestOffer) override {
    co_return Answer<void>();
  }
  async::Task<Answer<bool>> remove(oci::RepositoryName, oci::Reference) override {
    co_return false;
  }

 private:
  static async::Task<> read(async::ByteSource& bytes);
};

// Slices of a growing file: nothing is read but their ends.
async::Task<> Hearth::read(async::ByteSource& bytes) {
  for (std::uint64_t offset = 0; offset < bytes.size();) {
    const auto chunk = co_await bytes.read_at(offset, read_step);
    offset += async::length_of(chunk);
  }
}

async::Task<Answer<BlobTaken>> Hearth::put_blob(oci::RepositoryName, BlobOffer offer) {
  for (int waits = 0; waits < most_waits; ++waits) {
    auto content = co_await offer.open({.offset = 0, .size = offer.size});
    if (!content && content.error().kind == FailureKind::busy) continue;
    if (!content) co_return std::unexpected(std::move(content.error()));
    const auto outcome = content->provenance.outcome;
    if (outcome == Outcome::hit) co_return BlobTaken{.how = Taken::held};
    if (outcome == Outcome::passed) {
      co_return std::unexpected(Failure{.message = "it could not be kept here"});
    }
    std::optional<Failure> failed;
    try {
      co_await read(*content->bytes);
    } catch (const oci::Refusal& refusal) {
      failed = failure_of(refusal);
    }
    if (failed) co_return std::unexpected(std::move(*failed));
    co_return BlobTaken{.how = Taken::moved, .bytes = content->bytes->size()};
  }
  co_return std::unexpected(
      Failure{.kind = FailureKind::busy, .message = "it was not its turn for too long"});
}

}  // namespace

// By the reference first: that is what a mirror remembers.
async::Task<Answer<Warmed>> warm(Source& mirror, WarmOrder order) {
  const auto root = co_await mirror.manifest(order.name, order.reference);
  if (!root) co_return std::unexpected(root.error());
  Hearth hearth;
  CopyOrder walk{.from_name = order.name,
                 .manifest = root->digest,
                 .to_name = order.name,
                 .options = std::move(order.options),
                 .moved = std::move(order.moved)};
  auto tally = co_await copy(mirror, hearth, std::move(walk));
  if (!tally) co_return std::unexpected(std::move(tally.error()));
  co_return Warmed{.digest = root->digest, .tally = *tally};
}

}  // namespace entrepot::registry
