#include "store/write_at.hpp"

#include <unistd.h>

#include <cerrno>

#include "entrepot/base/unique_fd.hpp"

namespace entrepot::store {

void write_at(int fd, base::ByteView bytes, std::uint64_t offset) {
  while (!bytes.empty()) {
    const auto written = pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) base::throw_errno("write spool");
    bytes = bytes.subspan(static_cast<std::size_t>(written));
    offset += static_cast<std::uint64_t>(written);
  }
}

}  // namespace entrepot::store
