// The head of a volume, member entrepot/volume.json: who made the bundle for whom, what it brings,
// and every member of this volume. With it every byte of the file is known to be right or wrong.
//
//   entrepot/volume.json   this
//   entrepot/volume.sig    <public key, base64> LF <Ed25519 signature over the head, base64> LF
//   oci-layout, index.json, blobs/<algorithm>/<hex>, entrepot/parts/<hex>   or: entrepot/parity
//
// A blob larger than a volume is cut into parts, one in each of several volumes. Volumes that were
// packed together are a series; a lost one can be replaced by its parity volumes, or what it held
// comes in a series of its own, made from an ask-file. Pure.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "entrepot/oci/digest.hpp"
#include "transfer/bundle/contents.hpp"

namespace entrepot::transfer {

enum class MemberKind : std::uint8_t { layout, index, blob, part, parity };

struct VolumeMember {
  MemberKind kind = MemberKind::blob;
  std::optional<oci::Digest> digest{};  // blob, part: of the whole blob
  std::uint64_t size = 0;               // here
  std::uint64_t offset = 0;             // part: in the blob
  std::uint64_t total = 0;              // part: of the blob
  // Of the bytes here; a blob's is its digest, a parity's are the sums of its slices.
  std::optional<oci::Digest> sum{};

  friend bool operator==(const VolumeMember&, const VolumeMember&) = default;
};
std::string name_of(const VolumeMember& member);

// A file as parity sees it: cut into slices, each with its SHA-256, so that bad sectors in several
// volumes cost slices and not volumes.
struct SlicedFile {
  std::uint64_t size = 0;
  std::string sums;  // 32 bytes a slice

  friend bool operator==(const SlicedFile&, const SlicedFile&) = default;
};
inline constexpr std::uint64_t slice_size = 1 << 20;
inline constexpr std::size_t sum_size = 32;
constexpr std::uint64_t slices_of(std::uint64_t size) {
  return (size + slice_size - 1) / slice_size;
}

struct Parity {
  std::vector<SlicedFile> volumes;  // of the series, in order
  SlicedFile own;                   // the member entrepot/parity
};

struct VolumeHead {
  std::string series;         // 32 hexadecimal characters; of the first one: the bundle's id
  std::uint64_t number = 0;   // from 1; parity volumes count on their own
  std::uint64_t volumes = 0;  // of the series
  std::uint64_t parities = 0;
  Contents contents{};  // without lines in a parity volume
  std::vector<VolumeMember> members{};
  std::optional<Parity> parity{};  // of a parity volume
};

// Reed-Solomon over bytes has 255 rows.
inline constexpr std::uint64_t most_sliced = 255;
// The head of a volume with some hundred thousand images.
inline constexpr std::uint64_t largest_head = 64 << 20;

std::string render(const VolumeHead& head);
// The error is a sentence. What comes out is sound: sizes add up, parts lie in their blobs, no
// member stands twice.
std::expected<VolumeHead, std::string> parse_volume_head(std::string_view text);

}  // namespace entrepot::transfer
