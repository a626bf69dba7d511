#include "auth/jwt.hpp"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include "auth/base64url.hpp"

namespace entrepot::auth {
namespace {

namespace json = boost::json;

constexpr std::size_t most_entries = 1000;
constexpr double latest = 1e11;  // seconds: in the year 5138

std::optional<json::object> parse_part(std::string_view text) {
  const auto bytes = from_base64url(text);
  if (!bytes) return std::nullopt;
  json::error_code error;
  auto document = json::parse(*bytes, error);
  if (error || !document.is_object()) return std::nullopt;
  return std::move(document.get_object());
}

// False when the member is there and no string.
bool take_text(const json::object& object, std::string_view name, std::string& text) {
  const auto* const member = object.if_contains(name);
  if (member == nullptr) return true;
  if (!member->is_string()) return false;
  text = member->get_string();
  return true;
}

bool take_instant(const json::object& object, std::string_view name,
                  std::optional<Instant>& instant) {
  const auto* const member = object.if_contains(name);
  if (member == nullptr) return true;
  if (!member->is_number()) return false;
  const auto seconds = member->to_number<double>();
  if (!(seconds >= 0 && seconds <= latest)) return false;
  instant = Instant(std::chrono::seconds(static_cast<std::int64_t>(seconds)));
  return true;
}

bool take_texts(const json::value& value, std::vector<std::string>& texts) {
  const auto* const list = value.if_array();
  if (list == nullptr || list->size() > most_entries) return false;
  for (const auto& each : *list) {
    if (!each.is_string()) return false;
    texts.emplace_back(each.get_string());
  }
  return true;
}

// One text or a list of them (RFC 7519 section 4.1.3).
bool take_audience(const json::object& object, std::vector<std::string>& audience) {
  const auto* const member = object.if_contains("aud");
  if (member == nullptr) return true;
  if (!member->is_string()) return take_texts(*member, audience);
  audience.emplace_back(member->get_string());
  return true;
}

bool take_access(const json::object& object, std::vector<AccessEntry>& access) {
  const auto* const member = object.if_contains("access");
  if (member == nullptr || member->is_null()) return true;
  const auto* const list = member->if_array();
  if (list == nullptr || list->size() > most_entries) return false;
  for (const auto& each : *list) {
    const auto* const entry = each.if_object();
    const auto* const actions = entry == nullptr ? nullptr : entry->if_contains("actions");
    auto& found = access.emplace_back();
    if (actions == nullptr || !take_text(*entry, "type", found.type) ||
        !take_text(*entry, "name", found.name) || !take_texts(*actions, found.actions)) {
      return false;
    }
  }
  return true;
}

bool take_claims(const json::object& object, Claims& claims) {
  return take_text(object, "iss", claims.issuer) && take_text(object, "sub", claims.subject) &&
         take_text(object, "jti", claims.id) && take_text(object, "proof", claims.proof) &&
         take_text(object, "fingerprint", claims.fingerprint) &&
         take_instant(object, "exp", claims.expires) &&
         take_instant(object, "nbf", claims.not_before) &&
         take_instant(object, "iat", claims.issued) && take_audience(object, claims.audience) &&
         take_access(object, claims.access);
}

bool take_header(const json::object& object, UnverifiedToken& token) {
  // "crit" names extensions that must be understood (RFC 7515 section 4.1.11); we have none.
  return !object.contains("crit") && take_text(object, "alg", token.algorithm) &&
         take_text(object, "kid", token.key_id) && take_text(object, "typ", token.type);
}

json::array access_json(const std::vector<AccessEntry>& access) {
  json::array list;
  for (const auto& entry : access) {
    list.push_back(
        json::object{{"type", entry.type},
                     {"name", entry.name},
                     {"actions", json::array(entry.actions.begin(), entry.actions.end())}});
  }
  return list;
}

json::object claims_json(const Claims& claims) {
  json::object object{{"iss", claims.issuer}, {"sub", claims.subject}};
  if (claims.audience.size() == 1) object["aud"] = claims.audience.front();
  const auto put = [&object](const char* name, const std::optional<Instant>& instant) {
    if (instant) object[name] = instant->time_since_epoch().count();
  };
  put("exp", claims.expires);
  put("nbf", claims.not_before);
  put("iat", claims.issued);
  object["jti"] = claims.id;
  object["access"] = access_json(claims.access);
  if (!claims.proof.empty()) object["proof"] = claims.proof;
  if (!claims.fingerprint.empty()) object["fingerprint"] = claims.fingerprint;
  return object;
}

}  // namespace

std::optional<UnverifiedToken> parse_jwt(std::string_view text) {
  if (text.size() > longest_token || std::ranges::count(text, '.') != 2) return std::nullopt;
  const auto first = text.find('.');
  const auto second = text.rfind('.');
  const auto header = parse_part(text.substr(0, first));
  const auto payload = parse_part(text.substr(first + 1, second - first - 1));
  auto signature = from_base64url(text.substr(second + 1));
  if (!header || !payload || !signature) return std::nullopt;
  UnverifiedToken token;
  token.signed_text = text.substr(0, second);
  token.signature = std::move(*signature);
  if (!take_header(*header, token) || !take_claims(*payload, token.claims)) return std::nullopt;
  return token;
}

bool holds(const Claims& claims, std::string_view audience, base::WallTime now) {
  const auto second = std::chrono::floor<std::chrono::seconds>(now);
  if (std::ranges::find(claims.audience, audience) == claims.audience.end()) return false;
  if (claims.not_before && *claims.not_before > second + leeway) return false;
  return !claims.expires || *claims.expires + leeway >= second;
}

std::string unsigned_jwt(std::string_view algorithm, std::string_view key_id, std::string_view type,
                         const Claims& claims) {
  const json::object header{{"alg", algorithm}, {"kid", key_id}, {"typ", type}};
  return to_base64url(json::serialize(header)) + "." +
         to_base64url(json::serialize(claims_json(claims)));
}

}  // namespace entrepot::auth
