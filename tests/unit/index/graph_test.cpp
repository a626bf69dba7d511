#include <gmock/gmock.h>

#include <chrono>

#include "support/catalog_words.hpp"

namespace entrepot::index::graph_test {
namespace {

using oci::EdgeKind;
using testing::ElementsAre;
using testing::IsEmpty;

class Graph : public Catalog {
 protected:
  void put(const oci::Digest& digest, std::vector<oci::Edge> edges) {
    write([&](Batch& batch) {
      put_manifest(batch, repo("app"), RepositoryKind::mirrored, digest, "{}", manifest_of(edges),
                   at(1));
    });
  }
  void hold(const oci::Digest& digest) {
    write([&](Batch& batch) {
      put_blob(batch, digest, 7, at(1));
      link(batch, repo("app"), RepositoryKind::mirrored, digest, at(1));
    });
  }
  bool complete(const oci::Digest& digest, std::string_view in = "app",
                std::string_view upstream = "") {
    return read([&](const View& view) { return completeness(view, repo(in), upstream, digest); }) ==
           Completeness::complete;
  }
};
INSTANTIATE_TEST_SUITE_P(every, Graph, testing::ValuesIn(test::index_kinds()), test::kind_name);

// Rows: M-15
TEST_P(Graph, a_manifest_is_kept_byte_for_byte) {
  const std::string bytes = "{ \"schemaVersion\" :\t2\n}\r\n";
  const auto digest = sha256(bytes);
  const auto parsed = manifest_of(
      {edge(EdgeKind::config, sha256("config")), edge(EdgeKind::layer, sha256("layer"), 100),
       edge(EdgeKind::foreign, sha256("far")), edge(EdgeKind::layer, sha256("layer"), 100)});
  for (int times = 0; times < 2; ++times) {
    write([&](Batch& batch) {
      put_manifest(batch, repo("app"), RepositoryKind::mirrored, digest, bytes, parsed, at(1));
    });
  }
  read([&](const View& view) {
    EXPECT_EQ(manifest(view, digest)->bytes, bytes);
    EXPECT_EQ(manifest(view, digest)->media_type, parsed.media_type);
    EXPECT_EQ(manifest_info(view, digest)->size, bytes.size());
    EXPECT_TRUE(linked(view, repo("app"), digest));
    const auto kept = edges(view, digest);
    ASSERT_EQ(kept.size(), 4U);
    for (std::size_t i = 0; i < kept.size(); ++i) {
      EXPECT_EQ(kept[i].kind, parsed.edges[i].kind);
      EXPECT_EQ(kept[i].target.digest, parsed.edges[i].target.digest);
      EXPECT_EQ(kept[i].target.size, parsed.edges[i].target.size);
      EXPECT_EQ(kept[i].target.media_type, parsed.edges[i].target.media_type);
    }
    EXPECT_FALSE(manifest(view, sha256("none")));
    EXPECT_FALSE(manifest_info(view, sha256("none")));
    EXPECT_THAT(edges(view, sha256("none")), IsEmpty());
  });
}

// Rows: M-01
TEST_P(Graph, a_manifest_put_again_stays_as_it_is) {
  auto parsed = manifest_of({});
  write([&](Batch& batch) {
    put_manifest(batch, repo("a"), RepositoryKind::mirrored, sha256("m"), "{}", parsed, at(1));
  });
  parsed.media_type = oci::media_type::oci_index;
  write([&](Batch& batch) {
    put_manifest(batch, repo("b"), RepositoryKind::mirrored, sha256("m"), "{}", parsed, at(1));
  });
  read([&](const View& view) {
    EXPECT_EQ(manifest(view, sha256("m"))->media_type, oci::media_type::oci_manifest);
    EXPECT_TRUE(linked(view, repo("b"), sha256("m")));
  });
}

TEST_P(Graph, blobs_are_counted) {
  write([](Batch& batch) {
    put_blob(batch, sha256("a"), 10, at(1));
    put_blob(batch, sha256("b"), 5, at(1));
    put_blob(batch, sha256("a"), 10, at(2));
    forget_blob(batch, sha256("none"));
  });
  read([](const View& view) {
    EXPECT_EQ(blob(view, sha256("a"))->size, 10U);
    EXPECT_EQ(blob(view, sha256("a"))->stored, at(1));
    EXPECT_EQ(blob_totals(view).blobs, 2U);
    EXPECT_EQ(blob_totals(view).bytes, 15U);
  });
  write([](Batch& batch) {
    put_blob(batch, sha256("b"), 3, at(1));
    forget_blob(batch, sha256("a"));
    forget_blob(batch, sha256("a"));
  });
  read([](const View& view) {
    EXPECT_FALSE(blob(view, sha256("a")));
    EXPECT_EQ(blob_totals(view).blobs, 1U);
    EXPECT_EQ(blob_totals(view).bytes, 3U);
  });
}

// Rows: C-22
TEST_P(Graph, a_link_belongs_to_one_repository) {
  const auto layer = sha256("layer");
  write([&](Batch& batch) {
    for (const auto* name : {"a", "a/b", "ab"})
      link(batch, repo(name), RepositoryKind::mirrored, layer, at(1));
    link(batch, repo("a"), RepositoryKind::mirrored, layer, at(1));
    unlink(batch, repo("a/b"), layer);
    unlink(batch, repo("never"), layer);
  });
  read([&](const View& view) {
    EXPECT_TRUE(linked(view, repo("a"), layer));
    EXPECT_FALSE(linked(view, repo("a/b"), layer));
    EXPECT_TRUE(linked(view, repo("ab"), layer));
    EXPECT_FALSE(linked(view, repo("a"), sha512("layer")));
    EXPECT_THAT(linked_in(view, layer, 9), ElementsAre(repo("a"), repo("ab")));
    EXPECT_THAT(linked_in(view, layer, 1), ElementsAre(repo("a")));
    EXPECT_THAT(linked_in(view, layer, 0), IsEmpty());
  });
}

// Rows: C-20, C-22
TEST_P(Graph, any_repository_of_an_upstream_stands_beside_however_many_others_hold_the_digest) {
  const auto layer = sha256("layer");
  write([&](Batch& batch) {
    for (int i = 0; i < 300; ++i) {
      link(batch, repo("aa/" + std::to_string(i)), RepositoryKind::mirrored, layer, at(1));
    }
    link(batch, repo("bb/app"), RepositoryKind::mirrored, layer, at(1));
    link(batch, repo("cc/local"), RepositoryKind::local, layer, at(1));
  });
  const auto beside = [&](std::string_view upstream, const oci::Digest& digest) {
    return read([&](const View& view) { return linked_beside(view, upstream, digest); });
  };
  EXPECT_TRUE(beside("aa", layer));
  EXPECT_TRUE(beside("bb", layer));
  EXPECT_FALSE(beside("bb", sha512("layer")));
  EXPECT_FALSE(beside("b", layer));
  EXPECT_FALSE(beside("cc", layer)) << "that one is local";
  write([&](Batch& batch) { unlink(batch, repo("bb/app"), layer); });
  EXPECT_FALSE(beside("bb", layer));
  EXPECT_TRUE(beside("aa", layer));
}

// Rows: C-20, C-22
TEST_P(Graph, a_digest_is_listed_where_a_linked_manifest_names_it) {
  const auto layer = sha256("layer");
  write([&](Batch& batch) {
    put_manifest(batch, repo("theirs"), RepositoryKind::mirrored, sha256("m1"), "{}",
                 manifest_of({edge(EdgeKind::layer, layer, 111)}), at(1));
    put_manifest(batch, repo("ours"), RepositoryKind::mirrored, sha256("m2"), "{}",
                 manifest_of({edge(EdgeKind::layer, layer, 222)}), at(1));
    link(batch, repo("empty"), RepositoryKind::mirrored, sha256("m3"), at(1));
  });
  read([&](const View& view) {
    ASSERT_TRUE(listed(view, repo("ours"), layer));
    EXPECT_EQ(listed(view, repo("ours"), layer)->size, 222U);
    EXPECT_EQ(listed(view, repo("theirs"), layer)->size, 111U);
    EXPECT_EQ(listed(view, repo("theirs"), layer)->digest, layer);
    EXPECT_FALSE(listed(view, repo("empty"), layer));
    EXPECT_FALSE(listed(view, repo("unknown"), layer));
    EXPECT_FALSE(listed(view, repo("ours"), sha256("other")));
  });
  write([&](Batch& batch) { unlink(batch, repo("ours"), sha256("m2")); });
  EXPECT_FALSE(read([&](const View& view) { return listed(view, repo("ours"), layer); }));
}

TEST_P(Graph, an_image_is_complete_with_config_and_layers) {
  put(sha256("image"),
      {edge(EdgeKind::config, sha256("config")), edge(EdgeKind::layer, sha256("l1")),
       edge(EdgeKind::layer, sha256("l2")), edge(EdgeKind::foreign, sha256("windows"))});
  EXPECT_FALSE(complete(sha256("none")));
  hold(sha256("config"));
  hold(sha256("l1"));
  EXPECT_FALSE(complete(sha256("image")));
  hold(sha256("l2"));
  EXPECT_TRUE(complete(sha256("image")));
  write([](Batch& batch) { forget_blob(batch, sha256("l1")); });
  EXPECT_FALSE(complete(sha256("image")));
}

TEST_P(Graph, an_index_is_complete_with_one_complete_child) {
  put(sha256("arm"), {edge(EdgeKind::layer, sha256("arm layer"))});
  put(sha256("inner"), {edge(EdgeKind::manifest, sha256("arm"))});
  put(sha256("outer"), {edge(EdgeKind::manifest, sha256("never fetched")),
                        edge(EdgeKind::manifest, sha256("inner"))});
  EXPECT_FALSE(complete(sha256("outer")));
  hold(sha256("arm layer"));
  EXPECT_TRUE(complete(sha256("outer")));
}

// Rows: C-18, C-20, C-22
TEST_P(Graph, an_image_is_complete_only_where_all_of_it_may_be_had) {
  const auto index = sha256("index");
  const auto image = sha256("image");
  const auto layer = sha256("layer");
  const auto put_in = [](Batch& batch, std::string_view repository, const oci::Digest& digest,
                         const oci::Edge& only) {
    put_manifest(batch, repo(repository), RepositoryKind::mirrored, digest, "{}",
                 manifest_of({only}), at(1));
  };
  write([&](Batch& batch) {
    put_in(batch, "aa/staging", index, edge(EdgeKind::manifest, image));
    put_in(batch, "aa/staging", image, edge(EdgeKind::layer, layer));
    put_blob(batch, layer, 7, at(1));
    link(batch, repo("aa/staging"), RepositoryKind::mirrored, layer, at(1));
    for (const auto* name : {"aa/prod", "bb/app"}) {
      put_in(batch, name, index, edge(EdgeKind::manifest, image));
    }
  });
  EXPECT_TRUE(complete(index, "aa/staging", "aa"));
  EXPECT_TRUE(complete(index, "aa/prod", "aa")) << "listed here, earned beside";
  EXPECT_FALSE(complete(image, "aa/prod", "aa")) << "nobody lists it by itself";
  EXPECT_FALSE(complete(index, "bb/app", "bb"));
  EXPECT_FALSE(complete(index, "aa/never", "aa"));
  write([&](Batch& batch) { put_in(batch, "bb/app", image, edge(EdgeKind::layer, layer)); });
  EXPECT_FALSE(complete(index, "bb/app", "bb")) << "the layer is another upstream's";
  write([&](Batch& batch) { link(batch, repo("bb/app"), RepositoryKind::mirrored, layer, at(1)); });
  EXPECT_TRUE(complete(index, "bb/app", "bb"));
}

// Rows: M-10
TEST_P(Graph, a_doubling_graph_is_walked_once) {
  constexpr int levels = 40;
  const auto name = [](int level, int side) {
    return sha256(std::to_string(level) + "/" + std::to_string(side));
  };
  write([&](Batch& batch) {
    for (int level = 0; level < levels; ++level) {
      for (int side = 0; side < 2; ++side) {
        put_manifest(batch, repo("bomb"), RepositoryKind::mirrored, name(level, side), "{}",
                     manifest_of({edge(EdgeKind::manifest, name(level + 1, 0)),
                                  edge(EdgeKind::manifest, name(level + 1, 1))}),
                     at(1));
      }
    }
  });
  const auto start = std::chrono::steady_clock::now();
  EXPECT_FALSE(complete(name(0, 0), "bomb"));
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(100));
  write([&](Batch& batch) {
    put_manifest(batch, repo("bomb"), RepositoryKind::mirrored, name(levels, 1), "{}",
                 manifest_of({}), at(1));
  });
  EXPECT_TRUE(complete(name(0, 0), "bomb"));
}

// Rows: M-10
TEST_P(Graph, an_endless_chain_is_incomplete) {
  write([&](Batch& batch) {
    for (int level = 0; level < 2000; ++level) {
      put_manifest(batch, repo("chain"), RepositoryKind::mirrored, sha256(std::to_string(level)),
                   "{}", manifest_of({edge(EdgeKind::manifest, sha256(std::to_string(level + 1)))}),
                   at(1));
    }
    put_manifest(batch, repo("chain"), RepositoryKind::mirrored, sha256("2000"), "{}",
                 manifest_of({}), at(1));
  });
  EXPECT_FALSE(complete(sha256("0"), "chain"));
  EXPECT_TRUE(complete(sha256("1990"), "chain"));
}

class Referrers : public Catalog {
 protected:
  void attach(std::string_view repository, const oci::Digest& digest, std::string type) {
    auto parsed = manifest_of({});
    parsed.subject = oci::Descriptor{"x/y", subject, 3};
    parsed.artifact_type = std::move(type);
    parsed.annotations = {{"by", std::string(repository)}, {"empty", ""}};
    write([&](Batch& batch) {
      put_manifest(batch, repo(repository), RepositoryKind::mirrored, digest, "{...}", parsed,
                   at(1));
    });
  }
  std::vector<oci::Digest> found(std::string_view type, std::optional<oci::Digest> after,
                                 std::size_t limit) {
    std::vector<oci::Digest> digests;
    for (const auto& row : read([&](const View& view) {
           return referrers(view, repo("app"), subject, type, after, limit);
         })) {
      digests.push_back(row.descriptor.digest);
    }
    return digests;
  }
  const oci::Digest subject = sha256("subject");
};
INSTANTIATE_TEST_SUITE_P(every, Referrers, testing::ValuesIn(test::index_kinds()), test::kind_name);

TEST_P(Referrers, say_what_they_are) {
  attach("app", sha256("signature"), "application/signature");
  const auto rows =
      read([&](const View& view) { return referrers(view, repo("app"), subject, "", {}, 10); });
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].descriptor.digest, sha256("signature"));
  EXPECT_EQ(rows[0].descriptor.size, 5U);
  EXPECT_EQ(rows[0].descriptor.media_type, oci::media_type::oci_manifest);
  EXPECT_EQ(rows[0].artifact_type, "application/signature");
  EXPECT_THAT(rows[0].annotations, ElementsAre(std::pair("by", "app"), std::pair("empty", "")));
}

