// A place content can be read from: Local (index and store), upstream::Remote (over HTTP),
// mirror::Mirror (Local in front of any Source). Contract: tests/contract/source_contract.hpp.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "entrepot/async/byte_source.hpp"
#include "entrepot/async/task.hpp"
#include "entrepot/index/catalog.hpp"
#include "entrepot/oci/digest.hpp"
#include "entrepot/oci/name.hpp"
#include "entrepot/registry/failure.hpp"

namespace entrepot::registry {

// How an answer came about; a Mirror fills it in, others leave it as it is.
enum class Outcome {
  hit,          // held here, no question asked
  revalidated,  // held here, upstream confirmed it
  stale,        // held here, upstream could not be asked or a refresh runs behind
  offline,      // held here, upstream is never asked
  fetched,      // fetched for this request, kept
  collapsed,    // joined a fetch another request had started
  passed,       // fetched for this request, not kept
};

struct Provenance {
  Outcome outcome = Outcome::hit;
  std::optional<std::chrono::seconds> age{};  // since upstream last confirmed it
  bool upstream_failed = false;               // stale because asking failed
  std::string upstream{};                     // the configured name; empty when local
  std::chrono::milliseconds upstream_time{};  // spent waiting for it
};

struct Resolved {
  oci::Digest digest;
  std::string media_type;
  std::uint64_t size = 0;
  Provenance provenance{};
};

struct ManifestContent {
  oci::Digest digest;
  std::string media_type;
  std::string bytes;
  Provenance provenance{};
};

struct BlobSize {
  std::uint64_t size = 0;
  Provenance provenance{};
};

struct BlobContent {
  std::unique_ptr<async::ByteSource> bytes;
  Provenance provenance{};
};

// Where the reader of a blob begins, and what it knows of it already.
struct BlobStart {
  std::uint64_t offset = 0;             // the first byte it will read
  std::optional<std::uint64_t> size{};  // of the whole blob, from a descriptor
  // How long it waits for its turn where only so many transfers run at once (then: busy); absent:
  // as long as it takes.
  std::optional<std::chrono::milliseconds> patience{};
};

struct TagPage {
  std::vector<oci::Tag> tags;
  bool more = false;  // there are tags after the last one
};

struct ReferrerPage {
  std::vector<index::Referrer> referrers;
  bool more = false;
  bool filtered = false;  // artifact_type was applied
};

struct Page {
  std::string after;  // last item of the page before; empty: from the start
  std::size_t limit = 100;
};

// Thread-safe. `name` is in the Source's own words: for a Remote the name at the upstream.
class Source {
 public:
  virtual ~Source() = default;

  // A cheap question (HEAD): what does this reference stand for?
  virtual async::Task<Answer<Resolved>> resolve(oci::RepositoryName name,
                                                oci::Reference reference) = 0;
  // The bytes exactly; their digest has been verified against a digest reference.
  virtual async::Task<Answer<ManifestContent>> manifest(oci::RepositoryName name,
                                                        oci::Reference reference) = 0;
  virtual async::Task<Answer<BlobSize>> stat(oci::RepositoryName name, oci::Digest digest) = 0;
  // Bytes of a Remote are not verified against the digest: that is the reader's business.
  virtual async::Task<Answer<BlobContent>> blob(oci::RepositoryName name, oci::Digest digest) = 0;
  // As blob(), for a reader that resumes or knows the size. A Remote asks only for the rest, by
  // Range, and needs the size when the upstream names no length. The source is that of the whole
  // blob all the same: size() and offsets count from its first byte.
  virtual async::Task<Answer<BlobContent>> blob_from(oci::RepositoryName name, oci::Digest digest,
                                                     BlobStart /*start*/) {
    return blob(std::move(name), digest);
  }
  virtual async::Task<Answer<TagPage>> tags(oci::RepositoryName name, Page page) = 0;
  // `page.after` is a digest's text. `artifact_type` empty: all.
  virtual async::Task<Answer<ReferrerPage>> referrers(oci::RepositoryName name, oci::Digest subject,
                                                      std::string artifact_type, Page page) = 0;
};

}  // namespace entrepot::registry
