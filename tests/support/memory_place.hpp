// A registry in memory, as a Place: takes what is offered, checks that what a manifest lists came
// before it, writes down what was done to it, and fails as told.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "entrepot/oci/manifest.hpp"
#include "entrepot/registry/sink.hpp"
#include "support/chunks.hpp"
#include "support/words.hpp"

namespace entrepot::test {

// For one thread.
class MemoryPlace final : public registry::Place {
 public:
  template <class T>
  using Answer = registry::Answer<T>;

  // ---- content, as its owner puts it there
  // --------------------------------------------------------

  oci::Digest add_blob(const std::string& repository, const std::string& bytes) {
    blobs_[{repository, digest_of(bytes)}] = bytes;
    return digest_of(bytes);
  }
  oci::Digest add_manifest(const std::string& repository, const std::string& bytes,
                           const std::vector<std::string>& tags = {},
                           std::string_view media_type = oci::media_type::oci_manifest) {
    const auto digest = digest_of(bytes);
    manifests_.insert_or_assign(
        {repository, digest},
        registry::ManifestContent{digest, std::string(media_type), bytes, {}});
    for (const auto& one : tags) tags_.insert_or_assign({repository, one}, digest);
    return digest;
  }
  // A whole image, its blobs made of `seed`; returns its manifest's bytes.
  std::string add_image(const std::string& repository, unsigned seed,
                        const std::vector<std::string>& tags = {}, std::string_view extra = {}) {
    const auto config = noise(300, seed);
    const auto layer = noise(5000, seed + 1000);
    add_blob(repository, config);
    add_blob(repository, layer);
    auto bytes = image_manifest(
        {{digest_of(config), config.size()}, {digest_of(layer), layer.size()}}, extra);
    add_manifest(repository, bytes, tags);
    return bytes;
  }

  // ---- how it behaves
  // ----------------------------------------------------------------------------

  // Asked before each step ("put_blob sha256:…", "manifest sha256:…"); what it returns is the
  // answer.
  std::function<std::optional<registry::Failure>(const std::string& step)> judge;
  std::size_t page_size = 1000;      // of referrers
  bool wants_children_first = true;  // refuses what lists something that is not here

  // What was done, in order: "blob <digest>", "manifest <digest>", "tag <tag> <digest>".
  std::vector<std::string> log;
  // What was asked, how often: "resolve", "manifest", "stat", "blob", "referrers", "put_blob".
  std::map<std::string, int> asked;
  std::map<oci::Digest, std::vector<oci::RepositoryName>> hints;  // the last of each blob

  bool has_blob(const std::string& repository, const oci::Digest& digest) const {
    return blobs_.contains({repository, digest});
  }
  bool has_manifest(const std::string& repository, const oci::Digest& digest) const {
    return manifests_.contains({repository, digest});
  }
  std::optional<oci::Digest> tagged(const std::string& repository, const std::string& text) const {
    const auto found = tags_.find({repository, text});
    return found == tags_.end() ? std::nullopt : std::optional(found->second);
  }
  void drop_tag(const std::string& repository, const std::string& text) {
    tags_.erase({repository, text});
  }
  void drop_manifest(const std::string& repository, const oci::Digest& digest) {
    manifests_.erase({repository, digest});
  }

  // ---- Source
  // ------------------------------------------------------------------------------------

  async::Task<Answer<registry::Resolved>> resolve(oci::RepositoryName name,
                                                  oci::Reference reference) override {
    if (auto failed = step("resolve", reference.text())) co_return std::unexpected(*failed);
    const auto* found = find(name, reference);
    if (found == nullptr) co_return absent();
    co_return registry::Resolved{found->digest, found->media_type, found->bytes.size(), {}};
  }
  async::Task<Answer<registry::ManifestContent>> manifest(oci::RepositoryName name,
                                                          oci::Reference reference) override {
    if (auto failed = step("manifest", reference.text())) co_return std::unexpected(*failed);
    const auto* found = find(name, reference);
    if (found == nullptr) co_return absent();
    co_return *found;
  }
  async::Task<Answer<registry::BlobSize>> stat(oci::RepositoryName name,
                                               oci::Digest digest) override {
    if (auto failed = step("stat", digest.text())) co_return std::unexpected(*failed);
    const auto found = blobs_.find({name.text(), digest});
    if (found == blobs_.end()) co_return absent();
    co_return registry::BlobSize{.size = found->second.size()};
  }
  async::Task<Answer<registry::BlobContent>> blob(oci::RepositoryName name,
                                                  oci::Digest digest) override {
    if (auto failed = step("blob", digest.text())) co_return std::unexpected(*failed);
    const auto found = blobs_.find({name.text(), digest});
    if (found == blobs_.end()) co_return absent();
    co_return registry::BlobContent{.bytes = async::memory_source(found->second)};
  }
  async::Task<Answer<registry::TagPage>> tags(oci::RepositoryName name,
                                              registry::Page page) override {
    if (auto failed = step("tags", name.text())) co_return std::unexpected(*failed);
    registry::TagPage answer;
    for (const auto& [key, digest] : tags_) {
      if (key.first != name.text() || key.second <= page.after) continue;
      answer.more = answer.tags.size() == page.limit;
      if (answer.more) break;
      answer.tags.push_back(tag(key.second));
    }
    co_return answer;
  }
  async::Task<Answer<registry::ReferrerPage>> referrers(oci::RepositoryName name,
                                                        oci::Digest subject, std::string,
                                                        registry::Page page) override {
    if (auto failed = step("referrers", subject.text())) co_return std::unexpected(*failed);
    registry::ReferrerPage answer;
    for (const auto& [key, content] : manifests_) {
      const auto parsed = oci::parse_manifest(content.bytes, content.media_type);
      const bool refers = parsed && parsed->subject && parsed->subject->digest == subject;
      if (key.first != name.text() || !refers || content.digest.text() <= page.after) continue;
      answer.more = answer.referrers.size() == std::min(page_size, page.limit);
      if (answer.more) break;
      answer.referrers.push_back(
          {{content.media_type, content.digest, content.bytes.size()}, parsed->artifact_type, {}});
    }
    co_return answer;
  }

