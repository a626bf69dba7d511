#include "auth/rule_book.hpp"

#include <gtest/gtest.h>

namespace entrepot::auth::rule_book_test {
namespace {

using Kind = Subject::Kind;

TEST(Rights, push_includes_create_and_admin_includes_all) {
  struct Case {
    Rights rights;
    Right wanted;
    bool allowed;
  };
  const Case cases[] = {
      {Right::pull, Right::pull, true},     {Right::pull, Right::create, false},
      {Right::create, Right::create, true}, {Right::create, Right::push, false},
      {Right::create, Right::pull, false},  {Right::push, Right::create, true},
      {Right::push, Right::push, true},     {Right::push, Right::remove, false},
      {Right::push, Right::pull, false},    {Right::remove, Right::remove, true},
      {Right::admin, Right::pull, true},    {Right::admin, Right::push, true},
      {Right::admin, Right::remove, true},  {Right::pull | Right::push, Right::admin, false},
      {Rights(), Right::pull, false},
  };
  for (const auto& each : cases) {
    EXPECT_EQ(each.rights.allow(each.wanted), each.allowed) << to_string(each.wanted);
  }
}

TEST(Rights, words_of_the_configuration) {
  for (const auto* const word : {"pull", "create", "push", "delete", "admin"}) {
    const auto right = parse_right(word);
    ASSERT_TRUE(right) << word;
    EXPECT_EQ(to_string(*right), word);
  }
  for (const auto* const word : {"", "Pull", "remove", "write", "*"}) {
    EXPECT_FALSE(parse_right(word)) << word;
  }
}

RuleBook house_rules() {
  return RuleBook(
      {
          {{{Kind::anonymous}}, {"public/**"}, Right::pull},
          {{{Kind::everyone}}, {"hub/**"}, Right::pull},
          {{{Kind::group, "developers"}}, {"team/**", "tool"}, Right::pull | Right::push},
          {{{Kind::user, "alice"}}, {"team/a/*"}, Right::remove},
          {{{Kind::user, "ci"}}, {"**"}, Right::create},
          {{{Kind::user, "boss"}}, {"**"}, Right::admin},
          {{{Kind::user, "chief"}}, {"team/**"}, Right::admin},
      },
      {{"developers", {"alice", "bob"}}});
}

// Rows: A-08
TEST(RuleBook, rights_are_the_union_of_the_rules_for_exactly_this_name) {
  struct Case {
    const char* name;
    const char* repository;
    Rights rights;
  };
  const Rights develop = Right::pull | Right::push;
  const Case cases[] = {
      {"", "public/a", Right::pull},
      {"", "hub/library/a", Rights()},
      {"", "team/a", Rights()},
      {"somebody", "public/a/b", Right::pull},
      {"somebody", "hub/library/a", Right::pull},
      {"somebody", "hub", Rights()},
      {"somebody", "team/a", Rights()},
      {"bob", "team/a", develop},
      {"bob", "teams/a", Rights()},
      {"bob", "tool", develop},
      {"bob", "tool/a", Rights()},
      {"alice", "team/a/b", develop | Right::remove},
      {"alice", "team/a/b/c", develop},
      {"ci", "any/thing", Right::create},
      {"ci", "public/a", Rights(Right::create) | Right::pull},
      {"ci2", "any/thing", Rights()},
      {"c", "any/thing", Rights()},
      {"Alice", "team/a/b", Rights()},
      {"alice ", "team/a/b", Rights()},
      {"developers", "team/a", Rights()},
      {"group:developers", "team/a", Rights()},
      {"anonymous", "team/a", Rights()},
      {"everyone", "team/a", Rights()},
      {"admin", "team/a", Rights()},
  };
  const auto rules = house_rules();
  for (const auto& each : cases) {
    EXPECT_EQ(rules.rights(each.name, each.repository), each.rights)
        << each.name << " " << each.repository;
  }
}

TEST(RuleBook, only_admin_for_all_repositories_administers_all) {
  const auto rules = house_rules();
  EXPECT_TRUE(rules.administers_all("boss"));
  for (const auto* const name : {"", "chief", "ci", "alice", "bos", "bosss"}) {
    EXPECT_FALSE(rules.administers_all(name)) << name;
  }
}

TEST(RuleBook, rights_anywhere) {
  const auto rules = house_rules();
  EXPECT_EQ(rules.rights_anywhere(""), Rights(Right::pull));
  EXPECT_EQ(rules.rights_anywhere("bob"), Right::pull | Right::push);
  EXPECT_TRUE(RuleBook({}, {}).rights_anywhere("bob").none());
}

TEST(RuleBook, refuses_what_it_cannot_read) {
  EXPECT_THROW(RuleBook({{{{Kind::group, "nobody"}}, {"**"}, Right::pull}}, {}),
               std::runtime_error);
  EXPECT_THROW(RuleBook({{{{Kind::everyone}}, {"a/***"}, Right::pull}}, {}), std::runtime_error);
}

}  // namespace
}  // namespace entrepot::auth::rule_book_test
