// An ask-file: what of a bundle did not arrive, for `bundle create --again`. Of the form of a
// want-file, and it says like one what is at hand, the bundle's part that came included: for of a
// manifest that is missing nobody here knows what it lists. Pure.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "entrepot/transfer/site_key.hpp"
#include "transfer/bundle/contents.hpp"

namespace entrepot::transfer {

struct MissingDigest {
  oci::Digest digest;
  std::uint64_t size = 0;
};

struct Ask {
  Contents contents;  // the bundle's; `receiver` is who asks
  std::vector<MissingDigest> missing;
  std::vector<std::uint64_t> prefixes;  // of what is at hand, ascending

  bool holds(const oci::Digest& digest) const;
};

std::string render(const Ask& ask, const SiteKey& key);

struct SignedAsk {
  std::string key;
  Ask ask;
};
std::expected<SignedAsk, std::string> parse_ask(std::string_view text);

}  // namespace entrepot::transfer
