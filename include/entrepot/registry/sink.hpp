// A place content can be written to: LocalPlace (this registry), upstream::RemotePlace (over HTTP).
// Contract: tests/contract/sink_contract.hpp.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "entrepot/async/task.hpp"
#include "entrepot/index/journal.hpp"
#include "entrepot/oci/digest.hpp"
#include "entrepot/oci/name.hpp"
#include "entrepot/registry/source.hpp"

namespace entrepot::registry {

// A blob somebody has, for a Sink that may want it. open() is called only when bytes must move, and
// again, further on, when what was moved broke off: nothing crosses twice that arrived.
struct BlobOffer {
  oci::Digest digest;
  std::uint64_t size = 0;
  std::function<async::Task<Answer<BlobContent>>(BlobStart)> open;
  // Whether who offers it has it (HEAD): asked, once at most, by a Sink that need not move bytes
  // but must not believe a digest alone. Empty: nobody answers for it, bytes must move.
  std::function<async::Task<Answer<BlobSize>>()> stat{};
  // Repositories of the Sink that may hold it: for a mount.
  std::vector<oci::RepositoryName> mount_from{};
};

enum class Taken {
  held,     // it was there
  mounted,  // another repository of the Sink had it: no byte moved
  moved,
};
struct BlobTaken {
  Taken how = Taken::held;
  std::uint64_t bytes = 0;  // that moved
};

struct ManifestOffer {
  oci::Digest digest;
  std::string media_type;
  std::string bytes;
  std::vector<oci::Tag> tags{};
  // Of a change made at another site; absent: a change of ours, now. A Remote cannot keep it.
  std::optional<index::Version> version{};
  // Children that were left out on purpose (platforms).
  enum class Children { all, some } children = Children::all;
};

// Thread-safe. `name` is in the Sink's own words. Durable when an answer is given.
class Sink {
 public:
  virtual ~Sink() = default;

  // Idempotent; also called for the same digest by several at once (one moves it, all are
  // answered).
  virtual async::Task<Answer<BlobTaken>> put_blob(oci::RepositoryName name, BlobOffer offer) = 0;
  // What the manifest lists is there (but foreign layers, and Children::some). Without tags: by
  // digest.
  virtual async::Task<Answer<void>> put_manifest(oci::RepositoryName name, ManifestOffer offer) = 0;
  // False: there was none. A registry that cannot delete a tag alone is `denied`.
  virtual async::Task<Answer<bool>> remove(oci::RepositoryName name, oci::Reference reference) = 0;
};

struct RepositoryPage {
  std::vector<oci::RepositoryName> repositories;
  std::string next;  // the Page::after that goes on; empty: there are no more
};

// A registry replication reads from and writes to.
class Place : public Source, public Sink {
 public:
  // _catalog; many registries refuse it (denied, absent).
  virtual async::Task<Answer<RepositoryPage>> repositories(Page page) = 0;
};

}  // namespace entrepot::registry
