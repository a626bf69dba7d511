// Many digests in few bytes: their first 64 bits, sorted, as gaps in Rice code.
//
// n numbers drawn evenly from 2^64 lie 2^64/n apart, so a gap costs log2(2^64/n) bits and about one
// and a half: 6.1 bytes each of 100 000, where a list of digests in text has 72.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "entrepot/oci/digest.hpp"
#include "entrepot/oci/name.hpp"

namespace entrepot::transfer {

std::uint64_t prefix_of(const oci::Digest& digest);
// That a tag of this repository points to the digest; without a tag: that the repository has the
// manifest.
std::uint64_t prefix_of(const oci::RepositoryName& repository, const std::optional<oci::Tag>& tag,
                        const oci::Digest& digest);

// That a repository has a tag of this name, whatever it points to.
std::uint64_t prefix_of(const oci::RepositoryName& repository, const oci::Tag& tag);

// `ascending` without repetition.
std::string pack_prefixes(const std::vector<std::uint64_t>& ascending);
// Absent unless the bytes are exactly what pack_prefixes() makes of `count` numbers; takes no more
// memory than eight times the bytes given.
std::optional<std::vector<std::uint64_t>> unpack_prefixes(std::string_view bytes,
                                                          std::uint64_t count);

}  // namespace entrepot::transfer
