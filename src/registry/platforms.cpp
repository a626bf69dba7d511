#include "entrepot/registry/platforms.hpp"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <map>
#include <set>
#include <utility>

namespace entrepot::registry {
namespace {

namespace json = boost::json;

struct Platform {
  std::string os;
  std::string architecture;
  std::string variant;
  bool operator==(const Platform&) const = default;
};

// As containerd's platforms.Normalize: what stands for the same machine is written in one way.
Platform normal(Platform platform) {
  if (platform.architecture == "x86_64") platform.architecture = "amd64";
  if (platform.architecture == "aarch64") platform.architecture = "arm64";
  if (platform.architecture == "arm64" && platform.variant == "v8") platform.variant.clear();
  if (platform.architecture == "arm" && platform.variant.empty()) platform.variant = "v7";
  if (platform.architecture == "amd64" && platform.variant == "v1") platform.variant.clear();
  return platform;
}

struct Wanted {
  explicit Wanted(std::string_view text) {
    const auto first = text.find('/');
    const auto second = text.find('/', first == std::string_view::npos ? first : first + 1);
    platform.os = text.substr(0, first);
    if (first != std::string_view::npos) {
      platform.architecture = text.substr(first + 1, second - first - 1);
    }
    any_variant = second == std::string_view::npos;
    if (!any_variant) platform.variant = text.substr(second + 1);
    platform = normal(std::move(platform));
  }
  bool covers(const Platform& other) const {
    if (!any_variant) return platform == other;
    return platform.os == other.os && platform.architecture == other.architecture;
  }

  Platform platform;
  bool any_variant = true;
};

struct Child {
  std::optional<Platform> platform;
  std::string describes;  // the digest of the image it is an attestation of
};

std::string text_of(const json::object& object, std::string_view key) {
  const auto* const value = object.if_contains(json::string_view(key.data(), key.size()));
  if (value == nullptr || !value->is_string()) return {};
  return std::string(value->get_string().data(), value->get_string().size());
}

Child child_of(const json::object& object) {
  Child child;
  const auto* const platform = object.if_contains("platform");
  if (platform != nullptr && platform->is_object()) {
    const auto& said = platform->get_object();
    child.platform =
        normal({text_of(said, "os"), text_of(said, "architecture"), text_of(said, "variant")});
  }
  const auto* const annotations = object.if_contains("annotations");
  if (annotations != nullptr && annotations->is_object()) {
    child.describes = text_of(annotations->get_object(), "vnd.docker.reference.digest");
  }
  return child;
}

// In the order of the edges.
std::vector<Child> children_in(std::string_view index) {
  std::vector<Child> children;
  boost::system::error_code error;
  const auto document = json::parse(json::string_view(index.data(), index.size()), error);
  if (error || !document.is_object()) return children;
  const auto* const list = document.get_object().if_contains("manifests");
  if (list == nullptr || !list->is_array()) return children;
  for (const auto& one : list->get_array()) {
    children.push_back(one.is_object() ? child_of(one.get_object()) : Child{});
  }
  return children;
}

bool says_nothing(const Child& child) {
  return !child.platform || child.platform->architecture.empty() ||
         (child.platform->os == "unknown" && child.platform->architecture == "unknown");
}

// Digests of the images that are for the platforms.
std::set<std::string> images_for(const std::vector<Child>& children, const oci::Manifest& parsed,
                                 const std::vector<Wanted>& platforms) {
  std::set<std::string> images;
  for (std::size_t i = 0; i < children.size(); ++i) {
    const auto& child = children[i];
    if (says_nothing(child)) continue;
    const bool covered = std::ranges::any_of(
        platforms, [&](const Wanted& wanted) { return wanted.covers(*child.platform); });
    if (covered) images.insert(parsed.edges[i].target.digest.text());
  }
  return images;
}

}  // namespace

Children children_for(std::string_view index, const oci::Manifest& parsed,
                      const std::vector<std::string>& platforms) {
  const std::vector<Wanted> wanted(platforms.begin(), platforms.end());
  auto children = platforms.empty() ? std::vector<Child>() : children_in(index);
  const bool filtered = children.size() == parsed.edges.size() && !platforms.empty();
  const auto images = filtered ? images_for(children, parsed, wanted) : std::set<std::string>();
  Children found;
  std::set<oci::Digest> met;
  for (std::size_t i = 0; i < parsed.edges.size(); ++i) {
    const auto& target = parsed.edges[i].target;
    if (filtered && !images.contains(target.digest.text())) {
      const auto& child = children[i];
      const bool goes_along =
          says_nothing(child) && (child.describes.empty() || images.contains(child.describes));
      if (!goes_along) {
        found.all = false;
        continue;
      }
    }
    if (met.insert(target.digest).second) found.wanted.push_back(target);
  }
  return found;
}

}  // namespace entrepot::registry
