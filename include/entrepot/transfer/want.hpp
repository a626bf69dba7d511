// A want-file: what a site without a line holds, told so that a bundle for it carries only the
// rest. Signed by its site key; some six bytes a digest, as many for each manifest and tag of a
// repository (src/transfer/bundle/prefixes.hpp).
//
// It tells 64 bits of each. Two digests that share them cost a blob that is missing after the
// bundle was applied, which the receiver then asks for by its full digest.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "entrepot/async/offload.hpp"
#include "entrepot/async/task.hpp"
#include "entrepot/base/clock.hpp"
#include "entrepot/index/index.hpp"
#include "entrepot/transfer/site_key.hpp"

namespace entrepot::transfer {

// A site, as files that are carried between them call it.
struct SiteName {
  std::string id;    // index::site_id(); empty: nobody
  std::string name;  // of the configuration, for people
};

struct WantReport {
  std::uint64_t repositories = 0;
  std::uint64_t digests = 0;
  std::uint64_t bytes = 0;  // of the file
};

// What the local repositories that match `repositories` (globs; none: all) may give. The file
// appears whole; one of that name is replaced. Throws std::system_error, std::invalid_argument for
// a bad glob.
async::Task<WantReport> write_want(index::Index& index, async::BlockingPool& pool, SiteKey key,
                                   std::string site_name, base::WallTime now,
                                   std::vector<std::string> repositories,
                                   std::filesystem::path file);

}  // namespace entrepot::transfer
