#include "index/repositories.hpp"

#include <algorithm>

#include "index/usage.hpp"

namespace entrepot::index {
namespace {

// The number of the upstream that a new canonical name begins with.
UpstreamId ensure_upstream(Batch& batch, const oci::RepositoryName& canonical) {
  const auto name = canonical.first_component();
  if (const auto known = upstream_id(batch, name)) return *known;
  const auto number = meta_number(batch, last_upstream_row) + 1;
  put_meta_number(batch, last_upstream_row, number);
  batch.put(Space::upstreams, base::as_bytes(name), base::as_bytes(encode_number(number)));
  return static_cast<UpstreamId>(number);
}

RepositoryKind kind_of(const RepositoryRecord& record) {
  return record.upstream == UpstreamId::none ? RepositoryKind::local : RepositoryKind::mirrored;
}

}  // namespace

std::uint64_t meta_number(const View& view, std::string_view row) {
  const auto value = view.get(Space::meta, base::as_bytes(row));
  return value ? intact(decode_number(*value), row) : 0;
}

void put_meta_number(Batch& batch, std::string_view row, std::uint64_t value) {
  batch.put(Space::meta, base::as_bytes(row), base::as_bytes(encode_number(value)));
}

std::optional<RepositoryRecord> repository_record(const View& view,
                                                  const oci::RepositoryName& repository) {
  const auto value = view.get(Space::repositories, base::as_bytes(repository.text()));
  if (!value) return std::nullopt;
  return intact(decode_repository(*value), "repository");
}

std::optional<RepositoryId> repository_id(const View& view, const oci::RepositoryName& repository) {
  const auto record = repository_record(view, repository);
  if (!record) return std::nullopt;
  return record->id;
}

std::optional<UpstreamId> upstream_id(const View& view, std::string_view upstream) {
  const auto value = view.get(Space::upstreams, base::as_bytes(upstream));
  if (!value) return std::nullopt;
  return static_cast<UpstreamId>(intact(decode_number(*value), "upstream"));
}

RepositoryRecord ensure_repository(Batch& batch, const oci::RepositoryName& repository,
                                   RepositoryKind kind) {
  if (const auto known = repository_record(batch, repository)) return *known;
  const auto number = meta_number(batch, last_repository_row) + 1;
  put_meta_number(batch, last_repository_row, number);
  const RepositoryRecord record{.id = static_cast<RepositoryId>(number),
                                .upstream = kind == RepositoryKind::mirrored
                                                ? ensure_upstream(batch, repository)
                                                : UpstreamId::none};
  const auto name = base::as_bytes(repository.text());
  batch.put(Space::repositories, name, base::as_bytes(encode(record)));
  batch.put(Space::repository_names, Key().repository(record.id), name);
  return record;
}

std::optional<oci::RepositoryName> repository_name(const View& view, RepositoryId id) {
  const auto value = view.get(Space::repository_names, Key().repository(id));
  return value ? oci::RepositoryName::parse(base::as_text(*value)) : std::nullopt;
}

// One whose last link and tag are gone keeps its number, but is not there for anybody.
bool repository_exists(const View& view, const oci::RepositoryName& repository) {
  return repository_kind(view, repository).has_value();
}

std::optional<RepositoryKind> repository_kind(const View& view,
                                              const oci::RepositoryName& repository) {
  const auto record = repository_record(view, repository);
  if (!record || !usage_of(view, *record)) return std::nullopt;
  return kind_of(*record);
}

std::optional<RepositoryKind> claimed_as(const View& view, const oci::RepositoryName& repository) {
  const auto record = repository_record(view, repository);
  if (!record) return std::nullopt;
  return kind_of(*record);
}

std::vector<oci::RepositoryName> repositories(const View& view,
                                              std::span<const std::string> upstreams,
                                              std::string_view after, std::size_t limit) {
  std::vector<oci::RepositoryName> names;
  if (limit == 0) return names;
  std::vector wanted{UpstreamId::none};
  for (const auto& upstream : upstreams) {
    if (const auto id = upstream_id(view, upstream)) wanted.push_back(*id);
  }
  view.scan(
      Space::repositories, {}, base::as_bytes(after),
      [&](base::ByteView key, base::ByteView value) {
        const auto record = intact(decode_repository(value), "repository");
        if (std::ranges::find(wanted, record.upstream) == wanted.end() || !usage_of(view, record)) {
          return Continue::yes;
        }
        if (auto name = oci::RepositoryName::parse(base::as_text(key))) {
          names.push_back(std::move(*name));
        }
        return names.size() < limit ? Continue::yes : Continue::no;
      });
  return names;
}

}  // namespace entrepot::index
