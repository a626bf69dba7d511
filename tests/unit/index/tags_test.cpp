#include <gmock/gmock.h>

#include "index/journal.hpp"
#include "support/catalog_words.hpp"

namespace entrepot::index::tags_test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class Tags : public Catalog {};
INSTANTIATE_TEST_SUITE_P(every, Tags, testing::ValuesIn(test::index_kinds()), test::kind_name);

const auto busybox = repo("hub/library/busybox");
const auto latest = tag_of("latest");
const auto one = sha256("one");
const auto two = sha256("two");

TEST_P(Tags, a_tag_points_where_it_was_set) {
  EXPECT_FALSE(read([](const View& view) { return tag(view, busybox, latest); }));
  write([](Batch& batch) { set_tag(batch, busybox, latest, one, at(5), Cause::mirror); });
  const auto record = read([](const View& view) { return tag(view, busybox, latest); });
  ASSERT_TRUE(record);
  EXPECT_EQ(record->digest, one);
  EXPECT_EQ(record->changed, at(5));
  EXPECT_EQ(record->checked, at(5));
}

TEST_P(Tags, setting_the_same_digest_only_confirms) {
  write([](Batch& batch) { set_tag(batch, busybox, latest, one, at(5), Cause::mirror); });
  write([](Batch& batch) { set_tag(batch, busybox, latest, one, at(9), Cause::mirror); });
  read([](const View& view) {
    EXPECT_EQ(tag(view, busybox, latest)->changed, at(5));
    EXPECT_EQ(tag(view, busybox, latest)->checked, at(9));
    EXPECT_EQ(journal(view, 0, 10).size(), 1U);
    EXPECT_THAT(tag_history(view, busybox, latest, 10), IsEmpty());
  });
}

TEST_P(Tags, confirming_touches_only_the_tag_as_it_stands) {
  write([](Batch& batch) { confirm_tag(batch, busybox, latest, one, at(1)); });
  EXPECT_FALSE(read([](const View& view) { return tag(view, busybox, latest); }));
  write([](Batch& batch) { set_tag(batch, busybox, latest, one, at(5), Cause::mirror); });
  write([](Batch& batch) { confirm_tag(batch, busybox, latest, two, at(6)); });
  EXPECT_EQ(read([](const View& view) { return tag(view, busybox, latest)->checked; }), at(5));
  write([](Batch& batch) { confirm_tag(batch, busybox, latest, one, at(7)); });
  read([](const View& view) {
    EXPECT_EQ(tag(view, busybox, latest)->checked, at(7));
    EXPECT_EQ(journal(view, 0, 10).size(), 1U);
  });
}

TEST_P(Tags, a_removed_tag_is_gone_and_can_come_again) {
  const auto remove = [](Batch& batch) {
    return remove_tag(batch, busybox, latest, at(6), Cause::deletion);
  };
  EXPECT_FALSE(write(remove));
  write([](Batch& batch) { set_tag(batch, busybox, latest, one, at(5), Cause::push); });
  EXPECT_TRUE(write(remove));
  EXPECT_FALSE(write(remove));
  EXPECT_FALSE(read([](const View& view) { return tag(view, busybox, latest); }));
  write([](Batch& batch) { set_tag(batch, busybox, latest, one, at(8), Cause::push); });
  EXPECT_EQ(read([](const View& view) { return tag(view, busybox, latest)->changed; }), at(8));
}

// Rows: M-14
TEST_P(Tags, history_tells_where_a_tag_pointed_before) {
  for (const auto& digest : {one, two, one}) {
    write([&](Batch& batch) { set_tag(batch, busybox, latest, digest, at(1), Cause::mirror); });
  }
  write([](Batch& batch) {
    set_tag(batch, busybox, tag_of("latest-1"), sha256("other"), at(1), Cause::mirror);
    set_tag(batch, busybox, tag_of("latest-1"), sha256("another"), at(2), Cause::mirror);
  });
  read([](const View& view) {
    EXPECT_THAT(tag_history(view, busybox, latest, 10), ElementsAre(two, one));
    EXPECT_THAT(tag_history(view, busybox, latest, 1), ElementsAre(two));
    EXPECT_THAT(tag_history(view, repo("hub/other"), latest, 10), IsEmpty());
  });
}

TEST_P(Tags, the_journal_counts_every_change_without_gaps) {
  write([](Batch& batch) { set_tag(batch, busybox, latest, one, at(5), Cause::push); });
  write([](Batch& batch) {
    set_tag(batch, busybox, latest, two, at(6), Cause::mirror);
    remove_tag(batch, busybox, latest, at(7), Cause::removed_upstream);
  });
  const auto rows = read([](const View& view) { return journal(view, 0, 10); });
  ASSERT_EQ(rows.size(), 3U);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    EXPECT_EQ(rows[i].sequence, i + 1);
    EXPECT_EQ(rows[i].repository, busybox.text());
    EXPECT_EQ(rows[i].tag, "latest");
  }
  EXPECT_EQ(rows[0].from, std::nullopt);
  EXPECT_EQ(rows[0].to, one);
  EXPECT_EQ(rows[1].from, one);
  EXPECT_EQ(rows[1].to, two);
  EXPECT_EQ(rows[1].cause, Cause::mirror);
  EXPECT_EQ(rows[2].to, std::nullopt);
  EXPECT_EQ(rows[2].time, at(7));
  const auto later = read([](const View& view) { return journal(view, 1, 1); });
  ASSERT_EQ(later.size(), 1U);
  EXPECT_EQ(later[0].sequence, 2U);
}

