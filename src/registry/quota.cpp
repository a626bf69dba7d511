// Writer: how much a repository may hold.
#include <string>

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

index::Usage sum(const index::View& view, const Policy& policy, std::size_t quota) {
  const auto prefix = common_beginning(policy.options().quotas[quota].repositories);
  index::Usage total;
  std::string after;
  for (;;) {
    const auto rows = index::usages(view, prefix, after, page);
    for (const auto& row : rows) {
      if (!policy.counts(quota, row.repository)) continue;
      total.bytes += row.usage.bytes;
      total.tags += row.usage.tags;
    }
    if (rows.size() < page) return total;
    after = rows.back().repository.text();
  }
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
