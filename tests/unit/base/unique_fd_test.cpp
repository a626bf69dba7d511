#include "entrepot/base/unique_fd.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/eventfd.h>

#include <cerrno>
#include <string>
#include <system_error>

namespace entrepot::base::unique_fd_test {
namespace {

bool is_open(int fd) { return ::fcntl(fd, F_GETFD) != -1; }

TEST(UniqueFd, closes_what_it_owns_once) {
  const int number = ::eventfd(0, EFD_CLOEXEC);
  {
    UniqueFd first(number);
    UniqueFd second(std::move(first));
    EXPECT_FALSE(first);  // NOLINT(bugprone-use-after-move): moved-from is empty, as promised
    EXPECT_TRUE(second);
    EXPECT_TRUE(is_open(number));
  }
  EXPECT_FALSE(is_open(number));
}

TEST(UniqueFd, assignment_closes_the_former) {
  const int former = ::eventfd(0, EFD_CLOEXEC);
  const int later = ::eventfd(0, EFD_CLOEXEC);
  UniqueFd fd(former);
  fd = UniqueFd(later);
  EXPECT_FALSE(is_open(former));
  EXPECT_EQ(fd.get(), later);
  EXPECT_EQ(fd.release(), later);
  EXPECT_FALSE(fd);
  UniqueFd(later).reset();
  EXPECT_FALSE(is_open(later));
}

TEST(ThrowErrno, says_what_was_attempted) {
  errno = ENOSPC;
  try {
    throw_errno("open", "/data/x");
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code(), std::errc::no_space_on_device);
    EXPECT_EQ(std::string(error.what()).find("open /data/x"), 0U);
  }
}

}  // namespace
}  // namespace entrepot::base::unique_fd_test
