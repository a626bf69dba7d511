// The handlers over an index in memory and two scripted upstreams: "hub" (the default, also
// docker.io) and "quay" (also quay.io and quay.local:5000).
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "entrepot/api/router.hpp"
#include "entrepot/oci/media_type.hpp"
#include "support/memory_index.hpp"
#include "support/run_task.hpp"

namespace entrepot::test {

inline std::unexpected<registry::Failure> failed(registry::FailureKind kind,
                                                 std::string message = {}) {
  return std::unexpected(registry::Failure{.kind = kind, .message = std::move(message)});
}

// Holds one manifest and one blob, whatever the name; remembers what it was asked.
class ScriptedSource final : public registry::Source {
 public:
  using Name = oci::RepositoryName;

  std::string manifest_bytes = R"({"schemaVersion":2})";
  std::string blob_bytes = "0123456789";
  std::vector<std::string> tag_names{"0.1.2", "0.1.20", "latest", "v1"};
  std::vector<index::Referrer> referrer_list;
  registry::Provenance provenance;
  std::optional<registry::Failure> failure;  // when set, the answer to everything

  std::vector<std::string> asked;  // "manifest library/app v1"

  oci::Digest manifest_digest() const { return digest_of(manifest_bytes); }
  oci::Digest blob_digest() const { return digest_of(blob_bytes); }
  static oci::Digest digest_of(std::string_view text) {
    return oci::Digest::of(oci::Algorithm::sha256, base::as_bytes(text));
  }

  async::Task<registry::Answer<registry::Resolved>> resolve(Name name,
                                                            oci::Reference reference) override {
    asked.push_back("resolve " + name.text() + ' ' + reference.text());
    if (failure) co_return std::unexpected(*failure);
    co_return registry::Resolved{manifest_digest(), std::string(oci::media_type::oci_manifest),
                                 manifest_bytes.size(), provenance};
  }

  async::Task<registry::Answer<registry::ManifestContent>> manifest(
      Name name, oci::Reference reference) override {
    asked.push_back("manifest " + name.text() + ' ' + reference.text());
    if (failure) co_return std::unexpected(*failure);
    co_return registry::ManifestContent{
        manifest_digest(), std::string(oci::media_type::oci_manifest), manifest_bytes, provenance};
  }

  async::Task<registry::Answer<registry::BlobSize>> stat(Name name, oci::Digest digest) override {
    asked.push_back("stat " + name.text() + ' ' + digest.text());
    if (failure) co_return std::unexpected(*failure);
    if (digest != blob_digest()) co_return failed(registry::FailureKind::absent);
    co_return registry::BlobSize{blob_bytes.size(), provenance};
  }

  async::Task<registry::Answer<registry::BlobContent>> blob(Name name,
                                                            oci::Digest digest) override {
    asked.push_back("blob " + name.text() + ' ' + digest.text());
    if (failure) co_return std::unexpected(*failure);
    if (digest != blob_digest()) co_return failed(registry::FailureKind::absent);
    co_return registry::BlobContent{async::memory_source(blob_bytes), provenance};
  }

  async::Task<registry::Answer<registry::TagPage>> tags(Name name, registry::Page page) override {
    asked.push_back("tags " + name.text() + ' ' + page.after + ' ' + std::to_string(page.limit));
    if (failure) co_return std::unexpected(*failure);
    registry::TagPage answer;
    for (const auto& tag : tag_names) {
      if (tag <= page.after) continue;
      answer.more = answer.tags.size() == page.limit;
      if (answer.more) break;
      answer.tags.push_back(*oci::Tag::parse(tag));
    }
    co_return answer;
  }

