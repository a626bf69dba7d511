#include "entrepot/auth/password_file.hpp"

#include <sys/stat.h>

#include "auth/small_file.hpp"
#include "unit/auth/gate_house.hpp"

namespace entrepot::auth::password_file_test {
namespace {

struct PasswordFiles : testing::Test {
  std::string text() const { return required_text(path); }
  unsigned mode() const {
    struct stat state{};
    ::stat(path.c_str(), &state);
    return state.st_mode & 07777U;
  }
  bool opens(const std::string& name, const std::string& password) const {
    const auto table = parse_htpasswd(text());
    return table && table->hash_of(name) != nullptr &&
           bcrypt_matches(password, *table->hash_of(name));
  }

  test::TempDir dir;
  std::filesystem::path path = dir.path() / "htpasswd";
};

TEST_F(PasswordFiles, is_made_for_the_first_user) {
  set_password(path, "alice", "secret");
  EXPECT_EQ(mode(), 0600U);
  EXPECT_TRUE(opens("alice", "secret"));
  EXPECT_TRUE(text().starts_with("alice:$2y$10$"));
  EXPECT_EQ(users(path), std::vector<std::string>{"alice"});
}

TEST_F(PasswordFiles, leaves_other_lines_mode_and_order_as_they_were) {
  const auto bob = entry("bob", "b");
  const auto carol = entry("carol", "c");
  write_file(path, "# our users\n" + bob + "\n" + entry("alice", "a") + carol);
  ::chmod(path.c_str(), 0640);
  set_password(path, "alice", "new");
  const auto after = text();
  EXPECT_TRUE(after.starts_with("# our users\n" + bob + "\nalice:$2y$10$"));
  EXPECT_TRUE(after.ends_with(carol));
  EXPECT_TRUE(opens("alice", "new"));
  EXPECT_EQ(mode(), 0640U);
  EXPECT_TRUE(remove_user(path, "alice"));
  EXPECT_EQ(text(), "# our users\n" + bob + "\n" + carol);
  EXPECT_FALSE(remove_user(path, "alice"));
  EXPECT_EQ(users(path), (std::vector<std::string>{"bob", "carol"}));
}

TEST_F(PasswordFiles, a_last_line_without_its_end_stays_a_line) {
  auto bob = entry("bob", "b");
  bob.pop_back();
  write_file(path, bob);
  set_password(path, "alice", "a");
  EXPECT_TRUE(text().starts_with(bob + "\nalice:"));
}

TEST_F(PasswordFiles, follows_a_link_instead_of_replacing_it) {
  const auto link = dir.path() / "link";
  write_file(path, entry("bob", "b"));
  std::filesystem::create_symlink("htpasswd", link);
  set_password(link, "alice", "a");
  EXPECT_TRUE(std::filesystem::is_symlink(link));
  EXPECT_TRUE(opens("alice", "a"));
}

TEST_F(PasswordFiles, refuses_what_could_not_be_loaded_again) {
  for (const auto* const name : {"", "a:b", "#a", " a", "a\nb"}) {
    EXPECT_THROW(set_password(path, name, "x"), std::invalid_argument) << name;
  }
  EXPECT_THROW(set_password(path, "a", ""), std::invalid_argument);
  EXPECT_THROW(set_password(path, "a", std::string(73, 'a')), std::invalid_argument);
  EXPECT_THROW(set_password(path, "a", std::string("a\0b", 3)), std::invalid_argument);
  EXPECT_FALSE(std::filesystem::exists(path));
  write_file(path, "bob:plain\n");
  EXPECT_THROW(set_password(path, "a", "b"), std::runtime_error);
  EXPECT_THROW(remove_user(path, "bob"), std::runtime_error);
  EXPECT_THROW(users(path), std::runtime_error);
  EXPECT_EQ(text(), "bob:plain\n");
}

TEST_F(PasswordFiles, leaves_nothing_beside_it) {
  set_password(path, "alice", "a");
  set_password(path, "bob", "b");
  remove_user(path, "alice");
  std::size_t files = 0;
  for ([[maybe_unused]] const auto& each : std::filesystem::directory_iterator(dir.path())) ++files;
  EXPECT_EQ(files, 1U);
}

}  // namespace
}  // namespace entrepot::auth::password_file_test
