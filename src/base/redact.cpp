#include "entrepot/base/log.hpp"

namespace entrepot::base::log {

namespace {

constexpr std::string_view hidden = "…";

std::string_view without_user(std::string_view authority) {
  const auto at = authority.rfind('@');
  return at == authority.npos ? authority : authority.substr(at + 1);
}

void append_redacted_query(std::string& text, std::string_view query) {
  for (bool first = true; first || !query.empty(); first = false) {
    const auto item = query.substr(0, query.find('&'));
    const auto equals = item.find('=');
    if (!first) text += '&';
    // An item without '=' may be the secret itself.
    if (equals != item.npos) text += item.substr(0, equals + 1);
    if (!item.empty()) text += hidden;
    query.remove_prefix(std::min(item.size() + 1, query.size()));
  }
}

}  // namespace

std::string redact_url(std::string_view url) {
  url = url.substr(0, url.find('#'));
  const auto query = url.find('?');
  auto address = url.substr(0, query);
  std::string text;
  if (const auto slashes = address.find("//"); slashes != address.npos) {
    const auto start = slashes + 2;
    const auto authority = address.substr(start, address.find('/', start) - start);
    text += address.substr(0, start);
    text += without_user(authority);
    address.remove_prefix(start + authority.size());
  }
  text += address;
  if (query != url.npos) {
    text += '?';
    append_redacted_query(text, url.substr(query + 1));
  }
  return text;
}

}  // namespace entrepot::base::log
