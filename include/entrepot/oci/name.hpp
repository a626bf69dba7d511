// Repository names, tags and references (OCI distribution-spec, "Pulling manifests").
//
// All are parsed at the border; inside the house a string that claims to be a name does not exist.
#pragma once

#include <compare>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "entrepot/oci/digest.hpp"

namespace entrepot::oci {

// Slash-separated components of [a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*, 255 characters at most.
class RepositoryName {
 public:
  static std::optional<RepositoryName> parse(std::string_view text);

  const std::string& text() const { return text_; }
  // The part before the first '/', or everything.
  std::string_view first_component() const;
  bool has_single_component() const;

  friend auto operator<=>(const RepositoryName&, const RepositoryName&) = default;

 private:
  explicit RepositoryName(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

// [a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}
class Tag {
 public:
  static std::optional<Tag> parse(std::string_view text);
  const std::string& text() const { return text_; }
  friend auto operator<=>(const Tag&, const Tag&) = default;

 private:
  explicit Tag(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

// What stands behind /manifests/: a tag or a digest.
class Reference {
 public:
  explicit Reference(Tag tag) : value_(std::move(tag)) {}
  explicit Reference(Digest digest) : value_(digest) {}
  // A text with a ':' must be a digest, any other a tag; otherwise absent.
  static std::optional<Reference> parse(std::string_view text);

  const Tag* tag() const { return std::get_if<Tag>(&value_); }
  const Digest* digest() const { return std::get_if<Digest>(&value_); }
  std::string text() const;
  friend auto operator<=>(const Reference&, const Reference&) = default;

 private:
  std::variant<Tag, Digest> value_;
};

}  // namespace entrepot::oci

template <>
struct std::hash<entrepot::oci::RepositoryName> {
  std::size_t operator()(const entrepot::oci::RepositoryName& name) const noexcept {
    return std::hash<std::string>{}(name.text());
  }
};
