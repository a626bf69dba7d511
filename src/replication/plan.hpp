// What a run of a rule has to do.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "entrepot/async/task.hpp"
#include "replication/carry.hpp"
#include "replication/errand.hpp"
#include "replication/survey.hpp"

namespace entrepot::replication {

// Of an item whose repository the rule's template makes no name of.
inline constexpr const char* without_name = "the rule's rename makes no name of a repository of it";

// A tag of the target that has to go.
struct Removal {
  ItemName item;  // in the source's words; the first, where several repositories become one
  oci::RepositoryName repository;
  oci::Tag tag;
  std::optional<oci::Digest> digest{};  // what it stands for: else somebody has changed it since
  // The source is asked once more for the tag in these: what it does not call absent stays.
  std::vector<oci::RepositoryName> absent_from{};
};

struct Plan {
  std::uint64_t repositories = 0;
  std::uint64_t tags = 0;
  std::vector<Image> images{};
  // What is there already, when it is time to look for signatures that came after it.
  std::vector<Image> held{};
  bool looks_for_referrers = false;
  std::vector<ItemName> conflicts{};  // they stay as they are at the target
  std::vector<Removal> removals{};
  std::string refused{};  // why there are no removals though there should be some
  std::vector<Trouble> troubles{};
};

enum class Origin { trigger, hand };

// `selection`: only these, and no removals. Asks the source for its lists and for each tag, the
// target for each tag; of `here` the index knows. Throws oci::Refusal when there is no plan.
async::Task<Plan> make_plan(SharedErrand errand, std::optional<Selection> selection, Origin origin);

// The items of an image, as the waiting list knows them.
std::vector<ItemName> items_of(const Image& image);

}  // namespace entrepot::replication
