// Writer: how much a repository may hold.
#include <algorithm>
#include <string>
#include <vector>

#include "entrepot/oci/refusal.hpp"
#include "entrepot/registry/writer.hpp"
#include "registry/guard.hpp"
#include "registry/quota.hpp"

namespace entrepot::registry {
namespace {

constexpr std::size_t page = 1000;

// Every name that matches a pattern begins so; keeps the walk to those that may count.
std::string_view fixed_part(std::string_view pattern) {
  return pattern.substr(0, pattern.find_first_of("*?"));
}

std::string common_beginning(const std::vector<std::string>& patterns) {
  if (patterns.empty()) return {};
  auto common = fixed_part(patterns.front());
  for (const auto& pattern : patterns) {
    while (!fixed_part(pattern).starts_with(common)) common.remove_suffix(1);
  }
  return std::string(common);
}

void add(index::Usage& total, const index::Usage& usage) {
  total.bytes += usage.bytes;
  total.tags += usage.tags;
}

bool is_name(std::string_view pattern) { return fixed_part(pattern) == pattern; }

// Whether every name that `pattern` matches is one of `other`'s. REQUIRES: both are is_name() or
// index::has_sum().
bool is_within(std::string_view pattern, std::string_view other) {
  if (is_name(other)) return pattern == other;
  const auto fixed = fixed_part(other);
  if (!pattern.starts_with(fixed)) return false;
  if (other.ends_with("**")) return true;
  return pattern == other ||
         (is_name(pattern) && pattern.find('/', fixed.size()) == std::string_view::npos);
}

// Of these patterns none has a name with another one in common.
std::vector<std::string_view> disjoint(const std::vector<std::string>& patterns) {
  std::vector<std::string_view> kept;
  for (const auto& pattern : patterns) {
    const auto covers = [&](std::string_view other) { return is_within(pattern, other); };
    if (std::ranges::any_of(kept, covers)) continue;
    std::erase_if(kept, [&](std::string_view other) { return is_within(other, pattern); });
    kept.push_back(pattern);
  }
  return kept;
}

index::Usage usage_of_local(const index::View& view, std::string_view name) {
  const auto repository = oci::RepositoryName::parse(name);
  const bool local =
      repository && index::claimed_as(view, *repository) == index::RepositoryKind::local;
  return local ? index::usage(view, *repository) : index::Usage{};
}

index::Usage sum_by_looks(const index::View& view, const std::vector<std::string>& patterns) {
  index::Usage total;
  for (const auto pattern : disjoint(patterns)) {
    add(total, is_name(pattern) ? usage_of_local(view, pattern) : index::usage_sum(view, pattern));
  }
  return total;
}

index::Usage sum_by_walk(const index::View& view, const Policy& policy, std::size_t quota) {
  const auto prefix = common_beginning(policy.options().quotas[quota].repositories);
  index::Usage total;
  std::string after;
  for (;;) {
    const auto rows = index::usages(view, prefix, after, page);
    for (const auto& row : rows) {
      if (!policy.counts(quota, row.repository)) continue;
      add(total, row.usage);
    }
    if (rows.size() < page) return total;
    after = rows.back().repository.text();
  }
}

// With a wildcard amid a pattern every name that begins so is looked at.
index::Usage sum(const index::View& view, const Policy& policy, std::size_t quota) {
  const auto& patterns = policy.options().quotas[quota].repositories;
  const auto quick = [](const std::string& pattern) {
    return is_name(pattern) || index::has_sum(pattern);
  };
  if (std::ranges::all_of(patterns, quick)) return sum_by_looks(view, patterns);
  return sum_by_walk(view, policy, quota);
}

}  // namespace

void refuse_over(std::string_view what, std::uint64_t wanted, std::uint64_t allowed) {
  if (wanted <= allowed) return;
  throw oci::Refusal(oci::ErrorCode::denied, "quota exceeded: " + std::to_string(wanted) + " " +
                                                 std::string(what) + ", " +
                                                 std::to_string(allowed) + " allowed");
}

void Writer::check_quota(const index::View& view, const oci::RepositoryName& repository,
                         std::uint64_t more_bytes, std::uint64_t more_tags) const {
  const auto policy = policy_.now();
  for (const auto number : policy->quotas_of(repository)) {
    const auto& quota = policy->options().quotas[number];
    const bool counts_bytes = quota.bytes && more_bytes > 0;
    const bool counts_tags = quota.tags && more_tags > 0;
    if (!counts_bytes && !counts_tags) continue;
    const auto used = sum(view, *policy, number);
    if (counts_bytes) refuse_over("bytes", used.bytes + more_bytes, *quota.bytes);
    if (counts_tags) refuse_over("tags", used.tags + more_tags, *quota.tags);
  }
}

async::Task<Room> Writer::room(oci::RepositoryName repository, std::optional<oci::Digest> digest) {
  check_writable();
  co_return co_await index_.read([&](const index::View& view) {
    check_local(view, repository);
    Room room{.policy = policy_.now(), .quotas = {}};
    if (digest && index::linked(view, repository, *digest)) return room;
    for (const auto number : room.policy->quotas_of(repository)) {
      const auto allowed = room.policy->options().quotas[number].bytes;
      if (!allowed) continue;
      const auto used = sum(view, *room.policy, number).bytes;
      room.quotas.push_back({.number = number, .used = used, .allowed = *allowed});
    }
    return room;
  });
}

}  // namespace entrepot::registry