// Rows: P-04, M-16
TEST_P(Tags, neighbouring_names_are_listed_once_on_every_page_size) {
  const std::vector<std::string> names{"0.1.2", "0.1.20", "0.1.2-rc", "0.1.2_a", "1",     "1.0",
                                       "1-0",   "1_0",    "A",        "latest",  "_",     "_-",
                                       "math",  "math-v", "math.v",   "math_v",  "mathv", "z"};
  write([&](Batch& batch) {
    for (const auto* repository : {"math", "math-voila", "math/voila", "math.x", "math_x"}) {
      for (const auto& name : names) {
        set_tag(batch, repo(repository), tag_of(name), one, at(1), Cause::push);
      }
    }
  });
  auto sorted = names;
  std::ranges::sort(sorted);
  for (std::size_t page = 1; page <= names.size() + 1; ++page) {
    std::vector<std::string> met;
    read([&](const View& view) {
      for (auto part = tags(view, repo("math"), "", page); !part.empty();
           part = tags(view, repo("math"), met.back(), page)) {
        for (const auto& item : part) met.push_back(item.text());
      }
    });
    EXPECT_EQ(met, sorted) << page;
  }
  read([&](const View& view) {
    EXPECT_THAT(tags(view, repo("math"), "", 0), IsEmpty());
    EXPECT_THAT(tags(view, repo("math"), "zz", 10), IsEmpty());
    EXPECT_THAT(texts(tags(view, repo("math"), "y", 1 << 30)), ElementsAre("z"));
    EXPECT_THAT(texts(tags(view, repo("math"), "math" + std::string(9000, '-'), 1)),
                ElementsAre("math-v"));
    EXPECT_THAT(tags(view, repo("mat"), "", 10), IsEmpty());
  });
}

// Rows: M-17
TEST_P(Tags, what_stays_is_listed_once_while_others_come_and_go) {
  std::vector<std::string> stay;
  for (int i = 10; i < 40; ++i) stay.push_back("stay-" + std::to_string(i));
  write([&](Batch& batch) {
    for (const auto& name : stay) set_tag(batch, busybox, tag_of(name), one, at(1), Cause::push);
  });
  std::vector<std::string> met;
  std::string last;
  for (int page = 0;; ++page) {
    const auto part = read([&](const View& view) { return tags(view, busybox, last, 4); });
    if (part.empty()) break;
    last = part.back().text();
    for (const auto& item : part) {
      if (item.text().size() == 7) met.push_back(item.text());
    }
    write([&](Batch& batch) {
      remove_tag(batch, busybox, tag_of(stay[static_cast<std::size_t>(page)] + ".new"), at(2),
                 Cause::deletion);
      for (const auto& name :
           {last + ".new", "a" + last, stay[static_cast<std::size_t>(page) + 1] + ".new"}) {
        if (page < 20) set_tag(batch, busybox, tag_of(name), two, at(2), Cause::push);
      }
    });
  }
  EXPECT_EQ(met, stay);
}

async::Task<int> move_tag(Index& index, oci::Digest digest) {
  co_await index.write(
      [&](Batch& batch) { set_tag(batch, busybox, latest, digest, at(1), Cause::push); });
  const auto seen =
      co_await index.read([](const View& view) { return tag(view, busybox, latest); });
  co_return seen ? 1 : 0;
}

// Rows: M-12
TEST_P(Tags, of_a_hundred_writers_of_one_tag_each_leaves_its_row) {
  constexpr std::size_t writers = 100;
  test::RunningRuntime runtime(2);
  std::vector<std::future<int>> ends;
  for (std::size_t i = 0; i < writers; ++i) {
    ends.push_back(runtime.start(i % 2, move_tag(index(), sha256(std::to_string(i)))));
  }
  for (auto& end : ends) EXPECT_EQ(end.get(), 1) << "the tag is never absent";
  const auto rows = read([](const View& view) { return journal(view, 0, 1000); });
  ASSERT_EQ(rows.size(), writers);
  for (std::size_t i = 1; i < rows.size(); ++i) EXPECT_EQ(rows[i].from, rows[i - 1].to);
  EXPECT_EQ(read([](const View& view) { return tag(view, busybox, latest)->digest; }),
            rows.back().to);
}

