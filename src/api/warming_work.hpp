// Warming of mirrors, as work for upkeep::Jobs, and the JSON it is told in.
//
//   warming      a line an image: {"image", "digest", "blobs", "blobs_held", "bytes"}, or {"image",
//                "trouble": sentence}; summary: {"images", "failed", "blobs", "blobs_held",
//                "bytes"}
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "entrepot/async/task.hpp"
#include "entrepot/registry/directory.hpp"
#include "entrepot/upkeep/jobs.hpp"

namespace entrepot::api {

struct WarmingOrder {
  std::vector<std::string> references;  // as people write them: "nginx", "quay.io/org/app:v1"
  std::vector<std::string> platforms;   // os/architecture[/variant]; none: all
  bool referrers = false;
  // Who answers for a host ("docker.io"; empty: of none) and a name there; throws oci::Refusal when
  // nobody does.
  std::function<async::Task<registry::Route>(std::string host, std::string name)> locate;
  // Whether this is an upstream's name or alias.
  std::function<bool(std::string_view)> knows;
};

// What the order refers to outlives the job. One image that fails does not stop the others.
upkeep::Jobs::Work warming_work(WarmingOrder order);

}  // namespace entrepot::api
