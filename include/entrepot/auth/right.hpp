// What somebody may do in a repository, as a set of words of the configuration.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace entrepot::auth {

// create: push content and set tags that are not there yet. push: create, and move tags that are
// (reliability.md A-05). admin: everything, in every repository it is granted for; granted for
// "**" it also covers what belongs to no repository (collection, read-only mode, jobs).
enum class Right : std::uint8_t { pull = 1, create = 2, push = 4, remove = 8, admin = 16 };

class Rights {
 public:
  constexpr Rights() = default;
  constexpr Rights(Right right) : bits_(static_cast<std::uint8_t>(right)) {}
  constexpr Rights operator|(Rights other) const { return Rights(bits_ | other.bits_); }
  constexpr Rights operator&(Rights other) const { return Rights(bits_ & other.bits_); }
  // Whether these rights suffice for `wanted`: push includes create, admin includes all.
  bool allow(Right wanted) const;
  constexpr bool none() const { return bits_ == 0; }
  friend bool operator==(const Rights&, const Rights&) = default;

 private:
  constexpr explicit Rights(int bits) : bits_(static_cast<std::uint8_t>(bits)) {}
  std::uint8_t bits_ = 0;
};

constexpr Rights operator|(Right a, Right b) { return Rights(a) | b; }

// "pull", "create", "push", "delete", "admin"; absent for any other word.
std::optional<Right> parse_right(std::string_view word);
std::string_view to_string(Right right);

}  // namespace entrepot::auth
