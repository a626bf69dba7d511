#include "auth/scope.hpp"

namespace entrepot::auth {
namespace {

// The comma-separated actions; absent when one of them is empty.
std::optional<Rights> parse_actions(std::string_view text) {
  Rights rights;
  for (;;) {
    const auto comma = text.find(',');
    const auto action = text.substr(0, comma);
    if (action.empty()) return std::nullopt;
    rights = rights | rights_of_action(action);
    if (comma == text.npos) return rights;
    text.remove_prefix(comma + 1);
  }
}

}  // namespace

Rights rights_of_action(std::string_view action) {
  if (action == "pull") return Right::pull;
  if (action == "push") return Right::push;
  if (action == "delete") return Right::remove;
  if (action == "*") return Rights(Right::pull) | Right::push | Right::remove;
  return {};
}

std::vector<std::string_view> actions_of(Rights rights) {
  std::vector<std::string_view> actions;
  if (rights.allow(Right::pull)) actions.emplace_back("pull");
  if (rights.allow(Right::create)) actions.emplace_back("push");
  if (rights.allow(Right::remove)) actions.emplace_back("delete");
  return actions;
}

std::optional<Scope> parse_scope(std::string_view text) {
  if (text == catalog_scope) return Scope{};
  constexpr std::string_view repository = "repository:";
  const auto colon = text.rfind(':');
  if (!text.starts_with(repository) || colon < repository.size()) return std::nullopt;
  auto name = oci::RepositoryName::parse(text.substr(repository.size(), colon - repository.size()));
  const auto rights = parse_actions(text.substr(colon + 1));
  if (!name || !rights) return std::nullopt;
  return Scope{std::move(name), *rights};
}

std::string scope_text(std::string_view repository, Right right) {
  std::string text = "repository:";
  text += repository;
  switch (right) {
    case Right::create:
    case Right::push:
      return text + ":pull,push";
    case Right::remove:
      return text + ":delete";
    case Right::pull:
    case Right::admin:
      break;
  }
  return text + ":pull";
}

}  // namespace entrepot::auth
