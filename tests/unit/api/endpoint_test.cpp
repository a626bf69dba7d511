#include "api/endpoint.hpp"

#include <gtest/gtest.h>

namespace entrepot::api {
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
    {"/a/healthz", "", "", "", ""},
    {"/a/b/v2/app/tags/list", "", "", "", ""},
};

// Rows: P-03
TEST(Endpoint, paths_find_their_line_and_names_may_be_route_words) {
  for (const auto& each : cases) {
    const auto found = match(registry_endpoints(), each.path);
    if (each.route.empty()) {
      EXPECT_EQ(found.endpoint, nullptr) << each.path;
      continue;
    }
    ASSERT_NE(found.endpoint, nullptr) << each.path;
    EXPECT_EQ(found.endpoint->route, each.route) << each.path;
    EXPECT_EQ(found.upstream, each.upstream) << each.path;
    EXPECT_EQ(found.name, each.name) << each.path;
    EXPECT_EQ(found.argument, each.argument) << each.path;
  }
}

TEST(Endpoint, the_admin_listener_has_health_and_metrics_only) {
  for (const auto path : {"/healthz", "/readyz", "/metrics"}) {
    EXPECT_NE(match(admin_endpoints(), path).endpoint, nullptr) << path;
  }
  for (const auto path : {"/v2/", "/v2/_catalog", "/v2/app/manifests/v1"}) {
    EXPECT_EQ(match(admin_endpoints(), path).endpoint, nullptr) << path;
  }
}

TEST(Endpoint, every_line_serves_a_handler_or_nothing) {
  for (const auto& endpoint : registry_endpoints()) {
    EXPECT_EQ(endpoint.answer != nullptr, !endpoint.methods.empty()) << endpoint.pattern;
    for (const auto method : {"GET", "HEAD"}) {
      EXPECT_EQ(serves(endpoint, method), !endpoint.methods.empty()) << endpoint.pattern;
    }
    for (const auto method : {"PUT", "POST", "PATCH", "DELETE", "OPTIONS", "GE", "HEA", ""}) {
      EXPECT_FALSE(serves(endpoint, method)) << endpoint.pattern << ' ' << method;
    }
  }
}

}  // namespace
}  // namespace entrepot::api
