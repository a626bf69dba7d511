// Questions to a rule's places, asked with manners: pages to their end, many side by side but never
// more than 16, and nobody is asked while it rests.
#pragma once

#include <optional>
#include <vector>

#include "entrepot/async/task.hpp"
#include "entrepot/index/catalog.hpp"
#include "entrepot/registry/sink.hpp"
#include "replication/errand.hpp"

namespace entrepot::replication {

// Longer rests are for the waiting list.
inline constexpr std::chrono::seconds longest_rest_sat_out(60);

// Returns once nobody rests; false when that would take too long to wait for.
async::Task<bool> sit_out_rest(SharedErrand errand);

async::Task<registry::Answer<std::vector<oci::RepositoryName>>> all_repositories(
    SharedErrand errand, std::shared_ptr<registry::Place> place);
async::Task<registry::Answer<std::vector<oci::Tag>>> all_tags(
    SharedErrand errand, std::shared_ptr<registry::Place> place, oci::RepositoryName name);

enum class Side { source, target };
struct Named {
  oci::RepositoryName repository;  // in the words of the side that is asked
  oci::Reference reference;
};
struct Standing {
  std::optional<oci::Digest> digest{};      // absent: there is no such thing
  std::optional<index::Version> version{};  // entrepot sites only
  std::optional<index::Change> change{};    // of another entrepot site: what made it so
};
// What each stands for, in the order asked. Of `here` the index is read, an entrepot site is asked
// for a thousand at once, all others by HEAD.
async::Task<std::vector<registry::Answer<Standing>>> standings(SharedErrand errand, Side side,
                                                               std::vector<Named> names);

}  // namespace entrepot::replication
