// Bundles between sites without a line, as work for upkeep::Jobs, and the JSON it is told in.
//
//   want         no lines; summary: {"file", "site", "key", "repositories", "digests", "bytes"}
//   bundle       a line for each image that is left out: {"volume": image, "trouble": sentence}
//                summary: {"bundle", "images", "removals", "manifests", "blobs", "bytes",
//                "held_bytes", "not_found", "volume_bytes", "volumes": [file names]}
//   bundle application
//                a line each: {"volume": what, "trouble": sentence}
//                summary: {"bundles": [{"bundle", "from", "state": "done"|"held"|"incomplete"|
//                "refused", "volumes", "damaged": [file names], "lost": [numbers], "rebuilt":
//                [numbers], "ask", "missing", "missing_bytes", "images", "tags", "refused",
//                "removed": [REPOSITORY:TAG or REPOSITORY@DIGEST], "kept", "blobs", "bytes"}]};
//                or {"abandoned": how many}
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "entrepot/async/offload.hpp"
#include "entrepot/base/clock.hpp"
#include "entrepot/index/events.hpp"
#include "entrepot/registry/directory.hpp"
#include "entrepot/transfer/bundle.hpp"
#include "entrepot/upkeep/jobs.hpp"

namespace entrepot::api {

struct WantOrder {
  std::filesystem::path file;
  std::vector<std::string> repositories;  // globs; none: all
};

// What goes into a bundle: what a rule covers, or these references, or, with `again` alone, the
// images its ask-file speaks of.
struct BundleOrder {
  std::filesystem::path directory;
  std::string rule;
  std::vector<std::string> references;  // REPOSITORY, REPOSITORY:TAG, REPOSITORY@DIGEST
  std::optional<std::filesystem::path> want;
  std::optional<std::filesystem::path> again;
  std::uint64_t volume_size = transfer::BundleOptions::usual_volume;
  unsigned parity = 0;
  // Who answers for a name; the handler's.
  std::function<async::Task<registry::Route>(std::string name)> locate{};
};

struct BundleApplication {
  std::vector<std::filesystem::path> paths;
  std::filesystem::path ask;
  std::string abandon;  // the id of a bundle; nothing else is done then
};

// The site's own name and public key.
struct SiteCard {
  std::string id;
  std::string name;
  std::string key;
};

// Each makes the work of one job; an empty one answers 405.
struct Bundling {
  std::function<upkeep::Jobs::Work(WantOrder)> want;
  std::function<upkeep::Jobs::Work(BundleOrder)> bundle;
  std::function<upkeep::Jobs::Work(BundleApplication, index::Actor)> application;
  std::function<async::Task<SiteCard>()> site;
};

// What the works need; all outlives the job.
struct BundleHouse {
  transfer::BundleIntake::House intake;
  transfer::SiteKey key;
  std::string site_name;
  std::vector<transfer::TrustedKey> trusted;
  // The images a rule covers, how much of each, and what was deleted; empty: there are no rules.
  // Throws std::invalid_argument with a sentence, oci::Refusal.
  std::function<async::Task<transfer::BundleOptions>(std::string rule)> covered{};
  // Whether a name may become a local repository; empty: any may.
  std::function<bool(const oci::RepositoryName&)> accepts{};
};

upkeep::Jobs::Work want_work(BundleHouse house, WantOrder order);
upkeep::Jobs::Work bundle_work(BundleHouse house, BundleOrder order);
upkeep::Jobs::Work bundle_application_work(BundleHouse house, BundleApplication order,
                                           index::Actor actor);
async::Task<SiteCard> site_card(BundleHouse house);

}  // namespace entrepot::api
