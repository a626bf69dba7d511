// What a peer says on the feed and asks of ours: what is read at all comes back the same from its
// own words, and obeys the bounds. The first byte chooses the words.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "entrepot/registry/feed_words.hpp"
#include "registry/summary_tree.hpp"

namespace words = entrepot::registry;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

template <class Read>
void settles(std::string_view text, Read read) {
  const auto first = read(text);
  if (!first) return;
  const auto written = words::to_json(*first);
  const auto second = read(written);
  require(second.has_value() && words::to_json(*second) == written);
}

// Lines of "key=value".
words::FeedQuery query_of(std::string_view text) {
  words::FeedQuery query;
  while (!text.empty()) {
    const auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(line.size() == text.size() ? line.size() : line.size() + 1);
    const auto equals = line.find('=');
    if (equals == line.npos) continue;
    query.emplace_back(line.substr(0, equals), line.substr(equals + 1));
  }
  return query;
}

void questions(std::string_view text) {
  const auto query = query_of(text);
  if (const auto question = words::read_feed_question(query)) {
    const auto again = words::read_feed_question(words::to_query(*question));
    require(again.has_value() && words::to_query(*again) == words::to_query(*question));
    require(question->limit >= 1 && question->limit <= words::most_feed_changes);
    require(question->wait <= words::longest_feed_wait);
  }
  if (const auto question = words::read_nodes_question(query)) {
    const auto again = words::read_nodes_question(words::to_query(*question));
    require(again.has_value() && again->prefixes == question->prefixes);
    const words::SummaryTree tree({words::SummaryLeaf{~std::uint64_t{0}, {1, 2}}});
    for (const auto& prefix : question->prefixes) tree.summary(prefix);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data + 1), size - 1);
  switch (data[0] % 6) {
    case 0:
      settles(text, &words::read_feed_page);
      break;
    case 1:
      settles(text, &words::read_summaries);
      break;
    case 2:
      settles(text, &words::read_items);
      break;
    case 3:
      settles(text, &words::read_changes);
      break;
    case 4:
      settles(text, &words::read_latest_question);
      break;
    default:
      questions(text);
  }
  return 0;
}
