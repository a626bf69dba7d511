#include "auth/scope.hpp"

#include <gtest/gtest.h>

namespace entrepot::auth::scope_test {
namespace {

TEST(Scope, of_repositories) {
  struct Case {
    const char* text;
    const char* name;  // null: odd
    Rights rights;
  };
  const Rights all = Rights(Right::pull) | Right::push | Right::remove;
  const Case cases[] = {
      {"repository:a/b:pull", "a/b", Right::pull},
      {"repository:a:pull,push", "a", Right::pull | Right::push},
      {"repository:a:*", "a", all},
      {"repository:a:delete", "a", Right::remove},
      {"repository:a:pull,fly", "a", Right::pull},
      {"repository:a:admin", "a", Rights()},
      {"repository:a:", nullptr, {}},
      {"repository:a:pull,", nullptr, {}},
      {"repository:a:,pull", nullptr, {}},
      {"repository:a", nullptr, {}},
      {"repository::pull", nullptr, {}},
      {"repository:", nullptr, {}},
      {"repository:A:pull", nullptr, {}},
      {"repository:a/../b:pull", nullptr, {}},
      {"repository:host:5000/a:pull", nullptr, {}},
      {"repository(plugin):a:pull", nullptr, {}},
      {"Repository:a:pull", nullptr, {}},
      {" repository:a:pull", nullptr, {}},
      {"registry:catalog:pull", nullptr, {}},
      {"registry:other:*", nullptr, {}},
      {"", nullptr, {}},
  };
  for (const auto& each : cases) {
    const auto scope = parse_scope(each.text);
    ASSERT_EQ(scope.has_value(), each.name != nullptr) << each.text;
    if (!scope) continue;
    ASSERT_TRUE(scope->repository) << each.text;
    EXPECT_EQ(scope->repository->text(), each.name);
    EXPECT_EQ(scope->rights, each.rights) << each.text;
  }
}

TEST(Scope, of_the_catalog) {
  const auto scope = parse_scope("registry:catalog:*");
  ASSERT_TRUE(scope);
  EXPECT_FALSE(scope->repository);
}

TEST(Scope, what_a_challenge_asks_for_can_be_asked_for) {
  for (const auto right : {Right::pull, Right::create, Right::push, Right::remove}) {
    const auto scope = parse_scope(scope_text("a/b", right));
    ASSERT_TRUE(scope);
    EXPECT_TRUE(scope->rights.allow(right)) << to_string(right);
  }
}

}  // namespace
}  // namespace entrepot::auth::scope_test
