#include "registry/summary_tree.hpp"

#include <algorithm>
#include <string>

namespace entrepot::registry {
namespace {

using Sum = std::array<std::uint64_t, 2>;

Sum plus(const Sum& a, const Sum& b) {
  const auto low = a[1] + b[1];
  return {a[0] + b[0] + (low < a[1] ? 1 : 0), low};
}

Sum minus(const Sum& a, const Sum& b) { return {a[0] - b[0] - (a[1] < b[1] ? 1 : 0), a[1] - b[1]}; }

std::uint64_t big_endian(base::ByteView bytes) {
  std::uint64_t value = 0;
  for (const auto byte : bytes.first(8)) value = value << 8 | std::to_integer<std::uint64_t>(byte);
  return value;
}

oci::Digest sha256(std::string_view text) {
  return oci::Digest::of(oci::Algorithm::sha256, base::as_bytes(text));
}

oci::Digest whole_place(std::string_view repository, std::string_view tag,
                        const oci::Digest& digest) {
  std::string text(repository);
  text += '\0';
  if (tag.empty()) {
    text += 'm';
    text += digest.text();
  } else {
    text += 't';
    text += tag;
  }
  return sha256(text);
}

// The lowest place under the prefix.
std::uint64_t floor_of(std::string_view prefix) {
  std::uint64_t value = 0;
  for (const char c : prefix)
    value = value << 4 | static_cast<std::uint64_t>(c <= '9' ? c - '0' : c - 'a' + 10);
  return prefix.empty() ? 0 : value << (64 - 4 * prefix.size());
}

}  // namespace

bool is_prefix(std::string_view text) {
  return text.size() <= most_prefix_digits && std::ranges::all_of(text, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

std::uint64_t place_of(std::string_view repository, std::string_view tag,
                       const oci::Digest& digest) {
  return big_endian(whole_place(repository, tag, digest).raw());
}

SummaryLeaf leaf_of(std::string_view repository, std::string_view tag, const oci::Digest& digest) {
  const auto place = whole_place(repository, tag, digest);
  const auto hash = sha256(std::string(base::as_text(place.raw())) + digest.text());
  return {.place = big_endian(place.raw()),
          .hash = {big_endian(hash.raw()), big_endian(hash.raw().subspan(8))}};
}

bool is_under(std::uint64_t place, std::string_view prefix) {
  return prefix.empty() || (place ^ floor_of(prefix)) >> (64 - 4 * prefix.size()) == 0;
}

SummaryTree::SummaryTree(std::vector<SummaryLeaf> leaves) {
  std::ranges::sort(leaves, {}, &SummaryLeaf::place);
  places_.reserve(leaves.size());
  sums_.reserve(leaves.size() + 1);
  sums_.push_back({});
  for (const auto& leaf : leaves) {
    places_.push_back(leaf.place);
    sums_.push_back(plus(sums_.back(), leaf.hash));
  }
}

std::size_t SummaryTree::count_below(std::uint64_t place) const {
  return static_cast<std::size_t>(std::ranges::lower_bound(places_, place) - places_.begin());
}

Summary SummaryTree::summary(std::string_view prefix) const {
  Summary summary{.prefix = std::string(prefix)};
  const auto width = std::uint64_t{1} << (60 - 4 * prefix.size());
  auto begin = count_below(floor_of(prefix));
  for (std::size_t digit = 0; digit < summary.children.size(); ++digit) {
    const auto next = floor_of(prefix) + (digit + 1) * width;
    // Behind the last place of all, the next one is 0.
    const auto end = next == 0 ? places_.size() : count_below(next);
    summary.children[digit] = {.items = end - begin, .sum = minus(sums_[end], sums_[begin])};
    begin = end;
  }
  return summary;
}

}  // namespace entrepot::registry
