#include "upstream/schema1.hpp"

#include <gtest/gtest.h>

#include "entrepot/base/bytes.hpp"
#include "unit/upstream/lab.hpp"

namespace entrepot::upstream::schema1_test {
namespace {

const std::string payload = "{\n   \"name\": \"x\"\n}";

// The payload, with a signature block put in before its last two bytes.
std::string signed_manifest(std::string_view header) {
  std::string encoded = base::to_base64(header);
  encoded.erase(encoded.find_last_not_of('=') + 1);
  return payload.substr(0, payload.size() - 2) + R"(,"signatures":[{"protected":")" + encoded +
         "\"}]\n}";
}

const std::string good = R"({"formatLength":16,"formatTail":"Cn0"})";

// Rows: M-15
TEST(Schema1, the_payload_is_what_was_signed) {
  EXPECT_EQ(signed_payload(signed_manifest(good)), payload);
}

TEST(Schema1, nonsense_has_no_payload) {
  for (const char* header :
       {"", "{}", "[]", R"({"formatLength":16})", R"({"formatLength":-1,"formatTail":"Cn0"})",
        R"({"formatLength":99999,"formatTail":"Cn0"})",
        R"({"formatLength":1.5,"formatTail":"Cn0"})", R"({"formatLength":16,"formatTail":"%"})",
        R"({"formatLength":16,"formatTail":3})"})
    EXPECT_FALSE(signed_payload(signed_manifest(header))) << header;
  for (const char* text : {"", "{}", "[]", R"({"signatures":[]})", R"({"signatures":[{}]})"})
    EXPECT_FALSE(signed_payload(text)) << text;
}

// Rows: C-13, M-15
TEST(Schema1, passes_under_the_digest_of_its_payload) {
  Lab lab;
  const std::string type = "application/vnd.docker.distribution.manifest.v1+prettyjws";
  const auto bytes = signed_manifest(good);
  const auto digest = digest_of(payload);
  lab.server.on(
      "GET",
      test::reply(200, bytes, {{"Content-Type", type}, {"Docker-Content-Digest", digest.text()}}));
  for (const auto& reference : {std::string("v1"), digest.text()}) {
    const auto answer = lab.run(lab.remote().manifest(app(), at(reference)));
    ASSERT_TRUE(answer) << answer.error().message;
    EXPECT_EQ(answer->bytes, bytes);
    EXPECT_EQ(answer->digest, digest);
  }
}

}  // namespace
}  // namespace entrepot::upstream::schema1_test
