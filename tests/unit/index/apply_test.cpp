// Changes of other sites: last writer wins, in whatever order and how often they come.
#include <gmock/gmock.h>

#include <algorithm>
#include <deque>
#include <random>

#include "entrepot/index/collection.hpp"
#include "entrepot/index/journal.hpp"
#include "support/catalog_words.hpp"

namespace entrepot::index::apply_test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const auto app = repo("app");
const auto latest = tag_of("latest");
const auto one = sha256("one");
const auto two = sha256("two");
const auto three = sha256("three");

Change change(std::optional<oci::Digest> from, std::optional<oci::Digest> to, std::int64_t time,
              std::string site = "a") {
  return {.repository = app,
          .tag = latest,
          .from = from,
          .to = to,
          .version = {at(time), std::move(site)},
          .cause = to ? Cause::push : Cause::deletion,
          .who = "eve"};
}

Change of_manifest(std::optional<oci::Digest> from, std::optional<oci::Digest> to,
                   std::int64_t time, std::string site = "a") {
  auto made = change(from, to, time, std::move(site));
  made.tag.reset();
  return made;
}

class Apply : public Catalog {
 protected:
  Apply() {
    write([](Batch& batch) {
      for (const auto& digest : {one, two, three}) {
        link(batch, app, RepositoryKind::local, digest, at(0));
      }
    });
  }
  Applied apply(const Change& change, std::int64_t now = 100) {
    return write([&](Batch& batch) { return apply_change(batch, change, at(now)); });
  }
  std::optional<oci::Digest> standing() {
    return read([](const View& view) {
      const auto record = tag(view, app, latest);
      return record ? std::optional(record->digest) : std::nullopt;
    });
  }
  bool is_linked(const oci::Digest& digest) {
    return read([&](const View& view) { return linked(view, app, digest); });
  }
  std::vector<Cause> history() {
    std::vector<Cause> causes;
    for (const auto& move :
         read([](const View& view) { return tag_changes(view, app, latest, 0, 100); })) {
      causes.push_back(move.cause);
    }
    return causes;
  }
  std::size_t rows() {
    return read([](const View& view) { return changes(view, 0, 1000).size(); });
  }
};
INSTANTIATE_TEST_SUITE_P(every, Apply, testing::ValuesIn(test::index_kinds()), test::kind_name);

TEST_P(Apply, a_change_keeps_its_version_and_is_told_on) {
  EXPECT_EQ(apply(change({}, one, 5)), Applied::done);
  const auto record = read([](const View& view) { return *tag(view, app, latest); });
  EXPECT_EQ(record.digest, one);
  EXPECT_EQ(record.changed, at(100)) << "when it happened here";
  EXPECT_EQ(record.version, (Version{at(5), "a"}));
  const auto told = read([](const View& view) { return changes(view, 0, 10); });
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].version, (Version{at(5), "a"}));
  EXPECT_EQ(told[0].who, "eve");
  EXPECT_EQ(read([](const View& view) { return usage(view, app).tags; }), 1U);
}

TEST_P(Apply, again_is_nothing_new) {
  apply(change({}, one, 5));
  apply(change(one, two, 6));
  EXPECT_EQ(apply(change({}, one, 5)), Applied::held);
  EXPECT_EQ(apply(change(one, two, 6)), Applied::held);
  EXPECT_EQ(standing(), two);
  EXPECT_EQ(rows(), 2U);
  EXPECT_THAT(history(), ElementsAre(Cause::push, Cause::push));
}

