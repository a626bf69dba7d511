// Writing what a Source has as an OCI image layout, which skopeo, podman and buildah read. No byte
// of a manifest changes, so an image of Docker's own types stays one; containers/image (skopeo)
// reads only those of the OCI types from a layout.
//
// Blobs are written under their digest only (reliability.md R-11), verified while they are, each
// file complete or absent; index.json last, atomically, with the tag as
// org.opencontainers.image.ref.name. An existing layout is added to: an image of the same tag takes
// the place of the one before. One writer at a time.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <vector>

#include "entrepot/async/offload.hpp"
#include "entrepot/async/task.hpp"
#include "entrepot/oci/name.hpp"
#include "entrepot/registry/source.hpp"

namespace entrepot::transfer {

struct ExportReport {
  std::uint64_t manifests = 0;
  std::uint64_t blobs = 0;
  std::uint64_t bytes = 0;
  std::uint64_t held_before = 0;
};

// Every reference with its whole graph and its referrers. Throws oci::Refusal (manifest_unknown,
// blob_unknown), std::system_error, std::runtime_error with a sentence when the directory is no
// layout or written to by somebody else; what `progress` throws ends it, too.
async::Task<ExportReport> export_layout(
    registry::Source& source, oci::RepositoryName repository,
    std::vector<oci::Reference> references, std::filesystem::path directory,
    async::BlockingPool& pool,
    std::function<void(std::uint64_t done, std::uint64_t total)> progress);

}  // namespace entrepot::transfer
