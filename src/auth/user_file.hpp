// The htpasswd file while we run: read again when it changes, the last good version kept when the
// new one cannot be used (reliability.md ).
#pragma once

#include <sys/stat.h>

#include <filesystem>
#include <memory>
#include <mutex>

#include "auth/htpasswd.hpp"
#include "entrepot/base/clock.hpp"

namespace entrepot::auth {

// Thread-safe. Looks at the file when it is asked, at most once a second.
class UserFile {
 public:
  // Throws std::runtime_error naming file and line.
  UserFile(std::filesystem::path path, const base::Clock& clock);

  std::shared_ptr<const PasswordTable> current();

 private:
  void look_again();

  const std::filesystem::path path_;
  const base::Clock& clock_;
  std::mutex mutex_;  // guards everything below
  std::shared_ptr<const PasswordTable> users_;
  struct stat seen_{};  // the version that was read last, good or bad: a bad one is logged once
  bool missing_ = false;
  base::SteadyTime looked_;
};

}  // namespace entrepot::auth
