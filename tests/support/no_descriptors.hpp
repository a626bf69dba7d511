// While it lives, this process gets no new descriptor.
#pragma once

#include <sys/resource.h>

#include <cerrno>
#include <exception>

#include "entrepot/base/log.hpp"
#include "entrepot/base/unique_fd.hpp"

namespace entrepot::test {

class NoDescriptors {
 public:
  NoDescriptors() {
    meet_what_will_be_needed();
    if (::getrlimit(RLIMIT_NOFILE, &before_) != 0) base::throw_errno("getrlimit");
    const rlimit none{.rlim_cur = 3, .rlim_max = before_.rlim_max};
    if (::setrlimit(RLIMIT_NOFILE, &none) != 0) base::throw_errno("setrlimit");
  }
  ~NoDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }
  NoDescriptors(const NoDescriptors&) = delete;
  NoDescriptors& operator=(const NoDescriptors&) = delete;

 private:
  // UndefinedBehaviorSanitizer looks at an object of a type it has not seen yet through a pipe:
  // without a descriptor it would take the exception and the log for garbage.
  static void meet_what_will_be_needed() {
    try {
      errno = EMFILE;
      base::throw_errno("none left", "yet");
    } catch (const std::exception& error) {
      base::log::warn("no descriptors from now on", {{"error", error.what()}});
    }
  }

  rlimit before_{};
};

}  // namespace entrepot::test
