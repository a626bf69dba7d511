#include "transfer/bundle/contents.hpp"

#include <map>

#include "transfer/bundle/json_words.hpp"

namespace entrepot::transfer {

namespace json = boost::json;

namespace {

constexpr std::size_t longest_name = 200;

json::object render(const SiteName& site) { return {{"id", site.id}, {"name", site.name}}; }

SiteName read_site(const json::object& object) {
  SiteName site{.id = text_of(object, "id"), .name = text_of(object, "name")};
  if (!site.id.empty() && !is_hex(site.id, 32)) throw Malformed("it names a site that is none");
  if (site.name.size() > longest_name) throw Malformed("the name of its site is too long");
  return site;
}

base::WallTime time_of(std::uint64_t milliseconds) {
  return base::WallTime(base::Milliseconds(milliseconds));
}

// Sites repeat in every line: they stand once, by number.
class Sites {
 public:
  std::size_t number_of(const std::string& site) {
    const auto [place, fresh] = numbers_.emplace(site, list_.size());
    if (fresh) list_.emplace_back(site);
    return place->second;
  }
  json::array take() { return std::move(list_); }

 private:
  std::map<std::string, std::size_t> numbers_;
  json::array list_;
};

oci::RepositoryName repository_at(const json::array& row, std::size_t place) {
  auto name = oci::RepositoryName::parse(text_at(row, place));
  if (!name) throw Malformed("it names a repository that is none");
  return std::move(*name);
}

std::optional<oci::Tag> tag_at(const json::array& row, std::size_t place) {
  const auto text = text_at(row, place);
  if (text.empty()) return std::nullopt;
  auto tag = oci::Tag::parse(text);
  if (!tag) throw Malformed("it names a tag that is none");
  return tag;
}

std::string site_at(const json::array& row, std::size_t place, const json::array& sites) {
  auto site = text_at(sites, number_at(row, place));
  if (!is_hex(site, 32)) throw Malformed("it names a site that is none");
  return site;
}

ContentLine read_line(const json::value& value, const json::array& sites) {
  const auto& row = row_of(value, 7);
  return {.repository = repository_at(row, 0),
          .from = text_at(row, 6),
          .tag = tag_at(row, 1),
          .digest = digest_at(row, 2),
          .version = {.time = time_of(number_at(row, 3)), .site = site_at(row, 4, sites)},
          .sparse = number_at(row, 5) != 0};
}

RemovalLine read_removal(const json::value& value, const json::array& sites) {
  const auto& row = row_of(value, 5);
  RemovalLine line{.repository = repository_at(row, 0),
                   .tag = tag_at(row, 1),
                   .digest = {},
                   .version = {.time = time_of(number_at(row, 3)), .site = site_at(row, 4, sites)}};
  if (!line.tag || !text_at(row, 2).empty()) line.digest = digest_at(row, 2);
  return line;
}

json::array render(const RemovalLine& line, Sites& sites) {
  return {line.repository.text(), line.tag ? line.tag->text() : "",
          line.digest ? line.digest->text() : "", line.version.time.time_since_epoch().count(),
          sites.number_of(line.version.site)};
}

}  // namespace

void render(const Contents& contents, json::object& head) {
  head["bundle"] = contents.bundle;
  head["made"] = contents.made.time_since_epoch().count();
  head["sender"] = render(contents.sender);
  head["receiver"] = render(contents.receiver);
  Sites sites;
  json::array lines;
  lines.reserve(contents.lines.size());
  for (const auto& line : contents.lines) {
    lines.push_back(json::array{line.repository.text(), line.tag ? line.tag->text() : "",
                                line.digest.text(), line.version.time.time_since_epoch().count(),
                                sites.number_of(line.version.site), line.sparse ? 1 : 0,
                                line.from});
  }
  json::array removals;
  removals.reserve(contents.removals.size());
  for (const auto& line : contents.removals) removals.push_back(render(line, sites));
  head["sites"] = sites.take();
  head["images"] = std::move(lines);
  if (!removals.empty()) head["removals"] = std::move(removals);
  if (contents.children.empty()) return;
  json::array children;
  for (const auto& child : contents.children) children.emplace_back(child.text());
  head["children"] = std::move(children);
}

Contents read_contents(const json::object& head) {
  Contents contents{.bundle = text_of(head, "bundle"),
                    .made = time_of(number_of(head, "made")),
                    .sender = read_site(object_of(head, "sender")),
                    .receiver = read_site(object_of(head, "receiver")),
                    .lines = {},
                    .children = {}};
  if (!is_hex(contents.bundle, 32)) throw Malformed("its id is none");
  const auto& sites = array_of(head, "sites");
  const auto& lines = array_of(head, "images");
  contents.lines.reserve(lines.size());
  for (const auto& line : lines) contents.lines.push_back(read_line(line, sites));
  // Bundles without sparse images or deletions do not speak of them.
  if (head.contains("children")) {
    const auto& children = array_of(head, "children");
    for (std::size_t i = 0; i < children.size(); ++i) {
      contents.children.push_back(digest_at(children, i));
    }
  }
  if (!head.contains("removals")) return contents;
  for (const auto& line : array_of(head, "removals")) {
    contents.removals.push_back(read_removal(line, sites));
  }
  return contents;
}

}  // namespace entrepot::transfer
