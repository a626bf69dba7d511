// `site:`, `peers:` and `replication:`.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/config_error.hpp"
#include "app/config_reader.hpp"
#include "app/flags.hpp"
#include "config_files.hpp"

namespace entrepot::app::replication_sections_test {
namespace {

using replication::Glob;
using replication::Regex;
using replication::Rule;
using replication::SemverRange;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using test::ConfigFiles;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

// 32 bytes in base64.
constexpr const char* some_key = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";

Config parsed(const std::string& text) { return parse_config(text, "/etc/e/config.yaml"); }

std::string error_of(const std::string& text) {
  try {
    parsed(text);
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "no error";
}

std::string rules(const std::string& lines) {
  return "upstreams: [{name: hub, urls: [http://h]}]\n"
         "peers: [{name: paris, urls: http://p}, {name: harbor, kind: registry, urls: http://r}]\n"
         "replication:\n" +
         lines;
}

Rule rule_of(const std::string& line) { return parsed(rules(line)).rules.at(0); }

TEST(Sites, nothing_said_is_no_peer_and_no_rule) {
  const auto config = parsed("");
  EXPECT_EQ(config.site.name, "");
  EXPECT_TRUE(config.site.trusted_keys.empty());
  EXPECT_TRUE(config.peers.empty());
  EXPECT_TRUE(config.rules.empty());
  EXPECT_EQ(config.upstreams[0].remote.reserve, 20U);
}

TEST(Sites, a_site_has_a_name_and_believes_keys) {
  const auto config = parsed(std::string("site:\n  name: berlin\n  trusted_keys:\n") +
                             "    - {name: paris, key: \"" + some_key + "\"}\n");
  EXPECT_EQ(config.site.name, "berlin");
  ASSERT_EQ(config.site.trusted_keys.size(), 1U);
  EXPECT_EQ(config.site.trusted_keys[0].name, "paris");
  EXPECT_EQ(config.site.trusted_keys[0].key, some_key);
}

TEST(Sites, a_peer_is_reached_like_an_upstream_within_limits) {
  const ConfigFiles files;
  files.write("secret", "s3cret");
  const auto config = read_config(files.write("config.yaml", R"(
peers:
  - name: paris
    urls: ["https://a.example", "https://b.example"]
    username: berlin
    password_file: secret
    ca: secret
    timeouts: {connect: 1s}
    concurrency: 3
    limits: {bandwidth: 5MB/s, requests: 10/s}
    reserve: 7
  - {name: harbor, kind: registry, urls: "http://harbor.lan"}
upstreams:
  - {name: hub, urls: "http://h", limits: {bandwidth: 40Mbit/s}, reserve: 50}
)"));
  ASSERT_EQ(config.peers.size(), 2U);
  const auto& paris = config.peers[0];
  EXPECT_EQ(paris.kind, PeerConfig::Kind::entrepot);
  EXPECT_THAT(paris.remote.urls, ElementsAre("https://a.example", "https://b.example"));
  EXPECT_EQ(paris.remote.username, "berlin");
  EXPECT_EQ(paris.remote.transport.connect, seconds(1));
  EXPECT_EQ(paris.remote.concurrency, 3U);
  EXPECT_EQ(paris.remote.reserve, 7U);
  EXPECT_EQ(paris.limits.bytes_per_second, 5'000'000U);
  EXPECT_EQ(paris.limits.requests_per_second, 10U);
  EXPECT_EQ(config.peers[1].kind, PeerConfig::Kind::registry);
  EXPECT_EQ(config.peers[1].limits.bytes_per_second, std::nullopt);
  EXPECT_EQ(config.upstreams[0].limits.bytes_per_second, 5'000'000U);
  EXPECT_EQ(config.upstreams[0].remote.reserve, 50U);
}

TEST(Rules, every_key_arrives_where_it_belongs) {
  const auto rule = rule_of(R"(
  - name: from-harbor
    from: harbor
    to: here
    repositories: ["web/**", {regex: "data/[a-z]+"}]
    without: {repositories: ["web/tmp/*"], tags: ["*-rc*", {semver: "<1", prereleases: true}]}
    tags: ["v*", {regex: "r[0-9]+"}, {semver: "^1.4"}]
    newest: 5
    platforms: [linux/amd64, linux/arm64/v8]
    referrers: false
    rename: "harbor/{repository}"
    when: {cron: "0 3 * * *"}
    windows: ["mon-fri 22:00-06:00", "sat,sun 00:00-24:00"]
    limits: {bandwidth: 1MiB/s, requests: 5/s}
    deletions: exact
    conflict: target
)");
  EXPECT_EQ(rule.name, "from-harbor");
  EXPECT_EQ(rule.from, "harbor");
  EXPECT_EQ(rule.to, "here");
  ASSERT_EQ(rule.repositories.size(), 2U);
  EXPECT_EQ(std::get<Glob>(rule.repositories[0]).pattern, "web/**");
  EXPECT_EQ(std::get<Regex>(rule.repositories[1]).pattern, "data/[a-z]+");
  ASSERT_EQ(rule.without_repositories.size(), 1U);
  ASSERT_EQ(rule.without_tags.size(), 2U);
  EXPECT_TRUE(std::get<SemverRange>(rule.without_tags[1]).prereleases);
  ASSERT_EQ(rule.tags.size(), 3U);
  EXPECT_EQ(std::get<Regex>(rule.tags[1]).pattern, "r[0-9]+");
  EXPECT_EQ(std::get<SemverRange>(rule.tags[2]).range, "^1.4");
  EXPECT_EQ(rule.newest->count, 5U);
  EXPECT_THAT(rule.platforms, ElementsAre("linux/amd64", "linux/arm64/v8"));
  EXPECT_FALSE(rule.referrers);
  EXPECT_EQ(rule.rename, "harbor/{repository}");
  EXPECT_EQ(std::get<replication::Cron>(rule.when).expression, "0 3 * * *");
  ASSERT_EQ(rule.windows.size(), 2U);
  EXPECT_EQ(rule.windows[0].from, 22U * 60);
  EXPECT_EQ(rule.limits.bytes_per_second, 1'048'576U);
  EXPECT_EQ(rule.limits.requests_per_second, 5U);
  EXPECT_EQ(rule.deletions, replication::Deletions::exact);
  EXPECT_EQ(rule.conflict, replication::Conflict::target);
}

TEST(Rules, a_name_and_a_place_are_enough) {
  const auto rule = rule_of("  - {name: r, from: paris}\n");
  EXPECT_EQ(rule.to, "here");
  EXPECT_EQ(std::get<Glob>(rule.repositories.at(0)).pattern, "**");
  EXPECT_EQ(std::get<Glob>(rule.tags.at(0)).pattern, "*");
  EXPECT_TRUE(std::holds_alternative<replication::OnDemand>(rule.when));
  EXPECT_TRUE(rule.referrers);
  EXPECT_EQ(rule.deletions, replication::Deletions::keep);
  EXPECT_EQ(rule.conflict, replication::Conflict::newest);
}

TEST(Rules, say_when) {
  EXPECT_TRUE(std::holds_alternative<replication::Follow>(
      rule_of("  - {name: r, from: paris, when: follow}\n").when));
  EXPECT_TRUE(std::holds_alternative<replication::OnDemand>(
      rule_of("  - {name: r, from: paris, when: on-demand}\n").when));
  const auto rule = rule_of("  - {name: r, from: hub, when: {every: 10m}, pulled_within: 7d}\n");
  EXPECT_EQ(std::get<replication::Every>(rule.when).interval, minutes(10));
  EXPECT_EQ(rule.pulled_within->time, hours(7 * 24));
}

struct Mistake {
  std::string text;
  int line;
  std::string_view says;
};

std::string peers(const std::string& line) { return "peers:\n  - " + line + '\n'; }
std::string rule(const std::string& line) { return rules("  - {name: r, " + line + "}\n"); }

// Rows: O-13
TEST(Sites, every_mistake_is_one_sentence_with_file_and_line) {
  const Mistake mistakes[] = {
      {"site: {banana: 1}\n", 1, "'banana'"},
      {"site: {name: Berlin}\n", 1, "found 'Berlin'"},
      {"site: {trusted_keys: [{name: a}]}\n", 1, "'key' is missing"},
      {"site:\n  trusted_keys:\n    - {name: a, key: abc}\n", 3, "entrepot bundle key"},
      {peers("{urls: http://x}"), 2, "'name' is missing"},
      {peers("{name: a}"), 2, "'urls' is missing"},
      {peers("{name: a/b, urls: http://x}"), 2, "found 'a/b'"},
      {peers("{name: here, urls: http://x}"), 2, "already"},
      {peers("{name: hub, urls: http://x}"), 2, "already"},
      {peers("{name: a, urls: http://x}\n  - {name: a, urls: http://x}"), 3, "already"},
      {peers("{name: a, urls: \"ftp://x\"}"), 2, "http://"},
      {peers("{name: a, urls: \"http://u:p@x\"}"), 2, "password_file"},
      {peers("{name: a, urls: http://x, kind: zot}"), 2, "entrepot or registry"},
      {peers("{name: a, urls: http://x, username: u}"), 2, "password_file"},
      {peers("{name: a, urls: http://x, limits: {bandwidth: 5MB}}"), 2, "5MB/s"},
      {peers("{name: a, urls: http://x, limits: {bandwidth: 0MB/s}}"), 2, "5MB/s"},
      {peers("{name: a, urls: http://x, limits: {requests: 10}}"), 2, "10/s"},
      {peers("{name: a, urls: http://x, limits: {banana: 10}}"), 2, "'banana'"},
      {peers("{name: a, urls: http://x, freshness: {fresh: 1s}}"), 2, "'freshness'"},
      {rules("  - {from: paris}\n"), 4, "'name' is missing"},
      {rules("  - {name: r, from: paris}\n  - {name: r, from: harbor}\n"), 5, "a rule already"},
      {rules("  - {name: \"a b\", from: paris}\n"), 4, "without blanks"},
      {rule("from: here"), 4, "one place to another"},
      {rule("from: bundle"), 4, "bundle apply"},
      {rule("to: bundle, when: {every: 1h}"), 4, "no `when`"},
      {rule("to: bundle, deletions: exact"), 4, "deletions of here"},
      {rule("from: paris, to: bundle, deletions: follow"), 4, "deletions of here"},
      {peers("{name: bundle, urls: http://x}"), 2, "already"},
      {rule("from: lyon"), 4, "'lyon' is neither"},
      {rule("to: lyon"), 4, "'lyon' is neither"},
      {rule("from: paris, banana: 1"), 4, "'banana'"},
      {rule("from: paris, repositories: []"), 4, "at least one"},
      {rule("from: paris, repositories: [{regexp: a}]"), 4, "'regex' is missing"},
      {rule("from: paris, repositories: [{regex: \"(\"}]"), 4, "("},
      {rule("from: paris, tags: [{semver: \"one\"}]"), 4, "one"},
      {rule("from: paris, tags: [{semver: \"1\", banana: a}]"), 4, "'banana'"},
      {rule("from: paris, newest: 0"), 4, "number"},
      {rule("from: paris, platforms: [linux]"), 4, "os/architecture"},
      {rule("from: paris, rename: \"{banana}\""), 4, "banana"},
      {rule("from: paris, when: daily"), 4, "expected follow"},
      {rule("from: paris, when: {every: 1s, cron: a}"), 4, "'cron'"},
      {rule("from: paris, when: {cron: \"* *\"}"), 4, "five"},
      {rule("from: paris, windows: [\"25:00-26:00\"]"), 4, "time of day"},
      {rule("from: paris, deletions: all"), 4, "keep, follow or exact"},
      {rule("from: paris, conflict: mine"), 4, "newest, source or target"},
      {rule("to: paris, conflict: target"), 4, "to: here"},
      {rule("from: harbor, when: follow"), 4, "kind entrepot"},
      {rule("from: hub, when: follow"), 4, "kind entrepot"},
      {rule("from: paris, pulled_within: 7d"), 4, "from an upstream"},
      {rule("from: hub, pulled_within: often"), 4, "duration"},
      {rule("from: paris, limits: {bandwidth: fast}"), 4, "5MB/s"},
  };
  for (const auto& mistake : mistakes) {
    const auto error = error_of(mistake.text);
    EXPECT_THAT(error, StartsWith("/etc/e/config.yaml:" + std::to_string(mistake.line) + ": "))
        << mistake.text;
    EXPECT_THAT(error, HasSubstr(std::string(mistake.says))) << mistake.text;
    EXPECT_THAT(error, testing::Not(HasSubstr("\n"))) << mistake.text;
  }
}

TEST(Rules, name_upstreams_that_flags_have_replaced_in_vain) {
  auto config = parsed(rule("from: hub"));
  Flags flags;
  flags.upstreams = {"quay=http://q"};
  EXPECT_THROW(apply_flags(config, flags), std::invalid_argument);
  config = parsed(rule("from: paris"));
  EXPECT_NO_THROW(apply_flags(config, flags));
  flags.upstreams = {"paris=http://q"};
  EXPECT_THROW(apply_flags(config, flags), std::invalid_argument);
}

}  // namespace
}  // namespace entrepot::app::replication_sections_test
