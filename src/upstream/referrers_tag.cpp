#include "upstream/referrers_tag.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include "entrepot/oci/media_type.hpp"

namespace entrepot::upstream {
namespace {

namespace json = boost::json;

json::object entry_of(const index::Referrer& referrer) {
  json::object entry{{"mediaType", referrer.descriptor.media_type},
                     {"digest", referrer.descriptor.digest.text()},
                     {"size", referrer.descriptor.size}};
  if (!referrer.artifact_type.empty()) entry["artifactType"] = referrer.artifact_type;
  json::object annotations;
  for (const auto& [name, text] : referrer.annotations) annotations[name] = text;
  if (!annotations.empty()) entry["annotations"] = std::move(annotations);
  return entry;
}

json::object empty_index() {
  return {{"schemaVersion", 2},
          {"mediaType", oci::media_type::oci_index},
          {"manifests", json::array()}};
}

}  // namespace

oci::Tag referrers_tag(const oci::Digest& subject) {
  auto text = subject.text();
  text[text.find(':')] = '-';
  return oci::Tag::parse(text.substr(0, 128)).value();
}

std::optional<std::string> with_referrer(std::string_view list, const index::Referrer& referrer) {
  json::error_code error;
  json::value document = empty_index();
  if (!list.empty()) document = json::parse(list, error);
  auto* object = error ? nullptr : document.if_object();
  auto* manifests = object == nullptr ? nullptr : object->if_contains("manifests");
  if (manifests == nullptr || !manifests->is_array()) return std::nullopt;
  manifests->get_array().push_back(entry_of(referrer));
  return json::serialize(document);
}

}  // namespace entrepot::upstream