// Rows: N-11
TEST_P(Apply, who_lost_is_in_the_history_and_can_be_gone_back_to) {
  apply(change({}, one, 5));
  apply(change(one, two, 9, "b"));
  EXPECT_EQ(apply(change(one, three, 8, "c")), Applied::conflicted);
  EXPECT_EQ(apply(change(one, three, 8, "c")), Applied::held) << "noted once";
  EXPECT_EQ(standing(), two);
  EXPECT_THAT(history(), ElementsAre(Cause::superseded, Cause::push, Cause::push));
  EXPECT_EQ(rows(), 2U) << "peers hear of it from who made it";
  read([](const View& view) {
    EXPECT_THAT(tag_history(view, app, latest, 10), ElementsAre(three, one));
    EXPECT_EQ(hold_of(view, app, three, at(50)), Hold::history);
    EXPECT_EQ(latest_change(view, app, latest)->to, two);
  });
  EXPECT_EQ(write([](Batch& batch) { return drop_history(batch, at(1000), 100); }), 3U);
  EXPECT_EQ(read([](const View& view) { return hold_of(view, app, three, at(50)); }), Hold::none);
}

// Rows: N-11
TEST_P(Apply, a_winner_replaces_what_was_made_here) {
  write([](Batch& batch) { set_tag(batch, app, latest, one, at(5), Cause::push, "alice"); });
  EXPECT_EQ(apply(change({}, two, 9, "b")), Applied::done);
  EXPECT_EQ(standing(), two);
  read([](const View& view) { EXPECT_THAT(tag_history(view, app, latest, 10), ElementsAre(one)); });
  write([](Batch& batch) { set_tag(batch, app, latest, three, at(6), Cause::push); });
  EXPECT_EQ(read([](const View& view) { return tag(view, app, latest)->version.time; }), at(10))
      << "made with the winner at hand";
}

TEST_P(Apply, a_tag_is_newer_than_the_removal_of_what_it_brings_back) {
  apply(of_manifest(one, {}, 9, "b"));
  write([](Batch& batch) {
    link(batch, app, RepositoryKind::local, one, at(5));
    set_tag(batch, app, latest, one, at(5), Cause::push);
    set_tag(batch, app, tag_of("other"), two, at(5), Cause::push);
  });
  read([](const View& view) {
    EXPECT_EQ(tag(view, app, latest)->version.time, at(10)) << "whatever our clock says";
    EXPECT_EQ(tag(view, app, tag_of("other"))->version.time, at(5));
  });
}

TEST_P(Apply, of_one_moment_the_site_decides) {
  apply(change({}, one, 5, "a"));
  EXPECT_EQ(apply(change({}, two, 5, "b")), Applied::done);
  EXPECT_EQ(apply(change({}, three, 5, "aa")), Applied::conflicted);
  EXPECT_EQ(standing(), two);
}

TEST_P(Apply, what_the_winner_knew_of_is_no_conflict) {
  // The same site, which knows what it does.
  apply(change(two, three, 9, "a"));
  EXPECT_EQ(apply(change({}, one, 5, "a")), Applied::held);
  // Another site, that moved the tag away from there.
  apply(change(one, two, 20, "b"));
  EXPECT_EQ(apply(change({}, three, 8, "c")), Applied::held);
  EXPECT_THAT(history(), testing::Each(Cause::push));
}

TEST_P(Apply, a_removal_is_remembered_before_its_tag_was_ever_seen) {
  EXPECT_EQ(apply(change(one, {}, 9)), Applied::held);
  EXPECT_EQ(apply(change({}, one, 5)), Applied::held);
  EXPECT_EQ(standing(), std::nullopt);
  EXPECT_EQ(rows(), 1U) << "told on: others may have the tag";
  EXPECT_EQ(read([](const View& view) { return usage(view, app).tags; }), 0U);
  EXPECT_EQ(apply(change({}, two, 10)), Applied::done);
  EXPECT_EQ(apply(change(two, {}, 11)), Applied::done);
  EXPECT_EQ(standing(), std::nullopt);
}

TEST_P(Apply, the_same_digest_from_elsewhere_raises_the_version) {
  apply(change({}, one, 5, "a"));
  EXPECT_EQ(apply(change({}, one, 9, "b")), Applied::held);
  EXPECT_EQ(rows(), 2U);
  EXPECT_EQ(apply(change({}, two, 7, "c")), Applied::conflicted);
  EXPECT_EQ(standing(), one);
  read([](const View& view) {
    EXPECT_EQ(tag(view, app, latest)->changed, at(100));
    EXPECT_THAT(tag_history(view, app, latest, 10), ElementsAre(two)) << "it never left one";
  });
}

