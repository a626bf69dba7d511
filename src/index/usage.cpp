#include "index/usage.hpp"

#include "index/repositories.hpp"

namespace entrepot::index {
namespace {

Key usage_key(const RepositoryRecord& repository) {
  return Key().upstream(repository.upstream).repository(repository.id);
}

}  // namespace

std::optional<Usage> usage_of(const View& view, const RepositoryRecord& repository) {
  const auto value = view.get(Space::usages, usage_key(repository));
  if (!value) return std::nullopt;
  return intact(decode_usage(*value), "usage");
}

void put_usage(Batch& batch, const RepositoryRecord& repository, const Usage& usage) {
  const Key key = usage_key(repository);
  if (usage.links == 0 && usage.tags == 0) {
    batch.erase(Space::usages, key);
  } else {
    batch.put(Space::usages, key, base::as_bytes(encode(usage)));
  }
}

void change_usage(Batch& batch, const RepositoryRecord& repository, const UsageChange& change) {
  auto usage = usage_of(batch, repository).value_or(Usage{});
  usage.bytes += static_cast<std::uint64_t>(change.bytes);
  usage.links += static_cast<std::uint64_t>(change.links);
  usage.tags += static_cast<std::uint64_t>(change.tags);
  put_usage(batch, repository, usage);
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
