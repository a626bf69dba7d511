#include "registry/stock.hpp"

#include <string>
#include <unordered_set>
#include <utility>

#include "entrepot/index/catalog.hpp"
#include "entrepot/oci/refusal.hpp"

namespace entrepot::registry {
namespace {

class StockTaking {
 public:
  StockTaking(const index::View& view, const Shelves& shelves, MissingContent allowed)
      : view_(view), shelves_(shelves), allowed_(allowed) {}

  Stock of(const oci::Manifest& manifest) {
    // Schema 1 names no sizes.
    const bool sized = manifest.kind != oci::ManifestKind::schema1;
    for (const auto& edge : manifest.edges) look_for(edge, sized ? Sized::yes : Sized::no);
    // What is mounted brings its own content along.
    for (std::size_t next = 0; next < stock_.to_mount.size(); ++next) {
      for (const auto& edge : index::edges(view_, stock_.to_mount[next])) {
        look_for(edge, Sized::no);
      }
    }
    return std::move(stock_);
  }

 private:
  enum class Sized { yes, no };

  void look_for(const oci::Edge& edge, Sized sized) {
    if (edge.kind == oci::EdgeKind::foreign || !met_.insert(edge.target.digest).second) return;
    const auto& digest = edge.target.digest;
    const auto size = held_size(edge);
    const bool here = size && index::linked(view_, shelves_.repository, digest);
    const bool beside =
        size && shelves_.counterpart && index::linked(view_, *shelves_.counterpart, digest);
    if (!here && !beside) {
      if (!may_miss(edge)) stock_.missing.push_back(digest);
      return;
    }
    if (sized == Sized::yes) check_size(edge, *size);
    if (here) return;
    stock_.to_mount.push_back(digest);
    stock_.bytes_to_mount += *size;
  }

  std::optional<std::uint64_t> held_size(const oci::Edge& edge) const {
    if (edge.kind == oci::EdgeKind::manifest) {
      const auto info = index::manifest_info(view_, edge.target.digest);
      return info ? std::optional(info->size) : std::nullopt;
    }
    const auto record = index::blob(view_, edge.target.digest);
    return record ? std::optional(record->size) : std::nullopt;
  }

  bool may_miss(const oci::Edge& edge) const {
    return allowed_ == MissingContent::allow ||
           (allowed_ == MissingContent::allow_children && edge.kind == oci::EdgeKind::manifest);
  }

  static void check_size(const oci::Edge& edge, std::uint64_t size) {
    if (edge.target.size == size) return;
    throw oci::Refusal(oci::ErrorCode::manifest_invalid, edge.target.digest.text() + " has " +
                                                             std::to_string(size) + " bytes, not " +
                                                             std::to_string(edge.target.size));
  }

  const index::View& view_;
  const Shelves& shelves_;
  const MissingContent allowed_;
  std::unordered_set<oci::Digest> met_;
  Stock stock_;
};

}  // namespace

Stock take_stock(const index::View& view, const Shelves& shelves, const oci::Manifest& manifest,
                 MissingContent allowed) {
  return StockTaking(view, shelves, allowed).of(manifest);
}

void refuse_missing(const std::vector<oci::Digest>& missing) {
  oci::Refusal refusal(oci::ErrorCode::manifest_blob_unknown, missing.front().text());
  for (std::size_t next = 1; next < missing.size(); ++next) {
    refusal.more.push_back(missing[next].text());
  }
  throw refusal;
}

}  // namespace entrepot::registry
