#include <array>
#include <utility>

#include "entrepot/auth/right.hpp"

namespace entrepot::auth {
namespace {

constexpr std::array<std::pair<std::string_view, Right>, 5> words{{
    {"pull", Right::pull},
    {"create", Right::create},
    {"push", Right::push},
    {"delete", Right::remove},
    {"admin", Right::admin},
}};

}  // namespace

bool Rights::allow(Right wanted) const {
  if (!(*this & Right::admin).none()) return true;
  if (wanted == Right::create) return !(*this & (Rights(Right::create) | Right::push)).none();
  return !(*this & wanted).none();
}

std::optional<Right> parse_right(std::string_view word) {
  for (const auto& [text, right] : words) {
    if (text == word) return right;
  }
  return std::nullopt;
}

std::string_view to_string(Right right) {
  for (const auto& [text, each] : words) {
    if (each == right) return text;
  }
  return "none";
}

}  // namespace entrepot::auth
