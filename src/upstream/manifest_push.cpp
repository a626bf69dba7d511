#include "upstream/manifest_push.hpp"

#include "entrepot/oci/manifest.hpp"
#include "upstream/list_text.hpp"
#include "upstream/manifests.hpp"
#include "upstream/referrers_tag.hpp"

namespace entrepot::upstream {
namespace {

using registry::Answer;
using registry::FailureKind;

constexpr std::chrono::hours longest_turn(24);

Question question(std::string method, const oci::RepositoryName& name,
                  const oci::Reference& reference) {
  return {.kind = "manifest push",
          .method = std::move(method),
          .repository = name.text(),
          .path = "/manifests/" + reference.text()};
}

enum class Referrers { listed, not_listed };

// And whether the registry lists it among its subject's referrers.
async::Task<Answer<Referrers>> put_at(std::shared_ptr<Asker> asker, Question asked,
                                      oci::Digest digest) {
  const auto held = co_await asker->ask(std::move(asked));
  if (!held) co_return std::unexpected(held.error());
  const auto& headers = held->reply.response->headers();
  const auto stated = headers.get("Docker-Content-Digest");
  if (!stated || *stated == digest.text())
    co_return headers.get("OCI-Subject") ? Referrers::listed : Referrers::not_listed;
  asker->metrics().digest_mismatch(asker->name());
  co_return std::unexpected(asker->named(
      {FailureKind::broken, "took the manifest " + digest.text() + " and calls it another"}));
}

async::Task<Answer<Referrers>> put_by_each(std::shared_ptr<Asker> asker, oci::RepositoryName name,
                                           registry::ManifestOffer offer) {
  std::vector<oci::Reference> references(offer.tags.begin(), offer.tags.end());
  if (references.empty()) references.emplace_back(offer.digest);
  const auto sending =
      std::make_shared<const Sending>(std::move(offer.media_type), std::move(offer.bytes));
  auto referrers = Referrers::not_listed;
  for (const auto& reference : references) {
    auto asked = question("PUT", name, reference);
    asked.right = Right::push;
    asked.sending = sending;
    const auto put = co_await put_at(asker, std::move(asked), offer.digest);
    if (!put) co_return std::unexpected(put.error());
    referrers = *put;
  }
  co_return referrers;
}

// Absent when it is on the list already.
async::Task<Answer<std::optional<std::string>>> longer_list(std::shared_ptr<Asker> asker,
                                                            oci::RepositoryName name, oci::Tag tag,
                                                            index::Referrer referrer) {
  const auto old = co_await fetch_manifest(asker, std::move(name), oci::Reference(std::move(tag)));
  if (!old && old.error().kind != FailureKind::absent) co_return std::unexpected(old.error());
  const auto entries =
      old ? parse_referrer_list(old->bytes) : std::optional<std::vector<index::Referrer>>();
  for (const auto& each : entries.value_or(std::vector<index::Referrer>()))
    if (each.descriptor.digest == referrer.descriptor.digest) co_return std::nullopt;
  auto list = with_referrer(old ? std::string_view(old->bytes) : std::string_view(), referrer);
  if (!list)
    co_return std::unexpected(
        asker->named({FailureKind::broken, "keeps something else under the tag of the referrers"}));
  co_return list;
}

async::Task<Answer<void>> list_referrer(std::shared_ptr<Asker> asker,
                                        std::shared_ptr<registry::Movers> movers,
                                        oci::RepositoryName name, oci::Digest subject,
                                        index::Referrer referrer) {
  const auto turn = co_await movers->turn(subject, longest_turn);
  const auto tag = referrers_tag(subject);
  auto list = co_await longer_list(asker, name, tag, std::move(referrer));
  if (!list) co_return std::unexpected(std::move(list.error()));
  if (!*list) co_return Answer<void>();
  const auto digest = oci::Digest::of(oci::Algorithm::sha256, base::as_bytes(**list));
  registry::ManifestOffer offer{.digest = digest,
                                .media_type = std::string(oci::media_type::oci_index),
                                .bytes = std::move(**list),
                                .tags = {tag}};
  const auto put = co_await put_by_each(asker, std::move(name), std::move(offer));
  if (!put) co_return std::unexpected(put.error());
  co_return Answer<void>();
}

}  // namespace

async::Task<Answer<void>> put_manifest(std::shared_ptr<Asker> asker,
                                       std::shared_ptr<registry::Movers> movers,
                                       oci::RepositoryName name, registry::ManifestOffer offer) {
  const auto manifest = oci::parse_manifest(offer.bytes, offer.media_type);
  const oci::Descriptor descriptor{offer.media_type, offer.digest, offer.bytes.size()};
  const auto put = co_await put_by_each(asker, name, std::move(offer));
  if (!put) co_return std::unexpected(put.error());
  if (*put == Referrers::listed || !manifest || !manifest->subject) co_return Answer<void>();
  co_return co_await list_referrer(asker, std::move(movers), std::move(name),
                                   manifest->subject->digest,
                                   {descriptor, manifest->artifact_type, manifest->annotations});
}

async::Task<Answer<bool>> remove_reference(std::shared_ptr<Asker> asker, oci::RepositoryName name,
                                           oci::Reference reference) {
  auto asked = question("DELETE", name, reference);
  asked.right = Right::remove;
  asked.answers = {400, 405};
  const auto held = co_await asker->ask(std::move(asked));
  if (!held && held.error().kind == FailureKind::absent) co_return false;
  if (!held) co_return std::unexpected(held.error());
  const int status = held->reply.response->status();
  if (status < 300) co_return true;
  const std::string what = reference.tag() != nullptr ? "a tag alone" : "a manifest";
  co_return std::unexpected(asker->named(
      {FailureKind::denied, "does not delete " + what + " (" + std::to_string(status) + ")"}));
}

}  // namespace entrepot::upstream
