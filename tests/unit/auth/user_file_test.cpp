#include "auth/user_file.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include "unit/auth/gate_house.hpp"

namespace entrepot::auth::user_file_test {
namespace {

using std::chrono::milliseconds;

struct UserFiles : testing::Test {
  void next_look() { house.clock.advance(milliseconds(1001)); }
  bool knows(UserFile& file, const std::string& name) {
    return file.current()->hash_of(name) != nullptr;
  }
  GateHouse house;
};

// Rows: A-09
TEST_F(UserFiles, a_change_is_seen_within_a_second) {
  UserFile file(house.file("htpasswd"), house.clock);
  EXPECT_TRUE(knows(file, "alice"));
  house.write_users(entry("carol", "c"));
  house.clock.advance(milliseconds(999));
  EXPECT_TRUE(knows(file, "alice")) << "looked more than once a second";
  house.clock.advance(milliseconds(1));
  EXPECT_FALSE(knows(file, "alice"));
  EXPECT_TRUE(knows(file, "carol"));
}

// Rows: A-14
TEST_F(UserFiles, the_old_users_stay_while_the_file_is_bad_or_gone) {
  UserFile file(house.file("htpasswd"), house.clock);
  house.write_users("carol:plain\n");
  next_look();
  EXPECT_TRUE(knows(file, "alice"));
  EXPECT_FALSE(knows(file, "carol"));
  std::filesystem::remove(house.file("htpasswd"));
  next_look();
  EXPECT_TRUE(knows(file, "alice"));
  house.write_users(entry("carol", "c"));
  next_look();
  EXPECT_FALSE(knows(file, "alice"));
  EXPECT_TRUE(knows(file, "carol"));
}

// Rows: A-14
TEST_F(UserFiles, a_bad_file_is_logged_once_and_says_nothing_of_the_line) {
  UserFile file(house.file("htpasswd"), house.clock);
  house.write_users("# c\ncarol:hunter2\n");
  testing::internal::CaptureStderr();
  for (int i = 0; i < 5; ++i) {
    next_look();
    file.current();
  }
  const auto log = testing::internal::GetCapturedStderr();
  const auto first = log.find("line 2");
  EXPECT_NE(first, log.npos) << log;
  EXPECT_EQ(log.find("line 2", first + 1), log.npos) << log;
  EXPECT_EQ(log.find("hunter2"), log.npos) << log;
  EXPECT_EQ(log.find("carol"), log.npos) << log;
}

// Rows: K-04
TEST_F(UserFiles, a_change_that_keeps_the_time_is_seen_too) {
  const auto path = house.file("htpasswd");
  UserFile file(path, house.clock);
  struct stat before{};
  ASSERT_EQ(::stat(path.c_str(), &before), 0);
  write_file(path, entry("carol", "c") + entry("dave", "d"));
  const timespec times[] = {before.st_atim, before.st_mtim};
  ASSERT_EQ(::utimensat(AT_FDCWD, path.c_str(), times, 0), 0);
  next_look();
  EXPECT_TRUE(knows(file, "carol"));
}

TEST_F(UserFiles, what_is_no_file_is_refused_at_once) {
  EXPECT_THROW(UserFile(house.file("none"), house.clock), std::runtime_error);
  EXPECT_THROW(UserFile(house.dir.path(), house.clock), std::runtime_error);
  ASSERT_EQ(::mkfifo(house.file("pipe").c_str(), 0600), 0);
  EXPECT_THROW(UserFile(house.file("pipe"), house.clock), std::runtime_error);
  house.write_users("x\n");
  try {
    UserFile(house.file("htpasswd"), house.clock);
    ADD_FAILURE();
  } catch (const std::runtime_error& error) {
    EXPECT_NE(std::string(error.what()).find("htpasswd: line 1"), std::string::npos);
  }
}

}  // namespace
}  // namespace entrepot::auth::user_file_test
