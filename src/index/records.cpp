#include "index/records.hpp"

#include <stdexcept>

#include "index/codec.hpp"

namespace entrepot::index {
namespace {

// A change of any record's fields gets the next number and keeps the old reader.
constexpr std::uint8_t version = 1;
constexpr std::uint8_t plain_tag = 1;  // without its version
constexpr std::uint8_t tag_version = 2;
constexpr std::uint8_t nameless_journal = 1;     // without `who`
constexpr std::uint8_t versionless_journal = 2;  // without its version
constexpr std::uint8_t journal_version = 3;

// The record's own, if we know it; else the newest.
std::uint8_t known_version(base::ByteView bytes, std::uint8_t newest) {
  const auto stated = bytes.empty() ? std::uint8_t{0} : std::to_integer<std::uint8_t>(bytes[0]);
  return stated >= 1 && stated < newest ? stated : newest;
}

Version next_version(RecordReader& reader) {
  const auto time = reader.time();
  return {time, std::string(reader.text())};
}

template <class T>
std::optional<T> if_complete(const RecordReader& reader, T value) {
  if (!reader.complete()) return std::nullopt;
  return value;
}

void add_descriptor(RecordWriter& writer, const oci::Descriptor& descriptor) {
  writer.digest(descriptor.digest).number(descriptor.size).text(descriptor.media_type);
}

std::optional<oci::Descriptor> next_descriptor(RecordReader& reader) {
  const auto digest = reader.digest();
  const auto size = reader.number<std::uint64_t>();
  const auto media_type = reader.text();
  if (!reader.good()) return std::nullopt;
  return oci::Descriptor{std::string(media_type), *digest, size};
}

std::optional<oci::Edge> next_edge(RecordReader& reader) {
  const auto kind = reader.number<std::uint8_t>();
  if (kind < static_cast<std::uint8_t>(oci::EdgeKind::manifest) ||
      kind > static_cast<std::uint8_t>(oci::EdgeKind::foreign)) {
    reader.refuse();
  }
  auto target = next_descriptor(reader);
  if (!target) return std::nullopt;
  return oci::Edge{static_cast<oci::EdgeKind>(kind), std::move(*target)};
}

Cause next_cause(RecordReader& reader) {
  const auto cause = reader.number<std::uint8_t>();
  if (cause < static_cast<std::uint8_t>(Cause::push) ||
      cause > static_cast<std::uint8_t>(Cause::superseded)) {
    reader.refuse();
  }
  return static_cast<Cause>(cause);
}

}  // namespace

std::string encode(const TagRecord& record) {
  return RecordWriter(tag_version)
      .digest(record.digest)
      .time(record.changed)
      .time(record.checked)
      .time(record.version.time)
      .text(record.version.site)
      .take();
}

std::optional<TagRecord> decode_tag(base::ByteView bytes) {
  const auto written_as = known_version(bytes, tag_version);
  RecordReader reader(bytes, written_as);
  const auto digest = reader.digest();
  const auto changed = reader.time();
  const auto checked = reader.time();
  auto made = written_as == plain_tag ? Version{changed, {}} : next_version(reader);
  if (!reader.complete()) return std::nullopt;
  return TagRecord{*digest, changed, checked, std::move(made)};
}

std::string encode(const BlobRecord& record) {
  return RecordWriter(version).number(record.size).time(record.stored).take();
}

std::optional<BlobRecord> decode_blob(base::ByteView bytes) {
  RecordReader reader(bytes, version);
  const auto size = reader.number<std::uint64_t>();
  return if_complete(reader, BlobRecord{size, reader.time()});
}

std::string encode(const BlobTotals& record) {
  return RecordWriter(version).number(record.blobs).number(record.bytes).take();
}

std::optional<BlobTotals> decode_blob_totals(base::ByteView bytes) {
  RecordReader reader(bytes, version);
  const auto blobs = reader.number<std::uint64_t>();
  const auto total = reader.number<std::uint64_t>();
  return if_complete(reader, BlobTotals{blobs, total});
}

std::string encode(const LinkRecord& record) {
  return RecordWriter(version).time(record.since).number(record.size).take();
}

std::optional<LinkRecord> decode_link(base::ByteView bytes) {
  RecordReader reader(bytes, version);
  const auto since = reader.time();
  const auto size = reader.number<std::uint64_t>();
  return if_complete(reader, LinkRecord{since, size});
}

std::string encode(const Usage& record) {
  return RecordWriter(version).number(record.bytes).number(record.links).number(record.tags).take();
}

std::optional<Usage> decode_usage(base::ByteView bytes) {
  RecordReader reader(bytes, version);
  Usage usage;
  usage.bytes = reader.number<std::uint64_t>();
  usage.links = reader.number<std::uint64_t>();
  usage.tags = reader.number<std::uint64_t>();
  return if_complete(reader, usage);
}

std::string encode(const RepositoryRecord& record) {
  return RecordWriter(version)
      .number(static_cast<std::uint32_t>(record.id))
      .number(static_cast<std::uint32_t>(record.upstream))
      .take();
}

std::optional<RepositoryRecord> decode_repository(base::ByteView bytes) {
  RecordReader reader(bytes, version);
  const auto id = reader.number<std::uint32_t>();
  const auto upstream = reader.number<std::uint32_t>();
  return if_complete(reader, RepositoryRecord{RepositoryId{id}, UpstreamId{upstream}});
}

std::string encode(const StoredManifest& record) {
  return RecordWriter(version).text(record.media_type).text(record.bytes).take();
}

std::optional<StoredManifest> decode_manifest(base::ByteView bytes) {
  RecordReader reader(bytes, version);
  const auto media_type = reader.text();
  const auto content = reader.text();
  return if_complete(reader, StoredManifest{media_type, content});
}

std::string encode(const std::vector<oci::Edge>& edges) {
  RecordWriter writer(version);
  writer.number(static_cast<std::uint32_t>(edges.size()));
  for (const auto& edge : edges) {
    writer.number(static_cast<std::uint8_t>(edge.kind));
    add_descriptor(writer, edge.target);
  }
  return writer.take();
}

std::optional<std::vector<oci::Edge>> decode_edges(base::ByteView bytes) {
  RecordReader reader(bytes, version);
  auto left = reader.number<std::uint32_t>();
  std::vector<oci::Edge> edges;
  for (; left > 0; --left) {
    auto edge = next_edge(reader);
    if (!edge) return std::nullopt;
    edges.push_back(std::move(*edge));
  }
  if (!reader.complete()) return std::nullopt;
  return edges;
}

std::string encode(const Referrer& record) {
  RecordWriter writer(version);
  add_descriptor(writer, record.descriptor);
  writer.text(record.artifact_type);
  writer.number(static_cast<std::uint32_t>(record.annotations.size()));
  for (const auto& [key, value] : record.annotations) writer.text(key).text(value);
  return writer.take();
}

std::optional<Referrer> decode_referrer(base::ByteView bytes) {
  RecordReader reader(bytes, version);
  auto descriptor = next_descriptor(reader);
  if (!descriptor) return std::nullopt;
  Referrer record{std::move(*descriptor), std::string(reader.text()), {}};
  for (auto left = reader.number<std::uint32_t>(); left > 0 && reader.good(); --left) {
    const auto key = reader.text();
    record.annotations.emplace(key, reader.text());
  }
  if (!reader.complete()) return std::nullopt;
  return record;
}

std::string encode(const JournalRow& record) {
  return RecordWriter(journal_version)
      .time(record.time)
      .number(static_cast<std::uint8_t>(record.cause))
      .text(record.repository)
      .text(record.tag)
      .optional_digest(record.from)
      .optional_digest(record.to)
      .text(record.who)
      .time(record.version.time)
      .text(record.version.site)
      .take();
}

std::optional<JournalRow> decode_journal_row(base::ByteView bytes) {
  const auto written_as = known_version(bytes, journal_version);
  RecordReader reader(bytes, written_as);
  JournalRow row;
  row.time = reader.time();
  row.cause = next_cause(reader);
  row.repository = reader.text();
  row.tag = reader.text();
  row.from = reader.optional_digest();
  row.to = reader.optional_digest();
  if (written_as != nameless_journal) row.who = reader.text();
  row.version = written_as <= versionless_journal ? Version{row.time, {}} : next_version(reader);
  const bool of_something = !row.tag.empty() || row.from || row.to;
  if (!reader.complete() || !of_something) return std::nullopt;
  return row;
}

std::string encode_number(std::uint64_t value) {
  return RecordWriter(version).number(value).take();
}

std::optional<std::uint64_t> decode_number(base::ByteView bytes) {
  RecordReader reader(bytes, version);
  const auto value = reader.number<std::uint64_t>();
  return if_complete(reader, value);
}

std::string encode_time(base::WallTime time) { return RecordWriter(version).time(time).take(); }

std::optional<base::WallTime> decode_time(base::ByteView bytes) {
  RecordReader reader(bytes, version);
  const auto time = reader.time();
  return if_complete(reader, time);
}

std::string encode_digest(const oci::Digest& digest) {
  return RecordWriter(version).digest(digest).take();
}

std::optional<oci::Digest> decode_digest(base::ByteView bytes) {
  RecordReader reader(bytes, version);
  const auto digest = reader.digest();
  return reader.complete() ? digest : std::nullopt;
}

void throw_damaged(std::string_view what) {
  throw std::runtime_error("index: damaged record: " + std::string(what));
}

}  // namespace entrepot::index
