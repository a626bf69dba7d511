// Two registries in memory with a line between them that counts what crosses it and breaks as told.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "entrepot/registry/feed_words.hpp"
#include "entrepot/registry/local_feed.hpp"
#include "replication/follower.hpp"
#include "replication/following.hpp"
#include "replication/repair.hpp"
#include "unit/registry/place_house.hpp"

namespace entrepot::replication {

// One of the two, with the words of a client for it.
class Site : public test::PlaceHouse {
 public:
  using PlaceHouse::clock_;
  using PlaceHouse::context_;
  using PlaceHouse::facts_;
  using PlaceHouse::metrics_;
  using PlaceHouse::place_;
  using PlaceHouse::policy_;
  using PlaceHouse::push_blob;
  using PlaceHouse::push_image;
  using PlaceHouse::put;
  using PlaceHouse::put_of;
  using PlaceHouse::read;
  using PlaceHouse::run;
  using PlaceHouse::set_policy;
  using PlaceHouse::tagged;
  using PlaceHouse::writer_;

  Site()
      : feed_(std::make_shared<registry::LocalFeed>(
            registry::LocalFeed::House{facts_, pool_, clock_})) {}
  void TestBody() override {}

  std::shared_ptr<registry::LocalFeed> feed() { return feed_; }
  registry::LocalPlace::House home() { return house(); }
  std::string id() { return read(&index::site_id); }

  // As time goes on; every push has a moment of its own.
  oci::Digest push(std::string_view repository, std::vector<std::string> tags, unsigned seed) {
    clock_.advance(base::Milliseconds(10));
    return test::digest_of(push_image(repository, tags, seed));
  }
  oci::Digest sign(std::string_view repository, const oci::Digest& subject, unsigned seed) {
    clock_.advance(base::Milliseconds(10));
    const auto config = test::noise(50, seed);
    push_blob(repository, config);
    const auto extra =
        ",\"subject\":" + test::descriptor(oci::media_type::oci_manifest, subject, 1);
    return put(put_of(repository,
                      test::image_manifest({{test::digest_of(config), config.size()}}, extra)));
  }
  // An index of one image, for linux/amd64.
  oci::Digest push_index(std::string_view repository, std::vector<std::string> tags,
                         unsigned seed) {
    const auto child = push_image(repository, {}, seed);
    auto listed =
        test::descriptor(oci::media_type::oci_manifest, test::digest_of(child), child.size());
    listed.insert(listed.size() - 1, R"(,"platform":{"os":"linux","architecture":"amd64"})");
    const auto bytes = R"({"schemaVersion":2,"mediaType":")" +
                       std::string(oci::media_type::oci_index) + R"(","manifests":[)" + listed +
                       "]}";
    clock_.advance(base::Milliseconds(10));
    return put(put_of(repository, bytes, tags, oci::media_type::oci_index));
  }
  void remove_tag(std::string_view repository, std::string_view text) {
    clock_.advance(base::Milliseconds(10));
    run(writer_.delete_tag(test::name(repository), test::tag(text), test::actor("alice")));
  }
  void remove(std::string_view repository, const oci::Digest& digest) {
    clock_.advance(base::Milliseconds(10));
    run(writer_.delete_manifest(test::name(repository), digest, test::actor("alice")));
  }

