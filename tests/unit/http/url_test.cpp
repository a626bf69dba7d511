#include "entrepot/http/url.hpp"

#include <gtest/gtest.h>

namespace entrepot::http::url_test {
namespace {

struct ParseCase {
  const char* text;
  const char* origin;  // nullptr: refused
  const char* path;
  const char* query;
};

TEST(Url, parses_http_and_https_and_nothing_else) {
  const ParseCase cases[] = {
      {"https://registry-1.docker.io", "https://registry-1.docker.io", "/", ""},
      {"HTTPS://Registry.Example:443/v2/", "https://registry.example", "/v2/", ""},
      {"http://127.0.0.1:5000", "http://127.0.0.1:5000", "/", ""},
      {"http://[::1]:5000/a/../b?x=%2F#frag", "http://[::1]:5000", "/a/../b", "x=%2F"},
      {"https://user:secret@host.example/p", "https://host.example", "/p", ""},
      {"http://0x7f.1/", "http://127.0.0.1", "/", ""},
      {"http://2130706433/", "http://127.0.0.1", "/", ""},
      {"http://017700000001/", "http://127.0.0.1", "/", ""},
      {"file:///etc/passwd", nullptr, nullptr, nullptr},
      {"ftp://host/", nullptr, nullptr, nullptr},
      {"gopher://host/", nullptr, nullptr, nullptr},
      {"//host/path", nullptr, nullptr, nullptr},
      {"host.example", nullptr, nullptr, nullptr},
      {"http://", nullptr, nullptr, nullptr},
      {"http://host:0/", nullptr, nullptr, nullptr},
      {"http://host:65536/", nullptr, nullptr, nullptr},
      {"http://ho st/", nullptr, nullptr, nullptr},
      {"http://host/a\nb", nullptr, nullptr, nullptr},
      {"http://[fe80::1%25eth0]/", nullptr, nullptr, nullptr},
      {"http://host./", nullptr, nullptr, nullptr},
      {"", nullptr, nullptr, nullptr},
  };
  for (const auto& each : cases) {
    const auto url = parse_url(each.text);
    ASSERT_EQ(url.has_value(), each.origin != nullptr) << each.text;
    if (!url) continue;
    EXPECT_EQ(url->origin(), each.origin) << each.text;
    EXPECT_EQ(url->path, each.path) << each.text;
    EXPECT_EQ(url->query, each.query) << each.text;
  }
}

// Rows: U-06
TEST(Url, refuses_an_endless_one) {
  EXPECT_FALSE(parse_url("https://host/" + std::string(1 << 20, 'a')));
  const auto base = parse_url("https://host/");
  EXPECT_FALSE(resolve_url(*base, "https://host/" + std::string(1 << 20, 'a')));
}

struct ResolveCase {
  const char* location;
  const char* result;  // nullptr: refused
};

// Rows: U-05, U-06
TEST(Url, resolves_the_location_of_a_redirect) {
  const auto base = parse_url("https://registry.example:5000/v2/app/blobs/x?old=1");
  ASSERT_TRUE(base);
  const ResolveCase cases[] = {
      {"/other?a=b", "https://registry.example:5000/other?a=b"},
      {"next", "https://registry.example:5000/v2/app/blobs/next"},
      {"//cdn.example/x", "https://cdn.example/x"},
      {"https://cdn.example/a%2Fb?sig=%3D&x=y", "https://cdn.example/a%2Fb?sig=%3D&x=y"},
      {"http://user:pw@cdn.example/a", "http://cdn.example/a"},
      {"file:///etc/passwd", nullptr},
      {"ftp://cdn.example/a", nullptr},
      {"gopher://cdn.example/", nullptr},
      {"dict://cdn.example/", nullptr},
      {"http://[::1%25lo]/", nullptr},
      {"", nullptr},
  };
  for (const auto& each : cases) {
    const auto url = resolve_url(*base, each.location);
    ASSERT_EQ(url.has_value(), each.result != nullptr) << each.location;
    if (url) EXPECT_EQ(url->text(), each.result) << each.location;
  }
}

struct UserCase {
  const char* text;
  bool has;
};

// Rows: U-13
TEST(Url, finds_user_information_where_the_parser_does) {
  const UserCase cases[] = {
      {"https://host/a@b?c:d@e", false}, {"https://host:5000", false},
      {"https://u:p@host", true},        {"https://u@host/", true},
      {"https://:p@host/", true},        {"https:/u:p@host/", true},
      {"https:///u:p@host/", true},      {"HTTPS://u:p%40@host", true},
      {"https://host?u:p@other", false}, {"", false},
  };
  for (const auto& each : cases) EXPECT_EQ(has_user_information(each.text), each.has) << each.text;
}

struct SiteCase {
  const char* a;
  const char* b;
  bool same;
};

// Rows: U-01
TEST(Url, same_site_means_one_registered_domain) {
  const SiteCase cases[] = {
      {"https://registry-1.docker.io", "https://auth.docker.io", true},
      {"https://registry.gitlab.com", "https://gitlab.com", true},
      {"https://a.example.co.uk", "https://b.example.co.uk", true},
      {"https://a.co.uk", "https://b.co.uk", false},
      {"https://docker.io.evil.example", "https://docker.io", false},
      {"https://me.github.io", "https://you.github.io", false},
      {"https://host", "https://host", true},
      {"https://host", "https://other", false},
      {"http://127.0.0.1:5000", "http://127.0.0.1:5001", true},
      {"http://127.0.0.1", "http://127.0.0.2", false},
      {"http://[::1]", "http://[::2]", false},
  };
  for (const auto& each : cases)
    EXPECT_EQ(same_site(*parse_url(each.a), *parse_url(each.b)), each.same)
        << each.a << " " << each.b;
}

}  // namespace
}  // namespace entrepot::http::url_test
