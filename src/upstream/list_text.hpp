// Reads the JSON of lists of tags, repositories and referrers, and which page comes next. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "entrepot/http/headers.hpp"
#include "entrepot/index/catalog.hpp"
#include "entrepot/oci/name.hpp"

namespace entrepot::upstream {

// {"name":…, "tags":[…]}; what is not a tag is left out. Absent when it is not such a list.
std::optional<std::vector<oci::Tag>> parse_tag_list(std::string_view body);

// {"repositories":[…]}; what is not a name is left out. Absent when it is not such a list.
struct RepositoryList {
  std::vector<oci::RepositoryName> names;
  std::size_t entries = 0;  // those left out, too
};
std::optional<RepositoryList> parse_repository_list(std::string_view body);

// An image index whose manifests are the referrers; a descriptor that cannot be read is left out.
// Absent when it is not an index.
std::optional<std::vector<index::Referrer>> parse_referrer_list(std::string_view body);

// The query of the next page's link: only that, for a Link must not lead anywhere else.
std::optional<std::string> next_query(const http::Headers& headers);

}  // namespace entrepot::upstream
