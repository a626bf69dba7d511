#include "auth/htpasswd.hpp"

#include <gtest/gtest.h>

#include "auth/bcrypt.hpp"

namespace entrepot::auth::htpasswd_test {
namespace {

const std::string hash = "$2y$10$YFCrvgmKHzrqTm1CoUpIWuxO4szBkvRntepw9kpBKjkQ1Wu0qAZ0y";
const std::string good = "alice:" + hash + "\n";

std::string with_cost(const char* cost) {
  auto text = hash;
  return text.replace(4, 2, cost);
}

// Rows
TEST(Htpasswd, a_bad_line_spoils_the_whole_and_only_its_number_is_told) {
  struct Case {
    const char* what;
    std::string text;
    std::string line;  // "" when the text is good
  };
  const Case cases[] = {
      {"nothing", "", ""},
      {"one user", good, ""},
      {"no line end at the end", "alice:" + hash, ""},
      {"comments and blank lines", "# users\n\n  \n" + good, ""},
      {"CRLF", "alice:" + hash + "\r\nbob:" + hash + "\r\n", ""},
      {"$2a$ and $2b$", "a:$2a" + hash.substr(3) + "\nb:$2b" + hash.substr(3) + "\n", ""},
      {"a name with blanks and UTF-8", "Zo\xc3\xab van Dam:" + hash + "\n", ""},
      {"low cost", "alice:" + with_cost("05") + "\n", ""},
      {"highest cost", "alice:" + with_cost("14") + "\n", ""},
      {"cost above 14", good + "bob:" + with_cost("15") + "\n", "line 2 "},
      {"cost below 4", "bob:" + with_cost("03") + "\n", "line 1 "},
      {"cost that is no number", "bob:" + with_cost("1x") + "\n", "line 1 "},
      {"plain", good + "bob:password\n", "line 2 "},
      {"{SHA}", "bob:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=\n", "line 1 "},
      {"apr1", "bob:$apr1$TlUTkEJW$wQlXNBZ1xqjLXQjS9xUk61\n", "line 1 "},
      {"crypt", "bob:rqXexS6ZhobKA\n", "line 1 "},
      {"SHA-512 crypt", "bob:$6$abc$" + std::string(86, 'a') + "\n", "line 1 "},
      {"$2x$", "bob:$2x" + hash.substr(3) + "\n", "line 1 "},
      {"empty hash", good + good.substr(0, 0) + "bob:\n", "line 2 "},
      {"no colon", "\n\nbob\n", "line 3 "},
      {"empty name", ":" + hash + "\n", "line 1 "},
      {"name begins with a blank", " bob:" + hash + "\n", "line 1 "},
      {"name is not UTF-8", "b\xffob:" + hash + "\n", "line 1 "},
      {"control character", "b\tob:" + hash + "\n", "line 1 "},
      {"NUL", std::string("b\0b:", 4) + hash + "\n", "line 1 "},
      {"byte order mark", "\xef\xbb\xbf" + good, "line 1 "},
      {"byte order mark before a comment", "\xef\xbb\xbf# users\n" + good, "line 1 "},
      {"duplicate", good + "bob:" + hash + "\n" + good, "line 3 "},
      {"more behind the hash", "bob:" + hash + ":extra\n", "line 1 "},
      {"blank behind the hash", "bob:" + hash + " \n", "line 1 "},
      {"1 MB line", good + std::string(1 << 20, 'a') + ":" + hash + "\n", "line 2 "},
      {"cut", good + ("bob:" + hash).substr(0, 40), "line 2 "},
      {"cut by one character", good + "bob:" + hash.substr(0, 59), "line 2 "},
      {"old Mac line ends", "alice:" + hash + "\rbob:" + hash + "\r", "line 1 "},
  };
  for (const auto& each : cases) {
    const auto table = parse_htpasswd(each.text);
    EXPECT_EQ(table.has_value(), each.line.empty()) << each.what;
    if (table) continue;
    EXPECT_TRUE(table.error().starts_with(each.line)) << each.what << ": " << table.error();
    EXPECT_EQ(table.error().find("bob"), std::string::npos) << table.error();
    EXPECT_EQ(table.error().find("$2"), std::string::npos) << table.error();
  }
}

// Rows: A-12
TEST(Htpasswd, notices_lines_of_low_cost) {
  const auto table =
      parse_htpasswd("# c\na:" + with_cost("05") + "\n" + good + "b:" + with_cost("09") + "\n");
  ASSERT_TRUE(table);
  EXPECT_EQ(table->weak_lines(), (std::vector<std::size_t>{2, 4}));
}

TEST(Htpasswd, finds_whole_names_only) {
  const auto table = parse_htpasswd(good);
  ASSERT_TRUE(table);
  ASSERT_NE(table->hash_of("alice"), nullptr);
  EXPECT_EQ(*table->hash_of("alice"), hash);
  for (const auto* const name : {"", "Alice", "alic", "alice2"}) {
    EXPECT_EQ(table->hash_of(name), nullptr) << name;
  }
}

// Rows: A-11
TEST(Htpasswd, a_name_that_is_not_there_costs_what_some_user_costs) {
  const auto table = parse_htpasswd(good + "bob:" + with_cost("05") + "\n");
  ASSERT_TRUE(table);
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    EXPECT_TRUE(bcrypt_cost(table->stand_in(seed)));
    EXPECT_EQ(table->stand_in(seed), table->stand_in(seed));
  }
  EXPECT_NE(table->stand_in(0), table->stand_in(1));
  EXPECT_EQ(bcrypt_cost(PasswordTable().stand_in(7)), advised_cost);
}

TEST(Bcrypt, knows_its_own_and_other_programs_entries) {
  // "U*U" of the test vectors that came with crypt_blowfish.
  const std::string vector = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";
  EXPECT_TRUE(bcrypt_matches("U*U", vector));
  EXPECT_FALSE(bcrypt_matches("U*V", vector));
  const auto own = bcrypt_hash("secret", lowest_cost);
  EXPECT_EQ(bcrypt_cost(own), lowest_cost);
  EXPECT_TRUE(bcrypt_matches("secret", own));
  EXPECT_FALSE(bcrypt_matches("", own));
  EXPECT_FALSE(bcrypt_matches(std::string("secret\0", 7), own));
  EXPECT_FALSE(bcrypt_matches(std::string(10'000, 'a'), own));
  EXPECT_NE(own, bcrypt_hash("secret", lowest_cost));
}

}  // namespace
}  // namespace entrepot::auth::htpasswd_test
