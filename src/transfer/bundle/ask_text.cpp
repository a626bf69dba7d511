#include "transfer/bundle/ask_text.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "transfer/bundle/json_words.hpp"
#include "transfer/bundle/signed_text.hpp"

namespace entrepot::transfer {

namespace json = boost::json;

namespace {

Ask read_ask(std::string_view text) {
  const auto head = read_object(text);
  Ask ask{.contents = read_contents(head), .missing = {}};
  for (const auto& value : array_of(head, "missing")) {
    const auto& row = row_of(value, 2);
    ask.missing.push_back({.digest = digest_at(row, 0), .size = number_at(row, 1)});
  }
  return ask;
}

}  // namespace

std::string render(const Ask& ask, const SiteKey& key) {
  json::object head;
  render(ask.contents, head);
  json::array missing;
  for (const auto& [digest, size] : ask.missing) {
    missing.push_back(json::array{digest.text(), size});
  }
  head["missing"] = std::move(missing);
  return sign_text("ask", json::serialize(head), {}, key);
}

std::expected<SignedAsk, std::string> parse_ask(std::string_view text) {
  const auto parts = open_signed("ask", text);
  if (!parts) return std::unexpected(parts.error());
  try {
    return SignedAsk{.key = std::string(parts->key), .ask = read_ask(parts->head)};
  } catch (const Malformed& malformed) {
    return std::unexpected(std::string("cannot be read: ") + malformed.what());
  }
}

}  // namespace entrepot::transfer
