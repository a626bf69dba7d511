#include "app/command_line.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

namespace entrepot::app {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

struct Parsed {
  std::expected<Command, ExitStatus> command;
  std::string out;
  std::string error;
};

Parsed parse(std::vector<const char*> words) {
  words.insert(words.begin(), "entrepot");
  std::ostringstream out;
  std::ostringstream error;
  auto command = parse_command_line(static_cast<int>(words.size()), words.data(), out, error);
  return {std::move(command), out.str(), error.str()};
}

TEST(CommandLine, serve_takes_all_flags) {
  const auto parsed =
      parse({"serve", "--config", "f.yaml", "--listen", "127.0.0.1:1", "--listen", "127.0.0.1:2",
             "--admin-listen", "127.0.0.1:3", "--data", "/d", "--upstream", "a=http://x",
             "--upstream=b=http://y?z=1", "--log-level", "debug", "--log-format=json"});
  ASSERT_TRUE(parsed.command) << parsed.error;
  EXPECT_EQ(parsed.command->verb, Verb::serve);
  const auto& flags = parsed.command->flags;
  EXPECT_EQ(flags.config, "f.yaml");
  EXPECT_THAT(flags.listen, ElementsAre("127.0.0.1:1", "127.0.0.1:2"));
  EXPECT_EQ(flags.admin_listen, "127.0.0.1:3");
  EXPECT_EQ(flags.data, "/d");
  EXPECT_THAT(flags.upstreams, ElementsAre("a=http://x", "b=http://y?z=1"));
  EXPECT_EQ(flags.log_level, "debug");
  EXPECT_EQ(flags.log_format, "json");
}

TEST(CommandLine, serve_needs_no_flags) {
  const auto parsed = parse({"serve"});
  ASSERT_TRUE(parsed.command);
  EXPECT_FALSE(parsed.command->flags.config);
  EXPECT_TRUE(parsed.command->flags.upstreams.empty());
}

TEST(CommandLine, check_config_takes_a_file) {
  const auto parsed = parse({"check-config", "--config", "f.yaml"});
  ASSERT_TRUE(parsed.command);
  EXPECT_EQ(parsed.command->verb, Verb::check_config);
  EXPECT_EQ(parsed.command->flags.config, "f.yaml");
}

TEST(CommandLine, help_and_version_end_cleanly) {
  for (const auto word : {"--version", "version"}) {
    const auto parsed = parse({word});
    ASSERT_FALSE(parsed.command);
    EXPECT_EQ(parsed.command.error(), ExitStatus::clean);
    EXPECT_THAT(parsed.out, testing::StartsWith("entrepot "));
  }
  const auto help = parse({"serve", "--help"});
  ASSERT_FALSE(help.command);
  EXPECT_EQ(help.command.error(), ExitStatus::clean);
  EXPECT_THAT(help.out, HasSubstr("--upstream"));
}

TEST(CommandLine, mistakes_are_usage_errors) {
  const std::vector<const char*> lines[] = {
      {},
      {"banana"},
      {"serve", "--banana"},
      {"serve", "extra"},
      {"serve", "--config"},
      {"serve", "--data", "a", "--data", "b"},
      {"check-config", "--listen", "127.0.0.1:1"},
      {"serve", "check-config"},
  };
  for (const auto& words : lines) {
    const auto parsed = parse(words);
    ASSERT_FALSE(parsed.command) << (words.empty() ? "" : words.back());
    EXPECT_EQ(parsed.command.error(), ExitStatus::usage);
    EXPECT_FALSE(parsed.error.empty());
  }
}

}  // namespace
}  // namespace entrepot::app
