#include "registry/feed_json.hpp"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <utility>

#include "entrepot/registry/feed_words.hpp"

namespace entrepot::registry {
namespace {

namespace json = boost::json;

constexpr std::size_t longest_site = 64;
constexpr std::size_t longest_who = 1024;
// 9999-12-31: what is later is no time, and one millisecond more is always one.
constexpr std::uint64_t latest_time = 253'402'214'400'000;

constexpr std::pair<index::Cause, std::string_view> cause_words[] = {
    {index::Cause::push, "push"},
    {index::Cause::deletion, "deletion"},
    {index::Cause::rollback, "rollback"},
    {index::Cause::adoption, "adoption"},
    {index::Cause::replication, "replication"},
};

std::optional<index::Cause> cause_in(const json::object& row) {
  if (!row.contains("c")) return index::Cause::push;
  const auto word = text_in(row, "c");
  const auto* const found = std::ranges::find(cause_words, word.value_or(""),
                                              &std::pair<index::Cause, std::string_view>::second);
  if (found == std::end(cause_words)) return std::nullopt;
  return found->first;
}

std::string_view word_of(index::Cause cause) {
  const auto* const found =
      std::ranges::find(cause_words, cause, &std::pair<index::Cause, std::string_view>::first);
  return found == std::end(cause_words) ? "push" : found->second;
}

// False: it is there, and cannot be read.
template <class T, class Parse>
bool read_optional(const json::object& row, std::string_view key, std::optional<T>& into,
                   Parse parse) {
  if (!row.contains(key)) return true;
  const auto text = text_in(row, key);
  if (text) into = parse(*text);
  return into.has_value();
}

}  // namespace

std::optional<json::object> parse_feed_json(std::string_view text) {
  if (text.size() > most_feed_bytes) return std::nullopt;
  json::error_code error;
  auto document = json::parse(text, error);
  if (error || !document.is_object()) return std::nullopt;
  return std::move(document.as_object());
}

std::optional<std::string_view> text_in(const json::object& object, std::string_view key) {
  const auto* member = object.if_contains(key);
  const auto* text = member ? member->if_string() : nullptr;
  if (!text) return std::nullopt;
  return std::string_view(*text);
}

std::optional<std::uint64_t> number_in(const json::object& object, std::string_view key) {
  const auto* member = object.if_contains(key);
  if (!member) return std::nullopt;
  if (member->is_uint64()) return member->get_uint64();
  if (!member->is_int64() || member->get_int64() < 0) return std::nullopt;
  return static_cast<std::uint64_t>(member->get_int64());
}

std::optional<index::Version> version_in(const json::object& row, std::string_view site) {
  const auto time = number_in(row, "v");
  const auto own = row.contains("s") ? text_in(row, "s") : site;
  if (!time || *time > latest_time || !own || own->size() > longest_site) return std::nullopt;
  const auto odd = [](char c) { return c <= ' ' || c > '~'; };
  if (std::ranges::any_of(*own, odd)) return std::nullopt;
  return index::Version{base::WallTime(base::Milliseconds(static_cast<std::int64_t>(*time))),
                        std::string(*own)};
}

void put_version(json::object& row, const index::Version& version, std::string_view site) {
  row["v"] = version.time.time_since_epoch().count();
  if (version.site != site) row["s"] = version.site;
}

json::object row_of(const index::Change& change, std::string_view site) {
  json::object row;
  if (change.sequence > 0) row["n"] = change.sequence;
  row["r"] = change.repository.text();
  if (change.tag) row["t"] = change.tag->text();
  if (change.from) row["f"] = change.from->text();
  if (change.to) row["d"] = change.to->text();
  put_version(row, change.version, site);
  if (change.cause != index::Cause::push) row["c"] = word_of(change.cause);
  if (!change.who.empty()) row["w"] = change.who;
  return row;
}

std::optional<index::Change> change_in(const json::object& row, std::string_view site) {
  auto repository = oci::RepositoryName::parse(text_in(row, "r").value_or(""));
  auto version = version_in(row, site);
  const auto cause = cause_in(row);
  const auto sequence = row.contains("n") ? number_in(row, "n") : 0;
  const auto who = row.contains("w") ? text_in(row, "w") : "";
  if (!repository || !version || !cause || !sequence || !who || who->size() > longest_who) {
    return std::nullopt;
  }
  index::Change change{.sequence = *sequence,
                       .repository = std::move(*repository),
                       .version = std::move(*version),
                       .cause = *cause,
                       .who = std::string(*who)};
  const bool good = read_optional(row, "t", change.tag, &oci::Tag::parse) &&
                    read_optional(row, "f", change.from, &oci::Digest::parse) &&
                    read_optional(row, "d", change.to, &oci::Digest::parse);
  if (!good || (!change.tag && !change.from && !change.to)) return std::nullopt;
  return change;
}

}  // namespace entrepot::registry
