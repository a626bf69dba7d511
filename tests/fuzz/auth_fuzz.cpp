// The parsers of room auth: what clients, token servers and operators' files bring. The first byte
// of an input chooses one, the rest is its input.
#include <cstdlib>
#include <string>

#include "auth/authorization.hpp"
#include "auth/base64url.hpp"
#include "auth/challenge.hpp"
#include "auth/htpasswd.hpp"
#include "auth/jwt.hpp"
#include "auth/key_set.hpp"
#include "auth/scope.hpp"

namespace {

using namespace entrepot;

void require(bool promise) {
  if (!promise) std::abort();
}

void fuzz_htpasswd(std::string_view text) {
  const auto table = auth::parse_htpasswd(text);
  if (!table) {
    require(table.error().starts_with("line "));
    return;
  }
  std::size_t lines = 0;
  for (auto rest = text; !rest.empty(); ++lines) {
    const auto line = auth::take_line(rest);
    require(line.find('\n') == line.npos);
    const auto colon = line.find(':');
    if (line.starts_with('#') || colon == line.npos) continue;
    const std::string name(line.substr(0, colon));
    const auto* const hash = table->hash_of(name);
    require(auth::is_user_name(name) && hash != nullptr && *hash == line.substr(colon + 1));
  }
  require(table->size() <= lines && table->weak_lines().size() <= table->size());
}

void fuzz_authorization(std::string_view text) {
  const auto header = auth::parse_authorization(text);
  require(std::holds_alternative<auth::NoAuthorization>(header) == text.empty());
  if (const auto* basic = std::get_if<auth::BasicAuthorization>(&header)) {
    require(basic->name.find(':') == basic->name.npos);
  }
  if (const auto* bearer = std::get_if<auth::BearerAuthorization>(&header)) {
    for (const char c : bearer->token) require(c > ' ' && c <= '~');
  }
}

void fuzz_scope(std::string_view text) {
  const auto scope = auth::parse_scope(text);
  if (!scope || !scope->repository) return;
  require(!scope->rights.allow(auth::Right::admin));
  std::string again = "repository:" + scope->repository->text() + ":";
  for (const auto action : auth::actions_of(scope->rights)) again += std::string(action) + ",";
  if (!again.ends_with(',')) return;
  again.pop_back();
  const auto same = auth::parse_scope(again);
  require(same && same->repository == scope->repository && same->rights == scope->rights);
}

void check_token(const auth::UnverifiedToken& token) {
  const auto& claims = token.claims;
  for (const auto& instant : {claims.expires, claims.not_before, claims.issued}) {
    require(!instant || instant->time_since_epoch().count() >= 0);
  }
  const auth::Claims one_audience{.issuer = claims.issuer,
                                  .subject = claims.subject,
                                  .audience = {"a"},
                                  .expires = claims.expires,
                                  .access = claims.access};
  const auto text = auth::unsigned_jwt("ES256", token.key_id, token.type, one_audience) + ".";
  const auto again = auth::parse_jwt(text);
  if (text.size() > auth::longest_token) return;
  require(again && again->claims.issuer == claims.issuer && again->type == token.type);
  require(again->claims.subject == claims.subject && again->claims.expires == claims.expires);
  require(again->claims.access.size() == claims.access.size());
}

void fuzz_token(std::string_view text) {
  const auto token = auth::parse_jwt(text);
  if (!token) return;
  require(text.starts_with(token->signed_text));
  check_token(*token);
}

// The two JSON texts of a token, parted by a line end.
void fuzz_claims(std::string_view text) {
  const auto end = text.find('\n');
  if (end == text.npos) return;
  fuzz_token(auth::to_base64url(text.substr(0, end)) + "." +
             auth::to_base64url(text.substr(end + 1)) + ".c2ln");
}

void fuzz_keys(std::string_view text) {
  const auto keys = auth::KeySet::parse(text);
  if (!keys) return;
  require(!keys->keys().empty() && keys->keys().size() <= auth::KeySet::most_keys);
  for (const auto& key : keys->keys()) require(!key.verifies("text", text.substr(0, 64)));
}

void fuzz_base64url(std::string_view text) {
  const auto bytes = auth::from_base64url(text);
  require(!bytes || auth::to_base64url(*bytes) == text);
  require(auth::from_base64url(auth::to_base64url(text)) == text);
}

void fuzz_challenge(std::string_view text) {
  const auto challenge = auth::bearer_challenge({text, text, text, text});
  for (const char c : challenge) require(c < 0 || (c >= ' ' && c != '\x7f'));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0]) {
    case 'h':
      fuzz_htpasswd(text);
      break;
    case 'a':
      fuzz_authorization(text);
      break;
    case 's':
      fuzz_scope(text);
      break;
    case 't':
      fuzz_token(text);
      break;
    case 'c':
      fuzz_claims(text);
      break;
    case 'k':
      fuzz_keys(text);
      break;
    case 'b':
      fuzz_base64url(text);
      break;
    case 'w':
      fuzz_challenge(text);
      break;
    default:
      break;
  }
  return 0;
}
