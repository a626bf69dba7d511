#include "entrepot/transfer/image_list.hpp"

#include <algorithm>
#include <array>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <set>
#include <utility>

namespace entrepot::transfer {
namespace {

namespace json = boost::json;

constexpr std::size_t deepest = 64;
constexpr std::string_view docker_hub = "docker.io";
constexpr std::array<std::string_view, 3> containers{"containers", "initContainers",
                                                     "ephemeralContainers"};

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view blanks = " \t\r\n\f\v";
  const auto first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

bool is_host(std::string_view component) {
  return component == "localhost" || component.contains('.') || component.contains(':');
}

bool has_host_letters(std::string_view host) {
  return std::ranges::all_of(host, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view(".-:[]").contains(c);
  });
}

// Each once, in the order they came.
class Names {
 public:
  void add(std::string_view name) {
    if (!name.empty() && met_.emplace(name).second) list_.emplace_back(name);
  }
  std::vector<std::string> take() { return std::move(list_); }

 private:
  std::set<std::string, std::less<>> met_;
  std::vector<std::string> list_;
};

std::string_view text_in(const json::object& object, std::string_view key) {
  const auto* const value = object.if_contains(json::string_view(key.data(), key.size()));
  if (value == nullptr || !value->is_string()) return {};
  return {value->get_string().data(), value->get_string().size()};
}

void add_containers(const json::value& list, Names& names) {
  if (!list.is_array()) return;
  for (const auto& container : list.get_array()) {
    if (container.is_object()) names.add(trimmed(text_in(container.get_object(), "image")));
  }
}

// As deep as the parser let it be.
void search(const json::value& value, Names& names) {
  if (value.is_array()) {
    for (const auto& element : value.get_array()) search(element, names);
  }
  if (!value.is_object()) return;
  for (const auto& [key, member] : value.get_object()) {
    const std::string_view word(key.data(), key.size());
    if (std::ranges::find(containers, word) != containers.end()) {
      add_containers(member, names);
    } else {
      search(member, names);
    }
  }
}

}  // namespace

std::string ImageName::text() const {
  return host + "/" + repository.text() + (reference.digest() ? "@" : ":") + reference.text();
}

std::optional<ImageName> parse_image(std::string_view text) {
  std::optional<oci::Reference> reference;
  if (const auto at = text.find('@'); at != std::string_view::npos) {
    const auto digest = oci::Digest::parse(text.substr(at + 1));
    if (!digest) return std::nullopt;
    reference = oci::Reference(*digest);
    text = text.substr(0, at);
  }
  const auto last_slash = text.rfind('/');
  const auto colon = text.find(':', last_slash == std::string_view::npos ? 0 : last_slash);
  if (colon != std::string_view::npos) {
    const auto tag = oci::Tag::parse(text.substr(colon + 1));
    if (!tag) return std::nullopt;
    if (!reference) reference = oci::Reference(*tag);
    text = text.substr(0, colon);
  }
  std::string host(docker_hub);
  const auto slash = text.find('/');
  if (slash != std::string_view::npos && is_host(text.substr(0, slash))) {
    host = text.substr(0, slash);
    text = text.substr(slash + 1);
  }
  if (!has_host_letters(host)) return std::nullopt;
  if (host == "index.docker.io") host = docker_hub;
  std::string path(text);
  if (host == docker_hub && !path.contains('/')) path = "library/" + path;
  auto repository = oci::RepositoryName::parse(path);
  if (!repository) return std::nullopt;
  if (!reference) reference = oci::Reference(oci::Tag::parse("latest").value());
  return ImageName{std::move(host), std::move(*repository), std::move(*reference)};
}

std::vector<std::string> images_in_lines(std::string_view text) {
  Names names;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    const auto line = text.substr(0, end);
    names.add(trimmed(line.substr(0, line.find('#'))));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return names.take();
}

std::optional<std::vector<std::string>> images_in_kubernetes_list(std::string_view text) {
  json::error_code error;
  json::parse_options options;
  options.max_depth = deepest;
  const auto document =
      json::parse(json::string_view(text.data(), text.size()), error, {}, options);
  if (error) return std::nullopt;
  Names names;
  search(document, names);
  return names.take();
}

}  // namespace entrepot::transfer
