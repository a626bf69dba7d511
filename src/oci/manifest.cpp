#include "entrepot/oci/manifest.hpp"

#include <boost/json/monotonic_resource.hpp>
#include <stdexcept>

#include "oci/json_document.hpp"

namespace entrepot::oci {

namespace {

namespace json = boost::json;

// What schema 1 layers are; its manifests do not say.
constexpr std::string_view schema1_layer = "application/vnd.docker.image.rootfs.diff.tar.gzip";

// Leaves the reader for parse_manifest, which returns its sentence.
class Malformed : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

std::string_view view(const json::string& text) { return {text.data(), text.size()}; }

// Absent members and null are the same: Go writes null for an empty list.
const json::value* member(const json::object& object, std::string_view key) {
  const auto* const value = object.if_contains(json::string_view(key.data(), key.size()));
  return value != nullptr && !value->is_null() ? value : nullptr;
}

bool has(const json::object& object, std::string_view key) {
  return object.if_contains(json::string_view(key.data(), key.size())) != nullptr;
}

std::string string_member(const json::object& object, std::string_view key) {
  const auto* const value = member(object, key);
  if (value == nullptr) return {};
  if (!value->is_string()) throw Malformed(std::string(key) + " is not a string");
  return std::string(view(value->get_string()));
}

const json::object& as_object(const json::value& value, std::string_view what) {
  if (!value.is_object()) throw Malformed(std::string(what) + " is not an object");
  return value.get_object();
}

Digest digest_member(const json::object& object, std::string_view key) {
  const auto text = string_member(object, key);
  const auto digest = Digest::parse(text);
  if (!digest) throw Malformed(std::string(key) + " is not a digest we know: \"" + text + "\"");
  return *digest;
}

std::uint64_t size_member(const json::object& object) {
  const auto* const size = member(object, "size");
  // 1e3, 1.0 and numbers of 2^63 and more are other kinds of value.
  if (size == nullptr || !size->is_int64() || size->get_int64() < 0) {
    throw Malformed("size is missing, or not a whole number from 0 to 2^63 - 1");
  }
  return static_cast<std::uint64_t>(size->get_int64());
}

Descriptor descriptor(const json::value& value, std::string_view what) {
  const auto& object = as_object(value, what);
  return {string_member(object, "mediaType"), digest_member(object, "digest"), size_member(object)};
}

EdgeKind layer_kind(const json::object& layer) {
  const auto* const urls = member(layer, "urls");
  if (urls == nullptr) return EdgeKind::layer;
  if (!urls->is_array()) throw Malformed("urls is not an array");
  return urls->get_array().empty() ? EdgeKind::layer : EdgeKind::foreign;
}

// Calls `visit` with each element; `key` must be there, but may be null.
template <class Visit>
void each(const json::object& object, std::string_view key, Visit visit) {
  if (!has(object, key)) throw Malformed(std::string(key) + " is missing");
  const auto* const value = member(object, key);
  if (value == nullptr) return;
  if (!value->is_array()) throw Malformed(std::string(key) + " is not an array");
  for (const auto& element : value->get_array()) visit(element);
}

void read_layers(Manifest& manifest, const json::object& root, std::string_view key) {
  each(root, key, [&](const json::value& element) {
    auto target = descriptor(element, "a layer");
    manifest.edges.push_back({layer_kind(element.get_object()), std::move(target)});
  });
}

void read_image(Manifest& manifest, const json::object& root) {
  const auto* const config = member(root, "config");
  if (config == nullptr) throw Malformed("config is missing");
  manifest.edges.push_back({EdgeKind::config, descriptor(*config, "config")});
  read_layers(manifest, root, "layers");
  if (manifest.artifact_type.empty()) {
    manifest.artifact_type = manifest.edges.front().target.media_type;
  }
}

void read_index(Manifest& manifest, const json::object& root) {
  each(root, "manifests", [&](const json::value& element) {
    manifest.edges.push_back({EdgeKind::manifest, descriptor(element, "a child of the index")});
  });
}

void read_artifact(Manifest& manifest, const json::object& root) {
  if (has(root, "blobs")) read_layers(manifest, root, "blobs");
}

void read_schema1(Manifest& manifest, const json::object& root) {
  each(root, "fsLayers", [&](const json::value& element) {
    const auto& layer = as_object(element, "a layer");
    manifest.edges.push_back(
        {EdgeKind::layer, {std::string(schema1_layer), digest_member(layer, "blobSum"), 0}});
  });
}

void read_annotations(Manifest& manifest, const json::object& root) {
  const auto* const annotations = member(root, "annotations");
  if (annotations == nullptr) return;
  for (const auto& [key, value] : as_object(*annotations, "annotations")) {
    if (!value.is_string()) throw Malformed("an annotation is not a string");
    manifest.annotations.emplace(std::string(key), std::string(view(value.get_string())));
  }
}

// A document that another reader could take for another kind (CVE-2021-41190).
void refuse_confusion(const json::object& root, ManifestKind kind) {
  struct Row {
    ManifestKind kind;
    std::string_view key;
  };
  static constexpr Row of_others[] = {
      {ManifestKind::image, "manifests"},   {ManifestKind::image, "fsLayers"},
      {ManifestKind::index, "config"},      {ManifestKind::index, "layers"},
      {ManifestKind::index, "fsLayers"},    {ManifestKind::artifact, "config"},
      {ManifestKind::artifact, "layers"},   {ManifestKind::artifact, "manifests"},
      {ManifestKind::artifact, "fsLayers"}, {ManifestKind::schema1, "config"},
      {ManifestKind::schema1, "layers"},    {ManifestKind::schema1, "manifests"},
  };
  for (const auto& row : of_others) {
    if (row.kind == kind && has(root, row.key)) {
      throw Malformed(std::string(row.key) + " does not belong into a manifest of this type");
    }
  }
}

// The type a body has that does not name it; empty when such a body must name it: Docker's schema 2
// (image manifest v2 schema 2, "mediaType") and the artifact manifest.
std::string_view type_of_shape(const json::object& root, ManifestKind kind) {
  switch (kind) {
    case ManifestKind::image:
      return media_type::oci_manifest;
    case ManifestKind::index:
      return media_type::oci_index;
    case ManifestKind::schema1:
      return member(root, "signatures") != nullptr ? media_type::docker_schema1_signed
                                                   : media_type::docker_schema1;
    case ManifestKind::artifact:
    case ManifestKind::unknown:
      break;
  }
  return {};
}

void check_type(const json::object& root, const Manifest& manifest) {
  const auto claimed = string_member(root, "mediaType");
  if (!claimed.empty() && bare_media_type(claimed) != manifest.media_type) {
    throw Malformed("mediaType says " + claimed + ", the Content-Type " + manifest.media_type);
  }
  const auto* const version = member(root, "schemaVersion");
  const std::int64_t expected = manifest.kind == ManifestKind::schema1 ? 1 : 2;
  if (version != nullptr && (!version->is_int64() || version->get_int64() != expected)) {
    throw Malformed("schemaVersion is not " + std::to_string(expected));
  }
  refuse_confusion(root, manifest.kind);
  if (claimed.empty() && manifest.kind != ManifestKind::unknown &&
      type_of_shape(root, manifest.kind) != manifest.media_type) {
    throw Malformed("a manifest without mediaType is not " + manifest.media_type);
  }
}

void read_body(Manifest& manifest, const json::object& root) {
  switch (manifest.kind) {
    case ManifestKind::image:
      return read_image(manifest, root);
    case ManifestKind::index:
      return read_index(manifest, root);
    case ManifestKind::artifact:
      return read_artifact(manifest, root);
    case ManifestKind::schema1:
      return read_schema1(manifest, root);
    case ManifestKind::unknown:
      throw Malformed("\"" + manifest.media_type + "\" is not a manifest's media type");
  }
}

Manifest read(const json::value& document, std::string_view media_type) {
  Manifest manifest;
  manifest.kind = manifest_kind(media_type);
  manifest.media_type = bare_media_type(media_type);
  const auto& root = as_object(document, "the manifest");
  check_type(root, manifest);
  if (manifest.kind != ManifestKind::schema1) {
    manifest.artifact_type = string_member(root, "artifactType");
    if (const auto* const subject = member(root, "subject")) {
      manifest.subject = descriptor(*subject, "subject");
    }
    read_annotations(manifest, root);
  }
  read_body(manifest, root);
  return manifest;
}

}  // namespace

std::expected<Manifest, std::string> parse_manifest(std::string_view bytes,
                                                    std::string_view media_type) {
  if (bytes.size() > max_manifest_bytes) return std::unexpected("the manifest exceeds 4 MiB");
  unsigned char first_memory[8192];  // enough for a common manifest
  json::monotonic_resource memory(first_memory);
  const auto document = parse_json(bytes, &memory);
  if (!document) return std::unexpected(document.error());
  try {
    return read(*document, media_type);
  } catch (const Malformed& reason) {
    return std::unexpected(reason.what());
  }
}

}  // namespace entrepot::oci
