// A site that makes and takes bundles, with the real store and index, and a bag to carry them in.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "entrepot/index/catalog.hpp"
#include "entrepot/registry/local.hpp"
#include "entrepot/registry/local_place.hpp"
#include "entrepot/transfer/bundle.hpp"
#include "support/run_task.hpp"
#include "support/temp_dir.hpp"
#include "support/words.hpp"

namespace entrepot::transfer {

using test::digest_of;
using test::name;
using test::tag;
namespace fs = std::filesystem;

inline std::string text_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

inline void put_text(const fs::path& path, std::string_view bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

inline void flip_bit(const fs::path& path, std::uint64_t bit) {
  auto text = text_of(path);
  text[bit / 8] = static_cast<char>(text[bit / 8] ^ (1 << (bit % 8)));
  put_text(path, text);
}

inline std::vector<fs::path> files_in(const fs::path& directory) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(directory)) files.push_back(entry.path());
  std::ranges::sort(files);
  return files;
}

struct CarrierHouse {
  explicit CarrierHouse(std::string called) : site_name(std::move(called)) {}

  std::string site_name;
  test::TempDir data;
  async::BlockingPool pool{2};
  std::unique_ptr<store::BlobStore> store = store::open_filesystem_store(data.path(), pool);
  std::unique_ptr<index::Index> facts = index::open_lmdb_index(data.path());
  base::Metrics metrics;
  const base::Clock& clock = base::system_clock();
  registry::Admission admission{*facts, *store, clock, metrics};
  registry::Local local{*facts, *store};
  registry::LeaseTable leases{std::chrono::hours(1), clock};
  registry::PolicySwitch policy{
      std::make_shared<const registry::Policy>(registry::PolicyOptions{})};
  registry::Writer writer{*facts, leases, policy, clock, [] { return false; }};
  registry::Movers movers;
  registry::LocalPlace place{{*facts, *store, local, admission, leases, writer, movers, pool, {}},
                             "bundle"};
  SiteKey key = SiteKey::load_or_make(data.path() / "site.key");
  std::vector<TrustedKey> trusted{};
  boost::asio::io_context context{1};
  std::vector<std::string> troubles;

  template <class T>
  T run(async::Task<T> task) {
    return test::run_on(context, std::move(task));
  }
  template <class Work>
  auto read(Work work) {
    return run(facts->read(std::move(work)));
  }
  BundleSite site() {
    return {.key = key,
            .site = {read([](const index::View& view) { return index::site_id(view); }), site_name},
            .trusted = trusted};
  }
  void trust(const CarrierHouse& other) {
    trusted.push_back({other.site_name, other.key.public_key()});
  }

  oci::Digest push_blob(std::string_view repository, const std::string& bytes) {
    const auto digest = digest_of(bytes);
    auto spool = store->begin(oci::Algorithm::sha256);
    spool->append(base::as_bytes(bytes));
    test::run_on(context, admission.admit(std::move(spool), digest, [&](index::Batch& batch) {
      writer.link_blob(batch, name(repository), digest, bytes.size(), {});
    }));
    return digest;
  }
  oci::Digest push_manifest(std::string_view repository, const std::string& bytes,
                            const std::vector<std::string>& tags,
                            std::string_view type = oci::media_type::oci_manifest) {
    registry::ManifestPut put{.repository = name(repository),
                              .digest = {},
                              .tags = {},
                              .media_type = std::string(type),
                              .bytes = bytes,
                              .counterpart = {}};
    for (const auto& one : tags) put.tags.push_back(tag(one));
    return run(writer.put_manifest(std::move(put), {.name = "alice"})).digest;
  }
  // A config and a layer of this many bytes, made of `seed`.
  std::string push_image(std::string_view repository, const std::vector<std::string>& tags,
                         unsigned seed, std::size_t layer_size = 40'000,
                         std::string_view extra = {}) {
    const auto config = test::noise(300, seed);
    const auto layer = test::noise(layer_size, seed + 1000);
    push_blob(repository, config);
    push_blob(repository, layer);
    auto bytes = test::image_manifest(
        {{digest_of(config), config.size()}, {digest_of(layer), layer.size()}}, extra);
    push_manifest(repository, bytes, tags);
    return bytes;
  }

