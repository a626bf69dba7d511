// The jobs an operator can start, as work for upkeep::Jobs, and the JSON their results are told in:
// the same for /api/v1, the schedule, and a command that opens the data directory itself.
//
//   collection   a line each: {"kind": "link"|"blob"|"manifest"|"unknown_file"|"lost_row",
//                "repository", "digest", "bytes", "reason"}
//                summary: {"dry_run", "links", "manifests", "blobs", "bytes", "unknown_files",
//                "lost_rows", "trash_bytes", "looked_at", "too_early", "clock_jumped"}
//   adoption     a line each: {"trouble": sentence}
//                summary: {"repositories", "tags", "manifests", "blobs", "bytes", "held_before",
//                "damaged", "left_out"}
//   export       no lines; summary: {"manifests", "blobs", "bytes", "held_before"}
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "entrepot/async/offload.hpp"
#include "entrepot/index/events.hpp"
#include "entrepot/oci/name.hpp"
#include "entrepot/registry/source.hpp"
#include "entrepot/transfer/adoption.hpp"
#include "entrepot/upkeep/collector.hpp"
#include "entrepot/upkeep/jobs.hpp"

namespace entrepot::api {

// What was said of a collection; absent: as configured.
struct CollectionOrder {
  std::optional<upkeep::Untagged> untagged{};
  std::optional<std::chrono::milliseconds> grace{};
  upkeep::Trial trial = upkeep::Trial::real;
};

struct ExportOrder {
  registry::Source* source = nullptr;      // outlives the job
  oci::RepositoryName repository;          // in the source's words
  std::vector<oci::Reference> references;  // none: every tag
  std::filesystem::path directory;
};

// What the work refers to outlives the job.
upkeep::Jobs::Work collection_work(upkeep::Collector& collector, upkeep::CollectorOptions options,
                                   upkeep::Trial trial);
upkeep::Jobs::Work adoption_work(transfer::Adoption::House house, transfer::AdoptionOptions options,
                                 index::Actor actor);
upkeep::Jobs::Work export_work(ExportOrder order, async::BlockingPool& pool);

}  // namespace entrepot::api
