// <data>/spool: which named Spools are open, what belongs to an upload session, and what an earlier
// run left behind. Thread-safe.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "entrepot/base/clock.hpp"
#include "store/closer.hpp"
#include "store/folder.hpp"

namespace entrepot::store {

class SpoolFolder {
 public:
  SpoolFolder(Folder folder, std::shared_ptr<Closer> closer)
      : folder_(std::move(folder)), closer_(std::move(closer)) {}

  const Folder& folder() const { return folder_; }
  Closer& closer() const { return *closer_; }

  // Throws std::system_error (EBUSY) when a Spool of this name is open.
  void reserve(const std::string& name);
  void release(const std::string& name);

  // The words beside an upload's bytes, put there whole or not at all; absent when there are none.
  void write_notes(const std::string& id, std::string_view notes) const;
  std::optional<std::string> notes(const std::string& id) const;
  // Both files of the session; absent is fine.
  void remove_upload(const std::string& id) const;

  // Removes the anonymous Spools of an earlier run, fills untouched since `stale`, and of upload
  // sessions what misses its other half; reports names it does not know.
  void sweep(base::WallTime stale) const;

 private:
  void sweep_one(const std::string& name, base::WallTime stale) const;

  Folder folder_;
  std::shared_ptr<Closer> closer_;
  std::mutex mutex_;  // guards open_
  std::set<std::string> open_;
};

base::WallTime written_at(const struct stat& info);

}  // namespace entrepot::store
