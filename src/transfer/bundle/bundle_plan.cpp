#include "transfer/bundle/bundle_plan.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <optional>
#include <stdexcept>

#include "entrepot/base/bytes.hpp"
#include "entrepot/oci/media_type.hpp"
#include "transfer/bundle/tar_form.hpp"
#include "transfer/bundle/volume_writer.hpp"

namespace entrepot::transfer {

namespace json = boost::json;

namespace {

constexpr std::string_view name_annotation = "org.opencontainers.image.ref.name";
// Upper bounds of what stands in a head: a member's row without its digest, what a part adds to it,
// a descriptor of index.json without its names, and the head's own words.
constexpr std::uint64_t row_cost = 32;
constexpr std::uint64_t piece_cost = 160;
constexpr std::uint64_t descriptor_cost = 320;
constexpr std::uint64_t frame_cost = 8 * tar_block + 1024;
// 32 bytes in base64, a volume's own words in a parity head.
constexpr std::uint64_t sum_cost = 44;
constexpr std::uint64_t sliced_cost = 64;

oci::Digest digest_of(std::string_view text) {
  return oci::Digest::of(oci::Algorithm::sha256, base::as_bytes(text));
}

std::string ref_name(const ContentLine& line) {
  return line.tag ? line.repository.text() + ":" + line.tag->text() : std::string();
}

class Packing {
 public:
  Packing(const Graph& graph, const std::vector<bool>& carried, const VolumeHead& frame,
          PlanLimits limits)
      : graph_(graph), frame_(frame), limits_(limits), parcel_of_(graph.objects.size()) {
    add_parcels(carried);
    add_groups();
  }

  std::vector<PlannedVolume> pack() {
    auto stowed = stow_all();
    if (stowed.empty()) stowed.emplace_back();  // its images may be news all the same
    note_places(stowed);
    std::vector<PlannedVolume> volumes;
    volumes.reserve(stowed.size());
    for (std::size_t i = 0; i < stowed.size(); ++i) {
      volumes.push_back(volume(stowed[i], i));
    }
    return volumes;
  }

 private:
  static constexpr std::size_t in_pieces = ~std::size_t{0};

  void add_parcels(const std::vector<bool>& carried) {
    for (std::uint32_t i = 0; i < graph_.objects.size(); ++i) {
      if (!carried[i]) continue;
      const auto& object = graph_.objects[i];
      const VolumeMember member{.digest = object.digest, .size = object.size};
      const auto name = name_of(member);
      parcel_of_[i] = static_cast<std::uint32_t>(objects_.size());
      objects_.push_back(i);
      parcels_.push_back({.size = object.size,
                          .cost = tar_footprint(name, object.size) - object.size + name.size() +
                                  tar_block + row_cost});
    }
  }
  // Of several images that need the same thing the first brings it.
  void add_groups() {
    std::vector<bool> grouped(parcels_.size());
    for (const auto& unit : graph_.units) {
      const auto& root = graph_.objects[unit.objects.front()];
      Group group{.parcels = {},
                  .cost = descriptor_cost + 2 * ref_name(unit.line).size() +
                          2 * unit.artifact_type.size() + root.media_type.size() +
                          root.digest.text().size()};
      for (const auto object : unit.objects) {
        const auto parcel = parcel_of_[object];
        if (!parcel || grouped[*parcel]) continue;
        grouped[*parcel] = true;
        group.parcels.push_back(*parcel);
      }
      groups_.push_back(std::move(group));
    }
  }

