#include "index/lmdb_error.hpp"

#include <lmdb.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>
#include <string>
#include <system_error>

#include "entrepot/base/log.hpp"

namespace entrepot::index {

void throw_lmdb(int code, std::string_view attempted) {
  const auto what = "index: " + std::string(attempted);
  if (code > 0) throw std::system_error(code, std::generic_category(), what);
  throw std::runtime_error(what + ": " + mdb_strerror(code));
}

void check_lmdb(int code, std::string_view attempted) {
  if (code != MDB_SUCCESS) throw_lmdb(code, attempted);
}

bool is_full(int code) {
  return code == MDB_MAP_FULL || code == MDB_TXN_FULL || code == ENOSPC || code == EDQUOT ||
         code == EFBIG;
}

bool is_fatal(int code) {
  return code == EIO || code == MDB_PANIC || code == MDB_CORRUPTED || code == MDB_PAGE_NOTFOUND ||
         code == MDB_PAGE_FULL || code == MDB_CURSOR_FULL;
}

void die_of(int code, std::string_view attempted) {
  constexpr int internal_error = 70;
  base::log::error("index failed, ending the process",
                   {{"attempted", attempted}, {"error", mdb_strerror(code)}});
  _exit(internal_error);
}

}  // namespace entrepot::index
