#include "entrepot/base/unique_fd.hpp"

#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>

namespace entrepot::base {

void UniqueFd::reset(int fd) {
  // Linux frees the number even when close() is interrupted: never try again.
  if (fd_ >= 0) ::close(fd_);
  fd_ = fd;
}

void throw_errno(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

void throw_errno(const char* what, const char* path) {
  const int error = errno;
  throw std::system_error(error, std::generic_category(), std::string(what) + " " + path);
}

}  // namespace entrepot::base
