// The Journal, as others read it: every change of a local tag, and of manifests that no tag names,
// in order, with the site whose doing it was. It feeds peers, history and rollback. Its oldest rows
// go with drop_history() (collection.hpp).
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "entrepot/base/clock.hpp"
#include "entrepot/index/catalog.hpp"
#include "entrepot/index/index.hpp"
#include "entrepot/oci/digest.hpp"
#include "entrepot/oci/name.hpp"

namespace entrepot::index {

// When and where a change was made first: travels with it from site to site. Of two changes of one
// tag the greater version wins everywhere, so sites that have seen the same changes are equal. A
// change made here is greater than what it replaces, whatever the clock says.
struct Version {
  base::WallTime time{};
  std::string site{};  // id of the site
  auto operator<=>(const Version&) const = default;
};

// One row of the Journal.
struct Change {
  std::uint64_t sequence = 0;  // from 1, at this site; drop_history() alone makes gaps
  oci::RepositoryName repository;
  std::optional<oci::Tag> tag{};      // absent: of the manifest itself, which was put or deleted
  std::optional<oci::Digest> from{};  // absent: was new
  std::optional<oci::Digest> to{};    // absent: was removed
  Version version{};
  Cause cause = Cause::push;
  std::string who{};  // empty: nobody with a name
};

// This site's identity: 32 hexadecimal characters, made when the index was made.
std::string site_id(const View& view);
// That of its Journal: another one when the index was made anew or an older copy was put back, so
// that a peer's position in it means nothing any more.
std::string journal_id(const View& view);

// Up to `limit` rows with a sequence above `since`, of local repositories.
std::vector<Change> changes(const View& view, std::uint64_t since, std::size_t limit);
// 0 when there was none yet.
std::uint64_t newest_change(const View& view);
// Of the oldest row that is still kept; 0 when there is none.
std::uint64_t oldest_change(const View& view);
// The newest change of a tag, removals too; absent when it never was, or its rows were dropped.
std::optional<Change> latest_change(const View& view, const oci::RepositoryName& repository,
                                    const oci::Tag& tag);

// What came of a change made elsewhere.
enum class Applied {
  done,        // the tag or link is now as the change says
  held,        // it was so already, or a greater version stands
  conflicted,  // a greater version stands and this one was made without knowing it: noted in the
               // history of the tag as superseded
};
// Makes a tag (or a manifest's removal) what `change` says if its version is greater than what
// stands. The manifest it points to is linked before. Appends a journal row with the same version,
// so that peers of this site hear of it, too.
Applied apply_change(Batch& batch, const Change& change);

}  // namespace entrepot::index
