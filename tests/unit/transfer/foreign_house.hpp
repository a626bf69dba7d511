// A site that adopts, and the means to draw other registries' directories.
#pragma once

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "entrepot/index/catalog.hpp"
#include "entrepot/registry/local.hpp"
#include "entrepot/transfer/adoption.hpp"
#include "support/run_task.hpp"
#include "support/temp_dir.hpp"
#include "support/words.hpp"

namespace entrepot::transfer {

using test::digest_of;
using test::name;
using test::tag;
namespace fs = std::filesystem;

inline void write_file(const fs::path& path, std::string_view bytes) {
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << bytes;
}

// What docker's registry:2 leaves (distribution's registry/storage/paths.go).
struct Registry2Tree {
  fs::path top;  // docker/registry/v2

  explicit Registry2Tree(const fs::path& root) : top(root / "docker/registry/v2") {
    fs::create_directories(top / "repositories");
    fs::create_directories(top / "blobs");
  }
  fs::path repository(std::string_view repository) const {
    return top / "repositories" / repository;
  }
  fs::path data(const oci::Digest& digest) const {
    return top / "blobs/sha256" / digest.hex().substr(0, 2) / digest.hex() / "data";
  }
  fs::path layer_link(std::string_view name, const oci::Digest& digest) const {
    return repository(name) / "_layers/sha256" / digest.hex() / "link";
  }
  fs::path revision_link(std::string_view name, const oci::Digest& digest) const {
    return repository(name) / "_manifests/revisions/sha256" / digest.hex() / "link";
  }
  fs::path tag_link(std::string_view name, std::string_view tag) const {
    return repository(name) / "_manifests/tags" / tag / "current/link";
  }
  std::string blob(std::string_view name, std::string bytes) const {
    write_file(data(digest_of(bytes)), bytes);
    write_file(layer_link(name, digest_of(bytes)), digest_of(bytes).text());
    return bytes;
  }
  std::string manifest(std::string_view name, std::string bytes,
                       const std::vector<std::string>& tags = {}) const {
    const auto digest = digest_of(bytes);
    write_file(data(digest), bytes);
    write_file(revision_link(name, digest), digest.text());
    for (const auto& tag : tags) {
      write_file(tag_link(name, tag), digest.text());
      write_file(
          repository(name) / "_manifests/tags" / tag / "index/sha256" / digest.hex() / "link",
          digest.text());
    }
    return bytes;
  }
  std::string image(std::string_view name, const std::string& word,
                    const std::vector<std::string>& tags = {}) const {
    const auto config = blob(name, "config of " + word);
    const auto layer = blob(name, "layer of " + word);
    return manifest(name, image_of(config, layer), tags);
  }
  static std::string image_of(const std::string& config, const std::string& layer) {
    return test::image_manifest(
        {{digest_of(config), config.size()}, {digest_of(layer), layer.size()}});
  }
};

inline std::string index_of(const std::vector<std::string>& manifests) {
  std::string children;
  for (const auto& bytes : manifests) {
    if (!children.empty()) children += ",";
    children += test::descriptor(oci::media_type::oci_manifest, digest_of(bytes), bytes.size());
  }
  return R"({"schemaVersion":2,"mediaType":")" + std::string(oci::media_type::oci_index) +
         R"(","manifests":[)" + children + "]}";
}

// The real store and index; LMDB and files on the file system of the directory, so that links work.
struct ForeignHouse {
  test::TempDir data;
  test::TempDir theirs;
  async::BlockingPool pool{2};
  std::unique_ptr<store::BlobStore> store = store::open_filesystem_store(data.path(), pool);
  std::unique_ptr<index::Index> facts = index::open_lmdb_index(data.path());
  base::Metrics metrics;
  registry::Admission admission{*facts, *store, base::system_clock(), metrics};
  registry::Local local{*facts, *store};
  Adoption adoption{{*facts, *store, admission, base::system_clock(), pool}};
  boost::asio::io_context context{1};
  std::vector<std::string> troubles;
  std::uint64_t bytes_done = 0;
  std::uint64_t bytes_total = 0;

  AdoptionReport adopt(AdoptionOptions options = {}) {
    troubles.clear();
    if (options.directory.empty()) options.directory = theirs.path();
    Adoption::Listener listener{
        .bytes =
            [this](std::uint64_t done, std::uint64_t total) {
              bytes_done = done;
              bytes_total = total;
            },
        .trouble = [this](std::string sentence) { troubles.push_back(std::move(sentence)); },
        .stop = {}};
    return test::run_on(context, adoption.run(std::move(options), {.name = "operator"}, listener));
  }
  template <class Work>
  auto read(Work work) {
    return test::run_on(context, facts->read(std::move(work)));
  }
  std::optional<std::string> manifest(std::string_view repository, std::string_view reference) {
    const auto found =
        test::run_on(context, local.manifest(name(repository), test::reference(reference)));
    return found ? std::optional(found->bytes) : std::nullopt;
  }
  bool has_blob(std::string_view repository, std::string_view bytes) {
    return test::run_on(context, local.stat(name(repository), digest_of(bytes))).has_value();
  }
  bool told(std::string_view word) const {
    return std::ranges::any_of(
        troubles, [&](const auto& sentence) { return sentence.find(word) != std::string::npos; });
  }
};

}  // namespace entrepot::transfer
