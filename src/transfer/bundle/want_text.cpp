#include "transfer/bundle/want_text.hpp"

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

Want read_want(const SignedText& parts) {
  const auto head = read_object(parts.head);
  Want want{.site = {.id = text_of(head, "site"), .name = text_of(head, "name")},
            .made = base::WallTime(base::Milliseconds(number_of(head, "made"))),
            .repositories = {},
            .prefixes = {}};
  if (!is_hex(want.site.id, 32)) throw Malformed("its site is none");
  const auto& globs = array_of(head, "repositories");
  for (std::size_t i = 0; i < globs.size(); ++i) want.repositories.push_back(text_at(globs, i));
  auto prefixes = unpack_prefixes(parts.body, number_of(head, "digests"));
  if (!prefixes) throw Malformed("its digests cannot be read");
  want.prefixes = std::move(*prefixes);
  return want;
}

}  // namespace

bool Want::says(std::uint64_t prefix) const { return std::ranges::binary_search(prefixes, prefix); }

std::string render(const Want& want, const SiteKey& key) {
  json::array globs;
  for (const auto& glob : want.repositories) globs.emplace_back(glob);
  const json::object head{{"site", want.site.id},
                          {"name", want.site.name},
                          {"made", want.made.time_since_epoch().count()},
                          {"repositories", std::move(globs)},
                          {"digests", want.prefixes.size()}};
  return sign_text("want", json::serialize(head), pack_prefixes(want.prefixes), key);
}

std::expected<SignedWant, std::string> parse_want(std::string_view text) {
  const auto parts = open_signed("want", text);
  if (!parts) return std::unexpected(parts.error());
  try {
    return SignedWant{.key = std::string(parts->key), .want = read_want(*parts)};
  } catch (const Malformed& malformed) {
    return std::unexpected(std::string("cannot be read: ") + malformed.what());
  }
}

}  // namespace entrepot::transfer
