#include "entrepot/oci/name.hpp"

namespace entrepot::oci {

namespace {

constexpr std::size_t longest_name = 255;
constexpr std::size_t longest_tag = 128;

bool is_lower_alphanumeric(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }
bool is_word(char c) { return is_lower_alphanumeric(c) || (c >= 'A' && c <= 'Z') || c == '_'; }

// '.', '_', '__' or any number of '-', between two alphanumerics.
bool is_separator(std::string_view text) {
  return text == "." || text == "_" || text == "__" || text.find_first_not_of('-') == text.npos;
}

bool is_component(std::string_view text) {
  std::size_t at = 0;
  for (;;) {
    const auto word = at;
    while (at < text.size() && is_lower_alphanumeric(text[at])) ++at;
    if (at == word) return false;
    if (at == text.size()) return true;
    const auto separator = at;
    while (at < text.size() && !is_lower_alphanumeric(text[at])) ++at;
    if (!is_separator(text.substr(separator, at - separator))) return false;
  }
}

}  // namespace

std::optional<RepositoryName> RepositoryName::parse(std::string_view text) {
  if (text.size() > longest_name) return std::nullopt;
  auto rest = text;
  for (;;) {
    const auto slash = rest.find('/');
    if (!is_component(rest.substr(0, slash))) return std::nullopt;
    if (slash == rest.npos) return RepositoryName(std::string(text));
    rest.remove_prefix(slash + 1);
  }
}

std::string_view RepositoryName::first_component() const {
  return std::string_view(text_).substr(0, text_.find('/'));
}

bool RepositoryName::has_single_component() const { return text_.find('/') == text_.npos; }

std::optional<Tag> Tag::parse(std::string_view text) {
  if (text.empty() || text.size() > longest_tag || !is_word(text[0])) return std::nullopt;
  for (const char c : text) {
    if (!is_word(c) && c != '.' && c != '-') return std::nullopt;
  }
  return Tag(std::string(text));
}

std::optional<Reference> Reference::parse(std::string_view text) {
  if (text.find(':') != text.npos) {
    const auto digest = Digest::parse(text);
    if (!digest) return std::nullopt;
    return Reference(*digest);
  }
  auto tag = Tag::parse(text);
  if (!tag) return std::nullopt;
  return Reference(*std::move(tag));
}

std::string Reference::text() const {
  const auto* const name = tag();
  return name != nullptr ? name->text() : digest()->text();
}

}  // namespace entrepot::oci
