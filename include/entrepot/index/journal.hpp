// The Journal, as others read it: every change of a local tag, and of manifests that no tag names,
// in order, with the site whose doing it was. It feeds peers, history and rollback. Its oldest rows
// go with drop_history() (collection.hpp).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "entrepot/base/clock.hpp"
#include "entrepot/index/catalog.hpp"
#include "entrepot/index/index.hpp"
#include "entrepot/oci/digest.hpp"
#include "entrepot/oci/name.hpp"

namespace entrepot::index {

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
// For who makes an Index: both ids, unless it has them.
void found_site(Batch& batch);
// An older copy was put back.
void renew_journal(Batch& batch);

// Up to `limit` rows with a sequence above `since`, of local repositories; without what lost
// against a greater version.
std::vector<Change> changes(const View& view, std::uint64_t since, std::size_t limit);
// The same, and how far it looked: at most `rows_to_look_at` rows.
struct ChangePage {
  std::vector<Change> changes;
  std::uint64_t next = 0;  // `since` of the next page; below newest_change(): there may be more
};
ChangePage change_page(const View& view, std::uint64_t since, std::size_t limit,
                       std::size_t rows_to_look_at);
// 0 when there was none yet.
std::uint64_t newest_change(const View& view);
// Of the oldest row that is still kept; 0 when there is none.
std::uint64_t oldest_change(const View& view);
// Whether rows above `since` were dropped: who stands there has missed changes.
bool dropped_after(const View& view, std::uint64_t since);
// The newest change of a tag, removals too; absent when it never was, or when it is gone and its
// rows were dropped.
std::optional<Change> latest_change(const View& view, const oci::RepositoryName& repository,
                                    const oci::Tag& tag);
// The version of the newest row of the manifest itself: put or deleted by digest.
std::optional<Version> manifest_version(const View& view, const oci::RepositoryName& repository,
                                        const oci::Digest& digest);

// Rows of a manifest itself, for who puts one without a tag or deletes one here.
enum class ManifestChange { put, removed };
void record_manifest(Batch& batch, const oci::RepositoryName& repository, const oci::Digest& digest,
                     ManifestChange change, base::WallTime now, Cause cause,
                     std::string_view who = {});

// What came of a change made elsewhere.
enum class Applied {
  done,        // the tag or link is now as the change says
  held,        // it was so already, or a greater version stands that knew of it
  conflicted,  // a greater version stands and this one was made without knowing it: noted in the
               // history of the tag as superseded
};
// Whether it would: what lost already need not be copied.
bool wins(const View& view, const Change& change);
// Makes a tag (or a manifest's removal) what `change` says if its version is greater than what
// stands; sites that have applied the same changes, in whatever order and how often ever, hold the
// same. Appends a journal row with the same version, cause and doer, so that peers of this site
// hear of it, too. A manifest a tag points to is not removed.
//
// REQUIRES: the manifest it points to is linked; else throws std::runtime_error (it may have been
// collected meanwhile), as for a mirrored repository. Quotas and immutable tags are the caller's.
Applied apply_change(Batch& batch, const Change& change, base::WallTime now);

}  // namespace entrepot::index
