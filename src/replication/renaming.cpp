#include "replication/renaming.hpp"

#include <stdexcept>

namespace entrepot::replication {

namespace {

[[noreturn]] void refuse(std::string_view text, const char* why) {
  throw std::invalid_argument("rename \"" + std::string(text) + "\": " + why);
}

}  // namespace

Renaming::Renaming(std::string_view text) {
  for (auto rest = text; !rest.empty();) {
    const auto brace = std::min(rest.find('{'), rest.size());
    if (brace > 0) pieces_.push_back({Part::text, std::string(rest.substr(0, brace))});
    rest.remove_prefix(brace);
    if (rest.empty()) break;
    const auto end = rest.find('}');
    if (end == rest.npos) refuse(text, "has a brace without its end");
    const auto word = rest.substr(1, end - 1);
    if (word == "repository") {
      pieces_.push_back({Part::repository});
    } else if (word == "name") {
      pieces_.push_back({Part::name});
    } else if (word == "path") {
      pieces_.push_back({Part::path});
    } else {
      refuse(text, "knows {repository}, {name} and {path}");
    }
    rest.remove_prefix(end + 1);
  }
  if (!apply(*oci::RepositoryName::parse("a/b"))) refuse(text, "gives no name of a repository");
  const bool one = pieces_.size() == 1 && pieces_[0].part == Part::repository;
  const bool two = pieces_.size() == 2 && pieces_[0].part == Part::text &&
                   pieces_[0].text.ends_with('/') && pieces_[1].part == Part::repository;
  if (one) prefix_ = "";
  if (two) prefix_ = pieces_[0].text;
}

std::optional<oci::RepositoryName> Renaming::apply(const oci::RepositoryName& name) const {
  const std::string& whole = name.text();
  const auto slash = whole.rfind('/');
  const auto path = slash == whole.npos ? std::string() : whole.substr(0, slash);
  const auto last = slash == whole.npos ? whole : whole.substr(slash + 1);
  std::string text;
  bool swallow = false;  // the slash after an empty path
  for (const auto& piece : pieces_) {
    auto part = piece.text;
    if (piece.part == Part::repository) part = whole;
    if (piece.part == Part::name) part = last;
    if (piece.part == Part::path) part = path;
    if (swallow && part.starts_with('/')) part.erase(0, 1);
    swallow = piece.part == Part::path && path.empty();
    text += part;
  }
  return oci::RepositoryName::parse(text);
}

}  // namespace entrepot::replication
