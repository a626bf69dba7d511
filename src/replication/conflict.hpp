// Whether a tag that differs here is taken from the source all the same: pure, so that its table is
// a test.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "entrepot/index/journal.hpp"
#include "entrepot/replication/rule.hpp"

namespace entrepot::replication {

struct Difference {
  Conflict policy = Conflict::newest;
  std::string actor{};  // whose doing this rule's changes are
  oci::Digest source;
  std::optional<index::Version> version{};  // of the source's change, when it says
  std::vector<index::TagChange> history{};  // of the tag here, newest first
  std::optional<index::Version> ours{};     // of the newest of them
};

enum class Verdict { take, stay };

// `newest` by versions, where the source tells them. Else who changed the tag last as far as can be
// seen: we, when what the source has is what this rule brought before; the source, when it has gone
// on since. What this rule has never touched stays.
Verdict judge(const Difference& difference);

}  // namespace entrepot::replication
