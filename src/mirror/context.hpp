// What all verbs of one mirror stand on. Shared with refreshes that run behind an answer.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "entrepot/async/single_flight.hpp"
#include "entrepot/mirror/mirror.hpp"
#include "entrepot/registry/local.hpp"
#include "mirror/fill_table.hpp"
#include "mirror/short_memory.hpp"

namespace entrepot::mirror {

// A repository under both its names.
struct Place {
  oci::RepositoryName name;       // at the upstream
  oci::RepositoryName canonical;  // here: <mirror>/<name>
};

// A manifest that came from upstream, verified.
struct Arrival {
  std::shared_ptr<const registry::ManifestContent> content;
  enum class Kept { yes, no } kept = Kept::yes;  // no: the index could not take it
};

// What a tag stands for, and how we know.
struct Current {
  oci::Digest digest;
  registry::Provenance provenance{};
  std::shared_ptr<const registry::ManifestContent> content{};  // when at hand, or not kept
};

// Of an image: all of it was here when last looked at.
struct Whole {};

struct Context {
  Context(MirrorOptions chosen, registry::Source& source, std::shared_ptr<FillTable::State> table)
      : options(std::move(chosen)),
        upstream(source),
        fills(std::move(table)),
        local(fills->house.index, fills->house.store, &fills->house.metrics),
        pinned(options.pinned) {}

  std::optional<Place> place(const oci::RepositoryName& name) const {
    auto canonical = oci::RepositoryName::parse(options.name + "/" + name.text());
    if (!canonical) return std::nullopt;
    return Place{.name = name, .canonical = std::move(*canonical)};
  }
  index::Index& facts() const { return fills->house.index; }
  base::Metrics& metrics() const { return fills->house.metrics; }
  base::SteadyTime steady() const { return fills->house.clock.steady(); }
  base::WallTime wall() const { return fills->house.clock.wall(); }

  const MirrorOptions options;
  registry::Source& upstream;
  const std::shared_ptr<FillTable::State> fills;
  registry::Local local;
  const base::GlobSet pinned;

  // What upstream said is not there; and tags it just could not tell us about.
  ShortMemory<registry::Failure> negative{10'000};
  ShortMemory<registry::Failure> setbacks{10'000};
  ShortMemory<Whole> complete_images{10'000};
  ShortMemory<registry::TagPage> tag_pages{64};
  ShortMemory<registry::ReferrerPage> referrer_pages{64};

  // Questions on their way, by canonical name and reference.
  async::SingleFlight<std::string, registry::Answer<Arrival>> manifest_flights;
  async::SingleFlight<std::string, registry::Answer<Current>> tag_flights;
  async::SingleFlight<std::string, registry::Answer<registry::BlobSize>> stat_flights;
  async::SingleFlight<std::string, registry::Answer<registry::TagPage>> tag_page_flights;
  async::SingleFlight<std::string, registry::Answer<registry::ReferrerPage>> referrer_flights;
};

using Shared = std::shared_ptr<Context>;

// "<repository>@<digest>" or "<repository>:<tag>".
std::string key_of(const oci::RepositoryName& repository, const oci::Reference& reference);

registry::Failure offline_failure(const Context& context);
// Remembers that upstream has no such thing; any other failure is not remembered.
void remember_absent(Context& context, const std::string& key, const registry::Failure& failure);

// Time spent waiting for upstream.
class Stopwatch {
 public:
  std::chrono::milliseconds elapsed() const {
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() -
                                                                 begun_);
  }

 private:
  const std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
};

}  // namespace entrepot::mirror
