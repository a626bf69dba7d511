#include "upstream/schema1.hpp"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include "entrepot/base/bytes.hpp"

namespace entrepot::upstream {
namespace {

namespace json = boost::json;

std::optional<std::string> from_base64url(std::string_view text) {
  std::string plain(text);
  std::ranges::replace(plain, '-', '+');
  std::ranges::replace(plain, '_', '/');
  return base::from_base64(plain);
}

// The "protected" header of the first signature.
std::optional<json::object> protected_header(std::string_view manifest) {
  json::error_code error;
  const auto document = json::parse(manifest, error);
  if (error) return std::nullopt;
  const auto* header = document.find_pointer("/signatures/0/protected", error);
  const auto* encoded = header == nullptr ? nullptr : header->if_string();
  if (encoded == nullptr) return std::nullopt;
  const auto decoded = from_base64url(*encoded);
  if (!decoded) return std::nullopt;
  auto parsed = json::parse(*decoded, error);
  if (error || !parsed.is_object()) return std::nullopt;
  return std::move(parsed.as_object());
}

}  // namespace

std::optional<std::string> signed_payload(std::string_view manifest) {
  const auto header = protected_header(manifest);
  if (!header) return std::nullopt;
  const auto* length = header->if_contains("formatLength");
  const auto* tail = header->if_contains("formatTail");
  if (length == nullptr || tail == nullptr || !length->is_int64() || !tail->is_string())
    return std::nullopt;
  const auto ending = from_base64url(tail->get_string());
  const auto count = length->get_int64();
  if (!ending || count < 0 || static_cast<std::uint64_t>(count) > manifest.size())
    return std::nullopt;
  return std::string(manifest.substr(0, static_cast<std::size_t>(count))) + *ending;
}

}  // namespace entrepot::upstream
