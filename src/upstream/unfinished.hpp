// Uploads that were given up and may be gone on with: what arrived is not sent again by whoever
// comes with the same blob next.
#pragma once

#include <deque>
#include <mutex>
#include <optional>
#include <utility>

#include "upstream/upload.hpp"

namespace entrepot::upstream {

// Remembers the newest few hundred. Thread-safe.
class Unfinished {
 public:
  using Key = std::pair<oci::RepositoryName, oci::Digest>;

  void keep(Key key, Upload upload);
  std::optional<Upload> take(const Key& key);

 private:
  static constexpr std::size_t most = 256;
  std::mutex mutex_;  // guards kept_
  std::deque<std::pair<Key, Upload>> kept_;
};

}  // namespace entrepot::upstream
