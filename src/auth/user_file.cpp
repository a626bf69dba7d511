#include "auth/user_file.hpp"

#include <stdexcept>

#include "auth/small_file.hpp"
#include "entrepot/base/log.hpp"

namespace entrepot::auth {
namespace {

constexpr base::Seconds between_looks(1);

void warn_of_weak(const std::filesystem::path& path, const PasswordTable& users) {
  if (users.weak_lines().empty()) return;
  base::log::warn("htpasswd entries with a bcrypt cost below 10",
                  {{"file", path.string()},
                   {"entries", users.weak_lines().size()},
                   {"first_line", users.weak_lines().front()}});
}

}  // namespace

UserFile::UserFile(std::filesystem::path path, const base::Clock& clock)
    : path_(std::move(path)), clock_(clock), looked_(clock.steady()) {
  const auto file = read_small_file(path_);
  if (!file) throw std::runtime_error("cannot read " + path_.string() + ": " + file.error());
  auto users = parse_htpasswd(file->text);
  if (!users) throw std::runtime_error(path_.string() + ": " + users.error());
  warn_of_weak(path_, *users);
  users_ = std::make_shared<const PasswordTable>(std::move(*users));
  seen_ = file->state;
}

std::shared_ptr<const PasswordTable> UserFile::current() {
  const std::lock_guard lock(mutex_);
  const auto now = clock_.steady();
  if (now - looked_ >= between_looks) {
    looked_ = now;
    look_again();
  }
  return users_;
}

void UserFile::look_again() {
  struct stat now{};
  if (::stat(path_.c_str(), &now) != 0) {
    if (!missing_) {
      base::log::error("htpasswd file is gone, users stay as they were",
                       {{"file", path_.string()}});
    }
    missing_ = true;
    return;
  }
  missing_ = false;
  if (same_version(now, seen_)) return;
  const auto file = read_small_file(path_);
  if (!file) return;  // somebody is writing it; there is another look in a second
  seen_ = file->state;
  auto users = parse_htpasswd(file->text);
  if (!users) {
    base::log::error("htpasswd file cannot be used, users stay as they were",
                     {{"file", path_.string()}, {"error", users.error()}});
    return;
  }
  warn_of_weak(path_, *users);
  base::log::info("htpasswd file read again", {{"file", path_.string()}, {"users", users->size()}});
  users_ = std::make_shared<const PasswordTable>(std::move(*users));
}

}  // namespace entrepot::auth
