#include "entrepot/oci/refusal.hpp"

#include <gtest/gtest.h>
#include <boost/json/parse.hpp>

namespace entrepot::oci::refusal_test {
namespace {

TEST(ErrorRow, codes_words_and_statuses_of_the_specification) {
  struct Row {
    ErrorCode code;
    const char* word;
    int status;
  };
  const Row rows[] = {
      {ErrorCode::blob_unknown, "BLOB_UNKNOWN", 404},
      {ErrorCode::digest_invalid, "DIGEST_INVALID", 400},
      {ErrorCode::manifest_invalid, "MANIFEST_INVALID", 400},
      {ErrorCode::manifest_unknown, "MANIFEST_UNKNOWN", 404},
      {ErrorCode::name_invalid, "NAME_INVALID", 400},
      {ErrorCode::name_unknown, "NAME_UNKNOWN", 404},
      {ErrorCode::range_invalid, "RANGE_INVALID", 416},
      {ErrorCode::unauthorized, "UNAUTHORIZED", 401},
      {ErrorCode::denied, "DENIED", 403},
      {ErrorCode::unsupported, "UNSUPPORTED", 405},
      {ErrorCode::too_many_requests, "TOOMANYREQUESTS", 429},
      {ErrorCode::manifest_too_large, "MANIFEST_INVALID", 413},
      {ErrorCode::request_too_large, "UNSUPPORTED", 413},
      {ErrorCode::storage_full, "UNAVAILABLE", 507},
      {ErrorCode::unavailable, "UNAVAILABLE", 503},
      {ErrorCode::upstream_failed, "UNAVAILABLE", 502},
      {ErrorCode::upstream_timeout, "UNAVAILABLE", 504},
      {ErrorCode::bad_request, "UNSUPPORTED", 400},
      {ErrorCode::not_found, "NAME_UNKNOWN", 404},
      {ErrorCode::internal, "UNKNOWN", 500},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(error_row(row.code).code, row.code);
    EXPECT_EQ(error_row(row.code).word, row.word);
    EXPECT_EQ(error_row(row.code).status, row.status) << row.word;
    EXPECT_FALSE(error_row(row.code).message.empty());
  }
}

TEST(ErrorBody, is_the_document_of_the_specification) {
  EXPECT_EQ(error_body(ErrorCode::manifest_unknown, "no \"tag\""),
            R"({"errors":[{"code":"MANIFEST_UNKNOWN",)"
            R"("message":"manifest unknown to registry","detail":"no \"tag\""}]})");
}

// Rows: M-08
TEST(ErrorBody, names_everything_that_is_missing) {
  Refusal refusal(ErrorCode::manifest_blob_unknown, "sha256:a");
  refusal.more = {"sha256:b", "sha256:c"};
  const auto errors = boost::json::parse(error_body(refusal)).at("errors").as_array();
  ASSERT_EQ(errors.size(), 3U);
  EXPECT_EQ(errors[2].at("code").as_string(), "MANIFEST_BLOB_UNKNOWN");
  EXPECT_EQ(errors[2].at("detail").as_string(), "sha256:c");
}

// Rows: R-12
TEST(ErrorBody, stays_json_whatever_the_detail_quotes) {
  const auto body = error_body(ErrorCode::name_invalid, "a\r\n\x1b\xff\xc0\xae\"");
  boost::json::error_code ec;
  const auto parsed = boost::json::parse(body, ec);
  ASSERT_FALSE(ec) << body;
  EXPECT_EQ(body.find_first_of("\r\n\x1b"), body.npos);
}

}  // namespace
}  // namespace entrepot::oci::refusal_test
