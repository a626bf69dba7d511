// Images carried where no line is: a bundle is a set of volumes of a fixed size, signed by the
// sender, each of which can be checked, taken, lost and asked for again on its own.
//
// A volume is a tar file and, as such, an OCI image layout: `skopeo copy
// oci-archive:VOLUME.tar:REPOSITORY:TAG ...` takes an image that is whole in it. Its first two
// members are the head (who, for whom, every image of the bundle, every member with its SHA-256)
// and the Ed25519 signature over it; every other byte follows from the head, so one flipped bit
// anywhere is found and named. Parity volumes (Reed-Solomon, ISA-L) stand in for as many lost or
// damaged ones. Form: src/transfer/bundle/volume_head.hpp.
//
// What comes in is somebody else's word until its signature is that of a trusted site: before that
// nothing but the head is read, and nothing is written. Names in a volume never become paths: files
// are called by digest and number only (reliability.md R-10). Nothing becomes visible before all of
// the bundle is here and verified; then images enter by the one admission, children before parents,
// tags last in their versions, and after them what was deleted, in the versions of the deletions:
// so that a bundle that comes twice, or late, changes nothing.
//
// Memory is some MB whatever the sizes, beside the list of the bundle's digests. Files are read and
// written on the pool.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "entrepot/async/offload.hpp"
#include "entrepot/async/task.hpp"
#include "entrepot/base/clock.hpp"
#include "entrepot/index/index.hpp"
#include "entrepot/index/journal.hpp"
#include "entrepot/oci/name.hpp"
#include "entrepot/registry/admission.hpp"
#include "entrepot/registry/sink.hpp"
#include "entrepot/registry/source.hpp"
#include "entrepot/registry/writer.hpp"
#include "entrepot/store/blob_store.hpp"
#include "entrepot/transfer/site_key.hpp"
#include "entrepot/transfer/want.hpp"

namespace entrepot::transfer {

// ---- at the sender ----------------------------------------------------------------------------

struct BundleImage {
  registry::Source* source = nullptr;  // outlives the creation
  oci::RepositoryName from;            // in the source's words
  oci::RepositoryName repository;      // at the receiver
  std::optional<oci::Tag> tag{};
  oci::Digest digest;
  std::optional<index::Version> version{};  // of the tag; absent: of this bundle's making
  // Of an ask-file: only those of its children that the bundle spoke of.
  bool sparse = false;
};

struct BundleOptions {
  static constexpr std::uint64_t least_volume = 256 << 10;
  // Fits a single-layer disc, and a FAT file system.
  static constexpr std::uint64_t usual_volume = (4ULL << 30) - (64 << 20);

