#include "oci/json_document.hpp"

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/value_stack.hpp>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace entrepot::oci {

namespace {

namespace json = boost::json;
using Error = json::error_code;
using Text = json::string_view;

// A full manifest of 4 MiB has fewer; more of them cost more memory than the text itself.
constexpr std::size_t most_values = 256 * 1024;

// Builds a value like json::parser does, counting members as they were written.
struct Handler {
  static constexpr std::size_t max_object_size = most_values;
  static constexpr std::size_t max_array_size = most_values;
  static constexpr std::size_t max_key_size = std::numeric_limits<std::int32_t>::max();
  static constexpr std::size_t max_string_size = std::numeric_limits<std::int32_t>::max();

  explicit Handler(json::storage_ptr storage) { stack.reset(std::move(storage)); }

  bool count_value(Error& ec) {
    if (++values <= most_values) return true;
    ec = json::error::array_too_large;
    return false;
  }

  bool on_document_begin(Error&) { return true; }
  bool on_document_end(Error&) { return true; }
  bool on_object_begin(Error& ec) { return count_value(ec); }
  bool on_object_end(std::size_t size, Error&) {
    members += size;
    stack.push_object(size);
    return true;
  }
  bool on_array_begin(Error& ec) { return count_value(ec); }
  bool on_array_end(std::size_t size, Error&) {
    stack.push_array(size);
    return true;
  }
  bool on_key_part(Text part, std::size_t, Error&) { return push_part(part); }
  bool on_key(Text part, std::size_t, Error&) {
    stack.push_key(part);
    return true;
  }
  bool on_string_part(Text part, std::size_t, Error&) { return push_part(part); }
  bool on_string(Text part, std::size_t, Error& ec) {
    stack.push_string(part);
    return count_value(ec);
  }
  bool on_number_part(Text, Error&) { return true; }
  bool on_int64(std::int64_t value, Text, Error& ec) {
    stack.push_int64(value);
    return count_value(ec);
  }
  bool on_uint64(std::uint64_t value, Text, Error& ec) {
    stack.push_uint64(value);
    return count_value(ec);
  }
  bool on_double(double value, Text, Error& ec) {
    stack.push_double(value);
    return count_value(ec);
  }
  bool on_bool(bool value, Error& ec) {
    stack.push_bool(value);
    return count_value(ec);
  }
  bool on_null(Error& ec) {
    stack.push_null();
    return count_value(ec);
  }
  bool on_comment_part(Text, Error&) { return true; }
  bool on_comment(Text, Error&) { return true; }

  bool push_part(Text part) {
    stack.push_chars(part);
    return true;
  }

  json::value_stack stack;
  std::size_t values = 0;
  std::size_t members = 0;
};

std::size_t count_members(const json::value& value) {
  std::size_t members = 0;
  if (const auto* const object = value.if_object()) {
    members = object->size();
    for (const auto& member : *object) members += count_members(member.value());
  } else if (const auto* const array = value.if_array()) {
    for (const auto& element : *array) members += count_members(element);
  }
  return members;
}

}  // namespace

std::expected<json::value, std::string> parse_json(std::string_view text,
                                                   json::storage_ptr storage) {
  json::basic_parser<Handler> parser(json::parse_options{}, std::move(storage));
  Error ec;
  const auto read = parser.write_some(false, text.data(), text.size(), ec);
  if (!ec && read != text.size()) ec = json::error::extra_data;
  if (ec == json::error::array_too_large || ec == json::error::object_too_large) {
    return std::unexpected("the JSON document has too many values");
  }
  if (ec) return std::unexpected("not valid JSON: " + ec.message());
  auto value = parser.handler().stack.release();
  if (count_members(value) != parser.handler().members) {
    return std::unexpected("a JSON object has the same key twice");
  }
  return value;
}

}  // namespace entrepot::oci
