// The key layout of the index, drawn; the only place that knows it. Values: records.hpp.
//
//   space             key                                        value
//   meta              name of a number or text                   version, number(s); text
//   repositories      name                                       RepositoryRecord
//   repository_names  repository(4)                              name
//   tags              repository(4) tag                          TagRecord
//   history           repository(4) tag 00 ~sequence(8)          digest the tag left (newest
//                     or the digest's text for a manifest        first), or would have; empty when
//                     itself                                     the tag was new
//   blobs             digest                                     BlobRecord
//   links             repository(4) digest                       LinkRecord
//   linked_in         digest upstream(4) repository(4)           (empty)
//   manifests         digest                                     media type, bytes
//   edges             digest                                     every edge, in order
//   parents           child digest, parent digest                the edge between them
//   referrers         subject digest, referrer digest            Referrer
//   journal           sequence(8)                                JournalRow
//   upstreams         name                                       number
//   tagged            repository(4) digest tag                   (empty)
//   left              repository(4) digest                       latest time a tag left it
//   usages            upstream(4) repository(4)                  Usage; none: holds nothing
//   subjects          referrer digest                            digest of its subject
//   events            sequence(8)                                Event
//   receivers         name                                       number: the last event it has
//   sums              pattern: a name's beginning and ** or *    Usage of all local repositories
//                                                                that match; none: nothing
//   notes             scope 00 key                               what replication remembers
//
// Older schemas: migration.hpp.
//
// upstream: the number of the one a repository mirrors, so that "has anybody earned this digest
// from that upstream?" is one look, however many hold it; 0 for local repositories. digest: one
// byte of algorithm, then its 32 or 64 raw bytes, so one digest is never the prefix of another.
// Numbers are big-endian, so byte order is their order. A repository's name stands in one key only;
// all others carry its number, so the longest key is 4 + 65 + 128 bytes, and a name of 255 fits too
// (LMDB's limit is 511, reliability.md B-07).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "entrepot/base/bytes.hpp"
#include "entrepot/index/index.hpp"
#include "entrepot/oci/digest.hpp"

namespace entrepot::index {

// Values are on disk: never renumber.
enum class Space : std::uint8_t {
  meta = 1,
  repositories = 2,
  repository_names = 3,
  tags = 4,
  history = 5,
  blobs = 6,
  links = 7,
  linked_in = 8,
  manifests = 9,
  edges = 10,
  parents = 11,
  referrers = 12,
  journal = 13,
  upstreams = 14,
  tagged = 15,
  left = 16,
  usages = 17,
  subjects = 18,
  events = 19,
  receivers = 20,
  sums = 21,
  notes = 22,
};

// Names of the rows in Space::meta.
inline constexpr std::string_view schema_row = "schema";
inline constexpr std::string_view last_repository_row = "last repository";
inline constexpr std::string_view last_upstream_row = "last upstream";
inline constexpr std::string_view last_journal_row = "last journal row";
inline constexpr std::string_view last_event_row = "last event";
inline constexpr std::string_view blob_totals_row = "blob totals";
inline constexpr std::string_view dropped_journal_row = "dropped journal row";  // the highest
inline constexpr std::string_view site_row = "site";                            // a text
inline constexpr std::string_view journal_id_row = "journal";                   // a text

enum class RepositoryId : std::uint32_t {};
enum class UpstreamId : std::uint32_t { none = 0 };  // none: of local repositories

// One byte less than LMDB's 511: the space stands in front.
inline constexpr std::size_t max_key_bytes = 510;

// A key under construction, on the stack.
class Key {
 public:
  Key& repository(RepositoryId id);
  Key& upstream(UpstreamId id);
  Key& number(std::uint64_t value);
  Key& text(std::string_view text);
  Key& digest(const oci::Digest& digest);
  Key& separator();

  operator base::ByteView() const { return {bytes_.data(), size_}; }

 private:
  void add(base::ByteView bytes);

  std::array<std::byte, max_key_bytes> bytes_;
  std::size_t size_ = 0;
};

// The digest that starts at `offset` of a key; absent when the key is too short or no digest.
std::optional<oci::Digest> digest_in_key(base::ByteView key, std::size_t offset);
std::size_t key_size(const oci::Digest& digest);
std::optional<RepositoryId> repository_in_key(base::ByteView key, std::size_t offset);
// The big-endian number that starts at `offset`; absent when the key is too short.
std::optional<std::uint64_t> number_in_key(base::ByteView key, std::size_t offset);

}  // namespace entrepot::index
