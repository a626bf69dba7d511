// The store's names on disk, drawn; the only place that knows them.
//
//   <data>/                                    0700
//     lock                                     held by the running daemon, its process id inside
//     blobs/<algorithm>/<first two>/<hex>      whole and verified; sha256's 256 shards are there
//     from start spool/fill-<algorithm>-<hex>             bytes of that digest arriving; survives a
//     restart spool/<32 hex>                           anonymous; swept at start
//     quarantine/<algorithm>-<hex>-<16 hex>    a blob's file that is not the blob any more
//
// Every name is made of validated hexadecimal or of random bits, never of anything a client sent
// (reliability.md rule 16).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "entrepot/oci/digest.hpp"

namespace entrepot::store::layout {

inline constexpr std::string_view lock = "lock";
inline constexpr std::string_view blobs = "blobs";
inline constexpr std::string_view spool = "spool";
inline constexpr std::string_view quarantine = "quarantine";

// "00" to "ff".
std::string shard(unsigned number);
std::string shard(const oci::Digest& digest);

// Below blobs/.
std::string blob_path(const oci::Digest& digest);
// The digest of a file name inside a shard; absent when it is none of ours.
std::optional<oci::Digest> blob_in_shard(oci::Algorithm algorithm, std::string_view name);

std::string fill_spool(const oci::Digest& digest);
std::string anonymous_spool();
enum class SpoolName { fill, anonymous, unknown };
SpoolName classify_spool(std::string_view name);

std::string quarantined(const oci::Digest& digest);

}  // namespace entrepot::store::layout
