#include "upstream/token.hpp"

#include <algorithm>
#include <array>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <ranges>

#include "entrepot/http/headers.hpp"
#include "entrepot/http/target.hpp"

namespace entrepot::upstream {
namespace {

namespace json = boost::json;
using std::chrono::seconds;

constexpr std::size_t longest_token = 32 * 1024;
constexpr seconds default_lifetime(60);
constexpr seconds longest_lifetime(3600);

// Ours to say. Some servers split a query at ';' too, some do not tell cases apart.
bool is_ours(std::string_view name) {
  constexpr std::array ours = {"scope",         "service",    "account",      "client_id",
                               "offline_token", "grant_type", "refresh_token"};
  return std::ranges::any_of(
      ours, [name](const char* each) { return http::equals_ignoring_case(each, name); });
}

// Whether a parameter of a realm's query may stay: whatever cannot be read may mean anything.
bool may_stay(std::string_view parameter) {
  std::string query(parameter);
  std::ranges::replace(query, ';', '&');
  const auto target = http::parse_target("/?" + query);
  return target &&
         std::ranges::none_of(target->query, [](const auto& each) { return is_ours(each.first); });
}

const json::string* text_member(const json::object& object, std::string_view name) {
  const auto* member = object.if_contains(name);
  return member == nullptr ? nullptr : member->if_string();
}

// It goes into a header: one printable word.
bool usable(std::string_view token) {
  return !token.empty() && token.size() <= longest_token &&
         std::ranges::all_of(token, [](char c) { return c > 0x20 && c < 0x7f; });
}

seconds lifetime(const json::object& object) {
  const auto* member = object.if_contains("expires_in");
  if (member == nullptr || !member->is_number()) return default_lifetime;
  const double number = member->to_number<double>();
  if (!(number >= 1)) return default_lifetime;
  return seconds(
      static_cast<seconds::rep>(std::min(number, static_cast<double>(longest_lifetime.count()))));
}

}  // namespace

std::string scope_text(std::string_view repository, Right right) {
  const auto scope = "repository:" + std::string(repository);
  switch (right) {
    case Right::push:
      return scope + ":pull,push";
    case Right::remove:
      return scope + ":delete";
    case Right::list:
      return "registry:catalog:*";
    case Right::pull:
      break;
  }
  return scope + ":pull";
}

http::Url bare_realm(http::Url realm) {
  std::string kept;
  for (const auto piece : std::views::split(std::string_view(realm.query), '&')) {
    const std::string_view parameter(piece.begin(), piece.end());
    if (parameter.empty() || !may_stay(parameter)) continue;
    if (!kept.empty()) kept += '&';
    kept += parameter;
  }
  realm.query = std::move(kept);
  return realm;
}

http::Url token_url(http::Url realm, const TokenKey& key, const Account& account) {
  realm = bare_realm(std::move(realm));
  const auto append = [&realm](std::string_view name, const std::string& value) {
    if (value.empty()) return;
    if (!realm.query.empty()) realm.query += '&';
    realm.query += std::string(name) + "=" + http::encode_query(value);
  };
  append("account", account.username);
  append("service", key.service);
  for (const auto scope : std::views::split(key.scope, ' '))
    append("scope", std::string(scope.begin(), scope.end()));
  return realm;
}

std::string refresh_form(const TokenKey& key, const Account& account) {
  return "grant_type=refresh_token&client_id=entrepot&refresh_token=" +
         http::encode_query(account.identity_token) +
         "&service=" + http::encode_query(key.service) + "&scope=" + http::encode_query(key.scope);
}

std::expected<Token, std::string> parse_token(std::string_view body) {
  json::error_code error;
  const auto document = json::parse(body, error);
  const auto* object = error ? nullptr : document.if_object();
  if (object == nullptr) return std::unexpected("the token server's answer is not JSON");
  const auto* text = text_member(*object, "token");
  if (text == nullptr || text->empty()) text = text_member(*object, "access_token");
  if (text == nullptr || !usable(*text))
    return std::unexpected("the token server's answer holds no usable token");
  return Token{std::string(*text), lifetime(*object)};
}

}  // namespace entrepot::upstream
