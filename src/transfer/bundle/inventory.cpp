#include "transfer/bundle/inventory.hpp"

#include <sys/stat.h>

#include <stdexcept>

#include "entrepot/index/catalog.hpp"
#include "transfer/foreign_folder.hpp"
#include "transfer/foreign_text.hpp"

namespace entrepot::transfer {
namespace {

// Real ones have two levels (reliability.md M-10).
constexpr int deepest = 64;

StagedManifest parsed(const oci::Digest& digest, std::string bytes) {
  auto type = media_type_of(bytes);
  auto manifest = oci::parse_manifest(bytes, type);
  if (!manifest) {
    throw std::runtime_error("the manifest " + digest.text() +
                             " cannot be kept: " + shown(manifest.error()));
  }
  return {std::move(type), std::move(bytes), std::move(*manifest)};
}

}  // namespace

async::Task<bool> Inventory::is_held(oci::Digest digest) {
  const auto record = co_await house_.index.read([&](const index::View& view) {
    return std::pair(index::blob(view, digest), index::manifest_info(view, digest).has_value());
  });
  if (record.second) co_return true;
  if (!record.first) co_return false;
  const auto info = house_.store.find(digest);
  co_return info && info->size == record.first->size;
}

async::Task<std::optional<StagedManifest>> Inventory::manifest(oci::Digest digest) {
  std::optional<std::string> bytes;
  if (staging_.has(digest)) {
    bytes = co_await house_.pool.run(
        [&] { return read_at(staging_.open(digest), 0, oci::max_manifest_bytes + 1); });
  } else {
    const auto record = co_await house_.index.read(
        [&](const index::View& view) { return index::manifest(view, digest); });
    if (record) bytes = record->bytes;
  }
  if (!bytes) co_return std::nullopt;
  co_return parsed(digest, std::move(*bytes));
}

async::Task<std::vector<MissingDigest>> Inventory::missing(const Contents& contents) {
  missing_.clear();
  children_ = {contents.children.begin(), contents.children.end()};
  Walk whole;
  Walk sparse;
  for (const auto& line : contents.lines) {
    auto& walk = line.sparse ? sparse : whole;
    walk.line = &line;
    const auto root = line.digest;
    if (!staging_.has(root) && !co_await is_held(root)) {
      note(root, 0);
    } else {
      co_await visit(walk, root, 0, 0);
    }
  }
  std::vector<MissingDigest> found;
  found.reserve(missing_.size());
  for (const auto& [digest, size] : missing_) found.push_back({digest, size});
  co_return found;
}

async::Task<> Inventory::visit(Walk& walk, oci::Digest digest, std::uint64_t size, int depth) {
  if (depth > deepest) throw std::runtime_error("the graph of " + digest.text() + " is too deep");
  if (!walk.seen.insert(digest).second) co_return;
  const auto found = co_await manifest(digest);
  if (!found) co_return note(digest, size);
  for (const auto& edge : found->parsed.edges) {
    if (edge.kind != oci::EdgeKind::manifest) continue;
    if (is_left_out(*walk.line, edge.target.digest)) continue;
    co_await visit(walk, edge.target.digest, edge.target.size, depth + 1);
  }
  co_await check_blobs(found->parsed);
}

async::Task<> Inventory::check_blobs(const oci::Manifest& manifest) {
  for (const auto& edge : manifest.edges) {
    if (edge.kind != oci::EdgeKind::config && edge.kind != oci::EdgeKind::layer) continue;
    const auto digest = edge.target.digest;
    if (!staging_.has(digest) && !co_await is_held(digest)) note(digest, edge.target.size);
  }
}

}  // namespace entrepot::transfer