// Rows: P-04
TEST_P(Tags, repositories_are_listed_once_on_every_page_size) {
  const std::vector<std::string> names{"a",      "a-b",        "a.b",    "a/b",        "a_b",
                                       "ab",     "a/b-c",      "a/b/c",  "math",       "math-voila",
                                       "math.x", "math/voila", "math_x", "mathematics"};
  write([&](Batch& batch) {
    for (const auto& name : names) link(batch, repo(name), RepositoryKind::local, one, at(1));
    unlink(batch, repo("ab"), one);
    set_tag(batch, repo("tagged/only"), latest, one, at(1), Cause::push);
    set_tag(batch, repo("gone"), latest, one, at(1), Cause::push);
    remove_tag(batch, repo("gone"), latest, at(2), Cause::deletion);
  });
  auto expected = names;
  std::erase(expected, "ab");
  expected.emplace_back("tagged/only");
  std::ranges::sort(expected);
  for (std::size_t page = 1; page <= expected.size() + 1; ++page) {
    std::vector<std::string> met;
    read([&](const View& view) {
      for (auto part = repositories(view, {}, "", page); !part.empty();
           part = repositories(view, {}, met.back(), page)) {
        for (const auto& name : part) met.push_back(name.text());
      }
    });
    EXPECT_EQ(met, expected) << page;
  }
  read([&](const View& view) {
    EXPECT_TRUE(repository_exists(view, repo("math")));
    EXPECT_TRUE(repository_exists(view, repo("tagged/only")));
    EXPECT_FALSE(repository_exists(view, repo("gone")));
    EXPECT_FALSE(repository_exists(view, repo("ab")));
    EXPECT_FALSE(repository_exists(view, repo("mat")));
    EXPECT_EQ(claimed_as(view, repo("gone")), RepositoryKind::local);
    EXPECT_EQ(claimed_as(view, repo("mat")), std::nullopt);
    EXPECT_THAT(repositories(view, {}, std::string(9000, 'z'), 10), IsEmpty());
  });
}

// Rows: C-20, P-04
TEST_P(Tags, mirrored_repositories_are_listed_with_their_upstream_only) {
  write([](Batch& batch) {
    link(batch, repo("aa/b"), RepositoryKind::mirrored, one, at(1));
    link(batch, repo("aa/ours"), RepositoryKind::local, one, at(1));
    set_tag(batch, repo("bb/c"), latest, one, at(1), Cause::mirror);
    set_tag(batch, repo("aa/b"), latest, one, at(1), Cause::push);
    link(batch, repo("z"), RepositoryKind::local, one, at(1));
  });
  read([](const View& view) {
    const std::vector<std::string> none;
    const std::vector<std::string> both{"bb", "never", "aa"};
    const std::vector<std::string> aa{"aa"};
    EXPECT_THAT(texts(repositories(view, none, "", 9)), ElementsAre("aa/ours", "z"));
    EXPECT_THAT(texts(repositories(view, none, "aa/ours", 1)), ElementsAre("z"));
    EXPECT_THAT(texts(repositories(view, aa, "", 9)), ElementsAre("aa/b", "aa/ours", "z"));
    EXPECT_THAT(texts(repositories(view, both, "", 9)),
                ElementsAre("aa/b", "aa/ours", "bb/c", "z"));
    EXPECT_EQ(repository_kind(view, repo("aa/b")), RepositoryKind::mirrored) << "what it began as";
    EXPECT_EQ(repository_kind(view, repo("bb/c")), RepositoryKind::mirrored);
    EXPECT_EQ(repository_kind(view, repo("aa/ours")), RepositoryKind::local);
    EXPECT_EQ(repository_kind(view, repo("none")), std::nullopt);
  });
}

// Rows: B-07
TEST_P(Tags, the_longest_names_have_room) {
  const auto longest_repository = repo(std::string(255, 'r'));
  const auto longest_tag = tag_of(std::string(128, 't'));
  const auto subject = sha512("subject");
  auto manifest = manifest_of({edge(oci::EdgeKind::layer, sha512("layer"))});
  manifest.subject = oci::Descriptor{"x/y", subject, 1};
  write([&](Batch& batch) {
    put_manifest(batch, longest_repository, RepositoryKind::local, sha512("manifest"), "{}",
                 manifest, at(1));
    set_tag(batch, longest_repository, longest_tag, sha512("before"), at(1), Cause::push);
    set_tag(batch, longest_repository, longest_tag, sha512("manifest"), at(2), Cause::push);
  });
  read([&](const View& view) {
    EXPECT_EQ(tag(view, longest_repository, longest_tag)->digest, sha512("manifest"));
    EXPECT_THAT(tag_history(view, longest_repository, longest_tag, 9),
                ElementsAre(sha512("before")));
    EXPECT_THAT(linked_in(view, sha512("manifest"), 9), ElementsAre(longest_repository));
    EXPECT_TRUE(listed(view, longest_repository, sha512("layer")));
    EXPECT_EQ(referrers(view, longest_repository, subject, "", {}, 9).size(), 1U);
  });
}

}  // namespace
}  // namespace entrepot::index::tags_test