  // Every tag, every manifest and what it lists, a line each. (What was listed by manifests that
  // are gone is the collector's business.)
  std::set<std::string> holdings() {
    return read([](const index::View& view) {
      std::set<std::string> lines;
      for (const auto& name : index::repositories(view, {}, {}, 10'000)) {
        for (const auto& tag : index::tags(view, name, {}, 100'000)) {
          lines.insert(name.text() + ":" + tag.text() + " " +
                       index::tag(view, name, tag)->digest.text());
        }
        for (const auto& digest : index::links(view, name, {}, 100'000)) {
          if (!index::manifest_info(view, digest)) continue;
          lines.insert(name.text() + "@" + digest.text());
          for (const auto& edge : index::edges(view, digest)) {
            const bool here = index::linked(view, name, edge.target.digest);
            lines.insert(name.text() + "@" + edge.target.digest.text() + (here ? "" : " missing"));
          }
        }
      }
      return lines;
    });
  }
  std::vector<index::TagChange> history(std::string_view repository, std::string_view text) {
    return read([&](const index::View& view) {
      return index::tag_changes(view, test::name(repository), test::tag(text), 0, 1000);
    });
  }
  std::uint64_t newest() { return read(&index::newest_change); }

 private:
  std::shared_ptr<registry::LocalFeed> feed_;
};

// What is between two sites.
struct Line {
  // Asked before everything that crosses: its answer is what comes instead.
  std::function<std::optional<registry::Failure>(const std::string& what)> judge{};
  std::map<std::string, int> asked{};
  std::map<oci::Digest, int> blobs{};  // how often each was opened
  std::size_t summary_bytes = 0;       // questions and answers of anti-entropy
  bool hides_rows = false;             // the feed tells nothing, as if rows were gone

  std::optional<registry::Failure> cross(const std::string& what) {
    ++asked[what.substr(0, what.find(' '))];
    return judge ? judge(what) : std::nullopt;
  }
};

class FarPlace final : public registry::Place {
 public:
  template <class T>
  using Answer = registry::Answer<T>;
  FarPlace(registry::LocalPlace& place, Line& line) : place_(place), line_(line) {}

  async::Task<Answer<registry::Resolved>> resolve(oci::RepositoryName name,
                                                  oci::Reference reference) override {
    if (auto failed = line_.cross("resolve " + reference.text())) co_return fail(*failed);
    co_return co_await place_.resolve(name, reference);
  }
  async::Task<Answer<registry::ManifestContent>> manifest(oci::RepositoryName name,
                                                          oci::Reference reference) override {
    if (auto failed = line_.cross("manifest " + reference.text())) co_return fail(*failed);
    co_return co_await place_.manifest(name, reference);
  }
  async::Task<Answer<registry::BlobSize>> stat(oci::RepositoryName name,
                                               oci::Digest digest) override {
    if (auto failed = line_.cross("stat " + digest.text())) co_return fail(*failed);
    co_return co_await place_.stat(name, digest);
  }
  async::Task<Answer<registry::BlobContent>> blob(oci::RepositoryName name,
                                                  oci::Digest digest) override {
    if (auto failed = line_.cross("blob " + digest.text())) co_return fail(*failed);
    ++line_.blobs[digest];
    co_return co_await place_.blob(name, digest);
  }
  async::Task<Answer<registry::TagPage>> tags(oci::RepositoryName name,
                                              registry::Page page) override {
    co_return co_await place_.tags(name, page);
  }
  async::Task<Answer<registry::ReferrerPage>> referrers(oci::RepositoryName name,
                                                        oci::Digest subject, std::string type,
                                                        registry::Page page) override {
    if (auto failed = line_.cross("referrers " + subject.text())) co_return fail(*failed);
    co_return co_await place_.referrers(name, subject, type, page);
  }
  async::Task<Answer<registry::BlobTaken>> put_blob(oci::RepositoryName,
                                                    registry::BlobOffer) override {
    throw std::logic_error("nobody writes to a source");
    co_return registry::BlobTaken{};
  }
  async::Task<Answer<void>> put_manifest(oci::RepositoryName, registry::ManifestOffer) override {
    throw std::logic_error("nobody writes to a source");
    co_return Answer<void>();
  }
  async::Task<Answer<bool>> remove(oci::RepositoryName, oci::Reference) override {
    throw std::logic_error("nobody writes to a source");
    co_return false;
  }
  async::Task<Answer<registry::RepositoryPage>> repositories(registry::Page page) override {
    co_return co_await place_.repositories(page);
  }

 private:
  static std::unexpected<registry::Failure> fail(registry::Failure failure) {
    return std::unexpected(std::move(failure));
  }
  registry::LocalPlace& place_;
  Line& line_;
};

class FarFeed final : public registry::Feed {
 public:
  template <class T>
  using Answer = registry::Answer<T>;
  FarFeed(std::shared_ptr<registry::Feed> feed, Line& line) : feed_(std::move(feed)), line_(line) {}

  async::Task<Answer<registry::FeedPage>> changes(registry::FeedScope scope, std::uint64_t since,
                                                  std::size_t limit,
                                                  std::chrono::milliseconds longest) override {
    if (auto failed = line_.cross("changes")) co_return std::unexpected(*failed);
    auto page = co_await feed_->changes(scope, since, limit, longest);
    if (page && line_.hides_rows) {
      page->changes.clear();
      page->next = page->newest;
    }
    co_return page;
  }
  async::Task<Answer<std::vector<registry::Summary>>> summaries(
      registry::FeedScope scope, std::vector<std::string> prefixes) override {
    if (auto failed = line_.cross("summaries")) co_return std::unexpected(*failed);
    count(registry::to_query(registry::NodesQuestion{scope, prefixes}));
    auto answer = co_await feed_->summaries(scope, prefixes);
    if (answer) line_.summary_bytes += registry::to_json(*answer).size();
    co_return answer;
  }
  async::Task<Answer<std::vector<registry::SummaryItem>>> items(
      registry::FeedScope scope, std::vector<std::string> prefixes) override {
    if (auto failed = line_.cross("items")) co_return std::unexpected(*failed);
    count(registry::to_query(registry::NodesQuestion{scope, prefixes}));
    auto answer = co_await feed_->items(scope, prefixes);
    if (answer) line_.summary_bytes += registry::to_json(*answer).size();
    co_return answer;
  }
  async::Task<Answer<std::vector<index::Change>>> latest(
      registry::FeedScope scope, std::vector<registry::TagName> tags) override {
    if (auto failed = line_.cross("latest")) co_return std::unexpected(*failed);
    line_.summary_bytes += registry::to_json(registry::LatestQuestion{scope, tags}).size();
    auto answer = co_await feed_->latest(scope, tags);
    if (answer) line_.summary_bytes += registry::to_json(*answer).size();
    co_return answer;
  }

 private:
  void count(const registry::FeedQuery& query) {
    for (const auto& [key, value] : query) line_.summary_bytes += key.size() + value.size() + 2;
  }
  std::shared_ptr<registry::Feed> feed_;
  Line& line_;
};

// `a` and `b`, with a line each way; b usually follows a.
class TwoSites : public testing::Test {
 protected:
  static Rule mirror_all() {
    Rule rule{.name = "follow", .from = "far"};
    rule.when = Follow{};
    rule.deletions = Deletions::follow;
    return rule;
  }
  SharedErrand errand(Site& from, Site& to, Line& between, Rule rule = mirror_all()) {
    const index::Actor actor{.name = "replication:" + rule.name};
    Party source{.place = std::make_shared<FarPlace>(from.place_, between),
                 .feed = std::make_shared<FarFeed>(from.feed(), between)};
    Party target{.place = std::make_shared<registry::LocalPlace>(to.home(), actor.name),
                 .feed = to.feed(),
                 .apply = [&to, actor](index::Batch& batch, const index::Change& change) {
                   return to.writer_.apply(batch, change, actor);
                 }};
    return std::make_shared<Errand>(Replicator::House{to.facts_, to.clock_, to.metrics_},
                                    std::make_shared<const CompiledRule>(std::move(rule)),
                                    std::move(source), std::move(target),
                                    std::make_shared<Rests>());
  }
  // What b follows a by, over and over the same rule.
  SharedErrand follower(Rule rule = mirror_all()) { return errand(a, b, line, std::move(rule)); }
  RunReport sync(const SharedErrand& one, Site& at) { return at.run(catch_up(one, {})); }
  RunReport sync() { return sync(follower(), b); }
  // Steps until b has it all, at most `most`; what went wrong on the way.
  std::vector<std::string> steps(Following& following, Site& from, std::size_t most) {
    std::vector<std::string> troubles;
    for (std::size_t i = 0; i < most; ++i) {
      const auto trouble = b.run(following.step(Following::Pace::brisk));
      if (trouble) troubles.push_back(trouble->message);
      if (!trouble && following.since() == from.newest()) break;
    }
    return troubles;
  }

  Site a;
  Site b;
  Line line;  // from a to b
  Line back;  // from b to a
};

}  // namespace entrepot::replication
