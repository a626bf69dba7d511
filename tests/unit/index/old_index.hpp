// An index as older schemas had it, made from one of today's by taking out what came later.
#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "index/codec.hpp"
#include "index/journal.hpp"
#include "index/records.hpp"
#include "support/catalog_words.hpp"

namespace entrepot::index {

using Rows = std::vector<std::pair<std::string, std::string>>;

inline Rows rows_in(const View& view, Space space) {
  Rows rows;
  view.scan(space, {}, {}, [&](base::ByteView key, base::ByteView value) {
    rows.emplace_back(base::as_text(key), base::as_text(value));
    return Continue::yes;
  });
  return rows;
}

// Some of everything: shared digests, tags that moved and went, referrers, repositories that are
// empty by now, upstreams.
inline void fill_with_everything(Batch& batch, int repositories) {
  for (int i = 0; i < repositories; ++i) {
    const auto name = (i % 2 ? "hub/app" : "app") + std::to_string(i);
    const auto kind = i % 2 ? RepositoryKind::mirrored : RepositoryKind::local;
    const auto cause = i % 2 ? Cause::mirror : Cause::push;
    const auto image = sha256("image" + std::to_string(i % 5));
    auto signature = manifest_of({});
    signature.subject = oci::Descriptor{"x/y", image, 2};
    put_blob(batch, sha256("layer"), 1000, at(i));
    link(batch, repo(name), kind, sha256("layer"), at(i));
    link(batch, repo(name), kind, sha256("never had"), at(i));
    put_manifest(batch, repo(name), kind, image, "{}",
                 manifest_of({edge(oci::EdgeKind::layer, sha256("layer"))}), at(i));
    put_manifest(batch, repo(name), kind, sha512(name), "{...}", signature, at(i));
    set_tag(batch, repo(name), tag_of("moved"), sha512(name), at(i), cause);
    set_tag(batch, repo(name), tag_of("moved"), image, at(i + 1), cause);
    set_tag(batch, repo(name), tag_of("gone"), image, at(i + 2), cause);
    remove_tag(batch, repo(name), tag_of("gone"), at(i + 3), Cause::deletion);
    set_tag(batch, repo(name + "-empty"), tag_of("gone"), image, at(i), cause);
    remove_tag(batch, repo(name + "-empty"), tag_of("gone"), at(i), Cause::deletion);
  }
}

inline std::string schema_1_journal_row(const JournalRow& row) {
  return RecordWriter(1)
      .time(row.time)
      .number(static_cast<std::uint8_t>(row.cause))
      .text(row.repository)
      .text(row.tag)
      .optional_digest(row.from)
      .optional_digest(row.to)
      .take();
}

inline std::string plain_tag(const TagRecord& record) {
  return RecordWriter(1).digest(record.digest).time(record.changed).time(record.checked).take();
}

inline std::string schema_2_journal_row(const JournalRow& row) {
  auto bytes = schema_1_journal_row(row);
  bytes[0] = 2;
  return bytes + RecordWriter(0).text(row.who).take().substr(1);
}

inline void make_schema_2(Batch& batch) {
  for (const auto& [key, value] : rows_in(batch, Space::sums)) {
    batch.erase(Space::sums, base::as_bytes(key));
  }
  for (const auto& [key, value] : rows_in(batch, Space::tags)) {
    batch.put(Space::tags, base::as_bytes(key),
              base::as_bytes(plain_tag(decode_tag(base::as_bytes(value)).value())));
  }
  for (const auto& row : journal(batch, 0, 1'000'000)) {
    batch.put(Space::journal, Key().number(row.sequence),
              base::as_bytes(schema_2_journal_row(row)));
  }
  batch.erase(Space::meta, base::as_bytes(dropped_journal_row));
  batch.put(Space::meta, base::as_bytes(schema_row), base::as_bytes(encode_number(2)));
}

inline void make_old(Batch& batch) {
  make_schema_2(batch);
  for (const auto space :
       {Space::tagged, Space::left, Space::usages, Space::subjects, Space::events}) {
    for (const auto& [key, value] : rows_in(batch, space)) batch.erase(space, base::as_bytes(key));
  }
  for (const auto& [key, value] : rows_in(batch, Space::links)) {
    batch.put(Space::links, base::as_bytes(key), {});
  }
  for (const auto& [key, value] : rows_in(batch, Space::history)) {
    if (value.empty()) batch.erase(Space::history, base::as_bytes(key));
  }
  for (const auto& row : journal(batch, 0, 1'000'000)) {
    batch.put(Space::journal, Key().number(row.sequence),
              base::as_bytes(schema_1_journal_row(row)));
  }
  batch.put(Space::meta, base::as_bytes(schema_row), base::as_bytes(encode_number(1)));
}

// Everything there is, but for what migration cannot know: since when links are there, and which
// Journal this is. Journal rows as they are read.
using RowMap = std::map<std::string, std::string>;

inline RowMap all_rows(const View& view) {
  RowMap all;
  for (std::uint8_t number = 1; number < 99; ++number) {
    for (auto& [key, value] : rows_in(view, Space{number})) {
      if (Space{number} == Space::links && !value.empty()) {
        const auto record = decode_link(base::as_bytes(value)).value();
        value = "counts " + std::to_string(record.size);
      }
      if (Space{number} == Space::journal) {
        value = encode(decode_journal_row(base::as_bytes(value)).value());
      }
      if (Space{number} == Space::meta && key == journal_id_row) value = "an id";
      all.emplace(std::to_string(number) + " " + base::to_hex(base::as_bytes(key)), value);
    }
  }
  return all;
}

// Keys that only one has, or that stand for different things.
inline std::vector<std::string> differing(const RowMap& a, const RowMap& b) {
  std::vector<std::pair<std::string, std::string>> rows;
  std::ranges::set_symmetric_difference(a, b, std::back_inserter(rows));
  std::vector<std::string> keys;
  for (const auto& [key, value] : rows) keys.push_back(key);
  return keys;
}

}  // namespace entrepot::index
