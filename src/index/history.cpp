#include "index/history.hpp"

#include <algorithm>

#include "entrepot/index/collection.hpp"
#include "index/records.hpp"
#include "index/repositories.hpp"
#include "index/standing.hpp"

namespace entrepot::index {
namespace {

Key history_prefix(RepositoryId id, std::string_view subject) {
  return Key().repository(id).text(subject).separator();
}

// The digest that a tag pointed to until this row, or that this row could not make it point to.
std::optional<oci::Digest> digest_left(const JournalRow& row) {
  if (row.tag.empty() || row.from == row.to) return std::nullopt;
  return row.cause == Cause::superseded ? row.to : row.from;
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
  put_meta_number(batch, dropped_journal_row,
                  std::max(meta_number(batch, dropped_journal_row), row.sequence));
  const auto name = oci::RepositoryName::parse(row.repository);
  const auto id = name ? repository_id(batch, *name) : std::nullopt;
  if (!id) return;
  batch.erase(Space::history, history_prefix(*id, subject_of(row)).number(~row.sequence));
  const auto digest = digest_left(row);
  if (!digest) return;
  const auto left = last_left(batch, *id, *digest);
  if (left && *left < before) batch.erase(Space::left, left_key(*id, *digest));
}

// Of a subject, newest first, behind the row of this sequence (0: from the newest).
void visit_behind(const View& view, RepositoryId id, std::string_view subject,
                  std::uint64_t sequence, const std::function<Continue(JournalRow)>& visit) {
  const Key prefix = history_prefix(id, subject);
  const Key start = sequence == 0 ? Key() : Key(prefix).number(~sequence);
  view.scan(Space::history, prefix, start, [&](base::ByteView key, base::ByteView) {
    const auto offset = base::ByteView(prefix).size();
    auto row = journal_row(view, ~intact(number_in_key(key, offset), "history"));
    return row ? visit(std::move(*row)) : Continue::yes;
  });
}

}  // namespace

void record_change(Batch& batch, RepositoryId id, JournalRow row) {
  row.sequence = append(batch, row);
  put_history(batch, id, row);
}

void put_history(Batch& batch, RepositoryId id, const JournalRow& row) {
  const auto digest = digest_left(row);
  const auto left = digest ? encode_digest(*digest) : std::string();
  batch.put(Space::history, history_prefix(id, subject_of(row)).number(~row.sequence),
            base::as_bytes(left));
  if (!digest) return;
  const auto before = last_left(batch, id, *digest);
  const auto latest = before ? std::max(*before, row.time) : row.time;
  batch.put(Space::left, left_key(id, *digest), base::as_bytes(encode_time(latest)));
}

void visit_rows(const View& view, RepositoryId id, std::string_view subject,
                const std::function<Continue(JournalRow)>& visit) {
  visit_behind(view, id, subject, 0, visit);
}

std::optional<JournalRow> row_before(const View& view, RepositoryId id, std::string_view subject,
                                     std::uint64_t sequence) {
  std::optional<JournalRow> found;
  visit_behind(view, id, subject, sequence, [&found](JournalRow row) {
    found = std::move(row);
    return Continue::no;
  });
  return found;
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
  visit_behind(view, *id, tag.text(), before, [&](JournalRow row) {
    found.push_back(change_of(std::move(row)));
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
