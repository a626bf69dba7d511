// A bundle as arithmetic: which volume holds what, before a byte is written. Pure.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "transfer/bundle/graph.hpp"
#include "transfer/bundle/stowage.hpp"
#include "transfer/bundle/volume_head.hpp"

namespace entrepot::transfer {

// A member with bytes of the graph, and where they begin in their object.
struct Source {
  std::uint32_t object = 0;
  std::uint64_t offset = 0;
};

struct PlannedVolume {
  std::string index_json;
  std::vector<VolumeMember> members;  // oci-layout and index.json first
  std::vector<Source> sources;        // of the others
};

struct PlanLimits {
  std::uint64_t volume_size = 0;
  std::uint64_t parities = 0;
};

inline constexpr std::string_view layout_marker = R"({"imageLayoutVersion":"1.0.0"})";

// `carried`: objects that go along; the others are at the receiver, or nobody asked for them.
// `frame`: a head without members. Throws std::runtime_error with a sentence when volumes are too
// small, or too many for parity.
std::vector<PlannedVolume> plan_volumes(const Graph& graph, const std::vector<bool>& carried,
                                        const VolumeHead& frame, PlanLimits limits);

}  // namespace entrepot::transfer