  async::Task<registry::Answer<registry::ReferrerPage>> referrers(Name name, oci::Digest subject,
                                                                  std::string artifact_type,
                                                                  registry::Page page) override {
    asked.push_back("referrers " + name.text() + ' ' + subject.text() + ' ' + artifact_type);
    if (failure) co_return std::unexpected(*failure);
    registry::ReferrerPage answer;
    answer.filtered = !artifact_type.empty();
    for (const auto& referrer : referrer_list) {
      if (answer.filtered && referrer.artifact_type != artifact_type) continue;
      if (!page.after.empty() && referrer.descriptor.digest.text() <= page.after) continue;
      answer.more = answer.referrers.size() == page.limit;
      if (answer.more) break;
      answer.referrers.push_back(referrer);
    }
    co_return answer;
  }
};

// Local repositories of these tests have tags only.
class EmptyStore final : public store::BlobStore {
 public:
  std::optional<store::BlobInfo> find(const oci::Digest&) const override { return std::nullopt; }
  std::unique_ptr<async::ByteSource> open(const oci::Digest&, std::uint64_t) override {
    return nullptr;
  }
  std::unique_ptr<store::Spool> begin(oci::Algorithm) override { return nullptr; }
  async::Task<std::unique_ptr<store::Spool>> begin_or_resume(const oci::Digest&) override {
    co_return nullptr;
  }
  async::Task<store::BlobInfo> commit(std::unique_ptr<store::Spool>, const oci::Digest&) override {
    co_return store::BlobInfo{};
  }
  void remove(const oci::Digest&) override {}
  std::vector<oci::Digest> list(const std::optional<oci::Digest>&, std::size_t) const override {
    return {};
  }
  std::uint64_t free_bytes() const override { return 0; }
};

class HouseOfCards {
 public:
  using Fields = std::vector<std::pair<std::string, std::string>>;

  explicit HouseOfCards(api::MetricsAccess access = api::MetricsAccess::loopback_only)
      : local_(index, store_),
        directory_(local_,
                   {{"hub", {"docker.io"}, registry::OfficialImages::yes, &hub},
                    {"quay", {"quay.io", "quay.local:5000"}, registry::OfficialImages::no, &quay}},
                   base::GlobSet({"acme/**"})) {
    const api::Collaborators collaborators{
        directory_, local_, index, metrics, [this] { return unready; }, access};
    handler_ = api::make_handler(collaborators);
    admin_ = api::make_admin_handler(collaborators);
  }

  http::Reply ask(const std::string& method, const std::string& target, const Fields& fields = {}) {
    return run(handler_, method, target, fields);
  }
  http::Reply get(const std::string& target, const Fields& fields = {}) {
    return ask("GET", target, fields);
  }
  http::Reply head(const std::string& target, const Fields& fields = {}) {
    return ask("HEAD", target, fields);
  }
  http::Reply ask_admin(const std::string& target) { return run(admin_, "GET", target, {}); }

  // A tag of a local repository, so that this exists.
  void hold(const std::string& repository) {
    const auto name = *oci::RepositoryName::parse(repository);
    run_task(index.write([&](index::Batch& batch) {
      index::set_tag(batch, name, *oci::Tag::parse("held"), hub.manifest_digest(), {},
                     index::Cause::push);
    }));
  }

  MemoryIndex index;
  base::Metrics metrics;
  ScriptedSource hub;
  ScriptedSource quay;
  std::string unready;
  bool from_loopback = true;

 private:
  http::Reply run(const http::Handler& handler, const std::string& method,
                  const std::string& target, const Fields& fields) {
    http::Request request;
    request.id = "0123456789abcdef";
    request.method = method;
    request.target = http::parse_target(target).value();
    for (const auto& [name, value] : fields) request.headers.add(name, value);
    request.remote_is_loopback = from_loopback;
    return run_task(handler(request));
  }

  EmptyStore store_;
  registry::Local local_;
  registry::Directory directory_;
  http::Handler handler_;
  http::Handler admin_;
};

inline std::string body_of(const http::Reply& reply) {
  std::string text;
  for (const auto& part : reply.body) {
    if (const auto* own = std::get_if<std::string>(&part)) {
      text += *own;
      continue;
    }
    const auto& piece = std::get<http::SourcePart>(part);
    if (piece.length == 0) continue;
    const auto chunk = run_task(piece.source->read_at(piece.offset, piece.length));
    text += base::as_text(std::get<async::MemorySlice>(chunk).bytes);
  }
  return text;
}

inline std::string header(const http::Reply& reply, std::string_view name) {
  return std::string(reply.headers.get(name).value_or("(none)"));
}

}  // namespace entrepot::test
