#include "registry/disk_refusal.hpp"

#include <cerrno>
#include <chrono>

#include "entrepot/base/log.hpp"
#include "entrepot/oci/refusal.hpp"

namespace entrepot::registry {

void refuse_disk(const std::system_error& error) {
  base::log::error("disk refused what was pushed", {{"error", error.what()}});
  switch (error.code().value()) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      throw oci::Refusal(oci::ErrorCode::storage_full, "no room on disk");
    case EBUSY: {
      oci::Refusal refusal(oci::ErrorCode::unavailable, "the upload is just being put away");
      refusal.retry_after = std::chrono::seconds(1);
      throw refusal;
    }
    case EROFS:
    case EACCES:
    case EPERM:
      throw oci::Refusal(oci::ErrorCode::unavailable, "the disk cannot be written to");
    default:
      throw std::system_error(error);
  }
}

}  // namespace entrepot::registry
