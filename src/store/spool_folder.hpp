// <data>/spool, and which named Spools are open. Thread-safe.
#pragma once

#include <mutex>
#include <set>
#include <string>

#include "entrepot/oci/digest.hpp"
#include "store/folder.hpp"

namespace entrepot::store {

class SpoolFolder {
 public:
  explicit SpoolFolder(Folder folder) : folder_(std::move(folder)) {}

  const Folder& folder() const { return folder_; }

  // Throws std::system_error (EBUSY) when a Spool of this digest is open.
  void reserve(const oci::Digest& digest);
  void release(const oci::Digest& digest);

  // Removes the anonymous Spools of an earlier run; reports names it does not know.
  void sweep() const;

 private:
  Folder folder_;
  std::mutex mutex_;  // guards open_
  std::set<oci::Digest> open_;
};

}  // namespace entrepot::store
