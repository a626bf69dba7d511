#include "transfer/bundle/json_words.hpp"

#include <algorithm>
#include <boost/json/parse.hpp>

namespace entrepot::transfer {

namespace json = boost::json;

namespace {

[[noreturn]] void refuse(std::string_view key, std::string_view why) {
  throw Malformed("its " + std::string(key) + " " + std::string(why));
}

std::string text_of(const json::value& value, std::string_view key) {
  const auto* const text = value.if_string();
  if (text == nullptr) refuse(key, "is no text");
  return {text->data(), text->size()};
}

std::uint64_t number_of(const json::value& value, std::string_view key) {
  const auto* const number = value.if_int64();
  if (number == nullptr || *number < 0) refuse(key, "is no number");
  if (static_cast<std::uint64_t>(*number) > largest_number) refuse(key, "is absurd");
  return static_cast<std::uint64_t>(*number);
}

const json::value& item(const json::array& row, std::size_t place) {
  if (place >= row.size()) throw Malformed("a row of it is too short");
  return row[place];
}

}  // namespace

json::object read_object(std::string_view text) {
  json::parse_options options;
  options.max_depth = 8;
  json::error_code error;
  auto value = json::parse({text.data(), text.size()}, error, {}, options);
  if (error || !value.is_object()) throw Malformed("its head is no JSON object");
  return std::move(value.get_object());
}

const json::value& member_of(const json::object& object, std::string_view key) {
  const auto* const value = object.if_contains({key.data(), key.size()});
  if (value == nullptr) refuse(key, "is missing");
  return *value;
}

const json::array& array_of(const json::object& object, std::string_view key) {
  const auto* const array = member_of(object, key).if_array();
  if (array == nullptr) refuse(key, "is no list");
  return *array;
}

const json::object& object_of(const json::object& object, std::string_view key) {
  const auto* const inner = member_of(object, key).if_object();
  if (inner == nullptr) refuse(key, "is no object");
  return *inner;
}

std::string text_of(const json::object& object, std::string_view key) {
  return text_of(member_of(object, key), key);
}

std::uint64_t number_of(const json::object& object, std::string_view key) {
  return number_of(member_of(object, key), key);
}

const json::array& row_of(const json::value& value, std::size_t least) {
  const auto* const row = value.if_array();
  if (row == nullptr || row->size() < least) throw Malformed("a row of it is none");
  return *row;
}

std::string text_at(const json::array& row, std::size_t place) {
  return text_of(item(row, place), "row");
}

std::uint64_t number_at(const json::array& row, std::size_t place) {
  return number_of(item(row, place), "row");
}

oci::Digest digest_at(const json::array& row, std::size_t place) {
  const auto digest = oci::Digest::parse(text_at(row, place));
  if (!digest) throw Malformed("it names a digest that is none");
  return *digest;
}

bool is_hex(std::string_view text, std::size_t length) {
  return text.size() == length && std::ranges::all_of(text, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

}  // namespace entrepot::transfer
