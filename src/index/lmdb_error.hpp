// LMDB's codes as the exceptions of the house.
#pragma once

#include <cerrno>
#include <string_view>

namespace entrepot::index {

// Negative codes are LMDB's own (std::runtime_error), positive ones errno (std::system_error).
[[noreturn]] void throw_lmdb(int code, std::string_view attempted);
void check_lmdb(int code, std::string_view attempted);

// There is no room: the map's end, the file system's, or a quota's.
bool is_full(int code);
// Runs a call of LMDB that may write pages and gives its code. LMDB answers EIO for a write that
// was cut short, which is how a disk fills up; no system call has failed then, which errno tells
// apart from a broken disk. Such a one becomes ENOSPC.
template <class Call>
int write_pages(Call call) {
  errno = 0;
  const int code = call();
  return code == EIO && errno == 0 ? ENOSPC : code;
}

// The disk or the index can no longer be believed; going on could acknowledge what is lost.
bool is_fatal(int code);

// Logs and ends the process (exit 70) without running anything else: LMDB reports a failed sync
// once, and its next commit pretends (reliability.md D-06).
[[noreturn]] void die_of(int code, std::string_view attempted);

}  // namespace entrepot::index
