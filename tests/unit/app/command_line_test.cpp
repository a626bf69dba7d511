#include "app/command_line.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

namespace entrepot::app::command_line_test {
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
  const auto parsed = parse({"serve",
                             "--config",
                             "f.yaml",
                             "--listen",
                             "127.0.0.1:1",
                             "--listen",
                             "127.0.0.1:2",
                             "--admin-listen",
                             "127.0.0.1:3",
                             "--data",
                             "/d",
                             "--upstream",
                             "a=http://x",
                             "--upstream=b=http://y?z=1",
                             "--log-level",
                             "debug",
                             "--log-format=json",
                             "--open",
                             "--external-url",
                             "https://r",
                             "--tls-certificate",
                             "c",
                             "--tls-key",
                             "k",
                             "--htpasswd",
                             "h"});
  ASSERT_TRUE(parsed.command) << parsed.error;
  const auto& flags = std::get<Serve>(*parsed.command).flags;
  EXPECT_EQ(flags.config, "f.yaml");
  EXPECT_THAT(flags.listen, ElementsAre("127.0.0.1:1", "127.0.0.1:2"));
  EXPECT_EQ(flags.admin_listen, "127.0.0.1:3");
  EXPECT_EQ(flags.data, "/d");
  EXPECT_THAT(flags.upstreams, ElementsAre("a=http://x", "b=http://y?z=1"));
  EXPECT_EQ(flags.log_level, "debug");
  EXPECT_EQ(flags.log_format, "json");
  EXPECT_EQ(flags.open, OpenToAll::yes);
  EXPECT_EQ(flags.external_url, "https://r");
  EXPECT_EQ(flags.tls_certificate, "c");
  EXPECT_EQ(flags.tls_key, "k");
  EXPECT_EQ(flags.htpasswd, "h");
}

template <class Told>
Told told(std::vector<const char*> words) {
  const auto parsed = parse(std::move(words));
  if (!parsed.command) throw std::runtime_error(parsed.error);
  return std::get<Told>(std::get<commands::Command>(*parsed.command));
}

TEST(CommandLine, sites_are_kept_in_step_by_word) {
  const auto sync = told<commands::Sync>({"sync", "from-paris", "--dry-run", "--json"});
  EXPECT_EQ(sync.rule, "from-paris");
  EXPECT_EQ(sync.trial, replication::Trial::dry);
  EXPECT_EQ(sync.output, commands::Output::json);
  EXPECT_EQ(told<commands::ListPeers>({"peers"}).output, commands::Output::text);
  using What = commands::ShowReplication::What;
  EXPECT_EQ(told<commands::ShowReplication>({"replication"}).what, What::rules);
  EXPECT_EQ(told<commands::ShowReplication>({"replication", "--waiting"}).what, What::waiting);
  EXPECT_EQ(parse({"sync"}).command.error(), ExitStatus::usage);
}

TEST(CommandLine, images_to_warm_come_as_words_or_lists) {
  const auto warm = told<commands::Warm>({"warm", "nginx", "quay.io/a/b:1", "--platform",
                                          "linux/amd64", "--platform", "linux/arm64", "--file",
                                          "list", "--from-kubernetes-list", "-", "--referrers"});
  EXPECT_THAT(warm.images, ElementsAre("nginx", "quay.io/a/b:1"));
  EXPECT_THAT(warm.platforms, ElementsAre("linux/amd64", "linux/arm64"));
  EXPECT_EQ(warm.list, "list");
  EXPECT_EQ(warm.kubernetes_list, "-");
  EXPECT_TRUE(warm.referrers);
}

TEST(CommandLine, bundles_are_wanted_created_and_applied) {
  const auto want = told<commands::WriteWant>(
      {"bundle", "want", "w", "--repository", "a/**", "--repository", "b"});
  EXPECT_EQ(want.file, "w");
  EXPECT_THAT(want.repositories, ElementsAre("a/**", "b"));
  const auto create = told<commands::CreateBundle>({"bundle", "create", "d", "a/b:1", "c", "--rule",
                                                    "r", "--for", "w", "--again", "ask",
                                                    "--volume-size", "650MiB", "--parity", "2"});
  EXPECT_EQ(create.directory, "d");
  EXPECT_THAT(create.images, ElementsAre("a/b:1", "c"));
  EXPECT_EQ(create.rule, "r");
  EXPECT_EQ(create.want, "w");
  EXPECT_EQ(create.again, "ask");
  EXPECT_EQ(create.volume_size, "650MiB");
  EXPECT_EQ(create.parity, 2U);
  const auto apply = told<commands::ApplyBundle>({"bundle", "apply", "d1", "d2", "--ask", "ask"});
  EXPECT_THAT(apply.paths, ElementsAre("d1", "d2"));
  EXPECT_EQ(apply.ask, "ask");
  EXPECT_EQ(told<commands::ApplyBundle>({"bundle", "apply", "--abandon", "7"}).abandon, "7");
  EXPECT_EQ(told<commands::ShowKey>({"bundle", "key"}).output, commands::Output::text);
  EXPECT_EQ(parse({"bundle"}).command.error(), ExitStatus::usage);
}

