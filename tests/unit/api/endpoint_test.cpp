#include "api/endpoint.hpp"

#include <gtest/gtest.h>

namespace entrepot::api::endpoint_test {
namespace {

struct Case {
  std::string_view path;
  std::string_view route;  // empty: none
  std::string_view upstream;
  std::string_view name;
  std::string_view argument;
};

constexpr Case cases[] = {
    {"/v2/", "ping", "", "", ""},
    {"/v2", "ping", "", "", ""},
    {"/ghcr.io/v2/", "ping", "ghcr.io", "", ""},
    {"/ghcr.io/v2", "ping", "ghcr.io", "", ""},
    {"/v2/_catalog", "catalog", "", "", ""},
    {"/v2/app/manifests/v1", "manifest", "", "app", "v1"},
    {"/v2/a/b/c/manifests/v1", "manifest", "", "a/b/c", "v1"},
    {"/ghcr.io/v2/a/b/manifests/v1", "manifest", "ghcr.io", "a/b", "v1"},
    {"/v2/app/blobs/sha256:0", "blob", "", "app", "sha256:0"},
    {"/v2/app/blobs/uploads/", "upload", "", "app", ""},
    {"/v2/app/blobs/uploads/1234", "upload", "", "app", "1234"},
    {"/v2/app/tags/list", "tags", "", "app", ""},
    {"/v2/app/referrers/sha256:0", "referrers", "", "app", "sha256:0"},
    {"/token", "token", "", "", ""},
    {"/api/v1/history", "history", "", "", ""},
    {"/api/v1/jobs", "jobs", "", "", ""},
    {"/api/v1/jobs/7", "jobs", "", "", "7"},
    {"/healthz", "healthz", "", "", ""},
    {"/readyz", "readyz", "", "", ""},
    {"/metrics", "metrics", "", "", ""},
    // Names made of route words: the last word decides.
    {"/v2/tags/list/tags/list", "tags", "", "tags/list", ""},
    {"/v2/x/manifests/manifests/v1", "manifest", "", "x/manifests", "v1"},
    {"/v2/a/blobs/uploads/manifests/v1", "manifest", "", "a/blobs/uploads", "v1"},
    {"/v2/a/blobs/uploads/blobs/sha256:0", "blob", "", "a/blobs/uploads", "sha256:0"},
    {"/v2/a/blobs/uploads/tags/list", "tags", "", "a/blobs/uploads", ""},
    {"/v2/manifests/manifests/manifests", "manifest", "", "manifests", "manifests"},
    {"/v2/v2/v2/tags/list", "tags", "", "v2/v2", ""},
    {"/v2/healthz/tags/list", "tags", "", "healthz", ""},
    {"/v2/_catalog/tags/list", "tags", "", "_catalog", ""},
    // Nothing we know.
    {"/", "", "", "", ""},
    {"/v1/", "", "", "", ""},
    {"/v2/app", "", "", "", ""},
    {"/v2/app/", "", "", "", ""},
    {"/v2/tags/list", "", "", "", ""},
    {"/v2/manifests/v1", "", "", "", ""},
    {"/v2/app/manifests/", "", "", "", ""},
    {"/v2/app/manifests/v1/", "", "", "", ""},
    {"/v2/app/tags/list/", "", "", "", ""},
    {"/v2/app/tags", "", "", "", ""},
    {"/healthz/", "", "", "", ""},
    {"/token/", "", "", "", ""},
    {"/api/v1/jobs/7/x", "", "", "", ""},
    {"/api/v1/", "", "", "", ""},
    {"/a/healthz", "", "", "", ""},
    {"/a/b/v2/app/tags/list", "", "", "", ""},
};

// Rows: P-03
TEST(Endpoint, paths_find_their_line_and_names_may_be_route_words) {
  for (const auto& each : cases) {
    const auto found = match(registry_endpoints(), each.path);
    if (each.route.empty()) {
      EXPECT_TRUE(found.lines.empty()) << each.path;
      continue;
    }
    ASSERT_FALSE(found.lines.empty()) << each.path;
    EXPECT_EQ(found.lines.front().route, each.route) << each.path;
    EXPECT_EQ(found.upstream, each.upstream) << each.path;
    EXPECT_EQ(found.name, each.name) << each.path;
    EXPECT_EQ(found.argument, each.argument) << each.path;
  }
}

TEST(Endpoint, the_admin_listener_has_health_and_metrics_only) {
  for (const auto path : {"/healthz", "/readyz", "/metrics"}) {
    EXPECT_FALSE(match(admin_endpoints(), path).lines.empty()) << path;
  }
  for (const auto path : {"/v2/", "/v2/_catalog", "/v2/app/manifests/v1"}) {
    EXPECT_TRUE(match(admin_endpoints(), path).lines.empty()) << path;
  }
}

TEST(Endpoint, a_path_has_all_its_methods) {
  struct {
    std::string_view path;
    std::string_view methods;
  } const paths[] = {
      {"/v2/", "GET, HEAD"},
      {"/v2/a/manifests/v1", "GET, HEAD, PUT, DELETE"},
      {"/v2/a/blobs/x", "GET, HEAD, DELETE"},
      {"/v2/a/blobs/uploads/", "POST"},
      {"/v2/a/blobs/uploads/1", "GET, HEAD, PATCH, PUT, DELETE"},
      {"/token", "GET, HEAD, POST"},
      {"/api/v1/read-only", "GET, HEAD, PUT"},
      {"/api/v1/jobs", "GET, HEAD"},
      {"/api/v1/jobs/1", "GET, HEAD, DELETE"},
  };
  for (const auto& each : paths) {
    const auto found = match(registry_endpoints(), each.path);
    EXPECT_EQ(methods_of(found.lines, [](const Endpoint&) { return true; }), each.methods);
    for (const auto method : {"PUT", "POST", "PATCH", "DELETE", "OPTIONS", "GET", "HEAD", ""}) {
      const auto listed =
          (", " + std::string(each.methods) + ",").contains(", " + std::string(method) + ",");
      EXPECT_EQ(serving(found, method) != nullptr, listed) << each.path << ' ' << method;
    }
  }
}

TEST(Endpoint, some_lines_name_their_repository_in_the_query) {
  EXPECT_EQ(naming_key(match(registry_endpoints(), "/api/v1/history").lines.front()), "repository");
  EXPECT_EQ(naming_key(match(registry_endpoints(), "/api/v1/repositories").lines.front()), "name");
  EXPECT_EQ(naming_key(match(registry_endpoints(), "/v2/a/tags/list").lines.front()), "");
}

}  // namespace
}  // namespace entrepot::api::endpoint_test