  BundleImage image(std::string_view repository, std::string_view of_tag) {
    const auto record = read([&](const index::View& view) {
      return index::tag(view, name(repository), tag(of_tag)).value();
    });
    return {.source = &local,
            .from = name(repository),
            .repository = name(repository),
            .tag = tag(of_tag),
            .digest = record.digest,
            .version = record.version};
  }
  std::vector<BundleImage> all_images() {
    std::vector<BundleImage> images;
    const auto names =
        read([](const index::View& view) { return index::repositories(view, {}, {}, 1000); });
    for (const auto& repository : names) {
      const auto tags =
          read([&](const index::View& view) { return index::tags(view, repository, {}, 1000); });
      for (const auto& one : tags) images.push_back(image(repository.text(), one.text()));
    }
    return images;
  }

  void want(const fs::path& file) {
    run(write_want(*facts, pool, key, site_name, clock.wall(), {}, file));
  }
  BundleReport create(BundleOptions options) {
    if (options.images.empty()) options.images = all_images();
    return run(create_bundle(std::move(options), site(), pool, clock, {}));
  }
  BundleIntake intake() {
    return {{*facts, *store, admission, writer, place, clock, pool, data.path() / "bundles"},
            site()};
  }
  std::vector<ApplyReport> apply_all(ApplyOptions options) {
    troubles.clear();
    BundleListener listener;
    listener.trouble = [this](const std::string& volume, const std::string& sentence) {
      troubles.push_back(volume + " " + sentence);
    };
    return run(intake().apply(std::move(options), {.name = "operator"}, std::move(listener)));
  }
  ApplyReport apply(std::vector<fs::path> paths, const fs::path& ask = {}) {
    auto reports = apply_all({.paths = std::move(paths), .ask = ask});
    EXPECT_EQ(reports.size(), 1U) << testing::PrintToString(troubles);
    return reports.empty() ? ApplyReport{} : std::move(reports.front());
  }

  std::optional<oci::Digest> tagged(std::string_view repository, std::string_view of_tag) {
    const auto record = read(
        [&](const index::View& view) { return index::tag(view, name(repository), tag(of_tag)); });
    return record ? std::optional(record->digest) : std::nullopt;
  }
  bool pulls_blob(std::string_view repository, const oci::Digest& digest) {
    const auto found = run(local.blob(name(repository), digest));
    if (!found) return false;
    const auto size = found->bytes->size();
    oci::Hasher hasher(oci::Algorithm::sha256);
    for (std::uint64_t at = 0; at < size;) {
      const auto chunk = run(found->bytes->read_at(at, size - at));
      const auto& slice = std::get<async::FileSlice>(chunk);
      std::string bytes(slice.length, '\0');
      EXPECT_EQ(
          ::pread(slice.file->get(), bytes.data(), bytes.size(), static_cast<off_t>(slice.offset)),
          static_cast<ssize_t>(bytes.size()));
      hasher.update(base::as_bytes(bytes));
      at += bytes.size();
    }
    return hasher.current() == digest;
  }
  // The image is there to its last byte.
  bool pulls(std::string_view repository, std::string_view reference) {
    const auto found = run(local.manifest(name(repository), test::reference(reference)));
    if (!found) return false;
    const auto parsed = oci::parse_manifest(found->bytes, found->media_type);
    return std::ranges::all_of(parsed->edges, [&](const oci::Edge& edge) {
      return edge.kind == oci::EdgeKind::manifest ? pulls(repository, edge.target.digest.text())
                                                  : pulls_blob(repository, edge.target.digest);
    });
  }
  bool told(std::string_view word) const {
    return std::ranges::any_of(troubles, [&](const std::string& trouble) {
      return trouble.find(word) != std::string::npos;
    });
  }
};

}  // namespace entrepot::transfer
