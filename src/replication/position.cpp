#include "replication/position.hpp"

#include <array>
#include <string_view>

#include "entrepot/base/units.hpp"
#include "entrepot/index/notes.hpp"
#include "entrepot/oci/digest.hpp"

namespace entrepot::replication {

namespace {

constexpr const char* scope = "replication position";

// No part of it has a NUL in it.
class Text {
 public:
  void add(std::string_view part) { text_.append(part).append(1, '\0'); }

  template <class Patterns>
  void add_all(const char* what, const Patterns& patterns) {
    add(what);
    for (const auto& pattern : patterns) {
      std::visit([this](const auto& one) { this->add_one(one); }, pattern);
    }
  }
  std::string digest() const {
    return oci::Digest::of(oci::Algorithm::sha256, base::as_bytes(text_)).hex();
  }

 private:
  void add_one(const Glob& glob) { add("glob"), add(glob.pattern); }
  void add_one(const Regex& regex) { add("regex"), add(regex.pattern); }
  void add_one(const SemverRange& semver) {
    add(semver.prereleases ? "semver and before" : "semver");
    add(semver.range);
  }

  std::string text_;
};

}  // namespace

std::optional<Position> read_position(const index::View& view, const std::string& rule) {
  const auto text = index::note(view, scope, rule);
  if (!text) return std::nullopt;
  std::array<std::string_view, 4> words;
  std::string_view rest = *text;
  for (auto& word : words) {
    word = rest.substr(0, rest.find(' '));
    rest.remove_prefix(std::min(word.size() + 1, rest.size()));
  }
  const auto since = base::parse_unsigned(words[3]);
  if (!since) return std::nullopt;
  return Position{std::string(words[0]), std::string(words[1]), std::string(words[2]), *since};
}

void write_position(index::Batch& batch, const std::string& rule, const Position& position) {
  const auto before = read_position(batch, rule);
  const bool same = before && before->site == position.site &&
                    before->journal == position.journal && before->coverage == position.coverage;
  if (same && before->since >= position.since) return;
  index::set_note(batch, scope, rule,
                  position.site + " " + position.journal + " " + position.coverage + " " +
                      std::to_string(position.since));
}

std::string coverage_of(const Rule& rule) {
  Text text;
  text.add_all("repositories", rule.repositories);
  text.add_all("without", rule.without_repositories);
  text.add_all("tags", rule.tags);
  text.add_all("without", rule.without_tags);
  text.add("platforms");
  for (const auto& platform : rule.platforms) text.add(platform);
  text.add(rule.referrers ? "referrers" : "none");
  text.add(rule.rename);
  return text.digest();
}

}  // namespace entrepot::replication
