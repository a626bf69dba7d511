// Reading the JSON of a Feed: what is not as it must be is absent, never an exception.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "entrepot/index/journal.hpp"

namespace entrepot::registry {

// Absent: longer than a Feed may be, no JSON, or no object.
std::optional<boost::json::object> parse_feed_json(std::string_view text);

std::optional<std::string_view> text_in(const boost::json::object& object, std::string_view key);
std::optional<std::uint64_t> number_in(const boost::json::object& object, std::string_view key);

// "v" and "s" of a row; `site` when it has no "s".
std::optional<index::Version> version_in(const boost::json::object& row, std::string_view site);
void put_version(boost::json::object& row, const index::Version& version, std::string_view site);

boost::json::object row_of(const index::Change& change, std::string_view site);
std::optional<index::Change> change_in(const boost::json::object& row, std::string_view site);

// Every element read; absent when one cannot be, or there are more than `most`.
template <class Read>
auto rows_in(const boost::json::object& object, std::string_view key, std::size_t most, Read read)
    -> std::optional<std::vector<typename decltype(read(boost::json::object()))::value_type>> {
  std::vector<typename decltype(read(boost::json::object()))::value_type> rows;
  const auto* member = object.if_contains(key);
  const auto* list = member ? member->if_array() : nullptr;
  if (!list || list->size() > most) return std::nullopt;
  rows.reserve(list->size());
  for (const auto& element : *list) {
    const auto* row = element.if_object();
    auto one = row ? read(*row) : std::nullopt;
    if (!one) return std::nullopt;
    rows.push_back(std::move(*one));
  }
  return rows;
}

}  // namespace entrepot::registry
