// What the collector asks, and what it takes out.
#include "entrepot/index/collection.hpp"

#include <gmock/gmock.h>

#include <map>
#include <set>

#include "support/catalog_words.hpp"

namespace entrepot::index::collection_test {
namespace {

using oci::EdgeKind;
using testing::ElementsAre;
using testing::IsEmpty;

std::string_view to_string(Hold hold) {
  switch (hold) {
    case Hold::none:
      return "none";
    case Hold::tagged:
      return "tagged";
    case Hold::history:
      return "history";
    case Hold::listed:
      return "listed";
    case Hold::referrer:
      return "referrer";
  }
  return "?";
}

class Collection : public Catalog {
 protected:
  void put_in(std::string_view name, const oci::Digest& digest, std::vector<oci::Edge> edges,
              std::optional<oci::Digest> subject = {}) {
    auto parsed = manifest_of(std::move(edges));
    if (subject) parsed.subject = oci::Descriptor{"x/y", *subject, 3};
    write([&](Batch& batch) {
      put_manifest(batch, repo(name), RepositoryKind::local, digest, "{}", parsed, at(1));
    });
  }
  void put(const oci::Digest& digest, std::vector<oci::Edge> edges) {
    put_in("app", digest, std::move(edges));
  }
  void refer(const oci::Digest& digest, const oci::Digest& subject) {
    put_in("app", digest, {}, subject);
  }
  void hold_blob(const oci::Digest& digest, std::string_view name = "app") {
    write([&](Batch& batch) {
      put_blob(batch, digest, 7, at(1));
      link(batch, repo(name), RepositoryKind::local, digest, at(1));
    });
  }
  void tag(std::string_view name, const oci::Digest& digest, base::WallTime now = at(1)) {
    write(
        [&](Batch& batch) { set_tag(batch, repo("app"), tag_of(name), digest, now, Cause::push); });
  }
  void untag(std::string_view name, base::WallTime now) {
    write(
        [&](Batch& batch) { remove_tag(batch, repo("app"), tag_of(name), now, Cause::deletion); });
  }
  void drop_link(const oci::Digest& digest, std::string_view name = "app") {
    write([&](Batch& batch) { unlink(batch, repo(name), digest); });
  }
  std::string_view hold(const oci::Digest& digest, std::string_view name = "app",
                        base::WallTime history_since = at(1'000'000)) {
    return to_string(
        read([&](const View& view) { return hold_of(view, repo(name), digest, history_since); }));
  }
  struct Expected {
    std::string_view name;
    std::string_view hold;
  };
  // Names are the contents digests are made of.
  void expect(std::string_view row, const std::vector<Expected>& table) {
    for (const auto& [name, expected] : table) {
      EXPECT_EQ(hold(sha256(name)), expected) << row << ": " << name;
    }
  }
};
INSTANTIATE_TEST_SUITE_P(every, Collection, testing::ValuesIn(test::index_kinds()),
                         test::kind_name);

// Rows: G-04
TEST_P(Collection, an_index_holds_its_children_as_long_as_it_is_linked) {
  const auto list = sha256("list");
  const auto arm = sha256("arm");
  const auto amd = sha256("amd");
  put(list, {edge(EdgeKind::manifest, arm), edge(EdgeKind::manifest, amd),
             edge(EdgeKind::manifest, sha256("never pushed"))});
  put(arm, {edge(EdgeKind::config, sha256("config")), edge(EdgeKind::layer, sha256("layer"))});
  put(amd, {edge(EdgeKind::layer, sha256("layer")), edge(EdgeKind::foreign, sha256("far"))});
  for (const auto* blob : {"config", "layer", "far"}) hold_blob(sha256(blob));
  tag("v1", list);
  expect("tagged list", {{"list", "tagged"},
                         {"arm", "listed"},
                         {"amd", "listed"},
                         {"config", "listed"},
                         {"layer", "listed"},
                         {"far", "listed"}});
  tag("arm", arm);
  untag("v1", at(2));
  expect("untagged list", {{"list", "none"}, {"arm", "tagged"}, {"amd", "listed"}});
  drop_link(list);
  expect("list gone", {{"arm", "tagged"}, {"amd", "none"}, {"layer", "listed"}});
  drop_link(amd);
  expect("child gone", {{"layer", "listed"}, {"config", "listed"}, {"far", "none"}});
  untag("arm", at(2));
  drop_link(arm);
  expect("all gone", {{"layer", "none"}, {"config", "none"}});
}

// Rows: G-04
TEST_P(Collection, nested_indexes_hold_one_below_the_other) {
  put(sha256("image"), {});
  put(sha256("inner"), {edge(EdgeKind::manifest, sha256("image"))});
  put(sha256("outer"), {edge(EdgeKind::manifest, sha256("inner"))});
  tag("v1", sha256("outer"));
  expect("tagged", {{"outer", "tagged"}, {"inner", "listed"}, {"image", "listed"}});
  drop_link(sha256("inner"));
  expect("the middle is missing", {{"outer", "tagged"}, {"image", "none"}});
}

// Rows: G-04, G-08
TEST_P(Collection, what_is_missing_holds_nothing_and_stops_nothing) {
  put(sha256("image"), {edge(EdgeKind::layer, sha256("lost"))});
  tag("v1", sha256("image"));
  hold_blob(sha256("lost"));
  write([](Batch& batch) { forget_blob(batch, sha256("lost")); });
  expect("a lost blob", {{"image", "tagged"}, {"lost", "listed"}});
  write([](Batch& batch) {
    link(batch, repo("app"), RepositoryKind::local, sha256("no row"), at(1));
  });
  refer(sha256("orphan"), sha256("subject never pushed"));
  expect("no neighbours", {{"no row", "none"}, {"orphan", "none"}});
  EXPECT_EQ(hold(sha256("image"), "never"), "none");
}

// Rows: G-04, C-22
TEST_P(Collection, other_repositories_hold_nothing_here) {
  put_in("other", sha256("image"), {edge(EdgeKind::layer, sha256("layer"))});
  put_in("other", sha256("signature"), {}, sha256("image"));
  hold_blob(sha256("layer"), "other");
  hold_blob(sha256("layer"));
  write([](Batch& batch) {
    set_tag(batch, repo("other"), tag_of("v"), sha256("layer"), at(1), Cause::push);
    set_tag(batch, repo("other"), tag_of("v"), sha256("image"), at(2), Cause::push);
    link(batch, repo("app"), RepositoryKind::local, sha256("signature"), at(1));
  });
  expect("elsewhere", {{"layer", "none"}, {"signature", "none"}});
  EXPECT_EQ(hold(sha256("layer"), "other"), "listed");
  EXPECT_EQ(hold(sha256("layer"), "other", at(1)), "history");
  EXPECT_EQ(hold(sha256("signature"), "other"), "referrer");
  EXPECT_EQ(hold(sha256("image"), "other"), "tagged");
}

// Rows: G-05
TEST_P(Collection, referrers_are_held_by_their_subject_link_by_link) {
  put(sha256("image"), {});
  tag("v1", sha256("image"));
  refer(sha256("signature"), sha256("image"));
  refer(sha256("sbom"), sha256("image"));
  refer(sha256("signature of sbom"), sha256("sbom"));
  refer(sha256("of its own"), sha256("of its own"));
  expect("subject tagged", {{"image", "tagged"},
                            {"signature", "referrer"},
                            {"sbom", "referrer"},
                            {"signature of sbom", "referrer"}});
  drop_link(sha256("sbom"));
  expect("the middle is gone", {{"signature", "referrer"}, {"signature of sbom", "none"}});
  drop_link(sha256("image"));
  expect("subject gone", {{"signature", "none"}});
  tag("sha256-1.sig", sha256("signature"));
  expect("tagged as cosign does", {{"signature", "tagged"}});
  put(sha256("image"), {});
  untag("sha256-1.sig", at(2));
  expect("subject pushed again", {{"signature", "referrer"}});
}

TEST_P(Collection, history_holds_for_its_time) {
  put(sha256("one"), {});
  put(sha256("two"), {});
  tag("latest", sha256("one"), at(10));
  tag("latest", sha256("two"), at(20));
  tag("latest", sha256("one"), at(30));
  untag("latest", at(40));
  const auto at_time = [&](std::string_view name, std::int64_t since) {
    return hold(sha256(name), "app", at(since));
  };
  EXPECT_EQ(at_time("two", 30), "history");
  EXPECT_EQ(at_time("two", 31), "none");
  EXPECT_EQ(at_time("one", 40), "history") << "the latest time counts";
  EXPECT_EQ(at_time("one", 41), "none");
  write([](Batch& batch) { EXPECT_EQ(drop_history(batch, at(35), 100), 3U); });
  EXPECT_EQ(at_time("two", 0), "none");
  EXPECT_EQ(at_time("one", 0), "history");
  write([](Batch& batch) { EXPECT_EQ(drop_history(batch, at(41), 100), 1U); });
  EXPECT_EQ(at_time("one", 0), "none");
}

// Rows: G-09
TEST_P(Collection, a_layer_of_many_manifests_finds_the_one_that_is_linked_here) {
  const auto base_layer = sha256("base");
  write([&](Batch& batch) {
    for (int i = 0; i < 300; ++i) {
      put_manifest(batch, repo("other"), RepositoryKind::local, sha256("o" + std::to_string(i)),
                   "{}", manifest_of({edge(EdgeKind::layer, base_layer)}), at(1));
      put_manifest(batch, repo("app"), RepositoryKind::local, sha256("a" + std::to_string(i)), "{}",
                   manifest_of({}), at(1));
    }
    link(batch, repo("app"), RepositoryKind::local, base_layer, at(1));
  });
  expect("shared with others only", {{"base", "none"}});
  EXPECT_FALSE(read([&](const View& view) { return listed(view, repo("app"), base_layer); }));
  for (const auto* name : {"o0", "o17", "o299"}) {
    write([&](Batch& batch) {
      link(batch, repo("app"), RepositoryKind::local, sha256(name), at(1));
    });
    expect(name, {{"base", "listed"}});
    EXPECT_TRUE(read([&](const View& view) { return listed(view, repo("app"), base_layer); }));
    drop_link(sha256(name));
    expect(name, {{"base", "none"}});
  }
}

std::vector<std::string> names_of(const std::vector<LinkRow>& rows) {
  std::vector<std::string> names;
  for (const auto& row : rows) {
    names.push_back(row.repository.text() + " " + row.digest.text() + " " +
                    std::to_string(row.since.time_since_epoch().count()) +
                    (row.is_manifest ? " manifest" : ""));
  }
  return names;
}

// Rows: G-09
TEST_P(Collection, links_of_local_repositories_are_walked_in_slices) {
  std::vector<std::string> expected;
  write([&](Batch& batch) {
    expected.clear();
    for (const auto* name : {"c", "a", "b"}) {
      for (int i = 0; i < 4; ++i) {
        link(batch, repo(std::string("hub/") + name), RepositoryKind::mirrored,
             sha256(std::to_string(i)), at(1));
        if (std::string_view(name) == "a") continue;
        const auto digest = sha256(std::to_string(i));
        link(batch, repo(name), RepositoryKind::local, digest, at(i));
        link(batch, repo(name), RepositoryKind::local, digest, at(99));
        expected.push_back(std::string(name) + " " + digest.text() + " " + std::to_string(i));
      }
      set_tag(batch, repo("tags/only"), tag_of(name), sha256("x"), at(1), Cause::push);
    }
    put_manifest(batch, repo("b"), RepositoryKind::local, sha256("m"), "{}", manifest_of({}),
                 at(7));
    expected.push_back("b " + sha256("m").text() + " 7 manifest");
  });
  std::ranges::sort(expected);
  for (std::size_t page = 1; page <= expected.size() + 1; ++page) {
    std::vector<std::string> met;
    read([&](const View& view) {
      LinkCursor cursor;
      for (;;) {
        const auto rows = local_links(view, cursor, page);
        std::ranges::move(names_of(rows), std::back_inserter(met));
        if (rows.size() < page) break;
      }
      EXPECT_THAT(local_links(view, cursor, page), IsEmpty()) << "stays at its end";
    });
    std::ranges::sort(met);
    EXPECT_EQ(met, expected) << page;
  }
}

// Rows: G-09
TEST_P(Collection, a_walk_goes_on_while_links_come_and_go) {
  write([](Batch& batch) {
    for (int i = 0; i < 6; ++i) {
      link(batch, repo("r" + std::to_string(i)), RepositoryKind::local, sha256("x"), at(1));
    }
  });
  std::vector<std::string> met;
  LinkCursor cursor;
  for (int page = 0; page < 9; ++page) {
    const auto rows = read([&](const View& view) { return local_links(view, cursor, 2); });
    for (const auto& row : rows) met.push_back(row.repository.text());
    write([&](Batch& batch) {
      for (const auto& row : rows) unlink(batch, row.repository, row.digest);
      if (page == 0) link(batch, repo("late"), RepositoryKind::local, sha256("x"), at(1));
    });
    if (rows.size() < 2) break;
  }
  EXPECT_THAT(met, ElementsAre("r0", "r1", "r2", "r3", "r4", "r5", "late"));
}

TEST_P(Collection, the_time_of_a_link_is_told) {
  hold_blob(sha256("x"));
  read([](const View& view) {
    EXPECT_EQ(linked_since(view, repo("app"), sha256("x")), at(1));
    EXPECT_EQ(linked_since(view, repo("app"), sha256("y")), std::nullopt);
    EXPECT_EQ(linked_since(view, repo("never"), sha256("x")), std::nullopt);
  });
}

// digest, bytes, and what it is: b, m or bm.
std::set<std::string> told(const std::vector<Unlinked>& rows) {
  std::set<std::string> found;
  for (const auto& row : rows) {
    found.insert(row.digest.text() + " " + std::to_string(row.size) + " " +
                 (row.is_blob ? "b" : "") + (row.is_manifest ? "m" : ""));
  }
  return found;
}

TEST_P(Collection, unlinked_digests_are_found_in_slices) {
  std::set<std::string> expected;
  for (int i = 0; i < 12; ++i) {
    const auto name = std::to_string(i);
    const auto digest = i % 2 ? sha256(name) : sha512(name);
    const bool is_blob = i % 3 != 0;
    const bool is_manifest = i % 3 != 1;
    if (is_blob) hold_blob(digest);
    if (is_manifest) put(digest, {});
    if (i % 4 == 0) continue;
    drop_link(digest);
    expected.insert(digest.text() + (is_blob ? " 7 b" : " 2 ") + (is_manifest ? "m" : ""));
  }
  for (const std::size_t rows : {1U, 2U, 3U, 5U, 12U, 13U, 100U}) {
    std::set<std::string> met;
    std::optional<oci::Digest> after;
    std::size_t pages = 0;
    read([&](const View& view) {
      do {
        const auto page = unlinked(view, after, rows);
        met.merge(told(page.found));
        EXPECT_LE(page.found.size(), rows);
        after = page.next;
        ++pages;
      } while (after);
    });
    EXPECT_EQ(met, expected) << rows;
    EXPECT_LE(pages, 12 / rows + 1) << rows;
  }
}

// Every row of the index but those that outlive content: repositories, numbers, counters.
std::map<std::string, std::string> content_rows(const View& view) {
  std::map<std::string, std::string> rows;
  for (std::uint8_t space = 4; space <= 18; ++space) {
    view.scan(Space{space}, {}, {}, [&](base::ByteView key, base::ByteView value) {
      rows[std::to_string(space) + " " + base::to_hex(key)] = base::to_hex(value);
      return Continue::yes;
    });
  }
  return rows;
}

// Rows: G-14
TEST_P(Collection, erasing_takes_every_row_of_a_digest_and_none_of_others) {
  const auto image = sha256("image");
  const auto put_image = [&] {
    put_in("app", image,
           {edge(EdgeKind::config, sha256("config")), edge(EdgeKind::layer, sha256("layer")),
            edge(EdgeKind::layer, sha256("layer"))},
           sha256("subject"));
    hold_blob(image);
  };
  hold_blob(sha256("layer"));
  refer(sha256("signature"), image);
  put(sha256("list"), {edge(EdgeKind::manifest, image)});
  const auto before = read(content_rows);
  put_image();
  const auto after = read(content_rows);
  const auto erase = [&] {
    return write([&](Batch& batch) { return erase_unlinked(batch, image); });
  };
  EXPECT_FALSE(erase()) << "linked";
  EXPECT_EQ(read(content_rows), after);
  drop_link(image);
  EXPECT_TRUE(erase());
  EXPECT_EQ(read(content_rows), before);
  EXPECT_TRUE(erase()) << "again";
  put_image();
  EXPECT_EQ(read(content_rows), after) << "pushed again";
  EXPECT_EQ(read([](const View& view) { return blob_totals(view).blobs; }), 2U);
}

TEST_P(Collection, a_digest_is_linked_anywhere_in_any_kind_of_repository) {
  hold_blob(sha256("x"));
  write([](Batch& batch) {
    link(batch, repo("hub/x"), RepositoryKind::mirrored, sha256("x"), at(1));
  });
  const auto anywhere = [&] {
    return read([](const View& view) { return linked_anywhere(view, sha256("x")); });
  };
  EXPECT_TRUE(anywhere());
  drop_link(sha256("x"));
  EXPECT_TRUE(anywhere());
  drop_link(sha256("x"), "hub/x");
  EXPECT_FALSE(anywhere());
}

TEST_P(Collection, held_blobs_are_listed_in_pages) {
  for (const auto* name : {"a", "b", "c"}) hold_blob(sha256(name));
  read([](const View& view) {
    const auto first = held_blobs(view, {}, 2);
    ASSERT_EQ(first.size(), 2U);
    const auto second = held_blobs(view, first.back().digest, 2);
    ASSERT_EQ(second.size(), 1U);
    EXPECT_LT(first.front().digest, first.back().digest);
    EXPECT_LT(first.back().digest, second.front().digest);
    EXPECT_EQ(second.front().record.size, 7U);
    EXPECT_THAT(held_blobs(view, second.front().digest, 2), IsEmpty());
    EXPECT_THAT(held_blobs(view, {}, 0), IsEmpty());
  });
}

}  // namespace
}  // namespace entrepot::index::collection_test
