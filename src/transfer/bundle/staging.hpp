// What came of a bundle and was verified, until all of it is here: <data>/bundles/<bundle id>/
//
//   head              of one of its volumes
//   ledger            lines: what is here and was synced; the rest is not counted on
//   <algorithm>-<hex> a blob or manifest, whole
//   <algorithm>-<hex>.part   of which parts have come
//   arriving          being written
//   rebuilt-<n>.tar   a volume out of parity
//
// Lies on the store's file system, so that blobs enter the store as hard links. Names are digests
// and numbers, never what a volume says. Blocks; one user at a time.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "entrepot/base/bytes.hpp"
#include "entrepot/base/clock.hpp"
#include "entrepot/base/unique_fd.hpp"
#include "entrepot/oci/digest.hpp"
#include "transfer/bundle/volume_head.hpp"

namespace entrepot::transfer {

class Staging {
 public:
  // `bundle`: 32 hexadecimal characters. Throws std::system_error; std::runtime_error with a
  // sentence while somebody else is at it.
  Staging(const std::filesystem::path& top, const std::string& bundle);

  // Absent when none came yet.
  std::optional<VolumeHead> head() const;
  void set_head(std::string_view text);

  bool has(const oci::Digest& digest) const { return whole_.contains(digest); }
  const std::unordered_set<oci::Digest>& whole() const { return whole_; }
  base::UniqueFd open(const oci::Digest& digest) const;
  bool took(const std::string& series, std::uint64_t volume) const {
    return volumes_.contains({series, volume});
  }
  std::set<std::uint64_t> taken_of(const std::string& series) const;

  // A member on its way: blobs and parts. accept() after its sum was compared.
  void begin(const VolumeMember& member);
  void append(base::ByteView bytes);
  void accept();
  void drop();
  void note_volume(const std::string& series, std::uint64_t volume);
  // What was accepted survives a crash from now on.
  void settle();

  // Blobs all of whose parts are here, to be hashed as a whole.
  struct Assembled {
    oci::Digest digest;
    base::UniqueFd file;
  };
  std::optional<Assembled> assembled() const;
  void close_assembled(const oci::Digest& digest, bool good);

  std::filesystem::path rebuilt(std::uint64_t volume) const;
  // Ends it; nothing is left.
  void remove();

  // True when there was something.
  static bool remove(const std::filesystem::path& top, const std::string& bundle);
  // Bundles nobody touched since `before`.
  static std::vector<std::string> idle(const std::filesystem::path& top, base::WallTime before);

 private:
  struct Parts {
    std::uint64_t total = 0;
    std::map<std::uint64_t, std::uint64_t> pieces;  // offset, size
    bool complete() const;
  };
  void read_ledger();
  void read_line(const std::vector<std::string>& words);
  void note(std::string line);
  std::filesystem::path place(const oci::Digest& digest) const;
  std::filesystem::path part_place(const oci::Digest& digest) const;

  std::filesystem::path folder_;
  base::UniqueFd lock_;
  base::UniqueFd ledger_;
  std::unordered_set<oci::Digest> whole_;
  std::map<oci::Digest, Parts> parts_;
  std::set<std::pair<std::string, std::uint64_t>> volumes_;
  std::string unsettled_;
  // The one under way.
  VolumeMember member_;
  base::UniqueFd arriving_;
  std::uint64_t written_ = 0;
};

}  // namespace entrepot::transfer
