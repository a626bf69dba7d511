#include "auth/base64url.hpp"

#include <algorithm>

#include "entrepot/base/bytes.hpp"

namespace entrepot::auth {

std::string to_base64url(std::string_view bytes) {
  auto text = base::to_base64(bytes);
  text.erase(std::min(text.find('='), text.size()));
  std::ranges::replace(text, '+', '-');
  std::ranges::replace(text, '/', '_');
  return text;
}

std::optional<std::string> from_base64url(std::string_view text) {
  if (text.find_first_of("+/=") != text.npos) return std::nullopt;
  std::string plain(text);
  std::ranges::replace(plain, '-', '+');
  std::ranges::replace(plain, '_', '/');
  auto bytes = base::from_base64(plain);
  if (bytes && to_base64url(*bytes) != text) return std::nullopt;
  return bytes;
}

}  // namespace entrepot::auth
