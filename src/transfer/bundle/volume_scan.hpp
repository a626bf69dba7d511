// Reads a volume to its end, every byte of it, and puts what is needed and good into the staging.
// Blocks a step at a time.
#pragma once

#include <string>
#include <vector>

#include "transfer/bundle/staging.hpp"
#include "transfer/bundle/volume_file.hpp"

namespace entrepot::transfer {

class VolumeScan {
 public:
  // `needed`: of its members, those to be staged; the others are only verified.
  VolumeScan(const VolumeFile& file, Staging& staging, std::vector<bool> needed);

  // Some MB further; false at the end. Throws std::system_error when it cannot be read or staged.
  bool step();
  // Of the file, so far.
  std::uint64_t passed() const { return offset_; }
  // The first thing that was not as it should be, as a sentence; empty: none.
  const std::string& trouble() const { return trouble_; }

 private:
  void begin_member();
  void read_some();
  void end_member();
  void check_end();
  void complain(std::string sentence);
  const VolumeMember& member() const { return file_.head().members[next_]; }
  bool is_wanted() const { return needed_[next_] && readable_; }

  const VolumeFile& file_;
  Staging& staging_;
  const std::vector<bool> needed_;
  std::uint64_t offset_;
  std::size_t next_ = 0;
  bool inside_ = false;     // a member
  bool readable_ = true;    // the file has not ended early
  std::uint64_t left_ = 0;  // of it
  oci::Hasher hasher_{oci::Algorithm::sha256};
  std::string trouble_;
};

}  // namespace entrepot::transfer
