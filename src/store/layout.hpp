// The store's names on disk, drawn; the only place that knows them.
//
//   <data>/                                    0700
//     lock                                     held by the running daemon, its process id inside
//     blobs/<algorithm>/<first two>/<hex>      whole and verified; sha256's 256 shards are there
//                                              from start
//     spool/fill-<algorithm>-<hex>             bytes of that digest arriving; survives a restart
//     spool/upload-<32 hex>                    bytes of an upload session; survives a restart
//     spool/upload-<32 hex>.session            what the session is; one without the other is swept
//     spool/<32 hex>                           anonymous; swept at start
//     quarantine/<algorithm>-<hex>-<16 hex>    a blob's file that is not the blob any more
//     trash/<algorithm>-<hex>                  a blob's file that no row of the index knew
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
inline constexpr std::string_view trash = "trash";

// "00" to "ff".
std::string shard(unsigned number);
std::string shard(const oci::Digest& digest);

// Below blobs/.
std::string blob_path(const oci::Digest& digest);
// The digest of a file name inside a shard; absent when it is none of ours.
std::optional<oci::Digest> blob_in_shard(oci::Algorithm algorithm, std::string_view name);

std::string fill_spool(const oci::Digest& digest);
std::string anonymous_spool();
// REQUIRES: is_upload_id(id).
std::string upload_spool(std::string_view id);
std::string upload_notes(std::string_view id);
bool is_upload_id(std::string_view id);  // 32 lower-case hexadecimal characters
enum class SpoolName { fill, anonymous, upload, upload_notes, unknown };
SpoolName classify_spool(std::string_view name);
// The session's id in a name classified as upload or upload_notes.
std::string upload_in(std::string_view name);

std::string quarantined(const oci::Digest& digest);
std::string trashed(const oci::Digest& digest);
// Whether the name is one that trashed() makes.
bool is_trashed(std::string_view name);

}  // namespace entrepot::store::layout
