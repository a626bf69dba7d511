#include "index/history.hpp"

#include <algorithm>

#include "entrepot/index/collection.hpp"
#include "index/records.hpp"
#include "index/repositories.hpp"

namespace entrepot::index {
namespace {

Key history_prefix(RepositoryId id, std::string_view tag) {
  return Key().repository(id).text(tag).separator();
}

Key left_key(RepositoryId id, const oci::Digest& digest) {
  return Key().repository(id).digest(digest);
}

TagChange change_of(JournalRow row) {
  return {.sequence = row.sequence,
          .time = row.time,
          .cause = row.cause,
          .who = std::move(row.who),
          .from = row.from,
          .to = row.to};
}

// What is not older ends a look, too: after a clock that stood wrong, rows are not in time's order.
std::vector<JournalRow> rows_older(const View& view, base::WallTime before, std::size_t limit) {
  std::vector<JournalRow> rows;
  std::size_t younger = 0;
  if (limit == 0) return rows;
  view.scan(Space::journal, {}, {}, [&](base::ByteView key, base::ByteView value) {
    auto row = intact(decode_journal_row(value), "journal");
    row.sequence = intact(number_in_key(key, 0), "journal");
    if (row.time < before) {
      rows.push_back(std::move(row));
    } else {
      ++younger;
    }
    return rows.size() < limit && younger < limit ? Continue::yes : Continue::no;
  });
  return rows;
}

void drop(Batch& batch, const JournalRow& row, base::WallTime before) {
  batch.erase(Space::journal, Key().number(row.sequence));
  const auto name = oci::RepositoryName::parse(row.repository);
  const auto id = name ? repository_id(batch, *name) : std::nullopt;
  if (!id) return;
  batch.erase(Space::history, history_prefix(*id, row.tag).number(~row.sequence));
  if (!row.from) return;
  const auto left = last_left(batch, *id, *row.from);
  if (left && *left < before) batch.erase(Space::left, left_key(*id, *row.from));
}

}  // namespace

void record_change(Batch& batch, RepositoryId id, JournalRow row) {
  row.sequence = append(batch, row);
  put_history(batch, id, row);
}

void put_history(Batch& batch, RepositoryId id, const JournalRow& row) {
  const auto left = row.from ? encode_digest(*row.from) : std::string();
  batch.put(Space::history, history_prefix(id, row.tag).number(~row.sequence),
            base::as_bytes(left));
  if (!row.from) return;
  const auto before = last_left(batch, id, *row.from);
  const auto latest = before ? std::max(*before, row.time) : row.time;
  batch.put(Space::left, left_key(id, *row.from), base::as_bytes(encode_time(latest)));
}

std::optional<base::WallTime> last_left(const View& view, RepositoryId id,
                                        const oci::Digest& digest) {
  const auto value = view.get(Space::left, left_key(id, digest));
  if (!value) return std::nullopt;
  return intact(decode_time(*value), "left");
}

std::vector<oci::Digest> tag_history(const View& view, const oci::RepositoryName& repository,
                                     const oci::Tag& tag, std::size_t limit) {
  std::vector<oci::Digest> found;
  const auto id = repository_id(view, repository);
  if (!id || limit == 0) return found;
  view.scan(Space::history, history_prefix(*id, tag.text()), {},
            [&](base::ByteView, base::ByteView value) {
              if (value.empty()) return Continue::yes;
              const auto digest = intact(decode_digest(value), "history");
              if (std::ranges::find(found, digest) == found.end()) found.push_back(digest);
              return found.size() < limit ? Continue::yes : Continue::no;
            });
  return found;
}

std::vector<TagChange> tag_changes(const View& view, const oci::RepositoryName& repository,
                                   const oci::Tag& tag, std::uint64_t before, std::size_t limit) {
  std::vector<TagChange> found;
  const auto id = repository_id(view, repository);
  if (!id || limit == 0) return found;
  const Key prefix = history_prefix(*id, tag.text());
  const Key start = before == 0 ? Key() : Key(prefix).number(~before);
  view.scan(Space::history, prefix, start, [&](base::ByteView key, base::ByteView) {
    const auto offset = base::ByteView(prefix).size();
    auto row = journal_row(view, ~intact(number_in_key(key, offset), "history"));
    if (row) found.push_back(change_of(std::move(*row)));
    return found.size() < limit ? Continue::yes : Continue::no;
  });
  return found;
}

std::size_t drop_history(Batch& batch, base::WallTime before, std::size_t limit) {
  const auto rows = rows_older(batch, before, limit);
  for (const auto& row : rows) drop(batch, row, before);
  return rows.size();
}

}  // namespace entrepot::index
