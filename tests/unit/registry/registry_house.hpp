// A local registry with everything it stands on in memory, and clients' words for what they do.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "entrepot/async/broadcast.hpp"
#include "entrepot/base/metrics.hpp"
#include "entrepot/index/catalog.hpp"
#include "entrepot/oci/refusal.hpp"
#include "entrepot/registry/local.hpp"
#include "entrepot/registry/uploads.hpp"
#include "entrepot/registry/writer.hpp"
#include "support/manual_clock.hpp"
#include "support/memory_index.hpp"
#include "support/memory_store.hpp"
#include "support/run_task.hpp"
#include "support/words.hpp"

namespace entrepot::test {

using registry::ManifestPut;
using Code = oci::ErrorCode;

// A request's body: pieces, and how it ends.
class Pieces {
 public:
  enum class Ending { whole, cut, stuck };
  explicit Pieces(std::vector<std::string> pieces, Ending ending = Ending::whole)
      : pieces_(std::move(pieces)), ending_(ending) {}

  registry::NextPiece reader() {
    return [this] { return next(); };
  }
  // All were taken, and it waits in vain.
  bool is_stuck() const { return stuck_; }

 private:
  async::Task<base::ByteView> next() {
    if (at_ < pieces_.size()) co_return base::as_bytes(pieces_[at_++]);
    if (ending_ == Ending::cut) throw std::runtime_error("connection broke");
    if (ending_ == Ending::stuck) {
      stuck_ = true;
      co_await never_.wait(never_.ticket());
    }
    co_return base::ByteView{};
  }

  const std::vector<std::string> pieces_;
  const Ending ending_;
  std::size_t at_ = 0;
  bool stuck_ = false;
  async::Broadcast never_;
};

inline index::Actor actor(std::string_view who) { return {.name = std::string(who)}; }

inline constexpr std::string_view index_type = oci::media_type::oci_index;

inline std::string index_of(const std::vector<Layer>& children) {
  std::string list;
  for (const auto& child : children) {
    list += (list.empty() ? "" : ",") +
            descriptor(oci::media_type::oci_manifest, child.digest, child.size);
  }
  return R"({"schemaVersion":2,"mediaType":")" + std::string(index_type) + R"(","manifests":[)" +
         list + "]}";
}

class RegistryHouse : public testing::Test {
 protected:
  template <class T>
  T run(async::Task<T> task) {
    return run_task(context_, std::move(task));
  }
  template <class Work>
  auto read(Work work) {
    return run(facts_.read(std::move(work)));
  }
  // What the task was refused with; absent when it was not.
  template <class T>
  std::optional<oci::Refusal> refusal(async::Task<T> task) {
    try {
      run(std::move(task));
    } catch (const oci::Refusal& refused) {
      return refused;
    }
    return std::nullopt;
  }
  template <class T>
  std::optional<Code> refused(async::Task<T> task) {
    const auto found = refusal(std::move(task));
    return found ? std::optional(found->code) : std::nullopt;
  }

  void set_policy(registry::PolicyOptions options) {
    policy_.replace(std::make_shared<const registry::Policy>(std::move(options)));
  }

  // A blob, pushed.
  oci::Digest push_blob(std::string_view repository, const std::string& bytes) {
    const auto digest = digest_of(bytes);
    auto spool = store_.begin(oci::Algorithm::sha256);
    spool->append(base::as_bytes(bytes));
    run(admission_.admit(std::move(spool), digest, [&](index::Batch& batch) {
      writer_.link_blob(batch, name(repository), digest, bytes.size(), actor("alice"));
    }));
    return digest;
  }
  // A blob held for a mirrored repository.
  oci::Digest mirror_blob(std::string_view repository, const std::string& bytes) {
    const auto digest = digest_of(bytes);
    auto spool = store_.begin(oci::Algorithm::sha256);
    spool->append(base::as_bytes(bytes));
    run(admission_.admit(std::move(spool), digest, [&](index::Batch& batch) {
      index::link(batch, name(repository), index::RepositoryKind::mirrored, digest, clock_.wall());
    }));
    return digest;
  }
  ManifestPut put_of(std::string_view repository, std::string bytes,
                     std::vector<std::string> tags = {},
                     std::string_view media_type = oci::media_type::oci_manifest) {
    ManifestPut put{.repository = name(repository),
                    .digest = {},
                    .tags = {},
                    .media_type = std::string(media_type),
                    .bytes = std::move(bytes),
                    .counterpart = {}};
    for (const auto& one : tags) put.tags.push_back(tag(one));
    return put;
  }
  oci::Digest put(ManifestPut wish) {
    return run(writer_.put_manifest(std::move(wish), actor("alice"))).digest;
  }
  // A whole image, its config and layer made of `seed`; returns the manifest's bytes.
  std::string push_image(std::string_view repository, const std::vector<std::string>& tags,
                         unsigned seed = 1) {
    const auto config = noise(300, seed);
    const auto layer = noise(5000, seed + 1000);
    push_blob(repository, config);
    push_blob(repository, layer);
    auto bytes =
        image_manifest({{digest_of(config), config.size()}, {digest_of(layer), layer.size()}});
    put(put_of(repository, bytes, tags));
    return bytes;
  }
  std::optional<oci::Digest> tagged(std::string_view repository, std::string_view text) {
    const auto record = read(
        [&](const index::View& view) { return index::tag(view, name(repository), tag(text)); });
    return record ? std::optional(record->digest) : std::nullopt;
  }
  bool linked(std::string_view repository, const oci::Digest& digest) {
    return read(
        [&](const index::View& view) { return index::linked(view, name(repository), digest); });
  }
  // A client can have it.
  bool pulls(std::string_view repository, const oci::Digest& digest) {
    return run(local_.blob(name(repository), digest)).has_value();
  }
  std::vector<index::Event> events() {
    return read([](const index::View& view) { return index::events(view, 0, 1000); });
  }

  ManualClock clock_;
  base::Metrics metrics_;
  async::BlockingPool pool_{2};
  MemoryIndex facts_;
  MemoryStore store_;
  registry::Local local_{facts_, store_};
  registry::LeaseTable leases_{std::chrono::hours(1), clock_};
  registry::Admission admission_{facts_, store_, clock_, metrics_};
  registry::PolicySwitch policy_{
      std::make_shared<const registry::Policy>(registry::PolicyOptions{})};
  registry::Writer writer_{facts_, leases_, policy_, clock_, [] { return true; }};
  async::asio::io_context context_{1};
};

}  // namespace entrepot::test
