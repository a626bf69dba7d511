#include <gmock/gmock.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>

#include "entrepot/store/blob_store.hpp"
#include "support/temp_dir.hpp"

namespace entrepot::store::directory_lock_test {
namespace {

// A process that holds the lock until it is killed.
class Holder {
 public:
  explicit Holder(const std::filesystem::path& data) {
    std::array<int, 2> ends{};
    if (pipe(ends.data()) != 0) throw std::runtime_error("pipe");
    pid_ = fork();
    if (pid_ == 0) hold(data, ends[1]);
    close(ends[1]);
    char byte = 0;
    holds_ = ::read(ends[0], &byte, 1) == 1;
    close(ends[0]);
  }
  ~Holder() { kill_9(); }
  Holder(const Holder&) = delete;
  Holder& operator=(const Holder&) = delete;

  bool holds() const { return holds_; }
  pid_t pid() const { return pid_; }
  void kill_9() {
    if (pid_ <= 0) return;
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }

 private:
  [[noreturn]] static void hold(const std::filesystem::path& data, int told) {
    try {
      const DirectoryLock lock(data);
      if (::write(told, "x", 1) == 1) pause();
    } catch (...) {
    }
    _exit(1);
  }
  pid_t pid_ = -1;
  bool holds_ = false;
};

// Rows: D-14
TEST(DirectoryLock, a_second_process_is_told_who_holds_it) {
  const test::TempDir data;
  Holder holder(data.path());
  ASSERT_TRUE(holder.holds());
  try {
    const DirectoryLock second(data.path());
    FAIL() << "two daemons on one directory";
  } catch (const DirectoryInUse& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr(std::to_string(holder.pid())));
    EXPECT_THAT(error.what(), testing::HasSubstr(data.path().string()));
  }
}

// Rows: D-14
TEST(DirectoryLock, kill_9_leaves_no_lock) {
  const test::TempDir data;
  Holder holder(data.path());
  ASSERT_TRUE(holder.holds());
  holder.kill_9();
  EXPECT_NO_THROW(DirectoryLock(data.path()));
}

// Rows: D-14
TEST(DirectoryLock, also_holds_within_one_process_and_ends_with_its_object) {
  const test::TempDir dir;
  const auto data = dir.path() / "made" / "here";
  {
    const DirectoryLock first(data);
    EXPECT_EQ(std::filesystem::status(data).permissions(), std::filesystem::perms::owner_all);
    EXPECT_THROW(DirectoryLock{data}, DirectoryInUse);
    EXPECT_THROW(DirectoryLock{data}, DirectoryInUse) << "a refused one does not free it";
  }
  EXPECT_NO_THROW(DirectoryLock{data});
}

TEST(DirectoryLock, a_place_where_nothing_can_be_is_an_error) {
  EXPECT_THROW(DirectoryLock("/proc/entrepot"), std::system_error);
}

}  // namespace
}  // namespace entrepot::store::directory_lock_test
