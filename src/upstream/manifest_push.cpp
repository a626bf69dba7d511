#include "upstream/manifest_push.hpp"

namespace entrepot::upstream {
namespace {

using registry::Answer;
using registry::FailureKind;

Question question(std::string method, const oci::RepositoryName& name,
                  const oci::Reference& reference) {
  return {.kind = "manifest push",
          .method = std::move(method),
          .repository = name.text(),
          .path = "/manifests/" + reference.text()};
}

async::Task<Answer<void>> put_at(std::shared_ptr<Asker> asker, Question asked, oci::Digest digest) {
  const auto held = co_await asker->ask(std::move(asked));
  if (!held) co_return std::unexpected(held.error());
  const auto stated = held->reply.response->headers().get("Docker-Content-Digest");
  if (!stated || *stated == digest.text()) co_return Answer<void>();
  asker->metrics().digest_mismatch(asker->name());
  co_return std::unexpected(asker->named(
      {FailureKind::broken, "took the manifest " + digest.text() + " and calls it another"}));
}

}  // namespace

async::Task<Answer<void>> put_manifest(std::shared_ptr<Asker> asker, oci::RepositoryName name,
                                       registry::ManifestOffer offer) {
  std::vector<oci::Reference> references(offer.tags.begin(), offer.tags.end());
  if (references.empty()) references.emplace_back(offer.digest);
  const auto sending =
      std::make_shared<const Sending>(std::move(offer.media_type), std::move(offer.bytes));
  for (const auto& reference : references) {
    auto asked = question("PUT", name, reference);
    asked.right = Right::push;
    asked.sending = sending;
    auto put = co_await put_at(asker, std::move(asked), offer.digest);
    if (!put) co_return put;
  }
  co_return Answer<void>();
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
