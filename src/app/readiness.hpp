// Why we should not be asked just now (/readyz): draining, or a disk that takes nothing.
//
// reason() is read by probes and never waits: the disk is looked at in the background, on the
// blocking pool. Thread-safe.
#pragma once

#include <filesystem>
#include <mutex>
#include <string>

#include "entrepot/store/blob_store.hpp"

namespace entrepot::app {

class Readiness {
 public:
  // Empty while we can serve.
  std::string reason() const;

  void begin_draining();
  bool draining() const;

  // Blocks for the file system's sake.
  void look_at_disk(const store::BlobStore& store, const std::filesystem::path& data);

 private:
  mutable std::mutex mutex_;  // guards everything below
  bool draining_ = false;
  std::string disk_;
};

}  // namespace entrepot::app
