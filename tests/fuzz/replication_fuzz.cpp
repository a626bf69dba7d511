// What an operator writes into a rule: patterns, ranges of versions, cron expressions, windows,
// templates. Whatever it is, it is read or refused with a sentence, and what was read behaves.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <string_view>

#include "replication/compiled_rule.hpp"
#include "replication/order.hpp"
#include "replication/version.hpp"
#include "replication/version_range.hpp"

using namespace entrepot;
using namespace entrepot::replication;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

template <class Read>
void attempt(Read read) {
  try {
    read();
  } catch (const std::invalid_argument& error) {
    require(!std::string_view(error.what()).empty());
  }
}

// Of any three, order is an order.
void orders(std::string_view a, std::string_view b) {
  require((natural_order(a, b) < 0) == (natural_order(b, a) > 0));
  require((natural_order(a, b) == 0) == (a == b));
  const auto x = SemanticVersion::parse(a);
  const auto y = SemanticVersion::parse(b);
  if (!x || !y) return;
  require((*x < *y) == (*y > *x));
  require((*x == *y) == (*y == *x));
}

void times(const std::string& text) {
  const base::WallTime now(std::chrono::milliseconds(1'790'000'000'123));
  attempt([&] {
    const CronTime cron(text);
    const auto next = cron.next(now);
    require(next > now && cron.next(next) > next);
  });
  attempt([&] {
    const Windows windows({parse_window(text)});
    require(windows.open(windows.opens(now)));
    require(windows.closes(now) >= now);
  });
}

void names(const std::string& text, const std::string& other) {
  attempt([&] {
    const VersionRange range(text, other.size() % 2 == 0);
    if (const auto version = SemanticVersion::parse(other)) range.contains(*version);
  });
  attempt([&] {
    Rule rule{.name = "r", .from = "peer"};
    rule.repositories = {Glob{text}, Regex{other}};
    rule.tags = {Regex{text}, Glob{other}};
    rule.rename = other;
    const CompiledRule compiled(rule);
    const auto name = oci::RepositoryName::parse(text);
    if (name && compiled.covers(*name)) compiled.target(*name);
    if (const auto tag = oci::Tag::parse(other)) compiled.covers(*tag);
  });
  attempt([&] { Renaming(text).apply(*oci::RepositoryName::parse("a")); });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 4096) return 0;
  const std::string_view all(reinterpret_cast<const char*>(data), size);
  const auto end = all.find('\n');
  const std::string first(all.substr(0, end));
  const std::string second(end == all.npos ? "" : all.substr(end + 1));
  orders(first, second);
  times(first);
  names(first, second);
  return 0;
}
