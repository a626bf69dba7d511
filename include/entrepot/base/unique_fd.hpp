// Sole owner of a file descriptor; closes it on destruction. Shared readers hold
// std::shared_ptr<const UniqueFd>, which keeps a file readable after its name is gone.
#pragma once

#include <utility>

namespace entrepot::base {

class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    if (this != &other) reset(std::exchange(other.fd_, -1));
    return *this;
  }
  UniqueFd(const UniqueFd&) = delete;
  UniqueFd& operator=(const UniqueFd&) = delete;
  ~UniqueFd() { reset(); }

  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  int release() { return std::exchange(fd_, -1); }
  void reset(int fd = -1);

 private:
  int fd_ = -1;
};

// Throws std::system_error made of the current errno, saying what was attempted.
[[noreturn]] void throw_errno(const char* what);
[[noreturn]] void throw_errno(const char* what, const char* path);

}  // namespace entrepot::base
