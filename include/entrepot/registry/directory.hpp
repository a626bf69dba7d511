// Which Source answers for a name (design.md "Names and routing"). A closed table: what a client
// sends selects an entry or nothing, it is never an address to dial (reliability.md U-09).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "entrepot/base/glob.hpp"
#include "entrepot/oci/name.hpp"
#include "entrepot/registry/source.hpp"

namespace entrepot::registry {

enum class OfficialImages { no, yes };  // yes: a single component means library/<name> (Docker Hub)

struct DirectoryEntry {
  std::string name;                  // first path component and prefix of canonical names
  std::vector<std::string> aliases;  // hosts, in lower case, may carry ":port"
  OfficialImages official_images = OfficialImages::no;
  Source* source = nullptr;
};

struct Route {
  Source* source = nullptr;
  oci::RepositoryName name;       // in the Source's words
  oci::RepositoryName canonical;  // as it stands in the catalog: <entry>/<name>, or the local name
  std::string upstream;           // entry's name; empty when local
};

// Immutable after construction, thread-safe. Sources must outlive it.
class Directory {
 public:
  // The first entry is the default upstream. `reserved` names are local for ever: they are never
  // looked up upstream, whichever way they are asked for without naming an upstream.
  Directory(Source& local, std::vector<DirectoryEntry> entries, base::GlobSet reserved);

  // mirrored: what is held under this very name is an upstream's, reached through its entry only.
  enum class Held { no, yes, mirrored };
  // `ns`: value of ?ns=, or of the path prefix before /v2; empty when there is none. `name`: all
  // components between /v2/ and the verb. `held_locally`: whether a local repository of exactly
  // this name exists. Absent: NAME_UNKNOWN (unknown ns, or a name no rule covers).
  std::optional<Route> route(std::string_view ns, std::string_view name, Held held_locally) const;

  // The entries' names.
  std::vector<std::string> upstreams() const;
  // Whether `text` is the name or an alias of an entry.
  bool knows(std::string_view text) const;

 private:
  const DirectoryEntry* find(std::string_view host) const;
  std::optional<Route> mirrored(const DirectoryEntry& entry, std::string_view name) const;

  Source& local_;
  std::vector<DirectoryEntry> entries_;
  base::GlobSet reserved_;
};

}  // namespace entrepot::registry
