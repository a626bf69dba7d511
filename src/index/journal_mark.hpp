// Finds out that an older copy of data.mdb was put back: positions of peers in the Journal would
// speak of rows that are other ones by now, so the Journal gets another id.
//
// <index>/journal.mark says which file data.mdb was (inode) and how far its Journal had come. It is
// written after every commit that made the Journal grow, by one pwrite() without a sync: it may lag
// behind after a loss of power, but is never ahead of its data.mdb. So a Journal behind its mark,
// or in another file, is another Journal. What this cannot see - a snapshot of the whole file
// system that was put back - peers see when they stand behind our newest row, and by their next
// summaries.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "entrepot/base/unique_fd.hpp"
#include "index/environment.hpp"

namespace entrepot::index {

class JournalMark {
 public:
  // Compares, and renews the id of the Journal when it must be.
  JournalMark(const std::filesystem::path& directory, Environment& environment);

  // The Journal's newest row is durable. Committer's thread.
  void move_to(std::uint64_t newest);

 private:
  std::string text(std::uint64_t newest) const;
  bool continues(std::uint64_t newest) const;

  base::UniqueFd file_;
  std::uint64_t inode_;
};

}  // namespace entrepot::index
