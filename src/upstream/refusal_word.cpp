#include "upstream/refusal_word.hpp"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

namespace entrepot::upstream {
namespace {

namespace json = boost::json;

const json::string* code_of(const json::value& document) {
  const auto* object = document.if_object();
  const auto* errors = object == nullptr ? nullptr : object->if_contains("errors");
  const auto* list = errors == nullptr ? nullptr : errors->if_array();
  const auto* first = list == nullptr || list->empty() ? nullptr : list->front().if_object();
  const auto* code = first == nullptr ? nullptr : first->if_contains("code");
  return code == nullptr ? nullptr : code->if_string();
}

bool is_code(std::string_view text) {
  return !text.empty() && text.size() <= 40 &&
         std::ranges::all_of(text, [](char c) { return (c >= 'A' && c <= 'Z') || c == '_'; });
}

}  // namespace

std::string refusal_word(std::string_view body) {
  json::error_code error;
  const auto document = json::parse(body, error);
  const auto* code = error ? nullptr : code_of(document);
  return code != nullptr && is_code(*code) ? " (" + std::string(*code) + ")" : std::string();
}

}  // namespace entrepot::upstream
