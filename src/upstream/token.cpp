#include "upstream/token.hpp"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include "entrepot/http/target.hpp"

namespace entrepot::upstream {
namespace {

namespace json = boost::json;
using std::chrono::seconds;

constexpr std::size_t longest_token = 32 * 1024;
constexpr seconds default_lifetime(60);
constexpr seconds longest_lifetime(3600);

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

std::string pull_scope(std::string_view repository) {
  return "repository:" + std::string(repository) + ":pull";
}

http::Url token_url(http::Url realm, const TokenKey& key, const Account& account) {
  const auto append = [&realm](std::string_view name, const std::string& value) {
    if (value.empty()) return;
    if (!realm.query.empty()) realm.query += '&';
    realm.query += std::string(name) + "=" + http::encode_query(value);
  };
  append("account", account.username);
  append("service", key.service);
  append("scope", key.scope);
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
