#include "store/closer.hpp"

#include <sys/stat.h>

#include <cstdint>
#include <exception>
#include <utility>

#include "entrepot/base/log.hpp"

namespace entrepot::store {
namespace {

constexpr off_t large = off_t{16} << 20;

bool gives_back_much(int fd) {
  struct stat info{};
  return fstat(fd, &info) == 0 && info.st_nlink == 0 && info.st_size >= large;
}

}  // namespace

std::shared_ptr<const base::UniqueFd> Closer::share(base::UniqueFd fd) {
  const auto hand_over = [self = shared_from_this()](base::UniqueFd* held) {
    self->close(std::move(*held));
    delete held;
  };
  return {new base::UniqueFd(std::move(fd)), hand_over};
}

void Closer::retire() {
  const std::lock_guard lock(mutex_);
  pool_ = nullptr;
}

void Closer::close(base::UniqueFd fd) noexcept {
  if (!gives_back_much(fd.get())) return;
  try {
    const auto left = std::make_shared<base::UniqueFd>(std::move(fd));
    const std::lock_guard lock(mutex_);
    if (pool_ != nullptr) pool_->post([left] { left->reset(); });
  } catch (const std::exception& error) {
    base::log::warn("large file closed in place", {{"error", error.what()}});
  }
}

}  // namespace entrepot::store
