// The sessions that ended in a blob a while ago, for clients that lost our 201 and ask again.
// Bounded, forgotten by a restart. Thread-safe.
#pragma once

#include <deque>
#include <mutex>
#include <string>
#include <unordered_map>

#include "entrepot/registry/uploads.hpp"

namespace entrepot::registry {

class FinishedUploads {
 public:
  void remember(UploadKey key, const oci::Digest& digest);
  bool in(const UploadKey& key, const oci::Digest& digest) const;

 private:
  struct End {
    UploadKey key;
    oci::Digest digest;
  };
  mutable std::mutex mutex_;  // guards everything below
  std::unordered_map<std::string, End> ends_;
  std::deque<std::string> order_;  // ids, the oldest first
};

}  // namespace entrepot::registry
