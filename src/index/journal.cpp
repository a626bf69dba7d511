#include "index/journal.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "entrepot/index/journal.hpp"
#include "index/history.hpp"
#include "index/records.hpp"
#include "index/repositories.hpp"
#include "index/standing.hpp"
#include "index/tags.hpp"

namespace entrepot::index {
namespace {

// A mirrored repository's tags move by these, a local one's never.
bool is_mirrors(Cause cause) { return cause == Cause::mirror || cause == Cause::removed_upstream; }

bool is_told(const JournalRow& row) {
  return !is_mirrors(row.cause) && row.cause != Cause::superseded;
}

JournalRow decoded(base::ByteView key, base::ByteView value) {
  auto row = intact(decode_journal_row(value), "journal");
  row.sequence = intact(number_in_key(key, 0), "journal");
  return row;
}

Change change_of(JournalRow row) {
  auto tag = row.tag.empty() ? std::nullopt : oci::Tag::parse(row.tag);
  if (!row.tag.empty() && !tag) throw_damaged("journal");
  return {.sequence = row.sequence,
          .repository = intact(oci::RepositoryName::parse(row.repository), "journal"),
          .tag = std::move(tag),
          .from = row.from,
          .to = row.to,
          .version = std::move(row.version),
          .cause = row.cause,
          .who = std::move(row.who)};
}

}  // namespace

std::uint64_t append(Batch& batch, JournalRow row) {
  row.sequence = meta_number(batch, last_journal_row) + 1;
  put_meta_number(batch, last_journal_row, row.sequence);
  batch.put(Space::journal, Key().number(row.sequence), base::as_bytes(encode(row)));
  return row.sequence;
}

std::optional<JournalRow> journal_row(const View& view, std::uint64_t sequence) {
  const auto value = view.get(Space::journal, Key().number(sequence));
  if (!value) return std::nullopt;
  auto row = intact(decode_journal_row(*value), "journal");
  row.sequence = sequence;
  return row;
}

std::vector<JournalRow> journal(const View& view, std::uint64_t since, std::size_t limit) {
  std::vector<JournalRow> rows;
  if (limit == 0) return rows;
  const Key start = Key().number(since);
  view.scan(Space::journal, {}, start, [&](base::ByteView key, base::ByteView value) {
    rows.push_back(decoded(key, value));
    return rows.size() < limit ? Continue::yes : Continue::no;
  });
  return rows;
}

ChangePage change_page(const View& view, std::uint64_t since, std::size_t limit,
                       std::size_t rows_to_look_at) {
  ChangePage page{.changes = {}, .next = since};
  if (limit == 0 || rows_to_look_at == 0) return page;
  bool ended = true;
  const Key start = Key().number(since);
  view.scan(Space::journal, {}, start, [&](base::ByteView key, base::ByteView value) {
    auto row = decoded(key, value);
    page.next = row.sequence;
    if (is_told(row)) page.changes.push_back(change_of(std::move(row)));
    ended = page.changes.size() < limit && --rows_to_look_at > 0;
    return ended ? Continue::yes : Continue::no;
  });
  // What was dropped at the end is behind us, too.
  if (ended) page.next = std::max(since, newest_change(view));
  return page;
}

std::vector<Change> changes(const View& view, std::uint64_t since, std::size_t limit) {
  return change_page(view, since, limit, std::numeric_limits<std::size_t>::max()).changes;
}

std::uint64_t newest_change(const View& view) { return meta_number(view, last_journal_row); }

std::uint64_t oldest_change(const View& view) {
  const auto rows = journal(view, 0, 1);
  return rows.empty() ? 0 : rows.front().sequence;
}

bool dropped_after(const View& view, std::uint64_t since) {
  return meta_number(view, dropped_journal_row) > since;
}

std::optional<Change> latest_change(const View& view, const oci::RepositoryName& repository,
                                    const oci::Tag& tag) {
  const auto id = repository_id(view, repository);
  if (!id) return std::nullopt;
  auto row = newest_row(view, *id, tag.text());
  auto record = tag_record(view, *id, tag.text());
  // What stands is the truth: a row that does not lead to it is not the newest, which was lost.
  const bool leads = record ? row && row->version == record->version : row && !row->to;
  if (leads) return change_of(std::move(*row));
  if (!record) return std::nullopt;
  return Change{.repository = repository,
                .tag = tag,
                .to = record->digest,
                .version = std::move(record->version)};
}

std::optional<Version> manifest_version(const View& view, const oci::RepositoryName& repository,
                                        const oci::Digest& digest) {
  const auto id = repository_id(view, repository);
  auto row = id ? newest_row(view, *id, digest.text()) : std::nullopt;
  if (!row) return std::nullopt;
  return std::move(row->version);
}

void record_manifest(Batch& batch, const oci::RepositoryName& repository, const oci::Digest& digest,
                     ManifestChange change, base::WallTime now, Cause cause, std::string_view who) {
  const auto owner = ensure_repository(batch, repository, RepositoryKind::local);
  const auto standing = manifest_version(batch, repository, digest);
  const bool is_put = change == ManifestChange::put;
  record_change(batch, owner.id,
                {.sequence = 0,
                 .time = now,
                 .cause = cause,
                 .repository = repository.text(),
                 .tag = {},
                 .from = is_put ? std::nullopt : std::optional(digest),
                 .to = is_put ? std::optional(digest) : std::nullopt,
                 .who = std::string(who),
                 .version = version_above(batch, standing, now)});
}

}  // namespace entrepot::index
