// What repositories hold is counted: exact under every sequence of changes.
#include <gmock/gmock.h>

#include <map>
#include <random>
#include <set>

#include "support/catalog_words.hpp"

namespace entrepot::index::usage_test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class UsageCount : public Catalog {
 protected:
  void expect(std::string_view name, Usage expected, std::string_view row) {
    const auto found = read([&](const View& view) { return usage(view, repo(name)); });
    EXPECT_EQ(found.bytes, expected.bytes) << row;
    EXPECT_EQ(found.links, expected.links) << row;
    EXPECT_EQ(found.tags, expected.tags) << row;
  }
};
INSTANTIATE_TEST_SUITE_P(every, UsageCount, testing::ValuesIn(test::index_kinds()),
                         test::kind_name);

TEST_P(UsageCount, each_change_counts_once) {
  const auto layer = sha256("layer");
  const auto image = sha256("image");
  const auto put_image = [&](Batch& batch, std::string_view name) {
    put_manifest(batch, repo(name), RepositoryKind::local, image, "{....}", manifest_of({}), at(1));
  };
  const auto link_layer = [&](Batch& batch) {
    link(batch, repo("a"), RepositoryKind::local, layer, at(1));
  };
  struct Step {
    std::string name;
    std::function<void(Batch&)> change;
    Usage expected;
  };
  const std::vector<Step> steps{
      {"a blob nobody links", [&](Batch& b) { put_blob(b, layer, 10, at(1)); }, {}},
      {"linked", link_layer, {10, 1, 0}},
      {"linked again", link_layer, {10, 1, 0}},
      {"another repository's", [&](Batch& b) { put_image(b, "b"); }, {10, 1, 0}},
      {"a manifest", [&](Batch& b) { put_image(b, "a"); }, {16, 2, 0}},
      {"its bytes as a blob, too",
       [&](Batch& b) {
         put_blob(b, image, 6, at(1));
         link(b, repo("a"), RepositoryKind::local, image, at(1));
       },
       {16, 2, 0}},
      {"tagged",
       [&](Batch& b) { set_tag(b, repo("a"), tag_of("v"), image, at(1), Cause::push); },
       {16, 2, 1}},
      {"tag moved",
       [&](Batch& b) { set_tag(b, repo("a"), tag_of("v"), layer, at(2), Cause::push); },
       {16, 2, 1}},
      {"blob lost", [&](Batch& b) { forget_blob(b, layer); }, {16, 2, 1}},
      {"linked while lost", link_layer, {16, 2, 1}},
      {"had again, larger", [&](Batch& b) { put_blob(b, layer, 30, at(3)); }, {16, 2, 1}},
      {"linked as it is now", link_layer, {36, 2, 1}},
      {"had again, smaller",
       [&](Batch& b) {
         put_blob(b, layer, 5, at(3));
         link_layer(b);
       },
       {11, 2, 1}},
      {"tag removed",
       [&](Batch& b) { remove_tag(b, repo("a"), tag_of("v"), at(4), Cause::deletion); },
       {11, 2, 0}},
      {"tag removed again",
       [&](Batch& b) { remove_tag(b, repo("a"), tag_of("v"), at(4), Cause::deletion); },
       {11, 2, 0}},
      {"unlinked", [&](Batch& b) { unlink(b, repo("a"), layer); }, {6, 1, 0}},
      {"unlinked again", [&](Batch& b) { unlink(b, repo("a"), layer); }, {6, 1, 0}},
      {"manifest unlinked", [&](Batch& b) { unlink(b, repo("a"), image); }, {}},
  };
  for (const auto& step : steps) {
    write(step.change);
    expect("a", step.expected, step.name);
  }
  expect("b", {6, 1, 0}, "the other one");
  expect("never", {}, "a name that was never used");
}

// The same by going through everything.
struct Model {
  struct Repository {
    std::map<oci::Digest, std::uint64_t> links;
    std::map<std::string, oci::Digest> tags;
  };
  std::map<oci::Digest, std::uint64_t> blobs;
  std::map<std::string, Repository> repositories;
};

void clear(Batch& batch, const oci::RepositoryName& name) {
  for (const auto& digest : links(batch, name, {}, 100)) unlink(batch, name, digest);
  for (const auto& tag : tags(batch, name, "", 100)) {
    remove_tag(batch, name, tag, at(1), Cause::deletion);
  }
}

// One random change, done to both.
class RandomChange {
 public:
  explicit RandomChange(std::uint32_t seed) : random_(seed) {}

