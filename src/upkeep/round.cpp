#include "upkeep/round.hpp"

#include "entrepot/base/log.hpp"

namespace entrepot::upkeep {
namespace {

// Every destructive act is on record (reliability.md O-12).
void record(const Removal& removal) {
  base::log::info("removed", {{"kind", to_string(removal.kind)},
                              {"repository", removal.repository},
                              {"digest", removal.digest.text()},
                              {"bytes", removal.bytes},
                              {"reason", removal.reason}});
}

}  // namespace

void Round::removed(const Removal& removal) {
  switch (removal.kind) {
    case Removal::Kind::link:
      ++report.links;
      break;
    case Removal::Kind::blob:
      ++report.blobs;
      report.bytes += removal.bytes;
      break;
    case Removal::Kind::manifest:
      ++report.manifests;
      break;
    case Removal::Kind::unknown_file:
      ++report.unknown_files;
      break;
    case Removal::Kind::lost_row:
      ++report.lost_rows;
      break;
  }
  if (!dry) record(removal);
  if (tell_) tell_(removal);
}

std::string_view to_string(Removal::Kind kind) {
  switch (kind) {
    case Removal::Kind::link:
      return "link";
    case Removal::Kind::blob:
      return "blob";
    case Removal::Kind::manifest:
      return "manifest";
    case Removal::Kind::unknown_file:
      return "unknown_file";
    case Removal::Kind::lost_row:
      return "lost_row";
  }
  return "link";
}

}  // namespace entrepot::upkeep
