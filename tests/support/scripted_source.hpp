// An upstream in memory that holds what a test gives it, counts what it is asked, and misbehaves
// as told: fails, hangs, breaks off, sends other bytes.
#pragma once

#include <array>
#include <deque>
#include <limits>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "entrepot/async/broadcast.hpp"
#include "entrepot/oci/refusal.hpp"
#include "entrepot/registry/source.hpp"

namespace entrepot::test {

// Lets bytes through up to a mark; readers beyond it wait. Thread-safe.
class Valve {
 public:
  void open_to(std::uint64_t mark) {
    {
      const std::lock_guard lock(mutex_);
      mark_ = mark;
    }
    moved_.notify_all();
  }
  void open() { open_to(std::numeric_limits<std::uint64_t>::max()); }

  // How many bytes may pass at `offset`; waits until it is one at least.
  async::Task<std::uint64_t> pass(std::uint64_t offset) {
    for (;;) {
      std::uint64_t ticket = 0;
      {
        const std::lock_guard lock(mutex_);
        if (mark_ > offset) co_return mark_ - offset;
        ticket = moved_.ticket();
      }
      co_await moved_.wait(ticket);
    }
  }

 private:
  std::mutex mutex_;  // guards mark_
  std::uint64_t mark_ = 0;
  async::Broadcast moved_;
};

// How a blob is sent.
struct BlobPlan {
  std::string bytes;
  std::optional<std::uint64_t> size{};  // claimed; beyond `bytes` come zeros
  std::uint64_t piece = 64 * 1024;      // at most that many at once
  std::shared_ptr<Valve> valve{};       // null: everything at once
  std::optional<std::uint64_t> break_at{};
  int breaks = 0;  // how many transfers break off there

  std::uint64_t total() const { return size.value_or(bytes.size()); }
};

class ScriptedSource : public registry::Source {
 public:
  enum Verb { resolving, fetching, stating, opening, listing, referring, verbs };

  oci::Digest put_blob(const std::string& repository, const std::string& bytes) {
    const auto digest = oci::Digest::of(oci::Algorithm::sha256, base::as_bytes(bytes));
    put_blob(repository, digest, BlobPlan{.bytes = bytes});
    return digest;
  }
  void put_blob(const std::string& repository, const oci::Digest& digest, BlobPlan plan) {
    const std::lock_guard lock(mutex_);
    blobs_.insert_or_assign({repository, digest}, std::move(plan));
  }
  oci::Digest put_manifest(const std::string& repository, const std::string& tag,
                           const std::string& media_type, const std::string& bytes) {
    const auto digest = oci::Digest::of(oci::Algorithm::sha256, base::as_bytes(bytes));
    const std::lock_guard lock(mutex_);
    manifests_.insert_or_assign({repository, digest.text()},
                                registry::ManifestContent{digest, media_type, bytes, {}});
    if (!tag.empty()) tags_.insert_or_assign({repository, tag}, digest);
    return digest;
  }
  void point(const std::string& repository, const std::string& tag, const oci::Digest& digest) {
    const std::lock_guard lock(mutex_);
    tags_.insert_or_assign({repository, tag}, digest);
  }
  void remove_tag(const std::string& repository, const std::string& tag) {
    const std::lock_guard lock(mutex_);
    tags_.erase({repository, tag});
  }
  void remove_blob(const std::string& repository, const oci::Digest& digest) {
    const std::lock_guard lock(mutex_);
    blobs_.erase({repository, digest});
  }

  // The next `times` questions of that kind fail.
  void fail(Verb verb, registry::FailureKind kind, int times = 1'000'000) {
    const std::lock_guard lock(mutex_);
    failing_[verb] = {kind, times};
  }
  // Every kind, until calm().
  void fail_all(registry::FailureKind kind) {
    for (int verb = 0; verb < verbs; ++verb) fail(static_cast<Verb>(verb), kind);
  }
  void calm() {
    const std::lock_guard lock(mutex_);
    failing_.fill({});
  }
  // Questions wait until the Valve is open.
  void hold(std::shared_ptr<Valve> valve) {
    const std::lock_guard lock(mutex_);
    gate_ = std::move(valve);
  }

  int count(Verb verb) const {
    const std::lock_guard lock(mutex_);
    return counts_[verb];
  }
  int questions() const {
    const std::lock_guard lock(mutex_);
    int all = 0;
    for (const auto one : counts_) all += one;
    return all;
  }
  // Where each transfer of a blob began.
  std::vector<std::uint64_t> starts() const {
    const std::lock_guard lock(mutex_);
    return starts_;
  }
  // What its reader said of its size.
  std::vector<std::optional<std::uint64_t>> expected_sizes() const {
    const std::lock_guard lock(mutex_);
    return sizes_;
  }

  async::Task<registry::Answer<registry::Resolved>> resolve(oci::RepositoryName name,
                                                            oci::Reference reference) override {
    if (auto failed = co_await judge(resolving)) co_return std::unexpected(*failed);
    auto found = find_manifest(name, reference);
    if (!found) co_return absent();
    co_return registry::Resolved{found->digest, found->media_type, found->bytes.size(), {}};
  }

