// feed_words.hpp: questions.
#include <algorithm>
#include <boost/json/serialize.hpp>
#include <charconv>
#include <stdexcept>

#include "entrepot/base/glob.hpp"
#include "entrepot/registry/feed_words.hpp"
#include "registry/feed_json.hpp"
#include "registry/summary_tree.hpp"

namespace entrepot::registry {
namespace {

namespace json = boost::json;

constexpr std::size_t most_globs = 256;
constexpr std::size_t longest_name = 255;

using Wrong = std::unexpected<std::string>;

std::optional<std::string_view> value_of(const FeedQuery& query, std::string_view key) {
  const auto found = std::ranges::find(query, key, &FeedQuery::value_type::first);
  if (found == query.end()) return std::nullopt;
  return found->second;
}

std::expected<std::uint64_t, std::string> number_of(const FeedQuery& query, std::string_view key,
                                                    std::uint64_t otherwise) {
  const auto text = value_of(query, key);
  if (!text) return otherwise;
  std::uint64_t number = 0;
  const auto read = std::from_chars(text->data(), text->data() + text->size(), number);
  if (text->empty() || read.ec != std::errc() || read.ptr != text->data() + text->size()) {
    return Wrong(std::string(key) + " is no number");
  }
  return number;
}

// Empty, or a sentence.
std::string trouble_with(const FeedScope& scope) {
  const auto too_long = [](const std::string& text) { return text.size() > longest_name; };
  if (scope.repositories.size() > most_globs) return "too many repositories";
  if (too_long(scope.prefix) || std::ranges::any_of(scope.repositories, too_long)) {
    return "longer than any name";
  }
  try {
    const base::GlobSet readable(scope.repositories);
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return {};
}

FeedQuery scope_query(const FeedScope& scope) {
  FeedQuery query;
  for (const auto& glob : scope.repositories) query.emplace_back("repository", glob);
  if (!scope.prefix.empty()) query.emplace_back("under", scope.prefix);
  return query;
}

std::expected<FeedScope, std::string> scope_of(const FeedQuery& query) {
  FeedScope scope{.repositories = {}, .prefix = std::string(value_of(query, "under").value_or(""))};
  for (const auto& [key, value] : query) {
    if (key == "repository") scope.repositories.push_back(value);
  }
  if (scope.repositories.empty()) scope = {.prefix = std::move(scope.prefix)};
  if (auto trouble = trouble_with(scope); !trouble.empty()) return Wrong(std::move(trouble));
  return scope;
}

std::expected<std::vector<std::string>, std::string> prefixes_of(std::string_view text) {
  std::vector<std::string> prefixes;
  for (;;) {
    const auto comma = text.find(',');
    const auto one = text.substr(0, comma);
    if (!is_prefix(one)) return Wrong("prefix: at most 8 hexadecimal digits each");
    prefixes.emplace_back(one);
    if (prefixes.size() > most_summary_prefixes) return Wrong("too many prefixes");
    if (comma == text.npos) return prefixes;
    text.remove_prefix(comma + 1);
  }
}

std::optional<TagName> tag_name_in(const json::value& value) {
  const auto* pair = value.if_array();
  if (!pair || pair->size() != 2 || !(*pair)[0].is_string() || !(*pair)[1].is_string()) {
    return std::nullopt;
  }
  auto repository = oci::RepositoryName::parse((*pair)[0].get_string());
  auto reference = oci::Reference::parse((*pair)[1].get_string());
  if (!repository || !reference) return std::nullopt;
  return TagName{std::move(*repository), std::move(*reference)};
}

const json::array* list_in(const json::object& object, std::string_view key) {
  const auto* member = object.if_contains(key);
  return member ? member->if_array() : nullptr;
}

}  // namespace

FeedQuery to_query(const FeedQuestion& question) {
  auto query = scope_query(question.scope);
  query.emplace_back("since", std::to_string(question.since));
  query.emplace_back("n", std::to_string(question.limit));
  if (question.wait.count() > 0) query.emplace_back("wait", std::to_string(question.wait.count()));
  return query;
}

FeedQuery to_query(const NodesQuestion& question) {
  auto query = scope_query(question.scope);
  std::string prefixes;
  for (const auto& prefix : question.prefixes) {
    if (&prefix != &question.prefixes.front()) prefixes += ',';
    prefixes += prefix;
  }
  query.emplace_back("prefix", prefixes);
  return query;
}

std::expected<FeedQuestion, std::string> read_feed_question(const FeedQuery& query) {
  auto scope = scope_of(query);
  if (!scope) return Wrong(scope.error());
  const auto since = number_of(query, "since", 0);
  const auto limit = number_of(query, "n", most_feed_changes);
  const auto wait = number_of(query, "wait", 0);
  for (const auto* number : {&since, &limit, &wait}) {
    if (!*number) return Wrong(number->error());
  }
  const auto longest = static_cast<std::uint64_t>(longest_feed_wait.count());
  return FeedQuestion{.scope = std::move(*scope),
                      .since = *since,
                      .limit = std::clamp<std::uint64_t>(*limit, 1, most_feed_changes),
                      .wait = std::chrono::seconds(std::min(*wait, longest))};
}

std::expected<NodesQuestion, std::string> read_nodes_question(const FeedQuery& query) {
  auto scope = scope_of(query);
  if (!scope) return Wrong(scope.error());
  auto prefixes = prefixes_of(value_of(query, "prefix").value_or(""));
  if (!prefixes) return Wrong(prefixes.error());
  return NodesQuestion{std::move(*scope), std::move(*prefixes)};
}

std::string to_json(const LatestQuestion& question) {
  json::array tags;
  for (const auto& each : question.tags) {
    tags.push_back(
        json::array{json::string(each.repository.text()), json::string(each.reference.text())});
  }
  json::object body;
  json::array globs;
  for (const auto& glob : question.scope.repositories) globs.emplace_back(glob);
  body["repositories"] = std::move(globs);
  if (!question.scope.prefix.empty()) body["under"] = question.scope.prefix;
  body["tags"] = std::move(tags);
  return json::serialize(body);
}

std::expected<LatestQuestion, std::string> read_latest_question(std::string_view text) {
  const auto body = parse_feed_json(text);
  const auto* tags = body ? list_in(*body, "tags") : nullptr;
  if (!tags || tags->size() > most_tags_asked) return Wrong("tags: a list of at most 1000");
  LatestQuestion question;
  for (const auto& each : *tags) {
    auto name = tag_name_in(each);
    if (!name) return Wrong("tags: pairs of repository and tag");
    question.tags.push_back(std::move(*name));
  }
  question.scope.prefix = text_in(*body, "under").value_or("");
  if (const auto* globs = list_in(*body, "repositories"); globs && !globs->empty()) {
    question.scope.repositories.clear();
    for (const auto& glob : *globs) {
      if (!glob.is_string()) return Wrong("repositories: a list of patterns");
      question.scope.repositories.emplace_back(glob.get_string());
    }
  }
  if (auto trouble = trouble_with(question.scope); !trouble.empty())
    return Wrong(std::move(trouble));
  return question;
}

}  // namespace entrepot::registry
