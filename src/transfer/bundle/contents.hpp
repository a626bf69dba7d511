// What a bundle brings, as every volume and every ask-file of it says: its images, each with the
// version of its tag, and what was deleted, each with the version of its deletion. Referrers stand
// as images without a tag.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <optional>
#include <string>
#include <vector>

#include "entrepot/index/journal.hpp"
#include "entrepot/oci/digest.hpp"
#include "entrepot/oci/name.hpp"
#include "entrepot/transfer/want.hpp"

namespace entrepot::transfer {

struct ContentLine {
  oci::RepositoryName repository;  // at the receiver
  std::string from;                // at the sender, where that differs
  std::optional<oci::Tag> tag;
  oci::Digest digest;
  index::Version version;
  bool sparse = false;  // not all children of it come along

  friend bool operator==(const ContentLine&, const ContentLine&) = default;
};

// A tombstone: a tag, or without one the manifest itself, that was deleted.
struct RemovalLine {
  oci::RepositoryName repository;  // at the receiver
  std::optional<oci::Tag> tag;
  std::optional<oci::Digest> digest;  // what it was; there when it has no tag
  index::Version version;

  friend bool operator==(const RemovalLine&, const RemovalLine&) = default;
};

struct Contents {
  std::string bundle;  // 32 hexadecimal characters
  base::WallTime made{};
  SiteName sender;
  SiteName receiver;  // empty id: whoever believes the sender
  std::vector<ContentLine> lines;
  // Which children of sparse images belong to them; of others nobody speaks.
  std::vector<oci::Digest> children{};
  std::vector<RemovalLine> removals{};
};

// Adds the members of a head that speak of it.
void render(const Contents& contents, boost::json::object& head);
// Throws Malformed.
Contents read_contents(const boost::json::object& head);

}  // namespace entrepot::transfer
