#include "transfer/bundle/ask_text.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "transfer/bundle/json_words.hpp"
#include "transfer/bundle/prefixes.hpp"
#include "transfer/bundle/signed_text.hpp"

namespace entrepot::transfer {

namespace json = boost::json;

namespace {

Ask read_ask(const SignedText& parts) {
  const auto head = read_object(parts.head);
  Ask ask{.contents = read_contents(head), .missing = {}, .prefixes = {}};
  auto prefixes = unpack_prefixes(parts.body, number_of(head, "digests"));
  if (!prefixes) throw Malformed("its digests cannot be read");
  ask.prefixes = std::move(*prefixes);
  for (const auto& value : array_of(head, "missing")) {
    const auto& row = row_of(value, 2);
    ask.missing.push_back({.digest = digest_at(row, 0), .size = number_at(row, 1)});
  }
  return ask;
}

}  // namespace

bool Ask::holds(const oci::Digest& digest) const {
  return std::ranges::binary_search(prefixes, prefix_of(digest));
}

std::string render(const Ask& ask, const SiteKey& key) {
  json::object head;
  render(ask.contents, head);
  json::array missing;
  for (const auto& [digest, size] : ask.missing) {
    missing.push_back(json::array{digest.text(), size});
  }
  head["missing"] = std::move(missing);
  head["digests"] = ask.prefixes.size();
  return sign_text("ask", json::serialize(head), pack_prefixes(ask.prefixes), key);
}

std::expected<SignedAsk, std::string> parse_ask(std::string_view text) {
  const auto parts = open_signed("ask", text);
  if (!parts) return std::unexpected(parts.error());
  try {
    return SignedAsk{.key = std::string(parts->key), .ask = read_ask(*parts)};
  } catch (const Malformed& malformed) {
    return std::unexpected(std::string("cannot be read: ") + malformed.what());
  }
}

}  // namespace entrepot::transfer
