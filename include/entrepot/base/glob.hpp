// Name patterns of the configuration: `*` matches within one path component, `**` across them, `?`
// one character, everything else itself. Matching is linear in the name (RE2).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace entrepot::base {

// Immutable after construction; matches() may be called from any thread.
class GlobSet {
 public:
  GlobSet();
  // Throws std::invalid_argument naming the pattern that cannot be read.
  explicit GlobSet(const std::vector<std::string>& patterns);
  ~GlobSet();
  GlobSet(GlobSet&&) noexcept;
  GlobSet& operator=(GlobSet&&) noexcept;

  bool matches(std::string_view name) const;
  bool empty() const;

 private:
  struct Patterns;
  std::unique_ptr<Patterns> patterns_;
};

}  // namespace entrepot::base
