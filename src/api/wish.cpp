#include "api/wish.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>

#include "entrepot/oci/refusal.hpp"

namespace entrepot::api {
namespace {

namespace json = boost::json;

[[noreturn]] void refuse(std::string_view example) {
  throw oci::Refusal(oci::ErrorCode::bad_request, std::string(example) + " was expected");
}

}  // namespace

std::vector<std::string> Wish::texts(std::string_view key) const {
  std::vector<std::string> texts;
  const auto* const list = body_.if_contains(key);
  if (list == nullptr) return texts;
  if (!list->is_array()) refuse(example_);
  if (list->get_array().size() > most_wish_texts) {
    throw oci::Refusal(oci::ErrorCode::request_too_large,
                       std::string(key) + ": more than " + std::to_string(most_wish_texts));
  }
  for (const auto& one : list->get_array()) {
    if (!one.is_string() || one.get_string().empty()) refuse(example_);
    texts.emplace_back(one.get_string().data(), one.get_string().size());
  }
  return texts;
}

bool Wish::flag(std::string_view key) const {
  const auto* const value = body_.if_contains(key);
  if (value != nullptr && !value->is_bool()) refuse(example_);
  return value != nullptr && value->get_bool();
}

async::Task<Wish> read_wish(http::RequestBody& body, std::string_view example,
                            std::initializer_list<std::string_view> keys) {
  const std::vector<std::string_view> known(keys);
  const auto text = co_await http::read_all(body, most_wish_bytes);
  if (!text) {
    throw oci::Refusal(oci::ErrorCode::request_too_large,
                       "more than " + std::to_string(most_wish_bytes >> 20U) + " MiB");
  }
  if (text->empty()) co_return Wish({}, example);
  json::error_code error;
  auto document = json::parse(*text, error);
  if (error || !document.is_object()) refuse(example);
  for (const auto& member : document.get_object()) {
    if (std::ranges::find(known, std::string_view(member.key())) == known.end()) refuse(example);
  }
  co_return Wish(std::move(document.get_object()), example);
}

}  // namespace entrepot::api