TEST_P(Apply, nothing_points_to_what_is_not_here) {
  const auto before = rows();
  EXPECT_THROW(apply(change({}, sha256("missing"), 5)), std::runtime_error);
  EXPECT_EQ(rows(), before);
  apply(change({}, one, 5));
  EXPECT_EQ(apply(change(one, sha256("missing"), 4)), Applied::held) << "it would have lost";
  write([](Batch& batch) { set_tag(batch, repo("hub/app"), latest, one, at(1), Cause::mirror); });
  auto mirrored = change({}, one, 6);
  mirrored.repository = repo("hub/app");
  EXPECT_THROW(apply(mirrored), std::runtime_error);
}

TEST_P(Apply, a_manifest_is_removed_by_a_greater_version_only) {
  EXPECT_EQ(apply(of_manifest({}, one, 5)), Applied::done);
  EXPECT_EQ(apply(of_manifest(one, {}, 4, "b")), Applied::held);
  EXPECT_TRUE(is_linked(one));
  EXPECT_EQ(apply(of_manifest(one, {}, 6, "b")), Applied::done);
  EXPECT_FALSE(is_linked(one));
  EXPECT_EQ(apply(of_manifest(one, {}, 6, "b")), Applied::held);
  EXPECT_EQ(apply(of_manifest({}, one, 5)), Applied::held);
  EXPECT_EQ(rows(), 2U);
  EXPECT_EQ(apply(of_manifest(two, {}, 6)), Applied::done) << "linked, but nobody told of it";
  EXPECT_EQ(apply(of_manifest(sha512("x"), {}, 6)), Applied::held);
}

TEST_P(Apply, a_tag_keeps_its_manifest) {
  apply(change({}, one, 5));
  EXPECT_EQ(apply(of_manifest(one, {}, 9)), Applied::conflicted);
  EXPECT_EQ(apply(of_manifest(one, {}, 9)), Applied::held);
  EXPECT_TRUE(is_linked(one));
}

// ---- any order, any number of times ------------------------------------------------------------

using State = std::map<std::string, std::pair<std::string, Version>>;

const std::vector<oci::Tag> some_tags{tag_of("a"), tag_of("b"), tag_of("c")};
const std::vector<oci::Digest> some_digests{one, two, three, sha512("four")};

State state(const View& view) {
  State found;
  for (const auto& name : some_tags) {
    const auto newest = latest_change(view, app, name);
    const auto record = tag(view, app, name);
    EXPECT_EQ(record.has_value(), newest && newest->to);
    if (newest) found[name.text()] = {record ? record->digest.text() : "", newest->version};
    if (record) EXPECT_EQ(record->version, newest->version);
  }
  for (const auto& digest : some_digests) {
    if (const auto version = manifest_version(view, repo("loose"), digest)) {
      const bool here = linked(view, repo("loose"), digest);
      found[digest.text()] = {here ? "here" : "", *version};
    }
  }
  return found;
}