  // ---- Sink
  // --------------------------------------------------------------------------------------

  async::Task<Answer<registry::BlobTaken>> put_blob(oci::RepositoryName name,
                                                    registry::BlobOffer offer) override {
    if (auto failed = step("put_blob", offer.digest.text())) co_return std::unexpected(*failed);
    hints[offer.digest] = offer.mount_from;
    if (blobs_.contains({name.text(), offer.digest})) co_return registry::BlobTaken{};
    for (const auto& other : offer.mount_from) {
      const auto found = blobs_.find({other.text(), offer.digest});
      if (found == blobs_.end()) continue;
      blobs_[{name.text(), offer.digest}] = found->second;
      log.push_back("mount " + offer.digest.text());
      co_return registry::BlobTaken{.how = registry::Taken::mounted};
    }
    auto content = co_await offer.open({.offset = 0, .size = offer.size});
    if (!content) co_return std::unexpected(content.error());
    auto bytes = co_await text_from(*content->bytes, 0, 1000);
    log.push_back("blob " + offer.digest.text());
    const auto size = bytes.size();
    blobs_[{name.text(), offer.digest}] = std::move(bytes);
    co_return registry::BlobTaken{.how = registry::Taken::moved, .bytes = size};
  }
  async::Task<Answer<void>> put_manifest(oci::RepositoryName name,
                                         registry::ManifestOffer offer) override {
    if (auto failed = step("put_manifest", offer.digest.text())) {
      co_return std::unexpected(*failed);
    }
    if (auto missing = what_is_missing(name, offer)) {
      co_return std::unexpected(registry::Failure{.message = "missing " + *missing});
    }
    log.push_back("manifest " + offer.digest.text());
    std::vector<std::string> tags;
    for (const auto& one : offer.tags) {
      tags.push_back(one.text());
      log.push_back("tag " + one.text() + " " + offer.digest.text());
    }
    add_manifest(name.text(), offer.bytes, tags, offer.media_type);
    co_return Answer<void>();
  }
  async::Task<Answer<bool>> remove(oci::RepositoryName name, oci::Reference reference) override {
    if (auto failed = step("remove", reference.text())) co_return std::unexpected(*failed);
    log.push_back("remove " + reference.text());
    if (const auto* one = reference.tag()) {
      co_return tags_.erase({name.text(), one->text()}) > 0;
    }
    std::erase_if(tags_, [&](const auto& row) {
      return row.first.first == name.text() && row.second == *reference.digest();
    });
    co_return manifests_.erase({name.text(), *reference.digest()}) > 0;
  }
  async::Task<Answer<registry::RepositoryPage>> repositories(registry::Page page) override {
    if (auto failed = step("repositories", page.after)) co_return std::unexpected(*failed);
    std::set<std::string> names;
    for (const auto& [key, content] : manifests_) names.insert(key.first);
    registry::RepositoryPage answer;
    for (const auto& one : names) {
      if (one <= page.after) continue;
      if (answer.repositories.size() == page.limit) {
        answer.next = answer.repositories.back().text();
        break;
      }
      answer.repositories.push_back(name(one));
    }
    co_return answer;
  }

 private:
  using Key = std::pair<std::string, oci::Digest>;

  static oci::RepositoryName name(std::string_view text) { return test::name(text); }
  static std::unexpected<registry::Failure> absent() {
    return std::unexpected(
        registry::Failure{.kind = registry::FailureKind::absent, .message = "not there"});
  }
  std::optional<registry::Failure> step(const std::string& verb, const std::string& what) {
    ++asked[verb];
    return judge ? judge(verb + " " + what) : std::nullopt;
  }
  const registry::ManifestContent* find(const oci::RepositoryName& name,
                                        const oci::Reference& reference) const {
    auto digest = reference.digest() ? std::optional(*reference.digest())
                                     : tagged(name.text(), reference.text());
    if (!digest) return nullptr;
    const auto found = manifests_.find({name.text(), *digest});
    return found == manifests_.end() ? nullptr : &found->second;
  }
  std::optional<std::string> what_is_missing(const oci::RepositoryName& name,
                                             const registry::ManifestOffer& offer) const {
    const auto parsed = oci::parse_manifest(offer.bytes, offer.media_type);
    if (!parsed) return parsed.error();
    if (!wants_children_first) return std::nullopt;
    for (const auto& edge : parsed->edges) {
      const Key key{name.text(), edge.target.digest};
      const bool child = edge.kind == oci::EdgeKind::manifest;
      if (edge.kind == oci::EdgeKind::foreign) continue;
      if (child && offer.children == registry::ManifestOffer::Children::some) continue;
      if (!(child ? manifests_.contains(key) : blobs_.contains(key))) {
        return edge.target.digest.text();
      }
    }
    return std::nullopt;
  }

  std::map<Key, std::string> blobs_;
  std::map<Key, registry::ManifestContent> manifests_;
  std::map<std::pair<std::string, std::string>, oci::Digest> tags_;
};

}  // namespace entrepot::test
