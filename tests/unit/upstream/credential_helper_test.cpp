#include "upstream/credential_helper.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>
#include <fstream>

#include "support/temp_dir.hpp"

namespace entrepot::upstream::credential_helper_test {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

const std::string answer = R"({"Username":"bob","Secret":"hunter2"})";

class CredentialHelper : public testing::Test {
 protected:
  CredentialHelper() {
    const std::string path = dir_.path().string() + ":" + path_before_;
    ::setenv("PATH", path.c_str(), 1);
  }
  ~CredentialHelper() override { ::setenv("PATH", path_before_.c_str(), 1); }

  std::expected<Account, std::string> ask(const std::string& script) {
    const auto file = dir_.path() / "docker-credential-lab";
    std::ofstream(file) << "#!/bin/sh\ncat >/dev/null\n" << script;
    std::filesystem::permissions(file, std::filesystem::perms::owner_all);
    return ask_credential_helper({"lab", "registry.example"}, 300ms);
  }

  test::TempDir dir_;
  std::string path_before_ = ::getenv("PATH");
};

TEST_F(CredentialHelper, tells_an_account) {
  const auto account = ask("echo '" + answer + "'\n");
  ASSERT_TRUE(account) << account.error();
  EXPECT_EQ(account->username, "bob");
}

TEST_F(CredentialHelper, that_fails_is_an_error) {
  EXPECT_FALSE(ask("echo '" + answer + "'; exit 1\n"));
  EXPECT_TRUE(ask("echo 'credentials not found in native keychain'; exit 1\n")->anonymous());
}

TEST_F(CredentialHelper, that_does_not_end_is_ended_in_time) {
  const std::string remembers = "echo $$ > '" + (dir_.path() / "pid").string() + "'\n";
  for (const std::string& rest : {std::string("sleep 60\n"), "echo '" + answer + "'; sleep 60\n",
                                  "echo '" + answer + "'; exec 1>&-; sleep 60\n"}) {
    const auto began = Clock::now();
    EXPECT_FALSE(ask(remembers + rest)) << rest;
    EXPECT_LT(Clock::now() - began, 5s) << rest;
    pid_t group = 0;
    std::ifstream(dir_.path() / "pid") >> group;
    ASSERT_GT(group, 1);
    EXPECT_NE(::kill(group, 0), 0) << "left behind: " << rest;
  }
}

}  // namespace
}  // namespace entrepot::upstream::credential_helper_test
