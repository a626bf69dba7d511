#include "store/spool_folder.hpp"

#include <system_error>

#include "entrepot/base/log.hpp"
#include "store/layout.hpp"

namespace entrepot::store {

void SpoolFolder::reserve(const oci::Digest& digest) {
  const std::lock_guard lock(mutex_);
  if (!open_.insert(digest).second) {
    throw std::system_error(std::make_error_code(std::errc::device_or_resource_busy),
                            "spool of " + digest.text());
  }
}

void SpoolFolder::release(const oci::Digest& digest) {
  const std::lock_guard lock(mutex_);
  open_.erase(digest);
}

void SpoolFolder::sweep() const {
  for (const auto& name : folder_.names()) {
    switch (layout::classify_spool(name)) {
      case layout::SpoolName::fill:
        break;
      case layout::SpoolName::anonymous:
        folder_.remove(name);
        break;
      case layout::SpoolName::unknown:
        base::log::warn("unknown file in spool left alone", {{"name", name}});
        break;
    }
  }
}

}  // namespace entrepot::store
