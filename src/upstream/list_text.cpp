#include "upstream/list_text.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include "entrepot/http/link.hpp"

namespace entrepot::upstream {
namespace {

namespace json = boost::json;

std::optional<json::object> parse_object(std::string_view body) {
  json::error_code error;
  auto document = json::parse(body, error);
  if (error || !document.is_object()) return std::nullopt;
  return std::move(document.as_object());
}

std::string text_member(const json::object& object, std::string_view name) {
  const auto* member = object.if_contains(name);
  const auto* text = member == nullptr ? nullptr : member->if_string();
  return text == nullptr ? std::string() : std::string(*text);
}

std::optional<std::uint64_t> size_member(const json::object& object) {
  const auto* member = object.if_contains("size");
  if (member == nullptr || !member->is_int64() || member->get_int64() < 0) return std::nullopt;
  return static_cast<std::uint64_t>(member->get_int64());
}

std::optional<index::Referrer> parse_referrer(const json::value& value) {
  const auto* object = value.if_object();
  if (object == nullptr) return std::nullopt;
  const auto digest = oci::Digest::parse(text_member(*object, "digest"));
  const auto size = size_member(*object);
  auto media_type = text_member(*object, "mediaType");
  if (!digest || !size || media_type.empty()) return std::nullopt;
  index::Referrer referrer{
      {std::move(media_type), *digest, *size}, text_member(*object, "artifactType"), {}};
  const auto* annotations = object->if_contains("annotations");
  if (annotations != nullptr && annotations->is_object())
    for (const auto& [key, text] : annotations->get_object())
      if (text.is_string()) referrer.annotations.emplace(key, text.get_string());
  return referrer;
}

}  // namespace

std::optional<std::vector<oci::Tag>> parse_tag_list(std::string_view body) {
  const auto object = parse_object(body);
  const auto* member = object ? object->if_contains("tags") : nullptr;
  if (member == nullptr) return std::nullopt;
  std::vector<oci::Tag> tags;
  if (member->is_null()) return tags;
  if (!member->is_array()) return std::nullopt;
  for (const auto& each : member->get_array())
    if (each.is_string())
      if (auto tag = oci::Tag::parse(each.get_string())) tags.push_back(std::move(*tag));
  return tags;
}

std::optional<RepositoryList> parse_repository_list(std::string_view body) {
  const auto object = parse_object(body);
  const auto* member = object ? object->if_contains("repositories") : nullptr;
  if (member == nullptr) return std::nullopt;
  RepositoryList list;
  if (member->is_null()) return list;
  if (!member->is_array()) return std::nullopt;
  list.entries = member->get_array().size();
  for (const auto& each : member->get_array())
    if (each.is_string())
      if (auto name = oci::RepositoryName::parse(each.get_string()))
        list.names.push_back(std::move(*name));
  return list;
}

std::optional<std::vector<index::Referrer>> parse_referrer_list(std::string_view body) {
  const auto object = parse_object(body);
  const auto* member = object ? object->if_contains("manifests") : nullptr;
  if (member == nullptr) return std::nullopt;
  std::vector<index::Referrer> referrers;
  if (member->is_null()) return referrers;
  if (!member->is_array()) return std::nullopt;
  for (const auto& each : member->get_array())
    if (auto referrer = parse_referrer(each)) referrers.push_back(std::move(*referrer));
  return referrers;
}

std::optional<std::string> next_query(const http::Headers& headers) {
  for (const auto header : headers.all("Link")) {
    const auto target = http::parse_next_link(header);
    if (!target) continue;
    const auto mark = target->find('?');
    if (mark == std::string::npos) continue;
    std::string query = target->substr(mark + 1);
    query.resize(std::min(query.size(), query.find('#')));
    const bool clean = query.find_first_of(" \t\r\n") == std::string::npos;
    if (!query.empty() && clean && query.size() <= 4096) return query;
  }
  return std::nullopt;
}

}  // namespace entrepot::upstream
