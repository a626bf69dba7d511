#include "replication/comparison.hpp"

namespace entrepot::replication {

namespace {

// Of some thousand items each.
constexpr int most_parts = 4;

}  // namespace

bool is_comparable(const Errand& errand) {
  return errand.from.feed && errand.to.feed && errand.rule->summarized().has_value();
}

DifferenceWalk::Side source_side(const Errand& errand) {
  return {errand.from.feed, {.repositories = *errand.rule->summarized(), .prefix = {}}};
}

DifferenceWalk::Side target_side(const Errand& errand) {
  return {errand.to.feed,
          {.repositories = *errand.rule->summarized(), .prefix = *errand.rule->prefix()}};
}

async::Task<std::optional<std::set<oci::RepositoryName>>> lacking(SharedErrand errand) {
  if (!is_comparable(*errand)) co_return std::nullopt;
  DifferenceWalk walk(source_side(*errand), target_side(*errand));
  std::set<oci::RepositoryName> found;
  for (int i = 0; i < most_parts; ++i) {
    const auto part = co_await walk.next();
    if (!part) co_return std::nullopt;
    if (!*part) co_return found;
    for (const auto& item : (*part)->theirs) {
      if (!item.tag) found.insert(item.repository);
    }
  }
  co_return std::nullopt;
}

}  // namespace entrepot::replication
