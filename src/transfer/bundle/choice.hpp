// What of a graph of images goes into a bundle: what its receiver lacks, by a want-file, or what it
// asks for once more, by an ask-file; without either everything.
#pragma once

#include <optional>
#include <unordered_set>
#include <vector>

#include "entrepot/base/clock.hpp"
#include "entrepot/transfer/bundle.hpp"
#include "transfer/bundle/ask_text.hpp"
#include "transfer/bundle/graph.hpp"
#include "transfer/bundle/volume_head.hpp"
#include "transfer/bundle/want_text.hpp"

namespace entrepot::transfer {

class Choice {
 public:
  // Reads the files the options name; both arguments outlive it. Throws std::runtime_error with a
  // sentence: not readable, not of a trusted site, or about another site's bundle.
  Choice(const BundleOptions& options, const BundleSite& site);

  // WalkOptions::children.
  std::unordered_set<oci::Digest> asked_children() const;

  // Which objects of the graph go along; counts them, and what is left out. Throws
  // std::runtime_error when nothing of what is asked for is here.
  std::vector<bool> carried(const Graph& graph, BundleReport& report) const;

  // The first volume's head without members, and without how many volumes there are.
  VolumeHead frame(const Graph& graph, const std::vector<bool>& carried, base::WallTime now) const;

 private:
  void believe(const std::filesystem::path& file, const std::string& key) const;
  bool is_there(const oci::Digest& digest) const;
  bool is_news(const PlannedUnit& unit, const std::vector<bool>& carried) const;
  bool is_wanted(const index::Change& removal) const;
  Contents contents(const Graph& graph, const std::vector<bool>& carried) const;
  std::vector<RemovalLine> removals() const;

  const BundleOptions& options_;
  const BundleSite& site_;
  std::optional<Want> want_;
  std::optional<Ask> ask_;
};

}  // namespace entrepot::transfer