  void operator()(Model& model, Batch& batch) {
    const std::string name = "r" + std::to_string(pick(3));
    const auto digest = sha256(std::to_string(pick(6)));
    const auto tag = tag_of("t" + std::to_string(pick(4)));
    auto& here = model.repositories[name];
    switch (pick(7)) {
      case 0: {
        const std::uint64_t size = pick(4) * 100;
        put_blob(batch, digest, size, at(1));
        model.blobs[digest] = size;
        break;
      }
      case 1:
        forget_blob(batch, digest);
        model.blobs.erase(digest);
        break;
      case 2:
      case 3:
        link(batch, repo(name), RepositoryKind::local, digest, at(1));
        here.links.try_emplace(digest, 0);
        if (model.blobs.contains(digest)) here.links[digest] = model.blobs[digest];
        break;
      case 4:
        unlink(batch, repo(name), digest);
        here.links.erase(digest);
        break;
      case 5:
        set_tag(batch, repo(name), tag, digest, at(1), Cause::push);
        here.tags.insert_or_assign(tag.text(), digest);
        break;
      default:
        EXPECT_EQ(remove_tag(batch, repo(name), tag, at(1), Cause::deletion),
                  here.tags.erase(tag.text()) == 1);
    }
  }

 private:
  std::uint32_t pick(std::uint32_t below) { return random_() % below; }
  std::mt19937 random_;
};

void expect_same(const View& view, const Model& model) {
  std::vector<std::string> there;
  Usage sum;
  for (const auto& [name, here] : model.repositories) {
    std::uint64_t bytes = 0;
    for (const auto& [digest, size] : here.links) bytes += size;
    const auto found = usage(view, repo(name));
    sum.bytes += bytes;
    sum.links += here.links.size();
    sum.tags += here.tags.size();
    EXPECT_EQ(found.bytes, bytes) << name;
    EXPECT_EQ(found.links, here.links.size()) << name;
    EXPECT_EQ(found.tags, here.tags.size()) << name;
    if (!here.links.empty() || !here.tags.empty()) there.push_back(name);
    std::map<oci::Digest, std::set<std::string>> pointing;
    for (const auto& [tag, digest] : here.tags) pointing[digest].insert(tag);
    for (int i = 0; i < 6; ++i) {
      const auto digest = sha256(std::to_string(i));
      EXPECT_THAT(texts(tags_of(view, repo(name), digest, 9)),
                  testing::ElementsAreArray(pointing[digest]));
      EXPECT_EQ(linked(view, repo(name), digest), here.links.contains(digest));
    }
  }
  EXPECT_EQ(texts(repositories(view, {}, "", 9)), there);
  for (const auto* pattern : {"*", "**"}) {
    const auto found = usage_sum(view, pattern);
    EXPECT_EQ(found.bytes, sum.bytes);
    EXPECT_EQ(found.links, sum.links);
    EXPECT_EQ(found.tags, sum.tags);
  }
}

TEST_P(UsageCount, is_what_a_recount_finds_after_any_changes) {
  for (std::uint32_t seed = 1; seed <= 10; ++seed) {
    Model model;
    RandomChange change(seed);
    // One transaction: a model outside of it is not changed twice when the write runs twice.
    const auto steps = 150;
    write([&, before = change](Batch& batch) {
      model = {};
      change = before;
      for (const auto* name : {"r0", "r1", "r2"}) clear(batch, repo(name));
      for (int i = 0; i < 6; ++i) forget_blob(batch, sha256(std::to_string(i)));
      for (int step = 0; step < steps; ++step) {
        change(model, batch);
        if (step % 10 == 0) expect_same(batch, model);
        if (testing::Test::HasFailure()) return;
      }
    });
    read([&](const View& view) { expect_same(view, model); });
    ASSERT_FALSE(testing::Test::HasFailure()) << "seed " << seed;
  }
}

