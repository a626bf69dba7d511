// What a quota counts, and what counting costs.
#include "registry_house.hpp"

namespace entrepot::test::quota_test {
namespace {

// Counts the rows somebody looks at.
class CountingView final : public index::View {
 public:
  explicit CountingView(const index::View& view) : view_(view) {}
  std::optional<base::ByteView> get(index::Space space, base::ByteView key) const override {
    ++looks_;
    return view_.get(space, key);
  }
  void scan(
      index::Space space, base::ByteView prefix, base::ByteView after,
      const std::function<index::Continue(base::ByteView, base::ByteView)>& visit) const override {
    view_.scan(space, prefix, after, [&](base::ByteView key, base::ByteView value) {
      ++looks_;
      return visit(key, value);
    });
  }
  std::size_t looks() const { return looks_; }

 private:
  const index::View& view_;
  mutable std::size_t looks_ = 0;
};

class Quotas : public RegistryHouse {
 protected:
  void link_ten_bytes(const std::vector<std::string>& repositories) {
    run(facts_.write([&](index::Batch& batch) {
      index::put_blob(batch, digest_of("x"), 10, clock_.wall());
      for (const auto& one : repositories) {
        index::link(batch, name(one), index::RepositoryKind::local, digest_of("x"), clock_.wall());
      }
    }));
  }
  // Bytes used, by how many more are refused.
  std::uint64_t used(std::vector<std::string> patterns, std::string_view repository) {
    registry::PolicyOptions options;
    options.quotas = {{.repositories = std::move(patterns), .bytes = 1'000'000}};
    set_policy(options);
    const auto room = run(writer_.room(name(repository), std::nullopt));
    return room.quotas.at(0).used;
  }
};

// Rows: P-12
TEST_F(Quotas, ten_thousand_repositories_cost_no_more_than_one) {
  std::vector<std::string> names;
  for (int i = 0; i < 10'000; ++i) {
    names.push_back("team/g" + std::to_string(i % 100) + "/r" + std::to_string(i));
  }
  link_ten_bytes(names);
  registry::PolicyOptions options;
  options.quotas = {{.repositories = {"team/**", "other/*", "single"}, .bytes = 100'010}};
  set_policy(options);
  read([&](const index::View& view) {
    const CountingView counting(view);
    writer_.check_quota(counting, name("team/g1/r1"), 10, 0);
    EXPECT_THROW(writer_.check_quota(counting, name("team/new"), 11, 0), oci::Refusal);
    EXPECT_LT(counting.looks(), 10U);
  });
}

TEST_F(Quotas, each_repository_counts_once_whatever_the_patterns_share) {
  link_ten_bytes({"a", "a/b", "a/c", "a/b/d", "b/a", "c"});
  run(facts_.write([](index::Batch& batch) {
    index::link(batch, name("a/mirror"), index::RepositoryKind::mirrored, digest_of("x"), {});
  }));
  EXPECT_EQ(used({"**"}, "a"), 60U);
  EXPECT_EQ(used({"*", "a/**", "a/*", "a/b", "a/**"}, "a"), 50U);
  EXPECT_EQ(used({"a/b", "a/*"}, "a/b"), 20U);
  EXPECT_EQ(used({"a/b", "a/b", "a/c"}, "a/b"), 20U);
  EXPECT_EQ(used({"a/b/*", "a/*"}, "a/b"), 30U);
  EXPECT_EQ(used({"a/mirror", "c"}, "c"), 10U);
  EXPECT_EQ(used({"a/b/**", "a/?", "*/a"}, "a/b"), 40U) << "walked";
}

}  // namespace
}  // namespace entrepot::test::quota_test
