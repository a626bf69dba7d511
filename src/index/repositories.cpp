#include "index/repositories.hpp"

#include "entrepot/index/catalog.hpp"
#include "index/records.hpp"

namespace entrepot::index {
namespace {

bool has_rows(const View& view, Space space, base::ByteView prefix) {
  bool found = false;
  view.scan(space, prefix, {}, [&found](base::ByteView, base::ByteView) {
    found = true;
    return Continue::no;
  });
  return found;
}

// A repository whose last link and tag are gone keeps its number, but is not there for anybody.
bool holds_something(const View& view, RepositoryId id) {
  const Key prefix = Key().repository(id);
  return has_rows(view, Space::links, prefix) || has_rows(view, Space::tags, prefix);
}

}  // namespace

std::uint64_t meta_number(const View& view, std::string_view row) {
  const auto value = view.get(Space::meta, base::as_bytes(row));
  return value ? intact(decode_number(*value), row) : 0;
}

void put_meta_number(Batch& batch, std::string_view row, std::uint64_t value) {
  batch.put(Space::meta, base::as_bytes(row), base::as_bytes(encode_number(value)));
}

std::optional<RepositoryId> repository_id(const View& view, const oci::RepositoryName& repository) {
  const auto value = view.get(Space::repositories, base::as_bytes(repository.text()));
  if (!value) return std::nullopt;
  return intact(decode_repository(*value), "repository");
}

RepositoryId ensure_repository(Batch& batch, const oci::RepositoryName& repository) {
  if (const auto known = repository_id(batch, repository)) return *known;
  const auto number = meta_number(batch, last_repository_row) + 1;
  put_meta_number(batch, last_repository_row, number);
  const auto id = static_cast<RepositoryId>(number);
  const auto name = base::as_bytes(repository.text());
  batch.put(Space::repositories, name, base::as_bytes(encode(id)));
  batch.put(Space::repository_names, Key().repository(id), name);
  return id;
}

std::optional<oci::RepositoryName> repository_name(const View& view, RepositoryId id) {
  const auto value = view.get(Space::repository_names, Key().repository(id));
  return value ? oci::RepositoryName::parse(base::as_text(*value)) : std::nullopt;
}

bool repository_exists(const View& view, const oci::RepositoryName& repository) {
  const auto id = repository_id(view, repository);
  return id && holds_something(view, *id);
}

std::vector<oci::RepositoryName> repositories(const View& view, std::string_view after,
                                              std::size_t limit) {
  std::vector<oci::RepositoryName> names;
  if (limit == 0) return names;
  view.scan(Space::repositories, {}, base::as_bytes(after),
            [&](base::ByteView key, base::ByteView value) {
              if (!holds_something(view, intact(decode_repository(value), "repository"))) {
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
