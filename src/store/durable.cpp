#include "store/durable.hpp"

#include <unistd.h>

#include <cerrno>

#include "entrepot/base/log.hpp"
#include "entrepot/base/unique_fd.hpp"

namespace entrepot::store {
namespace {

void judge(int result, const char* attempted) {
  constexpr int internal_error = 70;
  if (result == 0) return;
  if (errno == EIO) {
    base::log::error("disk failed, ending the process",
                     {{"attempted", attempted}, {"error", "EIO"}});
    _exit(internal_error);
  }
  base::throw_errno(attempted);
}

}  // namespace

void sync_content(int file) { judge(fdatasync(file), "sync file"); }

void sync_names(int folder) { judge(fsync(folder), "sync directory"); }

}  // namespace entrepot::store