  // Sums of all volumes make a parity volume longer than those it stands for, and by how much
  // depends on how many they are.
  std::vector<std::vector<Stowed>> stow_all() {
    std::uint64_t total = 0;
    for (const auto& parcel : parcels_) total += parcel.size + parcel.cost;
    auto expected = total / limits_.volume_size + 1;
    for (int attempt = 0;; ++attempt) {
      auto stowed = stow(parcels_, groups_, capacity(expected), piece_cost);
      const bool fits = limits_.parities == 0 || stowed.size() <= expected;
      if (limits_.parities > 0 && stowed.size() + limits_.parities > most_sliced) {
        throw std::runtime_error("parity is for " + std::to_string(most_sliced) +
                                 " volumes at most, with itself; choose larger ones");
      }
      if (fits || attempt == 8) return stowed;
      expected = stowed.size() + static_cast<std::uint64_t>(attempt);
    }
  }
  std::uint64_t capacity(std::uint64_t volumes) const {
    auto taken = render(frame_).size() + frame_cost;
    if (limits_.parities > 0) {
      taken += (volumes + 1) * (slices_of(limits_.volume_size) * sum_cost + sliced_cost);
    }
    // A volume that is mostly about itself is none.
    if (taken > limits_.volume_size / 2) {
      throw std::runtime_error("volumes of " + std::to_string(limits_.volume_size) +
                               " bytes are too small for so many images");
    }
    return limits_.volume_size - taken;
  }

  void note_places(const std::vector<std::vector<Stowed>>& stowed) {
    places_.resize(parcels_.size(), in_pieces);
    for (std::size_t volume = 0; volume < stowed.size(); ++volume) {
      for (const auto& [parcel, offset, size] : stowed[volume]) {
        if (size == parcels_[parcel].size) places_[parcel] = volume;
      }
    }
  }

  PlannedVolume volume(const std::vector<Stowed>& stowed, std::size_t number) const {
    PlannedVolume planned{.index_json = index_of(number), .members = {}, .sources = {}};
    planned.members = {
        {.kind = MemberKind::layout, .size = layout_marker.size(), .sum = digest_of(layout_marker)},
        {.kind = MemberKind::index,
         .size = planned.index_json.size(),
         .sum = digest_of(planned.index_json)}};
    for (const auto& piece : stowed) {
      planned.members.push_back(member(piece));
      planned.sources.push_back({.object = objects_[piece.parcel], .offset = piece.offset});
    }
    return planned;
  }
  VolumeMember member(const Stowed& piece) const {
    const auto& object = graph_.objects[objects_[piece.parcel]];
    if (piece.size == object.size) {
      return {.digest = object.digest, .size = object.size, .sum = object.digest};
    }
    return {.kind = MemberKind::part,
            .digest = object.digest,
            .size = piece.size,
            .offset = piece.offset,
            .total = object.size};
  }

  bool is_whole_in(const PlannedUnit& unit, std::size_t volume) const {
    return std::ranges::all_of(unit.objects, [&](std::uint32_t object) {
      const auto& parcel = parcel_of_[object];
      return parcel && places_[*parcel] == volume;
    });
  }
  std::string index_of(std::size_t volume) const {
    json::array manifests;
    for (const auto& unit : graph_.units) {
      if (!is_whole_in(unit, volume)) continue;
      const auto& root = graph_.objects[unit.objects.front()];
      json::object descriptor{
          {"mediaType", root.media_type}, {"digest", root.digest.text()}, {"size", root.size}};
      if (!unit.artifact_type.empty()) descriptor["artifactType"] = unit.artifact_type;
      const auto name = ref_name(unit.line);
      if (!name.empty()) descriptor["annotations"] = {{name_annotation, name}};
      manifests.push_back(std::move(descriptor));
    }
    return json::serialize(json::object{{"schemaVersion", 2},
                                        {"mediaType", oci::media_type::oci_index},
                                        {"manifests", std::move(manifests)}});
  }

  const Graph& graph_;
  const VolumeHead& frame_;
  const PlanLimits limits_;
  std::vector<std::optional<std::uint32_t>> parcel_of_;  // of an object
  std::vector<std::uint32_t> objects_;                   // of a parcel
  std::vector<Parcel> parcels_;
  std::vector<Group> groups_;
  std::vector<std::size_t> places_;  // of a parcel: its volume
};

}  // namespace

std::vector<PlannedVolume> plan_volumes(const Graph& graph, const std::vector<bool>& carried,
                                        const VolumeHead& frame, PlanLimits limits) {
  return Packing(graph, carried, frame, limits).pack();
}

}  // namespace entrepot::transfer
