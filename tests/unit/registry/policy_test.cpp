#include "entrepot/registry/policy.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

#include "support/words.hpp"

namespace entrepot::registry::policy_test {
namespace {

using test::name;
using test::tag;

TEST(Policy, tags_are_immutable_where_both_patterns_match) {
  const Policy policy({.immutable = {{.repositories = {"prod/**"}, .tags = {"v*", "stable"}}},
                       .quotas = {},
                       .uploads = {}});
  const struct {
    const char* repository;
    const char* tag;
    bool immutable;
  } cases[] = {
      {"prod/app", "v1", true},   {"prod/a/b", "v1", true},  {"prod/app", "stable", true},
      {"prod/app", "dev", false}, {"team/app", "v1", false}, {"prod", "v1", false},
  };
  for (const auto& [repository, text, immutable] : cases) {
    EXPECT_EQ(policy.is_immutable(name(repository), tag(text)), immutable)
        << repository << ':' << text;
  }
}

TEST(Policy, a_repository_may_count_for_several_quotas) {
  const Policy policy({.immutable = {},
                       .quotas = {{.repositories = {"team/**"}},
                                  {.repositories = {"**"}},
                                  {.repositories = {"prod", "prod/**"}}},
                       .uploads = {}});
  EXPECT_EQ(policy.quotas_of(name("team/app")), (std::vector<std::size_t>{0, 1}));
  EXPECT_EQ(policy.quotas_of(name("prod")), (std::vector<std::size_t>{1, 2}));
  EXPECT_TRUE(policy.counts(2, name("prod/app")));
  EXPECT_FALSE(policy.counts(2, name("production")));
}

TEST(Policy, a_switch_gives_out_what_holds_now) {
  PolicySwitch current(std::make_shared<const Policy>(PolicyOptions{}));
  const auto before = current.now();
  PolicyOptions options;
  options.deletion = Deletion::refused;
  current.replace(std::make_shared<const Policy>(options));
  EXPECT_EQ(before->options().deletion, Deletion::allowed) << "who holds it, keeps it";
  EXPECT_EQ(current.now()->options().deletion, Deletion::refused);
  EXPECT_FALSE(current.read_only());
  current.set_read_only(true);
  EXPECT_TRUE(current.read_only());
}

}  // namespace
}  // namespace entrepot::registry::policy_test
