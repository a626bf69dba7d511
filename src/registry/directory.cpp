#include "entrepot/registry/directory.hpp"

#include <algorithm>
#include <utility>

namespace entrepot::registry {

namespace {

// Hosts compare without regard to case (RFC 3986 section 3.2.2).
std::string lower_case(std::string_view text) {
  std::string lowered(text);
  std::ranges::transform(lowered, lowered.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return lowered;
}

struct Split {
  std::string_view first;
  std::string_view rest;  // empty when there is no '/'
};

Split split_first(std::string_view name) {
  const auto slash = name.find('/');
  if (slash == std::string_view::npos) return {.first = name, .rest = {}};
  return {.first = name.substr(0, slash), .rest = name.substr(slash + 1)};
}

bool looks_like_host(std::string_view text) {
  return text.find_first_of(".:") != std::string_view::npos || text == "localhost";
}

// A client that sends `ns` may still put the path of its mirror URL behind /v2 (buildkit). Only
// what cannot well be an organization of that upstream is taken for such a path: quay.io does have
// a repository quay/clair, Docker Hub has no names of three components.
bool is_mirror_path(const DirectoryEntry& entry, const Split& name) {
  if (name.rest.empty()) return false;
  if (looks_like_host(name.first)) return true;
  return entry.official_images == OfficialImages::yes &&
         name.rest.find('/') != std::string_view::npos;
}

}  // namespace

Directory::Directory(Source& local, std::vector<DirectoryEntry> entries, base::GlobSet reserved)
    : local_(local), entries_(std::move(entries)), reserved_(std::move(reserved)) {}

std::optional<Route> Directory::route(std::string_view ns, std::string_view name,
                                      Held held_locally) const {
  const auto split = split_first(name);
  const auto* leading = split.rest.empty() ? nullptr : find(split.first);
  if (!ns.empty()) {
    const auto* entry = find(ns);
    if (entry == nullptr) return std::nullopt;
    const bool stripped = leading == entry && is_mirror_path(*entry, split);
    return mirrored(*entry, stripped ? split.rest : name);
  }
  if (leading != nullptr) return mirrored(*leading, split.rest);

  auto parsed = oci::RepositoryName::parse(name);
  if (!parsed) return std::nullopt;
  if (held_locally == Held::yes || reserved_.matches(name) || entries_.empty()) {
    // Left behind by an entry that is gone: its account's rights went with it.
    if (held_locally == Held::mirrored) return std::nullopt;
    return Route{.source = &local_, .name = *parsed, .canonical = *parsed, .upstream = {}};
  }
  return mirrored(entries_.front(), name);
}

std::vector<std::string> Directory::upstreams() const {
  std::vector<std::string> names;
  names.reserve(entries_.size());
  for (const auto& entry : entries_) names.push_back(entry.name);
  return names;
}

bool Directory::knows(std::string_view text) const { return find(text) != nullptr; }

const DirectoryEntry* Directory::find(std::string_view host) const {
  const auto wanted = lower_case(host);
  const auto answers = [&](const DirectoryEntry& entry) {
    return entry.name == wanted || std::ranges::find(entry.aliases, wanted) != entry.aliases.end();
  };
  const auto found = std::ranges::find_if(entries_, answers);
  return found == entries_.end() ? nullptr : &*found;
}

std::optional<Route> Directory::mirrored(const DirectoryEntry& entry, std::string_view name) const {
  std::string at_upstream(name);
  if (entry.official_images == OfficialImages::yes && name.find('/') == std::string_view::npos) {
    at_upstream.insert(0, "library/");
  }
  auto parsed = oci::RepositoryName::parse(at_upstream);
  auto canonical = oci::RepositoryName::parse(entry.name + "/" + at_upstream);
  if (!parsed || !canonical) return std::nullopt;
  return Route{.source = entry.source,
               .name = std::move(*parsed),
               .canonical = std::move(*canonical),
               .upstream = entry.name};
}

}  // namespace entrepot::registry
