// The parsers of room upstream: what registries, token servers, credential helpers and docker
// configurations send us. The first byte of an input chooses one, the rest is its input.
#include <cstdlib>
#include <string>

#include "upstream/content_range.hpp"
#include "upstream/docker_config.hpp"
#include "upstream/list_text.hpp"
#include "upstream/rate_limit.hpp"
#include "upstream/referrers_tag.hpp"
#include "upstream/refusal_word.hpp"
#include "upstream/schema1.hpp"
#include "upstream/setback.hpp"
#include "upstream/token.hpp"
#include "upstream/upload_text.hpp"

namespace {

using namespace entrepot;

void require(bool promise) {
  if (!promise) std::abort();
}

void fuzz_content_range(std::string_view text) {
  const auto range = upstream::parse_content_range(text);
  if (!range) return;
  require(range->first <= range->last);
  require(!range->total || range->last < *range->total);
}

void fuzz_token(std::string_view text) {
  const auto token = upstream::parse_token(text);
  if (!token) return;
  require(token->lifetime.count() >= 1 && token->lifetime.count() <= 3600);
  for (const char c : token->value) require(c > 0x20 && c < 0x7f);
}

void fuzz_retry_after(std::string_view text) {
  const base::WallTime now{std::chrono::seconds(1'795'219'200)};
  const auto wait = upstream::wait_asked_for(text, now);
  require(wait.count() >= 1 && wait.count() <= 600);
}

void fuzz_next(std::string_view text) {
  http::Headers headers;
  headers.add("Link", text);
  const auto query = upstream::next_query(headers);
  if (!query) return;
  require(query->find_first_of(" \t\r\n#") == std::string::npos);
}

void fuzz_upload_range(std::string_view text) {
  const auto bytes = upstream::parse_upload_range(text);
  require(!bytes || (*bytes >= 1 && *bytes <= std::uint64_t{1} << 62));
}

void fuzz_upload_address(std::string_view text) {
  const auto base = http::parse_url("https://registry.example:5000/v2/a/blobs/uploads/");
  const auto address = upstream::upload_address(*base, *base, text);
  if (!address) return;
  require(address->scheme == "https");
  const auto again = http::parse_url(upstream::with_parameter(*address, "digest", "a:b").text());
  require(!again || again->origin() == address->origin());
}

void fuzz_referrers_tag(std::string_view text) {
  const auto digest = oci::Digest::of(oci::Algorithm::sha256, {});
  const auto list = upstream::with_referrer(text, {{"a/b", digest, 1}, "c", {{"d", "e"}}});
  const auto entries = list ? upstream::parse_referrer_list(*list) : std::nullopt;
  require(!list || (entries && entries->back().descriptor.digest == digest));
}

// "remaining", and behind a line break "limit".
void fuzz_rate_limit(std::string_view text) {
  http::Headers headers;
  const auto line = text.substr(0, text.find('\n'));
  headers.add("RateLimit-Remaining", line);
  headers.add("RateLimit-Limit", text.substr(line.size()));
  headers.add("RateLimit-Reset", line);
  const auto limit = upstream::parse_rate_limit(headers);
  require(!limit || !limit->window ||
          (limit->window->count() >= 1 && limit->window->count() <= 7 * 24 * 3600));
}

void fuzz_refusal_word(std::string_view text) {
  const auto word = upstream::refusal_word(text);
  require(word.empty() || (word.size() <= 43 && word.starts_with(" (") && word.ends_with(")")));
}

void fuzz_schema1(std::string_view text) {
  const auto payload = upstream::signed_payload(text);
  require(!payload || payload->size() <= 2 * text.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0]) {
    case 'c':
      fuzz_content_range(text);
      break;
    case 't':
      fuzz_token(text);
      break;
    case 'a':
      fuzz_retry_after(text);
      break;
    case 'n':
      fuzz_next(text);
      break;
    case 's':
      fuzz_schema1(text);
      break;
    case 'l':
      upstream::parse_tag_list(text);
      break;
    case 'r':
      upstream::parse_referrer_list(text);
      break;
    case 'u':
      fuzz_upload_range(text);
      break;
    case 'o':
      fuzz_upload_address(text);
      break;
    case 'm':
      fuzz_rate_limit(text);
      break;
    case 'e':
      fuzz_refusal_word(text);
      break;
    case 'i':
      fuzz_referrers_tag(text);
      break;
    case 'p':
      upstream::parse_repository_list(text);
      break;
    case 'd':
      upstream::find_in_docker_config(text, "registry.example");
      break;
    case 'h':
      upstream::parse_helper_answer(text);
      break;
    default:
      break;
  }
  return 0;
}
