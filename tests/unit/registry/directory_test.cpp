#include "entrepot/registry/directory.hpp"

#include <gtest/gtest.h>

#include "support/scripted_source.hpp"

namespace entrepot::registry::directory_test {
namespace {

using Held = Directory::Held;

class DirectoryTest : public testing::Test {
 protected:
  Directory make(std::vector<std::string> reserved = {"acme/*"}) {
    std::vector<DirectoryEntry> entries;
    entries.push_back({"hub",
                       {"docker.io", "registry-1.docker.io", "index.docker.io"},
                       OfficialImages::yes,
                       &hub_});
    entries.push_back({"github", {"ghcr.io"}, OfficialImages::no, &github_});
    entries.push_back({"quay", {"quay.io"}, OfficialImages::no, &quay_});
    entries.push_back({"site", {"localhost:5001", "localhost"}, OfficialImages::no, &site_});
    return Directory(local_, std::move(entries), base::GlobSet(reserved));
  }

  // "upstream name": "-" when nobody answers, "local name" for ours.
  std::string routed(const Directory& directory, std::string_view ns, std::string_view name,
                     Held held = Held::no) {
    const auto route = directory.route(ns, name, held);
    if (!route) return "-";
    if (route->upstream.empty()) {
      EXPECT_EQ(route->source, &local_);
      EXPECT_EQ(route->canonical, route->name);
      return "local " + route->name.text();
    }
    EXPECT_EQ(route->canonical.text(), route->upstream + "/" + route->name.text());
    EXPECT_EQ(route->source, sources_.at(route->upstream));
    return route->upstream + " " + route->name.text();
  }

  test::ScriptedSource local_, hub_, github_, quay_, site_;
  std::map<std::string, Source*> sources_{
      {"hub", &hub_}, {"github", &github_}, {"quay", &quay_}, {"site", &site_}};
};

// Rows: U-09
TEST_F(DirectoryTest, names_and_routing) {
  const auto directory = make();
  struct Row {
    std::string_view ns;
    std::string_view name;
    std::string_view expected;
  };
  for (const auto& row : {
           // ?ns=
           Row{"docker.io", "library/debian", "hub library/debian"},
           Row{"docker.io", "debian", "hub library/debian"},
           Row{"DOCKER.IO", "org/app", "hub org/app"},
           Row{"ghcr.io", "org/app", "github org/app"},
           Row{"ghcr.io", "app", "github app"},
           Row{"github", "org/app", "github org/app"},
           Row{"localhost:5001", "app", "site app"},
           Row{"evil.example", "org/app", "-"},
           Row{"169.254.169.254", "latest/meta-data", "-"},
           Row{"docker.io", "Not/A/Name", "-"},
           // ?ns= and a mirror URL with a path, behind /v2
           Row{"docker.io", "docker.io/library/debian", "hub library/debian"},
           Row{"docker.io", "hub/library/debian", "hub library/debian"},
           Row{"docker.io", "hub/debian", "hub hub/debian"},
           Row{"quay.io", "quay/clair", "quay quay/clair"},
           Row{"quay.io", "quay.io/quay/clair", "quay quay/clair"},
           Row{"localhost:5001", "localhost:5001/app", "site app"},
           Row{"docker.io", "ghcr.io/org/app", "hub ghcr.io/org/app"},
           // the first component
           Row{"", "ghcr.io/org/app", "github org/app"},
           Row{"", "github/org/app", "github org/app"},
           Row{"", "hub/library/debian", "hub library/debian"},
           Row{"", "hub/debian", "hub library/debian"},
           Row{"", "docker.io/debian", "hub library/debian"},
           Row{"", "localhost:5001/app", "site app"},
           Row{"", "localhost/app", "site app"},
           Row{"", "unknown.example:5000/app", "-"},
           // the default upstream
           Row{"", "debian", "hub library/debian"},
           Row{"", "library/debian", "hub library/debian"},
           Row{"", "org/app", "hub org/app"},
           Row{"", "ghcr.io", "hub library/ghcr.io"},
           Row{"", "", "-"},
           Row{"", "../etc/passwd", "-"},
       }) {
    EXPECT_EQ(routed(directory, row.ns, row.name), row.expected) << row.ns << " " << row.name;
  }
}

// Rows: C-17
TEST_F(DirectoryTest, what_is_ours_stays_ours) {
  const auto directory = make();
  EXPECT_EQ(routed(directory, "", "acme/app"), "local acme/app");
  EXPECT_EQ(routed(directory, "", "acme/team/app"), "hub acme/team/app")
      << "one * is one component";
  EXPECT_EQ(routed(directory, "", "org/app", Held::yes), "local org/app");
  EXPECT_EQ(routed(directory, "", "hub/org/app", Held::yes), "hub org/app");
  EXPECT_EQ(routed(directory, "docker.io", "acme/app"), "hub acme/app") << "an upstream was named";
}

// Rows: C-20
TEST_F(DirectoryTest, what_a_removed_upstream_left_is_not_ours) {
  const auto directory = make({"acme/*", "gone/**"});
  EXPECT_EQ(routed(directory, "", "gone/org/app", Held::mirrored), "-");
  EXPECT_EQ(routed(directory, "", "gone/org/app", Held::no), "local gone/org/app");
  EXPECT_EQ(routed(directory, "", "left/org/app", Held::mirrored), "hub left/org/app");
  const Directory alone(local_, {}, {});
  EXPECT_EQ(routed(alone, "", "left/org/app", Held::mirrored), "-");
  EXPECT_EQ(directory.upstreams(), (std::vector<std::string>{"hub", "github", "quay", "site"}));
  EXPECT_TRUE(alone.upstreams().empty());
}

TEST_F(DirectoryTest, without_upstreams_everything_is_local) {
  const Directory directory(local_, {}, {});
  EXPECT_EQ(routed(directory, "", "debian"), "local debian");
  EXPECT_EQ(routed(directory, "docker.io", "debian"), "-");
}

TEST_F(DirectoryTest, knows_names_and_aliases) {
  const auto directory = make();
  for (const auto* text : {"hub", "docker.io", "Docker.IO", "localhost:5001"}) {
    EXPECT_TRUE(directory.knows(text)) << text;
  }
  for (const auto* text : {"", "library", "docker.io:443", "localhost:5002"}) {
    EXPECT_FALSE(directory.knows(text)) << text;
  }
}

TEST_F(DirectoryTest, a_name_too_long_for_the_catalog_has_no_route) {
  const auto directory = make();
  const std::string longest(255, 'a');
  EXPECT_EQ(routed(directory, "ghcr.io", longest), "-");
}

}  // namespace
}  // namespace entrepot::registry::directory_test