// A site that people and peers write to.
class Site {
 public:
  template <class Work>
  auto write(Work work) {
    return test::run_task(index_.write(std::move(work)));
  }
  template <class Work>
  auto read(Work work) {
    return test::run_task(index_.read(std::move(work)));
  }
  explicit Site(std::mt19937& random) : random_(random) {
    for (const auto& digest : some_digests) {
      write([&](Batch& batch) { link(batch, app, RepositoryKind::local, digest, at(0)); });
    }
  }
  void act() {
    const auto now = at(static_cast<std::int64_t>(random_() % 20));
    const auto& name = some_tags[random_() % some_tags.size()];
    const auto& digest = some_digests[random_() % some_digests.size()];
    const auto what = random_() % 6;
    write([&](Batch& batch) {
      if (what < 3) set_tag(batch, app, name, digest, now, Cause::push);
      if (what == 3) remove_tag(batch, app, name, now, Cause::deletion);
      if (what == 4) put_loose(batch, digest, now);
      if (what == 5) remove_loose(batch, digest, now);
    });
  }
  // What a follower does with a row of a peer.
  void hear(const Change& change) {
    write([&](Batch& batch) {
      if (!change.tag && change.to && wins(batch, change)) {
        link(batch, repo("loose"), RepositoryKind::local, *change.to, at(0));
      }
      const bool won = wins(batch, change);
      EXPECT_EQ(apply_change(batch, change, at(50)) == Applied::conflicted && won, false);
    });
  }
  std::vector<Change> told(std::uint64_t since) {
    return read([&](const View& view) { return changes(view, since, 100'000); });
  }

 private:
  static void put_loose(Batch& batch, const oci::Digest& digest, base::WallTime now) {
    if (linked(batch, repo("loose"), digest)) return;
    link(batch, repo("loose"), RepositoryKind::local, digest, now);
    record_manifest(batch, repo("loose"), digest, ManifestChange::put, now, Cause::push);
  }
  static void remove_loose(Batch& batch, const oci::Digest& digest, base::WallTime now) {
    if (!linked(batch, repo("loose"), digest)) return;
    unlink(batch, repo("loose"), digest);
    record_manifest(batch, repo("loose"), digest, ManifestChange::removed, now, Cause::deletion);
  }

  test::MemoryIndex index_;
  std::mt19937& random_;
};

// Everybody hears everybody, in order, some of it twice, until there is nothing new.
void exchange(std::deque<Site>& sites, std::mt19937& random) {
  std::map<std::pair<std::size_t, std::size_t>, std::uint64_t> positions;
  for (int round = 0; round < 50; ++round) {
    bool any = false;
    for (std::size_t to = 0; to < sites.size(); ++to) {
      for (std::size_t from = 0; from < sites.size(); ++from) {
        auto& since = positions[{to, from}];
        if (from == to) continue;
        const auto news = sites[from].told(random() % 4 ? since : since / 2);
        for (const auto& change : news) sites[to].hear(change);
        any = any || (!news.empty() && news.back().sequence > since);
        if (!news.empty()) since = news.back().sequence;
      }
    }
    if (!any) return;
  }
  FAIL() << "it goes round for ever";
}

// Rows: N-10, N-11
TEST(ApplyProperty, sites_that_have_heard_each_other_are_equal) {
  for (unsigned seed = 0; seed < 30; ++seed) {
    std::mt19937 random(seed);
    std::deque<Site> sites;
    for (int i = 0; i < 2 + static_cast<int>(seed % 2); ++i) sites.emplace_back(random);
    for (int burst = 0; burst < 4; ++burst) {
      for (auto& site : sites) {
        for (auto acts = random() % 8; acts > 0; --acts) site.act();
      }
      exchange(sites, random);
    }
    const auto first = sites[0].read(state);
    for (auto& site : sites) EXPECT_EQ(site.read(state), first) << seed;
  }
}

// Rows: N-10
TEST(ApplyProperty, the_order_of_changes_makes_no_difference) {
  for (unsigned seed = 0; seed < 30; ++seed) {
    std::mt19937 random(seed);
    std::vector<Change> all;
    for (int i = 0; i < 3; ++i) {
      Site site(random);
      for (int acts = 0; acts < 12; ++acts) site.act();
      std::ranges::move(site.told(0), std::back_inserter(all));
    }
    std::optional<State> first;
    for (int order = 0; order < 4; ++order) {
      std::ranges::shuffle(all, random);
      Site site(random);
      for (const auto& change : all) site.hear(change);
      for (const auto& change : all) {
        if (random() % 2) site.hear(change);
      }
      const auto found = site.read(state);
      EXPECT_EQ(found, first.value_or(found)) << seed;
      first = found;
    }
  }
}

}  // namespace
}  // namespace entrepot::index::apply_test
