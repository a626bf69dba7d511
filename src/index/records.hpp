// What stands in the values of the index, and its bytes.
//
// encode() and decode_…() are inverse. decode_…() takes any bytes (fuzzed): absent when they are
// not a whole record of a version this program knows; it writes the newest.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "entrepot/base/bytes.hpp"
#include "entrepot/index/catalog.hpp"
#include "entrepot/oci/manifest.hpp"
#include "index/journal.hpp"
#include "index/keys.hpp"

namespace entrepot::index {

std::string encode(const TagRecord& record);
std::optional<TagRecord> decode_tag(base::ByteView bytes);

std::string encode(const BlobRecord& record);
std::optional<BlobRecord> decode_blob(base::ByteView bytes);

std::string encode(const BlobTotals& record);
std::optional<BlobTotals> decode_blob_totals(base::ByteView bytes);

struct LinkRecord {
  base::WallTime since;    // when the repository earned it
  std::uint64_t size = 0;  // what it counts in the repository's usage
};
std::string encode(const LinkRecord& record);
std::optional<LinkRecord> decode_link(base::ByteView bytes);

std::string encode(const Usage& record);
std::optional<Usage> decode_usage(base::ByteView bytes);

struct RepositoryRecord {
  RepositoryId id;
  UpstreamId upstream;
};
std::string encode(const RepositoryRecord& record);
std::optional<RepositoryRecord> decode_repository(base::ByteView bytes);

// A manifest as it lies in the map; both fields point into the record.
struct StoredManifest {
  std::string_view media_type;
  std::string_view bytes;
};
std::string encode(const StoredManifest& record);
std::optional<StoredManifest> decode_manifest(base::ByteView bytes);

std::string encode(const std::vector<oci::Edge>& edges);
std::optional<std::vector<oci::Edge>> decode_edges(base::ByteView bytes);

std::string encode(const Referrer& record);
std::optional<Referrer> decode_referrer(base::ByteView bytes);

// Without the sequence number, which is the row's key.
std::string encode(const JournalRow& record);
std::optional<JournalRow> decode_journal_row(base::ByteView bytes);

// A counter or the schema version.
std::string encode_number(std::uint64_t value);
std::optional<std::uint64_t> decode_number(base::ByteView bytes);

std::string encode_time(base::WallTime time);
std::optional<base::WallTime> decode_time(base::ByteView bytes);

std::string encode_digest(const oci::Digest& digest);
std::optional<oci::Digest> decode_digest(base::ByteView bytes);

// Throws std::runtime_error naming `what`: the index is damaged.
[[noreturn]] void throw_damaged(std::string_view what);

template <class T>
T intact(std::optional<T> decoded, std::string_view what) {
  if (!decoded) throw_damaged(what);
  return std::move(*decoded);
}

}  // namespace entrepot::index
