#include "app/flags.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/config_error.hpp"
#include "config_files.hpp"

namespace entrepot::app::flags_test {
namespace {

using std::chrono::seconds;
using test::ConfigFiles;
using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::string> addresses(const Config& config) {
  std::vector<std::string> found;
  for (const auto& listener : config.listen) found.push_back(listener.address);
  return found;
}

TEST(Flags, win_over_the_file) {
  const ConfigFiles files;
  Flags flags;
  flags.config =
      files.write("config.yaml", "listen: \"127.0.0.1:1\"\ndata: /file\ndrain: 3s\n").string();
  flags.listen = {"127.0.0.1:2", "127.0.0.1:3"};
  flags.admin_listen = "127.0.0.1:4";
  flags.data = "/flag";
  flags.log_level = "error";
  flags.log_format = "json";
  flags.upstreams = {"lab=http://127.0.0.1:5050", "hub=https://registry-1.docker.io"};
  const auto config = load_config(flags);
  EXPECT_THAT(addresses(config), ElementsAre("127.0.0.1:2", "127.0.0.1:3"));
  EXPECT_EQ(config.admin_listen, "127.0.0.1:4");
  EXPECT_EQ(config.data, "/flag");
  EXPECT_EQ(config.drain, seconds(3));
  EXPECT_EQ(config.log_level, base::log::Level::error);
  EXPECT_EQ(config.log_format, base::log::Format::json);
  ASSERT_EQ(config.upstreams.size(), 2U);
  EXPECT_EQ(config.upstreams[0].name(), "lab");
  EXPECT_THAT(config.upstreams[0].aliases, ElementsAre("127.0.0.1:5050"));
  EXPECT_EQ(config.upstreams[1].official_images, registry::OfficialImages::yes);
}

TEST(Flags, tls_is_for_every_address_but_unix_sockets_and_those_that_have_it) {
  const ConfigFiles files;
  const auto pem = files.write("a.pem", "x").string();
  const auto other = files.write("b.pem", "x").string();
  Flags flags;
  flags.config = files
                     .write("config.yaml",
                            "listen:\n  - \"127.0.0.1:1\"\n  - unix:/tmp/s\n"
                            "  - {address: \"127.0.0.1:2\", tls: {certificate: b.pem, key: "
                            "b.pem}}\n")
                     .string();
  flags.tls_certificate = flags.tls_key = pem;
  const auto config = load_config(flags);
  ASSERT_EQ(config.listen.size(), 3U);
  EXPECT_EQ(config.listen[0].tls.value().certificate, pem);
  EXPECT_FALSE(config.listen[1].tls);
  EXPECT_EQ(config.listen[2].tls.value().certificate, other);
}

TEST(Flags, open_makes_rules_where_there_are_none_only) {
  Flags flags;
  flags.open = OpenToAll::yes;
  const auto config = load_config(flags);
  ASSERT_TRUE(config.access.rules);
  EXPECT_TRUE(config.access.rules->front().may.allow(auth::Right::push));
  const ConfigFiles files;
  flags.config = files.write("config.yaml", "access: {rules: []}\n").string();
  EXPECT_THROW(load_config(flags), std::invalid_argument);
}

TEST(Flags, mistakes_name_the_flag) {
  struct {
    Flags flags;
    std::string_view says;
  } const cases[] = {
      {{.listen = {"nowhere"}}, "--listen"},
      {{.admin_listen = "x"}, "--admin-listen"},
      {{.external_url = "registry.example"}, "--external-url"},
      {{.tls_certificate = "/none"}, "--tls-key"},
      {{.tls_key = "/none"}, "--tls-certificate"},
      {{.tls_certificate = "/none", .tls_key = "/none"}, "no such file"},
      {{.htpasswd = "/none"}, "--htpasswd"},
      {{.upstreams = {"http://x"}}, "--upstream"},
      {{.upstreams = {"A=http://x"}}, "'A'"},
      {{.upstreams = {"a=x"}}, "--upstream"},
      {{.upstreams = {"a=http://x", "a=http://y"}}, "twice"},
      {{.log_level = "loud"}, "--log-level"},
      {{.log_format = "xml"}, "--log-format"},
  };
  for (const auto& each : cases) {
    Config config;
    try {
      apply_flags(config, each.flags);
      ADD_FAILURE() << each.says;
    } catch (const std::invalid_argument& error) {
      EXPECT_THAT(error.what(), HasSubstr(std::string(each.says)));
    }
  }
}

}  // namespace
}  // namespace entrepot::app::flags_test
