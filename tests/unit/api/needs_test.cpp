// The authorization matrix: every line of the route table, every method, every kind of principal.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <set>

#include "api/endpoint.hpp"
#include "entrepot/auth/password_file.hpp"
#include "house_of_cards.hpp"
#include "support/temp_dir.hpp"

namespace entrepot::api::needs_test {
namespace {

using test::header;
using test::HouseOfCards;

struct Line {
  std::string_view pattern;
  std::string_view method;
  std::string_view need;
};

// A new line of the table is an entry here, written down by hand: who may ask for it is a decision.
constexpr Line golden[] = {
    {"/v2/", "GET", "ping"},
    {"/v2/<name>/manifests/<reference>", "GET", "pull"},
    {"/v2/<name>/manifests/<reference>", "PUT", "push"},
    {"/v2/<name>/manifests/<reference>", "DELETE", "delete"},
    {"/v2/<name>/blobs/<digest>", "GET", "pull"},
    {"/v2/<name>/blobs/<digest>", "DELETE", "delete"},
    {"/v2/<name>/blobs/uploads/", "POST", "push"},
    {"/v2/<name>/blobs/uploads/<id>", "GET", "push"},
    {"/v2/<name>/blobs/uploads/<id>", "PATCH", "push"},
    {"/v2/<name>/blobs/uploads/<id>", "PUT", "push"},
    {"/v2/<name>/blobs/uploads/<id>", "DELETE", "push"},
    {"/v2/<name>/tags/list", "GET", "pull"},
    {"/v2/<name>/referrers/<digest>", "GET", "pull"},
    {"/v2/_catalog", "GET", "any"},
    {"/token", "GET", "open"},
    {"/token", "POST", "open"},
    {"/api/v1/feed", "GET", "any"},
    {"/api/v1/summaries", "GET", "any"},
    {"/api/v1/items", "GET", "any"},
    {"/api/v1/latest", "POST", "any"},
    {"/api/v1/history?repository=<name>", "GET", "pull"},
    {"/api/v1/rollback?repository=<name>", "POST", "push"},
    {"/api/v1/repositories?name=<name>", "DELETE", "delete"},
    {"/api/v1/read-only", "GET", "admin"},
    {"/api/v1/read-only", "PUT", "admin"},
    {"/api/v1/usage", "GET", "admin"},
    {"/api/v1/collections", "POST", "admin"},
    {"/api/v1/adoptions", "POST", "control"},
    {"/api/v1/exports", "POST", "control"},
    {"/api/v1/wants", "POST", "control"},
    {"/api/v1/bundles", "POST", "control"},
    {"/api/v1/bundle-applications", "POST", "control"},
    {"/api/v1/warmings", "POST", "admin"},
    {"/api/v1/site", "GET", "admin"},
    {"/api/v1/replication", "GET", "admin"},
    {"/api/v1/replication/waiting", "GET", "admin"},
    {"/api/v1/peers", "GET", "admin"},
    {"/api/v1/syncs", "POST", "admin"},
    {"/api/v1/jobs", "GET", "admin"},
    {"/api/v1/jobs/<id>", "GET", "admin"},
    {"/api/v1/jobs/<id>", "DELETE", "admin"},
    {"/api/v1/reload", "POST", "control"},
    {"/healthz", "GET", "open"},
    {"/readyz", "GET", "open"},
    {"/metrics", "GET", "open"},
};

constexpr const char* methods[] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};

std::string replace(std::string text, std::string_view mark, std::string_view by) {
  const auto at = text.find(mark);
  return at == std::string::npos ? text : text.replace(at, mark.size(), by);
}

std::string target_of(std::string_view pattern, std::string_view name) {
  auto target = replace(std::string(pattern), "<name>", name);
  target = replace(target, "<reference>", "v1");
  target = replace(target, "<digest>", "sha256:" + std::string(64, '0'));
  return replace(target, "<id>", std::string(32, '0'));
}

auth::GateOptions tenants() {
  using auth::Right;
  auth::GateOptions options;
  options.rules = {
      test::rule({test::user("reader")}, Right::pull, "team/**"),
      test::rule({test::user("creator")}, Right::create, "team/**"),
      test::rule({test::user("writer")}, Right::push, "team/**"),
      test::rule({test::user("deleter")}, Right::remove, "team/**"),
      test::rule({test::user("stranger")}, auth::Rights(Right::pull) | Right::push | Right::remove,
                 "other/**"),
      test::rule({test::user("owner")}, Right::admin, "team/**"),
      test::rule({test::user("admin")}, Right::admin, "**"),
  };
  return options;
}

constexpr const char* operator_socket = "(control socket)";
constexpr const char* principals[] = {"",       "reader",   "creator", "writer", "deleter",
                                      "nobody", "stranger", "owner",   "admin",  operator_socket};

// Said once more, not asked of the code under test.
bool may(std::string_view who, std::string_view need) {
  static const std::set<std::pair<std::string_view, std::string_view>> allowed = {
      {"reader", "pull"}, {"creator", "push"}, {"writer", "push"},  {"deleter", "delete"},
      {"owner", "pull"},  {"owner", "push"},   {"owner", "delete"}, {"admin", "pull"},
      {"admin", "push"},  {"admin", "delete"}, {"admin", "admin"},  {"reader", "any"},
      {"creator", "any"}, {"writer", "any"},   {"deleter", "any"},  {"stranger", "any"},
      {"owner", "any"},   {"admin", "any"},
  };
  if (need == "open" || need == "ping" || who == operator_socket) return true;
  return allowed.contains({who, need});
}

void become(HouseOfCards& house, const std::string& who) {
  house.via = who == operator_socket ? http::Via::control_socket : http::Via::plain;
  house.who = who == operator_socket ? "" : who;
}

// Rows: A-01
TEST(Needs, every_line_of_the_table_is_a_decision) {
  std::vector<std::string> table;
  for (const auto& line : registry_endpoints()) {
    table.push_back(std::string(line.pattern) + ' ' + std::string(line.method) + ' ' +
                    std::string(to_string(line.need)));
  }
  std::vector<std::string> decided;
  for (const auto& line : golden) {
    decided.push_back(std::string(line.pattern) + ' ' + std::string(line.method) + ' ' +
                      std::string(line.need));
  }
  EXPECT_THAT(table, testing::UnorderedElementsAreArray(decided));
}

const Line* decision(std::string_view pattern, std::string_view method) {
  for (const auto& line : golden) {
    if (line.pattern == pattern && line.method == (method == "HEAD" ? "GET" : method)) return &line;
  }
  return nullptr;
}

bool is_refusal(int status) { return status == 401 || status == 403; }

// Rows
TEST(Needs, nobody_gets_past_a_line_without_its_right) {
  HouseOfCards house({.gate = tenants()});
  house.hold("team/app");
  for (const auto& line : golden) {
    for (const std::string method : methods) {
      for (const std::string who : principals) {
        become(house, who);
        const auto target = target_of(line.pattern, "team/app");
        const auto status = house.ask(method, target).status;
        const auto* decided = decision(line.pattern, method);
        const auto what = method + ' ' + target + " by " + who;
        if (decided == nullptr) {
          EXPECT_EQ(status, 405) << what;
        } else {
          EXPECT_EQ(is_refusal(status), !may(who, decided->need)) << what << ": " << status;
          EXPECT_NE(status, 500) << what;
        }
        if (method == "HEAD") EXPECT_EQ(status, house.ask("GET", target).status) << what;
      }
    }
    house.hold("team/app");
  }
}

// Rows
TEST(Needs, who_may_not_looks_at_the_same_answer_whether_there_is_something_or_not) {
  HouseOfCards house({.gate = tenants()});
  house.hold("secret/here");
  for (const auto& line : golden) {
    if (!line.pattern.contains("<name>")) continue;
    for (const std::string who : {"", "nobody", "stranger", "reader"}) {
      become(house, who);
      const std::string method(line.method);
      const auto here = house.ask(method, target_of(line.pattern, "secret/here"));
      const auto gone = house.ask(method, target_of(line.pattern, "secret/gone"));
      EXPECT_EQ(here.status, 403) << line.pattern << " by " << who;
      EXPECT_EQ(gone.status, here.status);
      EXPECT_EQ(test::body_of(gone), test::body_of(here));
      EXPECT_EQ(gone.headers.fields(), here.headers.fields());
    }
  }
}

std::string told(const http::Reply& reply, std::string_view name) {
  auto text = std::to_string(reply.status) + test::body_of(reply);
  for (const auto& [key, value] : reply.headers.fields()) text += '\n' + key + ": " + value;
  for (auto at = text.find(name); at != std::string::npos; at = text.find(name)) {
    text.replace(at, name.size(), "NAME");
  }
  return text;
}

// What a removed upstream's entry has left behind, under a name nobody answers for any more.
void leave_behind(HouseOfCards& house, const std::string& repository) {
  test::run_task(house.index.write([&](index::Batch& batch) {
    index::link(batch, *oci::RepositoryName::parse(repository), index::RepositoryKind::mirrored,
                house.hub.manifest_digest(), {});
  }));
}

auth::GateOptions tenants_with_passwords(const test::TempDir& folder) {
  auto options = tenants();
  auth::set_password(folder.path() / "users", "alice", "secret");
  options.htpasswd = folder.path() / "users";
  options.tokens = {.realm = "https://house/token",
                    .service = "house",
                    .issuer = "house",
                    .key = folder.path() / "token.key"};
  return options;
}

// Rows, C-20
TEST(Needs, a_name_an_upstream_left_behind_is_as_secret_as_any) {
  const test::TempDir folder;
  HouseOfCards house({.gate = tenants_with_passwords(folder)});
  // "acme" is reserved: no upstream may answer for it.
  leave_behind(house, "gone/left");
  leave_behind(house, "acme/left");
  for (const auto& line : golden) {
    if (!line.pattern.contains("<name>")) continue;
    for (const std::string who : {"", "nobody", "stranger", "reader"}) {
      become(house, who);
      const std::string method(line.method);
      for (const std::string place : {"gone/", "acme/"}) {
        const auto left = house.ask(method, target_of(line.pattern, place + "left"));
        const auto free = house.ask(method, target_of(line.pattern, place + "free"));
        EXPECT_EQ(left.status, who.empty() ? 401 : 403) << method << line.pattern << who;
        EXPECT_EQ(told(left, place + "left"), told(free, place + "free")) << method << line.pattern;
      }
    }
    become(house, operator_socket);
    const auto target = target_of(line.pattern, "acme/left");
    const auto known = house.ask(std::string(line.method), target);
    EXPECT_EQ(known.status, line.need == "pull" ? 404 : 405) << line.method << line.pattern;
  }
  EXPECT_EQ(house.get("/v2/gone/left/manifests/v1").status, 200) << "the default upstream's";
}

// Rows: A-18
TEST(Needs, a_name_too_long_for_the_default_upstream_is_as_secret_as_any) {
  HouseOfCards house({.gate = tenants()});
  const auto long_name = "secret/" + std::string(246, 'x');
  house.hold(long_name + "a");
  become(house, "reader");
  const auto here = house.get(target_of("/v2/<name>/tags/list", long_name + "a"));
  const auto free = house.get(target_of("/v2/<name>/tags/list", long_name + "b"));
  EXPECT_EQ(here.status, 403);
  EXPECT_EQ(told(here, long_name + "a"), told(free, long_name + "b"));
  become(house, "admin");
  EXPECT_EQ(house.get(target_of("/v2/<name>/tags/list", long_name + "b")).status, 404);
}

// Rows: A-18, C-17
TEST(Needs, a_private_name_is_never_answered_by_an_upstream_and_a_reserved_one_is_not_told) {
  auto options = tenants();
  options.rules.push_back(test::rule({{}}, auth::Right::pull, "hub/**"));
  HouseOfCards house({.gate = std::move(options)});
  house.hold("secret/here");
  house.hold("acme/here");
  for (const std::string who : {"", "stranger"}) {
    become(house, who);
    for (const auto& line : golden) {
      if (line.need != "pull" || !line.pattern.contains("<name>")) continue;
      const auto claimed = house.get(target_of(line.pattern, "secret/here"));
      EXPECT_EQ(claimed.status, 403) << line.pattern;
      const auto here = house.get(target_of(line.pattern, "acme/here"));
      EXPECT_EQ(here.status, 403) << line.pattern;
      EXPECT_EQ(told(here, "acme/here"),
                told(house.get(target_of(line.pattern, "acme/gone")), "acme/gone"));
    }
  }
  EXPECT_THAT(house.hub.asked, testing::IsEmpty());
}

// Rows: C-17
TEST(Needs, an_unclaimed_name_is_empty_for_who_may_not_ask_upstream) {
  HouseOfCards house({.gate = tenants()});
  house.who = "reader";
  for (const auto& target :
       {"/v2/team/app/manifests/v1", "/v2/team/app/tags/list",
        "/v2/team/app/blobs/"
        "sha256:0000000000000000000000000000000000000000000000000000000000000000"}) {
    EXPECT_EQ(house.get(target).status, 404) << target;
  }
  EXPECT_THAT(house.hub.asked, testing::IsEmpty());
}

// Rows: C-16
TEST(Needs, mirrored_names_take_no_change_from_anybody) {
  HouseOfCards house({.gate = tenants()});
  const char* const names[] = {"hub/library/app", "quay/team/app", "docker.io/app",
                               "quay.local:5000/team/app"};
  for (const auto& line : golden) {
    if (line.need != "push" && line.need != "delete") continue;
    for (const std::string who : principals) {
      become(house, who);
      const std::string method(line.method);
      for (const auto* name : names) {
        EXPECT_EQ(house.ask(method, target_of(line.pattern, name)).status, 405) << name;
      }
      if (!line.pattern.starts_with("/v2/")) continue;
      const auto target = target_of(line.pattern, "team/app");
      EXPECT_EQ(house.ask(method, target + "?ns=quay.io").status, 405) << target;
      const auto reply = house.ask(method, "/hub" + target);
      EXPECT_EQ(reply.status, 405) << target;
      EXPECT_FALSE(header(reply, "Allow").contains(method == "GET" ? "PUT" : method));
    }
  }
}

// Rows: H-14
TEST(Needs, a_refusal_leaves_the_body_alone) {
  HouseOfCards house({.gate = tenants()});
  for (const auto& line : golden) {
    if (may("", line.need)) continue;
    test::TextBody body("bytes nobody should read");
    house.send(std::string(line.method), target_of(line.pattern, "team/app"), body);
    EXPECT_FALSE(body.touched()) << line.pattern;
  }
}

TEST(Needs, the_printed_table_is_the_table) {
  const auto printed = boost::json::parse(routes_json()).at("routes").as_array();
  ASSERT_EQ(printed.size(), registry_endpoints().size());
  for (std::size_t i = 0; i < printed.size(); ++i) {
    const auto& line = registry_endpoints()[i];
    EXPECT_EQ(printed[i].at("pattern").as_string(), line.pattern);
    EXPECT_EQ(printed[i].at("need").as_string(), to_string(line.need));
    EXPECT_EQ(printed[i].at("methods").at(0).as_string(), line.method);
    EXPECT_EQ(printed[i].at("methods").as_array().size(), line.method == "GET" ? 2U : 1U);
  }
}

}  // namespace
}  // namespace entrepot::api::needs_test
