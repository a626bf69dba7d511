// A site with a collector, in memory, on a clock of the test's own: what pushes would have left is
// put there directly, with the day it came.
#pragma once

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "entrepot/index/catalog.hpp"
#include "entrepot/index/collection.hpp"
#include "entrepot/oci/manifest.hpp"
#include "entrepot/upkeep/collector.hpp"
#include "support/manual_clock.hpp"
#include "support/run_task.hpp"
#include "support/words.hpp"
#include "unit/upkeep/faulty_index.hpp"
#include "unit/upkeep/faulty_store.hpp"

namespace entrepot::upkeep {

using test::digest_of;
using test::name;
using test::tag;

// An image index of these manifests.
inline std::string index_of(const std::vector<std::string>& manifests) {
  std::string children;
  for (const auto& bytes : manifests) {
    if (!children.empty()) children += ",";
    children += test::descriptor(oci::media_type::oci_manifest, digest_of(bytes), bytes.size());
  }
  return R"({"schemaVersion":2,"mediaType":")" + std::string(oci::media_type::oci_index) +
         R"(","manifests":[)" + children + "]}";
}

inline std::string subject_member(std::string_view bytes) {
  return R"(,"subject":)" +
         test::descriptor(oci::media_type::oci_manifest, digest_of(bytes), bytes.size());
}

struct UpkeepHouse {
  static constexpr std::chrono::hours grace{1};

  UpkeepHouse() { arm(); }

  test::ManualClock clock;
  test::FaultyIndex facts;
  test::FaultyStore store;
  base::Metrics metrics;
  registry::Admission admission{facts, store, clock, metrics};
  registry::LeaseTable leases{std::chrono::minutes(1), clock};
  async::BlockingPool pool{2};
  Collector collector{{facts, store, admission, leases, pool, clock, metrics}};
  boost::asio::io_context context{1};
  std::vector<Removal> told;

  // One lease time.
  void arm() {
    for (int i = 0; i < 40; ++i) {
      clock.advance(std::chrono::seconds(2));
      leases.tick();
    }
  }
  // As long as it takes for everything there to be old.
  void age() { clock.advance(grace + std::chrono::minutes(1)); }

  std::string blob(std::string_view repository, std::string bytes) {
    store.now(clock.wall());
    test::run_on(context, admit(std::string(repository), bytes));
    return bytes;
  }
  // An image of a config and a layer of its own, made of this word.
  std::string image(std::string_view repository, const std::string& word,
                    const std::vector<std::string>& tags = {}, std::string_view extra = {}) {
    const auto config = blob(repository, "config of " + word);
    const auto layer = blob(repository, "layer of " + word);
    return manifest(repository, image_of(config, layer, extra), tags);
  }
  static std::string image_of(const std::string& config, const std::string& layer,
                              std::string_view extra = {}) {
    return test::image_manifest(
        {{digest_of(config), config.size()}, {digest_of(layer), layer.size()}}, extra);
  }
  std::string manifest(std::string_view repository, std::string bytes,
                       const std::vector<std::string>& tags = {}) {
    const bool list = bytes.find(R"("manifests")") != std::string::npos;
    const auto parsed = oci::parse_manifest(
        bytes, list ? oci::media_type::oci_index : oci::media_type::oci_manifest);
    write([&](index::Batch& batch) {
      index::put_manifest(batch, name(repository), index::RepositoryKind::local, digest_of(bytes),
                          bytes, parsed.value(), clock.wall());
      for (const auto& one : tags) {
        index::set_tag(batch, name(repository), tag(one), digest_of(bytes), clock.wall(),
                       index::Cause::push);
      }
    });
    return bytes;
  }
  void untag(std::string_view repository, std::string_view word) {
    write([&](index::Batch& batch) {
      index::remove_tag(batch, name(repository), tag(word), clock.wall(), index::Cause::deletion);
    });
  }

  template <class Work>
  auto read(Work work) {
    return test::run_on(context, facts.read(std::move(work)));
  }
  template <class Work>
  void write(Work work) {
    test::run_on(context, facts.write(std::move(work)));
  }
  bool linked(std::string_view repository, std::string_view bytes) {
    return read([&](const index::View& view) {
      return index::linked(view, name(repository), digest_of(bytes));
    });
  }
  // Whether anything is left of it.
  bool here(std::string_view bytes) {
    const auto digest = digest_of(bytes);
    const bool row = read([&](const index::View& view) {
      return index::blob(view, digest) || index::manifest_info(view, digest);
    });
    return row || store.find(digest).has_value();
  }

  static CollectorOptions options(Untagged untagged = Untagged::remove) {
    return {.grace = grace,
            .trash = std::chrono::hours(24),
            .history = std::chrono::milliseconds(0),
            .untagged = untagged};
  }
  Report collect(CollectorOptions how = options(), Trial trial = Trial::real) {
    told.clear();
    return test::run_on(context, collector.round(how, trial, [this](const Removal& removal) {
      told.push_back(removal);
    }));
  }

 private:
  async::Task<> admit(std::string repository, std::string bytes) {
    const auto digest = digest_of(bytes);
    auto spool = store.begin(oci::Algorithm::sha256);
    spool->append(base::as_bytes(bytes));
    const auto now = clock.wall();
    co_await admission.admit(std::move(spool), digest, [&](index::Batch& batch) {
      index::link(batch, name(repository), index::RepositoryKind::local, digest, now);
    });
  }
};

// What was told, in an order that does not depend on when.
inline std::multiset<std::string> lines(const std::vector<Removal>& told) {
  std::multiset<std::string> found;
  for (const auto& removal : told) {
    found.insert(std::string(to_string(removal.kind)) + " " + removal.repository + " " +
                 removal.digest.text() + " " + std::to_string(removal.bytes) + " " +
                 std::string(removal.reason));
  }
  return found;
}

}  // namespace entrepot::upkeep
