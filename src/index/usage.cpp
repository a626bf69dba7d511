#include "index/usage.hpp"

#include <string>

#include "index/repositories.hpp"

namespace entrepot::index {
namespace {

Key usage_key(const RepositoryRecord& repository) {
  return Key().upstream(repository.upstream).repository(repository.id);
}

void apply(Usage& usage, const UsageChange& change) {
  usage.bytes += static_cast<std::uint64_t>(change.bytes);
  usage.links += static_cast<std::uint64_t>(change.links);
  usage.tags += static_cast<std::uint64_t>(change.tags);
}

void put_row(Batch& batch, Space space, base::ByteView key, const Usage& usage) {
  if (usage.links == 0 && usage.tags == 0) {
    batch.erase(space, key);
  } else {
    batch.put(space, key, base::as_bytes(encode(usage)));
  }
}

void change_sum(Batch& batch, std::string_view pattern, const UsageChange& change) {
  auto sum = usage_sum(batch, pattern);
  apply(sum, change);
  put_row(batch, Space::sums, Key().text(pattern), sum);
}

}  // namespace

std::optional<Usage> usage_of(const View& view, const RepositoryRecord& repository) {
  const auto value = view.get(Space::usages, usage_key(repository));
  if (!value) return std::nullopt;
  return intact(decode_usage(*value), "usage");
}

void put_usage(Batch& batch, const RepositoryRecord& repository, const Usage& usage) {
  put_row(batch, Space::usages, usage_key(repository), usage);
}

// Some microseconds for each component of the name.
void change_sums(Batch& batch, std::string_view repository, const UsageChange& change) {
  std::string pattern = "**";
  change_sum(batch, pattern, change);
  auto slash = repository.find('/');
  for (; slash != std::string_view::npos; slash = repository.find('/', slash + 1)) {
    pattern.assign(repository.substr(0, slash + 1)).append("**");
    change_sum(batch, pattern, change);
  }
  pattern.pop_back();
  change_sum(batch, pattern, change);
}

void change_usage(Batch& batch, const RepositoryRecord& repository, const UsageChange& change) {
  auto usage = usage_of(batch, repository).value_or(Usage{});
  apply(usage, change);
  put_usage(batch, repository, usage);
  if (repository.upstream != UpstreamId::none) return;
  const auto name = intact(repository_name(batch, repository.id), "repository");
  change_sums(batch, name.text(), change);
}

bool has_sum(std::string_view pattern) {
  const auto fixed = pattern.substr(0, pattern.find_first_of("*?"));
  const auto rest = pattern.substr(fixed.size());
  return (fixed.empty() || fixed.ends_with('/')) && (rest == "*" || rest == "**");
}

Usage usage_sum(const View& view, std::string_view pattern) {
  // No name is so long, and no key.
  if (pattern.size() > max_key_bytes) return {};
  const auto value = view.get(Space::sums, base::as_bytes(pattern));
  return value ? intact(decode_usage(*value), "sum") : Usage{};
}

std::optional<RepositoryId> next_local(const View& view, std::optional<RepositoryId> after) {
  std::optional<RepositoryId> found;
  const Key prefix = Key().upstream(UpstreamId::none);
  const Key start = after ? Key().upstream(UpstreamId::none).repository(*after) : Key();
  view.scan(Space::usages, prefix, start, [&](base::ByteView key, base::ByteView) {
    found = intact(repository_in_key(key, sizeof(UpstreamId)), "usage");
    return Continue::no;
  });
  return found;
}

Usage usage(const View& view, const oci::RepositoryName& repository) {
  const auto record = repository_record(view, repository);
  if (!record) return {};
  return usage_of(view, *record).value_or(Usage{});
}

std::vector<RepositoryUsage> usages(const View& view, std::string_view prefix,
                                    std::string_view after, std::size_t limit) {
  std::vector<RepositoryUsage> found;
  if (limit == 0) return found;
  view.scan(Space::repositories, base::as_bytes(prefix), base::as_bytes(after),
            [&](base::ByteView key, base::ByteView value) {
              const auto record = intact(decode_repository(value), "repository");
              if (record.upstream != UpstreamId::none) return Continue::yes;
              const auto usage = usage_of(view, record);
              auto name = oci::RepositoryName::parse(base::as_text(key));
              if (usage && name) found.push_back({std::move(*name), *usage});
              return found.size() < limit ? Continue::yes : Continue::no;
            });
  return found;
}

}  // namespace entrepot::index
