// The want-file's words. Pure.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "entrepot/oci/digest.hpp"
#include "entrepot/transfer/want.hpp"

namespace entrepot::transfer {

struct Want {
  SiteName site;
  base::WallTime made{};
  std::vector<std::string> repositories;  // the globs it speaks of
  std::vector<std::uint64_t> prefixes;    // ascending

  bool says(std::uint64_t prefix) const;
};

std::string render(const Want& want, const SiteKey& key);

struct SignedWant {
  std::string key;  // whose signature was compared; whether he is believed is left open
  Want want;
};
// The error is a sentence that goes on from the file's name.
std::expected<SignedWant, std::string> parse_want(std::string_view text);

}  // namespace entrepot::transfer