// Rows: P-04
TEST_P(UsageCount, local_repositories_are_listed_by_prefix_in_pages) {
  write([](Batch& batch) {
    put_blob(batch, sha256("x"), 5, at(1));
    for (const auto* name : {"team/a", "team/b", "team/c", "teams/a", "other"}) {
      link(batch, repo(name), RepositoryKind::local, sha256("x"), at(1));
    }
    link(batch, repo("team/mirrored"), RepositoryKind::mirrored, sha256("x"), at(1));
    unlink(batch, repo("team/b"), sha256("x"));
    set_tag(batch, repo("team/tagged"), tag_of("v"), sha256("x"), at(1), Cause::push);
  });
  const auto listed = [&](std::string_view prefix, std::string_view after, std::size_t limit) {
    std::vector<std::string> names;
    for (const auto& one :
         read([&](const View& view) { return usages(view, prefix, after, limit); })) {
      names.push_back(one.repository.text() + " " + std::to_string(one.usage.bytes) + " " +
                      std::to_string(one.usage.tags));
    }
    return names;
  };
  EXPECT_THAT(listed("team/", "", 9), ElementsAre("team/a 5 0", "team/c 5 0", "team/tagged 0 1"));
  EXPECT_THAT(listed("team/", "team/a", 1), ElementsAre("team/c 5 0"));
  EXPECT_THAT(listed("", "other", 2), ElementsAre("team/a 5 0", "team/c 5 0"));
  EXPECT_THAT(listed("teams", "", 9), ElementsAre("teams/a 5 0"));
  EXPECT_THAT(listed("z", "", 9), IsEmpty());
  EXPECT_THAT(listed("", "", 0), IsEmpty());
}

TEST_P(UsageCount, sums_are_kept_for_every_beginning_of_a_name) {
  std::uint64_t bytes = 1;
  for (const auto* name : {"team", "team/a", "team/a/b", "team/b", "teams/a", "other"}) {
    write([&](Batch& batch) {
      put_blob(batch, sha256(name), bytes, at(1));
      link(batch, repo(name), RepositoryKind::local, sha256(name), at(1));
    });
    bytes *= 10;
  }
  write([](Batch& batch) {
    link(batch, repo("team/mirrored"), RepositoryKind::mirrored, sha256("team"), at(1));
    unlink(batch, repo("team/b"), sha256("team/b"));
  });
  const std::map<std::string, std::uint64_t> sums{
      {"**", 110'111},   {"*", 100'001},       {"team/**", 110}, {"team/*", 10},
      {"team/a/*", 100}, {"teams/**", 10'000}, {"team/b/**", 0}, {"none/*", 0}};
  for (const auto& [pattern, expected] : sums) {
    EXPECT_TRUE(has_sum(pattern));
    EXPECT_EQ(read([&](const View& view) { return usage_sum(view, pattern).bytes; }), expected)
        << pattern;
  }
  for (const auto* pattern : {"", "team", "team*", "team/a*", "*/a", "team/?", "**/a", "t*/**"}) {
    EXPECT_FALSE(has_sum(pattern)) << pattern;
  }
}

// Rows: G-15
TEST_P(UsageCount, a_repository_is_emptied_in_batches) {
  constexpr int many = 25;
  write([](Batch& batch) {
    for (int i = 0; i < many; ++i) {
      const auto digest = sha256(std::to_string(i));
      put_blob(batch, digest, 1, at(1));
      link(batch, repo("app"), RepositoryKind::local, digest, at(1));
      set_tag(batch, repo("app"), tag_of("t" + std::to_string(i)), digest, at(1), Cause::push);
      link(batch, repo("app2"), RepositoryKind::local, digest, at(1));
    }
  });
  for (int left = many; left > 0; left -= 10) {
    write([](Batch& batch) {
      for (const auto& tag : tags(batch, repo("app"), "", 10)) {
        remove_tag(batch, repo("app"), tag, at(2), Cause::deletion, "alice");
      }
      for (const auto& digest : links(batch, repo("app"), {}, 10)) {
        unlink(batch, repo("app"), digest);
      }
    });
  }
  expect("app", {}, "emptied");
  expect("app2", {many, many, 0}, "its neighbour");
  EXPECT_FALSE(read([](const View& view) { return repository_exists(view, repo("app")); }));
}

TEST_P(UsageCount, links_are_listed_in_pages) {
  std::vector<oci::Digest> all;
  for (int i = 0; i < 11; ++i) {
    all.push_back(i % 2 ? sha256(std::to_string(i)) : sha512(std::to_string(i)));
  }
  write([&](Batch& batch) {
    for (const auto& digest : all) link(batch, repo("a"), RepositoryKind::local, digest, at(1));
    link(batch, repo("b"), RepositoryKind::local, sha256("b"), at(1));
  });
  std::ranges::sort(all);
  read([&](const View& view) {
    std::vector<oci::Digest> met;
    for (auto part = links(view, repo("a"), {}, 4); !part.empty();
         part = links(view, repo("a"), met.back(), 4)) {
      met.insert(met.end(), part.begin(), part.end());
    }
    EXPECT_EQ(met, all);
    EXPECT_THAT(links(view, repo("a"), {}, 0), IsEmpty());
    EXPECT_THAT(links(view, repo("none"), {}, 9), IsEmpty());
  });
}

}  // namespace
}  // namespace entrepot::index::usage_test