TEST(CommandLine, serve_takes_the_file_alone_as_registry_2_does) {
  const auto parsed = parse({"serve", "/etc/entrepot/config.yaml"});
  ASSERT_TRUE(parsed.command) << parsed.error;
  EXPECT_EQ(std::get<Serve>(*parsed.command).flags.config, "/etc/entrepot/config.yaml");
}

TEST(CommandLine, collection_under_both_its_names) {
  auto collect = told<commands::Collect>({"gc"});
  EXPECT_EQ(collect.trial, upkeep::Trial::real);
  EXPECT_FALSE(collect.untagged);
  EXPECT_EQ(collect.grace, "");
  collect =
      told<commands::Collect>({"gc", "--dry-run", "--delete-untagged", "--json", "--data=/d"});
  EXPECT_EQ(collect.trial, upkeep::Trial::dry_run);
  EXPECT_EQ(collect.untagged, upkeep::Untagged::remove);
  EXPECT_EQ(collect.output, commands::Output::json);
  EXPECT_EQ(collect.place.data, "/d");
  collect = told<commands::Collect>({"garbage-collect", "-m", "--dry-run", "/etc/config.yml"});
  EXPECT_EQ(collect.trial, upkeep::Trial::dry_run);
  EXPECT_EQ(collect.untagged, upkeep::Untagged::remove);
  EXPECT_EQ(collect.place.config, "/etc/config.yml");
  EXPECT_EQ(collect.grace, "0");
  EXPECT_EQ(told<commands::Collect>({"gc", "--grace", "5m"}).grace, "5m");
}

TEST(CommandLine, every_command_is_told_what_was_typed) {
  const auto adopt = told<commands::Adopt>({"adopt", "/old", "--copy", "--config", "f"});
  EXPECT_EQ(adopt.directory, "/old");
  EXPECT_EQ(adopt.files, store::BlobStore::Bring::copy);
  EXPECT_EQ(adopt.place.config, "f");
  const auto order = told<commands::Export>({"export", "team/app:v1", "/out"});
  EXPECT_EQ(order.image, "team/app:v1");
  EXPECT_EQ(order.directory, "/out");
  const auto user = told<commands::AddUser>({"user", "add", "--file", "h", "alice"});
  EXPECT_EQ(user.file, "h");
  EXPECT_EQ(user.name, "alice");
  EXPECT_EQ(told<commands::RemoveUser>({"user", "remove", "alice"}).name, "alice");
  EXPECT_EQ(told<commands::ListUsers>({"user", "list", "--file", "h"}).file, "h");
  EXPECT_EQ(told<commands::TagHistory>({"tag", "history", "a:b"}).image, "a:b");
  EXPECT_EQ(told<commands::RollBack>({"tag", "rollback", "a:b", "sha256:00"}).digest, "sha256:00");
  EXPECT_EQ(told<commands::DeleteRepository>({"repository", "delete", "a"}).name, "a");
  EXPECT_EQ(told<commands::ReadOnlyMode>({"read-only", "on"}).wanted, commands::Switch::on);
  EXPECT_EQ(told<commands::ReadOnlyMode>({"read-only", "off", "--data", "/d"}).place.data, "/d");
  EXPECT_EQ(told<commands::Reload>({"reload", "--data", "/d"}).place.data, "/d");
  EXPECT_EQ(told<commands::ListJobs>({"jobs", "--json"}).output, commands::Output::json);
  EXPECT_EQ(told<commands::Routes>({"routes", "--json"}).output, commands::Output::json);
}

TEST(CommandLine, serve_needs_no_flags) {
  const auto parsed = parse({"serve"});
  ASSERT_TRUE(parsed.command);
  const auto& flags = std::get<Serve>(*parsed.command).flags;
  EXPECT_FALSE(flags.config);
  EXPECT_TRUE(flags.upstreams.empty());
}

TEST(CommandLine, check_config_takes_a_file) {
  const auto parsed = parse({"check-config", "--config", "f.yaml"});
  ASSERT_TRUE(parsed.command);
  EXPECT_EQ(std::get<CheckConfig>(*parsed.command).flags.config, "f.yaml");
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
      {"serve", "one", "two"},
      {"serve", "--config", "one", "two"},
      {"gc", "extra"},
      {"adopt"},
      {"user"},
      {"user", "add"},
      {"tag", "rollback"},
      {"read-only", "maybe"},
      {"serve", "--config"},
      {"serve", "--data", "a", "--data", "b"},
      {"check-config", "--listen", "127.0.0.1:1"},
  };
  for (const auto& words : lines) {
    const auto parsed = parse(words);
    ASSERT_FALSE(parsed.command) << (words.empty() ? "" : words.back());
    EXPECT_EQ(parsed.command.error(), ExitStatus::usage);
    EXPECT_FALSE(parsed.error.empty());
  }
}

}  // namespace
}  // namespace entrepot::app::command_line_test
