#include "upkeep/round.hpp"

namespace entrepot::upkeep {

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
