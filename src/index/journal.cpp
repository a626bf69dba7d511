#include "index/journal.hpp"

#include "index/records.hpp"
#include "index/repositories.hpp"

namespace entrepot::index {

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
    auto row = intact(decode_journal_row(value), "journal");
    row.sequence = intact(number_in_key(key, 0), "journal");
    rows.push_back(std::move(row));
    return rows.size() < limit ? Continue::yes : Continue::no;
  });
  return rows;
}

}  // namespace entrepot::index