// Rows: C-22
TEST_P(Referrers, are_seen_only_where_they_are_linked) {
  attach("app", sha256("ours"), "");
  attach("elsewhere", sha256("theirs"), "");
  EXPECT_THAT(found("", {}, 10), ElementsAre(sha256("ours")));
}

// Rows: M-04
TEST_P(Referrers, are_filtered_and_paged_in_digest_order) {
  std::vector<oci::Digest> all;
  for (int i = 0; i < 12; ++i) {
    const auto content = std::to_string(i);
    all.push_back(i % 2 ? sha256(content) : sha512(content));
    attach("app", all.back(), i % 3 ? "sbom" : "signature");
  }
  std::ranges::sort(all);
  EXPECT_EQ(found("", {}, 100), all);
  EXPECT_EQ(found("sbom", {}, 100).size(), 8U);
  EXPECT_EQ(found("signature", {}, 3).size(), 3U);
  EXPECT_THAT(found("none", {}, 100), IsEmpty());
  EXPECT_THAT(found("", {}, 0), IsEmpty());
  std::vector<oci::Digest> paged;
  for (auto part = found("", {}, 5); !part.empty(); part = found("", paged.back(), 5)) {
    paged.insert(paged.end(), part.begin(), part.end());
  }
  EXPECT_EQ(paged, all);
}

}  // namespace
}  // namespace entrepot::index::graph_test
