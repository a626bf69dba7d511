#include "transfer/image_porter.hpp"

#include <algorithm>
#include <set>
#include <system_error>

#include "entrepot/async/together.hpp"
#include "entrepot/index/catalog.hpp"
#include "transfer/foreign_text.hpp"

namespace entrepot::transfer {

namespace {

// Real ones have two levels (reliability.md M-10).
constexpr int deepest_index = 64;
constexpr int blobs_at_once = 2;
// A collection may take what was just brought, once; not twice within its grace.
constexpr int attempts = 3;

bool required(const oci::Edge& edge) { return edge.kind != oci::EdgeKind::foreign; }

bool stands(const index::View& view, const oci::RepositoryName& name, const oci::Edge& edge) {
  if (!index::linked(view, name, edge.target.digest)) return false;
  return edge.kind == oci::EdgeKind::manifest
             ? index::manifest_info(view, edge.target.digest).has_value()
             : index::blob(view, edge.target.digest).has_value();
}

// Moved by somebody since it was brought here.
bool moved_here(const index::View& view, const oci::RepositoryName& name, const oci::Tag& tag) {
  const auto changes = index::tag_changes(view, name, tag, 0, 1);
  return changes.empty() || changes.front().cause != index::Cause::adoption;
}

std::vector<oci::Edge> distinct_blobs(const oci::Manifest& manifest) {
  std::set<oci::Digest> seen;
  std::vector<oci::Edge> edges;
  std::ranges::copy_if(manifest.edges, std::back_inserter(edges), [&](const auto& edge) {
    return edge.kind != oci::EdgeKind::manifest && seen.insert(edge.target.digest).second;
  });
  return edges;
}

}  // namespace

ImagePorter::ImagePorter(Journey& journey, const ForeignRepository& repository)
    : journey_(journey), repository_(repository), blobs_(journey) {
  for (const auto& [tag, digest] : repository.tags) tags_[digest].push_back(tag);
}

async::Task<> ImagePorter::bring_all() {
  for (const auto& digest : repository_.manifests) {
    if (journey_.stopped()) co_return;
    co_await bring(digest, 0);
  }
  for (const auto& [tag, digest] : repository_.tags) {
    const auto found = known_.find(digest);
    if (journey_.stopped()) co_return;
    if (found != known_.end() && found->second) continue;
    ++journey_.report.left_out;
    journey_.trouble(repository_.name.text() + ": the tag " + tag.text() + " points to " +
                     digest.text() + ", which was left out");
  }
}

async::Task<bool> ImagePorter::bring(oci::Digest digest, int depth) {
  const auto [place, fresh] = known_.try_emplace(digest, false);
  if (!fresh) co_return place->second;
  const bool here = co_await here_already(digest) || co_await bring_anew(digest, depth);
  known_[digest] = here;
  co_return here;
}

async::Task<bool> ImagePorter::here_already(oci::Digest digest) {
  const auto& name = repository_.name;
  const bool complete = co_await journey_.house.index.read([&](const index::View& view) {
    return index::completeness(view, name, {}, digest) == index::Completeness::complete;
  });
  if (!complete) co_return false;
  if (!tags_.contains(digest)) co_return true;
  const auto now = journey_.house.clock.wall();
  const auto settled = co_await journey_.house.index.write([&](index::Batch& batch) {
    Settled done;
    if (index::linked(batch, name, digest)) set_tags(batch, digest, now, done);
    return done;
  });
  count_tags(settled);
  co_return true;
}

async::Task<bool> ImagePorter::bring_anew(oci::Digest digest, int depth) {
  const auto image = co_await read(digest);
  if (!image) co_return false;
  if (depth > deepest_index) {
    leave_out(digest, "lies too deep");
    co_return false;
  }
  Settled settled;
  for (int attempt = 0; attempt < attempts; ++attempt) {
    settled.missing = co_await bring_content(image->parsed, depth);
    if (journey_.stopped()) co_return false;
    if (!settled.missing.empty()) break;
    settled = co_await settle(*image);
    if (settled.missing.empty()) break;
  }
  if (!settled.missing.empty()) {
    leave_out(digest, "lists " + settled.missing.front().text() + ", which is not there");
    co_return false;
  }
  ++journey_.report.manifests;
  count_tags(settled);
  co_return true;
}

async::Task<std::optional<ImagePorter::Image>> ImagePorter::read(oci::Digest digest) {
  std::optional<std::string> bytes;
  std::string why = "is not there";
  try {
    bytes = co_await journey_.house.pool.run([&]() -> std::optional<std::string> {
      const auto file = repository_.may_give(digest) ? repository_.blobs->open(digest)
                                                     : std::optional<ForeignFolder::File>();
      if (!file) return std::nullopt;
      return read_at(file->fd, 0, oci::max_manifest_bytes + 1);
    });
  } catch (const std::system_error& error) {
    why = std::string("cannot be read: ") + error.what();
  }
  if (bytes && oci::Digest::of(digest.algorithm(), base::as_bytes(*bytes)) != digest) {
    bytes.reset();
    why = "is not what it is called";
  }
  if (!bytes) {
    ++journey_.report.damaged;
    leave_out(digest, why);
    co_return std::nullopt;
  }
  journey_.passed(bytes->size());
  auto parsed = oci::parse_manifest(*bytes, media_type_of(*bytes));
  if (!parsed) {
    leave_out(digest, "cannot be kept: " + shown(parsed.error()));
    co_return std::nullopt;
  }
  if (parsed->kind == oci::ManifestKind::schema1) {
    leave_out(digest, "is of schema 1, which is not kept");
    co_return std::nullopt;
  }
  co_return Image{digest, std::move(*bytes), std::move(*parsed)};
}

async::Task<std::vector<oci::Digest>> ImagePorter::bring_content(const oci::Manifest& manifest,
                                                                 int depth) {
  std::vector<oci::Digest> missing;
  for (const auto& edge : manifest.edges) {
    if (edge.kind != oci::EdgeKind::manifest) continue;
    const auto child = edge.target.digest;
    if (!co_await bring(child, depth + 1)) missing.push_back(child);
  }
  auto edges = distinct_blobs(manifest);
  std::vector<async::Task<>> workers;
  workers.reserve(blobs_at_once);
  for (int i = 0; i < blobs_at_once; ++i) workers.push_back(bring_some(edges, missing));
  co_await async::together(std::move(workers));
  co_return missing;
}

async::Task<> ImagePorter::bring_some(std::vector<oci::Edge>& edges,
                                      std::vector<oci::Digest>& missing) {
  while (!edges.empty() && missing.empty() && !journey_.stopped()) {
    const auto edge = edges.back();
    edges.pop_back();
    const bool here = co_await blobs_.bring(repository_, edge.target);
    if (!here && required(edge)) missing.push_back(edge.target.digest);
  }
}

async::Task<ImagePorter::Settled> ImagePorter::settle(const Image& image) {
  const auto now = journey_.house.clock.wall();
  co_return co_await journey_.house.index.write([&](index::Batch& batch) {
    Settled settled;
    for (const auto& edge : image.parsed.edges) {
      if (required(edge) && !stands(batch, repository_.name, edge)) {
        settled.missing.push_back(edge.target.digest);
      }
    }
    if (!settled.missing.empty()) return settled;
    index::put_manifest(batch, repository_.name, index::RepositoryKind::local, image.digest,
                        image.bytes, image.parsed, now);
    set_tags(batch, image.digest, now, settled);
    return settled;
  });
}

void ImagePorter::set_tags(index::Batch& batch, const oci::Digest& digest, base::WallTime now,
                           Settled& settled) const {
  const auto tags = tags_.find(digest);
  if (tags == tags_.end()) return;
  for (const auto& tag : tags->second) {
    const auto before = index::tag(batch, repository_.name, tag);
    if (before && before->digest == digest) continue;
    if (before && moved_here(batch, repository_.name, tag)) {
      settled.tags_elsewhere.push_back(tag);
      continue;
    }
    index::set_tag(batch, repository_.name, tag, digest, now, index::Cause::adoption,
                   journey_.actor.name);
    settled.tags.push_back(tag);
  }
}

void ImagePorter::count_tags(const Settled& settled) {
  journey_.report.tags += settled.tags.size();
  for (const auto& tag : settled.tags_elsewhere) {
    ++journey_.report.left_out;
    journey_.trouble(repository_.name.text() + ": the tag " + tag.text() +
                     " was moved here since and stays where it is");
  }
}

void ImagePorter::leave_out(const oci::Digest& digest, const std::string& why) {
  ++journey_.report.left_out;
  journey_.trouble(repository_.name.text() + ": the manifest " + digest.text() + " " + why);
}

}  // namespace entrepot::transfer
