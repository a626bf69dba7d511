#include "entrepot/mirror/mirror.hpp"

#include "mirror/blobs.hpp"
#include "mirror/context.hpp"
#include "mirror/lists.hpp"
#include "mirror/manifests.hpp"
#include "mirror/tags.hpp"

namespace entrepot::mirror {

namespace {

std::unexpected<registry::Failure> no_such_name() {
  return std::unexpected(registry::Failure{.kind = registry::FailureKind::absent,
                                           .message = "the name is too long to be mirrored"});
}

// The verbs; each lives with its noun. Background work shares the Context, not the Mirror.
class Mirror : public registry::Source {
 public:
  explicit Mirror(Shared context) : context_(std::move(context)) {}

  async::Task<registry::Answer<registry::Resolved>> resolve(oci::RepositoryName name,
                                                            oci::Reference reference) override {
    const auto context = context_;
    const auto place = context->place(name);
    if (!place) co_return no_such_name();
    if (const auto* digest = reference.digest()) {
      co_return co_await resolve_digest(context, *place, *digest);
    }
    auto tag = co_await current(context, *place, *reference.tag(), Want::digest);
    if (!tag) co_return std::unexpected(std::move(tag.error()));
    auto answer = tag->content ? registry::Answer<registry::Resolved>(resolved_of(*tag->content))
                               : co_await resolve_digest(context, *place, tag->digest);
    if (answer) answer->provenance = tag->provenance;
    co_return answer;
  }

  async::Task<registry::Answer<registry::ManifestContent>> manifest(
      oci::RepositoryName name, oci::Reference reference) override {
    const auto context = context_;
    const auto place = context->place(name);
    if (!place) co_return no_such_name();
    if (const auto* digest = reference.digest()) {
      co_return co_await manifest_by_digest(context, *place, *digest);
    }
    auto tag = co_await current(context, *place, *reference.tag(), Want::content);
    if (!tag) co_return std::unexpected(std::move(tag.error()));
    auto answer = tag->content ? registry::Answer<registry::ManifestContent>(*tag->content)
                               : co_await manifest_by_digest(context, *place, tag->digest);
    if (answer) answer->provenance = tag->provenance;
    co_return answer;
  }

  async::Task<registry::Answer<registry::BlobSize>> stat(oci::RepositoryName name,
                                                         oci::Digest digest) override {
    const auto context = context_;
    const auto place = context->place(name);
    if (!place) co_return no_such_name();
    co_return co_await stat_blob(context, *place, digest);
  }

  async::Task<registry::Answer<registry::BlobContent>> blob(oci::RepositoryName name,
                                                            oci::Digest digest) override {
    const auto context = context_;
    const auto place = context->place(name);
    if (!place) co_return no_such_name();
    co_return co_await open_blob(context, *place, digest);
  }

  async::Task<registry::Answer<registry::TagPage>> tags(oci::RepositoryName name,
                                                        registry::Page page) override {
    const auto context = context_;
    const auto place = context->place(name);
    if (!place) co_return no_such_name();
    co_return co_await list_tags(context, *place, page);
  }

  async::Task<registry::Answer<registry::ReferrerPage>> referrers(oci::RepositoryName name,
                                                                  oci::Digest subject,
                                                                  std::string artifact_type,
                                                                  registry::Page page) override {
    const auto context = context_;
    const auto place = context->place(name);
    if (!place) co_return no_such_name();
    co_return co_await list_referrers(context, *place, subject, artifact_type, page);
  }

 private:
  const Shared context_;
};

}  // namespace

std::unique_ptr<registry::Source> make_mirror(MirrorOptions options, registry::Source& upstream,
                                              FillTable& fills) {
  return std::make_unique<Mirror>(
      std::make_shared<Context>(std::move(options), upstream, fills.state()));
}

}  // namespace entrepot::mirror