  async::Task<registry::Answer<registry::ManifestContent>> manifest(
      oci::RepositoryName name, oci::Reference reference) override {
    if (auto failed = co_await judge(fetching)) co_return std::unexpected(*failed);
    auto found = find_manifest(name, reference);
    if (!found) co_return absent();
    co_return std::move(*found);
  }

  async::Task<registry::Answer<registry::BlobSize>> stat(oci::RepositoryName name,
                                                         oci::Digest digest) override {
    if (auto failed = co_await judge(stating)) co_return std::unexpected(*failed);
    const std::lock_guard lock(mutex_);
    const auto found = blobs_.find({name.text(), digest});
    if (found == blobs_.end()) co_return absent();
    co_return registry::BlobSize{.size = found->second.total()};
  }

  async::Task<registry::Answer<registry::BlobContent>> blob(oci::RepositoryName name,
                                                            oci::Digest digest) override {
    return blob_from(std::move(name), digest, {});
  }

  async::Task<registry::Answer<registry::BlobContent>> blob_from(
      oci::RepositoryName name, oci::Digest digest, registry::BlobStart start) override {
    if (auto failed = co_await judge(opening)) co_return std::unexpected(*failed);
    const std::lock_guard lock(mutex_);
    const auto found = blobs_.find({name.text(), digest});
    if (found == blobs_.end()) co_return absent();
    starts_.push_back(start.offset);
    sizes_.push_back(start.size);
    auto plan = found->second;
    if (plan.breaks > 0) {
      --found->second.breaks;
    } else {
      plan.break_at.reset();
    }
    co_return registry::BlobContent{.bytes = std::make_unique<Bytes>(std::move(plan))};
  }

  async::Task<registry::Answer<registry::TagPage>> tags(oci::RepositoryName name,
                                                        registry::Page page) override {
    if (auto failed = co_await judge(listing)) co_return std::unexpected(*failed);
    const std::lock_guard lock(mutex_);
    registry::TagPage answer;
    for (const auto& [key, digest] : tags_) {
      if (key.first != name.text() || key.second <= page.after) continue;
      if (answer.tags.size() == page.limit) {
        answer.more = true;
        break;
      }
      answer.tags.push_back(oci::Tag::parse(key.second).value());
    }
    co_return answer;
  }

  async::Task<registry::Answer<registry::ReferrerPage>> referrers(oci::RepositoryName, oci::Digest,
                                                                  std::string,
                                                                  registry::Page) override {
    if (auto failed = co_await judge(referring)) co_return std::unexpected(*failed);
    co_return registry::ReferrerPage{};
  }

 private:
  class Bytes : public async::ByteSource {
   public:
    explicit Bytes(BlobPlan plan) : plan_(std::move(plan)) {}
    std::uint64_t size() const override { return plan_.total(); }

    async::Task<async::Chunk> read_at(std::uint64_t offset, std::uint64_t most) override {
      auto length = std::min({most, plan_.piece, plan_.total() - offset});
      if (plan_.valve) length = std::min(length, co_await plan_.valve->pass(offset));
      if (plan_.break_at) {
        if (offset >= *plan_.break_at) {
          throw oci::Refusal(oci::ErrorCode::upstream_failed, "the connection broke");
        }
        length = std::min(length, *plan_.break_at - offset);
      }
      std::string text(length, '\0');
      if (offset < plan_.bytes.size()) plan_.bytes.copy(text.data(), length, offset);
      co_return async::memory_chunk(std::move(text));
    }

   private:
    BlobPlan plan_;
  };

  static std::unexpected<registry::Failure> absent() {
    return std::unexpected(
        registry::Failure{.kind = registry::FailureKind::absent, .message = "not there"});
  }

  async::Task<std::optional<registry::Failure>> judge(Verb verb) {
    std::shared_ptr<Valve> gate;
    std::optional<registry::Failure> failure;
    {
      const std::lock_guard lock(mutex_);
      ++counts_[verb];
      gate = gate_;
      auto& [kind, times] = failing_[verb];
      if (times > 0) {
        --times;
        failure = registry::Failure{.kind = kind, .message = "as the test wants it"};
      }
    }
    if (gate) co_await gate->pass(0);
    co_return failure;
  }

  std::optional<registry::ManifestContent> find_manifest(const oci::RepositoryName& name,
                                                         const oci::Reference& reference) const {
    const std::lock_guard lock(mutex_);
    auto digest = reference.text();
    if (reference.tag()) {
      const auto tag = tags_.find({name.text(), digest});
      if (tag == tags_.end()) return std::nullopt;
      digest = tag->second.text();
    }
    const auto found = manifests_.find({name.text(), digest});
    if (found == manifests_.end()) return std::nullopt;
    return found->second;
  }

  mutable std::mutex mutex_;  // guards everything below
  std::map<std::pair<std::string, oci::Digest>, BlobPlan> blobs_;
  std::map<std::pair<std::string, std::string>, registry::ManifestContent> manifests_;
  std::map<std::pair<std::string, std::string>, oci::Digest> tags_;
  std::array<std::pair<registry::FailureKind, int>, verbs> failing_{};
  std::array<int, verbs> counts_{};
  std::vector<std::uint64_t> starts_;
  std::vector<std::optional<std::uint64_t>> sizes_;
  std::shared_ptr<Valve> gate_;
};

}  // namespace entrepot::test