  std::filesystem::path directory{};  // made when missing
  std::vector<BundleImage> images{};  // with all they lead to, referrers too
  bool referrers = true;
  // os/architecture[/variant], of an index's children; empty: all. The index stays as it is, byte
  // for byte, and is a sparse one at the receiver; one without any image for them is left out and
  // told.
  std::vector<std::string> platforms{};
  std::optional<std::filesystem::path> want{};   // leave out what its site holds
  std::optional<std::filesystem::path> again{};  // carry only what this ask-file names
  // Of tags and of manifests themselves (`to` absent), in the receiver's names. With a want-file
  // only what its site has is told of.
  std::vector<index::Change> removals{};
  // Knows when manifests that no tag names were put here; outlives the creation. Null: nobody does.
  index::Index* facts = nullptr;
  std::uint64_t volume_size = usual_volume;
  unsigned parity = 0;  // volumes that may be lost
};

struct BundleReport {
  std::string bundle;  // its id
  std::uint64_t images = 0;
  std::uint64_t removals = 0;
  std::uint64_t manifests = 0;
  std::uint64_t blobs = 0;
  std::uint64_t bytes = 0;           // of manifests and blobs in it
  std::uint64_t held_bytes = 0;      // of what was left out because the receiver has it
  std::uint64_t volume_bytes = 0;    // of all files
  std::uint64_t not_found = 0;       // digests the ask-file names and we have not
  std::vector<std::string> volumes;  // file names, parity too
};

struct BundleSite {
  SiteKey key;
  SiteName site;
  std::vector<TrustedKey> trusted;  // ours need not be among them
};

// Called on the caller's thread, `stop` also on the pool's.
struct BundleListener {
  std::function<void(std::uint64_t done, std::uint64_t total)> bytes{};
  // At the receiver a file that cannot be used, at the sender an image that is left out, and why.
  std::function<void(std::string volume, std::string sentence)> trouble{};
  std::function<bool()> stop{};
};

// What was begun is removed when it fails or is stopped. Throws oci::Refusal (an image is not all
// there), std::runtime_error with a sentence (a want-file of somebody unknown, volumes too small),
// std::system_error.
async::Task<BundleReport> create_bundle(BundleOptions options, BundleSite site,
                                        async::BlockingPool& pool, const base::Clock& clock,
                                        BundleListener listener);

// The images an ask-file speaks of, for BundleOptions::images. Blocks. Whether its signer is
// believed is left to create_bundle(). Throws std::runtime_error with a sentence.
struct AskedImage {
  std::string from;  // the repository at the sender
  oci::RepositoryName repository;
  std::optional<oci::Tag> tag{};
  oci::Digest digest;
  index::Version version{};
  bool sparse = false;
};
std::vector<AskedImage> read_ask(const std::filesystem::path& file);

// ---- at the receiver --------------------------------------------------------------------------

struct ApplyOptions {
  std::vector<std::filesystem::path> paths{};  // files, or directories of them
  // Where to write what to ask for when something is missing; empty: nowhere.
  std::filesystem::path ask{};
  // Whether a name may become a local repository: not that of an upstream. Empty: any may.
  std::function<bool(const oci::RepositoryName&)> accepts{};
};

struct ApplyReport {
  enum class State {
    done,        // all of it is here now
    held,        // all of it was here before
    incomplete,  // what came is kept for the next run; see missing
    refused,     // nothing of it is used
  };
  std::string bundle;
  std::string from{};  // name of the site
  State state = State::incomplete;
  std::uint64_t volumes = 0;             // it has, without parity
  std::vector<std::string> damaged{};    // file names
  std::vector<std::uint64_t> lost{};     // volumes that never came whole
  std::vector<std::uint64_t> rebuilt{};  // volumes, by parity
  std::string ask{};                     // the file that asks for what is missing; empty: none
  std::uint64_t missing = 0;             // digests to ask for
  std::uint64_t missing_bytes = 0;
  std::uint64_t images = 0;            // tags and untagged manifests of it
  std::uint64_t tags = 0;              // changed now
  std::uint64_t refused = 0;           // tags that may not be changed here; each was told
  std::vector<std::string> removed{};  // REPOSITORY:TAG and REPOSITORY@DIGEST, now
  std::uint64_t kept = 0;   // deleted there, and changed here later than that; each was told
  std::uint64_t blobs = 0;  // brought now
  std::uint64_t bytes = 0;
};

std::string_view to_string(ApplyReport::State state);

class BundleIntake {
 public:
  struct House {
    index::Index& index;
    store::BlobStore& store;
    registry::Admission& admission;
    const registry::Writer& writer;  // its quotas and switches
    registry::Sink& here;            // this site, for manifests and tags
    const base::Clock& clock;
    async::BlockingPool& pool;
    std::filesystem::path staging;  // <data>/bundles, on the store's file system
  };
  BundleIntake(House house, BundleSite site);

  // A report for each bundle that the files belong to; files of none are only told. Throws
  // std::system_error when there is no room here; what was verified until then is kept.
  async::Task<std::vector<ApplyReport>> apply(ApplyOptions options, index::Actor actor,
                                              BundleListener listener);
  // Forgets what was kept of a bundle (an id), or of all that nobody touched since `before`; how
  // many.
  async::Task<std::uint64_t> abandon(std::string bundle);
  async::Task<std::uint64_t> sweep(base::WallTime before);

 private:
  House house_;
  BundleSite site_;
};

}  // namespace entrepot::transfer
