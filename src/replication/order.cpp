#include "replication/order.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "replication/version.hpp"

namespace entrepot::replication {

namespace {

bool digit(char c) { return c >= '0' && c <= '9'; }

std::string_view take_digits(std::string_view& text) {
  const auto end = std::ranges::find_if_not(text, digit);
  const auto run = text.substr(0, static_cast<std::size_t>(end - text.begin()));
  text.remove_prefix(run.size());
  return run;
}

std::strong_ordering compare_numbers(std::string_view a, std::string_view b) {
  a.remove_prefix(std::min(a.find_first_not_of('0'), a.size()));
  b.remove_prefix(std::min(b.find_first_not_of('0'), b.size()));
  return a.size() != b.size() ? a.size() <=> b.size() : a <=> b;
}

struct Ranked {
  std::optional<SemanticVersion> version;
  oci::Tag tag;
};

bool newer(const Ranked& a, const Ranked& b) {
  if (a.version.has_value() != b.version.has_value()) return a.version.has_value();
  if (a.version) {
    const auto order = *a.version <=> *b.version;
    if (order != 0) return order > 0;
  }
  return natural_order(a.tag.text(), b.tag.text()) > 0;
}

}  // namespace

std::strong_ordering natural_order(std::string_view a, std::string_view b) {
  auto x = a;
  auto y = b;
  while (!x.empty() && !y.empty()) {
    if (digit(x.front()) && digit(y.front())) {
      const auto order = compare_numbers(take_digits(x), take_digits(y));
      if (order != 0) return order;
      continue;
    }
    if (x.front() != y.front()) return x.front() <=> y.front();
    x.remove_prefix(1);
    y.remove_prefix(1);
  }
  const auto order = x.size() <=> y.size();
  return order != 0 ? order : a <=> b;  // "1.01" and "1.1"
}

std::vector<oci::Tag> newest(std::vector<oci::Tag> tags, std::size_t count) {
  std::vector<Ranked> ranked;
  ranked.reserve(tags.size());
  for (auto& tag : tags) {
    auto version = SemanticVersion::parse(tag.text());
    ranked.push_back({std::move(version), std::move(tag)});
  }
  std::ranges::sort(ranked, newer);
  std::vector<oci::Tag> chosen;
  for (auto& entry : ranked) {
    if (chosen.size() == count) break;
    chosen.push_back(std::move(entry.tag));
  }
  return chosen;
}

}  // namespace entrepot::replication
